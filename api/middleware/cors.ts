/** Which pages elsewhere may call the API from a browser. Those not on the list get no header that would let them. */
import cors from 'cors';
import type { NextFunction, Request, Response } from 'express';
import { API_BASE } from '../route.ts';

/** What a page has to send and may read. No cookies: whoever calls sends a token, so `credentials` stays off. */
const RULES = {
  methods: ['GET', 'POST', 'PUT', 'DELETE'],
  allowedHeaders: [
    'Accept-Language',
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'X-API-Key',
    'X-Request-Id',
  ],
  exposedHeaders: [
    'Content-Disposition',
    'ETag',
    'Idempotency-Replayed',
    'Location',
    'RateLimit',
    'RateLimit-Limit',
    'RateLimit-Policy',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'Retry-After',
    'X-Request-Id',
  ],
  maxAge: 600,
};

/**
 * Calls `next` unless it has answered a preflight itself. Only below /api/v1: pages are for people who come to them,
 * webhooks for servers.
 */
export function createCors(origins: readonly string[]): (req: Request, res: Response, next: NextFunction) => void {
  const allowed = new Set(origins);
  const answer = cors({ ...RULES, origin: [...origins] });
  return (req, res, next) => {
    const { origin } = req.headers;
    if (allowed.size === 0 || !req.path.startsWith(`${API_BASE}/`)) return next();
    // Caches between here and the browser must not hand one origin's answer to another.
    res.vary('Origin');
    if (origin === undefined || !allowed.has(origin)) return next();
    answer(req, res, next);
  };
}
