/**
 * Collecting an invoice: the intent is stored before a gateway hears of it, an unclear answer is asked about, and
 * whatever money the gateway reports is accounted for, once.
 */
import type { Knex } from 'knex';
import { payWithCredit } from '../db/credit-payments.ts';
import { recordEvent } from '../db/events.ts';
import { type CollectedInvoice, lockCollected, subjectOf } from '../db/invoice-payments.ts';
import { applicantOf } from '../db/payers.ts';
import { chargeOf } from '../db/payment-methods.ts';
import { findPayment, type Payment, paymentsOf } from '../db/payments.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { ApplicationId, InvoiceId, OrderId, SubscriptionId, UserId } from '../domain/ids.ts';
import { type GatewayPayment, type InvoiceState, isOpenPayment, outstandingOf } from '../domain/payments.ts';
import {
  type AskGateway,
  type Attempt,
  type AttemptOpened,
  type Confirmed,
  type OpenAttempt,
  toAttempt,
} from './attempts.ts';
import type { ActivityDeps } from './deps.ts';
import { cardsOf, gatewayOf, retryable } from './gateways/asking.ts';
import { GatewayError } from './gateways/gateway.ts';
import { openOrigin } from './origin.ts';
import { applyWord } from './payment-money.ts';
import { createAtGateway, storeIntent } from './payment-opening.ts';

export interface Collection {
  readonly invoiceState: InvoiceState;
  readonly applicationId: ApplicationId | null;
  /** Of a subscription's invoice; histories from before say nothing. */
  readonly subscriptionId?: SubscriptionId | null;
  readonly orderId?: OrderId | null;
  /** Whom letters about the invoice go to. */
  readonly payer: UserId | null;
  readonly dueAt: string;
  /** It may be paid in instalments. */
  readonly inParts?: boolean;
  /** Something has paid of it: it cannot be voided any more. */
  readonly isPartPaid?: boolean;
  /** Instalments that become overdue before the invoice does, and of which nobody was told yet. */
  readonly overdue?: readonly Overdue[];
  readonly attempts: readonly Attempt[];
  /** References of those among them that are open and ask for more than is left. */
  readonly outdated?: readonly string[];
}

export interface Overdue {
  readonly position: number;
  /** ISO 8601. */
  readonly at: string;
}

export interface CreditRequest {
  readonly invoiceId: InvoiceId;
  /** Of the request: the same one pays once. */
  readonly key: string;
  readonly by: UserId;
  readonly at: string;
  readonly origin?: SealedOrigin;
}

export type PaymentDeps = Pick<ActivityDeps, 'db' | 'gateways' | 'publicUrl' | 'personalData' | 'money'>;

export function createPaymentActivities(deps: PaymentDeps) {
  const { db, gateways, publicUrl } = deps;
  return {
    /** What is known of an invoice's attempts, for a collection that wakes up again. */
    async loadCollection(input: { invoiceId: InvoiceId }): Promise<Collection> {
      const invoice = await db.transaction((tx) => lockCollected(tx, input.invoiceId));
      const attempts = await paymentsOf(db, input.invoiceId);
      return {
        invoiceState: invoice.state,
        applicationId: invoice.applicationId,
        subscriptionId: invoice.subscriptionId,
        orderId: invoice.orderId,
        payer: await applicantOf(db, input.invoiceId),
        dueAt: invoice.dueAt.toISOString(),
        inParts: invoice.inParts,
        isPartPaid: invoice.paid.amountMinor > 0n,
        overdue: await overdueOf(db, invoice),
        attempts: attempts.map(toAttempt),
        outdated: attempts.filter((one) => asksTooMuch(invoice, one)).map(({ reference }) => reference),
      };
    },

    /** Stores the intent, opens the attempt at the gateway, stores the answer. Repeats with the same reference only. */
    async openAttempt(input: OpenAttempt): Promise<AttemptOpened> {
      if (!gateways[input.gateway]) {
        return {
          outcome: 'refused',
          code: 'gateway_not_available',
          sentence: `${input.gateway} is not offered here. Choose another gateway.`,
        };
      }
      const refused = await db.transaction((tx) => storeIntent(tx, input, openOrigin(deps, input.origin)));
      if (refused) return refused;
      const payment = await findPayment(db, input.reference);
      // A look-up may have found it open after the answer with the page's address was lost: then it is asked for again.
      if (!isOpenPayment(payment.state) || payment.redirectUrl !== null)
        return { outcome: 'open', attempt: toAttempt(payment) };
      return createAtGateway(db, gatewayOf(gateways, input.gateway), payment, input, publicUrl);
    },

    /** Asks the gateway what is so and writes it down. Safe to repeat: each step of a payment has one event. */
    async confirmPayment(input: AskGateway): Promise<Confirmed> {
      const payment = await findPayment(db, input.reference);
      const gateway = gatewayOf(gateways, payment.gateway);
      const charge = await chargeOf(db, input.reference);
      const said = await asked(() => {
        if (charge) return cardsOf(gateways, payment.gateway).lookUpCharge(charge);
        return input.expireFirst ? gateway.expire(input.reference) : gateway.lookUp(input.reference);
      });
      return db.transaction((tx) => applyWord(tx, deps.money, input, said));
    },

    /** Pays with the company's credit; a repeat of the request pays nothing more. */
    async payInvoiceWithCredit(input: CreditRequest): Promise<{ appliedMinor: string; invoiceState: InvoiceState }> {
      const request = { ...input, origin: openOrigin(deps, input.origin) };
      const { appliedMinor, invoiceState } = await db.transaction((tx) => payWithCredit(tx, request));
      return { appliedMinor: appliedMinor.toString(), invoiceState };
    },

    /** An instalment's day has come. @returns whether it is still to be paid, and the payer to be reminded */
    async noteOverdue(input: { invoiceId: InvoiceId; position: number; at: string }): Promise<{ isOverdue: boolean }> {
      return db.transaction(async (tx) => {
        const invoice = await lockCollected(tx, input.invoiceId);
        const part = invoice.instalments.find(({ position }) => position === input.position);
        if (invoice.state !== 'open' || !part || part.isPaid) return { isOverdue: false };
        await recordEvent(tx, {
          key: overdueKey(invoice.id, input.position),
          type: 'invoice.overdue',
          ...subjectOf(invoice),
          data: { instalment: input.position },
          at: input.at,
        });
        return { isOverdue: true };
      });
    },
  };
}

const asksTooMuch = (invoice: CollectedInvoice, { state, amount }: Payment): boolean =>
  isOpenPayment(state) && (invoice.state !== 'open' || amount.amountMinor > outstandingOf(invoice));

const overdueKey = (invoiceId: InvoiceId, position: number) => `invoice/${invoiceId}/overdue/${position}`;

/** The last is due with the invoice, whose lapse tells. */
export async function overdueOf(db: Knex, invoice: CollectedInvoice): Promise<Overdue[]> {
  if (invoice.state !== 'open') return [];
  const waiting = invoice.instalments.filter(({ isPaid, dueAt }) => !isPaid && dueAt < invoice.dueAt);
  const keys = waiting.map(({ position }) => overdueKey(invoice.id, position));
  const told = new Set(await db('events').whereIn('key', keys).pluck<string[]>('key'));
  return waiting
    .filter(({ position }) => !told.has(overdueKey(invoice.id, position)))
    .map(({ position, dueAt }) => ({ position, at: dueAt.toISOString() }));
}

async function asked(question: () => Promise<GatewayPayment>): Promise<GatewayPayment> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof GatewayError) throw retryable(error);
    throw error;
  }
}
