/** When an account has to wait after wrong passwords. Nothing locks for ever, and quiet makes good. */

/** Failures in a row, from one kind of place. */
export interface FailureCount {
  /** Since the last success or lock. */
  readonly failures: number;
  /** How often it was locked before. */
  readonly strikes: number;
  readonly lastFailureAt: Date;
  readonly lockedUntil: Date | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const LOCKOUT = {
  /** The failure that locks. */
  failures: 5,
  firstMs: 15 * MINUTE_MS,
  longestMs: 24 * HOUR_MS,
  /** After so long without a failure, counted from the end of a lock, all is forgotten. */
  quietMs: 24 * HOUR_MS,
} as const;

/** The end of the lock that holds at this moment; null = none does. */
export const lockedUntil = (count: FailureCount | null, at: Date): Date | null =>
  count?.lockedUntil && count.lockedUntil > at ? count.lockedUntil : null;

/** The count with one failure more; one that is locked stays as it is, for nothing was tried. */
export function afterFailure(count: FailureCount | null, at: Date): FailureCount {
  if (count && lockedUntil(count, at)) return count;
  const { failures, strikes } = count && !isForgotten(count, at) ? count : { failures: 0, strikes: 0 };
  const next = { failures: failures + 1, strikes, lastFailureAt: at, lockedUntil: null };
  if (next.failures < LOCKOUT.failures) return next;
  return {
    failures: 0,
    strikes: strikes + 1,
    lastFailureAt: at,
    lockedUntil: new Date(at.getTime() + lockMs(strikes)),
  };
}

/** 15 minutes, and twice as long with each lock before, to a day at most. */
const lockMs = (strikes: number): number => Math.min(LOCKOUT.firstMs * 2 ** strikes, LOCKOUT.longestMs);

function isForgotten({ lastFailureAt, lockedUntil: until }: FailureCount, at: Date): boolean {
  const quietSince = Math.max(lastFailureAt.getTime(), until?.getTime() ?? 0);
  return at.getTime() - quietSince >= LOCKOUT.quietMs;
}
