/** Reads a notice of the carrier off the wire; docs/shop/parcels.md. Pure: storing it, signalling and answering are the route's. */
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { CarrierEvent } from '../../db/carrier-inbox.ts';
import { CARRIER_STATUSES } from '../../domain/shipments.ts';
import { isSameSecret } from '../secrets.ts';
import { jsonOf } from './notification.ts';

const said = z.object({
  eventId: z.string().min(1).max(100),
  trackingNumber: z.string().regex(/^[A-Za-z0-9-]{4,40}$/),
  status: z.enum(CARRIER_STATUSES),
  at: z.iso.datetime({ offset: true }),
  place: z.string().max(80).nullish(),
});

export type CarrierReading =
  | { readonly ok: true; readonly event: CarrierEvent & { readonly trackingNumber: string } }
  | { readonly ok: false; readonly problem: 'bad_signature' | 'malformed' };

/**
 * `ok` = the carrier wrote the whole body: it signs every byte. What it says is a hint all the same, for an old notice can be
 * sent again by whoever has seen it, and the one before may have been lost: the carrier is asked for the whole story.
 * @param rawBody the bytes as received @param headers as Node gives them: names in lower case
 */
export function readCarrierNotice(rawBody: Buffer, headers: IncomingHttpHeaders, secret: string): CarrierReading {
  const given = headers['x-kurir-signature'];
  const expected = createHmac('sha256', secret).update(rawBody).digest('hex');
  if (typeof given !== 'string' || !isSameSecret(given.toLowerCase(), expected))
    return { ok: false, problem: 'bad_signature' };
  const read = said.safeParse(jsonOf(rawBody));
  if (!read.success) return { ok: false, problem: 'malformed' };
  const { place, at, ...event } = read.data;
  return { ok: true, event: { ...event, at: new Date(at).toISOString(), place: place ?? null } };
}
