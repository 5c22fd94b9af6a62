/** Wrong passwords in a row, counted for an address whether an account has it or not. */
import type { Knex } from 'knex';
import { afterFailure, type FailureCount, LOCKOUT, lockedUntil } from '../domain/lockout.ts';

/** Each has a count of its own, so that whoever guesses from elsewhere locks nobody out at home. */
export type LockOrigin = 'device' | 'network' | 'unknown' | 'second_factor';

export interface LockKey {
  /** Fingerprint of the address, column `login_locks.account`. */
  readonly account: string;
  readonly origin: LockOrigin;
}

export interface Counted {
  /** Set when nothing was counted, because a lock holds until then: the attempt must not be answered by its merit. */
  readonly lockedUntil: Date | null;
  /** Set when this failure locked. */
  readonly locksUntil: Date | null;
}

const columns = {
  failures: 'failures',
  strikes: 'strikes',
  lastFailureAt: 'last_failure_at',
  lockedUntil: 'locked_until',
};
const row = ({ account, origin }: LockKey) => ({ account_hash: account, origin });

export async function findCount(db: Knex, key: LockKey): Promise<FailureCount | null> {
  const found: FailureCount | undefined = await db('login_locks').where(row(key)).first(columns);
  return found ?? null;
}

/** Counts a failure. However many come at once, they are counted one after the other. */
export async function countFailure(db: Knex, key: LockKey, at: Date): Promise<Counted> {
  return db.transaction(async (trx) => {
    await trx('login_locks')
      .insert({ ...row(key), last_failure_at: at })
      .onConflict()
      .ignore();
    const before: FailureCount = await trx('login_locks').where(row(key)).forUpdate().first(columns);
    const holds = lockedUntil(before, at);
    if (holds) return { lockedUntil: holds, locksUntil: null };
    const count = afterFailure(before, at);
    await trx('login_locks').where(row(key)).update({
      failures: count.failures,
      strikes: count.strikes,
      last_failure_at: count.lastFailureAt,
      locked_until: count.lockedUntil,
    });
    if (count.lockedUntil) await forgetOld(trx, at);
    return { lockedUntil: null, locksUntil: count.lockedUntil };
  });
}

/** After a success. A lock that holds stays. @returns its end; null = none held, and the count is gone */
export async function countSuccess(db: Knex, key: LockKey, at: Date): Promise<Date | null> {
  const count = await findCount(db, key);
  if (!count) return null;
  const holds = lockedUntil(count, at);
  if (holds) return holds;
  await db('login_locks')
    .where(row(key))
    .where((free) => free.whereNull('locked_until').orWhere('locked_until', '<=', at))
    .delete();
  return null;
}

/** Lets the account in again from everywhere. How often it was locked stays: the next lock is longer. */
export async function liftLocks(db: Knex, accounts: readonly string[]): Promise<void> {
  await db('login_locks')
    .whereIn('account_hash', [...accounts])
    .whereNot('origin', 'second_factor')
    .update({ failures: 0, locked_until: null });
}

/** Anybody can make rows here by guessing addresses; those that count for nothing any more go. */
async function forgetOld(db: Knex, at: Date): Promise<void> {
  const before = new Date(at.getTime() - LOCKOUT.quietMs - LOCKOUT.longestMs);
  // Skipping what another transaction holds: two that forget at once would wait for each other.
  const old = db('login_locks').where('last_failure_at', '<', before).forUpdate().skipLocked().limit(1000);
  await db.raw('delete from login_locks where (account_hash, origin) in (?)', [old.select('account_hash', 'origin')]);
}
