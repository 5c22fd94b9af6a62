/**
 * What the office's rules say must be answered, worked out from what is on record and from nothing that the process itself asks:
 * a second opinion, written after docs/review and the issue.
 */
import type { UserId } from '../../../domain/ids.ts';
import {
  type ApplicationState,
  type Decision,
  isClosed,
  isStage,
  type Quorum,
  STAGES,
  type Stage,
  type StagePolicy,
} from '../../../domain/licensing.ts';
import type { Role } from '../../../domain/roles.ts';
import { type CaseRecord, type DecisionRecord, openSeats, type TaskRecord } from './records.ts';
import type { World } from './world.ts';

export const ACCEPTED = 'accepted';

export interface Expected {
  /** A refusal's code, or `accepted`. */
  readonly answer: string;
  /** Where the case is afterwards; absent = where it was. */
  readonly to?: ApplicationState;
}

const no = (answer: string): Expected => ({ answer });
const yes = (to?: ApplicationState): Expected => ({ answer: ACCEPTED, ...(to ? { to } : {}) });

const isSupervisor = (world: World, userId: UserId): boolean => world.roles.get(userId) === 'supervisor';
const isStaff = (world: World, userId: UserId): boolean => world.roles.has(userId);

// ---- who may hold -----------------------------------------------------------------------------------------------------

interface SeatWanted {
  readonly stage: Stage;
  readonly round: number;
  readonly seat: number;
  readonly role: Role;
}

export const isAbsent = ({ absences }: CaseRecord, userId: UserId, at: number): boolean =>
  absences.some((absence) => absence.userId === userId && absence.from <= at && at < absence.to);

/** Why somebody may not hold a seat; null = they may, being in the role or a supervisor. */
export function whyNotHold(
  world: World,
  record: CaseRecord,
  userId: UserId,
  seat: SeatWanted,
  at: number,
): string | null {
  if (userId === world.staff.insider.id) return 'own_application';
  if (record.conflicts.includes(userId)) return 'conflict_declared';
  if (hasActed(record, userId, seat)) return 'already_acted';
  const role = world.roles.get(userId);
  const isInRole = role === seat.role || role === 'supervisor';
  return !isInRole || isAbsent(record, userId, at) ? 'reviewer_not_eligible' : null;
}

function hasActed(record: CaseRecord, userId: UserId, { stage, round, seat }: SeatWanted): boolean {
  const isBefore = record.holders.some(
    (held) => held.userId === userId && (held.stage !== stage || held.round <= record.appealedRound),
  );
  const isBeside = record.tasks.some(
    (task) =>
      task.stage === stage &&
      task.round === round &&
      task.seat !== seat &&
      task.assignee === userId &&
      task.state !== 'cancelled',
  );
  // Who decided in somebody's place has acted there.
  const hasOverridden = record.decisions.some(
    (made) => made.override && made.by === userId && (made.stage !== stage || made.round <= record.appealedRound),
  );
  return isBefore || isBeside || hasOverridden;
}

/** Everybody whom the rules of assignment may choose. */
export const candidates = (world: World, record: CaseRecord, seat: SeatWanted, at: number): UserId[] =>
  [...world.roles.keys()].filter(
    (userId) => world.roles.get(userId) === seat.role && whyNotHold(world, record, userId, seat, at) === null,
  );

// ---- decisions ----------------------------------------------------------------------------------------------------------

/** Those of the review that is going on: what was decided before a case was taken up again is history. */
function decisionsNow(record: CaseRecord): DecisionRecord[] {
  const again = record.events.findLast(
    ({ type }) => type === 'application.reopened' || type === 'application.appealed',
  );
  const events = record.events.filter(({ type, id }) => type === 'decision.recorded' && id > (again?.id ?? 0));
  return record.decisions.filter(
    (made) => made.round === record.round && events.some(({ by, at }) => by === made.by && at === made.at),
  );
}

const isAnnounced = (record: CaseRecord): boolean =>
  decisionsNow(record).some(({ decision }) => decision === 'intend_to_reject');

const stagesKnown = (record: CaseRecord): StagePolicy[] => {
  const { stages, automatic } = record.policy;
  return [...stages, ...(automatic ? [automatic.fallback] : [])];
};

/** Whether somebody comes too late: decided by themselves, or at a stage of their role that the case has left. */
function comesTooLate(world: World, record: CaseRecord, userId: UserId): boolean {
  const announced = isAnnounced(record);
  const made = decisionsNow(record).filter(({ decision }) => !(announced && decision === 'intend_to_reject'));
  const isTheirs = (stage: Stage) =>
    stagesKnown(record).some((policy) => policy.stage === stage && policy.role === world.roles.get(userId));
  const seats = openSeats(record);
  const here = made.filter(({ stage }) => seats.some((seat) => seat.stage === stage));
  if (here.some(({ by }) => by === userId)) return true;
  const passed = made.filter((decision) => !here.includes(decision));
  if (seats.some(({ assignee, state }) => assignee === userId && state === 'open')) return false;
  if (passed.some(({ by }) => by === userId)) return true;
  const [open] = seats;
  if (open && isTheirs(open.stage)) return false;
  return passed.some(({ stage }) => isTheirs(stage));
}

/** Nobody listens any more: the records say how it ended. */
function ended(record: CaseRecord): Expected | null {
  if (!isClosed(record.state)) return null;
  const isOffices = record.state === 'rejected' || record.state === 'active' || record.state === 'lapsed_unpaid';
  return no(isOffices && record.decisions.length > 0 ? 'already_decided' : 'already_closed');
}

export interface DecisionAsked {
  readonly by: UserId;
  readonly decision: Decision;
  readonly hash: string | null;
}

export function expectDecision(world: World, record: CaseRecord, asked: DecisionAsked, at: number): Expected {
  if (!isStaff(world, asked.by)) return no('forbidden');
  const over = ended(record);
  if (over) return over;
  if (asked.by === world.staff.insider.id) return no('own_application');
  if (comesTooLate(world, record, asked.by)) return no('already_decided');
  const seats = openSeats(record);
  const seat = seats.find(({ assignee }) => assignee === asked.by);
  if (seats.length === 0) return no('not_in_review');
  if (!seat) return no('not_assigned');
  if (asked.hash !== null && asked.hash !== record.submissions.at(-1)?.sha256) return no('submission_changed');
  const wording = refusedWording(record, asked.decision, isSupervisor(world, asked.by));
  if (wording) return no(wording);
  const barred = whyNotHold(world, record, asked.by, seat, at);
  if (barred) return no(barred);
  return yes(afterVote(world, record, seat, asked.decision));
}

function refusedWording(record: CaseRecord, decision: Decision, bySupervisor: boolean): string | null {
  const { intent, correction } = record.policy;
  const announced = isAnnounced(record);
  if (decision === 'intend_to_reject' && !intent) return 'invalid_request';
  if (decision === 'intend_to_reject' && announced) return 'already_decided';
  if (decision === 'reject' && intent?.required && !announced) return 'intent_required';
  const asked = record.round - record.appealedRound;
  if (decision === 'request_correction' && asked > correction.maxRounds && !bySupervisor)
    return 'correction_rounds_exhausted';
  return null;
}

/** k of n, the required roles among the k. */
function afterVote(world: World, record: CaseRecord, seat: TaskRecord, decision: Decision): ApplicationState {
  const quorum = quorumOf(world, seat.stage);
  const votes = new Map(
    decisionsNow(record)
      .filter((made) => made.stage === seat.stage && made.decision !== 'intend_to_reject')
      .map((made) => [made.seat, made.decision]),
  );
  votes.set(seat.seat, decision);
  if (decision === 'request_correction' || decision === 'intend_to_reject')
    return afterDecision(record, seat.stage, decision);
  if (!quorum) return afterDecision(record, seat.stage, decision);
  const seats = openSeats(record);
  const suffices = (ones: readonly TaskRecord[]) =>
    ones.length >= quorum.needed &&
    (quorum.requiredRoles ?? []).every(
      (role) =>
        ones.filter((one) => one.role === role).length >=
        (quorum.requiredRoles ?? []).filter((each) => each === role).length,
    );
  if (suffices(seats.filter((one) => votes.get(one.seat) === 'approve')))
    return afterDecision(record, seat.stage, 'approve');
  const isRejected =
    quorum.rejection === 'one_ends'
      ? decision === 'reject'
      : !suffices(seats.filter((one) => votes.get(one.seat) !== 'reject'));
  return isRejected ? 'rejected' : seat.stage;
}

/** As the stage was opened: no policy that a case is moved to here changes how it is voted. */
const quorumOf = ({ type }: World, stage: Stage): Quorum | undefined =>
  type.policy.stages.find((policy) => policy.stage === stage)?.quorum;

export function afterDecision(record: CaseRecord, stage: Stage, decision: Decision): ApplicationState {
  switch (decision) {
    case 'reject':
      return 'rejected';
    case 'request_correction':
      return 'correction_requested';
    case 'intend_to_reject':
      return 'intent_to_reject';
    case 'approve': {
      const later = STAGES.slice(STAGES.indexOf(stage) + 1);
      return later.find((code) => record.policy.stages.some((policy) => policy.stage === code)) ?? 'pending_payment';
    }
  }
}

export function expectOverride(
  world: World,
  record: CaseRecord,
  { by, decision }: { by: UserId; decision: Decision },
  at: number,
): Expected {
  if (!isSupervisor(world, by)) return no('forbidden');
  const over = ended(record);
  if (over) return over;
  const [open] = openSeats(record).filter(({ state }) => state === 'open');
  if (!open) return no('not_in_review');
  const wording = refusedWording(record, decision, true);
  if (wording) return no(wording);
  if (record.conflicts.includes(by)) return no('conflict_declared');
  // Not before an appeal: others shall look at it, while there are others.
  if (reviewedBeforeAppeal(record, by) && otherSupervisors(world, record, by).length > 0) return no('already_acted');
  if (isAbsent(record, by, at)) return no('reviewer_not_eligible');
  return yes(afterDecision(record, open.stage, decision));
}

export const reviewedBeforeAppeal = ({ holders, decisions, appealedRound }: CaseRecord, userId: UserId): boolean =>
  holders.some((held) => held.userId === userId && held.round <= appealedRound) ||
  decisions.some((made) => made.by === userId && made.round <= appealedRound);

/** Who could decide in the holder's place as well, now or when they are back. */
const otherSupervisors = (world: World, record: CaseRecord, by: UserId): UserId[] =>
  [...world.roles.keys()].filter(
    (userId) =>
      userId !== by &&
      isSupervisor(world, userId) &&
      !record.conflicts.includes(userId) &&
      !reviewedBeforeAppeal(record, userId),
  );

// ---- hands ----------------------------------------------------------------------------------------------------------------

export interface HandoverAsked {
  readonly kind: 'claim' | 'reassign' | 'delegate' | 'conflict';
  readonly by: UserId;
  /** null = by the rules. */
  readonly to: UserId | null;
  readonly from: UserId | null;
}

export interface HandoverExpected extends Expected {
  readonly seat?: TaskRecord;
}

export function expectHandover(world: World, record: CaseRecord, asked: HandoverAsked, at: number): HandoverExpected {
  const { kind, by, to } = asked;
  if (kind === 'reassign' && !isSupervisor(world, by)) return no('forbidden');
  const over = ended(record);
  if (over) return over;
  const seats = openSeats(record);
  if (seats.length === 0) return no('not_in_review');
  const isOwnOnly = kind === 'delegate' || kind === 'conflict';
  if (isOwnOnly && !seats.some(({ assignee }) => assignee === by)) return no('not_your_task');
  const seat = seatMeant(seats, asked);
  if (!seat) return no('invalid_request');
  if (seat.state === 'decided') return no('already_decided');
  const isTaken = seat.assignee !== null && seat.assignee !== by;
  if (kind === 'claim' && isTaken && !isSupervisor(world, by)) return no('not_your_task');
  if (to) {
    const barred = whyNotHold(world, record, to, seat, at);
    if (barred) return no(to === by || barred === 'conflict_declared' ? barred : 'reviewer_not_eligible');
  }
  return { answer: ACCEPTED, seat };
}

function seatMeant(seats: readonly TaskRecord[], { kind, by, to, from }: HandoverAsked): TaskRecord | null {
  if (from) return seats.find(({ assignee }) => assignee === from) ?? null;
  const only = seats.length === 1 ? (seats[0] ?? null) : null;
  const free = seats.find(({ assignee }) => assignee === null) ?? null;
  if (kind === 'claim') return free ?? only;
  const own = seats.find(({ assignee }) => assignee === by) ?? null;
  if (kind !== 'reassign') return only ?? own ?? free;
  if (own?.state === 'open') return only ?? free ?? own;
  return only ?? free ?? seats.find(({ state, assignee }) => state === 'open' && assignee !== to) ?? null;
}

// ---- the applicant, the supervisor's end ----------------------------------------------------------------------------------

const wasApproved = ({ state }: CaseRecord): boolean =>
  state === 'pending_payment' || state === 'activating' || state === 'deemed_approved';

export function expectWithdrawal(record: CaseRecord): Expected {
  if (isClosed(record.state)) return no('already_closed');
  return wasApproved(record) ? no('already_decided') : yes('withdrawn');
}

export function expectCancel(world: World, record: CaseRecord, by: UserId): Expected {
  if (!isSupervisor(world, by)) return no('forbidden');
  return ended(record) ?? (wasApproved(record) ? no('already_decided') : yes('cancelled'));
}

/** @param hasAll whether the required documents are there */
export function expectResubmission(record: CaseRecord, hasAll: boolean): Expected {
  if (record.state !== 'correction_requested') return no('not_awaiting_correction');
  return hasAll ? yes() : no('incomplete_application');
}

export const expectResponse = (record: CaseRecord): Expected =>
  record.state === 'intent_to_reject' ? yes(announcedAt(record)) : no('not_awaiting_response');

export const announcedAt = (record: CaseRecord): Stage | undefined =>
  record.decisions.findLast(({ decision }) => decision === 'intend_to_reject')?.stage;

export const expectReopening = (record: CaseRecord): Expected =>
  record.state === 'lapsed_no_response' ? yes('correction_requested') : no('not_reopenable');

export function expectAppeal(record: CaseRecord): Expected {
  const isSecond = record.events.some(({ type }) => type === 'application.appealed');
  return record.state === 'rejected' && !isSecond ? yes() : no('not_reopenable');
}

export const expectPolicyMove = (record: CaseRecord): Expected =>
  isClosed(record.state) || wasApproved(record) ? no('not_in_review') : yes();

/** Where a complete submission goes. */
export function firstStage(record: CaseRecord): ApplicationState[] {
  if (record.policy.path === 'automatic')
    return ['auto_check', record.policy.automatic?.fallback.stage ?? 'auto_check', 'pending_payment'];
  const [first] = record.policy.stages;
  return first ? [first.stage] : [];
}

export const isReviewing = ({ state }: CaseRecord): boolean => isStage(state);
