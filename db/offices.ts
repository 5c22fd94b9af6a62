import type { Knex } from 'knex';
import type { BusinessCalendar, OfficeZone } from '../domain/calendar.ts';
import type { OfficeId } from '../domain/ids.ts';

interface CalendarRow {
  readonly zone: OfficeZone;
  readonly workdays: number[];
  readonly opens_at_minute: number;
  readonly closes_at_minute: number;
  readonly closures: readonly { readonly date: string; readonly name: string }[];
}

export interface Office {
  readonly id: OfficeId;
  readonly name: string;
  readonly zone: OfficeZone;
}

/** The calendar that the office works by, its closures included; joint leave only where the office keeps it. */
export async function calendarOf(db: Knex, officeId: OfficeId): Promise<BusinessCalendar> {
  const result: { rows: CalendarRow[] } = await db.raw(
    `select o.zone, o.workdays, o.opens_at_minute, o.closes_at_minute,
       coalesce((select json_agg(json_build_object('date', c.date, 'name', c.name) order by c.date, c.kind)
                 from office_closures c
                 where c.office_id = o.id and (c.kind <> 'joint_leave' or o.joint_leave_counts)), '[]') as closures
     from offices o where o.id = ?`,
    [officeId],
  );
  const row = result.rows[0];
  if (!row) throw new Error(`office ${officeId} does not exist`);
  return {
    zone: row.zone,
    workdays: row.workdays,
    opensAtMinute: row.opens_at_minute,
    closesAtMinute: row.closes_at_minute,
    closedDates: new Map(row.closures.map(({ date, name }) => [date, name])),
  };
}

export async function officeOfType(db: Knex, typeCode: string): Promise<Office> {
  const row: Office | undefined = await db('license_types as t')
    .join('offices as o', 'o.id', 't.office_id')
    .where('t.code', typeCode)
    .first({ id: 'o.id', name: 'o.name', zone: 'o.zone' });
  if (!row) throw new Error(`licence type ${typeCode} has no office`);
  return row;
}
