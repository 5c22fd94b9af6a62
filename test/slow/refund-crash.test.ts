import assert from 'node:assert/strict';
import { z } from 'zod';
import { checkLedger } from '../../db/ledger-check.ts';
import { MIDTRANS_SERVER_KEY } from '../support/machine.ts';
import { idShape, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

/** Each is a `kill -9` of the only worker, at one activity of one refund; afterwards another worker goes on. */
const DEATHS = [
  { name: 'it is credited, and the credit note is not printed', activity: 'printCreditNote', when: 'before' },
  { name: 'it is on record that the gateway is asked, and it was not', activity: 'refundAtGateway', when: 'before' },
  {
    name: 'the gateway has paid, and nothing of that is on record',
    activity: 'refundAtGateway',
    when: 'gateway_answered',
  },
  { name: 'that it has paid is on record, and the process was not told', activity: 'refundAtGateway', when: 'after' },
] as const;

const statusShape = z.looseObject({ refunds: z.array(z.looseObject({ refund_amount: z.string() })) });

describe('a worker that dies while it gives money back', () => {
  let system: TestSystem;
  const refunds = new Map<string, { readonly id: string; readonly reference: string }>();

  // One dies after the other; what each left behind is found again only when its activity times out, so the last worker
  // waits for all of them at once.
  before(async function () {
    this.timeout(120_000);
    system = await startSystem();
    const story = storyOf(system);
    const payments = await Promise.all(
      DEATHS.map(async () => {
        const id = await story.submitted('retail_kiosk');
        const payment = await story.openPayment(id);
        await story.sandbox(payment.reference, 'pay', '?channel=gopay');
        await story.reaches(id, 'active');
        return payment;
      }),
    );
    await system.stopWorker();
    for (const [index, { paymentId, reference }] of payments.entries()) {
      const { name, activity, when } = DEATHS[index] ?? assert.fail();
      const body = { paymentId, amountMinor: 7_000 };
      const asked = await story.expect(201, story.call('POST', 'refunds', { as: 'finance', body }));
      const { id } = idShape.parse(asked.body);
      refunds.set(name, { id, reference });
      await system.workUntilDeath({ activity, when, inputContains: id });
    }
    await system.startWorker();
  });
  after(() => system?.close());

  const atGateway = async (reference: string) => {
    const authorization = `Basic ${Buffer.from(`${MIDTRANS_SERVER_KEY}:`).toString('base64')}`;
    const answer = await fetch(`${system.sandboxUrl}/midtrans/v2/${reference}/status`, { headers: { authorization } });
    return statusShape.parse(await answer.json()).refunds.map(({ refund_amount }) => refund_amount);
  };

  for (const { name } of DEATHS) {
    it(`when ${name}: pays once, credits once, and says so once`, async function () {
      this.timeout(60_000);
      const { id, reference } = refunds.get(name) ?? assert.fail();
      const { db } = system.database;
      const note = await eventually(
        'the printed credit note',
        async () => db('credit_notes').where({ refund_id: id }).whereNotNull('pdf_sha256').first(),
        50_000,
      );
      assert.equal(note.total_minor, 7_000n);
      assert.equal((await db('refunds').where({ id }).first('state')).state, 'succeeded');
      assert.deepEqual(await atGateway(reference), ['7000.00']);
      assert.equal((await db('credit_notes').where({ refund_id: id })).length, 1);
      const told = await db('account_letters').whereRaw("data ->> 'refundId' = ?", [id]).pluck('template');
      assert.deepEqual(told.toSorted(), ['refund_requested', 'refund_succeeded']);
    });
  }

  it('and the books are right', async () => {
    for (const { name, findings } of (await checkLedger(system.database.db)).proofs)
      assert.deepEqual(findings, [], name);
  });
});
