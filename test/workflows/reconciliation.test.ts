import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { GatewayError, type PaymentGateway } from '../../activities/gateways/gateway.ts';
import type { PaymentCaseKind } from '../../domain/payments.ts';
import { SCHEDULES } from '../../worker/schedules.ts';
import type { Reconciled } from '../../workflows/reconciliation.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

describe('the nightly reconciliation', function () {
  this.timeout(90_000);
  let system: TestSystem;
  let story: Story;

  before(async () => {
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const DAY_MS = 86_400_000;
  /** Tomorrow's night is about today. */
  const reconcile = (night = Date.now() + DAY_MS): Promise<Reconciled> =>
    system.client.workflow.execute('reconciliation', {
      workflowId: `reconciliation-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [new Date(night).toISOString()],
    });
  const casesOf = (reference: string): Promise<{ kind: PaymentCaseKind; facts: unknown }[]> =>
    system.database.db('payment_cases').where({ reference }).select('kind', 'facts');
  const payable = async (gateway: 'midtrans' | 'xendit') =>
    story.openPayment(await story.submitted('home_food'), gateway);
  const paidAt = async (gateway: 'midtrans' | 'xendit', query = '') => {
    const payment = await payable(gateway);
    await story.sandbox(payment.reference, 'pay', query);
    return payment.reference;
  };
  const isPaid = (reference: string) =>
    eventually(`${reference} to be paid`, () =>
      system.database.db('payments').where({ gateway_reference: reference, state: 'paid' }).first('id'),
    );

  it('compares what real gateways say, finds what we were not told of, and reports to finance', async () => {
    const known = [await paidAt('xendit'), await paidAt('midtrans')];
    for (const reference of known) await isPaid(reference);
    const untold = [await paidAt('xendit', '?webhook=none'), await paidAt('midtrans', '?webhook=none')];
    const night = Date.now() + DAY_MS;
    const done = await reconcile(night);
    for (const gateway of ['xendit', 'midtrans']) {
      const walked = done.walks[gateway];
      assert.equal(walked?.state, 'finished', JSON.stringify(done));
      assert.ok(walked.compared >= 2 && walked.differences >= 1);
    }
    for (const reference of known) assert.deepEqual(await casesOf(reference), []);
    for (const reference of untold) {
      assert.deepEqual(
        (await casesOf(reference)).map(({ kind }) => kind),
        ['state_differs'],
      );
      const { db } = system.database;
      assert.equal((await db('payment_inbox').where({ reference, status: 'look_again' })).length, 1);
    }
    const letters: { data: { day: string; walks: unknown[] } }[] = await system.database
      .db('account_letters')
      .where({ template: 'finance_daily' })
      .select('data');
    assert.equal(letters.length, done.letters);
    assert.ok(done.letters > 0);
    assert.deepEqual(
      letters.map(({ data }) => data.day),
      letters.map(() => done.day),
    );

    // The same night again: walked, told and written before.
    assert.deepEqual(await reconcile(night), done);
    assert.equal(
      (await system.database.db('account_letters').where({ template: 'finance_daily' })).length,
      done.letters,
    );
  });

  it('says so where a gateway cannot be asked, and reports all the same', async () => {
    const { deps } = system;
    const midtrans = deps.gateways.midtrans;
    assert.ok(midtrans);
    const refusing: PaymentGateway = {
      ...midtrans,
      lookUp: () => Promise.reject(new GatewayError('refused', 'unauthorized', 'check the key')),
    };
    await paidAt('midtrans');
    await system.stopWorker();
    await system.startWorker({ gateways: { midtrans: refusing } });
    // Today's payments, in a span that nothing has walked yet.
    const done = await reconcile(Date.now() + 2 * DAY_MS);
    assert.deepEqual(done.walks['midtrans']?.state, 'failed');
    const run = await system.database.db('reconciliation_runs').where({ gateway: 'midtrans', state: 'failed' }).first();
    assert.equal(run.failure, 'unauthorized');
    assert.ok(done.letters > 0);
    const [letter]: { data: { walks: { gateway: string; failure: string | null }[] } }[] = await system.database
      .db('account_letters')
      .where({ template: 'finance_daily' })
      .whereRaw("data->>'day' = ?", [done.day])
      .select('data');
    assert.equal(letter?.data.walks.find(({ gateway }) => gateway === 'midtrans')?.failure, 'unauthorized');
  });

  it('is due at two in the morning in Jakarta, and is caught up on within a day', () => {
    const [entry] = SCHEDULES.filter(({ id }) => id === 'reconciliation');
    assert.deepEqual(
      [entry?.spec, entry?.workflowType, entry?.catchupWindow],
      [{ calendars: [{ hour: 2 }], timezone: 'Asia/Jakarta' }, 'reconciliation', '1 day'],
    );
  });
});
