/**
 * Xendit's words, translated: what it answers about invoices, and how it writes amounts and times.
 * https://developers.xendit.co/api-reference/#invoices
 */
import { z } from 'zod';
import { type Money, rupiah, sum } from '../../domain/money.ts';
import type { GatewayPayment, GatewayPaymentState } from '../../domain/payments.ts';

/** Every refusal. `errors` differs from endpoint to endpoint; only the names of fields are taken from it. */
export const refusalBody = z.object({
  error_code: z.string().default(''),
  errors: z.array(z.unknown()).default([]),
});

/** Only codes are repeated to people: the messages may quote what was sent. null = none that could be repeated. */
export const refusalCode = (code: string): string | null => /^[A-Z_]{1,60}$/.exec(code)?.[0] ?? null;

export const invoice = z.object({
  id: z.string().min(1),
  external_id: z.string(),
  status: z.string().transform((status) => status.toUpperCase()),
  amount: z.number(),
  currency: z.string().default('IDR'),
  created: z.string().default(''),
  // Not in every list; an invoice that was just created has both.
  invoice_url: z.url({ protocol: /^https?$/ }).optional(),
  expiry_date: z.string().optional(),
  paid_amount: z.number().nullish(),
  paid_at: z.string().nullish(),
  payment_method: z.string().nullish(),
  payment_channel: z.string().nullish(),
});
export type Invoice = z.infer<typeof invoice>;

export const invoices = z.array(invoice);

/**
 * What the invoices under one external_id say together. There is one, unless a request outlived our patience and
 * arrived after its own repeat: Xendit takes an external_id any number of times. Money on any of them is ours to account
 * for, so `paid` is what all of them took.
 * @throws RangeError when an amount, currency, time or status is not one we know how to read.
 */
export function toGatewayPayment(found: readonly Invoice[]): GatewayPayment {
  const inState = (state: GatewayPaymentState) => oldestFirst(found.filter((said) => stateOf(said) === state));
  const paid = inState('paid');
  const said = paid[0] ?? inState('pending')[0] ?? inState('expired')[0];
  if (said === undefined) return NOT_FOUND;
  return {
    state: stateOf(said),
    paid: paid.length === 0 ? null : sum(paid.map(taken), 'IDR'),
    paidAt: paid.length === 0 ? null : parseTime(said.paid_at),
    transactionId: said.id,
    method: methodOf(said),
  };
}

const NOT_FOUND: GatewayPayment = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };

export const oldestFirst = (found: readonly Invoice[]): Invoice[] =>
  found.toSorted((a, b) => a.created.localeCompare(b.created) || a.id.localeCompare(b.id));

/** Refunds and chargebacks leave no trace on an invoice: they are objects of their own. @throws RangeError */
export function stateOf({ status }: Invoice): GatewayPaymentState {
  switch (status) {
    case 'PENDING':
      return 'pending';
    // SETTLED: the money has reached the merchant's balance too.
    case 'PAID':
    case 'SETTLED':
      return 'paid';
    case 'EXPIRED':
      return 'expired';
    default:
      throw new RangeError(`the status "${status}" is not one of Xendit's documented ones`);
  }
}

// The published schema of an invoice lacks paid_amount, though answers carry it. Without it the whole amount was paid:
// an invoice takes exactly its amount or nothing (https://docs.xendit.co/xeninvoice/faq).
export const taken = ({ paid_amount, amount, currency }: Invoice): Money =>
  parseAmount(paid_amount ?? amount, currency);

/** `10000` → 10000 rupiah, exactly. @throws RangeError on fractions of a rupiah and foreign currencies. */
export function parseAmount(amount: number, currency: string): Money {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError('the amount is not a whole number of rupiah');
  if (currency !== 'IDR') throw new RangeError('the currency is not IDR');
  return rupiah(amount);
}

/** ISO 8601 with its offset → the same instant in UTC. @throws RangeError */
export function parseTime(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const at = z.iso.datetime({ offset: true }).safeParse(text);
  if (!at.success) throw new RangeError('the time is not written as ISO 8601');
  return new Date(at.data).toISOString();
}

function methodOf({ payment_method, payment_channel }: Invoice): string | null {
  if (payment_method === null || payment_method === undefined) return null;
  const channel = payment_channel?.toLowerCase();
  switch (payment_method.toUpperCase()) {
    case 'BANK_TRANSFER':
    case 'POOL':
    case 'CALLBACK_VIRTUAL_ACCOUNT':
      return channel === undefined ? 'bank_transfer' : `${channel}_va`;
    case 'QR_CODE':
    case 'QRIS':
      return 'qris';
    case 'EWALLET':
    case 'RETAIL_OUTLET':
    case 'DIRECT_DEBIT':
    case 'PAYLATER':
      return channel ?? payment_method.toLowerCase();
    default:
      return payment_method.toLowerCase();
  }
}

/** `bca_va` → `BCA`, as `payment_methods` wants it; everything else in capitals: `QRIS`, `CREDIT_CARD`, `OVO`. */
export const xenditMethod = (method: string): string => method.replace(/_va$/, '').toUpperCase();
