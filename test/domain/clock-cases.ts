/** Random offices and cases for the clock, and what the fast way must have in common with the slow one. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addWorkingTime, type BusinessCalendar, OFFICE_ZONES, workingMsBetween } from '../../domain/calendar.ts';
import { DEFAULT_LADDER, planStage } from '../../domain/escalation.ts';
import { legalClock } from '../../domain/legal-clock.ts';
import { slowAdd, slowLegalClock, slowPlan, slowWorkingMs } from './reference-clock.ts';

const MINUTE = 60_000;
const DAY = 1440;
/** Around new years, a leap day, and nothing in particular; whole minutes. */
const EPOCHS = ['2026-12-28', '2028-02-25', '2026-03-10', '1999-12-29'].map((date) => Date.parse(`${date}T00:00:00Z`));

const dateAfter = (epoch: number, days: number) => new Date(epoch + days * 86_400_000).toISOString().slice(0, 10);

/** Minutes since the epoch of the case: mostly anywhere, often around midnight of one of the zones. */
const minutes = (most: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: most }),
    fc
      .tuple(fc.integer({ min: 0, max: Math.floor(most / DAY) }), fc.integer({ min: 14 * 60 - 2, max: 17 * 60 + 2 }))
      .map(([day, minute]) => Math.min(most, day * DAY + minute)),
  );

const hours = fc
  .tuple(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 1, max: 1440 }))
  .map(([a, b]) => ({ opensAtMinute: Math.min(a, b - 1), closesAtMinute: Math.max(a + 1, b) }));

const office = fc.record({
  epoch: fc.constantFrom(...EPOCHS),
  zone: fc.constantFrom(...OFFICE_ZONES),
  workdays: fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
  hours: fc.oneof(fc.constant({ opensAtMinute: 480, closesAtMinute: 960 }), hours),
  closures: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 5 }),
});

type Office = typeof office extends fc.Arbitrary<infer T> ? T : never;

const calendarOf = ({ epoch, zone, workdays, hours: open, closures }: Office): BusinessCalendar => ({
  zone,
  workdays,
  ...open,
  closedDates: new Map(closures.map((day) => [dateAfter(epoch, day), `closed ${day}`])),
});

/** A day's share, so that random budgets of random offices stay near. */
const share = (calendar: BusinessCalendar, ofADay: number): number =>
  Math.round(((calendar.closesAtMinute - calendar.opensAtMinute) * ofADay) / 100) * MINUTE;

export const clockCase = fc.record({
  office,
  from: minutes(4 * DAY),
  length: minutes(5 * DAY),
  budget: fc.integer({ min: 0, max: 300 }),
  used: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
  /** How long the office had it, how long the applicant, and so on; minutes. */
  turns: fc.array(fc.tuple(minutes(2 * DAY), minutes(2 * DAY)), { maxLength: 3 }),
  endless: fc.boolean(),
});
export type ClockCase = typeof clockCase extends fc.Arbitrary<infer T> ? T : never;

function ledgerOf({ turns, endless }: ClockCase, from: number) {
  let at = from;
  return turns.map(([office, applicant], index) => {
    const since = at + office * MINUTE;
    at = since + applicant * MINUTE;
    return { from: since, to: endless && index === turns.length - 1 ? null : at };
  });
}

/** @throws AssertionError where the fast way and the slow one differ */
export function compare(one: ClockCase): void {
  const calendar = calendarOf(one.office);
  const from = one.office.epoch + one.from * MINUTE;
  const to = from + one.length * MINUTE;
  const budgetMs = share(calendar, one.budget);
  const usedMs = share(calendar, one.used);

  assert.equal(workingMsBetween(calendar, from, to), slowWorkingMs(calendar, from, to), 'working time between');
  const due = addWorkingTime(calendar, from, budgetMs);
  const slow = slowAdd(calendar, from, budgetMs);
  assert.deepEqual({ at: due.at, holidays: due.skipped.map(({ date }) => date) }, slow, 'working time added');

  // A legal time is more than nothing.
  compareClocks(one, calendar, from, to, Math.max(MINUTE, budgetMs));
  comparePlans(calendar, { openedAt: from, budgetMs, usedMs }, one.endless ? null : to);
}

function compareClocks(one: ClockCase, calendar: BusinessCalendar, from: number, now: number, budgetMs: number): void {
  const entries = { completeAt: from, budgetMs, suspensions: ledgerOf(one, from) };
  const { officeMs, applicantMs, applicantCalendarMs, dueAt, skipped, leftMs, suspensions } = legalClock(
    calendar,
    entries,
    now,
  );
  const slow = slowLegalClock(calendar, entries, now);
  assert.equal(officeMs, slow.officeMs, 'used by the office');
  assert.equal(applicantMs, slow.applicantMs, 'used by the applicant');
  assert.equal(applicantCalendarMs, slow.applicantCalendarMs, 'used by the applicant, by the wall clock');
  assert.equal(dueAt, slow.dueAt, 'due');
  if (slow.holidays)
    assert.deepEqual(
      skipped.map(({ date }) => date),
      slow.holidays,
      'holidays that moved it',
    );
  assert.equal(leftMs, Math.max(0, budgetMs - officeMs));
  assert.equal(officeMs + applicantMs, slowWorkingMs(calendar, from, now), 'nothing is lost, nothing counted twice');
  assert.equal(
    suspensions.reduce((sum, { workingMs }) => sum + workingMs, 0),
    applicantMs,
  );
}

function comparePlans(
  calendar: BusinessCalendar,
  stage: { openedAt: number; budgetMs: number; usedMs: number },
  legalDueAt: number | null,
): void {
  // Whole minutes, as the slow way counts: half a budget of an odd number of minutes is none.
  const even = { ...stage, budgetMs: Math.floor(stage.budgetMs / (10 * MINUTE)) * 10 * MINUTE };
  const plan = planStage(calendar, even.openedAt, even.budgetMs, DEFAULT_LADDER, even.usedMs, legalDueAt);
  const slow = slowPlan(calendar, even, legalDueAt);
  assert.equal(plan.dueAt, slow.dueAt, 'the stage is due');
  const at = new Map(plan.rungs.map((rung) => [rung.code, rung.at]));
  for (const code of ['half', 'at_risk', 'breach', 'head', 'last_day'] as const)
    assert.equal(at.get(code) ?? null, slow.at[code], `rung ${code}`);
  assert.deepEqual(
    plan.rungs.map((rung) => rung.at),
    [...at.values()].toSorted((a, b) => a - b),
    'in order',
  );
}
