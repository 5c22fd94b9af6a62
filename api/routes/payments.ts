import { z } from 'zod';
import { listPayments, type PaymentRead, paymentSeenBy } from '../../db/payment-reads.ts';
import { Failure } from '../../domain/failures.ts';
import { PAYMENT_STATES } from '../../domain/payments.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import { defineRoute, json } from '../route.ts';
import { invoiceIdSchema, paymentIdSchema, positionInTime } from '../schemas/ids.ts';
import { paymentSchema } from '../schemas/payments.ts';
import { moneyJson, timeJson, timeOrNull } from '../wire.ts';

const tags = ['Payments'];

const list = defineRoute({
  method: 'get',
  path: '/payments',
  summary: 'Attempts to pay, newest first',
  tags,
  permission: 'invoice.read',
  query: z.strictObject({
    ...pageQuery,
    state: z.enum(PAYMENT_STATES).optional(),
    invoiceId: invoiceIdSchema.optional(),
  }),
  responses: { 200: { description: 'A page of payments', schema: pageOf(paymentSchema) } },
  async handler({ query: { limit, cursor, ...filter }, actor, deps }) {
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listPayments(deps.db, actor, { ...filter, after, limit: limit + 1 });
    return json(
      200,
      page(rows, limit, toJson, ({ createdAt, id }) => ({ at: createdAt, id })),
    );
  },
});

const read = defineRoute({
  method: 'get',
  path: '/payments/:id',
  summary: 'An attempt to pay',
  tags,
  permission: 'invoice.read',
  params: z.object({ id: paymentIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'The payment', schema: paymentSchema } },
  async handler({ params: { id }, actor, deps }) {
    const payment = await paymentSeenBy(deps.db, actor, id);
    if (!payment) throw new Failure('not_found', 'There is no such payment, or none that you may see.');
    return json(200, toJson(payment));
  },
});

export const paymentRoutes = [list, read];

const toJson = (payment: PaymentRead) => ({
  id: payment.id,
  invoiceId: payment.invoiceId,
  attempt: payment.attempt,
  gateway: payment.gateway,
  method: payment.method,
  gatewayReference: payment.gatewayReference,
  state: payment.state,
  amount: moneyJson(payment.amount),
  paid: payment.paid && moneyJson(payment.paid),
  createdAt: timeJson(payment.createdAt),
  expiresAt: timeJson(payment.expiresAt),
  paidAt: timeOrNull(payment.paidAt),
});
