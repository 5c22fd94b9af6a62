/**
 * Who may do what at the open stage of a case. Pure and synchronous: the validators of the updates ask these rules, so a
 * refusal leaves no trace in history; the signals of Temporal's own tools go through the same ones.
 */
import type { Seat } from './assignment.ts';
import type { ApplicationId, Sha256, UserId } from './ids.ts';
import {
  type Actor,
  type ApplicationState,
  type Decision,
  type DecisionMade,
  type DecisionRequest,
  type LicensePolicy,
  type Quorum,
  type Reason,
  type Refusal,
  refuseCancellation,
  type Stage,
  type StagePolicy,
} from './licensing.ts';
import { tally } from './quorum.ts';

export interface SeatTaken extends Seat {
  /** null = the supervisor's queue. */
  readonly assignee: UserId | null;
}

/** What the rules need to know of a running case; the workflow holds it, tests make it up. */
export interface ReviewSituation {
  readonly applicationId: ApplicationId;
  readonly state: ApplicationState;
  readonly round: number;
  readonly stage: Stage | null;
  readonly stages: readonly StagePolicy[];
  /** Of the first seat. */
  readonly assignee: UserId | null;
  readonly applicant: UserId;
  readonly submissionHash: Sha256 | null;
  /** Those that are being recorded at this moment too. */
  readonly decisions: readonly DecisionMade[];
  readonly maxCorrectionRounds: number;
  /** Rounds before this review began: those of a review that was appealed against do not count. Absent = 0. */
  readonly roundsBefore?: number;
  /** Of the open stage; absent = one, of the stage's role and the assignee. */
  readonly seats?: readonly SeatTaken[];
  /** Of the open stage; absent = one person decides. */
  readonly quorum?: Quorum;
  readonly intent?: LicensePolicy['intent'];
  /** The rejection that was announced in this round; the applicant has answered, or had the time to. */
  readonly announced?: DecisionMade | null;
}

const refusal = (code: Refusal['code'], message: string, facts: Refusal['facts'] = {}): Refusal => ({
  code,
  message,
  facts,
});

const tooLate = (made: DecisionMade): Refusal =>
  refusal(
    'already_decided',
    `This stage was already decided: ${made.decision} at ${made.at}. Read the case again before you go on.`,
    {
      decidedBy: made.by,
      decidedAt: made.at,
      decision: made.decision,
      stage: made.stage,
    },
  );

/** Why this decision cannot be taken now, or null when it can. */
export function refuseDecision(situation: ReviewSituation, request: DecisionRequest): Refusal | null {
  const { by, decision } = request;
  if (isOwn(situation, request)) return OWN_APPLICATION;
  const beaten = decisionThatCameFirst(situation, request);
  if (beaten) return tooLate(beaten);
  if (situation.stage === null) return nothingOpen(situation);
  if (request.stage && request.stage !== situation.stage) {
    return refusal('stage_changed', `The case is at ${situation.stage} now, not at ${request.stage}. Read it again.`, {
      stage: situation.stage,
    });
  }
  if (!seatHeldBy(situation, by.userId)) {
    return refusal(
      'not_assigned',
      'This case is not assigned to you. Look at GET /api/v1/licenses/assigned for yours.',
      { stage: situation.stage },
    );
  }
  if (request.submissionHash && request.submissionHash !== situation.submissionHash) {
    return refusal(
      'submission_changed',
      'The applicant has changed the submission since you read it. Read it again, then decide.',
    );
  }
  return refuseWording(situation, by, decision, request.reasons);
}

/** A supervisor decides in place of whoever holds the stage: all rules but that of whose task it is. */
export function refuseOverride(
  situation: ReviewSituation,
  request: Pick<DecisionRequest, 'by' | 'decision' | 'reasons' | 'ownCase'>,
): Refusal | null {
  if (!isSupervisor(request.by)) return SUPERVISORS_ONLY;
  if (isOwn(situation, request)) return OWN_APPLICATION;
  if (situation.stage === null) return nothingOpen(situation);
  const ended = endOfStage(situation);
  if (ended) return tooLate(ended);
  return refuseWording(situation, request.by, request.decision, request.reasons);
}

/** @param by whoever ends the case as none */
export function refuseCancel(situation: ReviewSituation, by: Actor): Refusal | null {
  if (!isSupervisor(by)) return SUPERVISORS_ONLY;
  if (by.userId === situation.applicant) return OWN_APPLICATION;
  return refuseCancellation(situation.state);
}

export interface HandoverAsked {
  readonly by: Actor;
  readonly to: UserId | null;
  readonly from?: UserId;
  /** Absent = a supervisor's word, or a claim. */
  readonly kind?: 'claim' | 'reassign' | 'delegate' | 'conflict' | 'absence' | 'bulk';
}

/** Why a seat of the open stage cannot change hands. Whether the other person may hold it, the records say. */
export function refuseHandover(situation: ReviewSituation, request: HandoverAsked): Refusal | null {
  if (situation.stage === null) return nothingOpen(situation);
  const ended = endOfStage(situation);
  if (ended) return tooLate(ended);
  const { by, kind } = request;
  if ((kind === 'delegate' || kind === 'conflict') && !seatHeldBy(situation, request.from ?? by.userId)) {
    return NOT_YOURS;
  }
  const seat = seatMeant(situation, request);
  if (!seat) {
    return refusal('invalid_request', 'This stage has several seats: say in `from` whose is meant.', {
      errors: [{ pointer: '/from', code: 'ambiguous', detail: 'whose seat' }],
    });
  }
  const vote = votesOf(situation).find((made) => (made.seat ?? 1) === seat.seat);
  if (vote) return tooLate(vote);
  const ownOnly = kind === 'delegate' || kind === 'conflict';
  if (ownOnly && seat.assignee !== by.userId) return NOT_YOURS;
  // What somebody else holds is taken from them by a supervisor, not by whoever is quick.
  const taken = seat.assignee !== null && seat.assignee !== by.userId;
  return kind === 'claim' && taken && !isSupervisor(by) ? NOT_YOURS : null;
}

/** A seat of a quorum, or the only one, as the record knew it when somebody was found who is free for it. */
export interface SeatWaiting {
  readonly round: number;
  readonly stage: Stage;
  readonly seat: number;
}

/** Why a seat is not offered to whoever is free: the case has gone on, or somebody has it by now. */
export function refuseOffer(situation: ReviewSituation, waiting: SeatWaiting): Refusal | null {
  if (situation.stage !== waiting.stage || situation.round !== waiting.round) return nothingOpen(situation);
  const ended = endOfStage(situation);
  if (ended) return tooLate(ended);
  const seat = seatsTaken(situation).find((each) => each.seat === waiting.seat);
  return seat && seat.assignee === null && !hasVoted(situation, seat.seat) ? null : NOT_YOURS;
}

/**
 * Whose seat a request means: the one it names, the only one, the caller's own, or one that nobody has. A supervisor who
 * reassigns and names none means the one that nobody has, which cannot be named; then their own that has not voted, then the
 * first that has not and is not the new holder's already.
 */
export function seatMeant(situation: ReviewSituation, request: HandoverAsked): SeatTaken | null {
  const seats = seatsTaken(situation);
  const held = (by: UserId) => seats.find(({ assignee }) => assignee === by) ?? null;
  if (request.from) return held(request.from);
  const only = seats.length === 1 ? (seats[0] ?? null) : null;
  const free = seats.find(({ assignee }) => assignee === null) ?? null;
  if (request.kind === 'claim') return free ?? only;
  const own = held(request.by.userId);
  if (request.kind !== 'reassign') return only ?? own ?? free;
  const waiting = seats.find(({ seat, assignee }) => assignee !== request.to && !hasVoted(situation, seat)) ?? null;
  return only ?? free ?? (own && !hasVoted(situation, own.seat) ? own : waiting);
}

const hasVoted = (situation: ReviewSituation, seat: number): boolean =>
  votesOf(situation).some((made) => (made.seat ?? 1) === seat);

/** Every seat of the open stage, those that have voted too. */
export function seatsTaken(situation: ReviewSituation): readonly SeatTaken[] {
  if (situation.seats) return situation.seats;
  const policy = situation.stages.find(({ stage }) => stage === situation.stage);
  return policy ? [{ seat: 1, role: policy.role, assignee: situation.assignee }] : [];
}

export const seatHeldBy = (situation: ReviewSituation, userId: UserId): SeatTaken | null =>
  seatsTaken(situation).find(({ assignee }) => assignee === userId) ?? null;

/** The decisions of the open stage in this round, without an announcement that has had its answer. */
export function votesOf(situation: ReviewSituation): DecisionMade[] {
  const { announced, round, stage } = situation;
  return situation.decisions.filter(
    (made) => made.round === round && made.stage === stage && !(announced && made.decision === 'intend_to_reject'),
  );
}

/** What ended the open stage: it is being recorded; null while it waits for a decision, or for more votes. */
export function endOfStage(situation: ReviewSituation): DecisionMade | null {
  const votes = votesOf(situation);
  const overriding = votes.find(({ override }) => override);
  if (overriding) return overriding;
  const cast = votes.map(({ seat = 1, decision }) => ({ seat, decision }));
  return tally(situation.quorum, seatsTaken(situation), cast) === 'open' ? null : (votes.at(-1) ?? null);
}

const isSupervisor = ({ roles }: Actor): boolean => roles.includes('supervisor');

const isOwn = ({ applicant }: ReviewSituation, { by, ownCase }: Pick<DecisionRequest, 'by' | 'ownCase'>): boolean =>
  by.userId === applicant || ownCase === true;

const OWN_APPLICATION = refusal(
  'own_application',
  'Nobody decides on an application of their own. Ask the supervisor to reassign it.',
);
const SUPERVISORS_ONLY = refusal('forbidden', 'Only a supervisor may do this. Ask one.');
const NOT_YOURS = refusal('not_your_task', 'Only whoever holds the task may do this. Ask a supervisor.');

const nothingOpen = ({ state }: ReviewSituation): Refusal =>
  refusal('not_in_review', `The case is ${state}: there is nothing to decide now.`, { state });

function refuseWording(
  situation: ReviewSituation,
  by: Actor,
  decision: Decision,
  reasons: readonly Reason[],
): Refusal | null {
  const { intent, announced } = situation;
  if (decision === 'intend_to_reject' && !intent) {
    return refusal(
      'invalid_request',
      'This licence type has no announced rejections. Reject, or ask for a correction.',
      {
        errors: [{ pointer: '/decision', code: 'not_offered', detail: 'no announced rejections' }],
      },
    );
  }
  if (decision === 'intend_to_reject' && announced) return tooLate(announced);
  if (decision === 'reject' && intent?.required && !announced) {
    return refusal('intent_required', 'Announce the rejection first: the applicant may answer before it is decided.');
  }
  if (decision !== 'approve' && reasons.length === 0) {
    return refusal('reasons_required', 'Give at least one reason: the applicant has a right to know it.', {
      errors: [{ pointer: '/reasons', code: 'reasons_required', detail: 'at least one reason' }],
    });
  }
  const asked = situation.round - (situation.roundsBefore ?? 0);
  if (decision === 'request_correction' && asked > situation.maxCorrectionRounds && !isSupervisor(by)) {
    return refusal(
      'correction_rounds_exhausted',
      `The applicant was already asked ${situation.maxCorrectionRounds} times. Approve or reject, or ask a supervisor.`,
    );
  }
  return null;
}

/**
 * The decision that beat this one: the same stage of this round was decided, by this person or by another of the role
 * that this person would have decided in. Four reviewers at once: one wins, the others learn who and when.
 */
function decisionThatCameFirst(situation: ReviewSituation, { by, stage }: DecisionRequest): DecisionMade | null {
  const votes = votesOf(situation);
  const ended = endOfStage(situation);
  // A vote of a stage that waits for more is no decision yet, but nobody votes twice.
  const waiting = ended === null ? votes : [];
  const twice = waiting.find((made) => made.by === by.userId);
  if (twice) return twice;
  const made = situation.decisions.filter(
    (decision) => decision.round === situation.round && !waiting.includes(decision) && !isAnswered(situation, decision),
  );
  const latest = made.at(-1);
  if (!latest) return null;
  if (stage) return made.findLast((decision) => decision.stage === stage) ?? null;
  if (seatHeldBy(situation, by.userId) && latest.stage !== situation.stage) return null;
  const own = made.findLast((decision) => decision.by === by.userId);
  if (own) return own;
  if (latest.stage === situation.stage) return latest;
  // At the stage that is open now they are merely not assigned; at one that has passed they came too late.
  const mayDecide = (code: Stage) =>
    situation.stages.some((policy) => policy.stage === code && by.roles.includes(policy.role));
  if (situation.stage && mayDecide(situation.stage)) return null;
  return made.findLast((decision) => mayDecide(decision.stage)) ?? null;
}

const isAnswered = ({ announced }: ReviewSituation, { decision }: DecisionMade): boolean =>
  Boolean(announced) && decision === 'intend_to_reject';
