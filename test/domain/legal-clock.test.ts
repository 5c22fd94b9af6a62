import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type BusinessCalendar, formatInZone, holidaysBetween, workingHoursBetween } from '../../domain/calendar.ts';
import { legalBudgetMs, legalClock, type Suspension } from '../../domain/legal-clock.ts';
import { clockCase, compare } from './clock-cases.ts';

const RUNS = Number(process.env['ALUR_PROPERTY_RUNS'] ?? 1000);
const HOUR = 3_600_000;

const office: BusinessCalendar = {
  zone: 'Asia/Jakarta',
  workdays: [1, 2, 3, 4, 5],
  opensAtMinute: 480,
  closesAtMinute: 960,
  closedDates: new Map([
    ['2026-03-18', 'Cuti bersama Nyepi'],
    ['2026-03-19', 'Nyepi'],
    ['2026-03-21', 'Idul Fitri, a Saturday'],
  ]),
};
const at = (local: string): number => Date.parse(`${local}:00+07:00`);
const MONDAY = at('2026-03-09T10:00');
const clock = (suspensions: readonly Suspension[], now: string) =>
  legalClock(office, { completeAt: MONDAY, budgetMs: legalBudgetMs(office, 5), suspensions }, at(now));
const due = (suspensions: readonly Suspension[]): string | null => {
  const { dueAt } = clock(suspensions, '2026-03-09T10:00');
  return dueAt === null ? null : formatInZone(dueAt, office.zone).slice(0, 16);
};

describe('the legal clock', () => {
  it('gives a case five working days from the moment it is complete', () => {
    assert.equal(due([]), '2026-03-16T10:00');
  });

  it('stands still while the applicant has the case, and goes on with what was left', () => {
    const correction = { from: at('2026-03-10T12:00'), to: at('2026-03-12T12:00') };
    assert.equal(due([correction]), '2026-03-20T10:00', 'two days later, and Wednesday and Thursday are holidays');
    const { officeMs, applicantMs, applicantCalendarMs, leftMs } = clock([correction], '2026-03-13T10:00');
    assert.deepEqual([officeMs, applicantMs, leftMs], [16 * HOUR, 16 * HOUR, 24 * HOUR]);
    assert.equal(applicantCalendarMs, 48 * HOUR, 'the applicant lives by the wall clock');
  });

  it('never starts again from zero, however often the case goes back', () => {
    const twice = [
      { from: at('2026-03-10T12:00'), to: at('2026-03-11T12:00') },
      { from: at('2026-03-12T09:00'), to: at('2026-03-13T09:00') },
    ];
    assert.equal(clock(twice, '2026-03-13T11:00').officeMs, 8 * HOUR + 2 * HOUR + 5 * HOUR + 2 * HOUR);
  });

  it('has no due date while it stands still, unless its time was used up before', () => {
    assert.equal(due([{ from: at('2026-03-10T12:00'), to: null }]), null);
    assert.equal(due([{ from: at('2026-03-16T10:00'), to: null }]), '2026-03-16T10:00');
    assert.equal(clock([{ from: at('2026-03-10T12:00'), to: null }], '2026-03-10T12:00').suspended, true);
  });

  it('names the holidays that moved the due date, and not those that the applicant had', () => {
    const over = { from: at('2026-03-17T12:00'), to: at('2026-03-20T12:00') };
    const before = { from: at('2026-03-10T12:00'), to: at('2026-03-11T12:00') };
    assert.deepEqual(clock([before, over], '2026-03-23T10:00').skipped, [], 'the applicant had both holidays');
    assert.deepEqual(
      clock([before, { from: at('2026-03-12T12:00'), to: at('2026-03-13T12:00') }], '2026-03-23T10:00').skipped,
      [
        { date: '2026-03-18', reason: 'Cuti bersama Nyepi' },
        { date: '2026-03-19', reason: 'Nyepi' },
      ],
    );
  });

  it('counts what the office used beyond its time as well', () => {
    const late = clock([], '2026-03-17T10:00');
    assert.deepEqual([late.officeMs, late.leftMs], [48 * HOUR, 0]);
  });

  it('refuses a suspension that ends before it begins', () => {
    assert.throws(() => due([{ from: MONDAY + HOUR, to: MONDAY }]), /ends before it begins/);
  });

  it('tells the hours of each day that make up the time, and the holidays between them', () => {
    const days = workingHoursBetween(office, at('2026-03-17T15:00'), at('2026-03-20T09:30'));
    assert.deepEqual(
      days.map(({ date, from, to }) => [date, (to - from) / HOUR]),
      [
        ['2026-03-17', 1],
        ['2026-03-20', 1.5],
      ],
    );
    const between = holidaysBetween(office, at('2026-03-17T15:00'), at('2026-03-23T09:30'));
    assert.deepEqual(
      between.map(({ date }) => date),
      ['2026-03-18', '2026-03-19'],
    );
  });

  it(`agrees with counting minute by minute, ${RUNS} random offices and cases`, function () {
    this.timeout(60_000);
    fc.assert(fc.property(clockCase, compare), { numRuns: RUNS });
  });
});
