/** How values of the domain look in JSON: the one place for money and times. */
import { z } from 'zod';
import { formatInZone, type OfficeZone } from '../domain/calendar.ts';
import { formatMoney, type Money } from '../domain/money.ts';

export const moneySchema = z
  .object({
    amountMinor: z.int().describe('Whole minor units; IDR has none, so whole rupiah.'),
    currency: z.enum(['IDR', 'MYR']),
    formatted: z.string(),
  })
  .meta({ id: 'Money', example: { amountMinor: 1250000, currency: 'IDR', formatted: 'Rp1.250.000' } });

export interface MoneyJson {
  readonly amountMinor: number;
  readonly currency: Money['currency'];
  readonly formatted: string;
}

/** @throws RangeError beyond 2^53 − 1: JSON numbers would lose rupiah. */
export function moneyJson(money: Money): MoneyJson {
  const amountMinor = Number(money.amountMinor);
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError(`${money.amountMinor} does not fit a JSON number`);
  return { amountMinor, currency: money.currency, formatted: formatMoney(money) };
}

export const timeSchema = z.iso.datetime({ offset: true }).meta({ example: '2026-03-02T09:30:00+07:00' });

/** ISO 8601 with offset: `2026-03-02T09:30:00.000Z`, or in the office's zone `2026-03-02T16:30:00+07:00`. */
export const timeJson = (time: Date, zone?: OfficeZone): string =>
  zone === undefined ? time.toISOString() : formatInZone(time.getTime(), zone);

export const timeOrNull = (time: Date | null, zone?: OfficeZone): string | null =>
  time === null ? null : timeJson(time, zone);
