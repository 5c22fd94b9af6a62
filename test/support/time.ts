/** Time travel on the real server: a feature for tests, which the production code knows nothing about. */
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowContinuedAsNewError } from '@temporalio/client';
import Long from 'long';

export const HOUR = 3600;
export const DAY = 24 * HOUR;

/**
 * Moves the clock of one running execution forward. Whatever it slept through has fired, with its activities, when this
 * resolves; its children keep their own clocks.
 */
export async function travel(client: Client, workflowId: string, seconds: number, withinMs = 20_000): Promise<void> {
  const { workflowService } = client.connection;
  const id = randomUUID();
  const execution = { namespace: client.options.namespace, workflowExecution: { workflowId } };
  await workflowService.updateWorkflowExecutionOptions({
    ...execution,
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        disablePropagation: true,
        fastForwardConfig: { id, duration: { seconds: Long.fromNumber(Math.ceil(seconds)) } },
      },
    },
    updateMask: { paths: ['time_skipping_config'] },
  });
  const arrived = client.withDeadline(Date.now() + withinMs, () =>
    workflowService.pollWorkflowExecutionTimeSkipping({ ...execution, fastForwardId: id }),
  );
  await arrived.catch((cause: unknown) => {
    throw new Error(`${workflowId} did not get there: a child or an activity is under way, or nothing sleeps`, {
      cause,
    });
  });
}

const TIMER_STARTED = 17;

/**
 * Resolves once the run has continued as new and the run after it sleeps: told by the server, not asked for. Only then may
 * its clock be moved: one that is about to continue would wake up late.
 * @returns the ID of the run that sleeps
 */
export async function continued(client: Client, workflowId: string, runId: string, withinMs = 20_000): Promise<string> {
  const newRunId = await client
    .withDeadline(Date.now() + withinMs, () =>
      client.workflow.getHandle(workflowId, runId, { followRuns: false }).result(),
    )
    .then(
      () => null,
      (error: unknown) => {
        if (error instanceof WorkflowContinuedAsNewError) return error.newExecutionRunId;
        throw error;
      },
    );
  if (!newRunId) throw new Error(`${workflowId} has ended, where it should have continued as new`);
  const asked = {
    namespace: client.options.namespace,
    execution: { workflowId, runId: newRunId },
    waitNewEvent: true,
  };
  await client.withDeadline(Date.now() + withinMs, async () => {
    for (let nextPageToken: Uint8Array | null = null; ; ) {
      const page: {
        history?: { events?: readonly { eventType?: number | null }[] | null } | null;
        nextPageToken?: Uint8Array | null;
      } = await client.connection.workflowService.getWorkflowExecutionHistory({ ...asked, nextPageToken });
      if (page.history?.events?.some(({ eventType }) => eventType === TIMER_STARTED)) return;
      if (!page.nextPageToken?.length) throw new Error(`${workflowId} ended before it slept`);
      nextPageToken = page.nextPageToken;
    }
  });
  return newRunId;
}
