/** `/_sandbox/shipments`: what scripts and tests do to parcels. */
import express, { type Response, Router } from 'express';
import { z } from 'zod';
import { fault } from '../gateways/faults.ts';
import { ImpossibleEvent, WEBHOOK_MODES } from '../gateways/sandbox.ts';
import { KURIR_EVENTS, type KurirSandbox } from './kurir.ts';

const query = z.strictObject({
  webhook: z.enum(WEBHOOK_MODES).default('once'),
  delayMs: z.coerce.number().int().min(0).max(3_600_000).default(3000),
});
const eventName = z.enum(KURIR_EVENTS);

export function carrierControlRoutes(kurir: KurirSandbox): Router {
  const router = Router();
  router.get('/_sandbox/shipments', (_req, res) => void res.json({ items: kurir.list() }));
  /** Operations: `create` a label, `cancel` one, `list` by reference, `status` of a parcel, `notification`. */
  router.post('/_sandbox/shipments/faults', express.json(), (req, res) => {
    const planned = fault.safeParse(req.body);
    if (!planned.success) return problem(res, 422, 'invalid_fault', z.prettifyError(planned.error));
    kurir.faults.plan(planned.data);
    res.status(201).json(planned.data);
  });
  router.post('/_sandbox/shipments/flush', async (_req, res) => {
    await kurir.flush();
    res.status(204).end();
  });
  router.post('/_sandbox/shipments/:trackingNumber/:event', async (req, res) => {
    const event = eventName.safeParse(req.params.event);
    if (!event.success) return problem(res, 422, 'unknown_event', `The event is one of ${KURIR_EVENTS.join(', ')}.`);
    const how = query.safeParse(req.query);
    if (!how.success) return problem(res, 422, 'invalid_options', z.prettifyError(how.error));
    try {
      const parcel = await kurir.play(req.params.trackingNumber, event.data, how.data);
      if (parcel) return void res.json(parcel);
    } catch (error) {
      if (!(error instanceof ImpossibleEvent)) throw error;
      return problem(res, 409, 'impossible_event', error.message);
    }
    problem(res, 404, 'unknown_tracking_number', 'No parcel has this number; see GET /_sandbox/shipments.');
  });
  return router;
}

function problem(res: Response, status: number, code: string, detail: string): void {
  res.status(status).type('application/problem+json');
  res.send(JSON.stringify({ type: 'about:blank', status, code, detail }));
}
