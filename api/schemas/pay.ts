import { z } from 'zod';
import { GATEWAYS, INVOICE_STATES, PARTS } from '../../domain/payments.ts';
import { moneySchema, timeSchema } from '../wire.ts';

export const paySchema = z.strictObject({
  gateway: z.enum(GATEWAYS).optional().describe('Absent = the attempt that is open, or the first that fits.'),
  method: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,39}$/)
    .optional()
    .describe(
      '`bca_va`, `qris`, `gopay`, `credit_card` …, as GET /payments/methods lists them; absent = chosen on the page of the gateway.',
    ),
  part: z
    .enum(PARTS)
    .default('next')
    .describe('Of an invoice in instalments: the next one, or all that is left. Others are paid at once.'),
});

export const openedPaymentSchema = z
  .object({
    paymentId: z.string(),
    gateway: z
      .enum(GATEWAYS)
      .describe(
        'Of the page. Midtrans cannot end a page on which nobody has chosen a channel: then that one comes back.',
      ),
    method: z.string().nullable().describe('null = it is chosen on the page.'),
    redirectUrl: z.string(),
    expiresAt: timeSchema,
    instructions: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'OpenedPayment' });

export const creditPaidSchema = z
  .object({
    applied: moneySchema.describe('What the credit has paid.'),
    invoice: z.object({ id: z.string(), state: z.enum(INVOICE_STATES), outstanding: moneySchema }),
  })
  .meta({ id: 'CreditPaid' });

export const paymentMethodsSchema = z
  .object({
    items: z.array(
      z.object({
        gateway: z.enum(GATEWAYS),
        method: z.string().nullable().describe('null = the payer chooses on the page of the gateway.'),
        name: z.string(),
        usualTime: z.enum(['seconds', 'minutes', 'day']).describe('Until the money is confirmed.'),
        minimum: moneySchema,
        maximum: moneySchema,
        refund: z
          .enum(['partial', 'full', 'none'])
          .describe('What can go back the way it came; the rest goes back by bank transfer or as credit.'),
        recommended: z.boolean(),
      }),
    ),
    amount: moneySchema.describe('What they were looked up for.'),
    storeCredit: moneySchema
      .nullable()
      .describe('Of the company, where an invoice was named and there is some: POST /invoices/:id/pay-with-credit.'),
  })
  .meta({ id: 'PaymentMethods' });
