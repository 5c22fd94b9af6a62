/** Misbehaviour on request: the next so many calls of an operation go wrong, before or after the work is done. */
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';

export const fault = z.strictObject({
  operation: z.enum(['create', 'charge', 'status', 'expire', 'cancel', 'approve', 'deny', 'refund', 'notification']),
  kind: z.enum(['5xx_before', '5xx_after', 'timeout_before', 'timeout_after', '429']),
  times: z.number().int().min(0).max(1000).default(1),
});
export type Fault = z.infer<typeof fault>;
export type Operation = Fault['operation'];

export interface Faults {
  /** `times: 0` forgets what was planned for the operation. */
  plan(fault: Fault): void;
  /** The next misbehaviour of this operation, used up by asking; null = behave. */
  take(operation: Operation): Fault['kind'] | null;
}

export function createFaults(): Faults {
  const planned = new Map<Operation, Fault['kind'][]>();
  return {
    plan: ({ operation, kind, times }) => {
      const before = times === 0 ? [] : (planned.get(operation) ?? []);
      planned.set(operation, [...before, ...Array.from({ length: times }, () => kind)]);
    },
    take: (operation) => planned.get(operation)?.shift() ?? null,
  };
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A route that does its work and answers, unless a fault is planned. A time-out holds the connection until the caller gives up. */
export function misbehaving(faults: Faults, operation: Operation, work: (req: Request) => Reply): RequestHandler {
  return (req, res) => {
    const kind = faults.take(operation);
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
