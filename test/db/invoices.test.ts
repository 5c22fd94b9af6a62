import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import {
  attachInvoicePdf,
  invoiceOf,
  issueInvoice,
  lapseInvoice,
  lockInvoice,
  markInvoicePaid,
} from '../../db/invoices.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { InvoiceLineInput } from '../../domain/invoicing.ts';
import { rupiah } from '../../domain/money.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  anInvoice,
  aUser,
  hashOf,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const LINES: InvoiceLineInput[] = [
  { code: 'statutory_fee', description: { id: 'Retribusi', en: 'Fee' }, kind: 'statutory', net: rupiah(250_000) },
  { code: 'service_fee', description: { id: 'Jasa', en: 'Service' }, kind: 'service', net: rupiah(100_000) },
];
const DUE = '2026-03-09T02:00:00.000Z';

describe('issuing an invoice', () => {
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

  const approved = () => anApplication(database.db, { companyId, type, applicantId: owner, state: 'pending_payment' });
  const issueIn = async (tx: Knex, applicationId: ApplicationId, at = MONDAY) => {
    await issueInvoice(tx, { applicationId, lines: LINES, at, dueAt: DUE });
    return invoiceOf(tx, applicationId);
  };
  const issue = (id: ApplicationId, at?: string) => database.db.transaction((tx) => issueIn(tx, id, at));
  const numbers = (year: number, from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `INV/${year}/${String(from + index).padStart(6, '0')}`);

  it('gives twenty cases at once the numbers 1 to 20, without a gap', async () => {
    const cases = await Promise.all(Array.from({ length: 20 }, approved));
    const issued = await Promise.all(cases.map((id) => issue(id)));
    assert.deepEqual(issued.map(({ number }) => number).toSorted(), numbers(2026, 1, 20));
  });

  it('gives a case one invoice with one number, though twenty try at once and one later', async () => {
    const id = await approved();
    const issued = await Promise.all(Array.from({ length: 20 }, () => issue(id)));
    issued.push(await issue(id));
    assert.deepEqual(new Set(issued.map(({ number }) => number)), new Set(numbers(2026, 21, 1)));
    assert.equal(new Set(issued.map(({ invoiceId }) => invoiceId)).size, 1);
    assert.equal((await issue(await approved())).number, numbers(2026, 22, 1)[0]);
  });

  it('leaves no gap when the transaction around it rolls back', async () => {
    const [undone, kept] = [await approved(), await approved()];
    let number = '';
    const rolledBack = database.db.transaction(async (tx) => {
      ({ number } = await issueIn(tx, undone));
      throw new Error('the rest failed');
    });
    await assert.rejects(rolledBack, /the rest failed/);
    assert.match(number, /^INV\/2026\/0000\d\d$/);
    assert.equal((await issue(kept)).number, number);
    assert.notEqual((await issue(undone)).number, number);
  });

  it("counts by the year on the office's own clock", async () => {
    const newYearInJakarta = '2026-12-31T17:30:00.000Z';
    assert.equal((await issue(await approved(), newYearInJakarta)).number, 'INV/2027/000001');
  });

  it('taxes the service and not the statutory fee, and tells the case when to pay', async () => {
    const id = await approved();
    const { invoiceId } = await issue(id);
    const row = await database
      .db('invoices')
      .where({ id: invoiceId })
      .first('subtotal_minor', 'tax_minor', 'total_minor', 'state');
    assert.deepEqual(row, { subtotal_minor: 350_000n, tax_minor: 11_000n, total_minor: 361_000n, state: 'open' });
    const lines = await database
      .db('invoice_lines')
      .where({ invoice_id: invoiceId })
      .orderBy('position')
      .select('code', 'tax_minor');
    assert.deepEqual(lines, [
      { code: 'statutory_fee', tax_minor: 0n },
      { code: 'service_fee', tax_minor: 11_000n },
    ]);
    assert.deepEqual(await database.db('applications').where({ id }).first('due_at'), { due_at: new Date(DUE) });
  });

  it('for a case that does not exist is an error and takes no number', async () => {
    const before = await database.db('counters').select();
    await assert.rejects(issue(await aMissingCase()), /does not exist/);
    assert.deepEqual(await database.db('counters').select(), before);
  });
  const aMissingCase = async (): Promise<ApplicationId> => {
    const id = await approved();
    await database.db('applications').where({ id }).delete();
    return id;
  };

  describe('afterwards', () => {
    it('it lapses when nobody paid, and not when somebody has', async () => {
      const [open, paid] = [await anInvoice(database.db, { companyId }), await anInvoice(database.db, { companyId })];
      await markInvoicePaid(database.db, paid, MONDAY);
      const lapse = (id: typeof open) => database.db.transaction((tx) => lapseInvoice(tx, id));
      assert.deepEqual([await lapse(open), await lapse(open), await lapse(paid)], ['lapsed', 'lapsed', 'paid']);
    });

    it('is not paid any more once it has lapsed', async () => {
      const id = await anInvoice(database.db, { companyId, state: 'lapsed' });
      await markInvoicePaid(database.db, id, MONDAY);
      assert.deepEqual(await database.db('invoices').where({ id }).first('state', 'paid_at'), {
        state: 'lapsed',
        paid_at: null,
      });
    });

    it('whoever judges money holds it, so that it cannot lapse meanwhile', async () => {
      const id = await anInvoice(database.db, { companyId });
      const order: string[] = [];
      let lapsing: Promise<unknown> | undefined;
      await database.db.transaction(async (tx) => {
        await lockInvoice(tx, id);
        lapsing = database.db.transaction((other) => lapseInvoice(other, id)).then((state) => order.push(state));
        await waitingForLock(id);
        await markInvoicePaid(tx, id, MONDAY);
        order.push('judged');
      });
      await lapsing;
      assert.deepEqual(order, ['judged', 'paid']);
    });

    it('keeps the first PDF that was stored', async () => {
      const id = await anInvoice(database.db, { companyId });
      const stored = await Promise.all(
        ['a', 'b', 'c'].map((content) => attachInvoicePdf(database.db, id, hashOf(content))),
      );
      assert.equal(new Set(stored).size, 1);
      assert.equal(await attachInvoicePdf(database.db, id, hashOf('later')), stored[0]);
    });
  });

  /** Until another session of this database waits for a row. */
  const waitingForLock = async (id: string): Promise<void> => {
    await eventually(`somebody to wait for ${id}`, async () => {
      const { rows }: { rows: unknown[] } = await database.db.raw(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
  };
});
