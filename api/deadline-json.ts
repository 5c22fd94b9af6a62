/** Why a case is due then: the answer that an officer can check by hand. */
import type { z } from 'zod';
import type { CaseDeadlines, NamedSuspension, StageClock } from '../db/deadlines.ts';
import type { VersionedCalendar } from '../db/offices.ts';
import type { StoredRung } from '../db/tasks.ts';
import { type BusinessCalendar, formatInZone, workingHoursBetween, workingMsBetween } from '../domain/calendar.ts';
import type { UserId } from '../domain/ids.ts';
import { type LegalClock, legalBudgetMs, legalClock } from '../domain/legal-clock.ts';
import { type deadlineSchema, EXPLAINED_DAYS } from './schemas/deadlines.ts';
import { timeOrNull } from './wire.ts';

export interface Viewer {
  readonly userId: UserId;
  /** The applicant's own case: names of staff are not for them. */
  readonly own: boolean;
}

type Deadline = z.input<typeof deadlineSchema>;

export function deadlineParts(
  found: CaseDeadlines,
  { calendar, version }: VersionedCalendar,
  viewer: Viewer,
  now: Date,
): Pick<Deadline, 'clock' | 'legal' | 'calendarVersion' | 'explanation'> {
  // What has not begun yet is nothing: the record is written by a clock that may be a moment ahead of this one.
  const until = Math.min(now.getTime(), found.endedAt?.getTime() ?? Number.POSITIVE_INFINITY);
  const { completeAt, legalWorkingDays, suspensions } = found;
  const entries =
    completeAt && legalWorkingDays !== null
      ? { completeAt: completeAt.getTime(), budgetMs: legalBudgetMs(calendar, legalWorkingDays), suspensions }
      : null;
  const legal = entries && legalClock(calendar, entries, Math.max(until, entries.completeAt));
  return {
    clock: found.task && stageJson(found.task, found.suspensions, calendar, now.getTime()),
    legal: legal && entries && legalJson(found, legal, entries.budgetMs, calendar, viewer),
    calendarVersion: version,
    explanation: legal && entries ? explained(calendar, entries.completeAt, legal, until) : [],
  };
}

function legalJson(
  { completeAt, endedAt, legalWorkingDays }: CaseDeadlines,
  legal: LegalClock<NamedSuspension>,
  budgetMs: number,
  { zone }: BusinessCalendar,
  viewer: Viewer,
): Deadline['legal'] {
  const at = (instant: number) => formatInZone(instant, zone);
  const { dueAt, suspensions, skipped, ...counted } = legal;
  return {
    startedAt: timeOrNull(completeAt, zone) ?? '',
    dueAt: dueAt === null ? null : at(dueAt),
    endedAt: timeOrNull(endedAt, zone),
    workingDays: legalWorkingDays ?? 0,
    budgetMs,
    ...counted,
    suspensions: suspensions.map(({ by, byName, from, to, ...each }) => ({
      ...each,
      ...(by && byName && (!viewer.own || by === viewer.userId) ? { by: { id: by, name: byName } } : {}),
      from: at(from),
      to: to === null ? null : at(to),
    })),
    holidays: [...skipped],
  };
}

/** Rungs carry the times that were planned; what has fired is in the ledger of escalations. */
function stageJson(
  task: StageClock,
  suspensions: readonly NamedSuspension[],
  calendar: BusinessCalendar,
  now: number,
): NonNullable<Deadline['clock']> {
  const firedAt = new Map(task.fired.map(({ code, at }) => [code, new Date(at)]));
  const openedAt = task.openedAt.getTime();
  // While the applicant has the case, the stage's clock stands still as well.
  const standsSince = suspensions.find(({ to }) => to === null)?.from ?? now;
  const running = workingMsBetween(calendar, openedAt, Math.max(openedAt, Math.min(now, standsSince)));
  const next = task.plan.rungs.find(({ code }) => !firedAt.has(code));
  return {
    stage: task.stage,
    round: task.round,
    runningSince: formatInZone(openedAt, calendar.zone),
    budgetMs: Number(task.budgetMs),
    usedMs: Number(task.usedMs) + running,
    holidays: task.plan.skipped.map((date) => ({ ...date })),
    rungs: task.plan.rungs.map((rung) => ({
      ...rungJson(rung),
      firedAt: timeOrNull(firedAt.get(rung.code) ?? null, calendar.zone),
    })),
    next: next ? rungJson(next) : null,
    calendarVersion: task.calendarVersion,
  };
}

const rungJson = (rung: StoredRung) => ({
  code: rung.code,
  action: rung.action,
  at: rung.at,
  ...('percent' in rung ? { percent: rung.percent } : {}),
  ...('workingDaysAfterDue' in rung ? { workingDaysAfterDue: rung.workingDaysAfterDue } : {}),
  ...('onLastLegalDay' in rung ? { onLastLegalDay: rung.onLastLegalDay } : {}),
});

/** The stretches in which the clock runs, to its end; each as the office hours of its days. */
function explained(
  calendar: BusinessCalendar,
  completeAt: number,
  legal: LegalClock<NamedSuspension>,
  until: number,
): Deadline['explanation'] {
  const end = legal.dueAt ?? until;
  const stretches: { from: number; to: number }[] = [];
  let since = completeAt;
  for (const { from, to } of legal.suspensions) {
    stretches.push({ from: since, to: Math.min(from, end) });
    since = to === null ? end : Math.max(since, to);
  }
  stretches.push({ from: since, to: end });
  return stretches
    .flatMap(({ from, to }) => workingHoursBetween(calendar, from, to))
    .slice(0, EXPLAINED_DAYS)
    .map(({ date, from, to }) => ({
      date,
      from: formatInZone(from, calendar.zone),
      to: formatInZone(to, calendar.zone),
      workingMs: to - from,
    }));
}
