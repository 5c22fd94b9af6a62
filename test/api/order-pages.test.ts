import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { asId, type OrderId, type ReturnId } from '../../domain/ids.ts';
import { ORDER_STATES } from '../../domain/orders.ts';
import { rmaId } from '../../workflows/ids.ts';
import { aDeliveredOrder, anOrder, type BuiltOrder } from '../builders/orders.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { aShopLink, formTo, type ShopVisit, sendForm, visitPage } from '../support/shop-pages.ts';

const DAY = 86_400_000;
const policyOf = ({ headers }: ShopVisit): string => headers.get('content-security-policy') ?? '';

describe('the page of an order', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let order: BuiltOrder;
  let token: string;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }) });
    order = await aDeliveredOrder(database.db);
    token = await linkTo(order);
  });
  after(async () => {
    await api?.close();
    await connection?.close();
    await database?.drop();
  });

  const linkTo = ({ orderId, by }: BuiltOrder, at?: Date): Promise<string> =>
    aShopLink(api, { kind: 'order', id: orderId }, by, at);
  const open = (path: string, language = 'id') => visitPage(`${api.url}${path}`, {}, language);
  const returnsOf = (orderId: OrderId): Promise<{ id: ReturnId; state: string }[]> =>
    database.db('returns').where({ order_id: orderId }).select('id', 'state');

  it('shows items, amounts, parcels and until when each can be returned, in both languages', async () => {
    const [indonesian, english] = [await open(`/orders/${token}`), await open(`/orders/${token}`, 'en')];
    assert.deepEqual([indonesian.status, english.status], [200, 200]);
    for (const text of [
      'SUDAH DITERIMA',
      order.number,
      '2 × Barang uji',
      'Rp200.000',
      'jne · ',
      'Dapat dikembalikan sampai',
    ])
      assert.ok(indonesian.text.includes(text), text);
    for (const text of ['DELIVERED', '2 × Test goods', 'Rp333.333', 'Can be returned until'])
      assert.ok(english.text.includes(text), text);
    assert.match(english.text, /<html lang="en">/);
    assert.match(
      indonesian.text,
      new RegExp(`href="/orders/${token}\\?lang&#x3D;en"|href="/orders/${token}\\?lang=en"`),
    );
    assert.match((await open(`/orders/${token}?lang=en`)).text, /<html lang="en">/);
  });

  it('names no person, address, telephone number or tax number', async () => {
    const { text } = await open(`/orders/${token}`);
    const user = await database.db('users').where({ id: order.by }).first('name', 'email');
    for (const secret of ['Jalan Rahasia', 'Sari Wulandari', '+628', '01.***', user.email, order.companyId, order.by])
      assert.ok(!text.includes(secret), secret);
  });

  it('allows no script, no other server, no cache and no search engine', async () => {
    const shown = await open(`/orders/${token}`);
    assert.match(policyOf(shown), /default-src 'none'; style-src 'sha256-[^']+'; .*form-action 'self'/);
    assert.doesNotMatch(policyOf(shown), /unsafe-inline|script-src/);
    assert.doesNotMatch(shown.text, /<script|style="|onclick|https?:\/\//);
    assert.equal(shown.headers.get('cache-control'), 'no-store');
    assert.equal(shown.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(shown.headers.get('set-cookie'), null);
  });

  let any: BuiltOrder | undefined;
  for (const state of ORDER_STATES) {
    it(`says in plain words what ${state} means, with its progress`, async () => {
      any ??= await anOrder(database.db);
      const built = any;
      await database.db('orders').where({ id: built.orderId }).update({ state, cancel_reason: 'out_of_stock' });
      const path = `/orders/${await linkTo(built)}`;
      for (const language of ['id', 'en']) {
        const { status, text } = await open(path, language);
        assert.equal(status, 200);
        assert.match(
          text,
          /<div class="status (?:good|waiting|caution|bad|neutral)" role="status"><strong>[^<]{4,}<\/strong>[^<]{10,}/,
        );
        assert.doesNotMatch(text, /undefined|\[object|\{\{/);
        assert.equal(
          text.includes('aria-current="step"'),
          !['cancelled', 'delivered', 'returned', 'refunded'].includes(state),
        );
      }
    });
  }

  it('leads an unpaid order to its invoice, and says until when', async () => {
    const built = await anOrder(database.db);
    const { text } = await open(`/orders/${await linkTo(built)}`, 'en');
    assert.match(text, new RegExp(`<a class="link main" href="/pay/${built.invoiceId}">Pay Rp[\\d.]+</a>`));
    assert.match(text, /Pay by \(/);
  });

  it('escapes what stands in names', async () => {
    const built = await aDeliveredOrder(database.db);
    const hostile = '<script>alert(1)</script>" onload="x';
    await database
      .db('order_items')
      .where({ order_id: built.orderId })
      .update({ name: JSON.stringify({ id: hostile, en: hostile }) });
    const path = `/orders/${await linkTo(built)}`;
    for (const { text } of [await open(path), await open(`${path}/return`)]) {
      assert.doesNotMatch(text, /<script|" onload="/);
      assert.match(text, /&lt;script&gt;/);
    }
  });

  it('opens nothing for a wrong link, and gives no hint', async () => {
    const wrong = [randomUUID(), 'x'.repeat(43), order.orderId, `${token}x`];
    const pages = await Promise.all(wrong.map((one) => open(`/orders/${one}`)));
    for (const { status, text } of pages) {
      assert.equal(status, 404);
      assert.ok(!text.includes(order.number) && !text.includes('<form'));
    }
    const ofReturn = await aShopLink(api, { kind: 'order', id: order.orderId }, order.by);
    assert.equal((await open(`/returns/${ofReturn}`)).status, 404);
  });

  it('opens nothing for who acts for the company no more', async () => {
    const built = await aDeliveredOrder(database.db);
    const link = await linkTo(built);
    await database.db('company_members').where({ user_id: built.by }).delete();
    assert.equal((await open(`/orders/${link}`)).status, 404);
  });

  it('has ended after 90 days, and sends one new link an hour', async () => {
    const built = await aDeliveredOrder(database.db);
    const old = await linkTo(built, new Date(Date.now() - 90 * DAY));
    const shown = await open(`/orders/${old}`, 'en');
    assert.equal(shown.status, 410);
    assert.ok(!shown.text.includes(built.number));
    const form = formTo(shown, `/orders/${old}/link`);
    for (const _ of [1, 2]) assert.equal((await sendForm(api, form)).status, 200);
    const letters = await database
      .db('account_letters')
      .where({ template: 'order_link', user_id: built.by })
      .select('data');
    assert.equal(letters.length, 1);
    assert.equal(letters[0].data.orderNumber, built.number);
    assert.equal((await sendForm(api, { action: `/orders/${'y'.repeat(43)}/link`, fields: {} })).status, 200);
  });

  it('asks once how it was', async () => {
    const built = await aDeliveredOrder(database.db);
    const link = await linkTo(built);
    const form = formTo(await open(`/orders/${link}`), '/review');
    const sent = await sendForm(api, form, { mark: '4', text: ' Bagus ' });
    assert.deepEqual([sent.status, sent.headers.get('location')], [303, `/orders/${link}?lang=id&done=review`]);
    await sendForm(api, form, { mark: '1', text: 'changed my mind' });
    const said = await database
      .db('shop_messages')
      .where({ subject: `order/${built.orderId}`, kind: 'review' })
      .select('content');
    assert.deepEqual(said, [{ content: { mark: 4, text: 'Bagus' } }]);
    const after = await open(`/orders/${link}?done=review`, 'en');
    assert.match(after.text, /we have received what you think/);
    assert.equal(formTo(after, '/review'), null);
  });

  describe('asking for a return', () => {
    it('makes one return of what was chosen, however often the form is sent, and leads to its page', async () => {
      const built = await aDeliveredOrder(database.db);
      const link = await linkTo(built);
      const form = formTo(await open(`/orders/${link}/return`, 'en'), '/return');
      const [coffee] = built.items;
      assert.ok(coffee && form);
      const typed = { [`quantity.${coffee.id}`]: '2', [`reason.${coffee.id}`]: 'defective', wanted: 'store_credit' };
      const [first, second] = await Promise.all([sendForm(api, form, typed), sendForm(api, form, typed)]);
      const third = await sendForm(api, form, typed);
      assert.deepEqual([first?.status, second?.status, third.status], [303, 303, 303]);
      const location = first?.headers.get('location') ?? '';
      assert.equal(third.headers.get('location'), location);
      const [made, ...more] = await returnsOf(built.orderId);
      assert.ok(made && more.length === 0);
      const units = await database.db('return_units').where({ return_id: made.id }).select('order_item_id', 'reason');
      assert.deepEqual(units, Array(2).fill({ order_item_id: coffee.id, reason: 'defective' }));
      assert.equal((await api.deps.temporal.workflow.getHandle(rmaId(made.id)).describe()).type, 'rma');
      const page = await open(location);
      assert.equal(page.status, 200);
      assert.match(page.text, /<html lang="en">[\s\S]*We have received your request/);
      const onward = await open(`/orders/${link}/returns/${made.id}`);
      assert.equal(onward.status, 303);
      assert.equal((await open(onward.headers.get('location') ?? '')).status, 200);
      assert.equal((await open(`/orders/${link}/returns/${randomUUID()}`)).status, 404);
    });

    it('says on the page what is missing, and keeps what was typed', async () => {
      const built = await aDeliveredOrder(database.db);
      const form = formTo(await open(`/orders/${await linkTo(built)}/return`, 'en'), '/return');
      const none = await sendForm(api, form, { wanted: 'replacement' }, 'en');
      assert.equal(none.status, 422);
      assert.match(none.text, /role="alert"><li>Choose at least one item\.<\/li>/);
      assert.equal(formTo(none, '/return')?.fields['wanted'], 'replacement');
      assert.deepEqual(await returnsOf(built.orderId), []);
      const [coffee] = built.items;
      assert.ok(coffee);
      const exchange = await sendForm(
        api,
        form,
        { wanted: 'exchange', [`quantity.${coffee.id}`]: '1', exchangeSku: '' },
        'en',
      );
      assert.match(exchange.text, /<li>Test goods: choose why\.<\/li><li>Choose what you want in exchange/);
      assert.equal(formTo(exchange, '/return')?.fields[`quantity.${coffee.id}`], '1');
    });

    it('says why an item cannot be returned for that reason, by its name', async () => {
      const built = await aDeliveredOrder(database.db);
      const [coffee] = built.items;
      assert.ok(coffee);
      await database.db('order_items').where({ id: coffee.id }).update({ is_final_sale: true });
      const shown = await open(`/orders/${await linkTo(built)}/return`, 'en');
      assert.match(shown.text, /taken back only when something is wrong with it/);
      const typed = { [`quantity.${coffee.id}`]: '1', [`reason.${coffee.id}`]: 'no_longer_needed' };
      const refused = await sendForm(api, formTo(shown, '/return'), typed, 'en');
      assert.equal(refused.status, 422);
      assert.match(refused.text, /<li>Test goods: It was sold without a right to return/);
    });

    it('has no form when nothing can be returned, and says so', async () => {
      const pending = await anOrder(database.db);
      const shown = await open(`/orders/${await linkTo(pending)}/return`, 'en');
      assert.deepEqual([shown.status, formTo(shown, '/return')], [200, null]);
      assert.match(shown.text, /NOTHING CAN BE RETURNED/);
      const late = await aDeliveredOrder(database.db);
      await database
        .db('order_units')
        .where({ order_id: late.orderId })
        .update({ delivered_at: new Date(Date.now() - 31 * DAY) });
      assert.equal(formTo(await open(`/orders/${await linkTo(late)}/return`), '/return'), null);
      assert.match((await open(`/orders/${await linkTo(late)}`, 'en')).text, /The time for returns is over/);
    });

    it('is on record though its process cannot be started now; sent again it is the same', async () => {
      const built = await aDeliveredOrder(database.db);
      const away = await startApi(database, { secretKey: api.deps.secretKey });
      try {
        const form = formTo(await open(`/orders/${await linkTo(built)}/return`), '/return');
        const [coffee] = built.items;
        assert.ok(coffee && form);
        const typed = { [`quantity.${coffee.id}`]: '1', [`reason.${coffee.id}`]: 'arrived_late' };
        const without = await sendForm(away, form, typed, 'en');
        const after = await sendForm(api, form, typed);
        assert.deepEqual([without.status, after.status], [303, 303]);
        const [made, ...more] = await returnsOf(built.orderId);
        assert.ok(made && more.length === 0);
        assert.equal((await api.deps.temporal.workflow.getHandle(rmaId(made.id)).describe()).type, 'rma');
      } finally {
        await away.close();
      }
    });

    it('takes no other fields than those of the form', async () => {
      const form = formTo(await open(`/orders/${await linkTo(await aDeliveredOrder(database.db))}/return`), '/return');
      assert.equal((await sendForm(api, form, { policy: 'mine' })).status, 422);
    });

    it('refuses with a link that is not of an order', async () => {
      const made = asId<ReturnId>((await returnsOf(order.orderId))[0]?.id ?? randomUUID());
      const answer = await sendForm(api, { action: `/orders/${made}/return`, fields: { key: 'x' } });
      assert.equal(answer.status, 404);
    });
  });
});
