/**
 * Cards on file over HTTP: customers, sessions in mode `setup`, and payments that are confirmed while nobody is there.
 * https://docs.stripe.com/api/payment_intents/create
 */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { missing, refused } from './refusals.ts';
import { invalid } from './session-request.ts';
import { CURRENCIES, newId, type Payment, type Session } from './sessions.ts';
import { declineOf, type Setup, type SetupBook, TEST_CARDS } from './setups.ts';
import { type ApiState, expandOf, queryOf } from './state.ts';
import { below, eventBody, intentBody, listBody } from './wire.ts';

export interface CardState extends ApiState {
  readonly setups: SetupBook;
  findSetup(id: string): Setup | undefined;
  setupUrl(setup: Setup): string;
}

const metadata = z.record(z.string().max(40), z.string().max(500)).default({});
const webUrl = z.url({ protocol: /^https?$/, error: 'Not a valid URL' });
const onlyCards = z
  .preprocess(
    (given) => (typeof given === 'object' && given !== null ? Object.values(given) : given),
    z.tuple([z.literal('card')]),
  )
  .optional();

const setupRequest = z.strictObject({
  mode: z.literal('setup'),
  customer: z.string().min(1),
  client_reference_id: z.string().max(200).optional(),
  metadata,
  // Without it Stripe wants a currency.
  allowed_payment_method_types: onlyCards.refine((given) => given !== undefined, 'Missing required param: currency.'),
  locale: z.enum(['id', 'en']).default('en'),
  success_url: webUrl,
  cancel_url: webUrl.optional(),
  expires_at: z
    .string()
    .regex(/^\d{1,12}$/)
    .transform(Number)
    .optional(),
});

const chargeRequest = z.strictObject({
  amount: z
    .string()
    .regex(/^[1-9]\d{0,11}$/, 'Invalid positive integer')
    .transform(Number),
  currency: z.enum(CURRENCIES, { error: 'Invalid currency' }),
  customer: z.string().min(1),
  payment_method: z.string().min(1),
  allowed_payment_method_types: onlyCards,
  off_session: z.literal('true'),
  confirm: z.literal('true'),
  metadata,
  expand: z.unknown().optional(),
});

export const createCardApi = (state: CardState) => ({
  customer: (req: Request): Reply => {
    const id = newId('cus');
    return { status: 200, body: { id, object: 'customer', livemode: false, metadata: req.body?.metadata ?? {} } };
  },
  openSetup: (req: Request): Reply => openSetup(state, req),
  getSetup: (setup: Setup, req: Request): Reply => ({ status: 200, body: setupBody(state, setup, expandOf(req)) }),
  charge: (req: Request): Reply => charge(state, req),
  payments: (req: Request): Reply => payments(state, req),
  payment: (req: Request): Reply => payment(state, req),
  detach: (req: Request): Reply => detach(state, String(req.params.id)),
});

const HOUR = 3_600_000;

function openSetup(state: CardState, req: Request): Reply {
  const parsed = setupRequest.safeParse(req.body ?? {});
  if (!parsed.success) return invalid(parsed.error);
  const { customer, client_reference_id: reference = null, metadata: said, locale, ...asked } = parsed.data;
  const now = state.clock();
  const expires = asked.expires_at === undefined ? now.getTime() + 24 * HOUR : asked.expires_at * 1000;
  const span = expires - now.getTime();
  if (span < HOUR / 2 - 1000 || span > 24 * HOUR)
    return refused(400, 'The `expires_at` timestamp must be 30 minutes to 24 hours from creation.', {
      param: 'expires_at',
    });
  const setup: Setup = {
    id: newId('cs_test'),
    reference,
    customer,
    metadata: said,
    locale,
    successUrl: asked.success_url,
    cancelUrl: asked.cancel_url ?? null,
    createdAt: now.toISOString(),
    expiresAt: new Date(expires).toISOString(),
    status: 'open',
    intentId: newId('seti'),
    card: null,
  };
  state.setups.save(setup);
  return { status: 200, body: setupBody(state, setup, []) };
}

const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000);

export function setupBody(state: Pick<CardState, 'setupUrl'>, said: Setup, expand: readonly string[]) {
  const isWhole = expand.some((path) => path.startsWith('setup_intent'));
  return {
    id: said.id,
    object: 'checkout.session',
    amount_total: null,
    client_reference_id: said.reference,
    created: seconds(said.createdAt),
    currency: null,
    customer: said.customer,
    expires_at: seconds(said.expiresAt),
    livemode: false,
    metadata: said.metadata,
    mode: 'setup',
    payment_intent: null,
    payment_status: 'no_payment_required',
    setup_intent: isWhole ? setupIntentBody(said) : said.intentId,
    status: said.status,
    success_url: said.successUrl,
    url: said.status === 'open' ? state.setupUrl(said) : null,
  };
}

const setupIntentBody = ({ intentId, customer, card }: Setup) => ({
  id: intentId,
  object: 'setup_intent',
  customer,
  status: card === null ? 'requires_payment_method' : 'succeeded',
  usage: 'off_session',
  payment_method: card === null ? null : cardBody(customer, card),
});

const cardBody = (customer: string, { id, last4, detached }: NonNullable<Setup['card']>) => ({
  id,
  object: 'payment_method',
  type: 'card',
  customer: detached ? null : customer,
  // Charges fail with `expired_card` all the same: banks give out new dates without a word.
  card: { brand: TEST_CARDS[last4].brand, last4, exp_month: 12, exp_year: 2099 },
});

/** What the merchant's endpoint hears. */
export const setupEvent = (state: Pick<CardState, 'setupUrl'>, setup: Setup, now: Date): object =>
  eventBody('checkout.session.completed', setupBody(state, setup, []), now);

const setupOf = (state: CardState, method: string): Setup | undefined =>
  state.setups.named(method).find(({ card }) => card?.id === method);

/** Answered at once, as banks answer for cards; a decline is 402 and leaves the payment behind, without money. */
function charge(state: CardState, req: Request): Reply {
  const parsed = chargeRequest.safeParse(req.body ?? {});
  if (!parsed.success) return invalid(parsed.error);
  const { amount, currency, customer, payment_method: method, metadata: said } = parsed.data;
  const setup = setupOf(state, method);
  if (!setup?.card || setup.customer !== customer) return missing('PaymentMethod', method, 'payment_method');
  if (setup.card.detached)
    return refused(400, 'This PaymentMethod was detached from its customer and cannot be used again.', {
      code: 'payment_method_unexpected_state',
      param: 'payment_method',
    });
  const refusedBefore = state.book.named(method).filter((one) => one.payment?.status === 'failed').length;
  const declineCode = declineOf(setup.card.last4, refusedBefore);
  const session = chargedSession(setup, { amount, currency, method, metadata: said, declineCode }, state.clock());
  state.save(session);
  const expand = Object.values(
    z
      .record(z.string(), z.string())
      .catch({})
      .parse({ ...Object(req.body?.expand) }),
  );
  if (declineCode === null) return { status: 200, body: intentBody(session, session.payment, expand) };
  return declined(declineCode, intentBody(session, session.payment));
}

/** As a session that was paid and never had a page: then refunds, disputes and lists know it. */
function chargedSession(
  setup: Setup,
  asked: {
    amount: number;
    currency: Session['currency'];
    method: string;
    metadata: Record<string, string>;
    declineCode: string | null;
  },
  now: Date,
): Session & { readonly payment: Payment } {
  const at = now.toISOString();
  return {
    id: newId('cs_test'),
    reference: asked.metadata.alur_reference ?? null,
    currency: asked.currency,
    amount: asked.amount,
    items: [],
    email: null,
    locale: setup.locale,
    successUrl: setup.successUrl,
    cancelUrl: null,
    metadata: {},
    intentMetadata: asked.metadata,
    channels: ['card'],
    createdAt: at,
    expiresAt: at,
    status: 'complete',
    onFile: { customer: setup.customer, method: asked.method },
    payment: {
      intentId: newId('pi'),
      chargeId: newId('ch'),
      channel: 'card',
      status: asked.declineCode === null ? 'succeeded' : 'failed',
      declineCode: asked.declineCode,
      chargedAt: at,
      succeededAt: asked.declineCode === null ? at : null,
      refunds: [],
      dispute: null,
    },
  };
}

// https://docs.stripe.com/error-codes: some codes have a name of their own, the others are a `card_declined`.
const OWN_CODES = new Set(['expired_card', 'authentication_required']);

const declined = (decline: string, intent: object): Reply => ({
  status: 402,
  body: {
    error: {
      type: 'card_error',
      code: OWN_CODES.has(decline) ? decline : 'card_declined',
      decline_code: decline,
      message: 'Your card was declined.',
      payment_intent: intent,
    },
  },
});

function payments(state: CardState, req: Request): Reply {
  const query = queryOf(req);
  const customer = query.get('customer');
  if (customer === null) return refused(400, 'The sandbox lists the payments of one customer.', { param: 'customer' });
  const expand = below(expandOf(req), 'data');
  const found = state.book.named(customer).toReversed();
  const after = query.get('starting_after');
  const from = after === null ? 0 : found.findIndex(({ payment: made }) => made?.intentId === after) + 1;
  const limit = Number(query.get('limit') ?? 10);
  const data = found.slice(from).flatMap((one) => (one.payment === null ? [] : intentBody(one, one.payment, expand)));
  return { status: 200, body: listBody('/v1/payment_intents', data.slice(0, limit), data.length > limit) };
}

function payment(state: CardState, req: Request): Reply {
  const id = String(req.params.id);
  const found = state.book.named(id).find((one) => one.payment?.intentId === id);
  if (!found?.payment) return missing('payment_intent', id, 'intent');
  return { status: 200, body: intentBody(found, found.payment, expandOf(req)) };
}

function detach(state: CardState, method: string): Reply {
  const setup = setupOf(state, method);
  if (!setup?.card) return missing('PaymentMethod', method, 'payment_method');
  if (setup.card.detached)
    return refused(400, 'The payment method you provided is not attached to a customer so detachment is impossible.');
  const card = { ...setup.card, detached: true };
  state.setups.save({ ...setup, card });
  return { status: 200, body: cardBody(setup.customer, card) };
}
