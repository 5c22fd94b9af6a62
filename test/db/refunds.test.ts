import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { postEntry } from '../../db/ledger.ts';
import { type RefundWish, requestRefund } from '../../db/refund-requests.ts';
import { waitingRefunds } from '../../db/refunds.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type CompanyId, type PaymentCaseId, type RefundId, type UserId } from '../../domain/ids.ts';
import { suspenseReleased } from '../../domain/ledger.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { aBookedInvoice, aCapture, aTakeBack, TOTAL } from '../builders/books.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';

describe('asking for a refund', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
    companyId = (await db('companies').first('id')).id;
  });
  after(() => database?.drop());

  const finance: UserId = demoUserId('finance');
  const captured = async (given: Parameters<typeof aCapture>[2] = {}) =>
    aCapture(db, await aBookedInvoice(db, companyId), given);
  const ask = (paymentId: RefundWish['paymentId'], changes: Partial<RefundWish> = {}) =>
    db.transaction((tx) =>
      requestRefund(tx, {
        id: asId<RefundId>(randomUUID()),
        paymentId,
        amountMinor: 1_000n,
        reason: 'goodwill',
        requestedBy: finance,
        at: new Date().toISOString(),
        policy: MONEY_POLICY,
        requestedByPayer: false,
        ...changes,
      }),
    );
  const letters = (id: string) =>
    db('account_letters').whereRaw("data ->> 'refundId' = ?", [id]).orderBy('template').pluck<string[]>('template');
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error instanceof Failure ? error.code : Promise.reject(error)),
    );

  it('never promises more than was captured, however many ask at once', async () => {
    const { id } = await captured();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => codeOf(ask(id, { amountMinor: 10_000n }))));
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 36, 'of Rp361.000');
    assert.equal(outcomes.filter((outcome) => outcome === 'refund_exceeds_payment').length, 14);
    const [row] = await db('refunds').where({ payment_id: id }).sum<{ sum: bigint }[]>({ sum: 'amount_minor' });
    assert.equal(Number(row?.sum), 360_000);
    assert.equal((await ask(id, { amountMinor: null })).amount.amountMinor, 1_000n, 'and the rest to the unit');
    assert.equal(await codeOf(ask(id, { amountMinor: 1n })), 'refund_exceeds_payment');
  });

  it('is agreed to at once below the threshold, and waits for a second person when the payer asks', async () => {
    const { id } = await captured();
    const own = await ask(id);
    assert.equal(own.state, 'approved');
    assert.deepEqual(await letters(own.id), ['refund_requested']);
    const asked = await ask(id, { requestedBy: demoUserId('owner'), requestedByPayer: true });
    assert.deepEqual([asked.state, asked.needsApproval], ['requested', true]);
    assert.deepEqual(await letters(asked.id), ['refund_requested', 'refund_to_approve']);
    const events = await db('events')
      .whereIn('subject', [`refund/${own.id}`, `refund/${asked.id}`])
      .orderBy('id');
    assert.deepEqual(
      events.map(({ type }) => type),
      ['refund.requested', 'refund.approved', 'refund.requested'],
    );
  });

  it('changes nothing the second time', async () => {
    const { id } = await captured();
    const wish = { id: asId<RefundId>(randomUUID()), amountMinor: TOTAL };
    const first = await ask(id, wish);
    const [again] = await Promise.all([ask(id, wish), ask(id, wish)]);
    assert.deepEqual(again, first);
    assert.equal((await letters(wish.id)).length, 1);
  });

  it('takes what settles a case out of suspense, and what paid the invoice out of that', async () => {
    const payment = await captured({ paid: TOTAL + 39_000n, applied: TOTAL });
    const { id: caseId } = await db('payment_cases').where({ payment_id: payment.id }).first('id');
    const ofCase = { caseId: asId<PaymentCaseId>(caseId) };
    assert.equal(await codeOf(ask(payment.id, { ...ofCase, amountMinor: 39_001n })), 'refund_exceeds_payment');
    assert.equal(await codeOf(ask(payment.id, { amountMinor: TOTAL + 1n })), 'refund_exceeds_payment');
    const odd = await ask(payment.id, { ...ofCase, amountMinor: null });
    assert.deepEqual([odd.source, odd.amount.amountMinor, odd.caseId], ['suspense', 39_000n, caseId]);
    assert.equal(await codeOf(ask(payment.id, { ...ofCase, amountMinor: 1n })), 'refund_exceeds_payment');
    const whole = await ask(payment.id, { amountMinor: null });
    assert.deepEqual([whole.source, whole.amount.amountMinor], ['invoice', TOTAL]);
  });

  it('finds money that paid nothing in suspense without a case, and does not give what finance has released', async () => {
    const payment = await captured({ paid: 50_000n, applied: 0n, odd: 'late' });
    await db.transaction((tx) =>
      postEntry(tx, {
        key: `test/${randomUUID()}`,
        kind: 'suspense_released',
        currency: 'IDR',
        postings: suspenseReleased(20_000n, 'other_income'),
        paymentId: payment.id,
        at: new Date().toISOString(),
      }),
    );
    const rest = await ask(payment.id, { amountMinor: null });
    assert.deepEqual([rest.source, rest.amount.amountMinor], ['suspense', 30_000n]);
  });

  it('takes out of suspense what had paid an invoice that nobody has to pay any more', async () => {
    const payment = await captured({ paid: 100_000n });
    await db('invoices').where({ id: payment.invoice.id }).update({ state: 'lapsed' });
    const rest = await ask(payment.id, { amountMinor: null });
    assert.deepEqual([rest.source, rest.amount.amountMinor], ['suspense', 100_000n]);
  });

  it('waits for a second person where who asks in the office acts for the payer too', async () => {
    const { id } = await captured();
    await db('company_members').insert({ company_id: companyId, user_id: finance });
    const own = await ask(id);
    await db('company_members').where({ company_id: companyId, user_id: finance }).delete();
    assert.deepEqual([own.state, own.needsApproval], ['requested', true]);
  });

  it('is refused for money that is not there, and leaves the caller’s transaction as it was', async () => {
    const payment = await captured();
    await aTakeBack(db, payment);
    assert.equal(await codeOf(ask(payment.id)), 'payment_not_refundable');
    const other = await captured();
    const id = asId<RefundId>(randomUUID());
    await db.transaction(async (tx) => {
      const wish = { id, paymentId: other.id, amountMinor: TOTAL + 1n, reason: 'overpaid', requestedBy: null } as const;
      const rest = { at: new Date().toISOString(), policy: MONEY_POLICY, requestedByPayer: false };
      assert.equal(await codeOf(requestRefund(tx, { ...wish, ...rest })), 'refund_exceeds_payment');
      assert.equal((await requestRefund(tx, { ...wish, ...rest, amountMinor: 1n })).state, 'approved');
    });
    assert.equal(await codeOf(ask(asId(randomUUID()))), 'not_found');
  });

  it('waits for its process until one has taken it', async () => {
    const { id } = await captured();
    const long = new Date('2026-01-01T00:00:00Z');
    const refund = await ask(id, { at: long.toISOString() });
    assert.deepEqual(await waitingRefunds(db, new Date('2026-01-02T00:00:00Z'), 10), [refund.id]);
    assert.deepEqual(await waitingRefunds(db, long, 10), []);
  });
});
