import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { hear, reserve, send } from '../../activities/refund-steps.ts';
import { checkLedger } from '../../db/ledger-check.ts';
import { itemIdOf } from '../../db/orders.ts';
import { deliverShipment } from '../../db/shipment-moves.ts';
import type { InvoiceId, OrderId, OrderItemId, RefundId, ReturnId, Sku, UserId } from '../../domain/ids.ts';
import type { Condition, Resolution } from '../../domain/returns.ts';
import { aReturnOf, type DeliveredGoods } from '../builders/delivered-goods.ts';
import { aUser } from '../builders/licensing.ts';
import { aCaptureOf, advanced, askedOf } from '../builders/orders.ts';
import { aProduct } from '../builders/stock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { returnsOnRecord } from '../support/return-records.ts';

const DAY = 86_400_000;

describe('a return on record', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let db: Knex;
  let seller: UserId;
  let warehouse: UserId;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
    [seller, warehouse] = [await aUser(db, 'seller'), await aUser(db, 'warehouse')];
  });
  after(() => database?.drop());
  const { go, say, opened, labelled, letters } = returnsOnRecord(() => ({ db, seller }));

  it('ends when its letters say that it does, also after its process was away', async () => {
    const { id } = await opened();
    await say(id, 'request_info', { question: 'Which one?' });
    const asked = Date.now();
    await go(id, asked + 6.5 * DAY);
    const reminder = await db('account_letters')
      .where({ template: 'return_reminder' })
      .whereRaw("data ->> 'returnId' = ?", [id])
      .first('data');
    const until = Date.parse(reminder.data.until);
    assert.equal(until, asked + 7.5 * DAY);
    assert.equal((await go(id, until - 1)).standing.state, 'info_requested');
    assert.equal((await go(id, until)).standing.state, 'expired');
  });

  it('whose parcel was paid back as lost and arrives is told to those who have to put it away, once', async () => {
    const { id, of } = await opened({}, { priceMinor: 300_000n });
    await say(id, 'approve', {});
    const { labelId } = await labelled(id, of, 'in_transit');
    const now = Date.now();
    await go(id, now + 18.1 * DAY);
    await go(id, now + 21.2 * DAY);
    assert.equal((await go(id, now + 26.3 * DAY)).standing.state, 'resolution_pending');
    const at = new Date(now + 27 * DAY).toISOString();
    for (const _ of [1, 2]) await db.transaction((tx) => deliverShipment(tx, { shipmentId: labelId, at }));
    const events = await db('events').where({ subject: `rma/${id}`, type: 'return.arrived_late' });
    assert.deepEqual(
      events.map(({ data }) => data),
      [{ shipmentId: labelId, units: 2 }],
    );
    const told = await db('account_letters')
      .where({ template: 'return_to_staff' })
      .whereRaw("data ->> 'returnId' = ? and data -> 'reasons' \\? 'arrived_after_refund'", [id])
      .pluck('user_id');
    assert.ok(told.includes(seller) && told.includes(warehouse));
    assert.ok((await letters(id)).includes('staff arrived_after_refund'));
  });

  // ---- of goods that replaced others --------------------------------------------------------------------------------

  /** Comes back, is found in this condition, and the customer has what is wanted. */
  async function back(
    of: DeliveredGoods,
    wanted: Resolution,
    condition: Condition = 'unopened',
    quantity = 1,
    exchangeSku?: Sku,
  ) {
    const items = [{ orderItemId: of.itemId, quantity, reason: 'no_longer_needed' as const }];
    const policy = { keepItemUpToMinor: '1000' };
    const id = await aReturnOf(db, of, { items, wanted, policy, ...(exchangeSku ? { exchangeSku } : {}) });
    await go(id);
    await say(id, 'approve', {});
    await labelled(id, of);
    await say(id, 'receive', {}, warehouse);
    await say(id, 'inspect', { units: [{ orderItemId: of.itemId, condition, disposition: 'scrap' }] }, warehouse);
    const { statement } = (await go(id)).standing;
    if (statement?.hasDeductions) await say(id, 'accept_deduction', {}, of.by);
    else await say(id, 'resolve', { resolution: wanted }, of.by);
    return id;
  }
  /** What replaces it has arrived. */
  async function replaced(of: DeliveredGoods, id: ReturnId): Promise<DeliveredGoods> {
    const { replacement_order_id: orderId }: { replacement_order_id: OrderId } = await db('returns')
      .where({ id })
      .first('replacement_order_id');
    assert.ok(orderId);
    const other = await left(of, orderId);
    assert.equal((await go(id)).standing.state, 'closed_replaced');
    return { ...other, quantity: 1 };
  }
  async function left(of: DeliveredGoods, orderId: OrderId): Promise<DeliveredGoods> {
    const at = new Date();
    await db('order_units')
      .where({ order_id: orderId })
      .whereNot({ state: 'cancelled' })
      .update({ state: 'delivered', delivered_at: at });
    await db('orders')
      .where({ id: orderId })
      .update({ state: 'delivered', shipped_at: at, delivered_at: at, paid_at: at });
    const item: { id: OrderItemId } = await db('order_items').where({ order_id: orderId }).first('id');
    return { ...of, orderId, itemId: item.id };
  }
  const refundOf = async (id: ReturnId): Promise<bigint> =>
    (await db('returns').where({ id }).first('refund_minor')).refund_minor;
  const capturedBy = async ({ orderId }: DeliveredGoods): Promise<bigint> =>
    BigInt((await db('invoices').where({ order_id: orderId }).sum({ sum: 'paid_minor' }).first())?.['sum'] ?? 0);
  const sentBack = async (...ids: ReturnId[]): Promise<bigint> =>
    BigInt((await db('refunds').whereIn('return_id', ids).sum({ sum: 'amount_minor' }).first())?.['sum'] ?? 0);
  const givenOf = async ({ orderId }: DeliveredGoods): Promise<bigint> =>
    BigInt(
      (await db('order_units').where({ order_id: orderId }).sum({ sum: 'given_back_minor' }).first())?.['sum'] ?? 0,
    );
  const soundBooks = async () => {
    for (const { name, findings } of (await checkLedger(db)).proofs)
      if (name !== 'numbers') assert.deepEqual(findings, [], name);
  };

  it('of what replaced other goods brings what those had cost, once, and with the last of them the whole capture', async () => {
    const { of } = await opened({}, { priceMinor: 100_001n, stock: 50 });
    await db('return_units').where({ order_item_id: of.itemId }).update({ state: 'withdrawn' });
    const first = await back(of, 'replacement');
    const other = await replaced(of, first);
    const again = await back(other, 'replacement');
    const last = await replaced(other, again);
    const refund = await back(last, 'refund');
    const unit = await db('order_units').where({ order_item_id: of.itemId, number: 1 }).first();
    assert.equal(await refundOf(refund), unit.net_minor + unit.tax_minor);
    assert.equal(await sentBack(refund), unit.net_minor + unit.tax_minor);
    assert.deepEqual([await givenOf(of), await givenOf(last)], [unit.net_minor + unit.tax_minor, 0n]);
    const rest = await back(of, 'refund');
    assert.equal(await sentBack(refund, rest), await capturedBy(of));
    assert.equal(await givenOf(of), await capturedBy(of));
    await soundBooks();
  });

  it('of what replaced used goods brings what those had brought and what was paid for it', async () => {
    const { of } = await opened({}, { priceMinor: 100_000n, stock: 50, quantity: 1 });
    await db('return_units').where({ order_item_id: of.itemId }).update({ state: 'withdrawn' });
    const first = await back(of, 'replacement', 'used');
    const brought = await refundOf(first);
    const other = await replaced(of, first);
    const own = await db('order_units').where({ order_item_id: other.itemId }).first();
    assert.ok(own.net_minor > 0n);
    const refund = await back(other, 'store_credit');
    const shipping = own.inherited_shipping_net_minor + own.inherited_shipping_tax_minor;
    assert.ok(shipping > 0n);
    assert.equal(
      await refundOf(refund),
      own.net_minor + own.tax_minor + own.inherited_net_minor + own.inherited_tax_minor + shipping,
    );
    assert.equal(own.inherited_net_minor + own.inherited_tax_minor + shipping, brought);
  });

  // ---- of goods that others were exchanged for ----------------------------------------------------------------------

  /** The refunds have arrived; goods that cost a difference were paid for. */
  const arrived = async (...ids: ReturnId[]) => {
    const open = await db('refunds').whereIn('return_id', ids).whereNot({ state: 'succeeded' }).pluck<RefundId[]>('id');
    const at = new Date().toISOString();
    const said = { state: 'succeeded', gatewayRefundId: null, reason: null, otherAmount: null } as const;
    for (const id of open)
      await db.transaction(async (tx) => {
        await reserve(tx, id, at, () => true);
        await send(tx, id, at);
        await hear(tx, id, said, at);
      });
    for (const id of ids) await go(id);
  };
  async function exchanged(of: DeliveredGoods, priceMinor: bigint, condition: Condition = 'unopened', quantity = 1) {
    const sku = await aProduct(db, { priceMinor, stock: [20, 0] });
    const id = await back(of, 'exchange', condition, quantity, sku);
    const { replacement_order_id: orderId }: { replacement_order_id: OrderId } = await db('returns')
      .where({ id })
      .first('replacement_order_id');
    const invoice: { id: InvoiceId } | undefined = await db('invoices').where({ order_id: orderId }).first('id');
    if (invoice) await aCaptureOf(db, invoice.id);
    const other = await left(of, orderId);
    await go(id);
    await arrived(id);
    return { id, of: { ...other, quantity, sku } };
  }
  const closedAs = async (id: ReturnId) => (await go(id)).standing.state;
  /** As its process finds it. */
  const stateOf = async ({ orderId }: DeliveredGoods): Promise<string> => {
    await advanced(db, orderId);
    return (await db('orders').where({ id: orderId }).first('state')).state;
  };
  const capturedIn = async (...all: DeliveredGoods[]) => {
    let sum = 0n;
    for (const one of all) sum += await capturedBy(one);
    return sum;
  };
  const givenIn = async (...all: DeliveredGoods[]) => {
    let sum = 0n;
    for (const one of all) sum += await givenOf(one);
    return sum;
  };
  const bought = async (quantity: number) => {
    const { of } = await opened({}, { priceMinor: 100_000n, stock: 50, quantity });
    await db('return_units').where({ order_item_id: of.itemId }).update({ state: 'withdrawn' });
    return of;
  };

  it('of all that was sent, the rest being cancelled, lets its order come to an end', async () => {
    const { orderId, itemId } = await bought(2);
    await db('order_units').where({ order_item_id: itemId, number: 1 }).update({ state: 'returned' });
    await db('order_units').where({ order_item_id: itemId, number: 2 }).update({ state: 'cancelled' });
    // Nothing of it was delivered and kept: it goes from a part on its way to all of it back.
    await db('orders').where({ id: orderId }).update({ state: 'partially_shipped', delivered_at: null });
    assert.equal((await advanced(db, orderId)).state, 'returned');
    assert.equal((await advanced(db, orderId, new Date(Date.now() + 40 * DAY))).due?.rung, 'end');
  });

  it('whose refund fails is not a refunded order: somebody has to see to it first', async () => {
    const of = await bought(1);
    const id = await back(of, 'refund');
    const refund = () => db('refunds').where({ return_id: id });
    const { state } = await refund().first('state');
    await refund().update({ state: 'failed', ended_at: new Date() });
    assert.equal((await go(id)).standing.state, 'manual_review');
    assert.deepEqual([await givenOf(of), await stateOf(of)], [await capturedBy(of), 'returned']);
    await refund().update({ state, ended_at: null });
    assert.equal(await stateOf(of), 'returned');
    await arrived(id);
    assert.equal(await stateOf(of), 'refunded');
  });

  it('of what goods were exchanged for brings the price of those as well as the difference', async () => {
    const of = await bought(1);
    const { id, of: dearer } = await exchanged(of, 150_000n);
    assert.equal(await closedAs(id), 'closed_replaced');
    assert.deepEqual([await givenOf(of), await stateOf(of)], [0n, 'returned'], 'nothing has gone back');
    assert.equal(await capturedIn(of, dearer), 166_500n);
    const refund = await back(dearer, 'refund');
    await arrived(refund);
    assert.deepEqual([await refundOf(refund), await sentBack(refund)], [166_500n, 166_500n]);
    assert.deepEqual([await givenOf(of), await givenOf(dearer)], [133_200n, 33_300n]);
    assert.deepEqual([await stateOf(of), await stateOf(dearer)], ['refunded', 'refunded']);
    assert.equal(await closedAs(refund), 'closed_refunded');
    await soundBooks();
  });

  it('of what cheaper goods were exchanged for brings what the exchange had not paid back', async () => {
    const of = await bought(1);
    const { id, of: cheaper } = await exchanged(of, 80_000n);
    assert.equal(await closedAs(id), 'closed_mixed');
    assert.deepEqual([await sentBack(id), await givenOf(of), await stateOf(of)], [44_400n, 44_400n, 'returned']);
    const refund = await back(cheaper, 'store_credit');
    await arrived(refund);
    assert.deepEqual([await refundOf(refund), await givenOf(of)], [88_800n, await capturedBy(of)]);
    assert.equal(await sentBack(id, refund), await capturedBy(of));
    await soundBooks();
  });

  it('of what was exchanged twice brings all that is left in the chain', async () => {
    const of = await bought(1);
    const first = await exchanged(of, 150_000n);
    const second = await exchanged(first.of, 90_000n);
    const paid = await capturedIn(of, first.of, second.of);
    assert.deepEqual([paid, await sentBack(second.id)], [166_500n, 66_600n]);
    const refund = await back(second.of, 'refund');
    await arrived(refund);
    assert.equal(await refundOf(refund), 99_900n);
    assert.equal(await givenIn(of, first.of, second.of), paid);
    assert.equal(await sentBack(first.id, second.id, refund), paid);
    await soundBooks();
  });

  it('of an exchange that never left is of the first goods, whole', async () => {
    const of = await bought(1);
    const sku = await aProduct(db, { priceMinor: 80_000n, stock: [20, 0] });
    const id = await back(of, 'exchange', 'unopened', 1, sku);
    const { replacement_order_id: orderId } = await db('returns').where({ id }).first('replacement_order_id');
    await db('order_units').where({ order_id: orderId }).update({ state: 'cancelled' });
    await db('orders').where({ id: orderId }).update({ state: 'cancelled' });
    assert.equal((await go(id)).standing.state, 'resolution_pending');
    await say(id, 'resolve', { resolution: 'refund' }, of.by);
    await arrived(id);
    assert.deepEqual([await refundOf(id), await givenOf(of)], [await capturedBy(of), await capturedBy(of)]);
    await soundBooks();
  });

  for (const [kind, sentAtOnce] of [
    ['exchange', 66_600n + 88_800n],
    ['replacement', 122_100n],
  ] as const)
    it(`pays what a part of the ${kind} was to be that was called off before it left`, async () => {
      const of = await bought(2);
      const sku = await aProduct(db, { priceMinor: 80_000n, stock: [20, 0] });
      const id = await back(of, kind, 'unopened', 2, ...(kind === 'exchange' ? [sku] : []));
      const { replacement_order_id: orderId } = await db('returns').where({ id }).first('replacement_order_id');
      const { refusal } = await askedOf(db, orderId, of.by, {
        kind: 'cancel',
        items: [{ orderItemId: itemIdOf(orderId, kind === 'exchange' ? sku : of.sku), quantity: 1 }],
        byPayer: true,
      });
      assert.equal(refusal, null);
      const { itemId } = await left(of, orderId);
      await go(id);
      await arrived(id);
      assert.deepEqual([await sentBack(id), await givenOf(of)], [sentAtOnce, sentAtOnce]);
      assert.equal(await closedAs(id), 'closed_mixed');
      const letter = await db('account_letters')
        .where({ template: 'return_refund_done' })
        .whereRaw("data ->> 'returnId' = ?", [id])
        .first('data');
      assert.equal(letter.data.amount.amountMinor, `${sentAtOnce}`);
      const refund = await back({ ...of, orderId, itemId }, 'refund');
      await arrived(refund);
      assert.equal(await sentBack(id, refund), await capturedBy(of));
      assert.equal(await givenOf(of), await capturedBy(of));
      await soundBooks();
    });

  it('of some of the goods leaves the shipping to the last of them', async () => {
    const of = await bought(2);
    const { id, of: cheaper } = await exchanged(of, 80_000n);
    assert.equal(await sentBack(id), 22_200n);
    const second = await back(cheaper, 'refund');
    assert.equal(await refundOf(second), 88_800n);
    const last = await back(of, 'refund');
    await arrived(second, last);
    assert.equal(await refundOf(last), 111_000n + 22_200n);
    assert.equal(await sentBack(id, second, last), await capturedBy(of));
    assert.deepEqual([await givenOf(of), await stateOf(of)], [await capturedBy(of), 'refunded']);
    await soundBooks();
  });

  it('of goods that the shipping paid for as well brings that with each of them, once', async () => {
    const of = await bought(2);
    const { of: others } = await exchanged(of, 110_000n, 'unopened', 2);
    assert.equal(await capturedIn(of, others), 244_200n);
    const one = await back(others, 'refund');
    assert.equal(await refundOf(one), 122_100n, 'its price');
    const last = await back(others, 'refund');
    await arrived(one, last);
    assert.deepEqual([await refundOf(last), await sentBack(one, last)], [122_100n, 244_200n]);
    assert.deepEqual([await givenOf(of), await givenOf(others)], [244_200n, 0n]);
    await soundBooks();
  });

  it('of what used goods were exchanged for brings what those had brought: what was kept stays kept', async () => {
    for (const [priceMinor, again] of [
      [150_000n, 60_000n],
      [80_000n, 130_000n],
      [50_000n, 50_000n],
    ] as const) {
      const of = await bought(2);
      const first = await exchanged(of, priceMinor, 'used', 2);
      const kept = 33_300n;
      const second = await exchanged(first.of, again, 'unopened', 1);
      const refunds = [await back(first.of, 'refund'), await back(second.of, 'refund')];
      await arrived(...refunds);
      const paid = await capturedIn(of, first.of, second.of);
      assert.equal(await sentBack(first.id, second.id, ...refunds), paid - kept, `${priceMinor}`);
      assert.equal(await givenIn(of, first.of, second.of), paid - kept);
      await soundBooks();
    }
  });

  it('of what was exchanged and then replaced brings the same, also with what was kept of either', async () => {
    const of = await bought(1);
    const first = await exchanged(of, 110_000n);
    const second = await back(first.of, 'replacement', 'used');
    const other = await replaced(first.of, second);
    const invoice: { id: InvoiceId } = await db('invoices').where({ order_id: other.orderId }).first('id');
    await aCaptureOf(db, invoice.id);
    const own = await db('order_units').where({ order_id: other.orderId }).first();
    assert.equal(own.net_minor + own.tax_minor, 18_315n, '15% of its price is paid for the other one');
    const refund = await back(other, 'refund', 'used');
    await arrived(refund);
    assert.equal(await refundOf(refund), 122_100n - 18_315n);
    const kept = 2n * 18_315n;
    assert.equal(await sentBack(first.id, second, refund), (await capturedIn(of, first.of, other)) - kept);
    assert.equal(await givenIn(of, first.of, other), (await capturedIn(of, first.of, other)) - kept);
    await soundBooks();
  });

  it('of what replaced other goods is not taken for worth nothing', async () => {
    const { of } = await opened({}, { priceMinor: 100_000n, stock: 50, quantity: 1 });
    await db('return_units').where({ order_item_id: of.itemId }).update({ state: 'withdrawn' });
    const other = await replaced(of, await back(of, 'replacement'));
    const id = await aReturnOf(db, other);
    await go(id);
    assert.equal((await say(id, 'approve', {})).standing.keepsItems, false);
  });
});
