/** A worker for the bare workflows, set up as Alur's own: the same cache, the same number of activities at once. */
import { fileURLToPath } from 'node:url';
import { activityInfo, getClient } from '@temporalio/activity';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pg from 'pg';
import { filled, type Places, type StatementsOf } from './statements.ts';

const {
  DATABASE_URL = '',
  TEMPORAL_ADDRESS = '',
  TEMPORAL_TASK_QUEUE = '',
  BENCH_POOL = '',
  BENCH_CACHE = '',
} = process.env;

export type BareActivities = ReturnType<typeof createBareActivities>;

function createBareActivities(pool: pg.Pool) {
  return {
    async insertRow(key: string): Promise<void> {
      await pool.query('insert into bench_rows (key) values ($1) on conflict do nothing', [key]);
    },

    async renewRows(places: Places): Promise<void> {
      await send(pool, 'renewal', places);
    },

    async collect(places: Places, workflowId: string): Promise<void> {
      await send(pool, 'paper', places);
      await getClient().workflow.start('bareCollection', {
        workflowId,
        taskQueue: activityInfo().taskQueue,
        args: [places],
      });
    },

    async readRows(places: Places): Promise<void> {
      await send(pool, 'collection', places);
    },
  };
}

const known = new Map<StatementsOf, string>();

/** One after the other on one connection, as they were sent by Alur. */
async function send(pool: pg.Pool, name: StatementsOf, places: Places): Promise<void> {
  const connection = await pool.connect();
  try {
    const kept = known.get(name) ?? (await keptAs(connection, name));
    for (const { values, ...statement } of filled(kept, places))
      await connection.query({ ...statement, values: [...values] });
    connection.release();
  } catch (error) {
    // It may be in the middle of a transaction.
    connection.release(true);
    throw error;
  }
}

async function keptAs(connection: pg.PoolClient, name: StatementsOf): Promise<string> {
  const { rows } = await connection.query<{ kept: string }>('select kept from bench_statements where name = $1', [
    name,
  ]);
  const kept = rows[0]?.kept ?? '[]';
  known.set(name, kept);
  return kept;
}

Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: ['SIGTERM'] });
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(BENCH_POOL) });
const workflowsPath = fileURLToPath(import.meta.url).replace('bare-worker', 'bare-workflows');
const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  taskQueue: TEMPORAL_TASK_QUEUE,
  workflowBundle: await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') }),
  activities: createBareActivities(pool),
  maxCachedWorkflows: Number(BENCH_CACHE),
  maxConcurrentActivityTaskExecutions: 50,
});
await worker.run();
await connection.close();
await pool.end();
