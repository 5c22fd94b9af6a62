import assert from 'node:assert/strict';
import { paymentId } from '../../workflows/ids.ts';
import { subscribe } from '../support/subscriptions.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

describe('a subscription whose worker dies', function () {
  this.timeout(180_000);
  let system: TestSystem;
  before(async () => {
    system = await startSystem({ worker: false });
  });
  after(() => system?.close());

  const isStarted = async (workflowId: string): Promise<boolean> =>
    (await system.client.workflow.count(`WorkflowId = "${workflowId}"`)).count === 1;

  const DEATHS = [
    ['advanceSubscription', 'before'],
    ['advanceSubscription', 'after'],
    ['collectSubscriptionInvoice', 'before'],
    ['collectSubscriptionInvoice', 'after'],
  ] as const;
  for (const [activity, when] of DEATHS)
    it(`${when} ${activity} has one invoice, one collection and one letter a rung all the same`, async () => {
      const starting = subscribe(system, {});
      await system.workUntilDeath({ activity, when, inputContains: 'subscriptionId' });
      await system.startWorker();
      try {
        const it = await starting;
        const invoiceId = await it.open();
        await eventually('its collection', () => isStarted(paymentId(invoiceId)), 40_000);
        assert.equal((await it.invoices()).length, 1);
        assert.deepEqual(await it.letters(), ['subscription_started', 'subscription_invoice']);
        const { term } = await it.pay();
        assert.equal(term, 1);
      } finally {
        await system.stopWorker();
      }
    });
});
