/**
 * Reads a Stripe event off the wire. Pure: storing it, signalling and answering are the route's.
 * https://docs.stripe.com/webhooks, https://docs.stripe.com/api/events/types
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Stripe } from 'stripe';
import { z } from 'zod';
import type { NotificationReading } from './notification.ts';

/** Seconds; an older event is a replay. Stripe signs each attempt anew, so its own repeats are never too old. */
const TOLERANCE_SECONDS = 300;

const event = z.object({
  object: z.literal('event'),
  type: z.string().min(1),
  data: z.object({
    object: z.object({
      id: z.string().min(1),
      mode: z.string().nullish(),
      client_reference_id: z.string().nullish(),
      metadata: z.record(z.string(), z.string()).nullish(),
      payment_intent: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
      status: z.string().nullish(),
      payment_status: z.string().optional(),
      amount_refunded: z.number().optional(),
    }),
  }),
});
type EventObject = z.infer<typeof event>['data']['object'];

/**
 * `ok` = Stripe wrote every byte of it within the last five minutes. A body that was cut or changed on the way is
 * `bad_signature`; `malformed` = signed, and no event as this account's classic webhooks bring them.
 * Asynchronous only because the SDK is loaded with the first event and not with the API.
 * @param headers as Node gives them: names in lower case.
 * @param secret `whsec_…`; an empty one lets nobody in.
 */
export async function readStripeNotification(
  rawBody: Buffer,
  headers: IncomingHttpHeaders,
  secret: string,
  now: Date = new Date(),
): Promise<NotificationReading> {
  const { webhooks, errors } = await loadSdk();
  const signature = headers['stripe-signature'];
  if (typeof signature !== 'string') return { ok: false, problem: 'bad_signature' };
  try {
    const body = webhooks.constructEvent(rawBody, signature, secret, TOLERANCE_SECONDS, undefined, now.getTime());
    return readEvent(body);
  } catch (error) {
    const forged = error instanceof errors.StripeSignatureVerificationError;
    // Whatever else it throws comes after the signature was found right: no JSON, or an event of another kind.
    return { ok: false, problem: forged ? 'bad_signature' : 'malformed' };
  }
}

let sdk: Promise<typeof Stripe> | undefined;

const loadSdk = (): Promise<typeof Stripe> => {
  sdk ??= import('stripe').then((module) => module.default);
  return sdk;
};

function readEvent(body: unknown): NotificationReading {
  const parsed = event.safeParse(body);
  if (!parsed.success) return { ok: false, problem: 'malformed' };
  const { type, data } = parsed.data;
  return {
    ok: true,
    notification: {
      gateway: 'stripe',
      reference: referenceOf(data.object),
      objectId: data.object.id,
      status: statusOf(type, data.object),
      body,
      ...(data.object.mode === 'setup' ? { cardSetup: data.object.client_reference_id ?? '' } : {}),
    },
  };
}

function referenceOf({ id, client_reference_id, metadata, payment_intent: intent }: EventObject): string {
  const paymentIntent = typeof intent === 'string' ? intent : intent?.id;
  return client_reference_id || metadata?.['alur_reference'] || paymentIntent || id;
}

/** Not the event's ID: Stripe sometimes writes two events about one step. https://docs.stripe.com/webhooks#handle-duplicate-events */
function statusOf(type: string, { status, payment_status, amount_refunded }: EventObject): string {
  // The amount tells one partial refund of a charge from the next.
  return [type, status, payment_status, amount_refunded]
    .filter((part) => part !== undefined && part !== null)
    .join('/');
}
