/** Returns at the border: what may be said to one, leniently, and how one is shown. */
import { z } from 'zod';
import { EVENT_TYPES } from '../../domain/events.ts';
import { asId, type OrderItemId, type ReturnId, type Sku } from '../../domain/ids.ts';
import { CONTINUE_TO } from '../../domain/return-messages.ts';
import { DEDUCTION_CODES } from '../../domain/return-money.ts';
import {
  CONDITIONS,
  DISPOSITIONS,
  RESOLUTIONS,
  RETURN_REASONS,
  RETURN_STATES,
  RETURN_UNIT_STATES,
} from '../../domain/returns.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { orderIdSchema } from './ids.ts';

export const returnIdSchema = z.guid().transform((id) => asId<ReturnId>(id));
const orderItemId = z.guid().transform((id) => asId<OrderItemId>(id));
const skuSchema = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9._-]{1,39}$/)
  .transform((sku) => asId<Sku>(sku));
const text = z.string().trim().min(1).max(2_000);
const note = text.optional();
const quantity = z.int().min(1).max(1_000);
const number = z.int().min(1).max(1_000).describe('Of one unit: 1 first, as `units` shows it.');

// ---- asking for one -------------------------------------------------------------------------------------------------

/** What clients call the ways, and which of ours it is. */
const METHODS = {
  refund: 'refund',
  original: 'refund',
  original_payment: 'refund',
  store_credit: 'store_credit',
  replacement: 'replacement',
  exchange: 'exchange',
} as const;
export const methodSchema = z
  .enum(['refund', 'original', 'original_payment', 'store_credit', 'replacement', 'exchange'])
  .transform((method) => METHODS[method])
  .describe('`refund`: the way that the money came.');

export const newReturnSchema = z.strictObject({
  orderId: orderIdSchema,
  items: z
    .array(
      z.strictObject({
        orderItemId,
        quantity: quantity.optional().describe('Absent = 1.'),
        number: number.optional(),
        reason: z
          .string()
          .trim()
          .min(1)
          .max(500)
          .describe(`One of ${RETURN_REASONS.join(', ')}; any other text is the note of the reason \`other\`.`),
        condition: z.enum(CONDITIONS).optional().describe('As the customer finds it.'),
      }),
    )
    .min(1)
    .max(200),
  refundMethod: methodSchema.default('refund'),
  exchangeSku: skuSchema.optional().describe('Of `exchange`: for what.'),
  note: note.describe('For whoever looks at it.'),
});

// ---- what is said to one --------------------------------------------------------------------------------------------

const choice = { orderItemId, number: number.optional(), quantity: quantity.optional() };
const choices = z.array(z.strictObject(choice)).min(1).max(1_000);

export const approveSchema = z.strictObject({
  items: choices.optional().describe('Absent = all that is asked back; what is not named is refused.'),
  units: choices.optional().describe('The same as `items`.'),
  note,
});
export const rejectSchema = z.strictObject({ reason: text });
export const requestInfoSchema = z.strictObject({ question: text.optional(), message: text.optional(), note });
export const provideInfoSchema = z.strictObject({ answer: text.optional(), message: text.optional(), note });
export const cancelReturnSchema = z.strictObject({ note, reason: note });

const received = z
  .array(z.strictObject({ ...choice, serial: z.string().trim().min(1).max(100).optional() }))
  .max(1_000);
export const receiveSchema = z.strictObject({
  items: received.optional().describe('Absent = all that is on its way.'),
  units: received.optional().describe('The same as `items`.'),
  complete: z.boolean().optional().describe('Nothing more is waited for; what is not here never came.'),
});

const inspected = z
  .array(
    z.strictObject({
      ...choice,
      condition: z.enum(CONDITIONS).optional().describe('Absent = the one of the whole message, else `as_new`.'),
      disposition: z
        .enum(DISPOSITIONS)
        .optional()
        .describe('Absent = what is as new goes back on the shelf, else it is scrapped.'),
      restock: z.boolean().optional().describe('The same as `disposition`: true = restock, false = scrap.'),
      accepted: z.boolean().optional().describe('false: it is not accepted and goes back to the customer.'),
      note,
    }),
  )
  .min(1)
  .max(1_000);
export const inspectSchema = z.strictObject({
  items: inspected.optional(),
  units: inspected.optional().describe('The same as `items`. Absent both = all that was received, in this condition.'),
  condition: z.enum(CONDITIONS).optional(),
  disposition: z.enum(DISPOSITIONS).optional(),
  restock: z.boolean().optional(),
  note,
});
export const resolveSchema = z.strictObject({
  resolution: methodSchema.optional(),
  method: methodSchema.optional().describe('The same as `resolution`.'),
  refundMethod: methodSchema.optional().describe('The same as `resolution`.'),
  exchangeSku: skuSchema.optional(),
});
export const acceptDeductionSchema = z.strictObject({
  version: z.int().min(1).optional().describe('Of the statement that was read; absent = the newest.'),
});
export const disputeSchema = z.strictObject({ reason: text });
export const decideDisputeSchema = z.strictObject({
  decision: z.enum(['uphold', 'waive']).describe('`uphold`: the deductions stay. `waive`: nothing is deducted.'),
  note: text,
});
export const continueSchema = z.strictObject({ to: z.enum(CONTINUE_TO), note: text });

// ---- as it is shown -------------------------------------------------------------------------------------------------

const named = z.object({ id: z.string(), number: z.string() });

export const returnSummarySchema = z
  .object({
    id: z.string(),
    number: z.string(),
    state: z.enum(RETURN_STATES),
    stateSince: timeSchema,
    order: named,
    companyId: z.string(),
    wanted: z.enum(RESOLUTIONS),
    resolution: z.enum(RESOLUTIONS).nullable(),
    units: z.int().describe('How many are asked back.'),
    refund: moneySchema.nullable().describe('By its statement; null while there is none.'),
    requestedAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'ReturnSummary' });

const unitSchema = z.object({
  number: z.int(),
  state: z.enum(RETURN_UNIT_STATES),
  reason: z.enum(RETURN_REASONS),
  claimedCondition: z.string().nullable().describe('As the customer says.'),
  condition: z.enum(CONDITIONS).nullable().describe('As it was found.'),
  disposition: z.enum(DISPOSITIONS).nullable(),
  receivedAt: timeSchema.nullable(),
  deduction: moneySchema,
  refund: moneySchema.nullable(),
});

export const photoSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['claim', 'inspection']),
    filename: z.string(),
    bytes: z.int(),
    contentType: z.string(),
    uploadedAt: timeSchema,
    scanState: z.enum(['not_scanned', 'waiting', 'clean', 'infected']),
    url: z.string(),
  })
  .meta({ id: 'ReturnPhoto' });

export const returnSchema = z
  .object({
    id: z.string(),
    number: z.string(),
    state: z.enum(RETURN_STATES),
    stateSince: timeSchema,
    orderId: z.string(),
    order: named,
    companyId: z.string(),
    wanted: z.enum(RESOLUTIONS),
    resolution: z.enum(RESOLUTIONS).nullable(),
    exchangeSku: z.string().nullable(),
    keepsItems: z.boolean().describe('It is refunded and need not be sent.'),
    items: z.array(
      z.object({
        orderItemId: z.string(),
        sku: z.string(),
        name: z.string(),
        quantity: z.int(),
        units: z.array(unitSchema),
      }),
    ),
    photos: z.array(photoSchema),
    label: z
      .object({
        carrier: z.string(),
        trackingNumber: z.string().nullable(),
        state: z.string(),
        dropOffBy: timeSchema.nullable(),
        labelUrl: z.string().nullable(),
      })
      .nullable(),
    statement: z
      .object({
        version: z.int(),
        lines: z.array(
          z.object({
            orderItemId: z.string(),
            quantity: z.int(),
            goods: moneySchema,
            shipping: moneySchema,
            deduction: moneySchema,
            refund: moneySchema,
          }),
        ),
        deductions: z.array(
          z.object({
            code: z.enum(DEDUCTION_CODES),
            orderItemId: z.string(),
            number: z.int(),
            amount: moneySchema,
            reason: z.string(),
          }),
        ),
        refund: moneySchema,
        needsAcceptance: z.boolean(),
        acceptedVersion: z.int().nullable(),
        isDisputed: z.boolean(),
      })
      .nullable(),
    refunds: z.array(
      z.object({
        id: z.string(),
        state: z.string(),
        amount: moneySchema,
        channel: z.string().nullable(),
        endedAt: timeSchema.nullable(),
      }),
    ),
    messages: z
      .array(z.object({ kind: z.string(), by: z.enum(['customer', 'seller']), text: z.string(), at: timeSchema }))
      .describe('What was said in words: what is asked of the customer, and what they answer.'),
    replacementOrderId: z.string().nullable(),
    manualReasons: z.array(z.string()).optional().describe('For staff: why a person says how it goes on.'),
    next: z
      .object({
        what: z.string().describe('What happens then by itself, as a code.'),
        at: timeSchema,
      })
      .nullable()
      .describe('null = nothing does.'),
    actions: z.array(z.string()).describe('What the caller could say to it now.'),
    requestedAt: timeSchema,
    endedAt: timeSchema.nullable(),
    updatedAt: timeSchema,
    links: z.object({ timeline: z.string(), order: z.string(), photos: z.string() }),
  })
  .meta({ id: 'Return' });

export const returnEventSchema = z.object({
  id: z.string(),
  type: z.enum(EVENT_TYPES),
  actor: z.string(),
  by: z.object({ id: z.string(), name: z.string() }).optional(),
  data: z.record(z.string(), z.unknown()),
  at: timeSchema,
});
