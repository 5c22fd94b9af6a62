import type { Knex } from 'knex';
import type { BusinessCalendar, OfficeZone } from '../domain/calendar.ts';
import type { OfficeId } from '../domain/ids.ts';

interface CalendarRow {
  readonly zone: OfficeZone;
  readonly workdays: number[];
  readonly opens_at_minute: number;
  readonly closes_at_minute: number;
  readonly calendar_version: number;
  readonly closures: readonly { readonly date: string; readonly name: string }[];
}

export interface Office {
  readonly id: OfficeId;
  readonly name: string;
  readonly zone: OfficeZone;
}

/** A calendar, and which of the office's publications it is. */
export interface VersionedCalendar {
  readonly calendar: BusinessCalendar;
  readonly version: number;
}

/** The calendar that the office works by now. National holidays and joint leave count where the office keeps them. */
export async function versionedCalendarOf(db: Knex, officeId: OfficeId): Promise<VersionedCalendar> {
  const result: { rows: CalendarRow[] } = await db.raw(
    `select o.zone, o.workdays, o.opens_at_minute, o.closes_at_minute, o.calendar_version,
       coalesce((select json_agg(json_build_object('date', c.date, 'name', c.name) order by c.date, c.kind)
                 from office_closures c
                 where c.office_id = o.id
                   and case c.kind when 'joint_leave' then o.joint_leave_counts
                                   when 'national' then o.national_holidays_count else true end), '[]') as closures
     from offices o where o.id = ?`,
    [officeId],
  );
  const row = result.rows[0];
  if (!row) throw new Error(`office ${officeId} does not exist`);
  const calendar = {
    zone: row.zone,
    workdays: row.workdays,
    opensAtMinute: row.opens_at_minute,
    closesAtMinute: row.closes_at_minute,
    closedDates: new Map(row.closures.map(({ date, name }) => [date, name])),
  };
  return { calendar, version: row.calendar_version };
}

export const calendarOf = async (db: Knex, officeId: OfficeId): Promise<BusinessCalendar> =>
  (await versionedCalendarOf(db, officeId)).calendar;

export const calendarLock = (officeId: OfficeId): string => `calendar/${officeId}`;

/**
 * The calendar for a deadline that this transaction stores: nobody publishes another one until it has ended, so that no case
 * is left with a plan that re-planning never saw. Ask for it before any row is locked.
 */
export async function workingCalendarOf(tx: Knex, officeId: OfficeId): Promise<VersionedCalendar> {
  // A statement of its own: the calendar must be read by a snapshot that was taken when the lock was held.
  await tx.raw('select pg_advisory_xact_lock_shared(hashtext(?))', [calendarLock(officeId)]);
  return versionedCalendarOf(tx, officeId);
}

export async function officeOfType(db: Knex, typeCode: string): Promise<Office> {
  const row: Office | undefined = await db('license_types as t')
    .join('offices as o', 'o.id', 't.office_id')
    .where('t.code', typeCode)
    .first({ id: 'o.id', name: 'o.name', zone: 'o.zone' });
  if (!row) throw new Error(`licence type ${typeCode} has no office`);
  return row;
}

/** The office of longest standing, which stands for all of them where no licence type says which it is. */
export const FIRST_OFFICE = 'select id from offices order by created_at, id limit 1';

/** Who issues the papers about a subscription, and by whose clock: no licence type says it, so it is the first office. */
export async function issuerOfSubscriptions(db: Knex): Promise<Office> {
  const row: Office | undefined = await db('offices').whereRaw(`id = (${FIRST_OFFICE})`).first('id', 'name', 'zone');
  if (!row) throw new Error('nothing can be billed: there is no office to issue an invoice');
  return row;
}
