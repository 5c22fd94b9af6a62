/**
 * The calendar of the simulated year. An execution's clock can only be moved forward, so a year that is over, or has begun, is
 * played in the future: moved by a multiple of 364 days, which are whole weeks, with all its holidays. Reports move it back.
 */
import Holidays from 'date-holidays';
import type { BusinessCalendar } from '../../domain/calendar.ts';
import { businessCalendar, type Closure, type OfficeCalendar } from '../../domain/calendars.ts';
import { JOINT_LEAVE_2026 } from '../../local/demo-data.ts';

export interface PlayedYear {
  readonly year: number;
  /** Epoch milliseconds of the year's beginning, as it is played. */
  readonly begins: number;
  /** What a played instant lies after the real one. */
  readonly movedMs: number;
  /** As it is published to the office, moved. */
  readonly officeCalendar: OfficeCalendar;
  readonly calendar: BusinessCalendar;
}

const DAY_MS = 86_400_000;
const MOVE_MS = 364 * DAY_MS;
const ZONE = 'Asia/Jakarta';

/** @param now epoch milliseconds; the played year begins after it */
export function playedYear(year: number, now: number): PlayedYear {
  const begins = Date.parse(`${year}-01-01T00:00:00+07:00`);
  const movedMs = Math.max(0, Math.ceil((now + DAY_MS - begins) / MOVE_MS)) * MOVE_MS;
  const officeCalendar: OfficeCalendar = {
    zone: ZONE,
    workdays: [1, 2, 3, 4, 5],
    opensAt: '08:00',
    closesAt: '16:00',
    nationalHolidays: true,
    jointLeave: true,
    closures: closuresOf(year).map((closure) => ({ ...closure, date: movedDate(closure.date, movedMs) })),
  };
  return { year, begins: begins + movedMs, movedMs, officeCalendar, calendar: businessCalendar(officeCalendar) };
}

/** Of the year and of the one after it, in which its last cases end. */
export function closuresOf(year: number): Closure[] {
  const national = [year, year + 1].flatMap((each) =>
    new Holidays('ID')
      .getHolidays(each)
      .filter(({ type }) => type === 'public')
      .map(({ date, name }): Closure => ({ date: date.slice(0, 10), kind: 'national', name })),
  );
  const jointLeave = JOINT_LEAVE_2026.filter(({ date }) => date.startsWith(`${year}-`)).map(
    ({ date, name }): Closure => ({ date, kind: 'joint_leave', name }),
  );
  const known = new Map([...national, ...jointLeave].map((closure) => [`${closure.date} ${closure.kind}`, closure]));
  return [...known.values()].toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

const movedDate = (date: string, byMs: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + byMs).toISOString().slice(0, 10);
