/**
 * The legal time of a case: a budget of working time, and a ledger of when it stood still. It starts when the submission is
 * complete, stops while the applicant holds the case, and never starts again from zero. Whoever has the calendar, the budget
 * and the ledger can work it out with pencil and paper; nothing else goes into it.
 */
import {
  addWorkingTime,
  type BusinessCalendar,
  holidaysBetween,
  type SkippedDate,
  workingDay,
  workingMsBetween,
} from './calendar.ts';

/** Why the applicant has the case. `appeal`: it was rejected, and nobody's turn until the applicant objected. */
export const SUSPENSION_REASONS = ['correction', 'intent_to_reject', 'appeal'] as const;
export type SuspensionReason = (typeof SUSPENSION_REASONS)[number];

/** Half-open, in epoch milliseconds; `to` null = it stands still until further notice. */
export interface Suspension {
  readonly from: number;
  readonly to: number | null;
}

export interface ClockEntries<S extends Suspension = Suspension> {
  /** When the submission was complete, epoch milliseconds. */
  readonly completeAt: number;
  /** Working milliseconds. */
  readonly budgetMs: number;
  /** In any order; where two overlap, the time counts for the earlier one alone. */
  readonly suspensions: readonly S[];
}

/** Working days as working time; a day is what the office's calendar says it is. */
export function legalBudgetMs(calendar: BusinessCalendar, workingDays: number): number {
  if (!(workingDays > 0)) throw new RangeError(`legal time of ${workingDays} working days: it must be above 0`);
  return Math.floor(workingDays * workingDay(calendar));
}

/** How long a suspension has lasted by `now`. */
export type CountedSuspension<S extends Suspension = Suspension> = S & {
  /** Working time that the office was spared. */
  readonly workingMs: number;
  /** The same as the applicant feels it: by the wall clock. */
  readonly calendarMs: number;
};

export interface LegalClock<S extends Suspension = Suspension> {
  /** Working time used by the office; goes on above the budget when the case is late. */
  readonly officeMs: number;
  /** Working time in which the applicant had the case. With `officeMs` it is all that has passed since `completeAt`. */
  readonly applicantMs: number;
  readonly applicantCalendarMs: number;
  /** Of the budget, 0 when it is used up. */
  readonly leftMs: number;
  /** Whether it stands still at `now`. */
  readonly suspended: boolean;
  /** When the budget is used up; null while it stands still with some of it left. */
  readonly dueAt: number | null;
  /** In the order of time. */
  readonly suspensions: readonly CountedSuspension<S>[];
  /** The holidays that moved `dueAt`; while it stands still, those so far. */
  readonly skipped: readonly SkippedDate[];
}

/**
 * The clock as it stands at `now`.
 * @param now epoch milliseconds; what the ledger says of later has not happened yet, though `dueAt` takes it into account
 * @throws RangeError for a suspension that ends before it begins, or a deadline that no calendar reaches (addWorkingTime)
 */
export function legalClock<S extends Suspension>(
  calendar: BusinessCalendar,
  entries: ClockEntries<S>,
  now: number,
): LegalClock<S> {
  const { completeAt, budgetMs } = entries;
  const ledger = inOrder(entries.suspensions);
  let countedUntil = completeAt;
  const suspensions = ledger.map((suspension): CountedSuspension<S> => {
    const from = Math.max(suspension.from, countedUntil);
    const to = Math.max(from, Math.min(suspension.to ?? now, now));
    countedUntil = to;
    return { ...suspension, workingMs: workingMsBetween(calendar, from, to), calendarMs: to - from };
  });
  const applicantMs = sum(suspensions.map(({ workingMs }) => workingMs));
  const officeMs = workingMsBetween(calendar, completeAt, Math.max(completeAt, now)) - applicantMs;
  return {
    officeMs,
    applicantMs,
    applicantCalendarMs: sum(suspensions.map(({ calendarMs }) => calendarMs)),
    leftMs: Math.max(0, budgetMs - officeMs),
    suspended: ledger.some(({ from, to }) => from <= now && (to === null || now < to)),
    suspensions,
    ...dueDate(calendar, completeAt, budgetMs, ledger),
  };
}

/** Runs the budget down over the stretches between the suspensions. */
function dueDate(
  calendar: BusinessCalendar,
  completeAt: number,
  budgetMs: number,
  ledger: readonly Suspension[],
): Pick<LegalClock, 'dueAt' | 'skipped'> {
  const skipped = new Map<string, SkippedDate>();
  const note = (dates: readonly SkippedDate[]) => {
    for (const date of dates) skipped.set(date.date, date);
  };
  let since = completeAt;
  let left = budgetMs;
  for (const { from, to } of ledger) {
    const used = workingMsBetween(calendar, since, from);
    if (used >= left) break;
    left -= used;
    note(holidaysBetween(calendar, since, from));
    if (to === null) return { dueAt: null, skipped: [...skipped.values()] };
    since = Math.max(since, to);
  }
  const due = addWorkingTime(calendar, since, left);
  note(due.skipped);
  return { dueAt: due.at, skipped: [...skipped.values()] };
}

function inOrder<S extends Suspension>(suspensions: readonly S[]): S[] {
  for (const { from, to } of suspensions) {
    if (to !== null && to < from) throw new RangeError(`a suspension from ${from} ends before it begins, at ${to}`);
  }
  return suspensions.toSorted((a, b) => a.from - b.from);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
