/** One endpoint: misbehaviour on request, idempotency keys, and Stripe's own way of failing. */
import type { Request, RequestHandler, Response } from 'express';
import type { Faults, Operation, Reply } from '../faults.ts';
import type { IdempotencyKeys } from './idempotency.ts';
import { newId } from './sessions.ts';

type Serve = (operation: Operation | ((req: Request) => Operation), work: (req: Request) => Reply) => RequestHandler;

/** By which a request's payment goes, for faults that are aimed at one. */
export type NamesOf = (req: Request) => readonly string[];

const taken = (faults: Faults, operation: Parameters<Serve>[0], namesOf: NamesOf, req: Request) =>
  faults.take(typeof operation === 'function' ? operation(req) : operation, namesOf(req));

/** Reading: no keys. A time-out holds the connection until the caller gives up. */
export const reading =
  (faults: Faults, namesOf: NamesOf): Serve =>
  (operation, work) =>
  (req, res) => {
    const kind = taken(faults, operation, namesOf, req);
    if (kind === 'timeout_before' || kind === 'timeout_after') return;
    if (kind === '429') return slowDown(res);
    send(res, kind === null ? work(req) : BROKEN);
  };

/**
 * Writing. A 5xx before the work is the edge's and leaves no trace; one after it is the API's own answer, kept under the
 * idempotency key and given again to every repeat, although the work is done: so the documentation says.
 */
export const writing =
  (faults: Faults, keys: IdempotencyKeys, namesOf: NamesOf): Serve =>
  (operation, work) =>
  (req, res) => {
    const kind = taken(faults, operation, namesOf, req);
    if (kind === '429') return slowDown(res);
    if (kind === '5xx_before') return send(res, BROKEN);
    const first = keys.answered(req);
    if (first !== null) return send(res, first.reply, first.replayed);
    res.on('close', keys.begin(req));
    if (kind === 'timeout_before') return;
    const done = work(req);
    const reply = kind === '5xx_after' && done.status < 300 ? BROKEN : done;
    keys.keep(req, reply);
    if (kind !== 'timeout_after') send(res, reply);
  };

function send(res: Response, { status, body }: Reply, replayed = false): void {
  if (replayed) res.set('Idempotent-Replayed', 'true');
  res.status(status).set('Request-Id', newId('req')).json(body);
}

function slowDown(res: Response): void {
  const message = 'Request rate limit exceeded.';
  res.set('Retry-After', '2');
  send(res, { status: 429, body: { error: { type: 'invalid_request_error', code: 'rate_limit', message } } });
}

const BROKEN: Reply = {
  status: 500,
  body: { error: { type: 'api_error', message: 'An unknown error occurred.' } },
};
