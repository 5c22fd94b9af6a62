import assert from 'node:assert/strict';
import { applyToInvoice, lapseInvoice } from '../../db/invoice-payments.ts';
import { invoiceOf, issueInvoice } from '../../db/invoices.ts';
import { letterFacts } from '../../db/letters.ts';
import { type VoidInvoice, voidInvoice } from '../../db/voided-invoices.ts';
import { feeLines } from '../../domain/fees.ts';
import type { ApplicationId, CompanyId, InvoiceId, UserId } from '../../domain/ids.ts';
import { rupiah } from '../../domain/money.ts';
import { aCompany, aLicenseType, anApplication, aUser, type LicenseTypeRow, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const WEDNESDAY = '2026-03-04T02:00:00.000Z';

describe('voiding an invoice', () => {
  let database: TestDatabase;
  let owner: UserId;
  let finance: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    const { db } = database;
    [owner, finance] = [await aUser(db, 'owner'), await aUser(db, 'finance')];
    companyId = await aCompany(db, owner);
    type = await aLicenseType(db);
  });
  after(() => database?.drop());

  const issued = async (): Promise<{ applicationId: ApplicationId; invoiceId: InvoiceId; number: string }> => {
    const applicationId = await anApplication(database.db, {
      companyId,
      type,
      applicantId: owner,
      state: 'pending_payment',
    });
    const lines = feeLines(type.policy.fee).map((line) =>
      line.kind === 'service' ? { ...line, discount: rupiah(20_000) } : line,
    );
    const dueAt = '2026-03-09T02:00:00.000Z';
    await database.db.transaction((tx) => issueInvoice(tx, { applicationId, lines, at: MONDAY, dueAt }));
    return { applicationId, ...(await invoiceOf(database.db, applicationId)) };
  };
  const voided = (invoiceId: InvoiceId, changes: Partial<VoidInvoice> = {}) =>
    database.db.transaction((tx) =>
      voidInvoice(tx, {
        invoiceId,
        by: finance,
        reason: 'wrong fee',
        replace: true,
        lines: null,
        at: WEDNESDAY,
        ...changes,
      }),
    );
  const pay = (invoiceId: InvoiceId) =>
    database.db.transaction((tx) => applyToInvoice(tx, { invoiceId, amountMinor: 1_000_000n, at: MONDAY }));
  const row = (id: InvoiceId) => database.db('invoices').where({ id }).first();
  const events = (applicationId: ApplicationId) =>
    database.db('events').where({ application_id: applicationId }).orderBy('id').select('type', 'actor_id', 'data');
  const balances = async (id: InvoiceId): Promise<Record<string, bigint>> => {
    const found: { account: string; balance: bigint }[] = await database
      .db('ledger_postings as p')
      .join('ledger_entries as e', 'e.id', 'p.entry_id')
      .where('e.invoice_id', id)
      .groupBy('p.account')
      .select({ account: 'p.account', balance: database.db.raw('sum(p.amount_minor)::bigint') });
    return Object.fromEntries(found.map(({ account, balance }) => [account, balance]));
  };

  it('puts the same one in its place, with a number of its own, due anew; only that one counts', async () => {
    const old = await issued();
    const { state, replacement } = await voided(old.invoiceId);
    assert.equal(state, 'void');
    assert.ok(replacement);
    assert.equal(replacement.dueAt, '2026-03-11T02:00:00.000Z');
    const living = await invoiceOf(database.db, old.applicationId);
    assert.deepEqual([living.invoiceId, living.dueAt.toISOString()], [replacement.invoiceId, replacement.dueAt]);
    assert.notEqual(living.number, old.number);
    const [was, is] = [await row(old.invoiceId), await row(replacement.invoiceId)];
    assert.deepEqual(
      [was.state, was.void_reason, is.state, is.replaces_id],
      ['void', 'wrong fee', 'open', old.invoiceId],
    );
    assert.deepEqual([is.total_minor, is.subtotal_minor], [was.total_minor, was.subtotal_minor]);
    const lines = (id: InvoiceId) =>
      database
        .db('invoice_lines')
        .where({ invoice_id: id })
        .orderBy('position')
        .select('code', 'net_minor', 'discount_minor');
    assert.deepEqual(await lines(replacement.invoiceId), await lines(old.invoiceId));
    const facts = await letterFacts(database.db, owner, old.applicationId);
    assert.equal(facts.invoiceNumber, living.number, 'letters speak of the one that counts');
  });

  it('charges in its place what it is told to', async () => {
    const old = await issued();
    const { replacement } = await voided(old.invoiceId, { lines: [{ code: 'service_fee', amountMinor: '50000' }] });
    assert.ok(replacement);
    const { total_minor, tax_minor } = await row(replacement.invoiceId);
    assert.deepEqual([total_minor, tax_minor], [55_500n, 5_500n]);
  });

  it('takes its claim out of the books and tells of it, the reason left to the record', async () => {
    const old = await issued();
    await voided(old.invoiceId, { replace: false });
    assert.deepEqual(Object.values(await balances(old.invoiceId)), [0n, 0n, 0n, 0n]);
    const [, said, ...more] = await events(old.applicationId);
    assert.deepEqual([said?.type, said?.actor_id, said?.data], ['invoice.voided', finance, { replaced: false }]);
    assert.deepEqual(more, []);
    await assert.rejects(invoiceOf(database.db, old.applicationId), /has no invoice/);
  });

  it('happens once, though it is asked for twice, and at once', async () => {
    const { invoiceId, applicationId } = await issued();
    const answers = await Promise.all([voided(invoiceId), voided(invoiceId), voided(invoiceId)]);
    const again = await voided(invoiceId, { lines: [{ code: 'service_fee', amountMinor: '1' }] });
    assert.equal(new Set([...answers, again].map(({ replacement }) => replacement?.invoiceId)).size, 1);
    assert.deepEqual(
      (await events(applicationId)).map(({ type: what }) => what),
      ['invoice.issued', 'invoice.voided', 'invoice.issued'],
    );
  });

  it('is refused once it was paid, in part or whole, or has lapsed: then it stays what it is', async () => {
    const [paid, part, lapsed] = [await issued(), await issued(), await issued()];
    await pay(paid.invoiceId);
    await database.db.transaction((tx) =>
      applyToInvoice(tx, { invoiceId: part.invoiceId, amountMinor: 1n, at: MONDAY }),
    );
    await database.db.transaction((tx) => lapseInvoice(tx, lapsed.invoiceId, WEDNESDAY));
    for (const [{ invoiceId }, state] of [
      [paid, 'paid'],
      [part, 'open'],
      [lapsed, 'lapsed'],
    ] as const) {
      assert.deepEqual(await voided(invoiceId), { state, replacement: null });
      assert.equal((await row(invoiceId)).state, state);
    }
  });

  it('and paying at once: one of them wins, and the other learns of it', async () => {
    const bills = await Promise.all(Array.from({ length: 10 }, issued));
    const outcomes = await Promise.all(
      bills.map(async ({ invoiceId }) => {
        const paying = pay(invoiceId);
        return { invoiceId, outcome: await voided(invoiceId), paid: await paying };
      }),
    );
    for (const { invoiceId, outcome } of outcomes) {
      const { state } = await row(invoiceId);
      assert.equal(outcome.state, state);
      assert.equal(outcome.replacement !== null, state === 'void');
    }
  });

  it('can be done to the one in its place as well', async () => {
    const first = await issued();
    const second = (await voided(first.invoiceId)).replacement;
    assert.ok(second);
    const third = (await voided(second.invoiceId)).replacement;
    assert.equal((await invoiceOf(database.db, first.applicationId)).invoiceId, third?.invoiceId);
  });
});
