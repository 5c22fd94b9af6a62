/** A bill in Billplz' own words: answers of the API, callbacks and redirects with their X-Signature. */
import { createHmac } from 'node:crypto';
import type { Reply } from '../faults.ts';
import type { Bill } from './bills.ts';

export const billBody = (bill: Bill, url: string) => ({
  id: bill.id,
  collection_id: bill.collectionId,
  paid: bill.state === 'paid',
  state: bill.state,
  amount: bill.amount,
  paid_amount: bill.paidAmount,
  due_at: shortDate(bill.dueAt),
  email: bill.email,
  mobile: bill.mobile,
  name: bill.name.toUpperCase(),
  url,
  reference_1_label: bill.reference1Label,
  reference_1: bill.reference1,
  reference_2_label: bill.reference2Label,
  reference_2: bill.reference2,
  redirect_url: bill.redirectUrl,
  callback_url: bill.callbackUrl,
  description: bill.description,
});

export const transactionsBody = ({ id, transactions }: Bill, page: number, status: string | undefined) => ({
  bill_id: id,
  transactions: transactions
    .filter((made) => status === undefined || made.status === status)
    .slice((page - 1) * 15, page * 15)
    .map((made) => ({
      id: made.id,
      status: made.status,
      completed_at: made.status === 'completed' ? made.at : null,
      payment_channel: CHANNEL_CODES[made.channel],
    })),
  page,
});

const CHANNEL_CODES = { fpx: 'FPX', card: 'TWOCTWOP', touchngo: 'TOUCHNGO' } as const;

/** The fields that are POSTed to the merchant: no reference among them. */
export function callbackFields(bill: Bill, url: string): Record<string, string> {
  const last = bill.transactions.at(-1);
  return {
    id: bill.id,
    collection_id: bill.collectionId,
    paid: String(bill.state === 'paid'),
    state: bill.state,
    amount: String(bill.amount),
    paid_amount: String(bill.paidAmount),
    due_at: shortDate(bill.dueAt),
    email: bill.email ?? '',
    mobile: bill.mobile ?? '',
    name: bill.name.toUpperCase(),
    url,
    paid_at: malaysianTime(bill.paidAt),
    ...(last === undefined ? {} : { transaction_id: last.id, transaction_status: last.status }),
  };
}

export const signedForm = (fields: Record<string, string>, key: string): string =>
  new URLSearchParams({ ...fields, x_signature: xSignature(fields, key) }).toString();

/** Where the payer's browser is sent; null = the bill has no redirect_url, and shows a receipt. */
export function redirectAddress({ redirectUrl, id, state, paidAt }: Bill, key: string): string | null {
  if (redirectUrl === null) return null;
  const told = { id, paid: String(state === 'paid'), paid_at: malaysianTime(paidAt) };
  const fields = Object.fromEntries(Object.entries(told).map(([name, value]) => [`billplz${name}`, value]));
  const url = new URL(redirectUrl);
  for (const [name, value] of Object.entries(told)) url.searchParams.set(`billplz[${name}]`, value);
  url.searchParams.set('billplz[x_signature]', xSignature(fields, key));
  return url.href;
}

/** Names are plain ASCII and differ before their values begin, so lower case and code units sort like bytes. */
export function xSignature(fields: Record<string, string>, key: string): string {
  const elements = Object.entries(fields).map(([name, value]) => `${name}${value}`);
  const source = elements.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).join('|');
  return createHmac('sha256', key).update(source).digest('hex');
}

export const refused = (status: number, type: string, ...message: string[]): Reply => ({
  status,
  body: { error: { type, message } },
});

/** `YYYY-MM-DD HH:MM:SS +0800`, as Ruby prints it; empty while unpaid. */
const malaysianTime = (iso: string | null): string =>
  iso === null ? '' : `${new Date(Date.parse(iso) + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')} +0800`;

// Callbacks and answers drop the zeros: 2018-9-27.
const shortDate = (day: string): string => day.replace(/-0/g, '-');
