/** How a company comes in: its steps, in order, and what can become of it. Pure: no clock, no database. */

export const ONBOARDING_STEPS = [
  'account_verified',
  'business_profile',
  'identity',
  'documents',
  'review',
  'completed',
] as const;
export type OnboardingStep = (typeof ONBOARDING_STEPS)[number];

/** What its owner does; the rest is done by the office, or comes by itself. */
export const OWNER_STEPS = ['account_verified', 'business_profile', 'identity', 'documents'] as const;
export type OwnerStep = (typeof OWNER_STEPS)[number];

/** `asked_again`: it was done, and one that it depends on was done anew since. `skipped`: not needed, by the rules. */
export const STEP_STATES = ['pending', 'completed', 'skipped', 'asked_again'] as const;
export type StepState = (typeof STEP_STATES)[number];

/** docs/processes/onboarding.md draws it. */
export const onboardingTransitions = {
  in_progress: ['in_review', 'completed', 'expired', 'cancelled'],
  in_review: ['in_progress', 'completed', 'cancelled'],
  completed: [],
  expired: ['in_progress', 'cancelled'],
  cancelled: ['in_progress'],
} as const satisfies Record<string, readonly string[]>;
export type OnboardingState = keyof typeof onboardingTransitions;
