/** What every payment gateway can do for Alur, and the ways in which it can fail to. One adapter a gateway. */
import type { Money } from '../../domain/money.ts';
import type { GatewayName, GatewayPayment } from '../../domain/payments.ts';

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
