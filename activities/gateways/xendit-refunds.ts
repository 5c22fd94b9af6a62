/**
 * Refunds at Xendit. They belong to an invoice, and are found again by our key, their `reference_id`.
 * https://docs.xendit.co/apidocs/refund-payment-request
 */
import { sameMoney } from '../../domain/money.ts';
import type { RefundReason } from '../../domain/refunds.ts';
import {
  GatewayError,
  type GatewayErrorCode,
  type GatewayErrorKind,
  type GatewayRefund,
  NO_REFUND,
  type RefundQuery,
  type RefundRequest,
} from './gateway.ts';
import { type Answer, type Exchange, exchange, unreadable } from './http.ts';
import { type Asker, find, isUnauthorized, readable, unauthorized } from './xendit-http.ts';
import { refundPage, refundSaid, type SaidRefund, toGatewayRefund } from './xendit-refund-wire.ts';
import { type Invoice, oldestFirst, refusalBody, refusalCode, stateOf, taken } from './xendit-wire.ts';

/**
 * How long Xendit remembers an idempotency key is not published, so the key is a help and not the guarantee: before each
 * request the invoice's refunds are read, and one with our key is the answer. A refund starts `pending`.
 */
export async function refund(ask: Asker, request: RefundRequest): Promise<GatewayRefund> {
  const { key, amount, reference } = request;
  if (amount.currency !== 'IDR' || amount.amountMinor <= 0n) {
    throw new GatewayError('refused', 'invalid_request', 'Xendit gives back whole rupiah only; check the amount.');
  }
  const asked = ask.find(reference);
  const found = await find(asked, reference);
  const paid = readable(asked, () => oldestFirst(found.filter((said) => stateOf(said) === 'paid')));
  const earlier = await madeUnder(ask, paid, key);
  if (earlier !== null)
    return firstAnswer(
      readable(asked, () => toGatewayRefund(earlier)),
      request,
    );
  const from = readable(asked, () => payer(paid, request));
  return start(ask.refund(refundBody(from, request), key), request);
}

/** @throws GatewayError, never of kind `unknown` */
export async function lookUpRefund(ask: Asker, query: RefundQuery): Promise<GatewayRefund> {
  const { reference, key, refundId } = query;
  const known = refundId === null ? null : await byId(ask.refundById(refundId), key);
  if (known !== null) return known;
  const asked = ask.find(reference);
  const said = await madeUnder(ask, await find(asked, reference), key);
  return said === null ? NO_REFUND : readable(asked, () => toGatewayRefund(said));
}

async function byId(asked: Exchange, key: string): Promise<GatewayRefund | null> {
  const answer = await exchange(asked);
  if (isUnauthorized(answer)) throw unauthorized();
  if (answer.status === 404) return null;
  const parsed = refundSaid.safeParse(answer.body);
  if (answer.status !== 200 || !parsed.success) throw unreadable(asked, `status ${answer.status} without a refund`);
  return parsed.data.reference_id === key ? readable(asked, () => toGatewayRefund(parsed.data)) : null;
}

/** Xendit lists the refunds of an invoice; it does not look for a `reference_id`. */
async function madeUnder(ask: Asker, invoices: readonly Invoice[], key: string): Promise<SaidRefund | null> {
  for (const { id } of invoices) {
    for await (const said of refundsIn(ask, { invoice_id: id })) {
      if (said.reference_id === key) return said;
    }
  }
  return null;
}

const PAGE = 50;

/** Page after page, as long as somebody wants more. */
export async function* refundsIn(ask: Asker, filter: Record<string, string>): AsyncGenerator<SaidRefund> {
  let after: string | undefined;
  do {
    const query = new URLSearchParams({
      ...filter,
      limit: String(PAGE),
      ...(after === undefined ? {} : { after_id: after }),
    });
    const asked = ask.refunds(query);
    const answer = await exchange(asked);
    if (isUnauthorized(answer)) throw unauthorized();
    const parsed = refundPage.safeParse(answer.body);
    if (answer.status !== 200 || !parsed.success) throw unreadable(asked, `status ${answer.status} without refunds`);
    yield* parsed.data.data;
    after = parsed.data.has_more ? parsed.data.data.at(-1)?.id : undefined;
  } while (after !== undefined);
}

/** A repeat gets what became of the first one. */
function firstAnswer(earlier: GatewayRefund, { amount }: RefundRequest): GatewayRefund {
  if (earlier.amount !== null && sameMoney(earlier.amount, amount)) return earlier;
  throw new GatewayError('refused', 'reference_used', 'Xendit has a refund over another amount under this key.');
}

/** Two invoices under one reference may both be paid: the one that is known by name, else the oldest that covers it. */
function payer(paid: readonly Invoice[], { amount, transactionId }: RefundRequest): Invoice {
  if (paid.length === 0) {
    throw new GatewayError('refused', 'not_refundable_now', 'Xendit has no paid invoice under this reference.');
  }
  const covering = paid.filter((said) => taken(said).amountMinor >= amount.amountMinor);
  const from = covering.find(({ id }) => id === transactionId) ?? covering[0];
  if (from !== undefined) return from;
  throw new GatewayError(
    'refused',
    'refund_exceeds_payment',
    'No invoice at Xendit under this reference took as much.',
  );
}

const refundBody = ({ id }: Invoice, { key, amount, reason }: RefundRequest) => ({
  invoice_id: id,
  reference_id: key,
  amount: Number(amount.amountMinor),
  currency: amount.currency,
  reason: REASON[reason],
});

const REASON: Record<RefundReason, string> = {
  requested_by_payer: 'REQUESTED_BY_CUSTOMER',
  duplicate: 'DUPLICATE',
  fraud: 'FRAUDULENT',
  not_issued: 'CANCELLATION',
  goods_returned: 'REQUESTED_BY_CUSTOMER',
  goods_cancelled: 'CANCELLATION',
  paid_late: 'OTHERS',
  overpaid: 'OTHERS',
  wrong_amount: 'OTHERS',
  goodwill: 'OTHERS',
  other: 'OTHERS',
};

async function start(asked: Exchange, { key, amount }: RefundRequest): Promise<GatewayRefund> {
  const answer = await exchange(asked);
  if (answer.status !== 200 && answer.status !== 201) throw refusal(asked, answer);
  const parsed = refundSaid.safeParse(answer.body);
  if (!parsed.success) throw unreadable(asked, 'it is no refund');
  // "200: refund is pending", whether it says so or not.
  const said = readable(asked, () => toGatewayRefund({ ...parsed.data, status: parsed.data.status ?? 'PENDING' }));
  if (parsed.data.reference_id !== key || said.amount === null || !sameMoney(said.amount, amount)) {
    throw unreadable(asked, 'it is another refund than the one asked for');
  }
  return said;
}

type Meaning = readonly [GatewayErrorKind, GatewayErrorCode, string];

const TOO_MUCH: Meaning = ['refused', 'refund_exceeds_payment', 'less than that is left of the payment'];
const NOT_THIS_WAY: Meaning = ['refused', 'channel_cannot_refund', 'this way of paying cannot be refunded like that'];
const NOT_NOW: Meaning = ['refused', 'not_refundable_now', 'the payment is in no state to be refunded'];

// Codes of both generations of the API. Names only: some come with 400 in one and 403 in the other.
const MEANING = new Map<string, Meaning>([
  ['REFUND_AMOUNT_EXCEEDED', TOO_MUCH],
  ['MAXIMUM_REFUND_AMOUNT_REACHED', TOO_MUCH],
  ['PARTIAL_REFUND_NOT_SUPPORTED', NOT_THIS_WAY],
  ['PARTIAL_REFUND_COUNTS_EXCEEDED', NOT_THIS_WAY],
  ['REFUND_NOT_SUPPORTED', NOT_THIS_WAY],
  ['INELIGIBLE_TRANSACTION', NOT_NOW],
  ['INELIGIBLE_TRANSACTION_STATUS', NOT_NOW],
  ['TRANSACTION_NOT_FOUND', NOT_NOW],
  ['DATA_NOT_FOUND', NOT_NOW],
  // Nothing was done, and the same request works once the account is topped up or the channel is back.
  ['INSUFFICIENT_BALANCE', ['retry_later', 'not_refundable_now', 'the balance there is too low; top it up']],
  ['TEMPORARILY_UNAVAILABLE', ['retry_later', 'not_refundable_now', 'the channel cannot refund at this time']],
  // Perhaps this very refund, begun by a request whose answer was lost.
  ['REFUND_IN_PROGRESS', ['unknown', 'in_progress', 'a refund of this payment is under way']],
  ['DUPLICATE_ERROR', ['unknown', 'in_progress', 'it has seen this key before']],
]);

/** A code first: Xendit says 403 of a channel that cannot refund, and of a key without the permission. */
function refusal(asked: Exchange, answer: Answer): GatewayError {
  const parsed = refusalBody.safeParse(answer.body);
  const code = parsed.success ? refusalCode(parsed.data.error_code) : null;
  const meaning = MEANING.get(code ?? '');
  if (meaning !== undefined) return new GatewayError(meaning[0], meaning[1], `Xendit did not refund: ${meaning[2]}.`);
  if (isUnauthorized(answer)) return unauthorized();
  if (answer.status === 408 || answer.status === 409 || code === null) {
    return unreadable(asked, `status ${answer.status} without a code that tells what was done`);
  }
  return new GatewayError('refused', 'invalid_request', `Xendit refused to refund the payment: ${code}.`);
}
