/** The gateways of one machine, the state's registries and the carrier: every sandbox on one port, for `npm start` and for tests. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { GatewayName } from '../../domain/payments.ts';
import { carrierControlRoutes } from '../carriers/control.ts';
import { createKurirSandbox } from '../carriers/kurir.ts';
import { createRegistrySandbox } from '../registries/sandbox.ts';
import { gatewayAccounts } from './accounts.ts';
import { createBillplzSandbox } from './billplz/index.ts';
import { controlRoutes } from './control.ts';
import { createFaults } from './faults.ts';
import { createMidtransSandbox } from './midtrans/index.ts';
import { createStripeSandbox } from './stripe/index.ts';
import { createXenditSandbox } from './xendit/index.ts';

export interface GatewaySandboxOptions {
  /** 0 = any free one. */
  readonly port: number;
  readonly host?: string;
  /** Notifications go to `<webhookBaseUrl>/webhooks/<gateway>`. */
  readonly webhookBaseUrl: string;
  /** The accounts at the other gateways are made from it, see accounts.ts. */
  readonly midtransServerKey: string;
  /** Where payments survive a restart; null = memory only. */
  readonly stateDir: string | null;
  readonly clock?: () => Date;
  /** Share of the real retry delays; 1/60 makes the first retry come after 2 seconds instead of 2 minutes. */
  readonly notificationRetryScale?: number;
  readonly notificationTimeoutMs?: number;
}

export interface GatewaySandboxes {
  /** Base URL of each gateway is `<url>/<name>`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
  setWebhookBaseUrl(url: string): void;
}

/** @throws Error of the socket (`EADDRINUSE`) when the port is taken. */
export async function startGatewaySandboxes(options: GatewaySandboxOptions): Promise<GatewaySandboxes> {
  const { host = '127.0.0.1' } = options;
  let webhookBaseUrl = options.webhookBaseUrl;
  let url = '';
  const faults = createFaults();
  const clock = options.clock ?? (() => new Date());
  const scale = options.notificationRetryScale ?? 1 / 60;
  const accounts = gatewayAccounts(options.midtransServerKey);
  const common = (name: GatewayName, theirTimeoutMs: number) => ({
    stateDir: options.stateDir,
    faults: faults.of(name),
    clock,
    url: () => `${url}/${name}`,
    notificationUrl: () => `${webhookBaseUrl}/webhooks/${name}`,
    notificationTimeoutMs: options.notificationTimeoutMs ?? theirTimeoutMs,
    retryScale: scale,
  });
  const sandboxes = [
    createMidtransSandbox({ ...common('midtrans', 15_000), serverKey: options.midtransServerKey }),
    createXenditSandbox({ ...common('xendit', 30_000), ...accounts.xendit }),
    createStripeSandbox({ ...common('stripe', 20_000), ...accounts.stripe }),
    createBillplzSandbox({
      ...common('billplz', 20_000),
      ...accounts.billplz,
      readsAWindow: null,
      // The merchant here may have another address by now than when it asked for the bill.
      callbackAddress: (callbackUrl) => `${webhookBaseUrl}/webhooks/billplz${new URL(callbackUrl).search}`,
    }),
  ];
  const kurir = createKurirSandbox({
    ...accounts.carrier,
    stateDir: options.stateDir,
    clock,
    notificationUrl: () => `${webhookBaseUrl}/webhooks/carrier`,
    notificationTimeoutMs: options.notificationTimeoutMs ?? 15_000,
    retryScale: scale,
  });
  const app = express();
  app.disable('x-powered-by');
  for (const { name, router } of sandboxes) app.use(`/${name}`, router);
  app.use('/carrier', kurir.router);
  app.use(createRegistrySandbox(accounts.registries));
  app.use(carrierControlRoutes(kurir));
  app.use(controlRoutes(sandboxes, faults));

  const server = createServer(app);
  const port = await listen(server, options.port, host);
  url = `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${port}`;
  return {
    url,
    port,
    setWebhookBaseUrl: (next) => {
      webhookBaseUrl = next;
    },
    close: async () => {
      for (const sandbox of sandboxes) sandbox.close();
      kurir.close();
      await stop(server);
    },
  };
}

const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(addressOf(server).port);
    });
  });

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The sandbox server has no TCP address.');
  return address;
}

const stop = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    // Time-outs on request hold their connections for ever.
    server.closeAllConnections();
  });
