/**
 * Counters of requests that several processes share. Who asks is answered out of memory; what was counted since is
 * added to PostgreSQL about once a second, all keys in one statement, and the sums come back: together the processes
 * hold a limit to within what one second lets through. While PostgreSQL is away each process counts for itself.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Knex } from '../db/connection.ts';
import { addToLimits, forgetLimits } from '../db/rate-limits.ts';
import { loggable } from './logging.ts';

/** How often one key was counted in its present window; changed in place, so that a request makes nothing new. */
export interface Count {
  readonly key: string;
  /** By all processes, as far as is known here. */
  used: number;
  /** Of those, what the others do not know of yet. */
  untold: number;
  /** Milliseconds since 1970. */
  endsAt: number;
}

export interface SharedCounts {
  /** Looks up the counters of one kind: a kind has a table of its own, so that no request has to put a key together. */
  of(kind: string): (id: string, now: number) => Count;
  add(count: Count): void;
  /** Tells the others what is left to tell, and stops. */
  close(): Promise<void>;
}

export const WINDOW_MS = 60_000;
const SETTLE_MS = 1_000;
const FORGET_MS = 5 * 60_000;
/** Of a kind. A counter that is pushed out begins at 0, and is put right when it is settled. */
const MAX_COUNTS = 20_000;
/** What is kept to be told while PostgreSQL is away. */
const MAX_UNTOLD = 100_000;

export function createSharedCounts({ db, logger }: { db: Knex; logger: Logger }): SharedCounts {
  let moved = new Set<Count>();
  let timer: NodeJS.Timeout | undefined;
  let settling: Promise<void> | undefined;
  let closed = false;
  let away = false;
  let forgotAt = Date.now();

  function settleSoon(): void {
    if (timer === undefined && !closed) timer = setTimeout(() => void settle(), SETTLE_MS).unref();
  }

  function settle(): Promise<void> {
    settling = (settling ?? Promise.resolve()).then(tellOthers).finally(() => {
      timer = undefined;
      if (moved.size > 0) settleSoon();
    });
    return settling;
  }

  async function tellOthers(): Promise<void> {
    const now = Date.now();
    const told = [...moved].filter(({ endsAt }) => endsAt > now).map((count) => ({ count, points: count.untold }));
    moved = new Set();
    for (const { count } of told) count.untold = 0;
    try {
      await share(told, now);
      if (away) logger.info('requests are counted together again');
      away = false;
    } catch (error) {
      for (const { count, points } of told) keepForLater(count, points);
      if (!away) logger.warn({ err: loggable(error) }, 'requests are counted by each process for itself');
      away = true;
    }
  }

  async function share(told: readonly { count: Count; points: number }[], now: number): Promise<void> {
    if (told.length > 0) {
      const rows = told.map(({ count: { key, endsAt }, points }) => ({ key, points, endsAt }));
      const sums = await addToLimits(db, rows, now);
      for (const { count } of told) {
        const sum = sums.get(count.key);
        if (sum) Object.assign(count, { used: sum.points + count.untold, endsAt: sum.endsAt });
      }
    }
    if (now - forgotAt < FORGET_MS) return;
    forgotAt = now;
    await forgetLimits(db, now);
  }

  function keepForLater(count: Count, points: number): void {
    count.untold += points;
    if (moved.size < MAX_UNTOLD) moved.add(count);
  }

  return {
    of(kind) {
      const counts = new LRUCache<string, Count>({ max: MAX_COUNTS });
      return (id, now) => {
        const known = counts.get(id);
        if (known !== undefined && known.endsAt > now) return known;
        const count = { key: `${kind}:${id}`, used: 0, untold: 0, endsAt: now + WINDOW_MS };
        counts.set(id, count);
        return count;
      };
    },
    add(count) {
      count.used += 1;
      if (count.untold === 0 && moved.size < MAX_UNTOLD) moved.add(count);
      count.untold += 1;
      settleSoon();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await settling;
      if (!away && moved.size > 0) await settle();
    },
  };
}
