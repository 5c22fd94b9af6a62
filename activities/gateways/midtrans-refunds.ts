/**
 * Refunds at Midtrans: asked for under our key, and told by the `refunds[]` of the transaction's status.
 * https://docs.midtrans.com/reference/refund-transaction
 */
import { type Money, sameMoney } from '../../domain/money.ts';
import { GatewayError, type GatewayRefund, NO_REFUND, type RefundQuery, type RefundRequest } from './gateway.ts';
import { type Exchange, unreadable } from './http.ts';
import { type AskCore, type CoreAnswer, coreExchange, underWay } from './midtrans-core.ts';
import {
  methodOf,
  parseAmount,
  type RefundEntry,
  type RefundedTransaction,
  refundedTransaction,
} from './midtrans-wire.ts';

/** The channels that give back at all; no virtual account and no shop's counter is among them. */
const REFUNDABLE: ReadonlySet<string> = new Set([
  'credit_card',
  'gopay',
  'shopeepay',
  'dana',
  'ovo',
  'qris',
  'kredivo',
  'akulaku',
]);
const WHOLE_ONLY: ReadonlySet<string> = new Set(['shopeepay', 'ovo']);

/**
 * A repeat with the same key is harmless for ever: within 5 minutes the Idempotency-Key brings the first answer again,
 * after them the used refund_key is refused (406), and what Midtrans lists under it is the answer.
 *
 * **When a refund has succeeded**: wallets, QRIS and pay-later give back while they are asked, so what Midtrans lists has
 * gone back. A card's refund is a request to its bank: `pending` until the listed refund carries `bank_confirmed_at`.
 * A refund that was listed once and is not any more has `failed` with the reason `no_longer_listed`.
 * @throws GatewayError
 */
export async function refund(ask: AskCore, request: RefundRequest): Promise<GatewayRefund> {
  checkRequest(request);
  const asked = ask(question(request));
  const answer = await coreExchange(asked);
  switch (answer.code) {
    case '200':
      return accepted(asked, answer, request);
    case '202':
    case '406':
    case '412':
    case '414':
      return notNow(ask, asked, answer, request);
    case '404':
      throw refused('invalid_request', 'it knows no such payment');
    default:
      throw refused('invalid_request', `status_code ${answer.code}`);
  }
}

/** @throws GatewayError, never of kind `unknown` */
export async function lookUpRefund(ask: AskCore, query: RefundQuery): Promise<GatewayRefund> {
  const asked = ask(statusOf(query.reference));
  const said = await readTransaction(asked);
  const entry = said?.refunds.find(({ refund_key }) => refund_key === query.key);
  if (said !== null && entry !== undefined) return told(asked, said, entry);
  if (query.refundId === null) return NO_REFUND;
  return { state: 'failed', refundId: query.refundId, amount: null, reason: 'no_longer_listed' };
}

const statusOf = (id: string) => ({ method: 'GET', id, verb: 'status', purpose: 'look up a refund' }) as const;

const question = ({ reference, key, amount, reason }: RefundRequest) =>
  ({
    method: 'POST',
    id: reference,
    verb: 'refund',
    purpose: 'refund a payment',
    body: { refund_key: key, amount: Number(amount.amountMinor), reason },
    // 43 characters; Midtrans ignores keys longer than 46 without a word.
    headers: { 'idempotency-key': `refund-${key}` },
  }) as const;

/** Refused without asking: what Midtrans would refuse anyway, and what it could misread. */
function checkRequest({ key, amount, captured, method }: RefundRequest): void {
  if (!/^[A-Za-z0-9_-]{1,39}$/.test(key)) {
    throw refused('invalid_request', 'a key has 1 to 39 letters, digits, dashes or underscores');
  }
  if (amount.currency !== 'IDR' || amount.amountMinor <= 0n) {
    throw refused('invalid_request', 'the amount must be a whole number of rupiah above nothing');
  }
  if (captured.currency !== 'IDR' || amount.amountMinor > captured.amountMinor) throw exceeds();
  const channel = method === null ? null : channelRefusal(method, sameMoney(amount, captured));
  if (channel !== null) throw channel;
}

function channelRefusal(method: string, whole: boolean): GatewayError | null {
  if (!REFUNDABLE.has(method)) return refused('channel_cannot_refund', `${method} gives nothing back`);
  if (whole || !WHOLE_ONLY.has(method)) return null;
  return refused('channel_cannot_refund', `${method} gives back all or nothing`);
}

/** The answer may list the refund; where it does not, Midtrans has accepted what it was asked for. */
function accepted(asked: Exchange, { body }: CoreAnswer, { key, amount }: RefundRequest): GatewayRefund {
  const said = refundedTransaction.safeParse(body);
  if (!said.success) throw unreadable(asked, 'it is no refund');
  const entry = said.data.refunds.find(({ refund_key }) => refund_key === key);
  if (entry !== undefined) return told(asked, said.data, entry);
  return { state: isCard(said.data) ? 'pending' : 'succeeded', refundId: key, amount, reason: null };
}

/** None of these codes proves that nothing was done: a repeat of what was done may be refused in any of them. */
async function notNow(
  ask: AskCore,
  asked: Exchange,
  answer: CoreAnswer,
  request: RefundRequest,
): Promise<GatewayRefund> {
  const look = ask(statusOf(request.reference));
  const said = await readTransaction(look).catch(unclear);
  const entry = said?.refunds.find(({ refund_key }) => refund_key === request.key);
  if (said !== null && entry !== undefined) return told(look, said, entry);
  switch (answer.code) {
    case '202':
      // Without a transaction the answer is not about a refund: 202 is also said of a request that is under way.
      if (!refundedTransaction.safeParse(answer.body).success) throw underWay(asked);
      return { state: 'failed', refundId: null, amount: null, reason: 'denied_by_bank' };
    case '406':
      // The key is used and nothing is listed: it may be about to be, so another key would be a second refund.
      throw underWay(asked);
    default:
      throw said === null
        ? refused('not_refundable_now', 'it has no such payment any more')
        : refusal(look, said, request);
  }
}

/** Not "nothing was done": the look-up that would tell went wrong after the refund was asked for. */
function unclear(error: unknown): never {
  if (!(error instanceof GatewayError) || error.kind !== 'retry_later') throw error;
  throw new GatewayError('unknown', error.code, error.message, {
    retryAfterSeconds: error.retryAfterSeconds,
    cause: error,
  });
}

/** 412 and 414 have several meanings; the transaction tells which. */
function refusal(look: Exchange, said: RefundedTransaction, { amount }: RefundRequest): GatewayError {
  const captured = readable(look, () => parseAmount(said.gross_amount, said.currency));
  const channel = channelRefusal(methodOf(said), sameMoney(amount, captured));
  if (channel !== null) return channel;
  switch (said.transaction_status) {
    case 'capture':
      return later('the card payment has not settled; it can be refunded a day after it was made');
    case 'settlement':
    case 'partial_refund':
    case 'refund':
      if (amount.amountMinor > left(look, said, captured)) return exceeds();
      // The amount is there and the state is right: our balance is short, or the wallet is closed at night.
      return later('it cannot pay the refund out now; check the balance of the account');
    default:
      return refused('not_refundable_now', `the payment is ${said.transaction_status}`);
  }
}

function left(asked: Exchange, { refunds, currency }: RefundedTransaction, captured: Money): bigint {
  const back = readable(asked, () => refunds.map(({ refund_amount }) => parseAmount(refund_amount, currency)));
  return back.reduce((rest, { amountMinor }) => rest - amountMinor, captured.amountMinor);
}

async function readTransaction(asked: Exchange): Promise<RefundedTransaction | null> {
  const { body, code } = await coreExchange(asked);
  if (code === '404') return null;
  const parsed = refundedTransaction.safeParse(body);
  if (!parsed.success) throw unreadable(asked, `status_code ${code} without a transaction`);
  return parsed.data;
}

function told(asked: Exchange, said: RefundedTransaction, entry: RefundEntry): GatewayRefund {
  const amount = readable(asked, () => parseAmount(entry.refund_amount, said.currency));
  const done = !isCard(said) || Boolean(entry.bank_confirmed_at);
  return { state: done ? 'succeeded' : 'pending', refundId: entry.refund_key ?? null, amount, reason: null };
}

const isCard = ({ payment_type }: RefundedTransaction): boolean => payment_type === 'credit_card';

function readable<T>(asked: Exchange, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RangeError) throw unreadable(asked, cause.message);
    throw cause;
  }
}

const exceeds = (): GatewayError => refused('refund_exceeds_payment', 'it is more than what is left of the payment');

const refused = (
  code: 'invalid_request' | 'channel_cannot_refund' | 'refund_exceeds_payment' | 'not_refundable_now',
  why: string,
): GatewayError => new GatewayError('refused', code, `Midtrans does not refund this: ${why}.`);

const later = (why: string): GatewayError =>
  new GatewayError('retry_later', 'not_refundable_now', `Midtrans does not refund this yet: ${why}.`);
