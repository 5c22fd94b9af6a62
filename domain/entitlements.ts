/** What a company may use by its plan, or without one. Pure: no clock, no database. */
import { type Entitlements, hasAccess, type SubscriptionState } from './subscriptions.ts';

export const NO_LIMITS: Entitlements = { companies: null, users: null, openApplications: null };

/** What is left where a subscription gives no access and the office has no default plan: what is there stays readable. */
export const WITHOUT_ACCESS: Entitlements = { companies: 1, users: 1, openApplications: 0 };

/** A plan as far as limits go. */
export interface LimitsOfPlan {
  readonly code: string;
  readonly entitlements: Partial<Entitlements>;
}

export interface CompanyEntitlements {
  /** Whose limits count now; null = of none. */
  readonly planCode: string | null;
  /** Of the open subscription; null = the company has none. */
  readonly state: SubscriptionState | null;
  /** False while a subscription is suspended or paused, or the money for its term has been taken back. */
  readonly hasAccess: boolean;
  readonly limits: Entitlements;
}

/**
 * The plan of a subscription that gives access; else the office's default plan; else nothing is limited for who has no
 * subscription, and almost everything for who has one without access.
 */
export function entitlementsOf(
  subscription: {
    readonly state: SubscriptionState;
    readonly plan: LimitsOfPlan;
    readonly isTakenBack: boolean;
  } | null,
  defaultPlan: LimitsOfPlan | null,
): CompanyEntitlements {
  const state = subscription?.state ?? null;
  const isOpen = subscription === null || hasAccess(subscription.state, subscription.isTakenBack);
  const plan = subscription && isOpen ? subscription.plan : defaultPlan;
  const withoutPlan = isOpen ? NO_LIMITS : WITHOUT_ACCESS;
  return { planCode: plan?.code ?? null, state, hasAccess: isOpen, limits: plan ? limitsOf(plan) : withoutPlan };
}

/** What a plan does not name it does not limit. */
const limitsOf = ({ entitlements }: LimitsOfPlan): Entitlements => ({ ...NO_LIMITS, ...entitlements });

/** The more generous of two limits; null is the most. */
export const widerLimit = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.max(a, b);
