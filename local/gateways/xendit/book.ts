/** Where the Xendit sandbox keeps its invoices, and the lists in which Xendit shows what belongs to them. */
import { join } from 'node:path';
import { type Book, createBook } from '../book.ts';
import type { PreloadedPayment } from '../preload.ts';
import { type Invoice, invoice, opened, startRefund } from './invoices.ts';
import { transactionId } from './wire.ts';

export type InvoiceBook = Book<Invoice, 'transactions' | 'refunds'>;

export const keyName = (idempotencyKey: string): string => `key ${idempotencyKey}`;

export const createInvoiceBook = (stateDir: string | null): InvoiceBook =>
  createBook({
    dir: stateDir === null ? null : join(stateDir, 'xendit'),
    schema: invoice,
    idOf: ({ id }) => id,
    createdAt: ({ createdAt }) => createdAt,
    namesOf: (one) => [
      one.externalId,
      transactionId(one),
      ...one.refunds.flatMap(({ id, idempotencyKey: key }) => (key === null ? [id] : [id, keyName(key)])),
    ],
    lists: {
      transactions: (one) => (one.paidAt === null ? [] : [{ name: transactionId(one), at: one.paidAt }]),
      refunds: ({ refunds }) => refunds.map(({ id, createdAt }) => ({ name: id, at: createdAt })),
    },
  });

const NOTHING_ELSE = {
  description: null,
  items: [],
  payerEmail: null,
  locale: 'id',
  successUrl: null,
  failureUrl: null,
  channels: ['credit_card'],
} satisfies Partial<Invoice>;

/** An invoice that was opened, paid by card and perhaps refunded, all at one moment. */
export function preloadedInvoice({ reference, amountMinor, paidAt, refundedMinor }: PreloadedPayment): Invoice {
  const at = new Date(paidAt);
  const open = opened({ ...NOTHING_ELSE, externalId: reference, amount: amountMinor }, at, 3600);
  const paid: Invoice = { ...open, status: 'PAID', channel: 'credit_card', paidAt, paymentId: `py-${open.id}` };
  if (refundedMinor === 0) return paid;
  const asked = { referenceId: `preloaded-${open.id}`, idempotencyKey: null, amount: refundedMinor, reason: 'OTHERS' };
  const started = startRefund(paid, asked, at);
  return { ...started, refunds: started.refunds.map((made) => ({ ...made, status: 'SUCCEEDED' })) };
}
