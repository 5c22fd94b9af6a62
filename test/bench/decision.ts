import { randomUUID } from 'node:crypto';
import { atRest, openCases } from './cases.ts';
import { type Pair, pairOf, percentile, type Round } from './figures.ts';
import type { Machine } from './machine.ts';

const IN_FLIGHT = 20;
const WARM_CASES = 20;
/** Cases of the steady stream, and of the bursts, of which each takes IN_FLIGHT. */
const STREAM_CASES = 80;
const BURST_CASES = 60;

/** One decision after the other: where the case is then, and how many letters it has had. The last stage takes two votes. */
const STEPS = [
  { state: 'compliance_check', letters: 3 },
  { state: 'approval', letters: 5 },
  { state: 'approval', letters: 5 },
  { state: 'pending_payment', letters: 6 },
] as const;
const GOAL = { atMost: 1.25 };

type Latencies = readonly number[];
/** Given the latencies of some decisions once everything that they set off is done. */
type AtRest = (alur: Latencies) => Promise<void>;

/**
 * From the request to the answer that says "recorded". Alur: HTTP, the Idempotency-Key's row, the update, the decision's
 * transaction. Bare: an update straight from a Temporal client, its validator, one insert, nothing after it. In bursts
 * twenty decisions come at once, and the next when all is done; in the steady stream twenty are always under way, and
 * share the machine with what the earlier ones set off: the next task opens, a letter goes out.
 */
export async function measureDecisions(machine: Machine): Promise<Pair[]> {
  const bareIds = await startBare(machine, STREAM_CASES);
  const bare = (count: number) => bareLatencies(machine, bareIds.slice(0, count));
  await decideAll(machine, await openCases(machine, WARM_CASES), async () => void (await bare(WARM_CASES)));

  const bursts = collected(machine, 'burst', () => bare(IN_FLIGHT));
  await decideAll(machine, await openCases(machine, BURST_CASES), bursts.add, IN_FLIGHT);
  const stream = collected(machine, 'stream', () => bare(STREAM_CASES));
  await decideAll(machine, await openCases(machine, STREAM_CASES), stream.add);
  return [
    ...bursts.pairs(`${IN_FLIGHT} decisions at once, answered`),
    ...stream.pairs(`Decisions, always ${IN_FLIGHT} in flight, answered`),
  ];
}

function collected(machine: Machine, name: string, bare: () => Promise<Latencies>) {
  const rounds: { alur: Latencies; bare: Latencies }[] = [];
  const of = (share: number): Round[] =>
    rounds.map((round) => ({ alur: percentile(round.alur, share), bare: percentile(round.bare, share) }));
  const add: AtRest = async (alur) => {
    rounds.push({ alur, bare: await bare() });
    const last = of(0.95).at(-1);
    machine.say(`  ${name}, p95: ${last?.alur.toFixed(0)} : ${last?.bare.toFixed(0)} ms`);
  };
  const pairs = (what: string): Pair[] => [
    pairOf(`${what}, p95`, 'ms', GOAL, of(0.95)),
    pairOf(`${what}, p50`, 'ms', GOAL, of(0.5)),
  ];
  return { add, pairs };
}

/** Approves all cases stage by stage, to the open invoice, so many in one round. */
export async function decideAll(
  machine: Machine,
  ids: readonly string[],
  round: AtRest,
  inRound = ids.length,
): Promise<void> {
  for (const { state, letters } of STEPS) {
    for (let from = 0; from < ids.length; from += inRound) {
      const some = ids.slice(from, from + inRound);
      const posts = await approvals(machine, some);
      const { latenciesMs } = await machine.driver({ kind: 'posts', inFlight: IN_FLIGHT, posts });
      await atRest(machine, some, state, letters);
      await round(latenciesMs);
    }
  }
}

/** Each by whoever has the case. */
export async function approvals({ apiUrl, db, people }: Machine, ids: readonly string[]) {
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

async function bareLatencies({ driver }: Machine, workflowIds: readonly string[]): Promise<Latencies> {
  return (await driver({ kind: 'updates', workflowIds, inFlight: IN_FLIGHT })).latenciesMs;
}

async function startBare({ client, bareQueue }: Machine, count: number): Promise<string[]> {
  const workflowIds = Array.from({ length: count }, (_, index) => `bare-decision/${index}`);
  for (const workflowId of workflowIds)
    await client.workflow.start('bareDecision', { workflowId, taskQueue: bareQueue, args: [workflowId] });
  return workflowIds;
}
