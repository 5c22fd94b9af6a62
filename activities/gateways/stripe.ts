/**
 * Stripe: a Checkout Session is the pay page, its PaymentIntent the money. Rupiah and ringgit.
 * https://docs.stripe.com/api/checkout/sessions, https://docs.stripe.com/api/idempotent_requests
 */
import type { Stripe } from 'stripe';
import { type Currency, money, sameMoney, sum } from '../../domain/money.ts';
import type { GatewayPayment } from '../../domain/payments.ts';
import { type CreatedPayment, type CreatePaymentRequest, GatewayError, type PaymentGateway } from './gateway.ts';
import { createStripeCards, tellIntent } from './stripe-cards.ts';
import { type Ask, type Question, stripeAsker } from './stripe-client.ts';
import { createSessionFinder, type SessionFinder } from './stripe-finder.ts';
import { listPayments } from './stripe-list.ts';
import { LOOKING_UP, tell, unreadableAnswer } from './stripe-lookup.ts';
import { lookUpRefund, refund } from './stripe-refunds.ts';
import { NOT_FOUND, REFERENCE, type Session, session, stripeMethod, toWire } from './stripe-wire.ts';

export interface StripeOptions {
  readonly secretKey: string;
  /** Without `/v1`, without a trailing slash; a path is kept: `https://api.stripe.com`. */
  readonly apiUrl: string;
  /** For one request; a look-up may take several. */
  readonly timeoutMs?: number;
}

/**
 * **A lost answer to `create`** (GatewayError `unknown`). The reference is the idempotency key, so a repeat with the same
 * reference gives the first answer again, or opens the page if the first call never arrived. Stripe also repeats its own
 * failures: when the first answer was a 5xx, the page is looked for, and its address handed out if it exists. `refused`
 * with code `reference_used` = there is no page to be had under this reference any more (ended, over another amount, or
 * failed for good); nobody was given its address, so a new attempt under a new reference is safe.
 *
 * Keys live for 24 hours at least and a page for 24 at most, and `create` refuses to ask for a longer one: by the time
 * a repeat could open a second page under the same reference, `expiresAt` has passed and Stripe refuses it.
 *
 * **A look-up** finds the session by its PaymentIntent (search by metadata, which lags behind by a minute) or in the list
 * of recent sessions. One that expired unpaid three days ago is `not_found`.
 *
 * A declined card leaves the page open (`pending`): the payer may try another. An expired page takes no money; one whose
 * payment is under way cannot be expired, stays `pending` and may be paid after `expiresAt`.
 */
export function createStripeGateway({ secretKey, apiUrl, timeoutMs = 10_000 }: StripeOptions): PaymentGateway {
  const ask = stripeAsker({ secretKey, apiUrl, timeoutMs });
  const finder = createSessionFinder();
  const lookUp = (reference: string): Promise<GatewayPayment> =>
    ask(LOOKING_UP, async (stripe) => {
      const id = await finder.find(stripe, reference);
      if (id === null) return NOT_FOUND;
      return isIntent(id) ? tellIntent(stripe, id) : tell(stripe, id);
    });
  return {
    name: 'stripe',
    create: (request) => create(ask, finder, request),
    lookUp,
    refund: (request) => refund(ask, finder, request),
    lookUpRefund: (query) => lookUpRefund(ask, finder, query),
    list: (window, cursor) => listPayments(ask, window, cursor),
    cards: createStripeCards(ask),
    expire: async (reference) => {
      const id = await ask(LOOKING_UP, (stripe) => finder.find(stripe, reference));
      if (id === null) return NOT_FOUND;
      if (!isIntent(id)) await end(ask, id);
      return lookUp(reference);
    },
  };
}

const isIntent = (id: string): boolean => id.startsWith('pi_');

const CREATING: Question = { purpose: 'create a payment', method: 'POST' };
const EXPIRING: Question = { purpose: 'expire a payment', method: 'POST' };

async function create(ask: Ask, finder: SessionFinder, request: CreatePaymentRequest): Promise<CreatedPayment> {
  const { reference } = request;
  const params = sessionParams(request);
  const made = await ask(CREATING, (stripe) =>
    stripe.checkout.sessions.create(params, { idempotencyKey: reference }).catch((error: unknown) => {
      if (isSpent(stripe, error)) return null;
      throw error;
    }),
  );
  if (made !== null) {
    const created = opened(request, readSession(made, CREATING));
    finder.remember(reference, made.id);
    return created;
  }
  const id = await ask(LOOKING_UP, (stripe) => finder.find(stripe, reference));
  if (id === null || isIntent(id)) throw used('Stripe answers this reference with a failure and has no page under it');
  const first = await ask(LOOKING_UP, async (stripe) =>
    readSession(await stripe.checkout.sessions.retrieve(id), LOOKING_UP),
  );
  if (first.status !== 'open' || first.url === null || !isOver(first, request)) {
    throw used('Stripe already has a payment under this reference; look it up');
  }
  return opened(request, first);
}

/** The key gives nothing new any more: other parameters were sent with it, or its stored answer is a failure. */
function isSpent(stripe: Stripe, error: unknown): boolean {
  if (!(error instanceof stripe.errors.StripeError)) return false;
  if (error.type === 'StripeIdempotencyError') return true;
  return (error.statusCode ?? 0) >= 500 && error.headers?.['idempotent-replayed'] === 'true';
}

const used = (why: string): GatewayError => new GatewayError('refused', 'reference_used', `${why}.`);

function opened(request: CreatePaymentRequest, made: Session): CreatedPayment {
  if (made.url === null) throw unreadableAnswer('it has no url', CREATING);
  if (!isOver(made, request)) throw unreadableAnswer('it is about another payment', CREATING);
  return { redirectUrl: made.url, expiresAt: new Date(made.expires_at * 1000).toISOString() };
}

const isOver = (made: Session, { reference, amount }: CreatePaymentRequest): boolean =>
  made.client_reference_id === reference &&
  made.currency === amount.currency.toLowerCase() &&
  made.amount_total === toWire(amount);

function sessionParams(request: CreatePaymentRequest): Stripe.Checkout.SessionCreateParams {
  checkRequest(request);
  const { reference, amount, locale, finishUrl } = request;
  const currency = amount.currency.toLowerCase();
  return {
    mode: 'payment',
    client_reference_id: reference,
    metadata: { [REFERENCE]: reference },
    // Stripe copies it to the charge; only payments can be searched for, sessions cannot.
    payment_intent_data: { metadata: { [REFERENCE]: reference } },
    line_items: request.items.map((item) => ({
      quantity: item.quantity,
      price_data: { currency, unit_amount: toWire(item.amount), product_data: { name: item.name.slice(0, 250) } },
    })),
    customer_email: request.payer.email,
    locale,
    success_url: finishUrl,
    cancel_url: finishUrl,
    expires_at: closing(request),
    // Money in another currency than the invoice's would be a case for finance.
    adaptive_pricing: { enabled: false },
    ...(request.method === undefined ? {} : { allowed_payment_method_types: [methodType(request.method)] }),
  };
}

// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts: twelve digits for rupiah, eight for ringgit.
const MOST: Record<Currency, bigint> = { IDR: 9_999_999_999n, MYR: 99_999_999n };

function checkRequest({ reference, amount, items }: CreatePaymentRequest): void {
  if (!/^[A-Za-z0-9._~-]{1,50}$/.test(reference)) {
    throw invalid('a reference has 1 to 50 letters, digits, dashes, underscores, tildes or dots');
  }
  if (amount.amountMinor <= 0n || amount.amountMinor > MOST[amount.currency]) {
    throw invalid('the amount must be more than nothing and at most Rp9.999.999.999 or RM999.999,99');
  }
  if (items.length > 100) throw invalid('a payment has at most 100 items');
  if (items.some(({ quantity }) => !Number.isInteger(quantity) || quantity < 1)) {
    throw invalid('an item needs a whole quantity of 1 or more');
  }
  if (items.some((item) => item.amount.currency !== amount.currency)) {
    throw invalid('the items must be in the currency of the amount');
  }
  const lines = items.map((item) => money(item.amount.amountMinor * BigInt(item.quantity), amount.currency));
  if (!sameMoney(sum(lines, amount.currency), amount)) throw invalid('the items do not add up to the amount');
}

const DAY_SECONDS = 24 * 3600;

/**
 * Seconds since 1970. A minute early, so that a page of the full 24 hours is not refused over a difference of clocks.
 * It depends on the request alone, never on the clock: a repeat must be the same to the letter. The other bound, half
 * an hour, is left to Stripe, which gives its first answer to a repeat that comes later than that.
 */
function closing({ now, expiresAt }: CreatePaymentRequest): number {
  const closes = Math.floor(Date.parse(expiresAt) / 1000);
  const from = Math.floor(Date.parse(now) / 1000);
  if (!(closes > from && closes - from <= DAY_SECONDS)) throw invalid('a payment stays open for at most 24 hours');
  return closes - 60;
}

function methodType(method: string): string {
  const type = stripeMethod(method);
  if (type === undefined) throw invalid('it does not take this method; choose another, or another gateway');
  return type;
}

const invalid = (why: string): GatewayError =>
  new GatewayError('refused', 'invalid_request', `Stripe was not asked to create a payment: ${why}.`);

/** "Only Checkout Sessions with a status in ["open"] can be expired" (400): the look-up that follows tells what is so. */
async function end(ask: Ask, id: string): Promise<void> {
  await ask(EXPIRING, async (stripe) => {
    try {
      await stripe.checkout.sessions.expire(id);
    } catch (error) {
      if (!(error instanceof stripe.errors.StripeInvalidRequestError && error.statusCode === 400)) throw error;
    }
  });
}

function readSession(answer: unknown, asked: Question): Session {
  const parsed = session.safeParse(answer);
  if (!parsed.success) throw unreadableAnswer('it is not a Checkout Session', asked);
  return parsed.data;
}
