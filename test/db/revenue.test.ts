import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { recordEvent } from '../../db/events.ts';
import { revenueOf } from '../../db/revenue.ts';
import { monthlyRate } from '../../domain/billing.ts';
import type { EventType } from '../../domain/events.ts';
import type { SubscriptionId } from '../../domain/ids.ts';
import type { Plan } from '../../domain/subscriptions.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { aPlan, aSubscription } from '../builders/subscriptions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** In Jakarta, at noon. */
const noon = (day: string): string => `2026-${day}T12:00:00+07:00`;

describe('the revenue of a month', () => {
  let database: TestDatabase;
  let db: Knex;
  let [basic, business, yearly, free]: Plan[] = [];

  before(async () => {
    database = await createTestDatabase();
    db = database.db;
    basic = await aPlan(db, { priceMinor: '100000' });
    business = await aPlan(db, { priceMinor: '250000' });
    yearly = await aPlan(db, { priceMinor: '1000000', interval: 'year' });
    free = await aPlan(db, { priceMinor: '0' });
    await march();
  });
  after(() => database?.drop());

  type Told = readonly [day: string, type: EventType, plan?: Plan];

  /** A company of its own, and what happened to its subscription, as the process tells it. */
  async function story(plan: Plan | undefined, told: readonly Told[], more: object = {}): Promise<SubscriptionId> {
    assert.ok(plan);
    const by = await aUser(db, 'owner');
    const companyId = await aCompany(db, by);
    return subscribed(companyId, by, plan, told, more);
  }

  async function subscribed(
    companyId: Parameters<typeof aSubscription>[1]['companyId'],
    by: Parameters<typeof aSubscription>[1]['by'],
    plan: Plan,
    told: readonly Told[],
    more: object = {},
  ): Promise<SubscriptionId> {
    const startedAt = noon(told[0]?.[0] ?? '01-01');
    const ended = told.find(([, type]) => type === 'subscription.cancelled' || type === 'subscription.expired');
    const state = ended ? 'cancelled' : 'active';
    const id = await aSubscription(db, { companyId, by, plan, startedAt, state });
    await db('subscriptions')
      .where({ id })
      .update({ ...more, ended_at: ended ? noon(ended[0]) : null });
    let current = plan;
    for (const [nth, [day, type, to]] of told.entries()) {
      current = to ?? current;
      const data = {
        planCode: current.code,
        monthlyMinor: monthlyRate(current).toString(),
        currency: current.currency,
      };
      const about = { companyId, subject: `subscription/${id}`, data, at: noon(day) } as const;
      await recordEvent(db, { key: `subscription/${id}/${nth}`, type, ...about });
    }
    return id;
  }

  const S = 'subscription.started';
  const R = 'subscription.renewed';
  const C = 'subscription.cancelled';
  const CHANGED = 'subscription.plan_changed';
  const DUE = 'subscription.past_due';
  const OUT = 'subscription.suspended';

  /** By hand: what each adds to March is said beside it. */
  async function march(): Promise<void> {
    // Stays at 100.000, renewed each month.
    await story(basic, [
      ['01-10', S],
      ['01-10', R],
      ['02-10', R],
      ['03-10', R],
      ['04-10', R],
    ]);
    // Stays at 1.000.000 / 12 = 83.333.
    await story(yearly, [
      ['01-15', S],
      ['01-16', R],
    ]);
    // New: 250.000; its first invoice was paid the day after it began.
    await story(business, [
      ['03-02', S],
      ['03-03', R],
    ]);
    // Begun in March and paid in April: nothing yet.
    await story(business, [
      ['03-30', S],
      ['04-02', R],
    ]);
    // Costs nothing: no customer.
    await story(free, [
      ['01-01', S],
      ['01-01', R],
    ]);
    // Expansion by 150.000.
    await story(basic, [
      ['02-01', S],
      ['02-01', R],
      ['03-20', CHANGED, business],
    ]);
    // Contraction by 150.000, from its next term on.
    await story(business, [
      ['02-05', S],
      ['02-05', R],
      ['03-05', R, business],
      ['03-05', CHANGED, basic],
    ]);
    // Churned: 100.000; asked, and not paid.
    await story(basic, [
      ['01-20', S],
      ['01-20', R],
      ['02-20', DUE],
      ['03-13', OUT],
      ['04-12', C],
    ]);
    // Unpaid on the last day of March, and still a customer: 100.000; recovered in April.
    await story(basic, [
      ['02-28', S],
      ['02-28', R],
      ['03-28', DUE],
      ['04-03', R],
    ]);
    // Unpaid since March, lost in April, 100.000 stays until then.
    await story(basic, [
      ['02-26', S],
      ['02-26', R],
      ['03-26', DUE],
      ['04-16', OUT],
      ['04-30', C],
    ]);
    // Back: suspended in February, paid in March, 250.000.
    await story(business, [
      ['01-01', S],
      ['01-01', R],
      ['02-01', DUE],
      ['02-22', OUT],
      ['03-01', R],
    ]);
    // Paused over the end of March: gone, for now; 250.000.
    await story(business, [
      ['01-05', S],
      ['01-05', R],
      ['03-15', 'subscription.paused'],
      ['04-15', 'subscription.resumed'],
    ]);
    // From one subscription to another within the month: not gone, expansion by 150.000.
    const by = await aUser(db, 'owner');
    const mover = await aCompany(db, by);
    assert.ok(basic && business);
    await subscribed(mover, by, basic, [
      ['01-03', S],
      ['01-03', R],
      ['03-04', C],
    ]);
    await subscribed(mover, by, business, [
      ['03-05', S],
      ['03-05', R],
    ]);
    // Trials: one that paid, one that did not, one that left before; and one that ends in April.
    const trial = (day: string) => ({ trial_ends_at: noon(day) });
    const converted = await story(
      basic,
      [
        ['03-01', S],
        ['03-14', R],
      ],
      trial('03-15'),
    );
    const terms = { plan_code: basic.code, plan_version: 1, currency: 'IDR', created_at: noon('03-14') };
    await db('subscription_terms').insert([
      { subscription_id: converted, number: 1, kind: 'trial', from_at: noon('03-01'), to_at: noon('03-15'), ...terms },
      { subscription_id: converted, number: 2, kind: 'paid', from_at: noon('03-15'), to_at: noon('04-15'), ...terms },
    ]);
    await story(
      basic,
      [
        ['03-02', S],
        ['03-16', DUE],
        ['04-06', OUT],
      ],
      trial('03-16'),
    );
    await story(
      basic,
      [
        ['03-20', S],
        ['03-22', C],
      ],
      trial('04-03'),
    );
    await story(basic, [['03-25', S]], trial('04-08'));
  }

  const of = (month: string, more: object = {}) =>
    revenueOf(db, { month, zone: 'Asia/Jakarta', currency: 'IDR', ...more });

  it('is what was worked out by hand', async () => {
    const { mrr, customers, dunning, trials } = await of('2026-03');
    // At the start: 100 + 83 + 100 + 250 + 100 + 100 + 100 + 250 + 100 (thousands); at the end as listed above.
    assert.deepEqual(mrr, {
      atStart: 1_183_333n,
      new: 350_000n,
      returned: 250_000n,
      expansion: 300_000n,
      contraction: 150_000n,
      churned: 350_000n,
      atEnd: 1_583_333n,
    });
    assert.deepEqual(customers, { atStart: 9, new: 2, returned: 1, churned: 2, atEnd: 10 });
    // Begun in March: two that paid, and the trial that did not.
    assert.deepEqual(dunning, { begun: 3, recovered: 1, lost: 1 });
    assert.deepEqual(trials, { ended: 3, converted: 1 });
  });

  it('adds up from month to month', async () => {
    const months = ['2026-01', '2026-02', '2026-03', '2026-04', '2026-05'];
    const all = await Promise.all(months.map((month) => of(month)));
    for (const [nth, { mrr, customers }] of all.entries()) {
      const { atStart, new: fresh, returned, expansion, contraction, churned, atEnd } = mrr;
      assert.equal(atStart + fresh + returned + expansion - contraction - churned, atEnd, months[nth]);
      assert.equal(customers.atStart + customers.new + customers.returned - customers.churned, customers.atEnd);
      const next = all[nth + 1];
      if (next) assert.deepEqual([next.mrr.atStart, next.from], [atEnd, all[nth]?.to]);
    }
  });

  it('is of zeros where nothing was, and in another currency', async () => {
    const none = { atStart: 0, new: 0, returned: 0, churned: 0, atEnd: 0 };
    for (const empty of [await of('2020-01'), await of('2026-03', { currency: 'MYR' })]) {
      assert.deepEqual(empty.customers, none);
      assert.deepEqual(
        Object.values(empty.mrr),
        Array.from({ length: 7 }, () => 0n),
      );
      assert.deepEqual(
        [empty.dunning, empty.trials],
        [
          { begun: 0, recovered: 0, lost: 0 },
          { ended: 0, converted: 0 },
        ],
      );
    }
  });

  it('begins and ends by the office’s clock', async () => {
    const { from, to } = await of('2026-03');
    assert.deepEqual([from.toISOString(), to.toISOString()], ['2026-02-28T17:00:00.000Z', '2026-03-31T17:00:00.000Z']);
    assert.ok(basic);
    const minute = '2026-07-31T17:00:00.000Z';
    const [before, after] = [await of('2026-07'), await of('2026-08')];
    const id = await story(basic, [['07-30', S]]);
    const data = { monthlyMinor: '100000', currency: 'IDR' };
    const event = { key: `subscription/${id}/paid`, type: R, subject: `subscription/${id}`, data, at: minute } as const;
    await recordEvent(db, event);
    assert.equal((await of('2026-07')).mrr.atEnd, before.mrr.atEnd);
    assert.equal((await of('2026-08')).mrr.new, after.mrr.new + 100_000n);
  });
});
