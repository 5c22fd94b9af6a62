/**
 * Everything that can be said to a running process, and nothing of how it answers. The API imports this file and ids.ts
 * of the workflows, no more. Payloads carry IDs and codes, never names, numbers or addresses of people.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Collection } from '../activities/payments.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { ApplicationId, CompanyId, InvoiceId, PaymentId, RefundId, UserId } from '../domain/ids.ts';
import type {
  Actor,
  ApplicationState,
  DecisionMade,
  DecisionRequest,
  LicensePolicy,
  Stage,
} from '../domain/licensing.ts';
import type { GatewayName } from '../domain/payments.ts';

/** Where a message came from, for the event that it leads to. Absent from Temporal's own tools. */
export interface Sent {
  readonly origin?: SealedOrigin;
}

// ---- license-review/<applicationId> ---------------------------------------------------------------------------------

export interface LicenseReviewInput extends Sent {
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly applicant: UserId;
  readonly typeCode: string;
  /** The snapshot that this case keeps to the end. */
  readonly policy: LicensePolicy;
  /** When the applicant sent it, by the API's clock; ISO 8601. */
  readonly submittedAt: string;
}

export interface ReviewOutcome {
  readonly state: ApplicationState;
}

/** What a decision did, once it is recorded. */
export interface DecisionRecorded extends DecisionMade {
  /** The state that the case went on to. */
  readonly state: ApplicationState;
}

// Updates, not signals: whoever decides, withdraws or resubmits must learn at once whether it counted.
export const decideUpdate = defineUpdate<DecisionRecorded, [DecisionRequest & Sent]>('decide');
export const withdrawUpdate = defineUpdate<{ state: ApplicationState }, [{ by: Actor; reason: string } & Sent]>(
  'withdraw',
);
export const resubmitUpdate = defineUpdate<{ state: ApplicationState; round: number }, [{ by: Actor } & Sent]>(
  'resubmit',
);
/** Hands the open task to a person; `to` = the caller for a claim. */
export const reassignUpdate = defineUpdate<{ assignee: UserId }, [{ by: Actor; to: UserId; reason: string } & Sent]>(
  'reassign',
);

/** The same decision from tools that speak only Temporal (its UI and CLI); `by` is a user ID or e-mail address. */
export interface SignalledDecision {
  readonly by: string;
  readonly note?: string;
}
export const approveSignal = defineSignal<[SignalledDecision]>('approve');
export const rejectSignal = defineSignal<[SignalledDecision]>('reject');

export interface ReviewProgress {
  readonly state: ApplicationState;
  readonly stage: Stage | null;
  readonly round: number;
  readonly assignee: UserId | null;
  readonly dueAt: string | null;
  readonly nextRung: { readonly code: string; readonly at: string } | null;
  readonly decisions: readonly DecisionMade[];
}
export const progressQuery = defineQuery<ReviewProgress>('progress');

// ---- payment/<invoiceId> --------------------------------------------------------------------------------------------

export interface PayRequest extends Sent {
  readonly by: UserId;
  readonly gateway: GatewayName;
  readonly method?: string;
  readonly locale: 'id' | 'en';
}

export interface OpenPayment {
  readonly paymentId: PaymentId;
  readonly redirectUrl: string;
  readonly expiresAt: string;
  readonly instructions?: Readonly<Record<string, string>>;
}

export const payUpdate = defineUpdate<OpenPayment, [PayRequest]>('pay');

/** A hint that the gateway has news of this reference; the workflow asks the gateway before it believes anything. */
export interface GatewayNotice {
  readonly gateway: GatewayName;
  readonly reference: string;
  /** Row of the payment inbox: its number orders and deduplicates notices. */
  readonly inboxId: string;
}
export const gatewayNoticeSignal = defineSignal<[GatewayNotice]>('gatewayNotice');

/** The record has changed elsewhere (a case was resolved): read it again, and tell whoever waits for the money. */
export const lookAgainSignal = defineSignal('lookAgain');

export interface PaymentInput {
  readonly invoiceId: InvoiceId;
  /** What the process that issued the invoice knows of it; absent when a late notice wakes a finished collection. */
  readonly known?: Collection;
  /** When the payer is reminded while the invoice is open; ISO 8601, in order. */
  readonly remindAt?: readonly string[];
}

// ---- refund/<refundId> ----------------------------------------------------------------------------------------------

export interface RefundInput {
  readonly refundId: RefundId;
}

/** A hint that the gateway has news of a refund; the process asks the gateway before it believes anything. */
export const refundNoticeSignal = defineSignal<[{ readonly inboxId: string | null }]>('refundNotice');

/** From payment/<invoiceId> to the process that waits for the money. */
export const invoiceClosedSignal =
  defineSignal<[{ invoiceId: InvoiceId; outcome: 'paid' | 'lapsed' }]>('invoiceClosed');
