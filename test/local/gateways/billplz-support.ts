/** The Billplz sandbox, a merchant that listens and an adapter that remembers, on free ports, gone after each test. */
import { createServer, type Server } from 'node:http';
import express from 'express';
import { z } from 'zod';
import { type BillplzOptions, createBillplzGateway } from '../../../activities/gateways/billplz.ts';
import type { BillBook } from '../../../activities/gateways/billplz-book.ts';
import { type BillplzSandboxOptions, createBillplzSandbox } from '../../../local/gateways/billplz/index.ts';
import { controlRoutes } from '../../../local/gateways/control.ts';
import { createFaults, type Fault } from '../../../local/gateways/faults.ts';
import { basic, closeServer, postJson, urlOf } from './support.ts';

export const API_KEY = '73eb57f0-7d4e-42b9-a544-aeac6e4b0f81';
export const X_SIGNATURE_KEY = 'S-s7b4yWpp9h7rrkNM1i3Z_g';
export const COLLECTION = 'inbmmepb';

export interface Callback {
  readonly address: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** What a table would remember. */
export interface TestBook extends BillBook {
  readonly begun: ReadonlySet<string>;
}

export function createTestBook(): TestBook {
  const begun = new Set<string>();
  const bills = new Map<string, Set<string>>();
  return {
    begun,
    billsOf: async (reference) => [...(bills.get(reference) ?? [])],
    begin: async (reference) => {
      const isNew = !begun.has(reference);
      begun.add(reference);
      return isNew;
    },
    release: async (reference) => void begun.delete(reference),
    learn: async (reference, billId) => {
      bills.set(reference, new Set([...(bills.get(reference) ?? []), billId]));
    },
  };
}

async function startMerchant() {
  const received: Callback[] = [];
  const answers: number[] = [];
  const app = express();
  app.post('/webhooks/billplz', express.raw({ type: () => true }), (req, res) => {
    received.push({ address: req.originalUrl, contentType: req.get('content-type') ?? '', body: req.body });
    res.status(answers.shift() ?? 200).end();
  });
  const server = await listen(createServer(app));
  return { url: urlOf(server), received, answers, close: () => closeServer(server) };
}

const listen = (server: Server): Promise<Server> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));

export async function startBillplzWorld(options: Partial<BillplzSandboxOptions> = {}) {
  const merchant = await startMerchant();
  const faults = createFaults();
  let url = '';
  const sandbox = createBillplzSandbox({
    apiKey: API_KEY,
    xSignatureKey: X_SIGNATURE_KEY,
    collectionId: COLLECTION,
    readsAWindow: null,
    stateDir: null,
    faults,
    clock: () => new Date(),
    url: () => `${url}/billplz`,
    callbackAddress: (callbackUrl) => callbackUrl,
    notificationTimeoutMs: 2000,
    retryScale: 1 / 1_000_000,
    ...options,
  });
  const app = express();
  app.use('/billplz', sandbox.router);
  app.use(controlRoutes([sandbox], faults));
  const server = await listen(createServer(app));
  url = urlOf(server);
  const base = `${url}/billplz`;
  const book = createTestBook();
  const gatewayWith = (more: Partial<BillplzOptions>) =>
    createBillplzGateway({
      apiKey: API_KEY,
      apiUrl: `${base}/api`,
      collectionId: COLLECTION,
      callbackUrl: `${merchant.url}/webhooks/billplz`,
      book,
      timeoutMs: 10_000,
      ...more,
    });
  return {
    merchant,
    sandbox,
    base,
    book,
    /** Patient enough for a busy machine. */
    gateway: gatewayWith({}),
    gatewayWith,
    play: (path: string) => fetch(`${url}/_sandbox/payments/${path}`, { method: 'POST' }),
    fault: (fault: Fault) => postJson(`${url}/_sandbox/faults`, fault),
    api: (method: string, path: string, form?: Record<string, string>, key = API_KEY) =>
      fetch(`${base}/api/v3${path}`, {
        method,
        headers: { authorization: basic(key) },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      }),
    close: async () => {
      sandbox.close();
      await closeServer(server);
      await merchant.close();
    },
  };
}
export type BillplzWorld = Awaited<ReturnType<typeof startBillplzWorld>>;

export const billForm = (more: Record<string, string> = {}): Record<string, string> => ({
  collection_id: COLLECTION,
  description: 'Maecenas eu placerat ante.',
  email: 'api@billplz.com',
  name: 'Sara',
  amount: '200',
  callback_url: 'http://127.0.0.1:1/webhooks/billplz',
  ...more,
});

const told = z.looseObject({ id: z.string(), state: z.string(), url: z.string(), reference_1: z.string().nullable() });
export const readBill = async (answer: Response) => told.parse(await answer.json());
