/**
 * The escalation ladder of a review stage, on the office's working time. Each rung fires once a stage and round;
 * whoever walks the plan keeps the codes that have fired.
 */
import {
  addWorkingDays,
  addWorkingTime,
  type BusinessCalendar,
  openingOfDay,
  type SkippedDate,
  workingDay,
} from './calendar.ts';

export const RUNG_CODES = ['half', 'at_risk', 'breach', 'head', 'last_day'] as const;
export type RungCode = (typeof RUNG_CODES)[number];

/**
 * `warn_supervisor` reminds the assignee as well; `hand_over` records the breach and moves the task to the supervisor;
 * `tell_head` tells the head of office, the supervisor and the assignee, and so does `tell_everybody`, of the legal time.
 */
export const RUNG_ACTIONS = ['remind_assignee', 'warn_supervisor', 'hand_over', 'tell_head', 'tell_everybody'] as const;
export type RungAction = (typeof RUNG_ACTIONS)[number];

/**
 * When a rung fires: at so much of the stage's working time, so many working days after the stage was due, or at the
 * opening of the last day of the legal time (at once when the stage opens on that day).
 */
export type RungMoment =
  | { readonly percent: number }
  | { readonly workingDaysAfterDue: number }
  | { readonly onLastLegalDay: true };

export type Rung = RungMoment & { readonly code: RungCode; readonly action: RungAction };

export type PlannedRung = Rung & {
  /** Epoch milliseconds. */
  readonly at: number;
};

export interface StagePlan {
  readonly dueAt: number;
  /** In the order in which they fire. */
  readonly rungs: readonly PlannedRung[];
  /** The holidays that moved `dueAt`. */
  readonly skipped: readonly SkippedDate[];
}

export const DEFAULT_LADDER: readonly Rung[] = [
  { code: 'half', percent: 50, action: 'remind_assignee' },
  { code: 'at_risk', percent: 80, action: 'warn_supervisor' },
  { code: 'breach', percent: 100, action: 'hand_over' },
  { code: 'head', workingDaysAfterDue: 1, action: 'tell_head' },
  { code: 'last_day', onLastLegalDay: true, action: 'tell_everybody' },
];

/**
 * When each rung fires and when the stage is due.
 * @param openedAt epoch milliseconds: when the stage's clock started, or runs again after a suspension
 * @param stageWorkingMs the stage's whole budget, see `stageBudgetMs`
 * @param usedMs working time that had passed before `openedAt` (0 for a fresh stage); rungs that it had already reached
 *   are planned for `openedAt`, or the next opening
 * @param legalDueAt when the legal time of the whole case is over; null = it has none, and no rung on its last day
 * @throws RangeError for a ladder with a repeated code or a percentage that is not above 0
 */
export function planStage(
  calendar: BusinessCalendar,
  openedAt: number,
  stageWorkingMs: number,
  ladder: readonly Rung[],
  usedMs = 0,
  legalDueAt: number | null = null,
): StagePlan {
  checkLadder(ladder);
  const after = (percent: number) =>
    addWorkingTime(calendar, openedAt, Math.max(0, Math.floor((stageWorkingMs * percent) / 100) - usedMs));
  const due = after(100);
  const momentOf = (rung: Rung): number | null => {
    if ('percent' in rung) return after(rung.percent).at;
    if ('workingDaysAfterDue' in rung) return addWorkingDays(calendar, due.at, rung.workingDaysAfterDue).at;
    return legalDueAt === null ? null : Math.max(openedAt, openingOfDay(calendar, legalDueAt));
  };
  const rungs = ladder.flatMap((rung) => {
    const at = momentOf(rung);
    return at === null ? [] : [{ ...rung, at }];
  });
  return { dueAt: due.at, rungs: rungs.toSorted((a, b) => a.at - b.at), skipped: due.skipped };
}

/** Everything that the plan of an open task follows from, beside the office's calendar. */
export interface PlanOf {
  /** Epoch milliseconds: when the stage's clock started, or ran again after a suspension. */
  readonly openedAt: number;
  readonly budgetMs: number;
  /** Working time of this stage before `openedAt`. */
  readonly usedMs: number;
  readonly ladder: readonly Rung[];
  readonly legalDueAt: number | null;
}

/**
 * The plan of a task: at its opening, and whenever the calendar or the legal time changes. A rung that the stage had already
 * reached before `openedAt` is not in it: it does not fire again because the applicant corrected something.
 */
export function planTask(calendar: BusinessCalendar, task: PlanOf): StagePlan {
  const { openedAt, budgetMs, usedMs, ladder, legalDueAt } = task;
  const reached = (rung: Rung) => usedMs > 0 && 'percent' in rung && (budgetMs * rung.percent) / 100 <= usedMs;
  const ahead = ladder.filter((rung) => !reached(rung));
  return planStage(calendar, openedAt, budgetMs, ahead, usedMs, legalDueAt);
}

/** A stage's share of the legal time, in working milliseconds; rounded down, so shares never exceed the whole. */
export function stageBudgetMs(legalWorkingDays: number, sharePercent: number, calendar: BusinessCalendar): number {
  if (!(legalWorkingDays > 0))
    throw new RangeError(`legal time of ${legalWorkingDays} working days: it must be above 0`);
  if (!(sharePercent > 0 && sharePercent <= 100)) {
    throw new RangeError(`a stage's share of ${sharePercent} %: it must be above 0 and at most 100`);
  }
  return Math.floor((legalWorkingDays * workingDay(calendar) * sharePercent) / 100);
}

/** The rung that fires next, null when all have. */
export function nextRung(plan: StagePlan, firedCodes: Iterable<string>): PlannedRung | null {
  const fired = new Set(firedCodes);
  return plan.rungs.find((rung) => !fired.has(rung.code)) ?? null;
}

function checkLadder(ladder: readonly Rung[]): void {
  for (const rung of ladder) {
    if ('percent' in rung && !(rung.percent > 0 && Number.isFinite(rung.percent)))
      throw new RangeError(`rung ${rung.code} at ${rung.percent} %: it must be above 0`);
    if ('workingDaysAfterDue' in rung && !(rung.workingDaysAfterDue >= 0 && Number.isInteger(rung.workingDaysAfterDue)))
      throw new RangeError(`rung ${rung.code} after ${rung.workingDaysAfterDue} working days: they must be whole`);
  }
  const codes = ladder.map((rung) => rung.code);
  // A repeated code would never fire a second time: what has fired is remembered by code.
  if (new Set(codes).size < codes.length) throw new RangeError(`the ladder repeats a rung: ${codes.join(', ')}`);
}
