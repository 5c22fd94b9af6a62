import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from '../../db/connection.ts';
import { type NewPaymentCase, openPaymentCase, openPaymentCases } from '../../db/payment-cases.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { rupiah } from '../../domain/money.ts';
import { aBookedInvoice, aCapture, type Captured } from '../builders/books.ts';
import { aCompany, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('cases that are opened together', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;
  let payment: Captured;

  before(async () => {
    database = await createTestDatabase();
    db = database.db;
    companyId = await aCompany(db, await aUser(db, 'owner'));
    payment = await aCapture(db, await aBookedInvoice(db, companyId));
  });
  after(() => database?.drop());

  const aCase = (): NewPaymentCase => ({
    key: `test/${randomUUID()}`,
    kind: 'settlement_differs',
    gateway: 'midtrans',
    reference: 'R-1',
    paymentId: payment.id,
    invoiceId: payment.invoice.id,
    companyId,
    amount: rupiah(-5),
    facts: { heldMinor: '7', position: 3 },
    at: MONDAY,
  });
  const written = async (key: string) => {
    const { id, owner_id, key: _key, ...row } = await db('payment_cases').where({ key }).first();
    const { id: _event, key: _same, recorded_at, ...event } = await db('events').where({ key }).first();
    assert.ok(id && owner_id && recorded_at);
    return { row, event };
  };

  it('are the same as those that are opened one by one, event and all', async () => {
    const [alone, together] = [aCase(), aCase()];
    await openPaymentCase(db, alone);
    await openPaymentCases(db, [together]);
    assert.deepEqual(await written(together.key), await written(alone.key));
  });

  it('are opened once for each key', async () => {
    const [known, fresh] = [aCase(), aCase()];
    await openPaymentCase(db, known);
    await openPaymentCases(db, [{ ...known, reference: 'other' }, fresh]);
    await openPaymentCases(db, [known, fresh]);
    const found = await db('payment_cases')
      .whereIn('key', [known.key, fresh.key])
      .orderBy('opened_at')
      .select('reference');
    assert.deepEqual(found, [{ reference: 'R-1' }, { reference: 'R-1' }]);
  });

  it('are dealt out among those who work in finance', async () => {
    await aUser(db, 'finance');
    const cases = Array.from({ length: 40 }, aCase);
    await openPaymentCases(db, cases);
    const shares: { count: bigint }[] = await db('payment_cases')
      .whereIn(
        'key',
        cases.map(({ key }) => key),
      )
      .groupBy('owner_id')
      .count();
    const people = (await db('users').whereRaw(`status = 'active' and roles @> array['finance']`)).length;
    assert.ok(people >= 2);
    assert.deepEqual(
      shares.map(({ count }) => Number(count)).toSorted(),
      Array.from({ length: people }, () => 40 / people),
    );
  });
});
