import assert from 'node:assert/strict';
import { issueReceipt } from '../../db/receipts.ts';
import { aCompany, aLicenseType, anApplication, anInvoice, aPayment, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

describe('a receipt', () => {
  let database: TestDatabase;

  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  it('waits for who has the invoice, and never the other way round', async () => {
    const { db } = database;
    const owner = await aUser(db, 'owner');
    const companyId = await aCompany(db, owner);
    const applicationId = await anApplication(db, { companyId, type: await aLicenseType(db), applicantId: owner });
    const invoiceId = await anInvoice(db, { companyId, applicationId, state: 'paid' });
    const { id: paymentId } = await aPayment(db, { invoiceId, state: 'paid' });
    await db('payments').where({ id: paymentId }).update({ applied_minor: 361_000, paid_at: MONDAY });

    // As every step of a payment does: the invoice first, then the payment.
    const step = await db.transaction();
    await step('invoices').where({ id: invoiceId }).forUpdate().select('id');
    const receipt = db.transaction((tx) => issueReceipt(tx, { paymentId, at: MONDAY }));
    await eventually('the receipt to wait for a lock', async () => {
      const { rows } = await db.raw(
        "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
      );
      return rows.length > 0;
    });
    await step('payments').where({ id: paymentId }).forUpdate().select('id');
    await step.commit();
    assert.match((await receipt).number, /^RCP\/2026\//);
  });
});
