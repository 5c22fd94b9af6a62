import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from '../../db/connection.ts';
import { settlementLines } from '../../db/settlement-reads.ts';
import { type ImportedSettlement, importSettlement, type SettlementImport } from '../../db/settlements.ts';
import { asId, type CompanyId, type SettlementId, type UserId } from '../../domain/ids.ts';
import type { SettlementLine, SettlementReport } from '../../domain/settlements.ts';
import { aBookedInvoice, aBookedRefund, aCapture, aTakeBack, TOTAL } from '../builders/books.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const PAID_OUT = '2026-03-05T03:00:00.000Z';

describe('a settlement', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;
  let finance: UserId;

  before(async () => {
    database = await createTestDatabase();
    db = database.db;
    companyId = await aCompany(db, await aUser(db, 'owner'));
    finance = await aUser(db, 'finance');
  });
  after(() => database?.drop());

  const line = (reference: string, changes: Partial<SettlementLine> = {}): SettlementLine => ({
    kind: 'payment',
    reference,
    grossMinor: TOTAL,
    feeMinor: 4_400n,
    ...changes,
  });
  const given = (lines: SettlementLine[], changes: Partial<SettlementReport> = {}): SettlementImport => ({
    id: asId<SettlementId>(randomUUID()),
    report: {
      gateway: 'midtrans',
      reference: `PAYOUT-${randomUUID()}`,
      currency: 'IDR',
      paidOutAt: PAID_OUT,
      lines,
      ...changes,
    },
    source: 'api',
    by: finance,
    origin: { address: '127.0.0.1', requestId: null },
    at: PAID_OUT,
  });
  const paid = async (changes: Parameters<typeof aCapture>[2] = {}) =>
    aCapture(db, await aBookedInvoice(db, companyId), changes);
  const imported = async (lines: SettlementLine[], changes: Partial<SettlementReport> = {}): Promise<SettlementId> => {
    const done = await importSettlement(db, given(lines, changes));
    assert.equal(done.outcome, 'imported');
    return done.id;
  };
  const statesOf = async (id: SettlementId) =>
    (await settlementLines(db, id, { after: 0, limit: 100 })).map(({ state }) => state);
  const casesOf = (id: SettlementId) =>
    db('payment_cases')
      .where({ settlement_id: id })
      .orderBy('key')
      .select('kind', 'amount_minor', 'payment_id', 'refund_id', 'state');
  const movedBy = async (id: SettlementId): Promise<Record<string, bigint>> => {
    const rows: { account: string; amount: string }[] = await db('ledger_entries as e')
      .join('ledger_postings as p', 'p.entry_id', 'e.id')
      .where('e.settlement_id', id)
      .groupBy('p.account')
      .orderBy('p.account')
      .select('p.account', db.raw('sum(p.amount_minor)::text as amount'));
    return Object.fromEntries(
      rows.filter(({ amount }) => amount !== '0').map(({ account, amount }) => [account, BigInt(amount)]),
    );
  };
  const heldOf = async (column: 'payment_id' | 'refund_id', id: string): Promise<bigint> => {
    const { rows }: { rows: { held: bigint }[] } = await db.raw(
      `select coalesce(sum(p.amount_minor), 0)::bigint as held from ledger_entries e join ledger_postings p on p.entry_id = e.id
        where e.${column} = '${id}' and p.account = 'gateway_clearing'`,
    );
    return rows[0]?.held ?? 0n;
  };

  it('finds payments by our reference or the gateway’s, refunds by our ID or the gateway’s, and enters each', async () => {
    const [first, second] = [await paid(), await paid()];
    const ours = await aBookedRefund(db, first, { amount: 50_000n, state: 'succeeded' });
    const name = `RF-${randomUUID()}`;
    const theirs = await aBookedRefund(db, second, { amount: 10_000n, state: 'succeeded', gatewayRefundId: name });
    const id = await imported([
      line(first.reference),
      line(second.transactionId),
      line(ours.toUpperCase(), { kind: 'refund', grossMinor: -50_000n, feeMinor: 0n }),
      line(name, { kind: 'refund', grossMinor: -10_000n, feeMinor: 0n }),
      line('monthly fee', { kind: 'adjustment', grossMinor: 0n, feeMinor: 25_000n }),
    ]);
    assert.deepEqual(await statesOf(id), ['matched', 'matched', 'matched', 'matched', 'matched']);
    assert.deepEqual(await casesOf(id), []);
    const gross = 2n * TOTAL - 60_000n;
    assert.deepEqual(await movedBy(id), { bank: gross - 33_800n, gateway_clearing: -gross, gateway_fees: 33_800n });
    assert.deepEqual([await heldOf('payment_id', first.id), await heldOf('refund_id', theirs)], [0n, 0n]);
    const row = await db('settlements').where({ id }).first('gross_minor', 'fee_minor', 'net_minor', 'matched');
    assert.deepEqual(row, { gross_minor: gross, fee_minor: 33_800n, net_minor: gross - 33_800n, matched: 5 });
    const event = await db('events')
      .where({ subject: `settlement/${id}` })
      .first('type', 'actor_id', 'address');
    assert.deepEqual(event, { type: 'settlement.imported', actor_id: finance, address: '127.0.0.1' });
  });

  it('about another amount is entered as the gateway tells it, with a case for finance', async () => {
    const payment = await paid();
    const id = await imported([line(payment.reference, { grossMinor: TOTAL - 1_000n })]);
    assert.deepEqual(await statesOf(id), ['differs']);
    assert.equal(await heldOf('payment_id', payment.id), 1_000n);
    assert.deepEqual(await casesOf(id), [
      {
        kind: 'settlement_differs',
        amount_minor: TOTAL - 1_000n,
        payment_id: payment.id,
        refund_id: null,
        state: 'open',
      },
    ]);
  });

  it('about a payment that was settled before differs: within one report, in another, or in two at once', async () => {
    const [within, later, atOnce] = [await paid(), await paid(), await paid()];
    const id = await imported([line(within.reference), line(within.transactionId), line(later.reference)]);
    assert.deepEqual(await statesOf(id), ['matched', 'differs', 'matched']);
    assert.deepEqual(await statesOf(await imported([line(later.reference)])), ['differs']);

    const first = await db.transaction();
    await importSettlement(first, given([line(atOnce.reference)]));
    const second = imported([line(atOnce.reference)]);
    // It has to wait for the first, whose entries nobody else can see yet.
    await eventually('the second import to wait', async () => {
      const waiting = await db('pg_locks').where({ locktype: 'advisory', granted: false });
      return waiting.length === 1;
    });
    await first.commit();
    assert.deepEqual(await statesOf(await second), ['differs']);
  });

  it('about nothing we know leaves its money in suspense, with a case of that amount', async () => {
    const elsewhere = await paid({ gateway: 'xendit' });
    const id = await imported([
      line('nobody knows'),
      line(elsewhere.reference, { feeMinor: 0n }),
      line(randomUUID(), { kind: 'refund', grossMinor: -700n, feeMinor: 0n }),
    ]);
    assert.deepEqual(await statesOf(id), ['unmatched', 'unmatched', 'unmatched']);
    const amounts = [TOTAL - 4_400n, TOTAL, -700n];
    assert.deepEqual(
      (await casesOf(id)).map(({ kind, amount_minor }) => [kind, amount_minor]),
      amounts.map((amount) => ['unmatched_settlement', amount]),
    );
    const sum = amounts.reduce((a, b) => a + b, 0n);
    assert.deepEqual(await movedBy(id), { bank: sum, suspense: -sum });
  });

  it('does not take a name that two payments share at the gateway for either; our reference says which', async () => {
    const [first, second] = [await paid(), await paid()];
    await db('payments').where({ id: second.id }).update({ transaction_id: first.transactionId });
    const id = await imported([line(first.transactionId), line(first.reference)]);
    assert.deepEqual(await statesOf(id), ['unmatched', 'matched']);
  });

  it('takes back what a chargeback took after the payout, as an adjustment of the payment', async () => {
    const payment = await paid();
    await imported([line(payment.reference)]);
    await aTakeBack(db, payment);
    assert.equal(await heldOf('payment_id', payment.id), -TOTAL);
    const id = await imported([
      line(payment.reference, { kind: 'adjustment', grossMinor: -TOTAL, feeMinor: 150_000n }),
    ]);
    assert.deepEqual([await statesOf(id), await heldOf('payment_id', payment.id)], [['matched'], 0n]);
  });

  it('is imported once: the same content again is the first, other content is refused and changes nothing', async () => {
    const payment = await paid();
    const first = given([line(payment.reference)]);
    const tries = await Promise.all(
      Array.from({ length: 5 }, () => importSettlement(db, { ...first, id: asId<SettlementId>(randomUUID()) })),
    );
    const outcomes = (all: readonly ImportedSettlement[]) => all.map(({ outcome }) => outcome).toSorted();
    assert.deepEqual(outcomes(tries), ['imported', 'known', 'known', 'known', 'known']);
    assert.equal(new Set(tries.map(({ id }) => id)).size, 1);
    const csv = await importSettlement(db, { ...first, source: 'csv' });
    assert.equal(csv.outcome, 'known');
    const other = { ...first, report: { ...first.report, lines: [line(payment.reference, { feeMinor: 1n })] } };
    assert.deepEqual(await importSettlement(db, other), { outcome: 'conflict', id: csv.id });
    assert.equal((await db('ledger_entries').where({ payment_id: payment.id, kind: 'settled' })).length, 1);
    const gatewayToo = {
      ...first,
      id: asId<SettlementId>(randomUUID()),
      report: { ...first.report, gateway: 'xendit' as const },
    };
    assert.equal((await importSettlement(db, gatewayToo)).outcome, 'imported');
  });

  it('is not imported by half: what fails in the middle leaves nothing, and may be tried again', async () => {
    const payment = await paid();
    const report = given([line(payment.reference), line('too much', { grossMinor: 2n ** 63n })]);
    await assert.rejects(importSettlement(db, report), /out of range/);
    assert.equal(await heldOf('payment_id', payment.id), TOTAL);
    const mended = { ...report, report: { ...report.report, lines: [line(payment.reference)] } };
    assert.equal((await importSettlement(db, mended)).outcome, 'imported');
  });

  it('of ten thousand lines takes seconds', async function () {
    this.timeout(60_000);
    const payment = await paid();
    const lines = Array.from({ length: 10_000 }, (_, n) =>
      n === 0 ? line(payment.reference) : line(`fee ${n}`, { kind: 'adjustment', grossMinor: 0n, feeMinor: 1n }),
    );
    const startedAt = performance.now();
    const id = await imported(lines);
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(seconds < 20, `${seconds} s`);
    assert.deepEqual(await movedBy(id), {
      bank: TOTAL - 4_400n - 9_999n,
      gateway_clearing: -TOTAL,
      gateway_fees: 4_400n + 9_999n,
    });
  });
});
