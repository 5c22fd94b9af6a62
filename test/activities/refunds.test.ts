import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Knex } from 'knex';
import {
  GatewayError,
  type GatewayRefund,
  type PaymentGateway,
  type RefundRequest,
} from '../../activities/gateways/gateway.ts';
import { createRefundActivities } from '../../activities/refunds.ts';
import { checkLedger } from '../../db/ledger-check.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { type RefundWish, requestRefund } from '../../db/refund-requests.ts';
import { type BankDestination, storeDestination } from '../../db/refunds.ts';
import { asId, type CompanyId, type PaymentCaseId, type RefundId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { aBookedInvoice, aCapture, aTakeBack, type Captured, TOTAL } from '../builders/books.ts';
import { aSubscriptionInvoice, planLine } from '../builders/subscription-invoices.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { MONEY_POLICY } from '../support/money-policy.ts';

const NOT_HERE = () => Promise.reject(new Error('not part of this test'));
const said = (state: GatewayRefund['state'], more: Partial<GatewayRefund> = {}): GatewayRefund => ({
  state,
  refundId: 'R-1',
  amount: null,
  reason: null,
  ...more,
});

const ACCOUNT: BankDestination = {
  bankCode: '014',
  accountNumberEncrypted: Buffer.from('sealed'),
  accountNumberMasked: '••••••7890',
  accountHolderEncrypted: Buffer.from('sealed'),
  nameMatches: true,
};

describe('the steps of a refund', () => {
  let database: TestDatabase;
  let db: Knex;
  let companyId: CompanyId;
  const environment = new MockActivityEnvironment();
  /** What the gateway answers next; the calls it got. */
  let answers: (GatewayRefund | Error)[] = [];
  let lookedUp: GatewayRefund = said('not_found');
  let asked: RefundRequest[] = [];
  const gateway: PaymentGateway = {
    name: 'midtrans',
    create: NOT_HERE,
    lookUp: NOT_HERE,
    expire: NOT_HERE,
    list: null,
    refund: async (request) => {
      asked.push(request);
      const answer = answers.shift() ?? said('succeeded');
      if (answer instanceof Error) throw answer;
      return answer;
    },
    lookUpRefund: async () => lookedUp,
  };

  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
    companyId = (await db('companies').first('id')).id;
  });
  after(() => database?.drop());
  beforeEach(() => {
    [answers, asked, lookedUp] = [[], [], said('not_found')];
  });
  afterEach(async () => {
    for (const proof of (await checkLedger(db)).proofs) assert.deepEqual(proof.findings, [], proof.name);
  });

  const activities = () =>
    createRefundActivities({
      db,
      gateways: { midtrans: gateway },
      personalData: createPersonalData([PERSONAL_DATA_KEY]),
    });
  const at = () => new Date().toISOString();
  const run =
    <Input extends object>(step: (input: Input & { refundId: RefundId; at: string }) => Promise<{ state: string }>) =>
    async (
      refundId: RefundId,
      ...more: object extends Omit<Input, 'refundId' | 'at'> ? [] : [Omit<Input, 'refundId' | 'at'>]
    ) =>
      // Twice, as after an answer that was lost: the second must change nothing and say the same.
      environment.run(async () => {
        const input = Object.assign({ refundId, at: at() }, ...more);
        const first = await step(input);
        assert.equal((await step(input)).state, first.state);
        return first.state;
      });

  const captured = async (given: Parameters<typeof aCapture>[2] = {}) =>
    aCapture(db, await aBookedInvoice(db, companyId), given);
  const approved = async (
    payment: Captured,
    amountMinor: bigint | null = 61_000n,
    caseId: PaymentCaseId | null = null,
  ) => {
    const wish: RefundWish = {
      id: asId<RefundId>(randomUUID()),
      paymentId: payment.id,
      amountMinor,
      reason: 'goodwill',
      requestedBy: demoUserId('finance'),
      at: at(),
      policy: MONEY_POLICY,
      requestedByPayer: false,
      caseId,
    };
    return (await db.transaction((tx) => requestRefund(tx, wish))).id;
  };
  const submitted = async (payment: Captured, amountMinor: bigint | null = 61_000n) => {
    const id = await approved(payment, amountMinor);
    const { reserveRefund, sendRefund } = activities();
    assert.equal(await run(reserveRefund)(id), 'reserved');
    assert.equal(await run(sendRefund)(id), 'submitted');
    return id;
  };
  const askGateway = (id: RefundId) => run(activities().refundAtGateway)(id);
  const look = (id: RefundId) =>
    environment.run(
      async () => (await activities().confirmRefund({ refundId: id, at: at(), noticesUpTo: null })).state,
    );
  const balance = async (account: string, column: 'refund_id' | 'payment_id', id: string): Promise<number> => {
    const [row] = await db('ledger_entries as e')
      .join('ledger_postings as p', 'p.entry_id', 'e.id')
      .where({ [`e.${column}`]: id, 'p.account': account })
      .sum<{ sum: bigint | null }[]>({ sum: 'p.amount_minor' });
    return Number(row?.sum ?? 0);
  };
  const casesOf = (id: RefundId) => db('payment_cases').where({ refund_id: id }).pluck<string[]>('kind');
  const counts = async (id: RefundId) =>
    Number(
      (
        await db('events')
          .where({ subject: `refund/${id}` })
          .count<{ count: bigint }[]>()
      )[0]?.count,
    );

  it('of an invoice with credits give back what was paid, never more of a line than it charged after them', async () => {
    const lines = [planLine(300_000), { ...planLine(7), code: 'extra' }, planLine(-50_001)];
    const billed = await aSubscriptionInvoice(db, { companyId, by: demoUserId('owner'), lines });
    const { totalMinor, invoiceId, number } = billed;
    const payment = await aCapture(db, { id: invoiceId, number, companyId }, { paid: totalMinor });
    for (const amount of [100_000n, 1n, null])
      assert.equal(await askGateway(await submitted(payment, amount)), 'succeeded');
    const taken = await db('refund_lines')
      .where({ invoice_id: invoiceId })
      .groupBy('position')
      .orderBy('position')
      .select({ position: 'position', net: db.raw('sum(net_minor)::int'), tax: db.raw('sum(tax_minor)::int') });
    assert.deepEqual(
      taken.map(({ position, net, tax }) => [position, net, tax]),
      [
        [1, 250_000, 27_500],
        [2, 6, 1],
      ],
      'the credit takes off what was charged in proportion, and is not given back itself',
    );
    const invoice = await db('invoices').where({ id: invoiceId }).first();
    assert.deepEqual([invoice.credited_minor, invoice.state], [totalMinor, 'paid']);
    const event = await db('events').where({ type: 'invoice.credited', company_id: companyId, application_id: null });
    assert.ok(event.length >= 3);
  });

  it('fix the lines once, and refunds of everything add up to the invoice to the unit', async () => {
    const payment = await captured();
    for (const amount of [100_000n, 1n, null])
      assert.equal(await askGateway(await submitted(payment, amount)), 'succeeded');
    const lines = await db('refund_lines')
      .where({ invoice_id: payment.invoice.id })
      .groupBy('position')
      .orderBy('position')
      .select({ net: db.raw('sum(net_minor)::int'), tax: db.raw('sum(tax_minor)::int') });
    assert.deepEqual(
      lines.map((line) => ({ ...line })),
      [
        { net: 250_000, tax: 0 },
        { net: 100_000, tax: 11_000 },
      ],
    );
    const invoice = await db('invoices').where({ id: payment.invoice.id }).first('credited_minor', 'total_minor');
    assert.equal(invoice.credited_minor, invoice.total_minor);
    assert.equal(await balance('gateway_clearing', 'payment_id', payment.id), 0);
    assert.equal(asked.length, 3, 'a refund that has arrived is not asked for again');
  });

  it('ask the gateway under the refund’s ID, every time', async () => {
    const id = await submitted(await captured());
    answers = [new GatewayError('unknown', 'connection_lost', 'the answer was lost')];
    assert.equal((await activities().refundAtGateway({ refundId: id, at: at() })).state, 'unknown');
    lookedUp = said('not_found');
    assert.equal(await look(id), 'succeeded', 'it had heard nothing of it, so it is asked again');
    assert.deepEqual([...new Set(asked.map(({ key }) => key))], [id]);
    assert.equal(asked.length, 2);
  });

  it('only ask what became of it where the gateway knows it', async () => {
    const id = await submitted(await captured());
    answers = [new GatewayError('unknown', 'timed_out', 'the answer was lost')];
    await activities().refundAtGateway({ refundId: id, at: at() });
    lookedUp = said('pending');
    assert.equal(await look(id), 'pending');
    lookedUp = said('not_found');
    assert.equal(await look(id), 'pending', 'what it has once confirmed it is not asked to do again');
    lookedUp = said('succeeded');
    assert.equal(await look(id), 'succeeded');
    const events = await counts(id);
    lookedUp = said('pending');
    assert.equal(await look(id), 'succeeded', 'late news changes nothing');
    assert.equal(await counts(id), events);
    assert.equal(asked.length, 1);
    assert.equal(await balance('refunds', 'refund_id', id), 0);
  });

  it('change nothing while the gateway says to come back later', async () => {
    const id = await submitted(await captured());
    answers = [new GatewayError('retry_later', 'unreachable', 'away')];
    await assert.rejects(activities().refundAtGateway({ refundId: id, at: at() }), GatewayError);
    assert.equal((await activities().takeRefund({ refundId: id, at: at() })).state, 'submitted');
    assert.equal(await askGateway(id), 'succeeded');
  });

  it('release what a gateway refuses, open a case, and leave the amount free', async () => {
    const payment = await captured();
    const id = await submitted(payment, TOTAL);
    answers = [new GatewayError('refused', 'not_refundable_now', 'no')];
    assert.equal(await askGateway(id), 'failed');
    assert.deepEqual(await casesOf(id), ['refund_failed']);
    assert.equal(await balance('refunds', 'refund_id', id), 0);
    assert.equal(await askGateway(await submitted(payment, TOTAL)), 'succeeded');
  });

  it('turn to the payer where the channel takes nothing back, with the reservation as it was', async () => {
    const id = await submitted(await captured());
    answers = [new GatewayError('refused', 'channel_cannot_refund', 'no')];
    assert.equal(await askGateway(id), 'awaiting_destination');
    assert.equal(await balance('refunds', 'refund_id', id), -61_000);
    assert.deepEqual(await casesOf(id), []);
    assert.equal(await run(activities().reserveRefund)(id), 'awaiting_destination', 'that way is not tried again');
    await db('refunds').where({ id }).update({ channel: 'store_credit' });
    const { reserveRefund, sendRefund } = activities();
    assert.equal(await run(reserveRefund)(id), 'reserved');
    assert.equal(await run(sendRefund)(id), 'succeeded');
    assert.equal(await balance('store_credit', 'refund_id', id), -61_000);
    assert.equal(await balance('refunds', 'refund_id', id), 0);
  });

  it('book what comes back late into suspense, once, and the credit note stays', async () => {
    const payment = await captured();
    const id = await submitted(payment);
    assert.equal(await askGateway(id), 'succeeded');
    lookedUp = said('failed', { reason: 'returned' });
    assert.deepEqual(await Promise.all([look(id), look(id)]), ['failed', 'failed']);
    assert.deepEqual(await casesOf(id), ['refund_failed']);
    assert.equal(await balance('refunds', 'refund_id', id), 0);
    assert.equal(await balance('suspense', 'payment_id', payment.id), -61_000);
    assert.equal((await db('credit_notes').where({ refund_id: id })).length, 1);
    const rest = await approved(payment, null);
    assert.equal((await db('refunds').where({ id: rest }).first('amount_minor')).amount_minor, TOTAL - 61_000n);
    assert.equal(await run(activities().reserveRefund)(rest), 'reserved');
    const [taken] = await db('refund_lines')
      .where({ invoice_id: payment.invoice.id })
      .select({ net: db.raw('sum(net_minor)::int'), tax: db.raw('sum(tax_minor)::int') });
    assert.deepEqual({ ...taken }, { net: 350_000, tax: 11_000 }, 'nothing is credited twice');
  });

  it('waits as long as the gateway wants before it is asked again', async () => {
    const id = await submitted(await captured());
    answers = [new GatewayError('retry_later', 'rate_limited', 'slower', { retryAfterSeconds: 7 })];
    await assert.rejects(activities().refundAtGateway({ refundId: id, at: at() }), { nextRetryDelay: '7s' });
  });

  it('go back by a channel that takes back only all of it when that is asked for', async () => {
    const payment = await captured();
    await db('payments').where({ id: payment.id }).update({ method: 'shopeepay' });
    assert.equal(await run(activities().reserveRefund)(await approved(payment, 1_000n)), 'awaiting_destination');
    const other = await captured();
    await db('payments').where({ id: other.id }).update({ method: 'shopeepay' });
    assert.equal(await run(activities().reserveRefund)(await approved(other, null)), 'reserved');
  });

  it('go back the way the money came, though the payer has named an account', async () => {
    const id = await approved(await captured());
    await storeDestination(db, id, ACCOUNT, at());
    assert.equal(await run(activities().reserveRefund)(id), 'reserved');
    assert.equal((await db('refunds').where({ id }).first('channel')).channel, 'gateway');
  });

  it('are done with the notices that came before the gateway was asked, and with no later one', async () => {
    const payment = await captured();
    const id = await submitted(payment);
    const rows = ['pending', 'success'].map((status) => ({
      gateway: 'midtrans',
      object_id: id,
      status,
      reference: id,
      payment_id: payment.id,
      refund_id: id,
      body: '{}',
    }));
    const [first] = await db('payment_inbox').insert(rows).returning<{ id: bigint }[]>('id');
    lookedUp = said('pending');
    await activities().confirmRefund({ refundId: id, at: at(), noticesUpTo: String(first?.id) });
    const handled = await db('payment_inbox')
      .where({ refund_id: id })
      .orderBy('id')
      .pluck<(Date | null)[]>('handled_at');
    assert.deepEqual(
      handled.map((when) => when !== null),
      [true, false],
    );
  });

  const dueByHand = async (payment: Captured, amountMinor: bigint | null = 61_000n) => {
    await db('payments').where({ id: payment.id }).update({ method: 'bca_va' });
    const id = await approved(payment, amountMinor);
    await storeDestination(db, id, ACCOUNT, at());
    assert.equal(await run(activities().reserveRefund)(id), 'reserved');
    assert.equal(await run(activities().sendRefund)(id), 'transfer_due');
    return id;
  };
  const by = demoUserId('finance');

  it('free what was owed when a transfer is called off', async () => {
    const id = await dueByHand(await captured());
    assert.equal(await balance('refunds', 'refund_id', id), -61_000);
    const input = { refundId: id, decision: 'cancel', by, note: null, at: at() } as const;
    assert.equal((await activities().decideRefund(input)).state, 'cancelled');
    assert.equal(await balance('refunds', 'refund_id', id), 0);
  });

  it('put a transfer that came back days later into suspense', async () => {
    const payment = await captured();
    const id = await dueByHand(payment);
    const transferred = { bankReference: 'TRF', transferredAt: at(), nameChecked: true } as const;
    const { reportTransfer } = activities();
    const about = { refundId: id, by, at: at() };
    assert.equal((await reportTransfer({ ...about, outcome: 'transferred', ...transferred })).state, 'succeeded');
    assert.equal((await reportTransfer({ ...about, outcome: 'failed', problem: 'returned' })).state, 'failed');
    assert.deepEqual(await casesOf(id), ['refund_failed']);
    assert.equal(await balance('suspense', 'payment_id', payment.id), -61_000);
  });

  it('take no word of a transfer for what the gateway pays', async () => {
    const id = await submitted(await captured());
    assert.equal(await askGateway(id), 'succeeded');
    const said = { refundId: id, by, at: at(), outcome: 'failed', problem: 'returned' } as const;
    assert.equal((await activities().reportTransfer(said)).state, 'succeeded');
  });

  it('send nothing out of a payment that was reversed after it was reserved', async () => {
    const payment = await captured();
    const id = await approved(payment);
    assert.equal(await run(activities().reserveRefund)(id), 'reserved');
    await aTakeBack(db, payment);
    assert.equal(await run(activities().sendRefund)(id), 'cancelled');
    assert.equal(await balance('refunds', 'refund_id', id), 0);
    assert.equal(asked.length, 0);
  });

  it('take the part off an invoice of which another payment was reversed', async () => {
    const invoice = await aBookedInvoice(db, companyId);
    const gone = await aCapture(db, invoice, { paid: 180_500n });
    const kept = await aCapture(db, invoice, { paid: 180_500n, attempt: 2 });
    await aTakeBack(db, gone);
    assert.equal(await askGateway(await submitted(kept, 50_000n)), 'succeeded');
    const stored = await db('invoices').where({ id: invoice.id }).first('state', 'paid_minor', 'credited_minor');
    assert.deepEqual({ ...stored }, { state: 'reversed', paid_minor: 130_500n, credited_minor: 0n });
  });

  it('take the part off an invoice that is not paid in full, and credit nothing', async () => {
    const payment = await captured({ paid: 100_000n });
    const id = await submitted(payment, 40_000n);
    assert.equal(await askGateway(id), 'succeeded');
    const invoice = await db('invoices')
      .where({ id: payment.invoice.id })
      .first('state', 'paid_minor', 'credited_minor');
    assert.deepEqual({ ...invoice }, { state: 'open', paid_minor: 60_000n, credited_minor: 0n });
    assert.equal((await db('refunds').where({ id }).first('source')).source, 'suspense');
  });

  it('pay nothing out of a payment that was reversed meanwhile', async () => {
    const payment = await captured();
    const id = await approved(payment);
    await aTakeBack(db, payment);
    assert.equal(await run(activities().reserveRefund)(id), 'cancelled');
    assert.equal(asked.length, 0);
    assert.equal(await balance('refunds', 'refund_id', id), 0);
  });

  it('tell finance when the gateway gave back another amount', async () => {
    const id = await submitted(await captured());
    answers = [said('succeeded', { amount: { amountMinor: 60_000n, currency: 'IDR' } })];
    assert.equal(await askGateway(id), 'succeeded');
    assert.deepEqual(await casesOf(id), ['refund_differs']);
  });

  it('tell again whoever is waited for, once a reminder, and the last time finance instead of the payer', async () => {
    const { reserveRefund, sendRefund, remindOfRefund } = activities();
    const letters = (id: RefundId) =>
      db('account_letters').whereRaw("data ->> 'refundId' = ?", [id]).orderBy('template').pluck<string[]>('template');
    const payment = await captured();
    await db('payments').where({ id: payment.id }).update({ method: 'bca_va' });
    const id = await approved(payment);
    assert.equal(await run(reserveRefund)(id), 'awaiting_destination');
    const before = await letters(id);
    assert.equal(await run(remindOfRefund)(id, { isLast: false }), 'awaiting_destination');
    assert.deepEqual(await letters(id), [...before, 'refund_destination_needed'].toSorted());
    assert.equal(await run(remindOfRefund)(id, { isLast: true }), 'awaiting_destination');
    assert.deepEqual(
      await letters(id),
      [...before, 'refund_destination_needed', 'refund_without_destination'].toSorted(),
    );
    await db('refunds').where({ id }).update({ channel: 'bank_transfer', bank_code: '014' });
    assert.equal(await run(reserveRefund)(id), 'reserved');
    assert.equal(await run(sendRefund)(id), 'transfer_due');
    const due = (await letters(id)).length;
    assert.equal(await run(remindOfRefund)(id, { isLast: false }), 'transfer_due');
    assert.equal((await letters(id)).length, due + 1);
  });

  it('leave money in suspense to finance when its refund is called off', async () => {
    const id = await approved(await captured({ paid: 50_000n, applied: 0n, odd: 'late' }), null);
    const made = { decision: 'cancel', by: demoUserId('finance'), note: null } as const;
    const input = { refundId: id, ...made, at: at() };
    assert.equal((await activities().decideRefund(input)).state, 'cancelled');
    assert.equal((await activities().decideRefund(input)).state, 'cancelled');
    assert.deepEqual(await casesOf(id), ['refund_failed']);
  });

  it('open the case anew, as what it was, when the refund that had settled it is called off', async () => {
    const payment = await captured({ paid: TOTAL + 5_000n, applied: TOTAL, odd: 'over' });
    const { id: caseId } = await db('payment_cases').where({ payment_id: payment.id }).first('id');
    await db('payment_cases').where({ id: caseId }).update({ state: 'resolved', resolved_at: at() });
    const id = await approved(payment, null, asId<PaymentCaseId>(caseId));
    await activities().decideRefund({ refundId: id, decision: 'cancel', by, note: null, at: at() });
    assert.deepEqual(await casesOf(id), ['over']);
  });
});
