/** Units that are not wanted any more, with their exact money: what was paid goes back, what was not is not asked for. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { InvoiceId, UserId } from '../domain/ids.ts';
import type { MoneyPolicy } from '../domain/payments.ts';
import { payBack } from './goods-refunds.ts';
import { billUnits, type InvoiceOfOrder, invoicesOfOrder } from './order-invoices.ts';
import { writeOrderLetter } from './order-letters.ts';
import { giveBack, moveUnits, note, refreshOrder } from './order-moves.ts';
import { costOf, lockOrder, type OrderRecord, type UnitRecord } from './order-records.ts';
import { releaseReserved } from './stock.ts';
import type { InvoiceCloser } from './subscription-moves.ts';

export interface OrderTools extends InvoiceCloser {
  readonly refundPolicy: Pick<MoneyPolicy, 'refundApprovalAbove'>;
}

export interface Cancellation {
  readonly units: readonly UnitRecord[];
  /** Unique within the order. */
  readonly key: string;
  readonly reason: 'asked' | 'unpaid' | 'refused' | 'out_of_stock' | 'lost';
  readonly by: UserId | null;
  readonly byPayer: boolean;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/** Cancels them, in the caller's transaction. A repeat under the same key changes nothing. */
export async function cancelUnits(tx: Knex, tools: OrderTools, order: OrderRecord, asked: Cancellation): Promise<void> {
  const { units, key, reason, at } = asked;
  const data = { units: units.length, reason };
  const isAll = isEverything(order, units);
  const type = isAll ? 'order.cancelled' : 'order.items_cancelled';
  const { by, origin } = asked;
  if (!(await note(tx, order, `order/${order.id}/cancelled/${key}`, type, { at, by, origin, data }))) return;
  await releaseUnits(tx, order, units, at);
  const givenBackMinor = await settleMoney(tx, tools, order, asked);
  if (isAll) await tx('orders').where({ id: order.id }).update({ cancel_reason: reason });
  await refreshOrder(tx, order.id, at);
  await tellCustomer(tx, order, asked, { isAll, givenBackMinor });
}

const isEverything = (order: OrderRecord, units: readonly UnitRecord[]): boolean =>
  order.units.every((unit) => unit.state === 'cancelled' || units.includes(unit));

/** The units leave the order and what was reserved for them is free; their money is the caller's. */
export async function releaseUnits(
  tx: Knex,
  order: OrderRecord,
  units: readonly UnitRecord[],
  at: string,
): Promise<void> {
  for (const item of order.items) {
    const quantity = units.filter(({ orderItemId, state }) => orderItemId === item.id && state === 'reserved').length;
    if (quantity > 0) await releaseReserved(tx, { orderId: order.id, orderItemId: item.id, quantity, at });
  }
  await moveUnits(tx, order, units, 'cancelled');
}

/** @returns what goes back, minor units */
async function settleMoney(tx: Knex, tools: OrderTools, order: OrderRecord, asked: Cancellation): Promise<bigint> {
  const { units, key, at } = asked;
  const paid: UnitRecord[] = [];
  for (const invoice of await invoicesOfOrder(tx, order.id)) {
    const charged = units.filter(({ invoiceId }) => invoiceId === invoice.id);
    if (charged.length === 0) continue;
    // Its row decides: who paid a moment ago has paid.
    const state = invoice.state === 'open' ? await tools.closeInvoice(tx, invoice.id, at) : invoice.state;
    if (state === 'paid' || state === 'reversed') paid.push(...charged);
    else if (invoice.state === 'open') await billTheRest(tx, order, invoice, { key, at });
  }
  return giveMoneyBack(tx, tools, order, asked, paid);
}

/** What is left of an invoice that was closed: the same units at the same prices, with their part of the shipping. */
async function billTheRest(
  tx: Knex,
  { id }: OrderRecord,
  invoice: InvoiceOfOrder,
  { key, at }: Pick<Cancellation, 'key' | 'at'>,
): Promise<void> {
  const order = await lockOrder(tx, id);
  await billUnitsOf(
    tx,
    order,
    order.units.filter((unit) => unit.invoiceId === invoice.id && unit.state !== 'cancelled'),
    {
      key: `invoice/${invoice.id}/${key}`,
      at,
      dueAt: invoice.dueAt.toISOString(),
    },
  );
}

/** Bills units anew at the prices that they have. `shippingMinor` absent = what they bear already. @returns null for nothing */
export async function billUnitsOf(
  tx: Knex,
  order: OrderRecord,
  units: readonly UnitRecord[],
  how: { readonly key: string; readonly at: string; readonly dueAt: string; readonly shippingMinor?: bigint },
): Promise<InvoiceId | null> {
  if (units.length === 0) return null;
  const items = order.items.flatMap((item) => {
    const own = units.filter(({ orderItemId }) => orderItemId === item.id);
    if (own.length === 0) return [];
    const net = own.reduce((sum, { netMinor }) => sum + netMinor, 0n);
    const { id: orderItemId, sku, name, unitPriceMinor } = item;
    const discountMinor = unitPriceMinor * BigInt(own.length) - net;
    return [{ orderItemId, sku, name, unitPriceMinor, discountMinor, numbers: own.map(({ number }) => number) }];
  });
  const shippingMinor = how.shippingMinor ?? units.reduce((sum, unit) => sum + unit.shippingNetMinor, 0n);
  const { id: orderId, companyId, currency } = order;
  const { key, at, dueAt } = how;
  const invoice = await billUnits(tx, { orderId, companyId, currency, items, shippingMinor, key, at, dueAt });
  return invoice?.invoiceId ?? null;
}

/** Exactly what these cost, the way that it came; nothing for what was given back before. @returns how much */
export async function giveMoneyBack(
  tx: Knex,
  { refundPolicy: policy }: OrderTools,
  order: OrderRecord,
  { key, at, by, byPayer, origin }: Omit<Cancellation, 'units' | 'reason'>,
  units: readonly UnitRecord[],
): Promise<bigint> {
  const owed = units.filter((unit) => costOf(unit) > 0n && unit.givenBackMinor === 0n);
  if (owed.length === 0) return 0n;
  const claims = owed.map((unit) => ({
    orderItemId: unit.orderItemId,
    number: unit.number,
    amountMinor: costOf(unit),
  }));
  const { id: orderId, companyId } = order;
  await giveBack(tx, { orderId, units: claims, key, at });
  await payBack(tx, {
    key: `order/${orderId}/${key}`,
    orderId,
    returnId: null,
    companyId,
    units: owed,
    asCredit: false,
    reason: 'goods_cancelled',
    // Whoever has paid may cancel before it is sent: that is the policy's word, and only the threshold asks for another's.
    requestedBy: byPayer ? null : by,
    policy,
    at,
    origin,
  });
  return claims.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
}

async function tellCustomer(
  tx: Knex,
  order: OrderRecord,
  { units, reason, at }: Cancellation,
  { isAll, givenBackMinor }: { readonly isAll: boolean; readonly givenBackMinor: bigint },
): Promise<void> {
  const items = order.items.flatMap(({ id, name }) => {
    const quantity = units.filter(({ orderItemId }) => orderItemId === id).length;
    return quantity > 0 ? [{ name, quantity }] : [];
  });
  const amount = givenBackMinor > 0n ? { amountMinor: givenBackMinor.toString(), currency: order.currency } : null;
  await writeOrderLetter(tx, 'order_cancelled', {
    orderId: order.id,
    at,
    data: { items, isPart: !isAll, reason, amount },
  });
}
