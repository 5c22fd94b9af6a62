/** The Xendit sandbox and a merchant that listens, on free ports, gone after each test. */
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:http';
import express from 'express';
import { z } from 'zod';
import { createXenditGateway } from '../../../activities/gateways/xendit.ts';
import { controlRoutes } from '../../../local/gateways/control.ts';
import { createFaults, type Fault } from '../../../local/gateways/faults.ts';
import { createXenditSandbox, type XenditSandboxOptions } from '../../../local/gateways/xendit/index.ts';
import { basic, closeServer, postJson, urlOf } from './support.ts';

export const SECRET_KEY = 'xnd_development_for_tests';
export const CALLBACK_TOKEN = 'callback-token-for-tests';

export interface Received {
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
}

async function listen(app: express.Express): Promise<Server> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const flat = z.looseObject({ status: z.string() });

async function startMerchant() {
  const received: Received[] = [];
  /** What the next callbacks are answered with, in order; then 200. null = no answer at all. */
  const answers: (number | null)[] = [];
  const app = express();
  app.post('/webhooks/xendit', express.raw({ type: 'application/json' }), (req, res) => {
    received.push({ body: req.body, headers: req.headers });
    const answer = answers.length === 0 ? 200 : answers.shift();
    if (typeof answer === 'number') res.status(answer).end();
  });
  const server = await listen(app);
  return {
    url: urlOf(server),
    received,
    answers,
    statuses: () => received.map(({ body }) => flat.parse(JSON.parse(body.toString())).status),
    close: () => closeServer(server),
  };
}

const listed = z.object({
  items: z.array(
    z.looseObject({ reference: z.string(), state: z.string(), expiresAt: z.string(), redirectUrl: z.string() }),
  ),
});

export async function startXenditWorld(options: Partial<XenditSandboxOptions> = {}) {
  const merchant = await startMerchant();
  const faults = createFaults();
  let url = '';
  let notificationUrl = `${merchant.url}/webhooks/xendit`;
  const sandbox = createXenditSandbox({
    secretKey: SECRET_KEY,
    callbackToken: CALLBACK_TOKEN,
    stateDir: null,
    faults,
    clock: () => new Date(),
    url: () => `${url}/xendit`,
    notificationUrl: () => notificationUrl,
    notificationTimeoutMs: 5000,
    // The first retry after 15 ms, the second after 45 ms more.
    retryScale: 1 / 60_000,
    ...options,
  });
  const app = express();
  app.use('/xendit', sandbox.router);
  app.use(controlRoutes([sandbox], faults));
  const server = await listen(app);
  url = urlOf(server);
  const base = `${url}/xendit`;
  const authorization = basic(SECRET_KEY);
  const gatewayWithin = (timeoutMs: number) => createXenditGateway({ secretKey: SECRET_KEY, apiUrl: base, timeoutMs });
  return {
    merchant,
    url,
    base,
    /** Patient enough for a busy machine. */
    gateway: gatewayWithin(10_000),
    gatewayWithin,
    moveMerchant: (to: string) => {
      notificationUrl = to;
    },
    play: (path: string) => fetch(`${url}/_sandbox/payments/${path}`, { method: 'POST' }),
    fault: (fault: Fault) => postJson(`${url}/_sandbox/faults`, fault),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      postJson(`${base}${path}`, body, { authorization, ...headers }),
    get: (path: string) => fetch(`${base}${path}`, { headers: { authorization } }),
    list: async () => listed.parse(await (await fetch(`${url}/_sandbox/payments`)).json()).items,
    close: async () => {
      sandbox.close();
      await closeServer(server);
      await merchant.close();
    },
  };
}
export type XenditWorld = Awaited<ReturnType<typeof startXenditWorld>>;

export const invoiceRequest = (externalId: string, more: object = {}) => ({
  external_id: externalId,
  amount: 10_000,
  currency: 'IDR',
  ...more,
});
