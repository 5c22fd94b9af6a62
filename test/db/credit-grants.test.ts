import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { createCreditExpiryActivities } from '../../activities/credit-expiry.ts';
import { grantCredit, grantsOf } from '../../db/credit-grants.ts';
import { payWithCredit } from '../../db/credit-payments.ts';
import { lapseInvoice } from '../../db/invoice-payments.ts';
import { postEntry } from '../../db/ledger.ts';
import { checkLedger } from '../../db/ledger-check.ts';
import { creditIn } from '../../db/store-credit.ts';
import type { CompanyId, UserId } from '../../domain/ids.ts';
import { suspenseReleased } from '../../domain/ledger.ts';
import { rupiah } from '../../domain/money.ts';
import { aBookedInvoice } from '../builders/books.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY = 86_400_000;

describe('credit that ends', () => {
  let database: TestDatabase;
  let db: Knex;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
  });
  after(() => database?.drop());

  const START = Date.parse('2026-01-31T00:00:00Z');
  const day = (n: number) => new Date(START + n * DAY).toISOString();
  const company = async (): Promise<{ companyId: CompanyId; by: UserId }> => {
    const by = await aUser(db, 'owner');
    return { companyId: await aCompany(db, by), by };
  };
  /** @param months null = it never ends */
  const give = (companyId: CompanyId, amount: bigint, months: number | null, at = day(0)) =>
    db.transaction(async (tx) => {
      const key = `test/${randomUUID()}`;
      const entry = { currency: 'IDR', companyId, at } as const;
      const postings = [
        { account: 'bank', amountMinor: amount },
        { account: 'suspense', amountMinor: -amount },
      ] as const;
      await postEntry(tx, { ...entry, key: `${key}/in`, kind: 'settlement_adjusted', postings });
      await postEntry(tx, {
        ...entry,
        key,
        kind: 'suspense_released',
        postings: suspenseReleased(amount, 'store_credit'),
      });
      if (months === null) return;
      const grant = { companyId, key, amount: rupiah(amount), expiresAfterMonths: months, at };
      assert.equal(await grantCredit(tx, grant), true);
      assert.equal(await grantCredit(tx, grant), false, 'the same one is granted once');
    });
  const spend = async ({ companyId, by }: { companyId: CompanyId; by: UserId }, key = 'test') => {
    const { id: invoiceId } = await aBookedInvoice(db, companyId);
    const paid = await db.transaction((tx) => payWithCredit(tx, { invoiceId, key, by, at: day(1) }));
    return { invoiceId, ...paid };
  };
  const left = async (companyId: CompanyId) => (await grantsOf(db, companyId)).map((grant) => grant.left.amountMinor);
  const balance = async (companyId: CompanyId) => (await creditIn(db, companyId, 'IDR')).amountMinor;
  const runs = () => createCreditExpiryActivities({ db });
  const letters = (companyId: CompanyId) =>
    db('account_letters as l')
      .join('company_members as m', 'm.user_id', 'l.user_id')
      .where('m.company_id', companyId)
      .whereLike('l.template', 'credit_%')
      .orderBy('l.created_at')
      .pluck<string[]>('l.template');
  const grantsProof = async () => {
    const found = (await checkLedger(db)).proofs.find(({ name }) => name === 'credit_grants');
    assert.ok(found, 'the ledger check proves the grants');
    return found.findings;
  };

  it('ends so many months later, at the last day of a month that has no such day', async () => {
    const { companyId } = await company();
    await give(companyId, 1_000n, 1);
    assert.equal((await grantsOf(db, companyId))[0]?.expiresAt.toISOString(), '2026-02-28T00:00:00.000Z');
  });

  it('is spent first that ends first, and last what never ends', async () => {
    const buyer = await company();
    await give(buyer.companyId, 300_000n, null);
    await give(buyer.companyId, 50_000n, 12);
    await give(buyer.companyId, 20_000n, 1);
    // An invoice of Rp361.000.
    assert.equal((await spend(buyer)).appliedMinor, 361_000n);
    assert.deepEqual([await left(buyer.companyId), await balance(buyer.companyId)], [[], 9_000n]);
    assert.deepEqual(await grantsProof(), []);
  });

  it('goes back to where it was taken from when the invoice is closed, and can be spent for 30 days more', async () => {
    const buyer = await company();
    await give(buyer.companyId, 50_000n, 12);
    await give(buyer.companyId, 20_000n, 1);
    const { invoiceId } = await spend(buyer);
    assert.deepEqual(await left(buyer.companyId), []);
    await db.transaction((tx) => lapseInvoice(tx, invoiceId, day(100)));
    assert.deepEqual([await left(buyer.companyId), await balance(buyer.companyId)], [[20_000n, 50_000n], 70_000n]);
    assert.equal((await grantsOf(db, buyer.companyId))[0]?.expiresAt.toISOString(), day(130));
    assert.deepEqual(await grantsProof(), []);
  });

  it('is never spent twice, however many pay at once', async () => {
    const buyer = await company();
    await give(buyer.companyId, 500_000n, 12);
    const paid = await Promise.all(Array.from({ length: 6 }, (_, i) => spend(buyer, `k${i}`)));
    const sum = paid.reduce((total, { appliedMinor }) => total + appliedMinor, 0n);
    assert.deepEqual([sum, await left(buyer.companyId), await balance(buyer.companyId)], [500_000n, [], 0n]);
    assert.deepEqual(await grantsProof(), []);
  });

  it('is told of 30 days before, ends once, leaves the books, and is told of again', async () => {
    const { companyId } = await company();
    await give(companyId, 10_000n, 2);
    const { warnOfCredit, expireCredit } = runs();
    const all = { limit: 1_000 };
    await warnOfCredit({ at: day(20), ...all });
    assert.deepEqual(await letters(companyId), []);
    await warnOfCredit({ at: day(35), ...all });
    await warnOfCredit({ at: day(36), ...all });
    assert.deepEqual(await letters(companyId), ['credit_expiring']);
    await expireCredit({ at: day(58), ...all });
    assert.equal(await balance(companyId), 10_000n);
    await expireCredit({ at: day(60), ...all });
    await expireCredit({ at: day(61), ...all });
    assert.deepEqual([await left(companyId), await balance(companyId)], [[], 0n]);
    assert.deepEqual((await letters(companyId)).toSorted(), ['credit_expired', 'credit_expiring']);
    const events = await db('events').where({ company_id: companyId, type: 'store_credit.expired' });
    assert.equal(events.length, 1);
    for (const { name, findings } of (await checkLedger(db)).proofs)
      if (name !== 'numbers') assert.deepEqual(findings, [], name);
  });

  it('ends for nobody who was not told a day before, however late the run', async () => {
    const { companyId } = await company();
    await give(companyId, 10_000n, 1);
    const { warnOfCredit, expireCredit } = runs();
    await expireCredit({ at: day(200), limit: 1_000 });
    assert.equal(await balance(companyId), 10_000n);
    await warnOfCredit({ at: day(200), limit: 1_000 });
    await expireCredit({ at: day(200.5), limit: 1_000 });
    assert.equal(await balance(companyId), 10_000n);
    await expireCredit({ at: day(201), limit: 1_000 });
    assert.equal(await balance(companyId), 0n);
  });

  it('shows in the ledger check where more is granted than there is', async () => {
    const { companyId } = await company();
    await give(companyId, 10_000n, 1);
    await db('credit_grants').where({ company_id: companyId }).update({ amount_minor: 10_001n, left_minor: 10_001n });
    assert.deepEqual(
      (await grantsProof()).map(({ subject }) => subject),
      [`company ${companyId}`],
    );
  });
});
