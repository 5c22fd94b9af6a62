/** An order as Midtrans keeps it, and the moves it can make. Pure: the clock is handed in, nothing is sent or stored. */
import { randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type EventOptions, ImpossibleEvent, type SandboxEvent } from '../sandbox.ts';

export const CHANNELS = ['bca_va', 'qris', 'gopay', 'shopeepay', 'credit_card'] as const;
export type Channel = (typeof CHANNELS)[number];
export const isChannel = (value: string): value is Channel => CHANNELS.some((channel) => channel === value);

const refund = z.object({
  key: z.string(),
  amount: z.number(),
  reason: z.string(),
  createdAt: z.string(),
  bankConfirmedAt: z.string().nullable(),
  /** The bank turned it down after all: Midtrans no longer lists it, and takes its key for another try. */
  failedAt: z.string().nullable().default(null),
});
export type Refund = z.infer<typeof refund>;

export const order = z.object({
  orderId: z.string(),
  token: z.string(),
  grossAmount: z.number(),
  items: z.array(z.object({ name: z.string(), price: z.number(), quantity: z.number() })),
  locale: z.enum(['id', 'en']),
  finishUrl: z.string().nullable(),
  channels: z.array(z.enum(CHANNELS)),
  createdAt: z.string(),
  /** The page closes; a number given out before lives on until `expiresAt`. */
  pageExpiresAt: z.string(),
  expiresAt: z.string(),
  /** `created` and `page_expired` are Snap's own: the Core API answers 404 to both. */
  status: z.enum([
    'created',
    'page_expired',
    'pending',
    'capture',
    'settlement',
    'expire',
    'deny',
    'cancel',
    'failure',
    'refund',
    'partial_refund',
    'chargeback',
  ]),
  channel: z.enum(CHANNELS).nullable(),
  transactionId: z.string().nullable(),
  transactionTime: z.string().nullable(),
  settlementTime: z.string().nullable(),
  fraudStatus: z.enum(['accept', 'challenge', 'deny']).nullable(),
  vaNumber: z.string().nullable(),
  refunds: z.array(refund),
});
export type Order = z.infer<typeof order>;

type Opening = 'orderId' | 'grossAmount' | 'items' | 'locale' | 'finishUrl' | 'channels';

/** A new page on which nobody has chosen a channel. */
export const opened = (
  given: Pick<Order, Opening>,
  times: { now: Date; pageExpiresAt: Date; expiresAt: Date },
): Order => ({
  ...given,
  token: randomUUID(),
  createdAt: times.now.toISOString(),
  pageExpiresAt: times.pageExpiresAt.toISOString(),
  expiresAt: times.expiresAt.toISOString(),
  status: 'created',
  channel: null,
  transactionId: null,
  transactionTime: null,
  settlementTime: null,
  fraudStatus: null,
  vaNumber: null,
  refunds: [],
});

export const isOpen = ({ status }: Order): boolean => status === 'created' || status === 'pending';
export const hasTransaction = ({ status }: Order): boolean => status !== 'created' && status !== 'page_expired';
/** Refunds that stand, confirmed or not. */
export const standing = ({ refunds }: Order): Refund[] => refunds.filter(({ failedAt }) => failedAt === null);
export const refundedSoFar = (order: Order): number => total(standing(order));
const total = (refunds: readonly Refund[]): number => refunds.reduce((sum, { amount }) => sum + amount, 0);

export const confirmedSoFar = (order: Order): number =>
  total(standing(order).filter(({ bankConfirmedAt }) => bankConfirmedAt !== null));

const PAID: ReadonlySet<Order['status']> = new Set(['settlement', 'refund', 'partial_refund']);

/** What was taken and not lost to a reversal, which takes what had not gone back yet. Whole rupiah. */
export function capturedSoFar(order: Order): number {
  if (PAID.has(order.status) || (order.status === 'capture' && order.fraudStatus === 'accept'))
    return order.grossAmount;
  return confirmedSoFar(order);
}

/** The order at this moment: what ran out by the clock has run out, asked or not. */
export function asOf(order: Order, now: Date): Order {
  if (order.status === 'created' && now >= new Date(order.pageExpiresAt)) return { ...order, status: 'page_expired' };
  if (order.status === 'pending' && now >= new Date(order.expiresAt)) return { ...order, status: 'expire' };
  return order;
}

/** The payer picks a way to pay: only now does a transaction exist. */
export function choose(order: Order, channel: string, now: Date): Order {
  if (order.status !== 'created')
    throw new ImpossibleEvent(`A channel can only be chosen once; this is ${order.status}.`);
  return openTransaction(order, channel, now);
}

function openTransaction(order: Order, channel: string, now: Date): Order {
  if (!isChannel(channel) || !order.channels.includes(channel)) {
    throw new ImpossibleEvent(`This payment takes ${order.channels.join(', ')}; choose one of them.`);
  }
  return {
    ...order,
    status: 'pending',
    channel,
    transactionId: randomUUID(),
    transactionTime: now.toISOString(),
    vaNumber: channel === 'bca_va' ? `80777${randomInt(1e10).toString().padStart(11, '0')}` : null,
  };
}

/** @throws ImpossibleEvent with what can be done instead. */
export function happen(order: Order, event: SandboxEvent, now: Date, options: EventOptions): Order {
  switch (event) {
    case 'pay':
      return pay(withChannel(open(order), now, options), now);
    case 'challenge':
      return challenge(withChannel(open(order), now, options));
    case 'fail':
      return fail(withChannel(open(order), now, options));
    case 'expire':
      return expire(options.channel === undefined ? open(order) : withChannel(open(order), now, options));
    case 'pay-late':
      return payLate(order, now, options);
    case 'settle':
      return settle(order, now);
    case 'refund':
      return refundSome(order, { key: randomUUID(), amount: options.amountMinor, reason: 'asked in the sandbox' }, now);
    case 'refund-settle':
      return settleRefunds(order, now);
    case 'refund-fail':
      return failRefund(order, now);
    case 'reverse':
      return reverse(order);
    case 'unreverse':
      throw new ImpossibleEvent('Midtrans documents no way back from a chargeback or a denial; the money stays away.');
  }
}

function open(order: Order): Order {
  if (isOpen(order)) return order;
  const ended = order.status === 'expire' || order.status === 'page_expired';
  const hint = ended ? 'to pay an expired payment use pay-late' : 'only an open payment can do this';
  throw new ImpossibleEvent(`This payment is ${order.status}; ${hint}.`);
}

function withChannel(order: Order, now: Date, { channel }: EventOptions): Order {
  if (order.status === 'created') return choose(order, channel ?? order.channels[0] ?? 'bca_va', now);
  if (channel === undefined || channel === order.channel) return order;
  throw new ImpossibleEvent(`The payer already chose ${order.channel}.`);
}

// A card is captured first and settles the day after; the others settle at once.
function pay(order: Order, now: Date): Order {
  if (order.channel === 'credit_card') return { ...order, status: 'capture', fraudStatus: 'accept' };
  return { ...order, status: 'settlement', fraudStatus: 'accept', settlementTime: now.toISOString() };
}

function challenge(order: Order): Order {
  if (order.channel !== 'credit_card') throw new ImpossibleEvent('Only cards are challenged; use channel=credit_card.');
  return { ...order, status: 'capture', fraudStatus: 'challenge' };
}

const fail = (order: Order): Order =>
  order.channel === 'credit_card' ? { ...order, status: 'deny', fraudStatus: 'deny' } : { ...order, status: 'failure' };

export const expire = (order: Order): Order => ({
  ...order,
  status: order.status === 'created' ? 'page_expired' : 'expire',
});

/** Money that arrives after the end: a VA number outlived its page. An open payment is taken past its end first. */
function payLate(order: Order, now: Date, { channel }: EventOptions): Order {
  if (!isOpen(order) && order.status !== 'expire' && order.status !== 'page_expired') {
    throw new ImpossibleEvent(`This payment is ${order.status}; only an open or expired one can be paid late.`);
  }
  const chosen = hasTransaction(order) ? order : openTransaction(order, channel ?? order.channels[0] ?? 'bca_va', now);
  return { ...chosen, status: 'settlement', fraudStatus: 'accept', settlementTime: now.toISOString() };
}

function settle(order: Order, now: Date): Order {
  if (order.status !== 'capture' || order.fraudStatus !== 'accept') {
    throw new ImpossibleEvent(`This payment is ${order.status}; only an accepted card capture settles.`);
  }
  return { ...order, status: 'settlement', settlementTime: now.toISOString() };
}

/** The money goes back by itself: a VA settlement is denied within minutes, anything else is charged back. */
function reverse(order: Order): Order {
  const accepted = order.status !== 'capture' || order.fraudStatus === 'accept';
  if (!accepted || !['capture', 'settlement', 'partial_refund'].includes(order.status)) {
    throw new ImpossibleEvent(`This payment is ${order.status}; only a paid one can be reversed.`);
  }
  return { ...order, status: order.channel === 'bca_va' ? 'deny' : 'chargeback' };
}

// https://docs.midtrans.com/reference/refund-transaction: a virtual account never, ShopeePay not in part.
const WHOLE_ONLY: ReadonlySet<Channel | null> = new Set(['shopeepay']);

/**
 * Why a refund is refused, in the status codes of the refund API; null = it may go.
 * @param amount undefined = all that is left
 */
export function refundRefusal(order: Order, key: string, amount: number | undefined): '406' | '412' | '414' | null {
  if (standing(order).some((earlier) => earlier.key === key)) return '406';
  const settled = order.status === 'settlement' || order.status === 'partial_refund';
  if (!settled || order.channel === 'bca_va') return '412';
  const left = order.grossAmount - refundedSoFar(order);
  const wanted = amount ?? left;
  return wanted > left || (WHOLE_ONLY.has(order.channel) && wanted !== order.grossAmount) ? '414' : null;
}

export interface RefundRequest {
  readonly key: string;
  readonly amount: number | undefined;
  readonly reason: string;
}

/** Accepted by Midtrans; who pays it out confirms separately. @throws ImpossibleEvent */
export function refundSome(order: Order, { key, amount, reason }: RefundRequest, now: Date): Order {
  const refusal = refundRefusal(order, key, amount);
  if (refusal !== null) throw new ImpossibleEvent(REFUSED_REFUND[refusal]);
  const left = order.grossAmount - refundedSoFar(order);
  const unconfirmed = { createdAt: now.toISOString(), bankConfirmedAt: null, failedAt: null };
  return withRefunds(order, [...order.refunds, { key, amount: amount ?? left, reason, ...unconfirmed }]);
}

const REFUSED_REFUND = {
  '406': 'A refund with this key was made already.',
  '412': 'Only a settled card, GoPay, ShopeePay or QRIS payment can be refunded; a virtual account never.',
  '414': 'The refund is larger than what is left of the payment, or a part of what only goes back whole.',
} as const;

function withRefunds(order: Order, refunds: Refund[]): Order {
  const back = refundedSoFar({ ...order, refunds });
  if (back === order.grossAmount) return { ...order, refunds, status: 'refund' };
  return { ...order, refunds, status: back === 0 ? 'settlement' : 'partial_refund' };
}

/** A wallet gives back while it is asked; a card's bank takes its time, until the event `refund-settle`. */
export const confirmsAtOnce = ({ channel }: Order): boolean => channel !== 'credit_card';

export const confirmRefunds = (order: Order, now: Date): Order => ({
  ...order,
  refunds: order.refunds.map((made) => ({ ...made, bankConfirmedAt: made.bankConfirmedAt ?? now.toISOString() })),
});

/** @throws ImpossibleEvent */
function settleRefunds(order: Order, now: Date): Order {
  const pending = standing(order).filter(({ bankConfirmedAt }) => bankConfirmedAt === null);
  if (pending.length === 0) throw new ImpossibleEvent('No refund of this payment waits for its bank.');
  return confirmRefunds(order, now);
}

/** @throws ImpossibleEvent */
function failRefund(order: Order, now: Date): Order {
  const newest = standing(order).at(-1);
  if (newest === undefined) throw new ImpossibleEvent('This payment has no refund that could fail.');
  if (order.status !== 'refund' && order.status !== 'partial_refund') {
    throw new ImpossibleEvent(`This payment is ${order.status}; its refunds do not change any more.`);
  }
  const refunds = order.refunds.map((made) => (made === newest ? { ...made, failedAt: now.toISOString() } : made));
  return withRefunds(order, refunds);
}
