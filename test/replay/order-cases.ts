/** Orders: sent and delivered to the end of their time for returns, never paid, cancelled in part while they wait for stock. */
import { randomUUID } from 'node:crypto';
import type { OrderMessage } from '../../db/order-messages.ts';
import { recordShopMessage } from '../../db/shop-messages.ts';
import type { OrderId, UserId } from '../../domain/ids.ts';
import { orderId as orderProcess, paymentId } from '../../workflows/ids.ts';
import { orderChangedSignal, type ShopMessage } from '../../workflows/messages.ts';
import { aCaptureOf, anOrder, type BuiltOrder } from '../builders/orders.ts';
import { aProduct } from '../builders/stock.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, HOUR, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

export function orderCasesOf(system: TestSystem): (() => Promise<Played>)[] {
  const { client, taskQueue } = system;
  const { db } = system.database;
  const handle = ({ orderId }: BuiltOrder) => client.workflow.getHandle(orderProcess(orderId));
  const collectorOf = ({ invoiceId }: BuiltOrder): string => (invoiceId ? paymentId(invoiceId) : '');
  const begun = async (order: BuiltOrder): Promise<string> => {
    const workflowId = orderProcess(order.orderId);
    await client.workflow.start('order', { workflowId, taskQueue, args: [{ orderId: order.orderId }] });
    await eventually('who collects it', () =>
      client.workflow
        .getHandle(collectorOf(order))
        .describe()
        .catch(() => null),
    );
    return workflowId;
  };
  const is = (orderId: OrderId, state: string) =>
    eventually(
      `the order to be ${state}`,
      async () => (await db('orders').where({ id: orderId, state }).first('id')) ?? null,
    );
  const ask = async (order: BuiltOrder, by: UserId, update: string, content: OrderMessage) => {
    const said = { subject: `order/${order.orderId}` as const, kind: content.kind, by, content: { ...content } };
    const messageId = await recordShopMessage(db, { ...said, requestKey: randomUUID(), at: new Date() });
    const message: ShopMessage = { messageId, by };
    await handle(order).executeUpdate(update, { updateId: messageId, args: [message] });
  };
  const paid = async (order: BuiltOrder, state: string) => {
    if (order.invoiceId) await aCaptureOf(db, order.invoiceId);
    await handle(order).signal(orderChangedSignal);
    await is(order.orderId, state);
  };
  return [
    async () => {
      const order = await anOrder(db);
      const workflowId = await begun(order);
      await paid(order, 'confirmed');
      await ask(order, order.by, 'holdOrder', { kind: 'hold' });
      await ask(order, order.by, 'releaseOrder', { kind: 'release' });
      await ask(order, order.by, 'shipOrder', {
        kind: 'ship',
        carrier: 'jne',
        trackingNumber: randomUUID().slice(0, 12),
      });
      await ask(order, order.by, 'deliverOrder', { kind: 'deliver' });
      await travel(client, workflowId, 8 * DAY);
      await travel(client, workflowId, 23 * DAY);
      await handle(order).result();
      return { 'order-delivered': workflowId };
    },
    async () => {
      const order = await anOrder(db);
      const workflowId = await begun(order);
      await travel(client, workflowId, 20 * HOUR + 60);
      await travel(client, collectorOf(order), 24 * HOUR + 60);
      await is(order.orderId, 'cancelled');
      return { 'order-never-paid': workflowId };
    },
    async () => {
      const sku = await aProduct(db, { priceMinor: 600_000n, stock: [1, 0] });
      const order = await anOrder(db, { items: [{ sku, quantity: 2 }] });
      const workflowId = await begun(order);
      await paid(order, 'backordered');
      await ask(order, order.by, 'editOrder', { kind: 'edit', items: [{ sku, quantity: 1 }] });
      await is(order.orderId, 'confirmed');
      await ask(order, order.by, 'cancelOrder', { kind: 'cancel', byPayer: true });
      await handle(order).result();
      return { 'order-cancelled': workflowId };
    },
    async () => {
      await anOrder(db, { at: new Date(Date.now() - 120_000).toISOString() });
      const workflowId = `order-watch-${randomUUID()}`;
      await client.workflow.execute('orderWatch', { workflowId, taskQueue });
      return { 'orderWatch-one-page': workflowId };
    },
  ];
}
