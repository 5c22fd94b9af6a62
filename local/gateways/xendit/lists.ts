/** `GET /transactions` and `GET /refunds`: newest first, a page at a time, continued behind the last ID seen. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import type { InvoiceBook } from './book.ts';
import type { Invoice } from './invoices.ts';
import { invalidRequest } from './refusals.ts';
import { refundBody, transactionBody } from './wire.ts';

const MOST = 50;
const limit = z.coerce.number().int().min(1).max(MOST).default(10);
const instant = z.iso
  .datetime({ offset: true, error: 'is not a valid date' })
  .transform((at) => new Date(at).getTime());

const transactionQuery = z.object({
  limit,
  after_id: z.string().optional(),
  reference_id: z.string().optional(),
  'created[gte]': instant.optional(),
  'created[lte]': instant.optional(),
});

const refundQuery = z.object({ limit, after_id: z.string().optional(), invoice_id: z.string().optional() });

export const queryOf = (req: Request): URLSearchParams => new URL(req.originalUrl, 'http://sandbox').searchParams;

/** Payments only: nothing else moves money here but refunds, which have a list of their own. */
export const listTransactions =
  (book: InvoiceBook) =>
  (req: Request): Reply => {
    const query = queryOf(req);
    const parsed = transactionQuery.safeParse(Object.fromEntries(query));
    if (!parsed.success) return invalidRequest(parsed.error);
    const {
      limit: size,
      after_id: after,
      reference_id: reference,
      'created[gte]': from,
      'created[lte]': to,
    } = parsed.data;
    const wanted = (name: string, among: string) => !query.has(name) || query.getAll(name).includes(among);
    if (!wanted('types', 'PAYMENT') || !wanted('statuses', 'SUCCESS'))
      return { status: 200, body: page(req, [], false) };
    const stretch = { from: iso(from), to: to === undefined ? undefined : iso(to + 1), after };
    const found: Invoice[] = [];
    for (const [, invoice] of book.walk('transactions', stretch)) {
      if (reference !== undefined && invoice.externalId !== reference) continue;
      if (found.push(invoice) > size) break;
    }
    return { status: 200, body: page(req, found.slice(0, size).map(transactionBody), found.length > size) };
  };

export const listRefunds =
  (book: InvoiceBook) =>
  (req: Request): Reply => {
    const parsed = refundQuery.safeParse(Object.fromEntries(queryOf(req)));
    if (!parsed.success) return invalidRequest(parsed.error);
    const { limit: size, after_id: after, invoice_id: invoiceId } = parsed.data;
    const found = invoiceId === undefined ? everyRefund(book, after, size + 1) : refundsOf(book, invoiceId, after);
    return { status: 200, body: page(req, found.slice(0, size), found.length > size) };
  };

type RefundBody = ReturnType<typeof refundBody>;

function everyRefund(book: InvoiceBook, after: string | undefined, most: number): RefundBody[] {
  const found: RefundBody[] = [];
  for (const [name, invoice] of book.walk('refunds', { after })) {
    found.push(...invoice.refunds.filter(({ id }) => id === name).map((made) => refundBody(invoice, made)));
    if (found.length >= most) break;
  }
  return found;
}

function refundsOf(book: InvoiceBook, invoiceId: string, after: string | undefined): RefundBody[] {
  const invoice = book.get(invoiceId);
  const all = invoice?.refunds.toReversed().map((made) => refundBody(invoice, made)) ?? [];
  return all.slice(after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1);
}

function page<T extends { readonly id: string }>(req: Request, data: readonly T[], hasMore: boolean) {
  const query = queryOf(req);
  query.set('after_id', data.at(-1)?.id ?? '');
  const next = { href: `${req.path}?${query}`, rel: 'next', method: 'GET' };
  return { has_more: hasMore, data, links: hasMore ? [next] : [] };
}

const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());
