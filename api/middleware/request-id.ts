import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';

/** What cannot break a log line or a header; anything else is replaced. */
const SANE = /^[\w.:-]{8,100}$/;

/** Takes the caller's X-Request-Id, or makes one; it stands in every answer and every log line. */
export function nameRequest(req: Request, res: Response): void {
  const given = req.headers['x-request-id'];
  req.requestId = typeof given === 'string' && SANE.test(given) ? given : randomUUID();
  res.setHeader('X-Request-Id', req.requestId);
}
