/** Pure arithmetic, on one core: what an office of any size asks of it in a day is less than it does in a second. */
import { addWorkingDays, type BusinessCalendar } from '../../domain/calendar.ts';
import { businessCalendar } from '../../domain/calendars.ts';
import { DEFAULT_LADDER, planTask, stageBudgetMs } from '../../domain/escalation.ts';
import { legalBudgetMs, legalClock } from '../../domain/legal-clock.ts';
import { type Absolute, absoluteOf } from './figures.ts';

const ROUNDS = 5;
const CASES = 50_000;
const HOUR = 3_600_000;
const LEGAL_DAYS = 5;
const FROM = Date.parse('2026-03-02T01:00:00Z');

/** With the closures of 2026, some of them on the way of every second case. */
const CALENDAR: BusinessCalendar = businessCalendar({
  zone: 'Asia/Jakarta',
  workdays: [1, 2, 3, 4, 5],
  opensAt: '08:00',
  closesAt: '16:00',
  nationalHolidays: true,
  jointLeave: true,
  closures: [
    '01-01',
    '01-16',
    '02-16',
    '02-17',
    '03-18',
    '03-19',
    '03-20',
    '03-23',
    '03-24',
    '04-03',
    '05-01',
    '05-14',
    '12-25',
  ].map((date) => ({ date: `2026-${date}`, kind: 'national', name: 'Hari libur' })),
});

export function measureDeadlines(): Absolute[] {
  return [
    absoluteOf('Deadlines computed', '/s', { atLeast: 50_000 }, rates(deadline)),
    absoluteOf('– whole cases: legal clock with a correction, stage and ladder', '/s', null, rates(wholeCase)),
  ];
}

function rates(compute: (n: number) => number): number[] {
  let sum = 0;
  for (let n = 0; n < CASES / 10; n += 1) sum += compute(n);
  const measured = Array.from({ length: ROUNDS }, () => {
    const startedAt = performance.now();
    for (let n = 0; n < CASES; n += 1) sum += compute(n);
    return CASES / ((performance.now() - startedAt) / 1000);
  });
  // Looked at, so that nobody optimises away what is measured.
  if (!Number.isFinite(sum)) throw new Error('a deadline is no number');
  return measured;
}

const startOf = (n: number): number => FROM + (n % 700) * HOUR;

const deadline = (n: number): number => addWorkingDays(CALENDAR, startOf(n), LEGAL_DAYS).at;

function wholeCase(n: number): number {
  const completeAt = startOf(n);
  const suspensions = [{ from: completeAt + 5 * HOUR, to: completeAt + 30 * HOUR }];
  const entries = { completeAt, budgetMs: legalBudgetMs(CALENDAR, LEGAL_DAYS), suspensions };
  const { dueAt } = legalClock(CALENDAR, entries, completeAt + 40 * HOUR);
  const plan = planTask(CALENDAR, {
    openedAt: completeAt + 30 * HOUR,
    budgetMs: stageBudgetMs(LEGAL_DAYS, 50, CALENDAR),
    usedMs: 0,
    ladder: DEFAULT_LADDER,
    legalDueAt: dueAt,
  });
  return plan.dueAt;
}
