/**
 * Holds requests (`?wait=`) until what they ask about changes: one LISTEN connection a channel and process, however many wait,
 * and no database connection held by any of them. Triggers speak on the channels: `applications_announce`, `onboardings_announce`,
 * `subscriptions_announce`, `orders_announce`, `shipments_announce` and `returns_announce`.
 */
import type { Logger } from 'pino';
import type { ApplicationId, CompanyId, OrderId, ReturnId } from '../domain/ids.ts';
import { createListener } from './listener.ts';

export interface Changes<Id extends string> {
  /**
   * Resolves to true when it may have changed since this call, false after `timeoutMs`, on `signal`, or when the process
   * stops. It listens from the call on, so call it **before** reading what is to be compared. True is a hint: after a lost
   * connection everybody is woken, because what was said meanwhile is not repeated.
   */
  waitForChange(id: Id, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /** Called with the ID of what has changed, once it is open; null = anything may have, while nobody listened. */
  onChange(tell: (id: string | null) => void): void;
  /** Listens from now on, whether or not anybody waits. */
  open(): void;
  /** Sends everybody home, and waits no more. */
  close(): Promise<void>;
}

export type ApplicationChanges = Changes<ApplicationId>;
/** Of a company's onboarding or subscription. */
export type CompanyChanges = Changes<CompanyId>;
export type OrderChanges = Changes<OrderId>;
export type ReturnChanges = Changes<ReturnId>;

type Wake = (changed: boolean) => void;

export const createApplicationChanges = (databaseUrl: string, logger: Logger): ApplicationChanges =>
  createChanges(databaseUrl, logger, { channel: 'application_changed', applicationName: 'alur-waiting' });

export const createCompanyChanges = (databaseUrl: string, logger: Logger): CompanyChanges =>
  createChanges(databaseUrl, logger, { channel: 'company_changed', applicationName: 'alur-waiting-companies' });

export const createOrderChanges = (databaseUrl: string, logger: Logger): OrderChanges =>
  createChanges(databaseUrl, logger, { channel: 'order_changed', applicationName: 'alur-waiting-orders' });

export const createReturnChanges = (databaseUrl: string, logger: Logger): ReturnChanges =>
  createChanges(databaseUrl, logger, { channel: 'return_changed', applicationName: 'alur-waiting-returns' });

/** Connects when the first request waits. While PostgreSQL is away, requests wait until their time is up. */
function createChanges<Id extends string>(
  databaseUrl: string,
  logger: Logger,
  listening: { readonly channel: string; readonly applicationName: string },
): Changes<Id> {
  const waiting = new Map<string, Set<Wake>>();
  const told: ((id: string | null) => void)[] = [];
  let closed = false;

  const wake = (id: string) => {
    for (const tell of told) tell(id);
    for (const waiter of [...(waiting.get(id) ?? [])]) waiter(true);
  };
  const wakeAll = (changed: boolean) => {
    for (const waiters of [...waiting.values()]) for (const waiter of [...waiters]) waiter(changed);
  };

  const listener = createListener(databaseUrl, logger, {
    ...listening,
    onMessage: wake,
    onConnect: () => {
      for (const tell of told) tell(null);
      wakeAll(true);
    },
  });

  function enter(id: string, waiter: Wake): void {
    const waiters = waiting.get(id) ?? new Set();
    waiting.set(id, waiters.add(waiter));
    listener.open();
  }

  function leave(id: string, waiter: Wake): void {
    const waiters = waiting.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) waiting.delete(id);
  }

  return {
    waitForChange(id, timeoutMs, signal) {
      if (closed || signal.aborted || timeoutMs <= 0) return Promise.resolve(false);
      return new Promise((resolve) => {
        const finish: Wake = (changed) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          leave(id, finish);
          resolve(changed);
        };
        const giveUp = () => finish(false);
        const timer = setTimeout(giveUp, timeoutMs);
        signal.addEventListener('abort', giveUp);
        enter(id, finish);
      });
    },
    onChange: (tell) => void told.push(tell),
    open: () => listener.open(),
    async close() {
      closed = true;
      wakeAll(false);
      await listener.close();
    },
  };
}

/**
 * What is read, once it differs from what the caller has (`seen`, an If-None-Match; absent = what is read first), when it
 * will not change any more, or when the time is over.
 */
export async function afterChange<Id extends string, Now>(
  changes: Changes<Id>,
  wait: { readonly id: Id; readonly waitMs: number; readonly seen: string | undefined; readonly signal: AbortSignal },
  read: () => Promise<Now & { readonly etag: string }>,
  is: { readonly over: (now: Now) => boolean; readonly fresh: (seen: string, etag: string) => boolean },
): Promise<Now & { readonly etag: string }> {
  const until = performance.now() + wait.waitMs;
  let { seen } = wait;
  for (;;) {
    // Listens before it reads: a change between the two would otherwise be waited for in vain.
    const changed = changes.waitForChange(wait.id, until - performance.now(), wait.signal);
    const now = await read();
    if (is.over(now) || (seen !== undefined && !is.fresh(seen, now.etag))) return now;
    seen ??= now.etag;
    // What was read when the wait began may be nothing that the caller may see by now.
    if (!(await changed)) return read();
  }
}
