/** An attempt to collect an invoice, as the process that collects it and the activities that do speak of it. */
import type { Payment } from '../db/payments.ts';
import type { Declined } from '../domain/cards.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { InvoiceId, PaymentId, PaymentMethodId, RefundId, UserId } from '../domain/ids.ts';
import type { MailMoney } from '../domain/mail.ts';
import type { GatewayName, InvoiceState, Part, PaymentCaseKind, PaymentState } from '../domain/payments.ts';

export interface OpenAttempt {
  readonly invoiceId: InvoiceId;
  readonly attempt: number;
  readonly reference: string;
  readonly gateway: GatewayName;
  readonly method: string | null;
  /** Which part of the invoice it is for; absent = the next instalment, or all where there are none. */
  readonly part?: Part;
  readonly by: UserId;
  readonly locale: 'id' | 'en';
  readonly at: string;
  readonly expiresAt: string;
  readonly origin?: SealedOrigin;
}

/** One attempt as the workflow keeps it: no amounts, no names. */
export interface Attempt {
  readonly paymentId: PaymentId;
  readonly attempt: number;
  readonly reference: string;
  readonly gateway: GatewayName;
  readonly method: string | null;
  /** Which instalment it was opened for; null = all that was left. */
  readonly instalment?: number | null;
  readonly state: PaymentState;
  readonly redirectUrl: string | null;
  readonly instructions: Readonly<Record<string, string>> | null;
  /** It charges a card on file: there is no page, and nobody can let go of it before its outcome is known. */
  readonly isCharge?: boolean;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export type AttemptOpened =
  | { readonly outcome: 'open'; readonly attempt: Attempt }
  | { readonly outcome: 'refused'; readonly code: FailureCode; readonly sentence: string };

export interface Confirmed {
  readonly attempt: Attempt;
  readonly invoiceState: InvoiceState;
  readonly isPartPaid?: boolean;
  /** Its money has just paid the invoice or a part of it: there is something to acknowledge. */
  readonly isReceived?: boolean;
  /** The references of other open attempts, whose pages ask for what this money has paid. Histories from before hold none. */
  readonly outdated?: readonly string[];
  /** A refund that the invoice's policy has asked for. */
  readonly refundId?: RefundId | null;
  /** Set when the money did not simply pay the invoice and finance must look at it. */
  readonly caseKind: PaymentCaseKind | null;
  readonly paid: MailMoney | null;
  /** Why a card on file brought nothing. */
  readonly declined?: Declined | null;
}

export interface ChargeOnFile {
  readonly invoiceId: InvoiceId;
  readonly attempt: number;
  readonly reference: string;
  readonly paymentMethodId: PaymentMethodId;
  readonly at: string;
  readonly expiresAt: string;
}

/** `said`: what the gateway says of the charge. `declined` without it: the card was not charged at all. */
export interface Charged {
  readonly said: Confirmed | null;
  readonly declined: Declined | null;
}

export interface AskGateway {
  readonly invoiceId: InvoiceId;
  readonly reference: string;
  readonly at: string;
  /** Notices up to this row of the inbox are answered by this look-up. */
  readonly noticesUpTo: string | null;
  /** Ask the gateway to take no more money before looking. */
  readonly expireFirst: boolean;
  /** Count on it no more, also where the gateway cannot end it (a page on which nobody has chosen a channel). */
  readonly letGo?: boolean;
}

export const toAttempt = (payment: Payment): Attempt => ({
  paymentId: payment.id,
  attempt: payment.attempt,
  reference: payment.reference,
  gateway: payment.gateway,
  method: payment.method,
  instalment: payment.instalment,
  state: payment.state,
  redirectUrl: payment.redirectUrl,
  instructions: payment.instructions,
  ...(payment.paymentMethodId ? { isCharge: true } : {}),
  createdAt: payment.createdAt.toISOString(),
  expiresAt: payment.expiresAt.toISOString(),
});
