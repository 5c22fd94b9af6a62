import { z } from 'zod';
import { issuerOfSubscriptions } from '../../db/offices.ts';
import { type MonthlyRevenue, revenueOf } from '../../db/revenue.ts';
import { type Currency, money } from '../../domain/money.ts';
import { defineRoute, json } from '../route.ts';
import { moneyJson, moneySchema, timeJson, timeSchema } from '../wire.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1).describe('0 when there was nothing to take a part of.');

const revenueSchema = z
  .object({
    month: z.string(),
    from: timeSchema,
    to: timeSchema,
    currency: z.enum(['IDR', 'MYR']),
    mrr: z
      .object({
        atStart: moneySchema,
        new: moneySchema,
        returned: moneySchema.describe('Of companies that had paid before, and were away.'),
        expansion: moneySchema,
        contraction: moneySchema,
        churned: moneySchema,
        atEnd: moneySchema,
      })
      .describe('Monthly recurring revenue, without tax. The end is the start, with what came and without what went.'),
    customers: z
      .object({ atStart: count, new: count, returned: count, churned: count, atEnd: count })
      .describe('Companies that pay.'),
    churnRate: share.describe('Companies that went, of those at the start.'),
    mrrChurnRate: share,
    dunning: z.object({
      begun: count.describe('How often an invoice was not paid when it was due.'),
      recovered: count.describe('And was paid later.'),
      lost: count.describe('And never was: the subscription ended.'),
      open: count,
      recoveryRate: share,
    }),
    trials: z.object({
      ended: count,
      converted: count.describe('And something was paid.'),
      conversionRate: share,
    }),
  })
  .meta({ id: 'Revenue' });

const read = defineRoute({
  method: 'get',
  path: '/admin/revenue',
  summary: 'What subscriptions brought in, in a month',
  description:
    'Of the month in which it is asked: as far as it has come. What has become of dunning and trials is told as of now.',
  tags: ['Admin'],
  permission: 'revenue.read',
  query: z.strictObject({
    month: z
      .string()
      .regex(/^20\d{2}-(0[1-9]|1[0-2])$/)
      .describe("`YYYY-MM`, of the office's calendar."),
    currency: z.enum(['IDR', 'MYR']).default('IDR'),
  }),
  responses: { 200: { description: 'Its figures', schema: revenueSchema } },
  async handler({ query: { month, currency }, deps }) {
    const { zone } = await issuerOfSubscriptions(deps.db);
    return json(200, revenueJson(month, currency, await revenueOf(deps.db, { month, zone, currency })));
  },
});

export const revenueRoutes = [read];

function revenueJson(month: string, currency: Currency, { from, to, mrr, customers, dunning, trials }: MonthlyRevenue) {
  const amount = (minor: bigint) => moneyJson(money(minor, currency));
  return {
    month,
    from: timeJson(from),
    to: timeJson(to),
    currency,
    mrr: {
      atStart: amount(mrr.atStart),
      new: amount(mrr.new),
      returned: amount(mrr.returned),
      expansion: amount(mrr.expansion),
      contraction: amount(mrr.contraction),
      churned: amount(mrr.churned),
      atEnd: amount(mrr.atEnd),
    },
    customers,
    churnRate: shareOf(customers.churned, customers.atStart),
    mrrChurnRate: shareOf(Number(mrr.churned), Number(mrr.atStart)),
    dunning: {
      ...dunning,
      open: dunning.begun - dunning.recovered - dunning.lost,
      recoveryRate: shareOf(dunning.recovered, dunning.begun),
    },
    trials: { ...trials, conversionRate: shareOf(trials.converted, trials.ended) },
  };
}

/** Four decimals. */
const shareOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
