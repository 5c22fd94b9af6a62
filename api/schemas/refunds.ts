import { z } from 'zod';
import { ENTRY_KINDS } from '../../domain/ledger.ts';
import { REFUND_CHANNELS, REFUND_REASONS, REFUND_STATES, TRANSFER_PROBLEMS } from '../../domain/refunds.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { paymentIdSchema } from './ids.ts';

const note = z.string().trim().min(1).max(500);

const ACCOUNT_FIELDS = ['bankCode', 'accountNumber', 'accountHolder'] as const;

/** A way and, for a bank transfer, the account: comes out as one or the other. */
export const destination = z
  .strictObject({
    channel: z.enum(['bank_transfer', 'store_credit']).describe('`store_credit` only by the payer.'),
    bankCode: z.string().min(2).max(11).optional().describe('A code of GET /api/v1/banks.'),
    accountNumber: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('Dots, blanks and dashes are dropped. Kept encrypted, like the name.'),
    accountHolder: z.string().trim().min(2).max(100).optional().describe('As the bank writes it.'),
  })
  .transform((given, context) => {
    if (given.channel === 'store_credit') return { channel: given.channel } as const;
    const { channel, bankCode, accountNumber, accountHolder } = given;
    if (bankCode !== undefined && accountNumber !== undefined && accountHolder !== undefined) {
      return { channel, bankCode, accountNumber, accountHolder } as const;
    }
    for (const field of ACCOUNT_FIELDS)
      if (given[field] === undefined)
        context.issues.push({ code: 'invalid_type', expected: 'string', input: undefined, path: [field] });
    return z.NEVER;
  });

export const newRefund = z.strictObject({
  paymentId: paymentIdSchema,
  amountMinor: z.int().min(1).optional().describe('Whole minor units; absent = all that is left.'),
  reason: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .optional()
    .describe(`One of ${REFUND_REASONS.join(', ')}; any other text is the note of the reason \`other\`.`),
  note: note.optional(),
  destination: destination.optional(),
});

export const approval = z.strictObject({ note: note.optional() });
export const rejection = z.strictObject({ note: note.describe('Told to the payer.') });

const CLOCKS_DIFFER_MS = 300_000;

export const transferred = z.strictObject({
  bankReference: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9 ./_-]{1,60}$/)
    .describe('What the bank calls the transfer.'),
  transferredAt: z.iso
    .datetime({ offset: true })
    .refine((text) => Date.parse(text) <= Date.now() + CLOCKS_DIFFER_MS, 'not in the future')
    .transform((text) => new Date(text).toISOString()),
  nameChecked: z
    .boolean()
    .optional()
    .describe("Must be true where the account is not in the payer's name: somebody has made sure whose it is."),
});
export const transferFailed = z.strictObject({ reason: z.enum(TRANSFER_PROBLEMS) });

export const refundSummarySchema = z
  .object({
    id: z.string(),
    paymentId: z.string(),
    invoiceId: z.string(),
    invoiceNumber: z.string(),
    companyId: z.string(),
    caseId: z.string().nullable(),
    state: z.enum(REFUND_STATES),
    amount: moneySchema,
    source: z.enum(['invoice', 'suspense']).describe('`invoice` is credited on it; `suspense` had paid none.'),
    reason: z.enum(REFUND_REASONS),
    note: z.string().nullable(),
    channel: z.enum(REFUND_CHANNELS).nullable().describe('null = not chosen yet.'),
    needsApproval: z.boolean(),
    requestedAt: timeSchema,
    decidedAt: timeSchema.nullable(),
    decisionNote: z.string().nullable(),
    account: z
      .object({ bankCode: z.string(), bankName: z.string(), number: z.string().describe('Masked.') })
      .nullable(),
    waitsFor: z.enum(['finance', 'payer', 'gateway', 'alur']).nullable().describe('Who has the next step.'),
    expectedBy: timeSchema.nullable().describe('When that step is usually done.'),
    endedAt: timeSchema.nullable(),
    requestedBy: z.string().nullable().describe('Only for staff; null = Alur itself, by policy.'),
    decidedBy: z.string().nullable().describe('Only for staff.'),
    nameMatches: z.boolean().nullable().describe('Only for staff.'),
    failureCode: z.string().nullable().describe('Only for staff.'),
    gatewayRefundId: z.string().nullable().describe('Only for staff.'),
  })
  .meta({ id: 'RefundSummary' });

export const refundSchema = refundSummarySchema
  .extend({ steps: z.array(z.object({ step: z.string(), at: timeSchema })).describe('Oldest first.') })
  .meta({ id: 'Refund' });

export const destinationInClear = z
  .object({
    bankCode: z.string(),
    bankName: z.string(),
    accountNumber: z.string(),
    accountHolder: z.string(),
    nameMatches: z.boolean(),
    companyName: z.string(),
    amount: moneySchema,
  })
  .meta({ id: 'RefundDestination' });

export const banks = z
  .object({
    items: z.array(
      z.object({
        code: z.string(),
        name: z.string(),
        currency: z.enum(['IDR', 'MYR']),
        digits: z.array(z.int()).describe('How many an account number may have; empty = 6 to 20.'),
      }),
    ),
    nextCursor: z.null(),
  })
  .meta({ id: 'Banks' });

export const storeCreditSchema = z
  .object({
    balances: z.array(moneySchema),
    entries: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(ENTRY_KINDS),
        amount: moneySchema.describe('Positive = it became more.'),
        refundId: z.string().nullable(),
        invoiceId: z.string().nullable(),
        at: timeSchema,
      }),
    ),
  })
  .meta({ id: 'StoreCredit' });
