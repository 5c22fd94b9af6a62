import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { deliverShipment, loseShipment, moveShipment } from '../../db/shipment-moves.ts';
import type { OrderId, ShipmentId, UserId } from '../../domain/ids.ts';
import { aUser } from '../builders/licensing.ts';
import { advanced, aPaidOrder, askedOf, type BuiltOrder } from '../builders/orders.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('a parcel of an order that has gone astray', () => {
  let database: TestDatabase;
  let db: Knex;
  let seller: UserId;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
    seller = await aUser(db, 'seller');
  });
  after(() => database?.drop());

  const now = () => new Date().toISOString();
  const lose = (shipmentId: ShipmentId) => db.transaction((tx) => loseShipment(tx, { shipmentId, at: now() }));
  const units = async (id: OrderId): Promise<string[]> =>
    [...new Set(await db('order_units').where({ order_id: id }).pluck<string[]>('state'))].toSorted();
  const letters = (id: OrderId): Promise<string[]> =>
    db('account_letters').whereRaw(`data ->> 'orderId' = ?`, [id]).orderBy('created_at').pluck('template');
  const parcels = (id: OrderId): Promise<ShipmentId[]> =>
    db('shipments').where({ order_id: id }).orderBy('created_at').pluck('id');
  const refundsOf = (id: OrderId) =>
    db('refunds as r').join('invoices as i', 'i.id', 'r.invoice_id').where('i.order_id', id).select('r.amount_minor');
  const ship = async ({ orderId }: BuiltOrder, items?: { sku: string; quantity: number }[]) => {
    const parcel = { kind: 'ship', carrier: 'jne', trackingNumber: randomUUID() } as const;
    const { refusal } = await askedOf(db, orderId, seller, { ...parcel, ...(items ? { items } : {}) });
    assert.equal(refusal, null);
  };
  async function inOneParcel() {
    const order = await aPaidOrder(db);
    await ship(order);
    const [shipmentId] = await parcels(order.orderId);
    assert.ok(shipmentId);
    return { order, orderId: order.orderId, shipmentId };
  }

  it('and was given up can be said to have arrived after all, without naming it', async () => {
    const { orderId, shipmentId } = await inOneParcel();
    await lose(shipmentId);
    const { refusal, standing } = await askedOf(db, orderId, seller, { kind: 'deliver' });
    assert.deepEqual([refusal, standing.state, await units(orderId)], [null, 'delivered', ['delivered']]);
    assert.equal((await refundsOf(orderId)).length, 0);
  });

  it('is named where several were given up, and left alone while others are on their way', async () => {
    const order = await aPaidOrder(db);
    const { orderId, items } = order;
    const [coffee, tea] = items;
    assert.ok(coffee && tea);
    await ship(order, [{ sku: coffee.sku, quantity: 1 }]);
    await ship(order, [{ sku: coffee.sku, quantity: 1 }]);
    await ship(order);
    const [first, second] = await parcels(orderId);
    assert.ok(first && second);
    await lose(first);
    await askedOf(db, orderId, seller, { kind: 'deliver' });
    assert.deepEqual(await units(orderId), ['delivered', 'lost']);
    assert.equal((await askedOf(db, orderId, seller, { kind: 'deliver', shipmentId: first })).refusal, null);
    assert.deepEqual(await units(orderId), ['delivered']);
  });

  it('has to be named where several were given up', async () => {
    const order = await aPaidOrder(db);
    const [coffee] = order.items;
    assert.ok(coffee);
    await ship(order, [{ sku: coffee.sku, quantity: 1 }]);
    await ship(order);
    for (const id of await parcels(order.orderId)) await lose(id);
    assert.equal((await askedOf(db, order.orderId, seller, { kind: 'deliver' })).refusal?.code, 'shipment_not_known');
    assert.deepEqual(await units(order.orderId), ['lost']);
  });

  it('cannot be delivered by hand once it was paid back, and who says so is told what to do', async () => {
    const { orderId, shipmentId } = await inOneParcel();
    await lose(shipmentId);
    await askedOf(db, orderId, seller, { kind: 'cancel', byPayer: false });
    const { refusal } = await askedOf(db, orderId, seller, { kind: 'deliver', shipmentId });
    assert.equal(refusal?.code, 'order_not_open');
    assert.match(refusal?.message ?? '', /paid back/);
    assert.deepEqual([await units(orderId), (await refundsOf(orderId)).length], [['cancelled'], 1]);
  });

  it('and arrives after it was paid back is told to sellers once, with the amount, and moves no money', async () => {
    const { orderId, shipmentId } = await inOneParcel();
    await lose(shipmentId);
    await askedOf(db, orderId, seller, { kind: 'cancel', byPayer: false });
    const [paidBack] = await refundsOf(orderId);
    for (const _ of [1, 2]) await db.transaction((tx) => deliverShipment(tx, { shipmentId, at: now() }));
    const events = await db('events').where({ subject: `order/${orderId}`, type: 'order.arrived_late' });
    assert.deepEqual(
      events.map(({ data }) => data),
      [{ shipmentId, units: 3, amountMinor: String(paidBack.amount_minor), currency: 'IDR' }],
    );
    const told = await db('account_letters')
      .where({ template: 'order_arrived_late', user_id: seller })
      .whereRaw(`data ->> 'orderId' = ?`, [orderId]);
    assert.equal(told.length, 1);
    assert.deepEqual([await units(orderId), (await refundsOf(orderId)).length], [['cancelled'], 1]);
  });

  it('and is here again is no news when its carrier calls that a delivery', async () => {
    const { orderId, shipmentId } = await inOneParcel();
    await askedOf(db, orderId, seller, { kind: 'take_back', shipmentId });
    await db.transaction((tx) => deliverShipment(tx, { shipmentId, at: now() }));
    assert.equal((await db('events').where({ subject: `order/${orderId}`, type: 'order.arrived_late' })).length, 0);
  });

  it('comes back to us in words of its own, and is not called lost', async () => {
    const { orderId, shipmentId } = await inOneParcel();
    const news = [{ state: 'sent_back', at: Date.now() }] as const;
    await db.transaction((tx) => moveShipment(tx, { shipmentId, news, at: now() }));
    await advanced(db, orderId);
    const told = await letters(orderId);
    assert.deepEqual(
      ['order_sent_back', 'order_parcel_failed', 'order_lost'].map((one) => told.includes(one)),
      [true, true, false],
    );
  });
});
