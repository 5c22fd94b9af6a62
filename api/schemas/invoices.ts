import { z } from 'zod';
import { GATEWAYS, INVOICE_STATES } from '../../domain/payments.ts';
import { moneySchema, timeSchema } from '../wire.ts';

export const invoiceSummarySchema = z
  .object({
    id: z.string(),
    number: z.string(),
    companyId: z.string(),
    applicationId: z.string().nullable(),
    state: z.enum(INVOICE_STATES),
    subtotal: moneySchema,
    tax: moneySchema,
    total: moneySchema,
    issuedAt: timeSchema,
    dueAt: timeSchema,
    paidAt: timeSchema.nullable(),
  })
  .meta({ id: 'InvoiceSummary' });

export const invoiceSchema = invoiceSummarySchema
  .extend({
    lines: z.array(
      z.object({
        code: z.string(),
        description: z.string(),
        kind: z.enum(['statutory', 'service']).describe('A statutory fee carries no PPN.'),
        net: moneySchema,
        tax: moneySchema,
      }),
    ),
    openPayment: z
      .object({ id: z.string(), redirectUrl: z.string(), expiresAt: timeSchema })
      .nullable()
      .describe('Where it can be paid right now; null = start with POST /invoices/:id/pay.'),
  })
  .meta({ id: 'Invoice' });

export const paySchema = z.strictObject({
  gateway: z.enum(GATEWAYS),
  method: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,39}$/)
    .optional()
    .describe('`bca_va`, `qris`, `gopay`, `credit_card` …; absent = chosen on the page of the gateway.'),
});

export const openedPaymentSchema = z
  .object({
    paymentId: z.string(),
    redirectUrl: z.string(),
    expiresAt: timeSchema,
    instructions: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'OpenedPayment' });
