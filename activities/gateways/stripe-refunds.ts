/**
 * Refunds at Stripe. They belong to a PaymentIntent, and are found again by our key in their metadata.
 * https://docs.stripe.com/api/refunds, https://docs.stripe.com/refunds
 */
import type { Stripe } from 'stripe';
import { z } from 'zod';
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
import type { Ask, Question, Refusal } from './stripe-client.ts';
import type { SessionFinder } from './stripe-finder.ts';
import { readable, unreadableAnswer } from './stripe-lookup.ts';
import { fromWire, REFERENCE, toWire } from './stripe-wire.ts';

/** Our refund's ID in the metadata of Stripe's. */
export const REFUND_KEY = 'alur_refund';

export const refundSaid = z.object({
  id: z.string().min(1),
  amount: z.number().int(),
  currency: z.string(),
  status: z.string().nullable(),
  metadata: z.record(z.string(), z.string()).nullish(),
  failure_reason: z.string().nullish(),
  pending_reason: z.string().nullish(),
});
export type SaidRefund = z.infer<typeof refundSaid>;

const REFUNDING: Question = { purpose: 'refund a payment', method: 'POST', refusal: meaningOf };
const LOOKING_UP_REFUND: Question = { purpose: 'look up a refund', method: 'GET' };

/**
 * An idempotency key lives for a day, a refund's key for ever: so before each request the payment's refunds are read, and
 * one with our key is the answer. A stored 5xx is repeated for that day; the list tells whether the work was done.
 */
export async function refund(ask: Ask, finder: SessionFinder, request: RefundRequest): Promise<GatewayRefund> {
  const { key, amount } = request;
  if (amount.amountMinor <= 0n) {
    throw new GatewayError('refused', 'invalid_request', 'A refund must be more than nothing; check the amount.');
  }
  const [intent, earlier] = await ask(LOOKING_UP_REFUND, async (stripe) => {
    const found = await intentOf(stripe, finder, request);
    return [found, found === null ? null : await madeUnder(stripe, found, key)] as const;
  });
  if (intent === null) {
    throw new GatewayError('refused', 'not_refundable_now', 'Stripe has no payment under this reference.');
  }
  if (earlier !== null) return firstAnswer(earlier, request);
  const params = refundParams(intent, request);
  const answer = await ask(REFUNDING, (stripe) => stripe.refunds.create(params, { idempotencyKey: `refund-${key}` }));
  const made = readRefund(answer, REFUNDING);
  if (made.metadata?.[REFUND_KEY] !== key || made.amount !== params.amount) {
    throw unreadableAnswer('it is another refund than the one asked for', REFUNDING);
  }
  return readable(REFUNDING, () => toGatewayRefund(made));
}

/** @throws GatewayError, never of kind `unknown` */
export async function lookUpRefund(ask: Ask, finder: SessionFinder, query: RefundQuery): Promise<GatewayRefund> {
  const said = await ask(LOOKING_UP_REFUND, async (stripe) => {
    const known = query.refundId === null ? null : await byId(stripe, query.refundId, query.key);
    if (known !== null) return known;
    const intent = await intentOf(stripe, finder, query);
    return intent === null ? null : madeUnder(stripe, intent, query.key);
  });
  return said === null ? NO_REFUND : readable(LOOKING_UP_REFUND, () => toGatewayRefund(said));
}

/** A look-up of the payment has told its name, nearly always; else it is found as a look-up finds it. */
async function intentOf(
  stripe: Stripe,
  finder: SessionFinder,
  { reference, transactionId }: Pick<RefundQuery, 'reference' | 'transactionId'>,
): Promise<string | null> {
  if (transactionId?.startsWith('pi_')) return transactionId;
  const id = await finder.find(stripe, reference);
  if (id === null || id.startsWith('pi_')) return id;
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(id);
  return typeof intent === 'string' ? intent : (intent?.id ?? null);
}

async function byId(stripe: Stripe, id: string, key: string): Promise<SaidRefund | null> {
  const answer = await stripe.refunds.retrieve(id).catch((error: unknown) => {
    if (error instanceof stripe.errors.StripeInvalidRequestError && error.statusCode === 404) return null;
    throw error;
  });
  if (answer === null) return null;
  const said = readRefund(answer, LOOKING_UP_REFUND);
  return said.metadata?.[REFUND_KEY] === key ? said : null;
}

async function madeUnder(stripe: Stripe, intent: string, key: string): Promise<SaidRefund | null> {
  for await (const answer of stripe.refunds.list({ payment_intent: intent, limit: 100 })) {
    const said = readRefund(answer, LOOKING_UP_REFUND);
    if (said.metadata?.[REFUND_KEY] === key) return said;
  }
  return null;
}

function readRefund(answer: unknown, asked: Question): SaidRefund {
  const parsed = refundSaid.safeParse(answer);
  if (!parsed.success) throw unreadableAnswer('it is no refund', asked);
  return parsed.data;
}

function firstAnswer(earlier: SaidRefund, { amount }: RefundRequest): GatewayRefund {
  const said = readable(LOOKING_UP_REFUND, () => toGatewayRefund(earlier));
  if (said.amount !== null && sameMoney(said.amount, amount)) return said;
  throw new GatewayError('refused', 'reference_used', 'Stripe has a refund over another amount under this key.');
}

/** @throws RangeError when a status, an amount or a currency is not one we know how to read. */
export function toGatewayRefund(said: SaidRefund): GatewayRefund {
  const state = refundState(said);
  return {
    state,
    refundId: said.id,
    amount: fromWire(said.amount, said.currency),
    reason: reasonOf(said, state),
  };
}

export function refundState({ status }: Pick<SaidRefund, 'status'>): 'pending' | 'succeeded' | 'failed' {
  switch (status) {
    case 'pending':
    // The payer has yet to say where the money goes; a canceled one was not told in time.
    case 'requires_action':
      return 'pending';
    case 'succeeded':
      return 'succeeded';
    case 'failed':
    case 'canceled':
      return 'failed';
    default:
      throw new RangeError(`the refund's status "${status}" is not one of Stripe's documented ones`);
  }
}

/** A pending one may wait for us: `insufficient_funds` = the balance at Stripe must be topped up. */
function reasonOf(said: SaidRefund, state: GatewayRefund['state']): string | null {
  const given = state === 'failed' ? (said.failure_reason ?? said.status) : said.pending_reason;
  return state === 'succeeded' ? null : (/^[a-z_]{1,60}$/.exec(given ?? '')?.[0] ?? null);
}

const refundParams = (intent: string, { reference, key, amount, reason }: RefundRequest) => ({
  payment_intent: intent,
  amount: toWire(amount),
  metadata: { [REFUND_KEY]: key, [REFERENCE]: reference },
  ...REASON[reason],
});

// Stripe has three reasons; the others are none of them. `fraudulent` also blocks the card and the address of the payer.
const REASON: Record<RefundReason, { readonly reason?: Stripe.RefundCreateParams.Reason }> = {
  requested_by_payer: { reason: 'requested_by_customer' },
  duplicate: { reason: 'duplicate' },
  fraud: { reason: 'fraudulent' },
  paid_late: {},
  overpaid: {},
  wrong_amount: {},
  not_issued: {},
  goods_returned: { reason: 'requested_by_customer' },
  goods_cancelled: { reason: 'requested_by_customer' },
  goodwill: {},
  other: {},
};

type Meaning = readonly [GatewayErrorKind, GatewayErrorCode, string];

const TOO_MUCH: Meaning = ['refused', 'refund_exceeds_payment', 'less than that is left of the payment'];
const NOT_NOW: Meaning = ['refused', 'not_refundable_now', 'the payment is in no state to be refunded'];
// The payer's bank has taken the money already, or is about to.
const DISPUTED: Meaning = ['refused', 'not_refundable_now', 'the payment is disputed'];
const TOP_UP: Meaning = ['retry_later', 'not_refundable_now', 'the balance there is too low; top it up'];

// https://docs.stripe.com/error-codes
const MEANING = new Map<string, Meaning>([
  ['charge_already_refunded', TOO_MUCH],
  ['amount_too_large', TOO_MUCH],
  ['charge_not_refundable', ['refused', 'channel_cannot_refund', 'this way of paying cannot be refunded']],
  ['charge_disputed', DISPUTED],
  ['refund_disputed_payment', DISPUTED],
  ['payment_intent_unexpected_state', NOT_NOW],
  ['balance_insufficient', TOP_UP],
  ['insufficient_funds', TOP_UP],
]);

function meaningOf({ code, param }: Refusal): GatewayError | null {
  // Of a refund that is too large Stripe names the parameter, and no code.
  const meaning = code === undefined && param === 'amount' ? TOO_MUCH : MEANING.get(code ?? '');
  return meaning ? new GatewayError(meaning[0], meaning[1], `Stripe did not refund: ${meaning[2]}.`) : null;
}
