/**
 * Stripe's words, translated: a Checkout Session with its payment, and how amounts are written.
 * https://docs.stripe.com/api/checkout/sessions/object, https://docs.stripe.com/currencies
 */
import { z } from 'zod';
import { isCurrency, type Money, money } from '../../domain/money.ts';
import type { GatewayPayment, GatewayPaymentState } from '../../domain/payments.ts';

/** Our reference in the metadata of a session, its payment and its charge. */
export const REFERENCE = 'alur_reference';

export const chargeSaid = z.object({
  id: z.string(),
  created: z.number().int(),
  // Whole where it was asked for so; null until the money is booked, which may be a moment after the payment.
  balance_transaction: z.union([z.string(), z.object({ created: z.number().int() })]).nullish(),
  disputed: z.boolean(),
  refunded: z.boolean(),
  payment_method_details: z.object({ type: z.string() }).nullable(),
});

export type ChargeSaid = z.infer<typeof chargeSaid>;

export const paymentIntent = z.object({
  id: z.string().min(1),
  status: z.string(),
  amount_received: z.number().int(),
  currency: z.string(),
  latest_charge: chargeSaid.nullable(),
  last_payment_error: z.object({ code: z.string().nullish(), decline_code: z.string().nullish() }).nullish(),
});
export type SaidIntent = z.infer<typeof paymentIntent>;

export const session = z.object({
  id: z.string().min(1),
  client_reference_id: z.string().nullable(),
  status: z.enum(['open', 'complete', 'expired']),
  payment_status: z.enum(['paid', 'unpaid', 'no_payment_required']),
  url: z.url({ protocol: /^https?$/ }).nullable(),
  amount_total: z.number().int(),
  currency: z.string(),
  expires_at: z.number().int(),
});
export type Session = z.infer<typeof session>;

/** With `payment_intent.latest_charge.balance_transaction` expanded. */
export const sessionWithPayment = session.extend({ payment_intent: paymentIntent.nullable() });
export type SessionWithPayment = z.infer<typeof sessionWithPayment>;

export const NOT_FOUND: GatewayPayment = {
  state: 'not_found',
  paid: null,
  paidAt: null,
  transactionId: null,
  method: null,
};

/**
 * @param disputes the states of the payment's disputes.
 * @throws RangeError when an amount, currency or state is not one we know how to read.
 */
export function toGatewayPayment(said: SessionWithPayment, disputes: readonly string[]): GatewayPayment {
  const intent = said.payment_intent;
  const state = stateOf(said, disputes);
  const took = intent !== null && TOOK_MONEY.has(state);
  return {
    state,
    paid: took ? fromWire(intent.amount_received, intent.currency) : null,
    paidAt: took && intent.latest_charge ? paidAtOf(intent.latest_charge) : null,
    transactionId: intent?.id ?? said.id,
    method: methodOf(said),
  };
}

/**
 * A charge of a card on file, which has no page: nobody can try another card, so what needs a payer has failed.
 * @param code of the error that brought it, where it came with one @throws RangeError as `toGatewayPayment`
 */
export function intentToPayment(said: SaidIntent, disputes: readonly string[], code: string | null): GatewayPayment {
  const state = stateOfCharge(said, disputes);
  const took = TOOK_MONEY.has(state);
  const { last_payment_error: error } = said;
  return {
    state,
    paid: took ? fromWire(said.amount_received, said.currency) : null,
    paidAt: took && said.latest_charge ? paidAtOf(said.latest_charge) : null,
    transactionId: said.id,
    method: 'credit_card',
    ...(state === 'failed'
      ? { declineCode: snake(code ?? error?.decline_code ?? error?.code ?? undecided(said)) }
      : {}),
  };
}

function stateOfCharge(said: SaidIntent, disputes: readonly string[]): GatewayPaymentState {
  switch (said.status) {
    case 'succeeded':
      return keptOrGone(said.latest_charge, disputes);
    case 'processing':
      return 'pending';
    case 'requires_payment_method':
    case 'requires_action':
    case 'requires_confirmation':
    case 'canceled':
      return 'failed';
    default:
      throw new RangeError(`a charge of a card is in state "${said.status}"`);
  }
}

const undecided = ({ status }: SaidIntent): string =>
  status === 'requires_action' ? 'authentication_required' : 'card_declined';

const snake = (code: string): string => /^[a-z_]{1,60}$/.exec(code)?.[0] ?? 'card_declined';

/** A charge is created when the payer submits it; a bank or wallet may say later that the money came. */
export function paidAtOf({ created, balance_transaction: booked }: ChargeSaid): string {
  const at = typeof booked === 'object' && booked !== null ? booked.created : created;
  return new Date(at * 1000).toISOString();
}

const TOOK_MONEY: ReadonlySet<GatewayPaymentState> = new Set(['paid', 'reversed', 'refunded']);

function stateOf(said: SessionWithPayment, disputes: readonly string[]): GatewayPaymentState {
  switch (said.status) {
    case 'open':
      // Also after a declined card: the payer may try another one on the same page.
      return 'pending';
    case 'expired':
      return 'expired';
    case 'complete':
      return completed(said, disputes);
  }
}

function completed({ payment_intent: intent }: SessionWithPayment, disputes: readonly string[]) {
  switch (intent?.status) {
    case 'succeeded':
      return keptOrGone(intent.latest_charge, disputes);
    // Submitted, but the method says later whether it worked. Not `payment_status`: it lags behind the payment.
    case 'processing':
    case 'requires_action':
    case 'requires_capture':
      return 'pending';
    case 'requires_payment_method':
    case 'canceled':
      return 'failed';
    default:
      throw new RangeError(`a completed session has a payment in state "${intent?.status}"`);
  }
}

/** A partial refund leaves the payment paid: how much went back is the refund's story. */
export function keptOrGone(
  made: Pick<ChargeSaid, 'disputed' | 'refunded'> | null,
  disputes: readonly string[],
): GatewayPaymentState {
  if (made === null) return 'paid';
  // `disputed` stays true for ever, also when the dispute was won or was only an inquiry.
  if (made.disputed && disputes.some((state) => WITHDRAWN.has(state))) return 'reversed';
  return made.refunded ? 'refunded' : 'paid';
}

// https://docs.stripe.com/disputes/how-disputes-work: the money is gone from the first day and returns when it is won.
const WITHDRAWN: ReadonlySet<string> = new Set([
  'needs_response',
  'under_review',
  'lost',
  'appeal_needs_response',
  'appeal_under_review',
]);

function methodOf({ payment_intent: intent }: SessionWithPayment): string | null {
  const type = intent?.latest_charge?.payment_method_details?.type ?? null;
  return type === 'card' ? 'credit_card' : type;
}

/** Alur's names of methods in Stripe's words; undefined = Stripe has no such method for IDR or MYR. */
export const stripeMethod = (method: string): string | undefined => METHODS.get(method);

const METHODS = new Map([
  ['credit_card', 'card'],
  ['fpx', 'fpx'],
  ['grabpay', 'grabpay'],
]);

/** **Stripe writes rupiah with two decimals**: Rp10.000 is 1000000. Ringgit have two everywhere. */
export const toWire = ({ amountMinor, currency }: Money): number => Number(amountMinor * SCALE[currency]);

/** @throws RangeError on a fraction of a rupiah and on foreign currencies. */
export function fromWire(amount: number, currency: string): Money {
  const known = currency.toUpperCase();
  if (!isCurrency(known)) throw new RangeError('the currency is neither IDR nor MYR');
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError('the amount is not a whole number');
  const minor = BigInt(amount);
  if (minor % SCALE[known] !== 0n) throw new RangeError('the amount has a fraction of a rupiah');
  return money(minor / SCALE[known], known);
}

const SCALE = { IDR: 100n, MYR: 1n } as const;
