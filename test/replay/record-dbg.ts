/**
 * Records the histories that test/replay/replay.test.ts replays: starts the real system, plays the cases, stores what
 * Temporal has written down. By hand: `node --import tsx test/replay/record.ts`.
 */
import type { Client } from '@temporalio/client';
import { stopAll } from '../support/registry.ts';
import { startSystem } from '../support/system.ts';
import { casesOf } from './cases.ts';
import { type StoredHistory, storeHistories, toStoredHistory } from './histories.ts';
import { historyToJson } from './history-json.ts';

async function record(client: Client, name: string, workflowId: string): Promise<StoredHistory> {
  // Ended executions only: the history of one that runs would stop in the middle of a step, elsewhere each time.
  await client.workflow.getHandle(workflowId).result();
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  return toStoredHistory(name, JSON.parse(JSON.stringify(historyToJson(history)), withoutMachine));
}

/** Host names and paths of the machine that recorded say nothing to a replay. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'identity' && typeof value === 'string') return 'recorded';
  if (key === 'stackTrace') return undefined;
  return value;
}

try {
  const system = await startSystem();
  try {
    // All of them end before the system does, also when one fails.
    const played = await Promise.allSettled(
      casesOf(system).map((play, i) => {
        const t = Date.now();
        return play().then(
          (r) => {
            console.error(i, Date.now() - t, Object.keys(r));
            return r;
          },
          (e) => {
            console.error('FAIL', i, Date.now() - t, e.message);
            throw e;
          },
        );
      }),
    );
    const failed = played.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    if (failed.length)
      console.error(
        system.api.log
          .filter((l) => /"level":(50|40)/.test(l))
          .slice(0, 6)
          .join('\n'),
      );
    if (failed.length > 0) throw new AggregateError(failed, `${failed.length} cases could not be played`);
    const named = played.flatMap((each) => (each.status === 'fulfilled' ? Object.entries(each.value) : []));
    const histories = await Promise.all(named.map(([name, id]) => record(system.client, name, id)));
    await storeHistories(histories);
    for (const { name, history } of histories) console.log(`${name}: ${history.events.length} events`);
  } finally {
    await system.close();
  }
} finally {
  await stopAll();
}
