/** The payer's pages: where letters lead to, and where gateways send people back to. */
import { z } from 'zod';
import { type PayableInvoice, payableInvoice } from '../../db/invoice-reads.ts';
import { payablePartsOf } from '../../db/payable.ts';
import { paymentOutcome } from '../../db/payment-reads.ts';
import type { Origin } from '../../domain/events.ts';
import type { FailureCode } from '../../domain/failures.ts';
import type { InvoiceId } from '../../domain/ids.ts';
import { methodsFor } from '../../domain/payment-methods.ts';
import { amountToAsk, PARTS, type Part } from '../../domain/payments.ts';
import type { ApiDeps } from '../deps.ts';
import { PROBLEM_TYPES } from '../errors.ts';
import { isStillRunning, RETRY_AFTER_SECONDS, toFailure } from '../failures.ts';
import { loggable } from '../logging.ts';
import { PAGE_HEADERS, type Words } from '../pages/layout.ts';
import { paidPage, unknownPaymentPage } from '../pages/paid.ts';
import { type Offer, payPage, unknownInvoicePage } from '../pages/pay.ts';
import { gatewayFor, gatewaysFor, openPayment } from '../payment-process.ts';
import type { Locale } from '../request.ts';
import { defineRoute, html } from '../route.ts';
import { invoiceIdSchema, paymentIdSchema } from '../schemas/ids.ts';

const tags = ['Public'];
const page = { contentType: 'text/html' };

const showInvoice = defineRoute({
  method: 'get',
  base: 'root',
  path: '/pay/:invoiceId',
  summary: 'The page on which an invoice is paid: where letters lead to',
  description: 'Whoever has the link sees it; the ID cannot be guessed.',
  tags,
  permission: 'public',
  params: z.object({ invoiceId: z.string().max(200) }),
  responses: {
    200: { description: 'The invoice and its state', ...page },
    404: { description: 'No invoice has this ID', ...page },
  },
  async handler({ params, deps, locale }) {
    const invoice = await invoiceOf(deps, params.invoiceId);
    if (!invoice) return html(404, unknownInvoicePage(locale), PAGE_HEADERS);
    return html(200, payPage(invoice, await offerOf(deps, invoice), locale), PAGE_HEADERS, targets(deps));
  },
});

const payInvoice = defineRoute({
  method: 'post',
  base: 'root',
  path: '/pay/:invoiceId',
  summary: "The button of that page: leads to the gateway's page",
  description:
    'Opens an attempt to pay, or finds the one that is open. An empty body leaves every choice to the office.',
  tags,
  permission: 'public',
  limit: 'pay',
  idempotent: false,
  params: z.object({ invoiceId: z.string().max(200) }),
  form: true,
  body: z.strictObject({
    method: z.string().max(40).default('').describe('As GET /payments/methods lists them; empty = any.'),
    part: z.enum(PARTS).default('next'),
  }),
  responses: {
    303: { description: 'To the page of the gateway', ...page },
    404: { description: 'No invoice has this ID', ...page },
    409: { description: 'There is nothing to pay now; the page says why', ...page },
    422: { description: 'The gateway refuses; the page says what to do', ...page },
    503: { description: 'The gateway does not answer; the page says when to try again', ...page },
  },
  async handler({ params, body, origin, deps, locale, requestKey }) {
    const invoice = await invoiceOf(deps, params.invoiceId);
    if (!invoice) return html(404, unknownInvoicePage(locale), PAGE_HEADERS);
    const asked = { ...body, requestKey, origin, locale };
    const opened = invoice.state === 'open' ? await pageToPayOn(deps, invoice, asked) : NOT_OPEN;
    if ('redirectUrl' in opened) return html(303, '', { ...PAGE_HEADERS, Location: opened.redirectUrl });
    return instead(deps, invoice.id, locale, opened.code);
  },
});

const showPayment = defineRoute({
  method: 'get',
  base: 'root',
  path: '/paid/:paymentId',
  summary: 'What has become of a payment: where gateways send the payer back to',
  tags,
  permission: 'public',
  params: z.object({ paymentId: z.string().max(200) }),
  responses: {
    200: { description: 'The payment and its state', ...page },
    404: { description: 'No payment has this ID', ...page },
  },
  async handler({ params, deps, locale }) {
    const id = paymentIdSchema.safeParse(params.paymentId);
    const payment = id.success ? await paymentOutcome(deps.db, id.data) : null;
    if (!payment) return html(404, unknownPaymentPage(locale), PAGE_HEADERS);
    const invoiceUrl = `${deps.publicUrl}/pay/${payment.invoiceId}`;
    return html(200, paidPage(payment, locale, invoiceUrl, new Date()), PAGE_HEADERS);
  },
});

export const payPageRoutes = [showInvoice, payInvoice, showPayment];

async function invoiceOf({ db }: ApiDeps, text: string): Promise<PayableInvoice | null> {
  const id = invoiceIdSchema.safeParse(text);
  return id.success ? payableInvoice(db, id.data) : null;
}

async function offerOf(deps: ApiDeps, { id, total: { currency } }: PayableInvoice): Promise<Offer> {
  const parts = await payablePartsOf(deps.db, id);
  const { amountMinor } = amountToAsk(parts, parts.instalments, 'next');
  return { parts, methods: methodsFor({ currency, amountMinor, offered: gatewaysFor(deps, currency) }) };
}

/**
 * Browsers hold the redirect after a form to the page's own policy as well. Which address the gateway will give is not
 * known before it is asked, so its scheme has to do; plain http is for one machine, where the sandbox speaks no other.
 */
const targets = ({ publicUrl }: ApiDeps) => ({ formTargets: ["'self'", new URL(publicUrl).protocol] });

/** What a payer may run into, with the page as the answer; anything else is a failure of ours. */
const EXPECTED = [
  'invoice_not_open',
  'payment_unclear',
  'gateway_refused',
  'gateway_not_available',
  'method_not_available',
  'amount_not_payable',
  'gateway_unavailable',
  'temporarily_unavailable',
] as const satisfies readonly FailureCode[];
type Trouble = { readonly code: (typeof EXPECTED)[number] };

const NOT_OPEN: Trouble = { code: 'invoice_not_open' };

async function pageToPayOn(
  deps: ApiDeps,
  { id, payerId }: PayableInvoice,
  asked: { method: string; part: Part; requestKey: string; origin: Origin; locale: Locale },
): Promise<{ redirectUrl: string } | Trouble> {
  const { part, origin, locale } = asked;
  const method = asked.method === '' ? {} : { method: asked.method };
  try {
    const gateway = gatewayFor(deps, await payablePartsOf(deps.db, id), { part, ...method });
    const request = { by: payerId, gateway, ...method, part, locale, origin };
    return await openPayment(deps, id, asked.requestKey, request);
  } catch (error) {
    const code = isStillRunning(error) ? 'gateway_unavailable' : toFailure(error, 'invoice_not_open').code;
    const expected = EXPECTED.find((one) => one === code);
    if (!expected) throw error;
    deps.logger.warn({ code, err: loggable(error) }, 'a payer could not be sent to the gateway');
    return { code: expected };
  }
}

const AWAY: Words = {
  id: 'Penyedia pembayaran belum dapat dihubungi, dan belum ada yang ditagih. Tekan tombol ini lagi beberapa menit lagi.',
  en: 'The payment provider cannot be reached, and nothing was charged. Press the button again in a few minutes.',
};

const UNFIT: Words = {
  id: 'Jumlah ini tidak dapat dibayar dengan cara itu, dan belum ada yang ditagih. Pilih cara membayar yang lain.',
  en: 'This amount cannot be paid that way, and nothing was charged. Choose another way to pay.',
};

/** The invoice once more, as it is by now, with the reason why there is no way on. */
async function instead(deps: ApiDeps, id: InvoiceId, locale: Locale, code: Trouble['code']) {
  const invoice = await payableInvoice(deps.db, id);
  if (!invoice) return html(404, unknownInvoicePage(locale), PAGE_HEADERS);
  const page = async (trouble?: Words) => payPage(invoice, await offerOf(deps, invoice), locale, trouble);
  switch (code) {
    case 'gateway_unavailable':
    case 'temporarily_unavailable': {
      const headers = { ...PAGE_HEADERS, 'Retry-After': String(RETRY_AFTER_SECONDS) };
      return html(503, await page(AWAY), headers, targets(deps));
    }
    case 'gateway_refused':
    case 'gateway_not_available':
      return html(422, await page(PROBLEM_TYPES[code].detail), PAGE_HEADERS, targets(deps));
    case 'method_not_available':
    case 'amount_not_payable':
      return html(422, await page(UNFIT), PAGE_HEADERS, targets(deps));
    case 'payment_unclear':
    case 'invoice_not_open': {
      // A banner that says "paid" needs no complaint below it.
      const trouble = invoice.state === 'open' ? PROBLEM_TYPES[code].detail : undefined;
      return html(409, await page(trouble), PAGE_HEADERS, targets(deps));
    }
  }
}
