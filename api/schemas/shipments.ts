import { z } from 'zod';
import { CARRIER_STATUSES, DIRECTIONS, SHIPMENT_STATES } from '../../domain/shipments.ts';

const time = z.iso.datetime();

export const shipmentSchema = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  returnId: z.uuid().nullable().meta({ description: 'Of a parcel that comes back.' }),
  direction: z.enum(DIRECTIONS),
  state: z.enum(SHIPMENT_STATES),
  carrier: z.string(),
  trackingNumber: z.string().nullable(),
  units: z.array(z.object({ sku: z.string(), name: z.string(), quantity: z.int() })),
  shippedAt: time.nullable(),
  deliveredAt: time.nullable().meta({ description: 'By the carrier’s clock.' }),
  lostAt: time.nullable(),
  hasLabel: z.boolean(),
  hasDeliveryPhoto: z.boolean(),
  events: z
    .array(z.object({ status: z.enum(CARRIER_STATUSES), at: time, place: z.string().nullable() }))
    .meta({ description: 'What the carrier has confirmed, oldest first.' }),
  createdAt: time,
});

export const shipmentsSchema = z.object({ items: z.array(shipmentSchema), nextCursor: z.null() });

export const trackingSchema = z.strictObject({
  carrier: z
    .string()
    .trim()
    .min(2)
    .max(40)
    .regex(/^[\p{L}\p{N} .&-]+$/u),
  trackingNumber: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9-]{4,40}$/),
});
