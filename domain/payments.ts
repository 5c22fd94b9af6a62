/**
 * What a payment attempt is to Alur, whatever the gateway calls it.
 * Rules from gateways.md's invariants: an unclear answer is `unknown` and is asked about, never tried again;
 * a late `pending` or `expired` never undoes `paid`.
 */
import { type Currency, type Money, sameMoney } from './money.ts';

export const GATEWAYS = ['midtrans', 'xendit', 'stripe', 'billplz'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/** What the office has decided about money; from its settings. */
export interface MoneyPolicy {
  /** Every gateway, the preferred one first: which one a payer gets who names none. */
  readonly gatewayOrder: readonly GatewayName[];
  /** Minor units; a refund above needs a second person. A currency that is not named: every refund does. */
  readonly refundApprovalAbove: Readonly<Partial<Record<Currency, bigint>>>;
}

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

export const isOpenPayment = (state: PaymentState): boolean => OPEN_PAYMENT_STATES.some((open) => open === state);

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
  /** Why a card on file was refused, as in domain/cards.ts. */
  readonly declineCode?: string;
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

/** `reversed`: the gateway took back the money that had paid it. */
export const INVOICE_STATES = ['open', 'paid', 'lapsed', 'void', 'reversed'] as const;
export type InvoiceState = (typeof INVOICE_STATES)[number];

/** Whether somebody still has to pay it: then it takes money. */
export const isOwed = (state: InvoiceState): boolean => state === 'open' || state === 'reversed';

/** Money that came in and does not simply pay an open invoice. */
export const ODD_MONEY_KINDS = ['late', 'twice', 'short', 'over', 'wrong_currency'] as const;
export type OddMoneyKind = (typeof ODD_MONEY_KINDS)[number];

/** What becomes of it: a person looks, it goes back the way it came, or the payer keeps it as credit. */
export const ODD_MONEY_WAYS = ['case', 'refund', 'store_credit'] as const;
export type OddMoneyWay = (typeof ODD_MONEY_WAYS)[number];

/** By kind; what is not said becomes a case. Pinned to an invoice when it is issued. */
export type OddMoneyPolicy = Readonly<Partial<Record<OddMoneyKind, OddMoneyWay>>>;

/**
 * What finance has to look at; none is dropped.
 * - odd money; `unknown_object`: a notice about nothing we know; `unclear`: nobody can tell whether the gateway has it;
 * - `reversed`: money was taken back. `refund_failed`: a refund did not arrive, perhaps days after it had;
 * - found by the reconciliation: `missing_here` (the gateway has money of which we know nothing), `missing_there` (we count
 *   money that the gateway does not have), `amount_differs`, `state_differs`, `refund_differs`;
 * - `unmatched_settlement`: a line of a settlement about nothing we know. `settlement_differs`: about another amount;
 * - `stuck_paid`: paid and not active for too long. `stuck_unknown`: unclear for too long.
 */
export const PAYMENT_CASE_KINDS = [
  ...ODD_MONEY_KINDS,
  'unknown_object',
  'reversed',
  'unclear',
  'refund_failed',
  'missing_here',
  'missing_there',
  'amount_differs',
  'state_differs',
  'refund_differs',
  'unmatched_settlement',
  'settlement_differs',
  'stuck_paid',
  'stuck_unknown',
] as const;
export type PaymentCaseKind = (typeof PAYMENT_CASE_KINDS)[number];

/**
 * How finance closes a case. `nothing_to_do`: it has cleared up, or was cleared up at the gateway. `apply_to_invoice`,
 * `refund`, `store_credit` and `other_income` say where money in suspense goes; `look_again` asks the gateway now.
 */
export const CASE_RESOLUTIONS = [
  'nothing_to_do',
  'look_again',
  'apply_to_invoice',
  'refund',
  'store_credit',
  'other_income',
] as const;
export type CaseResolution = (typeof CASE_RESOLUTIONS)[number];

/** What finance most often does about it. */
export function suggestedResolution(kind: PaymentCaseKind): CaseResolution {
  switch (kind) {
    case 'late':
    case 'twice':
    case 'short':
    case 'over':
    case 'wrong_currency':
    case 'refund_failed':
      return 'refund';
    case 'unmatched_settlement':
      return 'other_income';
    case 'unknown_object':
    case 'unclear':
    case 'missing_there':
    case 'state_differs':
    case 'amount_differs':
    case 'stuck_unknown':
      return 'look_again';
    case 'reversed':
    case 'missing_here':
    case 'refund_differs':
    case 'settlement_differs':
    case 'stuck_paid':
      return 'nothing_to_do';
  }
}

export const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** An invoice, as money that arrives for it is judged. */
export interface Payable {
  readonly state: InvoiceState;
  readonly total: Money;
  /** What has paid of it so far. */
  readonly paid: Money;
  /** It may be paid in instalments. */
  readonly inParts: boolean;
}

/** What money is, and how much of it pays its invoice; the rest waits in suspense. In the invoice's minor units. */
export interface Judged {
  readonly kind: 'pays' | OddMoneyKind;
  readonly appliedMinor: bigint;
}

export const outstandingOf = ({ total, paid }: Pick<Payable, 'total' | 'paid'>): bigint =>
  total.amountMinor - paid.amountMinor;

/**
 * What arrived money means for its invoice. To the unit what was asked for, or all that is left, pays; an invoice in parts
 * takes any part. Anything else is odd. Of too much, what is left of the invoice is paid, so that the payer gets the licence.
 * @param asked what the attempt was opened for
 */
export function judgePayment(invoice: Payable, asked: Money, arrived: Money): Judged {
  const left = outstandingOf(invoice);
  if (arrived.currency !== invoice.total.currency) return { kind: 'wrong_currency', appliedMinor: 0n };
  if (invoice.state === 'paid') return { kind: 'twice', appliedMinor: 0n };
  if (invoice.state !== 'open') return { kind: 'late', appliedMinor: 0n };
  if (arrived.amountMinor > left) return { kind: 'over', appliedMinor: left };
  const pays = arrived.amountMinor === left || sameMoney(arrived, asked) || invoice.inParts;
  return pays ? { kind: 'pays', appliedMinor: arrived.amountMinor } : { kind: 'short', appliedMinor: 0n };
}

/** Which part of an invoice a payer pays: the instalment that is due next, or all that is left. */
export const PARTS = ['next', 'all'] as const;
export type Part = (typeof PARTS)[number];

export interface Asked {
  readonly amountMinor: bigint;
  /** null = all that is left. */
  readonly instalment: number | null;
}

/** What the next attempt asks for; never more than is left. An instalment that was paid in part is asked for its rest. */
export function amountToAsk(
  invoice: Pick<Payable, 'total' | 'paid'>,
  instalments: readonly { readonly position: number; readonly amountMinor: bigint }[],
  part: Part,
): Asked {
  let upTo = 0n;
  for (const { position, amountMinor } of part === 'all' ? [] : instalments) {
    upTo += amountMinor;
    if (upTo > invoice.paid.amountMinor) return { amountMinor: upTo - invoice.paid.amountMinor, instalment: position };
  }
  return { amountMinor: outstandingOf(invoice), instalment: null };
}
