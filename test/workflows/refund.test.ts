import assert from 'node:assert/strict';
import { z } from 'zod';
import { checkLedger } from '../../db/ledger-check.ts';
import { asId, type RefundId } from '../../domain/ids.ts';
import type { DemoAccount } from '../../local/demo-data.ts';
import { refundId } from '../../workflows/ids.ts';
import { refundNoticeSignal } from '../../workflows/messages.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const refundShape = z.looseObject({
  id: z.string(),
  state: z.string(),
  channel: z.string().nullable(),
  source: z.string(),
  waitsFor: z.string().nullable(),
  account: z.looseObject({ number: z.string() }).nullable(),
  steps: z.array(z.object({ step: z.string() })),
});
type Refund = z.infer<typeof refundShape>;

const ACCOUNT = {
  channel: 'bank_transfer',
  bankCode: '014',
  accountNumber: '123-456-7890',
  accountHolder: 'Somebody Else',
};
const TRANSFERRED = { bankReference: 'TRF 42', transferredAt: '2026-11-21T10:00:00+07:00' };

describe('a refund, from asking to its end', () => {
  let system: TestSystem;
  let story: Story;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  /** A licence that was paid by this channel of Midtrans. */
  const paidBy = async (channel: string) => {
    const applicationId = await story.submitted('retail_kiosk');
    await story.reaches(applicationId, 'pending_payment');
    const payment = await story.openPayment(applicationId);
    await story.sandbox(payment.reference, 'pay', `?channel=${channel}`);
    await story.reaches(applicationId, 'active');
    return { applicationId, ...payment };
  };
  const post = (path: string, as: DemoAccount, body: unknown = {}) => story.call('POST', path, { as, body });
  const done = async (status: number, answer: ReturnType<typeof post>): Promise<Refund> =>
    refundShape.parse((await story.expect(status, answer)).body);
  const code = async (status: number, answer: ReturnType<typeof post>): Promise<string> =>
    z.looseObject({ code: z.string() }).parse((await story.expect(status, answer)).body).code;
  const ask = (as: DemoAccount, paymentId: string, more: object = {}) =>
    done(201, post('refunds', as, { paymentId, ...more }));
  const read = (id: string, as: DemoAccount = 'owner') => done(200, story.call('GET', `refunds/${id}`, { as }));
  const comesTo = (id: string, state: string) =>
    eventually(`refund ${id} to be ${state}`, async () => {
      const refund = await read(id);
      return refund.state === state ? refund : null;
    });
  const process = (id: string) => refundId(asId<RefundId>(id));
  const letters = (id: string) =>
    db()('account_letters as l')
      .join('mail_deliveries as d', 'd.key', db().raw("'account-letter/' || l.id"))
      .whereRaw("l.data ->> 'refundId' = ?", [id])
      .where('d.state', 'sent')
      .orderBy('l.created_at')
      .pluck<string[]>('l.template');
  const written = async (id: string, ...templates: string[]) => {
    await eventually(`${templates} about ${id}`, async () => {
      const sent = await letters(id);
      return templates.every((template) => sent.includes(template));
    });
  };
  const owedBack = async (id: string) => {
    const rows = await db()('ledger_entries as e')
      .join('ledger_postings as p', 'p.entry_id', 'e.id')
      .where({ 'e.refund_id': id, 'p.account': 'refunds' })
      .pluck<bigint[]>('p.amount_minor');
    return rows.reduce((sum, amount) => sum + amount, 0n);
  };
  const licence = async (applicationId: string) =>
    (await db()('licenses').where({ application_id: applicationId }).first('status')).status;
  const casesOf = (id: string) => db()('payment_cases').where({ refund_id: id }).select('kind', 'facts', 'state');
  const fault = async (body: object) => {
    const answer = await fetch(`${system.sandboxUrl}/_sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, await answer.text());
  };
  const booksAreRight = async () => {
    for (const proof of (await checkLedger(db())).proofs) assert.deepEqual(proof.findings, [], proof.name);
  };

  it('goes back the way it came, is credited on the invoice, and leaves the licence while something is paid', async () => {
    const { paymentId, applicationId } = await paidBy('gopay');
    const asked = await ask('finance', paymentId, { amountMinor: 10_000, reason: 'goodwill' });
    const refund = await comesTo(asked.id, 'succeeded');
    assert.equal(refund.channel, 'gateway');
    assert.deepEqual(
      refund.steps.map(({ step }) => step).filter((step) => step !== 'pending'),
      ['requested', 'approved', 'reserved', 'submitted', 'succeeded'],
    );
    await written(asked.id, 'refund_requested', 'refund_succeeded');
    assert.equal(await owedBack(asked.id), 0n);
    const note = await db()('credit_notes').where({ refund_id: asked.id }).first();
    assert.equal(note.total_minor, 10_000n);
    await eventually('the credit note', async () => {
      const row = await db()('credit_notes').where({ refund_id: asked.id }).first('pdf_sha256');
      return row.pdf_sha256;
    });
    assert.equal(await licence(applicationId), 'active');
    await booksAreRight();
  });

  it('waits for a second person when the payer asks; one decides and the other learns who', async () => {
    const { paymentId, applicationId } = await paidBy('gopay');
    const asked = await ask('owner', paymentId, { reason: 'kelebihan bayar' });
    assert.deepEqual(
      [asked.state, asked.waitsFor, asked['reason'], asked['note']],
      ['requested', 'finance', 'other', 'kelebihan bayar'],
    );
    assert.equal(await code(403, post(`refunds/${asked.id}/approve`, 'owner')), 'forbidden');
    const [one, other] = await Promise.all([
      post(`refunds/${asked.id}/approve`, 'finance'),
      post(`refunds/${asked.id}/reject`, 'supervisor', { note: 'no' }),
    ]);
    assert.deepEqual([one.status, other.status].toSorted(), [200, 409]);
    const late = z
      .looseObject({ conflict: z.looseObject({ decidedBy: z.object({ id: z.string() }), decidedAt: z.string() }) })
      .parse(one.status === 409 ? one.body : other.body);
    assert.ok(late.conflict.decidedBy.id);
    if (one.status === 409) return;
    await comesTo(asked.id, 'succeeded');
    await written(asked.id, 'refund_requested', 'refund_to_approve', 'refund_approved', 'refund_succeeded');
    // All of it went back: what was paid for is no longer paid for.
    assert.equal(await licence(applicationId), 'suspended');
    await booksAreRight();
  });

  it('asks what became of it when the answer was lost, and pays once', async () => {
    const { paymentId, reference } = await paidBy('gopay');
    await fault({ operation: 'refund', kind: '5xx_after', reference });
    const asked = await ask('finance', paymentId, { amountMinor: 7_000 });
    await eventually('the question', async () => (await read(asked.id)).state !== 'approved');
    await client().signal(asked.id);
    await comesTo(asked.id, 'succeeded');
    const sandbox = await (await fetch(`${system.sandboxUrl}/_sandbox/payments`)).text();
    assert.match(sandbox, new RegExp(reference));
    assert.equal(await owedBack(asked.id), 0n);
    await booksAreRight();
  });
  const client = () => ({
    signal: (id: string) =>
      system.client.workflow.signalWithStart('refund', {
        workflowId: process(id),
        taskQueue: system.taskQueue,
        args: [{ refundId: id }],
        signal: refundNoticeSignal,
        signalArgs: [{ inboxId: null }],
      }),
  });

  it('is transferred by finance where the channel takes nothing back', async () => {
    const { paymentId } = await paidBy('bca_va');
    const asked = await ask('finance', paymentId, { amountMinor: 9_000 });
    await comesTo(asked.id, 'awaiting_destination');
    await written(asked.id, 'refund_destination_needed');
    const give = (body: object, as: DemoAccount = 'owner') => post(`refunds/${asked.id}/destination`, as, body);
    assert.equal(await code(422, give({ ...ACCOUNT, accountNumber: '12345' })), 'bank_account_not_valid');
    assert.equal(await code(403, give({ channel: 'store_credit' }, 'finance')), 'forbidden');
    const given = await done(200, give(ACCOUNT));
    assert.deepEqual(
      [given.state === 'transfer_due' || given.state === 'reserved', given.account?.number],
      [true, '••••••7890'],
    );
    await comesTo(asked.id, 'transfer_due');
    assert.equal(await code(409, give(ACCOUNT)), 'refund_not_open');
    assert.equal(await code(403, post(`refunds/${asked.id}/transferred`, 'supervisor', TRANSFERRED)), 'forbidden');
    assert.equal(await code(409, post(`refunds/${asked.id}/transferred`, 'finance', TRANSFERRED)), 'name_differs');
    // The account was closed: the payer names another, and nothing is owed twice.
    await done(200, post(`refunds/${asked.id}/transfer-failed`, 'finance', { reason: 'account_closed' }));
    assert.equal((await read(asked.id)).account, null);
    const holder = (
      await db()('companies as c')
        .join('payments as p', 'p.id', db().raw('?', [paymentId]))
        .join('invoices as i', 'i.id', 'p.invoice_id')
        .whereRaw('i.company_id = c.id')
        .first('c.name')
    ).name;
    await done(200, give({ ...ACCOUNT, accountHolder: holder.toUpperCase() }));
    await comesTo(asked.id, 'transfer_due');
    const paid = await done(200, post(`refunds/${asked.id}/transferred`, 'finance', TRANSFERRED));
    assert.deepEqual([paid.state, paid.channel], ['succeeded', 'bank_transfer']);
    assert.equal(await owedBack(asked.id), 0n);
    await written(asked.id, 'refund_to_transfer', 'refund_succeeded');
    const history = JSON.stringify(await system.client.workflow.getHandle(process(asked.id)).fetchHistory(), null, 1);
    assert.doesNotMatch(history, /1234567890|Somebody/);
    await booksAreRight();
  });

  it('becomes credit when the payer agrees', async () => {
    const { paymentId } = await paidBy('bca_va');
    const asked = await ask('owner', paymentId, { amountMinor: 5_000, destination: { channel: 'store_credit' } });
    await done(200, post(`refunds/${asked.id}/approve`, 'finance', { note: 'ok' }));
    const refund = await comesTo(asked.id, 'succeeded');
    assert.equal(refund.channel, 'store_credit');
    const companyId = await story.companyId();
    const { body } = await story.expect(200, story.call('GET', `users/companies/${companyId}/credit`, { as: 'owner' }));
    const credit = z
      .object({
        balances: z.array(z.looseObject({ amountMinor: z.number() })),
        entries: z.array(z.looseObject({ refundId: z.string() })),
      })
      .parse(body);
    assert.deepEqual(
      credit.balances.map(({ amountMinor }) => amountMinor),
      [5_000],
    );
    assert.equal(credit.entries[0]?.refundId, asked.id);
    await system.client.workflow.getHandle(process(asked.id)).result();
    await booksAreRight();
  });

  it('can be refused and called off, and its amount is free again', async () => {
    const { paymentId } = await paidBy('bca_va');
    const first = await ask('owner', paymentId);
    assert.equal(await code(422, post('refunds', 'owner', { paymentId, amountMinor: 1 })), 'refund_exceeds_payment');
    assert.equal(
      (await done(200, post(`refunds/${first.id}/reject`, 'supervisor', { note: 'not due' }))).state,
      'rejected',
    );
    assert.equal(await code(409, post(`refunds/${first.id}/approve`, 'finance')), 'refund_not_open');
    const second = await ask('finance', paymentId);
    await comesTo(second.id, 'awaiting_destination');
    await done(200, post(`refunds/${second.id}/destination`, 'finance', ACCOUNT));
    await comesTo(second.id, 'transfer_due');
    assert.equal(await code(409, post(`refunds/${second.id}/approve`, 'supervisor')), 'refund_not_open');
    assert.equal((await done(200, post(`refunds/${second.id}/cancel`, 'finance', {}))).state, 'cancelled');
    assert.equal(await owedBack(second.id), 0n);
    await written(first.id, 'refund_refused');
    await ask('finance', paymentId);
    await booksAreRight();
  });

  it('reminds, and decides nothing by waiting', async () => {
    const { paymentId } = await paidBy('gopay');
    const asked = await ask('owner', paymentId);
    await written(asked.id, 'refund_to_approve');
    await travel(system.client, process(asked.id), 10 * DAY);
    const reminded = async () => (await letters(asked.id)).filter((one) => one === 'refund_to_approve').length;
    await eventually('two reminders', async () => (await reminded()) === 3);
    assert.equal((await read(asked.id)).state, 'requested');
    await done(200, post(`refunds/${asked.id}/cancel`, 'owner', {}));
  });

  it('tells finance in the end that the payer does not say where to', async () => {
    const { paymentId } = await paidBy('bca_va');
    const asked = await ask('finance', paymentId, { amountMinor: 2_000 });
    await comesTo(asked.id, 'awaiting_destination');
    await travel(system.client, process(asked.id), 31 * DAY);
    await written(asked.id, 'refund_without_destination');
    const sent = await letters(asked.id);
    assert.equal(sent.filter((one) => one === 'refund_destination_needed').length, 3);
    assert.equal((await read(asked.id)).state, 'awaiting_destination');
  });

  it('that comes back after it had arrived opens the case again', async () => {
    const { paymentId, applicationId, reference } = await paidBy('gopay');
    const asked = await ask('finance', paymentId);
    await comesTo(asked.id, 'succeeded');
    assert.equal(await licence(applicationId), 'suspended');
    await written(asked.id, 'refund_succeeded');
    await eventually('the credit note', async () => {
      const note = await db()('credit_notes').where({ refund_id: asked.id }).first('pdf_sha256');
      return note.pdf_sha256;
    });
    const { status } = await system.client.workflow.getHandle(process(asked.id)).describe();
    assert.equal(status.name, 'RUNNING', 'what has arrived is watched');
    await story.sandbox(reference, 'refund-fail', '?webhook=none');
    await travel(system.client, process(asked.id), 3.1 * DAY);
    await comesTo(asked.id, 'failed');
    assert.equal(await owedBack(asked.id), 0n);
    assert.equal(await licence(applicationId), 'active');
    const [found] = await casesOf(asked.id);
    assert.deepEqual([found.kind, found.facts.late, typeof found.facts.creditNote], ['refund_failed', true, 'string']);
    await written(asked.id, 'refund_delayed');
    await booksAreRight();
    // The money is the payer's still: a second refund finds it, and credits nothing twice.
    const again = await ask('finance', paymentId, { destination: ACCOUNT });
    assert.equal(again.source, 'suspense');
    await comesTo(again.id, 'succeeded');
    assert.equal(await licence(applicationId), 'suspended');
    await booksAreRight();
  });
});
