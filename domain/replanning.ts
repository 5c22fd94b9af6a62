/**
 * What another calendar does to a case under review: the same whether somebody only asks (the preview) or it is written
 * down. Pure: everything that it follows from is in the case.
 */
import { addWorkingDays, type BusinessCalendar, workingDay } from './calendar.ts';
import { type PlannedRung, planTask, type RungCode, type StagePlan } from './escalation.ts';
import type { ApplicationId, TaskId } from './ids.ts';
import { legalBudgetMs, legalClock, type Suspension } from './legal-clock.ts';
import { type ApplicationState, isStage, type Stage } from './licensing.ts';

/** States in which a case has deadlines of the office's calendar, or may get one in a moment. */
export const STATES_WITH_DEADLINES = [
  'submitted',
  'completeness',
  'auto_check',
  'document_verification',
  'compliance_check',
  'approval',
  'correction_requested',
  'intent_to_reject',
] as const satisfies readonly ApplicationState[];

export interface OpenTask {
  readonly id: TaskId;
  readonly stage: Stage;
  readonly round: number;
  readonly openedAt: number;
  readonly budgetMs: number;
  readonly usedMs: number;
  /** A working day of the calendar that it was planned by, in milliseconds. */
  readonly dayMs: number;
  readonly plan: StagePlan;
  readonly fired: ReadonlySet<RungCode>;
}

/** Times are epoch milliseconds. */
export interface OpenCase {
  readonly id: ApplicationId;
  readonly state: ApplicationState;
  readonly dueAt: number | null;
  readonly legalDueAt: number | null;
  /** null = the legal clock has not started, or is not known of a case of before. */
  readonly completeAt: number | null;
  readonly legalWorkingDays: number | null;
  readonly suspensions: readonly Suspension[];
  /** One a seat. */
  readonly tasks: readonly OpenTask[];
  /** While the applicant has it: since when, and how many working days they have. */
  readonly answer: { readonly askedAt: number; readonly withinWorkingDays: number } | null;
}

export interface ReplannedTask {
  readonly id: TaskId;
  readonly plan: StagePlan;
  readonly budgetMs: number;
  readonly usedMs: number;
}

export interface ReplannedCase {
  readonly dueAt: number | null;
  readonly legalDueAt: number | null;
  readonly legalBudgetMs: number | null;
  readonly tasks: readonly ReplannedTask[];
  /** Whether anything of it comes at another time: the due date, the legal one, a rung that has not fired. */
  readonly moved: boolean;
  /**
   * Whether any of these comes earlier than it was planned. Only then its process, which sleeps until then, must be told: of
   * what comes later it reads in the record when it wakes.
   */
  readonly isEarlier: boolean;
}

/** @throws RangeError for a calendar in which a deadline cannot be reached */
export function replanCase(calendar: BusinessCalendar, found: OpenCase): ReplannedCase {
  const legal = legalOf(calendar, found);
  // A stage's clock that stands still is planned again when it runs again.
  const standsStill = found.suspensions.some(({ to }) => to === null);
  const tasks = standsStill
    ? []
    : found.tasks.map((task) => ({ task, again: replanTask(calendar, task, legal.dueAt) }));
  const dueAt = dueOf(
    calendar,
    found,
    tasks.map(({ again }) => again),
  );
  return {
    dueAt,
    legalDueAt: legal.dueAt,
    legalBudgetMs: legal.budgetMs,
    tasks: tasks.map(({ again }) => again),
    moved:
      dueAt !== found.dueAt ||
      legal.dueAt !== found.legalDueAt ||
      tasks.some(({ task, again }) => timesOf(again.plan) !== timesOf(task.plan)),
    isEarlier:
      comesEarlier(found.dueAt, dueAt) ||
      comesEarlier(found.legalDueAt, legal.dueAt) ||
      tasks.some(({ task, again }) => again.plan.rungs.some(({ code, at }) => comesEarlier(plannedAt(task, code), at))),
  };
}

/** null = never. */
const comesEarlier = (planned: number | null, now: number | null): boolean =>
  now !== null && (planned === null || now < planned);

// Each by itself, not the next one only: which has fired may change at this very moment.
const plannedAt = ({ plan }: OpenTask, rung: RungCode): number | null =>
  plan.rungs.find(({ code }) => code === rung)?.at ?? null;

function legalOf(calendar: BusinessCalendar, { completeAt, legalWorkingDays, suspensions, legalDueAt }: OpenCase) {
  if (completeAt === null || legalWorkingDays === null) return { dueAt: legalDueAt, budgetMs: null };
  const budgetMs = legalBudgetMs(calendar, legalWorkingDays);
  // While it stands still no legal time runs, not even one that was over before.
  if (suspensions.some(({ to }) => to === null)) return { dueAt: null, budgetMs };
  return { dueAt: legalClock(calendar, { completeAt, budgetMs, suspensions }, completeAt).dueAt, budgetMs };
}

/**
 * What has fired stays as it fired. The ladder is the task's own: what its plan had, and so what its policy said. Where the
 * office's day has become longer or shorter, budget and used time follow: days stay days.
 */
function replanTask(calendar: BusinessCalendar, task: OpenTask, legalDueAt: number | null): ReplannedTask {
  const { id, openedAt, plan, fired } = task;
  const scale = workingDay(calendar) / task.dayMs;
  const budgetMs = Math.round(task.budgetMs * scale);
  const usedMs = Math.round(task.usedMs * scale);
  const ladder = plan.rungs.filter(({ code }) => !fired.has(code));
  const again = planTask(calendar, { openedAt, budgetMs, usedMs, ladder, legalDueAt });
  const rungs = [...plan.rungs.filter(({ code }) => fired.has(code)), ...again.rungs];
  return { id, budgetMs, usedMs, plan: { ...again, rungs: rungs.toSorted((a, b) => a.at - b.at) } };
}

function dueOf(calendar: BusinessCalendar, found: OpenCase, tasks: readonly ReplannedTask[]): number | null {
  const { state, answer, dueAt } = found;
  if (answer && (state === 'correction_requested' || state === 'intent_to_reject'))
    return addWorkingDays(calendar, answer.askedAt, answer.withinWorkingDays).at;
  if (!isStage(state) || tasks.length === 0) return dueAt;
  return Math.min(...tasks.map(({ plan }) => plan.dueAt));
}

const timesOf = ({ dueAt, rungs }: StagePlan): string =>
  JSON.stringify([dueAt, rungs.map(({ code, at }: PlannedRung) => [code, at])]);
