import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, anInvoice, aPayment } from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

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
        tax: money(0, 'Rp0'),
      },
      {
        code: 'service',
        description: 'Fee service',
        kind: 'service',
        net: money(100_000, 'Rp100.000'),
        tax: money(11_000, 'Rp11.000'),
      },
    ]);
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

  describe('paying', () => {
    const pay = (id: string, person = owner, body: object = { gateway: 'midtrans' }) =>
      problem(api, person, 'POST', `/invoices/${id}/pay`, { body });

    it('is for the people of the company', async () => {
      const id = await anInvoice(database.db, { companyId });
      assert.equal((await pay(id, await api.person('owner'))).status, 404);
      assert.equal((await pay(id, await api.person('finance'))).status, 403);
      assert.equal(
        (await pay(id, await api.person('owner', 'finance'))).status,
        404,
        'seeing it for the office is not enough',
      );
    });
    it('is over once the invoice is paid or lapsed', async () => {
      for (const state of ['paid', 'lapsed', 'void'] as const) {
        const { status, body } = await pay(await anInvoice(database.db, { companyId, state }));
        assert.deepEqual([status, body.code, body.state], [409, 'invoice_not_open', state]);
      }
    });
    it('goes through a gateway that the office has', async () => {
      const id = await anInvoice(database.db, { companyId });
      const other = await pay(id, owner, { gateway: 'stripe' });
      assert.deepEqual([other.status, other.body.code], [422, 'gateway_not_available']);
      assert.deepEqual(
        (await pay(id, owner, { gateway: 'barter' })).body.errors?.map(({ pointer }) => pointer),
        ['/gateway'],
      );
    });
    it('is 409 when nobody collects it any more', async () => {
      const { status, body } = await pay(await anInvoice(database.db, { companyId }));
      assert.deepEqual([status, body.code], [409, 'invoice_not_open']);
    });
  });
});
