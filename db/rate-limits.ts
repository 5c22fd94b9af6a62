/** Counters that all processes share, in the table and with the window rule of rate-limiter-flexible. */
import type { Knex } from './connection.ts';

export interface CountedKey {
  readonly key: string;
  readonly points: number;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * Adds what one process has counted and returns, by key, what all of them have together. A key whose window is over
 * begins anew with the window given. The keys are taken in one order by everybody: two processes that lock the same
 * rows the other way round would stop each other.
 */
export async function addToLimits(
  db: Knex,
  counted: readonly CountedKey[],
  now: number,
): Promise<Map<string, CountedKey>> {
  const keys = counted.map(({ key }) => key);
  const points = counted.map((one) => one.points);
  const ends = counted.map(({ endsAt }) => endsAt);
  const { rows }: { rows: { key: string; points: number; expire: number }[] } = await db.raw(
    `insert into rate_limits as kept (key, points, expire)
       select key, sum(points), min(ends_at)
       from unnest(?::text[], ?::int[], ?::float8[]) as counted (key, points, ends_at)
       group by key order by key
     on conflict (key) do update set
       points = case when kept.expire <= ? then excluded.points else kept.points + excluded.points end,
       expire = case when kept.expire <= ? then excluded.expire else kept.expire end
     returning key, points, expire`,
    [keys, points, ends, now, now],
  );
  return new Map(rows.map(({ key, points, expire }) => [key, { key, points, endsAt: expire }]));
}

/** Counters whose window is over say nothing any more. */
export async function forgetLimits(db: Knex, now: number): Promise<void> {
  await db('rate_limits').where('expire', '<', now).delete();
}
