/** Cards on file: taken on a page of the gateway's, charged while nobody is there, forgotten when somebody says so. */
import type { Knex } from 'knex';
import { recordEvent } from '../db/events.ts';
import { lockCollected, subjectOf } from '../db/invoice-payments.ts';
import {
  addCard,
  type ChargeableCard,
  chargeableCard,
  chargeOf,
  customerOf,
  endCardSetup,
  findCardSetup,
  insertCardSetup,
  type NewCardSetup,
  noteSetupOpened,
  removedCard,
} from '../db/payment-methods.ts';
import { findPayment, insertPayment, movePayment, type Payment } from '../db/payments.ts';
import type { CardSetupState, Declined } from '../domain/cards.ts';
import type { PaymentMethodId } from '../domain/ids.ts';
import { money } from '../domain/money.ts';
import { isOpenPayment, outstandingOf } from '../domain/payments.ts';
import type { Charged, ChargeOnFile } from './attempts.ts';
import type { ActivityDeps } from './deps.ts';
import { cardsOf, retryable } from './gateways/asking.ts';
import { GatewayError } from './gateways/gateway.ts';
import { applyWord } from './payment-money.ts';
import { failAttempt } from './payment-opening.ts';

export interface OpenCardSetup extends NewCardSetup {
  readonly locale: 'id' | 'en';
}

/** `open`: where the card is given. `refused`: the gateway will not open a page. */
export type CardSetupOpened =
  | { readonly outcome: 'open'; readonly setupUrl: string; readonly expiresAt: string }
  | { readonly outcome: 'refused' };

export function createCardActivities({
  db,
  gateways,
  money: policy,
  publicUrl,
}: Pick<ActivityDeps, 'db' | 'gateways' | 'money' | 'publicUrl'>) {
  return {
    /** Stores the intent, opens the page, stores its address. A repeat opens the same page. */
    async openCardSetup(input: OpenCardSetup): Promise<CardSetupOpened> {
      if (!gateways.stripe?.cards) return { outcome: 'refused' };
      await insertCardSetup(db, input);
      const { id, companyId, locale, expiresAt } = input;
      const customer = await customerOf(db, companyId);
      // Where the page leads back to says nothing of the card: only the gateway's word stores one.
      const request = { id, companyId, customer, locale, expiresAt, finishUrl: `${publicUrl}/card/${id}` };
      try {
        await noteSetupOpened(db, id, await gateways.stripe.cards.openSetup(request));
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        if (error.kind !== 'refused') throw retryable(error);
        await endCardSetup(db, id, 'failed', input.at);
        return { outcome: 'refused' };
      }
      const { url, ...setup } = await findCardSetup(db, id);
      if (url === null) return { outcome: 'refused' };
      return { outcome: 'open', setupUrl: url, expiresAt: setup.expiresAt.toISOString() };
    },

    /** Asks the gateway whether a card was given, and stores it. @returns what the page has come to */
    async confirmCardSetup(input: { id: PaymentMethodId; at: string }): Promise<{ state: CardSetupState }> {
      const setup = await findCardSetup(db, input.id);
      if (setup.state !== 'open' || setup.session === null) return { state: setup.state };
      const { session } = setup;
      const said = await orRetryable(() => cardsOf(gateways, 'stripe').lookUpSetup(session));
      const { card } = said;
      if (card) await db.transaction((tx) => addCard(tx, setup, card, input.at));
      else if (said.state === 'expired') await endCardSetup(db, input.id, 'expired', input.at);
      return { state: (await findCardSetup(db, input.id)).state };
    },

    /** Nobody waits for the page any more, whatever the gateway says of it. */
    async giveUpCardSetup(input: { id: PaymentMethodId; at: string }): Promise<void> {
      await endCardSetup(db, input.id, 'expired', input.at);
    },

    /** Has the gateway forget a card that was removed here. @returns whether it was: its removal may not be on record yet */
    async detachCard(input: { id: PaymentMethodId }): Promise<{ isForgotten: boolean }> {
      const card = await removedCard(db, input.id);
      if (card) await orRetryable(() => cardsOf(gateways, 'stripe').detach(card));
      return { isForgotten: card !== null };
    },

    /**
     * Charges a card on file for what is left of the invoice. The intent is stored first, under the reference that the gateway
     * knows it by, so a repeat asks for the same charge again and never for a second one.
     */
    async chargeCardOnFile(input: ChargeOnFile): Promise<Charged> {
      if (!gateways.stripe?.cards) return { said: null, declined: NOT_OFFERED };
      const declined = await db.transaction((tx) => storeCharge(tx, input));
      if (declined) return { said: null, declined };
      const payment = await findPayment(db, input.reference);
      const charge = await chargeOf(db, input.reference);
      if (!charge) throw new Error(`payment ${input.reference} charges no card on file`);
      const { cards } = gateways.stripe;
      try {
        const said = isOpenPayment(payment.state)
          ? await cards.charge({ ...charge, amount: payment.amount })
          : await cards.lookUpCharge(charge);
        return { said: await db.transaction((tx) => applyWord(tx, policy, asAsked(input), said)), declined: null };
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        return notCharged(db, payment, input, error);
      }
    },
  };
}

const NOT_OFFERED: Declined = { code: 'no_card_on_file', mayChange: false };
const NOT_OPEN: Declined = { code: 'invoice_not_open', mayChange: false };

const asAsked = ({ invoiceId, reference, at }: ChargeOnFile) => ({
  invoiceId,
  reference,
  at,
  noticesUpTo: null,
  expireFirst: false,
});

/** @returns why nothing will be charged, or null */
async function storeCharge(tx: Knex, input: ChargeOnFile): Promise<Declined | null> {
  const invoice = await lockCollected(tx, input.invoiceId);
  const known: unknown = await tx('payments').where({ gateway_reference: input.reference }).first('id');
  if (known) return null;
  if (invoice.state !== 'open') return NOT_OPEN;
  const card: ChargeableCard | null = await chargeableCard(tx, input.paymentMethodId, invoice.companyId);
  if (!card) return NOT_OFFERED;
  await recordEvent(tx, {
    key: `payment/${input.invoiceId}/${input.attempt}/created`,
    type: 'payment.attempted',
    ...subjectOf(invoice),
    data: { attempt: input.attempt, gateway: 'stripe', card: input.paymentMethodId },
    at: input.at,
  });
  const amount = money(outstandingOf(invoice), invoice.total.currency);
  await insertPayment(tx, { ...input, gateway: 'stripe', method: 'credit_card', amount, by: null });
  return null;
}

/** - refused: it cannot be asked for in this way, whatever the bank would say. - otherwise nobody knows: asked again, then asked about. */
async function notCharged(db: Knex, payment: Payment, { at }: ChargeOnFile, error: GatewayError): Promise<Charged> {
  if (error.kind === 'refused') {
    await failAttempt(db, payment, at);
    const isOurs = error.code === 'unauthorized';
    const code = isOurs ? 'gateway_unavailable' : 'gateway_refused';
    return { said: null, declined: { code, mayChange: isOurs } };
  }
  if (error.kind === 'unknown') await movePayment(db, { reference: payment.reference, to: 'unknown', at });
  throw retryable(error);
}

async function orRetryable<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof GatewayError) throw retryable(error);
    throw error;
  }
}
