/**
 * Stripe's Idempotency-Key: kept for 24 hours, failures of the server included; the parameters must be the same; what
 * failed validation is not kept; a repeat of a request under way gets 409. https://docs.stripe.com/api/idempotent_requests
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { createJsonStore } from '../json-store.ts';
import { refused } from './refusals.ts';

const LIFETIME_MS = 24 * 3_600_000;

const stored = z.object({ request: z.string(), status: z.number(), body: z.unknown(), until: z.number() });

export interface IdempotencyKeys {
  /** The first answer, or why this request does not get one; null = it is the first. */
  answered(req: Request): { readonly reply: Reply; readonly replayed: boolean } | null;
  /** Under way until the returned function is called. */
  begin(req: Request): () => void;
  keep(req: Request, reply: Reply): void;
}

export function createIdempotencyKeys(stateDir: string | null, clock: () => Date): IdempotencyKeys {
  const store = createJsonStore(stateDir === null ? null : join(stateDir, 'stripe-keys'), stored);
  const open = new Set<string>();
  return {
    answered: (req) => {
      const key = keyOf(req);
      if (key === null) return null;
      if (key.length > 255) return once(refused(400, 'Idempotency keys must have at most 255 characters.'));
      if (open.has(key)) return once(inUse(key));
      const first = store.get(hash(key));
      if (first === undefined || first.until <= clock().getTime()) return null;
      if (first.request !== requestOf(req)) return once(mismatch(key));
      return { reply: { status: first.status, body: first.body }, replayed: true };
    },
    begin: (req) => {
      const key = keyOf(req);
      if (key !== null) open.add(key);
      return () => {
        if (key !== null) open.delete(key);
      };
    },
    keep: (req, { status, body }) => {
      const key = keyOf(req);
      // 400: validation, so nothing was begun. The SDK's own keys are random: nobody sends one twice.
      if (key === null || status === 400 || key.startsWith('stripe-node-retry-')) return;
      store.put(hash(key), { request: requestOf(req), status, body, until: clock().getTime() + LIFETIME_MS });
    },
  };
}

const once = (reply: Reply) => ({ reply, replayed: false });

const inUse = (key: string): Reply =>
  refused(409, `There is currently another in-progress request using this Idempotent Key ${key}.`, {
    code: 'idempotency_key_in_use',
  });

const mismatch = (key: string): Reply =>
  refused(
    400,
    `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    { type: 'idempotency_error' },
  );

function keyOf(req: Request): string | null {
  const key = req.get('idempotency-key');
  return key === undefined || key === '' ? null : key;
}

// A key may be longer than a file name.
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

const requestOf = (req: Request): string => hash(`${req.method} ${req.path}\n${JSON.stringify(req.body ?? {})}`);
