/** What is still reserved for orders that are over: their own process gives it back, and this what it left. */
import type { Knex } from 'knex';
import type { OrderId, Sku } from '../domain/ids.ts';
import { recordEachTime } from './events.ts';
import { releaseReserved } from './stock.ts';

const OVER = ['cancelled', 'refunded'];

/** Orders that are over, for which something is reserved though its time has passed. */
export async function forgottenReservations(db: Knex, at: string, limit: number): Promise<OrderId[]> {
  return db('stock_reservations as r')
    .leftJoin('orders as o', 'o.id', 'r.order_id')
    .where('r.quantity', '>', 0)
    .where('r.expires_at', '<=', at)
    .where((query) => query.whereNull('o.id').orWhereIn('o.state', OVER))
    .groupBy('r.order_id')
    .orderBy('r.order_id')
    .limit(limit)
    .pluck<OrderId[]>('r.order_id');
}

/**
 * Gives back what is reserved for an order that is over; one that is open keeps it.
 * @returns of which products something is free again
 */
export async function giveBackForgotten(
  tx: Knex,
  { orderId, at }: { readonly orderId: OrderId; readonly at: string },
): Promise<Sku[]> {
  const open = await tx('orders').where({ id: orderId }).whereNotIn('state', OVER).first('id');
  if (open) return [];
  const given = await releaseReserved(tx, { orderId, at });
  if (given.length === 0) return [];
  const units = given.reduce((all, { quantity }) => all + quantity, 0);
  const event = { key: `order/${orderId}/reservation_expired`, type: 'stock.reservation_expired' } as const;
  await recordEachTime(tx, { ...event, subject: `order/${orderId}`, data: { units }, at });
  return [...new Set(given.map(({ sku }) => sku))];
}
