/** Returns: to the refund, expired and taken up again, replaced, undone; and the watch over them. */
import { randomUUID } from 'node:crypto';
import { aReturnOf, deliveredGoods } from '../builders/delivered-goods.ts';
import { aColleague } from '../builders/people.ts';
import { aReturnInHand, type ReturnInTest } from '../support/returns.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export function rmaCasesOf(system: TestSystem): (() => Promise<Played>)[] {
  const { client, taskQueue } = system;
  const { db } = system.database;
  const unopened = (it: ReturnInTest) =>
    ({ units: [{ orderItemId: it.of.itemId, condition: 'unopened', disposition: 'restock' }] }) as const;
  const approved = async (given: Parameters<typeof aReturnInHand>[1] = {}) => {
    const [seller, warehouse] = [await aColleague(db, 'seller'), await aColleague(db, 'warehouse')];
    const it = await aReturnInHand(system, given);
    await it.say('approve', {}, seller);
    await it.is('awaiting_shipment');
    return { it, warehouse };
  };
  const inspected = async (given: Parameters<typeof aReturnInHand>[1] = {}) => {
    const { it, warehouse } = await approved(given);
    await it.say('receive', {}, warehouse);
    await it.say('inspect', unopened(it), warehouse);
    return it;
  };
  /** And until nobody listens to it any more. */
  const refunded = async (it: ReturnInTest) => {
    await it.say('resolve', { resolution: 'refund' });
    await it.is('refunding');
    await db('refunds').where({ return_id: it.id }).update({ state: 'succeeded', ended_at: new Date() });
    await it.tell();
    await it.is('closed_refunded');
    await it.days(11.1);
  };
  return [
    async () => {
      const it = await inspected();
      await refunded(it);
      return { 'rma-refunded': it.workflowId };
    },
    async () => {
      const { it, warehouse } = await approved();
      await it.days(14.1);
      await it.is('expired');
      await it.say('receive', {}, warehouse);
      await it.say('inspect', unopened(it), warehouse);
      await refunded(it);
      return { 'rma-expired-and-reopened': it.workflowId };
    },
    async () => {
      const it = await inspected({ wanted: 'replacement' });
      await it.say('resolve', { resolution: 'replacement' });
      await db('orders').where({ return_id: it.id }).update({ state: 'shipped', shipped_at: new Date() });
      await it.days(1.1);
      await it.is('closed_replaced');
      return { 'rma-replaced': it.workflowId };
    },
    async () => {
      const { it } = await approved();
      await it.say('cancel', {});
      await it.days(21.1);
      return { 'rma-cancelled': it.workflowId };
    },
    async () => {
      const of = await deliveredGoods(db);
      await aReturnOf(db, of, { at: new Date(Date.now() - 120_000).toISOString() });
      const workflowId = `rma-watch-${randomUUID()}`;
      await client.workflow.execute('rmaWatch', { workflowId, taskQueue });
      return { 'rmaWatch-one-page': workflowId };
    },
  ];
}
