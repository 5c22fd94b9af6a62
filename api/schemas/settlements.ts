import { z } from 'zod';
import { GATEWAYS } from '../../domain/payments.ts';
import { MOST_SETTLEMENT_LINES, SETTLEMENT_LINE_KINDS, SETTLEMENT_LINE_STATES } from '../../domain/settlements.ts';
import { moneySchema, timeSchema } from '../wire.ts';

const payout = {
  gateway: z.enum(GATEWAYS),
  reference: z.string().trim().min(1).max(200).describe("The gateway's name of the payout."),
  currency: z.enum(['IDR', 'MYR']),
  paidOutAt: z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString()),
};

const lineSchema = z
  .strictObject({
    kind: z.enum(SETTLEMENT_LINE_KINDS),
    reference: z.string().trim().min(1).max(200).describe('Our reference of it, or the gateway’s.'),
    grossMinor: z.int().describe('Signed as it moves the payout: a payment positive, a refund negative.'),
    feeMinor: z.int().describe('What the gateway kept; negative where it gave a fee back.'),
  })
  .meta({ id: 'SettlementLineInput' });

export const settlementSchema = z.strictObject({
  ...payout,
  netMinor: z.int().optional().describe('What reached the bank; Σ gross − Σ fee must be that.'),
  lines: z.array(lineSchema).max(MOST_SETTLEMENT_LINES),
});

export const settlementFormSchema = z.strictObject({
  ...payout,
  netMinor: z
    .string()
    .regex(/^-?\d{1,15}$/)
    .optional()
    .describe('What reached the bank, in minor units; Σ gross − Σ fee must be that.'),
});

export const settlementReadSchema = z
  .object({
    id: z.string(),
    gateway: z.enum(GATEWAYS),
    reference: z.string(),
    gross: moneySchema,
    fee: moneySchema,
    net: moneySchema,
    paidOutAt: timeSchema,
    source: z.enum(['csv', 'api']),
    importedBy: z.string().nullable(),
    importedAt: timeSchema,
    lines: z.object({ matched: z.int(), differs: z.int(), unmatched: z.int() }).describe('How many are in each state.'),
  })
  .meta({ id: 'Settlement' });

export const settlementLineSchema = z
  .object({
    position: z.int(),
    kind: z.enum(SETTLEMENT_LINE_KINDS),
    reference: z.string(),
    gross: moneySchema,
    fee: moneySchema,
    state: z.enum(SETTLEMENT_LINE_STATES).describe('Other than `matched`: there is a case about it.'),
    paymentId: z.string().nullable(),
    refundId: z.string().nullable(),
    invoiceId: z.string().nullable(),
    invoiceNumber: z.string().nullable(),
  })
  .meta({ id: 'SettlementLine' });
