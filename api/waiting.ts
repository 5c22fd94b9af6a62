/**
 * Holds status requests (`?wait=`) until their case changes: one LISTEN connection a process, however many wait, and no
 * database connection held by any of them. The trigger `applications_announce` speaks on the channel.
 */
import type { Logger } from 'pino';
import type { ApplicationId } from '../domain/ids.ts';
import { createListener } from './listener.ts';

export interface ApplicationChanges {
  /**
   * Resolves to true when the case may have changed since this call, false after `timeoutMs`, on `signal`, or when the
   * process stops. It listens from the call on, so call it **before** reading what is to be compared. True is a hint:
   * after a lost connection everybody is woken, because what was said meanwhile is not repeated.
   */
  waitForChange(id: ApplicationId, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /** Sends everybody home, and waits no more. */
  close(): Promise<void>;
}

type Wake = (changed: boolean) => void;

/** Connects when the first request waits. While PostgreSQL is away, requests wait until their time is up. */
export function createApplicationChanges(databaseUrl: string, logger: Logger): ApplicationChanges {
  const waiting = new Map<string, Set<Wake>>();
  let closed = false;

  const wake = (id: string) => {
    for (const waiter of [...(waiting.get(id) ?? [])]) waiter(true);
  };
  const wakeAll = (changed: boolean) => {
    for (const waiters of [...waiting.values()]) for (const waiter of [...waiters]) waiter(changed);
  };

  const listener = createListener(databaseUrl, logger, {
    channel: 'application_changed',
    applicationName: 'alur-waiting',
    onMessage: wake,
    onConnect: () => wakeAll(true),
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
    async close() {
      closed = true;
      wakeAll(false);
      await listener.close();
    },
  };
}
