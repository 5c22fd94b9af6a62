/**
 * Billplz' words, translated: what it answers about bills, and how it writes amounts and times. Ringgit only, in sen.
 * https://www.billplz.com/api#v3-bills
 */
import { z } from 'zod';
import { type Money, money, sum } from '../../domain/money.ts';
import type { GatewayPayment, GatewayPaymentState } from '../../domain/payments.ts';

/** Every refusal. The messages are sentences that may quote what was sent: only names of fields are taken from them. */
export const refusalBody = z.object({
  error: z.object({
    type: z.string().default(''),
    message: z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]),
  }),
});

// A whole number of sen. Numbers in the documentation's answers; Rails writes some of its integers as text.
const sen = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .pipe(z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER));

export const bill = z.object({
  id: z.string().min(1),
  collection_id: z.string(),
  state: z.string().transform((state) => state.toLowerCase()),
  paid: z.boolean(),
  amount: sen,
  paid_amount: sen,
  url: z.url({ protocol: /^https?$/ }),
  reference_1: z.string().nullish(),
  // Not in the documentation's answers, but in its callbacks.
  paid_at: z.string().nullish(),
});
export type Bill = z.infer<typeof bill>;

/**
 * What the bills under one reference say together. There is one, unless a bill was also made by hand. Money on any of
 * them is ours to account for, so `paid` is what all of them took.
 * @throws RangeError when a state or time is not one we know how to read.
 */
export function toGatewayPayment(found: readonly Bill[]): GatewayPayment {
  const inState = (state: GatewayPaymentState) => found.filter((said) => stateOf(said) === state);
  const paid = inState('paid');
  const said = paid[0] ?? inState('pending')[0] ?? inState('expired')[0];
  if (said === undefined) return NOT_FOUND;
  return {
    state: stateOf(said),
    paid: paid.length === 0 ? null : sum(paid.map(taken), 'MYR'),
    paidAt: paid.length === 0 ? null : parseTime(said.paid_at),
    transactionId: said.id,
    // A bill does not tell; only its list of transactions would, at the price of another rate-limited question.
    method: null,
  };
}

const NOT_FOUND: GatewayPayment = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };

/**
 * A payment that failed leaves its bill `due`: the payer may try again. Refunds and chargebacks leave no trace.
 * @throws RangeError
 */
export function stateOf({ state, paid }: Bill): GatewayPaymentState {
  if (paid !== (state === 'paid')) throw new RangeError(`the state "${state}" contradicts paid: ${paid}`);
  switch (state) {
    case 'due':
      return 'pending';
    case 'paid':
      return 'paid';
    // It comes back as `paid` when the payer was already at the bank.
    case 'deleted':
      return 'expired';
    default:
      throw new RangeError(`the state "${state}" is not one of Billplz' documented ones`);
  }
}

const taken = ({ paid_amount }: Bill): Money => money(paid_amount, 'MYR');

/** `"2018-09-27 15:15:09 +0800"` or ISO 8601 → the instant in UTC; null when it is not told. @throws RangeError */
export function parseTime(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === '') return null;
  const ruby = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2}):?(\d{2})$/.exec(text);
  const iso = ruby === null ? text : `${ruby[1]}T${ruby[2]}${ruby[3]}:${ruby[4]}`;
  const at = z.iso.datetime({ offset: true }).safeParse(iso);
  if (!at.success) throw new RangeError('the time is not written as YYYY-MM-DD HH:MM:SS +0800');
  return new Date(at.data).toISOString();
}

/** The day in Malaysia, `YYYY-MM-DD`: what `due_at` shows the payer. It ends nothing. */
export const malaysianDay = (iso: string): string =>
  new Date(new Date(iso).getTime() + 8 * 3_600_000).toISOString().slice(0, 10);
