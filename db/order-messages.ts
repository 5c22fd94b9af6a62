/**
 * What people ask of an order: each message is done once, or refused, and answered in the same transaction. What is applied
 * here stands in `shop_messages` since before the process heard of it.
 */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import {
  asId,
  type OrderId,
  type OrderItemId,
  type ShipmentId,
  type ShopMessageId,
  type UserId,
} from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import { type OrderSituation, PAID_BACK, refuseOrderMessage, stateOfUnits } from '../domain/orders.ts';
import { settledOrder } from './order-advance.ts';
import { cancelUnits, type OrderTools } from './order-cancellation.ts';
import { type EditOrder, editOrder } from './order-edits.ts';
import { invoicesOfOrder } from './order-invoices.ts';
import { writeOrderLetter } from './order-letters.ts';
import { beginPacking, note, refreshOrder, unitsShipped } from './order-moves.ts';
import { takeBackParcel } from './order-parcels-back.ts';
import { countUnits, lockOrder, type OrderRecord, type UnitRecord } from './order-records.ts';
import { type OrderStanding, standingOf } from './order-standing.ts';
import { deliverShipment } from './shipment-moves.ts';
import { createShipment } from './shipments.ts';
import { answerShopMessage, lockShopMessage } from './shop-messages.ts';
import { lockStock, takeFromStock } from './stock.ts';
import { namedUuid } from './uuids.ts';

/** Some of an item; by its ID, or by the SKU, of which an order has one item. */
export interface ItemWish {
  readonly orderItemId?: OrderItemId | undefined;
  readonly sku?: string | undefined;
  readonly quantity: number;
}

export interface ShipWish extends ItemWish {
  readonly serials?: readonly string[] | undefined;
  readonly batch?: string | undefined;
}

/** The content of a message on record. `items` absent = all that is possible. */
export type OrderMessage =
  | { readonly kind: 'cancel'; readonly items?: readonly ItemWish[]; readonly byPayer: boolean }
  | { readonly kind: 'hold'; readonly note?: string | null }
  | { readonly kind: 'release' }
  | ({ readonly kind: 'edit' } & EditOrder)
  | { readonly kind: 'pack' }
  | {
      readonly kind: 'ship';
      readonly items?: readonly ShipWish[];
      readonly carrier: string;
      readonly trackingNumber: string | null;
    }
  | { readonly kind: 'deliver'; readonly shipmentId?: ShipmentId | null }
  | { readonly kind: 'take_back'; readonly shipmentId: ShipmentId };

export interface ApplyMessage {
  readonly orderId: OrderId;
  readonly messageId: ShopMessageId;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
}

interface Asked extends Omit<ApplyMessage, 'orderId'> {
  readonly by: UserId;
  readonly tools: OrderTools;
}

/** @returns why it was not done, or null; and how the order stands now, either way */
export async function applyOrderMessage(
  tx: Knex,
  tools: OrderTools,
  input: ApplyMessage,
): Promise<{ readonly standing: OrderStanding; readonly refusal: Refusal | null }> {
  const { orderId, messageId, at } = input;
  const message = await lockShopMessage(tx, messageId);
  if (message.subject !== `order/${orderId}`) throw new Error(`message ${messageId} is about ${message.subject}`);
  const before = await lockOrder(tx, orderId);
  let refusal = message.answer?.refusal ?? null;
  if (!message.answer) {
    const order = await settledOrder(tx, tools, before, at);
    const content = await contentOf(tx, messageId);
    refusal = await orRefusal(tx, (inner) => obey(inner, order, content, { ...input, by: message.by, tools }));
    await answerShopMessage(tx, messageId, refusal, at);
    await settledOrder(tx, tools, await lockOrder(tx, orderId), at);
  }
  return { standing: await standingOf(tx, await refreshOrder(tx, orderId, at), Date.parse(at)), refusal };
}

/** As the API has validated it before it went on record. Where parcels go is kept with the order and nowhere else. */
async function contentOf(tx: Knex, id: ShopMessageId): Promise<OrderMessage> {
  const row: { content: OrderMessage } | undefined = await tx('shop_messages').where({ id }).first('content');
  if (!row) throw new Error(`message ${id} is not on record`);
  await tx('shop_messages')
    .where({ id })
    .update({ content: tx.raw(`content - 'shipTo'`) });
  return row.content;
}

/** What was half done when it turned out impossible is undone. */
async function orRefusal(tx: Knex, run: (inner: Knex) => Promise<Refusal | null>): Promise<Refusal | null> {
  let refusal: Refusal | null = null;
  try {
    await tx.transaction(async (inner) => {
      refusal = await run(inner);
    });
    return refusal;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, message: error.message, facts: error.facts };
  }
}

export const situationOf = ({ state, units }: OrderRecord): OrderSituation => ({ state, units: countUnits(units) });

async function obey(tx: Knex, order: OrderRecord, message: OrderMessage, asked: Asked): Promise<Refusal | null> {
  const refusal = refuseOrderMessage(message.kind, situationOf(order));
  if (refusal) return refusal;
  switch (message.kind) {
    case 'cancel':
      return cancel(tx, order, message, asked);
    case 'hold':
      return hold(tx, order, message, asked);
    case 'release':
      return release(tx, order, asked);
    case 'edit':
      await editOrder(tx, asked.tools, order, message, { ...asked, key: asked.messageId });
      return null;
    case 'pack':
      await beginPacking(tx, { orderId: order.id, by: asked.by, at: asked.at, origin: asked.origin });
      return null;
    case 'ship':
      return ship(tx, order, message, asked);
    case 'deliver':
      return deliver(tx, order, message, asked);
    case 'take_back':
      return takeBackParcel(tx, asked.tools, order, { ...asked, key: asked.messageId, shipmentId: message.shipmentId });
  }
}

// ---- cancelling -----------------------------------------------------------------------------------------------------

const CANCELLABLE: readonly UnitRecord['state'][] = ['waiting', 'reserved', 'lost'];

async function cancel(
  tx: Knex,
  order: OrderRecord,
  { items, byPayer }: Extract<OrderMessage, { kind: 'cancel' }>,
  { tools, messageId: key, by, at, origin }: Asked,
): Promise<null> {
  // What waits for stock goes first; what was lost, last.
  const free = CANCELLABLE.flatMap((state) => order.units.filter((unit) => unit.state === state));
  const units = items ? chosen(order, free, items).flatMap((one) => one.units) : free;
  const isLost = units.every(({ state }) => state === 'lost');
  const reason = isLost ? 'lost' : byPayer ? 'asked' : 'refused';
  await cancelUnits(tx, tools, order, { units, key, reason, by, byPayer, at, origin });
  return null;
}

/** @throws Failure `items_not_known` for what is not in the order, or not as many */
function chosen<Wish extends ItemWish>(
  { items }: OrderRecord,
  free: readonly UnitRecord[],
  wishes: readonly Wish[],
): { wish: Wish; sku: OrderRecord['items'][number]['sku']; units: UnitRecord[] }[] {
  const taken = new Set<UnitRecord>();
  return wishes.map((wish) => {
    const item = items.find(({ id, sku }) => id === wish.orderItemId || (!wish.orderItemId && sku === wish.sku));
    if (!item) throw new Failure('items_not_known', 'One of the items is not in this order.');
    const units = free.filter((unit) => unit.orderItemId === item.id && !taken.has(unit)).slice(0, wish.quantity);
    if (units.length < wish.quantity)
      throw new Failure('items_not_known', `Of ${item.sku} there are only ${units.length} that this can be done with.`);
    for (const unit of units) taken.add(unit);
    return { wish, sku: item.sku, units };
  });
}

// ---- looking at it --------------------------------------------------------------------------------------------------

async function hold(
  tx: Knex,
  order: OrderRecord,
  { note: text = null }: Extract<OrderMessage, { kind: 'hold' }>,
  { messageId, by, at, origin }: Asked,
): Promise<null> {
  await note(tx, order, `order/${order.id}/held/${messageId}`, 'order.held', { at, by, origin });
  await tx('orders')
    .where({ id: order.id })
    .update({ state: 'on_hold', held_from: order.state, hold_note: text, state_since: at, updated_at: at });
  await writeOrderLetter(tx, 'order_on_hold', { orderId: order.id, at });
  return null;
}

async function release(tx: Knex, order: OrderRecord, { messageId, by, at, origin }: Asked): Promise<null> {
  const { id: orderId, paidAt, packingSince, units } = order;
  await note(tx, order, `order/${orderId}/released/${messageId}`, 'order.released', { at, by, origin });
  const state = paidAt ? stateOfUnits(countUnits(units), packingSince !== null) : 'pending';
  await tx('orders')
    .where({ id: orderId })
    .update({ state, held_from: null, hold_note: null, state_since: at, updated_at: at });
  if (paidAt)
    await writeOrderLetter(tx, state === 'backordered' ? 'order_backordered' : 'order_confirmed', { orderId, at });
  return null;
}

// ---- parcels --------------------------------------------------------------------------------------------------------

async function ship(
  tx: Knex,
  order: OrderRecord,
  message: Extract<OrderMessage, { kind: 'ship' }>,
  { messageId, by, at, origin }: Asked,
): Promise<Refusal | null> {
  const { id: orderId } = order;
  const paid = new Set<string | null>([null]);
  for (const { id, state } of await invoicesOfOrder(tx, orderId)) if (state === 'paid') paid.add(id);
  const free = order.units.filter(({ state, invoiceId }) => state === 'reserved' && paid.has(invoiceId));
  const all = order.items.flatMap(({ id: orderItemId }): ShipWish[] => {
    const quantity = free.filter((unit) => unit.orderItemId === orderItemId).length;
    return quantity > 0 ? [{ orderItemId, quantity }] : [];
  });
  const parts = chosen(order, free, message.items ?? all);
  const units = parts.flatMap((part) => part.units);
  if (units.length === 0)
    return { code: 'order_not_shippable', message: 'Nothing of this order is ready to ship.', facts: {} };
  const shipmentId = asId<ShipmentId>(namedUuid(`order/${orderId}/shipment/${messageId}`));
  const { carrier, trackingNumber } = message;
  await createShipment(tx, { id: shipmentId, direction: 'out', orderId, carrier, trackingNumber, units, by, at });
  await takeGoods(tx, order, parts, { key: `shipment/${shipmentId}`, by, at });
  await unitsShipped(tx, { orderId, shipmentId, units, at, by, origin });
  return null;
}

async function takeGoods(
  tx: Knex,
  { id: orderId }: OrderRecord,
  parts: ReturnType<typeof chosen<ShipWish>>,
  how: { readonly key: string; readonly by: UserId; readonly at: string },
): Promise<void> {
  await lockStock(
    tx,
    parts.map(({ sku }) => sku),
  );
  for (const [index, { wish, sku, units }] of parts.entries()) {
    const [first] = units;
    if (!first) continue;
    const { orderItemId } = first;
    const { serials, batch } = wish;
    const unitNumbers = units.map(({ number }) => number);
    const taken = await takeFromStock(tx, {
      ...{ orderId, orderItemId, sku, quantity: units.length, unitNumbers, serials, batch, ...how },
      key: `${how.key}/${index}`,
    });
    for (const { unitNumber: number, location, serial, batch: of } of taken)
      await tx('order_units').where({ order_item_id: orderItemId, number }).update({ location, serial, batch: of });
  }
}

/** Absent = all that are on their way; where none is, the one that was given up and has turned up after all. */
async function deliver(
  tx: Knex,
  order: OrderRecord,
  { shipmentId }: Extract<OrderMessage, { kind: 'deliver' }>,
  { by, at }: Asked,
): Promise<Refusal | null> {
  const parcels = (state: UnitRecord['state']) =>
    new Set(order.units.flatMap((unit) => (unit.shipmentId && unit.state === state ? [unit.shipmentId] : [])));
  const [shipped, lost] = [parcels('shipped'), parcels('lost')];
  if (shipmentId) {
    if (!shipped.has(shipmentId) && !lost.has(shipmentId)) return notToDeliver(parcels('cancelled').has(shipmentId));
    await deliverShipment(tx, { shipmentId, at, by });
    return null;
  }
  const meant = shipped.size > 0 ? shipped : lost;
  if (shipped.size === 0 && lost.size > 1)
    return unknown('Several parcels were given up. Say which one has arrived (shipmentId).');
  for (const id of meant) await deliverShipment(tx, { shipmentId: id, at, by });
  return null;
}

const unknown = (message: string): Refusal => ({ code: 'shipment_not_known', message, facts: {} });

const notToDeliver = (isPaidBack: boolean): Refusal =>
  isPaidBack
    ? { code: 'order_not_open', message: PAID_BACK, facts: {} }
    : unknown('No such parcel of this order is on its way.');
