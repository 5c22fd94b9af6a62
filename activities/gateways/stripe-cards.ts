/**
 * Cards on file at Stripe: a Checkout Session in mode `setup` takes the card, a PaymentIntent confirmed off session charges
 * it. https://docs.stripe.com/payments/save-and-reuse, https://docs.stripe.com/api/payment_intents/create
 */
import type { Stripe } from 'stripe';
import { z } from 'zod';
import type { CardFace } from '../../domain/cards.ts';
import type { GatewayPayment } from '../../domain/payments.ts';
import { type CardCharge, type CardQuery, type CardSetup, type CardsOnFile, GatewayError } from './gateway.ts';
import type { Ask, Question } from './stripe-client.ts';
import { disputeStates, LOOKING_UP, readable, unreadableAnswer } from './stripe-lookup.ts';
import { intentToPayment, NOT_FOUND, paymentIntent, REFERENCE, type SaidIntent, toWire } from './stripe-wire.ts';

/** The card's ID of ours, in the metadata of the session that takes it. */
const CARD = 'alur_card';
const COMPANY = 'alur_company';

const MAKING_CUSTOMER: Question = { purpose: 'file a company', method: 'POST' };
const SETTING_UP: Question = { purpose: 'open a page for a card', method: 'POST' };
const READING_SETUP: Question = { purpose: 'look up the page for a card', method: 'GET' };
const CHARGING: Question = { purpose: 'charge a card', method: 'POST' };
const DETACHING: Question = { purpose: 'forget a card', method: 'POST' };

export const createStripeCards = (ask: Ask): CardsOnFile => ({
  openSetup: (request) => openSetup(ask, request),
  lookUpSetup: (session) => lookUpSetup(ask, session),
  charge: (request) => charge(ask, request),
  lookUpCharge: (query) => ask(LOOKING_UP, (stripe) => lookUpCharge(stripe, query)),
  detach: (card) => detach(ask, card),
});

/** One customer a company; both requests carry keys of ours, so a repeat finds what the first has made. */
async function openSetup(
  ask: Ask,
  { id, companyId, customer, locale, finishUrl, expiresAt }: Parameters<CardsOnFile['openSetup']>[0],
) {
  const who =
    customer ??
    (
      await ask(MAKING_CUSTOMER, (stripe) =>
        stripe.customers.create({ metadata: { [COMPANY]: companyId } }, { idempotencyKey: `customer-${companyId}` }),
      )
    ).id;
  const made = await ask(SETTING_UP, (stripe) =>
    stripe.checkout.sessions.create(
      {
        mode: 'setup',
        customer: who,
        client_reference_id: id,
        metadata: { [CARD]: id },
        allowed_payment_method_types: ['card'],
        locale,
        success_url: finishUrl,
        cancel_url: finishUrl,
        expires_at: Math.floor(Date.parse(expiresAt) / 1000),
      },
      { idempotencyKey: `card-${id}` },
    ),
  );
  if (made.url === null || made.url === undefined) throw unreadableAnswer('it has no url', SETTING_UP);
  return {
    customer: who,
    session: made.id,
    url: made.url,
    expiresAt: new Date((made.expires_at ?? 0) * 1000).toISOString(),
  };
}

const setupSession = z.object({
  status: z.enum(['open', 'complete', 'expired']),
  customer: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
  setup_intent: z
    .object({
      status: z.string(),
      payment_method: z
        .object({
          id: z.string().min(1),
          card: z.object({
            brand: z.string(),
            last4: z.string().regex(/^\d{4}$/),
            exp_month: z.number().int(),
            exp_year: z.number().int(),
          }),
        })
        .nullish(),
    })
    .nullish(),
});

async function lookUpSetup(ask: Ask, session: string): Promise<CardSetup> {
  const answer = await ask(READING_SETUP, (stripe) =>
    stripe.checkout.sessions.retrieve(session, { expand: ['setup_intent.payment_method'] }),
  );
  const parsed = setupSession.safeParse(answer);
  if (!parsed.success) throw unreadableAnswer('it is no session that takes a card', READING_SETUP);
  const { status, setup_intent: setUp } = parsed.data;
  const method = setUp?.payment_method;
  if (status !== 'complete') return { state: status, card: null };
  if (setUp?.status !== 'succeeded' || !method) return { state: 'open', card: null };
  return { state: 'complete', card: { method: method.id, ...faceOf(method.card) } };
}

const faceOf = (card: { brand: string; last4: string; exp_month: number; exp_year: number }): CardFace => ({
  brand: card.brand,
  last4: card.last4,
  expiresMonth: card.exp_month,
  expiresYear: card.exp_year,
});

const WHOLE = ['latest_charge.balance_transaction'];

/**
 * A decline is an answer, not a failure: Stripe gives it as an error that carries the PaymentIntent. A repeat under the same
 * key gives the first answer again, whichever it was; where that is a stored failure of Stripe's own, what is so is looked up.
 */
async function charge(ask: Ask, request: CardCharge): Promise<GatewayPayment> {
  const { reference, amount, customer, card } = request;
  return ask(CHARGING, async (stripe) => {
    const params: Stripe.PaymentIntentCreateParams = {
      amount: toWire(amount),
      currency: amount.currency.toLowerCase(),
      customer,
      payment_method: card,
      allowed_payment_method_types: ['card'],
      off_session: true,
      confirm: true,
      metadata: { [REFERENCE]: reference },
      expand: WHOLE,
    };
    try {
      return await toldOf(stripe, await stripe.paymentIntents.create(params, { idempotencyKey: reference }), CHARGING);
    } catch (error) {
      if (!(error instanceof stripe.errors.StripeError)) throw error;
      const declined = error instanceof stripe.errors.StripeCardError ? error.payment_intent : undefined;
      // Nothing is expanded in an error; a charge that was refused tells nothing more.
      if (declined)
        return toldOf(stripe, { ...declined, latest_charge: null }, CHARGING, error.decline_code ?? error.code ?? null);
      if (error.headers?.['idempotent-replayed'] !== 'true') throw error;
      const found = await lookUpCharge(stripe, { reference, customer, transactionId: null });
      if (found.state === 'not_found') throw error;
      return found;
    }
  });
}

/** The list of a customer's payments knows a charge from its first moment on; the search by metadata lags behind. */
async function lookUpCharge(
  stripe: Stripe,
  { reference, customer, transactionId }: CardQuery,
): Promise<GatewayPayment> {
  if (transactionId?.startsWith('pi_')) return tellIntent(stripe, transactionId);
  const listing = stripe.paymentIntents.list({ customer, limit: 100, expand: WHOLE.map((path) => `data.${path}`) });
  for await (const said of listing) if (said.metadata[REFERENCE] === reference) return toldOf(stripe, said, LOOKING_UP);
  return NOT_FOUND;
}

/** What a PaymentIntent without a page says now. */
export const tellIntent = async (stripe: Stripe, id: string): Promise<GatewayPayment> =>
  toldOf(stripe, await stripe.paymentIntents.retrieve(id, { expand: WHOLE }), LOOKING_UP);

async function toldOf(
  stripe: Stripe,
  answer: unknown,
  asked: Question,
  code: string | null = null,
): Promise<GatewayPayment> {
  const parsed = paymentIntent.safeParse(answer);
  if (!parsed.success) throw unreadableAnswer('it is no payment', asked);
  const said: SaidIntent = parsed.data;
  const disputes = await disputeStates(stripe, said.id, said.latest_charge?.disputed ?? false);
  return readable(asked, () => intentToPayment(said, disputes, code));
}

/** One that Stripe does not know any more, or that belongs to nobody, is forgotten already. */
async function detach(ask: Ask, card: string): Promise<void> {
  const gone = () => new GatewayError('refused', 'invalid_request', 'Stripe has no such card any more.');
  const question = { ...DETACHING, refusal: gone };
  try {
    await ask(question, (stripe) => stripe.paymentMethods.detach(card));
  } catch (error) {
    if (!(error instanceof GatewayError && error.kind === 'refused' && error.code === 'invalid_request')) throw error;
  }
}
