/** ETag, If-None-Match and If-Match (RFC 9110, 8.8.3 and 13.1). */
import { hash } from 'node:crypto';
import { Failure } from '../domain/failures.ts';

/** A strong ETag of these bytes, quotes included. */
export const etagOf = (content: string | Buffer): string => `"${hash('sha1', content, 'base64url')}"`;

/** Whether the client has it already; weak comparison, as If-None-Match asks for. */
export function isFresh(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return tagsOf(ifNoneMatch).some((tag) => opaque(tag) === opaque(etag));
}

/**
 * Guards an update of what the client has read; without If-Match anything goes.
 * @throws Failure `precondition_failed` when none of the tags named is the current one (strong comparison).
 */
export function requireMatch(ifMatch: string | undefined, current: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*' || tagsOf(ifMatch).includes(current)) return;
  throw new Failure('precondition_failed', 'It has changed since you read it. Read it again, then repeat your change.');
}

const tagsOf = (header: string): string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];
const opaque = (tag: string): string => tag.replace(/^W\//, '');
