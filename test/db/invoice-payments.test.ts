import assert from 'node:assert/strict';
import { applyToInvoice, lapseInvoice, lockCollected, takeBackFromInvoice } from '../../db/invoice-payments.ts';
import { lockInvoice } from '../../db/invoices.ts';
import type { ApplicationId, CompanyId, InvoiceId, UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  anInvoice,
  aUser,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const TOTAL = 361_000n;

describe('what pays an invoice', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
  });
  after(() => database?.drop());

  const bill = async (): Promise<{ invoiceId: InvoiceId; applicationId: ApplicationId }> => {
    const given = { companyId, type, applicantId: owner, state: 'pending_payment' } as const;
    const applicationId = await anApplication(database.db, given);
    return { applicationId, invoiceId: await anInvoice(database.db, { companyId, applicationId }) };
  };
  const applies = (invoiceId: InvoiceId, amountMinor: bigint) =>
    database.db.transaction((tx) => applyToInvoice(tx, { invoiceId, amountMinor, at: MONDAY }));
  const takesBack = (invoiceId: InvoiceId, amountMinor: bigint) =>
    database.db.transaction((tx) => takeBackFromInvoice(tx, { invoiceId, amountMinor, at: MONDAY }));
  const now = async (invoiceId: InvoiceId) => {
    const { state, paid } = await database.db.transaction((tx) => lockCollected(tx, invoiceId));
    return [state, paid.amountMinor];
  };
  const events = (applicationId: ApplicationId) =>
    database.db('events').where({ application_id: applicationId }).orderBy('id').pluck('type');

  it('adds up to it: the last part closes it and sends the application on', async () => {
    const { invoiceId, applicationId } = await bill();
    assert.deepEqual(await applies(invoiceId, 100_000n), { appliedMinor: 100_000n, state: 'open' });
    assert.deepEqual(await applies(invoiceId, 100_000n), { appliedMinor: 100_000n, state: 'open' });
    assert.deepEqual(await applies(invoiceId, TOTAL), { appliedMinor: 161_000n, state: 'paid' });
    assert.deepEqual(await now(invoiceId), ['paid', TOTAL]);
    assert.deepEqual(await events(applicationId), ['invoice.part_paid', 'invoice.part_paid', 'invoice.paid']);
    const application = await database.db('applications').where({ id: applicationId }).first('state');
    assert.deepEqual(application, { state: 'activating' });
  });

  it('never exceeds it, though twenty parts come at once', async () => {
    const { invoiceId } = await bill();
    const applied = await Promise.all(Array.from({ length: 20 }, () => applies(invoiceId, 50_000n)));
    assert.equal(
      applied.reduce((sum, { appliedMinor }) => sum + appliedMinor, 0n),
      TOTAL,
    );
    assert.deepEqual(await now(invoiceId), ['paid', TOTAL]);
  });

  it('applies to no invoice that is closed', async () => {
    for (const state of ['paid', 'lapsed', 'void'] as const) {
      const invoiceId = await anInvoice(database.db, { companyId, state });
      assert.deepEqual(await applies(invoiceId, 1n), { appliedMinor: 0n, state });
      if (state !== 'paid') assert.deepEqual(await takesBack(invoiceId, 1n), { state });
    }
  });

  it('is taken back: a paid one is reversed, and paid again by what comes back', async () => {
    const { invoiceId, applicationId } = await bill();
    await applies(invoiceId, TOTAL);
    assert.deepEqual(await takesBack(invoiceId, 61_000n), { state: 'reversed' });
    assert.deepEqual(await now(invoiceId), ['reversed', 300_000n]);
    assert.deepEqual(await applies(invoiceId, 61_000n), { appliedMinor: 61_000n, state: 'paid' });
    assert.deepEqual(await events(applicationId), ['invoice.paid', 'invoice.reversed', 'invoice.paid']);
  });

  it('loses against the lapse or wins, whoever has the lock first, never both', async () => {
    const { invoiceId, applicationId } = await bill();
    const order: string[] = [];
    let lapsing: Promise<unknown> = Promise.resolve();
    await database.db.transaction(async (tx) => {
      await lockInvoice(tx, invoiceId);
      lapsing = database.db
        .transaction((other) => lapseInvoice(other, invoiceId, MONDAY))
        .then(({ state }) => order.push(state));
      await applyToInvoice(tx, { invoiceId, amountMinor: TOTAL, at: MONDAY });
      order.push('applied');
    });
    await lapsing;
    assert.deepEqual(order, ['applied', 'paid']);
    const { invoiceId: other } = await bill();
    await database.db.transaction((tx) => lapseInvoice(tx, other, MONDAY));
    assert.deepEqual(await applies(other, TOTAL), { appliedMinor: 0n, state: 'lapsed' });
    assert.deepEqual(await events(applicationId), ['invoice.paid']);
  });
});
