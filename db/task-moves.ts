/** Moving all open tasks of a person: who asked for it, and what became of each. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { AbsenceId, ApplicationId, OfficeId, TaskMoveId, UserId } from '../domain/ids.ts';
import type { Actor, Stage } from '../domain/licensing.ts';
import type { Role } from '../domain/roles.ts';
import { writeLetter } from './account-letters.ts';
import { recordEvent } from './events.ts';
import { usersWithRole } from './staff.ts';
import { namedUuid } from './uuids.ts';

export interface NewMove {
  readonly id: TaskMoveId;
  readonly from: UserId;
  /** null = whoever the rules of assignment choose, case by case. */
  readonly to: UserId | null;
  /** Which it is for, if for one. */
  readonly absenceId: AbsenceId | null;
  readonly reason: string;
  readonly by: UserId;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
}

/** Puts a move on record; the same ID again changes nothing. */
export async function planMove(tx: Knex, move: NewMove): Promise<void> {
  const { id, from, to, absenceId, reason, by, at, origin } = move;
  const isNew = await recordEvent(tx, {
    key: `task-move/${id}/started`,
    type: 'task_move.started',
    subject: `task_move/${id}`,
    by,
    data: { from, to, absenceId },
    origin,
    at,
  });
  if (!isNew) return;
  await tx('task_moves').insert({
    id,
    from_user: from,
    to_user: to,
    absence_id: absenceId,
    reason,
    asked_by: by,
    asked_at: at,
  });
}

/** What a move says to each case. */
export interface MoveOrder {
  readonly from: UserId;
  readonly to: UserId | null;
  readonly absenceId: AbsenceId | null;
  readonly reason: string;
  readonly by: Actor;
}

export async function moveOrder(db: Knex, id: TaskMoveId): Promise<MoveOrder> {
  const row: (Omit<MoveOrder, 'by'> & { userId: UserId; roles: Role[] }) | undefined = await db('task_moves as m')
    .join('users as u', 'u.id', 'm.asked_by')
    .where('m.id', id)
    .first({
      from: 'm.from_user',
      to: 'm.to_user',
      absenceId: 'm.absence_id',
      reason: 'm.reason',
      userId: 'u.id',
      roles: 'u.roles',
    });
  if (!row) throw new Error(`there is no move of tasks ${id}`);
  const { userId, roles, ...order } = row;
  return { ...order, by: { userId, roles } };
}

/** A task as a move knows it: nobody has two seats of one stage. */
export interface TaskToMove {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
}

/** Open tasks that the person still has and of which nothing was settled, the most urgent first. */
export async function tasksToMove(db: Knex, id: TaskMoveId, limit: number): Promise<TaskToMove[]> {
  const { rows }: { rows: TaskToMove[] } = await db.raw(
    `select t.application_id as "applicationId", t.round, t.stage
       from task_moves m
       join tasks t on t.assignee_id = m.from_user and t.state = 'open'
      where m.id = :id
        and not exists (select from task_move_cases c
                         where c.move_id = m.id and c.application_id = t.application_id and c.round = t.round and c.stage = t.stage)
      order by t.due_at, t.id
      limit :limit`,
    { id, limit },
  );
  return rows;
}

export async function stillHolds(db: Knex, holder: UserId, task: TaskToMove): Promise<boolean> {
  const { applicationId, round, stage } = task;
  const row = await db('tasks')
    .where({ application_id: applicationId, round, stage, assignee_id: holder, state: 'open' })
    .first('id');
  return row !== undefined;
}

export type Settled =
  | { readonly outcome: 'moved'; readonly to: UserId | null }
  | { readonly outcome: 'stayed'; readonly code: string }
  | { readonly outcome: 'gone' };

/** What became of one task; the first word counts. */
export async function settleTask(
  db: Knex,
  id: TaskMoveId,
  task: TaskToMove,
  settled: Settled,
  at: string,
): Promise<void> {
  await db.raw(
    `with settled as (
       insert into task_move_cases (move_id, application_id, round, stage, outcome, to_user, code, settled_at)
       values (:id, :applicationId, :round, :stage, :outcome, :to, :code, :at)
       on conflict do nothing
       returning outcome
     )
     update task_moves m
        set moved = m.moved + (s.outcome = 'moved')::int, stayed = m.stayed + (s.outcome = 'stayed')::int
       from settled s
      where m.id = :id`,
    {
      id,
      ...task,
      outcome: settled.outcome,
      to: settled.outcome === 'moved' ? settled.to : null,
      code: settled.outcome === 'stayed' ? settled.code : null,
      at,
    },
  );
}

export interface Moved {
  readonly moved: number;
  readonly stayed: number;
}

/** Nothing is left: tells who got tasks, one letter each, and of an absence the person and their supervisors. */
export async function finishMove(tx: Knex, id: TaskMoveId, at: string): Promise<Moved> {
  const isNew = await recordEvent(tx, {
    key: `task-move/${id}/finished`,
    type: 'task_move.finished',
    subject: `task_move/${id}`,
    at,
  });
  if (isNew) await tx('task_moves').where({ id }).update({ finished_at: at });
  const move: FinishedMove | undefined = await tx('task_moves as m')
    .join('users as u', 'u.id', 'm.from_user')
    .leftJoin('absences as b', 'b.id', 'm.absence_id')
    .where('m.id', id)
    .first({
      from: 'm.from_user',
      askedBy: 'm.asked_by',
      moved: 'm.moved',
      stayed: 'm.stayed',
      officeId: 'u.office_id',
      absentFrom: 'b.from_at',
      absentTo: 'b.to_at',
    });
  if (!move) throw new Error(`there is no move of tasks ${id}`);
  if (isNew) {
    await tellReceivers(tx, id, move, at);
    if (move.absentFrom && move.absentTo)
      await tellOfAbsence(tx, id, move, { from: move.absentFrom, to: move.absentTo }, at);
  }
  return { moved: move.moved, stayed: move.stayed };
}

interface FinishedMove extends Moved {
  readonly from: UserId;
  readonly askedBy: UserId;
  readonly officeId: OfficeId | null;
  readonly absentFrom: Date | null;
  readonly absentTo: Date | null;
}

async function tellReceivers(tx: Knex, id: TaskMoveId, { askedBy }: FinishedMove, at: string): Promise<void> {
  const receivers: { userId: UserId; count: number }[] = await tx('task_move_cases')
    .where({ move_id: id, outcome: 'moved' })
    .whereNotNull('to_user')
    // Whoever moved them to themselves knows.
    .whereNot('to_user', askedBy)
    .groupBy('to_user')
    .select('to_user as userId', tx.raw('count(*)::int as count'));
  for (const { userId, count } of receivers) {
    const letter = namedUuid(`task-move/${id}/letter/${userId}`);
    await writeLetter(tx, { id: letter, template: 'tasks_moved', userId, data: { count }, at: new Date(at) });
  }
}

async function tellOfAbsence(
  tx: Knex,
  id: TaskMoveId,
  move: FinishedMove,
  absent: { from: Date; to: Date },
  at: string,
): Promise<void> {
  const { from: absentee, moved, stayed, officeId } = move;
  const queued = await tx('task_move_cases').where({ move_id: id, outcome: 'moved' }).whereNull('to_user').count();
  const data = {
    from: absent.from.toISOString(),
    to: absent.to.toISOString(),
    moved,
    stayed,
    queued: Number(queued[0]?.['count'] ?? 0),
  };
  const letterTo = (userId: UserId) => ({
    id: namedUuid(`task-move/${id}/absence/${userId}`),
    userId,
    at: new Date(at),
  });
  await writeLetter(tx, { ...letterTo(absentee), template: 'absence_began', data });
  const supervisors = officeId ? await usersWithRole(tx, 'supervisor', officeId) : [];
  for (const supervisor of supervisors) {
    if (supervisor === absentee) continue;
    await writeLetter(tx, { ...letterTo(supervisor), template: 'absence_of_staff', data: { ...data, absentee } });
  }
}

/** Moves that were asked for before this time and have not finished, the oldest first. */
export async function unfinishedMoves(db: Knex, before: string, limit: number): Promise<TaskMoveId[]> {
  return db('task_moves')
    .whereNull('finished_at')
    .where('asked_at', '<', before)
    .orderBy('asked_at')
    .limit(limit)
    .pluck<TaskMoveId[]>('id');
}

/** Open tasks of cases that nobody has: they wait for a supervisor. */
export async function countUnassigned(db: Knex): Promise<number> {
  const [row] = await db('tasks').where({ state: 'open' }).whereNull('assignee_id').count();
  return Number(row?.['count'] ?? 0);
}

/** Whether this person has an open task that somebody with these roles may not hold. A supervisor may hold any. */
export async function holdsTasksBeyond(db: Knex, userId: UserId, roles: readonly Role[]): Promise<boolean> {
  if (roles.includes('supervisor')) return false;
  const row = await db('tasks')
    .where({ assignee_id: userId, state: 'open' })
    .whereNotIn('role', [...roles])
    .first('id');
  return row !== undefined;
}
