/** A worker for the bare workflows, set up as Alur's own: the same cache, the same number of activities at once. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pg from 'pg';

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
  };
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
