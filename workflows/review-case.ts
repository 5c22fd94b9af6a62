/** A case under review as its process keeps it, and what the parts of that process ask of it. */
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { PlanNow } from '../activities/review-stages.ts';
import type { RungCode } from '../domain/escalation.ts';
import type { Sha256, UserId } from '../domain/ids.ts';
import {
  type ApplicationState,
  type CancelCode,
  type Decision,
  type DecisionMade,
  type DecisionRequest,
  isFree,
  type LicensePolicy,
  type Refusal,
  type Stage,
  type StagePolicy,
} from '../domain/licensing.ts';
import type { ReviewSituation, SeatWaiting } from '../domain/review-rules.ts';
import { refusal } from './answers.ts';
import type { DecisionRecorded, LicenseReviewInput, MovePolicyRequest, ReassignRequest, Sent } from './messages.ts';
import { openPost } from './post.ts';
import { describeReview, type OpenTask } from './review-details.ts';
import {
  assigneeAttribute,
  companyAttribute,
  dueAtAttribute,
  stageAttribute,
  typeAttribute,
} from './search-attributes.ts';

/** A decision that was accepted and is being written down; `outcome` once it is durable, or refused by the records. */
export interface Ticket {
  readonly request: Pick<DecisionRequest, 'decision' | 'reasons' | 'note'> & Sent;
  readonly made: DecisionMade;
  outcome: DecisionRecorded | Refusal | null;
}

export interface Handover {
  readonly request: ReassignRequest;
  outcome: { readonly assignee: UserId | null } | Refusal | null;
}

/** A seat of the supervisor's queue, for whoever is free by now. */
export interface Offer {
  readonly waiting: SeatWaiting;
  outcome: { readonly assignee: UserId | null } | Refusal | null;
}

export interface PolicyMove {
  readonly request: MovePolicyRequest;
  isDone: boolean;
}

/** Ends the case without the office deciding on it; `null` while nobody wants that. */
export type Ending = Sent & { readonly by: UserId; readonly reason: string } & (
    | { readonly to: 'withdrawn' }
    | { readonly to: 'cancelled'; readonly code: CancelCode }
  );

/** The applicant may answer an announced rejection. */
export interface Announcement {
  response: ({ readonly by: UserId; readonly statementId: string } & Sent) | null;
  /** No answer counts any more. */
  isClosed: boolean;
  /** The stage is open again, or the case is over. */
  isOver: boolean;
  hasCounted: boolean;
}

export interface ReviewCase {
  readonly input: LicenseReviewInput;
  readonly post: ReturnType<typeof openPost>;
  /** Tells the runs of one case apart in the keys of what may happen in each; null in the first. */
  readonly again: string | null;
  policy: LicensePolicy;
  state: ApplicationState;
  round: number;
  submissionHash: Sha256 | null;
  /** ISO 8601; null while no legal time runs. */
  legalDueAt: string | null;
  task: OpenTask | null;
  /** The open stage's policy, as it was opened. */
  stage: StagePolicy | null;
  /** Nothing is waited for any more but the end. */
  isOver: boolean;
  /** A stage is being opened, or the law is about to decide: who has something to say waits for the moment. */
  opening: boolean;
  announced: DecisionMade | null;
  announcement: Announcement | null;
  ending: Ending | null;
  resubmission: ({ readonly by: UserId } & Sent) | null;
  /** The record was planned anew: read it. */
  replanned: boolean;
  /** How often a document of the case was scanned. */
  scans: number;
  readonly tickets: Ticket[];
  readonly decisions: DecisionMade[];
  readonly handovers: Handover[];
  readonly offers: Offer[];
  readonly moves: PolicyMove[];
  /** How many of each were carried out, or tried: they name the attempts. */
  handoversDone: number;
  movesDone: number;
  signals: number;
}

export function openCase(input: LicenseReviewInput): ReviewCase {
  const again = input.again ? `${input.again.kind}/${input.again.statementId}` : null;
  const { workflowId } = workflowInfo();
  return {
    input,
    post: openPost(again ? `${workflowId}/${again}` : workflowId, input.applicationId),
    again,
    policy: input.policy,
    state: stateBefore(input),
    round: input.again?.round ?? 0,
    submissionHash: null,
    legalDueAt: null,
    task: null,
    stage: null,
    isOver: false,
    opening: false,
    announced: null,
    announcement: null,
    ending: null,
    resubmission: null,
    replanned: false,
    scans: 0,
    tickets: [],
    decisions: [],
    handovers: [],
    offers: [],
    moves: [],
    handoversDone: 0,
    movesDone: 0,
    signals: 0,
  };
}

/** Who takes a case up again sees it open at once, and may speak before this process has heard of it. */
function stateBefore({ again, policy }: LicenseReviewInput): ApplicationState {
  if (!again) return 'submitted';
  if (again.kind === 'reopened') return 'correction_requested';
  return policy.path === 'review' ? 'completeness' : 'auto_check';
}

/** The last round of the review that was appealed against; 0 = none was. */
export const appealedRound = ({ again }: LicenseReviewInput): number =>
  again?.kind === 'appeal' ? again.round : (again?.appealedRound ?? 0);

export function situationOf(theCase: ReviewCase): ReviewSituation {
  const { input, policy, task, stage } = theCase;
  return {
    applicationId: input.applicationId,
    state: theCase.state,
    round: theCase.round,
    stage: task?.stage ?? null,
    stages: stage && !policy.stages.includes(stage) ? [...policy.stages, stage] : policy.stages,
    assignee: task?.seats[0]?.assignee ?? null,
    applicant: input.applicant,
    submissionHash: theCase.submissionHash,
    decisions: theCase.decisions,
    maxCorrectionRounds: policy.correction.maxRounds,
    roundsBefore: appealedRound(input),
    ...(task ? { seats: task.seats } : {}),
    ...(stage?.quorum ? { quorum: stage.quorum } : {}),
    intent: policy.intent,
    announced: theCase.announced?.round === theCase.round ? theCase.announced : null,
  };
}

/** Names an attempt of something that may happen in each run of the case. */
export const attemptOf = ({ again }: ReviewCase, number: number): string =>
  again ? `${again}/${number}` : `${number}`;

/** Where a decision sends the case. `following` = the stage after this one. */
export function destination(
  policy: LicensePolicy,
  decision: Decision,
  following: Stage | null,
): Exclude<ApplicationState, 'draft'> {
  switch (decision) {
    case 'reject':
      return 'rejected';
    case 'request_correction':
      return 'correction_requested';
    case 'intend_to_reject':
      return 'intent_to_reject';
    case 'approve':
      return following ?? afterApproval(policy);
  }
}

export const afterApproval = (policy: LicensePolicy): 'activating' | 'pending_payment' =>
  isFree(policy) ? 'activating' : 'pending_payment';

/** What an approval makes payable; null when nothing is. */
export function billOf({ fee, payment }: LicensePolicy, to: ApplicationState) {
  if (to !== 'pending_payment') return null;
  return { fee, dueAt: new Date(Date.now() + payment.lapseAfterDays * DAY_MS).toISOString() };
}

/** Its origin and nothing else: absent stays absent, so that earlier histories replay as they are. */
export const sentWith = ({ origin }: Sent): Sent => (origin ? { origin } : {});

export const notNow = ({ state }: ReviewCase): Refusal =>
  refusal('not_in_review', `The case is ${state}: nobody is deciding on it now.`, { state });

/** Milliseconds from now; a timer of zero would be none. */
export const until = (at: string): number => Math.max(1, Date.parse(at) - Date.now());

export const isPast = (at: string): boolean => Date.parse(at) <= Date.now();

/** Takes over what the record says of the open stage and of the legal time. */
export function followPlan(theCase: ReviewCase, task: OpenTask, now: PlanNow): void {
  planAnew(task, now);
  theCase.legalDueAt = now.legalDueAt;
}

/** Takes over what the record says of the plan. */
export function planAnew(task: OpenTask, { plan, fired }: Pick<PlanNow, 'plan' | 'fired'>): void {
  if (!plan) return;
  const isAhead = (code: RungCode) => !fired.includes(code) && !task.fired.has(code);
  task.dueAt = plan.dueAt;
  const ahead = plan.rungs.filter(({ code }) => isAhead(code));
  task.rungs.splice(0, task.rungs.length, ...ahead.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)));
}

/** What ops see in the Temporal UI: search attributes, and the details in words. */
export function show(theCase: ReviewCase, answerBy: string | null = null): void {
  const { task, state, input } = theCase;
  const dueAt = task?.dueAt ?? answerBy;
  upsertSearchAttributes([
    { key: stageAttribute, value: state },
    { key: typeAttribute, value: input.typeCode },
    { key: companyAttribute, value: input.companyId },
    { key: assigneeAttribute, value: holderOf(task) },
    { key: dueAtAttribute, value: dueAt ? new Date(dueAt) : null },
  ]);
  tell(theCase, answerBy);
}

/** Words cost nothing, an attribute is a write to the visibility store: what lasts a moment is only told. */
export function tell(theCase: ReviewCase, answerBy: string | null = null): void {
  const { state, round, task, decisions, legalDueAt } = theCase;
  setCurrentDetails(describeReview({ state, round, task, decisions, answerBy, legalDueAt }));
}

/** The first of the open seats that somebody has. */
export const holderOf = (task: OpenTask | null): UserId | null =>
  task?.seats.find(({ assignee, vote }) => assignee !== null && vote === null)?.assignee ?? null;

export const DAY_MS = 86_400_000;
