/** The shop's stock: an alert that is told, put off and over, a cart that was left, and a watch that has something of everything. */
import { randomUUID } from 'node:crypto';
import { putToStock, reserve } from '../../db/stock.ts';
import { acknowledgeAlert, snoozeAlert } from '../../db/stock-alerts.ts';
import { asId, type Sku, type StockAlertId } from '../../domain/ids.ts';
import { DEMO_STORES } from '../../local/demo-products.ts';
import { cartId, lowStockId } from '../../workflows/ids.ts';
import { alertChangedSignal } from '../../workflows/messages.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { anOrderRow, aProduct } from '../builders/stock.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, HOUR, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

const origin = { address: null, requestId: null };

export async function playShop(system: TestSystem): Promise<Played> {
  return { ...(await playAlert(system)), ...(await playCart(system)), ...(await playStockWatch(system)) };
}

const change = ({ database: { db } }: TestSystem, sku: Sku, quantity: number) =>
  db.transaction((tx) =>
    putToStock(tx, {
      ...{ sku, quantity, location: DEMO_STORES.main, kind: 'adjusted', key: randomUUID() },
      at: new Date().toISOString(),
    }),
  );

async function playAlert(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const by = await aUser(db, 'seller');
  const sku = await aProduct(db, { lowStockBelow: 5, stock: [5, 0] });
  await change(system, sku, -1);
  const workflowId = lowStockId(sku);
  const handle = await system.client.workflow.start('lowStock', {
    workflowId,
    taskQueue: system.taskQueue,
    args: [{ sku }],
  });
  const told = () =>
    eventually('the alert to be read', async () =>
      db('stock_alerts').where({ sku }).whereNotNull('taken_at').first('id'),
    );
  await told();
  await travel(system.client, workflowId, 7 * DAY + 60);
  const row: { id: StockAlertId } | undefined = await db('stock_alerts').where({ sku }).first('id');
  if (!row) throw new Error(`no alert of ${sku}`);
  const say = async (answer: 'snooze' | 'acknowledge') => {
    const [at, until] = [Date.now(), Date.now() + 20 * DAY * 1000].map((time) => new Date(time).toISOString());
    const said = { id: row.id, by, key: randomUUID(), origin, at: at ?? '' };
    await db.transaction((tx) =>
      answer === 'snooze' ? snoozeAlert(tx, { ...said, until: until ?? '' }) : acknowledgeAlert(tx, said),
    );
    await handle.signal(alertChangedSignal);
    await told();
  };
  await say('snooze');
  await travel(system.client, workflowId, 14 * DAY);
  await say('acknowledge');
  await change(system, sku, 9);
  await handle.signal(alertChangedSignal);
  await handle.result();
  return { 'lowStock-told-put-off-and-over': workflowId };
}

async function playCart(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const owner = await aUser(db, 'owner');
  const companyId = await aCompany(db, owner);
  const items = JSON.stringify([{ sku: 'QR-PLATE', quantity: 1 }]);
  await db('carts').insert({ company_id: companyId, user_id: owner, items, updated_at: new Date() });
  const workflowId = cartId(companyId);
  const options = { workflowId, taskQueue: system.taskQueue, args: [{ companyId }] };
  const handle = await system.client.workflow.start('cart', options);
  await eventually('the cart to be read', async () => {
    const { events } = await handle.fetchHistory();
    return (events ?? []).some(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
  });
  await travel(system.client, workflowId, 25 * HOUR);
  await handle.result();
  return { 'cart-reminded': workflowId };
}

/** An order that waits without a process, an alert, a cart, and a reservation of an order that is over. */
async function playStockWatch(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const by = await aUser(db, 'owner');
  const companyId = await aCompany(db, by);
  const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const sku = await aProduct(db, { lowStockBelow: 2, stock: [2, 0] });
  const over = await anOrderRow(db, { companyId, by, sku, quantity: 2, state: 'cancelled', unitState: 'cancelled' });
  const wants = [{ orderItemId: over.itemId, sku, quantity: 1 }];
  await db.transaction((tx) => reserve(tx, { orderId: over.orderId, wants, expiresAt: anHourAgo, at: anHourAgo }));
  await anOrderRow(db, { companyId, by, sku, quantity: 1 });
  const items = JSON.stringify([{ sku: asId<Sku>('QR-PLATE'), quantity: 1 }]);
  const left = new Date(Date.now() - 30 * 3_600_000);
  await db('carts').insert({ company_id: companyId, user_id: by, items, updated_at: left });
  const workflowId = `stock-watch-${randomUUID()}`;
  const options = { workflowId, taskQueue: system.taskQueue, args: [] };
  await system.client.workflow.start('stockWatch', options);
  return { 'stockWatch-something-of-everything': workflowId };
}
