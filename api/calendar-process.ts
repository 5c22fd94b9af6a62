/** Starts the process that works a published calendar into the open cases. */
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { CalendarChangeInput } from '../workflows/calendar-change.ts';
import { calendarChangeId } from '../workflows/ids.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

/** Needs no worker. One that runs or is done is left to itself. */
async function startCalendarChange(deps: ApiDeps, input: CalendarChangeInput): Promise<void> {
  await withinTime(deps.temporal, () =>
    deps.temporal.workflow.start('calendarChange', {
      workflowId: calendarChangeId(input.officeId, input.version),
      taskQueue: deps.taskQueue,
      args: [input],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `Re-planning by version ${input.version} of the calendar`,
    }),
  );
}

/** Beside a publication, which is in force already and must not fail with Temporal: what is not started here, the check starts. */
export async function startCalendarChangeBeside(deps: ApiDeps, input: CalendarChangeInput): Promise<void> {
  try {
    await startCalendarChange(deps, input);
  } catch (error) {
    deps.logger.warn({ ...input, code: toFailure(error).code }, 're-planning by the new calendar waits for the check');
  }
}
