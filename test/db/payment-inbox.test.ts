import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { type NewNotice, receiveNotice } from '../../db/payment-inbox.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { aBookedInvoice, aBookedRefund, aCapture, type Captured } from '../builders/books.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('a notice that is stored', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
    companyId = (await db('companies').first('id')).id;
  });
  after(() => database?.drop());

  const captured = async () => aCapture(db, await aBookedInvoice(db, companyId));
  const receive = (changes: Partial<NewNotice> & Pick<NewNotice, 'reference'>) =>
    receiveNotice(db, {
      gateway: 'midtrans',
      objectId: randomUUID(),
      status: 'settlement',
      body: { told: 'first' },
      at: new Date().toISOString(),
      ...changes,
    });
  const stored = (id: string) => db('payment_inbox').where({ id }).first('body', 'handled_at', 'payment_id');
  const refundOf = (payment: Captured, gatewayRefundId = randomUUID()) =>
    aBookedRefund(db, payment, { amount: 1_000n, state: 'succeeded', gatewayRefundId });

  it('belongs to the refund that it names by our key or by the gateway’s', async () => {
    const payment = await captured();
    const theirs = randomUUID();
    const refundId = await refundOf(payment, theirs);
    const named = await receive({ reference: refundId });
    assert.deepEqual([named.refundId, named.refundIds, named.reference], [refundId, [refundId], payment.reference]);
    assert.equal((await receive({ reference: payment.reference, objectId: theirs })).refundId, refundId);
  });

  it('belongs to nothing that another gateway has', async () => {
    const payment = await captured();
    const theirs = randomUUID();
    const refundId = await refundOf(payment, theirs);
    const gateway = 'xendit';
    for (const reference of [refundId, payment.reference, payment.transactionId])
      assert.deepEqual(await receive({ gateway, reference }).then(({ invoiceId }) => invoiceId), null, reference);
    assert.equal((await receive({ gateway, reference: 'nobody', objectId: theirs })).refundId, null);
    assert.equal((await receive({ reference: payment.transactionId })).invoiceId, payment.invoice.id);
  });

  it('keeps the first of two bodies, unless the second names another payment: then nobody has looked into it', async () => {
    const [one, other] = [await captured(), await captured()];
    const objectId = randomUUID();
    const { inboxId } = await receive({ reference: one.reference, objectId });
    await db('payment_inbox').where({ id: inboxId }).update({ handled_at: new Date() });
    const again = await receive({ reference: one.reference, objectId, body: { told: 'again' } });
    assert.deepEqual([again.inboxId, again.handled], [inboxId, true]);
    assert.deepEqual((await stored(inboxId)).body, { told: 'first' });
    const unlike = await receive({ reference: other.reference, objectId, body: { told: 'of another' } });
    assert.deepEqual([unlike.inboxId, unlike.handled, unlike.invoiceId], [inboxId, false, other.invoice.id]);
    const row = await stored(inboxId);
    assert.deepEqual([row.body, row.handled_at, row.payment_id], [{ told: 'of another' }, null, other.id]);
  });
});
