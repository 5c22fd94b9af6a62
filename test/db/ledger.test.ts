import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from '../../db/connection.ts';
import { type NewEntry, postEntries, postEntry } from '../../db/ledger.ts';
import { accountBalances, listEntries, tracePayment } from '../../db/ledger-reads.ts';
import { asId, type CompanyId, type PaymentId } from '../../domain/ids.ts';
import { captured, type Posting, settled } from '../../domain/ledger.ts';
import { aBookedInvoice, aBookedRefund, aCapture, TOTAL } from '../builders/books.ts';
import { aCompany, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const entry = (changes: Partial<NewEntry> = {}): NewEntry => ({
  key: `test/${randomUUID()}`,
  kind: 'captured',
  currency: 'IDR',
  postings: captured(TOTAL, 0n),
  at: MONDAY,
  ...changes,
});

describe('the ledger', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    db = database.db;
    companyId = await aCompany(db, await aUser(db, 'owner'));
  });
  after(() => database?.drop());

  const postingsOf = async (key: string): Promise<Posting[]> => {
    const found: { account: Posting['account']; amount_minor: bigint }[] = await db('ledger_postings as p')
      .join('ledger_entries as e', 'e.id', 'p.entry_id')
      .where('e.key', key)
      .orderBy('p.account')
      .select('p.account', 'p.amount_minor');
    return found.map(({ account, amount_minor }) => ({ account, amountMinor: amount_minor }));
  };
  const bare = async (tx: Knex): Promise<string> => {
    const row = { key: `test/${randomUUID()}`, kind: 'captured', currency: 'IDR', occurred_at: MONDAY };
    const [made]: { id: bigint }[] = await tx('ledger_entries').insert(row).returning('id');
    return String(made?.id);
  };
  const posting = (entryId: string, account: string, amount: number) => ({
    entry_id: entryId,
    account,
    amount_minor: amount,
  });

  describe('takes', () => {
    it('an entry with its postings in one statement, and nothing for nothing', async () => {
      const one = entry({ gateway: 'midtrans', companyId });
      await postEntry(db, one);
      assert.deepEqual(await postingsOf(one.key), [
        { account: 'gateway_clearing', amountMinor: TOTAL },
        { account: 'suspense', amountMinor: -TOTAL },
      ]);
      const nothing = entry({ postings: [] });
      await postEntry(db, nothing);
      await postEntries(db, [nothing]);
      assert.equal((await db('ledger_entries').where({ key: nothing.key })).length, 0);
    });

    it('many at once, each with its own postings and in their order', async () => {
      const many = Array.from({ length: 4_500 }, (_, n) => entry({ postings: settled(BigInt(n + 10), 3n) }));
      await db.transaction((tx) => postEntries(tx, many));
      const rows: { key: string; bank: bigint }[] = await db('ledger_entries as e')
        .join('ledger_postings as p', 'p.entry_id', 'e.id')
        .where('p.account', 'bank')
        .whereIn(
          'e.key',
          many.map(({ key }) => key),
        )
        .orderBy('e.id')
        .select({ key: 'e.key', bank: 'p.amount_minor' });
      assert.deepEqual(
        rows,
        many.map(({ key }, n) => ({ key, bank: BigInt(n + 7) })),
      );
    });

    it('none under a key that it has, and then none of the others either', async () => {
      const [first, second] = [entry(), entry()];
      await postEntry(db, first);
      await assert.rejects(postEntry(db, first), /ledger_entries_key_key/);
      await assert.rejects(
        db.transaction((tx) => postEntries(tx, [second, first])),
        /ledger_entries_key_key/,
      );
      assert.deepEqual(await postingsOf(second.key), []);
    });
  });

  describe('refuses, whoever writes to it', () => {
    it('an entry without postings, at the end of its transaction', async () => {
      let written = false;
      const attempt = db.transaction(async (tx) => {
        await bare(tx);
        written = true;
      });
      await assert.rejects(attempt, /is off balance: 0 over 0 postings/);
      assert.ok(written, 'it was refused at the commit');
    });

    it('postings that do not balance, and one that stands alone', async () => {
      for (const amounts of [[5, -4], [5]]) {
        const attempt = db.transaction(async (tx) => {
          const id = await bare(tx);
          await tx('ledger_postings').insert(
            amounts.map((amount, n) => posting(id, ['bank', 'suspense'][n] ?? '', amount)),
          );
        });
        await assert.rejects(attempt, /off balance/);
      }
      const off = entry({ postings: [{ account: 'bank', amountMinor: 1n }] });
      await assert.rejects(postEntry(db, off), /off balance/);
      await assert.rejects(postEntries(db, [entry(), off]), /off balance/);
    });

    it('what does not balance once more, at the commit, should the check of the statement be gone', async () => {
      const attempt = db.transaction(async (tx) => {
        await tx.raw('alter table ledger_postings disable trigger ledger_postings_own_entry');
        const id = await bare(tx);
        await tx('ledger_postings').insert([posting(id, 'bank', 5), posting(id, 'suspense', -4)]);
      });
      await assert.rejects(attempt, /is off balance: 1 over 2 postings/);
    });

    it('a posting that is added after the balance was looked at, in the same transaction', async () => {
      const attempt = db.transaction(async (tx) => {
        const one = entry();
        await postEntry(tx, one);
        await tx.raw('set constraints all immediate');
        const row: { id: bigint } | undefined = await tx('ledger_entries').where({ key: one.key }).first('id');
        await tx('ledger_postings').insert(posting(String(row?.id), 'bank', 5));
      });
      await assert.rejects(attempt, /write all of them in one statement/);
    });

    it('postings to an entry of another transaction, though they balance', async () => {
      const one = entry();
      await postEntry(db, one);
      const row: { id: bigint } | undefined = await db('ledger_entries').where({ key: one.key }).first('id');
      const added = ['bank', 'vat'].map((account, n) => posting(String(row?.id), account, n === 0 ? 5 : -5));
      await assert.rejects(db('ledger_postings').insert(added), /closed with its transaction/);
    });

    it('any change of what is written', async () => {
      await postEntry(db, entry());
      for (const table of ['ledger_entries', 'ledger_postings']) {
        const column = table === 'ledger_entries' ? { kind: 'settled' } : { amount_minor: 1 };
        await assert.rejects(async () => await db(table).update(column), /is append-only/, `update ${table}`);
        await assert.rejects(async () => await db(table).delete(), /is append-only/, `delete ${table}`);
        await assert.rejects(
          async () => await db.raw(`truncate ${table} cascade`),
          /is append-only/,
          `truncate ${table}`,
        );
      }
    });

    it('a currency that the office does not take, and a posting of nothing', async () => {
      await assert.rejects(
        db.raw(`insert into ledger_entries (key, kind, currency, occurred_at) values ('x', 'settled', 'USD', now())`),
        /ledger_entries_currency_check/,
      );
      await assert.rejects(
        postEntry(db, entry({ postings: [{ account: 'bank', amountMinor: 0n }] })),
        /ledger_postings_amount_minor_check/,
      );
    });
  });

  describe('is read', () => {
    it('as a trial balance, now and as of a time, each currency by itself', async () => {
      const early = '2001-01-01T00:00:00.000Z';
      await postEntry(db, entry({ at: early, currency: 'MYR', postings: captured(1_250n, 0n) }));
      await postEntry(db, entry({ at: '2001-01-02T00:00:00.000Z', currency: 'MYR', postings: settled(1_250n, 50n) }));
      assert.deepEqual(await accountBalances(db, new Date(early)), [
        { currency: 'MYR', account: 'gateway_clearing', debitMinor: 1_250n, creditMinor: 0n },
        { currency: 'MYR', account: 'suspense', debitMinor: 0n, creditMinor: 1_250n },
      ]);
      const now = await accountBalances(db, null);
      for (const currency of ['IDR', 'MYR']) {
        const of = now.filter((one) => one.currency === currency);
        assert.equal(
          of.reduce((sum, { debitMinor, creditMinor }) => sum + debitMinor - creditMinor, 0n),
          0n,
        );
      }
      const clearing = now.find(({ currency, account }) => currency === 'MYR' && account === 'gateway_clearing');
      assert.deepEqual([clearing?.debitMinor, clearing?.creditMinor], [1_250n, 1_250n]);
    });

    it('entry by entry, newest first, by what they are about; two statements for a page, however long', async () => {
      const invoice = await aBookedInvoice(db, companyId);
      const payment = await aCapture(db, invoice);
      const refundId = await aBookedRefund(db, payment, { amount: 50_000n, state: 'succeeded' });
      const kinds = async (filter: Parameters<typeof listEntries>[1]) =>
        (await listEntries(db, filter, { after: null, limit: 50 })).map(({ kind }) => kind);
      assert.deepEqual(await kinds({ invoiceId: invoice.id }), [
        'refund_paid',
        'refund_reserved',
        'captured',
        'invoice_issued',
      ]);
      assert.deepEqual(await kinds({ paymentId: payment.id }), ['refund_paid', 'refund_reserved', 'captured']);
      assert.deepEqual(await kinds({ refundId }), ['refund_paid', 'refund_reserved']);
      assert.deepEqual(await kinds({ invoiceId: invoice.id, account: 'receivable' }), ['captured', 'invoice_issued']);

      let statements = 0;
      const count = () => {
        statements += 1;
      };
      db.on('query', count);
      const all = await listEntries(db, {}, { after: null, limit: 50 }).finally(() =>
        db.removeListener('query', count),
      );
      assert.deepEqual([all.length, statements], [50, 2]);
      assert.ok(all.every(({ postings }) => postings.length >= 2));
      const last = all[24];
      assert.ok(last);
      const rest = await listEntries(db, {}, { after: { at: last.occurredAt, id: String(last.id) }, limit: 25 });
      assert.deepEqual(
        rest.map(({ id }) => id),
        all.slice(25).map(({ id }) => id),
      );
    });

    it('along the path of one payment, and of none that is not there', async () => {
      const invoice = await aBookedInvoice(db, companyId);
      const payment = await aCapture(db, invoice);
      const refundId = await aBookedRefund(db, payment, { amount: 50_000n, state: 'reserved' });
      const found = await tracePayment(db, payment.id);
      assert.deepEqual([found?.invoice.number, found?.payment.reference], [invoice.number, payment.reference]);
      assert.deepEqual(
        found?.refunds.map(({ id, state, amount }) => [id, state, amount.amountMinor]),
        [[refundId, 'reserved', 50_000n]],
      );
      assert.deepEqual(
        found?.entries.map(({ kind }) => kind),
        ['invoice_issued', 'captured', 'refund_reserved'],
      );
      assert.equal(await tracePayment(db, asId<PaymentId>(randomUUID())), null);
    });
  });
});
