/** Moving the open tasks of a person: each case is asked by its own update, and what it answered is put on record. */
import { getClient, heartbeat, log } from '@temporalio/activity';
import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { absencesNotBegun, beginAbsence } from '../db/absences.ts';
import { tellOfWaitingProposal, type WaitingProposal, waitingProposals } from '../db/post-audits.ts';
import {
  finishMove,
  type Moved,
  type MoveOrder,
  moveOrder,
  type Settled,
  settleTask,
  stillHolds,
  type TaskToMove,
  tasksToMove,
  unfinishedMoves,
} from '../db/task-moves.ts';
import { type SeatAt, seatsToOffer } from '../db/task-offers.ts';
import { type FailureCode, isFailureCode } from '../domain/failures.ts';
import type { AbsenceId, TaskMoveId, UserId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

export type { Moved, TaskToMove } from '../db/task-moves.ts';
export type { SeatAt } from '../db/task-offers.ts';

/** A task, and the process that is asked to hand it over, by the names that workflows/ knows it under. */
export interface TaskErrand extends TaskToMove {
  readonly workflowId: string;
  readonly update: string;
  /** The same whenever this task is asked about for this move: the process answers a repeat as it did before. */
  readonly updateId: string;
}

export interface MoveTasks {
  readonly moveId: TaskMoveId;
  readonly errands: readonly TaskErrand[];
  /** What is not possible now is not tried again: it stays. */
  readonly isLastTry: boolean;
  readonly at: string;
}

/** Asked at once: each answer is a transaction that queues for its role anyway. */
const AT_ONCE = 4;

export function createTaskMoveActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** Records that the absence has begun. @returns null when it was cancelled before */
    beginAbsence: ({ absenceId, at }: { absenceId: AbsenceId; at: string }): Promise<TaskMoveId | null> =>
      db.transaction((tx) => beginAbsence(tx, absenceId, at)),

    tasksToMove: ({ moveId, limit }: { moveId: TaskMoveId; limit: number }): Promise<TaskToMove[]> =>
      tasksToMove(db, moveId, limit),

    /** @returns how many of them need no other try */
    async moveTasks({ moveId, errands, isLastTry, at }: MoveTasks): Promise<{ settled: number }> {
      const order = await moveOrder(db, moveId);
      const client = getClient();
      let settled = 0;
      const next = errands.values();
      const work = async () => {
        for (const errand of next) {
          heartbeat();
          const outcome = await moveOne(client, order, errand, isLastTry);
          if (!outcome) continue;
          await settleTask(db, moveId, errand, outcome, at);
          settled += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return { settled };
    },

    finishMove: ({ moveId, at }: { moveId: TaskMoveId; at: string }): Promise<Moved> =>
      db.transaction((tx) => finishMove(tx, moveId, at)),

    /**
     * What is on record and in nobody's hands: the API died, or Temporal was away, before its process was started. And
     * proposals of failed audits that wait for somebody, and seats that somebody is free for by now. Histories of before know
     * of neither.
     */
    async peopleWaiting(input: {
      before: string;
      at: string;
      limit: number;
    }): Promise<{ moves: TaskMoveId[]; absences: AbsenceId[]; proposals?: WaitingProposal[]; seats?: SeatAt[] }> {
      const { before, at, limit } = input;
      return {
        moves: await unfinishedMoves(db, before, limit),
        absences: await absencesNotBegun(db, before, at, limit),
        proposals: await waitingProposals(db, at, limit),
        seats: await seatsToOffer(db, at, limit),
      };
    },

    /** Each in a transaction of its own: a repeat writes nothing twice. */
    async tellOfProposals({ proposals, at }: { proposals: readonly WaitingProposal[]; at: string }): Promise<void> {
      for (const proposal of proposals) await db.transaction((tx) => tellOfWaitingProposal(tx, proposal, at));
    },
  };

  async function moveOne(
    client: Client,
    order: MoveOrder,
    errand: TaskErrand,
    isLastTry: boolean,
  ): Promise<Settled | null> {
    const answer = await ask(client, order, errand);
    if ('assignee' in answer && answer.assignee !== order.from) return { outcome: 'moved', to: answer.assignee };
    const code = 'refused' in answer ? answer.refused : 'reviewer_not_eligible';
    // Decided, or taken by somebody, before its turn came.
    if (!(await stillHolds(db, order.from, errand))) return { outcome: 'gone' };
    if (!isLastTry && !FOR_GOOD.includes(code)) return null;
    return { outcome: 'stayed', code };
  }
}

/** What another try would not change. */
const FOR_GOOD: readonly FailureCode[] = [
  'reviewer_not_eligible',
  'own_application',
  'already_acted',
  'conflict_declared',
  'forbidden',
  'not_your_task',
];

export type Answer = { readonly assignee: UserId | null } | { readonly refused: FailureCode };

/** Shorter than the heartbeat: a case whose process hangs must not look like a dead worker. */
const ANSWER_WITHIN_MS = 4_000;

function ask(client: Client, order: MoveOrder, { workflowId, update, updateId }: TaskErrand): Promise<Answer> {
  const { from, to, absenceId, reason, by } = order;
  const request = { by, to, from, reason, kind: absenceId === null ? 'bulk' : 'absence' };
  return askCase(client, { workflowId, update, updateId }, request);
}

/** Asks the process of a case who has a seat from now on. */
export async function askCase<Request>(
  client: Client,
  { workflowId, update, updateId }: { workflowId: string; update: string; updateId?: string },
  request: Request,
): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).executeUpdate<{ assignee: UserId | null }, [Request]>(update, {
        args: [request],
        ...(updateId === undefined ? {} : { updateId }),
      }),
    );
  } catch (error) {
    return { refused: refusalIn(error, workflowId) };
  }
}

function refusalIn(error: unknown, workflowId: string): FailureCode {
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    const { type } = error.cause;
    return isFailureCode(type) ? type : 'not_in_review';
  }
  if (error instanceof WorkflowNotFoundError) return 'not_in_review';
  if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
  log.warn('a case did not answer when a task of it was to change hands', { workflowId });
  return 'temporarily_unavailable';
}
