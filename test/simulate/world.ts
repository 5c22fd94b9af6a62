/** The simulated office while it is played: its cases, its people, what comes next, and how a process is brought to a moment. */
import { addWorkingTime, openingOfDay, workingMsBetween } from '../../domain/calendar.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { type Answer, type Story, storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { type Agenda, createAgenda } from './agenda.ts';
import type { CaseClocks } from './case-clocks.ts';
import { type CaseNow, caseNow, isAtRest, isOver, nextAlarm, type SeatNow } from './case-now.ts';
import type { Chance } from './chance.ts';
import type { PlayedLeave } from './leave.ts';
import type { PlayedCase } from './office.ts';
import { answersAfter, MINUTE_MS, type Question, STAFF, type Staff } from './people.ts';
import type { PlayedYear } from './year.ts';

export interface Play {
  readonly system: TestSystem;
  readonly clocks: CaseClocks;
  readonly chance: Chance;
  readonly year: PlayedYear;
  readonly cases: readonly PlayedCase[];
  readonly leaves: readonly PlayedLeave[];
  /** @param at epoch milliseconds of the played year */
  readonly onProgress: (at: number, cases: { submitted: number; over: number }) => void;
}

/** What somebody looks at, from when they take it up until they decide. */
export interface Job {
  readonly theCase: CaseInPlay;
  readonly seat: SeatNow;
}

export interface Person {
  readonly name: Staff;
  readonly id: UserId;
  readonly role: Role;
  isAway: boolean;
  job: Job | null;
}

export interface CaseInPlay extends PlayedCase {
  now: CaseNow | null;
  /** Of the entry that wakes it: an older one is void. */
  alarm: number;
  /** Seats that the supervisor may not take. */
  readonly barred: Set<string>;
  /** What the applicant was asked, each time once. */
  readonly asked: Set<string>;
  /** How often it was reopened, or appealed. */
  takenUp: number;
  /** People who were refused for a seat, as `<seat> <name>`. */
  readonly refused: Set<string>;
}

export type Happening =
  | { readonly kind: 'submit'; readonly theCase: CaseInPlay }
  | { readonly kind: 'withdraw'; readonly theCase: CaseInPlay }
  | { readonly kind: 'resubmit'; readonly theCase: CaseInPlay; readonly round: number }
  | { readonly kind: 'respond'; readonly theCase: CaseInPlay; readonly round: number }
  | { readonly kind: 'appeal'; readonly theCase: CaseInPlay }
  | { readonly kind: 'reopen'; readonly theCase: CaseInPlay }
  | { readonly kind: 'alarm'; readonly theCase: CaseInPlay; readonly alarm: number }
  | { readonly kind: 'claim'; readonly theCase: CaseInPlay; readonly person: Person; readonly job: Job }
  | { readonly kind: 'decide'; readonly theCase: CaseInPlay; readonly person: Person; readonly job: Job }
  | { readonly kind: 'hand_back'; readonly theCase: CaseInPlay; readonly person: Person; readonly seat: SeatNow }
  | { readonly kind: 'override'; readonly theCase: CaseInPlay; readonly seat: SeatNow }
  | { readonly kind: 'leave'; readonly person: Person; readonly leave: PlayedLeave }
  | { readonly kind: 'return'; readonly person: Person };

/** What somebody asked for and was refused: by the rules, as it should be, or not. */
export interface Refused {
  readonly number: number;
  readonly what: string;
  readonly code: string;
}

export interface World extends Play {
  readonly story: Story;
  readonly agenda: Agenda<Happening>;
  readonly inPlay: readonly CaseInPlay[];
  readonly people: readonly Person[];
  readonly counts: { submitted: number; over: number };
  readonly refused: Refused[];
  /** By the case's number: why nobody of this office can bring it to its end. */
  readonly stuck: Map<number, string>;
}

/**
 * Seconds of a minute at which people act. Deadlines are sums and differences of such moments, and so never come to lie so close
 * to the office's opening or closing, or to the turn of a minute, that a few milliseconds could move them across.
 */
export const SECOND = { applies: 2, hands_over: 5, decides: 8, gives_back: 14 } as const;

const ROLES: Record<Staff, Role> = {
  verifier: 'verifier',
  examiner: 'examiner',
  approver: 'approver',
  approver2: 'approver',
  head: 'head',
  supervisor: 'supervisor',
};

export function createWorld(play: Play): World {
  return {
    ...play,
    story: storyOf(play.system),
    agenda: createAgenda(),
    inPlay: play.cases.map((each) => ({
      ...each,
      now: null,
      alarm: 0,
      takenUp: 0,
      barred: new Set(),
      asked: new Set(),
      refused: new Set(),
    })),
    people: STAFF.map((name) => ({ name, id: demoUserId(name), role: ROLES[name], isAway: false, job: null })),
    counts: { submitted: 0, over: 0 },
    refused: [],
    stuck: new Map(),
  };
}

export const put = ({ agenda }: World, at: number, number: number, what: Happening, rank = 0): void =>
  agenda.add({ at, rank, number, what });

export function personNamed({ people }: World, name: Staff): Person {
  const found = people.find((person) => person.name === name);
  if (!found) throw new Error(`nobody is ${name}`);
  return found;
}

export const keyOf = ({ stage, round, seat }: SeatNow): string => `${stage} ${round} ${seat}`;
export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;

// ---- a process and its clock ------------------------------------------------------------------------------------------

/** What was due until then has happened; a little past it, for clocks agree to a few milliseconds only. */
export const reach = ({ clocks, system }: World, { workflowId }: CaseInPlay, at: number): Promise<void> =>
  clocks.bringTo(system.client, workflowId, at + 50);

/** Brings a case to the moment at which somebody acts on it. @returns that moment, epoch milliseconds */
export async function arrive(world: World, theCase: CaseInPlay, minute: number, second: number): Promise<number> {
  const at = minute + second * 1000;
  await reach(world, theCase, at);
  return at;
}

/** Longer than two clocks may differ on a busy machine; it is waited for. */
const BEFORE_ALARM_MS = 300;

/** Something is due that others are touched by. */
export async function ring(world: World, theCase: CaseInPlay): Promise<void> {
  const due = theCase.now && nextAlarm(theCase.now, theCase.policy);
  if (!due) return;
  await reach(world, theCase, due - BEFORE_ALARM_MS);
  await settle(world, theCase, due + 1000);
}

const SETTLES_WITHIN_MS = 60_000;
const LOOKS_AGAIN_MS = 4;

/**
 * Waits until the process waits, reads the case, and plans what follows from that.
 * @param left the state of before, where the record shows for a moment that nothing has happened yet
 */
export async function settle(world: World, theCase: CaseInPlay, at: number, left?: ApplicationState): Promise<void> {
  const { db } = world.system.database;
  const until = Date.now() + SETTLES_WITHIN_MS;
  let now = await caseNow(db, theCase.id);
  while (now.state === left || !isAtRest(now, theCase.policy, at)) {
    if (Date.now() > until)
      throw new Error(`case ${theCase.number} (${theCase.id}) does not come to rest: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOKS_AGAIN_MS));
    now = await caseNow(db, theCase.id);
  }
  world.counts.over += Number(isOver(now)) - Number(theCase.now !== null && isOver(theCase.now));
  theCase.now = now;
  theCase.alarm += 1;
  const due = isOver(now) ? null : nextAlarm(now, theCase.policy);
  if (due !== null) put(world, minuteOf(due), theCase.number, { kind: 'alarm', theCase, alarm: theCase.alarm }, 1);
  askApplicant(world, theCase, now, minuteOf(at));
}

function askApplicant(world: World, theCase: CaseInPlay, { state, round }: CaseNow, minute: number): void {
  const { policy } = theCase;
  const ask = (question: Question, what: Happening) => {
    const time = `${round}/${theCase.takenUp}`;
    if (theCase.asked.has(`${question} ${time}`)) return;
    theCase.asked.add(`${question} ${time}`);
    const after = answersAfter(world.chance, question, theCase.number, time);
    if (after !== null) put(world, atDaytime(world, minute + after), theCase.number, what);
  };
  if (state === 'correction_requested') ask('correction', { kind: 'resubmit', theCase, round });
  if (state === 'intent_to_reject') ask('announcement', { kind: 'respond', theCase, round });
  if (state === 'rejected' && policy.appeal) ask('rejection', { kind: 'appeal', theCase });
  if (state === 'lapsed_no_response' && policy.correction.reopenWithinDays) ask('lapse', { kind: 'reopen', theCase });
}

// ---- what people say ----------------------------------------------------------------------------------------------------

/** @throws Error unless it was taken */
export async function say(
  world: World,
  theCase: CaseInPlay,
  as: Staff | 'owner',
  path: string,
  body: unknown = {},
  method = 'POST',
): Promise<void> {
  const answer = await world.story.call(method, path, { as, body });
  if (answer.status !== 200) throw await unexpected(world, theCase, `${method} ${path} by ${as}`, answer);
}

/** The same where the rules may refuse it. @returns whether it was taken */
export async function tryTo(
  world: World,
  theCase: CaseInPlay,
  as: Staff | 'admin',
  path: string,
  body: unknown = {},
): Promise<boolean> {
  const answer = await world.story.call('POST', path, { as, body });
  if (answer.status === 200) return true;
  const code = codeOf(answer);
  if (answer.status >= 500 || code === null) throw await unexpected(world, theCase, `POST ${path} by ${as}`, answer);
  world.refused.push({ number: theCase.number, what: `${path.split('/')[1]} by ${as}`, code });
  return false;
}

function codeOf({ body }: Answer): string | null {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
    ? body.code
    : null;
}

const EVENTS_SHOWN = 12;

/** With what has happened to the case lately, for whoever looks for the reason. */
async function unexpected(
  { system }: World,
  { number, id, now }: CaseInPlay,
  what: string,
  { status, body }: Answer,
): Promise<Error> {
  const events: { type: string; occurred_at: Date; data: unknown }[] = await system.database
    .db('events')
    .where({ application_id: id })
    .orderBy('id', 'desc')
    .limit(EVENTS_SHOWN)
    .select('type', 'occurred_at', 'data');
  const lately = events
    .toReversed()
    .map(({ type, occurred_at, data }) => `  ${occurred_at.toISOString()} ${type} ${JSON.stringify(data)}`);
  return new Error(
    [
      `case ${number} (${id}): ${what} was answered ${status}: ${JSON.stringify(body)}`,
      `  as it was known: ${JSON.stringify(now)}`,
      ...lately,
    ].join('\n'),
  );
}

// ---- when -----------------------------------------------------------------------------------------------------------------

const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const CALM_MS = 3 * MINUTE_MS;

/** So much working time later, a few minutes away from opening and closing. */
export function inOfficeHours({ year: { calendar } }: World, at: number, lastsMs: number): number {
  const done = minuteOf(addWorkingTime(calendar, at, lastsMs).at);
  const opening = openingOfDay(calendar, done);
  const closing = opening + workingMsBetween(calendar, opening, opening + DAY_MS);
  const calm = Math.max(opening + CALM_MS, Math.min(done, closing - CALM_MS));
  return Math.max(calm, at + MINUTE_MS);
}

/** Nobody writes to an office at night: they do in the two hours before it opens. */
function atDaytime({ year }: World, at: number): number {
  const morning = openingOfDay(year.calendar, at) - 2 * HOUR_MS;
  return at >= morning ? at : morning + ((at - year.begins) % (2 * HOUR_MS));
}
