/** Misbehaviour on request: the next so many calls of an operation go wrong, before or after the work is done. */
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { GATEWAYS, type GatewayName } from '../../domain/payments.ts';

/** `refund_status` is a question about a refund; Midtrans answers it with the status of a payment that has been paid. */
export const OPERATIONS = [
  'create',
  'charge',
  'status',
  'expire',
  'cancel',
  'approve',
  'deny',
  'refund',
  'refund_status',
  'list',
  'notification',
] as const;

export const fault = z.strictObject({
  operation: z.enum(OPERATIONS),
  kind: z.enum(['5xx_before', '5xx_after', 'timeout_before', 'timeout_after', '429']),
  times: z.number().int().min(0).max(1000).default(1),
  /** Only this gateway misbehaves; absent = whichever is asked first. */
  gateway: z.enum(GATEWAYS).optional(),
  /** Only calls about this payment, by our reference or the gateway's own name of it. */
  reference: z.string().min(1).optional(),
});
export type Fault = z.infer<typeof fault>;
export type Operation = Fault['operation'];

export interface Faults {
  /** `times: 0` forgets what was planned for just this operation, gateway and reference. */
  plan(fault: Fault): void;
  /**
   * The next misbehaviour of this operation, used up by asking; null = behave.
   * @param names by which the payment goes that the call is about; none = a fault for one reference passes it by.
   */
  take(operation: Operation, names?: readonly string[]): Fault['kind'] | null;
  /** The same plans, as one gateway meets them. */
  of(gateway: GatewayName): Faults;
}

type Planned = Omit<Fault, 'times'> & { left: number };

export function createFaults(): Faults {
  const planned: Planned[] = [];
  const plan = ({ times, ...wanted }: Fault): void => {
    if (times > 0) planned.push({ ...wanted, left: times });
    else forget(planned, wanted);
  };
  // Without a gateway: a sandbox that stands alone, at which every fault is aimed.
  const seenBy = (gateway: GatewayName | null): Faults => ({
    plan,
    take: (operation, names = []) => {
      const next = planned.find(
        (one) =>
          one.left > 0 &&
          one.operation === operation &&
          (one.gateway === undefined || gateway === null || one.gateway === gateway) &&
          (one.reference === undefined || names.includes(one.reference)),
      );
      if (next === undefined) return null;
      next.left -= 1;
      return next.kind;
    },
    of: seenBy,
  });
  return seenBy(null);
}

function forget(planned: readonly Planned[], { operation, gateway, reference }: Omit<Fault, 'times'>): void {
  for (const one of planned) {
    if (one.operation === operation && one.gateway === gateway && one.reference === reference) one.left = 0;
  }
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/**
 * A route that does its work and answers, unless a fault is planned. A time-out holds the connection until the caller gives up.
 * @param operation what the call counts as; several = the first for which a fault is planned.
 * @param namesOf by which the payment goes that the request is about.
 */
export function misbehaving(
  faults: Faults,
  operation: Operation | ((req: Request) => readonly Operation[]),
  work: (req: Request) => Reply,
  namesOf: (req: Request) => readonly string[] = () => [],
): RequestHandler {
  const operations = typeof operation === 'function' ? operation : () => [operation];
  return (req, res) => {
    const names = namesOf(req);
    const kind = operations(req).reduce<Fault['kind'] | null>((found, one) => found ?? faults.take(one, names), null);
    if (kind === 'timeout_before') return;
    if (kind === '429') {
      res.status(429).set('Retry-After', '2').json({ status_code: '429', status_message: 'API rate limit exceeded' });
      return;
    }
    const reply = kind === '5xx_before' ? BROKEN : work(req);
    if (kind === 'timeout_after') return;
    const answer = kind === '5xx_after' ? BROKEN : reply;
    res.status(answer.status).json(answer.body);
  };
}

const BROKEN: Reply = { status: 500, body: { status_code: '500', status_message: 'Sorry. Our system is recovering.' } };
