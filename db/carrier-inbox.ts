/** What carriers tell, before anything acts on it; and what they say when they are asked. */
import type { Knex } from 'knex';
import { asId, type OrderId, type ReturnId, type ShipmentId } from '../domain/ids.ts';
import type { CarrierStatus } from '../domain/shipments.ts';

/** One thing that happened to a parcel, as its carrier tells it. */
export interface CarrierEvent {
  /** The carrier's own name of it: twice is once. */
  readonly eventId: string;
  readonly status: CarrierStatus;
  /** ISO 8601, by the carrier's clock. */
  readonly at: string;
  /** A town, never an address; null = not said. */
  readonly place: string | null;
}

export interface NewCarrierNotice extends CarrierEvent {
  readonly carrier: string;
  readonly trackingNumber: string;
  /** ISO 8601. */
  readonly receivedAt: string;
}

/** Whose parcel it is about. */
export interface ToldParcel {
  readonly shipmentId: ShipmentId;
  readonly orderId: OrderId;
  /** null = on its way to the customer. */
  readonly returnId: ReturnId | null;
}

export interface ReceivedCarrierNotice {
  /** null = no parcel of ours has this number yet: the notice is kept until one has. */
  readonly parcel: ToldParcel | null;
  /** A process has looked into it: a repeat needs nothing more. */
  readonly handled: boolean;
}

/** Stores what a carrier told, once for each of its events. */
export async function receiveCarrierNotice(db: Knex, notice: NewCarrierNotice): Promise<ReceivedCarrierNotice> {
  const { carrier, eventId, trackingNumber, status, at, place, receivedAt } = notice;
  const { rows }: { rows: ReceivedRow[] } = await db.raw(STORE, {
    carrier,
    eventId,
    trackingNumber,
    status,
    at,
    details: JSON.stringify(place === null ? {} : { place }),
    receivedAt,
  });
  const [row] = rows;
  if (!row) throw new Error(`the notice ${eventId} of ${carrier} was neither stored nor found`);
  const parcel =
    row.shipmentId === null || row.orderId === null
      ? null
      : parcelOf({ ...row, shipmentId: row.shipmentId, orderId: row.orderId });
  return { parcel, handled: row.handled };
}

interface ReceivedRow {
  readonly shipmentId: string | null;
  readonly orderId: string | null;
  readonly returnId: string | null;
  readonly handled: boolean;
}

const parcelOf = (row: { shipmentId: string; orderId: string; returnId: string | null }): ToldParcel => ({
  shipmentId: asId<ShipmentId>(row.shipmentId),
  orderId: asId<OrderId>(row.orderId),
  returnId: row.returnId === null ? null : asId<ReturnId>(row.returnId),
});

/** Of an event the first words are kept; a carrier's clock that is ahead of ours must not outdo later news. */
const STORE = `
  with stored as (
    insert into carrier_inbox as i (carrier, event_id, tracking_number, status, at, details, shipment_id, received_at)
      values (:carrier, :eventId, :trackingNumber, :status, least(:at::timestamptz, :receivedAt::timestamptz), :details,
        (select id from shipments where carrier = :carrier and tracking_number = :trackingNumber), :receivedAt)
    on conflict (carrier, event_id) do update set shipment_id = coalesce(i.shipment_id, excluded.shipment_id)
    returning i.shipment_id, i.handled_at
  )
  select s.id as "shipmentId", s.order_id as "orderId", s.return_id as "returnId", t.handled_at is not null as handled
    from stored t left join shipments s on s.id = t.shipment_id`;

/** What was told of this number before the parcel was on record is its news. */
export async function adoptNews(
  tx: Knex,
  of: { readonly shipmentId: ShipmentId; readonly carrier: string; readonly trackingNumber: string },
): Promise<void> {
  await tx('carrier_inbox')
    .where({ carrier: of.carrier, tracking_number: of.trackingNumber })
    .whereNull('shipment_id')
    .update({ shipment_id: of.shipmentId });
}

/** The same for notices that came in the very moment in which their parcel was put on record. @returns how many */
export async function adoptLateNews(db: Knex, limit: number): Promise<number> {
  const result: { rowCount: number } = await db.raw(
    `update carrier_inbox i set shipment_id = s.id
       from (select u.id, p.id as parcel from carrier_inbox u
               join shipments p on p.carrier = u.carrier and p.tracking_number = u.tracking_number
              where u.shipment_id is null limit ?) as found(id, parcel)
       join shipments s on s.id = found.parcel
      where i.id = found.id`,
    [limit],
  );
  return result.rowCount;
}

/** Notices of this parcel that nobody has looked into: the newest one's ID; null = there are none. */
export async function newestWaiting(db: Knex, shipmentId: ShipmentId): Promise<bigint | null> {
  const row: { id: bigint | null } | undefined = await db('carrier_inbox')
    .where({ shipment_id: shipmentId })
    .whereNull('handled_at')
    .first({ id: db.raw('max(id)') });
  return row?.id ?? null;
}

/** The carrier was asked after these came: what it said then is what counts. */
export async function markCarrierNewsHandled(
  tx: Knex,
  shipmentId: ShipmentId,
  upTo: bigint,
  at: string,
): Promise<void> {
  await tx('carrier_inbox')
    .where({ shipment_id: shipmentId })
    .where('id', '<=', upTo.toString())
    .whereNull('handled_at')
    .update({ handled_at: at });
}

/** The story of a parcel as its carrier tells it when asked: what a notice has said otherwise is put right. */
export async function keepConfirmed(
  tx: Knex,
  of: {
    readonly shipmentId: ShipmentId;
    readonly carrier: string;
    readonly trackingNumber: string;
    readonly at: string;
  },
  events: readonly CarrierEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ eventId, status, at, place }) => ({
    carrier: of.carrier,
    event_id: eventId,
    tracking_number: of.trackingNumber,
    status,
    at,
    details: JSON.stringify(place === null ? {} : { place }),
    shipment_id: of.shipmentId,
    confirmed: true,
    received_at: of.at,
    handled_at: of.at,
  }));
  await tx('carrier_inbox')
    .insert(rows)
    .onConflict(['carrier', 'event_id'])
    .merge(['status', 'at', 'details', 'shipment_id', 'confirmed']);
}

export interface TrackedEvent {
  readonly shipmentId: ShipmentId;
  readonly status: CarrierStatus;
  readonly at: Date;
  readonly place: string | null;
}

/** What the carrier has confirmed of these parcels, oldest first. */
export async function trackedEvents(db: Knex, shipmentIds: readonly ShipmentId[]): Promise<TrackedEvent[]> {
  const rows: TrackedEvent[] = await db('carrier_inbox')
    .whereIn('shipment_id', [...shipmentIds])
    .where({ confirmed: true })
    .orderBy([{ column: 'at' }, { column: 'id' }])
    .select({ shipmentId: 'shipment_id', status: 'status', at: 'at', place: db.raw(`details->>'place'`) });
  return rows;
}
