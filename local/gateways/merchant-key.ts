/** Who may use a sandbox's API: the merchant that knows the key. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';

/** HTTP Basic as the gateways take it: the key as the user, no password. */
export const basic = (key: string): string => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;

/** Lets through whoever sends one of these as Authorization; everybody else is refused in the gateway's own words. */
export function behindKey(accepted: readonly string[], refuse: (req: Request, res: Response) => void): RequestHandler {
  const digests = accepted.map(digest);
  return (req, res, next) => {
    const given = digest(req.get('authorization') ?? '');
    if (digests.some((right) => timingSafeEqual(given, right))) return next();
    refuse(req, res);
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
