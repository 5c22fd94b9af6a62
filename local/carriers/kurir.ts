/** Kurir's sandbox: labels, tracking, and the notices that tell of what happens to a parcel. The wire: docs/shop/parcels.md. */
import { createHash, createHmac, randomInt, randomUUID, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import express, { type Request, Router } from 'express';
import { z } from 'zod';
import { CARRIER_STATUSES } from '../../domain/shipments.ts';
import { createFaults, type Faults, misbehaving, type Reply } from '../gateways/faults.ts';
import { createJsonStore } from '../gateways/json-store.ts';
import { createNotifier, type Delivery } from '../gateways/notifier.ts';
import { type EventOptions, ImpossibleEvent } from '../gateways/sandbox.ts';

const event = z.object({
  id: z.string(),
  status: z.enum(CARRIER_STATUSES),
  at: z.string(),
  place: z.string().nullable(),
});
type KurirEvent = z.infer<typeof event>;

const parcel = z.object({
  id: z.string(),
  reference: z.string(),
  trackingNumber: z.string(),
  direction: z.enum(['out', 'back']),
  weightGrams: z.number(),
  /** Where it leaves and where it goes; streets and names are on the label only. */
  fromCity: z.string().nullable(),
  toCity: z.string().nullable(),
  events: z.array(event),
});
export type KurirParcel = z.infer<typeof parcel>;

const place = z.object({
  name: z.string().min(1).max(200),
  phone: z.string().min(5).max(30).nullable(),
  address: z.string().min(1).max(1_000),
  city: z.string().min(1).max(100).nullable(),
  postalCode: z.string().max(10).nullable(),
});
const order = z.object({
  reference: z.string().min(8).max(64),
  direction: z.enum(['out', 'back']),
  from: place,
  to: place,
  weightGrams: z.number().int().min(0).max(1_000_000),
});

export const KURIR_EVENTS = [
  'pickup',
  'in-transit',
  'out-for-delivery',
  'deliver',
  'exception',
  'lose',
  'find',
  'send-back',
] as const;
export type KurirEventName = (typeof KURIR_EVENTS)[number];

const STATUS_OF: Readonly<Record<KurirEventName, KurirEvent['status']>> = {
  pickup: 'picked_up',
  'in-transit': 'in_transit',
  'out-for-delivery': 'out_for_delivery',
  deliver: 'delivered',
  exception: 'exception',
  lose: 'lost',
  find: 'found',
  'send-back': 'returned_to_sender',
};

export interface KurirSandboxOptions {
  readonly key: string;
  readonly webhookSecret: string;
  /** A folder of its own inside; null = memory only. */
  readonly stateDir: string | null;
  readonly clock: () => Date;
  readonly notificationUrl: () => string;
  readonly notificationTimeoutMs: number;
  readonly retryScale: number;
}

export interface ShownParcel extends KurirParcel {
  readonly status: KurirEvent['status'];
  readonly notifications: readonly Delivery[];
}

export interface KurirSandbox {
  readonly router: Router;
  readonly faults: Faults;
  list(): ShownParcel[];
  /** null = no parcel has this number. @throws ImpossibleEvent */
  play(
    trackingNumber: string,
    name: KurirEventName,
    how: Pick<EventOptions, 'webhook' | 'delayMs'>,
  ): Promise<ShownParcel | null>;
  flush(): Promise<void>;
  close(): void;
}

// After a minute, five, half an hour, and every three hours.
const RETRY_DELAYS_MS = [1, 5, 30, 180, 180, 180].map((minutes) => minutes * 60_000);

/** What a courier's scanner does not do twice: a parcel that has arrived has arrived. */
export function createKurirSandbox(options: KurirSandboxOptions): KurirSandbox {
  const { clock, key } = options;
  const faults = createFaults();
  const parcels = createJsonStore(options.stateDir === null ? null : join(options.stateDir, 'kurir'), parcel);
  const notifier = createNotifier({
    faults,
    timeoutMs: options.notificationTimeoutMs,
    retryDelaysMs: RETRY_DELAYS_MS.map((delay) => delay * options.retryScale),
    retriesFor: (status) => (status !== null && status >= 200 && status < 300 ? 0 : RETRY_DELAYS_MS.length),
    encode: (body, forged) => signed(JSON.stringify(body), forged ? 'somebody-else' : options.webhookSecret),
  });
  const statusOf = ({ events }: KurirParcel) => events.at(-1)?.status ?? 'created';
  const view = (one: KurirParcel): ShownParcel => ({
    ...one,
    status: statusOf(one),
    notifications: notifier.deliveries(one.trackingNumber),
  });
  const byReference = (reference: string) => parcels.find((one) => one.reference === reference);
  const byNumber = (trackingNumber: string) => parcels.find((one) => one.trackingNumber === trackingNumber);

  function add(one: KurirParcel, status: KurirEvent['status'], where: string | null): KurirParcel {
    const id = `${one.trackingNumber}-${one.events.length + 1}`;
    const next = { ...one, events: [...one.events, { id, status, at: clock().toISOString(), place: where }] };
    parcels.put(next.id, next);
    return next;
  }

  function buy(req: Request): Reply {
    const given = order.safeParse(req.body);
    if (!given.success) return refusal(422, 'invalid_parcel');
    const { reference, direction, weightGrams, from, to } = given.data;
    const known = byReference(reference);
    if (known) return { status: 200, body: said(known) };
    const fresh: KurirParcel = {
      id: `KRP-${randomUUID()}`,
      reference,
      trackingNumber: `KR${String(randomInt(10 ** 11)).padStart(11, '0')}`,
      direction,
      weightGrams,
      fromCity: from.city,
      toCity: to.city,
      events: [],
    };
    return { status: 201, body: said(add(fresh, 'created', from.city)) };
  }

  function voidOne(req: Request): Reply {
    const one = parcels.get(String(req.params['id']));
    if (!one) return refusal(404, 'not_found');
    if (statusOf(one) === 'voided') return { status: 200, body: said(one) };
    if (statusOf(one) !== 'created') return refusal(409, 'already_used');
    return { status: 200, body: said(add(one, 'voided', null)) };
  }

  const said = (one: KurirParcel) => ({
    id: one.id,
    reference: one.reference,
    trackingNumber: one.trackingNumber,
    status: statusOf(one),
    labelPdf: null,
  });

  const router = Router();
  router.use('/v1', (req, res, next) => {
    if (sameToken(req.headers.authorization, `Bearer ${key}`)) return next();
    res.status(401).json({ code: 'unauthorized' });
  });
  router.use(express.json({ limit: '64kb' }));
  const names = (req: Request) =>
    [req.body?.reference, req.query['reference']].filter((name) => typeof name === 'string');
  router.post('/v1/parcels', misbehaving(faults, 'create', buy, names));
  router.get(
    '/v1/parcels',
    misbehaving(faults, 'list', (req) => {
      const one = byReference(String(req.query['reference']));
      return { status: 200, body: { items: one ? [said(one)] : [] } };
    }),
  );
  router.post('/v1/parcels/:id/void', misbehaving(faults, 'cancel', voidOne));
  router.get(
    '/v1/tracking/:trackingNumber',
    misbehaving(faults, 'status', (req) => {
      const one = byNumber(String(req.params['trackingNumber']));
      if (!one) return refusal(404, 'not_found');
      return { status: 200, body: { trackingNumber: one.trackingNumber, status: statusOf(one), events: one.events } };
    }),
  );

  return {
    router,
    faults,
    list: () => parcels.all().map(view),
    async play(trackingNumber, name, how) {
      const before = byNumber(trackingNumber);
      if (!before) return null;
      requirePossible(before, name, statusOf(before));
      const earlier = before.events.at(-1);
      const next =
        how.webhook === 'forged'
          ? before
          : add(before, STATUS_OF[name], name === 'deliver' ? before.toCity : before.fromCity);
      const last = next.events.at(-1);
      const told = (one: KurirEvent | undefined) =>
        one && notice(next, how.webhook === 'forged' ? { ...one, status: STATUS_OF[name] } : one);
      await notifier.announce(
        { key: trackingNumber, url: options.notificationUrl, body: told(last), earlier: told(earlier) ?? null },
        how,
      );
      return view(next);
    },
    flush: () => notifier.flush(),
    close: notifier.close,
  };
}

const notice = ({ trackingNumber }: KurirParcel, { id, status, at, place: where }: KurirEvent) => ({
  eventId: id,
  trackingNumber,
  status,
  at,
  place: where,
});

const signed = (text: string, secret: string) => ({
  text,
  headers: { 'x-kurir-signature': createHmac('sha256', secret).update(text).digest('hex') },
});

function requirePossible({ trackingNumber }: KurirParcel, name: KurirEventName, status: KurirEvent['status']): void {
  if (status === 'delivered' || status === 'returned_to_sender')
    throw new ImpossibleEvent(`${trackingNumber} is ${status}: nothing more happens to it.`);
  if (name === 'find' && status !== 'lost') throw new ImpossibleEvent(`${trackingNumber} is ${status}, not lost.`);
}

const refusal = (status: number, code: string): Reply => ({ status, body: { code } });

function sameToken(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given ?? ''), digest(expected));
}
