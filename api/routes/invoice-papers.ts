/** What follows an invoice: receipts for what was paid of it, credit notes for what was taken back. */
import { z } from 'zod';
import { creditNotesOfInvoice } from '../../db/credit-notes.ts';
import { type PrintedPaper, paperSeenBy } from '../../db/papers.ts';
import { receiptsOfInvoice } from '../../db/receipts.ts';
import { Failure } from '../../domain/failures.ts';
import type { ApiDeps } from '../deps.ts';
import { defineRoute, json } from '../route.ts';
import { creditNoteIdSchema, invoiceIdSchema, receiptIdSchema } from '../schemas/ids.ts';
import { creditNoteSchema, receiptSchema } from '../schemas/invoices.ts';
import { onceMade, storedPdf } from '../stored-pdf.ts';
import { moneyJson, timeJson } from '../wire.ts';
import { invoiceSeenBy } from './invoices.ts';

const tags = ['Invoices'];
const ofInvoice = z.object({ id: invoiceIdSchema });
/** An invoice has few: all at once. */
const all = <T extends z.ZodType>(items: T) => z.object({ items: z.array(items), nextCursor: z.null() });

const receipts = defineRoute({
  method: 'get',
  path: '/invoices/:id/receipts',
  summary: 'The receipts of an invoice, oldest first',
  tags,
  permission: 'invoice.read',
  params: ofInvoice,
  problems: ['not_found'],
  responses: { 200: { description: 'All of them', schema: all(receiptSchema) } },
  async handler({ params: { id }, actor, deps }) {
    await invoiceSeenBy(deps, actor, id);
    const rows = await receiptsOfInvoice(deps.db, id);
    const items = rows.map((receipt) => ({
      ...receipt,
      amount: moneyJson(receipt.amount),
      issuedAt: timeJson(receipt.issuedAt),
    }));
    return json(200, { items, nextCursor: null });
  },
});

const receiptPdf = defineRoute({
  method: 'get',
  path: '/receipts/:id/pdf',
  summary: 'A receipt to print',
  tags,
  permission: 'invoice.read',
  params: z.object({ id: receiptIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'The receipt', contentType: 'application/pdf' } },
  handler: ({ params: { id }, actor, deps }) =>
    paper(deps, 'There is no such receipt, or none that you may see.', () =>
      paperSeenBy(deps.db, actor, 'receipts', id),
    ),
});

const creditNotes = defineRoute({
  method: 'get',
  path: '/invoices/:id/credit-notes',
  summary: 'The credit notes of an invoice, oldest first',
  tags,
  permission: 'invoice.read',
  params: ofInvoice,
  problems: ['not_found'],
  responses: { 200: { description: 'All of them', schema: all(creditNoteSchema) } },
  async handler({ params: { id }, actor, deps }) {
    await invoiceSeenBy(deps, actor, id);
    const rows = await creditNotesOfInvoice(deps.db, id);
    const items = rows.map((note) => ({
      ...note,
      subtotal: moneyJson(note.subtotal),
      tax: moneyJson(note.tax),
      total: moneyJson(note.total),
      issuedAt: timeJson(note.issuedAt),
    }));
    return json(200, { items, nextCursor: null });
  },
});

const creditNotePdf = defineRoute({
  method: 'get',
  path: '/credit-notes/:id/pdf',
  summary: 'A credit note to print',
  tags,
  permission: 'invoice.read',
  params: z.object({ id: creditNoteIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'The credit note', contentType: 'application/pdf' } },
  handler: ({ params: { id }, actor, deps }) =>
    paper(deps, 'There is no such credit note, or none that you may see.', () =>
      paperSeenBy(deps.db, actor, 'credit_notes', id),
    ),
});

export const invoicePaperRoutes = [receipts, receiptPdf, creditNotes, creditNotePdf];

/** The stored PDF; who asks in the moment in which it is being made waits for it. */
async function paper(deps: ApiDeps, none: string, read: () => Promise<PrintedPaper | null>) {
  const found = await read();
  if (!found) throw new Failure('not_found', none);
  const again = async () => (await read())?.pdf ?? null;
  const stored = found.pdf ?? (await onceMade(deps, found, again));
  if (stored) return storedPdf(deps.files, stored, found.number);
  throw new Failure('not_found', 'The PDF is being made. Ask again in a minute.');
}
