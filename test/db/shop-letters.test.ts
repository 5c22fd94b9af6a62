import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeOrderLetter } from '../../db/order-letters.ts';
import { writeCreditLetter, writeReturnLetter } from '../../db/return-letters.ts';
import { openReturn } from '../../db/returns.ts';
import { INTEGRATOR_MAIL_DOMAIN } from '../../domain/api-keys.ts';
import { asId, type ReturnId, type UserId } from '../../domain/ids.ts';
import { DEFAULT_RETURN_POLICY } from '../../domain/returns.ts';
import { aUser } from '../builders/licensing.ts';
import { aDeliveredOrder, anOrder, type BuiltOrder } from '../builders/orders.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = '2026-11-22T03:00:00.000Z';

describe('letters of the shop', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  const lettersOf = (template: string, about: string) =>
    database
      .db('account_letters')
      .where({ template })
      .whereRaw(`data ->> 'orderId' = ?`, [about])
      .orderBy('user_id')
      .select({ to: 'user_id', data: 'data' });

  async function aReturnOf({ orderId, companyId, by, items: [coffee] }: BuiltOrder): Promise<ReturnId> {
    assert.ok(coffee);
    const returnId = asId<ReturnId>(randomUUID());
    const items = [{ orderItemId: coffee.id, quantity: 2, reason: 'damaged' as const }];
    const wish = { wanted: 'refund', at: AT, policy: DEFAULT_RETURN_POLICY } as const;
    await database.db.transaction((tx) => openReturn(tx, { returnId, orderId, companyId, by, items, ...wish }));
    return returnId;
  }

  it('say what the record says, once for a change, and hold no personal data', async () => {
    const order = await anOrder(database.db);
    for (const _ of [1, 2])
      await writeOrderLetter(database.db, 'order_unpaid_reminder', { orderId: order.orderId, at: AT });
    const [letter, ...more] = await lettersOf('order_unpaid_reminder', order.orderId);
    assert.ok(letter && more.length === 0);
    assert.equal(letter.to, order.by);
    const { total_minor: total } = await database.db('orders').where({ id: order.orderId }).first('total_minor');
    assert.equal(letter.data.orderNumber, order.number);
    assert.deepEqual(letter.data.total, { amountMinor: String(total), currency: 'IDR' });
    assert.equal(letter.data.invoiceId, order.invoiceId);
    assert.deepEqual(
      letter.data.items.map(({ quantity }: { quantity: number }) => quantity),
      [2, 1],
    );
    assert.ok(Date.parse(letter.data.until) > Date.parse(letter.data.at) - 86_400_000);
    const written = JSON.stringify(letter.data);
    const user = await database.db('users').where({ id: order.by }).first('email');
    for (const secret of [user.email, order.by, 'Jalan Rahasia', 'Sari Wulandari', '+628']) {
      assert.ok(!written.includes(secret), secret);
    }
  });

  it('tell of a parcel what is in it, and whether there is more', async () => {
    const order = await aDeliveredOrder(database.db);
    const parcel = await database.db('shipments').where({ order_id: order.orderId }).first('id', 'tracking_number');
    const [coffee] = order.items;
    await database.db('order_units').where({ order_item_id: coffee?.id, number: 2 }).update({ shipment_id: null });
    await writeOrderLetter(database.db, 'order_shipped', {
      orderId: order.orderId,
      at: AT,
      data: { shipmentId: parcel.id },
    });
    const sent = (await lettersOf('order_shipped', order.orderId)).find(({ data }) => data.at === AT);
    assert.equal(sent?.data.trackingNumber, parcel.tracking_number);
    assert.equal(sent?.data.isPart, true);
    assert.deepEqual(
      sent?.data.items.map(({ quantity }: { quantity: number }) => quantity),
      [1, 1],
    );
  });

  it('of a wait name only what is waited for', async () => {
    const order = await anOrder(database.db);
    const [, tea] = order.items;
    await database.db('order_units').where({ order_item_id: tea?.id }).update({ state: 'waiting' });
    await writeOrderLetter(database.db, 'order_backordered', { orderId: order.orderId, at: AT });
    const [letter] = await lettersOf('order_backordered', order.orderId);
    assert.deepEqual(
      letter?.data.items.map(({ quantity }: { quantity: number }) => quantity),
      [1],
    );
  });

  it('of a delivery tell until when something can be sent back, and no other deadline', async () => {
    const order = await aDeliveredOrder(database.db, { at: AT });
    await writeOrderLetter(database.db, 'order_review_request', { orderId: order.orderId, at: '2026-11-29T03:00:00Z' });
    assert.equal((await lettersOf('order_review_request', order.orderId))[0]?.data.until, '2026-12-22T03:00:00.000Z');
    await writeOrderLetter(database.db, 'order_confirmed', { orderId: order.orderId, at: '2026-11-29T03:00:00Z' });
    const confirmed = await lettersOf('order_confirmed', order.orderId);
    assert.deepEqual([...new Set(confirmed.map(({ data }) => data.until))], [null]);
  });

  it('go to the member of longest standing once who ordered is gone, and to nobody when all are', async () => {
    const order = await anOrder(database.db);
    const other = await aUser(database.db, 'owner');
    const program = await aUser(database.db, 'owner');
    await database
      .db('users')
      .where({ id: program })
      .update({ email: `${program}@${INTEGRATOR_MAIL_DOMAIN}` });
    const member = (user_id: UserId, created_at: string) => ({ company_id: order.companyId, user_id, created_at });
    await database
      .db('company_members')
      .insert([member(other, '2026-01-02T00:00:00Z'), member(program, '2026-01-01T00:00:00Z')]);
    const disable = (id: UserId) => database.db('users').where({ id }).update({ status: 'disabled' });
    await disable(order.by);
    await writeOrderLetter(database.db, 'order_confirmed', { orderId: order.orderId, at: AT });
    assert.deepEqual(
      (await lettersOf('order_confirmed', order.orderId)).map(({ to }) => to),
      [other],
    );
    await disable(other);
    await writeOrderLetter(database.db, 'order_lost', { orderId: order.orderId, at: AT });
    assert.deepEqual(await lettersOf('order_lost', order.orderId), []);
  });

  it('that nobody needs do not go to who wants none', async () => {
    const order = await aDeliveredOrder(database.db);
    await database.db('users').where({ id: order.by }).update({ advertising_refused_at: AT });
    await writeOrderLetter(database.db, 'order_review_request', { orderId: order.orderId, at: AT });
    assert.deepEqual(await lettersOf('order_review_request', order.orderId), []);
    await database.db('users').where({ id: order.by }).update({ advertising_refused_at: null });
    await writeOrderLetter(database.db, 'order_review_request', { orderId: order.orderId, at: AT });
    assert.equal((await lettersOf('order_review_request', order.orderId)).length, 1);
  });

  it('about an order that is held remind the sellers, not the customer', async () => {
    const order = await anOrder(database.db);
    const seller = await aUser(database.db, 'seller');
    await writeOrderLetter(database.db, 'order_hold_reminder', { orderId: order.orderId, at: AT });
    const readers = (await lettersOf('order_hold_reminder', order.orderId)).map(({ to }) => to);
    assert.ok(readers.includes(seller) && !readers.includes(order.by));
  });

  it('of a return tell the deadline of its state and each deduction with its reason', async () => {
    const order = await aDeliveredOrder(database.db);
    const returnId = await aReturnOf(order);
    const reason = { id: 'Sudah dipakai.', en: 'It was received used.' };
    const unit = { orderItemId: order.items[0]?.id, code: 'restocking', amountMinor: '7500', reason };
    await database
      .db('returns')
      .where({ id: returnId })
      .update({
        state: 'resolution_pending',
        state_since: AT,
        statement_version: 1,
        refund_minor: 207_000,
        statement: JSON.stringify({
          lines: [],
          deductions: [
            { ...unit, number: 1 },
            { ...unit, number: 2 },
          ],
        }),
      });
    await writeReturnLetter(database.db, 'return_inspected', { returnId, to: 'customer', at: AT });
    const [letter] = await lettersOf('return_inspected', order.orderId);
    assert.equal(letter?.to, order.by);
    assert.equal(letter?.data.until, '2026-11-27T03:00:00.000Z');
    assert.deepEqual(letter?.data.amount, { amountMinor: '207000', currency: 'IDR' });
    assert.deepEqual(letter?.data.deductions, [
      {
        name: { id: 'Barang uji: Sudah dipakai.', en: 'Test goods: It was received used.' },
        amount: { amountMinor: '15000', currency: 'IDR' },
      },
    ]);
    await database.db('returns').where({ id: returnId }).update({ disputed_at: AT });
    await writeReturnLetter(database.db, 'return_disputed', { returnId, to: 'customer', at: AT });
    assert.equal((await lettersOf('return_disputed', order.orderId))[0]?.data.until, null);
  });

  it('to staff say why as codes, to sellers or whom it is escalated to, each reason for itself', async () => {
    const order = await aDeliveredOrder(database.db);
    const returnId = await aReturnOf(order);
    const [seller, supervisor] = [await aUser(database.db, 'seller'), await aUser(database.db, 'supervisor')];
    const tell = (data: Parameters<typeof writeReturnLetter>[2]['data']) =>
      writeReturnLetter(database.db, 'return_to_staff', { returnId, to: 'staff', at: AT, ...(data ? { data } : {}) });
    await tell({ reasons: ['review_due'] });
    await tell({ reasons: ['label_failed'] });
    await tell({ reasons: ['review_overdue'], role: 'supervisor' });
    const letters = await lettersOf('return_to_staff', order.orderId);
    const told = (id: UserId) =>
      letters
        .filter(({ to }) => to === id)
        .flatMap(({ data }) => data.reasons)
        .toSorted();
    assert.deepEqual(told(seller), ['label_failed', 'review_due']);
    assert.deepEqual(told(supervisor), ['review_overdue']);
    assert.deepEqual(told(order.by), []);
  });

  it('about credit go out once for each credit', async () => {
    const { companyId, by } = await anOrder(database.db);
    const grantId = randomUUID();
    const credit = { companyId, grantId, amount: { amountMinor: '5000', currency: 'IDR' }, expiresAt: AT } as const;
    for (const at of [AT, '2026-11-23T03:00:00.000Z'])
      await writeCreditLetter(database.db, 'credit_expiring', { ...credit, at });
    const letters = await database
      .db('account_letters')
      .where({ template: 'credit_expiring', user_id: by })
      .select('data');
    assert.deepEqual(
      letters.map(({ data }) => data.amount),
      [credit.amount],
    );
  });
});
