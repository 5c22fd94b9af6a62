import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Response } from 'express';
import helmet from 'helmet';

/** For JSON: nothing may be loaded, run or framed. Pages bring a policy of their own (answer.ts, plumbing.ts). */
const secure = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
  },
  referrerPolicy: { policy: 'no-referrer' },
});

/**
 * Sets what helmet sets. That is the same for every answer, so helmet, a chain of a dozen middlewares, is asked once and
 * not with each request.
 */
export function createSecurityHeaders(): (res: Response) => void {
  const sample = new ServerResponse(new IncomingMessage(new Socket()));
  secure(sample.req, sample, () => undefined);
  const headers = Object.entries(sample.getHeaders()).map(([name, value]) => [name, String(value)] as const);
  return (res) => {
    for (const [name, value] of headers) res.setHeader(name, value);
  };
}
