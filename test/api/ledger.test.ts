import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { importSettlement } from '../../db/settlements.ts';
import { asId, type CompanyId, type SettlementId } from '../../domain/ids.ts';
import { aBookedInvoice, aBookedRefund, aCapture, TOTAL } from '../builders/books.ts';
import { aCompany, aUser, MONDAY } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const amount = z.object({ amountMinor: z.int(), currency: z.string(), formatted: z.string() });
const balance = z.object({
  at: z.string().nullable(),
  currencies: z.array(
    z.object({
      currency: z.string(),
      accounts: z.array(
        z.object({ account: z.string(), kind: z.string(), balance: amount, debit: amount, credit: amount }),
      ),
      debit: amount,
      credit: amount,
    }),
  ),
});
const entry = z.looseObject({
  id: z.string(),
  kind: z.string(),
  postings: z.array(z.object({ account: z.string(), side: z.enum(['debit', 'credit']), amount })),
});
const page = z.object({ items: z.array(entry), nextCursor: z.string().nullable() });
const trace = z.looseObject({
  invoice: z.looseObject({ number: z.string(), paid: amount }),
  payment: z.looseObject({ gatewayReference: z.string(), applied: amount }),
  refunds: z.array(z.looseObject({ id: z.string(), state: z.string() })),
  settlements: z.array(z.looseObject({ id: z.string(), fee: amount, refundId: z.string().nullable() })),
  where: z.array(z.object({ account: z.string(), balance: amount })),
  entries: z.array(entry),
});

describe('the books', () => {
  let database: TestDatabase;
  let api: TestApi;
  let finance: TestPerson;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    finance = await api.person('finance');
    companyId = await aCompany(database.db, await aUser(database.db, 'owner'));
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const get = async (path: string) => {
    const { status, body } = await api.call(path, { as: finance });
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const paid = async () => aCapture(database.db, await aBookedInvoice(database.db, companyId));

  it('show what stands on each account, positive where it is usual, and both sides alike', async () => {
    const payment = await paid();
    await aBookedRefund(database.db, payment, { amount: 50_000n, state: 'reserved' });
    const { at, currencies } = balance.parse(await get('/admin/ledger'));
    const [found] = currencies;
    assert.deepEqual([at, currencies.length, found?.currency], [null, 1, 'IDR']);
    assert.deepEqual(
      found?.accounts.map((one) => [one.account, one.kind, one.balance.amountMinor]),
      [
        ['receivable', 'asset', 0],
        ['gateway_clearing', 'asset', 361_000],
        ['service_revenue', 'income', 50_000],
        ['statutory_fees', 'liability', 250_000],
        ['vat', 'liability', 11_000],
        ['refunds', 'liability', 50_000],
      ],
    );
    assert.deepEqual(found?.debit, found?.credit);
    const before = balance.parse(await get('/admin/ledger?at=2020-01-01T00:00:00Z'));
    assert.deepEqual(before, { at: '2020-01-01T00:00:00.000Z', currencies: [] });
  });

  it('list their entries with the postings of each, by what they are about', async () => {
    const payment = await paid();
    const { items } = page.parse(await get(`/admin/ledger/entries?invoiceId=${payment.invoice.id}`));
    assert.deepEqual(
      items.map(({ kind, postings }) => [
        kind,
        postings.map((one) => `${one.side} ${one.account} ${one.amount.amountMinor}`),
      ]),
      [
        ['captured', ['debit gateway_clearing 361000', 'credit receivable 361000']],
        [
          'invoice_issued',
          [
            'debit receivable 361000',
            'credit service_revenue 100000',
            'credit statutory_fees 250000',
            'credit vat 11000',
          ],
        ],
      ],
    );
    const by = async (query: string) =>
      page.parse(await get(`/admin/ledger/entries?${query}`)).items.map(({ kind }) => kind);
    assert.deepEqual(await by(`paymentId=${payment.id}`), ['captured']);
    assert.deepEqual(await by(`paymentId=${payment.id}&account=vat`), []);
    const first = page.parse(await get(`/admin/ledger/entries?invoiceId=${payment.invoice.id}&limit=1`));
    assert.deepEqual(await by(`invoiceId=${payment.invoice.id}&limit=1&cursor=${first.nextCursor}`), [
      'invoice_issued',
    ]);
    assert.equal((await api.call('/admin/ledger/entries?account=pocket', { as: finance })).status, 422);
  });

  it('tell the path of one payment, and where each rupiah of it is', async () => {
    const payment = await paid();
    const refundId = await aBookedRefund(database.db, payment, { amount: 50_000n, state: 'succeeded' });
    const path = async () => trace.parse(await get(`/admin/ledger/trace/${payment.id}`));
    const where = async () =>
      Object.fromEntries((await path()).where.map(({ account, balance: of }) => [account, of.amountMinor]));
    const left = { receivable: -361_000, service_revenue: -50_000 };
    assert.deepEqual(await where(), { gateway_clearing: 311_000, ...left });
    const { id } = await importSettlement(database.db, {
      id: asId<SettlementId>(randomUUID()),
      report: {
        gateway: 'midtrans',
        reference: 'PAYOUT-1',
        currency: 'IDR',
        paidOutAt: MONDAY,
        lines: [
          { kind: 'payment', reference: payment.reference, grossMinor: TOTAL, feeMinor: 4_400n },
          { kind: 'refund', reference: refundId, grossMinor: -50_000n, feeMinor: 0n },
        ],
      },
      source: 'api',
      by: finance.id,
      origin: { address: null, requestId: null },
      at: MONDAY,
    });
    assert.deepEqual(await where(), { bank: 306_600, gateway_fees: 4_400, ...left });
    const found = await path();
    assert.deepEqual(
      [found.invoice.number, found.payment.gatewayReference, found.payment.applied.amountMinor],
      [payment.invoice.number, payment.reference, 361_000],
    );
    assert.deepEqual(
      found.refunds.map((refund) => [refund.id, refund.state]),
      [[refundId, 'succeeded']],
    );
    assert.deepEqual(
      found.settlements.map((line) => [line.id, line.fee.amountMinor, line.refundId]),
      [
        [id, 4_400, null],
        [id, 0, refundId],
      ],
    );
    assert.deepEqual(
      found.entries.map(({ kind }) => kind),
      ['invoice_issued', 'captured', 'refund_reserved', 'refund_paid', 'settled', 'settled'],
    );
    assert.equal((await api.call(`/admin/ledger/trace/${randomUUID()}`, { as: finance })).status, 404);
  });

  it('are open to those who watch over money, and to nobody else', async () => {
    for (const [role, status] of [
      ['supervisor', 200],
      ['ops', 200],
      ['admin', 200],
      ['owner', 403],
      ['verifier', 403],
    ] as const) {
      const as = await api.person(role);
      for (const path of ['/admin/ledger', '/admin/ledger/entries'])
        assert.equal((await api.call(path, { as })).status, status, `${role} ${path}`);
    }
  });
});
