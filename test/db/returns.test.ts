import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { Failure } from '../../domain/failures.ts';
import type { UserId } from '../../domain/ids.ts';
import { aReturnOf, type DeliveredGoods, deliveredGoods } from '../builders/delivered-goods.ts';
import { aColleague } from '../builders/people.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { returnsOnRecord } from '../support/return-records.ts';

const DAY = 86_400_000;

describe('a return, on record', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let db: Knex;
  let seller: UserId;
  let warehouse: UserId;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
    seller = await aColleague(db, 'seller');
    warehouse = await aColleague(db, 'warehouse');
  });
  after(() => database?.drop());

  const { say, go, opened, labelled, units, events } = returnsOnRecord(() => ({ db, seller }));
  const onHand = async (of: DeliveredGoods) =>
    Number((await db('stock_levels').where({ sku: of.sku }).sum<{ n: string }[]>('on_hand as n'))[0]?.n);

  it('goes from asking to its refund: approved, labelled, sent, received, inspected, chosen', async () => {
    const { of, id } = await opened();
    const before = await onHand(of);
    assert.equal((await say(id, 'approve', {})).state, 'approved');
    const waiting = await labelled(id, of);
    assert.equal(waiting.state, 'awaiting_shipment');
    assert.equal(waiting.dropOffBy !== null, true);
    await db('shipments').where({ return_id: id }).update({ state: 'in_transit' });
    assert.equal((await go(id)).standing.state, 'in_transit');
    assert.equal((await say(id, 'receive', {}, warehouse)).state, 'received');
    const inspected = await say(
      id,
      'inspect',
      { units: [{ orderItemId: of.itemId, condition: 'unopened', disposition: 'restock' }] },
      warehouse,
    );
    assert.equal(inspected.state, 'resolution_pending');
    assert.deepEqual(inspected.news.restocked, [of.sku]);
    assert.equal(await onHand(of), before + 2);
    const order = await db('orders').where({ id: of.orderId }).first('state', 'total_minor');
    assert.equal(order.state, 'returned');
    assert.equal(inspected.standing.statement?.refundMinor, String(order.total_minor), 'a full return is the capture');
    const paid = await say(id, 'resolve', { resolution: 'refund' }, of.by);
    assert.equal(paid.state, 'refunding');
    assert.equal(paid.news.refundIds.length, 1);
    await db('refunds').where({ return_id: id }).update({ state: 'succeeded', ended_at: new Date() });
    assert.equal((await go(id)).standing.state, 'closed_refunded');
    assert.deepEqual(await units(id), ['accepted', 'accepted']);
    assert.deepEqual(
      (await events(id)).filter((type) => type !== 'return.stated'),
      [
        ...['return.requested', 'return.under_review', 'return.approved', 'return.labelled', 'return.in_transit'],
        ...['return.received', 'return.inspected', 'return.resolved', 'return.refunding', 'return.closed'],
      ],
    );
  });

  it('is reopened by a refund that fails after all, and closed by the person who sees to it', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    await say(id, 'receive', {}, warehouse);
    await say(
      id,
      'inspect',
      { units: [{ orderItemId: of.itemId, condition: 'unopened', disposition: 'scrap' }] },
      warehouse,
    );
    await say(id, 'resolve', { resolution: 'refund' }, of.by);
    await db('refunds').where({ return_id: id }).update({ state: 'succeeded', ended_at: new Date() });
    await go(id);
    await db('refunds').where({ return_id: id }).update({ state: 'failed' });
    const failed = await go(id);
    assert.equal(failed.standing.state, 'manual_review');
    assert.deepEqual(failed.standing.manualReasons, ['refund_failed']);
    assert.equal((await say(id, 'continue', { to: 'cancelled', note: 'no' })).refusal, 'return_not_open');
    assert.equal((await say(id, 'continue', { to: 'closed_refunded', note: 'paid by hand' })).state, 'closed_refunded');
    assert.equal((await go(id)).standing.state, 'closed_refunded');
  });

  it('is inspected also where what has a serial number is thrown away', async () => {
    const { of, id } = await opened({}, { quantity: 1, serials: true });
    await say(id, 'approve', {});
    await say(id, 'receive', {}, warehouse);
    const units = [{ orderItemId: of.itemId, condition: 'damaged' as const, disposition: 'scrap' as const }];
    const { refusal, state } = await say(id, 'inspect', { units }, warehouse);
    assert.deepEqual([refusal, state], [null, 'resolution_pending']);
    assert.deepEqual(await db('stock_serials').where({ sku: of.sku, state: 'scrapped' }).pluck('serial'), [
      `${of.sku}-SOLD-1`,
    ]);
  });

  it('approves what is named and refuses the rest, which can be asked back again', async () => {
    const { of, id } = await opened();
    assert.equal(
      (await say(id, 'approve', { items: [{ orderItemId: of.itemId, quantity: 3 }] })).refusal,
      'items_not_known',
    );
    assert.equal((await say(id, 'approve', { items: [{ orderItemId: of.itemId, number: 2 }] })).state, 'approved');
    assert.deepEqual(await units(id), ['refused', 'authorised']);
    const again = await aReturnOf(db, of, { items: [{ orderItemId: of.itemId, reason: 'damaged' }] });
    assert.deepEqual(await units(again), ['requested']);
    await assert.rejects(aReturnOf(db, of, { items: [{ orderItemId: of.itemId, reason: 'damaged' }] }), {
      code: 'unit_claimed',
    });
  });

  it('refuses what is no item of the order, was not delivered, or came too long ago', async () => {
    const of = await deliveredGoods(db, { deliveredAt: new Date(Date.now() - 31 * DAY).toISOString() });
    await assert.rejects(aReturnOf(db, of), { code: 'not_returnable' });
    const other = await deliveredGoods(db);
    await assert.rejects(aReturnOf(db, { ...other, itemId: of.itemId }), { code: 'items_not_known' });
    await assert.rejects(aReturnOf(db, { ...other, quantity: 3 }), { code: 'items_not_known' });
    await db('order_units').where({ order_id: other.orderId }).update({ state: 'shipped', delivered_at: null });
    await assert.rejects(aReturnOf(db, other), { code: 'not_returnable' });
  });

  it('lets one of many that race for a unit have it', async () => {
    const of = await deliveredGoods(db, { quantity: 1 });
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => aReturnOf(db, of)));
    assert.equal(asked.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const one of asked) {
      if (one.status === 'rejected')
        assert.ok(one.reason instanceof Failure && one.reason.code === 'unit_claimed', String(one.reason));
    }
    assert.equal((await db('return_units').where({ order_item_id: of.itemId })).length, 1);
  });

  it('leaves what is worth little with the customer, and refunds it at once', async () => {
    const { id } = await opened({}, { quantity: 1, priceMinor: 20_000n });
    const approved = await say(id, 'approve', {});
    assert.equal(approved.state, 'refunding');
    assert.deepEqual(await units(id), ['kept']);
    const dear = await opened({}, { quantity: 1, priceMinor: 20_000n });
    await db('returns')
      .where({ id: dear.id })
      .update({ policy: db.raw(`policy || '{"keepItemUpToMinor": null}'`) });
    assert.equal((await say(dear.id, 'approve', {})).state, 'approved');
  });

  it('waits for the rest of a parcel, tells of it, and goes on without what never came', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    assert.equal(
      (await say(id, 'receive', { units: [{ orderItemId: of.itemId, number: 1 }] }, warehouse)).state,
      'received',
    );
    const inspected = await say(
      id,
      'inspect',
      { units: [{ orderItemId: of.itemId, number: 1, condition: 'as_new', disposition: 'restock' }] },
      warehouse,
    );
    assert.equal(inspected.state, 'inspecting');
    const begun = Date.now();
    await go(id, begun + 12 * DAY);
    assert.equal((await go(id, begun + 13.9 * DAY)).standing.state, 'inspecting');
    const gone = await go(id, begun + 14.1 * DAY);
    assert.equal(gone.standing.state, 'resolution_pending');
    assert.deepEqual(await units(id), ['accepted', 'missing']);
    assert.equal(gone.standing.statement?.hasDeductions, true);
  });

  it('receives the rest later, or hears that nothing more comes', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    await say(id, 'receive', { units: [{ orderItemId: of.itemId, number: 1 }] }, warehouse);
    const first = {
      units: [{ orderItemId: of.itemId, number: 1, condition: 'as_new', disposition: 'restock' }],
    } as const;
    await say(id, 'inspect', first, warehouse);
    assert.equal((await say(id, 'receive', {}, warehouse)).state, 'received');
    assert.equal((await say(id, 'receive', {}, warehouse)).refusal, 'items_not_known');
    const rest = { units: [{ orderItemId: of.itemId, condition: 'as_new', disposition: 'restock' }] } as const;
    assert.equal((await say(id, 'inspect', rest, warehouse)).state, 'resolution_pending');
    const other = await opened();
    await say(other.id, 'approve', {});
    await say(other.id, 'receive', { units: [{ orderItemId: other.of.itemId, number: 2 }] }, warehouse);
    await say(other.id, 'receive', { units: [], complete: true }, warehouse);
    const only = { units: [{ orderItemId: other.of.itemId, condition: 'as_new', disposition: 'restock' }] } as const;
    assert.equal((await say(other.id, 'inspect', only, warehouse)).state, 'resolution_pending');
    assert.deepEqual(await units(other.id), ['missing', 'accepted']);
  });

  it('takes deductions only from whoever accepted the newest statement; a dispute is decided by somebody else', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    const found = { units: [{ orderItemId: of.itemId, condition: 'used', disposition: 'restock' }] } as const;
    const inspected = await say(id, 'inspect', found, warehouse).then(async (early) => {
      assert.equal(early.refusal, 'return_not_open');
      await say(id, 'receive', {}, warehouse);
      return say(id, 'inspect', found, warehouse);
    });
    assert.equal(inspected.standing.statement?.hasDeductions, true);
    assert.equal((await say(id, 'resolve', { resolution: 'refund' }, of.by)).state, 'resolution_pending');
    assert.equal((await say(id, 'dispute', { reason: 'It was new' }, of.by)).standing.isDisputed, true);
    assert.equal(
      (await go(id, Date.now() + 6 * DAY)).standing.state,
      'resolution_pending',
      'no default while it is disputed',
    );
    assert.equal(
      (await say(id, 'decide_dispute', { decision: 'waive', note: '' }, warehouse)).refusal,
      'not_your_return',
    );
    const upheld = await say(id, 'decide_dispute', { decision: 'uphold', note: 'See the photos' });
    assert.equal(upheld.state, 'resolution_pending');
    assert.equal((await say(id, 'accept_deduction', { version: 7 }, of.by)).refusal, 'statement_changed');
    assert.equal((await say(id, 'accept_deduction', {}, of.by)).state, 'refunding');
    const other = await opened();
    await say(other.id, 'approve', {});
    await say(other.id, 'receive', {}, warehouse);
    const used = { units: [{ orderItemId: other.of.itemId, condition: 'used', disposition: 'restock' }] } as const;
    await say(other.id, 'inspect', used, warehouse);
    await say(other.id, 'resolve', { resolution: 'refund' }, other.of.by);
    await say(other.id, 'dispute', { reason: 'It was new' }, other.of.by);
    assert.equal((await say(other.id, 'decide_dispute', { decision: 'waive', note: 'Agreed' })).state, 'refunding');
  });

  it('pays once for what was declined, sent back once more, and found to be the seller’s fault in both', async () => {
    const { of, id } = await opened();
    const lookedAt = async (which: typeof id, disposition: 'send_back' | 'scrap') => {
      await say(which, 'approve', {});
      await say(which, 'receive', {}, warehouse);
      await say(which, 'inspect', { units: [{ orderItemId: of.itemId, condition: 'as_new', disposition }] }, warehouse);
    };
    await lookedAt(id, 'send_back');
    await say(id, 'dispute', { reason: 'It was new' }, of.by);
    const waived = await say(id, 'decide_dispute', { decision: 'waive', note: 'Agreed' });
    assert.equal(waived.state, 'resolution_pending');
    const again = await aReturnOf(db, of, { items: [{ orderItemId: of.itemId, quantity: 2, reason: 'damaged' }] });
    await lookedAt(again, 'scrap');
    assert.equal((await say(again, 'resolve', { resolution: 'refund' }, of.by)).state, 'refunding');
    const late = await say(id, 'resolve', { resolution: 'refund' }, of.by);
    assert.deepEqual([late.refusal, late.news.refundIds, late.standing.statement?.refundMinor], [null, [], '0']);
    assert.equal(late.state, 'closed_refunded');
  });

  it('refuses another serial number than that which was sold, and puts the right one away once', async () => {
    const { of, id } = await opened({}, { serials: true });
    await say(id, 'approve', {});
    const wrong = { units: [{ orderItemId: of.itemId, number: 1, serial: `${of.sku}-SOLD-2` }] };
    assert.equal((await say(id, 'receive', wrong, warehouse)).refusal, 'serial_not_valid');
    const right = { units: [{ orderItemId: of.itemId, serial: `${of.sku}-SOLD-2` }], complete: true };
    await say(id, 'receive', right, warehouse);
    assert.deepEqual(await units(id), ['missing', 'received']);
    await say(
      id,
      'inspect',
      { units: [{ orderItemId: of.itemId, condition: 'unopened', disposition: 'restock' }] },
      warehouse,
    );
    const movements = await db('stock_movements').where({ return_id: id }).select('kind', 'quantity');
    assert.deepEqual(movements, [{ kind: 'restocked', quantity: 1 }]);
    const serial = await db('stock_serials')
      .where({ sku: of.sku, serial: `${of.sku}-SOLD-2` })
      .first('state');
    assert.equal(serial.state, 'in_stock');
  });

  it('expires after its reminders, gives the units free, and is taken up again when the parcel comes', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    const { stateSince } = await labelled(id, of);
    for (const days of [7.1, 12.1]) await go(id, stateSince + days * DAY);
    assert.equal((await go(id, stateSince + 14.1 * DAY)).standing.state, 'expired');
    assert.deepEqual(await units(id), ['withdrawn', 'withdrawn']);
    const letters = await db('account_letters')
      .where({ user_id: of.by })
      .orderBy('created_at')
      .pluck<string[]>('template');
    assert.equal(letters.filter((template) => template === 'return_reminder').length, 2);
    assert.equal(letters.filter((template) => template === 'return_expired').length, 1);
    await db('shipments').where({ return_id: id }).update({ state: 'delivered' });
    assert.equal((await go(id, stateSince + 15 * DAY)).standing.state, 'received');
    assert.deepEqual(await units(id), ['authorised', 'authorised']);
    assert.ok((await events(id)).includes('return.reopened'));
  });

  it('shows to people what came back of an expired return and is another’s by now', async () => {
    const { of, id } = await opened({}, { quantity: 1 });
    await say(id, 'approve', {});
    const { stateSince } = await labelled(id, of);
    for (const days of [7.1, 12.1, 14.1]) await go(id, stateSince + days * DAY);
    await aReturnOf(db, of);
    assert.equal((await say(id, 'receive', {}, warehouse)).refusal, 'unit_claimed');
    await db('shipments').where({ return_id: id }).update({ state: 'delivered' });
    const { standing } = await go(id, stateSince + 15 * DAY);
    assert.deepEqual([standing.state, standing.manualReasons], ['manual_review', ['unit_claimed']]);
  });

  it('never ends by time alone without having told, however long its process was away', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    const { stateSince } = await labelled(id, of);
    const late = stateSince + 40 * DAY;
    assert.equal((await go(id, late)).standing.state, 'awaiting_shipment', 'reminded first');
    assert.equal((await go(id, late + DAY / 2)).standing.state, 'awaiting_shipment');
    assert.equal((await go(id, late + DAY)).standing.state, 'expired');
    const asked = await opened();
    for (let day = 0; day < 60; day += 1) await go(asked.id, Date.now() + day * DAY);
    assert.equal((await go(asked.id, Date.now() + 60 * DAY)).standing.state, 'under_review');
  });

  it('gives back what the carrier lost', async () => {
    const { of, id } = await opened();
    await say(id, 'approve', {});
    await labelled(id, of);
    await db('shipments').where({ return_id: id }).update({ state: 'in_transit' });
    const { stateSince } = (await go(id)).standing;
    await go(id, stateSince + 18.1 * DAY);
    const lost = (await go(id, stateSince + 21.1 * DAY)).standing;
    assert.equal(lost.state, 'lost_in_transit');
    const given = (await go(id, lost.stateSince + 5.1 * DAY)).standing;
    assert.equal(given.state, 'resolution_pending');
    assert.deepEqual(await units(id), ['kept', 'kept']);
    await go(id, given.stateSince + 3.1 * DAY);
    assert.equal((await go(id, given.stateSince + 5.1 * DAY)).standing.state, 'refunding');
    assert.ok((await events(id)).includes('return.defaulted'));
  });

  it('replaces goods, and closes when the other ones have left', async () => {
    const { of, id } = await opened({ wanted: 'replacement' });
    await say(id, 'approve', {});
    await say(id, 'receive', {}, warehouse);
    await say(
      id,
      'inspect',
      { units: [{ orderItemId: of.itemId, condition: 'unopened', disposition: 'scrap' }] },
      warehouse,
    );
    const replacing = await say(id, 'resolve', { resolution: 'replacement' }, of.by);
    assert.equal(replacing.state, 'replacing');
    const [orderId] = replacing.news.placed;
    assert.equal(replacing.standing.replacementOrderId, orderId);
    assert.equal((await go(id)).standing.state, 'replacing');
    await db('orders').where({ id: orderId }).update({ state: 'shipped', shipped_at: new Date() });
    assert.equal((await go(id)).standing.state, 'closed_replaced');
    assert.equal((await db('refunds').where({ return_id: id })).length, 0);
  });

  const accepted = async (priceMinor: bigint) => {
    const { sku } = await deliveredGoods(db, { priceMinor });
    const { of, id } = await opened({ wanted: 'exchange', exchangeSku: sku });
    await say(id, 'approve', {});
    await say(id, 'receive', {}, warehouse);
    const units = [{ orderItemId: of.itemId, condition: 'unopened', disposition: 'restock' }] as const;
    await say(id, 'inspect', { units }, warehouse);
    return { of, id, placed: (await say(id, 'resolve', { resolution: 'exchange' }, of.by)).news.placed[0] };
  };

  it('exchanges for what costs less, and refunds the difference when it has left', async () => {
    const { id, placed } = await accepted(80_000n);
    await db('orders').where({ id: placed }).update({ state: 'shipped', shipped_at: new Date() });
    assert.equal((await go(id)).standing.state, 'refunding');
    const refunds: { amount_minor: bigint }[] = await db('refunds').where({ return_id: id }).select('amount_minor');
    // The shipping of the whole order goes back as well: what its statement gives, less what the other ones cost.
    const { refund_minor: stated } = await db('returns').where({ id }).first('refund_minor');
    const goods: { gross: string } = await db('order_units as u')
      .join('return_units as r', (on) => on.on('r.order_item_id', 'u.order_item_id').andOn('r.number', 'u.number'))
      .where('r.return_id', id)
      .first(db.raw('sum(u.net_minor + u.tax_minor)::text as gross'));
    assert.equal(BigInt(goods.gross), 222_000n);
    assert.equal(refunds[0]?.amount_minor, BigInt(stated) - 177_600n);
    await db('refunds').where({ return_id: id }).update({ state: 'succeeded', ended_at: new Date() });
    assert.equal((await go(id)).standing.state, 'closed_mixed');
  });

  it('exchanges for what costs more only once the difference is paid, and else offers the money', async () => {
    const { of, id, placed } = await accepted(150_000n);
    const order = await db('orders')
      .where({ id: placed })
      .first('state', 'subtotal_minor', 'discount_minor', 'total_minor');
    assert.equal(order.state, 'pending');
    assert.equal(order.total_minor > 0n && order.total_minor <= 111_000n, true);
    await db('orders').where({ id: placed }).update({ state: 'cancelled' });
    const offered = (await go(id)).standing;
    assert.deepEqual([offered.state, offered.resolution], ['resolution_pending', null]);
    assert.equal((await say(id, 'resolve', { resolution: 'refund' }, of.by)).state, 'refunding');
  });

  it('refuses a replacement that is out of stock and changes nothing by it', async () => {
    const { of, id } = await opened({ wanted: 'replacement' }, { stock: 1 });
    await say(id, 'approve', {});
    await say(id, 'receive', {}, warehouse);
    await say(
      id,
      'inspect',
      { units: [{ orderItemId: of.itemId, condition: 'unopened', disposition: 'scrap' }] },
      warehouse,
    );
    const refused = await say(id, 'resolve', { resolution: 'replacement' }, of.by);
    assert.deepEqual([refused.refusal, refused.state], ['out_of_stock', 'resolution_pending']);
    assert.deepEqual(refused.news.placed, []);
    assert.equal((await db('orders').where({ return_id: id })).length, 0);
    assert.equal((await say(id, 'resolve', { resolution: 'store_credit' }, of.by)).state, 'refunding');
  });

  it('asks for more, and expires without an answer only after a reminder', async () => {
    const { of, id } = await opened();
    const { standing } = await say(id, 'request_info', { question: 'Which one?' });
    assert.equal(standing.state, 'info_requested');
    assert.equal((await say(id, 'provide_info', { answer: 'The red one' }, of.by)).state, 'under_review');
    const again = (await say(id, 'request_info', { question: 'Which red?' })).standing;
    await go(id, again.stateSince + 5.1 * DAY);
    assert.equal((await go(id, again.stateSince + 7.1 * DAY)).standing.state, 'expired');
  });
});
