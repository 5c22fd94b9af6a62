/**
 * What becomes of the units of an order: each move is on record once (its event is the guard), goes along `unitTransitions`, and
 * writes what the order is then. Whoever calls tells `order/<orderId>` afterwards (`orderChanged`). The order is locked first,
 * before stock, invoices and payments.
 */
import type { Knex } from 'knex';
import type { EventType, Origin } from '../domain/events.ts';
import type { OrderId, OrderItemId, ReturnId, ShipmentId, UserId } from '../domain/ids.ts';
import {
  isOrderOver,
  type OrderState,
  orderLeadsTo,
  stateOfUnits,
  type UnitState,
  unitLeadsTo,
} from '../domain/orders.ts';
import { CLAIMING_REFUND_STATES } from '../domain/refunds.ts';
import { recordEachTime, recordEvent } from './events.ts';
import { writeOrderLetter } from './order-letters.ts';
import { costOf, countUnits, lockOrder, type OrderRecord, type UnitRecord } from './order-records.ts';

/** Which one: of an item, 1 first. */
export interface UnitRef {
  readonly orderItemId: OrderItemId;
  readonly number: number;
}

/** What stands in the events of an order. */
export const aboutOrder = ({ id, companyId }: Pick<OrderRecord, 'id' | 'companyId'>) => ({
  companyId,
  subject: `order/${id}` as const,
});

// ---- parcels --------------------------------------------------------------------------------------------------------

/** They have left, with this parcel. The stock is taken by the caller. @returns false when it was on record before */
export async function unitsShipped(
  tx: Knex,
  move: {
    readonly orderId: OrderId;
    readonly shipmentId: ShipmentId;
    readonly units: readonly UnitRef[];
    /** ISO 8601. */
    readonly at: string;
    readonly by: UserId | null;
    readonly origin?: Origin | undefined;
  },
): Promise<boolean> {
  const { orderId, shipmentId, at, by, origin } = move;
  const order = await lockOrder(tx, orderId);
  const units = move.units.map((ref) => unitOf(order, ref));
  const data = { shipmentId, units: units.length };
  const key = `shipment/${shipmentId}/units/shipped`;
  if (!(await note(tx, order, key, 'order.shipped', { at, by, origin, data }))) return false;
  await moveUnits(tx, order, units, 'shipped', { shipment_id: shipmentId });
  await tx('orders').where({ id: orderId }).whereNull('shipped_at').update({ shipped_at: at });
  await refreshOrder(tx, orderId, at);
  await writeOrderLetter(tx, 'order_shipped', { orderId, at, data: { shipmentId } });
  return true;
}

/** All of this parcel that is on its way, or was given up, has arrived. @returns false when it was on record before */
export async function unitsDelivered(
  tx: Knex,
  move: {
    readonly orderId: OrderId;
    readonly shipmentId: ShipmentId;
    readonly at: string;
    readonly by?: UserId | null;
  },
): Promise<boolean> {
  const { orderId, shipmentId, at, by = null } = move;
  const order = await lockOrder(tx, orderId);
  const units = order.units.filter((unit) => unit.shipmentId === shipmentId && isOnItsWay(unit));
  const data = { shipmentId, units: units.length };
  const key = `shipment/${shipmentId}/units/delivered`;
  if (!(await note(tx, order, key, 'order.delivered', { at, by, data }))) return false;
  await moveUnits(tx, order, units, 'delivered', { delivered_at: at });
  await refreshOrder(tx, orderId, at);
  if (units.length > 0) await writeOrderLetter(tx, 'order_delivered', { orderId, at, data: { shipmentId } });
  await noteArrivedLate(tx, order, { shipmentId, at, by });
  return true;
}

/** What was in it was cancelled and paid back by then: the customer has both, and the shop learns of it. */
async function noteArrivedLate(
  tx: Knex,
  order: OrderRecord,
  { shipmentId, at, by }: { readonly shipmentId: ShipmentId; readonly at: string; readonly by: UserId | null },
): Promise<void> {
  const gone = order.units.filter((unit) => unit.shipmentId === shipmentId && unit.state === 'cancelled');
  const isHere: unknown = await tx('events')
    .where({ key: `shipment/${shipmentId}/back` })
    .first('id');
  if (gone.length === 0 || isHere !== undefined) return;
  const amountMinor = gone.reduce((sum, unit) => sum + unit.givenBackMinor, 0n);
  const data = { shipmentId, units: gone.length, amountMinor: amountMinor.toString(), currency: order.currency };
  if (!(await note(tx, order, `shipment/${shipmentId}/arrived_late`, 'order.arrived_late', { at, by, data }))) return;
  const amount = { amountMinor: amountMinor.toString(), currency: order.currency };
  await writeOrderLetter(tx, 'order_arrived_late', { orderId: order.id, at, data: { shipmentId, amount } });
}

const isOnItsWay = ({ state }: UnitRecord): boolean => state === 'shipped' || state === 'lost';

/**
 * What of this parcel has not arrived is given up: it is lost, or comes back to us (`isSentBack`), which the customer is told in
 * other words.
 * @returns false when it was on record before
 */
export async function unitsLost(
  tx: Knex,
  move: {
    readonly orderId: OrderId;
    readonly shipmentId: ShipmentId;
    readonly at: string;
    readonly isSentBack?: boolean;
  },
): Promise<boolean> {
  const { orderId, shipmentId, at, isSentBack = false } = move;
  const order = await lockOrder(tx, orderId);
  const units = order.units.filter((unit) => unit.shipmentId === shipmentId && unit.state === 'shipped');
  const data = { shipmentId, units: units.length };
  const key = `shipment/${shipmentId}/units/lost`;
  if (!(await note(tx, order, key, 'order.units_lost', { at, data }))) return false;
  await moveUnits(tx, order, units, 'lost');
  await refreshOrder(tx, orderId, at);
  if (units.length > 0)
    for (const letter of [isSentBack ? 'order_sent_back' : 'order_lost', 'order_parcel_failed'] as const)
      await writeOrderLetter(tx, letter, { orderId, at, data: { shipmentId } });
  return true;
}

// ---- back -----------------------------------------------------------------------------------------------------------

/** These were received back and accepted (or stay with the customer). @returns false when each of them was back before */
export async function unitsReturned(
  tx: Knex,
  move: {
    readonly orderId: OrderId;
    readonly units: readonly UnitRef[];
    readonly returnId: ReturnId;
    readonly at: string;
  },
): Promise<boolean> {
  const { orderId, returnId, at } = move;
  const order = await lockOrder(tx, orderId);
  const units = move.units.map((ref) => unitOf(order, ref)).filter(({ state }) => state !== 'returned');
  if (units.length === 0) return false;
  await recordEachTime(tx, {
    key: `order/${orderId}/returned/${returnId}`,
    type: 'order.returned',
    ...aboutOrder(order),
    data: { returnId, units: units.length },
    at,
  });
  await moveUnits(tx, order, units, 'returned');
  await refreshOrder(tx, orderId, at);
  return true;
}

/**
 * Claims money of units for a refund or credit, never above what a unit cost.
 * @param key of the claim: the same one claims once
 * @returns false when it was claimed before
 * @throws RangeError above what a unit cost: a bug of the caller's
 */
export async function giveBack(
  tx: Knex,
  claim: {
    readonly orderId: OrderId;
    readonly units: readonly (UnitRef & { readonly amountMinor: bigint })[];
    readonly key: string;
    readonly at: string;
  },
): Promise<boolean> {
  const { orderId, units, key, at } = claim;
  const order = await lockOrder(tx, orderId);
  const amountMinor = units.reduce((sum, unit) => sum + unit.amountMinor, 0n);
  const data = { amountMinor: amountMinor.toString(), currency: order.currency };
  if (!(await note(tx, order, `order/${orderId}/given-back/${key}`, 'order.refunded', { at, data }))) return false;
  for (const { amountMinor: more, ...ref } of units) {
    const unit = unitOf(order, ref);
    if (more < 0n || unit.givenBackMinor + more > costOf(unit))
      throw new RangeError(`unit ${ref.orderItemId}/${ref.number} did not cost ${unit.givenBackMinor + more}`);
    await tx('order_units')
      .where({ order_item_id: ref.orderItemId, number: ref.number })
      .update({ given_back_minor: tx.raw('given_back_minor + ?::bigint', [more.toString()]) });
  }
  await refreshOrder(tx, orderId, at);
  return true;
}

// ---- packing --------------------------------------------------------------------------------------------------------

const PACKED_STATES: readonly OrderState[] = ['confirmed', 'backordered', 'partially_shipped'];

/** Somebody begins to pack it. @returns false when somebody had, or it is not to be packed */
export async function beginPacking(
  tx: Knex,
  begun: {
    readonly orderId: OrderId;
    readonly at: string;
    readonly by: UserId;
    readonly origin?: Origin | undefined;
  },
): Promise<boolean> {
  const { orderId, at, by, origin } = begun;
  const order = await lockOrder(tx, orderId);
  if (order.packingSince || !PACKED_STATES.includes(order.state)) return false;
  await note(tx, order, `order/${orderId}/packing`, 'order.packing_begun', { at, by, origin });
  await tx('orders').where({ id: orderId }).update({ packing_since: at });
  await refreshOrder(tx, orderId, at);
  return true;
}

// ---- what all of them share -----------------------------------------------------------------------------------------

/** @returns false when it was on record before: then there is nothing left to do */
export const note = (
  tx: Knex,
  order: Pick<OrderRecord, 'id' | 'companyId'>,
  key: string,
  type: EventType,
  said: {
    readonly at: string;
    readonly by?: UserId | null;
    readonly origin?: Origin | undefined;
    readonly data?: Readonly<Record<string, unknown>>;
  },
): Promise<boolean> => {
  const { by, ...rest } = said;
  return recordEvent(tx, { key, type, ...aboutOrder(order), ...(by ? { by } : {}), ...rest });
};

function unitOf({ id, units }: OrderRecord, { orderItemId, number }: UnitRef): UnitRecord {
  const unit = units.find((one) => one.orderItemId === orderItemId && one.number === number);
  if (!unit) throw new Error(`order ${id} has no unit ${orderItemId}/${number}`);
  return unit;
}

/** @throws Error for a way that `unitTransitions` does not know: a bug of the caller's */
export async function moveUnits(
  tx: Knex,
  order: OrderRecord,
  units: readonly UnitRecord[],
  to: UnitState,
  columns: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const stray = units.find(({ state }) => !unitLeadsTo(state, to));
  if (stray)
    throw new Error(`unit ${stray.orderItemId}/${stray.number} of ${order.id} is ${stray.state}, not to be ${to}`);
  if (units.length === 0) return;
  await tx('order_units')
    .where({ order_id: order.id })
    .whereIn(
      ['order_item_id', 'number'],
      units.map(({ orderItemId, number }) => [orderItemId, number]),
    )
    .update({ state: to, ...columns });
}

// One that failed is in somebody's hands: finance has a case of it, or staff the return.
const OPEN_REFUND = `
  select exists (select from refunds r join invoices i on i.id = r.invoice_id
    where i.order_id = :id and (r.state = any(:open)
      or exists (select from payment_cases c where c.refund_id = r.id and c.kind = 'refund_failed' and c.state = 'open')
      or (r.state = 'failed' and exists (select from returns e where e.id = r.return_id and e.ended_at is null)))) as "isOpen"`;

/** Whether money of it is on its way back, or was and has to be seen to. */
export async function hasOpenRefund(db: Knex, id: OrderId): Promise<boolean> {
  const open = CLAIMING_REFUND_STATES.filter((state) => state !== 'succeeded');
  const { rows }: { rows: { isOpen: boolean }[] } = await db.raw(OPEN_REFUND, { id, open });
  return rows[0]?.isOpen ?? false;
}

/**
 * Writes what an order is and what is left of its price, as its units say.
 * @param isTouched false: nothing was done to it, so its time of change moves only if it is in another state by now
 * @returns it as it is then
 */
export async function refreshOrder(tx: Knex, id: OrderId, at: string, isTouched = true): Promise<OrderRecord> {
  const order = await lockOrder(tx, id);
  const state = await stateNow(tx, order);
  if (state !== order.state && !orderLeadsTo(order.state, state))
    throw new Error(`order ${id} is ${order.state}, not to be ${state}`);
  if (!isTouched && state === order.state) return order;
  await tx('orders')
    .where({ id })
    .update({ ...amountsOf(order), ...(state === order.state ? {} : columnsOf(order, state, at)), updated_at: at });
  return lockOrder(tx, id);
}

/** Of what is still ordered; of an order that is over, of what it was. */
function amountsOf(order: OrderRecord): Readonly<Record<string, bigint>> {
  const left = order.units.filter(({ state }) => state !== 'cancelled');
  const units = left.length > 0 ? left : order.units;
  const sum = (of: (unit: UnitRecord) => bigint) => units.reduce((all, unit) => all + of(unit), 0n);
  const priceOf = new Map(order.items.map(({ id, unitPriceMinor }) => [id, unitPriceMinor]));
  const subtotal = sum(({ orderItemId }) => priceOf.get(orderItemId) ?? 0n);
  return {
    subtotal_minor: subtotal,
    discount_minor: subtotal - sum(({ netMinor }) => netMinor),
    shipping_minor: sum(({ shippingNetMinor }) => shippingNetMinor),
    tax_minor: sum(({ taxMinor, shippingTaxMinor }) => taxMinor + shippingTaxMinor),
    total_minor: sum(costOf),
  };
}

async function stateNow(tx: Knex, order: OrderRecord): Promise<OrderState> {
  const { state, packingSince } = order;
  if (isOrderOver(state)) return state;
  const units = countUnits(order.units);
  const byUnits = stateOfUnits(units, packingSince !== null);
  if (byUnits === 'cancelled') return byUnits;
  const unsent = units.waiting + units.reserved;
  if (unsent === 0 && (await isGivenBack(tx, order))) return 'refunded';
  return state === 'pending' || (state === 'on_hold' && unsent > 0) ? state : byUnits;
}

/** All that was paid for what is not cancelled has gone back. */
async function isGivenBack(tx: Knex, { id, units }: OrderRecord): Promise<boolean> {
  const left = units.filter(({ state }) => state !== 'cancelled');
  const cost = left.reduce((sum, unit) => sum + costOf(unit), 0n);
  const given = left.reduce((sum, unit) => sum + unit.givenBackMinor, 0n);
  return cost > 0n && given === cost && !(await hasOpenRefund(tx, id));
}

/** Nothing of it is on its way or to be sent: from then on its time to return anything runs, and ends. */
const isAllThere = (state: OrderState): boolean => ['delivered', 'returned', 'refunded'].includes(state);

const columnsOf = ({ deliveredAt }: OrderRecord, state: OrderState, at: string) => ({
  state,
  state_since: at,
  ...(isAllThere(state) && deliveredAt === null ? { delivered_at: at } : {}),
  ...(isOrderOver(state) ? { ended_at: at } : {}),
});
