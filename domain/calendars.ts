/**
 * The office's calendar as people write it: one document, published as a whole, version after version.
 * domain/calendar.ts counts with what `businessCalendar` makes of it.
 */
import { type BusinessCalendar, isDate, localDate, type OfficeZone } from './calendar.ts';
import type { FieldProblem } from './failures.ts';

/** `joint_leave` is *cuti bersama*; `local` is what only this office keeps. */
export const CLOSURE_KINDS = ['national', 'joint_leave', 'local'] as const;
export type ClosureKind = (typeof CLOSURE_KINDS)[number];

export interface Closure {
  /** Local date, YYYY-MM-DD: the office is closed for all of it. */
  readonly date: string;
  readonly kind: ClosureKind;
  readonly name: string;
}

export interface OfficeCalendar {
  readonly zone: OfficeZone;
  /** ISO weekdays, 1 = Monday … 7 = Sunday. */
  readonly workdays: readonly number[];
  /** Local time, HH:MM; closing is exclusive and may be 24:00. */
  readonly opensAt: string;
  readonly closesAt: string;
  /** Whether closures of that kind count; local ones always do. */
  readonly nationalHolidays: boolean;
  readonly jointLeave: boolean;
  readonly closures: readonly Closure[];
}

/** A deadline must be reachable: whoever closes more than this in a year has mistyped something. */
export const CLOSURES_A_YEAR = 150;
const WEEKS_A_YEAR = 52;
const OPEN_DAYS_A_YEAR = 12;

/** Everything that is wrong with it, at its place; none = it can be published. */
export function problemsOf(calendar: OfficeCalendar): FieldProblem[] {
  return [...hourProblems(calendar), ...workdayProblems(calendar), ...closureProblems(calendar)];
}

const problem = (pointer: string, code: string, detail: string): FieldProblem => ({ pointer, code, detail });

function hourProblems({ opensAt, closesAt }: OfficeCalendar): FieldProblem[] {
  const [opens, closes] = [minuteOf(opensAt), minuteOf(closesAt)];
  const notATime = (pointer: string, value: string) =>
    problem(pointer, 'not_a_time', `${value} is no time of day: write HH:MM, 00:00 to 24:00`);
  const wrong = [
    ...(opens === null || opens === 1440 ? [notATime('/opensAt', opensAt)] : []),
    ...(closes === null ? [notATime('/closesAt', closesAt)] : []),
  ];
  if (opens !== null && closes !== null && opens < 1440 && opens >= closes)
    wrong.push(problem('/closesAt', 'closes_before_opening', `${closesAt} is not after ${opensAt}`));
  return wrong;
}

function workdayProblems({ workdays }: OfficeCalendar): FieldProblem[] {
  if (workdays.length === 0) return [problem('/workdays', 'no_workdays', 'name at least one day of the week, 1 to 7')];
  return workdays.flatMap((day, index) => {
    const at = `/workdays/${index}`;
    if (!Number.isInteger(day) || day < 1 || day > 7)
      return [problem(at, 'not_a_weekday', `${day} is no weekday: 1 = Monday … 7 = Sunday`)];
    return workdays.indexOf(day) < index ? [problem(at, 'repeated', `${day} is named twice`)] : [];
  });
}

function closureProblems({ closures, workdays }: OfficeCalendar): FieldProblem[] {
  const seen = new Set<string>();
  const inYear = new Map<string, number>();
  const wrong: FieldProblem[] = [];
  for (const [index, { date, kind, name }] of closures.entries()) {
    const at = `/closures/${index}`;
    if (!isDate(date)) wrong.push(problem(`${at}/date`, 'not_a_date', `${date} is no date: write YYYY-MM-DD`));
    else if (seen.has(`${date} ${kind}`))
      wrong.push(problem(`${at}/date`, 'repeated', `${date} is closed twice for the same kind, ${kind}`));
    if (name.trim() === '') wrong.push(problem(`${at}/name`, 'no_name', `say why the office is closed on ${date}`));
    seen.add(`${date} ${kind}`);
    inYear.set(date.slice(0, 4), (inYear.get(date.slice(0, 4)) ?? 0) + 1);
  }
  for (const [year, count] of inYear) {
    if (count > CLOSURES_A_YEAR)
      wrong.push(problem('/closures', 'too_many', `${count} in ${year}; at most ${CLOSURES_A_YEAR} a year`));
    const days = WEEKS_A_YEAR * workdays.length - count;
    if (workdays.length > 0 && days < OPEN_DAYS_A_YEAR)
      wrong.push(problem('/closures', 'hardly_open', `about ${Math.max(0, days)} working days are left in ${year}`));
  }
  return wrong;
}

/** Minutes after midnight; null = no time of day. */
function minuteOf(time: string): number | null {
  const match = /^(\d{2}):(\d{2})$/.exec(time);
  if (!match) return null;
  const [hours, minutes] = [Number(match[1]), Number(match[2])];
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= 1440 ? minute : null;
}

export const timeOfMinute = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** What deadlines are counted by. @throws RangeError for a calendar with problems */
export function businessCalendar(calendar: OfficeCalendar): BusinessCalendar {
  const { zone, workdays, opensAt, closesAt } = calendar;
  const [opens, closes] = [minuteOf(opensAt), minuteOf(closesAt)];
  if (opens === null || closes === null) throw new RangeError(`office hours from ${opensAt} to ${closesAt}`);
  const counted = calendar.closures.filter(({ kind }) => counts(calendar, kind));
  return {
    zone,
    workdays,
    opensAtMinute: opens,
    closesAtMinute: closes,
    closedDates: new Map(inOrder(counted).map(({ date, name }) => [date, name])),
  };
}

function counts(calendar: OfficeCalendar, kind: ClosureKind): boolean {
  switch (kind) {
    case 'national':
      return calendar.nationalHolidays;
    case 'joint_leave':
      return calendar.jointLeave;
    case 'local':
      return true;
  }
}

const CLOSURE_ORDER = ({ date, kind }: Closure): string => `${date} ${kind}`;

/** By date, then kind: the order in which they are kept, and of two on a date the later names it. */
export const inOrder = (closures: readonly Closure[]): Closure[] =>
  closures.toSorted((a, b) => (CLOSURE_ORDER(a) < CLOSURE_ORDER(b) ? -1 : 1));

export interface CalendarChange {
  /** Of zone, workdays, opensAt, closesAt, nationalHolidays, jointLeave: as it was, as it is. */
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  /** Dates, in order; one whose name alone changed is in neither. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const SETTINGS = ['zone', 'workdays', 'opensAt', 'closesAt', 'nationalHolidays', 'jointLeave'] as const;

/** What a publication changes: for the record, where names of closures have no place. */
export function changeBetween(was: OfficeCalendar, is: OfficeCalendar): CalendarChange {
  const differ = SETTINGS.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
  const only = (these: OfficeCalendar, those: OfficeCalendar) => {
    const known = new Set(those.closures.map(CLOSURE_ORDER));
    return [
      ...new Set(inOrder(these.closures.filter((each) => !known.has(CLOSURE_ORDER(each)))).map(({ date }) => date)),
    ];
  };
  return {
    before: Object.fromEntries(differ.map((name) => [name, was[name]])),
    after: Object.fromEntries(differ.map((name) => [name, is[name]])),
    added: only(is, was),
    removed: only(was, is),
  };
}

/** From this month on, next year's holidays should be known: the decree comes in September or October. */
const NEXT_YEAR_FROM_MONTH = 10;

/** Years whose national holidays are missing though deadlines may fall into them; none where the office does not keep them. */
export function yearsWithoutHolidays(
  calendar: Pick<OfficeCalendar, 'zone' | 'nationalHolidays' | 'closures'>,
  now: number,
): number[] {
  if (!calendar.nationalHolidays) return [];
  const [year = 0, month = 0] = localDate(now, calendar.zone).split('-').map(Number);
  const needed = month >= NEXT_YEAR_FROM_MONTH ? [year, year + 1] : [year];
  const national = calendar.closures.filter(({ kind }) => kind === 'national');
  return needed.filter((each) => !national.some(({ date }) => date.startsWith(`${each}-`)));
}
