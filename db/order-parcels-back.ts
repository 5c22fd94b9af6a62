/** A parcel that could not be delivered is here again: its goods lie on the shelf, and nobody has to pay for them. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { ShipmentId, UserId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { cancelUnits, type OrderTools } from './order-cancellation.ts';
import { note, unitsLost } from './order-moves.ts';
import { lockOrder, type OrderRecord, type UnitRecord } from './order-records.ts';
import { moveShipment } from './shipment-moves.ts';
import { findShipment } from './shipments.ts';
import { lockStock, putToStock } from './stock.ts';

interface TakeBack {
  readonly shipmentId: ShipmentId;
  /** Of the message. */
  readonly key: string;
  readonly by: UserId;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/** In the caller's transaction; each parcel once, whoever says it. What was cancelled of it before is on the shelf only. */
export async function takeBackParcel(
  tx: Knex,
  tools: OrderTools,
  { id: orderId }: OrderRecord,
  { shipmentId, key, by, at, origin }: TakeBack,
): Promise<Refusal | null> {
  const shipment = await findShipment(tx, shipmentId);
  if (shipment?.orderId !== orderId || shipment.direction !== 'out' || shipment.state === 'delivered') return UNKNOWN;
  await moveShipment(tx, { shipmentId, news: [{ state: 'sent_back', at: Date.parse(at) }], at, by });
  await unitsLost(tx, { orderId, shipmentId, at, isSentBack: true });
  const order = await lockOrder(tx, orderId);
  const units = order.units.filter((unit) => unit.shipmentId === shipmentId && isOurs(unit));
  const data = { shipmentId, units: units.length };
  if (!(await note(tx, order, `shipment/${shipmentId}/back`, 'order.parcel_back', { at, by, origin, data })))
    return null;
  await putOnShelf(tx, order, units, { shipmentId, by, at });
  const lost = units.filter(({ state }) => state === 'lost');
  const asked = { units: lost, key, reason: 'lost', by, byPayer: false, at, origin } as const;
  if (lost.length > 0) await cancelUnits(tx, tools, order, asked);
  return null;
}

const UNKNOWN: Refusal = {
  code: 'shipment_not_known',
  message: 'No parcel of this order that could come back has this ID.',
  facts: {},
};

const isOurs = ({ state }: UnitRecord): boolean => state === 'lost' || state === 'cancelled';

/** Where they were taken from, as they were. */
async function putOnShelf(
  tx: Knex,
  { id: orderId, items }: OrderRecord,
  units: readonly UnitRecord[],
  { shipmentId, by, at }: Pick<TakeBack, 'shipmentId' | 'by' | 'at'>,
): Promise<void> {
  await lockStock(
    tx,
    items.map(({ sku }) => sku),
  );
  for (const { id, sku } of items)
    for (const unit of units.filter(({ orderItemId }) => orderItemId === id))
      await putToStock(tx, {
        ...{ sku, orderId, by, at, kind: 'restocked', quantity: 1, batch: unit.batch },
        key: `shipment/${shipmentId}/back/${id}/${unit.number}`,
        location: unit.location ?? undefined,
        ...(unit.serial ? { serials: [unit.serial] } : {}),
      });
}
