/**
 * Collecting an invoice: the intent is stored before a gateway hears of it, an unclear answer is asked about, and
 * whatever money the gateway reports is accounted for, once.
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { Knex } from 'knex';
import { moveApplication } from '../db/application-moves.ts';
import { recordEvent } from '../db/events.ts';
import { type InvoiceForPayment, lockInvoice, markInvoicePaid } from '../db/invoices.ts';
import { applicantOf, payerOf } from '../db/payers.ts';
import { openPaymentCase } from '../db/payment-cases.ts';
import {
  findPayment,
  insertPayment,
  isOpenPayment,
  markNoticesHandled,
  movePayment,
  type Payment,
  paymentsOf,
} from '../db/payments.ts';
import type { EventType, Origin, SealedOrigin } from '../domain/events.ts';
import type { FailureCode } from '../domain/failures.ts';
import type { ApplicationId, InvoiceId, PaymentId, UserId } from '../domain/ids.ts';
import type { MailMoney } from '../domain/mail.ts';
import type { Money } from '../domain/money.ts';
import {
  type GatewayName,
  type GatewayPayment,
  type InvoiceState,
  judgePayment,
  nextPaymentState,
  type PaymentCaseKind,
  type PaymentState,
} from '../domain/payments.ts';
import type { ActivityDeps } from './deps.ts';
import { GatewayError, type PaymentGateway } from './gateways/gateway.ts';
import { openOrigin } from './origin.ts';

export interface OpenAttempt {
  readonly invoiceId: InvoiceId;
  readonly attempt: number;
  readonly reference: string;
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly by: UserId;
  readonly locale: 'id' | 'en';
  readonly at: string;
  readonly expiresAt: string;
  readonly origin?: SealedOrigin;
}

/** One attempt as the workflow keeps it: no amounts, no names. */
export interface Attempt {
  readonly paymentId: PaymentId;
  readonly attempt: number;
  readonly reference: string;
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly state: PaymentState;
  readonly redirectUrl: string | null;
  readonly instructions: Readonly<Record<string, string>> | null;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export interface Collection {
  readonly invoiceState: InvoiceState;
  readonly applicationId: ApplicationId | null;
  /** Whom letters about the invoice go to. */
  readonly payer: UserId | null;
  readonly dueAt: string;
  readonly attempts: readonly Attempt[];
}

export type AttemptOpened =
  | { readonly outcome: 'open'; readonly attempt: Attempt }
  | { readonly outcome: 'refused'; readonly code: FailureCode; readonly sentence: string };

export interface Confirmed {
  readonly attempt: Attempt;
  readonly invoiceState: InvoiceState;
  /** Set when the money did not simply pay the invoice and finance must look at it. */
  readonly caseKind: PaymentCaseKind | null;
  readonly paid: MailMoney | null;
}

export interface AskGateway {
  readonly invoiceId: InvoiceId;
  readonly reference: string;
  readonly at: string;
  /** Notices up to this row of the inbox are answered by this look-up. */
  readonly noticesUpTo: string | null;
  /** Ask the gateway to take no more money before looking. */
  readonly expireFirst: boolean;
}

type PaymentDeps = Pick<ActivityDeps, 'db' | 'gateways' | 'publicUrl' | 'personalData'>;

export function createPaymentActivities(deps: PaymentDeps) {
  const { db, gateways, publicUrl } = deps;
  const gatewayOf = (name: GatewayName): PaymentGateway => {
    const gateway = gateways[name];
    // Not `failed`: a payment that exists belongs to a gateway that was configured, and must be again.
    if (!gateway) throw new Error(`gateway ${name} is not configured; set its key and restart the worker`);
    return gateway;
  };

  return {
    /** What is known of an invoice's attempts, for a collection that wakes up again. */
    async loadCollection(input: { invoiceId: InvoiceId }): Promise<Collection> {
      const invoice = await db.transaction((tx) => lockInvoice(tx, input.invoiceId));
      const attempts = await paymentsOf(db, input.invoiceId);
      return {
        invoiceState: invoice.state,
        applicationId: invoice.applicationId,
        payer: await applicantOf(db, input.invoiceId),
        dueAt: invoice.dueAt.toISOString(),
        attempts: attempts.map(toAttempt),
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
      return createAtGateway(db, gatewayOf(input.gateway), payment, input, publicUrl);
    },

    /** Asks the gateway what is so and writes it down. Safe to repeat: each step of a payment has one event. */
    async confirmPayment(input: AskGateway): Promise<Confirmed> {
      const payment = await findPayment(db, input.reference);
      const gateway = gatewayOf(payment.gateway);
      const said = await asked(() =>
        input.expireFirst ? gateway.expire(input.reference) : gateway.lookUp(input.reference),
      );
      return db.transaction((tx) => apply(tx, input, said));
    },
  };
}

const toAttempt = (payment: Payment): Attempt => ({
  paymentId: payment.id,
  attempt: payment.attempt,
  reference: payment.reference,
  gateway: payment.gateway,
  method: payment.method,
  state: payment.state,
  redirectUrl: payment.redirectUrl,
  instructions: payment.instructions,
  createdAt: payment.createdAt.toISOString(),
  expiresAt: payment.expiresAt.toISOString(),
});

/** Whose timeline an event about an invoice belongs to. */
const subjectOf = ({ applicationId, companyId }: InvoiceForPayment) => ({
  companyId,
  ...(applicationId ? { applicationId } : {}),
});

async function storeIntent(tx: Knex, input: OpenAttempt, origin: Origin | undefined): Promise<AttemptOpened | null> {
  const invoice = await lockInvoice(tx, input.invoiceId);
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
  await insertPayment(tx, { ...input, amount: invoice.total });
  return null;
}

async function createAtGateway(
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
      items: payer.items,
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
  await openCase(tx, { at, invoice, payment, amount: payment.amount }, 'unclear');
}

async function failAttempt(db: Knex, payment: Payment, at: string): Promise<void> {
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

/** A gateway that asks for patience is asked again when it said, anything else by the policy of the activity. */
function retryable(error: GatewayError): Error {
  if (error.retryAfterSeconds === null) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nextRetryDelay: `${error.retryAfterSeconds}s`,
    cause: error,
  });
}

async function asked(question: () => Promise<GatewayPayment>): Promise<GatewayPayment> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof GatewayError) throw retryable(error);
    throw error;
  }
}

const PAYMENT_EVENT: Record<PaymentState, EventType> = {
  created: 'payment.attempted',
  unknown: 'payment.attempted',
  pending: 'payment.pending',
  paid: 'payment.paid',
  failed: 'payment.failed',
  expired: 'payment.expired',
  reversed: 'payment.reversed',
};

async function apply(tx: Knex, input: AskGateway, said: GatewayPayment): Promise<Confirmed> {
  const invoice = await lockInvoice(tx, input.invoiceId);
  const payment = await findPayment(tx, input.reference);
  const to = nextPaymentState(payment.state, said.state) ?? expiredUnseen(payment, said, input.at);
  let caseKind: PaymentCaseKind | null = null;
  if (to) caseKind = await moveOn(tx, { input, invoice, payment, said, to });
  if (input.noticesUpTo) await markNoticesHandled(tx, input.reference, input.noticesUpTo, input.at);
  const after = await lockInvoice(tx, input.invoiceId);
  return {
    attempt: toAttempt(await findPayment(tx, input.reference)),
    invoiceState: after.state,
    caseKind,
    paid: said.paid ? { amountMinor: said.paid.amountMinor.toString(), currency: said.paid.currency } : null,
  };
}

// A page on which nobody chose a channel is unknown to the gateway for ever, and past its own expiry it takes no money; of a
// bill whose ID was lost nobody knows the address. Should money come all the same, `expired` is followed by `paid`.
const expiredUnseen = (payment: Payment, said: GatewayPayment, at: string): PaymentState | null =>
  said.state === 'not_found' && isOpenPayment(payment.state) && payment.expiresAt.getTime() <= Date.parse(at)
    ? 'expired'
    : null;

interface Step {
  readonly input: AskGateway;
  readonly invoice: InvoiceForPayment;
  readonly payment: Payment;
  readonly said: GatewayPayment;
  readonly to: PaymentState;
}

async function moveOn(tx: Knex, step: Step): Promise<PaymentCaseKind | null> {
  const { input, invoice, payment, said, to } = step;
  await recordEvent(tx, {
    key: `payment/${payment.invoiceId}/${payment.attempt}/${to}`,
    type: PAYMENT_EVENT[to],
    ...subjectOf(invoice),
    actor: 'gateway',
    data: { attempt: payment.attempt, gateway: payment.gateway },
    at: input.at,
  });
  await movePayment(tx, {
    reference: payment.reference,
    to,
    at: input.at,
    transactionId: said.transactionId,
    method: said.method,
    paid: said.paid,
    paidAt: said.paidAt,
  });
  if (to === 'paid') return receiveMoney(tx, step);
  if (to === 'reversed') return openCase(tx, subjectOfCase(step), 'reversed');
  return null;
}

/** Money that came in pays the open invoice to the unit, or becomes a case; it is never dropped. */
async function receiveMoney(tx: Knex, step: Step): Promise<PaymentCaseKind | null> {
  const { input, invoice, said } = step;
  const paid = said.paid ?? step.payment.amount;
  const judgement = judgePayment(invoice, paid);
  if (judgement !== 'pays') return openCase(tx, subjectOfCase(step), judgement);
  await markInvoicePaid(tx, invoice.id, said.paidAt ?? input.at);
  await recordEvent(tx, {
    key: `payment/${invoice.id}/invoice-paid`,
    type: 'invoice.paid',
    ...subjectOf(invoice),
    actor: 'gateway',
    data: { gateway: step.payment.gateway, attempt: step.payment.attempt },
    at: input.at,
  });
  if (invoice.applicationId) await moveApplication(tx, { id: invoice.applicationId, to: 'activating', at: input.at });
  return null;
}

interface CaseSubject {
  readonly at: string;
  readonly invoice: InvoiceForPayment;
  readonly payment: Payment;
  readonly amount: Money;
}

const subjectOfCase = ({ input, invoice, payment, said }: Step): CaseSubject => ({
  at: input.at,
  invoice,
  payment,
  amount: said.paid ?? payment.amount,
});

async function openCase(tx: Knex, about: CaseSubject, kind: PaymentCaseKind): Promise<PaymentCaseKind> {
  const { at, invoice, payment, amount } = about;
  await openPaymentCase(tx, {
    key: `payment/${invoice.id}/${payment.attempt}/case/${kind}`,
    kind,
    gateway: payment.gateway,
    reference: payment.reference,
    paymentId: payment.id,
    invoiceId: invoice.id,
    ...subjectOf(invoice),
    amount,
    at,
  });
  return kind;
}
