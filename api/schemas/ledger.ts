import { z } from 'zod';
import { ACCOUNT_CODES, ENTRY_KINDS } from '../../domain/ledger.ts';
import { GATEWAYS, INVOICE_STATES, PAYMENT_STATES } from '../../domain/payments.ts';
import { REFUND_CHANNELS, REFUND_STATES } from '../../domain/refunds.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { invoiceIdSchema, paymentIdSchema, refundIdSchema, settlementIdSchema } from './ids.ts';

const account = z.enum(ACCOUNT_CODES);

export const trialBalanceQuery = z.strictObject({
  at: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional()
    .describe('Only what had happened by then.'),
});

export const trialBalanceSchema = z
  .object({
    at: timeSchema.nullable(),
    currencies: z.array(
      z.object({
        currency: z.enum(['IDR', 'MYR']),
        accounts: z.array(
          z.object({
            account,
            kind: z.enum(['asset', 'liability', 'income', 'expense']),
            balance: moneySchema.describe(
              'Positive where it is usual: a debit for assets and expenses, a credit for others.',
            ),
            debit: moneySchema,
            credit: moneySchema,
          }),
        ),
        debit: moneySchema,
        credit: moneySchema.describe('Equals the debit, or the books are wrong.'),
      }),
    ),
  })
  .meta({ id: 'TrialBalance' });

export const entryFilter = {
  invoiceId: invoiceIdSchema.optional(),
  paymentId: paymentIdSchema.optional(),
  refundId: refundIdSchema.optional(),
  settlementId: settlementIdSchema.optional(),
  account: account.optional().describe('Entries that post to it.'),
};

const postingSchema = z.object({
  account,
  side: z.enum(['debit', 'credit']),
  amount: moneySchema.describe('Never negative.'),
});

export const entrySchema = z
  .object({
    id: z.string(),
    key: z.string(),
    kind: z.enum(ENTRY_KINDS),
    gateway: z.enum(GATEWAYS).nullable(),
    companyId: z.string().nullable(),
    invoiceId: z.string().nullable(),
    paymentId: z.string().nullable(),
    refundId: z.string().nullable(),
    settlementId: z.string().nullable(),
    occurredAt: timeSchema,
    recordedAt: timeSchema,
    postings: z.array(postingSchema),
  })
  .meta({ id: 'LedgerEntry' });

export const traceSchema = z
  .object({
    payment: z.object({
      id: z.string(),
      attempt: z.int(),
      gateway: z.enum(GATEWAYS),
      gatewayReference: z.string(),
      state: z.enum(PAYMENT_STATES),
      paid: moneySchema.nullable(),
      applied: moneySchema.nullable().describe('What of it paid the invoice.'),
      paidAt: timeSchema.nullable(),
    }),
    invoice: z.object({
      id: z.string(),
      number: z.string(),
      state: z.enum(INVOICE_STATES),
      total: moneySchema,
      paid: moneySchema,
      credited: moneySchema,
    }),
    refunds: z.array(
      z.object({
        id: z.string(),
        state: z.enum(REFUND_STATES),
        channel: z.enum(REFUND_CHANNELS).nullable(),
        amount: moneySchema,
        requestedAt: timeSchema,
      }),
    ),
    settlements: z.array(
      z.object({
        id: z.string(),
        reference: z.string(),
        position: z.int(),
        paidOutAt: timeSchema,
        gross: moneySchema,
        fee: moneySchema,
        refundId: z.string().nullable().describe('null = of the payment itself.'),
      }),
    ),
    where: z
      .array(z.object({ account, balance: moneySchema }))
      .describe(
        'What this payment left on each account: `gateway_clearing` is still with the gateway, `bank` has arrived.',
      ),
    entries: z.array(entrySchema).describe('First to last.'),
  })
  .meta({ id: 'PaymentTrace' });
