/** The rules of the shop at the border: the same schemas that publish a version read it. */
import { z } from 'zod';
import { type OrderPolicy, RISK_REASONS } from '../../domain/orders.ts';
import { CONDITIONS, type ReturnPolicy } from '../../domain/returns.ts';

const digits = z
  .string()
  .regex(/^\d{1,15}$/)
  .describe('Minor units, as digits.');
const hours = z
  .number()
  .positive()
  .max(24 * 366);
const days = z.number().positive().max(366);
const percent = z.number().min(0).max(100).multipleOf(0.01);
const ladder = (step: z.ZodNumber) => z.array(step).max(10);

const perKey = <Key extends string, Value extends z.ZodType>(keys: readonly Key[], value: Value) =>
  z.record(z.enum(keys), value);

export const orderPolicySchema: z.ZodType<OrderPolicy> = z.strictObject({
  unpaidExpiresAfterHours: hours,
  remindUnpaidAfterHours: ladder(hours),
  reservationHours: hours,
  risk: z.strictObject({
    holdFrom: z.int().min(1).max(1_000),
    points: perKey(RISK_REASONS, z.int().min(0).max(1_000)),
    amountFromMinor: digits,
    newCustomerDays: z.int().min(0).max(366),
    velocity: z.strictObject({ orders: z.int().min(1).max(1_000), hours }),
  }),
  shipping: z.strictObject({ feeMinor: digits, freeFromMinor: digits.nullable() }),
  remindHoldAfterHours: hours,
  lostAfterDays: days,
  reviewRequestAfterDays: days,
  cartReminderAfterHours: hours,
});

export const returnPolicySchema: z.ZodType<ReturnPolicy> = z.strictObject({
  windowDays: z.int().min(0).max(366),
  hygieneUnopenedOnly: z.boolean(),
  restockingPercent: perKey(CONDITIONS, percent),
  refundsShipping: z.enum(['never', 'when_all_returned', 'always']),
  returnShippingMinor: digits,
  keepItemUpToMinor: digits.nullable(),
  review: z.strictObject({ remindAfterHours: hours, escalateAfterDays: days }),
  infoExpiresAfterDays: days,
  labelRetryMinutes: z.int().min(1).max(1_440),
  shipment: z.strictObject({ remindAfterDays: ladder(days), expiresAfterDays: days }),
  lostAfterDays: days,
  receivedEscalateAfterHours: hours,
  inspectionEscalateAfterDays: days,
  resolution: z.strictObject({ remindAfterDays: ladder(days), defaultAfterDays: days }),
  defaultResolution: z.enum(['refund', 'store_credit']),
  refundReviewAfterDays: days,
  creditExpiresAfterMonths: z.int().min(1).max(120).nullable(),
});
