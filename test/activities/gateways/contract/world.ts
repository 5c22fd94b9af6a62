/** All four sandboxes on one port, a merchant that keeps what it is sent, and a clock that can be moved. */
import type { IncomingHttpHeaders } from 'node:http';
import express from 'express';
import { z } from 'zod';
import type { GatewayName } from '../../../../domain/payments.ts';
import type { Fault } from '../../../../local/gateways/faults.ts';
import { startGatewaySandboxes } from '../../../../local/gateways/server.ts';
import { closeServer, postJson, urlOf } from '../../../local/gateways/support.ts';

export const SECRET = 'contract-tests';

export interface Received {
  readonly rawBody: Buffer;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

const listed = z.object({
  items: z.array(
    z.looseObject({
      gateway: z.string(),
      reference: z.string(),
      state: z.string(),
      amount: z.object({ formatted: z.string() }),
      expiresAt: z.string(),
      redirectUrl: z.string(),
      capturedMinor: z.number(),
      refundedMinor: z.number(),
    }),
  ),
});
export type Held = z.infer<typeof listed>['items'][number];

async function startMerchant() {
  const received: Received[] = [];
  const app = express();
  app.post('/webhooks/:gateway', express.raw({ type: () => true }), (req, res) => {
    received.push({ rawBody: req.body, headers: req.headers, address: req.originalUrl });
    res.status(200).end();
  });
  const server = await new Promise<ReturnType<typeof app.listen>>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  return { url: urlOf(server), received, close: () => closeServer(server) };
}

/** An address at which somebody listened a moment ago. */
async function freedAddress(): Promise<string> {
  const { url, close } = await startMerchant();
  await close();
  return url;
}

/** @param stateDir where the sandboxes remember; null = nowhere */
export async function startWorld(stateDir: string | null = null) {
  const deadUrl = await freedAddress();
  const merchant = await startMerchant();
  let aheadMs = 0;
  const sandbox = await startGatewaySandboxes({
    port: 0,
    webhookBaseUrl: merchant.url,
    midtransServerKey: SECRET,
    stateDir,
    clock: () => new Date(Date.now() + aheadMs),
    notificationRetryScale: 1 / 12_000,
  });
  return {
    url: sandbox.url,
    received: merchant.received,
    merchantUrl: merchant.url,
    deadUrl,
    pass: (milliseconds: number) => {
      aheadMs += milliseconds;
    },
    now: () => Date.now() + aheadMs,
    play: (path: string) => fetch(`${sandbox.url}/_sandbox/payments/${path}`, { method: 'POST' }),
    fault: (fault: Fault) => postJson(`${sandbox.url}/_sandbox/faults`, fault),
    flush: () => fetch(`${sandbox.url}/_sandbox/notifications/flush`, { method: 'POST' }),
    held: async (gateway: GatewayName): Promise<Held[]> => {
      const { items } = listed.parse(await (await fetch(`${sandbox.url}/_sandbox/payments`)).json());
      return items.filter((payment) => payment.gateway === gateway);
    },
    close: async () => {
      await sandbox.close();
      await merchant.close();
    },
  };
}
export type World = Awaited<ReturnType<typeof startWorld>>;
