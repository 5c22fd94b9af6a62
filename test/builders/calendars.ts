/** Calendars of an office, as it would publish them. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { officeCalendarOf, publishCalendar } from '../../db/calendars.ts';
import type { Closure, OfficeCalendar } from '../../domain/calendars.ts';
import { asId, type CalendarVersionId, type OfficeId, type UserId } from '../../domain/ids.ts';
import { MONDAY } from './licensing.ts';

export const aCalendar = (changes: Partial<OfficeCalendar> = {}): OfficeCalendar => ({
  zone: 'Asia/Jakarta',
  workdays: [1, 2, 3, 4, 5],
  opensAt: '08:00',
  closesAt: '16:00',
  nationalHolidays: true,
  jointLeave: true,
  closures: [],
  ...changes,
});

export const closed = (date: string, kind: Closure['kind'] = 'local', name = `Tutup ${date}`): Closure => ({
  date,
  kind,
  name,
});

/** As the next version, whatever the present one is. @returns the version */
export async function publish(
  db: Knex,
  officeId: OfficeId,
  by: UserId,
  changes: Partial<OfficeCalendar> = {},
  at = MONDAY,
): Promise<number> {
  const { version: basedOnVersion } = await officeCalendarOf(db, officeId);
  const { version } = await publishCalendar(db, {
    id: asId<CalendarVersionId>(randomUUID()),
    officeId,
    calendar: aCalendar(changes),
    reason: 'Keputusan uji',
    basedOnVersion,
    by,
    at,
  });
  return version;
}
