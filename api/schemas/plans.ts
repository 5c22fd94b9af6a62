/** Plans at the border. What is left out of a policy is as in domain/subscriptions.ts. */
import { z } from 'zod';
import { DEFAULT_SUBSCRIPTION_POLICY, INTERVALS } from '../../domain/subscriptions.ts';
import { effectiveFromSchema } from '../effective-from.ts';
import { moneySchema, timeSchema } from '../wire.ts';

const limit = z.int().min(0).max(1_000_000).nullable();
export const entitlementsSchema = z
  .strictObject({
    companies: limit.describe('Of one owner.'),
    users: limit.describe('Members and open invitations of the company.'),
    openApplications: limit.describe('Submitted and not over; renewals do not count.'),
  })
  .meta({ id: 'Entitlements', description: 'What a plan limits; null = no limit.' });

const days = z.int().min(0).max(366);
const ascending = (list: readonly number[]): boolean => list.every((day, at) => at === 0 || day > (list[at - 1] ?? 0));
const descending = (list: readonly number[]): boolean => ascending(list.toReversed());

export const subscriptionPolicySchema = z
  .strictObject({
    invoiceDaysBefore: days.describe('The invoice of the next period, before the end of this one.'),
    remindDaysBefore: z.array(days.min(1)).max(12).refine(descending, 'from the largest to the smallest, each once'),
    dunningDays: z
      .array(days)
      .min(1)
      .max(12)
      .refine(ascending, 'in ascending order, each once')
      .describe('After the invoice was due.'),
    graceDays: days.describe('With access, after the last of them.'),
    suspendedDays: days.describe('Without access, after that; then it is cancelled.'),
    unusedOnCancel: z.enum(['kept', 'credit', 'refund']),
  })
  .meta({ id: 'SubscriptionPolicy' });

const names = z.strictObject({ id: z.string().trim().min(1).max(100), en: z.string().trim().min(1).max(100) });
const code = z
  .string()
  .regex(/^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/)
  .max(64);

/** The shortest month: an invoice is issued within the period before. */
const LONGEST_LEAD = { month: 27, year: 364 } as const;

export const newPlanSchema = z
  .strictObject({
    code: code.describe('A new one, or that of the plan whose next version this is.'),
    name: names,
    priceMinor: z.int().min(0).describe('Of a period, without tax.'),
    currency: z.enum(['IDR', 'MYR']),
    interval: z.enum(INTERVALS),
    trialDays: z.int().min(0).max(366).default(0),
    entitlements: entitlementsSchema,
    policy: subscriptionPolicySchema
      .partial()
      .optional()
      .transform((given) => ({ ...DEFAULT_SUBSCRIPTION_POLICY, ...given })),
    isTaxed: z.boolean().default(true).describe('Whether PPN is added.'),
    isDefault: z.boolean().default(false).describe('What companies without a subscription may use.'),
    isOffered: z.boolean().default(true).describe('False: nobody can subscribe to it any more.'),
    effectiveFrom: effectiveFromSchema,
  })
  .refine(({ policy, interval }) => !(policy.invoiceDaysBefore > LONGEST_LEAD[interval]), {
    path: ['policy', 'invoiceDaysBefore'],
    message: 'the invoice comes within the period before',
  });

export const planPublishedSchema = z
  .object({ code: z.string(), version: z.int(), effectiveFrom: timeSchema })
  .meta({ id: 'PlanPublished' });

const shown = {
  code: z.string(),
  version: z.int(),
  price: moneySchema.describe('Of a period, without tax.'),
  priceWithTax: moneySchema.describe('By the tax in force today.'),
  interval: z.enum(INTERVALS),
  trialDays: z.int(),
  entitlements: entitlementsSchema,
  isDefault: z.boolean(),
};

export const planSchema = z.object({ ...shown, name: z.string() }).meta({ id: 'Plan' });

export const planVersionSchema = z
  .object({
    ...shown,
    name: names,
    policy: subscriptionPolicySchema,
    isTaxed: z.boolean(),
    isOffered: z.boolean(),
    inForce: z.boolean(),
    effectiveFrom: timeSchema,
    publishedAt: timeSchema,
    publishedBy: z.string().nullable(),
  })
  .meta({ id: 'PlanVersion' });
