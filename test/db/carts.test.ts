import assert from 'node:assert/strict';
import { refusesAdvertising, setAdvertising, stopAdvertisingToken, userOfStopToken } from '../../db/advertising.ts';
import { advanceCart, type CartItem, cartsToWatch, emptyCart, findCart, putCart } from '../../db/carts.ts';
import { asId, type CompanyId, type Sku, type UserId } from '../../domain/ids.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { aProduct } from '../builders/stock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = '2026-06-02T03:00:00.000Z';
const later = (hours: number): string => new Date(Date.parse(AT) + hours * 3_600_000).toISOString();
const origin = { address: null, requestId: null };

describe('a cart', () => {
  let database: TestDatabase;
  let by: UserId;
  let companyId: CompanyId;
  let sku: Sku;
  before(async () => {
    database = await createTestDatabase();
    sku = await aProduct(database.db, { stock: [5, 0] });
  });
  beforeEach(async () => {
    by = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, by);
  });
  after(() => database.drop());

  const db = () => database.db;
  const put = (items: readonly CartItem[], at = AT) =>
    db().transaction((tx) => putCart(tx, { companyId, by, items, at }));
  const two = () => put([{ sku, quantity: 2 }]);
  const advance = (at: string) => db().transaction((tx) => advanceCart(tx, { companyId, at }));
  const isWatched = async (before: string) => (await cartsToWatch(db(), before, 99)).includes(companyId);
  const letters = async () => db()('account_letters').where({ template: 'cart_reminder', user_id: by }).select('data');
  const events = async () => db()('events').where({ type: 'cart.reminded', company_id: companyId });
  const DONE = { dueAt: null, reminded: false };

  it('holds what was put into it, a SKU once; the same again is no change', async () => {
    const other = await aProduct(db());
    const items = [
      { sku, quantity: 1 },
      { sku: other, quantity: 3 },
      { sku, quantity: 1 },
    ];
    assert.deepEqual(await put(items), { changed: true });
    assert.deepEqual(await put(items, later(3)), { changed: false });
    const cart = await findCart(db(), companyId);
    assert.deepEqual(cart?.items, [
      { sku, quantity: 2 },
      { sku: other, quantity: 3 },
    ]);
    assert.deepEqual([cart?.version, cart?.updatedAt.toISOString()], [1, AT]);
    assert.deepEqual(await put(items.slice(0, 1), later(3)), { changed: true });
  });

  it('refuses what is not sold, and says which', async () => {
    const gone = await aProduct(db());
    await db()('products').where({ sku: gone }).update({ is_offered: false });
    for (const wrong of [gone, asId<Sku>('NO-SUCH')])
      await assert.rejects(
        put([
          { sku, quantity: 1 },
          { sku: wrong, quantity: 1 },
        ]),
        {
          code: 'product_unknown',
          facts: { errors: [{ pointer: '/items/1/sku', code: 'product_unknown', detail: `${wrong} is not sold` }] },
        },
      );
    assert.equal(await findCart(db(), companyId), null);
  });

  it('that was left for a day is reminded of, once', async () => {
    await two();
    assert.deepEqual(await advance(later(23)), { dueAt: later(24), reminded: false });
    assert.equal(await isWatched(later(23)), false);
    assert.equal(await isWatched(later(24)), true);
    assert.deepEqual(await advance(later(24)), { dueAt: null, reminded: true });
    assert.deepEqual(await advance(later(24)), DONE);
    assert.equal(await isWatched(later(99)), false);
    const [letter] = await letters();
    assert.deepEqual(letter?.data.items, [{ name: { id: 'Barang uji', en: 'Test goods' }, quantity: 2 }]);
    assert.deepEqual([(await letters()).length, (await events()).length], [1, 1]);
  });

  it('that is changed starts the clock anew, also after a reminder', async () => {
    await two();
    await put([{ sku, quantity: 3 }], later(20));
    assert.deepEqual(await advance(later(24)), { dueAt: later(44), reminded: false });
    assert.deepEqual(await advance(later(44)), { dueAt: null, reminded: true });
    await put([{ sku, quantity: 4 }], later(50));
    assert.deepEqual(await advance(later(50)), { dueAt: later(74), reminded: false });
  });

  it('that was ordered or emptied is not reminded of', async () => {
    await two();
    assert.deepEqual(
      await db().transaction(async (tx) => [await emptyCart(tx, companyId), await emptyCart(tx, companyId)]),
      [true, false],
    );
    assert.deepEqual([await advance(later(24)), await letters()], [DONE, []]);
  });

  it('is not reminded of when no advertising is wanted, when nothing of it is sold any more, or who filled it has left', async () => {
    await two();
    await db().transaction((tx) => setAdvertising(tx, { userId: by, wanted: false, origin, at: AT }));
    assert.deepEqual([await advance(later(24)), await isWatched(later(99))], [DONE, false]);
    await db().transaction((tx) => setAdvertising(tx, { userId: by, wanted: true, origin, at: AT }));
    const gone = await aProduct(db());
    await put([{ sku: gone, quantity: 1 }]);
    await db()('products').where({ sku: gone }).update({ is_offered: false });
    assert.deepEqual(await advance(later(24)), DONE);
    await put([{ sku, quantity: 1 }]);
    await db()('company_members').where({ user_id: by }).delete();
    assert.deepEqual([await advance(later(24)), await letters()], [DONE, []]);
  });

  it('is reminded of once by two at once', async () => {
    await two();
    const done = await Promise.all(Array.from({ length: 5 }, () => advance(later(24))));
    assert.equal(done.filter(({ reminded }) => reminded).length, 1);
    assert.equal((await letters()).length, 1);
  });
});

describe('letters that nobody needs', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.drop());

  it('are refused and allowed as often as somebody likes, each change on record once', async () => {
    const { db } = database;
    const userId = await aUser(db, 'owner');
    const wish = (wanted: boolean) => db.transaction((tx) => setAdvertising(tx, { userId, wanted, origin, at: AT }));
    assert.equal(await refusesAdvertising(db, userId), false);
    assert.deepEqual([await wish(true), await wish(false), await wish(false)], [false, true, false]);
    assert.equal(await refusesAdvertising(db, userId), true);
    assert.deepEqual([await wish(true), await wish(false)], [true, true]);
    const types = await db('events')
      .where({ subject: `user/${userId}` })
      .orderBy('id')
      .pluck('type');
    assert.deepEqual(types, ['advertising.refused', 'advertising.allowed', 'advertising.refused']);
  });

  it('are ended by the link of one’s own letter only', async () => {
    const [key, userId, other] = [Buffer.alloc(32, 7), await aUser(database.db), await aUser(database.db)];
    const token = stopAdvertisingToken(key, userId);
    assert.equal(userOfStopToken(key, token), userId);
    const forged = [token.replace(userId, other), token.slice(0, -1), '', 'x.y', userId, `${userId}.`, `${userId}..`];
    for (const each of forged) assert.equal(userOfStopToken(key, each), null, each);
    assert.equal(userOfStopToken(Buffer.alloc(32, 8), token), null);
  });
});
