/** What the shop sells. A price that changes touches no order that exists: each keeps the one that it was placed at. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { Sku, UserId } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import type { Tracking } from '../domain/stock.ts';
import { recordEvent } from './events.ts';
import { watchLevels } from './stock-alerts.ts';

export interface Words {
  readonly id: string;
  readonly en: string;
}

export interface Product {
  readonly sku: Sku;
  readonly name: Words;
  readonly description: Partial<Words>;
  readonly category: string;
  /** Of a unit, without tax. */
  readonly priceMinor: bigint;
  readonly currency: Currency;
  readonly weightGrams: number;
  readonly tracking: Tracking;
  readonly isFinalSale: boolean;
  readonly isHygiene: boolean;
  /** null = as the return policy says. */
  readonly returnDays: number | null;
  /** null = nobody is told. */
  readonly lowStockBelow: number | null;
  readonly isOffered: boolean;
}

/** With what can be bought of it now, over all stores that are open. */
export interface ProductOnSale extends Product {
  readonly free: number;
  readonly updatedAt: Date;
}

const COLUMNS = {
  sku: 'p.sku',
  name: 'p.name',
  description: 'p.description',
  category: 'p.category',
  priceMinor: 'p.price_minor',
  currency: 'p.currency',
  weightGrams: 'p.weight_grams',
  tracking: 'p.tracking',
  isFinalSale: 'p.is_final_sale',
  isHygiene: 'p.is_hygiene',
  returnDays: 'p.return_days',
  lowStockBelow: 'p.low_stock_below',
  isOffered: 'p.is_offered',
};

/** What is not known is not in the answer. */
export async function productsBySku(db: Knex, skus: readonly Sku[]): Promise<Map<Sku, Product>> {
  const rows: Product[] = await db('products as p')
    .whereIn('p.sku', [...skus])
    .select(COLUMNS);
  return new Map(rows.map((row) => [row.sku, row]));
}

const FREE = `(select coalesce(sum(l.on_hand - l.reserved), 0)::int from stock_levels l
  join stock_locations s on s.code = l.location and s.is_active where l.sku = p.sku)`;

const onSale = (db: Knex) => db('products as p').select({ ...COLUMNS, updatedAt: 'p.updated_at', free: db.raw(FREE) });

export interface ProductFilter {
  readonly category?: string | undefined;
  /** false = what is no longer offered as well. */
  readonly offeredOnly: boolean;
  readonly after: Sku | null;
  readonly limit: number;
}

/** In the order of their SKUs; `after` = the last one already read. */
export async function listProducts(db: Knex, filter: ProductFilter): Promise<ProductOnSale[]> {
  const { category, offeredOnly, after, limit } = filter;
  const rows: ProductOnSale[] = await onSale(db)
    .modify((query) => {
      if (category !== undefined) query.where('p.category', category);
      if (offeredOnly) query.where('p.is_offered', true);
      if (after) query.where('p.sku', '>', after);
    })
    .orderBy('p.sku')
    .limit(limit);
  return rows;
}

export async function findProduct(db: Knex, sku: Sku): Promise<ProductOnSale | null> {
  const row: ProductOnSale | undefined = await onSale(db).where('p.sku', sku).first();
  return row ?? null;
}

/** What is not known is not in the answer. */
export async function productsOnSale(db: Knex, skus: readonly Sku[]): Promise<Map<Sku, ProductOnSale>> {
  const rows: ProductOnSale[] = await onSale(db).whereIn('p.sku', [...skus]);
  return new Map(rows.map((row) => [row.sku, row]));
}

export interface PutProduct extends Product {
  /** Names the request: again with the same key changes nothing. */
  readonly key: string;
  readonly by: UserId | null;
  readonly origin?: Origin | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Creates a product, or changes it; orders that exist keep what they say. @returns whether it is new
 * @throws Failure `invalid_request`: it cannot be followed in another way while some of it lies there
 */
export async function putProduct(tx: Knex, given: PutProduct): Promise<{ readonly isNew: boolean }> {
  const { key, by, origin, at, ...product } = given;
  // One publication of a product at a time, also of one that is not there yet.
  await tx.raw('select pg_advisory_xact_lock(hashtext(?))', [`product/${product.sku}`]);
  const old: Product | undefined = await tx('products as p').where('p.sku', product.sku).first(COLUMNS);
  if (old && old.tracking !== product.tracking) await refuseOtherTracking(tx, product.sku);
  const isNew = await recordEvent(tx, {
    key: `product/${key}/published`,
    type: 'product.published',
    subject: `product/${product.sku}`,
    ...(by ? { by } : {}),
    origin,
    ...changed(old ?? null, product),
    at,
  });
  if (!isNew) return { isNew: false };
  const row = toRow(product, at);
  if (!old) await tx('products').insert({ ...row, created_at: at });
  if (old) await tx('products').where({ sku: product.sku }).update(row);
  // Another threshold may be crossed without a thing having moved.
  if (old) await watchLevels(tx, [product.sku], at);
  return { isNew: !old };
}

/** What lies there has no numbers, or has some that nobody would ask for any more. */
async function refuseOtherTracking(tx: Knex, sku: Sku): Promise<void> {
  const level = await tx('stock_levels').where({ sku }).where('on_hand', '>', 0).first('sku');
  if (!level) return;
  const detail = 'Not while some of it lies in a store. Take it off with POST /api/v1/stock/:sku/adjust first.';
  throw new Failure('invalid_request', detail, { errors: [{ pointer: '/tracking', code: 'not_possible', detail }] });
}

const toRow = (product: Product, at: string) => ({
  sku: product.sku,
  name: JSON.stringify(product.name),
  description: JSON.stringify(product.description),
  category: product.category,
  price_minor: product.priceMinor.toString(),
  currency: product.currency,
  weight_grams: product.weightGrams,
  tracking: product.tracking,
  is_final_sale: product.isFinalSale,
  is_hygiene: product.isHygiene,
  return_days: product.returnDays,
  low_stock_below: product.lowStockBelow,
  is_offered: product.isOffered,
  updated_at: at,
});

const PARTS = [
  'name',
  'description',
  'category',
  'priceMinor',
  'currency',
  'weightGrams',
  'tracking',
  'isFinalSale',
  'isHygiene',
  'returnDays',
  'lowStockBelow',
  'isOffered',
] as const satisfies readonly (keyof Product)[];

/** Amounts as digits, and keys in one order: the database keeps neither. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString();
    return typeof inner === 'object' && inner !== null
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });

function changed(before: Product | null, after: Product) {
  const parts = PARTS.filter((part) => !before || canonical(before[part]) !== canonical(after[part]));
  const plain = (value: Product[keyof Product]) => (typeof value === 'bigint' ? value.toString() : value);
  return {
    before: Object.fromEntries(parts.map((part) => [part, before ? plain(before[part]) : null])),
    after: Object.fromEntries(parts.map((part) => [part, plain(after[part])])),
  };
}
