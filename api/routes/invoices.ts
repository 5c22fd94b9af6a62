import { z } from 'zod';
import {
  findInvoice,
  type Invoice,
  type InvoiceLineRead,
  linesOf,
  listInvoices,
  openAttemptOf,
} from '../../db/invoice-reads.ts';
import { Failure } from '../../domain/failures.ts';
import type { InvoiceId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { type GatewayName, INVOICE_STATES } from '../../domain/payments.ts';
import type { ApiDeps } from '../deps.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { gatewaysFor, openPayment } from '../payment-process.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import { companyIdSchema, invoiceIdSchema, positionInTime } from '../schemas/ids.ts';
import { invoiceSchema, invoiceSummarySchema, openedPaymentSchema, paySchema } from '../schemas/invoices.ts';
import { onceStored, storedPdf } from '../stored-pdf.ts';
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
  }),
  responses: { 200: { description: 'A page of invoices', schema: pageOf(invoiceSummarySchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listInvoices(deps.db, actor, { ...filter, after, limit: limit + 1 });
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
    const invoice = await invoiceSeenBy(deps, actor, id);
    const [lines, open] = await Promise.all([linesOf(deps.db, invoice), openAttemptOf(deps.db, id, new Date())]);
    return json(200, {
      ...summaryJson(invoice),
      lines: lines.map((line) => lineJson(line, locale)),
      openPayment: open && { ...open, expiresAt: timeJson(open.expiresAt) },
    });
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
    const { applicationId, pdfSha256 } = invoice;
    const again = async () => (await invoiceSeenBy(deps, actor, id)).pdfSha256;
    const stored = pdfSha256 ?? (applicationId && (await onceStored(deps.changes, applicationId, again)));
    if (stored) return storedPdf(deps.files, stored, invoice.number);
    throw new Failure('not_found', 'The PDF is being made. Ask again in a minute; it is also sent by e-mail.');
  },
});

const pay = defineRoute({
  method: 'post',
  path: '/invoices/:id/pay',
  summary: 'Get a link to pay an invoice',
  description: 'While an attempt is open, the same link comes back; another gateway or method ends it first.',
  tags,
  permission: 'invoice.pay',
  params,
  body: paySchema,
  problems: [
    'not_found',
    'invoice_not_open',
    'gateway_not_available',
    'gateway_refused',
    'gateway_unavailable',
    'payment_unclear',
  ],
  workflow: { gone: 'invoice_not_open' },
  responses: { 201: { description: 'Where to pay', schema: openedPaymentSchema } },
  async handler({ params: { id }, body, actor, origin, deps, locale, requestKey }) {
    // Without their roles: whoever sees every invoice for the office pays only those of their own company.
    const invoice = await invoiceSeenBy(deps, { userId: actor.userId, roles: [] }, id);
    if (invoice.state !== 'open') throw notOpen(invoice);
    const offered = gatewaysFor(deps, invoice.total.currency);
    if (!offered.includes(body.gateway)) throw notAvailable(body.gateway, offered);
    return json(201, await openPayment(deps, id, requestKey, { by: actor.userId, ...body, locale, origin }));
  },
});

const notOpen = ({ number, state }: Invoice) =>
  new Failure('invoice_not_open', `Invoice ${number} is ${state}: it cannot be paid any more.`, { state });

const notAvailable = (gateway: GatewayName, offered: readonly GatewayName[]) =>
  new Failure('gateway_not_available', `${gateway} is not offered here. Choose one of: ${offered.join(', ')}.`, {
    errors: [{ pointer: '/gateway', code: 'not_available', detail: offered.join(', ') }],
  });

export const invoiceRoutes = [list, read, pdf, pay];

async function invoiceSeenBy(deps: ApiDeps, viewer: Actor, id: InvoiceId): Promise<Invoice> {
  const invoice = await findInvoice(deps.db, viewer, id);
  if (!invoice) throw new Failure('not_found', 'There is no such invoice, or none that you may see.');
  return invoice;
}

const summaryJson = (invoice: Invoice) => ({
  id: invoice.id,
  number: invoice.number,
  companyId: invoice.companyId,
  applicationId: invoice.applicationId,
  state: invoice.state,
  subtotal: moneyJson(invoice.subtotal),
  tax: moneyJson(invoice.tax),
  total: moneyJson(invoice.total),
  issuedAt: timeJson(invoice.issuedAt),
  dueAt: timeJson(invoice.dueAt),
  paidAt: timeOrNull(invoice.paidAt),
});

const lineJson = (line: InvoiceLineRead, locale: Locale) => ({
  code: line.code,
  description: line.description[locale],
  kind: line.kind,
  net: moneyJson(line.net),
  tax: moneyJson(line.tax),
});
