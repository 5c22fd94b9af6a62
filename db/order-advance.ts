/**
 * What an order does by itself: what was paid meanwhile is booked first, what waits gets its stock, and then at most one thing
 * that is due is done. Each is one transaction; who comes again finds it done.
 */
import type { Knex } from 'knex';
import type { OrderId, ShipmentId } from '../domain/ids.ts';
import { asId } from '../domain/ids.ts';
import { isRisky } from '../domain/order-risk.ts';
import { nextOrderDue } from '../domain/order-timeline.ts';
import { isOrderOver, stateOfUnits } from '../domain/orders.ts';
import { recordEachTime } from './events.ts';
import { cancelUnits, type OrderTools } from './order-cancellation.ts';
import { type InvoiceOfOrder, invoicesOfOrder } from './order-invoices.ts';
import { writeOrderLetter } from './order-letters.ts';
import { aboutOrder, moveUnits, note, refreshOrder, unitsLost } from './order-moves.ts';
import { countUnits, lockOrder, type OrderRecord, type UnitRecord } from './order-records.ts';
import { type OrderStanding, standingOf, timesOf } from './order-standing.ts';
import { loseShipment } from './shipment-moves.ts';
import { keepReserved, reserve } from './stock.ts';

export interface AdvanceOrder {
  readonly orderId: OrderId;
  /** ISO 8601. */
  readonly at: string;
}

/** Safe to repeat. */
export async function advanceOrder(tx: Knex, tools: OrderTools, { orderId, at }: AdvanceOrder): Promise<OrderStanding> {
  const before = await lockOrder(tx, orderId);
  await tx('orders').where({ id: orderId }).whereNull('taken_at').update({ taken_at: at });
  const settled = await settledOrder(tx, tools, before, at);
  // What was paid changes what is due: whoever asks, asks again.
  if (settled !== before) return nowOf(true);
  const due = nextOrderDue(await timesOf(tx, settled), Date.parse(at));
  const isDue = due !== null && due.at <= Date.parse(at);
  if (isDue) await climb(tx, settled, due.rung, at);
  return nowOf(isDue);

  async function nowOf(isTouched: boolean): Promise<OrderStanding> {
    return standingOf(tx, await refreshOrder(tx, orderId, at, isTouched), Date.parse(at));
  }
}

// ---- what has become of its money and its goods ---------------------------------------------------------------------

/** Books what was paid or was not, and reserves what waits. @returns the same object when there was nothing to do */
export async function settledOrder(tx: Knex, tools: OrderTools, order: OrderRecord, at: string): Promise<OrderRecord> {
  if (isOrderOver(order.state)) return order;
  const isDone =
    (await settleInvoices(tx, tools, order, at)) ||
    (await giveUpSentBack(tx, order, at)) ||
    (await fillWaiting(tx, order, at));
  return isDone ? settledOrder(tx, tools, await lockOrder(tx, order.id), at) : order;
}

async function settleInvoices(tx: Knex, tools: OrderTools, order: OrderRecord, at: string): Promise<boolean> {
  for (const invoice of await invoicesOfOrder(tx, order.id)) {
    const charged = order.units.filter(({ invoiceId, state }) => invoiceId === invoice.id && isUnsent(state));
    if (charged.length > 0 && (await settleInvoice(tx, tools, order, invoice, charged, at))) return true;
  }
  return false;
}

const isUnsent = (state: UnitRecord['state']): boolean => state === 'waiting' || state === 'reserved';

async function settleInvoice(
  tx: Knex,
  tools: OrderTools,
  order: OrderRecord,
  invoice: InvoiceOfOrder,
  units: readonly UnitRecord[],
  at: string,
): Promise<boolean> {
  switch (invoice.state) {
    case 'paid':
      return order.paidAt === null && confirm(tx, order, invoice, at);
    case 'lapsed':
    case 'void': {
      const key = `unpaid/${invoice.id}`;
      await cancelUnits(tx, tools, order, { units, key, reason: 'unpaid', by: null, byPayer: false, at });
      return true;
    }
    case 'open':
    case 'reversed':
      return false;
  }
}

/** Paid: a person looks at it first, or it can be packed. */
async function confirm(tx: Knex, order: OrderRecord, invoice: InvoiceOfOrder, at: string): Promise<boolean> {
  const { id: orderId, state, policy, riskScore } = order;
  const data = { invoiceId: invoice.id };
  if (!(await note(tx, order, `order/${orderId}/confirmed`, 'order.confirmed', { at, data }))) return false;
  await keepReserved(tx, orderId, at);
  const holds = state !== 'on_hold' && isRisky({ score: riskScore }, policy.risk);
  const free = stateOfUnits(countUnits(order.units), false);
  if (holds) await note(tx, order, `order/${orderId}/held/risk`, 'order.held', { at, data: { riskScore } });
  const next = holds || state === 'on_hold' ? 'on_hold' : free;
  await tx('orders')
    .where({ id: orderId })
    .update({
      paid_at: at,
      expires_at: null,
      state: next,
      ...(next === 'on_hold' ? { held_from: free } : {}),
      ...(next === state ? {} : { state_since: at }),
      updated_at: at,
    });
  await writeOrderLetter(tx, letterOf(next), { orderId, at });
  return true;
}

const letterOf = (state: string) =>
  state === 'on_hold' ? 'order_on_hold' : state === 'backordered' ? 'order_backordered' : 'order_confirmed';

/** Reserves what lies there by now for units that wait. @returns whether there was any */
async function fillWaiting(tx: Knex, order: OrderRecord, at: string): Promise<boolean> {
  const waiting = order.units.filter(({ state }) => state === 'waiting');
  if (waiting.length === 0) return false;
  const wants = order.items.flatMap(({ id, sku }) => {
    const quantity = waiting.filter(({ orderItemId }) => orderItemId === id).length;
    return quantity > 0 ? [{ orderItemId: id, sku, quantity }] : [];
  });
  const expiresAt = order.paidAt ? null : (order.expiresAt?.toISOString() ?? null);
  const reserved = await reserve(tx, { orderId: order.id, wants, expiresAt, at });
  const left = new Map<string, number>();
  for (const { orderItemId, quantity } of reserved) left.set(orderItemId, (left.get(orderItemId) ?? 0) + quantity);
  const filled = waiting.filter(({ orderItemId }) => {
    const has = left.get(orderItemId) ?? 0;
    left.set(orderItemId, has - 1);
    return has > 0;
  });
  if (filled.length === 0) return false;
  const key = `order/${order.id}/stock`;
  const data = { units: filled.length };
  await recordEachTime(tx, { key, type: 'order.stock_arrived', ...aboutOrder(order), data, at });
  await moveUnits(tx, order, filled, 'reserved');
  await refreshOrder(tx, order.id, at);
  return true;
}

/** A parcel that came back to us has not arrived: its units are given up, for a person to decide. */
async function giveUpSentBack(tx: Knex, order: OrderRecord, at: string): Promise<boolean> {
  const ids = order.units.flatMap(({ state, shipmentId }) => (state === 'shipped' && shipmentId ? [shipmentId] : []));
  if (ids.length === 0) return false;
  const back: ShipmentId[] = await tx('shipments')
    .whereIn('id', ids)
    .where({ state: 'sent_back' })
    .pluck<ShipmentId[]>('id');
  let isDone = false;
  for (const shipmentId of back)
    isDone = (await unitsLost(tx, { orderId: order.id, shipmentId, at, isSentBack: true })) || isDone;
  return isDone;
}

// ---- what is due ----------------------------------------------------------------------------------------------------

async function climb(tx: Knex, order: OrderRecord, rung: string, at: string): Promise<void> {
  const { id: orderId } = order;
  const [kind = '', about = ''] = rung.split('/');
  switch (kind) {
    case 'unpaid_reminder':
      await noteRung(tx, order, rung, at);
      return writeOrderLetter(tx, 'order_unpaid_reminder', { orderId, at });
    case 'hold_reminder':
      await note(tx, order, `order/${orderId}/${rung}`, 'order.hold_reminded', { at });
      await noteRung(tx, order, rung, at);
      return writeOrderLetter(tx, 'order_hold_reminder', { orderId, at });
    case 'lost':
      await loseShipment(tx, { shipmentId: asId<ShipmentId>(about), at });
      return;
    case 'review_request':
      await note(tx, order, `order/${orderId}/review`, 'order.review_asked', { at });
      await tx('orders').where({ id: orderId }).update({ review_asked_at: at });
      return writeOrderLetter(tx, 'order_review_request', { orderId, at });
    case 'end':
      await tx('orders').where({ id: orderId }).update({ ended_at: at });
      return;
    default:
      // `look`, `unpaid`: reading it again was all.
      return;
  }
}

const noteRung = (tx: Knex, { id, rungs }: OrderRecord, rung: string, at: string) =>
  tx('orders')
    .where({ id })
    .update({ rungs: JSON.stringify([...rungs, rung]), updated_at: at });
