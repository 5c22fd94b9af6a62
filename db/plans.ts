/** Plans as data: each publication is a version, and a subscription keeps the one that it was started or changed under. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { UserId } from '../domain/ids.ts';
import type { Plan } from '../domain/subscriptions.ts';
import { recordEvent } from './events.ts';

export interface PlanVersion extends Plan {
  /** What a company without a subscription may use. */
  readonly isDefault: boolean;
  readonly isOffered: boolean;
  readonly effectiveFrom: Date;
  readonly publishedBy: UserId | null;
  readonly createdAt: Date;
}

interface PlanRow extends Omit<PlanVersion, 'priceMinor'> {
  readonly priceMinor: bigint;
}

const COLUMNS = {
  code: 'p.code',
  version: 'p.version',
  name: 'p.name',
  priceMinor: 'p.price_minor',
  currency: 'p.currency',
  interval: 'p.interval',
  trialDays: 'p.trial_days',
  isTaxed: 'p.is_taxed',
  entitlements: 'p.entitlements',
  policy: 'p.policy',
  isDefault: 'p.is_default',
  isOffered: 'p.is_offered',
  effectiveFrom: 'p.effective_from',
  publishedBy: 'p.published_by',
  createdAt: 'p.created_at',
};

/** The latest version that has begun; of two from the same instant the higher one (`p` = plans). */
const IN_FORCE = `p.version = (select l.version from plans l where l.code = p.code and l.effective_from <= ?
  order by l.effective_from desc, l.version desc limit 1)`;

const toVersion = (row: PlanRow): PlanVersion => ({ ...row, priceMinor: row.priceMinor.toString() });

/** Only what a process is handed and a subscription keeps. */
const toPlan = (row: PlanRow): Plan => {
  const { isDefault, isOffered, effectiveFrom, publishedBy, createdAt, ...plan } = toVersion(row);
  return plan;
};

/** What can be subscribed to at `at`; null when there is no such plan, or it is not offered then. */
export async function planInForce(db: Knex, code: string, at: Date): Promise<Plan | null> {
  const row: PlanRow | undefined = await db('plans as p')
    .where({ 'p.code': code, 'p.is_offered': true })
    .whereRaw(IN_FORCE, [at])
    .first(COLUMNS);
  return row ? toPlan(row) : null;
}

/** @throws Error when there is no such version: a subscription that names it could not be there */
export async function planVersion(db: Knex, code: string, version: number): Promise<Plan> {
  const row: PlanRow | undefined = await db('plans as p')
    .where({ 'p.code': code, 'p.version': version })
    .first(COLUMNS);
  if (!row) throw new Error(`plan ${code} has no version ${version}`);
  return toPlan(row);
}

/** What can be subscribed to at `at`: the cheaper first, months before years. */
export async function offeredPlans(db: Knex, at: Date): Promise<PlanVersion[]> {
  const rows: PlanRow[] = await db('plans as p')
    .where('p.is_offered', true)
    .whereRaw(IN_FORCE, [at])
    .orderBy(['p.currency', 'p.interval', 'p.price_minor', 'p.code'])
    .select(COLUMNS);
  return rows.map(toVersion);
}

/** Every version that was ever published, plan by plan, the latest first. */
export async function allPlanVersions(db: Knex): Promise<PlanVersion[]> {
  const rows: PlanRow[] = await db('plans as p')
    .orderBy([{ column: 'p.code' }, { column: 'p.version', order: 'desc' }])
    .select(COLUMNS);
  return rows.map(toVersion);
}

/** In SQL: code and entitlements of the default plan at `:at`. Of several that say so, the one that began last is it. */
export const DEFAULT_PLAN = `(
  select p.code, p.entitlements from plans p
   where p.is_default and p.version = (select l.version from plans l where l.code = p.code and l.effective_from <= :at
      order by l.effective_from desc, l.version desc limit 1)
   order by p.effective_from desc, p.created_at desc limit 1)`;

export interface NewPlanVersion extends Omit<PlanVersion, 'version' | 'createdAt' | 'publishedBy'> {
  /** Names the publication: again with the same key changes nothing. */
  readonly key: string;
  readonly by: UserId;
  readonly origin?: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/** Publishes the next version of a plan, the first of a new code. @returns its number */
export async function publishPlan(tx: Knex, given: NewPlanVersion): Promise<number> {
  const { key, code, by, origin, at } = given;
  // One publication of a plan at a time: the next version is the last one plus one.
  await tx.raw('select pg_advisory_xact_lock(hashtext(?))', [`plan/${code}`]);
  const last: PlanRow | undefined = await tx('plans as p')
    .where('p.code', code)
    .orderBy('p.version', 'desc')
    .first(COLUMNS);
  const version = (last?.version ?? 0) + 1;
  const event = { key: `plan/${key}/published`, type: 'plan.published', subject: `plan/${code}` } as const;
  const data = { version, effectiveFrom: given.effectiveFrom.toISOString() };
  const { before, after } = changed(last ? toVersion(last) : null, given);
  const isNew = await recordEvent(tx, { ...event, by, origin, data, before, after, at });
  if (!isNew) return publishedBefore(tx, event.key);
  await tx('plans').insert({
    code,
    version,
    name: JSON.stringify(given.name),
    price_minor: given.priceMinor,
    currency: given.currency,
    interval: given.interval,
    trial_days: given.trialDays,
    entitlements: JSON.stringify(given.entitlements),
    policy: JSON.stringify(given.policy),
    is_taxed: given.isTaxed,
    is_default: given.isDefault,
    is_offered: given.isOffered,
    effective_from: given.effectiveFrom,
    published_by: by,
    created_at: at,
  });
  return version;
}

async function publishedBefore(db: Knex, key: string): Promise<number> {
  const event: { data: { version: number } } = await db('events').where({ key }).first('data');
  return event.data.version;
}

const PARTS = [
  'name',
  'priceMinor',
  'currency',
  'interval',
  'trialDays',
  'isTaxed',
  'entitlements',
  'policy',
  'isDefault',
  'isOffered',
] as const satisfies readonly (keyof PlanVersion & keyof NewPlanVersion)[];

/** Part by part, against the version before. */
function changed(before: PlanVersion | null, after: NewPlanVersion) {
  const parts = PARTS.filter((part) => !before || canonical(before[part]) !== canonical(after[part]));
  return {
    before: Object.fromEntries(parts.map((part) => [part, before?.[part] ?? null])),
    after: Object.fromEntries(parts.map((part) => [part, after[part]])),
  };
}

/** Whatever the order of the keys: the database does not keep it. */
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
