/** `/v1/refunds`: by PaymentIntent, in part or whole, never more than is left. https://docs.stripe.com/api/refunds */
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { missing, refused } from './refusals.ts';
import { invalid } from './session-request.ts';
import { refundRefusal, refundSome, type Session } from './sessions.ts';
import type { ApiState } from './state.ts';
import { refundBody } from './wire.ts';

const refundRequest = z.strictObject({
  payment_intent: z.string().min(1),
  amount: z
    .string()
    .regex(/^[1-9]\d{0,11}$/, 'Invalid positive integer')
    .transform(Number)
    .optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: z.record(z.string().max(40), z.string().max(500)).default({}),
});

export function createRefundApi(state: ApiState) {
  return {
    create: (req: Request): Reply => {
      const parsed = refundRequest.safeParse(req.body ?? {});
      if (!parsed.success) return invalid(parsed.error);
      const { payment_intent: intent, amount, reason = null, metadata } = parsed.data;
      const session = state.book.named(intent).find(({ payment }) => payment?.intentId === intent);
      if (session === undefined) return missing('payment_intent', intent, 'payment_intent');
      const refusal = refundRefusal(session, amount);
      if (refusal !== null) return refused(400, refusal.message, refusal);
      const refunded = refundSome(session, { amount, reason, metadata }, state.clock());
      state.refunded(refunded);
      return { status: 200, body: bodies(refunded).at(-1) };
    },
    get: (req: Request): Reply => {
      const id = String(req.params.id);
      const body = state.book
        .named(id)
        .flatMap(bodies)
        .find((made) => made.id === id);
      return body === undefined ? missing('refund', id, 'id') : { status: 200, body };
    },
  };
}

function bodies(session: Session) {
  const { payment } = session;
  return payment === null ? [] : payment.refunds.map((made) => refundBody(session, payment, made));
}
