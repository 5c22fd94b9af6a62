/** What every payment gateway can do for Alur, and the ways in which it can fail to. One adapter a gateway. */
import type { CardFace } from '../../domain/cards.ts';
import type { CompanyId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { GatewayName, GatewayPayment, GatewayPaymentState } from '../../domain/payments.ts';
import type { RefundReason } from '../../domain/refunds.ts';

export interface PaymentItem {
  readonly name: string;
  readonly amount: Money;
  readonly quantity: number;
}

export interface CreatePaymentRequest {
  /** `payments.gatewayReference`: ours, deterministic, at most 50 of `A-Z a-z 0-9 - _ ~ .`; never used for another attempt. */
  readonly reference: string;
  readonly amount: Money;
  /** ISO 8601; after it the gateway takes no money. */
  readonly expiresAt: string;
  /** ISO 8601; the caller's clock, from which `expiresAt` is counted. */
  readonly now: string;
  /** Must add up to `amount`. */
  readonly items: readonly PaymentItem[];
  readonly payer: { readonly name: string; readonly email: string };
  readonly locale: 'id' | 'en';
  /** Where the payer's browser goes afterwards. It proves nothing: only the gateway's own word counts as paid. */
  readonly finishUrl: string;
  /** `bca_va`, `qris`, `gopay`, `credit_card` …; absent = the payer chooses on the gateway's page. */
  readonly method?: string;
}

export interface CreatedPayment {
  readonly redirectUrl: string;
  /** ISO 8601, as the gateway understood it: it may round down to whole minutes. */
  readonly expiresAt: string;
  /** For channels that are paid without a page: the number or code to pay to. */
  readonly instructions?: { readonly kind: 'virtual_account' | 'qr'; readonly value: string };
}

export interface RefundRequest {
  /** Of the payment: `payments.gatewayReference`. */
  readonly reference: string;
  /** The gateway's own name of the payment, where a look-up has told it. */
  readonly transactionId: string | null;
  /** The refund's ID, a UUID: the same at every try, and what the gateway files the refund under where it can. */
  readonly key: string;
  readonly amount: Money;
  /** What was captured: some channels give back all or nothing. */
  readonly captured: Money;
  readonly method: string | null;
  readonly reason: RefundReason;
}

/** Which refund is asked about; `refundId` is the gateway's own name of it, null while its answer is missing. */
export type RefundQuery = Pick<RefundRequest, 'reference' | 'transactionId' | 'key' | 'amount'> & {
  readonly refundId: string | null;
};

/**
 * What a gateway says of a refund. `not_found`: it has none of this key, so it may be asked again with the same key.
 * `failed` is final for this refund; `reason` is a code of ours or the gateway's, in snake_case, never free text.
 */
export interface GatewayRefund {
  readonly state: 'not_found' | 'pending' | 'succeeded' | 'failed';
  readonly refundId: string | null;
  /** What it gives back; null while it does not say. */
  readonly amount: Money | null;
  readonly reason: string | null;
}

export const NO_REFUND: GatewayRefund = { state: 'not_found', refundId: null, amount: null, reason: null };

/** A payment as a gateway lists it. */
export interface ListedPayment {
  /** Ours, where the gateway repeats it; null for a payment that Alur did not ask for. */
  readonly reference: string | null;
  readonly transactionId: string;
  readonly state: GatewayPaymentState;
  readonly paid: Money | null;
  /** Σ of what went back; same currency as `paid`. */
  readonly refundedMinor: bigint;
  readonly paidAt: string | null;
}

export interface PaymentPage {
  readonly payments: readonly ListedPayment[];
  /** For the next page; null = that was the last. */
  readonly next: string | null;
}

/** Money that came in at `from` or later and before `to`; ISO 8601. */
export interface Window {
  readonly from: string;
  readonly to: string;
}

/** A page on which a company gives a card; `id` is ours, a UUID: a repeat with the same opens the same page. */
export interface CardSetupRequest {
  readonly id: string;
  readonly companyId: CompanyId;
  /** Whom the gateway files the company's cards under; null = the first one. */
  readonly customer: string | null;
  readonly locale: 'id' | 'en';
  readonly finishUrl: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export interface OpenedCardSetup {
  readonly customer: string;
  readonly session: string;
  readonly url: string;
  readonly expiresAt: string;
}

export interface CardSetup {
  readonly state: 'open' | 'complete' | 'expired';
  /** Once it is complete. `method` is the gateway's name of the card. */
  readonly card: (CardFace & { readonly method: string }) | null;
}

export interface CardCharge {
  /** As of any other payment; the same at every try of one charge. */
  readonly reference: string;
  readonly amount: Money;
  readonly customer: string;
  /** The gateway's name of the card. */
  readonly card: string;
}

export interface CardQuery extends Pick<CardCharge, 'reference' | 'customer'> {
  readonly transactionId: string | null;
}

/** Cards that a gateway keeps for a company, to be charged while nobody is there. */
export interface CardsOnFile {
  /** @throws GatewayError */
  openSetup(request: CardSetupRequest): Promise<OpenedCardSetup>;
  /** @throws GatewayError, never of kind `unknown` */
  lookUpSetup(session: string): Promise<CardSetup>;
  /**
   * A decline is an answer: `failed`, with the bank's code. Repeating it with the **same reference** never charges twice: it
   * gives the first answer again, or charges if the first call never arrived.
   * @throws GatewayError
   */
  charge(request: CardCharge): Promise<GatewayPayment>;
  /** @throws GatewayError, never of kind `unknown` */
  lookUpCharge(query: CardQuery): Promise<GatewayPayment>;
  /** Nobody can charge it any more; one that is gone already is no error. @throws GatewayError */
  detach(card: string): Promise<void>;
}

export interface PaymentGateway {
  readonly name: GatewayName;
  /**
   * Opens an attempt. Repeating it with the **same** reference is safe and never opens a second one: it gives the first
   * answer again, or GatewayError `refused` with code `reference_used`, or works if the first call never arrived.
   * A gateway that can neither recognise a repeat nor be asked (Billplz) is asked once: after that a repeat is `unknown`
   * with code `answer_lost`, for a person to clear up.
   * @throws GatewayError
   */
  create(request: CreatePaymentRequest): Promise<CreatedPayment>;
  /** What the gateway says now. `not_found` is no news, not a failure. @throws GatewayError, never of kind `unknown` */
  lookUp(reference: string): Promise<GatewayPayment>;
  /** Asks the gateway to take no more money, then looks up what is so: it may have been paid meanwhile. @throws GatewayError */
  expire(reference: string): Promise<GatewayPayment>;
  /**
   * Asks for money to go back. Repeating it with the **same key** never gives back twice: it gives the first answer again,
   * or what became of it. What a channel cannot do at all is `refused` with code `channel_cannot_refund` (also "not in part").
   * null = this gateway gives nothing back by itself (Billplz): money goes back by bank transfer.
   * @throws GatewayError
   */
  readonly refund: ((request: RefundRequest) => Promise<GatewayRefund>) | null;
  /** What became of a refund. @throws GatewayError, never of kind `unknown` */
  readonly lookUpRefund: ((query: RefundQuery) => Promise<GatewayRefund>) | null;
  /**
   * Every payment that brought money in within the window, page by page, in an order that later arrivals do not disturb.
   * null = this gateway lists nothing (Midtrans, Billplz): its payments are asked about one by one.
   * @param cursor null for the first page @throws GatewayError, never of kind `unknown`
   */
  readonly list: ((window: Window, cursor: string | null) => Promise<PaymentPage>) | null;
  /** Absent = this gateway keeps no cards. */
  readonly cards?: CardsOnFile;
}

/**
 * - `refused`: the gateway said no for good, nothing was done; the same request will be refused again.
 * - `retry_later`: nothing was done (not reached, or told to wait); the same request may work later.
 * - `unknown`: it was sent and the answer was lost or made no sense; it may have been done. Look it up.
 */
export type GatewayErrorKind = 'refused' | 'retry_later' | 'unknown';

/** Stable reasons, for callers that must tell one refusal from another. */
export type GatewayErrorCode =
  | 'reference_used'
  | 'invalid_request'
  | 'unauthorized'
  | 'unreachable'
  | 'rate_limited'
  | 'timed_out'
  | 'connection_lost'
  | 'in_progress'
  | 'answer_lost'
  | 'channel_cannot_refund'
  | 'refund_exceeds_payment'
  | 'not_refundable_now'
  | 'gateway_failed'
  | 'unreadable_answer';

export class GatewayError extends Error {
  override name = 'GatewayError';
  readonly kind: GatewayErrorKind;
  readonly code: GatewayErrorCode;
  /** Seconds the gateway asked to wait, null when it did not say. */
  readonly retryAfterSeconds: number | null;

  /** `sentence` is read by people and stored in histories: no keys, no personal data, no bodies. */
  constructor(
    kind: GatewayErrorKind,
    code: GatewayErrorCode,
    sentence: string,
    options: { retryAfterSeconds?: number | null; cause?: unknown } = {},
  ) {
    super(sentence, { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}
