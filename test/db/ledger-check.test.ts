import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from '../../db/connection.ts';
import { checkLedger, type LedgerProof } from '../../db/ledger-check.ts';
import { importSettlement } from '../../db/settlements.ts';
import { asId, type RefundId, type SettlementId } from '../../domain/ids.ts';
import {
  aBookedInvoice,
  aBookedRefund,
  aCapture,
  aTakeBack,
  type BookedInvoice,
  type Captured,
  TOTAL,
} from '../builders/books.ts';
import { aCompany, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** One of each: open, paid, paid over, taken back, settled with a refund, a refund on its way, and a line about nothing. */
describe('checking the books', () => {
  let database: TestDatabase;
  let db: Knex;
  let open: BookedInvoice;
  let paid: Captured;
  let over: Captured;
  let settledOne: Captured;
  let refund: RefundId;
  let onItsWay: RefundId;
  let settlement: SettlementId;

  before(async () => {
    database = await createTestDatabase();
    db = database.db;
    const companyId = await aCompany(db, await aUser(db, 'owner'));
    const invoice = () => aBookedInvoice(db, companyId);
    open = await invoice();
    paid = await aCapture(db, await invoice(), { at: '2026-01-05T02:00:00.000Z' });
    over = await aCapture(db, await invoice(), { paid: TOTAL + 9_000n, applied: TOTAL });
    await aTakeBack(db, await aCapture(db, await invoice()));
    settledOne = await aCapture(db, await invoice(), { gateway: 'xendit' });
    refund = await aBookedRefund(db, settledOne, { amount: 50_000n, state: 'succeeded' });
    onItsWay = await aBookedRefund(db, paid, { amount: 20_000n, state: 'reserved' });
    const lines = [
      { kind: 'payment', reference: settledOne.reference, grossMinor: TOTAL, feeMinor: 4_400n },
      { kind: 'refund', reference: refund, grossMinor: -50_000n, feeMinor: 0n },
      { kind: 'payment', reference: 'nobody', grossMinor: 700n, feeMinor: 0n },
    ] as const;
    const report = { gateway: 'xendit', reference: 'PAYOUT-1', currency: 'IDR', paidOutAt: MONDAY, lines } as const;
    settlement = asId<SettlementId>(randomUUID());
    const by = await aUser(db, 'finance');
    const origin = { address: null, requestId: null };
    await importSettlement(db, { id: settlement, report, source: 'csv', by, origin, at: MONDAY });
  });
  after(() => database?.drop());

  /** The proofs that fail after somebody who may do anything in the database has done this; nothing of it stays. */
  async function failedAfter(deed: (tx: Knex) => Promise<unknown>): Promise<LedgerProof[]> {
    const tx = await db.transaction();
    try {
      // What a superuser can: no trigger fires, no foreign key is looked at.
      await tx.raw('set local session_replication_role = replica');
      await deed(tx);
      return (await checkLedger(tx)).proofs.filter(({ wrong }) => wrong > 0);
    } finally {
      await tx.rollback();
    }
  }
  /** The finding of this proof about this subject. */
  async function finding(deed: (tx: Knex) => Promise<unknown>, name: string, subject: string) {
    const failed = await failedAfter(deed);
    const proof = failed.find((one) => one.name === name);
    assert.ok(proof, `${name} holds; what fails: ${JSON.stringify(failed)}`);
    const found = proof.findings.find((one) => one.subject.includes(subject));
    assert.ok(found, `${subject} is not among ${JSON.stringify(proof.findings)}`);
    return found.facts;
  }
  const facts = (found: Readonly<Record<string, string | null>>, ...names: string[]) =>
    names.map((name) => found[name]);
  const posting = (key: string, account: string) => (tx: Knex) =>
    tx('ledger_postings').where({ account, entry_id: tx('ledger_entries').where({ key }).select('id') });
  const captureKey = ({ invoice, attempt }: Captured) => `payment/${invoice.id}/${attempt}/captured`;

  it('finds all of them as the records are, and what waits at each gateway', async () => {
    const { proofs, gateways } = await checkLedger(db);
    assert.deepEqual(
      proofs.filter(({ wrong }) => wrong > 0),
      [],
    );
    assert.equal(proofs.length, 11);
    assert.deepEqual(proofs.find(({ name }) => name === 'paths')?.counts, {
      captured: '4',
      settled: '1',
      atGateway: '2',
      takenBack: '1',
      overpaid: '0',
    });
    assert.deepEqual(gateways, [
      {
        gateway: 'midtrans',
        currency: 'IDR',
        captured: 3,
        settled: 0,
        waiting: 2,
        waitingMinor: 2n * TOTAL + 9_000n,
        oldestWaiting: new Date('2026-01-05T02:00:00.000Z'),
      },
      {
        gateway: 'xendit',
        currency: 'IDR',
        captured: 1,
        settled: 1,
        waiting: 0,
        waitingMinor: 0n,
        oldestWaiting: null,
      },
    ]);
  });

  it('names an entry that is off balance, and the currency with it', async () => {
    const deed = (tx: Knex) => posting(captureKey(paid), 'receivable')(tx).update({ amount_minor: -1 });
    assert.deepEqual(facts(await finding(deed, 'entries', captureKey(paid)), 'off', 'postings'), ['360999', '2']);
    assert.deepEqual(await finding(deed, 'trial_balance', 'IDR'), { off: '360999' });
  });

  it('names an entry that lost a posting, one that lost all, and one on an account that there is not', async () => {
    const one = (tx: Knex) => posting(captureKey(paid), 'receivable')(tx).delete();
    assert.equal((await finding(one, 'entries', captureKey(paid)))['postings'], '1');
    const all = (tx: Knex) =>
      tx('ledger_postings')
        .where({
          entry_id: tx('ledger_entries')
            .where({ key: captureKey(paid) })
            .select('id'),
        })
        .delete();
    assert.deepEqual(facts(await finding(all, 'entries', captureKey(paid)), 'postings'), [null]);
    const account = (tx: Knex) => posting(captureKey(paid), 'gateway_clearing')(tx).update({ account: 'pocket' });
    assert.equal((await finding(account, 'entries', captureKey(paid)))['unknown'], 'pocket');
    const orphan = (tx: Knex) =>
      tx('ledger_entries')
        .where({ key: captureKey(paid) })
        .delete();
    assert.equal((await finding(orphan, 'entries', 'entry #'))['postings'], '2');
  });

  it('names a payment whose record was changed, or whose entry is gone', async () => {
    const payment = (tx: Knex) => tx('payments').where({ id: paid.id });
    const more = await finding((tx) => payment(tx).update({ paid_minor: 400_000 }), 'payments', paid.id);
    assert.deepEqual(facts(more, 'paidMinor', 'bookedMinor'), ['400000', '361000']);
    const applied = await finding((tx) => payment(tx).update({ applied_minor: 1 }), 'payments', paid.id);
    assert.deepEqual(facts(applied, 'appliedMinor', 'bookedAppliedMinor'), ['1', '361000']);
    const state = await finding((tx) => payment(tx).update({ state: 'expired' }), 'payments', paid.id);
    assert.deepEqual(facts(state, 'state', 'bookedMinor'), ['expired', '361000']);
    const currency = await finding((tx) => payment(tx).update({ paid_currency: 'MYR' }), 'payments', paid.id);
    assert.deepEqual(facts(currency, 'currency', 'bookedCurrency'), ['MYR', 'IDR']);
    const gone = async (tx: Knex) => {
      const entry = tx('ledger_entries').where({ key: captureKey(paid) });
      await tx('ledger_postings')
        .where({ entry_id: entry.clone().select('id') })
        .delete();
      await entry.delete();
    };
    assert.equal((await finding(gone, 'payments', paid.id))['bookedMinor'], '0');
    assert.deepEqual((await finding(gone, 'invoices', paid.invoice.id))['receivableMinor'], '361000');
  });

  it('names an invoice that owes another amount than the books say, or was never claimed', async () => {
    const invoice = (tx: Knex) => tx('invoices').where({ id: open.id });
    const part = await finding((tx) => invoice(tx).update({ paid_minor: 1 }), 'invoices', open.number);
    assert.deepEqual(facts(part, 'state', 'paidMinor', 'receivableMinor'), ['open', '1', '361000']);
    const closed = await finding((tx) => invoice(tx).update({ state: 'void' }), 'invoices', open.id);
    assert.deepEqual(facts(closed, 'state', 'receivableMinor'), ['void', '361000']);
    const total = await finding(
      (tx) => invoice(tx).update({ subtotal_minor: 349_999, total_minor: 360_999 }),
      'invoices',
      open.id,
    );
    assert.deepEqual(facts(total, 'totalMinor', 'issuedMinor'), ['360999', '361000']);
    const unclaimed = (tx: Knex) =>
      tx('ledger_entries')
        .where({ key: `invoice/${paid.invoice.id}/issued` })
        .update({ kind: 'captured', invoice_id: null });
    assert.equal((await finding(unclaimed, 'invoices', paid.invoice.id))['issuedMinor'], '0');
    assert.equal((await finding(unclaimed, 'paths', paid.id))['invoiceIssued'], 'false');
  });

  it('names a refund that is owed or paid otherwise than the books say', async () => {
    const of = (id: RefundId) => (tx: Knex) => tx('refunds').where({ id });
    const more = await finding((tx) => of(onItsWay)(tx).update({ amount_minor: 30_000 }), 'refunds', onItsWay);
    assert.deepEqual(facts(more, 'amountMinor', 'owedMinor'), ['30000', '20000']);
    const early = await finding((tx) => of(onItsWay)(tx).update({ state: 'succeeded' }), 'refunds', onItsWay);
    assert.deepEqual(facts(early, 'state', 'paidMinor', 'owedMinor'), ['succeeded', '0', '20000']);
    const failed = await finding((tx) => of(refund)(tx).update({ state: 'failed' }), 'refunds', refund);
    assert.deepEqual(facts(failed, 'state', 'paidMinor'), ['failed', '50000']);
    const unasked = await finding((tx) => of(onItsWay)(tx).update({ state: 'requested' }), 'refunds', onItsWay);
    assert.deepEqual(facts(unasked, 'state', 'owedMinor'), ['requested', '20000']);
    const gone = await finding((tx) => of(onItsWay)(tx).delete(), 'refunds', onItsWay);
    assert.deepEqual(facts(gone, 'state', 'owedMinor'), [null, '20000']);
  });

  it('takes a refund that waits for its destination as owed or not yet, but not as owed in part', async () => {
    const awaiting = (tx: Knex) => tx('refunds').where({ id: onItsWay }).update({ state: 'awaiting_destination' });
    assert.deepEqual(await failedAfter(awaiting), []);
    const part = async (tx: Knex) => {
      await awaiting(tx);
      await posting(`refund/${onItsWay}/reserved`, 'refunds')(tx).update({ amount_minor: -5 });
    };
    assert.equal((await finding(part, 'refunds', onItsWay))['owedMinor'], '5');
  });

  it('names a company that used more credit than it has', async () => {
    const { companyId } = open;
    const deed = (tx: Knex) => posting(captureKey(paid), 'gateway_clearing')(tx).update({ account: 'store_credit' });
    assert.deepEqual(await finding(deed, 'store_credit', companyId), { currency: 'IDR', creditMinor: '-361000' });
  });

  it('names suspense that nobody looks after, unless a refund is to take it', async () => {
    const close = (tx: Knex) => tx('payment_cases').where({ state: 'open' }).update({ state: 'resolved' });
    assert.deepEqual(facts(await finding(close, 'suspense', over.invoice.id), 'suspenseMinor', 'entries'), [
      '9000',
      captureKey(over),
    ]);
    assert.equal((await finding(close, 'suspense', settlement))['suspenseMinor'], '700');
    const taken = async (tx: Knex) => {
      await tx('payment_cases').where({ payment_id: over.id }).update({ state: 'resolved' });
      await tx('refunds').where({ id: onItsWay }).update({
        invoice_id: over.invoice.id,
        payment_id: over.id,
        source: 'suspense',
        state: 'awaiting_destination',
      });
    };
    assert.deepEqual(
      (await failedAfter(taken)).map(({ name }) => name),
      [],
    );
  });

  it('names a payment of which the gateway paid out more than it held, when nobody was told', async () => {
    const deed = async (tx: Knex) => {
      await tx('ledger_entries')
        .where({ kind: 'settled', payment_id: settledOne.id })
        .update({ payment_id: paid.id, refund_id: null });
      await posting(captureKey(paid), 'gateway_clearing')(tx).update({ amount_minor: 1 });
    };
    assert.equal((await finding(deed, 'paths', paid.id))['heldMinor'], String(1n - TOTAL + 50_000n));
  });

  it('names a settlement whose lines, bank or cases are not those of its report', async () => {
    const fee = (tx: Knex) =>
      tx('settlement_lines').where({ settlement_id: settlement, position: 1 }).update({ fee_minor: 1 });
    assert.equal((await finding(fee, 'settlements', 'PAYOUT-1'))['linesFeeMinor'], '1');
    const lost = (tx: Knex) => tx('settlement_lines').where({ settlement_id: settlement, position: 3 }).delete();
    assert.equal((await finding(lost, 'settlements', settlement))['linesGrossMinor'], '311000');
    const bank = (tx: Knex) =>
      tx('ledger_entries')
        .where({ key: `settlement/${settlement}/3` })
        .update({ kind: 'captured' });
    assert.deepEqual(facts(await finding(bank, 'settlements', settlement), 'netMinor', 'bankMinor'), [
      '307300',
      '306600',
    ]);
    const untold = (tx: Knex) => tx('payment_cases').where({ settlement_id: settlement }).delete();
    assert.equal((await finding(untold, 'settlements', settlement))['withoutCase'], '1');
  });

  it('names a number that is missing, one that no counter gave, and one that is none', async () => {
    const of = (tx: Knex) => tx('invoices').where({ id: over.invoice.id });
    const gap = await finding((tx) => of(tx).delete(), 'numbers', 'invoice/2026');
    assert.deepEqual(facts(gap, 'counter', 'rows', 'missing'), ['5', '4', '3']);
    const counter = await finding(
      (tx) => tx('counters').where({ name: 'invoice/2026' }).update({ value: 6 }),
      'numbers',
      'invoice/2026',
    );
    assert.deepEqual(facts(counter, 'counter', 'rows', 'last', 'missing'), ['6', '5', '5', '6']);
    const invented = await finding((tx) => of(tx).update({ number: 'INV/2026/000099' }), 'numbers', 'invoice/2026');
    assert.deepEqual(facts(invented, 'counter', 'last'), ['5', '99']);
    const free = (tx: Knex) => of(tx).update({ number: 'free of charge' });
    assert.deepEqual(facts(await finding(free, 'numbers', 'invoice'), 'counter', 'rows', 'last'), ['0', '1', null]);
    assert.equal((await finding(free, 'numbers', 'invoice/2026'))['missing'], '3');
    const unheard = (tx: Knex) => tx('counters').insert({ name: 'receipt/2026', value: 2 });
    assert.deepEqual(facts(await finding(unheard, 'numbers', 'receipt/2026'), 'rows', 'missing'), ['0', '1, 2']);
  });

  it('names a hundred rows of a kind at most, and counts the others', async () => {
    const many = (tx: Knex) =>
      tx.raw(
        `insert into ledger_entries (key, kind, currency, occurred_at) select 'empty/' || n, 'settled', 'IDR', now() from generate_series(1, 120) n`,
      );
    const [proof] = await failedAfter(many);
    assert.deepEqual([proof?.name, proof?.wrong, proof?.findings.length], ['entries', 120, 100]);
  });
});
