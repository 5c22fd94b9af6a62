import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { recordShopMessage } from '../../db/shop-messages.ts';
import type { OrderId, UserId } from '../../domain/ids.ts';
import { orderId } from '../../workflows/ids.ts';
import { shipOrderUpdate } from '../../workflows/messages.ts';
import { aReturnOf, deliveredGoods } from '../builders/delivered-goods.ts';
import { aColleague } from '../builders/people.ts';
import { aReturnInHand, inHand, type ReturnInTest } from '../support/returns.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

describe('the process of a return', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let seller: UserId;
  let warehouse: UserId;
  before(async () => {
    system = await startSystem();
    seller = await aColleague(system.database.db, 'seller');
    warehouse = await aColleague(system.database.db, 'warehouse');
  });
  after(() => system?.close());

  const found = (it: ReturnInTest, condition: 'unopened' | 'used' = 'unopened') => ({
    units: [{ orderItemId: it.of.itemId, condition, disposition: 'restock' as const }],
  });
  const approved = async (given: Parameters<typeof aReturnInHand>[1] = {}) => {
    const it = await aReturnInHand(system, given);
    await it.say('approve', {}, seller);
    await it.is('awaiting_shipment');
    return it;
  };
  const parcel = async (it: ReturnInTest, state: string) => {
    await system.database.db('shipments').where({ return_id: it.id }).update({ state });
    await it.tell();
  };
  const stated = async (
    given: Parameters<typeof aReturnInHand>[1] = {},
    condition: 'unopened' | 'used' = 'unopened',
  ) => {
    const it = await approved(given);
    await it.say('receive', {}, warehouse);
    assert.equal((await it.say('inspect', found(it, condition), warehouse)).state, 'resolution_pending');
    return it;
  };

  together({
    'runs from asking to the refund, which it waits for, in few actions': async () => {
      const it = await approved({ goods: { sandboxUrl: `${system.sandboxUrl}/xendit` } });
      await parcel(it, 'in_transit');
      await it.is('in_transit');
      await parcel(it, 'delivered');
      await it.is('received');
      await it.say('receive', {}, warehouse);
      await it.say('inspect', found(it), warehouse);
      assert.equal((await it.say('resolve', { resolution: 'refund' })).state, 'refunding');
      const refunds = () => system.database.db('refunds').where({ return_id: it.id });
      const { id } = await eventually('the refund is with the gateway', async () => {
        const row: { id: string; state: string } | undefined = await refunds().first('id', 'state');
        return row?.state === 'pending' && row;
      });
      await refunds().update({ state: 'succeeded', ended_at: new Date() });
      await system.client.workflow
        .getHandle(it.workflowId)
        .signal('refundClosed', { refundId: id, state: 'succeeded' });
      await it.is('closed_refunded');
      // What is left of the refund: a notice, the question, the credit note, and telling this process.
      const counted = (await actionsOf(it.workflowId)) + (await actionsOf(`refund/${id}`)) + 4;
      assert.ok(counted <= 46, `${counted} actions: ${await actionsOf(it.workflowId)} of them its own`);
    },

    'answers a message that comes twice with the same, and does it once': async () => {
      const it = await aReturnInHand(system);
      const key = randomUUID();
      const [one, two] = await Promise.all([it.say('approve', {}, seller, key), it.say('approve', {}, seller, key)]);
      assert.deepEqual(one, two);
      await it.is('awaiting_shipment');
      await assert.rejects(it.say('approve', {}, seller));
      await assert.rejects(it.say('inspect', found(it), warehouse));
      assert.equal((await it.events()).filter((type) => type === 'return.approved').length, 1);
    },

    'reminds and escalates while nobody looks at it, and never rejects by itself': async () => {
      const it = await aReturnInHand(system);
      await it.is('under_review');
      await it.days(2.1);
      assert.deepEqual(kindsOf(await it.events()), ['return.reminded']);
      await it.days(3);
      await it.days(30);
      assert.equal(await it.state(), 'under_review');
      assert.equal((await it.events()).filter((type) => type === 'return.escalated').length, 5);
      await it.say('reject', { reason: 'Too late' }, seller);
      assert.deepEqual(await it.units(), ['withdrawn', 'withdrawn']);
    },

    'expires when no parcel comes, hears of one that does, and goes on': async () => {
      const it = await approved();
      await it.days(14.1);
      await it.is('expired');
      assert.deepEqual(
        (await it.letters()).filter((one) => one === 'return_reminder' || one === 'return_expired'),
        ['return_reminder', 'return_reminder', 'return_expired'],
      );
      assert.equal((await it.say('receive', {}, warehouse)).state, 'received');
      assert.ok((await it.events()).includes('return.reopened'));
      assert.equal((await it.say('inspect', found(it), warehouse)).state, 'resolution_pending');
    },

    'is started again by a parcel of a return that ended long ago': async () => {
      const it = await approved();
      await it.days(14.1);
      await it.is('expired');
      await it.days(21.1);
      await system.client.workflow.getHandle(it.workflowId).result();
      await system.database.db('shipments').where({ return_id: it.id }).update({ state: 'delivered' });
      const { workflowId } = it;
      await system.client.workflow.start('rma', {
        workflowId,
        taskQueue: system.taskQueue,
        args: [{ returnId: it.id }],
      });
      await it.is('received');
    },

    'calls a parcel lost, gives it back, and resolves it when nobody chooses': async () => {
      const it = await approved();
      await parcel(it, 'in_transit');
      await it.is('in_transit');
      await it.days(21.1);
      await it.is('lost_in_transit');
      await it.days(5.1);
      await it.is('resolution_pending');
      await it.days(5.1);
      assert.ok((await it.events()).includes('return.defaulted'));
    },

    'tells supervisors of what lies in the warehouse and is not counted, nor looked at': async () => {
      const it = await approved();
      await it.say('receive', {}, warehouse);
      await it.days(2.1);
      assert.deepEqual(kindsOf(await it.events()), ['return.escalated']);
      await it.say(
        'inspect',
        {
          units: [
            {
              ...found(it).units[0],
              orderItemId: it.of.itemId,
              condition: 'as_new',
              disposition: 'restock',
              number: 1,
            },
          ],
        },
        warehouse,
      );
      await it.days(3.1);
      assert.equal(kindsOf(await it.events()).length, 2);
    },

    'waits for whoever has to accept deductions, and for staff while they are disputed': async () => {
      const it = await stated({}, 'used');
      assert.equal((await it.say('resolve', { resolution: 'refund' })).state, 'resolution_pending');
      await it.say('dispute', { reason: 'It was new' });
      await it.days(9);
      assert.equal(await it.state(), 'resolution_pending');
      assert.equal((await it.say('decide_dispute', { decision: 'waive', note: 'Agreed' }, seller)).state, 'refunding');
    },

    'sends another one in its place, and closes when it has left': async () => {
      const it = await stated({ wanted: 'replacement' });
      assert.equal((await it.say('resolve', { resolution: 'replacement' })).state, 'replacing');
      await system.database
        .db('orders')
        .where({ return_id: it.id })
        .update({ state: 'shipped', shipped_at: new Date() });
      await it.days(1.1);
      await it.is('closed_replaced');
      const { state } = await system.client.workflow.getHandle(it.workflowId).result();
      assert.equal(state, 'closed_replaced');
    },

    'closes as soon as what takes its place leaves by hand, without waiting for its daily look': async () => {
      const it = await stated({ wanted: 'replacement' });
      await it.say('resolve', { resolution: 'replacement' });
      const order: { id: OrderId } = await system.database.db('orders').where({ return_id: it.id }).first('id');
      const messageId = await recordShopMessage(system.database.db, {
        subject: `order/${order.id}`,
        kind: 'ship',
        by: warehouse,
        content: { kind: 'ship', carrier: 'jne', trackingNumber: `JNE-${it.id}` },
        requestKey: randomUUID(),
        at: new Date(),
      });
      const process = system.client.workflow.getHandle(orderId(order.id));
      // Whoever chose has the answer before the process of the order is started.
      await eventually('its process', () =>
        process.describe().then(
          () => true,
          () => false,
        ),
      );
      await process.executeUpdate(shipOrderUpdate, { args: [{ messageId, by: warehouse }] });
      await it.is('closed_replaced');
    },

    'offers a refund when the order that replaces it is called off': async () => {
      const it = await stated({ wanted: 'replacement' });
      await it.say('resolve', { resolution: 'replacement' });
      await system.database.db('orders').where({ return_id: it.id }).update({ state: 'cancelled' });
      await it.tell();
      await it.is('resolution_pending');
      assert.equal((await it.say('resolve', { resolution: 'store_credit' })).state, 'refunding');
    },

    'shows to people a refund that takes too long, and one that fails after it had arrived': async () => {
      const it = await stated();
      await system.database
        .db('payments')
        .whereIn('invoice_id', system.database.db('invoices').where({ order_id: it.of.orderId }).select('id'))
        .update({ gateway: 'billplz' });
      await it.say('resolve', { resolution: 'refund' });
      await it.days(10.1);
      await it.is('manual_review');
      assert.deepEqual(await it.reasons(), ['refund_overdue']);
      await system.database
        .db('refunds')
        .where({ return_id: it.id })
        .update({ state: 'succeeded', ended_at: new Date() });
      await it.tell();
      await it.is('closed_refunded');
      await system.database.db('refunds').where({ return_id: it.id }).update({ state: 'failed' });
      await it.tell();
      await it.is('manual_review');
    },

    'lets two returns of one order go their own ways': async () => {
      const of = await deliveredGoods(system.database.db);
      const ask = () => aReturnOf(system.database.db, of, { items: [{ orderItemId: of.itemId, reason: 'damaged' }] });
      const [one, two] = [await inHand(system, of, await ask()), await inHand(system, of, await ask())];
      await Promise.all([one.say('approve', {}, seller), two.say('reject', { reason: 'No' }, seller)]);
      await one.is('awaiting_shipment');
      await Promise.all([one.say('receive', {}, warehouse), assert.rejects(two.say('receive', {}, warehouse))]);
      await one.say('inspect', found(one), warehouse);
      assert.deepEqual([await one.units(), await two.units()], [['accepted'], ['withdrawn']]);
    },

    'is put into a process’s hands by the watch where it has none': async () => {
      const of = await deliveredGoods(system.database.db);
      const id = await aReturnOf(system.database.db, of, { at: new Date(Date.now() - 120_000).toISOString() });
      const { client, taskQueue } = system;
      await client.workflow.execute('rmaWatch', { workflowId: `rma-watch-${randomUUID()}`, taskQueue });
      await eventually('it is in hand', async () => {
        const row = await system.database.db('returns').where({ id }).first('state');
        return row.state === 'under_review';
      });
    },
  });

  const kindsOf = (events: readonly string[]) =>
    events.filter((type) => type === 'return.reminded' || type === 'return.escalated');

  /** As Temporal Cloud counts: see test/bench/actions.ts. */
  async function actionsOf(workflowId: string): Promise<number> {
    const { events } = await system.client.workflow.getHandle(workflowId).fetchHistory();
    const billed = [
      ...['workflowExecutionStarted', 'activityTaskScheduled', 'timerStarted', 'upsertWorkflowSearchAttributes'],
      ...['workflowExecutionSignaled', 'workflowExecutionUpdateAccepted', 'startChildWorkflowExecutionInitiated'],
    ];
    return (events ?? []).filter((event) => billed.some((name) => Object.hasOwn(event, `${name}EventAttributes`)))
      .length;
  }
});
