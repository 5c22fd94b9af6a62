/** What a gateway says of a payment, written down: its state, its money, and what the money means for the invoice. */
import type { Knex } from 'knex';
import { type Capture, enterCapture, enterTakenBack } from '../db/captures.ts';
import { adoptEarlyNotices } from '../db/early-notices.ts';
import { recordEachTime } from '../db/events.ts';
import {
  applyToInvoice,
  type CollectedInvoice,
  lockCollected,
  subjectOf,
  takeBackFromInvoice,
} from '../db/invoice-payments.ts';
import { caseKeyFor, settleOddMoney } from '../db/odd-money.ts';
import { aboutPayment, closeReversals, openPaymentCase } from '../db/payment-cases.ts';
import { markNoticesHandled } from '../db/payment-inbox.ts';
import { hasRefundAtGateway, lockPayment, movePayment, type Payment, paymentsOf } from '../db/payments.ts';
import { declinedBy } from '../domain/cards.ts';
import type { EventType } from '../domain/events.ts';
import type { RefundId } from '../domain/ids.ts';
import { type Money, money } from '../domain/money.ts';
import {
  type GatewayPayment,
  type InvoiceState,
  isOpenPayment,
  type Judged,
  judgePayment,
  type MoneyPolicy,
  nextPaymentState,
  type OddMoneyKind,
  outstandingOf,
  type PaymentCaseKind,
  type PaymentState,
} from '../domain/payments.ts';
import { type AskGateway, type Confirmed, toAttempt } from './attempts.ts';

type Policy = Pick<MoneyPolicy, 'refundApprovalAbove'>;

interface Step {
  readonly input: AskGateway;
  readonly policy: Policy;
  readonly invoice: CollectedInvoice;
  readonly payment: Payment;
  readonly said: GatewayPayment;
}

/** What came of it, beside the payment's state. */
interface Outcome {
  readonly invoiceState: InvoiceState;
  readonly paidMinor: bigint;
  readonly isReceived: boolean;
  readonly caseKind: PaymentCaseKind | null;
  readonly refundId: RefundId | null;
}

/**
 * Writes down what a gateway has said of a payment. Safe to repeat: invoice and payment are locked, and a word that moves
 * nothing changes nothing.
 */
export async function applyWord(tx: Knex, policy: Policy, input: AskGateway, said: GatewayPayment): Promise<Confirmed> {
  const invoice = await lockCollected(tx, input.invoiceId);
  const payment = await lockPayment(tx, input.reference);
  const step = { input, policy, invoice, payment, said };
  const to = nextPaymentState(payment.state, said.state) ?? endedUnseen(step);
  const outcome = to ? await moveOn(tx, step, to) : await stays(tx, step);
  if (input.noticesUpTo) await markNoticesHandled(tx, { paymentId: payment.id }, input.noticesUpTo, input.at);
  const { invoiceState, paidMinor, isReceived, caseKind, refundId } = outcome;
  return {
    attempt: toAttempt({ ...payment, state: to ?? payment.state, method: said.method ?? payment.method }),
    invoiceState,
    isPartPaid: paidMinor > 0n,
    isReceived,
    outdated: isReceived ? await otherOpenOnes(tx, payment) : [],
    refundId,
    caseKind,
    paid: said.paid ? { amountMinor: said.paid.amountMinor.toString(), currency: said.paid.currency } : null,
    ...(said.declineCode ? { declined: declinedBy(said.declineCode) } : {}),
  };
}

/** One that was let go, or given up, and paid after all leaves a page open that asks for money which is not owed any more. */
async function otherOpenOnes(tx: Knex, { id, invoiceId }: Payment): Promise<string[]> {
  const attempts = await paymentsOf(tx, invoiceId);
  return attempts.filter((one) => one.id !== id && isOpenPayment(one.state)).map(({ reference }) => reference);
}

// A page on which nobody chose a channel is unknown to the gateway for ever, and past its own expiry it takes no money; of a
// bill whose ID was lost nobody knows the address. Should money come all the same, `expired` is followed by `paid`.
function endedUnseen({ payment, said, input }: Step): PaymentState | null {
  if (said.state !== 'not_found' || !isOpenPayment(payment.state)) return null;
  const isOver = payment.expiresAt.getTime() <= Date.parse(input.at);
  // A charge that was asked for may still be under way: who lets go of it too soon charges twice.
  return isOver || (input.letGo && payment.paymentMethodId === null) ? 'expired' : null;
}

const unchanged = ({ invoice }: Step): Outcome => ({
  invoiceState: invoice.state,
  paidMinor: invoice.paid.amountMinor,
  isReceived: false,
  caseKind: null,
  refundId: null,
});

const EVENTS: Record<PaymentState, EventType> = {
  created: 'payment.attempted',
  unknown: 'payment.attempted',
  pending: 'payment.pending',
  paid: 'payment.paid',
  failed: 'payment.failed',
  expired: 'payment.expired',
  reversed: 'payment.reversed',
};

async function moveOn(tx: Knex, step: Step, to: PaymentState): Promise<Outcome> {
  const { input, payment, said } = step;
  await tell(tx, step, to);
  await movePayment(tx, {
    reference: payment.reference,
    to,
    at: input.at,
    transactionId: said.transactionId,
    method: said.method,
    // What arrived stays known when it is taken back.
    paid: to === 'reversed' && payment.state === 'paid' ? null : said.paid,
    paidAt: said.paidAt,
  });
  if (said.transactionId) await adoptEarlyNotices(tx, { ...payment, transactionId: said.transactionId }, input.at);
  if (to === 'paid') return receive(tx, step);
  if (to === 'reversed') return takeBack(tx, step);
  return unchanged(step);
}

/** A payment may be taken back and given back more than once; the lock on it is the guard, and each time has its event. */
const tell = (tx: Knex, { input, invoice, payment, said }: Step, to: PaymentState) =>
  recordEachTime(tx, {
    key: `payment/${payment.invoiceId}/${payment.attempt}/${to}`,
    type: EVENTS[to],
    ...subjectOf(invoice),
    actor: 'gateway',
    data: {
      attempt: payment.attempt,
      gateway: payment.gateway,
      ...(said.declineCode ? { code: said.declineCode } : {}),
    },
    at: input.at,
  });

/** Money that came in pays the invoice or a part of it, or is odd; it is never dropped. */
async function receive(tx: Knex, step: Step): Promise<Outcome> {
  const { input, invoice, payment, said } = step;
  const paid = said.paid ?? payment.paid ?? payment.amount;
  const { kind, appliedMinor } = judge(step, paid);
  await enterCapture(tx, { ...inBooks(step), paid, appliedMinor });
  const applied = await applyToInvoice(tx, {
    invoiceId: invoice.id,
    amountMinor: appliedMinor,
    paidAt: said.paidAt ?? input.at,
    data: { gateway: payment.gateway, attempt: payment.attempt },
    actor: 'gateway',
    at: input.at,
  });
  // The dispute was won, or the gateway takes its word back.
  if (payment.state === 'reversed') await closeReversals(tx, payment.id, input.at);
  const { refundId } =
    kind === 'pays'
      ? { refundId: null }
      : await settle(tx, step, kind, money(paid.amountMinor - appliedMinor, paid.currency));
  return {
    invoiceState: applied.state,
    paidMinor: invoice.paid.amountMinor + appliedMinor,
    isReceived: appliedMinor > 0n,
    caseKind: kind === 'pays' ? null : kind,
    refundId,
  };
}

/** Money that had paid a part of an invoice, was taken back and is back again pays that part again. */
function judge({ invoice, payment }: Step, paid: Money): Judged {
  const comesBack = payment.state === 'reversed' && payment.appliedMinor > 0n && invoice.state === 'reversed';
  if (!comesBack) return judgePayment(invoice, payment.amount, paid);
  const left = outstandingOf(invoice);
  return left >= payment.appliedMinor && paid.amountMinor === payment.appliedMinor
    ? { kind: 'pays', appliedMinor: payment.appliedMinor }
    : judgePayment({ ...invoice, state: 'open', inParts: true }, payment.amount, paid);
}

const inBooks = ({ input, invoice, payment, said }: Step): Omit<Capture, 'paid' | 'appliedMinor'> => ({
  invoice,
  payment,
  at: said.paidAt ?? input.at,
});

const caseKey = ({ invoice, payment }: Step, kind: PaymentCaseKind) =>
  `payment/${invoice.id}/${payment.attempt}/case/${kind}`;

async function settle(tx: Knex, step: Step, kind: OddMoneyKind, amount: Money) {
  const { invoice, payment, input } = step;
  const key = await caseKeyFor(tx, caseKey(step, kind));
  return settleOddMoney(tx, { key, kind, invoice, payment, amount, at: input.at }, step.policy);
}

async function takeBack(tx: Knex, step: Step): Promise<Outcome> {
  const { input, invoice, payment, said } = step;
  // Money that came and went while nobody asked never paid anything, and leaves both traces in the books.
  const wasHere = payment.state === 'paid';
  const paid = wasHere ? (payment.paid ?? said.paid) : said.paid;
  const appliedMinor = wasHere ? payment.appliedMinor : 0n;
  const books = inBooks({ ...step, said: { ...said, paidAt: wasHere ? null : said.paidAt } });
  if (paid && !wasHere) await enterCapture(tx, { ...books, paid, appliedMinor });
  if (paid) await enterTakenBack(tx, { ...books, paid, appliedMinor });
  const { state } = await takeBackFromInvoice(tx, {
    invoiceId: invoice.id,
    amountMinor: appliedMinor,
    data: { gateway: payment.gateway, attempt: payment.attempt },
    actor: 'gateway',
    at: input.at,
  });
  await openCase(tx, step, 'reversed', paid ?? payment.amount);
  return {
    ...unchanged(step),
    invoiceState: state,
    paidMinor: invoice.paid.amountMinor - appliedMinor,
    caseKind: 'reversed',
  };
}

/** A gateway that has given back what no refund of ours asked for: finance must find out who did. */
async function stays(tx: Knex, step: Step): Promise<Outcome> {
  const { payment, said } = step;
  const isOurs = said.state !== 'refunded' || payment.state !== 'paid' || (await hasRefundAtGateway(tx, payment.id));
  if (isOurs) return unchanged(step);
  const isNew = await openCase(tx, step, 'refund_differs', payment.paid ?? payment.amount);
  return { ...unchanged(step), caseKind: isNew ? 'refund_differs' : null };
}

const openCase = async (tx: Knex, step: Step, kind: 'reversed' | 'refund_differs', amount: Money): Promise<boolean> =>
  openPaymentCase(tx, {
    // A difference is shown once, also when somebody has looked at it; a second reversal is another one.
    key: kind === 'reversed' ? await caseKeyFor(tx, caseKey(step, kind)) : caseKey(step, kind),
    kind,
    ...aboutPayment(step.invoice, step.payment),
    amount,
    at: step.input.at,
  });
