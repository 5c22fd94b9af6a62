/** `?wait=` of a route that shows one record with its end. */
import type { Request } from 'express';
import { z } from 'zod';
import { etagOf, isFresh } from './etag.ts';
import { afterChange, type Changes } from './waiting.ts';

export const waitQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(30).optional().describe('Seconds.'),
});

export const WAITS =
  '`?wait=` holds the answer until it changes, at most so many seconds. With `If-None-Match` it waits only while that is still ' +
  'the current state; without, for the next change, unless it is over.';

/** What is read, and its tag: at once for no seconds, else when it has changed, is over, or nobody waits any more. */
export async function onceChanged<Id extends string, Body extends { readonly endedAt: string | null }>(
  changes: Changes<Id>,
  { id, wait, req }: { readonly id: Id; readonly wait: number; readonly req: Request },
  read: () => Promise<Body>,
): Promise<{ readonly body: Body; readonly etag: string }> {
  const tagged = async () => {
    const body = await read();
    return { body, etag: etagOf(JSON.stringify(body)) };
  };
  if (wait === 0) return tagged();
  const gone = new AbortController();
  req.res?.once('close', () => gone.abort());
  try {
    return await afterChange(
      changes,
      { id, waitMs: wait * 1000, seen: req.headers['if-none-match'], signal: gone.signal },
      tagged,
      { over: ({ body }) => body.endedAt !== null, fresh: isFresh },
    );
  } finally {
    gone.abort();
  }
}
