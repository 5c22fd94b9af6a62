/**
 * Walking the gateways against the books: what a gateway lists is collected page by page and compared in the database;
 * what it does not list it is asked about. Where a walk stands is kept with what it has collected, so that another worker
 * goes on from there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Knex } from 'knex';
import { writeLetter } from '../db/account-letters.ts';
import { dailyFigures, firstOfficeZone } from '../db/daily-figures.ts';
import { closeCleared } from '../db/payment-cases.ts';
import {
  beginRun,
  collect,
  failRun,
  finishRun,
  forgetCollected,
  noteCompared,
  type PaymentToAsk,
  paymentsToAsk,
  type ReconciliationItem,
  type ReconciliationRun,
  type WalkedSpan,
} from '../db/reconciliation.ts';
import { openDifference } from '../db/reconciliation-cases.ts';
import { clearedCases, nextDifferences, placeOf } from '../db/reconciliation-differences.ts';
import { gatewayRefundsOf } from '../db/reconciliation-refunds.ts';
import { usersWithRole } from '../db/staff.ts';
import { namedUuid } from '../db/uuids.ts';
import type { PaymentId } from '../domain/ids.ts';
import { GATEWAYS, type GatewayPayment } from '../domain/payments.ts';
import { dayBefore, walkedSpan } from '../domain/reconciliation.ts';
import type { ActivityDeps } from './deps.ts';
import { GatewayError, type ListedPayment, type PaymentGateway } from './gateways/gateway.ts';

export interface ReconciliationPlan {
  /** YYYY-MM-DD in the office's zone. */
  readonly day: string;
  readonly spans: readonly WalkedSpan[];
}

export interface Walked {
  readonly state: ReconciliationRun['state'];
  readonly compared: number;
  readonly differences: number;
}

/** Gently: payers are being served at the same time. What a gateway still finds too much it says, and is asked again later. */
const BETWEEN_LOOK_UPS_MS = 50;
const ASK_PAGE = 100;
const DIFFERENCE_PAGE = 500;

export function createReconciliationActivities({ db, gateways }: Pick<ActivityDeps, 'db' | 'gateways'>) {
  return {
    /** The day before `at` in the office's zone, and the gateways that it is walked at. */
    async planReconciliation({ at }: { at: string }): Promise<ReconciliationPlan> {
      await forgetCollected(db, at);
      const zone = await firstOfficeZone(db);
      const day = dayBefore(Date.parse(at), zone);
      const span = walkedSpan(day, zone);
      return { day, spans: GATEWAYS.filter((name) => gateways[name]).map((gateway) => ({ gateway, ...span })) };
    },

    /** Goes on where the last try stopped; a span that was walked to its end is not walked again. */
    async reconcileGateway({ span, at }: { span: WalkedSpan; at: string }): Promise<Walked> {
      const gateway = gateways[span.gateway];
      if (!gateway) throw ApplicationFailure.nonRetryable(`${span.gateway} is not configured`, 'gateway_not_available');
      let run = await beginRun(db, span, at);
      const beat = heartbeatOf(() => run);
      while (run.state === 'running') {
        beat();
        run = await asked(() => nextStep({ db, gateway, run, at, beat }));
      }
      return toWalked(run);
    },

    /** A walk that was given up: the report says so and why. @param reason a code */
    async failReconciliation(input: { span: WalkedSpan; reason: string; at: string }): Promise<Walked> {
      return toWalked(await failRun(db, input.span, input.reason, input.at));
    },

    /** Writes the day's letter to everybody in finance, once each. */
    async reportDay({ day, at }: { day: string; at: string }): Promise<{ letters: number }> {
      const zone = await firstOfficeZone(db);
      const figures = await dailyFigures(db, { day, zone, at: new Date(at) });
      const people = await usersWithRole(db, 'finance');
      await db.transaction(async (tx) => {
        for (const userId of people) {
          const id = namedUuid(`finance-daily/${day}/${userId}`);
          await writeLetter(tx, { id, template: 'finance_daily', userId, data: figures, at: new Date(at) });
        }
      });
      return { letters: people.length };
    },
  };
}

const toWalked = ({ state, compared, differences }: ReconciliationRun): Walked => ({ state, compared, differences });

/** Tells Temporal how far it is, and stops when Temporal wants that. */
function heartbeatOf(current: () => ReconciliationRun): () => void {
  const context = Context.current();
  return () => {
    context.cancellationSignal.throwIfAborted();
    const { place, compared } = current();
    context.heartbeat({ ...place, compared });
  };
}

interface Step {
  readonly db: Knex;
  readonly gateway: PaymentGateway;
  readonly run: ReconciliationRun;
  readonly at: string;
  readonly beat: () => void;
}

function nextStep(step: Step): Promise<ReconciliationRun> {
  switch (step.run.place.step) {
    case 'list':
      return listPage(step);
    case 'ask':
      return askPage(step);
    case 'compare':
      return comparePage(step);
  }
}

async function listPage({ db, gateway, run }: Step): Promise<ReconciliationRun> {
  if (!gateway.list) return collect(db, run, [], { step: 'ask', at: null });
  const span = { from: run.from.toISOString(), to: run.to.toISOString() };
  const { payments, next } = await gateway.list(span, run.place.at);
  return collect(db, run, payments.map(toItem), next === null ? { step: 'ask', at: null } : { step: 'list', at: next });
}

const toItem = ({
  reference,
  transactionId,
  state,
  paid,
  refundedMinor,
  paidAt,
}: ListedPayment): ReconciliationItem => ({
  reference,
  transactionId,
  state,
  paidMinor: paid?.amountMinor.toString() ?? null,
  currency: paid?.currency ?? null,
  refundedMinor: refundedMinor.toString(),
  paidAt,
});

/** One after another: each answer is kept before the next question, for a gateway that loses patience is asked again later. */
async function askPage(step: Step): Promise<ReconciliationRun> {
  const { db, gateway, beat } = step;
  const payments = await paymentsToAsk(db, step.run, { everyAttempt: gateway.list === null, limit: ASK_PAGE });
  if (payments.length === 0) return collect(db, step.run, [], { step: 'compare', at: null });
  let { run } = step;
  for (const payment of payments) {
    beat();
    const item = await itemOf(db, gateway, payment);
    const next = await collect(db, run, [item], { step: 'ask', at: payment.id });
    // Another walker is elsewhere by now: look for what is left to ask.
    if (next.place.at !== payment.id) return next;
    run = next;
    await delay(BETWEEN_LOOK_UPS_MS);
  }
  return run;
}

async function itemOf(db: Knex, gateway: PaymentGateway, { id, reference }: PaymentToAsk): Promise<ReconciliationItem> {
  const said = await gateway.lookUp(reference);
  return {
    reference,
    transactionId: said.transactionId ?? reference,
    state: said.state,
    paidMinor: said.paid?.amountMinor.toString() ?? null,
    currency: said.paid?.currency ?? null,
    refundedMinor: (await refundedAt(db, gateway, { id, reference, said }))?.toString() ?? null,
    paidAt: said.paidAt,
  };
}

/** A look-up does not tell how much went back: the gateway is asked about each refund that we count as arrived. */
async function refundedAt(
  db: Knex,
  gateway: PaymentGateway,
  { id, reference, said }: { readonly id: PaymentId; readonly reference: string; readonly said: GatewayPayment },
): Promise<bigint | null> {
  if (!gateway.lookUpRefund || (said.state !== 'paid' && said.state !== 'refunded')) return null;
  let confirmed = 0n;
  for (const refund of await gatewayRefundsOf(db, id)) {
    const { key, refundId, amount } = refund;
    const query = { reference, transactionId: said.transactionId, key, amount, refundId };
    const told = await gateway.lookUpRefund(query);
    if (told.state === 'succeeded') confirmed += told.amount?.amountMinor ?? amount.amountMinor;
  }
  // All of it went back, and not by us.
  if (said.state === 'refunded' && confirmed === 0n) return said.paid?.amountMinor ?? null;
  return confirmed;
}

async function comparePage({ db, run, at, beat }: Step): Promise<ReconciliationRun> {
  const differences = await nextDifferences(db, run, run.place.at, DIFFERENCE_PAGE);
  for (const [index, difference] of differences.entries()) {
    if (index % 50 === 0) beat();
    await openDifference(db, run, difference, at);
  }
  const last = differences.at(-1);
  if (last) return noteCompared(db, run, differences.length, placeOf(last));
  for (const id of await clearedCases(db, run)) await closeCleared(db, id, `reconciliation/${run.id}`, at);
  return finishRun(db, run, at);
}

/** A gateway that asks for patience is asked again when it said; one that refuses will refuse again. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: error.kind === 'refused',
      ...(error.retryAfterSeconds === null ? {} : { nextRetryDelay: `${error.retryAfterSeconds}s` }),
      cause: error,
    });
  }
}
