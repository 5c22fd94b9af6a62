/** What becomes of a parcel: each move once, in one transaction, and its units with it. Whoever calls tells the process. */
import type { Knex } from 'knex';
import type { EventType } from '../domain/events.ts';
import type { CompanyId, ReturnId, ShipmentId, UserId } from '../domain/ids.ts';
import {
  afterNews,
  isMoving,
  LABEL_CARRIER,
  type ShipmentNews,
  type ShipmentState,
  stateOfStatus,
} from '../domain/shipments.ts';
import { type CarrierEvent, keepConfirmed, markCarrierNewsHandled, type ToldParcel } from './carrier-inbox.ts';
import { recordEachTime, recordEvent } from './events.ts';
import { unitsDelivered, unitsLost } from './order-moves.ts';
import { writeReturnLetter } from './return-letters.ts';
import { aboutShipment, findShipment, lockShipment, type ShipmentRecord } from './shipments.ts';

const EVENTS: Record<ShipmentState, EventType> = {
  created: 'shipment.moved',
  labelled: 'shipment.labelled',
  in_transit: 'shipment.moved',
  out_for_delivery: 'shipment.moved',
  exception: 'shipment.moved',
  sent_back: 'shipment.moved',
  delivered: 'shipment.delivered',
  lost: 'shipment.lost',
  voided: 'shipment.label_voided',
};

interface Move {
  readonly shipmentId: ShipmentId;
  readonly news: readonly ShipmentNews[];
  /** ISO 8601: when it goes on record. */
  readonly at: string;
  readonly by?: UserId | null;
}

/**
 * Takes in what is known of a parcel. Its order is locked before it, as by everybody who changes units.
 * @returns whether it is somewhere else than before
 */
export async function moveShipment(tx: Knex, { shipmentId, news, at, by = null }: Move): Promise<boolean> {
  const before = await findShipment(tx, shipmentId);
  if (!before) throw new Error(`shipment ${shipmentId} is not on record`);
  await tx('orders').where({ id: before.orderId }).forUpdate().first('id');
  if (before.returnId) await tx('returns').where({ id: before.returnId }).forUpdate().first('id');
  const shipment = await lockShipment(tx, shipmentId);
  const stands: ShipmentNews = { state: shipment.state, at: shipment.lastNewsAt?.getTime() ?? 0 };
  const next = afterNews(stands, news);
  if (next.state === shipment.state) {
    if (next.at > stands.at) await write(tx, shipmentId, { last_news_at: new Date(next.at) });
    return false;
  }
  await recordMove(tx, shipment, next.state, { at, by });
  await write(tx, shipmentId, {
    state: next.state,
    last_news_at: new Date(next.at),
    updated_at: at,
    ...datesOf(shipment, next, news),
  });
  await moveUnits(tx, shipment, next.state, { at, by });
  return true;
}

const write = (tx: Knex, id: ShipmentId, columns: Readonly<Record<string, unknown>>) =>
  tx('shipments').where({ id }).update(columns);

function datesOf(shipment: ShipmentRecord, next: ShipmentNews, news: readonly ShipmentNews[]) {
  const first = Math.min(next.at, ...news.filter(({ state }) => isMoving(state)).map((one) => one.at));
  const hasLeft = next.state !== 'voided' && next.state !== 'labelled';
  return {
    ...(shipment.shippedAt === null && hasLeft ? { shipped_at: new Date(first) } : {}),
    ...(next.state === 'delivered' ? { delivered_at: new Date(next.at) } : {}),
    ...(next.state === 'lost' ? { lost_at: new Date(next.at) } : {}),
  };
}

async function recordMove(
  tx: Knex,
  shipment: ShipmentRecord,
  state: ShipmentState,
  { at, by }: { at: string; by: UserId | null },
): Promise<void> {
  await recordEachTime(tx, {
    key: `shipment/${shipment.id}/${state}`,
    type: EVENTS[state],
    ...aboutShipment(shipment),
    ...(by ? { by } : {}),
    data: { shipmentId: shipment.id, direction: shipment.direction, from: shipment.state, to: state },
    at,
  });
}

/** The units follow a parcel out; what becomes of one that comes back, its return says. */
async function moveUnits(
  tx: Knex,
  { id, direction, orderId, returnId }: ShipmentRecord,
  state: ShipmentState,
  { at, by }: { at: string; by: UserId | null },
): Promise<void> {
  if (direction !== 'out') {
    if (state === 'delivered' && returnId) await noteArrivedLate(tx, { returnId, shipmentId: id, at });
    return;
  }
  // By our clock and not the carrier's: a late notice must not shorten the days in which goods may be returned.
  if (state === 'delivered') await unitsDelivered(tx, { orderId, shipmentId: id, at, by });
  if (state === 'lost') await unitsLost(tx, { orderId, shipmentId: id, at });
}

/** Its goods were given up and are paid for: they lie here now, and somebody puts them away by hand. */
async function noteArrivedLate(
  tx: Knex,
  { returnId, shipmentId, at }: { readonly returnId: ReturnId; readonly shipmentId: ShipmentId; readonly at: string },
): Promise<void> {
  const given: { companyId: CompanyId; units: number } | undefined = await tx('returns as r')
    .join('return_units as u', 'u.return_id', 'r.id')
    .where({ 'r.id': returnId, 'r.keeps_items': false, 'u.state': 'kept' })
    .groupBy('r.id')
    .first({ companyId: 'r.company_id', units: tx.raw('count(*)::int') });
  if (!given) return;
  const isNew = await recordEvent(tx, {
    key: `rma/${returnId}/arrived_late/${shipmentId}`,
    type: 'return.arrived_late',
    companyId: given.companyId,
    subject: `rma/${returnId}`,
    data: { shipmentId, units: given.units },
    at,
  });
  if (!isNew) return;
  for (const role of ['seller', 'warehouse'] as const)
    await writeReturnLetter(tx, 'return_to_staff', {
      ...{ returnId, to: 'staff', at },
      data: { reasons: ['arrived_after_refund'], role, shipmentId },
    });
}

/**
 * Gives a parcel up, as the policy or a person says. One that has arrived stays where it is.
 * @returns false when it was lost before, or has arrived
 */
export const loseShipment = (
  tx: Knex,
  { shipmentId, at, by = null }: { readonly shipmentId: ShipmentId; readonly at: string; readonly by?: UserId | null },
): Promise<boolean> => moveShipment(tx, { shipmentId, news: [{ state: 'lost', at: Date.parse(at) }], at, by });

/** Somebody says that it has arrived: where no carrier tells, or before it does. @returns false when it had */
export const deliverShipment = (
  tx: Knex,
  { shipmentId, at, by = null }: { readonly shipmentId: ShipmentId; readonly at: string; readonly by?: UserId | null },
): Promise<boolean> => moveShipment(tx, { shipmentId, news: [{ state: 'delivered', at: Date.parse(at) }], at, by });

/** Its label was taken back at the carrier, or there never was one. @returns false when a parcel travels with it, or it was */
export const voidShipment = (
  tx: Knex,
  { shipmentId, at }: { readonly shipmentId: ShipmentId; readonly at: string },
): Promise<boolean> => moveShipment(tx, { shipmentId, news: [{ state: 'voided', at: Date.parse(at) }], at });

/** What the carrier said when it was asked. @param asked.upTo the newest notice that had come before; null = none had */
export async function takeTracking(
  tx: Knex,
  asked: {
    readonly shipment: ShipmentRecord & { readonly trackingNumber: string };
    readonly events: readonly CarrierEvent[];
    readonly upTo: bigint | null;
    readonly at: string;
  },
): Promise<boolean> {
  const { shipment, upTo, at } = asked;
  // A carrier's clock that is ahead of ours must not outdo later news.
  const events = asked.events.map((event) => ({ ...event, at: earlier(event.at, at) }));
  const news = events.map((event) => ({ state: stateOfStatus(event.status), at: Date.parse(event.at) }));
  const moved = await moveShipment(tx, { shipmentId: shipment.id, news, at });
  const { id: shipmentId, carrier, trackingNumber } = shipment;
  await keepConfirmed(tx, { shipmentId, carrier, trackingNumber, at }, events);
  if (upTo !== null) await markCarrierNewsHandled(tx, shipmentId, upTo, at);
  await write(tx, shipmentId, { asked_at: at });
  return moved;
}

const earlier = (one: string, other: string): string => (Date.parse(one) < Date.parse(other) ? one : other);

// ---- the sweep ------------------------------------------------------------------------------------------------------

export interface ParcelToAsk extends ToldParcel {
  /** Because the carrier has told of it; else because it was silent for long. */
  readonly wasTold: boolean;
}

/**
 * Parcels that the carrier is to be asked about: those with notices that nobody has looked into, then those that were not
 * asked about for long.
 * @param since.receivedBefore younger notices are being told by the API that took them
 * @param since.askedBefore of those without a notice @param since.createdAfter older ones are left to people
 */
export async function parcelsToAsk(
  db: Knex,
  since: { readonly receivedBefore: string; readonly askedBefore: string; readonly createdAfter: string },
  limit: number,
): Promise<ParcelToAsk[]> {
  const { rows }: { rows: ParcelToAsk[] } = await db.raw(
    `with told as (
       select distinct i.shipment_id as id from carrier_inbox i
        where i.handled_at is null and i.shipment_id is not null and i.received_at < :receivedBefore
     )
     select s.id as "shipmentId", s.order_id as "orderId", s.return_id as "returnId", true as "wasTold"
       from shipments s join told on told.id = s.id where s.carrier = :carrier
     union all
     (select s.id, s.order_id, s.return_id, false from shipments s
       where s.state in ('labelled', 'in_transit', 'out_for_delivery', 'exception', 'lost') and s.carrier = :carrier
         and s.tracking_number is not null and s.created_at > :createdAfter
         and coalesce(s.asked_at, s.created_at) < :askedBefore and not exists (select from told where told.id = s.id)
       order by s.asked_at nulls first, s.id limit :limit)
     limit :limit`,
    { ...since, carrier: LABEL_CARRIER, limit },
  );
  return rows;
}

/** Parcels out that lack their slip, or the label that the carrier sells. */
export async function parcelsWithoutPapers(db: Knex, before: string, limit: number): Promise<ShipmentId[]> {
  const rows: { id: ShipmentId }[] = await db('shipments')
    .where({ direction: 'out' })
    .whereNull('packing_slip_sha256')
    .where('created_at', '<', before)
    .orderBy('created_at')
    .limit(limit)
    .select('id');
  return rows.map(({ id }) => id);
}
