import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { monthsAfter } from '../../domain/billing.ts';
import { asId, type InvoiceId } from '../../domain/ids.ts';
import {
  cancelSubscriptionUpdate,
  changePlanUpdate,
  extendSubscriptionUpdate,
  pauseSubscriptionUpdate,
  resumeSubscriptionUpdate,
} from '../../workflows/messages.ts';
import { aPlan } from '../builders/subscriptions.ts';
import { type Subscriber, subscribe } from '../support/subscriptions.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

describe('a subscription', function () {
  this.timeout(90_000);
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system?.close());

  const ask = <T extends object>(id: string, update: string, said: T, updateId: string = randomUUID()) =>
    system.client.workflow
      .getHandle(id)
      .executeUpdate<{ state: string; periodEnd: string; invoiceId: string | null }, [T]>(update, {
        updateId,
        args: [said],
      });
  const newest = async (it: Subscriber): Promise<InvoiceId> => {
    const all = (await it.invoices()).filter(({ state }) => state === 'open');
    const [one] = all;
    assert.ok(one && all.length === 1, 'one open invoice');
    return one.id;
  };

  together({
    'is billed at its start, renewed where it ended, reminded once a rung, and keeps its day through short months':
      async () => {
        const startedAt = lastThirtyFirst();
        const it = await subscribe(system, { startedAt });
        assert.equal((await it.open()) !== null, true);
        assert.equal((await it.row()).state, 'active');
        const ends: string[] = [];
        for (let n = 1; n <= 6; n += 1) {
          const { periodEnd } = await it.pay();
          ends.push(periodEnd);
          const days = (Date.parse(periodEnd) - Date.parse((await it.terms()).at(-1)?.from ?? '')) / 86_400_000;
          if (n < 6) await untilOpen(it, days);
        }
        const expected = [1, 2, 3, 4, 5, 6].map((n) =>
          new Date(monthsAfter(Date.parse(startedAt), n, 'Asia/Jakarta')).toISOString(),
        );
        assert.deepEqual(ends, expected);
        const terms = await it.terms();
        assert.deepEqual(
          terms.map(({ from }) => from),
          [startedAt, ...expected.slice(0, -1)],
        );
        const invoices = await it.invoices();
        assert.equal(
          invoices.reduce((sum, { totalMinor }) => sum + totalMinor, 0n),
          terms.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
        );
        const rungs = await it.rungs();
        assert.equal(rungs.filter((rung) => rung === 'invoice/1').length, 6);
      },

    'goes unpaid through every state, with a letter a rung, and ends without ever having been paid': async () => {
      const it = await subscribe(system, {});
      await it.open();
      await it.days(7.01);
      await it.is('past_due');
      await it.days(14);
      await it.is('grace');
      await it.days(7);
      await it.is('suspended');
      await it.days(30);
      await it.is('expired');
      assert.deepEqual(await it.letters(), [
        'subscription_started',
        'subscription_invoice',
        'subscription_payment_due',
        'subscription_payment_due',
        'subscription_payment_due',
        'subscription_payment_due',
        'subscription_grace',
        'subscription_suspended',
        'subscription_cancelled',
      ]);
      assert.deepEqual(
        (await it.invoices()).map(({ state }) => state),
        ['lapsed'],
      );
      assert.deepEqual(await system.client.workflow.getHandle(it.workflowId).result(), { state: 'expired' });
    },

    ...Object.fromEntries(
      (
        [
          ['past_due', 8],
          ['grace', 22],
          ['suspended', 29],
        ] as const
      ).map(([state, days]) => [
        `catches up at once when it is paid while ${state}`,
        async () => {
          const it = await subscribe(system, { trialDays: 10 });
          await it.is('trialing');
          await it.days(10 + days - 7);
          await it.is(state);
          const { periodEnd: trialEnd } = await it.row();
          await it.pay();
          const [trial, paid] = await it.terms();
          assert.equal(paid?.from, trial?.to);
          assert.equal(paid?.from, trialEnd);
          await it.is('active');
        },
      ]),
    ),

    'that is paid and cancelled at the same instant is both, whichever is first': async () => {
      for (const first of ['pay', 'cancel'] as const) {
        const it = await subscribe(system, {});
        const invoiceId = await it.open();
        if (first === 'pay') await it.paid(invoiceId);
        const cancel = ask(it.workflowId, cancelSubscriptionUpdate.name, { by: it.by, at: 'now' });
        const told = it.told(invoiceId);
        assert.equal((await cancel).state, 'cancelled');
        await told;
        if (first === 'cancel') await it.paid(invoiceId);
        const [invoice] = await it.invoices();
        assert.deepEqual([invoice?.state, (await it.terms()).length], first === 'pay' ? ['paid', 1] : ['lapsed', 0]);
      }
    },

    'answers the same message three times with the same answer, also after it has continued as new': async () => {
      const it = await subscribe(system, {});
      await it.pay();
      const key = randomUUID();
      const [one, two] = await Promise.all([
        ask(it.workflowId, pauseSubscriptionUpdate.name, { by: it.by }, key),
        ask(it.workflowId, pauseSubscriptionUpdate.name, { by: it.by }, key),
      ]);
      assert.deepEqual(one, two);
      await ask(it.workflowId, resumeSubscriptionUpdate.name, { by: it.by });
      await untilOpen(it, 31);
      await it.pay();
      assert.deepEqual(await ask(it.workflowId, pauseSubscriptionUpdate.name, { by: it.by }, key), one);
      assert.equal((await it.row()).state, 'active');
      const paused = await system.database
        .db('events')
        .where({ company_id: it.companyId, type: 'subscription.paused' });
      assert.equal(paused.length, 1);
    },

    'keeps its paid days through a pause': async () => {
      const it = await subscribe(system, {});
      const { periodEnd } = await it.pay();
      await it.days(10);
      await ask(it.workflowId, pauseSubscriptionUpdate.name, { by: it.by });
      // Nothing sleeps in a pause, so the clock is moved by something that does: the record.
      await system.database
        .db('subscriptions')
        .where({ id: it.id })
        .update({ paused_at: system.database.db.raw(`paused_at - interval '5 days'`) });
      const { state, periodEnd: later } = await ask(it.workflowId, resumeSubscriptionUpdate.name, { by: it.by });
      assert.equal(state, 'active');
      const moved = (Date.parse(later) - Date.parse(periodEnd)) / 86_400_000;
      assert.ok(moved >= 5 && moved < 5.01, `${moved} days`);
      const [term] = await it.terms();
      assert.equal(term?.to, later);
    },

    'is upgraded when the difference is paid, and not before': async () => {
      const it = await subscribe(system, { priceMinor: '300000' });
      await it.pay();
      const big = await aPlan(system.database.db, { priceMinor: '600000' });
      const { invoiceId } = await ask(it.workflowId, changePlanUpdate.name, { by: it.by, plan: big });
      assert.ok(invoiceId);
      assert.equal((await it.row()).planCode, it.plan.code);
      const lines = await system.database.db('invoice_lines').where({ invoice_id: invoiceId }).orderBy('position');
      assert.deepEqual(
        lines.map(({ net_minor }) => net_minor > 0n),
        [false, true],
      );
      await it.paid(asId<InvoiceId>(invoiceId));
      await it.told(asId<InvoiceId>(invoiceId));
      await eventually('the larger plan', async () => (await it.row()).planCode === big.code);
      const [term] = await it.terms();
      const invoices = await it.invoices();
      assert.equal(
        term?.amountMinor,
        invoices.reduce((sum, { totalMinor }) => sum + totalMinor, 0n),
      );
    },

    'drops an upgrade that is not paid in three days': async () => {
      const it = await subscribe(system, { priceMinor: '300000' });
      await it.pay();
      const big = await aPlan(system.database.db, { priceMinor: '600000' });
      const { invoiceId } = await ask(it.workflowId, changePlanUpdate.name, { by: it.by, plan: big });
      await it.days(3.01);
      await eventually('it to be dropped', async () => (await it.row()).pendingPlanCode === null);
      assert.equal((await it.row()).planCode, it.plan.code);
      const dropped = (await it.invoices()).find(({ id }) => id === invoiceId);
      assert.equal(dropped?.state, 'lapsed');
    },

    'is downgraded with the next term, which is billed at the lower price': async () => {
      const it = await subscribe(system, { priceMinor: '300000' });
      const { periodEnd } = await it.pay();
      const small = await aPlan(system.database.db, { priceMinor: '100000' });
      await ask(it.workflowId, changePlanUpdate.name, { by: it.by, plan: small });
      await untilOpen(it, 31);
      await it.pay();
      assert.equal((await it.row()).planCode, it.plan.code, 'the larger plan is paid until the period ends');
      const [, next] = await it.terms();
      assert.equal(next?.from, periodEnd);
      assert.equal(next?.amountMinor, 111_000n);
      await it.days(8);
      await eventually('the smaller plan', async () => (await it.row()).planCode === small.code);
    },

    'that is cancelled for the end of its period sends no invoice, can be taken back, and ends': async () => {
      const it = await subscribe(system, {});
      await it.pay();
      await untilOpen(it, 31);
      const before = await newest(it);
      await ask(it.workflowId, cancelSubscriptionUpdate.name, { by: it.by, at: 'period_end' });
      assert.equal((await it.invoices()).find(({ id }) => id === before)?.state, 'lapsed');
      await ask(it.workflowId, resumeSubscriptionUpdate.name, { by: it.by });
      assert.notEqual(await it.open(), before);
      await ask(it.workflowId, cancelSubscriptionUpdate.name, { by: it.by, at: 'period_end' });
      await it.days(8);
      await it.is('cancelled');
      assert.equal((await it.invoices()).filter(({ state }) => state === 'open').length, 0);
    },

    'is given days by staff, also when it was suspended': async () => {
      const it = await subscribe(system, {});
      await it.open();
      await it.days(7.01);
      await it.days(21);
      await it.is('suspended');
      const short = ask(it.workflowId, extendSubscriptionUpdate.name, { by: it.by, days: 5, reason: 'flood' });
      await assert.rejects(short, /./);
      const { state } = await ask(it.workflowId, extendSubscriptionUpdate.name, {
        by: it.by,
        days: 40,
        reason: 'flood',
      });
      assert.equal(state, 'active');
      const [given] = await it.terms();
      assert.deepEqual([given?.kind, given?.amountMinor], ['extension', 0n]);
    },
  });
});

/** The last 31st before now, at ten in the morning of Jakarta. */
function lastThirtyFirst(): string {
  for (let back = 0; back < 3; back += 1) {
    const now = new Date();
    const day = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 31, 3));
    if (day.getUTCDate() === 31 && day < now) return day.toISOString();
  }
  throw new Error('three months without a 31st');
}

/** On to the day on which the next invoice is there. */
async function untilOpen(it: Subscriber, days: number): Promise<void> {
  const { periodEnd } = await it.row();
  assert.ok(days > 0, periodEnd);
  if ((await it.row()).renewalInvoiceId === null) await it.until(Date.parse(periodEnd) - 6.5 * 86_400_000);
  await it.open();
}
