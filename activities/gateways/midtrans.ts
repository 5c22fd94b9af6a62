/**
 * Midtrans: Snap opens the pay page, the Core API tells and ends what happened on it. Rupiah only.
 * https://docs.midtrans.com/reference/backend-integration, https://docs.midtrans.com/reference/core-api-overview
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { money, sameMoney, sum } from '../../domain/money.ts';
import type { GatewayPayment } from '../../domain/payments.ts';
import { type CreatedPayment, type CreatePaymentRequest, GatewayError, type PaymentGateway } from './gateway.ts';
import { type Answer, type Exchange, exchange, unreadable } from './http.ts';
import { type CoreQuestion, coreExchange, unauthorized, underWay } from './midtrans-core.ts';
import { lookUpRefund, refund } from './midtrans-refunds.ts';
import { formatTime, toGatewayPayment, transaction } from './midtrans-wire.ts';

export interface MidtransOptions {
  readonly serverKey: string;
  /** Without `/snap/v1`, without a trailing slash: `https://app.midtrans.com`. */
  readonly snapUrl: string;
  /** Without `/v2`: `https://api.midtrans.com`. */
  readonly apiUrl: string;
  readonly timeoutMs?: number;
}

/**
 * **A lost answer to `create`** (GatewayError `unknown`). Snap gives a page's address once, and a look-up says
 * `not_found` until the payer has chosen a channel there, so asking alone cannot tell "never arrived" from "nobody chose
 * yet". Repeat `create` with the same reference instead; the order_id makes a second page impossible:
 * - within 5 minutes Midtrans repeats its first answer (Idempotency-Key), redirect URL included;
 * - if the first call never arrived, the repeat simply opens the page;
 * - `refused` with code `reference_used`: the page exists and its address is lost. The payer never had it either, so a
 *   look-up that says `not_found` means no money can come: close this attempt and open a new one under a new reference.
 *   Any other look-up is the truth of this attempt. The same holds for a repeat after the 5 minutes;
 * - `unknown` with code `in_progress`: the first call is still being worked on; ask again in a few seconds.
 *
 * **`expire` before a channel is chosen** gives `not_found`: the Core API does not know the page and cannot end it; the
 * page takes money until `expiresAt`. The caller must keep that attempt open until then (hand the payer the same
 * redirect URL, keep polling), and not open another beside it. Midtrans sends no notification when such a page expires.
 */
export function createMidtransGateway(options: MidtransOptions): PaymentGateway {
  const ask = asker(options);
  const lookUp = async (reference: string) =>
    readTransaction(ask.core({ method: 'GET', id: reference, verb: 'status', purpose: 'look up a payment' }));
  return {
    name: 'midtrans',
    create: (request) => create(ask.snap, request),
    lookUp,
    refund: (request) => refund(ask.core, request),
    lookUpRefund: (query) => lookUpRefund(ask.core, query),
    // Midtrans has no list of transactions outside its dashboard: each is asked about by its order_id.
    list: null,
    expire: async (reference) => {
      await endTransaction(ask.core({ method: 'POST', id: reference, verb: 'expire', purpose: 'expire a payment' }));
      return lookUp(reference);
    },
  };
}

function asker({ serverKey, snapUrl, apiUrl, timeoutMs = 10_000 }: MidtransOptions) {
  const authorization = `Basic ${Buffer.from(`${serverKey}:`).toString('base64')}`;
  const common = { gateway: 'Midtrans', headers: { authorization }, timeoutMs };
  return {
    snap: (body: unknown, headers: Record<string, string>): Exchange => ({
      ...common,
      purpose: 'create a payment',
      url: `${snapUrl}/snap/v1/transactions`,
      method: 'POST',
      headers: { authorization, ...headers },
      body,
    }),
    core: ({ method, id, verb, purpose, body, headers = {} }: CoreQuestion): Exchange => ({
      ...common,
      purpose,
      url: `${apiUrl}/v2/${encodeURIComponent(id)}/${verb}`,
      method,
      headers: { authorization, ...headers },
      body,
    }),
  };
}

const snapAnswer = z.object({ token: z.string().min(1), redirect_url: z.url({ protocol: /^https?$/ }) });
const snapRefusal = z.object({ error_messages: z.array(z.string()) });

async function create(snap: ReturnType<typeof asker>['snap'], request: CreatePaymentRequest): Promise<CreatedPayment> {
  checkRequest(request);
  const minutes = minutesOpen(request);
  const asked = snap(snapBody(request, minutes), snapHeaders(request));
  const answer = await exchange(asked);
  if (answer.status === 202) throw underWay(asked);
  if (answer.status !== 201 && answer.status !== 200) throw refusal(asked, answer);
  const parsed = snapAnswer.safeParse(answer.body);
  if (!parsed.success) throw unreadable(asked, 'it has no redirect_url');
  const expiresAt = new Date(startOfSecond(request.now) + minutes * 60_000).toISOString();
  return { redirectUrl: parsed.data.redirect_url, expiresAt };
}

function checkRequest(request: CreatePaymentRequest): void {
  if (!/^[A-Za-z0-9._~-]{1,50}$/.test(request.reference)) {
    throw invalid('a reference has 1 to 50 letters, digits, dashes, underscores, tildes or dots');
  }
  if (request.amount.currency !== 'IDR') throw invalid('it takes IDR only; choose another gateway for this invoice');
  if (request.amount.amountMinor <= 0n || request.amount.amountMinor > 999_999_999_999n) {
    throw invalid('the amount must be between Rp1 and Rp999.999.999.999');
  }
  if (request.items.some((item) => !Number.isInteger(item.quantity) || item.quantity < 1)) {
    throw invalid('an item needs a whole quantity of 1 or more');
  }
  const lines = request.items.map((item) =>
    money(item.amount.amountMinor * BigInt(item.quantity), item.amount.currency),
  );
  if (!sameMoney(sum(lines, 'IDR'), request.amount)) throw invalid('the items do not add up to the amount');
}

/** Whole minutes, rounded down: a page must not outlive our own expiry. Snap's bounds are 5 minutes and 7 days. */
function minutesOpen({ now, expiresAt }: CreatePaymentRequest): number {
  const minutes = Math.floor((new Date(expiresAt).getTime() - startOfSecond(now)) / 60_000);
  if (!(minutes >= 5 && minutes <= 7 * 24 * 60)) throw invalid('a payment must stay open for 5 minutes to 7 days');
  return minutes;
}

// The wire carries whole seconds.
const startOfSecond = (iso: string): number => Math.floor(new Date(iso).getTime() / 1000) * 1000;

const invalid = (why: string): GatewayError =>
  new GatewayError('refused', 'invalid_request', `Midtrans was not asked to create a payment: ${why}.`);

function snapBody(request: CreatePaymentRequest, minutes: number) {
  return {
    transaction_details: { order_id: request.reference, gross_amount: Number(request.amount.amountMinor) },
    item_details: request.items.map((item, index) => ({
      id: String(index + 1),
      name: item.name.slice(0, 50),
      price: Number(item.amount.amountMinor),
      quantity: item.quantity,
    })),
    customer_details: { first_name: request.payer.name.slice(0, 255), email: request.payer.email },
    // Both: `expiry` ends the channel (a VA number outlives its page otherwise), `page_expiry` ends the page.
    expiry: { start_time: formatTime(request.now), unit: 'minute', duration: minutes },
    page_expiry: { unit: 'minute', duration: minutes },
    callbacks: { finish: request.finishUrl },
    ...(request.method === undefined ? {} : { enabled_payments: [snapMethod(request.method)] }),
  };
}

// Snap calls a QR code that any wallet can scan "other_qris"; everybody else says "qris".
const snapMethod = (method: string): string => (method === 'qris' ? 'other_qris' : method);

function snapHeaders({ reference, amount, locale }: CreatePaymentRequest): Record<string, string> {
  // The amount belongs to the key: Midtrans repeats its first answer "regardless of the request body", and a page over
  // another amount must never come back. 45 characters; Midtrans ignores keys longer than 46 without a word.
  const hash = createHash('sha256').update(`${reference}\n${amount.amountMinor}`).digest('hex');
  return { 'idempotency-key': `snap-${hash.slice(0, 40)}`, 'x-payment-locale': locale === 'en' ? 'en-EN' : 'id-ID' };
}

function refusal(asked: Exchange, answer: Answer): GatewayError {
  if (answer.status === 401 || answer.status === 403) return unauthorized();
  // 409: another request with the same Idempotency-Key is being worked on.
  if (answer.status === 409 || answer.status === 408) return unreadable(asked, `status ${answer.status}`);
  const parsed = snapRefusal.safeParse(answer.body);
  const messages = parsed.success ? parsed.data.error_messages : [];
  if (messages.some((message) => /order_id.*(taken|used|utilized|digunakan)/i.test(message))) {
    return new GatewayError(
      'refused',
      'reference_used',
      'Midtrans already has a payment under this reference; look it up.',
    );
  }
  // Only the names of fields are repeated: the messages may quote what was sent.
  const fields = messages.flatMap((message) => /^[a-z_.[\]0-9]+/.exec(message)?.[0] ?? []);
  const about = fields.length > 0 ? fields.join(', ') : `status ${answer.status}`;
  return new GatewayError('refused', 'invalid_request', `Midtrans refused to create the payment: ${about}.`);
}

const NOT_FOUND: GatewayPayment = { state: 'not_found', paid: null, paidAt: null, transactionId: null, method: null };

async function readTransaction(asked: Exchange): Promise<GatewayPayment> {
  const { body, code } = await coreExchange(asked);
  if (code === '404') return NOT_FOUND;
  const parsed = transaction.safeParse(body);
  if (!parsed.success) throw unreadable(asked, `status_code ${code} without a transaction`);
  try {
    return toGatewayPayment(parsed.data);
  } catch (cause) {
    if (cause instanceof RangeError) throw unreadable(asked, cause.message);
    throw cause;
  }
}

/** 200 and 407: ended. 404: no channel chosen. 412: not in a state to be ended. The look-up that follows tells which. */
async function endTransaction(asked: Exchange): Promise<void> {
  const { code } = await coreExchange(asked);
  if (!['200', '202', '404', '407', '412'].includes(code)) throw unreadable(asked, `status_code ${code}`);
}
