/** Changing an order before its first parcel has left; what it costs more is charged by another invoice, what less goes back. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type InvoiceId, type Sku, type UserId } from '../domain/ids.ts';
import { shippingFee } from '../domain/order-money.ts';
import { MAX_LINES, MAX_UNITS } from '../domain/orders.ts';
import { billUnitsOf, giveMoneyBack, type OrderTools, releaseUnits } from './order-cancellation.ts';
import { invoicesOfOrder } from './order-invoices.ts';
import { writeOrderLetter } from './order-letters.ts';
import { note, refreshOrder } from './order-moves.ts';
import { lockOrder, type OrderRecord, type ShipToArea, type UnitRecord } from './order-records.ts';
import { hoursAfter, insertItems, itemIdOf, productsFor, shipToColumns, unitRow } from './orders.ts';

export interface EditOrder {
  /** How many there shall be of each; 0 = none. What is not named stays as it is. */
  readonly items?: readonly { readonly sku: string; readonly quantity: number }[];
  /** `sealed`: base64. */
  readonly shipTo?: { readonly sealed: string; readonly area: ShipToArea };
}

interface How {
  /** Of the message. */
  readonly key: string;
  readonly by: UserId;
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/** @throws Failure `product_unknown`, `order_too_large`, `order_not_open` for goods of what replaces something */
export async function editOrder(
  tx: Knex,
  tools: OrderTools,
  order: OrderRecord,
  edit: EditOrder,
  how: How,
): Promise<void> {
  const { id, kind } = order;
  const { key, by, at, origin } = how;
  if (edit.items && kind !== 'sale')
    throw new Failure('order_not_open', `What is in a ${kind} is decided by its return.`, { state: order.state });
  const wanted = edit.items ? await changesOf(tx, order, edit.items) : NOTHING;
  const data = {
    added: wanted.added.reduce((sum, { quantity }) => sum + quantity, 0),
    removed: wanted.removed.length,
    shipTo: edit.shipTo !== undefined,
  };
  await note(tx, order, `order/${id}/edited/${key}`, 'order.edited', { at, by, origin, data });
  if (edit.shipTo) {
    const { sealed, area } = edit.shipTo;
    await tx('orders')
      .where({ id })
      .update(shipToColumns({ sealed: Buffer.from(sealed, 'base64'), area }));
  }
  const money = data.added + data.removed > 0 ? await changeGoods(tx, tools, order, wanted, how) : UNCHANGED;
  await refreshOrder(tx, id, at);
  await writeOrderLetter(tx, 'order_edited', { orderId: id, at, data: money });
}

const UNCHANGED = { amount: null, isCharged: false, invoiceId: null };

// ---- what changes ---------------------------------------------------------------------------------------------------

interface Changes {
  readonly removed: readonly UnitRecord[];
  readonly added: readonly (Awaited<ReturnType<typeof productsFor>>[number] & { readonly before: number })[];
}
const NOTHING: Changes = { removed: [], added: [] };

const isLive = ({ state }: UnitRecord): boolean => state !== 'cancelled';

async function changesOf(tx: Knex, order: OrderRecord, items: NonNullable<EditOrder['items']>): Promise<Changes> {
  const wanted = new Map<Sku, number>();
  for (const { sku, quantity } of items) wanted.set(asId<Sku>(sku.toUpperCase()), quantity);
  const removed: UnitRecord[] = [];
  const more: { sku: Sku; quantity: number; before: number }[] = [];
  for (const [sku, quantity] of wanted) {
    const item = order.items.find((one) => one.sku === sku);
    const live = order.units.filter((unit) => unit.orderItemId === item?.id && isLive(unit));
    if (quantity < live.length) removed.push(...live.slice(quantity));
    if (quantity > live.length) more.push({ sku, quantity: quantity - live.length, before: live.length });
  }
  const products = more.length > 0 ? await productsFor(tx, more, { evenWithdrawn: false }) : [];
  const added = products.map((one, i) => ({ ...one, before: more[i]?.before ?? 0 }));
  const foreign = added.find(({ product }) => product.currency !== order.currency);
  if (foreign) throw new Failure('product_unknown', `${foreign.product.sku} is sold in another currency.`);
  const units = order.units.length + added.reduce((sum, { quantity }) => sum + quantity, 0);
  if (units > MAX_UNITS || order.items.length + added.length > MAX_LINES) throw new Failure('order_too_large', '');
  return { removed, added };
}

async function changeGoods(
  tx: Knex,
  tools: OrderTools,
  order: OrderRecord,
  changes: Changes,
  how: How,
): Promise<Parameters<typeof writeOrderLetter>[2]['data']> {
  const closed = await closeOpenInvoices(tx, tools, order, how.at);
  const paid = await paidInvoices(tx, order);
  await releaseUnits(tx, order, changes.removed, how.at);
  await addUnits(tx, order, changes.added);
  const after = await lockOrder(tx, order.id);
  await writeQuantities(tx, after);
  const owed = after.units.filter((unit) => isLive(unit) && !(unit.invoiceId && paid.has(unit.invoiceId)));
  const back = await giveMoneyBack(
    tx,
    tools,
    order,
    { ...how, key: `edit/${how.key}`, byPayer: true },
    changes.removed.filter(({ invoiceId }) => invoiceId !== null && paid.has(invoiceId)),
  );
  const invoiceId = await billAnew(tx, after, owed, { ...how, isUnpaid: closed && paid.size === 0 });
  const [charged] = (await invoicesOfOrder(tx, order.id)).filter(({ id }) => id === invoiceId);
  const money = (minor: bigint) => ({ amountMinor: minor.toString(), currency: order.currency });
  if (charged) return { amount: money(charged.totalMinor), isCharged: true, invoiceId };
  return { amount: back > 0n ? money(back) : null, isCharged: false, invoiceId: null };
}

/** @returns whether there was one; who paid it a moment ago has paid */
async function closeOpenInvoices(tx: Knex, tools: OrderTools, order: OrderRecord, at: string): Promise<boolean> {
  let closed = false;
  for (const { id, state } of await invoicesOfOrder(tx, order.id))
    if (state === 'open') closed = (await tools.closeInvoice(tx, id, at)) === 'lapsed' || closed;
  return closed;
}

const paidInvoices = async (tx: Knex, order: OrderRecord): Promise<Set<InvoiceId>> =>
  new Set(
    (await invoicesOfOrder(tx, order.id)).flatMap(({ id, state }) =>
      state === 'paid' || state === 'reversed' ? [id] : [],
    ),
  );

async function addUnits(tx: Knex, order: OrderRecord, added: Changes['added']): Promise<void> {
  const fresh = added.filter(({ product }) => !order.items.some(({ sku }) => sku === product.sku));
  if (fresh.length > 0) {
    const goods = fresh.map((one) => ({ ...one, id: itemIdOf(order.id, one.product.sku), discountMinor: 0n }));
    await insertItems(tx, order.id, goods, order.items.length + 1);
  }
  const rows = added.flatMap(({ product, quantity }) => {
    const item = order.items.find(({ sku }) => sku === product.sku);
    const last = Math.max(
      0,
      ...order.units.filter(({ orderItemId }) => orderItemId === item?.id).map((unit) => unit.number),
    );
    const id = item?.id ?? itemIdOf(order.id, product.sku);
    const net = item?.unitPriceMinor ?? product.priceMinor;
    // Its price, by which it is billed; nothing is reserved for it yet.
    return Array.from({ length: quantity }, (_, index) => ({
      ...unitRow(order.id, id, last + index + 1, false),
      net_minor: net,
    }));
  });
  await tx.batchInsert('order_units', rows, 500);
}

async function writeQuantities(tx: Knex, { items, units }: OrderRecord): Promise<void> {
  for (const { id, quantity } of items) {
    const live = units.filter((unit) => unit.orderItemId === id && isLive(unit)).length;
    if (live > 0 && live !== quantity) await tx('order_items').where({ id }).update({ quantity: live });
  }
}

/** An order that nobody has paid is billed anew, with the fee for shipping that it comes to now; one that is paid, what is added. */
async function billAnew(
  tx: Knex,
  order: OrderRecord,
  owed: readonly UnitRecord[],
  { key, at, isUnpaid }: How & { readonly isUnpaid: boolean },
): Promise<InvoiceId | null> {
  const goodsMinor = owed.reduce((sum, { netMinor }) => sum + netMinor, 0n);
  const { policy, id } = order;
  const dueAt = hoursAfter(at, policy.unpaidExpiresAfterHours);
  const shipping = isUnpaid ? { shippingMinor: shippingFee(goodsMinor, policy.shipping) } : {};
  const invoiceId = await billUnitsOf(tx, order, owed, { key: `invoice/edit/${key}`, at, dueAt, ...shipping });
  if (isUnpaid && invoiceId) await tx('orders').where({ id }).update({ expires_at: dueAt });
  return invoiceId;
}
