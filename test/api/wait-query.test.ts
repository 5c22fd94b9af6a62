import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { moveShipment } from '../../db/shipment-moves.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { aDeliveredOrder, anOrder, aPaidOrder, askedOf, type BuiltOrder } from '../builders/orders.ts';
import { aReturn } from '../builders/return-money.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

/** Longer than any test waits: an answer before that came because something has changed. */
const WAIT = 25;

describe('an order or a return that is waited for', function () {
  this.timeout(20_000);
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const db = () => database.db;
  const own = async () => ({ by: owner.id, companyId: await aCompany(db(), owner.id) });
  const read = async (path: string, tag?: string) => {
    const headers = { ...owner.headers, ...(tag ? { 'if-none-match': tag } : {}) };
    const answer = await fetch(`${api.url}/api/v1${path}`, { headers });
    const text = await answer.text();
    const body: { state?: string; code?: string } = text === '' ? {} : JSON.parse(text);
    return { status: answer.status, etag: answer.headers.get('etag') ?? '', ...body };
  };
  const listened = (channel: string) =>
    eventually(`somebody to listen on ${channel}`, async () => {
      const { rows }: { rows: unknown[] } = await db().raw(
        'select from pg_stat_activity where datname = current_database() and query ilike ?',
        [`listen%${channel}%`],
      );
      return rows.length > 0;
    });
  /** Asks, changes it once it is waited for, and gives the answer with what it took. */
  async function changedWhileWaiting(path: string, channel: string, change: () => Promise<unknown>) {
    const { etag } = await read(path);
    const begun = performance.now();
    const waiting = read(`${path}?wait=${WAIT}`, etag);
    await listened(channel);
    await change();
    const answer = await waiting;
    assert.ok(performance.now() - begun < WAIT * 1_000 - 5_000, 'it came when the time was over');
    assert.notEqual(answer.etag, etag);
    return answer;
  }
  const about = ({ orderId }: BuiltOrder) => `/orders/${orderId}`;

  it('is answered with as soon as the order has changed', async () => {
    const order = await aPaidOrder(db(), await own());
    const seller = await aUser(db(), 'seller');
    const hold = () => askedOf(db(), order.orderId, seller, { kind: 'hold' });
    const answer = await changedWhileWaiting(about(order), 'order_changed', hold);
    assert.deepEqual([answer.status, answer.state], [200, 'on_hold']);
  });

  it('is answered with as soon as a parcel of the order is somewhere else', async () => {
    const order = await aPaidOrder(db(), await own());
    const seller = await aUser(db(), 'seller');
    const trackingNumber = randomUUID().slice(0, 12);
    await askedOf(db(), order.orderId, seller, { kind: 'ship', carrier: 'jne', trackingNumber });
    const { id: shipmentId } = await db()('shipments').where({ order_id: order.orderId }).first('id');
    const at = new Date().toISOString();
    const news = [{ state: 'in_transit' as const, at: Date.now() }];
    const move = () => db().transaction((tx) => moveShipment(tx, { shipmentId, news, at }));
    await changedWhileWaiting(about(order), 'order_changed', move);
  });

  it('is answered with as soon as the return has changed', async () => {
    const id = await aReturn(db(), await aDeliveredOrder(db(), await own()));
    const change = () => db()('returns').where({ id }).update({ updated_at: new Date(), state: 'expired' });
    const answer = await changedWhileWaiting(`/returns/${id}`, 'return_changed', change);
    assert.deepEqual([answer.status, answer.state], [200, 'expired']);
  });

  it('is answered with at once when the caller has an older one, and when nothing will become of it', async () => {
    const order = await anOrder(db(), await own());
    const path = `${about(order)}?wait=${WAIT}`;
    const begun = performance.now();
    assert.equal((await read(path, '"older"')).state, 'pending');
    await db()('orders').where({ id: order.orderId }).update({ ended_at: new Date() });
    const over = await read(path);
    assert.equal(over.status, 200);
    assert.equal((await read(path, over.etag)).status, 304);
    assert.ok(performance.now() - begun < 10_000, 'it waited for what does not come');
  });

  it('is answered with as it is when the time is over, and to nobody who may not see it', async () => {
    const order = await anOrder(db(), await own());
    const { etag } = await read(about(order));
    assert.equal((await read(`${about(order)}?wait=1`, etag)).status, 304);
    assert.equal((await read(`/orders/${randomUUID()}?wait=${WAIT}`)).status, 404);
    assert.equal((await read(`${about(order)}?wait=31`)).code, 'invalid_request');
  });
});
