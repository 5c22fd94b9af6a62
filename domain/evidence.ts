/** What must be shown of an approval by law: that the application was complete, and that the office's own time was used up. */
import { type BusinessCalendar, localDate, openingOfDay, workingMsBetween } from './calendar.ts';
import type { Suspension } from './legal-clock.ts';

/** UU 30/2014 (government administration) article 53, as amended by UU 11/2020 (job creation) article 175. */
export const LEGAL_BASIS = {
  id: 'Pasal 53 UU 30/2014 tentang Administrasi Pemerintahan sebagaimana diubah dengan Pasal 175 UU 11/2020 tentang Cipta Kerja',
  en: 'Article 53 of Law 30/2014 on Government Administration as amended by article 175 of Law 11/2020 on Job Creation',
} as const;

/** Working time that a day took from the legal time. */
export interface CountedDay {
  /** Local date, YYYY-MM-DD. */
  readonly date: string;
  readonly workingMs: number;
}

const DAY_MS = 86_400_000;

/**
 * The days on which the office's time ran, with how much of it: together they are `legalClock`'s `officeMs`.
 * @param from epoch milliseconds, when the application was complete; `until` is exclusive
 */
export function countedDays(
  calendar: BusinessCalendar,
  { from, until, suspensions }: { from: number; until: number; suspensions: readonly Suspension[] },
): CountedDay[] {
  const days: CountedDay[] = [];
  // From opening to opening: no office is open past midnight, and no day in Indonesia is shorter or longer than another.
  for (let day = openingOfDay(calendar, from); day < until; day += DAY_MS) {
    const worked = (a: number, b: number) =>
      workingMsBetween(calendar, Math.max(a, day), Math.max(a, day, Math.min(b, day + DAY_MS)));
    const stoodStill = suspensions.map((one) => worked(Math.max(one.from, from), Math.min(one.to ?? until, until)));
    const workingMs = worked(from, until) - stoodStill.reduce((total, ms) => total + ms, 0);
    if (workingMs > 0) days.push({ date: localDate(day, calendar.zone), workingMs });
  }
  return days;
}
