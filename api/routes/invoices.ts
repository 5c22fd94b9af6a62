import { z } from 'zod';
import {
  findInvoice,
  type InstalmentRead,
  type Invoice,
  type InvoiceLineRead,
  instalmentsOfInvoice,
  isOverdue,
  linesOf,
  listInvoices,
  openAttemptOf,
} from '../../db/invoice-reads.ts';
import { Failure } from '../../domain/failures.ts';
import type { InvoiceId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { INVOICE_STATES } from '../../domain/payments.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { voidInvoice } from '../payment-process.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import {
  companyIdSchema,
  invoiceIdSchema,
  orderIdSchema,
  positionInTime,
  subscriptionIdSchema,
} from '../schemas/ids.ts';
import { invoiceSchema, invoiceSummarySchema, voidSchema } from '../schemas/invoices.ts';
import { onceMade, storedPdf } from '../stored-pdf.ts';
import { moneyJson, timeJson, timeOrNull } from '../wire.ts';

const params = z.object({ id: invoiceIdSchema });
const tags = ['Invoices'];

const list = defineRoute({
  method: 'get',
  path: '/invoices',
  summary: "Invoices of the caller's companies, or all for those who see every case; newest first",
  tags,
  permission: 'invoice.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(INVOICE_STATES).optional(),
    companyId: companyIdSchema.optional(),
    subscriptionId: subscriptionIdSchema.optional(),
    orderId: orderIdSchema.optional(),
    overdue: z.enum(['true']).optional().describe('`true` = only what should have been paid by now, whole or in part'),
  }),
  responses: { 200: { description: 'A page of invoices', schema: pageOf(invoiceSummarySchema) } },
  async handler({ query: { limit, cursor, overdue, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const overdueAt = overdue ? new Date() : undefined;
    const rows = await listInvoices(deps.db, actor, { ...filter, overdueAt, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, summaryJson, ({ issuedAt, id }) => ({ at: issuedAt, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/invoices/:id',
  summary: 'An invoice with its lines, and where to pay it',
  tags,
  permission: 'invoice.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The invoice', schema: invoiceSchema } },
  async handler({ params: { id }, actor, deps, locale }) {
    return json(200, await wholeJson(deps, await invoiceSeenBy(deps, actor, id), locale));
  },
});

const pdf = defineRoute({
  method: 'get',
  path: '/invoices/:id/pdf',
  summary: 'The invoice to print',
  tags,
  permission: 'invoice.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The invoice', contentType: 'application/pdf' } },
  async handler({ params: { id }, actor, deps }) {
    const invoice = await invoiceSeenBy(deps, actor, id);
    const again = async () => (await invoiceSeenBy(deps, actor, id)).pdfSha256;
    const stored = invoice.pdfSha256 ?? (await onceMade(deps, invoice, again));
    if (stored) return storedPdf(deps.files, stored, invoice.number);
    throw new Failure('not_found', 'The PDF is being made. Ask again in a minute; it is also sent by e-mail.');
  },
});

const voiding = defineRoute({
  method: 'post',
  path: '/invoices/:id/void',
  summary: 'Void an invoice of which nothing was paid, and issue another in its place',
  description:
    'An attempt to pay it that is open is ended first. What was paid in part is refunded before. The invoice of a subscription is closed by its subscription, and not in this way.',
  tags,
  permission: 'invoice.void',
  params,
  body: voidSchema,
  problems: [
    'not_found',
    'invoice_not_open',
    'invoice_of_subscription',
    'invoice_part_paid',
    'payment_unclear',
    'gateway_unavailable',
  ],
  workflow: { gone: 'invoice_not_open' },
  responses: { 200: { description: 'The voided invoice, which names the other', schema: invoiceSchema } },
  async handler({ params: { id }, body, actor, origin, deps, locale, requestKey }) {
    refuseVoid(await invoiceSeenBy(deps, actor, id));
    const { lines, ...asked } = body;
    await voidInvoice(deps, id, requestKey, {
      ...asked,
      ...(lines
        ? { lines: lines.map(({ code, amountMinor }) => ({ code, amountMinor: amountMinor.toString() })) }
        : {}),
      by: actor.userId,
      origin,
    });
    return json(200, await wholeJson(deps, await invoiceSeenBy(deps, actor, id), locale));
  },
});

/** What the process would say too, in the invoice's own words. */
function refuseVoid({ number, state, paid, subscriptionId, orderId }: Invoice): void {
  if (subscriptionId) throw new Failure('invoice_of_subscription', '');
  if (orderId) throw new Failure('invoice_of_order', '');
  if (state !== 'open')
    throw new Failure('invoice_not_open', `Invoice ${number} is ${state}: it cannot be voided any more.`, { state });
  if (paid.amountMinor > 0n)
    throw new Failure('invoice_part_paid', `A part of invoice ${number} has been paid. Refund that part first.`);
}

export const invoiceRoutes = [list, read, pdf, voiding];

export async function invoiceSeenBy(deps: ApiDeps, viewer: Actor, id: InvoiceId): Promise<Invoice> {
  const invoice = await findInvoice(deps.db, viewer, id);
  if (!invoice) throw new Failure('not_found', 'There is no such invoice, or none that you may see.');
  return invoice;
}

async function wholeJson(deps: ApiDeps, invoice: Invoice, locale: Locale) {
  const now = new Date();
  const [lines, instalments, open] = await Promise.all([
    linesOf(deps.db, invoice),
    instalmentsOfInvoice(deps.db, invoice),
    openAttemptOf(deps.db, invoice.id, now),
  ]);
  return {
    ...summaryJson(invoice),
    lines: lines.map((line) => lineJson(line, locale)),
    paid: moneyJson(invoice.paid),
    credited: moneyJson(invoice.credited),
    overdue: isOverdue(invoice, now),
    instalments: instalments.map(instalmentJson),
    replaces: invoice.replaces,
    replacedBy: invoice.replacedBy,
    voidReason: invoice.voidReason,
    openPayment: open && { ...open, expiresAt: timeJson(open.expiresAt) },
  };
}

const instalmentJson = ({ position, amount, dueAt, paidAt }: InstalmentRead) => ({
  position,
  amount: moneyJson(amount),
  dueAt: timeJson(dueAt),
  paidAt: timeOrNull(paidAt),
});

const summaryJson = (invoice: Invoice) => ({
  id: invoice.id,
  number: invoice.number,
  companyId: invoice.companyId,
  applicationId: invoice.applicationId,
  subscriptionId: invoice.subscriptionId,
  orderId: invoice.orderId,
  state: invoice.state,
  subtotal: moneyJson(invoice.subtotal),
  tax: moneyJson(invoice.tax),
  total: moneyJson(invoice.total),
  outstanding: moneyJson(invoice.outstanding),
  issuedAt: timeJson(invoice.issuedAt),
  dueAt: timeJson(invoice.dueAt),
  paidAt: timeOrNull(invoice.paidAt),
});

const lineJson = (line: InvoiceLineRead, locale: Locale) => ({
  code: line.code,
  description: line.description[locale],
  kind: line.kind,
  net: moneyJson(line.net),
  discount: moneyJson(line.discount),
  tax: moneyJson(line.tax),
});
