/** Parcels: the record of each, and where it is found. What becomes of one is in shipment-moves.ts. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import {
  asId,
  type CompanyId,
  type OrderId,
  type ReturnId,
  type Sha256,
  type ShipmentId,
  type UserId,
} from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { isStaff } from '../domain/roles.ts';
import { type Direction, isMoving, type ShipmentState } from '../domain/shipments.ts';
import { adoptNews } from './carrier-inbox.ts';
import { lockFile } from './documents.ts';
import { recordEvent } from './events.ts';
import type { UnitRef } from './order-moves.ts';

export interface NewShipment {
  readonly id: ShipmentId;
  readonly direction: Direction;
  readonly orderId: OrderId;
  /** Of a parcel back, and only there. */
  readonly returnId?: ReturnId | null;
  /** `LABEL_CARRIER`, or as a person calls another one. */
  readonly carrier: string;
  /** null = a label is bought (`LABEL_CARRIER`), or nobody has a number. */
  readonly trackingNumber: string | null;
  /** What is in it; of a parcel back its return says that. */
  readonly units: readonly UnitRef[];
  /** null = nobody in person. */
  readonly by: UserId | null;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Puts a parcel on record, once; news that came before it is found. The units' own state is the caller's (`unitsShipped`).
 * @returns false when it was on record before
 * @throws Failure `tracking_taken`
 */
export async function createShipment(tx: Knex, shipment: NewShipment): Promise<boolean> {
  const { id, direction, orderId, returnId = null, carrier, trackingNumber, units, by, at } = shipment;
  const known: { id: ShipmentId } | undefined = await tx('shipments').where({ id }).first('id');
  if (known) return false;
  const inserted = await tx('shipments')
    .insert({
      id,
      direction,
      order_id: orderId,
      return_id: returnId,
      carrier,
      tracking_number: trackingNumber,
      state: trackingNumber === null ? 'created' : 'labelled',
      shipped_at: direction === 'out' ? at : null,
      created_by: by,
      created_at: at,
      updated_at: at,
    })
    .onConflict()
    .ignore()
    .returning('id');
  if (inserted.length === 0) {
    const twin: unknown = await tx('shipments').where({ id }).first('id');
    if (twin) return false;
    throw trackingTaken();
  }
  if (direction === 'out') await putUnitsInto(tx, id, orderId, units);
  if (trackingNumber !== null) await adoptNews(tx, { shipmentId: id, carrier, trackingNumber });
  return true;
}

const trackingTaken = () => new Failure('tracking_taken', 'This tracking number stands on another shipment.');

async function putUnitsInto(tx: Knex, shipmentId: ShipmentId, orderId: OrderId, units: readonly UnitRef[]) {
  if (units.length === 0) return;
  const pairs = units.map(({ orderItemId, number }) => [orderItemId, number]);
  await tx('order_units')
    .where({ order_id: orderId })
    .whereIn(['order_item_id', 'number'], pairs)
    .update({ shipment_id: shipmentId });
}

/** A person says with whom a parcel travels: where no label could be bought. @throws Failure `tracking_taken`, `shipment_not_known` */
export async function enterTracking(
  tx: Knex,
  given: {
    readonly shipmentId: ShipmentId;
    readonly carrier: string;
    readonly trackingNumber: string;
    readonly by: UserId;
    readonly at: string;
    readonly origin?: Origin | undefined;
  },
): Promise<void> {
  const { shipmentId, carrier, trackingNumber, by, at, origin } = given;
  const shipment = await lockShipment(tx, shipmentId);
  if (shipment.carrier === carrier && shipment.trackingNumber === trackingNumber) return;
  if (shipment.state !== 'created')
    throw new Failure('shipment_not_known', `This shipment is ${shipment.state}: its number stays.`, {
      state: shipment.state,
    });
  const other: unknown = await tx('shipments').where({ carrier, tracking_number: trackingNumber }).first('id');
  if (other) throw trackingTaken();
  await recordLabelled(tx, shipment, { by, bought: false, at, origin });
  await tx('shipments')
    .where({ id: shipmentId })
    .update({ carrier, tracking_number: trackingNumber, state: 'labelled', updated_at: at });
  await adoptNews(tx, { shipmentId, carrier, trackingNumber });
}

/** The label of `LABEL_CARRIER` that was bought, with its paper. @returns false when it was on record before */
export async function recordLabel(
  tx: Knex,
  label: {
    readonly shipmentId: ShipmentId;
    readonly reference: string;
    readonly trackingNumber: string;
    readonly sha256: Sha256;
    readonly at: string;
  },
): Promise<boolean> {
  const { shipmentId, reference, trackingNumber, sha256, at } = label;
  const shipment = await lockShipment(tx, shipmentId);
  // Bought before, or taken back meanwhile.
  if (shipment.state !== 'created') return false;
  if (!(await recordLabelled(tx, shipment, { by: null, bought: true, at }))) return false;
  await tx('shipments').where({ id: shipmentId }).update({
    label_reference: reference,
    tracking_number: trackingNumber,
    label_sha256: sha256,
    state: 'labelled',
    updated_at: at,
  });
  await adoptNews(tx, { shipmentId, carrier: shipment.carrier, trackingNumber });
  return true;
}

async function recordLabelled(
  tx: Knex,
  shipment: ShipmentRecord,
  { by, bought, at, origin }: { by: UserId | null; bought: boolean; at: string; origin?: Origin | undefined },
): Promise<boolean> {
  const { id } = shipment;
  return recordEvent(tx, {
    key: `shipment/${id}/labelled`,
    type: 'shipment.labelled',
    ...aboutShipment(shipment),
    ...(by ? { by } : {}),
    data: { shipmentId: id, bought },
    origin,
    at,
  });
}

export interface ShipmentRecord {
  readonly id: ShipmentId;
  readonly direction: Direction;
  readonly orderId: OrderId;
  readonly returnId: ReturnId | null;
  readonly companyId: CompanyId;
  readonly carrier: string;
  readonly trackingNumber: string | null;
  /** The carrier's name of the label; null = it was not bought from here. */
  readonly labelReference: string | null;
  readonly labelSha256: Sha256 | null;
  readonly packingSlipSha256: Sha256 | null;
  readonly state: ShipmentState;
  readonly shippedAt: Date | null;
  /** By the carrier's clock. */
  readonly lastNewsAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly lostAt: Date | null;
  readonly photoSha256: Sha256 | null;
  readonly photoContentType: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = {
  id: 's.id',
  direction: 's.direction',
  orderId: 's.order_id',
  returnId: 's.return_id',
  companyId: 'o.company_id',
  carrier: 's.carrier',
  trackingNumber: 's.tracking_number',
  labelReference: 's.label_reference',
  labelSha256: 's.label_sha256',
  packingSlipSha256: 's.packing_slip_sha256',
  state: 's.state',
  shippedAt: 's.shipped_at',
  lastNewsAt: 's.last_news_at',
  deliveredAt: 's.delivered_at',
  lostAt: 's.lost_at',
  photoSha256: 's.photo_sha256',
  photoContentType: 's.photo_content_type',
  createdAt: 's.created_at',
  updatedAt: 's.updated_at',
};

const found = (db: Knex) => db('shipments as s').join('orders as o', 'o.id', 's.order_id');

export async function findShipment(db: Knex, id: ShipmentId): Promise<ShipmentRecord | null> {
  const row: ShipmentRecord | undefined = await found(db).where('s.id', id).first(COLUMNS);
  return row ?? null;
}

/** As its viewer may see it: staff each, others those of their companies. */
export async function shipmentSeenBy(db: Knex, viewer: Actor, id: ShipmentId): Promise<ShipmentRecord | null> {
  const row: ShipmentRecord | undefined = await found(db)
    .where('s.id', id)
    .modify((query) => ofViewer(query, viewer))
    .first(COLUMNS);
  return row ?? null;
}

/** null = there is no such order, or none that this person may see. */
export async function shipmentsSeenBy(db: Knex, viewer: Actor, orderId: OrderId): Promise<ShipmentRecord[] | null> {
  const order: unknown = await db('orders as o')
    .where('o.id', orderId)
    .modify((query) => ofViewer(query, viewer))
    .first('o.id');
  return order ? shipmentsOf(db, orderId) : null;
}

function ofViewer(query: Knex.QueryBuilder, { roles, userId }: Actor): void {
  if (isStaff(roles)) return;
  query.whereIn('o.company_id', (mine: Knex.QueryBuilder) =>
    mine.select('company_id').from('company_members').where('user_id', userId),
  );
}

/**
 * Nobody else changes it until the transaction ends. Whoever changes units of its order as well locks the order first
 * (`lockOrder`).
 * @throws Error when there is no such shipment
 */
export async function lockShipment(tx: Knex, id: ShipmentId): Promise<ShipmentRecord> {
  await tx('shipments').where({ id }).forUpdate().first('id');
  const shipment = await findShipment(tx, id);
  if (!shipment) throw new Error(`shipment ${id} is not on record`);
  return shipment;
}

/** Every parcel of an order, out and back, oldest first. */
export async function shipmentsOf(db: Knex, orderId: OrderId): Promise<ShipmentRecord[]> {
  const rows: ShipmentRecord[] = await found(db)
    .where('s.order_id', orderId)
    .orderBy([{ column: 's.created_at' }, { column: 's.id' }])
    .select(COLUMNS);
  return rows;
}

/** The parcels back of one return, oldest first: one whose label was taken back may be followed by another. */
export async function shipmentsOfReturn(db: Knex, returnId: ReturnId): Promise<ShipmentRecord[]> {
  const rows: ShipmentRecord[] = await found(db)
    .where('s.return_id', returnId)
    .orderBy([{ column: 's.created_at' }, { column: 's.id' }])
    .select(COLUMNS);
  return rows;
}

/** Those of a process that the carrier has told of and nobody has looked into: for `applyCarrierNews`. */
export async function shipmentsWithNews(
  db: Knex,
  of: { readonly orderId: OrderId } | { readonly returnId: ReturnId },
): Promise<ShipmentId[]> {
  const rows: { id: ShipmentId }[] = await db('shipments as s')
    .where('orderId' in of ? { 's.order_id': of.orderId, 's.direction': 'out' } : { 's.return_id': of.returnId })
    .whereExists(
      db('carrier_inbox as i').select(db.raw('1')).whereRaw('i.shipment_id = s.id').whereNull('i.handled_at'),
    )
    .orderBy('s.id')
    .select({ id: 's.id' });
  return rows.map(({ id }) => asId<ShipmentId>(id));
}

/** What is in it: of a parcel out its units, of one back those that its return asks for. */
export interface PackedLine {
  readonly sku: string;
  readonly name: { readonly id: string; readonly en: string };
  readonly quantity: number;
  readonly serials: readonly string[];
  readonly batches: readonly string[];
}

export async function packedLines(
  db: Knex,
  { id, direction, returnId }: Pick<ShipmentRecord, 'id' | 'direction' | 'returnId'>,
): Promise<PackedLine[]> {
  const units = db('order_units as u').join('order_items as i', 'i.id', 'u.order_item_id');
  const those =
    direction === 'out'
      ? units.where('u.shipment_id', id)
      : units
          .join('return_units as r', (on) => on.on('r.order_item_id', 'u.order_item_id').andOn('r.number', 'u.number'))
          .where('r.return_id', returnId)
          .whereNotIn('r.state', ['refused', 'withdrawn', 'kept']);
  const rows: PackedLine[] = await those
    .groupBy(['i.id', 'i.sku', 'i.name', 'i.position'])
    .orderBy('i.position')
    .select({
      sku: 'i.sku',
      name: 'i.name',
      quantity: db.raw('count(*)::int'),
      serials: db.raw(`coalesce(array_agg(u.serial order by u.number) filter (where u.serial is not null), '{}')`),
      batches: db.raw(`coalesce(array_agg(distinct u.batch) filter (where u.batch is not null), '{}')`),
    });
  return rows;
}

/** Grams; what has no weight counts nothing. */
export async function weightOf(
  db: Knex,
  shipment: Pick<ShipmentRecord, 'id' | 'direction' | 'returnId'>,
): Promise<number> {
  const lines = await packedLines(db, shipment);
  const weights: { sku: string; grams: number }[] = await db('products')
    .whereIn(
      'sku',
      lines.map(({ sku }) => sku),
    )
    .select({ sku: 'sku', grams: 'weight_grams' });
  const gramsOf = new Map(weights.map(({ sku, grams }) => [sku, grams]));
  return lines.reduce((sum, { sku, quantity }) => sum + quantity * (gramsOf.get(sku) ?? 0), 0);
}

export async function recordPackingSlip(
  db: Knex,
  { shipmentId, sha256 }: { readonly shipmentId: ShipmentId; readonly sha256: Sha256 },
): Promise<void> {
  await db('shipments')
    .where({ id: shipmentId })
    .whereNull('packing_slip_sha256')
    .update({ packing_slip_sha256: sha256 });
}

/**
 * Proof of delivery; a later one replaces it.
 * @param keepFile stores it again unless it is there: an upload of the same bytes may have been purged meanwhile
 */
export async function recordDeliveryPhoto(
  tx: Knex,
  photo: {
    readonly shipmentId: ShipmentId;
    readonly sha256: Sha256;
    readonly contentType: string;
    readonly at: string;
  },
  keepFile: () => Promise<unknown>,
): Promise<void> {
  const { shipmentId, sha256, contentType, at } = photo;
  await lockShipment(tx, shipmentId);
  await lockFile(tx, sha256, 'shared');
  await keepFile();
  await tx('shipments')
    .where({ id: shipmentId })
    .update({ photo_sha256: sha256, photo_content_type: contentType, updated_at: at });
}

/** What stands in the events of a parcel. */
export const aboutShipment = ({ direction, orderId, returnId, companyId }: ShipmentRecord) => ({
  companyId,
  subject: direction === 'out' || returnId === null ? (`order/${orderId}` as const) : (`rma/${returnId}` as const),
});

/** It is with the carrier for longer than this. */
export const isOverdue = (shipment: ShipmentRecord, days: number, now: number): boolean =>
  isMoving(shipment.state) && shipment.shippedAt !== null && now - shipment.shippedAt.getTime() > days * 86_400_000;
