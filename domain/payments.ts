/**
 * What a payment attempt is to Alur, whatever the gateway calls it.
 * Rules from gateways.md's invariants: an unclear answer is `unknown` and is asked about, never tried again;
 * a late `pending` or `expired` never undoes `paid`.
 */
import { type Currency, type Money, sameMoney } from './money.ts';

export const GATEWAYS = ['midtrans', 'xendit', 'stripe', 'billplz'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/** In what each gateway takes money: Midtrans and Xendit rupiah, Billplz ringgit, Stripe both. */
export const GATEWAY_CURRENCIES: Record<GatewayName, readonly Currency[]> = {
  midtrans: ['IDR'],
  xendit: ['IDR'],
  stripe: ['IDR', 'MYR'],
  billplz: ['MYR'],
};

/** States of one attempt to collect an invoice. `created` = the intent is stored, the gateway was not asked yet. */
export const PAYMENT_STATES = ['created', 'unknown', 'pending', 'paid', 'failed', 'expired', 'reversed'] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** An attempt that may still bring money in by itself; at most one an invoice. */
export const OPEN_PAYMENT_STATES = ['created', 'unknown', 'pending'] as const satisfies readonly PaymentState[];

export const paymentTransitions: Record<PaymentState, readonly PaymentState[]> = {
  created: ['unknown', 'pending', 'paid', 'failed', 'expired', 'reversed'],
  unknown: ['pending', 'paid', 'failed', 'expired', 'reversed'],
  pending: ['paid', 'failed', 'expired', 'reversed'],
  // Gateways settle late: money that arrives after an expiry or a failure is still money.
  failed: ['paid'],
  expired: ['paid'],
  paid: ['reversed'],
  reversed: ['paid'],
};

/** What a gateway says of a payment when asked; each adapter translates its own words into these. */
export type GatewayPaymentState = 'not_found' | 'pending' | 'paid' | 'failed' | 'expired' | 'reversed' | 'refunded';

export interface GatewayPayment {
  readonly state: GatewayPaymentState;
  /** What the gateway took, null while it has taken nothing. */
  readonly paid: Money | null;
  readonly paidAt: string | null;
  /** The gateway's own name of the transaction, for people who look it up in its dashboard. */
  readonly transactionId: string | null;
  readonly method: string | null;
}

/** Where a gateway's answer moves an attempt; null = it stays where it is. */
export function nextPaymentState(current: PaymentState, said: GatewayPaymentState): PaymentState | null {
  const wanted = cameAndWent(current, said) || takenBack(current, said) ? 'reversed' : WANTED[said];
  if (wanted === null || wanted === current) return null;
  return paymentTransitions[current].includes(wanted) ? wanted : null;
}

// Money that came and went while nobody asked still leaves its trace; a refund of a payment we know as paid is ours.
const cameAndWent = (current: PaymentState, said: GatewayPaymentState): boolean =>
  said === 'refunded' && current !== 'paid' && current !== 'reversed';

// A denial after settlement: some virtual-account channels take the money back within minutes and call it a failure.
const takenBack = (current: PaymentState, said: GatewayPaymentState): boolean =>
  current === 'paid' && said === 'failed';

const WANTED: Record<GatewayPaymentState, PaymentState | null> = {
  // Snap knows nothing of an order until the payer has chosen a channel: no news, not a failure.
  not_found: null,
  pending: 'pending',
  paid: 'paid',
  failed: 'failed',
  expired: 'expired',
  reversed: 'reversed',
  refunded: null,
};

export const INVOICE_STATES = ['open', 'paid', 'lapsed', 'void'] as const;
export type InvoiceState = (typeof INVOICE_STATES)[number];

/**
 * Money that came in but does not simply pay an open invoice, and attempts of which nobody can tell whether the gateway
 * has them (`unclear`). Each is a case for finance, none is dropped.
 */
export const PAYMENT_CASE_KINDS = [
  'late',
  'twice',
  'short',
  'over',
  'wrong_currency',
  'unknown_object',
  'reversed',
  'unclear',
] as const;
export type PaymentCaseKind = (typeof PAYMENT_CASE_KINDS)[number];

/** What arrived money means for its invoice: it pays it, or it becomes a case. */
export function judgePayment(invoice: { state: InvoiceState; total: Money }, paid: Money): 'pays' | PaymentCaseKind {
  if (paid.currency !== invoice.total.currency) return 'wrong_currency';
  if (invoice.state === 'paid') return 'twice';
  if (invoice.state !== 'open') return 'late';
  if (sameMoney(paid, invoice.total)) return 'pays';
  return paid.amountMinor < invoice.total.amountMinor ? 'short' : 'over';
}
