/** Billplz counts GETs: so many in a window of five minutes, over all addresses of an account. */
import type { RequestHandler } from 'express';

const WINDOW_MS = 300_000;

/** @param limit GETs a window; null = unlimited, as an account starts out. */
export function limitReads(limit: number | null, clock: () => Date): RequestHandler {
  let windowEnds = 0;
  let left = 0;
  return (req, res, next) => {
    if (limit === null || req.method !== 'GET') {
      res.set({ 'RateLimit-Limit': 'unlimited', 'RateLimit-Remaining': 'unlimited', 'RateLimit-Reset': 'unlimited' });
      return next();
    }
    const now = clock().getTime();
    if (now >= windowEnds) {
      windowEnds = now + WINDOW_MS;
      left = limit;
    }
    const allowed = left > 0;
    left = Math.max(0, left - 1);
    res.set({
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': String(left),
      'RateLimit-Reset': String(Math.ceil((windowEnds - now) / 1000)),
    });
    if (allowed) return next();
    res.status(429).json({ error: { type: 'RateLimit', message: ['Too many requests'] } });
  };
}
