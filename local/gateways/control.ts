/** `/_sandbox`: what scripts and tests do to payments, and the list of them for people. */
import express, { type Response, Router } from 'express';
import Handlebars from 'handlebars';
import { z } from 'zod';
import { type Faults, fault } from './faults.ts';
import { type GatewaySandbox, ImpossibleEvent, SANDBOX_EVENTS, WEBHOOK_MODES } from './sandbox.ts';

const query = z.strictObject({
  webhook: z.enum(WEBHOOK_MODES).default('once'),
  delayMs: z.coerce.number().int().min(0).max(3_600_000).default(3000),
  channel: z.string().min(1).optional(),
  amount: z.coerce.number().int().positive().optional(),
});

const eventName = z.enum(SANDBOX_EVENTS);

export function controlRoutes(sandboxes: readonly GatewaySandbox[], faults: Faults): Router {
  const router = Router();
  const payments = () => sandboxes.flatMap((sandbox) => sandbox.list());

  router.post('/_sandbox/payments/:reference/:event', async (req, res) => {
    const event = eventName.safeParse(req.params.event);
    if (!event.success) return problem(res, 422, 'unknown_event', `The event is one of ${SANDBOX_EVENTS.join(', ')}.`);
    const options = query.safeParse(req.query);
    if (!options.success) return problem(res, 422, 'invalid_options', z.prettifyError(options.error));
    const { amount, ...how } = options.data;
    for (const sandbox of sandboxes) {
      const payment = await sandbox.play(req.params.reference, event.data, { ...how, amountMinor: amount });
      if (payment !== null) return void res.json(payment);
    }
    problem(
      res,
      404,
      'unknown_reference',
      'No gateway here has a payment with this reference; see GET /_sandbox/payments.',
    );
  });
  router.post('/_sandbox/notifications/flush', async (_req, res) => {
    for (const sandbox of sandboxes) await sandbox.flush();
    res.status(204).end();
  });
  router.get('/_sandbox/payments', (_req, res) => void res.json({ items: payments() }));
  router.post('/_sandbox/faults', express.json(), (req, res) => {
    const planned = fault.safeParse(req.body);
    if (!planned.success) return problem(res, 422, 'invalid_fault', z.prettifyError(planned.error));
    faults.plan(planned.data);
    res.status(201).json(planned.data);
  });
  router.get('/', (_req, res) => void res.send(INDEX({ payments: payments().toReversed() })));
  router.use(impossible);
  return router;
}

const impossible: express.ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof ImpossibleEvent)) return next(error);
  problem(res, 409, 'impossible_event', error.message);
};

const TITLES: Record<number, string> = { 404: 'Not found', 409: 'Conflict', 422: 'Unprocessable content' };

function problem(res: Response, status: number, code: string, detail: string): void {
  res.status(status).type('application/problem+json');
  res.send(JSON.stringify({ type: 'about:blank', title: TITLES[status], status, code, detail }));
}

const INDEX = Handlebars.compile(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gateway sandboxes</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884}
</style>
</head>
<body>
<h1>Gateway sandboxes</h1>
<p>Payments made here, newest first. No real money moves.</p>
{{#if payments}}
<div class="wide"><table>
<thead><tr><th>Gateway</th><th>Reference</th><th>Amount</th><th>State</th><th>Channel</th><th>Notifications</th></tr></thead>
<tbody>
{{#each payments}}<tr><td>{{gateway}}</td><td><a href="{{redirectUrl}}">{{reference}}</a></td><td>{{amount.formatted}}</td><td>{{state}}</td><td>{{channel}}</td><td>{{#each notifications}}{{#if status}}{{status}}{{else}}no answer{{/if}} {{/each}}</td></tr>
{{/each}}
</tbody>
</table></div>
{{else}}
<p>None yet. Pay an invoice through the API, and its page appears here.</p>
{{/if}}
</body>
</html>
`);
