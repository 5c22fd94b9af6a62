/** What lies where, as the shop's people see it. */
import type { Knex } from 'knex';
import type { OrderId, ReturnId, Sku, UserId } from '../domain/ids.ts';
import type { Level, MovementKind, Tracking } from '../domain/stock.ts';

export interface StockLevel extends Level {
  readonly location: string;
}

export interface StockOfProduct extends Level {
  readonly sku: Sku;
  readonly name: { readonly id: string; readonly en: string };
  readonly tracking: Tracking;
  readonly lowStockBelow: number | null;
  /** The preferred store first. */
  readonly levels: readonly StockLevel[];
}

const SUMS = {
  onHand: '(select coalesce(sum(l.on_hand), 0)::int from stock_levels l where l.sku = p.sku)',
  reserved: '(select coalesce(sum(l.reserved), 0)::int from stock_levels l where l.sku = p.sku)',
};
const LEVELS = `(select coalesce(json_agg(json_build_object('location', l.location, 'onHand', l.on_hand, 'reserved', l.reserved)
  order by s.priority, s.code), '[]') from stock_levels l join stock_locations s on s.code = l.location where l.sku = p.sku)`;

const stock = (db: Knex) =>
  db('products as p').select({
    sku: 'p.sku',
    name: 'p.name',
    tracking: 'p.tracking',
    lowStockBelow: 'p.low_stock_below',
    onHand: db.raw(SUMS.onHand),
    reserved: db.raw(SUMS.reserved),
    levels: db.raw(LEVELS),
  });

export interface StockFilter {
  readonly location?: string | undefined;
  /** Only what runs out. */
  readonly low?: boolean | undefined;
  readonly after: Sku | null;
  readonly limit: number;
}

/** In the order of the SKUs; `after` = the last one already read. */
export async function listStock(db: Knex, { location, low, after, limit }: StockFilter): Promise<StockOfProduct[]> {
  const rows: StockOfProduct[] = await stock(db)
    .modify((query) => {
      if (location !== undefined)
        query.whereExists(db('stock_levels as h').whereRaw('h.sku = p.sku').where('h.location', location));
      if (low) query.whereRaw(`${SUMS.onHand} - ${SUMS.reserved} < p.low_stock_below`);
      if (after) query.where('p.sku', '>', after);
    })
    .orderBy('p.sku')
    .limit(limit);
  return rows;
}

export async function stockOf(db: Knex, sku: Sku): Promise<StockOfProduct | null> {
  const row: StockOfProduct | undefined = await stock(db).where('p.sku', sku).first();
  return row ?? null;
}

export interface Movement {
  readonly id: bigint;
  readonly location: string;
  readonly kind: MovementKind;
  readonly quantity: number;
  readonly batch: string | null;
  readonly orderId: OrderId | null;
  readonly returnId: ReturnId | null;
  readonly by: UserId | null;
  readonly note: string | null;
  readonly at: Date;
}

/** The latest first; `before` = the last one already read. */
export async function movementsOf(
  db: Knex,
  sku: Sku,
  { before, limit }: { readonly before: string | null; readonly limit: number },
): Promise<Movement[]> {
  const rows: Movement[] = await db('stock_movements')
    .where({ sku })
    .modify((query) => {
      if (before) query.where('id', '<', before);
    })
    .orderBy('id', 'desc')
    .limit(limit)
    .select({
      id: 'id',
      location: 'location',
      kind: 'kind',
      quantity: 'quantity',
      batch: 'batch',
      orderId: 'order_id',
      returnId: 'return_id',
      by: 'by',
      note: 'note',
      at: 'at',
    });
  return rows;
}

/** What is there of each batch, the one that came first in front. */
export async function batchesOf(db: Knex, sku: Sku): Promise<{ location: string; batch: string; quantity: number }[]> {
  return db('stock_movements')
    .where({ sku })
    .whereNotNull('batch')
    .groupBy('location', 'batch')
    .havingRaw('sum(quantity) > 0')
    .orderByRaw('min(id)')
    .select({ location: 'location', batch: 'batch', quantity: db.raw('sum(quantity)::int') });
}

/** Numbers of the things that lie there, at most so many. */
export async function serialsInStock(
  db: Knex,
  sku: Sku,
  limit: number,
): Promise<{ location: string; serial: string }[]> {
  return db('stock_serials')
    .where({ sku, state: 'in_stock' })
    .orderBy('serial')
    .limit(limit)
    .select('location', 'serial');
}

export interface Store {
  readonly code: string;
  readonly name: string;
  /** Lower first: where things are taken from. */
  readonly priority: number;
  /** false = nothing is reserved there any more. */
  readonly isActive: boolean;
}

export async function listStores(db: Knex): Promise<Store[]> {
  return db('stock_locations')
    .orderBy(['priority', 'code'])
    .select({ code: 'code', name: 'name', priority: 'priority', isActive: 'is_active' });
}

/** Creates those that are new and changes the others; what is not named stays. */
export async function putStores(tx: Knex, stores: readonly Store[]): Promise<void> {
  await tx('stock_locations')
    .insert(stores.map(({ code, name, priority, isActive }) => ({ code, name, priority, is_active: isActive })))
    .onConflict('code')
    .merge();
}
