import { z } from 'zod';
import { FEE_CODES } from '../../domain/fees.ts';
import { INVOICE_STATES } from '../../domain/payments.ts';
import { moneySchema, timeSchema } from '../wire.ts';

export const invoiceSummarySchema = z
  .object({
    id: z.string(),
    number: z.string(),
    companyId: z.string(),
    applicationId: z.string().nullable().describe('What it is for: an application, a subscription or an order.'),
    subscriptionId: z.string().nullable(),
    orderId: z.string().nullable(),
    state: z.enum(INVOICE_STATES),
    subtotal: moneySchema,
    tax: moneySchema,
    total: moneySchema,
    outstanding: moneySchema.describe('What is still asked for; nothing once it has lapsed or is void.'),
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
        net: moneySchema.describe('What is charged without tax, the discount taken off.'),
        discount: moneySchema,
        tax: moneySchema,
      }),
    ),
    paid: moneySchema,
    credited: moneySchema.describe('What credit notes have taken back.'),
    overdue: z.boolean().describe('It is open, and it or an instalment of it should have been paid by now.'),
    instalments: z
      .array(z.object({ position: z.int(), amount: moneySchema, dueAt: timeSchema, paidAt: timeSchema.nullable() }))
      .describe('In order; empty = it is paid all at once.'),
    replaces: z.string().nullable().describe('The voided invoice whose place it takes.'),
    replacedBy: z.string().nullable(),
    voidReason: z.string().nullable(),
    openPayment: z
      .object({ id: z.string(), redirectUrl: z.string(), expiresAt: timeSchema })
      .nullable()
      .describe('Where it can be paid right now; null = start with POST /invoices/:id/pay.'),
  })
  .meta({ id: 'Invoice' });

const replacementLine = z.strictObject({
  code: z.enum(FEE_CODES),
  amountMinor: z.int().positive().describe('Without tax.'),
});

export const voidSchema = z
  .strictObject({
    reason: z.string().trim().min(3).max(500),
    replace: z.boolean().default(true).describe('Issue another invoice in its place, due anew.'),
    lines: z
      .array(replacementLine)
      .min(1)
      .refine((lines) => new Set(lines.map(({ code }) => code)).size === lines.length, 'each code once')
      .optional()
      .describe('What the other one charges; absent = the same.'),
  })
  .refine(({ replace, lines }) => replace || lines === undefined, {
    path: ['lines'],
    message: 'lines are for the invoice that takes its place',
  });

export const receiptSchema = z
  .object({ id: z.string(), number: z.string(), paymentId: z.string(), amount: moneySchema, issuedAt: timeSchema })
  .meta({ id: 'Receipt' });

export const creditNoteSchema = z
  .object({
    id: z.string(),
    number: z.string(),
    refundId: z.string().nullable(),
    reason: z.string(),
    subtotal: moneySchema,
    tax: moneySchema,
    total: moneySchema,
    issuedAt: timeSchema,
  })
  .meta({ id: 'CreditNote' });
