/**
 * The year itself: one thing after the other, in the order of the office's clock. Before somebody acts on a case, its process is
 * brought to that moment, and all that was due before has happened; whatever touches others (a task that moves to the
 * supervisor, a time that runs out) is an entry of its own. So the outcome does not depend on how quick this machine is.
 */
import { takeUpAgain } from '../../api/review-process.ts';
import { sealOrigin } from '../../api/sealed-origin.ts';
import { sendIn } from '../../api/submission.ts';
import { correctionOf } from '../../db/corrections.ts';
import { judgedFor, licenseTypeInForce } from '../../db/license-types.ts';
import { writeStatement } from '../../db/statements.ts';
import { namedUuid } from '../../db/uuids.ts';
import { addWorkingTime, nextOpening, openingOfDay, workingMsBetween } from '../../domain/calendar.ts';
import type { UserId } from '../../domain/ids.ts';
import { canMove, type Decision } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { absenceProcessId } from '../../workflows/ids.ts';
import { storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { type Agenda, createAgenda, type Entry } from './agenda.ts';
import type { CaseClocks } from './case-clocks.ts';
import { type CaseNow, caseNow, isAtRest, isBusyIn, isOver, nextAlarm, type SeatNow } from './case-now.ts';
import type { Chance } from './chance.ts';
import type { PlayedLeave } from './leave.ts';
import type { PlayedCase } from './office.ts';
import {
  answersAfter,
  MINUTE_MS,
  patience,
  type Question,
  STAFF,
  type Staff,
  verdictOf,
  workOf,
} from './people.ts';
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
interface Job {
  readonly theCase: CaseInPlay;
  readonly seat: SeatNow;
}

interface Person {
  readonly name: Staff;
  readonly id: UserId;
  readonly role: Role;
  isAway: boolean;
  job: Job | null;
}

interface CaseInPlay extends PlayedCase {
  now: CaseNow | null;
  /** Of the entry that wakes it: an older one is void. */
  alarm: number;
  /** Seats that the supervisor may not take. */
  readonly barred: Set<string>;
  /** What the applicant was asked, each time once. */
  readonly asked: Set<string>;
}

type Happening =
  | { readonly kind: 'submit'; readonly theCase: CaseInPlay }
  | { readonly kind: 'withdraw'; readonly theCase: CaseInPlay }
  | { readonly kind: 'appeal'; readonly theCase: CaseInPlay }
  | { readonly kind: 'reopen'; readonly theCase: CaseInPlay }
  | { readonly kind: 'resubmit' | 'respond'; readonly theCase: CaseInPlay; readonly round: number }
  | { readonly kind: 'alarm'; readonly theCase: CaseInPlay; readonly alarm: number }
  | { readonly kind: 'claim' | 'decide'; readonly person: Person; readonly job: Job; readonly theCase: CaseInPlay }
  | { readonly kind: 'hand_back'; readonly theCase: CaseInPlay; readonly seat: SeatNow; readonly person: Person }
  | { readonly kind: 'leave'; readonly person: Person; readonly leave: PlayedLeave }
  | { readonly kind: 'return'; readonly person: Person };

/**
 * Seconds of a minute at which people act. Deadlines are sums and differences of such moments, and never come to lie so close
 * to the office's opening or closing, or to the turn of a minute, that a few milliseconds could move them across.
 */
const SECOND = { applies: 2, decides: 8, gives_back: 14, hands_over: 5 } as const;
const ROLES: Record<Staff, Role> = {
  verifier: 'verifier',
  examiner: 'examiner',
  approver: 'approver',
  approver2: 'approver',
  head: 'head',
  supervisor: 'supervisor',
};

export async function playYear(play: Play): Promise<void> {
  const { system, clocks, chance, year, onProgress } = play;
  const { client, api } = system;
  const { db } = system.database;
  const { calendar } = year;
  const story = storyOf(system);
  const agenda: Agenda<Happening> = createAgenda();
  const cases = play.cases.map(
    (each): CaseInPlay => ({ ...each, now: null, alarm: 0, barred: new Set(), asked: new Set() }),
  );
  const people = STAFF.map((name): Person => ({ name, id: demoUserId(name), role: ROLES[name], isAway: false, job: null }));
  const supervisor = personOf('supervisor');
  const counts = { submitted: 0, over: 0 };
  let lastActed = 0;

  for (const theCase of cases) put(year.begins + theCase.minute * MINUTE_MS, theCase.number, { kind: 'submit', theCase });
  for (const leave of play.leaves) putLeave(leave);

  for (let entry = agenda.next(); entry; entry = agenda.next()) {
    if (comesBetween(entry)) {
      agenda.add({ ...entry, at: entry.at + MINUTE_MS });
      continue;
    }
    await carryOut(entry);
    takeUpWork(entry.at);
    onProgress(entry.at, counts);
  }

  // ---- what comes when ------------------------------------------------------------------------------------------------

  function personOf(name: Staff): Person {
    const found = people.find((person) => person.name === name);
    if (!found) throw new Error(`nobody is ${name}`);
    return found;
  }

  function put(at: number, number: number, what: Happening, rank = 0): void {
    agenda.add({ at, rank, number, what });
  }

  function putLeave(leave: PlayedLeave): void {
    const person = personOf(leave.who);
    const number = STAFF.indexOf(leave.who);
    put(leave.from, number, { kind: 'leave', person, leave });
    put(minuteOf(nextOpening(calendar, leave.to)) + 5 * MINUTE_MS, number, { kind: 'return', person });
  }

  /** Two never act in one minute, and nobody in a minute in which the process does: who was first would be chance. */
  function comesBetween({ at, what }: Entry<Happening>): boolean {
    if (what.kind === 'leave' || what.kind === 'return' || what.kind === 'alarm') return false;
    const { now } = what.theCase;
    const isTaken = at <= lastActed || (now !== null && isBusyIn(now, at));
    if (!isTaken) lastActed = at;
    return isTaken;
  }

  async function carryOut({ at, what }: Entry<Happening>): Promise<void> {
    switch (what.kind) {
      case 'submit':
        return submit(what.theCase, at);
      case 'withdraw':
        return withdraw(what.theCase, at);
      case 'resubmit':
        return resubmit(what.theCase, what.round, at);
      case 'respond':
        return respond(what.theCase, what.round, at);
      case 'appeal':
        return takeUp(what.theCase, 'appeal', at);
      case 'reopen':
        return takeUp(what.theCase, 'reopened', at);
      case 'alarm':
        return what.alarm === what.theCase.alarm ? ring(what.theCase) : undefined;
      case 'claim':
        return claim(what.person, what.job, at);
      case 'decide':
        return decide(what.person, what.job, at);
      case 'hand_back':
        return handBack(what, at);
      case 'leave':
        return leave(what.person, what.leave);
      case 'return':
        return comeBack(what.person, at);
    }
  }

  // ---- those who apply --------------------------------------------------------------------------------------------------

  /** The functions behind the route: it would put its own time on what is submitted. */
  async function submit(theCase: CaseInPlay, minute: number): Promise<void> {
    const at = minute + SECOND.applies * 1000;
    const { id, companyId, form, typeCode, workflowId, number } = theCase;
    const offered = await licenseTypeInForce(db, typeCode, new Date(at));
    if (!offered) throw new Error(`${typeCode} is not offered`);
    const type = await judgedFor(db, offered, { companyId, form }, new Date(at));
    clocks.startAt(workflowId, at);
    await sendIn(api.deps, type, { id, companyId, by: demoUserId('owner'), origin: NO_ORIGIN, at: new Date(at) });
    await reach(theCase, at + 50);
    await settle(theCase, at);
    counts.submitted += 1;
    const after = patience(chance, number);
    if (after !== null) put(minute + after, number, { kind: 'withdraw', theCase });
  }

  async function withdraw(theCase: CaseInPlay, minute: number): Promise<void> {
    if (!theCase.now || !canMove(theCase.now.state, 'withdrawn')) return;
    const at = await arrive(theCase, minute, SECOND.applies);
    await say(theCase, 'owner', `licenses/applications/${theCase.id}/withdraw`, { reason: 'The shop will not open.' });
    await settle(theCase, at);
  }

  async function resubmit(theCase: CaseInPlay, round: number, minute: number): Promise<void> {
    if (theCase.now?.state !== 'correction_requested' || theCase.now.round !== round) return;
    const at = await arrive(theCase, minute, SECOND.applies);
    const form = { ...theCase.form, businessAddress: `Jl. Melati No. ${12 + round}, Bandung` };
    await say(theCase, 'owner', `licenses/applications/${theCase.id}`, { form }, 'PUT');
    await say(theCase, 'owner', `licenses/applications/${theCase.id}/resubmit`);
    await settle(theCase, at);
  }

  async function respond(theCase: CaseInPlay, round: number, minute: number): Promise<void> {
    if (theCase.now?.state !== 'intent_to_reject' || theCase.now.round !== round) return;
    const at = await arrive(theCase, minute, SECOND.applies);
    await say(theCase, 'owner', `licenses/applications/${theCase.id}/respond`, { text: 'We moved the storage.' });
    await settle(theCase, at);
  }

  /** As with a submission, the route would put its own time on it. */
  async function takeUp(theCase: CaseInPlay, kind: 'appeal' | 'reopened', minute: number): Promise<void> {
    const { id, companyId, typeCode, policy, workflowId, now } = theCase;
    if (!now?.closedAt || now.state !== (kind === 'appeal' ? 'rejected' : 'lapsed_no_response')) return;
    const at = minute + SECOND.applies * 1000;
    const { round } = now;
    const submittedAt = new Date(at).toISOString();
    const statementId = namedUuid(`simulation/${kind}/${id}/${round}`);
    const statement = { id: statementId, applicationId: id, round, by: demoUserId('owner'), at: submittedAt };
    const stage = kind === 'appeal' ? null : ((await correctionOf(db, id, round))?.stage ?? null);
    await client.workflow.getHandle(workflowId).result();
    await writeStatement(db, { ...statement, kind: kind === 'appeal' ? 'appeal' : 'reopening', text: 'Please look again.' });
    clocks.startAt(workflowId, at);
    const again = { kind, round, stage, statementId };
    const input = { applicationId: id, companyId, applicant: demoUserId('owner'), typeCode, policy, submittedAt, again };
    await takeUpAgain(api.deps, { ...input, origin: sealOrigin(api.deps, NO_ORIGIN) }, now.closedAt);
    counts.over -= 1;
    await reach(theCase, at + 50);
    await settle(theCase, at);
  }

  // ---- those who review -------------------------------------------------------------------------------------------------

  /** Whoever is there and has nothing in hand takes up what is due first. */
  function takeUpWork(at: number): void {
    for (const person of people) {
      if (person.job && !holds(person, person.job)) person.job = null;
      if (person.isAway || person.job) continue;
      const seats = cases.flatMap((theCase) =>
        (theCase.now?.open ?? []).filter((seat) => isFor(person, theCase, seat)).map((seat) => ({ theCase, seat })),
      );
      const [job] = seats.toSorted((a, b) => minuteOf(a.seat.dueAt) - minuteOf(b.seat.dueAt) || a.theCase.number - b.theCase.number);
      if (job) begin(person, job, at);
    }
  }

  function isFor(person: Person, theCase: CaseInPlay, seat: SeatNow): boolean {
    if (seat.assignee !== null) return seat.assignee === person.id;
    return person === supervisor && !theCase.barred.has(keyOf(seat)) && !holdsSeatOf(theCase, person);
  }

  function begin(person: Person, job: Job, at: number): void {
    person.job = job;
    const { theCase } = job;
    const kind = job.seat.assignee === null ? 'claim' : 'decide';
    const lasts = kind === 'claim' ? CLAIMING_MS : workOf(chance, { ...theCase, ...job.seat });
    put(inOfficeHours(at, lasts), theCase.number, { kind, person, job, theCase });
  }

  async function claim(person: Person, job: Job, minute: number): Promise<void> {
    if (person.job !== job || !stillOpen(job)) return;
    const { theCase, seat } = job;
    const at = await arrive(theCase, minute, SECOND.hands_over);
    const answer = await story.call('POST', `licenses/claim/${theCase.id}`, { as: person.name });
    // Who acted on another stage may not take this one; whoever comes back to the office gets it.
    if (answer.status === 403) theCase.barred.add(keyOf(seat));
    else if (answer.status !== 200) throw unexpected(theCase, 'claim', answer);
    person.job = null;
    await settle(theCase, at);
    if (answer.status === 403) putHandBack(theCase, seat, minute);
  }

  /** Now, when somebody of the role is there; else when they are back. */
  function putHandBack(theCase: CaseInPlay, seat: SeatNow, at: number): void {
    const person = people.find((each) => each.role === seat.role && !each.isAway && !holdsSeatOf(theCase, each));
    if (person) put(inOfficeHours(at, CLAIMING_MS), theCase.number, { kind: 'hand_back', theCase, seat, person });
  }

  async function handBack({ theCase, seat, person }: Extract<Happening, { kind: 'hand_back' }>, minute: number): Promise<void> {
    const isWaiting = theCase.now?.open.some((open) => keyOf(open) === keyOf(seat) && open.assignee === null);
    if (!isWaiting || person.isAway) return;
    const at = await arrive(theCase, minute, SECOND.hands_over);
    const body = { userId: person.id, reason: 'Back in the office' };
    const answer = await story.call('POST', `licenses/reassign/${theCase.id}`, { as: 'supervisor', body });
    if (answer.status !== 200 && answer.status !== 403 && answer.status !== 422) throw unexpected(theCase, 'reassign', answer);
    await settle(theCase, at);
  }

  async function decide(person: Person, job: Job, minute: number): Promise<void> {
    if (person.job !== job || !stillOpen(job)) return;
    const { theCase, seat } = job;
    const { now, policy } = theCase;
    if (!now) throw new Error(`case ${theCase.number} is decided before it is submitted`);
    const decision = verdictOf(chance, { ...theCase, ...seat }, {
      canCorrect: now.round - now.roundsBefore <= policy.correction.maxRounds,
      intent: policy.intent ? (policy.intent.required ? 'required' : 'possible') : 'none',
      announced: now.announced,
    });
    const givesBack = decision === 'request_correction' || decision === 'intend_to_reject';
    const at = await arrive(theCase, minute, givesBack ? SECOND.gives_back : SECOND.decides);
    await say(theCase, person.name, `licenses/review/${theCase.id}`, { decision, stage: seat.stage, ...REASONS[decision] });
    person.job = null;
    await settle(theCase, at);
  }

  async function leave(person: Person, { id, from }: PlayedLeave): Promise<void> {
    person.isAway = true;
    person.job = null;
    const at = from + 1000;
    const theirs = cases.filter(({ now }) => now?.open.some(({ assignee }) => assignee === person.id));
    for (const theCase of theirs) await reach(theCase, at);
    await clocks.bringTo(client, absenceProcessId(id), at);
    await client.workflow.getHandle(absenceProcessId(id)).result();
    for (const theCase of theirs) await settle(theCase, at);
  }

  async function comeBack(person: Person, at: number): Promise<void> {
    person.isAway = false;
    for (const theCase of cases) {
      for (const seat of theCase.now?.open ?? [])
        if (seat.assignee === null && seat.role === person.role && theCase.barred.has(keyOf(seat)))
          put(inOfficeHours(at, CLAIMING_MS), theCase.number, { kind: 'hand_back', theCase, seat, person });
    }
  }

  // ---- the process --------------------------------------------------------------------------------------------------------

  function reach(theCase: CaseInPlay, at: number): Promise<void> {
    return clocks.bringTo(client, theCase.workflowId, at);
  }

  /** @returns the moment that it is now for the case, epoch milliseconds */
  async function arrive(theCase: CaseInPlay, minute: number, second: number): Promise<number> {
    const at = minute + second * 1000;
    await reach(theCase, at + 50);
    return at;
  }

  /** Something is due that others are touched by. */
  async function ring(theCase: CaseInPlay): Promise<void> {
    const due = theCase.now && nextAlarm(theCase.now, theCase.policy);
    if (!due) return;
    await reach(theCase, due + 1000);
    await settle(theCase, due + 1000);
  }

  /** Waits until the process waits, reads the case, and plans what follows from that. */
  async function settle(theCase: CaseInPlay, at: number): Promise<void> {
    const until = Date.now() + SETTLES_WITHIN_MS;
    let now = await caseNow(db, theCase.id);
    while (!isAtRest(now, theCase.policy, at)) {
      if (Date.now() > until) throw new Error(`case ${theCase.number} (${theCase.id}) does not come to rest: ${JSON.stringify(now)}`);
      await new Promise((resolve) => setTimeout(resolve, 4));
      now = await caseNow(db, theCase.id);
    }
    if (isOver(now) && !(theCase.now && isOver(theCase.now))) counts.over += 1;
    theCase.now = now;
    theCase.alarm += 1;
    const due = isOver(now) ? null : nextAlarm(now, theCase.policy);
    if (due !== null) put(minuteOf(due), theCase.number, { kind: 'alarm', theCase, alarm: theCase.alarm }, 1);
    askApplicant(theCase, now, minuteOf(at));
  }

  function askApplicant(theCase: CaseInPlay, { state, round }: CaseNow, minute: number): void {
    const ask = (question: Question, what: Happening) => {
      const about = `${question} ${round}`;
      if (theCase.asked.has(about)) return;
      theCase.asked.add(about);
      const after = answersAfter(chance, question, theCase.number, round);
      if (after !== null) put(atDaytime(minute + after), theCase.number, what);
    };
    if (state === 'correction_requested') ask('correction', { kind: 'resubmit', theCase, round });
    if (state === 'intent_to_reject') ask('announcement', { kind: 'respond', theCase, round });
    if (state === 'rejected' && theCase.policy.appeal) ask('rejection', { kind: 'appeal', theCase });
    if (state === 'lapsed_no_response' && theCase.policy.correction.reopenWithinDays) ask('lapse', { kind: 'reopen', theCase });
  }

  async function say(theCase: CaseInPlay, as: Staff | 'owner', path: string, body: unknown = {}, method = 'POST'): Promise<void> {
    const answer = await story.call(method, path, { as, body });
    if (answer.status !== 200) throw unexpected(theCase, `${method} ${path} by ${as}`, answer);
  }

  function unexpected(theCase: CaseInPlay, what: string, answer: { status: number; body: unknown }): Error {
    return new Error(`case ${theCase.number}: ${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  // ---- when -----------------------------------------------------------------------------------------------------------------

  /** So much working time later, a few minutes away from opening and closing. */
  function inOfficeHours(at: number, lastsMs: number): number {
    const done = minuteOf(addWorkingTime(calendar, at, lastsMs).at);
    const opening = openingOfDay(calendar, done);
    const closing = opening + workingMsBetween(calendar, opening, opening + DAY_MS);
    const calm = Math.max(opening + 3 * MINUTE_MS, Math.min(done, closing - 3 * MINUTE_MS));
    return Math.max(calm, at + MINUTE_MS);
  }

  /** Nobody writes to an office at night. */
  function atDaytime(at: number): number {
    const morning = openingOfDay(calendar, at) - 2 * HOUR_MS;
    return at >= morning ? at : morning + ((at - year.begins) % (2 * HOUR_MS));
  }
}

const holds = (person: Person, { theCase, seat }: Job): boolean =>
  theCase.now?.open.some(
    (open) => keyOf(open) === keyOf(seat) && (open.assignee === person.id || open.assignee === seat.assignee),
  ) === true;

const stillOpen = ({ theCase, seat }: Job): boolean =>
  theCase.now?.open.some((open) => keyOf(open) === keyOf(seat) && open.assignee === seat.assignee) === true;

const holdsSeatOf = ({ now }: CaseInPlay, person: Person): boolean =>
  now?.open.some(({ assignee }) => assignee === person.id) === true;

const keyOf = ({ stage, round, seat }: SeatNow): string => `${stage} ${round} ${seat}`;
const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;

const NO_ORIGIN = { address: null, requestId: null } as const;
const CLAIMING_MS = 4 * MINUTE_MS;
const SETTLES_WITHIN_MS = 30_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const REASONS: Record<Decision, { reasons?: { code: string; pointer?: string }[] }> = {
  approve: {},
  request_correction: { reasons: [{ code: 'data_mismatch', pointer: '/form/businessAddress' }] },
  intend_to_reject: { reasons: [{ code: 'requirement_not_met' }] },
  reject: { reasons: [{ code: 'requirement_not_met' }] },
};
