import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { adoptEarlyNotices } from '../../db/early-notices.ts';
import { receiveNotice } from '../../db/payment-inbox.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, anInvoice, aPayment, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('a notice that names a transaction nobody knows yet', () => {
  let database: TestDatabase;
  let companyId: CompanyId;
  before(async () => {
    database = await createTestDatabase();
    companyId = await aCompany(database.db, await aUser(database.db, 'owner'));
  });
  after(() => database?.drop());

  const early = async () => {
    const transactionId = `pi_${randomUUID()}`;
    const notice = { gateway: 'midtrans', objectId: `dp_${transactionId}`, status: 'lost', body: {} } as const;
    const received = await receiveNotice(database.db, { ...notice, reference: transactionId, at: MONDAY });
    assert.equal(received.invoiceId, null);
    const { id } = await aPayment(database.db, {
      invoiceId: await anInvoice(database.db, { companyId }),
      state: 'paid',
    });
    return { transactionId, id };
  };
  const adopt = (payment: { id: Parameters<typeof adoptEarlyNotices>[1]['id']; transactionId: string }) =>
    database.db.transaction((tx) => adoptEarlyNotices(tx, { ...payment, gateway: 'midtrans' }, MONDAY));

  it('belongs to the payment that tells its name, and counts as unheard', async () => {
    const { transactionId, id } = await early();
    await adopt({ id, transactionId });
    const row = await database
      .db('payment_inbox')
      .where({ reference: transactionId })
      .first('payment_id', 'handled_at');
    assert.deepEqual(row, { payment_id: id, handled_at: null });
  });

  it('is no case any more, and its event says that nobody had to do anything', async () => {
    const { transactionId, id } = await early();
    await adopt({ id, transactionId });
    await adopt({ id, transactionId });
    const [found, ...others] = await database.db('payment_cases').where({ reference: transactionId });
    assert.deepEqual(
      [found.state, found.resolution, found.resolved_by, others.length],
      ['resolved', 'nothing_to_do', null, 0],
    );
    const events = await database
      .db('events')
      .where({ subject: `payment_case/${found.id}`, type: 'payment_case.resolved' });
    assert.equal(events.length, 1);
  });

  it('stays what it is for another gateway’s transaction of that name', async () => {
    const { transactionId, id } = await early();
    await database.db.transaction((tx) => adoptEarlyNotices(tx, { id, transactionId, gateway: 'stripe' }, MONDAY));
    const row = await database.db('payment_inbox').where({ reference: transactionId }).first('payment_id');
    assert.equal(row.payment_id, null);
  });
});
