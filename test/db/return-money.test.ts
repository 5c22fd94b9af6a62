import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { decide, hear, reserve, send } from '../../activities/refund-steps.ts';
import { grantCredit, grantsOf } from '../../db/credit-grants.ts';
import { payWithCredit } from '../../db/credit-payments.ts';
import { postEntry } from '../../db/ledger.ts';
import { checkLedger } from '../../db/ledger-check.ts';
import { type PayOut, payOut, payoutOf, writeStatement } from '../../db/return-money.ts';
import { creditIn } from '../../db/store-credit.ts';
import type { CompanyId, InvoiceId, RefundId, ReturnId } from '../../domain/ids.ts';
import { suspenseReleased } from '../../domain/ledger.ts';
import { rupiah } from '../../domain/money.ts';
import { aUser } from '../builders/licensing.ts';
import { aDeliveredOrder, advanced, anOrder, askedOf, type BuiltOrder } from '../builders/orders.ts';
import { aPartCapture, aReturn, foundUnits, type ReturnGiven } from '../builders/return-money.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the money of a return', () => {
  let database: TestDatabase;
  let db: Knex;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
  });
  after(() => database?.drop());

  const now = () => new Date().toISOString();
  const NO_LIMIT = { refundApprovalAbove: { IDR: 1_000_000_000n } } as const;
  const state = (id: ReturnId) => db.transaction((tx) => writeStatement(tx, id, now()));
  const pay = (id: ReturnId, wish: Partial<PayOut> = {}) =>
    db.transaction((tx) => payOut(tx, { returnId: id, resolution: 'refund', at: now(), policy: NO_LIMIT, ...wish }));
  const totalOf = async ({ invoiceId }: BuiltOrder): Promise<bigint> =>
    (await db('invoices').where({ id: invoiceId }).first('total_minor')).total_minor;
  const refundsOf = (id: ReturnId) =>
    db('refunds')
      .where({ return_id: id })
      .orderBy('requested_at')
      .select('id', 'state', 'amount_minor', 'channel', 'payment_id');
  const amounts = async (id: ReturnId) => (await refundsOf(id)).map((row) => row.amount_minor);
  const ready = async (given: ReturnGiven = {}, order?: BuiltOrder) => {
    const bought = order ?? (await aDeliveredOrder(db));
    const id = await aReturn(db, bought, given);
    await foundUnits(db, id);
    return { order: bought, id };
  };
  /** As the refund's process goes on, with a gateway that takes it back. */
  const arrives = (id: RefundId, word: 'succeeded' | 'failed' = 'succeeded') =>
    db.transaction(async (tx) => {
      await reserve(tx, id, now(), () => true);
      await send(tx, id, now());
      await hear(tx, id, { state: word, gatewayRefundId: null, reason: null, otherAmount: null }, now());
    });
  const soundBooks = async () => {
    for (const { name, findings } of (await checkLedger(db)).proofs)
      if (name !== 'numbers') assert.deepEqual(findings, [], name);
  };
  /** With credit that ends, unless it is told otherwise. */
  const withCredit = async (companyId: CompanyId, amount: bigint, months: number | null = 12) => {
    await db.transaction(async (tx) => {
      const key = `test/${companyId}/${amount}/${Math.random()}`;
      await postEntry(tx, {
        key: `${key}/in`,
        kind: 'settlement_adjusted',
        currency: 'IDR',
        at: now(),
        companyId,
        postings: [
          { account: 'bank', amountMinor: amount },
          { account: 'suspense', amountMinor: -amount },
        ],
      });
      await postEntry(tx, {
        key,
        kind: 'suspense_released',
        currency: 'IDR',
        at: now(),
        companyId,
        postings: suspenseReleased(amount, 'store_credit'),
      });
      if (months !== null)
        await grantCredit(tx, { companyId, key, amount: rupiah(amount), expiresAfterMonths: months, at: now() });
    });
  };
  const shippedAfter = async (order: BuiltOrder): Promise<BuiltOrder> => {
    await advanced(db, order.orderId);
    const seller = await aUser(db, 'seller');
    for (const content of [
      { kind: 'ship', carrier: 'jne', trackingNumber: order.orderId.slice(0, 12) },
      { kind: 'deliver' },
    ] as const) {
      const { refusal } = await askedOf(db, order.orderId, seller, content);
      assert.equal(refusal, null);
    }
    return order;
  };
  const invoiceOf = ({ invoiceId }: BuiltOrder): InvoiceId => {
    assert.ok(invoiceId);
    return invoiceId;
  };

  it('of a full return is the capture, with its shipping, and credits each line of the invoice in full', async () => {
    const { order, id } = await ready();
    const total = await totalOf(order);
    assert.deepEqual(await state(id), { version: 1, hasDeductions: false, refundMinor: total });
    const { refundIds, creditMinor } = await pay(id);
    assert.deepEqual([refundIds.length, creditMinor, await amounts(id)], [1, 0n, [total]]);
    assert.equal(await payoutOf(db, id), 'open');
    for (const refundId of refundIds) await arrives(refundId);
    assert.equal(await payoutOf(db, id), 'succeeded');
    const lines = await db('invoice_lines')
      .where({ invoice_id: order.invoiceId })
      .orderBy('position')
      .select('position', 'net_minor', 'tax_minor');
    const credited = await db('refund_lines')
      .whereIn('refund_id', [...refundIds])
      .orderBy('position')
      .select('position', 'net_minor', 'tax_minor');
    assert.deepEqual(credited, lines);
    const units = await db('order_units').where({ order_id: order.orderId });
    assert.ok(
      units.every(
        (u) => u.given_back_minor === u.net_minor + u.tax_minor + u.shipping_net_minor + u.shipping_tax_minor,
      ),
    );
    await soundBooks();
  });

  it('credits exactly the lines of what came back', async () => {
    const { order, id } = await ready({ quantities: [1, 0] });
    await state(id);
    const { refundIds } = await pay(id);
    for (const refundId of refundIds) await arrives(refundId);
    const credited = await db('refund_lines').whereIn('refund_id', [...refundIds]);
    const unit = await db('order_units').where({ order_item_id: order.items[0]?.id, number: 1 }).first();
    assert.deepEqual(
      credited.map((line) => [line.position, line.net_minor, line.tax_minor]),
      [[1, unit.net_minor, unit.tax_minor]],
    );
  });

  it('in two returns of one order comes to the capture, too', async () => {
    const order = await aDeliveredOrder(db);
    const [one, other] = [await ready({ quantities: [1, 0] }, order), await ready({ quantities: [1, 1] }, order)];
    await db('order_units').where({ order_item_id: order.items[0]?.id, number: 1 }).update({ state: 'returned' });
    const [first, second] = [await state(one.id), await state(other.id)];
    await pay(one.id);
    assert.equal(first.refundMinor + second.refundMinor, await totalOf(order));
    await pay(other.id);
    const sums = [...(await amounts(one.id)), ...(await amounts(other.id))];
    assert.equal(
      sums.reduce((a, b) => a + b, 0n),
      await totalOf(order),
    );
  });

  it('is stated anew only where it differs, and stands once money moves', async () => {
    const { id } = await ready();
    assert.equal((await state(id)).version, 1);
    assert.equal((await state(id)).version, 1);
    await foundUnits(db, id, { condition: 'used' });
    const second = await state(id);
    assert.deepEqual([second.version, second.hasDeductions], [2, true]);
    const units = await db('return_units').where({ return_id: id });
    const sum = units.reduce((total, unit) => total + unit.refund_minor, 0n);
    assert.equal(sum, second.refundMinor);
    assert.ok(units.every((unit) => unit.deduction_minor > 0n));
    await pay(id);
    await foundUnits(db, id, { condition: 'damaged' });
    assert.deepEqual(await state(id), second);
    assert.equal((await db('events').where({ subject: `rma/${id}`, type: 'return.stated' })).length, 2);
  });

  it('pays in full what a dispute was decided for', async () => {
    const { order, id } = await ready();
    await foundUnits(db, id, { state: 'declined', condition: 'damaged' });
    assert.equal((await state(id)).refundMinor, 0n);
    await db('returns').where({ id }).update({ deductions_waived: true });
    assert.deepEqual(await state(id), { version: 2, hasDeductions: false, refundMinor: await totalOf(order) });
  });

  it('is asked for once, whoever repeats it', async () => {
    const { id } = await ready();
    await state(id);
    const first = await pay(id);
    assert.deepEqual(await pay(id), first);
    assert.equal((await refundsOf(id)).length, 1);
  });

  it('goes back over the captures that it came by, and the lines add up', async () => {
    const order = await anOrder(db);
    const total = await totalOf(order);
    const invoiceId = invoiceOf(order);
    await aPartCapture(db, invoiceId, { attempt: 1, amountMinor: 100_001n });
    await aPartCapture(db, invoiceId, { attempt: 2, amountMinor: total - 100_001n });
    const { id } = await ready({}, await shippedAfter(order));
    await state(id);
    const { refundIds } = await pay(id);
    assert.deepEqual((await amounts(id)).toSorted(), [100_001n, total - 100_001n].toSorted());
    for (const refundId of refundIds) await arrives(refundId);
    assert.equal(await payoutOf(db, id), 'succeeded');
    const { credited_minor } = await db('invoices').where({ id: invoiceId }).first('credited_minor');
    assert.equal(credited_minor, total);
    await soundBooks();
  });

  it('needs a second person by what it comes to in all, not by its parts', async () => {
    const order = await anOrder(db);
    const total = await totalOf(order);
    await aPartCapture(db, invoiceOf(order), { attempt: 1, amountMinor: 100_000n });
    await aPartCapture(db, invoiceOf(order), { attempt: 2, amountMinor: total - 100_000n });
    const { id } = await ready({}, await shippedAfter(order));
    await state(id);
    await pay(id, { policy: { refundApprovalAbove: { IDR: total - 1n } } });
    assert.deepEqual(
      (await refundsOf(id)).map((row) => row.state),
      ['requested', 'requested'],
    );
  });

  it('that credit had paid becomes credit again, that ends anew, and corrects the invoice', async () => {
    const order = await anOrder(db);
    const total = await totalOf(order);
    const invoiceId = invoiceOf(order);
    await withCredit(order.companyId, 200_000n);
    await db.transaction((tx) => payWithCredit(tx, { invoiceId, key: 'test', by: order.by, at: now() }));
    assert.deepEqual(await grantsOf(db, order.companyId), []);
    await aPartCapture(db, invoiceId, { attempt: 1, amountMinor: total - 200_000n });
    const { id } = await ready({}, await shippedAfter(order));
    await state(id);
    const { refundIds, creditMinor } = await pay(id);
    assert.deepEqual([refundIds.length, creditMinor, await amounts(id)], [1, 200_000n, [total - 200_000n]]);
    assert.deepEqual(await pay(id), { refundIds, creditMinor, orderIds: [] });
    assert.equal((await creditIn(db, order.companyId, 'IDR')).amountMinor, 200_000n);
    assert.deepEqual(
      (await grantsOf(db, order.companyId)).map(({ left }) => left.amountMinor),
      [200_000n],
    );
    for (const refundId of refundIds) await arrives(refundId);
    assert.equal(await payoutOf(db, id), 'succeeded');
    const { credited_minor } = await db('invoices').where({ id: invoiceId }).first('credited_minor');
    assert.equal(credited_minor, total);
    await soundBooks();
  });

  it('that is chosen as credit becomes credit, with an end', async () => {
    const { order, id } = await ready();
    await state(id);
    const { refundIds } = await pay(id, { resolution: 'store_credit' });
    for (const refundId of refundIds) await arrives(refundId);
    assert.deepEqual(
      (await refundsOf(id)).map((row) => [row.state, row.channel]),
      [['succeeded', 'store_credit']],
    );
    const [grant] = await grantsOf(db, order.companyId);
    assert.equal(grant?.left.amountMinor, await totalOf(order));
    const days = ((grant?.expiresAt.getTime() ?? 0) - Date.now()) / 86_400_000;
    assert.ok(days > 364 && days < 367, `${days}`);
    await soundBooks();
  });

  it('that has failed can be asked for once more, and only that', async () => {
    const { order, id } = await ready();
    await state(id);
    const [first] = (await pay(id)).refundIds;
    assert.ok(first);
    await arrives(first, 'failed');
    assert.equal(await payoutOf(db, id), 'failed');
    assert.deepEqual((await pay(id)).refundIds, [first], 'a repeat of the first attempt is no second one');
    const { refundIds } = await pay(id, { attempt: 1 });
    assert.equal(refundIds.length, 1);
    assert.deepEqual(await amounts(id), [await totalOf(order), await totalOf(order)]);
    for (const refundId of refundIds) await arrives(refundId);
    assert.equal(await payoutOf(db, id), 'succeeded');
    assert.deepEqual((await pay(id, { attempt: 2 })).refundIds, []);
    await soundBooks();
  });

  it('is open while a person is to agree, failed once they refuse', async () => {
    const { id } = await ready();
    await state(id);
    const [first] = (await pay(id, { policy: { refundApprovalAbove: {} } })).refundIds;
    assert.ok(first);
    assert.equal(await payoutOf(db, id), 'open');
    const by = await aUser(db, 'finance');
    await db.transaction((tx) => decide(tx, first, { decision: 'reject', by, note: 'no', at: now() }));
    assert.equal(await payoutOf(db, id), 'failed');
  });

  it('pays the rest of an exchange, of which it claims no more, and nothing of a replacement', async () => {
    const { order, id } = await ready();
    await state(id);
    await pay(id, { amountMinor: 12_345n });
    assert.deepEqual(await amounts(id), [12_345n]);
    const claimed = await db('order_units').where({ order_id: order.orderId }).pluck<bigint[]>('given_back_minor');
    assert.equal(
      claimed.reduce((sum, one) => sum + one, 0n),
      12_345n,
    );
    const replaced = await ready();
    await state(replaced.id);
    assert.deepEqual(await pay(replaced.id, { resolution: 'replacement' }), {
      refundIds: [],
      creditMinor: 0n,
      orderIds: [],
    });
    assert.equal(await payoutOf(db, replaced.id), 'succeeded');
  });

  it('of a payment that the gateway took back is not there, and a person hears of it', async () => {
    const { order, id } = await ready();
    await state(id);
    await db('payments').where({ invoice_id: order.invoiceId }).update({ state: 'reversed', applied_minor: 0 });
    assert.deepEqual(await pay(id), { refundIds: [], creditMinor: 0n, orderIds: [] });
    assert.equal(await payoutOf(db, id), 'failed');
  });
});
