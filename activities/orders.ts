/** What the process of an order has done: each change in one transaction, and its money handed over to who moves it. */
import type { Knex } from 'knex';
import { invoiceCloser } from '../db/lapsed-invoices.ts';
import { advanceOrder } from '../db/order-advance.ts';
import type { OrderTools } from '../db/order-cancellation.ts';
import { applyOrderMessage } from '../db/order-messages.ts';
import { ordersNotTaken } from '../db/order-processes.ts';
import type { OrderStanding } from '../db/order-standing.ts';
import type { SealedOrigin } from '../domain/events.ts';
import type { InvoiceId, OrderId, RefundId, ShopMessageId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { ActivityDeps } from './deps.ts';
import { storeInvoicePdf } from './invoices.ts';
import { openOrigin } from './origin.ts';
import { startProcess, tellProcess } from './processes.ts';

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

/** How an invoice of an order is closed, and who has to agree to a refund: also for returns, which call orders off. */
export const orderTools = ({ money }: Pick<ActivityDeps, 'money'>): OrderTools => ({
  refundPolicy: money,
  closeInvoice: invoiceCloser(money),
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
        const input = { invoiceId, orderId };
        await startProcess({ workflowType: collector, workflowId, input, summary: 'Payment of an order' });
      }
      // What nobody collects has no page to close.
      for (const workflowId of close) await tellProcess(workflowId, { name: closeSignal });
      for (const { refundId, workflowId } of refunds)
        await startProcess({ workflowType: refunder, workflowId, input: { refundId }, summary: 'Refund of an order' });
    },

    /** @param input.before ISO 8601: orders that were placed earlier and that no process has had in hand */
    async findOrdersNotTaken(input: { before: string; limit: number }): Promise<OrderId[]> {
      return ordersNotTaken(db, input);
    },
  };
}
