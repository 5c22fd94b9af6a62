/** The rows that say what lies where, locked in one order by everybody; and the movements that they are the sum of. */
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import type { OrderId, ReturnId, Sku, UserId } from '../domain/ids.ts';
import type { Level, MovementKind, Tracking } from '../domain/stock.ts';

export interface LockedLevel extends Level {
  readonly sku: Sku;
  readonly location: string;
  /** Lower first. */
  readonly priority: number;
  readonly isActive: boolean;
}

/**
 * Locks all that lies anywhere of these products: each product first, in the order of the SKUs, then its stores. Whoever takes
 * from two products or more at once, in several steps, calls this with all of them before the first.
 * @throws Failure `product_unknown`
 */
export async function lockStock(tx: Knex, skus: readonly Sku[]): Promise<Map<Sku, Tracking>> {
  const sorted = [...new Set(skus)].toSorted();
  const products: { sku: Sku; tracking: Tracking }[] = await tx('products')
    .whereIn('sku', sorted)
    .orderBy('sku')
    .forNoKeyUpdate()
    .select('sku', 'tracking');
  const known = new Map(products.map(({ sku, tracking }) => [sku, tracking]));
  const unknown = sorted.find((sku) => !known.has(sku));
  if (unknown) throw new Failure('product_unknown', `There is no product ${unknown}.`);
  await tx('stock_levels').whereIn('sku', sorted).orderBy(['sku', 'location']).forUpdate().select('sku');
  return known;
}

/** The preferred store first. The caller has locked them. */
export async function levelsOf(tx: Knex, skus: readonly Sku[]): Promise<LockedLevel[]> {
  return tx('stock_levels as l')
    .join('stock_locations as s', 's.code', 'l.location')
    .whereIn('l.sku', [...skus])
    .orderBy(['l.sku', 's.priority', 'l.location'])
    .select({
      sku: 'l.sku',
      location: 'l.location',
      onHand: 'l.on_hand',
      reserved: 'l.reserved',
      priority: 's.priority',
      isActive: 's.is_active',
    });
}

export interface LevelChange {
  readonly sku: Sku;
  readonly location: string;
  readonly onHand?: number;
  readonly reserved?: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Adds to what lies there and to what is reserved of it; the database refuses what would be less than nothing. */
export async function changeLevel(
  tx: Knex,
  { sku, location, onHand = 0, reserved = 0, at }: LevelChange,
): Promise<void> {
  await tx('stock_levels')
    .where({ sku, location })
    .update({
      on_hand: tx.raw('on_hand + ?', [onHand]),
      reserved: tx.raw('reserved + ?', [reserved]),
      updated_at: at,
    });
}

export interface NewMovement {
  readonly key: string;
  readonly sku: Sku;
  readonly location: string;
  readonly kind: MovementKind;
  /** Of scrapped goods 0: they never lay there. */
  readonly quantity: number;
  readonly batch?: string | null | undefined;
  readonly orderId?: OrderId | null | undefined;
  readonly returnId?: ReturnId | null | undefined;
  readonly by?: UserId | null | undefined;
  readonly note?: string | null | undefined;
  readonly at: string;
}

/**
 * Parts of one change, each under a key of its own.
 * @returns false when it was done before: then the transaction around it has nothing left to do
 */
export async function recordMovements(tx: Knex, movements: readonly NewMovement[]): Promise<boolean> {
  const rows = movements.map(({ orderId, returnId, batch, by, note, ...movement }) => ({
    ...movement,
    batch: batch ?? null,
    order_id: orderId ?? null,
    return_id: returnId ?? null,
    by: by ?? null,
    note: note ?? null,
  }));
  const inserted = await tx('stock_movements').insert(rows).onConflict('key').ignore().returning('id');
  return inserted.length > 0;
}
