/** What makes a repeated request the same request. */
import { createHash, randomBytes } from 'node:crypto';
import { namedUuid } from '../db/uuids.ts';

/**
 * 64 hex digits, the same for the same caller, method, path and Idempotency-Key. Without a key a fresh one: the
 * request ID will not do, for a client may send the same X-Request-Id with every request of a session.
 */
export function requestKeyOf(call: { caller: string; method: string; path: string; key: string | undefined }): string {
  if (call.key === undefined) return randomBytes(32).toString('hex');
  const { caller, method, path, key } = call;
  return createHash('sha256').update([caller, method, path, key].join('\n')).digest('hex');
}

/**
 * The ID of the row of this noun that a request creates (UUID version 8, RFC 9562). A repeat meets its own row, so
 * `insert … on conflict (id) do nothing` makes it safe.
 */
export function idFromKey(requestKey: string, noun: string): string {
  return namedUuid(`${noun}/${requestKey}`);
}
