/** The gateways of one machine: every sandbox on one port, for `npm start` and for tests. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { controlRoutes } from './control.ts';
import { createFaults } from './faults.ts';
import { createMidtransSandbox } from './midtrans/index.ts';

export interface GatewaySandboxOptions {
  /** 0 = any free one. */
  readonly port: number;
  readonly host?: string;
  /** Notifications go to `<webhookBaseUrl>/webhooks/<gateway>`. */
  readonly webhookBaseUrl: string;
  readonly midtransServerKey: string;
  /** Where payments survive a restart; null = memory only. */
  readonly stateDir: string | null;
  readonly clock?: () => Date;
  /** Share of the real retry delays; 1/60 makes the first retry come after 2 seconds instead of 2 minutes. */
  readonly notificationRetryScale?: number;
  readonly notificationTimeoutMs?: number;
}

export interface GatewaySandboxes {
  /** Base URL of Midtrans (Snap and Core) is `<url>/midtrans`. */
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
  const midtrans = createMidtransSandbox({
    serverKey: options.midtransServerKey,
    stateDir: options.stateDir,
    faults,
    clock: options.clock ?? (() => new Date()),
    url: () => `${url}/midtrans`,
    notificationUrl: () => `${webhookBaseUrl}/webhooks/midtrans`,
    notificationTimeoutMs: options.notificationTimeoutMs ?? 15_000,
    retryScale: options.notificationRetryScale ?? 1 / 60,
  });
  const app = express();
  app.disable('x-powered-by');
  app.use('/midtrans', midtrans.router);
  app.use(controlRoutes([midtrans], faults));

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
      midtrans.close();
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
