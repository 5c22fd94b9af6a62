/** An invoice as Xendit keeps it, and the moves it can make. Pure: the clock is handed in, nothing is sent or stored. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type EventOptions, ImpossibleEvent, type SandboxEvent } from '../sandbox.ts';

export const CHANNELS = ['bca_va', 'qris', 'ovo', 'credit_card'] as const;
export type Channel = (typeof CHANNELS)[number];
export const isChannel = (value: string): value is Channel => CHANNELS.some((channel) => channel === value);

const refund = z.object({
  id: z.string(),
  referenceId: z.string(),
  idempotencyKey: z.string().nullable(),
  amount: z.number(),
  reason: z.string(),
  status: z.enum(['PENDING', 'SUCCEEDED', 'FAILED']),
  failureCode: z.string().nullable().default(null),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Refund = z.infer<typeof refund>;

export const invoice = z.object({
  id: z.string(),
  /** Not unique: Xendit takes the same one again. */
  externalId: z.string(),
  amount: z.number(),
  description: z.string().nullable(),
  items: z.array(z.object({ name: z.string(), price: z.number(), quantity: z.number() })),
  payerEmail: z.string().nullable(),
  locale: z.enum(['id', 'en']),
  successUrl: z.string().nullable(),
  failureUrl: z.string().nullable(),
  channels: z.array(z.enum(CHANNELS)),
  createdAt: z.string(),
  updatedAt: z.string(),
  expiresAt: z.string(),
  status: z.enum(['PENDING', 'PAID', 'SETTLED', 'EXPIRED']),
  channel: z.enum(CHANNELS).nullable(),
  vaNumber: z.string().nullable(),
  paidAt: z.string().nullable(),
  paymentId: z.string().nullable(),
  refunds: z.array(refund),
  /** The bank will turn down the next refund, after Xendit has taken it. */
  nextRefundFails: z.boolean(),
});
export type Invoice = z.infer<typeof invoice>;

type Opening =
  | 'externalId'
  | 'amount'
  | 'description'
  | 'items'
  | 'payerEmail'
  | 'locale'
  | 'successUrl'
  | 'failureUrl'
  | 'channels';

export const opened = (given: Pick<Invoice, Opening>, now: Date, seconds: number): Invoice => ({
  ...given,
  id: randomBytes(12).toString('hex'),
  createdAt: now.toISOString(),
  updatedAt: now.toISOString(),
  expiresAt: new Date(now.getTime() + seconds * 1000).toISOString(),
  status: 'PENDING',
  channel: null,
  vaNumber: null,
  paidAt: null,
  paymentId: null,
  refunds: [],
  nextRefundFails: false,
});

export const isOpen = ({ status }: Invoice): boolean => status === 'PENDING';
export const isPaid = ({ status }: Invoice): boolean => status === 'PAID' || status === 'SETTLED';
/** By refunds that stand, ended or not. */
export const refundedSoFar = ({ refunds }: Invoice): number =>
  total(refunds.filter(({ status }) => status !== 'FAILED'));
/** By refunds that have succeeded. */
export const givenBack = ({ refunds }: Invoice): number =>
  total(refunds.filter(({ status }) => status === 'SUCCEEDED'));
const total = (refunds: readonly Refund[]): number => refunds.reduce((sum, { amount }) => sum + amount, 0);

/** The invoice at this moment: what ran out by the clock has run out, asked or not. */
export const asOf = (invoice: Invoice, now: Date): Invoice =>
  isOpen(invoice) && now >= new Date(invoice.expiresAt) ? expire(invoice, now) : invoice;

/** The payer picks a way to pay; Xendit lets them change their mind until they have paid. */
export function choose(invoice: Invoice, channel: string, now: Date): Invoice {
  return withChannel(open(invoice), channel, now);
}

function withChannel(invoice: Invoice, channel: string, now: Date): Invoice {
  if (!isChannel(channel) || !invoice.channels.includes(channel)) {
    throw new ImpossibleEvent(`This invoice takes ${invoice.channels.join(', ')}; choose one of them.`);
  }
  const vaNumber = channel === 'bca_va' ? `381659${randomInt(1e10).toString().padStart(10, '0')}` : null;
  return { ...invoice, channel, vaNumber, updatedAt: now.toISOString() };
}

/** @throws ImpossibleEvent with what can be done instead. */
export function happen(invoice: Invoice, event: SandboxEvent, now: Date, options: EventOptions): Invoice {
  switch (event) {
    case 'pay':
      return pay(open(invoice), now, options);
    case 'pay-late':
      return payLate(invoice, now, options);
    case 'expire':
      return expire(open(invoice), now);
    case 'fail':
      return failNextRefund(invoice);
    case 'settle':
      return settle(invoice, now);
    case 'refund':
      return refundInDashboard(invoice, now, options);
    case 'refund-settle':
      return settleRefunds(invoice, now);
    case 'refund-fail':
      return failRefund(invoice, now);
    case 'reverse':
    case 'unreverse':
      throw new ImpossibleEvent('Xendit takes no invoice back: a chargeback is a dispute, and the invoice stays PAID.');
    case 'challenge':
      throw new ImpossibleEvent('A Xendit invoice is never held for review: it is PENDING or PAID.');
  }
}

function open(invoice: Invoice): Invoice {
  if (isOpen(invoice)) return invoice;
  const hint =
    invoice.status === 'EXPIRED' ? 'to pay an expired invoice use pay-late' : 'only a PENDING one can do this';
  throw new ImpossibleEvent(`This invoice is ${invoice.status}; ${hint}.`);
}

function pay(invoice: Invoice, now: Date, { channel }: EventOptions): Invoice {
  const wanted = channel ?? invoice.channel ?? invoice.channels[0] ?? 'bca_va';
  const chosen = wanted === invoice.channel ? invoice : withChannel(invoice, wanted, now);
  return {
    ...chosen,
    status: 'PAID',
    paidAt: now.toISOString(),
    updatedAt: now.toISOString(),
    paymentId: `py-${randomUUID()}`,
  };
}

/** A bank that tells Xendit late: the money was on its way when the invoice ended. */
function payLate(invoice: Invoice, now: Date, options: EventOptions): Invoice {
  if (isPaid(invoice)) {
    throw new ImpossibleEvent(`This invoice is ${invoice.status}; only an open or expired one can be paid late.`);
  }
  return pay(invoice, now, options);
}

export const expire = (invoice: Invoice, now: Date): Invoice => ({
  ...invoice,
  status: 'EXPIRED',
  updatedAt: now.toISOString(),
});

function failNextRefund(invoice: Invoice): Invoice {
  if (isPaid(invoice)) return { ...invoice, nextRefundFails: true };
  throw new ImpossibleEvent(
    'A Xendit invoice does not fail: a refused payment leaves it PENDING and the payer tries again; use expire. On a paid invoice, fail makes its next refund fail.',
  );
}

function settle(invoice: Invoice, now: Date): Invoice {
  if (invoice.status !== 'PAID') {
    throw new ImpossibleEvent(`This invoice is ${invoice.status}; only a PAID one settles.`);
  }
  return { ...invoice, status: 'SETTLED', updatedAt: now.toISOString() };
}

/** Why Xendit refuses a refund, in its own codes; null = it may go. Virtual accounts and QRIS cannot be refunded here. */
export function refundRefusal(invoice: Invoice, amount: number): keyof typeof REFUSED_REFUND | null {
  if (!isPaid(invoice)) return 'INELIGIBLE_TRANSACTION';
  if (invoice.channel === 'bca_va' || invoice.channel === 'qris') return 'REFUND_NOT_SUPPORTED';
  if (invoice.refunds.some(({ status }) => status === 'PENDING')) return 'REFUND_IN_PROGRESS';
  if (amount > invoice.amount - refundedSoFar(invoice)) return 'REFUND_AMOUNT_EXCEEDED';
  return invoice.channel === 'ovo' && amount !== invoice.amount ? 'PARTIAL_REFUND_NOT_SUPPORTED' : null;
}

/** The status that each is told with, and why. https://docs.xendit.co/apidocs/refund-payment-request */
export const REFUSED_REFUND = {
  INELIGIBLE_TRANSACTION: { status: 400, message: 'Only a paid invoice can be refunded.' },
  REFUND_NOT_SUPPORTED: { status: 403, message: 'A virtual account or QRIS payment cannot be refunded.' },
  REFUND_IN_PROGRESS: { status: 400, message: 'Another refund of this invoice is still under way.' },
  REFUND_AMOUNT_EXCEEDED: { status: 400, message: 'The refund is larger than what is left of the payment.' },
  PARTIAL_REFUND_NOT_SUPPORTED: { status: 403, message: 'OVO gives back the whole payment or nothing.' },
} as const;

type RefundRequest = Pick<Refund, 'referenceId' | 'idempotencyKey' | 'amount' | 'reason'>;

/** Taken by Xendit; whether the money goes back is told later. */
export function startRefund(invoice: Invoice, request: RefundRequest, now: Date): Invoice {
  const at = now.toISOString();
  const open = { status: 'PENDING', failureCode: null, createdAt: at, updatedAt: at } as const;
  return { ...invoice, refunds: [...invoice.refunds, { ...request, ...open, id: `rfd-${randomUUID()}` }] };
}

/** A wallet ends a refund by itself; a card's bank takes its time, until an event ends it. */
export const endsByItself = ({ channel, nextRefundFails }: Invoice): boolean => nextRefundFails || channel === 'ovo';

export function finishRefund(invoice: Invoice, now: Date): Invoice {
  const how = invoice.nextRefundFails ? FAILED : SUCCEEDED;
  const refunds = invoice.refunds.map((made) => (made.status === 'PENDING' ? ended(made, how, now) : made));
  return { ...invoice, refunds, nextRefundFails: false };
}

const SUCCEEDED = { status: 'SUCCEEDED', failureCode: null } as const;
const FAILED = { status: 'FAILED', failureCode: 'REFUND_FAILED' } as const;

const ended = (made: Refund, how: typeof SUCCEEDED | typeof FAILED, now: Date): Refund => ({
  ...made,
  ...how,
  updatedAt: now.toISOString(),
});

/** Somebody refunds in Xendit's dashboard. @throws ImpossibleEvent */
function refundInDashboard(invoice: Invoice, now: Date, { amountMinor }: EventOptions): Invoice {
  const amount = amountMinor ?? invoice.amount - refundedSoFar(invoice);
  const refusal = amount === 0 && isPaid(invoice) ? 'REFUND_AMOUNT_EXCEEDED' : refundRefusal(invoice, amount);
  if (refusal !== null) throw new ImpossibleEvent(REFUSED_REFUND[refusal].message);
  const request = { referenceId: `dashboard-${randomUUID()}`, idempotencyKey: null, amount, reason: 'OTHERS' };
  const started = startRefund(invoice, request, now);
  return endsByItself(started) ? finishRefund(started, now) : started;
}

/** @throws ImpossibleEvent */
function settleRefunds(invoice: Invoice, now: Date): Invoice {
  if (!invoice.refunds.some(({ status }) => status === 'PENDING')) {
    throw new ImpossibleEvent('No refund of this invoice waits for its bank.');
  }
  return finishRefund({ ...invoice, nextRefundFails: false }, now);
}

/** Also one that had succeeded: a bank can send money back days later. @throws ImpossibleEvent */
function failRefund(invoice: Invoice, now: Date): Invoice {
  const newest = invoice.refunds.findLast(({ status }) => status !== 'FAILED');
  if (newest === undefined) throw new ImpossibleEvent('This invoice has no refund that could fail.');
  return { ...invoice, refunds: invoice.refunds.map((made) => (made === newest ? ended(made, FAILED, now) : made)) };
}
