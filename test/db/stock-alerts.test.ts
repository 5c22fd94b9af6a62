import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { putProduct } from '../../db/products.ts';
import { putToStock, releaseReserved, reserve } from '../../db/stock.ts';
import { acknowledgeAlert, advanceAlert, alertsNotTaken, listAlerts, snoozeAlert } from '../../db/stock-alerts.ts';
import { checkStock } from '../../db/stock-check.ts';
import { asId, type OrderId, type OrderItemId, type Sku, type UserId } from '../../domain/ids.ts';
import { DEMO_STORES } from '../../local/demo-products.ts';
import { aUser } from '../builders/licensing.ts';
import { aProduct } from '../builders/stock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = '2026-06-02T03:00:00.000Z';
const DAY = 86_400_000;
const later = (days: number): string => new Date(Date.parse(AT) + days * DAY).toISOString();
const NOWHERE = { address: null, requestId: null };

describe('alerts of stock that runs out', () => {
  let database: TestDatabase;
  let by: UserId;
  before(async () => {
    database = await createTestDatabase();
    by = await aUser(database.db, 'seller');
  });
  after(() => database.drop());
  // Reservations here are of no order: what they are compared with is not at stake.
  afterEach(async () =>
    assert.deepEqual(
      (await checkStock(database.db)).filter((one) => !one.startsWith('units')),
      [],
    ),
  );

  const db = () => database.db;
  const change = (sku: Sku, quantity: number) =>
    db().transaction((tx) =>
      putToStock(tx, { sku, location: DEMO_STORES.main, quantity, kind: 'adjusted', key: randomUUID(), at: AT }),
    );
  const reserved = async (sku: Sku, quantity: number): Promise<OrderId> => {
    const orderId = asId<OrderId>(randomUUID());
    const wants = [{ orderItemId: asId<OrderItemId>(randomUUID()), sku, quantity }];
    await db().transaction((tx) => reserve(tx, { orderId, wants, expiresAt: null, at: AT }));
    return orderId;
  };
  const of = (sku: Sku) =>
    db()('stock_alerts').where({ sku }).orderBy('opened_at').select('id', 'state', 'free_then', 'taken_at');
  const states = async (sku: Sku) => (await of(sku)).map(({ state }) => state);
  const one = async (sku: Sku) => {
    const [alert] = await listAlerts(db(), { sku, after: null, limit: 9 });
    assert.ok(alert);
    return alert;
  };
  const isNews = async (sku: Sku) => (await alertsNotTaken(db(), AT, 99)).includes(sku);
  const advance = (sku: Sku, at: string) => db().transaction((tx) => advanceAlert(tx, { sku, at }));
  const letters = async (sku: Sku) =>
    (
      await db()('account_letters')
        .where({ template: 'stock_low', user_id: by })
        .whereRaw(`data ->> 'sku' = ?`, [sku])
        .orderBy('created_at')
        .select('data', 'created_at')
    ).map(({ data, created_at: at }) => [at.toISOString(), data.isRepeat]);

  it('are raised once a crossing, by whatever crosses, and clear by themselves', async () => {
    const sku = await aProduct(db(), { lowStockBelow: 5, stock: [3, 3] });
    assert.deepEqual(await states(sku), []);
    await change(sku, -1);
    assert.deepEqual(await states(sku), [], 'five are not fewer than five');
    const order = await reserved(sku, 1);
    await reserved(sku, 2);
    assert.deepEqual(await states(sku), ['open']);
    assert.equal((await of(sku))[0]?.free_then, 4);
    await db().transaction((tx) => releaseReserved(tx, { orderId: order, at: AT }));
    assert.deepEqual(await states(sku), ['open'], 'three are still few');
    await change(sku, 2);
    assert.deepEqual(await states(sku), ['cleared']);
    await change(sku, -1);
    assert.deepEqual((await states(sku)).toSorted(), ['cleared', 'open']);
    const told = await db()('events')
      .where({ subject: `product/${sku}` })
      .orderBy('id')
      .pluck('type');
    assert.deepEqual(told, ['product.published', 'stock.low', 'stock.alert_cleared', 'stock.low']);
  });

  it('are not raised by a shelf that is being filled', async () => {
    const sku = await aProduct(db(), { lowStockBelow: 5 });
    await change(sku, 2);
    assert.deepEqual(await states(sku), []);
    await change(sku, -1);
    assert.deepEqual(await states(sku), ['open']);
    await change(sku, 3);
    assert.deepEqual(await states(sku), ['open']);
  });

  it('are one of a crossing however many cross it at once', async () => {
    const sku = await aProduct(db(), { lowStockBelow: 10, stock: [10, 10] });
    await Promise.all(Array.from({ length: 15 }, () => reserved(sku, 1)));
    assert.deepEqual(await states(sku), ['open']);
    assert.equal((await of(sku))[0]?.free_then, 9);
  });

  it('follow another threshold without a thing having moved', async () => {
    const sku = await aProduct(db(), { stock: [3, 0] });
    const put = async (lowStockBelow: number | null) => {
      const product = {
        name: { id: 'A', en: 'A' },
        description: {},
        category: 'test',
        priceMinor: 1n,
        currency: 'IDR',
      } as const;
      const rules = {
        weightGrams: 0,
        tracking: 'none',
        isFinalSale: false,
        isHygiene: false,
        returnDays: null,
      } as const;
      const given = { ...product, ...rules, sku, lowStockBelow, isOffered: true, key: randomUUID(), by, at: AT };
      await db().transaction((tx) => putProduct(tx, given));
    };
    await put(4);
    assert.deepEqual(await states(sku), ['open']);
    await put(null);
    assert.deepEqual(await states(sku), ['cleared']);
  });

  it('are told to the sellers each week, once each time, until somebody sees to it', async () => {
    const sku = await aProduct(db(), { lowStockBelow: 5, stock: [6, 0] });
    await change(sku, -2);
    assert.equal(await isNews(sku), true);
    const { id } = await one(sku);
    for (const days of [0, 0, 3]) {
      const standing = await advance(sku, later(days));
      assert.deepEqual([standing.state, standing.nextAt], ['open', later(7)]);
    }
    assert.equal(await isNews(sku), false);
    assert.equal((await advance(sku, later(7))).nextAt, later(14));
    assert.deepEqual(await letters(sku), [
      [AT, false],
      [later(7), true],
    ]);
    const key = randomUUID();
    const said = { id, by, key, origin: NOWHERE, at: later(8) };
    await db().transaction((tx) => acknowledgeAlert(tx, said));
    await db().transaction((tx) => acknowledgeAlert(tx, said));
    assert.equal((await advance(sku, later(14))).state, 'acknowledged');
    assert.equal((await letters(sku)).length, 2);
    assert.equal((await db()('events').where('key', 'like', `stock-alert/${id}/${key}%`)).length, 1);
  });

  it('sleep as long as they are told to, and count their weeks from then', async () => {
    const sku = await aProduct(db(), { lowStockBelow: 5, stock: [6, 0] });
    await change(sku, -2);
    await advance(sku, AT);
    const { id } = await one(sku);
    const snooze = (until: string) =>
      db().transaction((tx) => snoozeAlert(tx, { id, by, key: randomUUID(), origin: NOWHERE, at: later(1), until }));
    await assert.rejects(snooze(later(1)), { code: 'invalid_request' });
    await snooze(later(10));
    assert.deepEqual(await advance(sku, later(9)), { state: 'snoozed', nextAt: later(10), told: null });
    assert.deepEqual(await advance(sku, later(10)), { state: 'open', nextAt: later(17), told: 0 });
    await advance(sku, later(11));
    assert.deepEqual(await letters(sku), [
      [AT, false],
      [later(10), false],
    ]);
    await change(sku, 5);
    await assert.rejects(snooze(later(20)), { code: 'alert_not_open' });
    assert.equal(await isNews(sku), true, 'its process has yet to hear that it is over');
    assert.deepEqual(await advance(sku, later(12)), { state: 'none', nextAt: null, told: null });
    assert.equal(await isNews(sku), false);
  });
});
