import { z } from 'zod';
import { EVENT_TYPES } from '../../domain/events.ts';
import { EXTEND_DAYS_AT_MOST } from '../../domain/subscription-changes.ts';
import { INTERVALS, SUBSCRIPTION_STATES } from '../../domain/subscriptions.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { cardIdSchema, companyIdSchema } from './ids.ts';

const planCode = z.string().min(1).max(64);

export const newSubscriptionSchema = z.strictObject({ companyId: companyIdSchema, planCode });
export const cancelSubscriptionSchema = z.strictObject({
  at: z.enum(['now', 'period_end']).describe('`now`: what is unused is kept, credited or given back, by the plan.'),
});
export const changePlanSchema = z.strictObject({ planCode });
export const extendSchema = z.strictObject({
  days: z.int().min(1).max(EXTEND_DAYS_AT_MOST),
  reason: z.string().trim().min(3).max(500),
});
export const methodSchema = z.strictObject({
  cardId: cardIdSchema.nullable().describe('Of a card on file of the company; null = a payment link each time.'),
});

export const subscriptionSchema = z
  .object({
    id: z.string(),
    companyId: z.string(),
    state: z.enum(SUBSCRIPTION_STATES),
    hasAccess: z
      .boolean()
      .describe(
        'Whether what the plan allows may be used, also while a payment is awaited; not while the money for its term is taken back.',
      ),
    stateSince: timeSchema,
    plan: z.object({
      code: z.string(),
      version: z.int(),
      name: z.string(),
      price: moneySchema.describe('Of a period, without tax.'),
      interval: z.enum(INTERVALS),
    }),
    period: z.object({ from: timeSchema, to: timeSchema }),
    trialEndsAt: timeSchema.nullable(),
    nextInvoiceAt: timeSchema.nullable().describe('null while one is open, or none will come.'),
    cancelAtPeriodEnd: z.boolean(),
    pendingChange: z
      .object({
        planCode: z.string(),
        invoiceId: z.string().nullable().describe('Of an upgrade, which counts from its payment on.'),
        payUrl: z.url().nullable(),
        from: timeSchema.nullable().describe('When the next period begins; null = as soon as the invoice is paid.'),
      })
      .nullable(),
    openInvoice: z
      .object({
        id: z.string(),
        number: z.string(),
        outstanding: moneySchema,
        dueAt: timeSchema,
        payUrl: z.url().describe('Whoever has the link can pay.'),
      })
      .nullable()
      .describe('Of the next term.'),
    dunningStep: z.int().describe('How many times the open invoice was asked for after it was due.'),
    cardId: z.string().nullable(),
    pausedAt: timeSchema.nullable(),
    startedAt: timeSchema,
    endedAt: timeSchema.nullable(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'Subscription' });

export const termSchema = z
  .object({
    number: z.int(),
    kind: z.enum(['trial', 'paid', 'free', 'extension']),
    planCode: z.string(),
    planVersion: z.int(),
    from: timeSchema,
    to: timeSchema,
    invoiceId: z.string().nullable(),
    amount: moneySchema.describe('Tax included.'),
  })
  .meta({ id: 'SubscriptionTerm', description: 'Each begins where the one before ended.' });

export const subscriptionEventSchema = z
  .object({
    id: z.string(),
    type: z.enum(EVENT_TYPES),
    actor: z.enum(['person', 'system', 'gateway']),
    by: z.object({ id: z.string(), name: z.string() }).optional().describe('For staff, and for what you did yourself.'),
    data: z.record(z.string(), z.unknown()),
    at: timeSchema,
  })
  .meta({ id: 'SubscriptionEvent' });
