/**
 * A licence application: its states, who may move it, and the rules of a decision.
 * The transition table below is what docs/processes/license-review.md draws; a test compares the two.
 */
import type { Rung } from './escalation.ts';
import type { FailureCode, FailureFacts } from './failures.ts';
import type { Sha256, UserId } from './ids.ts';
import type { Currency } from './money.ts';
import type { OddMoneyPolicy } from './payments.ts';
import type { ReviewerRole, Role } from './roles.ts';

export const RISKS = ['low', 'medium_low', 'medium_high', 'high'] as const;
export type Risk = (typeof RISKS)[number];

/** Stages in which a person decides; which of them a case goes through, its policy says. */
export const STAGES = ['document_verification', 'compliance_check', 'approval'] as const;
export type Stage = (typeof STAGES)[number];

export const applicationTransitions = {
  draft: ['submitted', 'withdrawn'],
  submitted: ['completeness', 'auto_check', 'withdrawn', 'cancelled'],
  completeness: [
    'document_verification',
    'compliance_check',
    'approval',
    'correction_requested',
    'deemed_approved',
    'withdrawn',
    'cancelled',
  ],
  auto_check: [
    // What the automatic path cannot answer goes to a person.
    'compliance_check',
    'pending_payment',
    'activating',
    'correction_requested',
    'withdrawn',
    'cancelled',
  ],
  document_verification: [
    'compliance_check',
    'approval',
    'pending_payment',
    'activating',
    'correction_requested',
    'intent_to_reject',
    'deemed_approved',
    'rejected',
    'withdrawn',
    'cancelled',
  ],
  compliance_check: [
    'approval',
    'pending_payment',
    'activating',
    'correction_requested',
    'intent_to_reject',
    'deemed_approved',
    'rejected',
    'withdrawn',
    'cancelled',
  ],
  approval: [
    'pending_payment',
    'activating',
    'correction_requested',
    'intent_to_reject',
    'deemed_approved',
    'rejected',
    'withdrawn',
    'cancelled',
  ],
  correction_requested: ['completeness', 'auto_check', 'lapsed_no_response', 'withdrawn', 'cancelled'],
  // Back to the stage that announced it, with the applicant's answer or without.
  intent_to_reject: ['document_verification', 'compliance_check', 'approval', 'withdrawn', 'cancelled'],
  deemed_approved: ['pending_payment', 'activating'],
  // Given up: a renewal by its owner, or with its licence, which was revoked. Anything else lapses by itself.
  pending_payment: ['activating', 'lapsed_unpaid', 'withdrawn', 'cancelled'],
  activating: ['active'],
  active: [],
  // An appeal: the whole review once more, by others.
  rejected: ['completeness', 'auto_check'],
  withdrawn: [],
  cancelled: [],
  // Reopened: the applicant has the case again.
  lapsed_no_response: ['correction_requested'],
  lapsed_unpaid: [],
} as const satisfies Record<string, readonly string[]>;

export type ApplicationState = keyof typeof applicationTransitions;

export const APPLICATION_STATES = Object.keys(applicationTransitions).filter(
  (state): state is ApplicationState => state in applicationTransitions,
);

export const canMove = (from: ApplicationState, to: ApplicationState): boolean => {
  const targets: readonly string[] = applicationTransitions[from];
  return targets.includes(to);
};

/** States that a case may move to `to` from: the guard of every update of the record. */
export const statesBefore = (to: ApplicationState): ApplicationState[] =>
  APPLICATION_STATES.filter((from) => canMove(from, to));

const CLOSED: readonly ApplicationState[] = [
  'active',
  'rejected',
  'withdrawn',
  'cancelled',
  'lapsed_no_response',
  'lapsed_unpaid',
];

/** Over, though a rejected case can be appealed and a lapsed one reopened, by a person. */
export const isClosed = (state: ApplicationState): boolean => CLOSED.includes(state);

export const isStage = (value: string): value is Stage => STAGES.some((stage) => stage === value);

/** Whom a case waits for, as its owner sees it. */
export type Turn = 'applicant' | 'office' | 'system' | 'nobody';

export function whoseTurn(state: ApplicationState): Turn {
  switch (state) {
    case 'draft':
    case 'correction_requested':
    case 'intent_to_reject':
    case 'pending_payment':
      return 'applicant';
    case 'document_verification':
    case 'compliance_check':
    case 'approval':
      return 'office';
    case 'submitted':
    case 'completeness':
    case 'auto_check':
    case 'deemed_approved':
    case 'activating':
      return 'system';
    case 'active':
    case 'rejected':
    case 'withdrawn':
    case 'cancelled':
    case 'lapsed_no_response':
    case 'lapsed_unpaid':
      return 'nobody';
  }
}

/** How far a case is, 0–100; a closed case is at 100 whatever its outcome. */
export function percentDone(state: ApplicationState): number {
  switch (state) {
    case 'draft':
      return 0;
    case 'submitted':
      return 10;
    case 'completeness':
    case 'auto_check':
      return 15;
    case 'correction_requested':
      return 20;
    case 'document_verification':
      return 25;
    case 'compliance_check':
      return 45;
    case 'approval':
    case 'intent_to_reject':
      return 65;
    case 'deemed_approved':
      return 75;
    case 'pending_payment':
      return 80;
    case 'activating':
      return 95;
    case 'active':
    case 'rejected':
    case 'withdrawn':
    case 'cancelled':
    case 'lapsed_no_response':
    case 'lapsed_unpaid':
      return 100;
  }
}

// ---- policy ---------------------------------------------------------------------------------------------------------

export interface StagePolicy {
  readonly stage: Stage;
  readonly role: ReviewerRole;
  /** Share of the legal time that this stage may use, in percent. */
  readonly sharePercent: number;
  /** Absent = one person decides. */
  readonly quorum?: Quorum;
}

/** k of n. Each vote has a seat of its own, held by a person of its own. */
export interface Quorum {
  /** Seats, n. */
  readonly of: number;
  /** Approvals that approve, k; the required roles among them. */
  readonly needed: number;
  /** A seat is kept for each; the other seats have the role of the stage. */
  readonly requiredRoles?: readonly ReviewerRole[];
  /** `one_ends`: a single rejection rejects. `when_lost`: only when the approvals that are needed cannot come any more. */
  readonly rejection: 'one_ends' | 'when_lost';
}

/** A registry of the state that is asked about a number. */
export const REGISTRIES = ['nib', 'npwp', 'nik'] as const;
export type Registry = (typeof REGISTRIES)[number];

export interface ChecklistItem {
  readonly kind: string;
  readonly required: boolean;
}

/**
 * What a licence type asks for and allows. A case pins the version it was submitted under, so a later change of the
 * rules does not move a running case. Every number comes from the office's data, none from code.
 */
export interface LicensePolicy {
  readonly path: 'review' | 'automatic';
  readonly stages: readonly StagePolicy[];
  readonly checklist: readonly ChecklistItem[];
  readonly legalWorkingDays: number;
  readonly ladder: readonly Rung[];
  readonly correction: {
    readonly maxRounds: number;
    readonly answerWithinWorkingDays: number;
    /** Of the time to answer; absent = no reminders. */
    readonly remindAtPercent?: readonly number[];
    /** Calendar days in which a case that lapsed unanswered is reopened on request; absent = not. */
    readonly reopenWithinDays?: number;
  };
  /** Absent = a rejection is final at once. */
  readonly intent?: {
    /** Nobody is rejected who was not told of it first. */
    readonly required: boolean;
    readonly answerWithinWorkingDays: number;
  };
  /** When the legal time is used up. Absent = `escalate_only`. UU 30/2014 art. 53 (*fiktif positif*). */
  readonly deemedApproval?: 'escalate_only' | 'issue';
  /** Calendar days in which a rejected case is reviewed once more; absent = not. */
  readonly appeal?: { readonly withinDays: number };
  /** Of the automatic path: how many in a hundred are audited afterwards, and who takes what it cannot answer. */
  readonly automatic?: { readonly auditPercent: number; readonly fallback: StagePolicy };
  /** Registries that are asked at each submission. After `giveUpAfterMinutes` of silence a person decides without. */
  readonly registries?: { readonly ask: readonly Registry[]; readonly giveUpAfterMinutes: number };
  readonly fee: {
    readonly statutoryMinor: string;
    readonly serviceMinor: string;
    /** Of a renewal that came after the licence had expired; only in the policy that such a case has pinned. */
    readonly lateMinor?: string;
    readonly currency: Currency;
  };
  readonly payment: PaymentPolicy;
  /** null = valid for life. */
  readonly validityMonths: number | null;
  /** Absent = RENEWAL_TERMS of renewal.ts. */
  readonly renewal?: RenewalTerms;
}

/** When a licence can be renewed, and when its owner is reminded of it. Days of 24 hours. */
export interface RenewalTerms {
  readonly opensDaysBefore: number;
  /** In descending order, none before the opening. */
  readonly remindDaysBefore: readonly number[];
  /** How long after its end it can still be renewed. */
  readonly lateDays: number;
  /** Of the fees of the renewal; 0 = nothing more to pay. */
  readonly lateFeePercent: number;
}

/** A part of an invoice, and when it is due, counted in calendar days from the invoice. */
export interface InstalmentTerm {
  readonly percent: number;
  readonly dueAfterDays: number;
}

export interface PaymentPolicy {
  readonly remindAfterDays: readonly number[];
  readonly lapseAfterDays: number;
  /** In order; the percentages add up to 100, and the last is due when the invoice lapses. Absent = all at once. The licence comes with the last. */
  readonly instalments?: readonly InstalmentTerm[];
  /** What becomes of money that comes late, twice, short or over, or in another currency. */
  readonly oddMoney?: OddMoneyPolicy;
}

/** The stage after this one, by a policy that may have been changed since this one was opened. */
export function stageAfter(stages: readonly StagePolicy[], stage: Stage): StagePolicy | null {
  const at = stages.findIndex((policy) => policy.stage === stage);
  const following =
    at >= 0 ? stages[at + 1] : stages.find((policy) => STAGES.indexOf(policy.stage) > STAGES.indexOf(stage));
  return following ?? null;
}

/** Where a case goes on whose stage its policy has no more: the next that it has, else the last; null = it has none. */
export const stageLeft = (stages: readonly StagePolicy[], stage: Stage | null): StagePolicy | null =>
  stage === null ? (stages[0] ?? null) : (stageAfter(stages, stage) ?? stages.at(-1) ?? null);

/** Nothing to pay: such a case goes straight from approval to its licence. */
export const isFree = ({ fee }: Pick<LicensePolicy, 'fee'>): boolean =>
  BigInt(fee.statutoryMinor) + BigInt(fee.serviceMinor) === 0n;

// ---- decisions ------------------------------------------------------------------------------------------------------

export const DECISIONS = ['approve', 'reject', 'request_correction', 'intend_to_reject'] as const;
export type Decision = (typeof DECISIONS)[number];

export interface Reason {
  readonly code: string;
  readonly pointer?: string;
  readonly text?: string;
}

/** Somebody who acts, as the token or the office's records name them. */
export interface Actor {
  readonly userId: UserId;
  readonly roles: readonly Role[];
}

/** Why a supervisor ends a case that is no case. */
export const CANCEL_CODES = ['duplicate', 'fraud', 'other'] as const;
export type CancelCode = (typeof CANCEL_CODES)[number];

export interface DecisionRequest {
  readonly by: Actor;
  readonly decision: Decision;
  readonly reasons: readonly Reason[];
  readonly note?: string;
  /** What the reviewer looked at; absent = whatever is current. */
  readonly submissionHash?: Sha256;
  /** The stage the reviewer meant; absent = the current one. */
  readonly stage?: Stage;
  /** Whether the reviewer acts for the company that applies, by the records of the moment. */
  readonly ownCase?: boolean;
}

export interface DecisionMade {
  readonly stage: Stage;
  readonly round: number;
  readonly decision: Decision;
  readonly by: UserId;
  /** ISO 8601. */
  readonly at: string;
  /** Of a quorum, from 1; absent = the only one. */
  readonly seat?: number;
  /** By a supervisor in place of whoever holds the task. */
  readonly override?: boolean;
}

export interface Refusal {
  readonly code: FailureCode;
  readonly message: string;
  readonly facts: FailureFacts;
}

const refusal = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({ code, message, facts });

/** What waits for its payment is not the office's to end, and its owner's only where it renews a licence. */
const isApproved = (state: ApplicationState): boolean => state === 'pending_payment';

/** Withdrawal is the applicant's until the office has decided. */
export function refuseWithdrawal(state: ApplicationState): Refusal | null {
  if (isClosed(state))
    return refusal('already_closed', `The case is ${state} already; there is nothing to withdraw.`, { state });
  if (!isApproved(state) && canMove(state, 'withdrawn')) return null;
  return refusal('already_decided', 'The office has approved the case; an invoice that is not paid lapses by itself.', {
    state,
  });
}

/** A case that is none (a duplicate, fraud) is ended by a supervisor, until the office has approved it. */
export function refuseCancellation(state: ApplicationState): Refusal | null {
  if (isClosed(state))
    return refusal('already_closed', `The case is ${state} already; there is nothing to cancel.`, { state });
  if (!isApproved(state) && canMove(state, 'cancelled')) return null;
  return refusal('already_decided', 'The office has approved the case; what is issued can be suspended or revoked.', {
    state,
  });
}

/** The applicant's answer to an announced rejection. */
export function refuseResponse(state: ApplicationState): Refusal | null {
  if (state === 'intent_to_reject') return null;
  return refusal('not_awaiting_response', `The case is ${state}; no rejection is announced that could be answered.`, {
    state,
  });
}

export function refuseResubmission(state: ApplicationState): Refusal | null {
  if (state === 'correction_requested') return null;
  return refusal(
    'not_awaiting_correction',
    `The case is ${state}; it can be resubmitted only after a correction was requested.`,
    { state },
  );
}

/** Required documents of the checklist that are missing. */
export const missingDocuments = (checklist: readonly ChecklistItem[], kinds: ReadonlySet<string>): string[] =>
  checklist.filter((item) => item.required && !kinds.has(item.kind)).map((item) => item.kind);
