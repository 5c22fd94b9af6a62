import assert from 'node:assert/strict';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, anInvoice } from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { GATEWAY_SECRETS } from '../support/machine.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';

interface Methods {
  readonly items: readonly {
    readonly gateway: string;
    readonly method: string | null;
    readonly name: string;
    readonly refund: string;
    readonly recommended: boolean;
    readonly minimum: object;
  }[];
  readonly amount: { readonly amountMinor: number };
  readonly storeCredit: { readonly amountMinor: number } | null;
  readonly code?: string;
}

describe('the methods to pay with over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    const money = { ...MONEY_POLICY, gatewayOrder: ['xendit', 'midtrans', 'stripe', 'billplz'] as const };
    api = await startApi(database, { gateways: GATEWAY_SECRETS, money });
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const methods = (query: string, person = owner, language = 'en') =>
    ask<Methods>(api, person, 'GET', `/payments/methods?${query}`, { headers: { 'accept-language': language } });

  it('come in the office’s order, the first recommended, in the reader’s language', async () => {
    const { status, body } = await methods('currency=IDR&amountMinor=361000');
    assert.equal(status, 200);
    const [first, ...others] = body.items;
    assert.deepEqual(first, {
      gateway: 'xendit',
      method: 'qris',
      name: 'QRIS',
      usualTime: 'seconds',
      minimum: { amountMinor: 1_500, currency: 'IDR', formatted: 'Rp1.500' },
      maximum: { amountMinor: 10_000_000, currency: 'IDR', formatted: 'Rp10.000.000' },
      refund: 'partial',
      recommended: true,
    });
    assert.ok(others.every(({ recommended }) => !recommended));
    assert.deepEqual([...new Set(body.items.map(({ gateway }) => gateway))], ['xendit', 'midtrans', 'stripe']);
    const card = others.find(({ method }) => method === 'credit_card');
    assert.equal(card?.name, 'Credit or debit card');
    const inIndonesian = (await methods('currency=IDR&amountMinor=361000', owner, 'id')).body.items;
    assert.ok(inIndonesian.some(({ name }) => name === 'Kartu kredit atau debit'));
    assert.equal(body.storeCredit, null);
  });
  it('say what each gives back, and leave to Billplz’ page what is chosen there', async () => {
    const { items } = (await methods('currency=MYR&amountMinor=5000')).body;
    const billplz = items.find(({ gateway }) => gateway === 'billplz');
    assert.deepEqual([billplz?.method, billplz?.refund], [null, 'none']);
  });
  it('are none for what nobody takes, and only those of gateways that the office has', async () => {
    assert.deepEqual((await methods('currency=IDR&amountMinor=1')).body.items, []);
    const alone = await startApi(database);
    try {
      const person = await alone.person('owner');
      const found = await ask<Methods>(alone, person, 'GET', '/payments/methods?currency=IDR&amountMinor=361000');
      assert.deepEqual([...new Set(found.body.items.map(({ gateway }) => gateway))], ['midtrans']);
    } finally {
      await alone.close();
    }
  });
  it('are those for what is due next of an invoice', async () => {
    const id = await anInvoice(database.db, { companyId });
    assert.equal((await methods(`invoiceId=${id}`)).body.amount.amountMinor, 361_000);
    await database.db('invoice_instalments').insert([
      { invoice_id: id, position: 1, amount_minor: 161_000, due_at: new Date() },
      { invoice_id: id, position: 2, amount_minor: 200_000, due_at: new Date() },
    ]);
    assert.equal((await methods(`invoiceId=${id}`)).body.amount.amountMinor, 161_000);
    assert.equal((await methods(`invoiceId=${id}&part=all`)).body.amount.amountMinor, 361_000);
    await database.db('invoices').where({ id }).update({ paid_minor: 161_000 });
    assert.equal((await methods(`invoiceId=${id}`)).body.amount.amountMinor, 200_000);
  });
  it('tell of the company’s credit, where there is some', async () => {
    const id = await anInvoice(database.db, { companyId });
    assert.equal((await methods(`invoiceId=${id}`)).body.storeCredit, null);
    await database.db.transaction(async (tx) => {
      const entry = { key: `test/${id}`, kind: 'credit_applied', currency: 'IDR', company_id: companyId };
      const [made] = await tx('ledger_entries')
        .insert({ ...entry, occurred_at: new Date() })
        .returning('id');
      await tx('ledger_postings').insert([
        { entry_id: made.id, account: 'suspense', amount_minor: 50_000 },
        { entry_id: made.id, account: 'store_credit', amount_minor: -50_000 },
      ]);
    });
    assert.equal((await methods(`invoiceId=${id}`)).body.storeCredit?.amountMinor, 50_000);
  });
  it('of an invoice of others are 404, and half a question is 422', async () => {
    const id = await anInvoice(database.db, { companyId });
    const stranger = await methods(`invoiceId=${id}`, await api.person('owner'));
    assert.deepEqual([stranger.status, stranger.body.code], [404, 'not_found']);
    assert.equal((await methods(`invoiceId=${id}`, await api.person('finance'))).status, 200);
    for (const query of [
      '',
      'currency=IDR',
      'amountMinor=5',
      'currency=IDR&amountMinor=-1',
      'currency=USD&amountMinor=5',
    ])
      assert.equal((await methods(query)).status, 422, query);
  });
});
