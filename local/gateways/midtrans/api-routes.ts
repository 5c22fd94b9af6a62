/** The merchant's side over HTTP: Snap and the Core API behind the server key. */
import { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { type Faults, misbehaving, type Operation } from '../faults.ts';
import { basic, behindKey } from '../merchant-key.ts';
import { createCoreApi, refusal } from './core.ts';
import { createIdempotencyCache } from './idempotency.ts';
import type { Order } from './orders.ts';
import { createTransaction } from './snap.ts';

export interface ApiState {
  readonly serverKey: string;
  readonly clock: () => Date;
  readonly faults: Faults;
  find(id: string): Order | undefined;
  change(order: Order): void;
  changeRefund(order: Order): void;
  save(order: Order): void;
  redirectUrl(order: Order): string;
}

export function apiRoutes({
  serverKey,
  clock,
  faults,
  find,
  change,
  changeRefund,
  save,
  redirectUrl,
}: ApiState): Router {
  const { underWay, remember } = createIdempotencyCache(clock);
  const core = createCoreApi({ clock, find, change, changeRefund });
  const snap = createTransaction({
    clock,
    exists: (orderId) => find(orderId)?.orderId === orderId,
    save,
    redirectUrl,
  });
  const router = Router();
  router.use(['/snap/v1', '/v2'], authorized(serverKey));
  router.post('/snap/v1/transactions', underWay, misbehaving(faults, 'create', remember(snap), newName));
  router.post('/v2/charge', underWay, misbehaving(faults, 'charge', remember(core.charge), newName));
  const order = (req: Request) => find(String(req.params.id));
  const named = (req: Request) => namesOf(order(req), String(req.params.id));
  router.get(
    '/v2/:id/status',
    misbehaving(faults, (req) => questions(order(req)), core.status, named),
  );
  for (const verb of ['cancel', 'expire', 'approve', 'deny', 'refund'] as const) {
    router.post(`/v2/:id/${verb}`, underWay, misbehaving(faults, verb, remember(core[verb]), named));
  }
  return router;
}

/** One question serves two purposes here: what became of a payment, and of its refunds once it was paid. */
const questions = (order: Order | undefined): Operation[] =>
  order !== undefined && order.settlementTime !== null ? ['status', 'refund_status'] : ['status'];

const namesOf = (order: Order | undefined, asked: string): string[] =>
  order === undefined ? [asked] : [order.orderId, order.transactionId ?? asked];

const withOrderId = z.object({ transaction_details: z.object({ order_id: z.string() }) });

/** Of the payment that a request would open. */
function newName(req: Request): string[] {
  const parsed = withOrderId.safeParse(req.body);
  return parsed.success ? [parsed.data.transaction_details.order_id] : [];
}

function authorized(serverKey: string): RequestHandler {
  const message = 'Access denied due to unauthorized transaction, please check client or server key';
  return behindKey([basic(serverKey)], (req, res) => {
    const reply = refusal('401', message);
    res.status(401).json(req.baseUrl.endsWith('/v2') ? reply.body : { error_messages: [message] });
  });
}

export const malformed: ErrorRequestHandler = (_error, _req, res, _next) => {
  res.status(400).json({ error_messages: ['There was a problem in the JSON you submitted'] });
};
