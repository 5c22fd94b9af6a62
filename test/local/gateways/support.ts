/** Sandboxes and a merchant that listens, on free ports, gone after each test. */
import { createServer, type RequestListener, type Server } from 'node:http';
import express from 'express';
import { z } from 'zod';
import { createMidtransGateway } from '../../../activities/gateways/midtrans.ts';
import type { Fault } from '../../../local/gateways/faults.ts';
import { type GatewaySandboxOptions, startGatewaySandboxes } from '../../../local/gateways/server.ts';

export const SERVER_KEY = 'SB-Mid-server-for-tests';

const notification = z.looseObject({
  order_id: z.string(),
  transaction_id: z.string(),
  transaction_status: z.string(),
  status_code: z.string(),
  gross_amount: z.string(),
  signature_key: z.string(),
});

export interface Merchant {
  url: string;
  received: Buffer[];
  statuses(): string[];
  /** What the next notifications are answered with, in order; then 200. */
  answers: number[];
  close(): Promise<void>;
}

export async function startMerchant(): Promise<Merchant> {
  const received: Buffer[] = [];
  const answers: number[] = [];
  const app = express();
  app.post('/webhooks/midtrans', express.raw({ type: 'application/json' }), (req, res) => {
    received.push(req.body);
    res.status(answers.shift() ?? 200).end();
  });
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  return {
    url: urlOf(server),
    received,
    answers,
    statuses: () => received.map((body) => notification.parse(JSON.parse(body.toString())).transaction_status),
    close: () => closeServer(server),
  };
}

export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return `http://127.0.0.1:${address.port}`;
}

export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

export async function startWorld(options: Partial<GatewaySandboxOptions> = {}) {
  const merchant = await startMerchant();
  const sandbox = await startGatewaySandboxes({
    port: 0,
    webhookBaseUrl: merchant.url,
    midtransServerKey: SERVER_KEY,
    stateDir: null,
    notificationRetryScale: 1 / 12_000,
    ...options,
  });
  const base = `${sandbox.url}/midtrans`;
  const gatewayWithin = (timeoutMs: number) =>
    createMidtransGateway({ serverKey: SERVER_KEY, snapUrl: base, apiUrl: base, timeoutMs });
  return {
    merchant,
    sandbox,
    base,
    /** Patient enough for a busy machine. */
    gateway: gatewayWithin(10_000),
    gatewayWithin,
    play: (path: string) => fetch(`${sandbox.url}/_sandbox/payments/${path}`, { method: 'POST' }),
    fault: (fault: Fault) => postJson(`${sandbox.url}/_sandbox/faults`, fault),
    api: (path: string, body?: unknown, headers: Record<string, string> = {}) =>
      postJson(`${base}${path}`, body ?? {}, { authorization: basic(SERVER_KEY), ...headers }),
    status: async (id: string) =>
      (await fetch(`${base}/v2/${id}/status`, { headers: { authorization: basic(SERVER_KEY) } })).json(),
    close: async () => {
      await sandbox.close();
      await merchant.close();
    },
  };
}
export type World = Awaited<ReturnType<typeof startWorld>>;

export const basic = (key: string): string => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;

export const postJson = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    redirect: 'manual',
  });

/** Waits for a condition; says what it waited for when it does not come. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const snapRequest = (orderId: string, more: object = {}) => ({
  transaction_details: { order_id: orderId, gross_amount: 10_000 },
  ...more,
});

/** A gateway that does just this, while the test runs. */
export async function against(listener: RequestListener, test: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await test(urlOf(server));
  } finally {
    await closeServer(server);
  }
}
