/** Hands letters about accounts over to Temporal, beside the request that wrote them. */
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { markTaken } from '../db/account-letters.ts';
import { accountLetterId } from '../workflows/ids.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

const START_WITHIN_MS = 3_000;

/**
 * Starts the workflow that sends a letter of the outbox. Nobody waits for it and it never throws: a letter that is not
 * handed over now stays waiting, and a schedule sweeps it up.
 */
export async function dispatchLetter(
  deps: Pick<ApiDeps, 'db' | 'temporal' | 'taskQueue' | 'logger'>,
  id: string,
): Promise<void> {
  try {
    await withinTime(deps.temporal, () => start(deps, id), START_WITHIN_MS);
    await markTaken(deps.db, [id], new Date());
  } catch (error) {
    deps.logger.warn({ letterId: id, code: toFailure(error).code }, 'the letter waits for the sweep');
  }
}

async function start({ temporal, taskQueue }: Pick<ApiDeps, 'temporal' | 'taskQueue'>, id: string): Promise<void> {
  try {
    await temporal.workflow.start('accountLetter', {
      workflowId: accountLetterId(id),
      taskQueue,
      args: [id],
      // Started before, running or done: nothing to do.
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: 'A letter about an account',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
