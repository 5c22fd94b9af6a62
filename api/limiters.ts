/** Counters of what is rare and must hold for all processes together: failures, letters. */
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Knex } from '../db/connection.ts';

export interface Limit {
  readonly keyPrefix: string;
  readonly points: number;
  /** Seconds. */
  readonly duration: number;
}

const made = new WeakMap<Knex, Map<string, RateLimiterAbstract>>();

/** In a table that all processes share; while that cannot be reached each process counts for itself. */
export function limiterOf(db: Knex, limit: Limit): RateLimiterAbstract {
  const ofDatabase = made.get(db) ?? new Map<string, RateLimiterAbstract>();
  made.set(db, ofDatabase);
  const limiter = ofDatabase.get(limit.keyPrefix) ?? createLimiter(db, limit);
  ofDatabase.set(limit.keyPrefix, limiter);
  return limiter;
}

const createLimiter = (db: Knex, limit: Limit): RateLimiterAbstract =>
  new RateLimiterPostgres({
    ...limit,
    ...sharedTable(db),
    insuranceLimiter: new RateLimiterMemory(limit),
  });

export const sharedTable = (db: Knex) => ({
  storeClient: db,
  storeType: 'knex',
  tableName: 'rate_limits',
  tableCreated: true,
  // The general limits tidy the table up (shared-counts.ts).
  clearExpiredByTimeout: false,
});

/** What Retry-After says: whole seconds, one at least. */
export const secondsOf = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
