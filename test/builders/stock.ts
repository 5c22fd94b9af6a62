/** Products, stores and orders at record level, for tests of what lies where. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { putProduct } from '../../db/products.ts';
import { putToStock } from '../../db/stock.ts';
import { asId, type CompanyId, type OrderId, type OrderItemId, type Sku, type UserId } from '../../domain/ids.ts';
import type { OrderState, UnitState } from '../../domain/orders.ts';
import type { Tracking } from '../../domain/stock.ts';
import { DEMO_STORES } from '../../local/demo-products.ts';

const AT = '2026-06-01T03:00:00.000Z';

export const aSku = (): Sku => asId(`T-${randomUUID().slice(0, 8).toUpperCase()}`);

interface ProductOptions {
  readonly tracking?: Tracking;
  readonly lowStockBelow?: number | null;
  readonly priceMinor?: bigint;
  /** Units in the preferred store, and in the other. */
  readonly stock?: readonly [number, number];
}

/** A product of its own with stock in the demonstration's two stores; serial numbers are `<sku>-<store>-<n>`. */
export async function aProduct(db: Knex, options: ProductOptions = {}): Promise<Sku> {
  const { tracking = 'none', lowStockBelow = null, priceMinor = 10_000n, stock = [0, 0] } = options;
  const sku = aSku();
  await db.transaction(async (tx) => {
    await putProduct(tx, {
      ...{ sku, priceMinor, tracking, lowStockBelow, category: 'test', currency: 'IDR', weightGrams: 100 },
      name: { id: 'Barang uji', en: 'Test goods' },
      description: {},
      isFinalSale: false,
      isHygiene: false,
      returnDays: null,
      isOffered: true,
      key: randomUUID(),
      by: null,
      at: AT,
    });
    for (const [index, location] of [DEMO_STORES.main, DEMO_STORES.second].entries()) {
      const quantity = stock[index] ?? 0;
      if (quantity === 0) continue;
      const serials = tracking === 'serial' ? serialsOf(sku, location, quantity) : undefined;
      const batch = tracking === 'batch' ? `${location}-1` : undefined;
      await putToStock(tx, { sku, location, quantity, serials, batch, kind: 'received', key: randomUUID(), at: AT });
    }
  });
  return sku;
}

export const serialsOf = (sku: Sku, location: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${sku}-${location}-${index + 1}`);

export interface OrderRow {
  readonly orderId: OrderId;
  readonly itemId: OrderItemId;
}

/** An order of one line, whose units are all in one state; nothing is reserved for it. */
export async function anOrderRow(
  db: Knex,
  of: {
    readonly companyId: CompanyId;
    readonly by: UserId;
    readonly sku: Sku;
    readonly quantity: number;
    readonly state?: OrderState;
    readonly unitState?: UnitState;
    readonly placedAt?: string;
  },
): Promise<OrderRow> {
  const { companyId, by, sku, quantity, state = 'confirmed', unitState = 'waiting', placedAt = AT } = of;
  const [orderId, itemId] = [asId<OrderId>(randomUUID()), asId<OrderItemId>(randomUUID())];
  await db('orders').insert({
    id: orderId,
    number: `ORD/TEST/${orderId.slice(0, 8)}`,
    kind: 'sale',
    company_id: companyId,
    placed_by: by,
    state,
    policy: '{}',
    currency: 'IDR',
    subtotal_minor: 0,
    tax_minor: 0,
    total_minor: 0,
    ship_to_encrypted: Buffer.from(''),
    placed_at: placedAt,
    state_since: placedAt,
    updated_at: placedAt,
  });
  await db('order_items').insert({
    id: itemId,
    order_id: orderId,
    position: 1,
    sku,
    name: '{}',
    quantity,
    unit_price_minor: 0,
    tracking: 'none',
    is_final_sale: false,
    is_hygiene: false,
  });
  const units = Array.from({ length: quantity }, (_, index) => index + 1);
  await db('order_units').insert(
    units.map((number) => ({
      order_item_id: itemId,
      number,
      order_id: orderId,
      state: unitState,
      net_minor: 0,
      tax_minor: 0,
    })),
  );
  return { orderId, itemId };
}
