/** What may be asked of a subscription, and when not. Pure and synchronous: validators ask it, and the record asks it again. */
import type { PaymentMethodId, UserId } from './ids.ts';
import type { Refusal } from './licensing.ts';
import { paidUntil, type Standing } from './subscription-timeline.ts';
import { type Plan, type SubscriptionState, subscriptionTransitions } from './subscriptions.ts';

const DAY_MS = 86_400_000;
export const EXTEND_DAYS_AT_MOST = 366;

export type SubscriptionChange =
  | { readonly kind: 'cancel'; readonly by: UserId; readonly when: 'now' | 'period_end' }
  | { readonly kind: 'pause'; readonly by: UserId }
  | { readonly kind: 'resume'; readonly by: UserId }
  | { readonly kind: 'change_plan'; readonly by: UserId; readonly plan: Plan }
  | { readonly kind: 'extend'; readonly by: UserId; readonly days: number; readonly reason: string }
  | { readonly kind: 'change_method'; readonly by: UserId; readonly paymentMethodId: PaymentMethodId | null };

export const hasEnded = (state: SubscriptionState): boolean => subscriptionTransitions[state].length === 0;

const isPaidFor = (state: SubscriptionState): boolean => state === 'trialing' || state === 'active';

/** Why this cannot be done now, or null. */
export function refuseChange(it: Standing, change: SubscriptionChange, at: number): Refusal | null {
  if (hasEnded(it.state))
    return refuse('subscription_not_open', `The subscription is ${it.state}. Start a new one.`, it);
  switch (change.kind) {
    case 'cancel':
      return refuseCancel(it, change.when);
    case 'pause':
      return refusePause(it);
    case 'resume':
      return it.state === 'paused' || it.cancelAtPeriodEnd
        ? null
        : no('It is neither paused nor about to end: there is nothing to take up again.', it);
    case 'change_plan':
      return refuseChangeOfPlan(it, change.plan);
    case 'extend':
      return refuseExtension(it, change.days, at);
    case 'change_method':
      return null;
  }
}

function refuseCancel(it: Standing, when: 'now' | 'period_end'): Refusal | null {
  if (when === 'now') return null;
  if (it.cancelAtPeriodEnd) return no('It ends with its period already.', it);
  return it.state === 'paused' ? no('It is paused: take it up again first, or cancel it now.', it) : null;
}

function refusePause(it: Standing): Refusal | null {
  if (!isPaidFor(it.state)) return no(`It is ${it.state}: only what is paid can be paused.`, it);
  if (it.term === 0) return no('Its first invoice is not paid yet.', it);
  if (it.cancelAtPeriodEnd) return no('It is about to end. Take that back first.', it);
  return it.upgrade ? no('An upgrade waits for its payment. Pay it, or wait until its time is over.', it) : null;
}

function refuseChangeOfPlan(it: Standing, plan: Plan): Refusal | null {
  if (it.state === 'paused') return no('It is paused: take it up again first.', it);
  if (it.cancelAtPeriodEnd) return no('It is about to end. Take that back first.', it);
  if (it.nextPlan && it.nextPlan.at !== null)
    return no('The next period is paid under another plan already. Change it when that has begun.', it);
  const asked = it.upgrade ?? it.nextPlan ?? { code: it.planCode, version: it.planVersion };
  return isSamePlan(plan, asked) ? refuse('plan_not_offered', 'That is the plan that it has, or waits for.', it) : null;
}

function refuseExtension(it: Standing, days: number, at: number): Refusal | null {
  if (!Number.isInteger(days) || days < 1 || days > EXTEND_DAYS_AT_MOST)
    return refuse('invalid_request', `Extend by 1 to ${EXTEND_DAYS_AT_MOST} whole days.`, it);
  if (it.state === 'paused') return no('It is paused: its days are kept.', it);
  const needed = Math.floor((at - paidUntil(it)) / DAY_MS) + 1;
  return days < needed ? no(`It ran out ${needed - 1} days ago: extend it by ${needed} days or more.`, it) : null;
}

export const isSamePlan = (a: Pick<Plan, 'code' | 'version'>, b: Pick<Plan, 'code' | 'version'>): boolean =>
  a.code === b.code && a.version === b.version;

/** Counts at once, for the days that are left: a higher price for a period of the same length. Anything else waits for the next. */
export const isUpgrade = (from: Plan, to: Plan): boolean =>
  from.interval === to.interval && BigInt(to.priceMinor) > BigInt(from.priceMinor);

const refuse = (code: Refusal['code'], message: string, { state }: Standing): Refusal => ({
  code,
  message,
  facts: { state },
});
const no = (message: string, it: Standing): Refusal => refuse('subscription_not_open', message, it);
