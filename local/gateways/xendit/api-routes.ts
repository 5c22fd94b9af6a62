/** The merchant's side over HTTP, behind the secret key: invoices and their refunds. */
import { type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { type Faults, misbehaving, type Operation, type Reply } from '../faults.ts';
import { basic, behindKey } from '../merchant-key.ts';
import type { InvoiceBook } from './book.ts';
import { CHANNELS, type Channel, expire, type Invoice, isOpen, opened } from './invoices.ts';
import { listRefunds, listTransactions, queryOf } from './lists.ts';
import { createRefundApi } from './refund-api.ts';
import { invalidRequest, refused } from './refusals.ts';
import { invoiceBody, methodName } from './wire.ts';

export interface ApiState {
  readonly secretKey: string;
  readonly clock: () => Date;
  readonly faults: Faults;
  readonly book: InvoiceBook;
  /** By the invoice's own ID, as of now. */
  find(id: string): Invoice | undefined;
  /** Newest first, as of now; those of one external_id, or all. */
  under(externalId: string | undefined): Invoice[];
  save(invoice: Invoice): void;
  /** Stores it and notifies the merchant. */
  change(invoice: Invoice): void;
  /** Stores it; the end of its last refund is notified. */
  changeRefund(invoice: Invoice): void;
  invoiceUrl(invoice: Invoice): string;
}

export function apiRoutes(state: ApiState): Router {
  const { faults } = state;
  const refunds = createRefundApi(state);
  const router = Router();
  router.use(['/v2/invoices', '/invoices', '/refunds', '/transactions'], authorized(state.secretKey));
  const named = (id: unknown): string[] => {
    const [invoice] = state.book.named(String(id));
    return invoice === undefined ? [String(id)] : [invoice.id, invoice.externalId];
  };
  const byPath = (req: Request) => named(req.params.id);
  const byExternalId = (req: Request) => named(req.body?.external_id ?? req.query.external_id);
  const get = onInvoice(state, (invoice) => told(state, invoice));
  router.post('/v2/invoices', misbehaving(faults, 'create', create(state), byExternalId));
  router.get('/v2/invoices', misbehaving(faults, 'status', list(state), byExternalId));
  router.get('/v2/invoices/:id', misbehaving(faults, 'status', get, byPath));
  router.post('/invoices/:id/expire\\!', misbehaving(faults, 'expire', onInvoice(state, end(state)), byPath));
  const byInvoiceId = (req: Request) => named(req.body?.invoice_id ?? req.query.invoice_id);
  router.post('/refunds', misbehaving(faults, 'refund', refunds.create, byInvoiceId));
  const listing = (req: Request): Operation[] => [queryOf(req).has('invoice_id') ? 'refund_status' : 'list'];
  router.get('/refunds', misbehaving(faults, listing, listRefunds(state.book), byInvoiceId));
  router.get('/refunds/:id', misbehaving(faults, 'refund_status', refunds.get, byPath));
  router.get('/transactions', misbehaving(faults, 'list', listTransactions(state.book)));
  return router;
}

function authorized(secretKey: string): RequestHandler {
  return behindKey([basic(secretKey)], (_req, res) => {
    const { status, body } = refused(401, 'INVALID_API_KEY', 'API key is not authorized for this API service');
    res.status(status).json(body);
  });
}

const url = z.url({ protocol: /^https?$/, error: 'is not a valid url' });

const invoiceRequest = z.object({
  external_id: z.string({ error: 'is required' }).min(1, 'is required').max(255, 'is too long'),
  // Fractions of a rupiah are cut off and not refused.
  amount: z.number({ error: 'must be a number' }).transform(Math.floor).pipe(z.number().min(1, 'must be positive')),
  currency: z.literal('IDR', { error: 'is not enabled for this account' }).default('IDR'),
  // 24 hours is the default, a year the most.
  invoice_duration: z.coerce.number().int().min(1).max(31_536_000).default(86_400),
  description: z.string().optional(),
  payer_email: z.email({ error: 'is not a valid email' }).optional(),
  items: z
    .array(z.object({ name: z.string().min(1).max(255), price: z.number(), quantity: z.number().int().min(1) }))
    .default([]),
  locale: z.enum(['id', 'en']).default('id'),
  success_redirect_url: url.optional(),
  failure_redirect_url: url.optional(),
  payment_methods: z.array(z.string()).optional(),
});

/** A used external_id is taken again, and a second invoice opened: Xendit does so. */
const create =
  (state: ApiState) =>
  (req: Request): Reply => {
    const parsed = invoiceRequest.safeParse(req.body);
    if (!parsed.success) return invalidRequest(parsed.error);
    const channels = channelsOf(parsed.data.payment_methods);
    if (channels.length === 0) {
      return refused(
        400,
        'UNAVAILABLE_PAYMENT_METHOD_ERROR',
        'The payment method choices did not match with available ones',
      );
    }
    const invoice = opened({ ...given(parsed.data), channels }, state.clock(), parsed.data.invoice_duration);
    state.save(invoice);
    return told(state, invoice);
  };

const given = (body: z.infer<typeof invoiceRequest>) => ({
  externalId: body.external_id,
  amount: body.amount,
  description: body.description ?? null,
  items: body.items,
  payerEmail: body.payer_email ?? null,
  locale: body.locale,
  successUrl: body.success_redirect_url ?? null,
  failureUrl: body.failure_redirect_url ?? null,
});

function channelsOf(wanted: readonly string[] | undefined): Channel[] {
  if (wanted === undefined) return [...CHANNELS];
  return CHANNELS.filter((channel) => wanted.includes(methodName(channel)));
}

const told = (state: ApiState, invoice: Invoice): Reply => ({
  status: 200,
  body: invoiceBody(invoice, state.invoiceUrl(invoice)),
});

const listQuery = z.object({
  external_id: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(10),
});

const list =
  (state: ApiState) =>
  (req: Request): Reply => {
    const parsed = listQuery.safeParse(req.query);
    if (!parsed.success) return invalidRequest(parsed.error);
    const { external_id, limit } = parsed.data;
    const found = state.under(external_id).slice(0, limit);
    return { status: 200, body: found.map((invoice) => told(state, invoice).body) };
  };

const onInvoice =
  (state: ApiState, work: (invoice: Invoice) => Reply) =>
  (req: Request): Reply => {
    const invoice = state.find(String(req.params.id));
    return invoice === undefined ? refused(404, 'INVOICE_NOT_FOUND_ERROR', 'Could not find invoice') : work(invoice);
  };

const end =
  (state: ApiState) =>
  (invoice: Invoice): Reply => {
    if (!isOpen(invoice))
      return refused(400, 'INVALID_INVOICE_STATUS_ERROR', `The invoice is already ${invoice.status}`);
    const ended = expire(invoice, state.clock());
    state.change(ended);
    return told(state, ended);
  };
