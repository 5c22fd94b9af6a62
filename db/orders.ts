/** Orders: how one is placed. What becomes of its units is in order-moves.ts, what people ask for in order-messages.ts. */
import type { Knex } from 'knex';
import { localDate } from '../domain/calendar.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import {
  asId,
  type CompanyId,
  type InvoiceId,
  type OrderId,
  type OrderItemId,
  type ReturnId,
  type Sku,
  type UserId,
} from '../domain/ids.ts';
import { allotByLargestRemainder } from '../domain/invoicing.ts';
import { shippingFee } from '../domain/order-money.ts';
import { type Risk, type RiskFacts, riskOf } from '../domain/order-risk.ts';
import {
  formatOrderNumber,
  MAX_LINES,
  MAX_UNITS,
  type OrderKind,
  type OrderPolicy,
  type OrderState,
} from '../domain/orders.ts';
import { emptyCart } from './carts.ts';
import { nextOfYear } from './counters.ts';
import { issuerOfSubscriptions } from './offices.ts';
import { billUnits, invoicesOfOrder } from './order-invoices.ts';
import { note, refreshOrder } from './order-moves.ts';
import { type OrderRecord, readOrder, type ShipToArea, type ShipToGiven } from './order-records.ts';
import { type Product, productsBySku } from './products.ts';
import { type Reserved, reserve } from './stock.ts';
import { namedUuid } from './uuids.ts';

export { lockOrder, readOrder as orderStanding } from './order-records.ts';

export interface NewOrder {
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  /** Absent = a sale. */
  readonly kind?: OrderKind;
  /** Of a replacement or an exchange: for which return. */
  readonly returnId?: ReturnId | null;
  /** The same SKU twice is one item. */
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** Sealed (`sealShipTo`), or that of another order, which is copied as it is. */
  readonly shipTo: ShipToGiven;
  /** Of a replacement or an exchange: the difference that is charged, without tax, in minor units; absent = nothing. */
  readonly chargeMinor?: bigint;
  /** An order that it repeats. */
  readonly repeats?: OrderId | null;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
  readonly policy: OrderPolicy;
}

export interface PlacedOrder {
  readonly orderId: OrderId;
  readonly number: string;
  /** null = it costs nothing. */
  readonly invoiceId: InvoiceId | null;
  readonly state: OrderState;
  /** Whether there was something in the company's cart: its process is to be told (`cartChanged`). */
  readonly isCartEmptied: boolean;
}

/**
 * Puts an order on record in the caller's transaction: units with their parts of the price, stock reserved, the invoice. What
 * costs nothing is confirmed at once. A sale empties the company's cart, unless it repeats another. A repeat finds it.
 * @throws Failure `product_unknown`, `order_too_large`, `items_not_known` without any
 */
export async function placeOrder(tx: Knex, order: NewOrder): Promise<PlacedOrder> {
  const { orderId, companyId, at, by, origin } = order;
  const before = await readOrder(tx, orderId);
  if (before) return placed(tx, before, false);
  const goods = await goodsOf(tx, order);
  const about = { id: orderId, companyId };
  const data = { kind: order.kind ?? 'sale', units: countOf(goods.map(({ quantity }) => quantity)) };
  if (!(await note(tx, about, `order/${orderId}/placed`, 'order.placed', { at, by, origin, data })))
    throw new Error(`order ${orderId} was placed and is not on record`);
  const expiresAt = hoursAfter(at, order.policy.reservationHours);
  const wants = goods.map(({ id, product, quantity }) => ({ orderItemId: id, sku: product.sku, quantity }));
  // Before its number is taken, for which others wait: who ships locks stock first as well.
  const reserved = await reserve(tx, { orderId, wants, expiresAt, at });
  await insertOrder(tx, order, goods);
  await insertUnits(tx, orderId, goods, reserved);
  const invoice = await billUnits(tx, {
    orderId,
    companyId,
    currency: currencyOf(goods),
    items: goods.map(({ id, product, quantity, discountMinor }) => ({
      ...{ orderItemId: id, sku: product.sku, name: product.name, unitPriceMinor: product.priceMinor, discountMinor },
      numbers: upTo(quantity),
    })),
    shippingMinor: isSale(order) ? shippingFee(totalOf(goods.map(priceOf)), order.policy.shipping) : 0n,
    key: 'invoice/1',
    at,
    dueAt: hoursAfter(at, order.policy.unpaidExpiresAfterHours),
  });
  const risk = await riskOfOrder(tx, order, invoice?.totalMinor ?? 0n);
  await tx('orders')
    .where({ id: orderId })
    .update({
      risk_score: risk.score,
      risk_reasons: JSON.stringify(risk.reasons),
      ...(invoice
        ? { expires_at: hoursAfter(at, order.policy.unpaidExpiresAfterHours) }
        : { state: 'confirmed', paid_at: at }),
    });
  if (!invoice) {
    await tx('stock_reservations').where({ order_id: orderId }).update({ expires_at: null });
    await note(tx, about, `order/${orderId}/confirmed`, 'order.confirmed', { at });
  }
  const isCartEmptied = isSale(order) && !order.repeats && (await emptyCart(tx, companyId, at));
  return placed(tx, await refreshOrder(tx, orderId, at), isCartEmptied);
}

async function placed(tx: Knex, { id, number, state }: OrderRecord, isCartEmptied: boolean): Promise<PlacedOrder> {
  const invoices = await invoicesOfOrder(tx, id);
  return { orderId: id, number, invoiceId: invoices[0]?.id ?? null, state, isCartEmptied };
}

// ---- what is ordered ------------------------------------------------------------------------------------------------

interface Ordered {
  readonly id: OrderItemId;
  readonly product: Product;
  readonly quantity: number;
  readonly discountMinor: bigint;
}

const isSale = ({ kind = 'sale' }: NewOrder): boolean => kind === 'sale';
const priceOf = ({ product, quantity }: Pick<Ordered, 'product' | 'quantity'>): bigint =>
  product.priceMinor * BigInt(quantity);

/** Of what replaces something the price is told; what is not charged of it is a discount. */
async function goodsOf(tx: Knex, order: NewOrder): Promise<Ordered[]> {
  const wanted = await productsFor(tx, order.items, { evenWithdrawn: !isSale(order) });
  const charged = isSale(order)
    ? wanted.map(priceOf)
    : allotByLargestRemainder(order.chargeMinor ?? 0n, wanted.map(priceOf));
  return wanted.map((one, i) => ({
    ...one,
    id: itemIdOf(order.orderId, one.product.sku),
    discountMinor: priceOf(one) - (charged[i] ?? 0n),
  }));
}

/** An order has one item of a product. */
export const itemIdOf = (id: OrderId, sku: Sku): OrderItemId => asId<OrderItemId>(namedUuid(`order/${id}/item/${sku}`));

/** Each product once, in the order in which they are named. @throws Failure `product_unknown`, `order_too_large` */
export async function productsFor(
  db: Knex,
  items: NewOrder['items'],
  { evenWithdrawn }: { readonly evenWithdrawn: boolean },
): Promise<{ product: Product; quantity: number }[]> {
  if (items.length === 0) throw new Failure('items_not_known', 'Name what is ordered.');
  const wanted = new Map<Sku, number>();
  for (const { sku, quantity } of items) {
    const key = asId<Sku>(sku.toUpperCase());
    wanted.set(key, (wanted.get(key) ?? 0) + quantity);
  }
  if (wanted.size > MAX_LINES || countOf([...wanted.values()]) > MAX_UNITS) throw new Failure('order_too_large', '');
  const products = await productsBySku(db, [...wanted.keys()]);
  const found = [...wanted].map(([sku, quantity]) => {
    const product = products.get(sku);
    if (!product || !(product.isOffered || evenWithdrawn))
      throw new Failure('product_unknown', `${sku} is not sold here.`, aboutSku(sku));
    return { product, quantity };
  });
  currencyOf(found);
  return found;
}

const aboutSku = (sku: Sku) => ({ errors: [{ pointer: '/items', code: 'not_offered', detail: sku }] });

function currencyOf(goods: readonly { readonly product: Product }[]) {
  const [first] = goods;
  if (!first) throw new Failure('items_not_known', 'Name what is ordered.');
  const other = goods.find(({ product }) => product.currency !== first.product.currency);
  if (other) {
    const sku = other.product.sku;
    throw new Failure('product_unknown', `${sku} is sold in another currency. Order it by itself.`, aboutSku(sku));
  }
  return first.product.currency;
}

// ---- its rows -------------------------------------------------------------------------------------------------------

async function insertOrder(tx: Knex, order: NewOrder, goods: readonly Ordered[]): Promise<void> {
  const { orderId, at, shipTo } = order;
  const { zone } = await issuerOfSubscriptions(tx);
  const number = await nextOfYear(tx, 'order', localDate(Date.parse(at), zone), formatOrderNumber);
  await tx('orders').insert({
    id: orderId,
    number,
    kind: order.kind ?? 'sale',
    company_id: order.companyId,
    placed_by: order.by,
    return_id: order.returnId ?? null,
    repeats_id: order.repeats ?? null,
    state: 'pending',
    policy: JSON.stringify(order.policy),
    currency: currencyOf(goods),
    subtotal_minor: 0,
    tax_minor: 0,
    total_minor: 0,
    ...('likeOrder' in shipTo ? await shipToOf(tx, shipTo.likeOrder) : shipToColumns(shipTo)),
    placed_at: at,
    state_since: at,
    updated_at: at,
  });
  await insertItems(tx, orderId, goods);
}

export const shipToColumns = ({ sealed, area }: { sealed: Buffer; area: ShipToArea }) => ({
  ship_to_encrypted: sealed,
  ship_to_area: JSON.stringify(area),
});

async function shipToOf(tx: Knex, id: OrderId): Promise<Readonly<Record<string, unknown>>> {
  const row: { ship_to_encrypted: Buffer; area: ShipToArea } | undefined = await tx('orders')
    .where({ id })
    .first({ ship_to_encrypted: 'ship_to_encrypted', area: 'ship_to_area' });
  if (!row) throw new Error(`order ${id} does not exist`);
  return shipToColumns({ sealed: row.ship_to_encrypted, area: row.area });
}

export async function insertItems(
  tx: Knex,
  orderId: OrderId,
  goods: readonly Ordered[],
  firstPosition = 1,
): Promise<void> {
  await tx('order_items').insert(
    goods.map(({ id, product, quantity, discountMinor }, index) => ({
      id,
      order_id: orderId,
      position: firstPosition + index,
      sku: product.sku,
      name: JSON.stringify(product.name),
      quantity,
      unit_price_minor: product.priceMinor,
      discount_minor: discountMinor,
      tracking: product.tracking,
      is_final_sale: product.isFinalSale,
      is_hygiene: product.isHygiene,
      return_days: product.returnDays,
    })),
  );
}

async function insertUnits(
  tx: Knex,
  orderId: OrderId,
  goods: readonly Ordered[],
  reserved: readonly Pick<Reserved, 'orderItemId' | 'quantity'>[],
): Promise<void> {
  const rows = goods.flatMap(({ id, quantity }) => {
    const has = countOf(reserved.filter(({ orderItemId }) => orderItemId === id).map((one) => one.quantity));
    return upTo(quantity).map((number) => unitRow(orderId, id, number, number <= has));
  });
  await tx.batchInsert('order_units', rows, 500);
}

export const unitRow = (orderId: OrderId, id: OrderItemId, number: number, isReserved: boolean) => ({
  order_item_id: id,
  number,
  order_id: orderId,
  state: isReserved ? 'reserved' : 'waiting',
  net_minor: 0,
  tax_minor: 0,
});

// ---- its risk -------------------------------------------------------------------------------------------------------

const FACTS = `
  select c.address as "companyAddress", extract(epoch from (:at::timestamptz - c.created_at))::float8 / 86400 as "customerDays",
    (select ship_to_area from orders where id = :id) as area,
    (select count(*)::int from orders o where o.company_id = c.id and o.kind = 'sale'
       and o.placed_at > :at::timestamptz - :hours * interval '1 hour') as "recentOrders"
  from companies c where c.id = :companyId`;

async function riskOfOrder(tx: Knex, order: NewOrder, totalMinor: bigint): Promise<Risk> {
  if (!isSale(order)) return { score: 0, reasons: [] };
  const { risk } = order.policy;
  const { rows }: { rows: (Omit<RiskFacts, 'totalMinor' | 'shipTo'> & { area: ShipToArea })[] } = await tx.raw(FACTS, {
    id: order.orderId,
    companyId: order.companyId,
    at: order.at,
    hours: risk.velocity.hours,
  });
  const [facts] = rows;
  if (!facts) throw new Error(`company ${order.companyId} does not exist`);
  return riskOf({ ...facts, totalMinor, shipTo: facts.area }, risk);
}

const HOUR_MS = 3_600_000;
export const hoursAfter = (at: string, hours: number): string =>
  new Date(Date.parse(at) + hours * HOUR_MS).toISOString();
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const countOf = (amounts: readonly number[]): number => amounts.reduce((sum, one) => sum + one, 0);
const totalOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, one) => sum + one, 0n);
