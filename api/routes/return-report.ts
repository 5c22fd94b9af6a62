import { Readable } from 'node:stream';
import { z } from 'zod';
import { returnMoney, returnRates, returnReasons, returnTimes } from '../../db/return-report.ts';
import { Failure } from '../../domain/failures.ts';
import { money } from '../../domain/money.ts';
import { RETURN_REASONS } from '../../domain/returns.ts';
import { defineRoute, json, type Route, stream } from '../route.ts';
import { moneyJson, moneySchema, timeJson, timeSchema } from '../wire.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;
const count = z.int().min(0);
const rate = z.number().min(0).max(1).describe('Units asked back, of those that were sent.');

const reportSchema = z
  .object({
    from: timeSchema,
    to: timeSchema,
    bySku: z
      .array(z.object({ sku: z.string(), sold: count, returned: count, accepted: count, rate }))
      .describe('Of orders that were placed then; the most returned first, at most 500.'),
    byReason: z.array(z.object({ reason: z.enum(RETURN_REASONS), returns: count, units: count })),
    timeInState: z.array(z.object({ state: z.string(), count, p50Hours: z.number(), p90Hours: z.number() })),
    money: z.array(
      z.object({
        stated: moneySchema.describe('What the statements come to.'),
        deducted: moneySchema,
        gateway: moneySchema.describe('Arrived, the way that it came.'),
        bankTransfer: moneySchema,
        storeCredit: moneySchema,
        onItsWay: moneySchema,
      }),
    ),
  })
  .meta({ id: 'ReturnReport' });

const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((text) => new Date(text))
  .optional();

const read = defineRoute({
  method: 'get',
  path: '/admin/returns/report',
  summary: 'What came back, why, how long it took and what it cost',
  description: `At most ${MOST_DAYS} days; absent = the last 30. \`format=csv\` gives the rates by SKU.`,
  tags: ['Admin'],
  permission: 'return.report',
  query: z.strictObject({ from: time, to: time, format: z.enum(['json', 'csv']).default('json') }),
  problems: ['invalid_request'],
  responses: { 200: { description: 'Its figures', schema: reportSchema, contentType: 'text/csv' } },
  async handler({ query: { from, to = new Date(), format }, deps: { db } }) {
    const stretch = { from: from ?? new Date(to.getTime() - 30 * DAY_MS), to };
    const days = (to.getTime() - stretch.from.getTime()) / DAY_MS;
    if (days <= 0 || days > MOST_DAYS)
      throw new Failure('invalid_request', `Ask for a stretch of up to ${MOST_DAYS} days: from before to.`);
    const rates = (await returnRates(db, stretch)).map((row) => ({
      ...row,
      rate: row.sold === 0 ? 0 : row.returned / row.sold,
    }));
    if (format === 'csv') {
      const lines = rates.map((row) => [row.sku, row.sold, row.returned, row.accepted, row.rate.toFixed(4)].join(','));
      const csv = `${['sku,sold,returned,accepted,rate', ...lines].join('\r\n')}\r\n`;
      return stream('text/csv; charset=utf-8', Readable.from([csv]), { filename: 'returns.csv' });
    }
    const [reasons, times, sums] = [
      await returnReasons(db, stretch),
      await returnTimes(db, stretch),
      await returnMoney(db, stretch),
    ];
    return json(200, {
      from: timeJson(stretch.from),
      to: timeJson(to),
      bySku: rates,
      byReason: reasons,
      timeInState: times.map(({ state, count: times, p50Seconds, p90Seconds }) => ({
        state,
        count: times,
        p50Hours: hours(p50Seconds),
        p90Hours: hours(p90Seconds),
      })),
      money: sums.map(({ currency, ...sum }) => {
        const amount = (minor: bigint) => moneyJson(money(minor, currency));
        return {
          stated: amount(sum.statedMinor),
          deducted: amount(sum.deductedMinor),
          gateway: amount(sum.gatewayMinor),
          bankTransfer: amount(sum.bankTransferMinor),
          storeCredit: amount(sum.storeCreditMinor),
          onItsWay: amount(sum.onItsWayMinor),
        };
      }),
    });
  },
});

const hours = (seconds: number): number => Math.round(seconds / 36) / 100;

export const returnReportRoutes: readonly Route[] = [read];
