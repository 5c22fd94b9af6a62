/** Time travel on the real server: a feature for tests, which the production code knows nothing about. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
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
