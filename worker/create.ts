import { type NativeConnection, Worker } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { createActivities } from '../activities/index.ts';

export interface WorkerParts {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly maxCachedWorkflows: number;
  readonly shutdownGraceSeconds: number;
  readonly workflowBundle: { readonly code: string } | { readonly codePath: string };
  readonly deps: ActivityDeps;
}

/** Puts a worker together; it polls once `run` is called. */
export function createWorker(parts: WorkerParts): Promise<Worker> {
  return Worker.create({
    connection: parts.connection,
    namespace: parts.namespace,
    taskQueue: parts.taskQueue,
    workflowBundle: parts.workflowBundle,
    activities: createActivities(parts.deps),
    maxCachedWorkflows: parts.maxCachedWorkflows,
    // Drain: no new tasks, and this long for what is under way before it is left to another worker.
    shutdownGraceTime: `${parts.shutdownGraceSeconds}s`,
    // A transaction is short; more at once than the pool has connections would only queue there.
    maxConcurrentActivityTaskExecutions: 50,
  });
}
