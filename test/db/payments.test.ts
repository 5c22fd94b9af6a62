import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { openPaymentCase } from '../../db/payment-cases.ts';
import { markNoticesHandled, receiveNotice } from '../../db/payment-inbox.ts';
import { findPayment, insertPayment, movePayment, paymentsOf } from '../../db/payments.ts';
import type { CompanyId, InvoiceId, UserId } from '../../domain/ids.ts';
import { rupiah } from '../../domain/money.ts';
import { OPEN_PAYMENT_STATES, PAYMENT_STATES, type PaymentState, paymentTransitions } from '../../domain/payments.ts';
import { aCompany, anInvoice, aPayment, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const LATER = '2026-03-02T03:00:00.000Z';

describe('the attempts to collect an invoice', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
  });
  after(() => database?.drop());

  const invoice = () => anInvoice(database.db, { companyId });
  const attempt = (invoiceId: InvoiceId, number: number) => ({
    invoiceId,
    attempt: number,
    gateway: 'midtrans' as const,
    method: null,
    reference: `${invoiceId}-${number}`,
    amount: rupiah(361_000),
    by: owner,
    at: MONDAY,
    expiresAt: LATER,
  });
  const attemptIn = async (state: PaymentState): Promise<string> =>
    (await aPayment(database.db, { invoiceId: await invoice(), state })).reference;
  const stateOf = async (reference: string): Promise<PaymentState> => (await findPayment(database.db, reference)).state;

  it('are stored before the gateway hears of them; a repeat changes nothing', async () => {
    const id = await invoice();
    await insertPayment(database.db, attempt(id, 1));
    await movePayment(database.db, { reference: `${id}-1`, to: 'pending', at: LATER });
    await insertPayment(database.db, { ...attempt(id, 1), amount: rupiah(1) });
    const found = await paymentsOf(database.db, id);
    assert.deepEqual(
      found.map(({ attempt: number, state, amount }) => ({ number, state, amount })),
      [{ number: 1, state: 'pending', amount: rupiah(361_000) }],
    );
  });

  for (const state of OPEN_PAYMENT_STATES) {
    it(`are never two while one is ${state}`, async () => {
      const id = await invoice();
      await aPayment(database.db, { invoiceId: id, state });
      await assert.rejects(insertPayment(database.db, attempt(id, 2)), /payments_one_open/);
    });
  }

  it('are one more when the one before is over', async () => {
    const id = await invoice();
    await aPayment(database.db, { invoiceId: id, state: 'expired' });
    await insertPayment(database.db, attempt(id, 2));
    assert.deepEqual(
      (await paymentsOf(database.db, id)).map((each) => each.attempt),
      [1, 2],
    );
  });

  it('are one though five are asked for at once', async () => {
    const id = await invoice();
    const opened = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((number) => insertPayment(database.db, attempt(id, number))),
    );
    assert.equal(opened.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await paymentsOf(database.db, id)).length, 1);
  });

  for (const from of PAYMENT_STATES) {
    it(`move from ${from} along their table, and nowhere else`, async () => {
      for (const to of PAYMENT_STATES) {
        const reference = await attemptIn(from);
        const allowed = paymentTransitions[from].includes(to);
        assert.equal(await movePayment(database.db, { reference, to, at: LATER }), allowed, `${from} to ${to}`);
        assert.equal(await stateOf(reference), allowed ? to : from, `${from} to ${to}`);
      }
    });
  }

  it('move once though two words come at the same time', async () => {
    const reference = await attemptIn('pending');
    const moves = (['expired', 'failed'] as const).map((to) => movePayment(database.db, { reference, to, at: LATER }));
    assert.equal((await Promise.all(moves)).filter(Boolean).length, 1);
  });

  it('keep what they know when a later word does not say it', async () => {
    const reference = await attemptIn('pending');
    const said = { transactionId: 'T-1', method: 'bank_transfer', paid: rupiah(361_000), paidAt: MONDAY };
    await movePayment(database.db, { reference, to: 'paid', at: MONDAY, ...said });
    await movePayment(database.db, { reference, to: 'reversed', at: LATER, transactionId: null, paid: null });
    const row = await database
      .db('payments')
      .where({ gateway_reference: reference })
      .first('transaction_id', 'method', 'paid_minor');
    assert.deepEqual(row, { transaction_id: 'T-1', method: 'bank_transfer', paid_minor: 361_000n });
  });

  it('that finance must look at are one case for a key, and the first word counts', async () => {
    const key = randomUUID();
    const found = {
      key,
      kind: 'late' as const,
      gateway: 'midtrans' as const,
      reference: 'r-1',
      paymentId: null,
      invoiceId: await invoice(),
      applicationId: null,
      amount: rupiah(361_000),
      at: MONDAY,
    };
    await Promise.all(Array.from({ length: 10 }, () => openPaymentCase(database.db, found)));
    await openPaymentCase(database.db, { ...found, kind: 'twice', amount: null });
    const cases = await database.db('payment_cases').where({ key }).select('kind', 'amount_minor', 'currency', 'state');
    assert.deepEqual(cases, [{ kind: 'late', amount_minor: 361_000n, currency: 'IDR', state: 'open' }]);
  });

  it('are found by a notice that names the gateway’s own transaction, and its answer covers it', async () => {
    const {
      id: paymentId,
      reference,
      invoiceId,
    } = await (async () => {
      const id = await invoice();
      return { invoiceId: id, ...(await aPayment(database.db, { invoiceId: id, state: 'paid' })) };
    })();
    const transaction = `pi_${randomUUID()}`;
    await database.db('payments').where({ gateway_reference: reference }).update({ transaction_id: transaction });
    const notice = { gateway: 'midtrans', objectId: `dp_${transaction}`, status: 'lost', body: {}, at: LATER } as const;
    const received = await receiveNotice(database.db, { ...notice, reference: transaction });
    assert.deepEqual([received.invoiceId, received.reference, received.handled], [invoiceId, reference, false]);
    assert.equal((await database.db('payment_cases').where({ reference: transaction })).length, 0);
    await markNoticesHandled(database.db, { paymentId }, received.inboxId, LATER);
    assert.equal((await receiveNotice(database.db, { ...notice, reference: transaction })).handled, true);

    const elsewhere = await receiveNotice(database.db, { ...notice, gateway: 'xendit', reference: transaction });
    assert.equal(elsewhere.invoiceId, null, 'another gateway’s transaction may have the same name');
  });
});
