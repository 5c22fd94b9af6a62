/** The rules of the shop by which new orders and returns go; each keeps the version that it began under. */
import type { Knex } from 'knex';
import { DEFAULT_ORDER_POLICY, type OrderPolicy } from '../domain/orders.ts';
import { DEFAULT_RETURN_POLICY, type ReturnPolicy } from '../domain/returns.ts';

export const orderPolicy = async (db: Knex, at: Date): Promise<OrderPolicy> =>
  (await inForce<OrderPolicy>(db, 'order', at)) ?? DEFAULT_ORDER_POLICY;

export const returnPolicy = async (db: Knex, at: Date): Promise<ReturnPolicy> =>
  (await inForce<ReturnPolicy>(db, 'return', at)) ?? DEFAULT_RETURN_POLICY;

async function inForce<Policy>(db: Knex, kind: 'order' | 'return', at: Date): Promise<Policy | null> {
  const row: { policy: Policy } | undefined = await db('shop_policies')
    .where({ kind })
    .where('effective_from', '<=', at)
    .orderBy('version', 'desc')
    .first('policy');
  return row?.policy ?? null;
}
