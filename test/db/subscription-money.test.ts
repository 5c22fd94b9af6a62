import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { payWithCredit } from '../../db/credit-payments.ts';
import { companyEntitlements } from '../../db/entitlements.ts';
import { applyToInvoice, takeBackFromInvoice } from '../../db/invoice-payments.ts';
import { invoiceCloser } from '../../db/lapsed-invoices.ts';
import { postEntry } from '../../db/ledger.ts';
import { checkLedger } from '../../db/ledger-check.ts';
import { creditIn } from '../../db/store-credit.ts';
import { advance } from '../../db/subscription-moves.ts';
import { findSubscription } from '../../db/subscription-reads.ts';
import { type ChangeTools, change, openSubscription } from '../../db/subscriptions.ts';
import { asId, type CompanyId, type InvoiceId, type SubscriptionId } from '../../domain/ids.ts';
import { suspenseReleased } from '../../domain/ledger.ts';
import type { SubscriptionChange } from '../../domain/subscription-changes.ts';
import { hasAccess } from '../../domain/subscriptions.ts';
import { aCompany, aPayment, aUser } from '../builders/licensing.ts';
import { aPlan, type PlanGiven } from '../builders/subscriptions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY = 86_400_000;
const START = Math.floor(Date.now() / DAY) * DAY - 2 * DAY;
const iso = (at: number) => new Date(at).toISOString();

describe('the money of a subscription', () => {
  let database: TestDatabase;
  let db: Knex;
  before(async () => {
    database = await createTestDatabase();
    ({ db } = database);
  });
  after(() => database?.drop());

  const policy = { refundApprovalAbove: {} };
  const tools: ChangeTools = { refundPolicy: policy, closeInvoice: invoiceCloser(policy) };
  async function begun(given: PlanGiven = {}) {
    const by = await aUser(db, 'owner');
    const companyId = await aCompany(db, by);
    const plan = await aPlan(db, given);
    const subscriptionId = asId<SubscriptionId>(randomUUID());
    const input = { subscriptionId, companyId, by, plan, zone: 'Asia/Jakarta', startedAt: iso(START) };
    await db.transaction((tx) => openSubscription(tx, input));
    return {
      ...input,
      at: (at: number) => db.transaction((tx) => advance(tx, tools, { subscriptionId, at })),
      ask: (asked: SubscriptionChange, at: number, key: string = randomUUID()) =>
        db.transaction((tx) => change(tx, tools, { subscriptionId, change: asked, key, at })),
      credit: async () => (await creditIn(db, companyId, 'IDR')).amountMinor,
    };
  }
  type Begun = Awaited<ReturnType<typeof begun>>;

  describe('that store credit had paid in part', () => {
    const give = (companyId: CompanyId, amount: bigint) =>
      db.transaction(async (tx) => {
        const key = `test/${randomUUID()}`;
        const entry = { currency: 'IDR', companyId, at: iso(START) } as const;
        const postings = [
          { account: 'bank', amountMinor: amount },
          { account: 'suspense', amountMinor: -amount },
        ] as const;
        await postEntry(tx, { ...entry, key: `${key}/in`, kind: 'settlement_adjusted', postings });
        const released = suspenseReleased(amount, 'store_credit');
        await postEntry(tx, { ...entry, key, kind: 'suspense_released', postings: released });
      });
    async function partPaid() {
      const it = await begun();
      await give(it.companyId, 40_000n);
      const { renewal } = await it.at(START);
      assert.ok(renewal);
      const { invoiceId } = renewal;
      const request = { invoiceId, key: 'test', by: it.by, at: iso(START) };
      const { invoiceState } = await db.transaction((tx) => payWithCredit(tx, request));
      assert.deepEqual([invoiceState, await it.credit()], ['open', 0n]);
      return { ...it, invoiceId };
    }
    async function isSound() {
      for (const { name, findings } of (await checkLedger(db)).proofs)
        if (name !== 'numbers') assert.deepEqual(findings, [], name);
    }

    it('is credit again, once, when the subscription is cancelled at once', async () => {
      const it = await partPaid();
      const cancel = { kind: 'cancel', by: it.by, when: 'now' } as const;
      await it.ask(cancel, START + DAY, 'same');
      await it.ask(cancel, START + DAY, 'same');
      await it.ask(cancel, START + 2 * DAY);
      assert.equal(await it.credit(), 40_000n);
      await isSound();
    });

    it('is credit again, once, when it is cancelled for not being paid', async () => {
      const it = await partPaid();
      for (let day = 0; day <= 60; day += 1) await it.at(START + day * DAY);
      assert.equal((await it.at(START + 61 * DAY)).state, 'expired');
      assert.equal(await it.credit(), 40_000n);
      await isSound();
    });
  });

  describe('that was taken back', () => {
    const pay = (invoiceId: InvoiceId, at: number) =>
      db.transaction((tx) => applyToInvoice(tx, { invoiceId, amountMinor: 10n ** 12n, at: iso(at) }));
    const takeBack = (invoiceId: InvoiceId, at: number) =>
      db.transaction((tx) => takeBackFromInvoice(tx, { invoiceId, amountMinor: 10n ** 12n, at: iso(at) }));
    async function paid(given: PlanGiven = {}) {
      const it = await begun({ entitlements: { users: 9 }, ...given });
      const invoiceId = await nextPaid(it, START);
      return { ...it, invoiceId };
    }
    async function nextPaid(it: Begun, at: number): Promise<InvoiceId> {
      const { renewal } = await it.at(at);
      assert.ok(renewal);
      await pay(renewal.invoiceId, at);
      await it.at(at);
      return renewal.invoiceId;
    }
    /** By the entitlements, and by the subscription as its owner reads it, which must say the same. */
    async function access({ companyId, subscriptionId, by }: Begun, at = Date.now()) {
      const entitled = await companyEntitlements(db, companyId, new Date(at));
      if (at > Date.now() + 1_000) return entitled.hasAccess;
      const seen = await findSubscription(db, { userId: by, roles: ['owner'] }, subscriptionId);
      assert.ok(seen);
      assert.equal(hasAccess(seen.state, seen.isTakenBack), entitled.hasAccess);
      return entitled.hasAccess;
    }

    it('gives no access for its term, and access again when the dispute is won', async () => {
      const it = await paid();
      assert.equal(await access(it), true);
      await takeBack(it.invoiceId, START + DAY);
      assert.equal(await access(it), false);
      const { limits, state } = await companyEntitlements(db, it.companyId, new Date());
      assert.deepEqual([state, limits.users], ['active', 1]);
      await pay(it.invoiceId, START + DAY);
      assert.equal(await access(it), true);
    });

    it('gives none while the next term is not paid either, and does not stand in the way of one that is', async () => {
      const it = await paid();
      await takeBack(it.invoiceId, START + DAY);
      const { periodEnd } = await it.at(START + 24 * DAY);
      assert.equal((await it.at(periodEnd + DAY)).state, 'past_due');
      assert.equal(await access(it, periodEnd + DAY), false);
      await nextPaid(it, periodEnd + DAY);
      assert.equal(await access(it, periodEnd + DAY), true);
    });

    it('counts from the beginning of its term, where that was paid in advance', async () => {
      const it = await paid();
      const { periodEnd } = await it.at(START + 25 * DAY);
      await takeBack(await nextPaid(it, START + 25 * DAY), START + 26 * DAY);
      assert.equal(await access(it, START + 26 * DAY), true);
      assert.equal(await access(it, periodEnd + DAY), false);
    });

    it('counts as well where it had paid for a dearer plan', async () => {
      const it = await paid({ priceMinor: '310000' });
      const plan = await aPlan(db, { priceMinor: '620000' });
      const { standing } = await it.ask({ kind: 'change_plan', by: it.by, plan }, START + DAY);
      assert.ok(standing.upgrade);
      await pay(standing.upgrade.invoiceId, START + DAY);
      assert.equal((await it.at(START + DAY)).planCode, plan.code);
      assert.equal(await access(it), true);
      await takeBack(standing.upgrade.invoiceId, START + DAY);
      assert.equal(await access(it), false);
    });

    it('is not given back a second time when the subscription is cancelled at once, nor credited to a dearer plan', async () => {
      const it = await paid({ priceMinor: '325225' });
      const earlier = await aPayment(db, { invoiceId: it.invoiceId, state: 'paid' });
      await db('payments').where({ id: earlier.id }).update({ applied_minor: 361_000 });
      const { periodEnd } = await it.at(START + 25 * DAY);
      const second = await nextPaid(it, START + 25 * DAY);
      await takeBack(second, periodEnd);
      const plan = await aPlan(db, { priceMinor: '650450' });
      const { standing } = await it.ask({ kind: 'change_plan', by: it.by, plan }, periodEnd + DAY);
      const lines = await db('invoice_lines').where({ invoice_id: standing.upgrade?.invoiceId }).pluck('net_minor');
      assert.equal(lines.length, 1, 'a charge, and no credit');
      await it.ask({ kind: 'cancel', by: it.by, when: 'now' }, periodEnd + DAY);
      assert.deepEqual(await db('refunds').where({ payment_id: earlier.id }), []);
    });
  });
});
