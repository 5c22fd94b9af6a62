/** What companies can subscribe to in the demonstration; none is what everybody has. */
import { DEFAULT_SUBSCRIPTION_POLICY, type Plan } from '../domain/subscriptions.ts';

const common = { version: 1, currency: 'IDR', isTaxed: true, policy: DEFAULT_SUBSCRIPTION_POLICY } as const;
const business = {
  name: { id: 'Usaha', en: 'Business' },
  trialDays: 14,
  entitlements: { companies: 5, users: 10, openApplications: 25 },
  ...common,
} as const;

export const DEMO_PLANS: readonly Plan[] = [
  {
    code: 'basic-monthly',
    name: { id: 'Dasar', en: 'Basic' },
    priceMinor: '49000',
    interval: 'month',
    trialDays: 0,
    entitlements: { companies: 1, users: 2, openApplications: 3 },
    ...common,
  },
  { code: 'business-monthly', priceMinor: '149000', interval: 'month', ...business },
  // Two months of twelve are free.
  { code: 'business-yearly', priceMinor: '1490000', interval: 'year', ...business },
];
