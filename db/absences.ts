/** When people of the office are away. While they are, no task comes to them (db/holding.ts). */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { AbsenceId, OfficeId, TaskMoveId, UserId } from '../domain/ids.ts';
import { asId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';
import { planMove } from './task-moves.ts';
import { namedUuid } from './uuids.ts';

export interface Absence {
  readonly id: AbsenceId;
  readonly userId: UserId;
  readonly userName: string;
  readonly officeId: OfficeId | null;
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
  readonly reason: string;
  readonly plannedBy: UserId;
  readonly plannedAt: Date;
  readonly cancelledAt: Date | null;
}

const COLUMNS = {
  id: 'b.id',
  userId: 'b.user_id',
  userName: 'u.name',
  officeId: 'u.office_id',
  from: 'b.from_at',
  to: 'b.to_at',
  reason: 'b.reason',
  plannedBy: 'b.planned_by',
  plannedAt: 'b.planned_at',
  cancelledAt: 'b.cancelled_at',
};

const absences = (db: Knex) => db('absences as b').join('users as u', 'u.id', 'b.user_id');

export async function findAbsence(db: Knex, id: AbsenceId): Promise<Absence | null> {
  const found: Absence | undefined = await absences(db).where('b.id', id).first(COLUMNS);
  return found ?? null;
}

export interface AbsenceFilter {
  readonly userId?: UserId | undefined;
  /** undefined = of every office. */
  readonly officeId?: OfficeId | undefined;
  /** Only what is not over at this time, and not cancelled. */
  readonly openAt?: Date | undefined;
  readonly after: { readonly at: Date; readonly id: string } | null;
  readonly limit: number;
}

/** The latest first. */
export async function listAbsences(db: Knex, filter: AbsenceFilter): Promise<Absence[]> {
  const { userId, officeId, openAt, after, limit } = filter;
  const found: Absence[] = await absences(db)
    .modify((query) => {
      if (userId) query.where('b.user_id', userId);
      if (officeId) query.where('u.office_id', officeId);
      if (openAt) query.where('b.to_at', '>', openAt).whereNull('b.cancelled_at');
      if (after) query.whereRaw('(b.from_at, b.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'b.from_at', order: 'desc' },
      { column: 'b.id', order: 'desc' },
    ])
    .limit(limit)
    .select(COLUMNS);
  return found;
}

export interface NewAbsence {
  readonly id: AbsenceId;
  readonly userId: UserId;
  readonly from: Date;
  readonly to: Date;
  readonly reason: string;
  readonly by: UserId;
  readonly at: Date;
  readonly origin?: Origin | undefined;
}

/** @returns false when it overlaps another of this person; the same ID again changes nothing */
export async function planAbsence(tx: Knex, absence: NewAbsence): Promise<boolean> {
  const { id, userId, from, to, reason, by, at, origin } = absence;
  // Whoever plans for the same person queues here: two plans at once must not both find the time free.
  await tx('users').where({ id: userId }).forUpdate().first('id');
  if (await tx('absences').where({ id }).first('id')) return true;
  const overlapping = await tx('absences')
    .where({ user_id: userId })
    .whereNull('cancelled_at')
    .where('from_at', '<', to)
    .where('to_at', '>', from)
    .first('id');
  if (overlapping) return false;
  await recordEvent(tx, {
    key: `absence/${id}/planned`,
    type: 'absence.planned',
    subject: `absence/${id}`,
    by,
    // Why somebody is away is nobody's business but theirs and their supervisor's: the record has it, the event not.
    data: { userId, from: from.toISOString(), to: to.toISOString() },
    origin,
    at: at.toISOString(),
  });
  await tx('absences').insert({
    id,
    user_id: userId,
    from_at: from,
    to_at: to,
    reason,
    planned_by: by,
    planned_at: at,
  });
  return true;
}

/** Before it begins it never does; afterwards it is over now. @returns false when it was cancelled before */
export async function cancelAbsence(
  tx: Knex,
  { id, by, at, origin }: { id: AbsenceId; by: UserId; at: Date; origin?: Origin | undefined },
): Promise<boolean> {
  const isNew = await recordEvent(tx, {
    key: `absence/${id}/cancelled`,
    type: 'absence.cancelled',
    subject: `absence/${id}`,
    by,
    origin,
    at: at.toISOString(),
  });
  if (isNew) await tx('absences').where({ id }).update({ cancelled_at: at });
  return isNew;
}

/**
 * The absence has begun: the move of the person's open tasks is on record from now on; a repeat finds it.
 * @returns null when it was cancelled before
 */
export async function beginAbsence(tx: Knex, id: AbsenceId, at: string): Promise<TaskMoveId | null> {
  const found: { userId: UserId; plannedBy: UserId; cancelledAt: Date | null } | undefined = await tx('absences')
    .where({ id })
    .forUpdate()
    .first({ userId: 'user_id', plannedBy: 'planned_by', cancelledAt: 'cancelled_at' });
  if (!found) throw new Error(`there is no absence ${id}`);
  const moveId = asId<TaskMoveId>(namedUuid(`task-move/absence/${id}`));
  if (await tx('task_moves').where({ id: moveId }).first('id')) return moveId;
  if (found.cancelledAt) return null;
  const { userId: from, plannedBy: by } = found;
  await planMove(tx, { id: moveId, from, to: null, absenceId: id, reason: 'absence', by, at });
  return moveId;
}

/** Absences that should have begun before this time and of which no move is on record. */
export async function absencesNotBegun(db: Knex, before: string, at: string, limit: number): Promise<AbsenceId[]> {
  return db('absences as b')
    .whereNull('b.cancelled_at')
    .where('b.from_at', '<', before)
    .where('b.planned_at', '<', before)
    .where('b.to_at', '>', at)
    .whereNotExists(db('task_moves as m').whereRaw('m.absence_id = b.id').select(db.raw('1')))
    .orderBy('b.from_at')
    .limit(limit)
    .pluck<AbsenceId[]>('b.id');
}

export async function isAbsent(db: Knex, userId: UserId, at: Date): Promise<boolean> {
  const row = await db('absences')
    .where({ user_id: userId })
    .whereNull('cancelled_at')
    .where('from_at', '<=', at)
    .where('to_at', '>', at)
    .first('id');
  return row !== undefined;
}
