/**
 * Xendit: an invoice is a pay page with an expiry; it is found again by our reference, its `external_id`. Rupiah only.
 * https://developers.xendit.co/api-reference/#invoices
 */
import { z } from 'zod';
import { money, sameMoney, sum } from '../../domain/money.ts';
import type { GatewayPayment } from '../../domain/payments.ts';
import { type CreatedPayment, type CreatePaymentRequest, GatewayError, type PaymentGateway } from './gateway.ts';
import { type Answer, type Exchange, exchange, unreadable } from './http.ts';
import { type Asker, asker, find, isUnauthorized, readable, unauthorized } from './xendit-http.ts';
import { createXenditList } from './xendit-list.ts';
import { lookUpRefund, refund } from './xendit-refunds.ts';
import {
  type Invoice,
  invoice,
  oldestFirst,
  parseTime,
  refusalBody,
  refusalCode,
  stateOf,
  toGatewayPayment,
  xenditMethod,
} from './xendit-wire.ts';

export interface XenditOptions {
  readonly secretKey: string;
  /** Without `/v2`, without a trailing slash: `https://api.xendit.co`. */
  readonly apiUrl: string;
  /** For one exchange that changes something; look-ups get 3 seconds of it at most. `create` takes up to three exchanges. */
  readonly timeoutMs?: number;
}

/**
 * **Xendit takes the same external_id again and again**, and creating has no idempotency key. So `create` looks first,
 * and looks once more when the answer to its request was unclear:
 * - an open invoice over the same amount under this reference is the first answer, given again;
 * - anything else under this reference (ended, paid, another amount) is `refused` with code `reference_used`;
 * - nothing found after an unclear answer stays `unknown`: the request may still be on its way. Repeat `create` with the
 *   same reference. Should that overtake the first one, two invoices exist; the payer knows one address only, `lookUp`
 *   tells of both together, and `expire` ends both.
 *
 * An invoice is `pending` from its first moment, so a look-up may say `pending` of an attempt whose address was never
 * received: repeat `create` to get it.
 *
 * `expire` ends the invoice at once, chosen channel or not. A payment under way at a bank can still arrive afterwards.
 *
 * An invoice shows neither refunds nor chargebacks, so `lookUp` never says `refunded` or `reversed`; `list` does.
 */
export function createXenditGateway(options: XenditOptions): PaymentGateway {
  const ask = asker(options);
  const lookUp = async (reference: string): Promise<GatewayPayment> => {
    const asked = ask.find(reference);
    const found = await find(asked, reference);
    return readable(asked, () => toGatewayPayment(found));
  };
  return {
    name: 'xendit',
    create: (request) => create(ask, request),
    lookUp,
    refund: (request) => refund(ask, request),
    lookUpRefund: (query) => lookUpRefund(ask, query),
    list: createXenditList(ask),
    expire: async (reference) => {
      const asked = ask.find(reference);
      const found = await find(asked, reference);
      const open = readable(asked, () => found.filter((said) => stateOf(said) === 'pending'));
      await Promise.all(open.map(({ id }) => end(ask.expire(id))));
      return lookUp(reference);
    },
  };
}

async function create(ask: Asker, request: CreatePaymentRequest): Promise<CreatedPayment> {
  const asked = ask.create(invoiceBody(request, checkRequest(request)));
  const earlier = await find(ask.find(request.reference), request.reference);
  if (earlier.length > 0) return firstAnswer(asked, earlier, request);
  try {
    return await open(asked, request);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind !== 'unknown') throw error;
    return afterUnclear(ask, request, error);
  }
}

async function open(asked: Exchange, request: CreatePaymentRequest): Promise<CreatedPayment> {
  const answer = await exchange(asked);
  if (answer.status !== 200 && answer.status !== 201) throw refusal(asked, answer);
  const parsed = invoice.safeParse(answer.body);
  if (!parsed.success) throw unreadable(asked, 'it is no invoice');
  if (!answersTo(parsed.data, request)) throw unreadable(asked, 'it is another invoice than the one asked for');
  return created(asked, parsed.data);
}

async function afterUnclear(ask: Asker, request: CreatePaymentRequest, unclear: GatewayError): Promise<CreatedPayment> {
  const found = await find(ask.find(request.reference), request.reference).catch((cause: unknown) => {
    // Not being told is no news about the first request: that stays unclear, whatever went wrong now.
    throw new GatewayError('unknown', unclear.code, unclear.message, { cause });
  });
  if (found.length === 0) throw unclear;
  return firstAnswer(ask.create({}), found, request);
}

/** The invoice that an earlier request opened, if it is the one that is asked for now. */
function firstAnswer(asked: Exchange, found: readonly Invoice[], request: CreatePaymentRequest): CreatedPayment {
  const [first] = oldestFirst(found);
  const same = readable(asked, () => found.every((said) => stateOf(said) === 'pending' && answersTo(said, request)));
  if (first === undefined || !same) {
    const told = 'Xendit already has another payment under this reference; look it up.';
    throw new GatewayError('refused', 'reference_used', told);
  }
  return created(asked, first);
}

function answersTo(said: Invoice, { reference, amount }: CreatePaymentRequest): boolean {
  return (
    said.external_id === reference && said.currency === amount.currency && said.amount === Number(amount.amountMinor)
  );
}

function created(asked: Exchange, said: Invoice): CreatedPayment {
  const expiresAt = readable(asked, () => parseTime(said.expiry_date));
  if (said.invoice_url === undefined || expiresAt === null)
    throw unreadable(asked, 'it has no invoice_url or expiry_date');
  return { redirectUrl: said.invoice_url, expiresAt };
}

/** @returns whole seconds until the expiry, rounded down: Xendit counts from when the request arrives. */
function checkRequest(request: CreatePaymentRequest): number {
  if (!/^[A-Za-z0-9._~-]{1,50}$/.test(request.reference)) {
    throw invalid('a reference has 1 to 50 letters, digits, dashes, underscores, tildes or dots');
  }
  if (request.amount.currency !== 'IDR')
    throw invalid('it takes IDR only here; choose another gateway for this invoice');
  if (request.amount.amountMinor <= 0n || request.amount.amountMinor > 999_999_999_999n) {
    throw invalid('the amount must be between Rp1 and Rp999.999.999.999');
  }
  if (request.items.some((item) => !Number.isInteger(item.quantity) || item.quantity < 1)) {
    throw invalid('an item needs a whole quantity of 1 or more');
  }
  const lines = request.items.map((item) =>
    money(item.amount.amountMinor * BigInt(item.quantity), item.amount.currency),
  );
  // Xendit would not mind: it goes by the amount alone.
  if (!sameMoney(sum(lines, 'IDR'), request.amount)) throw invalid('the items do not add up to the amount');
  return secondsOpen(request);
}

// A year is Xendit's bound (https://docs.xendit.co/xeninvoice/faq); under a minute nobody can pay.
function secondsOpen({ now, expiresAt }: CreatePaymentRequest): number {
  const seconds = Math.floor((new Date(expiresAt).getTime() - new Date(now).getTime()) / 1000);
  if (!(seconds >= 60 && seconds <= 365 * 86_400)) throw invalid('a payment must stay open for 1 minute to 365 days');
  return seconds;
}

const invalid = (why: string): GatewayError =>
  new GatewayError('refused', 'invalid_request', `Xendit was not asked to create a payment: ${why}.`);

const invoiceBody = (request: CreatePaymentRequest, seconds: number) => ({
  external_id: request.reference,
  amount: Number(request.amount.amountMinor),
  currency: request.amount.currency,
  invoice_duration: seconds,
  description: request.items
    .map(({ name }) => name)
    .join(', ')
    .slice(0, 250),
  items: request.items.map(({ name, amount, quantity }) => ({
    name: name.slice(0, 255),
    price: Number(amount.amountMinor),
    quantity,
  })),
  payer_email: request.payer.email,
  customer: { given_names: request.payer.name.slice(0, 255), email: request.payer.email },
  // Alur writes its own letters, and an address sent by mail would survive the attempt that it belongs to.
  should_send_email: false,
  locale: request.locale,
  success_redirect_url: request.finishUrl,
  failure_redirect_url: request.finishUrl,
  ...(request.method === undefined ? {} : { payment_methods: [xenditMethod(request.method)] }),
});

/** Ended, or no longer to be ended (paid meanwhile, gone): the look-up that follows tells which. */
async function end(asked: Exchange): Promise<void> {
  const answer = await exchange(asked);
  if (isUnauthorized(answer)) throw unauthorized();
  if (answer.status === 408) throw unreadable(asked, 'status 408');
}

function refusal(asked: Exchange, answer: Answer): GatewayError {
  if (isUnauthorized(answer)) return unauthorized();
  // 409: the same request is being worked on; 408: it was given up on half-way. Neither says that nothing was done.
  if (answer.status === 409 || answer.status === 408) return unreadable(asked, `status ${answer.status}`);
  const parsed = refusalBody.safeParse(answer.body);
  if (!parsed.success) return unreadable(asked, `status ${answer.status} without an error_code`);
  // Only codes and names of fields are repeated: the messages may quote what was sent.
  const code = refusalCode(parsed.data.error_code) ?? `status ${answer.status}`;
  const about = [code, ...parsed.data.errors.flatMap(fieldName)].join(', ');
  return new GatewayError('refused', 'invalid_request', `Xendit refused to create the payment: ${about}.`);
}

const fieldProblem = z.union([
  z.object({ path: z.string() }).transform(({ path }) => path),
  z.object({ field: z.string() }).transform(({ field }) => field),
  z.object({ field_name: z.string() }).transform(({ field_name }) => field_name),
]);

function fieldName(problem: unknown): string[] {
  const parsed = fieldProblem.safeParse(problem);
  return parsed.success && /^[a-z_.[\]0-9]{1,60}$/.test(parsed.data) ? [parsed.data] : [];
}
