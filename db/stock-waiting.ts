/** Orders that wait for goods. */
import type { Knex } from 'knex';
import type { OrderId, Sku } from '../domain/ids.ts';

/** Nobody packs what is not paid, and what is held back is looked at again when it is released. */
const FILLED_STATES = ['pending', 'on_hold', 'confirmed', 'backordered', 'processing', 'partially_shipped'];

/** Open orders with units of this product that nothing is reserved for, the oldest first. */
export async function waitingOrders(db: Knex, sku: Sku): Promise<OrderId[]> {
  return db('orders as o')
    .whereIn('o.state', FILLED_STATES)
    .whereExists(
      db('order_units as u')
        .join('order_items as i', 'i.id', 'u.order_item_id')
        .whereRaw('u.order_id = o.id')
        .where({ 'u.state': 'waiting', 'i.sku': sku }),
    )
    .orderBy(['o.placed_at', 'o.id'])
    .pluck<OrderId[]>('o.id');
}

/** The same of several products, each order once; of a crowd the oldest, which take what there is. */
export async function ordersWaitingFor(db: Knex, skus: readonly Sku[], limit = 100): Promise<OrderId[]> {
  const found: OrderId[] = [];
  for (const sku of new Set(skus)) found.push(...(await waitingOrders(db, sku)).slice(0, limit));
  return [...new Set(found)];
}

/**
 * Products that orders wait for while some of them lie free: news that did not arrive.
 * @param among of these only; absent = of all
 */
export async function skusThatCouldBeFilled(db: Knex, limit: number, among?: readonly Sku[]): Promise<Sku[]> {
  return db('order_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .join('orders as o', 'o.id', 'u.order_id')
    .where('u.state', 'waiting')
    .whereIn('o.state', FILLED_STATES)
    .modify((query) => among && query.whereIn('i.sku', [...among]))
    .whereExists(
      db('stock_levels as l')
        .join('stock_locations as s', 's.code', 'l.location')
        .whereRaw('l.sku = i.sku and s.is_active and l.on_hand > l.reserved'),
    )
    .groupBy('i.sku')
    .orderBy('i.sku')
    .limit(limit)
    .pluck<Sku[]>('i.sku');
}
