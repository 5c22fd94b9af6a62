/** What the process of an order has done: each change in one transaction, and its money handed over to who moves it. */
import { activityInfo, getClient } from '@temporalio/activity';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/common';
import type { Knex } from 'knex';
import { lockCollected } from '../db/invoice-payments.ts';
import { advanceOrder } from '../db/order-advance.ts';
import type { OrderTools } from '../db/order-cancellation.ts';
import { applyOrderMessage } from '../db/order-messages.ts';
import { ordersNotTaken } from '../db/order-processes.ts';
import type { OrderStanding } from '../db/order-standing.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { InvoiceId, OrderId, RefundId, ShopMessageId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { ActivityDeps } from './deps.ts';
import { closeAsLapsed, storeInvoicePdf } from './invoices.ts';
import { openOrigin } from './origin.ts';

export type { OrderStanding } from '../db/order-standing.ts';

/** Processes by the names that workflows/ knows them under. */
export interface OrderMoney {
  readonly orderId: OrderId;
  /** Invoices to collect. */
  readonly collect: readonly { readonly invoiceId: InvoiceId; readonly workflowId: string }[];
  readonly collector: string;
  /** Collections whose pages are to be closed. */
  readonly close: readonly string[];
  readonly closeSignal: string;
  readonly refunds: readonly { readonly refundId: RefundId; readonly workflowId: string }[];
  readonly refunder: string;
}

const ANSWER_WITHIN_MS = 5_000;

/** How an invoice of an order is closed, and who has to agree to a refund: also for returns, which call orders off. */
export const orderTools = ({ money }: Pick<ActivityDeps, 'money'>): OrderTools => ({
  refundPolicy: money,
  closeInvoice: async (tx, id, at) => {
    const invoice = await lockCollected(tx, id);
    return invoice.state === 'open' ? closeAsLapsed(tx, money, invoice, at) : invoice.state;
  },
});

export function createOrderActivities(deps: Pick<ActivityDeps, 'db' | 'files' | 'money' | 'personalData'>) {
  const { db } = deps;
  const tools = orderTools(deps);
  return {
    /** Books what was paid, reserves what waits, does one thing that is due; with nothing of all this it only reads. */
    async advanceOrder(input: { orderId: OrderId; at: string }): Promise<OrderStanding> {
      return db.transaction((tx: Knex) => advanceOrder(tx, tools, input));
    },

    /** What somebody asked for, once; or why not. */
    async applyOrderMessage(input: {
      orderId: OrderId;
      messageId: ShopMessageId;
      at: string;
      origin?: SealedOrigin;
    }): Promise<{ standing: OrderStanding; refusal: Refusal | null }> {
      const asked = { ...input, origin: openOrigin(deps, input.origin) };
      return db.transaction((tx: Knex) => applyOrderMessage(tx, tools, asked));
    },

    /** Starts who collects an invoice and who gives a refund back, and tells who collected what is not owed any more. */
    async handOverOrderMoney(input: OrderMoney): Promise<void> {
      const { orderId, collect, collector, close, closeSignal, refunds, refunder } = input;
      for (const { invoiceId, workflowId } of collect) {
        await storeInvoicePdf(deps, invoiceId);
        await start(collector, workflowId, { invoiceId, orderId }, 'Payment of an order');
      }
      for (const workflowId of close) await tell(workflowId, closeSignal);
      for (const { refundId, workflowId } of refunds)
        await start(refunder, workflowId, { refundId }, 'Refund of an order');
    },

    /** @param input.before ISO 8601: orders that were placed earlier and that no process has had in hand */
    async findOrdersNotTaken(input: { before: string; limit: number }): Promise<OrderId[]> {
      return ordersNotTaken(db, input);
    },
  };
}

/** One that runs is left to itself. */
async function start(workflowType: string, workflowId: string, input: object, staticSummary: string): Promise<void> {
  const client = getClient();
  await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
    client.workflow.start(workflowType, {
      workflowId,
      taskQueue: activityInfo().taskQueue,
      args: [input],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      staticSummary,
    }),
  );
}

/** What nobody collects has no page. */
async function tell(workflowId: string, signal: string): Promise<void> {
  const client = getClient();
  try {
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).signal(signal),
    );
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
