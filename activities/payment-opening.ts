/** Opening an attempt: stored first, then asked for at the gateway, whose answer may be lost. */
import type { Knex } from 'knex';
import { recordEvent } from '../db/events.ts';
import { lockCollected, subjectOf } from '../db/invoice-payments.ts';
import { lockInvoice } from '../db/invoices.ts';
import { payerOf } from '../db/payers.ts';
import { aboutPayment, openPaymentCase } from '../db/payment-cases.ts';
import { findPayment, insertPayment, movePayment, type Payment } from '../db/payments.ts';
import type { Origin } from '../domain/events.ts';
import { money, sameMoney, sum } from '../domain/money.ts';
import { amountToAsk } from '../domain/payments.ts';
import { type AttemptOpened, type OpenAttempt, toAttempt } from './attempts.ts';
import { retryable } from './gateways/asking.ts';
import { GatewayError, type PaymentGateway, type PaymentItem } from './gateways/gateway.ts';

/** Writes down what will be asked of the gateway, before it hears of it. @returns why not, or null */
export async function storeIntent(
  tx: Knex,
  input: OpenAttempt,
  origin: Origin | undefined,
): Promise<AttemptOpened | null> {
  const invoice = await lockCollected(tx, input.invoiceId);
  if (invoice.state !== 'open') {
    return {
      outcome: 'refused',
      code: 'invoice_not_open',
      sentence: `Invoice ${invoice.number} is ${invoice.state}; there is nothing to pay.`,
    };
  }
  await recordEvent(tx, {
    key: `payment/${input.invoiceId}/${input.attempt}/created`,
    type: 'payment.attempted',
    ...subjectOf(invoice),
    by: input.by,
    data: { attempt: input.attempt, gateway: input.gateway },
    origin,
    at: input.at,
  });
  const { amountMinor, instalment } = amountToAsk(invoice, invoice.instalments, input.part ?? 'next');
  await insertPayment(tx, { ...input, amount: money(amountMinor, invoice.total.currency), instalment });
  return null;
}

export async function createAtGateway(
  db: Knex,
  gateway: PaymentGateway,
  payment: Payment,
  input: OpenAttempt,
  publicUrl: string,
): Promise<AttemptOpened> {
  const payer = await payerOf(db, input.invoiceId, input.by);
  try {
    const created = await gateway.create({
      reference: payment.reference,
      amount: payment.amount,
      expiresAt: payment.expiresAt.toISOString(),
      now: input.at,
      items: await itemsFor(db, payment, payer.items, input.locale),
      payer: { name: payer.name, email: payer.email },
      locale: input.locale,
      finishUrl: `${publicUrl}/paid/${payment.id}`,
      ...(payment.method ? { method: payment.method } : {}),
    });
    await movePayment(db, {
      reference: payment.reference,
      to: 'pending',
      at: input.at,
      redirectUrl: created.redirectUrl,
      ...(created.instructions ? { instructions: created.instructions } : {}),
      expiresAt: created.expiresAt,
    });
    return { outcome: 'open', attempt: toAttempt(await findPayment(db, payment.reference)) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return notCreated(db, payment, input, error);
  }
}

/**
 * - refused for good: the attempt failed, and the payer is told.
 * - `reference_used`: an earlier try of this very attempt got through and its page's address is lost; nobody can have
 *   seen it, so the attempt is closed and the workflow opens the next under a new reference.
 * - `answer_lost`: the gateway may have it and can be neither asked again nor asked about. Finance gets a case, once; the
 *   attempt stays `unknown` until a notice or a person brings the gateway's own ID, or until it expires.
 * - unclear: the attempt is `unknown` until a repeat with the same reference, or a look-up, clears it up.
 */
async function notCreated(db: Knex, payment: Payment, input: OpenAttempt, error: GatewayError): Promise<AttemptOpened> {
  if (error.kind === 'refused') {
    await failAttempt(db, payment, input.at);
    const addressLost = error.code === 'reference_used';
    return {
      outcome: 'refused',
      code: addressLost ? 'payment_unclear' : 'gateway_refused',
      sentence: addressLost
        ? 'The address of the pay page was lost; a new attempt is needed.'
        : `The gateway refused: ${error.message}`,
    };
  }
  if (error.code === 'answer_lost') {
    await db.transaction((tx) => lostAnswer(tx, payment, input.at));
    return { outcome: 'refused', code: 'gateway_unavailable', sentence: error.message };
  }
  if (error.kind === 'unknown') {
    await movePayment(db, { reference: payment.reference, to: 'unknown', at: input.at });
  }
  throw retryable(error);
}

async function lostAnswer(tx: Knex, payment: Payment, at: string): Promise<void> {
  const invoice = await lockInvoice(tx, payment.invoiceId);
  await movePayment(tx, { reference: payment.reference, to: 'unknown', at });
  await openPaymentCase(tx, {
    key: `payment/${invoice.id}/${payment.attempt}/case/unclear`,
    kind: 'unclear',
    ...aboutPayment(invoice, payment),
    amount: payment.amount,
    at,
  });
}

export async function failAttempt(db: Knex, payment: Payment, at: string): Promise<void> {
  await db.transaction(async (tx) => {
    const isNew = await recordEvent(tx, {
      key: `payment/${payment.invoiceId}/${payment.attempt}/failed`,
      type: 'payment.failed',
      data: { attempt: payment.attempt, gateway: payment.gateway },
      at,
    });
    if (isNew) await movePayment(tx, { reference: payment.reference, to: 'failed', at });
  });
}

/** A gateway wants lines that add up: those of the invoice when all of it is paid at once, else one for the part. */
async function itemsFor(
  db: Knex,
  { invoiceId, amount }: Payment,
  items: readonly PaymentItem[],
  locale: 'id' | 'en',
): Promise<readonly PaymentItem[]> {
  const whole = sum(
    items.map((item) => item.amount),
    amount.currency,
  );
  if (sameMoney(whole, amount)) return items;
  const { number } = await db.transaction((tx) => lockInvoice(tx, invoiceId));
  return [{ name: locale === 'id' ? `Bagian dari ${number}` : `Part of ${number}`, amount, quantity: 1 }];
}
