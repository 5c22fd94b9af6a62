/** Giving money back: what the process of a refund has done, and what it is told of the record afterwards. */
import { ApplicationFailure } from '@temporalio/activity';
import type { Knex } from 'knex';
import { markNoticesHandled } from '../db/payment-inbox.ts';
import { waitingRefundLetters } from '../db/refund-letters.ts';
import { findRefund, inspectorsOf, markRefundTaken, type Refund } from '../db/refunds.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { CompanyId, OrderId, RefundId, ReturnId } from '../domain/ids.ts';
import { sameMoney } from '../domain/money.ts';
import { refundability } from '../domain/payment-methods.ts';
import type { RefundSituation } from '../domain/refunds.ts';
import type { ActivityDeps } from './deps.ts';
import { gatewayOf, retryable } from './gateways/asking.ts';
import { GatewayError, type GatewayRefund, NO_REFUND, type RefundRequest } from './gateways/gateway.ts';
import type { Gateways } from './gateways/index.ts';
import { openOrigin } from './origin.ts';
import {
  decide,
  type GatewayWord,
  hear,
  type RecordedDecision,
  remind,
  report,
  reserve,
  send,
  type TransferReport,
} from './refund-steps.ts';

/** A refund as its process keeps it: no amounts, no names, no accounts. */
export interface RefundInHand extends RefundSituation {
  readonly companyId: CompanyId;
  /** Since when it is in this state, when it was sent and when it ended; ISO 8601. */
  readonly since: string;
  readonly endedAt: string | null;
  /** Letters that were written with it and wait to be sent. */
  readonly letters: readonly string[];
  /** Of goods: which order or return is told how it ends; absent = nobody waits for it. */
  readonly tells?: { readonly orderId: OrderId | null; readonly returnId: ReturnId | null };
}

interface Named {
  readonly refundId: RefundId;
  readonly at: string;
}

type Sealed<T> = Omit<T, 'origin'> & { readonly origin?: SealedOrigin };
/** `Omit` over each member of a union. */
type SealedReport = TransferReport extends infer One ? (One extends unknown ? Sealed<One> : never) : never;

export function createRefundActivities(deps: Pick<ActivityDeps, 'db' | 'gateways' | 'personalData'>) {
  const { db, gateways } = deps;
  const step = async (refundId: RefundId, work: (tx: Knex) => Promise<void>): Promise<RefundInHand> => {
    await db.transaction(work);
    return inHand(db, refundId);
  };

  return {
    /** A process has it in hand from now on. */
    async takeRefund({ refundId, at }: Named): Promise<RefundInHand> {
      await markRefundTaken(db, refundId, at);
      return inHand(db, refundId);
    },

    decideRefund({ refundId, ...made }: { refundId: RefundId } & Sealed<RecordedDecision>): Promise<RefundInHand> {
      return step(refundId, (tx) => decide(tx, refundId, { ...made, origin: openOrigin(deps, made.origin) }));
    },

    /** Chooses the way and books it as owed, or asks the payer where to. */
    reserveRefund({ refundId, at }: Named): Promise<RefundInHand> {
      return step(refundId, (tx) => reserve(tx, refundId, at, (refund) => goesBackThere(gateways, refund)));
    },

    /** Hands it to who pays it; the gateway is asked afterwards. */
    sendRefund({ refundId, at }: Named): Promise<RefundInHand> {
      return step(refundId, (tx) => send(tx, refundId, at));
    },

    /** Asks the gateway to pay, under a key that never changes, and writes down what it answers. */
    async refundAtGateway({ refundId, at }: Named): Promise<RefundInHand> {
      const refund = await existing(db, refundId);
      if (refund.state !== 'submitted' && refund.state !== 'unknown') return inHand(db, refundId);
      const said = await wordOf(refund, ask(gateways, refund));
      return step(refundId, (tx) => hear(tx, refundId, said, at));
    },

    /** Asks what became of it. Where the gateway has heard nothing of it, it is asked to pay again, under the same key. */
    async confirmRefund(input: Named & { readonly noticesUpTo: string | null }): Promise<RefundInHand> {
      const { refundId, at, noticesUpTo } = input;
      const refund = await existing(db, refundId);
      const said = refund.channel === 'gateway' ? await wordOf(refund, lookUp(gateways, refund)) : null;
      return step(refundId, async (tx) => {
        if (said) await hear(tx, refundId, said, at);
        if (noticesUpTo) await markNoticesHandled(tx, { refundId }, noticesUpTo, at);
      });
    },

    reportTransfer({ refundId, ...said }: { refundId: RefundId } & SealedReport): Promise<RefundInHand> {
      return step(refundId, (tx) => report(tx, refundId, { ...said, origin: openOrigin(deps, said.origin) }));
    },

    remindOfRefund({ refundId, at, isLast }: Named & { readonly isLast: boolean }): Promise<RefundInHand> {
      return step(refundId, (tx) => remind(tx, refundId, at, isLast));
    },
  };
}

async function existing(db: Knex, id: RefundId): Promise<Refund> {
  const refund = await findRefund(db, id);
  if (!refund) throw ApplicationFailure.nonRetryable(`there is no refund ${id}`, 'refund_missing');
  return refund;
}

async function inHand(db: Knex, id: RefundId): Promise<RefundInHand> {
  const refund = await existing(db, id);
  return {
    state: refund.state,
    channel: refund.channel,
    requestedBy: refund.requestedBy,
    decidedBy: refund.decidedBy,
    decidedAt: refund.decidedAt?.toISOString() ?? null,
    nameMatches: refund.nameMatches,
    companyId: refund.companyId,
    since: refund.updatedAt.toISOString(),
    endedAt: refund.endedAt?.toISOString() ?? null,
    letters: await waitingRefundLetters(db, id),
    ...(await ofGoods(db, refund)),
  };
}

async function ofGoods(db: Knex, { orderId, returnId }: Refund): Promise<Pick<RefundInHand, 'tells' | 'inspectedBy'>> {
  if (orderId === null && returnId === null) return {};
  return { tells: { orderId, returnId }, ...(returnId ? { inspectedBy: await inspectorsOf(db, returnId) } : {}) };
}

// ---- the gateway ----------------------------------------------------------------------------------------------------

/** Whether the way the money came takes this much back, as far as that is known before it is asked. */
function goesBackThere(gateways: Gateways, { gateway, method, amount, paid, failureCode }: Refund): boolean {
  if (failureCode === 'channel_cannot_refund' || !gateways[gateway]?.refund) return false;
  const able = refundability(gateway, method);
  return able === 'partial' || (able === 'full' && sameMoney(amount, paid));
}

const requestOf = (refund: Refund): RefundRequest => ({
  reference: refund.reference,
  transactionId: refund.transactionId,
  key: refund.id,
  amount: refund.amount,
  captured: refund.paid,
  method: refund.method,
  reason: refund.reason,
});

async function ask(gateways: Gateways, refund: Refund): Promise<GatewayRefund> {
  const gateway = gatewayOf(gateways, refund.gateway);
  if (gateway.refund) return gateway.refund(requestOf(refund));
  return { state: 'failed', refundId: null, amount: null, reason: 'channel_cannot_refund' };
}

async function lookUp(gateways: Gateways, refund: Refund): Promise<GatewayRefund> {
  const gateway = gatewayOf(gateways, refund.gateway);
  const query = { ...requestOf(refund), refundId: refund.gatewayRefundId };
  const said = gateway.lookUpRefund ? await gateway.lookUpRefund(query) : NO_REFUND;
  const isUnheard = said.state === 'not_found' && (refund.state === 'submitted' || refund.state === 'unknown');
  return isUnheard ? ask(gateways, refund) : said;
}

const NOTHING = { gatewayRefundId: null, reason: null, otherAmount: null };

/** @throws what may work later: nothing was done then */
async function wordOf(refund: Refund, answer: Promise<GatewayRefund>): Promise<GatewayWord> {
  try {
    const { state, refundId, amount, reason } = await answer;
    const differs = amount !== null && !sameMoney(amount, refund.amount);
    return { state, gatewayRefundId: refundId, reason, otherAmount: differs ? amount.amountMinor.toString() : null };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.kind === 'refused') return { ...NOTHING, state: 'failed', reason: error.code };
    if (error.kind === 'unknown') return { ...NOTHING, state: 'unknown' };
    throw retryable(error);
  }
}
