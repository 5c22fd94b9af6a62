import { randomUUID } from 'node:crypto';
import { atRest, openCases } from './cases.ts';
import { type Pair, pairOf, percentile, type Round } from './figures.ts';
import type { Machine } from './machine.ts';

const IN_FLIGHT = 20;
const WARM_CASES = 30;
const CASES = 80;
const BATCHES = 2;

const STAGES = ['document_verification', 'compliance_check', 'approval'] as const;
const AFTER = { document_verification: 'compliance_check', compliance_check: 'approval', approval: 'pending_payment' };

export interface DecisionFigures {
  readonly p95: Pair;
  readonly p50: Pair;
}

/**
 * From the request to the answer that says "recorded". Alur: HTTP, the Idempotency-Key's row, the update, the decision's
 * transaction and, on the same two processes and beside the other nineteen, what every decision sets off: the next task
 * opens, a letter goes out. Bare: an update straight from a Temporal client, its validator, one insert, nothing after it.
 */
export async function measureDecisions(machine: Machine): Promise<DecisionFigures> {
  const workflowIds = await startBare(machine, CASES);
  const p95: Round[] = [];
  const p50: Round[] = [];
  await decideAll(machine, await openCases(machine, WARM_CASES), async () => {
    await bareLatencies(machine, workflowIds);
  });
  for (let batch = 0; batch < BATCHES; batch += 1) {
    await decideAll(machine, await openCases(machine, CASES), async (alur) => {
      const bare = await bareLatencies(machine, workflowIds);
      p95.push({ alur: percentile(alur, 0.95), bare: percentile(bare, 0.95) });
      machine.say(`  p95 ${percentile(alur, 0.95).toFixed(0)} : ${percentile(bare, 0.95).toFixed(0)} ms`);
      p50.push({ alur: percentile(alur, 0.5), bare: percentile(bare, 0.5) });
    });
  }
  const what = (share: string) => `Approve to durable answer, ${share}, ${IN_FLIGHT} in flight`;
  return {
    p95: pairOf(what('p95'), 'ms', { atMost: 1.25 }, p95),
    p50: pairOf(what('p50'), 'ms', { atMost: 1.25 }, p50),
  };
}

/** Approves all cases stage by stage, to the open invoice; once each stage has come to rest, `round` gets its latencies. */
export async function decideAll(
  machine: Machine,
  ids: readonly string[],
  round: (latenciesMs: readonly number[]) => Promise<void>,
): Promise<void> {
  for (const [index, stage] of STAGES.entries()) {
    const { latenciesMs } = await machine.driver({
      kind: 'posts',
      inFlight: IN_FLIGHT,
      posts: await approvals(machine, ids),
    });
    await atRest(machine, ids, AFTER[stage], index + 3);
    await round(latenciesMs);
  }
}

async function approvals({ apiUrl, db, people }: Machine, ids: readonly string[]) {
  const rows: { id: string; assignee: string }[] = await db('applications')
    .whereIn('id', ids)
    .select({ id: 'id', assignee: 'assignee_id' });
  const tokens = new Map(Object.values(people).map(({ userId, token }) => [userId, token]));
  return rows.map(({ id, assignee }) => ({
    url: `${apiUrl}/api/v1/licenses/approve/${id}`,
    token: tokens.get(assignee) ?? '',
    key: randomUUID(),
  }));
}

async function bareLatencies({ driver }: Machine, workflowIds: readonly string[]): Promise<readonly number[]> {
  return (await driver({ kind: 'updates', workflowIds, inFlight: IN_FLIGHT })).latenciesMs;
}

async function startBare({ client, bareQueue }: Machine, count: number): Promise<string[]> {
  const workflowIds = Array.from({ length: count }, (_, index) => `bare-decision/${index}`);
  for (const workflowId of workflowIds)
    await client.workflow.start('bareDecision', { workflowId, taskQueue: bareQueue, args: [workflowId] });
  return workflowIds;
}
