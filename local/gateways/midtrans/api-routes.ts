/** The merchant's side over HTTP: Snap and the Core API behind the server key. */
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import { type Faults, misbehaving } from '../faults.ts';
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
  router.post('/snap/v1/transactions', underWay, misbehaving(faults, 'create', remember(snap)));
  router.post('/v2/charge', underWay, misbehaving(faults, 'charge', remember(core.charge)));
  router.get('/v2/:id/status', misbehaving(faults, 'status', core.status));
  for (const verb of ['cancel', 'expire', 'approve', 'deny', 'refund'] as const) {
    router.post(`/v2/:id/${verb}`, underWay, misbehaving(faults, verb, remember(core[verb])));
  }
  return router;
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
