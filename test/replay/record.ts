/**
 * Records the histories that test/replay/replay.test.ts replays: starts the real system, plays the cases, stores what
 * Temporal has written down. By hand: `node --import tsx test/replay/record.ts [label]`. A label is added to the names, so
 * that the histories of an earlier release stay beside the new ones.
 */
import type { Client } from '@temporalio/client';
import { stopAll } from '../support/registry.ts';
import { startSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';
import { casesOf } from './cases.ts';
import { type StoredHistory, storeHistories, toStoredHistory } from './histories.ts';
import { historyToJson } from './history-json.ts';

/** Ended executions only: the history of one that runs would stop in the middle of a step, elsewhere each time. */
async function record(client: Client, name: string, workflowId: string): Promise<StoredHistory> {
  const handle = client.workflow.getHandle(workflowId);
  await eventually(`${name} (${workflowId}) to end`, async () => (await handle.describe()).status.name !== 'RUNNING');
  const history = historyToJson(await handle.fetchHistory());
  return toStoredHistory(name, JSON.parse(JSON.stringify(history), withoutMachine));
}

/** Host names and paths of the machine that recorded say nothing to a replay. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'identity' && typeof value === 'string') return 'recorded';
  if (key === 'stackTrace') return undefined;
  return value;
}

const AT_ONCE = 12;
const label = process.argv[2];

try {
  const system = await startSystem();
  try {
    // All of them end before the system does, also when one fails. Some at a time: a machine that is asked for everything at once
    // answers late, and a late answer is another story.
    const cases = casesOf(system);
    const played: PromiseSettledResult<Awaited<ReturnType<(typeof cases)[number]>>>[] = [];
    for (let from = 0; from < cases.length; from += AT_ONCE)
      played.push(...(await Promise.allSettled(cases.slice(from, from + AT_ONCE).map((play) => play()))));
    const failed = played.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    if (failed.length > 0) throw new AggregateError(failed, `${failed.length} cases could not be played`);
    const named = played.flatMap((each) => (each.status === 'fulfilled' ? Object.entries(each.value) : []));
    const histories = await Promise.all(
      named.map(([name, id]) => record(system.client, label ? `${name}-${label}` : name, id)),
    );
    await storeHistories(histories);
    for (const { name, json } of histories) console.log(`${name}: ${json.events.length} events`);
  } finally {
    await system.close();
  }
} finally {
  await stopAll();
}
