/**
 * All open tasks of a person go to somebody else: in one go by a supervisor's word, because the person is away, or because
 * the account was closed. Each case is asked by its own update and answers for itself; what cannot be moved stays and is
 * listed. Histories hold IDs, nothing else.
 */
import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Moved, TaskErrand, TaskToMove } from '../activities/task-moves.ts';
import type { TaskMoveId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { licenseReviewId } from './ids.ts';
import { reassignUpdate, type TaskMoveInput } from './messages.ts';
import { moving, records } from './policies.ts';

const { tasksToMove, finishMove } = proxyActivities<Activities>({
  ...records,
  summary: 'Look up the tasks that are to be moved, and what became of them',
});
const { moveTasks } = proxyActivities<Activities>({ ...moving, summary: 'Ask each case to hand its task over' });

const PAGE = 20;
/** A case that is being decided this moment, or whose process does not answer, is asked again so often. */
const TRIES = 5;
const TRY_AGAIN_MS = 10_000;

/** @param page how many tasks are looked up at a time */
export async function taskMove({ moveId }: TaskMoveInput, page = PAGE): Promise<Moved> {
  let tries = 1;
  for (;;) {
    const tasks = await tasksToMove({ moveId, limit: page });
    if (tasks.length === 0) break;
    setCurrentDetails(`Moving tasks: ${tasks.length} in hand, try ${tries} of ${TRIES}`);
    const errands = tasks.map((task) => errandOf(moveId, task));
    const { settled } = await moveTasks({ moveId, errands, isLastTry: tries === TRIES, at: clock() });
    tries = settled > 0 ? 1 : tries + 1;
    if (settled === 0) await sleep(TRY_AGAIN_MS, { summary: 'Before cases that did not answer are asked again' });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof taskMove>({ moveId }, page);
  }
  return finishMove({ moveId, at: clock() });
}

const errandOf = (moveId: TaskMoveId, task: TaskToMove): TaskErrand => ({
  ...task,
  workflowId: licenseReviewId(task.applicationId),
  update: reassignUpdate.name,
  updateId: `task-move/${moveId}/${task.round}/${task.stage}`,
});
