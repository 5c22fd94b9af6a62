import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { countStuck } from '../../db/money-watch.ts';
import { receiveNotice } from '../../db/payment-inbox.ts';
import { type ApplicationId, asId, type CompanyId, type RefundId } from '../../domain/ids.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { paymentId, refundId as refundWorkflowId } from '../../workflows/ids.ts';
import type { MoneyWatched } from '../../workflows/money-watch.ts';
import { aCompany, aLicenseType, anApplication, anInvoice, aPayment, aUser } from '../builders/licensing.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const MINUTE = 60_000;
const ago = (minutes: number): string => new Date(Date.now() - minutes * MINUTE).toISOString();

describe('the watch over money', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let companyId: CompanyId;
  let typeOf: Awaited<ReturnType<typeof aLicenseType>>;

  before(async () => {
    system = await startSystem();
    const { db } = system.database;
    companyId = await aCompany(db, await aUser(db, 'owner'));
    typeOf = await aLicenseType(db);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const sweep = (page = 100): Promise<MoneyWatched> =>
    system.client.workflow.execute('moneyWatch', {
      workflowId: `money-watch-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [page],
    });
  /** A paid invoice: its process finds nothing to do but to answer the notice. */
  async function aNotice(minutes: number) {
    const invoiceId = await anInvoice(db(), { companyId, state: 'paid' });
    const payment = await aPayment(db(), { invoiceId });
    const notice = { gateway: 'midtrans', objectId: randomUUID(), status: 'settlement/200', body: {} } as const;
    const stored = await receiveNotice(db(), { ...notice, reference: payment.reference, at: ago(minutes) });
    return { payment, ...stored, invoiceId };
  }
  async function aRefund(paymentId: string, invoiceId: string, changes: Record<string, unknown> = {}) {
    const id = asId<RefundId>(randomUUID());
    await db()('refunds').insert({
      id,
      payment_id: paymentId,
      invoice_id: invoiceId,
      company_id: companyId,
      state: 'approved',
      amount_minor: 1_000,
      currency: 'IDR',
      source: 'invoice',
      reason: 'goodwill',
      needs_approval: false,
      requested_at: ago(2),
      updated_at: ago(2),
      ...changes,
    });
    return id;
  }
  const inboxRow = (id: string) => db()('payment_inbox').where({ id }).first('handled_at', 'told_at');
  async function signalsOf(workflowId: string): Promise<number | null> {
    try {
      const handle = system.client.workflow.getHandle(workflowId);
      await handle.describe();
      const { events } = await handle.fetchHistory();
      return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  describe('with notices', () => {
    it('wakes the process of a payment that was never told, and leaves those of the last seconds to the API', async () => {
      const [old, fresh] = [await aNotice(1), await aNotice(0)];
      assert.equal((await sweep()).told, 1);
      await eventually('the process to look', async () => (await inboxRow(old.inboxId)).handled_at);
      assert.equal((await inboxRow(fresh.inboxId)).told_at, null);
      assert.equal(await signalsOf(paymentId(fresh.invoiceId)), null);
      await db()('payment_inbox').where({ id: fresh.inboxId }).update({ handled_at: new Date() });
    });

    it('tells once, and again only after a quarter of an hour, of what nobody has looked into', async () => {
      await system.stopWorker();
      // A gateway that is away: the process is told and cannot look.
      await system.startWorker({ gateways: {} });
      try {
        const { inboxId, invoiceId } = await aNotice(1);
        assert.equal((await sweep()).told, 1);
        assert.equal((await sweep()).told, 0);
        assert.equal(await signalsOf(paymentId(invoiceId)), 1);
        await db()('payment_inbox')
          .where({ id: inboxId })
          .update({ told_at: ago(16) });
        assert.equal((await sweep()).told, 1);
        await db()('payment_inbox').where({ id: inboxId }).update({ handled_at: new Date() });
        await system.client.workflow.getHandle(paymentId(invoiceId)).terminate();
      } finally {
        await system.stopWorker();
        await system.startWorker();
      }
    });

    it('tells of the newest of one payment only, and notes all of them', async () => {
      const first = await aNotice(2);
      const { reference } = first.payment;
      const notice = { gateway: 'midtrans', reference, objectId: randomUUID(), body: {}, at: ago(1) } as const;
      const later = await receiveNotice(db(), { ...notice, status: 'expire/202' });
      assert.equal((await sweep()).told, 1);
      for (const { inboxId } of [first, later])
        await eventually('both to be handled', async () => (await inboxRow(inboxId)).handled_at);
      assert.equal(await signalsOf(paymentId(first.invoiceId)), 1);
    });

    it('goes through many of them page by page', async () => {
      const notices = await Promise.all(Array.from({ length: 7 }, () => aNotice(1)));
      assert.equal((await sweep(3)).told, 7);
      for (const { inboxId } of notices) assert.ok((await inboxRow(inboxId)).told_at);
      assert.deepEqual(await sweep(3), { told: 0, opened: 0, closed: 0 });
    });

    it('tells the refunds of a payment too that the gateway may have news of', async () => {
      const { payment, invoiceId } = await aNotice(1);
      const atGateway = { taken_at: ago(2), requested_at: ago(2) };
      const [open, over] = [
        await aRefund(payment.id, invoiceId, { ...atGateway, state: 'pending' }),
        await aRefund(payment.id, invoiceId, { ...atGateway, state: 'failed' }),
      ];
      await sweep();
      assert.equal(await signalsOf(refundWorkflowId(open)), 1);
      assert.equal(await signalsOf(refundWorkflowId(over)), null);
    });

    it('tells a refund’s own process of a notice about it, and is done with the notice', async () => {
      const { invoiceId, payment, inboxId } = await aNotice(1);
      await db()('payment_inbox').where({ id: inboxId }).update({ handled_at: new Date() });
      const id = await aRefund(payment.id, invoiceId, { state: 'pending', taken_at: ago(1) });
      const notice = { gateway: 'midtrans', reference: id, objectId: randomUUID(), body: {}, at: ago(1) } as const;
      const about = await receiveNotice(db(), { ...notice, status: 'refund/succeeded' });
      assert.equal((await sweep()).told, 1);
      assert.ok((await inboxRow(about.inboxId)).handled_at);
      assert.ok(((await signalsOf(refundWorkflowId(id))) ?? 0) >= 1);
      assert.equal(await signalsOf(paymentId(invoiceId)), null);
    });
  });

  it('starts a refund that nobody has in hand after a minute, and one that is in hand never', async () => {
    const invoiceId = await anInvoice(db(), { companyId, state: 'paid' });
    const payment = await aPayment(db(), { invoiceId, state: 'paid' });
    const waiting = await aRefund(payment.id, invoiceId);
    const fresh = await aRefund(payment.id, invoiceId, { requested_at: ago(0) });
    const taken = await aRefund(payment.id, invoiceId, { taken_at: ago(1) });
    await sweep(1);
    assert.equal(await signalsOf(refundWorkflowId(waiting)), 0);
    for (const id of [fresh, taken]) assert.equal(await signalsOf(refundWorkflowId(id)), null);
    await db()('refunds').whereIn('id', [waiting, fresh]).update({ taken_at: new Date() });
  });

  describe('raises an alarm', () => {
    const openCases = (kind: string) => db()('payment_cases').where({ kind, state: 'open' });
    async function activating(minutes: number): Promise<ApplicationId> {
      const applicantId = await aUser(db(), 'owner');
      const given = { companyId, type: typeOf, applicantId, state: 'activating' } as const;
      const applicationId = await anApplication(db(), given);
      const invoiceId = await anInvoice(db(), { companyId, applicationId, state: 'paid', at: ago(minutes) });
      await aPayment(db(), { invoiceId, state: 'paid' });
      return applicationId;
    }
    const letters = () => db()('account_letters').where({ template: 'money_stuck' });

    it('for who has paid and is not active after a quarter of an hour: one case, one letter each', async () => {
      const before = (await letters()).length;
      const stuck = await activating(16);
      await activating(14);
      assert.equal((await sweep()).opened, 1);
      assert.deepEqual(await sweep(), { told: 0, opened: 0, closed: 0 });
      const [found, ...others] = await openCases('stuck_paid');
      assert.deepEqual([found?.application_id, others.length], [stuck, 0]);
      assert.equal(found?.amount_minor, 361_000n);
      const staff = await db()('users').whereRaw(`roles && '{finance,supervisor}' and status = 'active'`);
      assert.ok(staff.length > 0);
      const written = (await letters()).slice(before);
      assert.equal(written.length, staff.length);
      assert.deepEqual(written[0]?.data, { count: 1, paid: [found?.reference], unclear: [] });
      const metrics = await (await fetch(`${system.api.url}/metrics`)).text();
      assert.match(metrics, /alur_payments_stuck\{kind="stuck_paid"\} 1\n/);
      assert.match(metrics, /alur_payments_stuck\{kind="stuck_unknown"\} 0\n/);
    });
    it('and takes it back when the licence is there after all', async () => {
      const [found] = await openCases('stuck_paid');
      await db()('applications').where({ id: found?.application_id }).update({ state: 'active' });
      assert.deepEqual(await sweep(), { told: 0, opened: 0, closed: 1 });
      assert.deepEqual(await sweep(), { told: 0, opened: 0, closed: 0 });
      const closed = await db()('payment_cases').where({ id: found?.id }).first();
      assert.deepEqual([closed.state, closed.resolution, closed.resolved_by], ['resolved', 'nothing_to_do', null]);
      const events = await db()('events').where({
        type: 'payment_case.resolved',
        subject: `payment_case/${found?.id}`,
      });
      assert.equal(events.length, 1);
      assert.equal((await countStuck(db())).get('stuck_paid'), undefined);
    });
    it('for payments and refunds that stay unclear, each once a time that they are', async () => {
      const invoiceId = await anInvoice(db(), { companyId, state: 'paid' });
      const payment = await aPayment(db(), { invoiceId, state: 'unknown', at: ago(16) });
      const settled = await aPayment(db(), { invoiceId, state: 'paid', attempt: 2 });
      const unclear = { state: 'unknown', taken_at: ago(30) };
      const refund = await aRefund(settled.id, invoiceId, { ...unclear, updated_at: ago(16) });
      await aRefund(settled.id, invoiceId, { ...unclear, updated_at: ago(14) });
      assert.equal((await sweep(1)).opened, 2);
      assert.equal((await sweep()).opened, 0);
      const found = await openCases('stuck_unknown').orderBy('refund_id');
      assert.deepEqual(
        found.map(({ payment_id, refund_id }) => [payment_id, refund_id]),
        [
          [settled.id, refund],
          [payment.id, null],
        ],
      );
      // A try in between touches the row: the same time goes on.
      await db()('refunds')
        .where({ id: refund })
        .update({ updated_at: ago(15.5) });
      assert.equal((await sweep()).opened, 0);

      await db()('refunds').where({ id: refund }).update({ state: 'pending' });
      assert.equal((await sweep()).closed, 1);
      await db()('refunds')
        .where({ id: refund })
        .update({ state: 'unknown', updated_at: ago(15.2) });
      assert.equal((await sweep()).opened, 1, 'unclear anew');

      await db()('refunds').where({ payment_id: settled.id }).update({ state: 'pending' });
      await db()('payments').where({ id: payment.id }).update({ state: 'failed' });
      assert.equal((await sweep(1)).closed, 2);
    });
    it('for a page that the gateway still calls pending four days after it was over', async () => {
      const open = async (days: number) => {
        const invoiceId = await anInvoice(db(), { companyId });
        const payment = await aPayment(db(), { invoiceId, state: 'pending', at: ago(16) });
        const over = new Date(Date.now() - days * 86_400_000);
        await db()('payments').where({ id: payment.id }).update({ expires_at: over });
        return payment;
      };
      await open(3.9);
      const stuck = await open(4.1);
      assert.equal((await sweep()).opened, 1);
      const found = await openCases('stuck_unknown');
      assert.deepEqual(
        found.map(({ payment_id }) => payment_id),
        [stuck.id],
      );
      const again = await sweep();
      assert.deepEqual([again.opened, again.closed], [0, 0]);
      await db()('payments').where({ id: stuck.id }).update({ state: 'expired' });
      assert.equal((await sweep()).closed, 1);
    });
    it('for many at once, page by page, in one letter a page', async () => {
      await Promise.all(Array.from({ length: 7 }, () => activating(20)));
      const before = (await letters()).length;
      assert.equal((await sweep(3)).opened, 7);
      const counts = (await letters()).slice(before).map(({ data }) => data.count);
      assert.equal(Math.max(...counts), 3);
      await db()('applications').where({ state: 'activating' }).update({ state: 'active' });
      assert.equal((await sweep(3)).closed, 7);
    });
  });

  it('is run by a schedule, and finds nothing to do with one question', async () => {
    const entries = SCHEDULES.filter(({ id }) => id === 'money-watch');
    assert.deepEqual(entries[0]?.spec.intervals, [{ every: '1 minute' }]);
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const schedule = system.client.schedule.getHandle(`${prefix}money-watch`);
    try {
      await schedule.trigger();
      const ran = await eventually('the schedule to run it', async () => {
        const { info } = await schedule.describe();
        const [action] = info.recentActions;
        return action?.action.type === 'startWorkflow' ? action.action.workflow : null;
      });
      const handle = system.client.workflow.getHandle(ran.workflowId);
      assert.deepEqual(await handle.result(), { told: 0, opened: 0, closed: 0 });
      const { events } = await handle.fetchHistory();
      assert.equal(events?.filter((event) => event.activityTaskScheduledEventAttributes).length, 1);
    } finally {
      await schedule.delete();
    }
  });
});
