import assert from 'node:assert/strict';
import { isWorkingDate } from '../../domain/calendar.ts';
import { closuresOf, playedYear } from './year.ts';

const DAY_MS = 86_400_000;

describe('the calendar of a simulated year', () => {
  it('has the national holidays of 2026 and its joint leave', () => {
    const closures = closuresOf(2026);
    const on = (date: string) => closures.filter((closure) => closure.date === date).map(({ kind }) => kind);
    assert.deepEqual(on('2026-08-17'), ['national']);
    assert.deepEqual(on('2026-03-18'), ['joint_leave']);
    assert.equal(closures.filter(({ kind }) => kind === 'joint_leave').length, 8);
  });

  it('moves a year that has begun by whole weeks into the future, with every holiday', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    const { begins, movedMs, calendar } = playedYear(2026, now);
    assert.ok(begins > now);
    assert.equal(movedMs % (364 * DAY_MS), 0);
    assert.equal(movedMs % (7 * DAY_MS), 0);
    const moved = (date: string) => new Date(Date.parse(`${date}T00:00:00Z`) + movedMs).toISOString().slice(0, 10);
    assert.equal(isWorkingDate(calendar, moved('2026-08-17')), false, 'a Monday, independence day');
    assert.equal(isWorkingDate(calendar, moved('2026-08-18')), true);
    assert.equal(isWorkingDate(calendar, moved('2026-08-22')), false, 'a Saturday');
  });

  it('leaves a year that has not begun where it is', () => {
    assert.equal(playedYear(2027, Date.parse('2026-11-21T12:00:00Z')).movedMs, 0);
  });
});
