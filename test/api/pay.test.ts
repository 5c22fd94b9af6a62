import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { gatewayFor } from '../../api/payment-process.ts';
import type { PayableParts } from '../../db/payable.ts';
import { Failure } from '../../domain/failures.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { money, rupiah } from '../../domain/money.ts';
import { GATEWAYS, type GatewayName, type Part } from '../../domain/payments.ts';
import { aCompany, anInvoice } from '../builders/licensing.ts';
import { problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { GATEWAY_SECRETS, temporal } from '../support/machine.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';

describe('paying over HTTP', () => {
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

  const pay = (id: string, person = owner, body: object = { gateway: 'midtrans' }) =>
    problem(api, person, 'POST', `/invoices/${id}/pay`, { body });
  const payWithCredit = (id: string, person = owner) =>
    problem(api, person, 'POST', `/invoices/${id}/pay-with-credit`, { body: {} });

  for (const [name, way] of [
    ['by a gateway', pay],
    ['with credit', payWithCredit],
  ] as const) {
    describe(name, () => {
      it('is for the people of the company', async () => {
        const id = await anInvoice(database.db, { companyId });
        assert.equal((await way(id, await api.person('owner'))).status, 404);
        assert.equal((await way(id, await api.person('finance'))).status, 403);
        const both = await api.person('owner', 'finance');
        assert.equal((await way(id, both)).status, 404, 'seeing it for the office is not enough');
      });
      it('is over once the invoice is paid, lapsed or void', async () => {
        for (const state of ['paid', 'lapsed', 'void'] as const) {
          const { status, body } = await way(await anInvoice(database.db, { companyId, state }));
          assert.deepEqual([status, body.code, body.state], [409, 'invoice_not_open', state]);
        }
      });
    });
  }

  it('asks to try again while nobody collects it yet, and never says of an open invoice that it is over', async () => {
    const { status, body } = await pay(await anInvoice(database.db, { companyId }));
    assert.deepEqual([status, body.code], [503, 'temporarily_unavailable']);
  });
  it('goes through a gateway that the office has', async () => {
    const id = await anInvoice(database.db, { companyId });
    const other = await pay(id, owner, { gateway: 'stripe' });
    assert.deepEqual([other.status, other.body.code], [422, 'gateway_not_available']);
    const unknown = await pay(id, owner, { gateway: 'barter' });
    assert.deepEqual(
      unknown.body.errors?.map(({ pointer }) => pointer),
      ['/gateway'],
    );
  });
  it('names the methods that there are instead of one that does not fit', async () => {
    const id = await anInvoice(database.db, { companyId });
    const unknown = await pay(id, owner, { method: 'cowrie_shells' });
    assert.deepEqual([unknown.status, unknown.body.code], [422, 'method_not_available']);
    assert.match(unknown.body.detail, /Choose one of: qris, bca_va/);
    await database.db('invoices').where({ id }).update({ total_minor: 20_000_000, subtotal_minor: 19_989_000 });
    const much = await pay(id, owner, { method: 'qris' });
    assert.deepEqual([much.status, much.body.code], [422, 'amount_not_payable']);
    assert.match(much.body.detail, /^Rp20\.000\.000 is too little or too much for it\. Choose one of: bca_va/);
    assert.equal(much.body.errors?.[0]?.pointer, '/method');
  });
});

describe('the gateway of a payment', () => {
  const parts = (changes: Partial<PayableParts> = {}): PayableParts => ({
    total: rupiah(361_000),
    paid: rupiah(0),
    instalments: [],
    openGateway: null,
    ...changes,
  });
  const choose = (
    given: PayableParts,
    asked: { gateway?: GatewayName; method?: string; part?: Part } = {},
    gatewayOrder: readonly GatewayName[] = GATEWAYS,
  ): string => {
    const deps = { gateways: GATEWAY_SECRETS, money: { ...MONEY_POLICY, gatewayOrder } };
    try {
      return gatewayFor(deps, given, { part: 'next', ...asked });
    } catch (error) {
      assert.ok(error instanceof Failure);
      return error.code;
    }
  };

  it('is the office’s first for the currency', () => {
    assert.equal(choose(parts()), 'midtrans');
    assert.equal(choose(parts(), {}, ['billplz', 'xendit', 'midtrans', 'stripe']), 'xendit');
    assert.equal(choose(parts({ total: money(5_000, 'MYR'), paid: money(0, 'MYR') })), 'stripe');
  });
  it('is the one that takes the method', () => {
    assert.equal(choose(parts(), { method: 'ovo' }), 'xendit');
    assert.equal(choose(parts(), { method: 'gopay' }), 'midtrans');
    assert.equal(choose(parts(), { method: 'fpx' }), 'method_not_available');
  });
  it('is that of the attempt that is open, unless a method or another is asked for', () => {
    const open = parts({ openGateway: 'xendit' });
    assert.equal(choose(open), 'xendit');
    assert.equal(choose(open, { method: 'gopay' }), 'midtrans');
    assert.equal(choose(open, { gateway: 'stripe' }), 'stripe');
  });
  it('is judged by what is asked for: the next instalment, or all that is left', () => {
    const dueAt = new Date();
    const instalments = [
      { position: 1, amountMinor: 9_000_000n, dueAt, isPaid: true },
      { position: 2, amountMinor: 8_000_000n, dueAt, isPaid: false },
      { position: 3, amountMinor: 8_000_000n, dueAt, isPaid: false },
    ];
    const inParts = parts({ total: rupiah(25_000_000), paid: rupiah(9_000_000), instalments });
    assert.equal(choose(inParts, { method: 'qris' }), 'midtrans');
    assert.equal(choose(inParts, { method: 'qris', part: 'all' }), 'amount_not_payable');
  });
});
