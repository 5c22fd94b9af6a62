import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { openShipTo } from '../../db/order-records.ts';
import { placeOrder } from '../../db/orders.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { asId, type InvoiceId, type OrderId, type ShipmentId, type Sku } from '../../domain/ids.ts';
import { DEFAULT_ORDER_POLICY } from '../../domain/orders.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import {
  aCaptureOf,
  aDeliveredOrder,
  advanced,
  anOrder,
  aPaidOrder,
  askedOf,
  type BuiltOrder,
  demoProducts,
  SHIP_TO,
  sealedShipTo,
} from '../builders/orders.ts';
import { aProduct } from '../builders/stock.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the record of an order', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  const row = (id: OrderId) => database.db('orders').where({ id }).first();
  const units = (id: OrderId): Promise<Record<string, bigint & string>[]> =>
    database.db('order_units').where({ order_id: id }).orderBy(['order_item_id', 'number']);
  const invoices = (id: OrderId) => database.db('invoices').where({ order_id: id }).orderBy(['issued_at', 'number']);
  const refunds = (id: OrderId): Promise<{ amount_minor: bigint }[]> =>
    database.db('refunds as r').join('invoices as i', 'i.id', 'r.invoice_id').where('i.order_id', id).select('r.*');
  const events = (id: OrderId): Promise<string[]> =>
    database
      .db('events')
      .where({ subject: `order/${id}` })
      .whereLike('type', 'order.%')
      .orderBy('id')
      .pluck('type');
  const reserved = async (sku: Sku): Promise<number> =>
    Number((await database.db('stock_levels').where({ sku }).sum({ n: 'reserved' }).first())?.['n']);
  const onHand = async (sku: Sku): Promise<number> =>
    Number((await database.db('stock_levels').where({ sku }).sum({ n: 'on_hand' }).first())?.['n']);
  const costs = async (id: OrderId, where: (unit: Record<string, unknown>) => boolean = () => true): Promise<bigint> =>
    (await units(id))
      .filter(where)
      .reduce(
        (sum, unit) =>
          sum +
          (unit['net_minor'] ?? 0n) +
          (unit['tax_minor'] ?? 0n) +
          (unit['shipping_net_minor'] ?? 0n) +
          (unit['shipping_tax_minor'] ?? 0n),
        0n,
      );
  const cancelled = (unit: Record<string, unknown>) => unit['state'] === 'cancelled';
  const seller = () => aUser(database.db, 'seller');
  const skuOf = ({ items }: BuiltOrder, index = 0): Sku => {
    const item = items[index];
    assert.ok(item);
    return item.sku;
  };
  const openInvoice = async (id: OrderId): Promise<{ id: InvoiceId; total_minor: bigint }> => {
    const open = (await invoices(id)).filter(({ state }) => state === 'open');
    assert.equal(open.length, 1);
    return open[0];
  };

  describe('placed', () => {
    it('reserves its units, bills them with shipping, and knows what each costs', async () => {
      const order = await anOrder(database.db);
      const { total_minor: total, state, number, expires_at: expires, placed_at: placed } = await row(order.orderId);
      // 533.333 without tax: from 500.000 on shipping is free.
      assert.equal(total, 533_333n + 58_667n);
      assert.equal(await costs(order.orderId), total);
      assert.equal((await openInvoice(order.orderId)).total_minor, total);
      assert.equal(state, 'pending');
      assert.match(number, /^ORD\/\d{4}\/\d{6}$/);
      assert.equal(expires.getTime() - placed.getTime(), 24 * HOUR);
      assert.equal(await reserved(skuOf(order)), 2);
      assert.deepEqual(await events(order.orderId), ['order.placed']);
    });

    it('is there once, however often it is placed, also at the same time', async () => {
      const { db } = database;
      const by = await aUser(db, 'owner');
      const companyId = await aCompany(db, by);
      const { coffee } = await demoProducts(db);
      const order = {
        ...{
          orderId: asId<OrderId>(randomUUID()),
          companyId,
          by,
          shipTo: sealedShipTo(),
          policy: DEFAULT_ORDER_POLICY,
        },
        items: [{ sku: coffee, quantity: 3 }],
        at: new Date().toISOString(),
      };
      const place = () => db.transaction((tx) => placeOrder(tx, order));
      const first = await place();
      const [second, third] = await Promise.all([place(), place()]);
      assert.deepEqual([second, third], [first, first]);
      assert.equal(await reserved(coffee), 3);
    });

    it('waits for what is not there, and for no more', async () => {
      const sku = await aProduct(database.db, { stock: [2, 1] });
      const order = await anOrder(database.db, { items: [{ sku, quantity: 5 }] });
      const states = (await units(order.orderId)).map((unit) => unit['state']);
      assert.deepEqual(states, ['reserved', 'reserved', 'reserved', 'waiting', 'waiting']);
    });

    it('refuses what is not sold and what is too much, and leaves nothing behind', async () => {
      const { db } = database;
      const { coffee } = await demoProducts(db);
      const refused = (items: { sku: Sku; quantity: number }[], code: string) =>
        assert.rejects(anOrder(db, { items }), { code });
      await refused([{ sku: asId<Sku>('NOPE'), quantity: 1 }], 'product_unknown');
      await refused([{ sku: coffee, quantity: 1001 }], 'order_too_large');
      await refused([], 'items_not_known');
      assert.equal(await reserved(coffee), 0);
    });

    it('keeps where it goes sealed, all but the area', async () => {
      const { orderId } = await anOrder(database.db);
      const { ship_to_encrypted: sealed, ship_to_area: area } = await row(orderId);
      assert.deepEqual(area, { city: 'Bandung', province: 'Jawa Barat', postalCode: '40111' });
      assert.ok(!sealed.toString('latin1').includes('Sari'));
      assert.deepEqual(openShipTo(createPersonalData([PERSONAL_DATA_KEY]), { sealed, area }), SHIP_TO);
    });

    it('is confirmed at once when it costs nothing, and charges a difference alone', async () => {
      const { db } = database;
      const { coffee, tea } = await demoProducts(db);
      const items = [
        { sku: coffee, quantity: 1 },
        { sku: tea, quantity: 1 },
      ];
      const free = await anOrder(db, { kind: 'replacement', items });
      assert.equal(free.invoiceId, null);
      assert.equal((await row(free.orderId)).state, 'confirmed');
      assert.equal(await costs(free.orderId), 0n);
      const dearer = await anOrder(db, { kind: 'exchange', items, chargeMinor: 50_001n });
      assert.equal((await openInvoice(dearer.orderId)).total_minor, 50_001n + 5_500n);
      assert.equal(await costs(dearer.orderId), 55_501n);
    });
  });

  describe('paid', () => {
    it('is confirmed once, and what is reserved has no end any more', async () => {
      const order = await aPaidOrder(database.db);
      await Promise.all([advanced(database.db, order.orderId), advanced(database.db, order.orderId)]);
      assert.equal((await row(order.orderId)).state, 'confirmed');
      assert.deepEqual(await events(order.orderId), ['order.placed', 'order.confirmed']);
      const kept = await database.db('stock_reservations').where({ order_id: order.orderId }).pluck('expires_at');
      assert.deepEqual(kept, [null, null]);
    });

    it('is looked at first when it is risky, reminds of it once, and is packed when it is released', async () => {
      const { db } = database;
      const sku = await aProduct(db, { priceMinor: 60_000_000n, stock: [1, 0] });
      const order = await aPaidOrder(db, { items: [{ sku, quantity: 1 }] });
      const { state, risk_reasons: reasons, risk_score: score } = await row(order.orderId);
      assert.deepEqual([state, reasons, score], ['on_hold', ['amount', 'new_customer'], 60]);
      const later = new Date(Date.now() + 25 * HOUR);
      await advanced(db, order.orderId, later);
      await advanced(db, order.orderId, later);
      const reminders = (await events(order.orderId)).filter((type) => type === 'order.hold_reminded');
      assert.equal(reminders.length, 1);
      const by = await seller();
      const ship = { kind: 'ship', carrier: 'jne', trackingNumber: null } as const;
      assert.equal((await askedOf(db, order.orderId, by, ship)).refusal?.code, 'order_held');
      assert.equal((await askedOf(db, order.orderId, by, { kind: 'release' })).standing.state, 'confirmed');
      assert.equal((await askedOf(db, order.orderId, by, { kind: 'release' })).refusal?.code, 'order_not_open');
    });

    it('waits for stock, which it gets when there is some', async () => {
      const { db } = database;
      const sku = await aProduct(db, { stock: [1, 0], priceMinor: 600_000n });
      const order = await aPaidOrder(db, { items: [{ sku, quantity: 2 }] });
      assert.equal((await row(order.orderId)).state, 'backordered');
      await db('stock_levels').where({ sku }).update({ on_hand: 5 });
      assert.equal((await advanced(db, order.orderId)).state, 'confirmed');
      assert.equal(await reserved(sku), 2);
      await advanced(db, order.orderId);
      assert.equal((await events(order.orderId)).filter((type) => type === 'order.stock_arrived').length, 1);
    });
  });

  describe('cancelled', () => {
    it('unpaid as a whole: nobody has to pay, and its stock is free', async () => {
      const order = await anOrder(database.db);
      const cancel = { kind: 'cancel', byPayer: true } as const;
      const { standing, refusal } = await askedOf(database.db, order.orderId, order.by, cancel);
      assert.deepEqual([standing.state, standing.due, refusal], ['cancelled', null, null]);
      assert.deepEqual(
        (await invoices(order.orderId)).map(({ state }) => state),
        ['lapsed'],
      );
      assert.equal(await reserved(skuOf(order)), 0);
      const again = await askedOf(database.db, order.orderId, order.by, cancel);
      assert.equal(again.refusal?.code, 'order_not_open');
    });

    it('by its invoice that nobody paid', async () => {
      const order = await anOrder(database.db);
      await database.db('invoices').where({ id: order.invoiceId }).update({ state: 'lapsed' });
      const { state } = await advanced(database.db, order.orderId);
      assert.equal(state, 'cancelled');
      const { cancel_reason: reason } = await row(order.orderId);
      assert.equal(reason, 'unpaid');
      assert.equal(await reserved(skuOf(order)), 0);
    });

    it('unpaid in part: another invoice asks for the rest, to the rupiah what is left', async () => {
      const { db } = database;
      const { coffee } = await demoProducts(db);
      const order = await anOrder(db, { items: [{ sku: coffee, quantity: 3 }] });
      const cancel = { kind: 'cancel', byPayer: true, items: [{ sku: coffee, quantity: 1 }] } as const;
      assert.equal((await askedOf(db, order.orderId, order.by, cancel)).standing.state, 'pending');
      const { total_minor: total } = await openInvoice(order.orderId);
      assert.equal(total, await costs(order.orderId, (unit) => !cancelled(unit)));
      assert.equal((await row(order.orderId)).total_minor, total);
      assert.equal((await invoices(order.orderId)).length, 2);
      assert.equal(await reserved(coffee), 2);
    });

    it('paid, piece by piece: each gives back what it cost, and all of it is the capture', async () => {
      const { db } = database;
      const { tea, coffee } = await demoProducts(db);
      const order = await aPaidOrder(db, {
        items: [
          { sku: tea, quantity: 3 },
          { sku: coffee, quantity: 2 },
        ],
      });
      const { total_minor: total } = await row(order.orderId);
      for (const sku of [tea, coffee, tea, tea, coffee]) {
        const { refusal } = await askedOf(db, order.orderId, order.by, {
          kind: 'cancel',
          byPayer: true,
          items: [{ sku, quantity: 1 }],
        });
        assert.equal(refusal, null);
        const back = (await refunds(order.orderId)).reduce((sum, { amount_minor }) => sum + amount_minor, 0n);
        assert.equal(back, await costs(order.orderId, cancelled));
      }
      assert.equal(
        (await refunds(order.orderId)).reduce((sum, { amount_minor }) => sum + amount_minor, 0n),
        total,
      );
      assert.equal((await row(order.orderId)).state, 'cancelled');
      assert.equal(await reserved(tea), 0);
    });

    it('once, when the same message is applied twice at a time', async () => {
      const { db } = database;
      const order = await aPaidOrder(db);
      const cancel = { kind: 'cancel', byPayer: true, items: [{ sku: skuOf(order), quantity: 1 }] } as const;
      const requestKey = randomUUID();
      const both = await Promise.all([
        askedOf(db, order.orderId, order.by, cancel, { requestKey }),
        askedOf(db, order.orderId, order.by, cancel, { requestKey }),
      ]);
      assert.deepEqual(
        both.map(({ refusal }) => refusal),
        [null, null],
      );
      assert.equal((await refunds(order.orderId)).length, 1);
      assert.equal((await units(order.orderId)).filter(cancelled).length, 1);
    });

    it('not for more than there is, and not for what is on its way', async () => {
      const { db } = database;
      const order = await aDeliveredOrder(db);
      const cancel = { kind: 'cancel', byPayer: true } as const;
      assert.equal((await askedOf(db, order.orderId, order.by, cancel)).refusal?.code, 'order_not_open');
      const other = await anOrder(db);
      const tooMany = { ...cancel, items: [{ sku: skuOf(other), quantity: 3 }] };
      assert.equal((await askedOf(db, other.orderId, other.by, tooMany)).refusal?.code, 'items_not_known');
      assert.equal((await units(other.orderId)).filter(cancelled).length, 0);
    });
  });

  describe('edited', () => {
    const edit = (order: BuiltOrder, items: { sku: Sku; quantity: number }[]) =>
      askedOf(database.db, order.orderId, order.by, { kind: 'edit', items });

    it('unpaid: one invoice asks for what it is now, shipping included', async () => {
      const { db } = database;
      const { coffee, tea } = await demoProducts(db);
      const order = await anOrder(db, { items: [{ sku: coffee, quantity: 6 }] });
      await edit(order, [
        { sku: coffee, quantity: 1 },
        { sku: tea, quantity: 1 },
      ]);
      const { total_minor: total } = await openInvoice(order.orderId);
      assert.equal(total, 433_333n + 20_000n + 49_867n);
      assert.equal(await costs(order.orderId, (unit) => !cancelled(unit)), total);
      assert.deepEqual([await reserved(coffee), await reserved(tea)], [1, 1]);
    });

    it('paid and dearer: another invoice asks for the difference, and nothing of it leaves before it is paid', async () => {
      const { db } = database;
      const { coffee } = await demoProducts(db);
      const order = await aPaidOrder(db, { items: [{ sku: coffee, quantity: 6 }] });
      await edit(order, [{ sku: coffee, quantity: 8 }]);
      const { id, total_minor: total } = await openInvoice(order.orderId);
      assert.equal(total, 222_000n);
      const by = await seller();
      const ship = (quantity: number, trackingNumber: string) =>
        askedOf(db, order.orderId, by, {
          ...{ kind: 'ship', carrier: 'jne', trackingNumber },
          items: [{ sku: coffee, quantity }],
        });
      assert.equal((await ship(7, randomUUID())).refusal?.code, 'items_not_known');
      await aCaptureOf(db, id);
      assert.equal((await ship(8, randomUUID())).standing.state, 'shipped');
      assert.equal(await onHand(coffee), 92);
    });

    it('paid and cheaper: exactly what was taken off goes back', async () => {
      const { db } = database;
      const { coffee, tea } = await demoProducts(db);
      const order = await aPaidOrder(db, {
        items: [
          { sku: coffee, quantity: 2 },
          { sku: tea, quantity: 2 },
        ],
      });
      await edit(order, [{ sku: tea, quantity: 1 }]);
      const [refund] = await refunds(order.orderId);
      assert.equal(refund?.amount_minor, await costs(order.orderId, cancelled));
      assert.equal((await invoices(order.orderId)).length, 1);
    });

    it('drops what was added and never paid', async () => {
      const { db } = database;
      const { coffee } = await demoProducts(db);
      const order = await aPaidOrder(db, { items: [{ sku: coffee, quantity: 6 }] });
      await edit(order, [{ sku: coffee, quantity: 8 }]);
      const { id } = await openInvoice(order.orderId);
      await db('invoices').where({ id }).update({ state: 'lapsed' });
      const { state, units: counts } = await advanced(db, order.orderId);
      assert.deepEqual([state, counts.reserved, counts.cancelled], ['confirmed', 6, 2]);
      assert.equal((await refunds(order.orderId)).length, 0);
    });
  });

  describe('shipped', () => {
    it('in parts, each out of stock once, and is delivered when the last has arrived', async () => {
      const { db } = database;
      const order = await aPaidOrder(db);
      const [coffee, tea] = [skuOf(order), skuOf(order, 1)];
      const by = await seller();
      const ship = {
        kind: 'ship',
        carrier: 'jne',
        trackingNumber: randomUUID(),
        items: [{ sku: coffee, quantity: 2 }],
      } as const;
      assert.equal((await askedOf(db, order.orderId, by, ship)).standing.state, 'partially_shipped');
      assert.deepEqual([await onHand(coffee), await reserved(coffee)], [98, 0]);
      const rest = { kind: 'ship', carrier: 'jne', trackingNumber: randomUUID() } as const;
      assert.equal((await askedOf(db, order.orderId, by, rest)).standing.state, 'shipped');
      assert.equal(await onHand(tea), 99);
      assert.equal((await askedOf(db, order.orderId, by, rest)).refusal?.code, 'order_not_shippable');
      const parcels = await db('shipments').where({ order_id: order.orderId }).orderBy('created_at').pluck('id');
      const deliver = (shipmentId: ShipmentId) => askedOf(db, order.orderId, by, { kind: 'deliver', shipmentId });
      assert.equal((await deliver(parcels[0])).standing.state, 'shipped');
      assert.equal((await deliver(parcels[1])).standing.state, 'delivered');
      assert.equal((await deliver(parcels[1])).refusal?.code, 'order_not_shippable');
    });

    it('not without the serial numbers of what has some', async () => {
      const { db } = database;
      const { grinder } = await demoProducts(db, 2);
      const order = await aPaidOrder(db, { items: [{ sku: grinder, quantity: 1 }] });
      const by = await seller();
      const ship = { kind: 'ship', carrier: 'jne', trackingNumber: randomUUID() } as const;
      assert.equal((await askedOf(db, order.orderId, by, ship)).refusal?.code, 'serial_not_valid');
      assert.equal((await db('shipments').where({ order_id: order.orderId })).length, 0);
      const serials = [`${grinder}-bandung-2`];
      const items = [{ sku: grinder, quantity: 1, serials }];
      assert.equal((await askedOf(db, order.orderId, by, { ...ship, items })).standing.state, 'shipped');
      assert.deepEqual(
        (await units(order.orderId)).map((unit) => unit['serial']),
        serials,
      );
    });

    it('and lost: it is given up after the days of the policy, and its money goes back when it is cancelled', async () => {
      const { db } = database;
      const order = await aPaidOrder(db);
      const by = await seller();
      await askedOf(db, order.orderId, by, { kind: 'ship', carrier: 'jne', trackingNumber: randomUUID() });
      assert.equal((await advanced(db, order.orderId, new Date(Date.now() + 20.9 * DAY))).units.lost, 0);
      assert.equal((await advanced(db, order.orderId, new Date(Date.now() + 21.1 * DAY))).units.lost, 3);
      const { standing } = await askedOf(db, order.orderId, order.by, { kind: 'cancel', byPayer: true });
      assert.equal(standing.state, 'cancelled');
      const { total_minor: total } = await row(order.orderId);
      assert.deepEqual(
        (await refunds(order.orderId)).map(({ amount_minor }) => amount_minor),
        [total],
      );
    });

    it('and brought back: it is on the shelf again once, its money goes back, and sellers were told', async () => {
      const { db } = database;
      const by = await seller();
      const { coffee, grinder } = await demoProducts(db, 5);
      const items = [
        { sku: coffee, quantity: 2 },
        { sku: grinder, quantity: 1 },
      ];
      const order = await aPaidOrder(db, { items });
      const wished = [items[0], { sku: grinder, quantity: 1, serials: [`${grinder}-bandung-2`] }].flatMap((one) =>
        one ? [one] : [],
      );
      const parcel = { carrier: 'jne', trackingNumber: randomUUID() };
      await askedOf(db, order.orderId, by, { kind: 'ship', ...parcel, items: wished });
      const onHand = async (sku: Sku) =>
        Number((await db('stock_levels').where({ sku }).sum('on_hand').first())?.['sum']);
      assert.deepEqual([await onHand(coffee), await onHand(grinder)], [3, 4]);
      const { id: shipmentId } = await db('shipments').where({ order_id: order.orderId }).first('id');
      const wrong = await askedOf(db, order.orderId, by, { kind: 'take_back', shipmentId: asId(randomUUID()) });
      assert.equal(wrong.refusal?.code, 'shipment_not_known');
      const back = await askedOf(db, order.orderId, by, { kind: 'take_back', shipmentId });
      assert.deepEqual([back.refusal, back.standing.state], [null, 'cancelled']);
      await askedOf(db, order.orderId, by, { kind: 'take_back', shipmentId });
      assert.deepEqual([await onHand(coffee), await onHand(grinder)], [5, 5]);
      const serial = await db('stock_serials')
        .where({ sku: grinder, serial: `${grinder}-bandung-2` })
        .first('state');
      assert.equal(serial.state, 'in_stock');
      const { total_minor: total } = await row(order.orderId);
      assert.deepEqual(
        (await refunds(order.orderId)).map(({ amount_minor }) => amount_minor),
        [total],
      );
      const told = db('account_letters').where({ template: 'order_parcel_failed', user_id: by });
      assert.equal((await told.whereRaw("data ->> 'orderId' = ?", [order.orderId])).length, 1);
    });

    it('asks for a review a week after its delivery, and is over when nothing can be returned any more', async () => {
      const { db } = database;
      const order = await aDeliveredOrder(db);
      await advanced(db, order.orderId, new Date(Date.now() + 7.1 * DAY));
      assert.ok((await row(order.orderId)).review_asked_at);
      assert.ok((await advanced(db, order.orderId, new Date(Date.now() + 29.9 * DAY))).due);
      assert.equal((await advanced(db, order.orderId, new Date(Date.now() + 30.1 * DAY))).due, null);
    });
  });
});
