/** Parcels of an order: where they are, their papers, and the photo that shows one delivered. */
import { z } from 'zod';
import { trackedEvents } from '../../db/carrier-inbox.ts';
import {
  enterTracking,
  packedLines,
  recordDeliveryPhoto,
  type ShipmentRecord,
  shipmentSeenBy,
  shipmentsSeenBy,
} from '../../db/shipments.ts';
import { Failure } from '../../domain/failures.ts';
import type { Sha256, ShipmentId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/licensing.ts';
import { isStaff, may } from '../../domain/roles.ts';
import type { ApiDeps } from '../deps.ts';
import { makePapers, tellOfParcel } from '../parcel-process.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json, noContent, type Route, stream } from '../route.ts';
import { orderIdSchema, shipmentIdSchema } from '../schemas/ids.ts';
import { shipmentsSchema, trackingSchema } from '../schemas/shipments.ts';
import { storedPdf } from '../stored-pdf.ts';
import { timeJson, timeOrNull } from '../wire.ts';
import { contentTypeOf, MAX_BYTES } from './documents.ts';

const tags = ['Orders'];
const params = z.object({ id: shipmentIdSchema });

const list = defineRoute({
  method: 'get',
  path: '/orders/:id/shipments',
  summary: 'The parcels of an order, out and back, oldest first',
  tags,
  permission: 'order.read',
  params: z.object({ id: orderIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'All of them', schema: shipmentsSchema } },
  async handler({ params: { id }, actor, deps, locale }) {
    const shipments = await shipmentsSeenBy(deps.db, actor, id);
    if (!shipments) throw new Failure('not_found', 'There is no such order, or none that you may see.');
    return json(200, { items: await shipmentsJson(deps, shipments, locale), nextCursor: null });
  },
});

const packingSlip = defineRoute({
  method: 'get',
  path: '/shipments/:id/packing-slip',
  summary: 'What lies in a parcel, to print',
  description: 'With the address: for whoever bought it, and for whoever packs it.',
  tags,
  permission: 'order.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The packing slip', contentType: 'application/pdf' } },
  async handler({ params: { id }, actor, deps }) {
    const shipment = await withAddress(deps, actor, id);
    if (shipment.direction === 'back') throw new Failure('not_found', 'A parcel that comes back has no packing slip.');
    return paper(deps, actor, shipment, ({ packingSlipSha256 }) => packingSlipSha256, 'packing-slip');
  },
});

const label = defineRoute({
  method: 'get',
  path: '/shipments/:id/label',
  summary: 'The label for the outside of a parcel, with its tracking number as QR code',
  description: 'Where the label was bought from here; a parcel that somebody took to another carrier has none.',
  tags,
  permission: 'order.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The label', contentType: 'application/pdf' } },
  async handler({ params: { id }, actor, deps }) {
    const shipment = await withAddress(deps, actor, id);
    if (shipment.state === 'voided') throw new Failure('not_found', 'This label was taken back. Do not use it.');
    const isToCome = shipment.direction === 'out' && shipment.state === 'created';
    if (!shipment.labelSha256 && !isToCome) throw new Failure('not_found', 'No label was bought for this parcel.');
    return paper(deps, actor, shipment, ({ labelSha256 }) => labelSha256, 'label');
  },
});

const tracking = defineRoute({
  method: 'put',
  path: '/shipments/:id/tracking',
  summary: 'Say with whom a parcel travels, where no label could be bought',
  tags,
  permission: 'order.ship',
  params,
  body: trackingSchema,
  problems: ['not_found', 'shipment_not_known', 'tracking_taken'],
  responses: { 204: { description: 'It is on record' } },
  async handler({ params: { id }, body, actor, origin, deps }) {
    const { orderId, returnId } = await seen(deps, actor, id);
    const at = new Date().toISOString();
    await deps.db.transaction((tx) => enterTracking(tx, { ...body, shipmentId: id, by: actor.userId, at, origin }));
    void tellOfParcel(deps, { shipmentId: id, orderId, returnId });
    return noContent();
  },
});

const IMAGES: readonly string[] = ['image/jpeg', 'image/png'];

const addPhoto = defineRoute({
  method: 'post',
  path: '/shipments/:id/delivery-photo',
  summary: 'The photo that shows a parcel delivered: JPEG or PNG, at most 10 MB; a later one replaces it',
  description: 'What a file is, its content says.',
  tags,
  permission: 'order.ship',
  params,
  limit: 'upload',
  multipart: { file: 'file', maxBytes: MAX_BYTES },
  problems: ['not_found', 'unsupported_media_type', 'file_too_large'],
  responses: { 204: { description: 'Stored' } },
  async handler({ params: { id }, file, actor, deps }) {
    await seen(deps, actor, id);
    const contentType = await contentTypeOf(file.content);
    if (!IMAGES.includes(contentType)) throw new Failure('unsupported_media_type', 'Send a photo: JPEG or PNG.');
    await deps.documentChecks.check(file.content, contentType);
    const { sha256 } = await deps.files.put(file.content);
    const at = new Date().toISOString();
    const kept = { shipmentId: id, sha256, contentType, at };
    await deps.db.transaction((tx) => recordDeliveryPhoto(tx, kept, () => deps.files.put(file.content)));
    return noContent();
  },
});

const photo = defineRoute({
  method: 'get',
  path: '/shipments/:id/delivery-photo',
  summary: 'The photo that shows a parcel delivered',
  tags,
  permission: 'order.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'The photo', contentType: 'application/octet-stream' } },
  async handler({ params: { id }, actor, deps }) {
    const { photoSha256, photoContentType } = await seen(deps, actor, id);
    if (!photoSha256 || !photoContentType) throw new Failure('not_found', 'There is no photo of this delivery.');
    const file = await deps.files.open(photoSha256);
    if (!file) throw new Error(`the delivery photo of shipment ${id} is missing from the store`);
    return stream(photoContentType, file.stream, {
      bytes: file.bytes,
      filename: `delivery-${id}.${photoContentType === 'image/png' ? 'png' : 'jpg'}`,
      disposition: 'inline',
      headers: { 'Cache-Control': 'private, no-cache' },
    });
  },
});

export const shipmentRoutes: readonly Route[] = [list, packingSlip, label, tracking, addPhoto, photo];

async function seen({ db }: ApiDeps, actor: Actor, id: ShipmentId): Promise<ShipmentRecord> {
  const shipment = await shipmentSeenBy(db, actor, id);
  if (!shipment) throw new Failure('not_found', 'There is no such shipment, or none that you may see.');
  return shipment;
}

/** Staff who neither pack nor sell have no business with a customer's address. */
async function withAddress(deps: ApiDeps, actor: Actor, id: ShipmentId): Promise<ShipmentRecord> {
  const shipment = await seen(deps, actor, id);
  if (isStaff(actor.roles) && !may(actor.roles, 'order.ship'))
    throw new Failure('not_found', 'The papers of a parcel carry an address: they are for whoever packs it.');
  return shipment;
}

/** The minute's watch prints them; who asks before that has them printed. */
async function paper(
  deps: ApiDeps,
  actor: Actor,
  shipment: ShipmentRecord,
  of: (shipment: ShipmentRecord) => Sha256 | null,
  name: string,
) {
  const stored =
    of(shipment) ?? ((await makePapers(deps, shipment.id)) ? of(await seen(deps, actor, shipment.id)) : null);
  if (!stored) throw new Failure('not_found', 'The PDF is being made. Ask again in a minute.');
  return storedPdf(deps.files, stored, `${name}-${shipment.id}`);
}

export async function shipmentsJson({ db }: Pick<ApiDeps, 'db'>, shipments: readonly ShipmentRecord[], locale: Locale) {
  const events = await trackedEvents(
    db,
    shipments.map(({ id }) => id),
  );
  return Promise.all(
    shipments.map(async (shipment) => ({
      id: shipment.id,
      orderId: shipment.orderId,
      returnId: shipment.returnId,
      direction: shipment.direction,
      state: shipment.state,
      carrier: shipment.carrier,
      trackingNumber: shipment.trackingNumber,
      units: (await packedLines(db, shipment)).map(({ sku, name, quantity }) => ({
        sku,
        name: name[locale],
        quantity,
      })),
      shippedAt: timeOrNull(shipment.shippedAt),
      deliveredAt: timeOrNull(shipment.deliveredAt),
      lostAt: timeOrNull(shipment.lostAt),
      hasLabel: shipment.labelSha256 !== null && shipment.state !== 'voided',
      hasDeliveryPhoto: shipment.photoSha256 !== null,
      events: events
        .filter(({ shipmentId }) => shipmentId === shipment.id)
        .map(({ status, at, place }) => ({ status, at: timeJson(at), place })),
      createdAt: timeJson(shipment.createdAt),
    })),
  );
}
