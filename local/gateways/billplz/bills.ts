/** A bill as Billplz keeps it, and the moves it can make. Pure: the clock is handed in, nothing is sent or stored. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { type EventOptions, ImpossibleEvent, type SandboxEvent } from '../sandbox.ts';

export const CHANNELS = ['fpx', 'card', 'touchngo'] as const;
export type Channel = (typeof CHANNELS)[number];
const isChannel = (value: string): value is Channel => CHANNELS.some((channel) => channel === value);

const transaction = z.object({
  id: z.string(),
  status: z.enum(['completed', 'failed']),
  at: z.string(),
  channel: z.enum(CHANNELS),
});

export const bill = z.object({
  id: z.string(),
  collectionId: z.string(),
  email: z.string().nullable(),
  mobile: z.string().nullable(),
  name: z.string(),
  amount: z.number(),
  callbackUrl: z.string(),
  redirectUrl: z.string().nullable(),
  description: z.string(),
  dueAt: z.string(),
  reference1Label: z.string(),
  reference1: z.string().nullable(),
  reference2Label: z.string(),
  reference2: z.string().nullable(),
  createdAt: z.string(),
  state: z.enum(['due', 'paid', 'deleted']),
  paidAmount: z.number(),
  paidAt: z.string().nullable(),
  transactions: z.array(transaction),
});
export type Bill = z.infer<typeof bill>;

type Opening = 'state' | 'paidAmount' | 'paidAt' | 'transactions' | 'id' | 'createdAt';

export const opened = (given: Omit<Bill, Opening>, now: Date): Bill => ({
  ...given,
  id: shortId(8),
  createdAt: now.toISOString(),
  state: 'due',
  paidAmount: 0,
  paidAt: null,
  transactions: [],
});

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const shortId = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');

// "All bills will default to expiry 30 days after creation"; nothing else ends one but DELETE.
const OPEN_MS = 30 * 86_400_000;
export const endsAt = ({ createdAt }: Bill): string => new Date(Date.parse(createdAt) + OPEN_MS).toISOString();

/** The bill at this moment. */
export const asOf = (one: Bill, now: Date): Bill =>
  one.state === 'due' && now >= new Date(endsAt(one)) ? { ...one, state: 'deleted' } : one;

/** By which a script or a fault may name it. */
export const namesOf = (one: Bill | undefined, asked: string): string[] =>
  one === undefined || one.reference1 === null ? [asked] : [one.id, one.reference1];

/** Why DELETE is refused; null = it may go. */
export const deletionRefusal = ({ state }: Bill): string | null =>
  state === 'due' ? null : `Bill is ${state} and cannot be deleted`;

/** @throws ImpossibleEvent with what can be done instead. */
export function happen(one: Bill, event: SandboxEvent, now: Date, options: EventOptions): Bill {
  switch (event) {
    case 'pay':
      return pay(due(one), now, options);
    case 'fail':
      return attempt(due(one), 'failed', now, options);
    case 'expire':
      return { ...due(one), state: 'deleted' };
    case 'pay-late':
      if (one.state === 'paid') throw new ImpossibleEvent('This bill is paid; only a due or deleted one is paid late.');
      // "Deleted bill will always reappear once the customer makes payment."
      return pay(one, now, options);
    case 'refund':
    case 'refund-settle':
    case 'refund-fail':
    case 'reverse':
    case 'unreverse':
      throw new ImpossibleEvent(
        'Billplz shows no refund and no reversal on a bill; the merchant pays back by transfer.',
      );
    case 'settle':
    case 'challenge':
      throw new ImpossibleEvent('A Billplz bill is due, paid or deleted; it neither settles nor is it challenged.');
  }
}

function due(one: Bill): Bill {
  if (one.state === 'due') return one;
  const hint = one.state === 'deleted' ? 'to pay a deleted bill use pay-late' : 'only a due one can do this';
  throw new ImpossibleEvent(`This bill is ${one.state}; ${hint}.`);
}

const pay = (one: Bill, now: Date, options: EventOptions): Bill => ({
  ...attempt(one, 'completed', now, options),
  state: 'paid',
  paidAmount: one.amount,
  paidAt: now.toISOString(),
});

/** The payer's try at a bank; one that fails leaves the bill as it was. */
function attempt(one: Bill, status: 'completed' | 'failed', now: Date, { channel = 'fpx' }: EventOptions): Bill {
  if (!isChannel(channel)) throw new ImpossibleEvent(`A bill is paid by ${CHANNELS.join(', ')}; choose one of them.`);
  const tried = { id: shortId(12).toUpperCase(), status, at: now.toISOString(), channel };
  return { ...one, transactions: [...one.transactions, tried] };
}
