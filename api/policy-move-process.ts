/** Hands a move of all open cases over to its process. */
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { policyMoveId } from '../workflows/ids.ts';
import type { PolicyMoveInput } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { withinTime } from './review-process.ts';

/** Again with the same ID: the one that was started goes on, or is done. */
export async function startPolicyMove(deps: ApiDeps, input: PolicyMoveInput): Promise<void> {
  await withinTime(deps.temporal, () =>
    deps.temporal.workflow.start('policyMove', {
      workflowId: policyMoveId(input.moveId),
      taskQueue: deps.taskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `Move open cases: ${input.typeCode}`,
    }),
  );
}
