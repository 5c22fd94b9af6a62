/** In production nobody is answered over plain http, except those who watch over the process from inside. */
import type { Request, Response } from 'express';
import { Failure } from '../../domain/failures.ts';
import type { ApiDeps } from '../deps.ts';

const INSIDE = /^\/(?:health\/|metrics$)/;

/**
 * Sends a browser on to https and says true; false = go on. Which scheme the caller used only the proxy knows: its
 * X-Forwarded-Proto is believed when `trustedProxies` says that there is one, and nobody else's.
 * @throws Failure `https_required` for everything but the reading of a page: what was sent is out in the open already,
 *   and a redirect would hide that from who sent it
 */
export function createHttpsRule({ production, publicUrl }: Pick<ApiDeps, 'production' | 'publicUrl'>) {
  return (req: Request, res: Response): boolean => {
    if (!production || isSecure(req) || INSIDE.test(req.path)) return false;
    const isPage = (req.method === 'GET' || req.method === 'HEAD') && !req.path.startsWith('/api/');
    if (!isPage) throw new Failure('https_required', '');
    res.redirect(308, `${publicUrl}${req.originalUrl}`);
    return true;
  };
}

/** A chain of proxies may write a list; a client could have begun it, so every part has to say https. */
function isSecure(req: Request): boolean {
  if (!req.secure) return false;
  const said = req.headers['x-forwarded-proto'];
  return typeof said !== 'string' || !said.includes(',') || said.split(',').every((part) => part.trim() === 'https');
}
