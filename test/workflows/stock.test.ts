import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ORDER_PROCESS } from '../../activities/stock.ts';
import { refusesAdvertising } from '../../db/advertising.ts';
import { emptyCart } from '../../db/carts.ts';
import { putToStock, reserve } from '../../db/stock.ts';
import { asId, type CompanyId, type OrderId, type Sku, type UserId } from '../../domain/ids.ts';
import { DEMO_STORES } from '../../local/demo-products.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { cartId, lowStockId, orderId as orderProcessId } from '../../workflows/ids.ts';
import { orderChangedSignal } from '../../workflows/messages.ts';
import type { StockWatched } from '../../workflows/stock-watch.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { anOrderRow, aProduct } from '../builders/stock.ts';
import type { TestPerson } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, HOUR, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const { main } = DEMO_STORES;

describe('the processes of the shop', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let seller: TestPerson;
  let owner: TestPerson;

  before(async () => {
    system = await startSystem();
    [seller, owner] = await Promise.all([system.api.person('seller'), system.api.person('owner')]);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const now = () => new Date().toISOString();
  const watch = (): Promise<StockWatched> =>
    system.client.workflow.execute('stockWatch', { workflowId: `watch-${randomUUID()}`, taskQueue: system.taskQueue });
  const statusOf = async (workflowId: string) =>
    (await system.client.workflow.getHandle(workflowId).describe()).status.name;
  const isGone = (workflowId: string) =>
    eventually(`${workflowId} to end`, async () => (await statusOf(workflowId)) !== 'RUNNING');
  const change = (sku: Sku, quantity: number) =>
    db().transaction((tx) =>
      putToStock(tx, { sku, location: main, quantity, kind: 'adjusted', key: randomUUID(), at: now() }),
    );

  describe('low-stock/<sku>', () => {
    const letters = async (sku: Sku) =>
      (
        await db()('account_letters')
          .where({ template: 'stock_low', user_id: seller.id })
          .whereRaw(`data ->> 'sku' = ?`, [sku])
          .orderBy('created_at')
          .pluck('data')
      ).map(({ isRepeat }) => isRepeat);
    /** Crosses the threshold over HTTP, which starts the process. */
    async function crossed(): Promise<{ sku: Sku; alertId: string }> {
      const sku = await aProduct(db(), { lowStockBelow: 5, stock: [5, 0] });
      const body = { location: main, quantity: -1, note: 'counted' };
      assert.equal((await ask(system.api, seller, 'POST', `/stock/${sku}/adjust`, { body })).status, 200);
      await eventually('the sellers to be told', async () => (await letters(sku)).length === 1);
      const { body: listed } = await ask<{ items: { id: string }[] }>(
        system.api,
        seller,
        'GET',
        `/stock-alerts?sku=${sku}`,
      );
      return { sku, alertId: listed.items[0]?.id ?? '' };
    }
    const say = async (alertId: string, what: string, body?: object) => {
      const answer = await ask(system.api, seller, 'POST', `/stock-alerts/${alertId}/${what}`, body ? { body } : {});
      assert.equal(answer.status, 200);
    };
    const stateShown = async (sku: Sku) =>
      (await system.client.workflow.getHandle(lowStockId(sku)).describe()).typedSearchAttributes
        .getAll()
        .find(({ key }) => key.name === 'AlurStage')?.value;

    it('tells the sellers at once and each week, until somebody acknowledges it', async () => {
      const { sku, alertId } = await crossed();
      await travel(system.client, lowStockId(sku), 7 * DAY + 60);
      assert.deepEqual(await letters(sku), [false, true]);
      await say(alertId, 'acknowledge');
      await eventually('the process to know', async () => (await stateShown(sku)) === 'acknowledged');
      await travel(system.client, lowStockId(sku), 15 * DAY);
      assert.deepEqual(await letters(sku), [false, true]);
    });

    it('sleeps as long as it is told to', async () => {
      const { sku, alertId } = await crossed();
      await say(alertId, 'snooze', { days: 20 });
      await eventually('the process to know', async () => (await stateShown(sku)) === 'snoozed');
      await travel(system.client, lowStockId(sku), 19 * DAY);
      assert.deepEqual(await letters(sku), [false]);
      await travel(system.client, lowStockId(sku), 2 * DAY);
      assert.deepEqual(await letters(sku), [false, false]);
    });

    it('ends when there is enough again, and begins with the next crossing', async () => {
      const { sku } = await crossed();
      const body = { location: main, quantity: 9 };
      await ask(system.api, seller, 'POST', `/stock/${sku}/receive`, { body });
      await isGone(lowStockId(sku));
      await change(sku, -9);
      await watch();
      assert.deepEqual(await letters(sku), [false], 'what is younger than half a minute is on its way by itself');
      await db()('stock_alerts')
        .where({ sku, taken_at: null })
        .update({ opened_at: new Date(Date.now() - 60_000) });
      assert.ok((await watch()).alerts >= 1);
      await eventually('the sellers to be told again', async () => (await letters(sku)).length === 2);
      assert.equal(await statusOf(lowStockId(sku)), 'RUNNING');
    });
  });

  describe('cart/<companyId>', () => {
    let companyId: CompanyId;
    beforeEach(async () => {
      companyId = await aCompany(db(), owner.id);
    });
    const put = async (quantity: number) => {
      const body = { items: [{ sku: 'QR-PLATE', quantity }] };
      assert.equal((await ask(system.api, owner, 'PUT', `/carts/${companyId}`, { body })).status, 200);
    };
    const waits = () =>
      eventually('the process to wait', async () => {
        const { raw } = await system.client.workflow
          .getHandle(cartId(companyId))
          .describe()
          .catch(() => ({ raw: null }));
        return (
          (raw?.workflowExecutionInfo?.historyLength ?? 0) && Number(raw?.workflowExecutionInfo?.historyLength) > 4
        );
      });
    const letters = async () =>
      (await db()('account_letters').where({ template: 'cart_reminder', user_id: owner.id })).length;
    /** Time travels for the process alone: for the record, the cart was changed before. */
    const changedAgo = (hours: number) =>
      db()('carts')
        .where({ company_id: companyId })
        .update({ updated_at: new Date(Date.now() - hours * 3_600_000) });

    it('reminds after a day, once', async () => {
      const before = await letters();
      await put(2);
      await waits();
      await travel(system.client, cartId(companyId), 23 * HOUR);
      assert.equal(await letters(), before);
      await travel(system.client, cartId(companyId), 2 * HOUR);
      await isGone(cartId(companyId));
      assert.equal(await letters(), before + 1);
      await changedAgo(99);
      assert.equal((await watch()).carts, 0);
    });

    it('reminds of nothing that was ordered', async () => {
      const before = await letters();
      await put(2);
      await waits();
      await db().transaction((tx) => emptyCart(tx, companyId));
      await travel(system.client, cartId(companyId), 25 * HOUR);
      await isGone(cartId(companyId));
      assert.equal(await letters(), before);
    });

    it('counts anew when the cart is changed', async () => {
      const before = await letters();
      await put(2);
      await waits();
      await travel(system.client, cartId(companyId), 20 * HOUR);
      const inTheirTime = new Date(Date.now() + 20 * 3_600_000);
      await put(3);
      await db()('carts').where({ company_id: companyId }).update({ updated_at: inTheirTime });
      await travel(system.client, cartId(companyId), 23 * HOUR);
      assert.equal(await letters(), before);
      await travel(system.client, cartId(companyId), 2 * HOUR);
      await isGone(cartId(companyId));
      assert.equal(await letters(), before + 1);
    });

    it('is started by the watch when nobody has', async () => {
      const before = await letters();
      const items = JSON.stringify([{ sku: 'QR-PLATE', quantity: 1 }]);
      await db()('carts').insert({ company_id: companyId, user_id: owner.id, items, updated_at: now() });
      await changedAgo(25);
      assert.equal(await refusesAdvertising(db(), owner.id), false);
      assert.equal((await watch()).carts, 1);
      await eventually('the reminder', async () => (await letters()) === before + 1);
    });
  });

  describe('orders that wait', () => {
    let by: UserId;
    let companyId: CompanyId;
    before(async () => {
      by = await aUser(db(), 'owner');
      companyId = await aCompany(db(), by);
    });
    /** Stands for the order's process: nobody works on its queue, so what it is told stays in its history. */
    async function aWaitingOrder(sku: Sku, placedAt: string): Promise<OrderId> {
      const { orderId } = await anOrderRow(db(), { companyId, by, sku, quantity: 2, placedAt });
      const taskQueue = `nobody-${randomUUID()}`;
      await system.client.workflow.start('order', {
        workflowId: orderProcessId(orderId),
        taskQueue,
        args: [{ orderId }],
      });
      return orderId;
    }
    const told = async (orderId: OrderId): Promise<number> => {
      const { events } = await system.client.workflow.getHandle(orderProcessId(orderId)).fetchHistory();
      return (events ?? []).filter(
        ({ workflowExecutionSignaledEventAttributes: it }) => it?.signalName === orderChangedSignal.name,
      ).length;
    };

    it('are told when goods have come, by whom they are received', async () => {
      const sku = await aProduct(db());
      const [late, early] = [
        await aWaitingOrder(sku, '2026-06-03T00:00:00Z'),
        await aWaitingOrder(sku, '2026-06-01T00:00:00Z'),
      ];
      const gone = await anOrderRow(db(), { companyId, by, sku, quantity: 1 });
      await ask(system.api, seller, 'POST', `/stock/${sku}/receive`, { body: { location: main, quantity: 3 } });
      for (const one of [early, late]) await eventually('the order to be told', async () => (await told(one)) === 1);
      await assert.rejects(statusOf(orderProcessId(gone.orderId)));
    });

    it('are told by the watch when nobody has, and not while there is nothing for them', async () => {
      const sku = await aProduct(db());
      const order = await aWaitingOrder(sku, '2026-06-01T00:00:00Z');
      await watch();
      assert.equal(await told(order), 0);
      await change(sku, 2);
      assert.ok((await watch()).orders >= 1);
      assert.equal(await told(order), 1);
    });

    it('get what was reserved in vain for orders that are over', async () => {
      const sku = await aProduct(db(), { stock: [2, 0] });
      const waiting = await aWaitingOrder(sku, '2026-06-01T00:00:00Z');
      const over = await anOrderRow(db(), {
        companyId,
        by,
        sku,
        quantity: 2,
        state: 'cancelled',
        unitState: 'cancelled',
      });
      const wants = [{ orderItemId: over.itemId, sku, quantity: 2 }];
      const expiresAt = new Date(Date.now() - 1000).toISOString();
      await db().transaction((tx) => reserve(tx, { orderId: over.orderId, wants, expiresAt, at: now() }));
      const { freed } = await watch();
      assert.equal(freed, 1);
      assert.equal(await told(waiting), 1);
      assert.equal((await watch()).freed, 0);
      const [event] = await db()('events')
        .where({ subject: `order/${over.orderId}` })
        .select('type', 'data', 'public');
      assert.deepEqual(event, { type: 'stock.reservation_expired', data: { units: 2 }, public: false });
    });

    it('are called as their process is', () => {
      const id = asId<OrderId>(randomUUID());
      assert.deepEqual([ORDER_PROCESS.idOf(id), ORDER_PROCESS.signal], [orderProcessId(id), orderChangedSignal.name]);
    });
  });

  it('run by the clock', async () => {
    const prefix = `${randomUUID()}-`;
    const entries = SCHEDULES.filter(({ id }) => id === 'stock-watch');
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const handle = system.client.schedule.getHandle(`${prefix}stock-watch`);
    await handle.trigger();
    await eventually('the watch to run', async () => (await handle.describe()).info.recentActions.length > 0);
    await handle.delete();
  });
});
