import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { applyToInvoice, lapseInvoice } from '../../db/invoice-payments.ts';
import { invoiceOf, issueInvoice, issueSubscriptionInvoice, lockInvoice } from '../../db/invoices.ts';
import { postEntry } from '../../db/ledger.ts';
import { attachPdf } from '../../db/papers.ts';
import type { ApplicationId, CompanyId, InvoiceId, UserId } from '../../domain/ids.ts';
import type { InvoiceLineInput } from '../../domain/invoicing.ts';
import { captured } from '../../domain/ledger.ts';
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
import { aSubscriptionInvoice, PLAN_TOTAL, planLine } from '../builders/subscription-invoices.ts';
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
  const pay = (tx: Knex, id: InvoiceId) => applyToInvoice(tx, { invoiceId: id, amountMinor: 361_000n, at: MONDAY });
  const issue = (id: ApplicationId, at?: string) => database.db.transaction((tx) => issueIn(tx, id, at));
  const numbers = (year: number, from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `INV/${year}/${String(from + index).padStart(6, '0')}`);

  it('gives twenty cases at once the numbers 1 to 20, without a gap', async () => {
    const cases = await Promise.all(Array.from({ length: 20 }, approved));
    const issued = await Promise.all(cases.map((id) => issue(id)));
    assert.deepEqual(issued.map(({ number }) => number).toSorted(), numbers(2026, 1, 20));
  });

  it('leaves neither gap nor double when two hundred are issued at once, a quarter rolls back, and others are paid', async () => {
    const from = await issued();
    const [cases, bills] = [await Promise.all(Array.from({ length: 200 }, approved)), await somePayable(20)];
    const paying = bills.map((id) => database.db.transaction((tx) => pay(tx, id)));
    const issuing = cases.map((id, index) =>
      database.db.transaction(async (tx) => {
        const { number } = await issueIn(tx, id);
        if (index % 4 === 0) throw new Error('rolled back');
        return number;
      }),
    );
    const [outcomes] = [await Promise.allSettled(issuing), await Promise.all(paying)];
    const kept = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    assert.deepEqual(kept.toSorted(), numbers(2026, from + 1, 150));
  });
  const issued = async (): Promise<number> => {
    const counter: { value: bigint } | undefined = await database
      .db('counters')
      .where({ name: 'invoice/2026' })
      .first();
    return Number(counter?.value ?? 0n);
  };
  const somePayable = async (count: number) => {
    const ids = [];
    for (let i = 0; i < count; i++) ids.push((await issue(await approved(), '2025-06-02T02:00:00.000Z')).invoiceId);
    return ids;
  };

  it('gives a case one invoice with one number, though twenty try at once and one later', async () => {
    const [id, before] = [await approved(), await issued()];
    const found = await Promise.all(Array.from({ length: 20 }, () => issue(id)));
    found.push(await issue(id));
    assert.deepEqual(new Set(found.map(({ number }) => number)), new Set(numbers(2026, before + 1, 1)));
    assert.equal(new Set(found.map(({ invoiceId }) => invoiceId)).size, 1);
    assert.equal((await issue(await approved())).number, numbers(2026, before + 2, 1)[0]);
  });

  it('leaves no gap when the transaction around it rolls back', async () => {
    const [undone, kept] = [await approved(), await approved()];
    let number = '';
    const rolledBack = database.db.transaction(async (tx) => {
      ({ number } = await issueIn(tx, undone));
      throw new Error('the rest failed');
    });
    await assert.rejects(rolledBack, /the rest failed/);
    assert.match(number, /^INV\/2026\/000\d\d\d$/);
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

  it('claims its total in the books: fees, service and tax each on their account', async () => {
    const { invoiceId } = await issue(await approved());
    assert.deepEqual(await booked(invoiceId, 'issued'), {
      receivable: 361_000n,
      service_revenue: -100_000n,
      statutory_fees: -250_000n,
      vat: -11_000n,
    });
  });

  it('splits it into the instalments of the policy that the case was submitted under', async () => {
    const instalments = [
      { percent: 33, dueAfterDays: 2 },
      { percent: 67, dueAfterDays: 7 },
    ];
    const payment = {
      remindAfterDays: [3],
      lapseAfterDays: 7,
      instalments,
      oddMoney: { over: 'store_credit' },
    } as const;
    const special = await aLicenseType(database.db, { payment });
    const id = await anApplication(database.db, {
      companyId,
      type: special,
      applicantId: owner,
      state: 'pending_payment',
    });
    const { invoiceId } = await issue(id);
    const parts = await database.db('invoice_instalments').where({ invoice_id: invoiceId }).orderBy('position');
    assert.deepEqual(
      parts.map((part) => [part.amount_minor, part.due_at, part.paid_at]),
      [
        [119_130n, new Date('2026-03-04T02:00:00.000Z'), null],
        [241_870n, new Date(DUE), null],
      ],
    );
    const row = await database.db('invoices').where({ id: invoiceId }).first('odd_money');
    assert.deepEqual(row, { odd_money: { over: 'store_credit' } });
  });

  it('keeps a discount beside what is charged, and taxes only that', async () => {
    const [id, at] = [await approved(), MONDAY];
    const lines = LINES.filter(({ kind }) => kind === 'service').map((line) => ({ ...line, discount: rupiah(40_000) }));
    await database.db.transaction((tx) => issueInvoice(tx, { applicationId: id, lines, at, dueAt: DUE }));
    const { invoiceId } = await invoiceOf(database.db, id);
    const stored = await database
      .db('invoice_lines')
      .where({ invoice_id: invoiceId })
      .select('net_minor', 'discount_minor', 'tax_minor');
    assert.deepEqual(stored, [{ net_minor: 60_000n, discount_minor: 40_000n, tax_minor: 6_600n }]);
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
      await database.db.transaction((tx) => pay(tx, paid));
      const lapse = (id: typeof open) => database.db.transaction(async (tx) => (await lapseInvoice(tx, id, DUE)).state);
      assert.deepEqual([await lapse(open), await lapse(open), await lapse(paid)], ['lapsed', 'lapsed', 'paid']);
    });

    it('the books take back all that it claimed once it has lapsed, whatever was paid of it', async () => {
      const [untouched, part] = [await issue(await approved()), await issue(await approved())];
      await database.db.transaction(async (tx) => {
        await postEntry(tx, {
          key: `test/${part.invoiceId}`,
          kind: 'captured',
          currency: 'IDR',
          postings: captured(61_000n, 61_000n),
          invoiceId: part.invoiceId,
          at: MONDAY,
        });
        for (const { invoiceId } of [untouched, part]) await lapseInvoice(tx, invoiceId, DUE);
      });
      const claim = { service_revenue: 100_000n, statutory_fees: 250_000n, vat: 11_000n };
      assert.deepEqual(await booked(untouched.invoiceId, 'closed'), { receivable: -361_000n, ...claim });
      assert.deepEqual(await booked(part.invoiceId, 'closed'), { receivable: -361_000n, ...claim });
    });

    it('is not paid any more once it has lapsed', async () => {
      const id = await anInvoice(database.db, { companyId, state: 'lapsed' });
      await database.db.transaction((tx) => pay(tx, id));
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
        lapsing = database.db
          .transaction((other) => lapseInvoice(other, id, DUE))
          .then(({ state }) => order.push(state));
        await waitingForLock(id);
        await pay(tx, id);
        order.push('judged');
      });
      await lapsing;
      assert.deepEqual(order, ['judged', 'paid']);
    });

    it('keeps the first PDF that was stored', async () => {
      const id = await anInvoice(database.db, { companyId });
      const stored = await Promise.all(
        ['a', 'b', 'c'].map((content) => attachPdf(database.db, 'invoices', id, hashOf(content))),
      );
      assert.equal(new Set(stored).size, 1);
      assert.equal(await attachPdf(database.db, 'invoices', id, hashOf('later')), stored[0]);
    });
  });

  /** What an entry of the invoice posted, by account. */
  const booked = async (id: string, step: string): Promise<Record<string, bigint>> => {
    const rows: { account: string; amount_minor: bigint }[] = await database
      .db('ledger_postings as p')
      .join('ledger_entries as e', 'e.id', 'p.entry_id')
      .where('e.key', `invoice/${id}/${step}`)
      .select('p.account', 'p.amount_minor');
    return Object.fromEntries(rows.map(({ account, amount_minor }) => [account, amount_minor]));
  };

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

describe('issuing an invoice of a subscription', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    // Each company has one subscription at a time.
    companyId = await aCompany(database.db, owner);
  });
  after(() => database?.drop());

  const ofOwn = async () => ({ companyId: await aCompany(database.db, owner), by: owner });
  const numberNow = async (): Promise<bigint> =>
    (await database.db('counters').where({ name: 'invoice/2026' }).first('value'))?.value ?? 0n;

  it('gives one key one invoice with one number, though ten try at once and one later with other lines', async () => {
    const { subscriptionId } = await aSubscriptionInvoice(database.db, { companyId, by: owner });
    const before = await numberNow();
    const issue = (lines = [planLine(100_000)]) =>
      database.db.transaction((tx) =>
        issueSubscriptionInvoice(tx, { subscriptionId, companyId, key: 'term/2', lines, at: MONDAY, dueAt: DUE }),
      );
    const all = await Promise.all(Array.from({ length: 10 }, () => issue()));
    const [first] = all;
    assert.deepEqual(
      [...all, await issue([planLine(7)])],
      Array.from({ length: 11 }, () => first),
    );
    assert.equal(first?.totalMinor, PLAN_TOTAL);
    assert.equal(await numberNow(), before + 1n);
  });

  it("is the first office's, tells the subscription and no case, and is a claim in the books", async () => {
    const { invoiceId, number, subscriptionId } = await aSubscriptionInvoice(database.db, {
      ...(await ofOwn()),
      // Half an hour into 2027 in Jakarta, where the first office is.
      at: '2026-12-31T17:30:00.000Z',
    });
    assert.match(number, /^INV\/2027\//);
    // Still 2026 in Jakarta, and 2027 in the east.
    const at = '2026-12-31T16:00:00.000Z';
    const earlier = await aSubscriptionInvoice(database.db, { ...(await ofOwn()), at });
    assert.match(earlier.number, /^INV\/2026\//);
    const row = await database.db('invoices').where({ id: invoiceId }).first();
    assert.deepEqual([row.application_id, row.subscription_id, row.state], [null, subscriptionId, 'open']);
    const event = await database
      .db('events')
      .where({ subject: `subscription/${subscriptionId}` })
      .first();
    assert.deepEqual([event.type, event.application_id], ['invoice.issued', null]);
    assert.deepEqual(await postingsOf(invoiceId), { receivable: 111_000n, service_revenue: -100_000n, vat: -11_000n });
  });

  it('shows a credit as a line of its own, and claims what is left', async () => {
    const { invoiceId, totalMinor } = await aSubscriptionInvoice(database.db, {
      ...(await ofOwn()),
      lines: [planLine(300_000), planLine(-50_001)],
    });
    assert.equal(totalMinor, 277_499n);
    const lines = await database.db('invoice_lines').where({ invoice_id: invoiceId }).orderBy('position');
    assert.deepEqual(
      lines.map((row) => [row.code, row.net_minor, row.tax_minor]),
      [
        ['plan', 300_000n, 33_000n],
        ['plan_credit', -50_001n, -5_500n],
      ],
    );
    assert.deepEqual(await postingsOf(invoiceId), { receivable: 277_499n, service_revenue: -249_999n, vat: -27_500n });
  });

  it('is not issued, and takes no number, when its credits leave nothing to pay', async () => {
    const before = await numberNow();
    const given = { ...(await ofOwn()), lines: [planLine(50_000), planLine(-50_000)] };
    await assert.rejects(aSubscriptionInvoice(database.db, given), /nothing to pay/);
    assert.equal(await numberNow(), before);
  });

  const postingsOf = async (invoiceId: InvoiceId): Promise<Record<string, bigint>> => {
    const rows: { account: string; amount_minor: bigint }[] = await database
      .db('ledger_postings as p')
      .join('ledger_entries as e', 'e.id', 'p.entry_id')
      .where({ 'e.invoice_id': invoiceId })
      .select('p.account', 'p.amount_minor');
    return Object.fromEntries(rows.map(({ account, amount_minor }) => [account, amount_minor]));
  };
});
