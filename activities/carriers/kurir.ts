/** Kurir over its REST interface; the wire is written down in docs/shop/parcels.md. */
import { z } from 'zod';
import type { ShipmentId } from '../../domain/ids.ts';
import { CARRIER_STATUSES, LABEL_CARRIER } from '../../domain/shipments.ts';
import { GatewayError } from '../gateways/gateway.ts';
import { type Answer, type Exchange, exchange, unreadable } from '../gateways/http.ts';
import type { Carrier, Label, Parcel, Voided } from './carrier.ts';

export interface KurirOptions {
  /** Without a trailing slash. */
  readonly url: string;
  readonly key: string;
  /** By default 8 seconds; reading takes 4 at most. */
  readonly timeoutMs?: number;
}

const status = z.enum(CARRIER_STATUSES);
const parcelSaid = z.object({
  id: z.string().min(1).max(100),
  reference: z.string(),
  trackingNumber: z.string().regex(/^[A-Za-z0-9-]{4,40}$/),
  status,
  labelPdf: z.base64().nullish(),
});
type ParcelSaid = z.infer<typeof parcelSaid>;

const trackingSaid = z.object({
  events: z.array(
    z.object({
      id: z.string().min(1).max(100),
      status,
      at: z.iso.datetime({ offset: true }),
      place: z.string().max(80).nullish(),
    }),
  ),
});
const refusalSaid = z.object({ code: z.string() });

/** With these the label has been taken by a courier. */
const UNUSED: readonly z.infer<typeof status>[] = ['created', 'voided'];

export function createKurir({ url, key: token, timeoutMs = 8_000 }: KurirOptions): Carrier {
  const common = { gateway: 'Kurir', headers: { authorization: `Bearer ${token}` } };
  const read = (purpose: string, path: string): Exchange => ({
    ...common,
    purpose,
    url: `${url}${path}`,
    method: 'GET',
    timeoutMs: Math.min(timeoutMs, 4_000),
  });
  const tell = (purpose: string, path: string, body: unknown): Exchange => ({
    ...common,
    purpose,
    url: `${url}${path}`,
    method: 'POST',
    body,
    timeoutMs,
  });

  async function find(key: ShipmentId): Promise<ParcelSaid | null> {
    const asked = read('find a label', `/v1/parcels?reference=${encodeURIComponent(key)}`);
    const answer = await exchange(asked);
    requireAccount(answer);
    const said = z.object({ items: z.array(parcelSaid) }).safeParse(answer.body);
    if (answer.status !== 200 || !said.success) throw unreadable(asked, `status ${answer.status} without parcels`);
    return said.data.items.find(({ reference }) => reference === key) ?? null;
  }

  async function buyLabel(key: ShipmentId, parcel: Parcel): Promise<Label> {
    const asked = tell('make a label', '/v1/parcels', { reference: key, ...parcel });
    try {
      const answer = await exchange(asked);
      return labelOf(parcelIn(asked, answer));
    } catch (error) {
      if (!wasLost(error)) throw error;
      const found = await find(key);
      if (!found) throw error;
      return labelOf(found);
    }
  }

  async function voidLabel(key: ShipmentId): Promise<Voided> {
    const found = await find(key);
    if (!found) return 'gone';
    if (found.status === 'voided') return 'voided';
    if (!UNUSED.includes(found.status)) return 'used';
    const asked = tell('take a label back', `/v1/parcels/${encodeURIComponent(found.id)}/void`, {});
    const answer = await exchange(asked);
    if (answer.status === 409 && refusalIn(answer) === 'already_used') return 'used';
    return parcelIn(asked, answer).status === 'voided' ? 'voided' : 'used';
  }

  return {
    name: LABEL_CARRIER,
    buyLabel,
    voidLabel,
    async track(trackingNumber) {
      const asked = read('track a parcel', `/v1/tracking/${encodeURIComponent(trackingNumber)}`);
      const answer = await exchange(asked);
      requireAccount(answer);
      if (answer.status === 404) return null;
      const said = trackingSaid.safeParse(answer.body);
      if (answer.status !== 200 || !said.success) throw unreadable(asked, `status ${answer.status} without events`);
      return said.data.events
        .map(({ id, status, at, place }) => ({
          eventId: id,
          status,
          at: new Date(at).toISOString(),
          place: place ?? null,
        }))
        .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
    },
  };
}

function parcelIn(asked: Exchange, answer: Answer): ParcelSaid {
  requireAccount(answer);
  if (answer.status === 422 || answer.status === 409) {
    throw new GatewayError('refused', 'invalid_request', `Kurir refused to ${asked.purpose}: ${refusalIn(answer)}.`);
  }
  const said = parcelSaid.safeParse(answer.body);
  if ((answer.status !== 200 && answer.status !== 201) || !said.success)
    throw unreadable(asked, `status ${answer.status} without a parcel`);
  return said.data;
}

/** A code, never the carrier's own words: they may repeat an address. */
const refusalIn = ({ body }: Answer): string => {
  const said = refusalSaid.safeParse(body);
  return said.success && /^[a-z_]{1,40}$/.test(said.data.code) ? said.data.code : 'no code given';
};

function requireAccount({ status }: Answer): void {
  if (status !== 401 && status !== 403) return;
  throw new GatewayError(
    'refused',
    'unauthorized',
    'Kurir refused the key; check ALUR_CARRIER_KEY and ALUR_CARRIER_URL.',
  );
}

const wasLost = (error: unknown): boolean => error instanceof GatewayError && error.kind === 'unknown';

function labelOf({ id, trackingNumber, labelPdf, status }: ParcelSaid): Label {
  if (status === 'voided')
    throw new GatewayError(
      'refused',
      'reference_used',
      'Kurir has taken this label back; another shipment needs its own.',
    );
  return { reference: id, trackingNumber, labelPdf: labelPdf == null ? null : Buffer.from(labelPdf, 'base64') };
}
