/** Who may plan for whom in an office, and how the processes of absences and of moves of tasks are started. */
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { Knex } from '../db/connection.ts';
import { findUser, type User } from '../db/users.ts';
import { Failure } from '../domain/failures.ts';
import type { AbsenceId, OfficeId, TaskMoveId, UserId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { may } from '../domain/roles.ts';
import { absenceProcessId, taskMoveProcessId } from '../workflows/ids.ts';
import { type AbsenceInput, absenceCancelledSignal, type TaskMoveInput } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

/** Whose tasks and absences somebody looks after: `everywhere` is an administrator of no office in particular. */
export type Charge = { readonly officeId: OfficeId } | 'everywhere' | 'themselves';

export async function chargeOf(db: Knex, actor: Actor): Promise<Charge> {
  if (!may(actor.roles, 'review.reassign')) return 'themselves';
  const officeId = (await findUser(db, actor.userId))?.officeId ?? null;
  if (officeId) return { officeId };
  return actor.roles.includes('admin') ? 'everywhere' : 'themselves';
}

export const isIn = (charge: Charge, officeId: OfficeId | null): boolean =>
  charge === 'everywhere' || (charge !== 'themselves' && charge.officeId === officeId);

/** As a filter of lists; undefined = no filter. */
export const officeIn = (charge: Charge): OfficeId | undefined =>
  typeof charge === 'string' ? undefined : charge.officeId;

/** A person of the office, whatever their account's status. @throws Failure `not_found` */
export async function personIn(db: Knex, charge: Charge, id: UserId): Promise<User> {
  const person = await findUser(db, id);
  if (!person || !isIn(charge, person.officeId) || !may(person.roles, 'absence.manage'))
    throw new Failure('not_found', 'There is nobody of your office with this ID. Look at GET /api/v1/admin/users.');
  return person;
}

type Temporal = Pick<ApiDeps, 'temporal' | 'taskQueue'>;

export const startAbsence = (deps: Temporal, absenceId: AbsenceId, from: Date): Promise<void> => {
  const input: AbsenceInput = { absenceId, from: from.toISOString() };
  return start(deps, 'absence', absenceProcessId(absenceId), input, 'Absence of a reviewer');
};

export const startTaskMove = (deps: Temporal, moveId: TaskMoveId): Promise<void> => {
  const input: TaskMoveInput = { moveId };
  return start(deps, 'taskMove', taskMoveProcessId(moveId), input, 'Tasks of a person, moved');
};

/** Needs no worker. Started before, running or done: nothing to do. What is not started here, the minute's sweep starts. */
async function start(
  { temporal, taskQueue }: Temporal,
  type: string,
  workflowId: string,
  input: unknown,
  staticSummary: string,
): Promise<void> {
  try {
    await withinTime(temporal, () =>
      temporal.workflow.start(type, {
        workflowId,
        taskQueue,
        args: [input],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        staticSummary,
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Beside a change that must not wait for Temporal, nor fail with it. */
export async function startTaskMoveBeside(deps: Temporal & Pick<ApiDeps, 'logger'>, moveId: TaskMoveId): Promise<void> {
  try {
    await startTaskMove(deps, moveId);
  } catch (error) {
    deps.logger.warn({ moveId, code: toFailure(error).code }, 'the move of tasks waits for the sweep');
  }
}

/** Nobody waits for it: the record says so already, and a process that cannot be told finds it there when it wakes. */
export async function tellOfCancellation(deps: Temporal & Pick<ApiDeps, 'logger'>, id: AbsenceId): Promise<void> {
  try {
    const handle = deps.temporal.workflow.getHandle(absenceProcessId(id));
    await withinTime(deps.temporal, () => handle.signal(absenceCancelledSignal), TELL_WITHIN_MS);
  } catch (error) {
    deps.logger.warn({ absenceId: id, code: toFailure(error).code }, 'the process of a cancelled absence was not told');
  }
}

const TELL_WITHIN_MS = 3_000;
