/** A subscription: its states, the policy that it was started under, and what its plan allows. Pure: no clock, no database. */
import type { Currency } from './money.ts';

/** docs/processes/subscription.md draws it. */
export const subscriptionTransitions = {
  trialing: ['active', 'past_due', 'paused', 'cancelled'],
  active: ['past_due', 'paused', 'cancelled'],
  past_due: ['active', 'grace', 'cancelled'],
  grace: ['active', 'suspended', 'cancelled'],
  suspended: ['active', 'cancelled', 'expired'],
  paused: ['trialing', 'active', 'cancelled'],
  cancelled: [],
  expired: [],
} as const satisfies Record<string, readonly string[]>;
export type SubscriptionState = keyof typeof subscriptionTransitions;

export const SUBSCRIPTION_STATES = [
  'trialing',
  'active',
  'past_due',
  'grace',
  'suspended',
  'paused',
  'cancelled',
  'expired',
] as const satisfies readonly SubscriptionState[];

/** What the plan allows may be used, also while a payment is awaited; not what was paid with money that has been taken back. */
export const hasAccess = (state: SubscriptionState, isTakenBack: boolean): boolean =>
  !isTakenBack && (state === 'trialing' || state === 'active' || state === 'past_due' || state === 'grace');

export const INTERVALS = ['month', 'year'] as const;
export type Interval = (typeof INTERVALS)[number];

/** Counted in days of 24 hours from the end of the period that was paid, unless it says otherwise. */
export interface SubscriptionPolicy {
  /** The invoice of the next period is issued so long before the end of this one. */
  readonly invoiceDaysBefore: number;
  /** Days before the end; one that would come before the period began is left out. */
  readonly remindDaysBefore: readonly number[];
  /** After the invoice was due, each with a fresh payment link; the last of them ends `past_due`. */
  readonly dunningDays: readonly number[];
  /** With access, after the last dunning step. */
  readonly graceDays: number;
  /** Without access, after the grace; then it is cancelled. */
  readonly suspendedDays: number;
  /** What becomes of the days that were paid and not used, when it is cancelled at once. */
  readonly unusedOnCancel: 'kept' | 'credit' | 'refund';
}

export const DEFAULT_SUBSCRIPTION_POLICY: SubscriptionPolicy = {
  invoiceDaysBefore: 7,
  remindDaysBefore: [30, 14, 7, 1],
  dunningDays: [0, 1, 3, 7, 14],
  graceDays: 7,
  suspendedDays: 30,
  unusedOnCancel: 'credit',
};

/** What a plan limits in the API; null = no limit. */
export const LIMITS = ['companies', 'users', 'openApplications'] as const;
export type Limit = (typeof LIMITS)[number];
export type Entitlements = Readonly<Record<Limit, number | null>>;

/** One version of it; a subscription keeps the version that it was started or changed under. */
export interface Plan {
  readonly code: string;
  readonly version: number;
  readonly name: { readonly id: string; readonly en: string };
  /** Of a period, without tax; minor units as digits, for JSON has no bigint. */
  readonly priceMinor: string;
  readonly currency: Currency;
  readonly interval: Interval;
  readonly trialDays: number;
  readonly isTaxed: boolean;
  readonly entitlements: Entitlements;
  readonly policy: SubscriptionPolicy;
}
