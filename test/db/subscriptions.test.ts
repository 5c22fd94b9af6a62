import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { applyToInvoice } from '../../db/invoice-payments.ts';
import { advance } from '../../db/subscription-moves.ts';
import { type ChangeTools, change, openSubscription } from '../../db/subscriptions.ts';
import { asId, type InvoiceId, type SubscriptionId } from '../../domain/ids.ts';
import type { SubscriptionChange } from '../../domain/subscription-changes.ts';
import { aCompany, aPayment, aUser } from '../builders/licensing.ts';
import { aPlan, type PlanGiven } from '../builders/subscriptions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY = 86_400_000;
const START = Date.parse('2027-01-01T00:00:00Z');

describe('the record of a subscription', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  const tools: ChangeTools = {
    refundPolicy: { refundApprovalAbove: {} },
    closeInvoice: async (tx, id) => {
      const open = await tx('invoices').where({ id, state: 'open' }).update({ state: 'lapsed' });
      return open > 0 ? 'lapsed' : (await tx('invoices').where({ id }).first('state')).state;
    },
  };
  async function begun(given: PlanGiven = {}) {
    const { db } = database;
    const by = await aUser(db, 'owner');
    const companyId = await aCompany(db, by);
    const plan = await aPlan(db, given);
    const subscriptionId = asId<SubscriptionId>(randomUUID());
    const input = {
      subscriptionId,
      companyId,
      by,
      plan,
      zone: 'Asia/Jakarta',
      startedAt: new Date(START).toISOString(),
    };
    const begin = () => db.transaction((tx) => openSubscription(tx, input));
    await begin();
    return {
      ...input,
      begin,
      at: (at: number) => db.transaction((tx) => advance(tx, tools, { subscriptionId, at })),
      ask: (asked: SubscriptionChange, at: number, key: string = randomUUID()) =>
        db.transaction((tx) => change(tx, tools, { subscriptionId, change: asked, key, at })),
      pay: (invoiceId: InvoiceId | undefined, at: number) =>
        db.transaction((tx) =>
          applyToInvoice(tx, {
            invoiceId: invoiceId ?? asId<InvoiceId>(''),
            amountMinor: 10n ** 12n,
            data: {},
            at: new Date(at).toISOString(),
          }),
        ),
      count: async (table: string) => (await db(table).where({ subscription_id: subscriptionId })).length,
    };
  }

  it('begins once, and the company has no second one meanwhile', async () => {
    const it = await begun();
    const [one, two] = [await it.begin(), await it.begin()];
    assert.deepEqual(one, two);
    const other = { ...it, subscriptionId: asId<SubscriptionId>(randomUUID()) };
    await assert.rejects(
      database.db.transaction((tx) => openSubscription(tx, other)),
      { code: 'already_subscribed' },
    );
  });

  it('does what is due once, however often it is asked, also twice at the same time', async () => {
    const it = await begun();
    await Promise.all([it.at(START), it.at(START), it.at(START + 1)]);
    assert.equal(await it.count('invoices'), 1);
    const late = START + 8 * DAY;
    const [one, two] = await Promise.all([it.at(late), it.at(late)]);
    assert.deepEqual([one.state, two.state], ['past_due', 'past_due']);
    assert.deepEqual([one.dunningStep, two.dunningStep], [2, 2]);
  });

  it('books a payment before anything that is due, and a term that costs nothing by itself', async () => {
    const it = await begun();
    const { renewal } = await it.at(START);
    await it.pay(renewal?.invoiceId, START);
    const now = await it.at(START + 8 * DAY);
    assert.deepEqual([now.state, now.term], ['active', 1]);
    const free = await begun({ priceMinor: '0' });
    assert.equal((await free.at(START + 31 * DAY)).term, 2);
    assert.equal(await free.count('invoices'), 0);
  });

  it('of a pause moves what is paid, and the months are counted from the new end', async () => {
    const it = await begun();
    const { renewal } = await it.at(START);
    await it.pay(renewal?.invoiceId, START);
    const { periodEnd } = await it.at(START);
    await it.ask({ kind: 'pause', by: it.by }, START + 5 * DAY);
    const { standing } = await it.ask({ kind: 'resume', by: it.by }, START + 15 * DAY);
    assert.equal(standing.periodEnd, periodEnd + 10 * DAY);
    const [term] = await database.db('subscription_terms').where({ subscription_id: it.subscriptionId });
    assert.deepEqual([term.to_at.getTime(), term.paused_ms], [standing.periodEnd, BigInt(10 * DAY)]);
  });

  it('does what is asked under one key once', async () => {
    const it = await begun();
    const extend = { kind: 'extend', by: it.by, days: 10, reason: 'flood' } as const;
    const [one, two] = [await it.ask(extend, START, 'same'), await it.ask(extend, START, 'same')];
    assert.deepEqual(one, two);
    assert.equal(await it.count('subscription_terms'), 1);
  });

  it('keeps the due date of an invoice that is issued anew, so that changing plans defers nothing', async () => {
    const it = await begun();
    const first = (await it.at(START)).renewal;
    const other = await aPlan(database.db, { priceMinor: '50000' });
    await it.ask({ kind: 'change_plan', by: it.by, plan: other }, START + 6 * DAY);
    const second = (await it.at(START + 6 * DAY)).renewal;
    assert.notEqual(second?.invoiceId, first?.invoiceId);
    assert.equal(second?.dueAt, first?.dueAt);
  });

  describe('that is upgraded while the next term is billed', () => {
    /** On the 28th of January, with the invoice of February open since the 25th. */
    async function billed() {
      const it = await begun({ priceMinor: '310000' });
      await it.pay((await it.at(START)).renewal?.invoiceId, START);
      await it.at(START);
      const next = (await it.at(START + 24 * DAY)).renewal;
      assert.ok(next);
      const big = await aPlan(database.db, { priceMinor: '620000' });
      const ask = () => it.ask({ kind: 'change_plan', by: it.by, plan: big }, START + 27 * DAY);
      const sums = async () => {
        const of = { subscription_id: it.subscriptionId };
        const invoices = await database
          .db('invoices')
          .where({ ...of, state: 'paid' })
          .pluck<bigint[]>('total_minor');
        const terms = await database
          .db('subscription_terms')
          .where(of)
          .orderBy('number')
          .pluck<bigint[]>('amount_minor');
        const sum = (all: readonly bigint[]) => all.reduce((a, b) => a + b, 0n);
        return { invoiced: sum(invoices), booked: sum(terms), terms };
      };
      return { ...it, next, big, upgrade: ask, sums };
    }
    const stateOf = (id: InvoiceId | undefined) => database.db('invoices').where({ id }).first('state');

    it('has no open invoice at the old price, and none at all for the next term until the upgrade is paid', async () => {
      const it = await billed();
      const { standing } = await it.upgrade();
      assert.deepEqual([standing.renewal, (await stateOf(it.next.invoiceId)).state], [null, 'lapsed']);
      assert.equal((await it.at(START + 28 * DAY)).renewal, null);
      await it.pay(standing.upgrade?.invoiceId, START + 28 * DAY);
      await it.at(START + 28 * DAY);
      const { renewal, planCode } = await it.at(START + 28 * DAY);
      assert.deepEqual([planCode, renewal?.dueAt], [it.big.code, it.next.dueAt]);
      await it.pay(renewal?.invoiceId, START + 28 * DAY);
      assert.equal((await it.at(START + 28 * DAY)).term, 2);
      const { invoiced, booked, terms } = await it.sums();
      // Four of 31 days at the difference of 310,000, and a whole term at 620,000, each with 11 % of tax.
      assert.deepEqual(terms, [344_100n + 44_400n, 688_200n]);
      assert.equal(invoiced, booked);
    });

    it('is billed at the old price again, due when it was, where the upgrade is not paid', async () => {
      const it = await billed();
      const { standing } = await it.upgrade();
      assert.equal(standing.upgrade?.dueAt, START + 30 * DAY);
      await it.at(START + 30 * DAY);
      const { renewal, planCode, upgrade } = await it.at(START + 30 * DAY);
      assert.deepEqual([planCode, renewal?.dueAt, upgrade], [it.plan.code, it.next.dueAt, null]);
      assert.notEqual(renewal?.invoiceId, it.next.invoiceId);
      assert.equal((await stateOf(standing.upgrade?.invoiceId)).state, 'lapsed');
    });

    it('waits no longer for its payment than the period lasts that it is for', async () => {
      const it = await billed();
      const { standing } = await it.ask({ kind: 'change_plan', by: it.by, plan: it.big }, START + 29 * DAY);
      assert.equal(standing.upgrade?.dueAt, standing.periodEnd);
    });

    it('pays the difference for the next term as well, where that was paid in the last moment', async () => {
      const it = await billed();
      await it.pay(it.next.invoiceId, START + 27 * DAY);
      const { standing } = await it.upgrade();
      assert.equal(standing.term, 2);
      await it.pay(standing.upgrade?.invoiceId, START + 27 * DAY);
      await it.at(START + 27 * DAY);
      const { invoiced, booked } = await it.sums();
      // Two terms at the old price, and the difference of four days and of all of February.
      assert.equal(invoiced, 2n * 344_100n + 44_400n + 344_100n);
      assert.equal(booked, invoiced);
    });
  });

  it('that is cancelled at once gives back the whole days that were not used, as the plan says: here as credit', async () => {
    // With tax 361,000 rupiah for the 31 days of January.
    const it = await begun({ priceMinor: '325225' });
    const { renewal } = await it.at(START);
    assert.ok(renewal);
    await it.pay(renewal.invoiceId, START);
    const payment = await aPayment(database.db, { invoiceId: renewal.invoiceId, state: 'paid' });
    await database.db('payments').where({ id: payment.id }).update({ applied_minor: 361_000 });
    await it.at(START);
    const { standing } = await it.ask({ kind: 'cancel', by: it.by, when: 'now' }, START + 21 * DAY);
    assert.equal(standing.state, 'cancelled');
    const [term] = await database.db('subscription_terms').where({ subscription_id: it.subscriptionId });
    const [refund] = await database.db('refunds').where({ payment_id: payment.id });
    assert.equal(refund.amount_minor, (2n * term.amount_minor * 10n + 31n) / 62n);
    assert.equal(refund.channel, 'store_credit');
  });
});
