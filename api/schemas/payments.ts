import { z } from 'zod';
import { GATEWAYS, PAYMENT_STATES } from '../../domain/payments.ts';
import { moneySchema, timeSchema } from '../wire.ts';

export const paymentSchema = z
  .object({
    id: z.string(),
    invoiceId: z.string(),
    attempt: z.int(),
    gateway: z.enum(GATEWAYS),
    method: z.string().nullable(),
    gatewayReference: z.string().describe('What the gateway files it under.'),
    state: z.enum(PAYMENT_STATES),
    amount: moneySchema,
    paid: moneySchema.nullable().describe('What arrived; null while nothing has.'),
    createdAt: timeSchema,
    expiresAt: timeSchema,
    paidAt: timeSchema.nullable(),
  })
  .meta({ id: 'Payment' });
