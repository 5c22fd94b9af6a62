/** The reference clock of test/domain, which counts whole minutes, made exact to the millisecond. */
import type { BusinessCalendar } from '../../../domain/calendar.ts';
import type { LicensePolicy } from '../../../domain/licensing.ts';
import { slowAdd, slowOpeningOfDay, slowWorkingMs } from '../../domain/reference-clock.ts';

const MINUTE_MS = 60_000;

const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;
const isOpenIn = (calendar: BusinessCalendar, minute: number): boolean =>
  slowWorkingMs(calendar, minute, minute + MINUTE_MS) > 0;

/** Of [from, to). */
export function workingMs(calendar: BusinessCalendar, from: number, to: number): number {
  if (to <= from) return 0;
  const part = (at: number) => (isOpenIn(calendar, minuteOf(at)) ? at - minuteOf(at) : 0);
  return slowWorkingMs(calendar, minuteOf(from), minuteOf(to)) - part(from) + part(to);
}

/** When so much has passed; none at all = now, or when the office opens. */
export function afterWorking(calendar: BusinessCalendar, from: number, ms: number): number {
  const minute = minuteOf(from);
  const isOpen = isOpenIn(calendar, minute);
  const total = ms + (isOpen ? from - minute : 0);
  const rest = total % MINUTE_MS;
  // A minute in which the office is shut may have begun before this instant, but none of it counts.
  if (rest === 0) return slowAdd(calendar, minute, total).at;
  return slowAdd(calendar, minute, total - rest + MINUTE_MS).at - MINUTE_MS + rest;
}

const dayMs = (calendar: BusinessCalendar): number => (calendar.closesAtMinute - calendar.opensAtMinute) * MINUTE_MS;

export const afterWorkingDays = (calendar: BusinessCalendar, from: number, days: number): number =>
  afterWorking(calendar, from, days * dayMs(calendar));

export interface Span {
  readonly from: number;
  /** null = not yet. */
  readonly to: number | null;
}

/** The stretches of [from, to) that are in none of the spans, which do not overlap. */
export function gaps(from: number, to: number, spans: readonly Span[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let since = from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.from > since) found.push({ from: since, to: Math.min(span.from, to) });
    since = Math.max(since, span.to ?? to);
  }
  if (since < to) found.push({ from: since, to });
  return found.filter((gap) => gap.from < gap.to);
}

/** When the legal time is used up; null while it stands still. */
export function legalDue(
  calendar: BusinessCalendar,
  { completeAt, workingDays, suspensions }: { completeAt: number; workingDays: number; suspensions: readonly Span[] },
): number | null {
  if (suspensions.some(({ to }) => to === null)) return null;
  let left = workingDays * dayMs(calendar);
  const last = Math.max(completeAt, ...suspensions.map(({ to }) => to ?? completeAt));
  for (const gap of gaps(completeAt, last, suspensions)) {
    const open = workingMs(calendar, gap.from, gap.to);
    if (open >= left) return afterWorking(calendar, gap.from, left);
    left -= open;
  }
  return afterWorking(calendar, last, left);
}

export interface StageClockOf {
  readonly openedAt: number;
  readonly budgetMs: number;
  readonly usedMs: number;
}

/** When each rung of the policy's ladder comes; without those that the stage had reached before it was opened again. */
export function rungsOf(
  calendar: BusinessCalendar,
  { openedAt, budgetMs, usedMs }: StageClockOf,
  ladder: LicensePolicy['ladder'],
  legalDueAt: number | null,
): { dueAt: number; rungs: { code: string; at: number }[] } {
  const share = (percent: number) => Math.floor((budgetMs * percent) / 100);
  const after = (percent: number) => afterWorking(calendar, openedAt, Math.max(0, share(percent) - usedMs));
  const dueAt = after(100);
  const rungs = ladder.flatMap((rung) => {
    if ('percent' in rung) {
      const isReached = usedMs > 0 && (budgetMs * rung.percent) / 100 <= usedMs;
      return isReached ? [] : [{ code: rung.code, at: after(rung.percent) }];
    }
    if ('workingDaysAfterDue' in rung)
      return [{ code: rung.code, at: afterWorkingDays(calendar, dueAt, rung.workingDaysAfterDue) }];
    if (legalDueAt === null) return [];
    return [{ code: rung.code, at: Math.max(openedAt, slowOpeningOfDay(calendar, legalDueAt)) }];
  });
  return { dueAt, rungs };
}

export const stageBudgetMs = (calendar: BusinessCalendar, workingDays: number, sharePercent: number): number =>
  Math.floor((workingDays * dayMs(calendar) * sharePercent) / 100);
