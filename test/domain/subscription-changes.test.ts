import assert from 'node:assert/strict';
import { asId, type InvoiceId, type SubscriptionId, type UserId } from '../../domain/ids.ts';
import { isUpgrade, refuseChange, type SubscriptionChange } from '../../domain/subscription-changes.ts';
import type { Standing } from '../../domain/subscription-timeline.ts';
import {
  DEFAULT_SUBSCRIPTION_POLICY,
  type Plan,
  SUBSCRIPTION_STATES,
  type SubscriptionState,
} from '../../domain/subscriptions.ts';

const DAY = 86_400_000;
const by = asId<UserId>('u');
const plan = (code: string, priceMinor = '100'): Plan => ({
  code,
  version: 1,
  name: { id: code, en: code },
  priceMinor,
  currency: 'IDR',
  interval: 'month',
  trialDays: 0,
  isTaxed: true,
  entitlements: { companies: null, users: null, openApplications: null },
  policy: DEFAULT_SUBSCRIPTION_POLICY,
});
const standing = (given: Partial<Standing> = {}): Standing => ({
  subscriptionId: asId<SubscriptionId>('s'),
  state: 'active',
  stateSince: 0,
  planCode: 'p',
  planVersion: 1,
  policy: DEFAULT_SUBSCRIPTION_POLICY,
  isFree: false,
  term: 1,
  periodStart: 0,
  periodEnd: 30 * DAY,
  cancelAtPeriodEnd: false,
  renewal: null,
  upgrade: null,
  nextPlan: null,
  cardId: null,
  dunningStep: 0,
  rungs: [],
  ...given,
});
const codeOf = (it: Standing, change: SubscriptionChange, at = DAY) => refuseChange(it, change, at)?.code ?? null;
const allowedIn = (change: SubscriptionChange, given: Partial<Standing> = {}): SubscriptionState[] =>
  SUBSCRIPTION_STATES.filter((state) => codeOf(standing({ ...given, state }), change) === null);
const OPEN = ['trialing', 'active', 'past_due', 'grace', 'suspended'] as const;

describe('what may be asked of a subscription', () => {
  it('in which state', () => {
    assert.deepEqual(allowedIn({ kind: 'cancel', by, when: 'now' }), [...OPEN, 'paused']);
    assert.deepEqual(allowedIn({ kind: 'cancel', by, when: 'period_end' }), [...OPEN]);
    assert.deepEqual(allowedIn({ kind: 'pause', by }), ['trialing', 'active']);
    assert.deepEqual(allowedIn({ kind: 'resume', by }), ['paused']);
    assert.deepEqual(allowedIn({ kind: 'resume', by }, { cancelAtPeriodEnd: true }), [...OPEN, 'paused']);
    assert.deepEqual(allowedIn({ kind: 'change_plan', by, plan: plan('q') }), [...OPEN]);
    assert.deepEqual(allowedIn({ kind: 'extend', by, days: 3, reason: 'flood' }), [...OPEN]);
    assert.deepEqual(allowedIn({ kind: 'change_method', by, paymentMethodId: null }), [...OPEN, 'paused']);
  });

  it('a pause waits for the first payment and for an upgrade', () => {
    const pause = { kind: 'pause', by } as const;
    const upgrade = { invoiceId: asId<InvoiceId>('i'), dueAt: DAY, code: 'q', version: 1 };
    assert.equal(codeOf(standing({ term: 0 }), pause), 'subscription_not_open');
    assert.equal(codeOf(standing({ upgrade }), pause), 'subscription_not_open');
    assert.equal(codeOf(standing({ cancelAtPeriodEnd: true }), pause), 'subscription_not_open');
  });

  it('the plan that it has is no change, unless another one waits', () => {
    const back = { kind: 'change_plan', by, plan: plan('p') } as const;
    const nextPlan = { code: 'q', version: 1, at: null };
    assert.equal(codeOf(standing(), back), 'plan_not_offered');
    assert.equal(codeOf(standing({ nextPlan }), back), null);
    assert.equal(codeOf(standing({ nextPlan }), { ...back, plan: plan('q') }), 'plan_not_offered');
    assert.equal(codeOf(standing({ nextPlan: { ...nextPlan, at: DAY } }), back), 'subscription_not_open');
  });

  it('days that are given have to reach beyond now', () => {
    const extend = (days: number) => ({ kind: 'extend', by, days, reason: 'flood' }) as const;
    const late = standing({ state: 'suspended' });
    assert.equal(codeOf(late, extend(10), 40.5 * DAY), 'subscription_not_open');
    assert.equal(codeOf(late, extend(11), 40.5 * DAY), null);
    for (const days of [0, 1.5, 367]) assert.equal(codeOf(standing(), extend(days)), 'invalid_request');
  });

  it('only a higher price for a period of the same length counts at once', () => {
    assert.equal(isUpgrade(plan('p', '100'), plan('q', '101')), true);
    assert.equal(isUpgrade(plan('p', '100'), plan('q', '100')), false);
    assert.equal(isUpgrade(plan('p', '100'), { ...plan('q', '9000'), interval: 'year' }), false);
  });
});
