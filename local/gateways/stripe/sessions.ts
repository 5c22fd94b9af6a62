/** A Checkout Session as Stripe keeps it, with its payment, and the moves it can make. Pure: nothing is sent or stored. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type EventOptions, ImpossibleEvent, type SandboxEvent } from '../sandbox.ts';

export const CURRENCIES = ['idr', 'myr'] as const;
export type WireCurrency = (typeof CURRENCIES)[number];

export const CHANNELS = ['card', 'fpx', 'grabpay'] as const;
export type Channel = (typeof CHANNELS)[number];

/** FPX and GrabPay take ringgit only. https://docs.stripe.com/payments/payment-methods/payment-method-support */
export const channelsOf = (currency: WireCurrency): Channel[] => (currency === 'myr' ? [...CHANNELS] : ['card']);

const refund = z.object({
  id: z.string(),
  amount: z.number(),
  status: z.enum(['pending', 'succeeded', 'failed']),
  reason: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  createdAt: z.string(),
});
export type Refund = z.infer<typeof refund>;

const payment = z.object({
  intentId: z.string(),
  chargeId: z.string(),
  channel: z.enum(CHANNELS),
  /** `declined`: the payer may try again. `failed`: submitted, and refused later. */
  status: z.enum(['declined', 'processing', 'succeeded', 'failed']),
  /** Of a card on file that was refused. */
  declineCode: z.string().nullable().default(null),
  /** When the payer submitted it. */
  chargedAt: z.string(),
  /** When it brought money. */
  succeededAt: z.string().nullable().default(null),
  refunds: z.array(refund),
  dispute: z
    .object({
      id: z.string(),
      createdAt: z.string(),
      status: z.enum(['needs_response', 'won']).default('needs_response'),
    })
    .nullable(),
});
export type Payment = z.infer<typeof payment>;

export const session = z.object({
  id: z.string(),
  reference: z.string().nullable(),
  currency: z.enum(CURRENCIES),
  /** In Stripe's units: rupiah with two decimals. */
  amount: z.number(),
  items: z.array(z.object({ name: z.string(), unitAmount: z.number(), quantity: z.number() })),
  email: z.string().nullable(),
  locale: z.enum(['id', 'en']),
  successUrl: z.string(),
  cancelUrl: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  intentMetadata: z.record(z.string(), z.string()),
  channels: z.array(z.enum(CHANNELS)),
  createdAt: z.string(),
  expiresAt: z.string(),
  status: z.enum(['open', 'complete', 'expired']),
  /** A charge of a card on file: no session at all, it has no page and is in no list of sessions. */
  onFile: z.object({ customer: z.string(), method: z.string() }).nullable().default(null),
  payment: payment.nullable(),
});
export type Session = z.infer<typeof session>;

export const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;

export const opened = (given: Omit<Session, 'id' | 'status' | 'onFile' | 'payment'>): Session => ({
  ...given,
  id: newId('cs_test'),
  status: 'open',
  onFile: null,
  payment: null,
});

/** The session at this moment: what ran out by the clock has run out, asked or not. */
export const asOf = (said: Session, now: Date): Session =>
  said.status === 'open' && now >= new Date(said.expiresAt) ? expire(said) : said;

export const expire = (said: Session): Session => ({ ...said, status: 'expired' });

/** The money of a dispute is gone from its first day until it is won. */
export const isDisputed = ({ dispute }: Payment): boolean => dispute !== null && dispute.status !== 'won';

/** In the words of the list of payments: the session's state until the payer submits, the payment's afterwards. */
export function stateOf({ status, payment: made }: Session): string {
  if (status !== 'complete' || made === null) return status;
  if (isDisputed(made)) return 'disputed';
  return refundedSoFar(made) === 0 ? made.status : 'refunded';
}

/** @throws ImpossibleEvent with what can be done instead. */
export function happen(said: Session, event: SandboxEvent, now: Date, options: EventOptions): Session {
  switch (event) {
    case 'pay':
      return complete(said, 'succeeded', now, options);
    case 'challenge':
      return complete(said, 'processing', now, options);
    case 'fail':
      return said.payment?.status === 'processing' ? finish(said, 'failed', now) : decline(said, now, options);
    case 'expire':
      return expire(open(said));
    case 'pay-late':
      return payLate(said, now, options);
    case 'settle':
      return finish(said, 'succeeded', now);
    case 'refund':
      return refundSome(said, { amount: options.amountMinor, reason: null, metadata: {} }, now);
    case 'refund-settle':
      return settleRefunds(said);
    case 'refund-fail':
      return failRefund(said);
    case 'reverse':
      return dispute(said, now);
    case 'unreverse':
      return winDispute(said);
  }
}

function open(said: Session): Session {
  if (said.status === 'open') return said;
  const hint = said.status === 'expired' ? 'Stripe takes no money on an expired page' : 'only an open page can do this';
  throw new ImpossibleEvent(`This payment is ${stateOf(said)}; ${hint}.`);
}

function tried(said: Session, status: Payment['status'], now: Date, wanted: string | undefined): Payment {
  const name = wanted === 'credit_card' ? 'card' : wanted;
  const channel = name === undefined ? said.channels[0] : said.channels.find((one) => one === name);
  if (channel === undefined) {
    throw new ImpossibleEvent(`This payment takes ${said.channels.join(', ')}; choose one of them.`);
  }
  // One PaymentIntent a session; each try is another charge.
  const intentId = said.payment?.intentId ?? newId('pi');
  return {
    intentId,
    chargeId: newId('ch'),
    channel,
    status,
    declineCode: null,
    chargedAt: now.toISOString(),
    succeededAt: status === 'succeeded' ? now.toISOString() : null,
    refunds: [],
    dispute: null,
  };
}

const complete = (
  said: Session,
  status: 'succeeded' | 'processing',
  now: Date,
  { channel }: EventOptions,
): Session => ({
  ...open(said),
  status: 'complete',
  payment: tried(said, status, now, channel),
});

/** A declined card leaves the page open: the payer may try another. */
const decline = (said: Session, now: Date, { channel }: EventOptions): Session => ({
  ...open(said),
  payment: tried(said, 'declined', now, channel),
});

/** What was submitted and held ends, one way or the other, whatever the page's expiry. */
function finish(said: Session, status: 'succeeded' | 'failed', now: Date): Session {
  if (said.payment?.status !== 'processing') {
    throw new ImpossibleEvent(
      `This payment is ${stateOf(said)}; only one that is processing can settle: challenge it.`,
    );
  }
  const succeededAt = status === 'succeeded' ? now.toISOString() : null;
  return { ...said, payment: { ...said.payment, status, succeededAt } };
}

/** Submitted in time, paid afterwards. Nothing can be submitted on an expired page. */
function payLate(said: Session, now: Date, options: EventOptions): Session {
  if (said.status === 'expired') {
    throw new ImpossibleEvent(
      'Stripe takes no money on an expired page; pay-late works on an open one, as a payment submitted before the end.',
    );
  }
  return finish(said.status === 'open' ? complete(said, 'processing', now, options) : said, 'succeeded', now);
}

/** The payer's bank takes the money back. */
function dispute(said: Session, now: Date): Session {
  const made = said.payment;
  if (made?.status !== 'succeeded' || isDisputed(made)) {
    throw new ImpossibleEvent(`This payment is ${stateOf(said)}; only a paid one can be disputed.`);
  }
  const opened = { id: newId('du'), createdAt: now.toISOString(), status: 'needs_response' } as const;
  return { ...said, payment: { ...made, dispute: opened } };
}

function winDispute(said: Session): Session {
  const made = said.payment;
  if (made?.dispute?.status !== 'needs_response') {
    throw new ImpossibleEvent(`This payment is ${stateOf(said)}; only a disputed one can be won back: reverse it.`);
  }
  return { ...said, payment: { ...made, dispute: { ...made.dispute, status: 'won' } } };
}

/** By refunds that stand, ended or not: what Stripe calls `amount_refunded`. */
export const refundedSoFar = ({ refunds }: Payment): number =>
  total(refunds.filter(({ status }) => status !== 'failed'));
/** By refunds that have succeeded. */
export const givenBack = ({ refunds }: Payment): number =>
  total(refunds.filter(({ status }) => status === 'succeeded'));
const total = (refunds: readonly Refund[]): number => refunds.reduce((sum, { amount }) => sum + amount, 0);

/** What was taken and not lost to a dispute, which takes what had not gone back yet. In Stripe's units. */
export function captured({ payment: made, amount }: Session): number {
  if (made?.status !== 'succeeded') return 0;
  return isDisputed(made) ? givenBack(made) : amount;
}

export interface RefundRequest {
  /** In Stripe's units; undefined = all that is left. */
  readonly amount: number | undefined;
  readonly reason: string | null;
  readonly metadata: Record<string, string>;
}

export interface RefundRefusal {
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
}

/** Why a refund is refused; null = it may go. */
export function refundRefusal(said: Session, amount: number | undefined): RefundRefusal | null {
  const made = said.payment;
  if (made?.status !== 'succeeded') {
    return {
      code: 'payment_intent_unexpected_state',
      message: 'This PaymentIntent does not have a successful charge to refund.',
    };
  }
  if (isDisputed(made)) {
    return {
      code: 'charge_disputed',
      message: `Charge ${made.chargeId} has been charged back; cannot issue a refund.`,
    };
  }
  const left = said.amount - refundedSoFar(made);
  if (left === 0) {
    return { code: 'charge_already_refunded', message: `Charge ${made.chargeId} has already been refunded.` };
  }
  if (amount === undefined || amount <= left) return null;
  // Stripe gives this one no code.
  return {
    param: 'amount',
    message: `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
  };
}

/** A card's refund has succeeded at once, a wallet's a moment later; a bank's waits for an event. @throws ImpossibleEvent */
export function refundSome(said: Session, { amount, reason, metadata }: RefundRequest, now: Date): Session {
  const refused = refundRefusal(said, amount);
  if (refused !== null || said.payment === null) throw new ImpossibleEvent(refused?.message ?? 'Nothing was paid.');
  const made: Refund = {
    id: newId('re'),
    amount: amount ?? said.amount - refundedSoFar(said.payment),
    status: said.payment.channel === 'card' ? 'succeeded' : 'pending',
    reason,
    metadata,
    createdAt: now.toISOString(),
  };
  return { ...said, payment: { ...said.payment, refunds: [...said.payment.refunds, made] } };
}

export const endsByItself = ({ payment }: Session): boolean => payment?.channel === 'grabpay';

export function finishRefunds(said: Session): Session {
  if (said.payment === null) return said;
  const refunds = said.payment.refunds.map(
    (made): Refund => (made.status === 'pending' ? { ...made, status: 'succeeded' } : made),
  );
  return { ...said, payment: { ...said.payment, refunds } };
}

/** @throws ImpossibleEvent */
function settleRefunds(said: Session): Session {
  if (!said.payment?.refunds.some(({ status }) => status === 'pending')) {
    throw new ImpossibleEvent('No refund of this payment waits for its bank.');
  }
  return finishRefunds(said);
}

/** Also one that had succeeded: a bank can send money back weeks later. @throws ImpossibleEvent */
function failRefund(said: Session): Session {
  const newest = said.payment?.refunds.findLast(({ status }) => status !== 'failed');
  if (said.payment === null || newest === undefined) {
    throw new ImpossibleEvent('This payment has no refund that could fail.');
  }
  const refunds = said.payment.refunds.map((made): Refund => (made === newest ? { ...made, status: 'failed' } : made));
  return { ...said, payment: { ...said.payment, refunds } };
}
