import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { ProcessesStarted } from '../../activities/processes.ts';
import { recordEvent } from '../../db/events.ts';
import type { CompanyId, InvoiceId, SubscriptionId, UserId } from '../../domain/ids.ts';
import type { SubscriptionState } from '../../domain/subscriptions.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { paymentId, subscriptionId } from '../../workflows/ids.ts';
import { aCompany, aLicenseType, anApplication, anInvoice, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { aSubscriptionInvoice } from '../builders/subscription-invoices.ts';
import { aPlan, aSubscription } from '../builders/subscriptions.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const HOUR = 3_600_000;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

describe('a process that should be there', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    system = await startSystem();
    owner = await aUser(db(), 'owner');
    companyId = await aCompany(db(), owner);
    type = await aLicenseType(db());
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const run = (workflowType: 'overdueInvoices' | 'subscriptionWatch', page = 100): Promise<ProcessesStarted> =>
    system.client.workflow.execute(workflowType, {
      workflowId: `${workflowType}-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [page],
    });
  const isThere = async (workflowId: string): Promise<boolean> => {
    try {
      await system.client.workflow.getHandle(workflowId).describe();
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  };

  describe('for an invoice', () => {
    /** Due a week after it was issued. */
    async function anInvoiceDue(msAgo: number): Promise<InvoiceId> {
      const applicationId = await anApplication(db(), {
        companyId,
        type,
        applicantId: owner,
        state: 'pending_payment',
      });
      return anInvoice(db(), { companyId, applicationId, at: ago(msAgo + 7 * 24 * HOUR) });
    }
    const stateOf = async (id: InvoiceId): Promise<string> =>
      (await db()('invoices').where({ id }).first('state')).state;

    it('is started when it was due for an hour and nobody collects it, and then closes it', async () => {
      const [overdue, fresh] = [await anInvoiceDue(HOUR + 60_000), await anInvoiceDue(HOUR - 60_000)];
      assert.deepEqual(await run('overdueInvoices'), { started: 1, running: 0, failed: 0 });
      await eventually('the invoice to lapse', async () => (await stateOf(overdue)) === 'lapsed');
      assert.deepEqual([await stateOf(fresh), await isThere(paymentId(fresh))], ['open', false]);
      assert.deepEqual(await run('overdueInvoices'), { started: 0, running: 0, failed: 0 });
      await db()('invoices').where({ id: fresh }).update({ state: 'lapsed' });
    });

    it('is left alone where it runs: what a subscription asks for stays open', async () => {
      const at = ago(30 * 24 * HOUR);
      const { invoiceId } = await aSubscriptionInvoice(db(), { companyId, by: owner, at });
      assert.deepEqual(await run('overdueInvoices'), { started: 1, running: 0, failed: 0 });
      assert.deepEqual(await run('overdueInvoices'), { started: 0, running: 1, failed: 0 });
      const { status } = await system.client.workflow.getHandle(paymentId(invoiceId)).describe();
      assert.equal(status.name, 'RUNNING');
      assert.equal(await stateOf(invoiceId), 'open');
      await db()('invoices').where({ id: invoiceId }).update({ state: 'void' });
    });

    it('is started page by page, once for each', async () => {
      const ids = [];
      for (let nth = 0; nth < 5; nth += 1) ids.push(await anInvoiceDue((2 + (nth >> 1)) * HOUR));
      assert.deepEqual(await run('overdueInvoices', 2), { started: 5, running: 0, failed: 0 });
      for (const id of ids) await eventually('the invoice to lapse', async () => (await stateOf(id)) === 'lapsed');
    });
  });

  describe('for a subscription', () => {
    const DAY = 24 * HOUR;
    async function ended(msAgo: number, state: SubscriptionState = 'active', changes = {}): Promise<SubscriptionId> {
      const own = await aCompany(db(), owner);
      const startedAt = ago(msAgo + 30 * DAY);
      const plan = await aPlan(db());
      const id = await aSubscription(db(), {
        companyId: own,
        by: owner,
        plan,
        state,
        startedAt,
        periodEnd: ago(msAgo),
      });
      const started = { key: `subscription/${id}/started`, type: 'subscription.started', companyId: own } as const;
      await recordEvent(db(), { ...started, subject: `subscription/${id}`, at: startedAt });
      if (Object.keys(changes).length > 0) await db()('subscriptions').where({ id }).update(changes);
      return id;
    }
    const there = (id: SubscriptionId) => isThere(subscriptionId(id));

    it('is started from the record when its period is over for a day, and does what is due', async () => {
      const stuck = await ended(DAY + 60_000);
      const [fresh, over] = [await ended(DAY - 60_000), await ended(9 * DAY, 'cancelled')];
      const unpaid = await ended(-20 * DAY, 'active', { term: 0 });
      const paused = await ended(-20 * DAY, 'paused', { paused_at: ago(2 * DAY) });
      const justPaused = await ended(5 * DAY, 'paused', { paused_at: ago(HOUR) });
      assert.deepEqual(await run('subscriptionWatch', 2), { started: 3, running: 0, failed: 0 });
      await eventually('an invoice', async () => db()('invoices').where({ subscription_id: stuck }).first('id'));
      assert.deepEqual(await Promise.all([stuck, unpaid, paused].map(there)), [true, true, true]);
      assert.deepEqual(await Promise.all([fresh, over, justPaused].map(there)), [false, false, false]);
      assert.deepEqual(await run('subscriptionWatch'), { started: 0, running: 3, failed: 0 });
    });
  });

  it('is looked for by schedules each hour', async () => {
    const entries = SCHEDULES.filter(({ id }) => id === 'overdue-invoices' || id === 'subscription-watch');
    assert.deepEqual(
      entries.map(({ spec }) => spec.intervals?.map(({ every }) => every)),
      [['1 hour'], ['1 hour']],
    );
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    for (const { id } of entries) {
      const schedule = system.client.schedule.getHandle(prefix + id);
      try {
        await schedule.trigger();
        const [taken] = await eventually('it to have been taken', async () => {
          const { recentActions } = (await schedule.describe()).info;
          return recentActions.length > 0 && recentActions;
        });
        assert.ok(taken);
        const workflowId = taken.action.workflow.workflowId;
        const done: ProcessesStarted = await system.client.workflow.getHandle(workflowId).result();
        assert.equal(done.failed, 0);
      } finally {
        await schedule.delete();
      }
    }
  });
});
