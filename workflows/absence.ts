/**
 * A person of the office is away: when that begins, their open tasks go to others, and nothing comes to them until it is
 * over. The record says who is away (db/holding.ts asks it), so nothing has to happen at the end. The history holds IDs
 * and times, and not why somebody is away.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  condition,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock } from './answers.ts';
import { taskMoveProcessId } from './ids.ts';
import { type AbsenceInput, absenceCancelledSignal } from './messages.ts';
import { records } from './policies.ts';
import { taskMove } from './task-move.ts';

const { beginAbsence } = proxyActivities<Activities>({ ...records, summary: 'Begin the absence' });

export interface AbsenceOutcome {
  readonly state: 'begun' | 'cancelled';
}

export async function absence({ absenceId, from }: AbsenceInput): Promise<AbsenceOutcome> {
  let cancelled = false;
  setHandler(absenceCancelledSignal, () => {
    cancelled = true;
  });
  setCurrentDetails(`Waits for the absence to begin: ${from}`);
  const wait = Date.parse(from) - Date.now();
  if (wait > 0) await condition(() => cancelled, wait, { summary: 'Until the absence begins' });
  // The signal only wakes; whether it was cancelled the record says, so a signal that was lost does no harm.
  const moveId = await beginAbsence({ absenceId, at: clock() });
  if (!moveId) return { state: 'cancelled' };
  setCurrentDetails('The absence has begun: open tasks are being moved');
  try {
    await executeChild(taskMove, {
      workflowId: taskMoveProcessId(moveId),
      args: [{ moveId }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'Tasks of somebody who is away',
    });
  } catch (error) {
    // The sweep was first: the move is in its hands.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return { state: 'begun' };
}
