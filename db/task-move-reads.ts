import type { Knex } from 'knex';
import type { AbsenceId, ApplicationId, OfficeId, TaskMoveId, UserId } from '../domain/ids.ts';
import type { Stage } from '../domain/licensing.ts';

export interface TaskMove {
  readonly id: TaskMoveId;
  readonly fromUserId: UserId;
  readonly toUserId: UserId | null;
  readonly absenceId: AbsenceId | null;
  readonly reason: string;
  readonly askedBy: UserId;
  readonly askedAt: Date;
  readonly finishedAt: Date | null;
  readonly moved: number;
  readonly stayed: number;
}

const COLUMNS = {
  id: 'm.id',
  fromUserId: 'm.from_user',
  toUserId: 'm.to_user',
  absenceId: 'm.absence_id',
  reason: 'm.reason',
  askedBy: 'm.asked_by',
  askedAt: 'm.asked_at',
  finishedAt: 'm.finished_at',
  moved: 'm.moved',
  stayed: 'm.stayed',
};

/** @param officeId undefined = of every office */
const moves = (db: Knex, officeId: OfficeId | undefined) =>
  db('task_moves as m')
    .join('users as u', 'u.id', 'm.from_user')
    .modify((query) => {
      if (officeId) query.where('u.office_id', officeId);
    });

export async function findTaskMove(db: Knex, id: TaskMoveId, officeId: OfficeId | undefined): Promise<TaskMove | null> {
  const found: TaskMove | undefined = await moves(db, officeId).where('m.id', id).first(COLUMNS);
  return found ?? null;
}

/** Newest first. */
export async function listTaskMoves(
  db: Knex,
  options: {
    readonly officeId: OfficeId | undefined;
    readonly after: { readonly at: Date; readonly id: string } | null;
    readonly limit: number;
  },
): Promise<TaskMove[]> {
  const { officeId, after, limit } = options;
  const found: TaskMove[] = await moves(db, officeId)
    .modify((query) => {
      if (after) query.whereRaw('(m.asked_at, m.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'm.asked_at', order: 'desc' },
      { column: 'm.id', order: 'desc' },
    ])
    .limit(limit)
    .select(COLUMNS);
  return found;
}

export interface StayedCase {
  readonly applicationId: ApplicationId;
  readonly round: number;
  readonly stage: Stage;
  readonly code: string;
}

/** Cases that stayed where they are, and why; at most so many. */
export async function stayedCases(db: Knex, id: TaskMoveId, limit: number): Promise<StayedCase[]> {
  const found: StayedCase[] = await db('task_move_cases')
    .where({ move_id: id, outcome: 'stayed' })
    .orderBy(['settled_at', 'application_id'])
    .limit(limit)
    .select({ applicationId: 'application_id', round: 'round', stage: 'stage', code: 'code' });
  return found;
}
