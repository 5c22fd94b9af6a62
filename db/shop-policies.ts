/** The rules of the shop by which new orders and returns go; each keeps the version that it began under. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { UserId } from '../domain/ids.ts';
import { DEFAULT_ORDER_POLICY, type OrderPolicy } from '../domain/orders.ts';
import { DEFAULT_RETURN_POLICY, type ReturnPolicy } from '../domain/returns.ts';
import { recordEvent } from './events.ts';

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

export interface ShopPolicyVersion {
  readonly version: number;
  readonly policy: unknown;
  readonly effectiveFrom: Date;
  readonly publishedBy: UserId | null;
  readonly createdAt: Date;
}

/** Newest first. */
export const shopPolicyVersions = (db: Knex, kind: 'order' | 'return'): Promise<ShopPolicyVersion[]> =>
  db('shop_policies').where({ kind }).orderBy('version', 'desc').limit(100).select({
    version: 'version',
    policy: 'policy',
    effectiveFrom: 'effective_from',
    publishedBy: 'published_by',
    createdAt: 'created_at',
  });

export type NewShopPolicy = (
  | { readonly kind: 'order'; readonly policy: OrderPolicy }
  | { readonly kind: 'return'; readonly policy: ReturnPolicy }
) & {
  /** Of the request: the same one publishes once. */
  readonly key: string;
  readonly effectiveFrom: Date;
  readonly by: UserId;
  readonly origin: Origin;
  /** ISO 8601. */
  readonly at: string;
};

/** Publishes the next version; of two at once each gets its own. @returns its number, of a repeat the one that it got */
export async function publishShopPolicy(db: Knex, wish: NewShopPolicy): Promise<number> {
  const { kind, policy, key, effectiveFrom, by, origin, at } = wish;
  return db.transaction(async (tx) => {
    await tx.raw(`select pg_advisory_xact_lock(hashtext('shop_policies'), hashtext(?))`, [kind]);
    const newest: { version: number } | undefined = await tx('shop_policies')
      .where({ kind })
      .orderBy('version', 'desc')
      .first('version');
    const version = (newest?.version ?? 0) + 1;
    const event = {
      key: `shop-policy/${kind}/${key}`,
      type: 'shop_policy.published',
      subject: `shop_policy/${kind}`,
    } as const;
    const data = { kind, version, effectiveFrom: effectiveFrom.toISOString() };
    if (!(await recordEvent(tx, { ...event, by, data, origin, at }))) {
      const before: { data: { version: number } } = await tx('events').where({ key: event.key }).first('data');
      return before.data.version;
    }
    await tx('shop_policies').insert({
      kind,
      version,
      policy: JSON.stringify(policy),
      effective_from: effectiveFrom,
      published_by: by,
      created_at: at,
    });
    return version;
  });
}
