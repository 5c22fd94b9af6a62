import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { STOP_ADVERTISING_PAGE, stopAdvertisingToken } from '../../db/advertising.ts';
import { checkStock } from '../../db/stock-check.ts';
import type { CompanyId, Sku } from '../../domain/ids.ts';
import { DEMO_PRODUCTS, DEMO_STORES } from '../../local/demo-products.ts';
import { aCompany } from '../builders/licensing.ts';
import { ask, type Problem } from '../builders/requests.ts';
import { anOrderRow, aProduct, aSku, serialsOf } from '../builders/stock.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
interface ProductBody {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly price: { readonly amountMinor: number; readonly formatted: string };
  readonly priceWithTax: { readonly amountMinor: number };
  readonly available: number;
  readonly inStock: boolean;
  readonly lowStockBelow?: number | null;
}
interface StockBody {
  readonly onHand: number;
  readonly reserved: number;
  readonly free: number;
  readonly isLow: boolean;
  readonly levels: readonly { readonly location: string; readonly onHand: number }[];
  readonly batches: readonly object[];
  readonly serials: readonly { readonly serial: string }[];
  readonly movements: Page<{ readonly kind: string; readonly quantity: number; readonly note: string | null }>;
}
interface AlertBody {
  readonly id: string;
  readonly state: string;
  readonly snoozedUntil: string | null;
}

const { main, second } = DEMO_STORES;

describe('the shop over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let seller: TestPerson;
  let warehouse: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    [owner, seller, warehouse] = await Promise.all([
      api.person('owner'),
      api.person('seller'),
      api.person('warehouse'),
    ]);
    companyId = await aCompany(database.db, owner.id);
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const db = () => database.db;
  const PRODUCT = { name: { id: 'Papan', en: 'Plate' }, priceMinor: 85_000, category: 'made-here' };
  const put = (sku: string, body: object, as = seller) =>
    ask<ProductBody>(api, as, 'PUT', `/products/${sku}`, { body });
  const receive = (sku: string, body: object, headers = {}) =>
    ask<StockBody & Problem>(api, warehouse, 'POST', `/stock/${sku}/receive`, { body, headers });
  const adjust = (sku: string, body: object) =>
    ask<StockBody & Problem>(api, warehouse, 'POST', `/stock/${sku}/adjust`, { body });

  describe('products', () => {
    it('are listed page by page in the caller’s language, with what can be bought, by category', async () => {
      const seen: ProductBody[] = [];
      let cursor = '';
      do {
        const { body } = await ask<Page<ProductBody>>(api, owner, 'GET', `/products?limit=3${cursor}`);
        seen.push(...body.items);
        cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
      } while (cursor !== '');
      assert.deepEqual(
        seen.map(({ sku }) => sku),
        DEMO_PRODUCTS.map(({ sku }) => sku).toSorted(),
      );
      const plate = seen.find(({ sku }) => sku === 'QR-PLATE');
      assert.deepEqual(
        [plate?.name, plate?.price.formatted, plate?.priceWithTax.amountMinor, plate?.available, plate?.inStock],
        ['QR payment plate, acrylic', 'Rp85.000', 94_350, 65, true],
      );
      assert.equal(plate?.lowStockBelow, undefined);
      const { body } = await ask<Page<ProductBody>>(api, owner, 'GET', '/products?category=packaging', {
        headers: { 'accept-language': 'id' },
      });
      assert.deepEqual(
        body.items.map(({ name }) => name),
        ['Kotak makanan, 50 buah'],
      );
    });

    it('are created and changed by sellers, on record with what changed; orders keep their price', async () => {
      const sku = aSku();
      const created = await put(sku.toLowerCase(), PRODUCT);
      assert.deepEqual([created.status, created.body.sku, created.body.inStock], [201, sku, false]);
      const { itemId } = await anOrderRow(db(), { companyId, by: owner.id, sku, quantity: 1 });
      await db()('order_items').where({ id: itemId }).update({ unit_price_minor: 85_000 });
      const changed = await put(sku, { ...PRODUCT, priceMinor: 90_000, lowStockBelow: 4 });
      assert.deepEqual([changed.status, changed.body.price.amountMinor, changed.body.lowStockBelow], [200, 90_000, 4]);
      assert.equal(
        (await db()('order_items').where({ id: itemId }).first('unit_price_minor')).unit_price_minor,
        85_000n,
      );
      const events = await db()('events')
        .where({ subject: `product/${sku}`, actor_id: seller.id })
        .orderBy('id')
        .select('type', 'data');
      assert.deepEqual(
        events.map(({ type }) => type),
        ['product.published', 'product.published'],
      );
      assert.deepEqual(events[1].data, {
        before: { priceMinor: '85000', lowStockBelow: null },
        after: { priceMinor: '90000', lowStockBelow: 4 },
      });
    });

    it('that are no longer sold are seen by sellers who ask for them', async () => {
      const sku = aSku();
      await put(sku, { ...PRODUCT, isOffered: false });
      const listed = async (as: TestPerson, query: string) =>
        (await ask<Page<ProductBody>>(api, as, 'GET', `/products?category=made-here${query}`)).body.items.some(
          (one) => one.sku === sku,
        );
      assert.deepEqual(
        [await listed(seller, ''), await listed(seller, '&all=true'), await listed(owner, '&all=true')],
        [false, true, false],
      );
    });

    it('refuse what makes no sense, and are not found where there are none', async () => {
      for (const wrong of [{}, { ...PRODUCT, priceMinor: 0 }, { ...PRODUCT, priceMinor: 1.5 }, { ...PRODUCT, x: 1 }])
        assert.equal((await put(aSku(), wrong)).status, 422);
      assert.equal((await ask(api, owner, 'GET', '/products/NO-SUCH')).status, 404);
      assert.equal((await ask(api, owner, 'GET', '/products/no%20such')).status, 404);
    });

    it('are followed in another way only while nothing of them lies there', async () => {
      const sku = await aProduct(db(), { stock: [1, 0] });
      const body = { ...PRODUCT, tracking: 'serial' };
      assert.equal((await put(sku, body)).status, 422);
      await adjust(sku, { location: main, quantity: -1, note: 'counted' });
      assert.equal((await put(sku, body)).status, 200);
    });
  });

  describe('stock', () => {
    it('is received and corrected, once for each request, and tells its story', async () => {
      const sku = await aProduct(db());
      const key = { 'idempotency-key': randomUUID() };
      const come = { location: main, quantity: 12, note: 'delivery 7' };
      const [first, again] = [await receive(sku, come, key), await receive(sku, come, key)];
      assert.deepEqual([first.status, first.body.onHand, again.body.onHand], [201, 12, 12]);
      await receive(sku, { location: second, quantity: 3 });
      const counted = await adjust(sku, { location: main, quantity: -2, note: 'two were broken' });
      assert.deepEqual(
        [counted.status, counted.body.onHand, counted.body.levels.map(({ location, onHand }) => [location, onHand])],
        [
          200,
          13,
          [
            [main, 10],
            [second, 3],
          ],
        ],
      );
      const page = await ask<StockBody>(api, seller, 'GET', `/stock/${sku}?limit=2`);
      assert.deepEqual(
        page.body.movements.items.map(({ kind, quantity, note }) => [kind, quantity, note]),
        [
          ['adjusted', -2, 'two were broken'],
          ['received', 3, null],
        ],
      );
      const next = await ask<StockBody>(api, seller, 'GET', `/stock/${sku}?cursor=${page.body.movements.nextCursor}`);
      assert.deepEqual(
        next.body.movements.items.map(({ note }) => note),
        ['delivery 7'],
      );
      const events = await db()('events')
        .where({ subject: `product/${sku}`, actor_id: warehouse.id })
        .orderBy('id')
        .pluck('type');
      assert.deepEqual(events, ['stock.received', 'stock.received', 'stock.adjusted']);
      assert.deepEqual(await checkStock(db()), []);
    });

    it('is never corrected below what is reserved, nor where there is no such store or product', async () => {
      const sku = await aProduct(db(), { stock: [2, 0] });
      await db()('stock_levels').where({ sku }).update({ reserved: 1 });
      const off = await adjust(sku, { location: main, quantity: -2, note: 'counted' });
      assert.deepEqual([off.status, off.body.code], [409, 'stock_not_enough']);
      assert.equal((await db()('events').where({ subject: `product/${sku}`, type: 'stock.adjusted' })).length, 0);
      await db()('stock_levels').where({ sku }).update({ reserved: 0 });
      assert.equal((await receive(sku, { location: 'nowhere', quantity: 1 })).body.code, 'not_found');
      assert.equal((await receive('NO-SUCH', { location: main, quantity: 1 })).body.code, 'product_unknown');
      assert.equal((await receive(sku, { location: main, quantity: 0 })).status, 422);
      assert.equal((await adjust(sku, { location: main, quantity: 1 })).status, 422, 'a correction says why');
    });

    it('asks for the numbers of what has some', async () => {
      const batch = await aProduct(db(), { tracking: 'batch' });
      assert.equal((await receive(batch, { location: main, quantity: 5 })).body.code, 'serial_not_valid');
      const { body } = await receive(batch, { location: main, quantity: 5, batch: 'B-1' });
      assert.deepEqual(body.batches, [{ location: main, batch: 'B-1', quantity: 5 }]);
      const serial = await aProduct(db(), { tracking: 'serial' });
      assert.equal(
        (await receive(serial, { location: main, quantity: 2, serials: ['A'] })).body.code,
        'serial_not_valid',
      );
      const serials = serialsOf(serial, main, 2);
      assert.deepEqual(
        (await receive(serial, { location: main, quantity: 2, serials })).body.serials.map((one) => one.serial),
        serials,
      );
      assert.equal((await receive(serial, { location: main, quantity: 1, serials: serials.slice(1) })).status, 422);
      const [gone = ''] = serials;
      const less = await adjust(serial, { location: main, quantity: -1, serials: [gone], note: 'broken' });
      assert.deepEqual(
        less.body.serials.map((one) => one.serial),
        serials.slice(1),
      );
    });

    it('is listed by store, and what runs out by itself', async () => {
      const sku = await aProduct(db(), { lowStockBelow: 50, stock: [1, 0] });
      const listed = async (query: string) =>
        (await ask<Page<{ sku: string; isLow: boolean }>>(api, seller, 'GET', `/stock?limit=100&${query}`)).body.items;
      assert.ok((await listed('low=true')).every(({ isLow }) => isLow));
      assert.ok((await listed('low=true')).some((one) => one.sku === sku));
      assert.ok((await listed(`location=${main}`)).some((one) => one.sku === sku));
      assert.ok(!(await listed(`location=${second}`)).some((one) => one.sku === sku));
    });

    it('lies in stores that are added and closed', async () => {
      const items = [{ code: 'medan', name: 'Gudang Medan', priority: 5 }];
      const { status, body } = await ask<Page<{ code: string; isActive: boolean }>>(
        api,
        seller,
        'PUT',
        '/stock-locations',
        {
          body: { items },
        },
      );
      assert.deepEqual([status, body.items[0]?.code], [200, 'medan']);
      await ask(api, seller, 'PUT', '/stock-locations', { body: { items: [{ ...items[0], isActive: false }] } });
      const { body: now } = await ask<Page<{ code: string; isActive: boolean }>>(
        api,
        seller,
        'GET',
        '/stock-locations',
      );
      assert.deepEqual(
        now.items.map(({ code, isActive }) => [code, isActive]),
        [
          ['medan', false],
          [main, true],
          [second, true],
        ],
      );
    });
  });

  describe('alerts', () => {
    async function anAlert(): Promise<{ sku: Sku; id: string }> {
      const sku = await aProduct(db(), { lowStockBelow: 5, stock: [5, 0] });
      await adjust(sku, { location: main, quantity: -1, note: 'counted' });
      const { body } = await ask<Page<AlertBody>>(api, seller, 'GET', `/stock-alerts?sku=${sku}`);
      assert.equal(body.items.length, 1);
      return { sku, id: body.items[0]?.id ?? '' };
    }
    const say = (id: string, what: string, body?: object) =>
      ask<AlertBody & Problem>(api, seller, 'POST', `/stock-alerts/${id}/${what}`, body ? { body } : {});

    it('are acknowledged, put off, and over once there is enough', async () => {
      const { sku, id } = await anAlert();
      assert.equal((await say(id, 'acknowledge')).body.state, 'acknowledged');
      const { body } = await say(id, 'snooze', { days: 3 });
      assert.equal(body.state, 'snoozed');
      assert.ok(Math.abs(Date.parse(body.snoozedUntil ?? '') - Date.now() - 3 * 86_400_000) < 60_000);
      const until = new Date(Date.now() + 86_400_000).toISOString();
      assert.equal((await say(id, 'snooze', { until })).body.snoozedUntil, until);
      await receive(sku, { location: main, quantity: 1 });
      assert.deepEqual(
        [(await say(id, 'acknowledge')).status, (await say(id, 'snooze', { days: 1 })).body.code],
        [409, 'alert_not_open'],
      );
      const { body: over } = await ask<Page<AlertBody>>(api, seller, 'GET', `/stock-alerts?sku=${sku}&state=cleared`);
      assert.deepEqual(
        over.items.map((one) => one.id),
        [id],
      );
    });

    it('are put off for a time that is to come, said in one way', async () => {
      const { id } = await anAlert();
      const past = new Date(Date.now() - 1000).toISOString();
      for (const wrong of [{}, { days: 0 }, { days: 91 }, { until: past }, { days: 1, until: past }])
        assert.equal((await say(id, 'snooze', wrong)).status, 422, JSON.stringify(wrong));
      assert.equal((await say(randomUUID(), 'acknowledge')).status, 404);
    });
  });

  describe('a cart', () => {
    const cart = (method: string, body?: object) =>
      ask<
        {
          items: { sku: string; quantity: number; total: { amountMinor: number } }[];
          subtotal: { amountMinor: number } | null;
        } & Problem
      >(api, owner, method, `/carts/${companyId}`, body ? { body } : {});

    it('is kept for the company, with what it comes to today', async () => {
      assert.deepEqual((await cart('GET')).body.items, []);
      const { status, body } = await cart('PUT', {
        items: [
          { sku: 'qr-plate', quantity: 2 },
          { sku: 'NAME-STAMP', quantity: 1 },
        ],
      });
      assert.deepEqual([status, body.subtotal?.amountMinor], [200, 265_000]);
      assert.deepEqual(
        (await cart('GET')).body.items.map(({ sku, total }) => [sku, total.amountMinor]),
        [
          ['QR-PLATE', 170_000],
          ['NAME-STAMP', 95_000],
        ],
      );
      assert.equal((await cart('DELETE')).status, 204);
      assert.deepEqual([(await cart('GET')).body.items, (await cart('GET')).body.subtotal], [[], null]);
    });

    it('refuses what is not sold, and companies of others', async () => {
      const wrong = await cart('PUT', { items: [{ sku: 'NO-SUCH', quantity: 1 }] });
      assert.deepEqual(
        [wrong.status, wrong.body.code, wrong.body.errors?.[0]?.pointer],
        [422, 'product_unknown', '/items/0/sku'],
      );
      const others = await aCompany(db(), (await api.person('owner')).id);
      assert.equal((await ask(api, owner, 'GET', `/carts/${others}`)).status, 404);
    });
  });

  describe('letters that nobody needs', () => {
    const preferences = async (body?: object) =>
      (
        await ask<{ advertising: boolean }>(
          api,
          owner,
          body ? 'PUT' : 'GET',
          '/users/preferences',
          body ? { body } : {},
        )
      ).body.advertising;
    const page = (token: string) =>
      fetch(`${api.url}${STOP_ADVERTISING_PAGE}?token=${token}&utm_source=mail`, {
        headers: { 'accept-language': 'en' },
      });
    const press = (fields: Record<string, string>) =>
      fetch(api.url + STOP_ADVERTISING_PAGE, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { 'accept-language': 'en' },
      });

    it('are refused and allowed in the profile', async () => {
      assert.equal(await preferences(), true);
      assert.deepEqual([await preferences({ advertising: false }), await preferences()], [false, false]);
      assert.equal(await preferences({ advertising: true }), true);
    });

    it('are refused by the link of a letter: opening it changes nothing, the button does', async () => {
      const token = stopAdvertisingToken(api.deps.secretKey, owner.id);
      const shown = await page(token);
      const text = await shown.text();
      assert.deepEqual([shown.status, /NO MORE OF THEM\?/.test(text), text.includes(token)], [200, true, true]);
      assert.doesNotMatch(text, /<script/);
      assert.equal(await preferences(), true);
      const done = await press({ token });
      assert.deepEqual([done.status, /STOPPED/.test(await done.text())], [200, true]);
      assert.equal((await press({ token })).status, 200);
      assert.equal(await preferences(), false);
      const [event, ...more] = await db()('events')
        .where({ subject: `user/${owner.id}`, type: 'advertising.refused' })
        .orderBy('id', 'desc');
      assert.ok(event?.address);
      assert.equal(more.length, 1, 'once here, once in the profile');
    });

    it('are refused for nobody by a link that was made up', async () => {
      const wrong = stopAdvertisingToken(Buffer.alloc(32, 1), owner.id);
      assert.deepEqual(
        [(await page(wrong)).status, (await page('')).status, (await press({ token: wrong })).status],
        [404, 404, 422],
      );
    });
  });
});
