import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { keepReserved, putToStock, releaseReserved, reserve, takeFromStock, waitingOrders } from '../../db/stock.ts';
import { checkStock } from '../../db/stock-check.ts';
import { forgottenReservations } from '../../db/stock-forgotten.ts';
import { serialOfUnit } from '../../db/stock-serials.ts';
import { skusThatCouldBeFilled } from '../../db/stock-waiting.ts';
import { asId, type CompanyId, type OrderId, type Sku, type UserId } from '../../domain/ids.ts';
import { DEMO_PRODUCTS, DEMO_STORES, loadDemoProducts } from '../../local/demo-products.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { anOrderRow, aProduct, type OrderRow, serialsOf } from '../builders/stock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = '2026-06-02T03:00:00.000Z';
const { main, second } = DEMO_STORES;

describe('stock', () => {
  let database: TestDatabase;
  let by: UserId;
  let companyId: CompanyId;
  before(async () => {
    database = await createTestDatabase();
    by = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, by);
  });
  after(() => database.drop());
  afterEach(async () => assert.deepEqual(await checkStock(database.db), []));

  const db = () => database.db;
  const inOne = <T>(work: (tx: Knex) => Promise<T>): Promise<T> => db().transaction(work);
  const levels = async (sku: Sku): Promise<Record<string, number[]>> =>
    Object.fromEntries(
      (await db()('stock_levels').where({ sku }).select('location', 'on_hand', 'reserved')).map((row) => [
        row.location,
        [row.on_hand, row.reserved],
      ]),
    );
  const order = (sku: Sku, quantity: number, changes = {}) =>
    anOrderRow(db(), { companyId, by, sku, quantity, ...changes });

  /** Reserves, and says so of the units, as whoever places an order does in the same transaction. */
  async function reserved(
    tx: Knex,
    { orderId, itemId }: OrderRow,
    sku: Sku,
    quantity: number,
    expiresAt: string | null = null,
  ) {
    const found = await reserve(tx, { orderId, wants: [{ orderItemId: itemId, sku, quantity }], expiresAt, at: AT });
    const units = found.reduce((all, each) => all + each.quantity, 0);
    await tx('order_units').where({ order_item_id: itemId }).where('number', '<=', units).update({ state: 'reserved' });
    return found.map(({ location, quantity: many }) => [location, many]);
  }
  const unitsAre = (tx: Knex, { itemId }: OrderRow, state: string) =>
    tx('order_units').where({ order_item_id: itemId }).update({ state });

  describe('reserving', () => {
    it('takes as much as there is, of the preferred store first, and never more', async () => {
      const sku = await aProduct(db(), { stock: [3, 4] });
      const [first, next] = [await order(sku, 5), await order(sku, 5)];
      assert.deepEqual(await inOne((tx) => reserved(tx, first, sku, 5)), [
        [main, 3],
        [second, 2],
      ]);
      assert.deepEqual(await inOne((tx) => reserved(tx, next, sku, 5)), [[second, 2]]);
      assert.deepEqual(await levels(sku), { [main]: [3, 3], [second]: [4, 4] });
    });

    it('adds to what an item has, and leaves out a store that is closed', async () => {
      const sku = await aProduct(db(), { stock: [1, 4] });
      const it = await order(sku, 5);
      await db()('stock_locations').where({ code: second }).update({ is_active: false });
      assert.deepEqual(await inOne((tx) => reserved(tx, it, sku, 5)), [[main, 1]]);
      await db()('stock_locations').where({ code: second }).update({ is_active: true });
      assert.deepEqual(
        await inOne(async (tx) => {
          const more = await reserved(tx, it, sku, 4);
          await unitsAre(tx, it, 'reserved');
          return more;
        }),
        [[second, 4]],
      );
      assert.deepEqual(await levels(sku), { [main]: [1, 1], [second]: [4, 4] });
    });

    it('refuses a product that is not known', async () => {
      const wants = [{ orderItemId: asId<OrderRow['itemId']>(randomUUID()), sku: asId<Sku>('NO-SUCH'), quantity: 1 }];
      const asked = { orderId: asId<OrderId>(randomUUID()), wants, expiresAt: null, at: AT };
      await assert.rejects(
        inOne((tx) => reserve(tx, asked)),
        { code: 'product_unknown' },
      );
    });

    it('sells no unit twice however many buy at once, in whatever order they name two products', async () => {
      const [one, other] = [await aProduct(db(), { stock: [15, 10] }), await aProduct(db(), { stock: [10, 15] })];
      const found = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const [a, b] = [await order(one, 2), await order(other, 2)];
          return inOne(async (tx) => {
            const wants = [
              { orderItemId: a.itemId, sku: one, quantity: 2 },
              { orderItemId: b.itemId, sku: other, quantity: 2 },
            ];
            const asked = {
              orderId: a.orderId,
              wants: index % 2 ? wants : wants.toReversed(),
              expiresAt: null,
              at: AT,
            };
            const got = await reserve(tx, asked);
            for (const { orderItemId, quantity } of got) {
              const waiting = tx('order_units').where({ order_item_id: orderItemId, state: 'waiting' }).limit(quantity);
              await tx('order_units')
                .where({ order_item_id: orderItemId })
                .whereIn('number', waiting.select('number'))
                .update({ state: 'reserved' });
            }
            return got;
          });
        }),
      );
      for (const sku of [one, other]) {
        const total = found.flat().filter((each) => each.sku === sku);
        assert.equal(
          total.reduce((all, { quantity }) => all + quantity, 0),
          25,
        );
      }
      assert.deepEqual(await levels(one), { [main]: [15, 15], [second]: [10, 10] });
    });
  });

  describe('giving back', () => {
    it('frees a part of an item from the least preferred store first, then the rest, and nothing twice', async () => {
      const sku = await aProduct(db(), { stock: [3, 4] });
      const it = await order(sku, 5);
      await inOne((tx) => reserved(tx, it, sku, 5));
      const { orderId, itemId } = it;
      const back = await inOne(async (tx) => {
        await tx('order_units')
          .where({ order_item_id: itemId })
          .where('number', '<=', 3)
          .update({ state: 'cancelled' });
        return releaseReserved(tx, { orderId, orderItemId: itemId, quantity: 3, at: AT });
      });
      assert.deepEqual(
        back.map(({ location, quantity }) => [location, quantity]),
        [
          [second, 2],
          [main, 1],
        ],
      );
      const all = () =>
        inOne(async (tx) => {
          await unitsAre(tx, it, 'cancelled');
          return releaseReserved(tx, { orderId, at: AT });
        });
      assert.deepEqual(
        (await all()).map(({ quantity }) => quantity),
        [2],
      );
      assert.deepEqual(await all(), []);
      assert.deepEqual(await levels(sku), { [main]: [3, 0], [second]: [4, 0] });
    });

    it('is due for an order that is over and whose time has passed, for no other', async () => {
      const sku = await aProduct(db(), { stock: [9, 0] });
      const rows = {
        over: await order(sku, 1),
        paid: await order(sku, 1),
        open: await order(sku, 1, { state: 'pending' }),
        fresh: await order(sku, 1),
      };
      for (const row of Object.values(rows)) await inOne((tx) => reserved(tx, row, sku, 1, AT));
      await inOne((tx) => keepReserved(tx, rows.paid.orderId, AT));
      await db()('orders').whereIn('id', [rows.over.orderId, rows.paid.orderId]).update({ state: 'cancelled' });
      assert.deepEqual(await forgottenReservations(db(), '2026-06-02T02:59:59Z', 9), []);
      assert.deepEqual(await forgottenReservations(db(), AT, 9), [rows.over.orderId]);
    });
  });

  describe('shipping', () => {
    const ship =
      (it: OrderRow, sku: Sku, unitNumbers: number[], more = {}) =>
      (tx: Knex) =>
        takeFromStock(tx, {
          ...{ orderId: it.orderId, orderItemId: it.itemId, sku, unitNumbers, quantity: unitNumbers.length },
          ...{ key: 'shipment/1', at: AT, ...more },
        });
    const shipped = (it: OrderRow, sku: Sku, unitNumbers: number[], more = {}) =>
      inOne(async (tx) => {
        const units = await ship(it, sku, unitNumbers, more)(tx);
        await tx('order_units')
          .where({ order_item_id: it.itemId })
          .whereIn('number', unitNumbers)
          .update({ state: 'shipped' });
        return units;
      });

    it('takes what is reserved, unit by unit, and a repeat takes nothing and tells the same', async () => {
      const sku = await aProduct(db(), { stock: [1, 4] });
      const it = await order(sku, 3);
      await inOne((tx) => reserved(tx, it, sku, 3));
      const units = await shipped(it, sku, [1, 2]);
      assert.deepEqual(
        units.map(({ unitNumber, location }) => [unitNumber, location]),
        [
          [1, main],
          [2, second],
        ],
      );
      assert.deepEqual(await shipped(it, sku, [1, 2]), units);
      assert.deepEqual(await levels(sku), { [main]: [0, 0], [second]: [3, 1] });
    });

    it('refuses what is not reserved for the item', async () => {
      const sku = await aProduct(db(), { stock: [5, 0] });
      const it = await order(sku, 2);
      await inOne((tx) => reserved(tx, it, sku, 1));
      await assert.rejects(inOne(ship(it, sku, [1, 2])), { code: 'stock_not_enough' });
    });

    it('takes things with numbers from where they lie, even where others were reserved', async () => {
      const sku = await aProduct(db(), { tracking: 'serial', stock: [2, 2] });
      const it = await order(sku, 2);
      await inOne((tx) => reserved(tx, it, sku, 2));
      const [here = '', there = ''] = [...serialsOf(sku, main, 1), ...serialsOf(sku, second, 1)];
      const units = await shipped(it, sku, [1, 2], { serials: [there, here] });
      assert.deepEqual(
        units.map(({ serial, location }) => [serial, location]),
        [
          [there, second],
          [here, main],
        ],
      );
      assert.deepEqual(await shipped(it, sku, [1, 2], { serials: [there, here] }), units);
      assert.deepEqual(await levels(sku), { [main]: [1, 0], [second]: [1, 0] });
      assert.equal(await serialOfUnit(db(), { orderItemId: it.itemId, number: 1 }), there);
    });

    it('refuses a number that is missing, sold, twice the same, or of something reserved for others', async () => {
      const sku = await aProduct(db(), { tracking: 'serial', stock: [2, 1] });
      const [it, other] = [await order(sku, 2), await order(sku, 1)];
      await inOne((tx) => reserved(tx, it, sku, 2));
      await inOne((tx) => reserved(tx, other, sku, 1));
      const [one = '', two = ''] = serialsOf(sku, main, 2);
      const [elsewhere = ''] = serialsOf(sku, second, 1);
      for (const serials of [undefined, [one], [one, one], [one, two, elsewhere], [one, 'unknown'], [one, elsewhere]])
        await assert.rejects(inOne(ship(it, sku, [1, 2], { serials })), { code: 'serial_not_valid' }, String(serials));
      await shipped(it, sku, [1, 2], { serials: [one, two] });
      await assert.rejects(inOne(ship(other, sku, [1], { serials: [one] })), { code: 'serial_not_valid' });
    });

    it('takes the batch that came first, or the one that is named while it lasts', async () => {
      const sku = await aProduct(db(), { tracking: 'batch', stock: [2, 0] });
      const put = { sku, location: main, quantity: 3, kind: 'received', at: AT } as const;
      await inOne((tx) => putToStock(tx, { ...put, batch: 'late', key: randomUUID() }));
      const it = await order(sku, 5);
      await inOne((tx) => reserved(tx, it, sku, 5));
      assert.deepEqual(
        (await shipped(it, sku, [1], { batch: 'late' })).map(({ batch }) => batch),
        ['late'],
      );
      const rest = await shipped(it, sku, [2, 3, 4], { key: 'shipment/2' });
      assert.deepEqual(
        rest.map(({ batch }) => batch),
        [`${main}-1`, `${main}-1`, 'late'],
      );
      await assert.rejects(inOne(ship(it, sku, [5], { batch: `${main}-1`, key: 'shipment/3' })), {
        code: 'serial_not_valid',
      });
    });

    it('of one item twice at once takes each unit once', async () => {
      const sku = await aProduct(db(), { stock: [4, 0] });
      const it = await order(sku, 4);
      await inOne((tx) => reserved(tx, it, sku, 4));
      await Promise.all(Array.from({ length: 6 }, () => shipped(it, sku, [1, 2, 3])));
      assert.deepEqual(await levels(sku), { [main]: [1, 1] });
    });
  });

  describe('putting in', () => {
    it('does each key once, also many at once', async () => {
      const sku = await aProduct(db());
      const key = randomUUID();
      const put = { sku, location: main, quantity: 7, kind: 'received', key, at: AT } as const;
      const done = await Promise.all(Array.from({ length: 8 }, () => inOne((tx) => putToStock(tx, put))));
      assert.equal(done.filter(Boolean).length, 1);
      assert.deepEqual(await levels(sku), { [main]: [7, 0] });
    });

    it('takes off what was counted too much, but never what is reserved', async () => {
      const sku = await aProduct(db(), { stock: [5, 0] });
      const it = await order(sku, 3);
      await inOne((tx) => reserved(tx, it, sku, 3));
      const off = (quantity: number) =>
        inOne((tx) => putToStock(tx, { sku, location: main, quantity, kind: 'adjusted', key: randomUUID(), at: AT }));
      await assert.rejects(off(-3), { code: 'stock_not_enough' });
      await off(-2);
      assert.deepEqual(await levels(sku), { [main]: [3, 3] });
    });

    it('takes off and reserves at once without ever going below nothing', async () => {
      const sku = await aProduct(db(), { stock: [10, 0] });
      const rows = await Promise.all(Array.from({ length: 10 }, () => order(sku, 1)));
      const off = { sku, location: main, quantity: -1, kind: 'adjusted', at: AT } as const;
      const done = await Promise.allSettled(
        rows.flatMap((row) => [
          inOne((tx) => reserved(tx, row, sku, 1)),
          inOne((tx) => putToStock(tx, { ...off, key: randomUUID() })),
        ]),
      );
      for (const each of done) if (each.status === 'rejected') assert.equal(each.reason.code, 'stock_not_enough');
      const { [main]: left = [] } = await levels(sku);
      assert.equal(left[0], left[1]);
      assert.ok(
        done.some(({ status }) => status === 'rejected'),
        'ten things are not twenty',
      );
    });

    it('knows what came back: its number was sold; scrapped things reach no shelf', async () => {
      const sku = await aProduct(db(), { tracking: 'serial', stock: [2, 0] });
      const it = await order(sku, 2);
      await inOne((tx) => reserved(tx, it, sku, 2));
      const serials = serialsOf(sku, main, 2);
      const { orderId, itemId: orderItemId } = it;
      await inOne(async (tx) => {
        const out = { orderId, orderItemId, sku, quantity: 2, key: 'out', at: AT, serials, unitNumbers: [1, 2] };
        await takeFromStock(tx, out);
        await unitsAre(tx, it, 'shipped');
      });
      const back = (kind: 'restocked' | 'scrapped' | 'received', serial?: string) =>
        inOne((tx) =>
          putToStock(tx, { sku, quantity: 1, kind, key: randomUUID(), at: AT, serials: serial ? [serial] : undefined }),
        );
      const [one = '', two = ''] = serials;
      await assert.rejects(back('restocked', 'strange'), { code: 'serial_not_valid' });
      await assert.rejects(back('received', one), { code: 'serial_not_valid' });
      await assert.rejects(back('restocked'), { code: 'serial_not_valid' });
      await back('restocked', one);
      await back('scrapped', two);
      await assert.rejects(back('restocked', one), { code: 'serial_not_valid' });
      await assert.rejects(back('restocked', two), { code: 'serial_not_valid' });
      assert.deepEqual(await levels(sku), { [main]: [1, 0] });
      assert.equal(await serialOfUnit(db(), { orderItemId, number: 1 }), null);
    });

    it('refuses a store that is not there', async () => {
      const sku = await aProduct(db());
      const put = { sku, location: 'nowhere', quantity: 1, kind: 'received', key: randomUUID(), at: AT } as const;
      await assert.rejects(
        inOne((tx) => putToStock(tx, put)),
        { code: 'not_found' },
      );
    });
  });

  describe('orders that wait', () => {
    it('are named the oldest first, while they are open and wait for just that', async () => {
      const sku = await aProduct(db(), { stock: [1, 0] });
      const day = (n: number) => `2026-05-0${n}T00:00:00Z`;
      const late = await order(sku, 1, { placedAt: day(3) });
      const early = await order(sku, 1, { placedAt: day(1) });
      await order(sku, 1, { placedAt: day(2), unitState: 'cancelled' });
      await order(sku, 1, { placedAt: day(2), state: 'cancelled' });
      await order(await aProduct(db()), 1);
      assert.deepEqual(await waitingOrders(db(), sku), [early.orderId, late.orderId]);
      assert.ok((await skusThatCouldBeFilled(db(), 99)).includes(sku));
      await inOne((tx) => reserved(tx, early, sku, 1));
      assert.deepEqual(await waitingOrders(db(), sku), [late.orderId]);
      assert.ok(!(await skusThatCouldBeFilled(db(), 99)).includes(sku));
    });
  });

  describe('of the demonstration', () => {
    it('is loaded once: what was sold and what was changed stays so', async () => {
      const sku = asId<Sku>('QR-PLATE');
      const before = await levels(sku);
      const it = await order(sku, 2);
      await inOne((tx) => reserved(tx, it, sku, 2));
      await db()('products').where({ sku }).update({ price_minor: 1 });
      await loadDemoProducts(db());
      assert.deepEqual(Object.keys(before).toSorted(), [main, second]);
      assert.equal((await levels(sku))[main]?.[1], 2);
      assert.equal((await db()('products').where({ sku }).first('price_minor')).price_minor, 1n);
      assert.equal(
        Number((await db()('products').where('sku', 'not like', 'T-%').count())[0]?.['count']),
        DEMO_PRODUCTS.length,
      );
    });
  });
});
