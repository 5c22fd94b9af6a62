/** Starting processes that should be there, as the watches do it. */
import { activityInfo, getClient, heartbeat, log } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';

/** A process by the names that workflows/ knows it under. */
export interface ProcessStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: unknown;
  readonly summary: string;
}

export interface ProcessesStarted {
  readonly started: number;
  /** It was there. */
  readonly running: number;
  /** Logged; the next run tries again. */
  readonly failed: number;
}

const ANSWER_WITHIN_MS = 5_000;

/** One that cannot be started keeps no other from it. Safe to repeat: what runs is left alone. */
export async function startMissing(starts: readonly ProcessStart[]): Promise<ProcessesStarted> {
  const done = { started: 0, running: 0, failed: 0 };
  for (const start of starts) {
    heartbeat();
    done[await startUnlessRunning(start)] += 1;
  }
  return done;
}

async function startUnlessRunning(start: ProcessStart): Promise<keyof ProcessesStarted> {
  const { workflowType, workflowId, input, summary } = start;
  const client = getClient();
  try {
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.start(workflowType, {
        workflowId,
        taskQueue: activityInfo().taskQueue,
        args: [input],
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        // One call both asks and starts: between two of them the process might come back by itself.
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        staticSummary: summary,
      }),
    );
    log.warn('a process that should have been there was started', { workflowId });
    return 'started';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'running';
    log.warn('a process could not be started; the next run tries again', { error, workflowId });
    return 'failed';
  }
}
