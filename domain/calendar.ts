/**
 * Working time of an office. Instants are epoch milliseconds in here; `formatInZone` makes the ISO string for a border.
 * Nothing asks for the time: whoever calls says when "now" is.
 */
export type OfficeZone = 'Asia/Jakarta' | 'Asia/Makassar' | 'Asia/Jayapura';

export interface BusinessCalendar {
  readonly zone: OfficeZone;
  /** ISO weekdays, 1 = Monday … 7 = Sunday. */
  readonly workdays: readonly number[];
  /** Minutes after local midnight; closing is exclusive and at most 1440. */
  readonly opensAtMinute: number;
  readonly closesAtMinute: number;
  /** Local date (YYYY-MM-DD) → why the office is closed for all of it. */
  readonly closedDates: ReadonlyMap<string, string>;
}

/** A holiday on a workday that moved a deadline. */
export interface SkippedDate {
  readonly date: string;
  readonly reason: string;
}

export interface Deadline {
  readonly at: number;
  readonly skipped: readonly SkippedDate[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const FIVE_YEARS_IN_DAYS = 5 * 365 + 2;

/** Fixed: Indonesia has had these three zones, and no daylight saving time, since 1 January 1964. */
const OFFSET_HOURS: Record<OfficeZone, number> = { 'Asia/Jakarta': 7, 'Asia/Makassar': 8, 'Asia/Jayapura': 9 };

export const OFFICE_ZONES = ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura'] as const satisfies readonly OfficeZone[];

export const isOfficeZone = (value: string): value is OfficeZone => Object.hasOwn(OFFSET_HOURS, value);

/** `2026-11-21T17:00:00+07:00`; milliseconds are written only when there are any, so that nothing is lost. */
export function formatInZone(at: number, zone: OfficeZone): string {
  const local = new Date(at + offsetMs(zone)).toISOString();
  return local.replace(/(\.000)?Z$/, `+0${OFFSET_HOURS[zone]}:00`);
}

/** The local date (YYYY-MM-DD) of an instant. */
export const localDate = (at: number, zone: OfficeZone): string => dateOf(localDay(at, zone));

/** Length of a whole working day, in milliseconds. @throws RangeError when the office's hours are not hours. */
export function workingDay(calendar: BusinessCalendar): number {
  const { opensAtMinute: opens, closesAtMinute: closes } = calendar;
  const sound = Number.isInteger(opens) && Number.isInteger(closes) && opens >= 0 && opens < closes && closes <= 1440;
  if (!sound) {
    throw new RangeError(
      `office hours from minute ${opens} to ${closes}: need whole minutes, 0 <= opening < closing <= 1440`,
    );
  }
  return (closes - opens) * MINUTE_MS;
}

/** Whether there is such a date, YYYY-MM-DD. */
export function isDate(date: string): boolean {
  const day = dayOf(date);
  return Number.isInteger(day) && dateOf(day) === date;
}

/** @param date local date, YYYY-MM-DD. @throws RangeError when there is no such date. */
export function isWorkingDate(calendar: BusinessCalendar, date: string): boolean {
  if (!isDate(date)) throw new RangeError(`${date} is not a date (YYYY-MM-DD)`);
  return isWorkday(calendar, dayOf(date)) && !calendar.closedDates.has(date);
}

/** A day of an interval, with the office hours of it that count. */
export interface CountedDay {
  readonly date: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** The days whose office hours make up `workingMsBetween`, oldest first: for whoever checks by hand. */
export function workingHoursBetween(calendar: BusinessCalendar, from: number, to: number): CountedDay[] {
  workingDay(calendar);
  const days: CountedDay[] = [];
  const closures = closuresOf(calendar);
  const last = localDay(to, calendar.zone);
  for (let day = localDay(from, calendar.zone); day <= last; day++) {
    if (!isWorkday(calendar, day) || closures.has(day)) continue;
    const [start, end] = [Math.max(from, openingOf(calendar, day)), Math.min(to, closingOf(calendar, day))];
    if (start < end) days.push({ date: dateOf(day), from: start, to: end });
  }
  return days;
}

/** Opening inclusive, closing exclusive. */
export function isOpen(calendar: BusinessCalendar, at: number): boolean {
  return workingMsBetween(calendar, at, at + 1) === 1;
}

/** Working milliseconds in the half-open interval [from, to); 0 when `to` is not after `from`. */
export function workingMsBetween(calendar: BusinessCalendar, from: number, to: number): number {
  workingDay(calendar);
  checkWhole(from, 'from');
  checkWhole(to, 'to');
  let total = 0;
  const closures = closuresOf(calendar);
  const last = localDay(to, calendar.zone);
  for (let day = localDay(from, calendar.zone); day <= last; day++) {
    if (!isWorkday(calendar, day) || closures.has(day)) continue;
    total += Math.max(0, Math.min(to, closingOf(calendar, day)) - Math.max(from, openingOf(calendar, day)));
  }
  return total;
}

/**
 * The first instant by which `workingMs` of working time has passed since `from`. Time used up exactly at closing is up
 * at that closing, not at the next opening. Zero gives `from` itself when the office is open, else its next opening.
 * `skipped` names the holidays on the way that would have been working time (weekends and days off are no news).
 * @throws RangeError when that much working time does not fit into five years, as in a calendar without any.
 */
export function addWorkingTime(calendar: BusinessCalendar, from: number, workingMs: number): Deadline {
  workingDay(calendar);
  checkWhole(from, 'from');
  checkWhole(workingMs, 'workingMs');
  if (workingMs < 0) throw new RangeError(`workingMs is ${workingMs}; deadlines are only computed forwards`);
  const skipped: SkippedDate[] = [];
  const closures = closuresOf(calendar);
  let left = workingMs;
  const today = localDay(from, calendar.zone);
  for (let day = today; day <= today + FIVE_YEARS_IN_DAYS; day++) {
    const closing = closingOf(calendar, day);
    if (!isWorkday(calendar, day) || from >= closing) continue;
    const closure = closures.get(day);
    if (closure) {
      skipped.push(closure);
      continue;
    }
    const start = Math.max(from, openingOf(calendar, day));
    if (left <= closing - start) return { at: start + left, skipped };
    left -= closing - start;
  }
  throw noDeadline(calendar, from, workingMs);
}

/** The holidays that took working time out of [from, to): on a workday, with office hours in it; oldest first. */
export function holidaysBetween(calendar: BusinessCalendar, from: number, to: number): SkippedDate[] {
  const found: SkippedDate[] = [];
  if (to <= from) return found;
  const closures = closuresOf(calendar);
  const last = localDay(to, calendar.zone);
  for (let day = localDay(from, calendar.zone); day <= last; day++) {
    if (!isWorkday(calendar, day) || to <= openingOf(calendar, day) || from >= closingOf(calendar, day)) continue;
    const closure = closures.get(day);
    if (closure) found.push(closure);
  }
  return found;
}

/** Whole working days as working time: 14:00 plus one day is 14:00 on the next working day. */
export function addWorkingDays(calendar: BusinessCalendar, from: number, days: number): Deadline {
  checkWhole(days, 'days');
  return addWorkingTime(calendar, from, days * workingDay(calendar));
}

/** The first opening at or after `from`, even when the office is open at `from`. @throws RangeError as addWorkingTime. */
export function nextOpening(calendar: BusinessCalendar, from: number): number {
  const at = addWorkingTime(calendar, from, 0).at;
  const opening = openingOf(calendar, localDay(at, calendar.zone));
  return at === opening ? at : addWorkingTime(calendar, closingOf(calendar, localDay(at, calendar.zone)), 0).at;
}

/** When the office opens on the local date of this instant, working day or not. */
export const openingOfDay = (calendar: BusinessCalendar, at: number): number =>
  openingOf(calendar, localDay(at, calendar.zone));

const offsetMs = (zone: OfficeZone): number => OFFSET_HOURS[zone] * HOUR_MS;
/** Days since 1 January 1970, counted in local dates. */
const localDay = (at: number, zone: OfficeZone): number => Math.floor((at + offsetMs(zone)) / DAY_MS);
const midnightOf = (calendar: BusinessCalendar, day: number): number => day * DAY_MS - offsetMs(calendar.zone);
const openingOf = (calendar: BusinessCalendar, day: number): number =>
  midnightOf(calendar, day) + calendar.opensAtMinute * MINUTE_MS;
const closingOf = (calendar: BusinessCalendar, day: number): number =>
  midnightOf(calendar, day) + calendar.closesAtMinute * MINUTE_MS;

// By day number, made once for each calendar: to write out the date of every day on the way was nearly all that a deadline cost.
const CLOSURES = new WeakMap<BusinessCalendar['closedDates'], ReadonlyMap<number, SkippedDate>>();

function closuresOf({ closedDates }: BusinessCalendar): ReadonlyMap<number, SkippedDate> {
  const known = CLOSURES.get(closedDates);
  if (known) return known;
  const made = new Map<number, SkippedDate>();
  for (const [date, reason] of closedDates) made.set(dayOf(date), { date, reason });
  CLOSURES.set(closedDates, made);
  return made;
}

const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

function dateOf(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${date.getUTCFullYear()}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`;
}

const twoDigits = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

// Day 0 was a Thursday; the second remainder keeps days before 1970 positive.
const isWorkday = (calendar: BusinessCalendar, day: number): boolean =>
  calendar.workdays.includes(((((day + 3) % 7) + 7) % 7) + 1);

function checkWhole(value: number, name: string): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is ${value}; it must be a whole number`);
}

function noDeadline(calendar: BusinessCalendar, from: number, workingMs: number): RangeError {
  const since = formatInZone(from, calendar.zone);
  return new RangeError(
    `${workingMs} ms of working time do not fit into the five years after ${since}: ` +
      `check the calendar's workdays (${calendar.workdays.join(', ') || 'none'}) and its ${calendar.closedDates.size} closed dates`,
  );
}

/**
 * The same instant of day, so many calendar months later; a day that the month does not have becomes its last
 * (31 January + 1 month = 28 or 29 February). Counted on the office's local date.
 * @param iso ISO 8601; the result too, in UTC
 */
export function addMonths(iso: string, months: number, zone: OfficeZone): string {
  const local = new Date(Date.parse(iso) + offsetMs(zone));
  const day = local.getUTCDate();
  local.setUTCDate(1);
  local.setUTCMonth(local.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate();
  local.setUTCDate(Math.min(day, lastDay));
  return new Date(local.getTime() - offsetMs(zone)).toISOString();
}

/**
 * The end of a term that begins where another ended: counted from the first one's beginning, so that a day which some month
 * does not have comes back in the next (31 January, 28 February, 31 March).
 * @param anchor when the first term began; without effect where `from` is not a whole number of months after it
 */
export function addMonthsFrom(anchor: string, from: string, months: number, zone: OfficeZone): string {
  const [first, then] = [new Date(Date.parse(anchor) + offsetMs(zone)), new Date(Date.parse(from) + offsetMs(zone))];
  const passed = (then.getUTCFullYear() - first.getUTCFullYear()) * 12 + then.getUTCMonth() - first.getUTCMonth();
  const isCounted = Date.parse(addMonths(anchor, passed, zone)) === then.getTime() - offsetMs(zone);
  return isCounted ? addMonths(anchor, passed + months, zone) : addMonths(from, months, zone);
}

/** The first instant at or after `at` whose local time is within [opens, closes) o'clock. */
export function daytime(at: number, zone: OfficeZone, { opens, closes }: { opens: number; closes: number }): number {
  const midnight = localDay(at, zone) * DAY_MS - offsetMs(zone);
  if (at < midnight + opens * HOUR_MS) return midnight + opens * HOUR_MS;
  return at < midnight + closes * HOUR_MS ? at : midnight + DAY_MS + opens * HOUR_MS;
}
