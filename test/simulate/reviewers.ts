/** What the people of the simulated office do. */
import type { Decision } from '../../domain/licensing.ts';
import { absenceProcessId } from '../../workflows/ids.ts';
import type { SeatNow } from './case-now.ts';
import type { PlayedLeave } from './leave.ts';
import { MINUTE_MS, verdictOf, workOf } from './people.ts';
import {
  arrive,
  type CaseInPlay,
  inOfficeHours,
  type Job,
  keyOf,
  minuteOf,
  type Person,
  personNamed,
  put,
  reach,
  SECOND,
  say,
  settle,
  tryTo,
  type World,
} from './world.ts';

const HANDING_MS = 4 * MINUTE_MS;
const WORKING_DAY_MS = 480 * MINUTE_MS;

/** Whoever is there and has nothing in hand takes up what is due first. */
export function takeUpWork(world: World, at: number): void {
  for (const person of world.people) {
    if (person.job && !isOpen(person.job)) person.job = null;
    if (person.isAway || person.job) continue;
    const [job] = workFor(world, person).toSorted(byUrgency);
    if (job) begin(world, person, job, at);
  }
}

const workFor = (world: World, person: Person): Job[] =>
  world.inPlay.flatMap((theCase) =>
    (theCase.now?.open ?? []).filter((seat) => isFor(world, person, theCase, seat)).map((seat) => ({ theCase, seat })),
  );

const byUrgency = (a: Job, b: Job): number =>
  minuteOf(a.seat.dueAt) - minuteOf(b.seat.dueAt) || a.theCase.number - b.theCase.number || a.seat.seat - b.seat.seat;

/** Their own; what nobody has is the supervisor's to claim. */
function isFor(world: World, person: Person, theCase: CaseInPlay, seat: SeatNow): boolean {
  if (seat.assignee !== null) return seat.assignee === person.id;
  const isSupervisor = person === personNamed(world, 'supervisor');
  return isSupervisor && !theCase.barred.has(keyOf(seat)) && !hasSeat(theCase, person);
}

function begin(world: World, person: Person, job: Job, at: number): void {
  person.job = job;
  const { theCase, seat } = job;
  const kind = seat.assignee === null ? 'claim' : 'decide';
  const lastsMs = kind === 'claim' ? HANDING_MS : workOf(world.chance, { ...theCase, ...seat });
  put(world, inOfficeHours(world, at, lastsMs), theCase.number, { kind, person, job, theCase });
}

export async function decide(world: World, person: Person, job: Job, minute: number): Promise<void> {
  if (person.job !== job || !isOpen(job)) return;
  const { theCase, seat } = job;
  const decision = verdictOf(world.chance, { ...theCase, ...seat }, choiceOf(theCase));
  const givesBack = decision === 'request_correction' || decision === 'intend_to_reject';
  const at = await arrive(world, theCase, minute, givesBack ? SECOND.gives_back : SECOND.decides);
  const body = { decision, stage: seat.stage, ...REASONS[decision] };
  await say(world, theCase, person.name, `licenses/review/${theCase.id}`, body);
  person.job = null;
  await settle(world, theCase, at);
}

function choiceOf({ now, number, policy }: CaseInPlay) {
  if (!now) throw new Error(`case ${number} is decided before it was submitted`);
  const { intent } = policy;
  return {
    canCorrect: now.round - now.roundsBefore <= policy.correction.maxRounds,
    intent: intent ? (intent.required ? ('required' as const) : ('possible' as const)) : ('none' as const),
    announced: now.announced,
  };
}

const REASONS: Record<Decision, { reasons?: { code: string; pointer?: string }[] }> = {
  approve: {},
  request_correction: { reasons: [{ code: 'data_mismatch', pointer: '/form/businessAddress' }] },
  intend_to_reject: { reasons: [{ code: 'requirement_not_met' }] },
  reject: { reasons: [{ code: 'requirement_not_met' }] },
};

export async function claim(world: World, person: Person, job: Job, minute: number): Promise<void> {
  if (person.job !== job || !isOpen(job)) return;
  const { theCase, seat } = job;
  const at = await arrive(world, theCase, minute, SECOND.hands_over);
  const isTaken = await tryTo(world, theCase, person.name, `licenses/claim/${theCase.id}`);
  person.job = null;
  await settle(world, theCase, at);
  if (isTaken) return;
  // Somebody of the role who is there gets it now, the others when they are back.
  theCase.barred.add(keyOf(seat));
  for (const each of world.people)
    if (each.role === seat.role && !each.isAway) offer(world, theCase, seat, each, minute);
}

function offer(world: World, theCase: CaseInPlay, seat: SeatNow, person: Person, at: number): void {
  put(world, inOfficeHours(world, at, HANDING_MS), theCase.number, { kind: 'hand_back', theCase, seat, person });
}

/** The supervisor gives a seat that they may not take themselves to somebody of the role. */
export async function handBack(
  world: World,
  theCase: CaseInPlay,
  { seat, person }: { seat: SeatNow; person: Person },
  minute: number,
): Promise<void> {
  const isWaiting = theCase.now?.open.some((open) => keyOf(open) === keyOf(seat) && open.assignee === null);
  if (!isWaiting || person.isAway) return;
  if (hasSeat(theCase, person)) return despair(world, theCase, seat, person, minute);
  const at = await arrive(world, theCase, minute, SECOND.hands_over);
  const body = { userId: person.id, reason: 'Nobody else may take it' };
  const path = `licenses/reassign/${theCase.id}`;
  const isDone =
    (await tryTo(world, theCase, 'supervisor', path, body)) || (await tryTo(world, theCase, 'admin', path, body));
  await settle(world, theCase, at);
  if (!isDone) despair(world, theCase, seat, person, minute);
}

/** When nobody of the role may take it, now or when they are back, the supervisor decides a working day later. */
function despair(world: World, theCase: CaseInPlay, seat: SeatNow, person: Person, at: number): void {
  theCase.refused.add(`${keyOf(seat)} ${person.name}`);
  const ofRole = world.people.filter(({ role }) => role === seat.role);
  if (!ofRole.every(({ name }) => theCase.refused.has(`${keyOf(seat)} ${name}`))) return;
  put(world, inOfficeHours(world, at, WORKING_DAY_MS), theCase.number, { kind: 'override', theCase, seat });
}

/**
 * In place of whoever should hold the seat, though they have acted on another stage, or before an appeal when the office has no
 * other supervisor: that is what an override is for.
 */
export async function override(world: World, theCase: CaseInPlay, seat: SeatNow, minute: number): Promise<void> {
  const isWaiting = theCase.now?.open.some((open) => keyOf(open) === keyOf(seat) && open.assignee === null);
  if (!isWaiting) return;
  const verdict = verdictOf(world.chance, { ...theCase, ...seat }, { ...choiceOf(theCase), canCorrect: false });
  const at = await arrive(world, theCase, minute, SECOND.decides);
  const path = `licenses/override/${theCase.id}`;
  const decideBy = (decision: 'approve' | 'reject') =>
    tryTo(world, theCase, 'supervisor', path, { decision, reason: 'Nobody else may', ...REASONS[decision] });
  // A rejection may have to be announced first, which nobody can do in place of others.
  const isDone = (verdict !== 'approve' && (await decideBy('reject'))) || (await decideBy('approve'));
  if (!isDone) world.stuck.set(theCase.number, `nobody of the office may decide on its ${seat.stage}`);
  await settle(world, theCase, at);
}

/** Their open tasks go to others, by the process of the absence. */
export async function leave(world: World, person: Person, { id, from }: PlayedLeave): Promise<void> {
  person.isAway = true;
  person.job = null;
  const at = from + 1000;
  const theirs = world.inPlay.filter((theCase) => hasSeat(theCase, person));
  for (const theCase of theirs) await reach(world, theCase, at);
  const { client } = world.system;
  await world.clocks.bringTo(client, absenceProcessId(id), from - 300);
  await client.workflow.getHandle(absenceProcessId(id)).result();
  for (const theCase of theirs) await settle(world, theCase, at);
}

export function comeBack(world: World, person: Person, at: number): void {
  person.isAway = world.leaves.some(({ who, from, to }) => who === person.name && from <= at && at < to);
  if (person.isAway) return;
  for (const theCase of world.inPlay) {
    for (const seat of theCase.now?.open ?? [])
      if (seat.assignee === null && seat.role === person.role && theCase.barred.has(keyOf(seat)))
        offer(world, theCase, seat, person, at);
  }
}

/** Whether it is still to be done, by the same person. */
const isOpen = ({ theCase, seat }: Job): boolean =>
  theCase.now?.open.some((open) => keyOf(open) === keyOf(seat) && open.assignee === seat.assignee) === true;

const hasSeat = ({ now }: CaseInPlay, person: Person): boolean =>
  now?.open.some(({ assignee }) => assignee === person.id) === true;
