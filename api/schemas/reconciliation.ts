import { z } from 'zod';
import { CASE_STATES } from '../../db/payment-case-reads.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { CASE_RESOLUTIONS, GATEWAYS, PAYMENT_CASE_KINDS } from '../../domain/payments.ts';
import { pageQuery } from '../paging.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { invoiceIdSchema, userIdSchema } from './ids.ts';

const person = z.object({ id: z.string(), name: z.string() });

export const paymentCaseSchema = z
  .object({
    id: z.string(),
    kind: z.enum(PAYMENT_CASE_KINDS),
    gateway: z.enum(GATEWAYS),
    reference: z.string(),
    paymentId: z.string().nullable(),
    invoiceId: z.string().nullable(),
    invoiceNumber: z.string().nullable(),
    applicationId: z.string().nullable(),
    refundId: z.string().nullable().describe('The refund that it is about, or that resolved it.'),
    settlementId: z.string().nullable(),
    amount: moneySchema.nullable().describe('null = look it up at the gateway.'),
    facts: z.record(z.string(), z.unknown()).describe('What was expected and what was found.'),
    state: z.enum(CASE_STATES),
    openedAt: timeSchema,
    ageHours: z.int().describe('Until it was resolved, or until now.'),
    owner: person.nullable().describe('Who in finance takes care of it.'),
    suggestedResolution: z.enum(CASE_RESOLUTIONS),
    resolution: z.enum(CASE_RESOLUTIONS).nullable(),
    note: z.string().nullable(),
    resolvedAt: timeSchema.nullable(),
    resolvedBy: person.nullable().describe('null with a resolution = Alur saw that it had cleared up.'),
  })
  .meta({ id: 'PaymentCase' });

export const paymentCaseInFullSchema = paymentCaseSchema
  .extend({
    suspense: moneySchema.nullable().describe('What of its money waits in suspense.'),
    possibleResolutions: z.array(z.enum(CASE_RESOLUTIONS)),
    notices: z
      .array(
        z.object({
          objectId: z.string(),
          status: z.string(),
          receivedAt: timeSchema,
          handledAt: timeSchema.nullable(),
        }),
      )
      .describe('What the gateway has told of it, the newest first; without the bodies.'),
  })
  .meta({ id: 'PaymentCaseInFull' });

export const caseQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(CASE_STATES).optional(),
  kind: z.enum(PAYMENT_CASE_KINDS).optional(),
  gateway: z.enum(GATEWAYS).optional(),
  ownerId: z
    .union([z.literal('me'), z.guid().transform((id) => asId<UserId>(id))])
    .optional()
    .describe('A person, or `me`.'),
});

export const assigningSchema = z.strictObject({ userId: userIdSchema });

export const resolvingSchema = z.strictObject({
  resolution: z.enum(CASE_RESOLUTIONS),
  note: z.string().trim().min(1).max(2_000),
  amountMinor: z.int().positive().optional().describe('Minor units; absent = all that is in suspense.'),
  targetInvoiceId: invoiceIdSchema.optional().describe('For `apply_to_invoice`; absent = the invoice it was paid for.'),
});

const walkSchema = z.object({
  gateway: z.enum(GATEWAYS),
  state: z.enum(['running', 'finished', 'failed']),
  compared: z.int(),
  differences: z.int(),
  failure: z.string().nullable(),
});

export const runSchema = walkSchema
  .extend({
    id: z.string(),
    from: timeSchema,
    to: timeSchema,
    startedAt: timeSchema,
    finishedAt: timeSchema.nullable(),
  })
  .meta({ id: 'ReconciliationRun' });

export const reportSchema = z
  .object({
    day: z.iso.date(),
    walks: z.array(walkSchema),
    openCases: z.array(z.object({ kind: z.enum(PAYMENT_CASE_KINDS), count: z.int(), oldestHours: z.int() })),
    refunds: z.object({ awaitingApproval: z.int(), awaitingTransfer: z.int() }),
    totals: z.array(z.object({ captured: moneySchema, refunded: moneySchema, settled: moneySchema })),
  })
  .meta({ id: 'ReconciliationReport' });
