import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterFailure, type FailureCount, LOCKOUT, lockedUntil } from '../../domain/lockout.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = new Date('2026-03-02T02:00:00Z');
const later = (ms: number, from = START) => new Date(from.getTime() + ms);

/** Fails so often at one moment. */
function failed(times: number, before: FailureCount | null, at: Date): FailureCount {
  let count = before;
  for (let time = 0; time < times; time += 1) count = afterFailure(count, at);
  assert.ok(count);
  return count;
}

/** Guesses without a pause: five failures as soon as each lock is over. @returns the length of each lock in minutes */
function locksOf(rounds: number): number[] {
  let count: FailureCount | null = null;
  let at = START;
  return Array.from({ length: rounds }, () => {
    count = failed(5, count, at);
    const until = lockedUntil(count, at);
    assert.ok(until);
    const minutes = (until.getTime() - at.getTime()) / MINUTE;
    at = until;
    return minutes;
  });
}

describe('failures in a row', () => {
  it('lock for 15 minutes with the fifth', () => {
    assert.equal(lockedUntil(failed(4, null, START), START), null);
    const count = failed(5, null, START);
    assert.deepEqual(lockedUntil(count, START), later(15 * MINUTE));
    assert.deepEqual(lockedUntil(count, later(15 * MINUTE - 1)), later(15 * MINUTE));
    assert.equal(lockedUntil(count, later(15 * MINUTE)), null);
  });

  it('lock twice as long each time, and never longer than a day', () => {
    assert.deepEqual(locksOf(9), [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
  });

  it('are not counted while a lock holds', () => {
    const locked = failed(5, null, START);
    assert.deepEqual(afterFailure(locked, later(MINUTE)), locked);
  });

  it('are forgotten after a quiet day, counted from the end of the lock', () => {
    const four = failed(4, null, START);
    assert.equal(afterFailure(four, later(24 * HOUR - 1)).strikes, 1);
    assert.deepEqual(afterFailure(four, later(24 * HOUR)), {
      failures: 1,
      strikes: 0,
      lastFailureAt: later(24 * HOUR),
      lockedUntil: null,
    });
    const locked = failed(5, null, START);
    const lockEnd = later(15 * MINUTE);
    assert.equal(afterFailure(locked, later(24 * HOUR - 1, lockEnd)).strikes, 1);
    assert.equal(afterFailure(locked, later(24 * HOUR, lockEnd)).strikes, 0);
  });

  it('give a guesser without a pause few tries a day, and lock nobody for longer than a day', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 2 * HOUR }), { minLength: 50, maxLength: 300 });
    fc.assert(
      fc.property(pauses, (gaps) => {
        let count: FailureCount | null = null;
        let at = START;
        let tried = 0;
        for (const gap of gaps) {
          at = later(gap, at);
          if (at.getTime() - START.getTime() > 24 * HOUR) break;
          if (!lockedUntil(count, at)) tried += 1;
          count = afterFailure(count, at);
          const until = lockedUntil(count, at);
          assert.ok(until === null || until.getTime() - at.getTime() <= LOCKOUT.longestMs);
        }
        // 15 + 30 + 60 + ... + 960 minutes of locks do not fit into a day.
        assert.ok(tried <= 5 * 7, `${tried} tries`);
      }),
    );
  });
});
