import { z } from 'zod';
import { EVENT_TYPES } from '../../domain/events.ts';
import { MAX_LINES, MAX_UNITS, ORDER_KINDS, ORDER_STATES, RISK_REASONS, UNIT_STATES } from '../../domain/orders.ts';
import { INVOICE_STATES } from '../../domain/payments.ts';
import { SHIPMENT_STATES } from '../../domain/shipments.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { companyIdSchema, orderItemIdSchema, shipmentIdSchema } from './ids.ts';

const sku = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9._-]{1,39}$/);
const quantity = z.int().min(1).max(MAX_UNITS);

const place = z.string().trim().max(80);
const postalCode = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9 -]{3,12}$/);
const street = z.string().trim().min(3).max(300);

/** Only where to is needed. */
export const shipToSchema = z
  .union([
    z
      .strictObject({
        name: z.string().trim().min(2).max(120).optional().describe('Absent = the company.'),
        phone: z
          .string()
          .trim()
          .regex(/^\+?[0-9 ()-]{6,24}$/)
          .optional(),
        street: street.optional(),
        address: street.optional().describe('Another word for street.'),
        city: place.optional(),
        province: place.optional(),
        postalCode: postalCode.optional(),
      })
      .refine(({ street, address }) => street !== undefined || address !== undefined, {
        error: 'say where to',
        path: ['street'],
      }),
    street.describe('The address in one line.'),
  ])
  .transform((it) => (typeof it === 'string' ? { street: it } : { ...it, street: it.street ?? it.address ?? '' }));

export const newOrderSchema = z.strictObject({
  companyId: companyIdSchema,
  items: z.array(z.strictObject({ sku, quantity })).min(1).max(MAX_LINES).describe('The same SKU twice is one item.'),
  shipTo: shipToSchema,
});

const which = {
  orderItemId: orderItemIdSchema.optional(),
  sku: sku.optional().describe('Instead of orderItemId: an order has one item of a SKU.'),
};
const isNamed = ({ orderItemId, sku: named }: { orderItemId?: unknown; sku?: unknown }) =>
  orderItemId !== undefined || named !== undefined;
const NAME_IT = { error: 'name the item: orderItemId or sku', path: ['orderItemId'] };

export const cancelOrderSchema = z
  .strictObject({
    items: z
      .array(z.strictObject({ ...which, quantity }).refine(isNamed, NAME_IT))
      .min(1)
      .max(MAX_LINES)
      .optional()
      .describe('Absent = everything that has not been shipped, and what was lost.'),
    reason: z.string().trim().max(500).optional(),
  })
  .default({});

export const holdOrderSchema = z.strictObject({ note: z.string().trim().max(500).nullable().optional() }).default({});

export const shipOrderSchema = z.strictObject({
  items: z
    .array(
      z
        .strictObject({
          ...which,
          quantity,
          serials: z
            .array(z.string().trim().min(1).max(80))
            .max(MAX_UNITS)
            .optional()
            .describe('One a unit, of what has some.'),
          batch: z.string().trim().min(1).max(80).optional(),
        })
        .refine(isNamed, NAME_IT),
    )
    .min(1)
    .max(MAX_LINES)
    .optional()
    .describe('Absent = all that is paid and reserved.'),
  carrier: z
    .string()
    .trim()
    .min(2)
    .max(40)
    .regex(/^[\p{L}\p{N} .&-]+$/u)
    .describe('`kurir` without a tracking number: a label is bought.'),
  trackingNumber: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9-]{4,40}$/)
    .nullable()
    .default(null),
});

export const deliverOrderSchema = z
  .strictObject({ shipmentId: shipmentIdSchema.nullable().optional().describe('Absent = all that are on their way.') })
  .default({});

export const takeBackSchema = z.strictObject({ shipmentId: shipmentIdSchema });

export const editOrderSchema = z
  .strictObject({
    items: z
      .array(z.strictObject({ sku, quantity: z.int().min(0).max(MAX_UNITS) }))
      .min(1)
      .max(MAX_LINES)
      .optional()
      .describe('How many there shall be of each; 0 = none. What is not named stays as it is.'),
    shipTo: shipToSchema.optional(),
  })
  .refine(({ items, shipTo }) => items !== undefined || shipTo !== undefined, {
    error: 'say what changes: items or shipTo',
    path: ['items'],
  });

export const reorderSchema = z.strictObject({ shipTo: shipToSchema.optional() }).default({});

const unitCounts = z.object(Object.fromEntries([...UNIT_STATES, 'sent_back'].map((state) => [state, z.int()])));

export const orderSchema = z
  .object({
    id: z.string(),
    number: z.string(),
    kind: z.enum(ORDER_KINDS),
    state: z.enum(ORDER_STATES),
    stateSince: timeSchema,
    companyId: z.string(),
    companyName: z.string(),
    returnId: z.string().nullable().describe('Of a replacement or an exchange: for which return.'),
    repeatsId: z.string().nullable(),
    items: z.array(
      z.object({
        id: z.string(),
        sku: z.string(),
        name: z.string(),
        quantity: z.int(),
        unitPrice: moneySchema.describe('Without tax.'),
        units: unitCounts.describe(
          'How many are in each state. `sent_back`: could not be delivered, on its way back to us.',
        ),
        returnable: z.int().describe('How many may be asked back now, whatever the reason.'),
      }),
    ),
    amounts: z.object({
      subtotal: moneySchema,
      discount: moneySchema,
      shipping: moneySchema,
      tax: moneySchema,
      total: moneySchema.describe('Of what is still ordered.'),
      paid: moneySchema,
      givenBack: moneySchema.describe('What was refunded, credited, or is on its way.'),
    }),
    invoiceId: z.string().nullable().describe('What is to be paid now, else the latest: POST /invoices/:id/pay.'),
    invoices: z.array(
      z.object({
        id: z.string(),
        number: z.string(),
        state: z.enum(INVOICE_STATES),
        total: moneySchema,
        paid: moneySchema,
        dueAt: timeSchema,
        payUrl: z.url(),
      }),
    ),
    shipments: z.array(
      z.object({
        id: z.string(),
        direction: z.enum(['out', 'back']),
        state: z.enum(SHIPMENT_STATES),
        carrier: z.string(),
        trackingNumber: z.string().nullable(),
        shippedAt: timeSchema.nullable(),
        deliveredAt: timeSchema.nullable(),
      }),
    ),
    hold: z
      .object({
        since: timeSchema,
        note: z.string().nullable(),
        score: z.int().nullable().describe('For the office only.'),
        reasons: z.array(z.enum(RISK_REASONS)),
      })
      .nullable(),
    cancelReason: z.string().nullable(),
    shipTo: z
      .object({
        name: z.string().optional(),
        phone: z.string().optional(),
        street: z.string().optional(),
        city: z.string(),
        province: z.string().optional(),
        postalCode: z.string(),
      })
      .describe('Whole for whoever ordered and whoever packs; the area for others.'),
    expiresAt: timeSchema.nullable().describe('An unpaid one ends then.'),
    placedAt: timeSchema,
    paidAt: timeSchema.nullable(),
    shippedAt: timeSchema.nullable(),
    deliveredAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'Order' });

export const orderEventSchema = z
  .object({
    id: z.string(),
    type: z.enum(EVENT_TYPES),
    actor: z.enum(['person', 'system', 'gateway']),
    by: z.object({ id: z.string(), name: z.string() }).optional(),
    data: z.record(z.string(), z.unknown()),
    at: timeSchema,
  })
  .meta({ id: 'OrderEvent' });
