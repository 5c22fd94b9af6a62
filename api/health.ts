/** Whether the API can do its work: PostgreSQL and Temporal, asked together, each for two seconds at most. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiDeps } from './deps.ts';
import { loggable } from './logging.ts';

export interface Checks {
  readonly postgres: 'ok' | 'unavailable';
  readonly temporal: 'ok' | 'unavailable';
}

const TIMEOUT_MS = 2_000;

export function createHealth({
  db,
  temporal,
  logger,
}: Pick<ApiDeps, 'db' | 'temporal' | 'logger'>): () => Promise<Checks> {
  return async () => {
    const [postgres, temporalState] = await Promise.all([
      state('postgres', () => db.raw('select 1')),
      state('temporal', () =>
        temporal.withDeadline(Date.now() + TIMEOUT_MS, () => temporal.workflowService.getSystemInfo({})),
      ),
    ]);
    return { postgres, temporal: temporalState };
  };

  async function state(name: string, ask: () => PromiseLike<unknown>): Promise<'ok' | 'unavailable'> {
    const timer = new AbortController();
    try {
      await Promise.race([ask(), timeUp(timer.signal)]);
      return 'ok';
    } catch (error) {
      logger.warn({ err: loggable(error), part: name }, 'a part is not available');
      return 'unavailable';
    } finally {
      timer.abort();
    }
  }
}

async function timeUp(signal: AbortSignal): Promise<never> {
  await delay(TIMEOUT_MS, undefined, { signal });
  throw new Error(`no answer within ${TIMEOUT_MS} ms`);
}
