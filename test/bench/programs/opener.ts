/**
 * Opens processes by the thousand: the worker's own workflows, whose activities answer at once what a model's have answered.
 * Their records are there already. Ends when all of them are at rest.
 */
import { readFile } from 'node:fs/promises';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Openings } from './openings.ts';

const { TEMPORAL_ADDRESS = '', BENCH_OPENINGS = '' } = process.env;
/** So many are on their way at once, and stay in the cache until they rest. */
const AT_ONCE = 100;

const { model, ids, workflowBundle }: Openings = JSON.parse(await readFile(BENCH_OPENINGS, 'utf8'));
const left = new Map<string, { toAsk: number; rests: () => void }>();
const copy = (value: unknown, id: string): unknown => {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text.replaceAll(model.id, id));
};

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: ['SIGTERM'] });
const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  taskQueue: model.taskQueue,
  workflowBundle: { codePath: workflowBundle },
  activities: Object.fromEntries(Object.entries(model.answers).map(([name, answer]) => [name, answering(answer)])),
  maxCachedWorkflows: AT_ONCE * 3,
  maxConcurrentActivityTaskExecutions: AT_ONCE,
});
const client = new Client({ connection });
await worker.runUntil(openAll());
await connection.close();

async function openAll(): Promise<void> {
  const next = ids.values();
  const lane = async () => {
    for (const id of next) await open(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function open(id: string): Promise<void> {
  const resting = new Promise<void>((rests) => left.set(id, { toAsk: model.asked, rests }));
  await client.workflow.start(model.workflowType, {
    workflowId: model.workflowId.replaceAll(model.id, id),
    taskQueue: model.taskQueue,
    args: model.args.map((argument) => copy(argument, id)),
    requestEagerStart: true,
  });
  await resting;
}

function answering(answer: unknown) {
  return async ({ applicationId: id }: { applicationId: string }): Promise<unknown> => {
    const one = left.get(id);
    if (one) one.toAsk -= 1;
    if (one?.toAsk === 0) {
      left.delete(id);
      one.rests();
    }
    return copy(answer, id);
  };
}
