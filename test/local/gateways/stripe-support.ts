/** Stripe's sandbox and a merchant that listens, on free ports, gone after each test. */
import { createServer, type Server } from 'node:http';
import express from 'express';
import { createStripeGateway } from '../../../activities/gateways/stripe.ts';
import { readStripeNotification } from '../../../api/webhooks/stripe.ts';
import { controlRoutes } from '../../../local/gateways/control.ts';
import { createFaults, type Fault } from '../../../local/gateways/faults.ts';
import { createStripeSandbox, type StripeSandboxOptions } from '../../../local/gateways/stripe/index.ts';
import { closeServer, postJson, urlOf } from './support.ts';

export const SECRET_KEY = 'sk_test_for_tests';
export const WEBHOOK_SECRET = 'whsec_for_tests';

const listen = (app: express.Express): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer(app);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

/** Reads each event as the API would, at once: a signature holds for five minutes only. */
async function startListener() {
  const references: string[] = [];
  const statuses: string[] = [];
  const answers: number[] = [];
  const problems: string[] = [];
  const app = express();
  app.post('/webhooks/stripe', express.raw({ type: 'application/json' }), async (req, res) => {
    const reading = await readStripeNotification(req.body, req.headers, WEBHOOK_SECRET);
    if (reading.ok) {
      references.push(reading.notification.reference);
      statuses.push(reading.notification.status);
    } else problems.push(reading.problem);
    res.status(answers.shift() ?? 200).end();
  });
  const server = await listen(app);
  return { url: urlOf(server), references, statuses, answers, problems, close: () => closeServer(server) };
}

export async function startStripe(options: Partial<StripeSandboxOptions> = {}) {
  const merchant = await startListener();
  const faults = createFaults();
  let url = '';
  const sandbox = createStripeSandbox({
    secretKey: SECRET_KEY,
    webhookSecret: WEBHOOK_SECRET,
    stateDir: null,
    faults,
    clock: () => new Date(),
    url: () => `${url}/stripe`,
    notificationUrl: () => `${merchant.url}/webhooks/stripe`,
    notificationTimeoutMs: 5000,
    retryScale: 1 / 12_000,
    ...options,
  });
  const app = express();
  app.use('/stripe', sandbox.router);
  app.use(controlRoutes([sandbox], faults));
  const server = await listen(app);
  url = urlOf(server);
  const base = `${url}/stripe`;
  const gatewayWithin = (timeoutMs: number) => createStripeGateway({ secretKey: SECRET_KEY, apiUrl: base, timeoutMs });
  return {
    merchant,
    sandbox,
    url,
    base,
    gateway: gatewayWithin(10_000),
    gatewayWithin,
    play: (path: string) => fetch(`${url}/_sandbox/payments/${path}`, { method: 'POST' }),
    fault: (fault: Fault) => postJson(`${url}/_sandbox/faults`, fault),
    /** As curl would: form-encoded. */
    post: (path: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) =>
      fetch(`${base}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${SECRET_KEY}`, ...headers },
        body: new URLSearchParams(form),
      }),
    get: (path: string) => fetch(`${base}${path}`, { headers: { authorization: `Bearer ${SECRET_KEY}` } }),
    close: async () => {
      sandbox.close();
      await closeServer(server);
      await merchant.close();
    },
  };
}
export type StripeWorld = Awaited<ReturnType<typeof startStripe>>;

export const sessionForm = (reference: string, more: Record<string, string> = {}): Record<string, string> => ({
  mode: 'payment',
  client_reference_id: reference,
  success_url: 'https://alur.example/done',
  'line_items[0][quantity]': '1',
  'line_items[0][price_data][currency]': 'idr',
  'line_items[0][price_data][unit_amount]': '1000000',
  'line_items[0][price_data][product_data][name]': 'Izin',
  'payment_intent_data[metadata][alur_reference]': reference,
  ...more,
});
