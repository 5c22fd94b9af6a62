import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { attachPdf } from '../../db/papers.ts';
import type { CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aCreditNote,
  aLicenseType,
  anApplication,
  anInvoice,
  aPayment,
  aReceipt,
} from '../builders/licensing.ts';
import { ask, type Problem, problem } from '../builders/requests.ts';
import { aSubscriptionInvoice, planLine } from '../builders/subscription-invoices.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';
import { eventually } from '../support/wait.ts';

describe('invoices over HTTP', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue: `nobody-${randomUUID()}` });
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  const money = (amountMinor: number, formatted: string) => ({ amountMinor, currency: 'IDR', formatted });

  it('show lines, tax and total, in the reader’s language', async () => {
    const id = await anInvoice(database.db, { companyId });
    const { status, body } = await ask<{ lines: object[]; total: object; tax: object; openPayment: null }>(
      api,
      owner,
      'GET',
      `/invoices/${id}`,
    );
    assert.equal(status, 200);
    assert.deepEqual(
      [body.tax, body.total, body.openPayment],
      [money(11_000, 'Rp11.000'), money(361_000, 'Rp361.000'), null],
    );
    assert.deepEqual(body.lines, [
      {
        code: 'statutory',
        description: 'Fee statutory',
        kind: 'statutory',
        net: money(250_000, 'Rp250.000'),
        discount: money(0, 'Rp0'),
        tax: money(0, 'Rp0'),
      },
      {
        code: 'service',
        description: 'Fee service',
        kind: 'service',
        net: money(100_000, 'Rp100.000'),
        discount: money(0, 'Rp0'),
        tax: money(11_000, 'Rp11.000'),
      },
    ]);
  });
  it('show what was paid, what is owed and taken back, and the instalments', async () => {
    const [past, next] = ['2026-03-04T02:00:00.000Z', '2099-03-04T02:00:00.000Z'];
    const id = await anInvoice(database.db, { companyId });
    await database.db('invoices').where({ id }).update({ paid_minor: 61_000, credited_minor: 1_000, due_at: next });
    const read = async () => (await ask(api, owner, 'GET', `/invoices/${id}`)).body;
    assert.deepEqual([(await read())['overdue'], (await read())['instalments']], [false, []]);
    await database.db('invoice_instalments').insert([
      { invoice_id: id, position: 1, amount_minor: 61_000, due_at: past, paid_at: past },
      { invoice_id: id, position: 2, amount_minor: 100_000, due_at: past },
      { invoice_id: id, position: 3, amount_minor: 200_000, due_at: next },
    ]);
    const { paid, outstanding, credited, overdue, instalments, replaces, replacedBy, voidReason } = await read();
    assert.deepEqual(
      { paid, outstanding, credited, overdue, instalments, replaces, replacedBy, voidReason },
      {
        paid: money(61_000, 'Rp61.000'),
        outstanding: money(300_000, 'Rp300.000'),
        credited: money(1_000, 'Rp1.000'),
        overdue: true,
        instalments: [
          { position: 1, amount: money(61_000, 'Rp61.000'), dueAt: past, paidAt: past },
          { position: 2, amount: money(100_000, 'Rp100.000'), dueAt: past, paidAt: null },
          { position: 3, amount: money(200_000, 'Rp200.000'), dueAt: next, paidAt: null },
        ],
        replaces: null,
        replacedBy: null,
        voidReason: null,
      },
    );
  });
  describe('of a subscription', () => {
    const billed = async (lines?: Parameters<typeof aSubscriptionInvoice>[1]['lines']) =>
      aSubscriptionInvoice(database.db, {
        companyId: await aCompany(database.db, owner.id),
        by: owner.id,
        ...(lines ? { lines } : {}),
      });

    it('say which, are found by it, and show what was credited', async () => {
      const { invoiceId, subscriptionId } = await billed([planLine(300_000), planLine(-50_001)]);
      const { body } = await ask<{
        lines: { net: object; tax: object }[];
        applicationId: unknown;
        subscriptionId: unknown;
      }>(api, owner, 'GET', `/invoices/${invoiceId}`);
      assert.deepEqual([body.applicationId, body.subscriptionId], [null, subscriptionId]);
      assert.deepEqual(body.lines[1]?.net, money(-50_001, '-Rp50.001'));
      assert.deepEqual(body.lines[1]?.tax, money(-5_500, '-Rp5.500'));
      await billed();
      const found = await ask<{ items: { id: string }[] }>(
        api,
        owner,
        'GET',
        `/invoices?subscriptionId=${subscriptionId}`,
      );
      assert.deepEqual(
        found.body.items.map(({ id }) => id),
        [invoiceId],
      );
    });

    it('are not voided by hand', async () => {
      const { invoiceId } = await billed();
      const finance = await api.person('finance');
      const refused = await ask<Problem>(api, finance, 'POST', `/invoices/${invoiceId}/void`, {
        body: { reason: 'wrong' },
      });
      assert.deepEqual([refused.status, refused.body.code], [409, 'invoice_of_subscription']);
    });

    it('are shown to print as soon as the PDF is stored, to who asked before', async () => {
      const { invoiceId } = await billed();
      const { sha256 } = await api.deps.files.put(Buffer.from('%PDF-1.4 plan'));
      const asked = fetch(`${api.url}/api/v1/invoices/${invoiceId}/pdf`, { headers: owner.headers });
      await eventually('the API to listen', async () => {
        const { rows } = await database.db.raw(
          `select from pg_stat_activity where datname = current_database() and query ilike 'listen%company_changed%'`,
        );
        return rows.length > 0;
      });
      await attachPdf(database.db, 'invoices', invoiceId, sha256);
      const response = await asked;
      assert.deepEqual([response.status, await response.text()], [200, '%PDF-1.4 plan']);
    });

    it('are paid on a page that names the plan', async () => {
      const { invoiceId } = await billed();
      const page = await (await fetch(`${api.url}/pay/${invoiceId}`, { headers: { 'accept-language': 'en' } })).text();
      assert.match(page, /Subscription invoice[\s\S]*Test plan[\s\S]*Rp111\.000[\s\S]*Pay now/);
      assert.doesNotMatch(page, /licence/i);
    });
  });
  it('name each other where one took the place of another, which is owed no more', async () => {
    const old = await anInvoice(database.db, { companyId, state: 'void' });
    const living = await anInvoice(database.db, { companyId, state: 'reversed' });
    await database.db('invoices').where({ id: old }).update({ void_reason: 'wrong fee' });
    await database.db('invoices').where({ id: living }).update({ replaces_id: old });
    const [was, is] = [
      (await ask(api, owner, 'GET', `/invoices/${old}`)).body,
      (await ask(api, owner, 'GET', `/invoices/${living}`)).body,
    ];
    assert.deepEqual(
      [was['replacedBy'], was['voidReason'], was['outstanding']],
      [living, 'wrong fee', money(0, 'Rp0')],
    );
    assert.deepEqual([is['replaces'], is['state'], is['outstanding']], [old, 'reversed', money(361_000, 'Rp361.000')]);
  });
  it('are listed by what is overdue: open, and it or an instalment should have been paid', async () => {
    const mine = await api.person('owner');
    const company = await aCompany(database.db, mine.id);
    const made = async (dueAt: string, instalmentDue?: string, state: 'open' | 'lapsed' = 'open') => {
      const id = await anInvoice(database.db, { companyId: company, state });
      await database.db('invoices').where({ id }).update({ due_at: dueAt });
      if (instalmentDue) {
        const part = { invoice_id: id, position: 1, amount_minor: 1, due_at: instalmentDue };
        await database.db('invoice_instalments').insert(part);
      }
      return id;
    };
    const [past, next] = ['2026-03-04T02:00:00.000Z', '2099-03-04T02:00:00.000Z'];
    const overdue = [await made(past), await made(next, past)];
    await made(next, next);
    await database
      .db('invoice_instalments')
      .where({ invoice_id: await made(next, past) })
      .update({ paid_at: past });
    await made(next);
    await made(past, past, 'lapsed');
    type Page = { items: { id: string; outstanding: object }[] };
    const { items } = (await ask<Page>(api, mine, 'GET', '/invoices?overdue=true')).body;
    assert.deepEqual(items.map(({ id }) => id).toSorted(), overdue.toSorted());
    assert.deepEqual(items[0]?.outstanding, money(361_000, 'Rp361.000'));
    assert.equal((await ask(api, mine, 'GET', '/invoices?overdue=maybe')).status, 422);
  });
  it('show where they can be paid while a link works', async () => {
    const [open, over] = [await anInvoice(database.db, { companyId }), await anInvoice(database.db, { companyId })];
    const { id } = await aPayment(database.db, { invoiceId: open });
    await aPayment(database.db, { invoiceId: over, expiresAt: '2026-03-03T00:00:00Z' });
    const shown = async (invoice: string) => (await ask(api, owner, 'GET', `/invoices/${invoice}`)).body['openPayment'];
    assert.deepEqual(await shown(open), {
      id,
      redirectUrl: 'https://pay.example.test/1',
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
    assert.equal(await shown(over), null);
  });
  it('are seen by their company and finance, not by strangers, and reviewers may not ask', async () => {
    const id = await anInvoice(database.db, { companyId });
    const statusFor = async (role: 'owner' | 'finance' | 'verifier') =>
      (await ask(api, await api.person(role), 'GET', `/invoices/${id}`)).status;
    assert.deepEqual(
      [await statusFor('owner'), await statusFor('finance'), await statusFor('verifier')],
      [404, 200, 403],
    );
  });
  it('are listed newest first, one’s own only, by state', async () => {
    const mine = await api.person('owner');
    const company = await aCompany(database.db, mine.id);
    const made = [];
    for (const day of [1, 2, 3])
      made.push(await anInvoice(database.db, { companyId: company, at: `2026-03-0${day}T00:00:00.000Z` }));
    const paid = await anInvoice(database.db, { companyId: company, state: 'paid' });
    type Page = { items: { id: string }[]; nextCursor: string | null };
    const first = (await ask<Page>(api, mine, 'GET', '/invoices?limit=2&state=open')).body;
    const second = (await ask<Page>(api, mine, 'GET', `/invoices?limit=2&state=open&cursor=${first.nextCursor}`)).body;
    assert.deepEqual(
      [...first.items, ...second.items].map(({ id }) => id),
      made.toReversed(),
    );
    assert.deepEqual(
      (await ask<Page>(api, mine, 'GET', '/invoices?state=paid')).body.items.map(({ id }) => id),
      [paid],
    );
  });

  describe('their PDF', () => {
    it('comes as it was stored', async () => {
      const content = Buffer.from('%PDF-1.7 invoice');
      const { sha256 } = await api.deps.files.put(content);
      const id = await anInvoice(database.db, { companyId, pdf: sha256 });
      const answer = await fetch(`${api.url}/api/v1/invoices/${id}/pdf`, { headers: owner.headers });
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), content);
      assert.equal(answer.headers.get('content-type'), 'application/pdf');
    });
    it('is announced while it is being made', async () => {
      const { status, body } = await problem(
        api,
        owner,
        'GET',
        `/invoices/${await anInvoice(database.db, { companyId })}/pdf`,
      );
      assert.equal(status, 404);
      assert.match(body.detail, /being made/);
    });
  });

  describe('what follows them', () => {
    const withApplication = async () => {
      const type = await aLicenseType(database.db);
      const applicationId = await anApplication(database.db, { companyId, type, applicantId: owner.id });
      return anInvoice(database.db, { companyId, applicationId });
    };

    it('are receipts and credit notes, each with its PDF', async () => {
      const invoiceId = await withApplication();
      const { sha256: pdf } = await api.deps.files.put(Buffer.from('%PDF-1.7 paper'));
      const { id: paymentId } = await aPayment(database.db, { invoiceId, state: 'paid' });
      const receipt = await aReceipt(database.db, { invoiceId, paymentId, pdf });
      const note = await aCreditNote(database.db, { invoiceId, pdf });
      const items = async (what: string) =>
        (await ask<{ items: Record<string, unknown>[] }>(api, owner, 'GET', `/invoices/${invoiceId}/${what}`)).body
          .items;
      const [said] = await items('receipts');
      assert.deepEqual(
        [said?.['id'], said?.['paymentId'], said?.['amount'], said?.['issuedAt']],
        [receipt, paymentId, money(361_000, 'Rp361.000'), '2026-03-02T02:00:00.000Z'],
      );
      const [credited] = await items('credit-notes');
      assert.deepEqual(
        [credited?.['id'], credited?.['total'], credited?.['tax']],
        [note, money(11_100, 'Rp11.100'), money(1_100, 'Rp1.100')],
      );
      for (const path of [`receipts/${receipt}`, `credit-notes/${note}`]) {
        const answer = await fetch(`${api.url}/api/v1/${path}/pdf`, { headers: owner.headers });
        assert.deepEqual([answer.status, await answer.text()], [200, '%PDF-1.7 paper']);
      }
    });

    it('wait a moment for a PDF that is just being made', async () => {
      const invoiceId = await withApplication();
      const { id: paymentId } = await aPayment(database.db, { invoiceId, state: 'paid' });
      const receipt = await aReceipt(database.db, { invoiceId, paymentId });
      const answer = fetch(`${api.url}/api/v1/receipts/${receipt}/pdf`, { headers: owner.headers });
      const { sha256 } = await api.deps.files.put(Buffer.from('%PDF-1.7 at last'));
      await attachPdf(database.db, 'receipts', receipt, sha256);
      assert.equal(await (await answer).text(), '%PDF-1.7 at last');
    });
  });

  describe('voiding', () => {
    const voiding = async (id: string, body: object = { reason: 'wrong fee' }) =>
      problem(api, await api.person('finance'), 'POST', `/invoices/${id}/void`, { body });

    it('is over once one is paid, lapsed or void', async () => {
      for (const state of ['paid', 'lapsed', 'void', 'reversed'] as const) {
        const { status, body } = await voiding(await anInvoice(database.db, { companyId, state }));
        assert.deepEqual([status, body.code, body.state], [409, 'invoice_not_open', state]);
      }
    });
    it('is refused once a part is paid', async () => {
      const id = await anInvoice(database.db, { companyId });
      await database.db('invoices').where({ id }).update({ paid_minor: 1 });
      const { status, body } = await voiding(id);
      assert.deepEqual([status, body.code], [409, 'invoice_part_paid']);
      assert.match(body.detail, /Refund that part first/);
    });
    it('takes a reason, each fee once, and lines only for the one that takes its place', async () => {
      const id = await anInvoice(database.db, { companyId });
      const line = { code: 'service_fee', amountMinor: 5 };
      for (const [body, pointer] of [
        [{}, '/reason'],
        [{ reason: 'wrong fee', lines: [line, line] }, '/lines'],
        [{ reason: 'wrong fee', lines: [{ ...line, amountMinor: 0 }] }, '/lines/0/amountMinor'],
        [{ reason: 'wrong fee', lines: [{ ...line, code: 'gift' }] }, '/lines/0/code'],
        [{ reason: 'wrong fee', lines: [line], replace: false }, '/lines'],
      ] as const) {
        const { status, body: said } = await voiding(id, body);
        assert.deepEqual([status, said.errors?.map((one) => one.pointer)], [422, [pointer]]);
      }
    });
    it('is not for owners, and waits for who collects the invoice', async () => {
      const id = await anInvoice(database.db, { companyId });
      const body = { reason: 'wrong fee' };
      assert.equal((await problem(api, owner, 'POST', `/invoices/${id}/void`, { body })).status, 403);
      const { status, body: said } = await voiding(id);
      assert.deepEqual([status, said.code], [503, 'temporarily_unavailable']);
    });
  });
});
