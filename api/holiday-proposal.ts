/** National holidays to start a calendar from: a package's word, never the law's. The office compares it with the joint decree. */
import Holidays from 'date-holidays';
import type { Closure } from '../domain/calendars.ts';

export interface HolidayProposal {
  readonly closures: readonly Closure[];
  /** Names of holidays of the year before that the package does not know for this year. */
  readonly unknown: readonly string[];
}

export function proposeHolidays(year: number): HolidayProposal {
  const closures = nationalHolidays(year);
  const named = new Set(closures.map(({ name }) => name));
  const before = new Set(nationalHolidays(year - 1).map(({ name }) => name));
  return { closures, unknown: [...before].filter((name) => !named.has(name)) };
}

function nationalHolidays(year: number): Closure[] {
  const found = new Holidays('ID').getHolidays(year, 'id').filter(({ type }) => type === 'public');
  // Two on a date are one day off.
  const byDate = new Map(found.map(({ date, name }) => [date.slice(0, 10), name]));
  return [...byDate].map(([date, name]) => ({ date, kind: 'national', name }));
}
