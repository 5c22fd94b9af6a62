import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
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
  /** Names this release to Temporal; null = releases are not told apart. */
  readonly build: string | null;
}

/**
 * How long one activation of a workflow may run, by the wall's clock. Node aborts the whole process when it runs over
 * (nodejs/node#38503), so a machine that stands still for a moment must not be taken for a workflow that loops. The SDK hears
 * this without declaring it; a test sees that it still does.
 */
export const PATIENCE = { isolateExecutionTimeout: '30s' } as const;

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
    ...versioned(parts),
    ...PATIENCE,
    // A transaction is short; more at once than the pool has connections would only queue there.
    maxConcurrentActivityTaskExecutions: 50,
  });
}

/**
 * With a build, work goes to the release that operations made the current one (docs/runbooks/releases.md). A case lives for
 * months, so none is pinned to the release that it began under: it goes on under the current one, which the replay test proves.
 */
function versioned({ build, taskQueue }: WorkerParts): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (build === null) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName: taskQueue, buildId: build },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}
