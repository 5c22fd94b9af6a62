import { z } from 'zod';
import { type ReceivedCarrierNotice, receiveCarrierNotice } from '../../db/carrier-inbox.ts';
import { Failure } from '../../domain/failures.ts';
import { LABEL_CARRIER } from '../../domain/shipments.ts';
import type { ApiDeps } from '../deps.ts';
import { loggable } from '../logging.ts';
import { tellOfParcel } from '../parcel-process.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { type CarrierReading, readCarrierNotice } from '../webhooks/carrier.ts';

/** Too short to be nested so deeply that a reader would run out of stack. */
const MAX_BYTES = 4 * 1024;

const receive = defineRoute({
  method: 'post',
  base: 'root',
  path: '/webhooks/carrier',
  summary: 'Where the carrier reports',
  description: 'Signed by the carrier. 2xx = stored; anything else = send it again.',
  tags: ['Webhooks'],
  permission: 'public',
  limit: 'webhook',
  raw: true,
  maxBytes: MAX_BYTES,
  idempotent: false,
  problems: ['not_found', 'bad_signature', 'malformed_request', 'file_too_large'],
  responses: { 200: { description: 'Stored', schema: z.object({ status: z.literal('received') }) } },
  async handler({ rawBody, deps, req }) {
    if (!deps.carrier) throw new Failure('not_found', 'This office has no account at a carrier.');
    const event = eventIn(readCarrierNotice(rawBody, req.headers, deps.carrier.webhookSecret));
    const { parcel, handled } = await storedOrComeAgain(deps, event);
    // A repeat is passed on again until a process has looked: the first time, the signal may have been lost.
    if (parcel && !handled) void tellOfParcel(deps, parcel);
    return json(200, { status: 'received' as const });
  },
});

export const carrierWebhookRoutes: readonly Route[] = [receive];

type Event = Extract<CarrierReading, { ok: true }>['event'];

function eventIn(reading: CarrierReading): Event {
  if (reading.ok) return reading.event;
  switch (reading.problem) {
    case 'bad_signature':
      throw new Failure('bad_signature', '');
    case 'malformed':
      throw new Failure('malformed_request', 'This is not a notice as the carrier writes them.');
  }
}

async function storedOrComeAgain(deps: ApiDeps, event: Event): Promise<ReceivedCarrierNotice> {
  try {
    return await receiveCarrierNotice(deps.db, {
      ...event,
      carrier: LABEL_CARRIER,
      receivedAt: new Date().toISOString(),
    });
  } catch (error) {
    deps.logger.error({ err: loggable(error) }, 'a notice could not be stored; the carrier will repeat it');
    throw new Failure('temporarily_unavailable', '', {}, { cause: error });
  }
}
