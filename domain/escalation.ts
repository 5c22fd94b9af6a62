/**
 * The escalation ladder of a review stage, on the office's working time. Each rung fires once a stage and round;
 * whoever walks the plan keeps the codes that have fired.
 */
import { addWorkingTime, type BusinessCalendar, type SkippedDate, workingDay } from './calendar.ts';

export const RUNG_CODES = ['half', 'at_risk', 'breach'] as const;
export type RungCode = (typeof RUNG_CODES)[number];

/** `warn_supervisor` reminds the assignee as well; `hand_over` records the breach and moves the task to the supervisor. */
export const RUNG_ACTIONS = ['remind_assignee', 'warn_supervisor', 'hand_over'] as const;
export type RungAction = (typeof RUNG_ACTIONS)[number];

export interface Rung {
  readonly code: RungCode;
  /** Of the stage's working time; more than 100 is after the breach. */
  readonly percent: number;
  readonly action: RungAction;
}

export interface PlannedRung extends Rung {
  /** Epoch milliseconds. */
  readonly at: number;
}

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
];

/**
 * When each rung fires and when the stage is due.
 * @param openedAt epoch milliseconds: when the stage's clock started, or runs again after a suspension
 * @param stageWorkingMs the stage's whole budget, see `stageBudgetMs`
 * @param usedMs working time that had passed before `openedAt` (0 for a fresh stage); rungs that it had already reached
 *   are planned for `openedAt`, or the next opening
 * @throws RangeError for a ladder with a repeated code or a percentage that is not above 0
 */
export function planStage(
  calendar: BusinessCalendar,
  openedAt: number,
  stageWorkingMs: number,
  ladder: readonly Rung[],
  usedMs = 0,
): StagePlan {
  checkLadder(ladder);
  const after = (percent: number) =>
    addWorkingTime(calendar, openedAt, Math.max(0, Math.floor((stageWorkingMs * percent) / 100) - usedMs));
  const due = after(100);
  const rungs = ladder
    .toSorted((a, b) => a.percent - b.percent)
    .map((rung) => ({ ...rung, at: after(rung.percent).at }));
  return { dueAt: due.at, rungs, skipped: due.skipped };
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
  for (const { code, percent } of ladder) {
    if (!(percent > 0 && Number.isFinite(percent)))
      throw new RangeError(`rung ${code} at ${percent} %: it must be above 0`);
  }
  const codes = ladder.map((rung) => rung.code);
  // A repeated code would never fire a second time: what has fired is remembered by code.
  if (new Set(codes).size < codes.length) throw new RangeError(`the ladder repeats a rung: ${codes.join(', ')}`);
}
