/** Many paid payments at once, for measuring: `POST /<gateway>/_sandbox/preload`. They live in memory only. */
import express, { Router } from 'express';
import { z } from 'zod';
import type { GatewayName } from '../../domain/payments.ts';
import type { GatewaySandbox } from './sandbox.ts';

export const preloadedPayment = z.strictObject({
  /** `payments.gatewayReference`. */
  reference: z.string().min(1).max(50),
  currency: z.enum(['IDR', 'MYR']).default('IDR'),
  /** In Alur's units: rupiah, sen. */
  amountMinor: z.number().int().positive(),
  /** ISO 8601. */
  paidAt: z.iso.datetime().transform((at) => new Date(at).toISOString()),
  /** Went back by one refund that has succeeded; 0 = none. */
  refundedMinor: z.number().int().min(0).default(0),
});
export type PreloadedPayment = z.infer<typeof preloadedPayment>;

export interface PreloadableSandbox extends GatewaySandbox {
  preload(payments: readonly PreloadedPayment[]): void;
}

const request = z.strictObject({ payments: z.array(preloadedPayment) });

/** Mount it before the gateway's own parser of bodies, which takes less. */
export function preloadRoute(gateway: GatewayName, preload: PreloadableSandbox['preload']): Router {
  const router = Router();
  router.post('/_sandbox/preload', express.json({ limit: '64mb' }), (req, res) => {
    const parsed = request.safeParse(req.body);
    if (!parsed.success) return void res.status(422).json({ detail: z.prettifyError(parsed.error) });
    preload(parsed.data.payments);
    res.status(201).json({ gateway, preloaded: parsed.data.payments.length });
  });
  return router;
}
