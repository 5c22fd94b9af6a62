/**
 * Reads a Xendit notification off the wire. Pure: storing it, signalling and answering are the route's.
 * https://docs.xendit.co/docs/handling-webhooks
 */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { isSameSecret } from '../secrets.ts';
import { type GatewayNotification, jsonOf, type NotificationReading } from './notification.ts';

const invoice = z.object({
  id: z.string().min(1),
  external_id: z.string().min(1),
  status: z.string().min(1),
});

const refund = z.object({
  id: z.string().min(1),
  reference_id: z.string().min(1),
  status: z.string().min(1),
});

const refundEvent = z.object({ event: z.enum(['refund.succeeded', 'refund.failed']), data: z.unknown() });

/**
 * `ok` = the sender knew the account's callback token. **That is a password and no signature: nothing in the body is
 * vouched for**, whoever has seen one notification can write any other. It says where to look; only a look-up says what is so.
 * @param headers as Node gives them: names in lower case.
 * @param callbackToken the "webhook verification token" of the account's dashboard; an empty one lets nobody in.
 */
export function readXenditNotification(
  rawBody: Buffer,
  headers: IncomingHttpHeaders,
  callbackToken: string,
): NotificationReading {
  if (!knowsToken(headers['x-callback-token'], callbackToken)) return { ok: false, problem: 'bad_signature' };
  const body = jsonOf(rawBody);
  const said = refundEvent.safeParse(body).success ? readRefund(body) : readInvoice(body);
  if (said === null) return { ok: false, problem: 'malformed' };
  return { ok: true, notification: { gateway: 'xendit', ...said, body } };
}

function knowsToken(given: string | string[] | undefined, expected: string): boolean {
  return typeof given === 'string' && expected !== '' && isSameSecret(given, expected);
}

type Said = Pick<GatewayNotification, 'reference' | 'objectId' | 'status'>;

function readInvoice(body: unknown): Said | null {
  const said = invoice.safeParse(body);
  if (!said.success) return null;
  return { reference: said.data.external_id, objectId: said.data.id, status: said.data.status.toLowerCase() };
}

/** The envelope comes once or twice around the refund: the documentation shows both. */
function readRefund(body: unknown): Said | null {
  const outer = refundEvent.safeParse(body);
  if (!outer.success) return null;
  const inner = refundEvent.safeParse(outer.data.data);
  const said = refund.safeParse(inner.success ? inner.data.data : outer.data.data);
  if (!said.success) return null;
  // The status, not the event's name: the two could differ, and the refund's own word is what a look-up repeats.
  const status = `refund/${said.data.status.toLowerCase()}`;
  return { reference: said.data.reference_id, objectId: said.data.id, status };
}
