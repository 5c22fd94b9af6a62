/** What makes a repeated request the same request. */
import { createHash, randomBytes } from 'node:crypto';

/**
 * 64 hex digits, the same for the same caller, method, path and Idempotency-Key. Without a key a fresh one: the
 * request ID will not do, for a client may send the same X-Request-Id with every request of a session.
 */
export function requestKeyOf(call: { caller: string; method: string; path: string; key: string | undefined }): string {
  if (call.key === undefined) return randomBytes(32).toString('hex');
  return sha256([call.caller, call.method, call.path, call.key].join('\n')).toString('hex');
}

/**
 * The ID of the row of this noun that a request creates (UUID version 8, RFC 9562). A repeat meets its own row, so
 * `insert … on conflict (id) do nothing` makes it safe.
 */
export function idFromKey(requestKey: string, noun: string): string {
  const bytes = sha256(`${noun}/${requestKey}`).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
