import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { asId, type InvoiceId, type OrderId, type ReturnId, type UserId } from '../../domain/ids.ts';
import { deliveredGoods } from '../builders/delivered-goods.ts';
import { aCaptureOf } from '../builders/orders.ts';
import { aColleague } from '../builders/people.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { returnsOnRecord } from '../support/return-records.ts';

const DAY = 86_400_000;

describe('a return that leaves the straight line, on record', function () {
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
    await aColleague(db, 'supervisor');
  });
  after(() => database?.drop());
  const { say, go, opened, labelled, units, events, letters, undone } = returnsOnRecord(() => ({ db, seller }));

  type Opened = Parameters<typeof opened>;
  const inspected = async (
    given: Opened[0] = {},
    goods: Opened[1] = {},
    condition: 'unopened' | 'used' = 'unopened',
  ) => {
    const { of, id } = await opened(given, goods);
    await say(id, 'approve', {});
    await say(id, 'receive', {}, warehouse);
    const units = [{ orderItemId: of.itemId, condition, disposition: 'restock' as const }];
    const { standing } = await say(id, 'inspect', { units }, warehouse);
    assert.equal(standing.state, 'resolution_pending');
    return { of, id, since: standing.stateSince };
  };
  const overdue = async (id: ReturnId) => {
    const { standing } = await go(id);
    return (await go(id, standing.stateSince + 10.1 * DAY)).standing;
  };
  const on = (id: ReturnId, to: Parameters<typeof say<'continue'>>[2]['to']) => say(id, 'continue', { to, note: 'So' });
  const order = async (id: OrderId | undefined) =>
    db('orders').where({ id }).first('state', 'total_minor', 'shipped_at');
  const reserved = async (id: OrderId | undefined) =>
    db('stock_reservations').where({ order_id: id }).where('quantity', '>', 0);

  describe('another order in its place', () => {
    const exchanged = async (priceMinor = 150_000n) => {
      const { sku } = await deliveredGoods(db, { priceMinor });
      const { of, id } = await inspected({ wanted: 'exchange', exchangeSku: sku });
      const { news, state } = await say(id, 'resolve', { resolution: 'exchange' }, of.by);
      assert.equal(state, 'replacing');
      const [placed] = news.placed;
      const invoice: { id: string } | undefined = await db('invoices').where({ order_id: placed }).first('id');
      return { of, id, placed, invoiceId: asId<InvoiceId>(invoice?.id ?? '') };
    };
    const cancelled = async (id: ReturnId) => {
      assert.deepEqual((await overdue(id)).manualReasons, ['replacement_overdue']);
      assert.equal((await on(id, 'cancelled')).state, 'cancelled');
      assert.equal((await undone(id, 'cancel_replacement')).undone, 'done');
    };
    const invoiceState = async (id: InvoiceId) => (await db('invoices').where({ id }).first('state')).state;

    it('is called off with its open invoice while the difference is not paid', async () => {
      const { id, placed, invoiceId } = await exchanged();
      assert.equal((await reserved(placed)).length > 0, true);
      await cancelled(id);
      assert.deepEqual([(await order(placed)).state, await invoiceState(invoiceId)], ['cancelled', 'lapsed']);
      assert.deepEqual(await reserved(placed), []);
      assert.equal((await db('refunds').where({ order_id: placed })).length, 0);
    });

    it('is called off with exactly what was paid for the difference', async () => {
      const { of, id, placed, invoiceId } = await exchanged();
      await aCaptureOf(db, invoiceId);
      await cancelled(id);
      assert.deepEqual([(await order(placed)).state, await invoiceState(invoiceId)], ['cancelled', 'paid']);
      assert.deepEqual(await reserved(placed), []);
      const refunds: { amount_minor: bigint }[] = await db('refunds').where({ order_id: placed });
      const { total_minor } = await order(placed);
      assert.equal(
        refunds.reduce((sum, { amount_minor }) => sum + amount_minor, 0n),
        total_minor,
      );
      assert.equal((await db('refunds').where({ order_id: of.orderId })).length, 0, 'nothing of the first order');
    });

    it('that is out of stock is not waited for: a refund is offered, and both sides learn it', async () => {
      const { of, id } = await inspected({ wanted: 'replacement' }, { stock: 0 }, 'used');
      await db('stock_levels').where({ sku: of.sku }).update({ on_hand: 0 });
      assert.equal((await say(id, 'resolve', { resolution: 'replacement' }, of.by)).state, 'resolution_pending');
      const { standing, refusal, news } = await say(id, 'accept_deduction', {}, of.by);
      assert.deepEqual([refusal, standing.state, standing.resolution], [null, 'resolution_pending', null]);
      assert.deepEqual([news.placed, standing.replacementOrderId], [[], null]);
      const told = await letters(id);
      assert.ok(
        told.includes('staff out_of_stock') && told.includes('customer return_resolution_reminder'),
        String(told),
      );
      assert.equal((await say(id, 'resolve', { resolution: 'refund' }, of.by)).state, 'refunding');
    });

    it('that does not leave is shown to people, who may wait for it once more', async () => {
      const { id, placed } = await exchanged();
      const shown = await overdue(id);
      assert.deepEqual([shown.state, shown.manualReasons], ['manual_review', ['replacement_overdue']]);
      assert.ok((await letters(id)).includes('staff replacement_overdue'));
      const waiting = await on(id, 'replacing');
      assert.deepEqual([waiting.state, waiting.news.placed], ['replacing', []]);
      assert.equal(waiting.standing.replacementOrderId, placed);
      await db('orders').where({ id: placed }).update({ state: 'shipped', shipped_at: new Date() });
      assert.equal((await go(id)).standing.state, 'closed_replaced');
    });

    it('that leaves, or is called off, after people were told goes on by itself', async () => {
      const left = await exchanged(80_000n);
      await overdue(left.id);
      await db('orders').where({ id: left.placed }).update({ state: 'shipped', shipped_at: new Date() });
      assert.equal((await go(left.id)).standing.state, 'refunding', 'what the exchange left over');
      const off = await exchanged();
      await overdue(off.id);
      await db('orders').where({ id: off.placed }).update({ state: 'cancelled' });
      const { standing } = await go(off.id);
      assert.deepEqual([standing.state, standing.manualReasons], ['resolution_pending', []]);
    });

    it('is called off before the money is given instead of it', async () => {
      const { id, placed } = await exchanged();
      await overdue(id);
      assert.equal((await on(id, 'refunding')).state, 'refunding');
      assert.equal((await order(placed)).state, 'cancelled');
      assert.ok((await events(id)).includes('return.undone'));
      await db('refunds').where({ return_id: id }).update({ state: 'succeeded', ended_at: new Date() });
      assert.equal((await go(id)).standing.state, 'closed_refunded');
    });

    it('that has left keeps the money from being given as well', async () => {
      const { id, placed } = await exchanged();
      await overdue(id);
      await db('order_units')
        .whereIn('order_item_id', db('order_items').where({ order_id: placed }).select('id'))
        .limit(1)
        .update({ state: 'shipped' });
      for (const to of ['refunding', 'resolution_pending', 'closed_refunded'] as const)
        assert.equal((await on(id, to)).refusal, 'return_not_open', to);
      assert.equal((await go(id)).standing.state, 'manual_review');
      assert.equal((await on(id, 'closed_replaced')).state, 'closed_replaced');
      assert.equal((await db('refunds').where({ return_id: id })).length, 0);
    });

    it('is placed anew by a person, and counts as a replacement', async () => {
      const { of, id } = await inspected();
      await say(id, 'resolve', { resolution: 'refund' }, of.by);
      assert.equal((await on(id, 'replacing')).refusal, 'return_not_open', 'it is with the refund');
      const lost = await inspected({ wanted: 'replacement' });
      await say(lost.id, 'resolve', { resolution: 'replacement' }, lost.of.by);
      await overdue(lost.id);
      const old = (await go(lost.id)).standing.replacementOrderId;
      assert.equal((await on(lost.id, 'resolution_pending')).standing.resolution, null);
      assert.equal((await order(old ?? undefined)).state, 'cancelled');
      const again = await say(lost.id, 'resolve', { resolution: 'replacement' }, lost.of.by);
      assert.deepEqual([again.state, again.news.placed.length], ['replacing', 1]);
      assert.notEqual(again.news.placed[0], old);
    });
  });

  describe('in the hands of people', () => {
    /** Its parcel comes back to whoever sent it. */
    const unclear = async () => {
      const { of, id } = await opened();
      await say(id, 'approve', {});
      await labelled(id, of);
      await db('shipments').where({ return_id: id }).update({ state: 'in_transit' });
      await go(id);
      await db('shipments').where({ return_id: id }).update({ state: 'sent_back' });
      const { standing } = await go(id);
      assert.deepEqual([standing.state, standing.manualReasons], ['manual_review', ['carrier_unclear']]);
      return { of, id };
    };
    const found = (itemId: Awaited<ReturnType<typeof unclear>>['of']['itemId']) => ({
      units: [{ orderItemId: itemId, condition: 'unopened' as const, disposition: 'restock' as const }],
    });

    for (const to of ['received', 'inspecting'] as const) {
      it(`goes on to ${to}, and from there to its refund`, async () => {
        const { of, id } = await unclear();
        const { standing } = await on(id, to);
        assert.deepEqual([standing.state, standing.manualReasons], [to, []]);
        assert.equal((await go(id)).standing.state, to, 'what was unclear is no news a second time');
        await say(id, 'receive', {}, warehouse);
        assert.equal((await say(id, 'inspect', found(of.itemId), warehouse)).state, 'resolution_pending');
        assert.equal((await say(id, 'resolve', { resolution: 'refund' }, of.by)).state, 'refunding');
      });
    }

    it('goes on to a refund or another thing only with a statement that the customer has accepted', async () => {
      const { of, id } = await unclear();
      assert.equal((await on(id, 'refunding')).refusal, 'return_not_open');
      assert.equal((await on(id, 'replacing')).refusal, 'return_not_open');
      const stated = await on(id, 'resolution_pending');
      assert.equal(stated.state, 'resolution_pending');
      assert.deepEqual(await units(id), ['missing', 'missing']);
      await db('returns')
        .where({ id })
        .update({ state: 'manual_review', manual_reasons: '["carrier_unclear"]', disputed_at: new Date() });
      assert.equal((await on(id, 'refunding')).refusal, 'return_not_open', 'disputed');
      await db('returns').where({ id }).update({ disputed_at: null });
      assert.equal((await on(id, 'refunding')).refusal, 'return_not_open', 'not accepted');
      assert.equal((await go(id)).standing.state, 'manual_review');
      assert.equal((await db('refunds').where({ order_id: of.orderId })).length, 0);
    });

    for (const to of ['closed_refunded', 'closed_replaced', 'closed_mixed', 'rejected', 'cancelled'] as const) {
      it(`is ${to} by hand, moves no money and no goods, and stays so`, async () => {
        const { id } = await unclear();
        assert.equal((await on(id, to)).state, to);
        assert.equal((await go(id, Date.now() + 30 * DAY)).standing.state, to);
        assert.equal((await db('refunds').where({ return_id: id })).length, 0);
        assert.equal((await db('orders').where({ return_id: id })).length, 0);
        assert.equal((await db('stock_movements').where({ return_id: id })).length, 0);
      });
    }

    it('is shown every week as long as nobody says how it goes on', async () => {
      const { id } = await unclear();
      const { stateSince } = (await go(id)).standing;
      for (let day = 1; day <= 20; day += 1) await go(id, stateSince + day * DAY);
      assert.equal((await events(id)).filter((type) => type === 'return.escalated').length, 3);
      assert.equal((await go(id)).standing.state, 'manual_review');
    });
  });

  describe('with its refund', () => {
    const refunding = async () => {
      const { of, id } = await inspected();
      assert.equal((await say(id, 'resolve', { resolution: 'refund' }, of.by)).state, 'refunding');
      return { of, id };
    };
    const become = (id: ReturnId, state: string) =>
      db('refunds').where({ return_id: id }).update({ state, ended_at: new Date() });
    const sums = async (id: ReturnId) => {
      const rows: { state: string; amount_minor: bigint }[] = await db('refunds')
        .where({ return_id: id })
        .orderBy('requested_at');
      return rows.map(({ state, amount_minor }) => `${state} ${amount_minor}`);
    };

    it('that takes ten days is shown, and closes it all the same when it arrives', async () => {
      const { id } = await refunding();
      const shown = await overdue(id);
      assert.deepEqual([shown.state, shown.manualReasons], ['manual_review', ['refund_overdue']]);
      assert.ok((await letters(id)).includes('staff refund_overdue'));
      await become(id, 'succeeded');
      assert.equal((await go(id)).standing.state, 'closed_refunded');
    });

    it('that fails is paid once more by a person, the same amount and no more', async () => {
      const { id } = await refunding();
      await become(id, 'failed');
      const failed = (await go(id)).standing;
      assert.deepEqual([failed.state, failed.manualReasons], ['manual_review', ['refund_failed']]);
      assert.equal((await on(id, 'cancelled')).refusal, 'return_not_open');
      const { refund_minor: amount } = await db('returns').where({ id }).first('refund_minor');
      const again = await on(id, 'refunding');
      assert.deepEqual([again.state, again.news.refundIds.length], ['refunding', 1]);
      assert.equal((await go(id)).standing.state, 'refunding');
      await db('refunds').where({ id: again.news.refundIds[0] }).update({ state: 'succeeded', ended_at: new Date() });
      assert.equal((await go(id)).standing.state, 'closed_refunded');
      assert.deepEqual((await sums(id)).toSorted(), [`failed ${amount}`, `succeeded ${amount}`]);
    });

    it('that takes long is not sent a second time while it is on its way', async () => {
      const { id } = await refunding();
      await overdue(id);
      assert.deepEqual((await on(id, 'refunding')).news.refundIds, []);
      assert.equal((await sums(id)).length, 1);
    });

    it('that fails days after it had arrived is people’s again, and told to staff once', async () => {
      const { id } = await refunding();
      await become(id, 'succeeded');
      assert.equal((await go(id)).standing.state, 'closed_refunded');
      await become(id, 'failed');
      const late = (await go(id, Date.now() + 3 * DAY)).standing;
      assert.deepEqual([late.state, late.manualReasons], ['manual_review', ['refund_failed']]);
      await go(id, Date.now() + 3 * DAY + 1);
      assert.equal((await letters(id)).filter((told) => told === 'staff refund_failed').length, 1);
      assert.equal((await events(id)).filter((type) => type === 'return.manual_review').length, 1);
    });
  });

  describe('with time against the customer', () => {
    it('tells both sides before and after that nobody answered', async () => {
      const { id } = await opened();
      const { standing } = await say(id, 'request_info', { question: 'Which one?' });
      await go(id, standing.stateSince + 5.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_reminder', 'staff info_due']);
      await go(id, standing.stateSince + 7.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_expired', 'staff expired']);
    });

    it('tells both sides before and after that nothing was sent', async () => {
      const { of, id } = await opened();
      await say(id, 'approve', {});
      const { stateSince } = await labelled(id, of);
      await go(id, stateSince + 7.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_reminder', 'staff shipment_due']);
      await go(id, stateSince + 12.1 * DAY);
      await go(id, stateSince + 14.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_expired', 'staff expired']);
    });

    it('tells both sides before and after that a part never came', async () => {
      const { of, id } = await opened();
      await say(id, 'approve', {});
      await say(id, 'receive', { units: [{ orderItemId: of.itemId, number: 1 }] }, warehouse);
      const units = [{ orderItemId: of.itemId, number: 1, condition: 'as_new', disposition: 'restock' }] as const;
      const { standing } = await say(id, 'inspect', { units }, warehouse);
      await go(id, standing.stateSince + 12.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_reminder', 'staff rest_due']);
      await go(id, standing.stateSince + 14.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_inspected', 'staff rest_missing']);
    });

    it('tells both sides before and after that nobody chose', async () => {
      const { id, since } = await inspected();
      await go(id, since + 3.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_resolution_reminder', 'staff resolution_due']);
      await go(id, since + 5.1 * DAY);
      const told = await letters(id);
      for (const one of ['customer return_resolution_defaulted', 'staff defaulted']) assert.ok(told.includes(one), one);
    });

    it('tells both sides before and after that a parcel was lost, and that it is given back', async () => {
      const { of, id } = await opened();
      await say(id, 'approve', {});
      await labelled(id, of);
      await db('shipments').where({ return_id: id }).update({ state: 'in_transit' });
      const { stateSince } = (await go(id)).standing;
      await go(id, stateSince + 18.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_reminder', 'staff carrier_unclear']);
      const lost = (await go(id, stateSince + 21.1 * DAY)).standing;
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_lost', 'staff lost_in_transit']);
      await go(id, lost.stateSince + 5.1 * DAY);
      assert.deepEqual((await letters(id)).slice(-2), ['customer return_inspected', 'staff lost_for_good']);
    });
  });
});
