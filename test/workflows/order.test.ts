import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { checkLedger } from '../../db/ledger-check.ts';
import { asId, type CompanyId, type InvoiceId, type Sku } from '../../domain/ids.ts';
import { type DemoAccount, demoUserId } from '../../local/demo-data.ts';
import { cartId, orderId as orderProcess, paymentId } from '../../workflows/ids.ts';
import { orderChangedSignal } from '../../workflows/messages.ts';
import { aCompany } from '../builders/licensing.ts';
import { SHIP_TO } from '../builders/orders.ts';
import { aProduct } from '../builders/stock.ts';
import { MIDTRANS_SERVER_KEY } from '../support/machine.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, HOUR, travel } from '../support/time.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

interface Money {
  readonly amountMinor: number;
}
interface Shown {
  readonly id: string;
  readonly number: string;
  readonly state: string;
  readonly code?: string;
  readonly invoiceId: InvoiceId;
  readonly invoices: readonly { id: InvoiceId; state: string; total: Money }[];
  readonly items: readonly {
    id: string;
    sku: string;
    quantity: number;
    returnable: number;
    units: Record<string, number>;
  }[];
  readonly amounts: Readonly<Record<'total' | 'paid' | 'givenBack', Money>>;
  readonly shipments: readonly { id: string; state: string }[];
  readonly hold: { reasons: string[] } | null;
  readonly shipTo: Record<string, string>;
}

describe('an order', function () {
  this.timeout(90_000);
  let system: TestSystem;
  let story: Story;
  before(async () => {
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  async function call(
    method: string,
    path: string,
    who: DemoAccount = 'owner',
    body?: unknown,
    key: string = randomUUID(),
  ) {
    const response = await fetch(`${system.api.url}/api/v1${path}`, {
      method,
      headers: { ...(await system.as(who)), 'Content-Type': 'application/json', 'Idempotency-Key': key },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const shown: Shown = JSON.parse(await response.text());
    return { status: response.status, ...shown, headers: response.headers };
  }
  const aCustomer = (): Promise<CompanyId> => aCompany(db(), demoUserId('owner'));
  async function placed(items: { sku: Sku; quantity: number }[]) {
    const order = await call('POST', '/orders', 'owner', { companyId: await aCustomer(), items, shipTo: SHIP_TO });
    assert.equal(order.status, 201, JSON.stringify(order));
    return order;
  }
  const of = (id: string, who: DemoAccount = 'owner') => call('GET', `/orders/${id}`, who);
  const is = (id: string, state: string) =>
    eventually(`the order to be ${state}`, async () => {
      const order = await of(id);
      return order.state === state && order;
    });
  const tell = (id: string, what: string, who: DemoAccount = 'seller', body: unknown = {}) =>
    call('POST', `/orders/${id}/${what}`, who, body);
  const pageOf = async (invoiceId: InvoiceId) => {
    await eventually('who collects it', () =>
      system.client.workflow
        .getHandle(paymentId(invoiceId))
        .describe()
        .catch(() => null),
    );
    const page = await call('POST', `/invoices/${invoiceId}/pay`, 'owner', { gateway: 'midtrans' });
    assert.ok(page.status < 300, JSON.stringify(page));
    return `${invoiceId}-1`;
  };
  const pay = async (invoiceId: InvoiceId, by = '') => story.sandbox(await pageOf(invoiceId), 'pay', by);
  async function paid(items: { sku: Sku; quantity: number }[], state = 'confirmed', by = '') {
    const { id, invoiceId } = await placed(items);
    await pay(invoiceId, by);
    return is(id, state);
  }
  const GIVES_BACK = '?channel=gopay';
  const ship = { carrier: 'jne', trackingNumber: null };
  const refundsOf = (id: string): Promise<{ amount_minor: bigint; state: string; invoice_id: InvoiceId }[]> =>
    db()('refunds as r')
      .join('invoices as i', 'i.id', 'r.invoice_id')
      .where('i.order_id', id)
      .orderBy('r.requested_at')
      .select('r.*');
  const arrived = (id: string, count: number) =>
    eventually(`${count} refunds to arrive`, async () => {
      const refunds = await refundsOf(id);
      return refunds.length === count && refunds.every(({ state }) => state === 'succeeded') && refunds;
    });
  /** What the gateway says that it has paid back, minor units. */
  const atGateway = async (invoiceId: InvoiceId): Promise<number[]> => {
    const authorization = `Basic ${Buffer.from(`${MIDTRANS_SERVER_KEY}:`).toString('base64')}`;
    const answer = await fetch(`${system.sandboxUrl}/midtrans/v2/${invoiceId}-1/status`, {
      headers: { authorization },
    });
    const { refunds = [] }: { refunds?: { refund_amount: string }[] } = JSON.parse(await answer.text());
    return refunds.map(({ refund_amount }) => Number(refund_amount));
  };
  const soundBooks = async () => {
    for (const { name, findings } of (await checkLedger(db())).proofs) assert.deepEqual(findings, [], name);
  };
  /** Of each unit that cost something: its state, what it cost, and what of that went back. */
  const unitsOf = (id: string): Promise<{ state: string; cost: bigint; back: bigint }[]> =>
    db()('order_units')
      .where({ order_id: id })
      .orderBy(['order_item_id', 'number'])
      .select({
        state: 'state',
        cost: db().raw('net_minor + tax_minor + shipping_net_minor + shipping_tax_minor'),
        back: 'given_back_minor',
      });
  const reserved = async (sku: Sku): Promise<number> =>
    Number((await db()('stock_levels').where({ sku }).sum({ n: 'reserved' }).first())?.['n']);
  const goods = async (stock = 20, priceMinor = 100_000n) => aProduct(db(), { priceMinor, stock: [stock, 0] });
  const letters = (id: string): Promise<string[]> =>
    db()('account_letters').whereRaw(`data ->> 'orderId' = ?`, [id]).orderBy('created_at').pluck('template');

  together({
    'is paid, sent, delivered, asked about, and over when nothing can be returned any more': async () => {
      const sku = await goods();
      const order = await paid([{ sku, quantity: 2 }]);
      assert.equal(order.amounts.paid.amountMinor, order.amounts.total.amountMinor);
      const sent = await tell(order.id, 'ship', 'warehouse', ship);
      assert.deepEqual([sent.status, sent.state, sent.shipments.length], [200, 'shipped', 1]);
      const there = await tell(order.id, 'deliver');
      assert.deepEqual([there.state, there.items[0]?.returnable], ['delivered', 2]);
      await travel(system.client, orderProcess(asId(order.id)), 8 * DAY);
      assert.ok((await letters(order.id)).includes('order_review_request'));
      await travel(system.client, orderProcess(asId(order.id)), 23 * DAY);
      const { state } = await system.client.workflow.getHandle(orderProcess(asId(order.id))).result();
      assert.equal(state, 'delivered');
      assert.deepEqual(await letters(order.id), [
        'order_confirmed',
        'order_shipped',
        'order_delivered',
        'order_review_request',
      ]);
      assert.equal((await tell(order.id, 'ship', 'seller', ship)).code, 'order_not_open');
      assert.equal((await tell(order.id, 'cancel', 'owner')).code, 'order_not_open');
    },

    'ends unpaid after a day, when the gateway was asked; what is paid later goes back by itself': async () => {
      const sku = await goods();
      const { id, invoiceId } = await placed([{ sku, quantity: 3 }]);
      const reference = await pageOf(invoiceId);
      assert.equal(await reserved(sku), 3);
      await travel(system.client, paymentId(invoiceId), 24 * HOUR + 60);
      const { invoices } = await is(id, 'cancelled');
      assert.equal(invoices[0]?.state, 'lapsed');
      assert.equal(await reserved(sku), 0);
      await story.sandbox(reference, 'pay-late');
      const [refund] = await eventually('a refund', async () => {
        const found = await refundsOf(id);
        return found.length > 0 && found;
      });
      assert.equal(refund?.amount_minor, BigInt(invoices[0]?.total.amountMinor ?? 0));
      assert.equal((await of(id)).state, 'cancelled');
    },

    'is reminded of its payment four hours before it ends': async () => {
      const { id } = await placed([{ sku: await goods(), quantity: 1 }]);
      await travel(system.client, orderProcess(asId(id)), 20 * HOUR + 60);
      assert.deepEqual(await letters(id), ['order_unpaid_reminder']);
    },

    'is cancelled before it is paid: a payment that lands all the same goes back': async () => {
      const sku = await goods();
      const { id, invoiceId } = await placed([{ sku, quantity: 1 }]);
      const reference = await pageOf(invoiceId);
      const key = randomUUID();
      const first = await call('POST', `/orders/${id}/cancel`, 'owner', {}, key);
      assert.deepEqual([first.status, first.state], [200, 'cancelled']);
      const again = await call('POST', `/orders/${id}/cancel`, 'owner', {}, key);
      assert.deepEqual([again.status, again.state], [200, 'cancelled']);
      assert.equal((await tell(id, 'cancel', 'owner')).code, 'order_not_open');
      await story.sandbox(reference, 'pay-late');
      await eventually('a refund', async () => (await refundsOf(id)).length === 1);
    },

    'gives back exactly what is cancelled of it, to its arrival, and goes on with the rest': async () => {
      const [one, other] = [await goods(20, 33_333n), await goods(20, 66_667n)];
      const items = [
        { sku: one, quantity: 3 },
        { sku: other, quantity: 1 },
      ];
      const order = await paid(items, 'confirmed', GIVES_BACK);
      const before = order.amounts.total.amountMinor;
      const after = await tell(order.id, 'cancel', 'owner', { items: [{ sku: one, quantity: 2 }] });
      assert.equal(after.state, 'confirmed');
      const { givenBack } = after.amounts;
      assert.equal(after.amounts.total.amountMinor + givenBack.amountMinor, before);
      const [refund] = await arrived(order.id, 1);
      assert.equal(refund?.amount_minor, BigInt(givenBack.amountMinor));
      assert.deepEqual(await atGateway(order.invoiceId), [givenBack.amountMinor]);
      for (const { state, cost, back } of await unitsOf(order.id))
        assert.equal(back, state === 'cancelled' ? cost : 0n);
      assert.deepEqual(after.items[0]?.units['cancelled'], 2);
      assert.equal((await tell(order.id, 'ship', 'seller', ship)).state, 'shipped');
    },

    'gives all of its money back when all of it is cancelled, part by part, by one process or another': async () => {
      const [one, other] = [await goods(20, 33_333n), await goods(20, 66_667n)];
      const items = [
        { sku: one, quantity: 3 },
        { sku: other, quantity: 1 },
      ];
      const order = await paid(items, 'confirmed', GIVES_BACK);
      await tell(order.id, 'cancel', 'owner', { items: [{ sku: one, quantity: 1 }] });
      // A process that begins anew reads what was handed over, and who was paid back, from the record.
      await system.client.workflow.getHandle(orderProcess(asId(order.id))).terminate();
      const key = randomUUID();
      const gone = await eventually('its process again', async () => {
        const answer = await call('POST', `/orders/${order.id}/cancel`, 'owner', {}, key);
        return answer.status !== 503 && answer;
      });
      assert.deepEqual([gone.status, gone.state], [200, 'cancelled']);
      await arrived(order.id, 2);
      const total = order.amounts.total.amountMinor;
      const paidBack = await atGateway(order.invoiceId);
      assert.deepEqual([paidBack.length, paidBack.reduce((sum, one) => sum + one, 0)], [2, total]);
      for (const { state, cost, back } of await unitsOf(order.id)) assert.deepEqual([state, back], ['cancelled', cost]);
      assert.equal((await of(order.id)).amounts.givenBack.amountMinor, total);
      await system.client.workflow.getHandle(orderProcess(asId(order.id))).result();
    },

    "takes what was in the company's cart, whose process hears of it": async () => {
      const sku = await goods();
      const companyId = await aCustomer();
      const cart = `/carts/${companyId}`;
      const put = await call('PUT', cart, 'owner', { items: [{ sku, quantity: 1 }] });
      assert.equal(put.status, 200, JSON.stringify(put));
      const left = system.client.workflow.getHandle(cartId(companyId));
      await eventually('the process of the cart to wait', async () => {
        const history = await left.fetchHistory().catch(() => null);
        return history?.events?.some(({ timerStartedEventAttributes: timer }) => timer);
      });
      const order = await call('POST', '/orders', 'owner', {
        companyId,
        items: [{ sku, quantity: 1 }],
        shipTo: SHIP_TO,
      });
      assert.deepEqual((await call('GET', cart)).items, []);
      await eventually('it to end', async () => (await left.describe()).status.name === 'COMPLETED');
      assert.deepEqual(await left.result(), { reminded: false });
      await call('PUT', cart, 'owner', { items: [{ sku, quantity: 2 }] });
      assert.equal((await tell(order.id, 'reorder', 'owner')).status, 201);
      assert.equal((await call('GET', cart)).items.length, 1);
    },

    'frees for who waits what it does not take after all': async () => {
      const sku = await goods(2, 700_000n);
      const first = await paid([{ sku, quantity: 2 }]);
      const second = await paid([{ sku, quantity: 1 }], 'backordered');
      const third = await paid([{ sku, quantity: 1 }], 'backordered');
      await tell(first.id, 'edit', 'owner', { items: [{ sku, quantity: 1 }] });
      await is(second.id, 'confirmed');
      assert.equal((await of(third.id)).state, 'backordered');
      await tell(first.id, 'cancel', 'owner');
      await is(third.id, 'confirmed');
      assert.equal(await reserved(sku), 2);
    },

    'is held and released by people, and cannot be sent meanwhile': async () => {
      const order = await paid([{ sku: await goods(), quantity: 1 }]);
      assert.equal((await tell(order.id, 'hold', 'seller', { note: 'looks odd' })).state, 'on_hold');
      assert.equal((await tell(order.id, 'ship', 'seller', ship)).code, 'order_held');
      await travel(system.client, orderProcess(asId(order.id)), 25 * HOUR);
      await eventually('a reminder', async () =>
        db()('events')
          .where({ subject: `order/${order.id}`, type: 'order.hold_reminded' })
          .first(),
      );
      assert.equal((await tell(order.id, 'release')).state, 'confirmed');
      assert.equal((await tell(order.id, 'release')).code, 'order_not_open');
    },

    'is packed, which whoever packs may say twice; held and released it is packed still': async () => {
      const order = await placed([{ sku: await goods(), quantity: 2 }]);
      assert.equal((await tell(order.id, 'pack', 'warehouse')).code, 'order_not_shippable');
      await pay(order.invoiceId);
      await is(order.id, 'confirmed');
      assert.equal((await tell(order.id, 'pack', 'owner')).status, 403);
      const packed = await tell(order.id, 'pack', 'warehouse');
      assert.deepEqual([packed.status, packed.state], [200, 'processing']);
      const again = await tell(order.id, 'pack', 'seller');
      assert.deepEqual([again.status, again.state], [200, 'processing']);
      const begun = db()('events').where({ subject: `order/${order.id}`, type: 'order.packing_begun' });
      assert.deepEqual(await begun.pluck('actor_id'), [demoUserId('warehouse')]);
      await tell(order.id, 'hold');
      assert.equal((await tell(order.id, 'pack')).code, 'order_held');
      assert.equal((await tell(order.id, 'release')).state, 'processing');
      assert.equal((await tell(order.id, 'ship', 'warehouse', ship)).state, 'shipped');
    },

    'costs more when it is edited, which another invoice asks for, and less, which goes back': async () => {
      const [one, other] = [await goods(20, 600_000n), await goods()];
      const order = await paid([{ sku: one, quantity: 1 }]);
      const dearer = await tell(order.id, 'edit', 'owner', { items: [{ sku: other, quantity: 1 }] });
      const open = dearer.invoices.find(({ state }) => state === 'open');
      assert.equal(open?.total.amountMinor, 111_000);
      assert.equal(dearer.invoiceId, open?.id);
      assert.equal(
        (await tell(order.id, 'ship', 'seller', { ...ship, items: [{ sku: other, quantity: 1 }] })).code,
        'items_not_known',
      );
      await pay(dearer.invoiceId);
      await eventually(
        'the other invoice to be paid',
        async () => (await of(order.id)).amounts.paid.amountMinor === 777_000,
      );
      const cheaper = await tell(order.id, 'edit', 'owner', { items: [{ sku: one, quantity: 0 }] });
      assert.equal(cheaper.amounts.givenBack.amountMinor, 666_000);
      assert.equal((await tell(order.id, 'ship', 'seller', ship)).state, 'shipped');
      const late = await tell(order.id, 'edit', 'owner', { shipTo: SHIP_TO });
      assert.deepEqual([late.status, late.code], [409, 'order_not_open']);
      const said = await db()('shop_messages')
        .where({ subject: `order/${order.id}`, kind: 'edit' })
        .orderBy('at');
      assert.deepEqual(
        said.map(({ content, answer }) => [content.shipTo, answer.refusal?.code]),
        [
          [undefined, undefined],
          [undefined, undefined],
          [undefined, 'order_not_open'],
        ],
        'what is refused is answered, and keeps no address',
      );
    },

    'waits for stock, and is packed as soon as there is some': async () => {
      const sku = await goods(0, 700_000n);
      const order = await paid([{ sku, quantity: 2 }], 'backordered');
      const got = await call('POST', `/stock/${sku}/receive`, 'warehouse', { location: 'bandung', quantity: 5 });
      assert.ok(got.status < 300, JSON.stringify(got));
      await system.client.workflow.getHandle(orderProcess(asId(order.id))).signal(orderChangedSignal);
      await is(order.id, 'confirmed');
      assert.equal(await reserved(sku), 2);
    },

    'is found again when its process was never started': async () => {
      const order = await placed([{ sku: await goods(), quantity: 1 }]);
      await eventually(
        'its process',
        async () => (await db()('orders').where({ id: order.id }).first('taken_at')).taken_at,
      );
      await system.client.workflow.getHandle(orderProcess(asId(order.id))).terminate();
      await db()('orders')
        .where({ id: order.id })
        .update({ taken_at: null, placed_at: new Date(Date.now() - 120_000) });
      const run = { workflowId: randomUUID(), taskQueue: system.taskQueue, args: [] };
      assert.deepEqual(await system.client.workflow.execute('orderWatch', run), { started: 1, running: 0, failed: 0 });
      await eventually(
        'it in hand',
        async () => (await db()('orders').where({ id: order.id }).first('taken_at')).taken_at,
      );
    },

    'is shown to its owner and to who packs it, with an ETag, and to nobody else': async () => {
      const { id } = await placed([{ sku: await goods(), quantity: 1 }]);
      const own = await of(id);
      assert.equal(own.shipTo['street'], SHIP_TO.street);
      assert.ok(own.headers.get('etag'));
      assert.equal((await of(id, 'warehouse')).shipTo['name'], SHIP_TO.name);
      assert.deepEqual((await of(id, 'finance')).shipTo, {
        city: 'Bandung',
        province: 'Jawa Barat',
        postalCode: '40111',
      });
      assert.equal((await of(id, 'verifier')).status, 403);
      const again = await tell(id, 'reorder', 'owner');
      assert.deepEqual([again.status, again.state, again.id === id], [201, 'pending', false]);
      assert.equal(again.shipTo['street'], SHIP_TO.street);
      const refused = await call('POST', '/orders', 'owner', {
        companyId: randomUUID(),
        items: [{ sku: 'NOPE', quantity: 1 }],
        shipTo: SHIP_TO,
      });
      assert.equal(refused.status, 404);
      const unknown = await call('POST', '/orders', 'owner', {
        companyId: await aCustomer(),
        items: [{ sku: 'NOPE', quantity: 1 }],
        shipTo: SHIP_TO,
      });
      assert.deepEqual([unknown.status, unknown.code], [422, 'product_unknown']);
    },
  });

  it('leaves the books right', soundBooks);
});
