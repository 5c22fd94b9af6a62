/**
 * Everything that can be said to a running process, and nothing of how it answers. The API imports this file and ids.ts
 * of the workflows, no more. Payloads carry IDs and codes, never names, numbers or addresses of people.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Collection } from '../activities/payments.ts';
import type { CardSetupState } from '../domain/cards.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { ReplacementLine } from '../domain/fees.ts';
import type {
  AbsenceId,
  ApplicationId,
  CompanyId,
  InvoiceId,
  LicenseId,
  OrderId,
  PaymentId,
  PaymentMethodId,
  PolicyId,
  RefundId,
  ReturnId,
  ShopMessageId,
  Sku,
  SubscriptionId,
  TaskMoveId,
  UserId,
} from '../domain/ids.ts';
import type {
  Actor,
  ApplicationState,
  CancelCode,
  DecisionMade,
  DecisionRequest,
  LicensePolicy,
  Reason,
  Stage,
} from '../domain/licensing.ts';
import type { OnboardingPolicy, OnboardingState, OwnerStep } from '../domain/onboarding.ts';
import type { OrderMessageKind, OrderState } from '../domain/orders.ts';
import type { GatewayName, InvoiceState } from '../domain/payments.ts';
import type { RefundChannel, RefundDecision, RefundState, TransferProblem } from '../domain/refunds.ts';
import type { ReturnMessageKind, ReturnState } from '../domain/returns.ts';
import type { SeatWaiting } from '../domain/review-rules.ts';
import type { Plan, SubscriptionState } from '../domain/subscriptions.ts';

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
  /** A case that was over and is taken up again: another run under the same ID. */
  readonly again?: TakenUpAgain;
}

export interface TakenUpAgain {
  /** `reopened`: it lapsed unanswered, the applicant has it again. `appeal`: it was rejected, others review it once more. */
  readonly kind: 'reopened' | 'appeal';
  /** The last round of the run before. */
  readonly round: number;
  /** Where a reopened case had been asked for the correction; null = by the automatic check. */
  readonly stage: Stage | null;
  /** Row of applicant_statements. */
  readonly statementId: string;
  /** Of a case that lapsed after an appeal: the last round of the review that was appealed against. */
  readonly appealedRound?: number;
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
/**
 * Hands an open task to a person: `to` = the caller for a claim, null = whoever the rules of assignment choose. `from` says
 * whose seat is meant where a stage has several; absent = the caller's, or the only one.
 */
export interface ReassignRequest extends Sent {
  readonly by: Actor;
  readonly to: UserId | null;
  readonly from?: UserId;
  readonly reason: string;
  /** Absent in histories of before: a supervisor's word, or a claim. */
  readonly kind?: 'claim' | 'reassign' | 'delegate' | 'conflict' | 'absence' | 'bulk';
}
/** null = nobody was free: the supervisor's queue. */
export const reassignUpdate = defineUpdate<{ assignee: UserId | null }, [ReassignRequest]>('reassign');

/** A seat that nobody was free for; somebody is by now. `assignee` null = nobody after all: it stays in the supervisor's queue. */
export const offerSeatUpdate = defineUpdate<{ assignee: UserId | null }, [SeatWaiting]>('offerSeat');

/** The applicant's answer to an announced rejection; what they said is on record. */
export const respondUpdate = defineUpdate<
  { state: ApplicationState },
  [{ readonly by: Actor; readonly statementId: string } & Sent]
>('respond');

export interface CancelRequest extends Sent {
  readonly by: Actor;
  readonly code: CancelCode;
  readonly reason: string;
}
export const cancelUpdate = defineUpdate<{ state: ApplicationState }, [CancelRequest]>('cancel');

/** A supervisor decides the open stage in place of whoever holds it. */
export interface OverrideRequest extends Sent {
  readonly by: Actor;
  readonly decision: 'approve' | 'reject' | 'request_correction';
  readonly reasons: readonly Reason[];
  readonly reason: string;
  readonly ownCase?: boolean;
}
export const overrideUpdate = defineUpdate<DecisionRecorded, [OverrideRequest]>('override');

/** From now on the case is judged by another policy: stages that are decided stay decided, what is open is planned anew. */
export interface MovePolicyRequest extends Sent {
  readonly by: Actor;
  readonly policy: LicensePolicy;
  readonly reason: string;
}
export const movePolicyUpdate = defineUpdate<{ state: ApplicationState }, [MovePolicyRequest]>('movePolicy');

/** The record of the open tasks was planned anew (the calendar changed): read it again. Twice does no harm. */
export const replannedSignal = defineSignal<[{ readonly calendarVersion: number }]>('replanned');
/** A document of the case was scanned; the record says with what result. */
export const documentScannedSignal = defineSignal<[{ readonly documentId: string }]>('documentScanned');

/** The same decision from tools that speak only Temporal (its UI and CLI); `by` is a user ID or e-mail address. */
export interface SignalledDecision {
  readonly by: string;
  readonly note?: string;
}
export const approveSignal = defineSignal<[SignalledDecision]>('approve');
export const rejectSignal = defineSignal<[SignalledDecision]>('reject');
/** The rest of what ops do from Temporal's own tools; each is the update of that name, refused by the same rules. */
export const overrideSignal =
  defineSignal<[SignalledDecision & { readonly decision: OverrideRequest['decision'] }]>('overrideAs');
export const reassignSignal = defineSignal<[SignalledDecision & { readonly to: string | null }]>('reassignTo');
export const cancelSignal = defineSignal<[SignalledDecision & { readonly code: CancelCode }]>('cancelAs');

export interface ReviewProgress {
  readonly state: ApplicationState;
  readonly stage: Stage | null;
  readonly round: number;
  readonly assignee: UserId | null;
  /** Of a quorum: who holds which seat, and what was voted. */
  readonly seats?: readonly { readonly seat: number; readonly assignee: UserId | null; readonly vote: string | null }[];
  readonly legalDueAt?: string | null;
  readonly dueAt: string | null;
  readonly nextRung: { readonly code: string; readonly at: string } | null;
  readonly decisions: readonly DecisionMade[];
}
export const progressQuery = defineQuery<ReviewProgress>('progress');

// ---- absence/<absenceId>, task-move/<moveId> ------------------------------------------------------------------------

export interface AbsenceInput {
  readonly absenceId: AbsenceId;
  /** When it begins; ISO 8601. */
  readonly from: string;
}

/** The record says that it was cancelled; whoever waits for its beginning need not. */
export const absenceCancelledSignal = defineSignal('absenceCancelled');

export interface TaskMoveInput {
  readonly moveId: TaskMoveId;
}

// ---- policy-move/<moveId> -------------------------------------------------------------------------------------------

export interface PolicyMoveInput {
  readonly moveId: string;
  readonly typeCode: string;
  /** The version that cases are moved to; each with its own row of the risk table. */
  readonly policyId: PolicyId;
  readonly by: Actor;
  readonly reason: string;
}

// ---- onboarding/<companyId> -----------------------------------------------------------------------------------------

export interface OnboardingInput extends Sent {
  readonly companyId: CompanyId;
  readonly owner: UserId;
  /** ISO 8601. */
  readonly startedAt: string;
  /** 1 first; each reopening is another run under the same ID. */
  readonly run: number;
  /** The snapshot that this run keeps to the end. */
  readonly policy: OnboardingPolicy;
}

/** What the update answers with: the record after it. */
export interface OnboardingAnswer {
  readonly state: OnboardingState;
  readonly percent: number;
}

/** What was entered is on record (`company`, `company_numbers`, …) before the process hears of it; payloads carry none of it. */
export interface StepDone extends Sent {
  readonly step: OwnerStep;
  readonly by: UserId;
}
export const completeStepUpdate = defineUpdate<OnboardingAnswer, [StepDone]>('completeStep');
export const cancelOnboardingUpdate = defineUpdate<OnboardingAnswer, [{ readonly by: UserId } & Sent]>(
  'cancelOnboarding',
);
export interface ReviewOnboarding extends Sent {
  readonly by: Actor;
  readonly decision: 'approve' | 'ask_again';
  /** The first step that has to be done again; absent with `approve`. */
  readonly step?: OwnerStep;
  readonly reason: string;
}
export const reviewOnboardingUpdate = defineUpdate<OnboardingAnswer, [ReviewOnboarding]>('reviewOnboarding');

// ---- subscription/<subscriptionId> ----------------------------------------------------------------------------------

export interface SubscriptionInput extends Sent {
  readonly subscriptionId: SubscriptionId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  /** The snapshot that it keeps until it is changed. */
  readonly plan: Plan;
  /** IANA name; months are counted in it. */
  readonly zone: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface SubscriptionAnswer {
  readonly state: SubscriptionState;
  /** ISO 8601. */
  readonly periodEnd: string;
  /** Of an upgrade, which counts from its payment on. */
  readonly invoiceId: InvoiceId | null;
}

export const cancelSubscriptionUpdate = defineUpdate<
  SubscriptionAnswer,
  [{ readonly by: UserId; readonly at: 'now' | 'period_end' } & Sent]
>('cancelSubscription');
export const pauseSubscriptionUpdate = defineUpdate<SubscriptionAnswer, [{ readonly by: UserId } & Sent]>(
  'pauseSubscription',
);
/** Ends a pause, or takes back a cancellation at the period's end. */
export const resumeSubscriptionUpdate = defineUpdate<SubscriptionAnswer, [{ readonly by: UserId } & Sent]>(
  'resumeSubscription',
);
export const changePlanUpdate = defineUpdate<SubscriptionAnswer, [{ readonly by: UserId; readonly plan: Plan } & Sent]>(
  'changePlan',
);
export const extendSubscriptionUpdate = defineUpdate<
  SubscriptionAnswer,
  [{ readonly by: UserId; readonly days: number; readonly reason: string } & Sent]
>('extendSubscription');
/** null = no card: a payment link each time. */
export const changeMethodUpdate = defineUpdate<
  SubscriptionAnswer,
  [{ readonly by: UserId; readonly paymentMethodId: PaymentMethodId | null } & Sent]
>('changeMethod');

// ---- order/<orderId> ------------------------------------------------------------------------------------------------

export interface OrderInput {
  readonly orderId: OrderId;
}

export interface OrderAnswer {
  readonly state: OrderState;
}

/** What was said is on record (`shop_messages`) before the process hears of it: a history holds IDs. */
export interface ShopMessage extends Sent {
  readonly messageId: ShopMessageId;
  readonly by: UserId;
}

export const cancelOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('cancelOrder');
export const holdOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('holdOrder');
export const releaseOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('releaseOrder');
export const editOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('editOrder');
export const packOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('packOrder');
export const shipOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('shipOrder');
export const takeBackParcelUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('takeBackParcel');
export const deliverOrderUpdate = defineUpdate<OrderAnswer, [ShopMessage]>('deliverOrder');

/** By which update the process hears of a message on record. */
export const ORDER_UPDATES = {
  cancel: cancelOrderUpdate,
  hold: holdOrderUpdate,
  release: releaseOrderUpdate,
  edit: editOrderUpdate,
  pack: packOrderUpdate,
  ship: shipOrderUpdate,
  deliver: deliverOrderUpdate,
  take_back: takeBackParcelUpdate,
} as const satisfies Record<OrderMessageKind, typeof cancelOrderUpdate>;

/** The record says something else by now (stock has come, a parcel has moved, units came back): read it again. */
export const orderChangedSignal = defineSignal('orderChanged');

// ---- rma/<returnId> -------------------------------------------------------------------------------------------------

export interface RmaInput {
  readonly returnId: ReturnId;
}

export interface RmaAnswer {
  readonly state: ReturnState;
}

export const approveReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('approve');
export const rejectReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('reject');
export const requestInfoUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('requestInfo');
export const provideInfoUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('provideInfo');
export const cancelReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('cancel');
export const receiveReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('receive');
export const inspectReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('inspect');
export const resolveReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('resolve');
export const acceptDeductionUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('acceptDeduction');
export const disputeUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('dispute');
export const decideDisputeUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('decideDispute');
/** Out of `manual_review`. */
export const continueReturnUpdate = defineUpdate<RmaAnswer, [ShopMessage]>('continue');

/** By which update the process hears of a message on record. */
export const RETURN_UPDATES = {
  approve: approveReturnUpdate,
  reject: rejectReturnUpdate,
  request_info: requestInfoUpdate,
  provide_info: provideInfoUpdate,
  cancel: cancelReturnUpdate,
  receive: receiveReturnUpdate,
  inspect: inspectReturnUpdate,
  resolve: resolveReturnUpdate,
  accept_deduction: acceptDeductionUpdate,
  dispute: disputeUpdate,
  decide_dispute: decideDisputeUpdate,
  continue: continueReturnUpdate,
} as const satisfies Record<ReturnMessageKind, typeof approveReturnUpdate>;

/** The record says something else by now (the carrier has news, the replacement has left): read it again. */
export const returnChangedSignal = defineSignal('returnChanged');

// ---- low-stock/<sku>, cart/<companyId> ------------------------------------------------------------------------------

export interface LowStockInput {
  readonly sku: Sku;
}
/** The alert was acknowledged, snoozed or cleared: read it again. */
export const alertChangedSignal = defineSignal('alertChanged');

export interface CartInput {
  readonly companyId: CompanyId;
}
/** Something was put into it or taken out, or it was ordered. */
export const cartChangedSignal = defineSignal('cartChanged');

// ---- licence/<licenseId> --------------------------------------------------------------------------------------------

export interface LicenseFollowingInput {
  readonly licenseId: LicenseId;
}
/** The record says something else by now (suspended, revoked, renewed, superseded): read it again. Twice does no harm. */
export const licenseChangedSignal = defineSignal('licenseChanged');

// ---- payment/<invoiceId> --------------------------------------------------------------------------------------------

export interface PayRequest extends Sent {
  readonly by: UserId;
  readonly gateway: GatewayName;
  readonly method?: string;
  readonly part?: 'next' | 'all';
  readonly locale: 'id' | 'en';
}

export interface OpenPayment {
  readonly paymentId: PaymentId;
  /** Of the page, which may be one that was opened before and cannot be ended. */
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly redirectUrl: string;
  readonly expiresAt: string;
  readonly instructions?: Readonly<Record<string, string>>;
}

export const payUpdate = defineUpdate<OpenPayment, [PayRequest]>('pay');

/** Pays what the company's credit can; refused with `no_store_credit` when it has none. `appliedMinor` as digits. */
export const payWithCreditUpdate = defineUpdate<
  { readonly appliedMinor: string; readonly invoiceState: InvoiceState },
  [{ readonly by: UserId } & Sent]
>('payWithCredit');

export interface VoidRequest extends Sent {
  readonly by: UserId;
  readonly reason: string;
  /** Issue another invoice in its place. */
  readonly replace: boolean;
  /** What the other one charges; absent = the same. */
  readonly lines?: readonly ReplacementLine[];
}

export interface VoidedInvoice {
  readonly state: InvoiceState;
  readonly replacement: { readonly invoiceId: InvoiceId; readonly dueAt: string } | null;
}

/** Refused once anything was paid of it. */
export const voidUpdate = defineUpdate<VoidedInvoice, [VoidRequest]>('void');

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

/**
 * Charges a card on file for what is left of the invoice. Each `try` is charged once, whatever is repeated; the answer is
 * `invoiceClosed` or `cardDeclined` to `subscription/<id>`, at once or as soon as the gateway can be asked.
 */
export interface ChargeCard {
  readonly paymentMethodId: PaymentMethodId;
  /** 1 first. */
  readonly try: number;
}
export const chargeCardSignal = defineSignal<[ChargeCard]>('chargeCard');

export interface PaymentInput {
  readonly invoiceId: InvoiceId;
  /** What the process that issued the invoice knows of it; absent when a late notice wakes a finished collection. */
  readonly known?: Collection;
  /** Of a subscription's invoice: `subscription/<id>` is told how it ends. Such an invoice never lapses by itself. */
  readonly subscriptionId?: SubscriptionId;
  /** Of an order's invoice: `order/<id>` is told how it ends. */
  readonly orderId?: OrderId;
  /** When the payer is reminded while the invoice is open; ISO 8601, in order. */
  readonly remindAt?: readonly string[];
}

// ---- card/<cardId>, card/<cardId>/forget ----------------------------------------------------------------------------

export interface CardInput {
  readonly cardId: PaymentMethodId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly locale: 'id' | 'en';
  /** ISO 8601, both. */
  readonly startedAt: string;
  readonly expiresAt: string;
}

/** Where a card is given to the gateway. */
export interface CardPage {
  readonly setupUrl: string;
  readonly expiresAt: string;
}
export const cardPageUpdate = defineUpdate<CardPage>('cardPage');
/** Asks the gateway now whether a card was given. */
export const lookForCardUpdate = defineUpdate<{ readonly state: CardSetupState }>('lookForCard');

export interface ForgetCardInput {
  readonly cardId: PaymentMethodId;
}

// ---- refund/<refundId> ----------------------------------------------------------------------------------------------

export interface RefundInput {
  readonly refundId: RefundId;
}

/** What became of it when the process had recorded what it was told. */
export interface RefundAnswer {
  readonly state: RefundState;
  readonly channel: RefundChannel | null;
}

export interface DecideRefund extends Sent {
  readonly decision: RefundDecision;
  readonly by: UserId;
  /** Whether they act for the company that gets the money. */
  readonly isPayer: boolean;
  readonly note?: string | null;
}
// Updates, not signals: whoever decides must learn at once whether it counted, and who was first.
export const decideRefundUpdate = defineUpdate<RefundAnswer, [DecideRefund]>('decideRefund');

/** Where it shall go is on record; an account never comes this way. */
export const refundDestinationUpdate = defineUpdate<RefundAnswer, [{ readonly by: UserId } & Sent]>(
  'refundDestination',
);

export type TransferMessage = Sent & { readonly by: UserId; readonly isPayer: boolean } & (
    | {
        readonly outcome: 'transferred';
        readonly bankReference: string;
        readonly transferredAt: string;
        readonly nameChecked: boolean;
      }
    | { readonly outcome: 'failed'; readonly problem: TransferProblem }
  );
export const refundTransferUpdate = defineUpdate<RefundAnswer, [TransferMessage]>('refundTransfer');

/** A hint that the gateway has news of a refund; the process asks the gateway before it believes anything. */
export const refundNoticeSignal = defineSignal<[{ readonly inboxId: string | null }]>('refundNotice');

/** From refund/<refundId> to the order or the return that waits for it: it has arrived, or it has not. */
export const refundClosedSignal =
  defineSignal<[{ readonly refundId: RefundId; readonly state: RefundState }]>('refundClosed');

/**
 * How it ended with an invoice. `replaced`: it was voided, and `invoiceId` is the one that counts now. `cancelled`: closed
 * together with the application, whose licence to renew was revoked; said by `licence/<licenseId>`.
 */
export interface InvoiceClosed {
  readonly invoiceId: InvoiceId;
  readonly outcome: 'paid' | 'lapsed' | 'void' | 'replaced' | 'cancelled';
}

/** From payment/<invoiceId> to the process that waits for the money. */
export const invoiceClosedSignal = defineSignal<[InvoiceClosed]>('invoiceClosed');

/** A charge of a card on file that brought no money. */
export interface CardDeclined {
  readonly invoiceId: InvoiceId;
  /** As in domain/cards.ts: of the card's bank, or why the card was not charged at all. */
  readonly code: string;
  /** Whether another try later may succeed. Otherwise the payer needs another card, or a link. */
  readonly mayChange: boolean;
  /** Which `chargeCard` it answers. */
  readonly try: number;
}
/** From payment/<invoiceId> to `subscription/<id>`. */
export const cardDeclinedSignal = defineSignal<[CardDeclined]>('cardDeclined');
