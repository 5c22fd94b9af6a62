import { z } from 'zod';
import { type ReceivedNotice, receiveNotice } from '../../db/payment-inbox.ts';
import { Failure } from '../../domain/failures.ts';
import { GATEWAYS, type GatewayName } from '../../domain/payments.ts';
import { tellCardGiven } from '../card-process.ts';
import type { ApiDeps } from '../deps.ts';
import { loggable } from '../logging.ts';
import { defineRoute, json } from '../route.ts';
import { cardIdSchema } from '../schemas/ids.ts';
import { isNestedDeeper } from '../strict-json.ts';
import { type ReceivedNotification, readNotification } from '../webhooks/index.ts';
import type { GatewayNotification } from '../webhooks/notification.ts';

const MAX_BYTES = 64 * 1024;
/** Theirs have about five; a reader of what has thousands would run out of stack. */
const MAX_DEPTH = 32;

const receive = defineRoute({
  method: 'post',
  base: 'root',
  path: '/webhooks/:gateway',
  summary: 'Where payment gateways report',
  description: 'Signed by the gateway, or with its password. 2xx = stored; anything else = send it again.',
  tags: ['Webhooks'],
  permission: 'public',
  params: z.object({ gateway: z.enum(GATEWAYS) }),
  limit: 'webhook',
  raw: true,
  maxBytes: MAX_BYTES,
  idempotent: false,
  problems: ['not_found', 'bad_signature', 'malformed_request', 'file_too_large'],
  responses: { 200: { description: 'Stored', schema: z.object({ status: z.literal('received') }) } },
  async handler({ params: { gateway }, rawBody, deps, req }) {
    const notification = await read(gateway, { rawBody, headers: req.headers, address: req.originalUrl }, deps);
    if (notification.cardSetup !== undefined) {
      // No money, so nothing to account for: a hint to a process that asks by itself.
      const id = cardIdSchema.safeParse(notification.cardSetup);
      if (id.success) await tellCardGiven(deps, id.data);
      return RECEIVED;
    }
    const notice = await storedOrComeAgain(deps, notification);
    // A repeat is passed on again until a process has looked: the first time, the signal may have been lost.
    if (!notice.handled) deps.notices.tell(gateway, notice);
    return RECEIVED;
  },
});

export const webhookRoutes = [receive];

const RECEIVED = json(200, { status: 'received' as const });

async function read(
  gateway: GatewayName,
  received: ReceivedNotification,
  { gateways }: ApiDeps,
): Promise<GatewayNotification> {
  if (isNestedDeeper(received.rawBody, MAX_DEPTH)) {
    throw new Failure('malformed_request', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
  const reading = await readNotification(gateway, received, gateways);
  if (!reading) throw new Failure('not_found', `This office has no account at ${gateway}.`);
  if (reading.ok) return reading.notification;
  switch (reading.problem) {
    case 'bad_signature':
      throw new Failure('bad_signature', '');
    case 'malformed':
      throw new Failure('malformed_request', `This is not a notification as ${gateway} writes them.`);
  }
}

/** A gateway gives up soon after a 500 and tries longest after a 503, whatever the reason is on our side. */
async function storedOrComeAgain(deps: ApiDeps, notification: GatewayNotification): Promise<ReceivedNotice> {
  try {
    return await receiveNotice(deps.db, { ...notification, at: new Date().toISOString() });
  } catch (error) {
    deps.logger.error({ err: loggable(error) }, 'a notification could not be stored; the gateway will repeat it');
    throw new Failure('temporarily_unavailable', '', {}, { cause: error });
  }
}
