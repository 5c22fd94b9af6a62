import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beginBill, billsOf, learnBill, releaseBill } from '../../db/gateway-bills.ts';
import { receiveNotice } from '../../db/payment-inbox.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('bills of a gateway that cannot be asked for them', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  it('are begun once, also by ten at once, until that is taken back', async () => {
    const reference = randomUUID();
    const begun = await Promise.all(Array.from({ length: 10 }, () => beginBill(database.db, reference)));
    assert.equal(begun.filter(Boolean).length, 1);
    await releaseBill(database.db, reference);
    assert.equal(await beginBill(database.db, reference), true);
  });

  it('are remembered once known, and not taken back any more', async () => {
    const [reference, bill] = [randomUUID(), randomUUID()];
    await beginBill(database.db, reference);
    assert.deepEqual(await billsOf(database.db, reference), []);
    await learnBill(database.db, reference, bill);
    await releaseBill(database.db, reference);
    assert.deepEqual(await billsOf(database.db, reference), [bill]);
    assert.equal(await beginBill(database.db, reference), false);
  });

  it('are also those that a notice of this gateway named for the reference', async () => {
    const [reference, told, foreign] = [randomUUID(), randomUUID(), randomUUID()];
    const notice = { reference, status: 'paid', body: {}, at: '2026-03-02T03:00:00.000Z' };
    await receiveNotice(database.db, { ...notice, gateway: 'billplz', objectId: told });
    await receiveNotice(database.db, { ...notice, gateway: 'xendit', objectId: foreign });
    assert.deepEqual(await billsOf(database.db, reference), [told]);
  });
});
