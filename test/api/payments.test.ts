import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, anInvoice, aPayment, MONDAY } from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Page {
  readonly items: readonly { readonly id: string }[];
  readonly nextCursor: string | null;
}

describe('payments over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  it('show state, amount and what the gateway files them under', async () => {
    const { id, reference } = await aPayment(database.db, { invoiceId: await anInvoice(database.db, { companyId }) });
    const { body } = await ask(api, owner, 'GET', `/payments/${id}`);
    assert.deepEqual([body['gatewayReference'], body['state'], body['paid']], [reference, 'pending', null]);
    assert.deepEqual(body['amount'], { amountMinor: 361_000, currency: 'IDR', formatted: 'Rp361.000' });
  });
  it('are seen by their company and finance only', async () => {
    const { id } = await aPayment(database.db, { invoiceId: await anInvoice(database.db, { companyId }) });
    const statusFor = async (role: 'owner' | 'finance' | 'examiner') =>
      (await ask(api, await api.person(role), 'GET', `/payments/${id}`)).status;
    assert.deepEqual(
      [await statusFor('owner'), await statusFor('finance'), await statusFor('examiner')],
      [404, 200, 403],
    );
  });
  it('are listed newest first, those of one invoice or state when asked', async () => {
    const mine = await api.person('owner');
    const invoiceId = await anInvoice(database.db, { companyId: await aCompany(database.db, mine.id) });
    const older = await aPayment(database.db, { invoiceId, state: 'expired' });
    const newer = await aPayment(database.db, { invoiceId, attempt: 2, at: '2026-03-05T00:00:00.000Z' });
    const ids = async (query: string) =>
      (await ask<Page>(api, mine, 'GET', `/payments${query}`)).body.items.map(({ id }) => id);
    assert.deepEqual(await ids(''), [newer.id, older.id]);
    assert.deepEqual(await ids(`?invoiceId=${invoiceId}&state=expired`), [older.id]);
    const first = (await ask<Page>(api, mine, 'GET', '/payments?limit=1')).body;
    assert.deepEqual(await ids(`?limit=1&cursor=${first.nextCursor}`), [older.id]);
  });

  describe('that need a person', () => {
    const aCase = async (kind: string, state = 'open') => {
      const id = randomUUID();
      const invoiceId = await anInvoice(database.db, { companyId, state: 'lapsed' });
      const money = { amount_minor: 361_000, currency: 'IDR' };
      await database.db('payment_cases').insert({
        id,
        key: id,
        kind,
        gateway: 'midtrans',
        reference: 'r',
        invoice_id: invoiceId,
        ...money,
        state,
        opened_at: MONDAY,
      });
      return id;
    };

    it('are listed for finance with invoice and amount, by state', async () => {
      const [late, resolved] = [await aCase('late'), await aCase('twice', 'resolved')];
      const finance = await api.person('finance');
      type Cases = {
        items: { id: string; kind: string; invoiceNumber: string; amount: { amountMinor: number }; openedAt: string }[];
      };
      const { body } = await ask<Cases>(api, finance, 'GET', '/admin/reconciliation?state=open');
      assert.deepEqual(
        body.items.map(({ id, kind, amount, openedAt }) => [id, kind, amount.amountMinor, openedAt]),
        [[late, 'late', 361_000, MONDAY]],
      );
      assert.match(body.items[0]?.invoiceNumber ?? '', /^INV\//);
      const all = (await ask<Page>(api, finance, 'GET', '/admin/reconciliation')).body.items.map(({ id }) => id);
      assert.deepEqual(all.toSorted(), [late, resolved].toSorted());
    });
    it('are not for owners or reviewers', async () => {
      for (const role of ['owner', 'verifier'] as const) {
        assert.equal((await ask(api, await api.person(role), 'GET', '/admin/reconciliation')).status, 403);
      }
    });
  });
});
