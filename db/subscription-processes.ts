/** What a subscription's process is started from when there is none: what it once began with, as the record has it. */
import type { Knex } from 'knex';
import type { CompanyId, SubscriptionId, UserId } from '../domain/ids.ts';
import type { Plan } from '../domain/subscriptions.ts';
import { planVersion } from './plans.ts';

export interface SubscriptionOrigin {
  readonly subscriptionId: SubscriptionId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly plan: Plan;
  readonly zone: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

interface Row extends Omit<SubscriptionOrigin, 'plan' | 'startedAt'> {
  readonly planCode: string;
  readonly planVersion: number;
  readonly startedAt: Date;
}

const COLUMNS = {
  subscriptionId: 'id',
  companyId: 'company_id',
  by: 'started_by',
  planCode: 'plan_code',
  planVersion: 'plan_version',
  zone: 'zone',
  startedAt: 'started_at',
};

const ENDED = ['cancelled', 'expired'];

async function toOrigin(
  db: Knex,
  { planCode, planVersion: version, startedAt, ...row }: Row,
): Promise<SubscriptionOrigin> {
  return { ...row, plan: await planVersion(db, planCode, version), startedAt: startedAt.toISOString() };
}

/** null when there is no such subscription, or it is over. */
export async function openSubscriptionOrigin(db: Knex, id: SubscriptionId): Promise<SubscriptionOrigin | null> {
  const row: Row | undefined = await db('subscriptions').where({ id }).whereNotIn('state', ENDED).first(COLUMNS);
  return row ? toOrigin(db, row) : null;
}

/**
 * Open subscriptions of which something should have become since: whose period, or the wait for whose first payment, was over
 * before this moment; and those that are paused as long. In the order of their IDs. `after` = the last one already read.
 */
export async function subscriptionsToWatch(
  db: Knex,
  page: { readonly before: string; readonly after: SubscriptionId | null; readonly limit: number },
): Promise<SubscriptionOrigin[]> {
  const { before, after, limit } = page;
  const rows: Row[] = await db('subscriptions')
    .whereNotIn('state', ENDED)
    .whereRaw(
      `(case when paused_at is not null then paused_at when term = 0 then period_start else period_end end) < ?`,
      [before],
    )
    .modify((query) => {
      if (after) query.where('id', '>', after);
    })
    .orderBy('id')
    .limit(limit)
    .select(COLUMNS);
  return Promise.all(rows.map((row) => toOrigin(db, row)));
}
