/**
 * Wakes the processes that a stored notice is for, after the gateway has had its answer. What is not told here, because
 * Temporal is away, the queue is full or the API dies, the minute's sweep tells (workflows/money-watch.ts).
 */
import { setImmediate as afterAnswers } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Knex } from '../db/connection.ts';
import { markRefundNoticesHandled, type ReceivedNotice } from '../db/payment-inbox.ts';
import type { InvoiceId, RefundId } from '../domain/ids.ts';
import type { GatewayName } from '../domain/payments.ts';
import { paymentId, refundId as refundWorkflowId } from '../workflows/ids.ts';
import { gatewayNoticeSignal, type PaymentInput, type RefundInput, refundNoticeSignal } from '../workflows/messages.ts';
import { loggable } from './logging.ts';
import { withinTime } from './review-process.ts';

export interface NoticeTelling {
  /** Returns at once and never throws. */
  tell(gateway: GatewayName, notice: ReceivedNotice): void;
  /** Takes nothing more and resolves when all that was taken is told, or could not be. */
  close(): Promise<void>;
}

export interface TellingParts {
  readonly db: Knex;
  readonly temporal: Client;
  readonly taskQueue: string;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Who waits for an answer goes first: each process that is told costs this machine, and perhaps Temporal's and the worker's,
 * more than the intake of its notice. A few at a time are told at once, a crowd at this pace.
 */
const LIMITS = { atOnce: 4, perSecond: 25, burst: 10, waiting: 500 };

interface Told extends ReceivedNotice {
  readonly gateway: GatewayName;
  readonly invoiceId: InvoiceId;
}

export function createNoticeTelling(parts: TellingParts, limits = LIMITS): NoticeTelling {
  // A later notice of a payment stands for the earlier: either way the process asks the gateway what is so now.
  const waiting = new Map<string, Told>();
  const running = new Set<Promise<void>>();
  let isFull = false;
  let closed = false;

  const spacingMs = 1000 / limits.perSecond;
  let allowedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function next(): void {
    if (running.size >= limits.atOnce) return;
    const [first] = waiting;
    if (!first || !isAllowed()) return;
    waiting.delete(first[0]);
    isFull = false;
    const work = tellOf(parts, first[1]).finally(() => {
      running.delete(work);
      next();
    });
    running.add(work);
  }

  /** Whether the pace allows another one now; if not, it is looked at again when it does. */
  function isAllowed(): boolean {
    if (closed) return true;
    const now = performance.now();
    const due = Math.max(allowedAt, now - (limits.burst - 1) * spacingMs);
    if (due > now) {
      timer ??= setTimeout(() => {
        timer = undefined;
        next();
      }, due - now);
      return false;
    }
    allowedAt = due + spacingMs;
    return true;
  }

  return {
    tell(gateway, notice) {
      const { invoiceId, refundId, reference } = notice;
      if (invoiceId === null || closed) return;
      const key = refundId ?? reference;
      if (waiting.size >= limits.waiting && !waiting.has(key)) {
        if (!isFull)
          parts.logger.warn(
            { waiting: waiting.size },
            'notices come faster than processes can be told; the minute’s sweep tells the rest',
          );
        isFull = true;
        return;
      }
      waiting.set(key, { ...notice, gateway, invoiceId });
      next();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      for (let more = 0; more < limits.atOnce; more += 1) next();
      while (running.size > 0) await Promise.all(running);
    },
  };
}

async function tellOf(parts: TellingParts, notice: Told): Promise<void> {
  try {
    // The gateway's answer is a few steps further on; a call to Temporal takes longer than all of them.
    await afterAnswers();
    // The refunds first: once the payment's process has looked, the notice counts as handled.
    for (const id of notice.refundIds) await tellRefund(parts, id, notice.inboxId);
    if (notice.refundId) await markRefundNoticesHandled(parts.db, [notice.inboxId], new Date().toISOString());
    else await tellPayment(parts, notice);
  } catch (error) {
    const { gateway, inboxId } = notice;
    parts.logger.warn(
      { err: loggable(error), gateway, inboxId },
      'a process could not be told of a notice; the minute’s sweep will',
    );
  }
}

/** Wakes the collection of the invoice, or starts it anew when it had ended: money that comes late is still money. */
function tellPayment({ temporal, taskQueue }: TellingParts, { gateway, reference, inboxId, invoiceId }: Told) {
  const input: PaymentInput = { invoiceId };
  return withinTime(temporal, () =>
    temporal.workflow.signalWithStart('invoicePayment', {
      workflowId: paymentId(invoiceId),
      taskQueue,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      args: [input],
      signal: gatewayNoticeSignal,
      signalArgs: [{ gateway, reference, inboxId }],
      staticSummary: 'Payment of an invoice, woken by a late notice',
    }),
  );
}

/** A refund that had succeeded may come back days later: its process is started anew then. */
function tellRefund({ temporal, taskQueue }: TellingParts, refundId: RefundId, inboxId: string) {
  const input: RefundInput = { refundId };
  return withinTime(temporal, () =>
    temporal.workflow.signalWithStart('refund', {
      workflowId: refundWorkflowId(refundId),
      taskQueue,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      args: [input],
      signal: refundNoticeSignal,
      signalArgs: [{ inboxId }],
      staticSummary: 'Refund, woken by a late notice',
    }),
  );
}
