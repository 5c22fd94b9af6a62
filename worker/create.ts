import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { createActivities } from '../activities/index.ts';
import { GATEWAY_ACTIVITIES, gatewayQueueOf } from '../workflows/queues.ts';

export interface WorkerSettings {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly maxCachedWorkflows: number;
  /** How many questions to gateways all workers together begin in a second; may be a fraction. */
  readonly gatewayCallsPerSecond: number;
  readonly shutdownGraceSeconds: number;
  readonly workflowBundle: { readonly code: string } | { readonly codePath: string };
  /** Names this release to Temporal; null = releases are not told apart. */
  readonly build: string | null;
}

export interface WorkerParts extends WorkerSettings {
  readonly deps: ActivityDeps;
}

/** What one process polls: the processes with all of their activities, and the gateways' own queue. */
export interface Workers {
  readonly processes: Worker;
  readonly gateways: Worker;
  /** Until both have drained. @throws what one of them failed with, once the other has drained */
  run(): Promise<void>;
  /** Both drain. */
  shutdown(): void;
}

/**
 * How long one activation of a workflow may run, by the wall's clock. Node aborts the whole process when it runs over
 * (nodejs/node#38503), so a machine that stands still for a moment must not be taken for a workflow that loops. The SDK hears
 * this without declaring it; a test sees that it still does.
 */
export const PATIENCE = { isolateExecutionTimeout: '30s' } as const;

/** Each waits for an answer of seconds; what is asked for at once waits in the queue, where every worker sees it. */
const GATEWAY_CALLS_AT_ONCE = 20;
const GATEWAY_POLLS = 4;

/** Puts the workers together; they poll once `run` is called. */
export const createWorkers = ({ deps, ...settings }: WorkerParts): Promise<Workers> =>
  workersOf(settings, createActivities(deps));

/** The same with other activities, which have the same names. */
export async function workersOf(
  settings: WorkerSettings,
  activities: Readonly<Record<string, unknown>>,
): Promise<Workers> {
  const { taskQueue, workflowBundle, maxCachedWorkflows } = settings;
  const processes = await Worker.create({
    ...common(settings),
    taskQueue,
    workflowBundle,
    // Those that ask gateways among them: releases before there was a queue for them have left some here.
    activities,
    maxCachedWorkflows,
    ...PATIENCE,
    // A transaction is short; more at once than the pool has connections would only queue there.
    maxConcurrentActivityTaskExecutions: 50,
  });
  const gateways = await Worker.create({
    ...common(settings),
    taskQueue: gatewayQueueOf(taskQueue),
    activities: Object.fromEntries(GATEWAY_ACTIVITIES.map((name) => [name, activities[name]])),
    maxTaskQueueActivitiesPerSecond: settings.gatewayCallsPerSecond,
    maxConcurrentActivityTaskExecutions: GATEWAY_CALLS_AT_ONCE,
    maxConcurrentActivityTaskPolls: GATEWAY_POLLS,
  });
  return together(processes, gateways);
}

function common(settings: WorkerSettings) {
  return {
    connection: settings.connection,
    namespace: settings.namespace,
    // Drain: no new tasks, and this long for what is under way before it is left to another worker.
    shutdownGraceTime: `${settings.shutdownGraceSeconds}s`,
    ...versioned(settings),
  } as const satisfies Partial<WorkerOptions>;
}

function together(processes: Worker, gateways: Worker): Workers {
  const both = [processes, gateways];
  const shutdown = () => {
    for (const worker of both) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const run = async () => {
    const ends = await Promise.allSettled(both.map((worker) => worker.run().finally(shutdown)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };
  return { processes, gateways, run, shutdown };
}

/**
 * With a build, work goes to the release that operations made the current one (docs/runbooks/releases.md). A case lives for
 * months, so none is pinned to the release that it began under: it goes on under the current one, which the replay test proves.
 * Both queues are parts of one deployment, named as the processes' queue is: they become current together.
 */
function versioned({ build, taskQueue }: WorkerSettings): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (build === null) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName: taskQueue, buildId: build },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}
