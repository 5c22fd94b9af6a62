/** Which orders their process has to be started for. */
import type { Knex } from 'knex';
import type { OrderId } from '../domain/ids.ts';

/** Placed before this moment, and no process has had them in hand; the oldest first. */
export const ordersNotTaken = (
  db: Knex,
  { before, limit }: { readonly before: string; readonly limit: number },
): Promise<OrderId[]> =>
  db('orders')
    .whereNull('taken_at')
    .where('placed_at', '<', before)
    .orderBy('placed_at')
    .limit(limit)
    .pluck<OrderId[]>('id');

/** Whether somebody should have it in hand. null = there is no such order. */
export async function isOrderInProcess(db: Knex, id: OrderId): Promise<boolean | null> {
  const row: { endedAt: Date | null } | undefined = await db('orders').where({ id }).first({ endedAt: 'ended_at' });
  return row ? row.endedAt === null : null;
}
