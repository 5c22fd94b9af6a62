/**
 * Midtrans' Idempotency-Key: global over endpoints, 5 minutes, only successes, the body is not compared, longer than 46
 * characters is ignored, and a repeat of a request under way gets 202. https://docs.midtrans.com/reference/api-headers
 */
import type { Request, RequestHandler } from 'express';
import type { Reply } from '../faults.ts';

const LIFETIME_MS = 5 * 60_000;

export interface IdempotencyCache {
  /** Answers 202 while the first request with this key is unanswered, and marks this one as under way. */
  readonly underWay: RequestHandler;
  /** Gives a success again instead of doing the work again. */
  remember(work: (req: Request) => Reply): (req: Request) => Reply;
}

export function createIdempotencyCache(clock: () => Date): IdempotencyCache {
  const replies = new Map<string, { reply: Reply; until: number }>();
  const open = new Set<string>();

  const remembered = (key: string): Reply | null => {
    const found = replies.get(key);
    return found !== undefined && found.until > clock().getTime() ? found.reply : null;
  };
  return {
    underWay: (req, res, next) => {
      const key = keyOf(req);
      if (key === null || remembered(key) !== null) return next();
      if (open.has(key)) {
        res.status(202).json({});
        return;
      }
      open.add(key);
      res.on('close', () => open.delete(key));
      next();
    },
    remember: (work) => (req) => {
      const key = keyOf(req);
      if (key === null) return work(req);
      const first = remembered(key);
      if (first !== null) return first;
      const reply = work(req);
      if (succeeded(reply)) replies.set(key, { reply, until: clock().getTime() + LIFETIME_MS });
      return reply;
    },
  };
}

function keyOf(req: Request): string | null {
  const key = req.get('idempotency-key');
  return key === undefined || key === '' || key.length > 46 ? null : key;
}

// The Core API says what happened in the body, whatever HTTP says.
function succeeded({ status, body }: Reply): boolean {
  if (status >= 300) return false;
  const code = typeof body === 'object' && body !== null && 'status_code' in body ? body.status_code : '200';
  return typeof code === 'string' && code.startsWith('2');
}
