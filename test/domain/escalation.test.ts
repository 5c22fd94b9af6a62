import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addWorkingTime, type BusinessCalendar, formatInZone, workingDay } from '../../domain/calendar.ts';
import { DEFAULT_LADDER, nextRung, planStage, planTask, type Rung, stageBudgetMs } from '../../domain/escalation.ts';

const RUNS = Number(process.env.ALUR_PROPERTY_RUNS ?? 300);
const HOUR = 3_600_000;
const office: BusinessCalendar = {
  zone: 'Asia/Makassar',
  workdays: [1, 2, 3, 4, 5],
  opensAtMinute: 8 * 60,
  closesAtMinute: 16 * 60,
  closedDates: new Map([['2026-03-19', 'Nyepi']]),
};
const monday = Date.parse('2026-03-16T08:00:00+08:00');
const local = (instant: number): string => formatInZone(instant, 'Asia/Makassar');

describe('the escalation ladder of a stage', () => {
  it('reminds at half, warns at 80 %, hands over when the time is up, and tells the head a working day later', () => {
    const plan = planStage(office, monday, 20 * HOUR, DEFAULT_LADDER);
    assert.deepEqual(
      plan.rungs.map(({ code, action, at }) => [code, action, local(at)]),
      [
        ['half', 'remind_assignee', '2026-03-17T10:00:00+08:00'],
        ['at_risk', 'warn_supervisor', '2026-03-17T16:00:00+08:00'],
        ['breach', 'hand_over', '2026-03-18T12:00:00+08:00'],
        ['head', 'tell_head', '2026-03-20T12:00:00+08:00'],
      ],
    );
    assert.equal(local(plan.dueAt), '2026-03-18T12:00:00+08:00');
    assert.deepEqual(plan.skipped, []);
  });

  it('tells everybody when the last day of the legal time begins, be that before the stage is due or after', () => {
    const lastDay = (legalDueAt: string, openedAt = monday) =>
      planStage(office, openedAt, 20 * HOUR, DEFAULT_LADDER, 0, Date.parse(legalDueAt)).rungs.find(
        ({ code }) => code === 'last_day',
      )?.at;
    assert.equal(lastDay('2026-03-17T12:00:00+08:00'), Date.parse('2026-03-17T08:00:00+08:00'));
    assert.equal(lastDay('2026-03-25T08:00:00+08:00'), Date.parse('2026-03-25T08:00:00+08:00'));
    assert.equal(lastDay('2026-03-16T15:00:00+08:00', monday + HOUR), monday + HOUR, 'at once, when it is today');
    assert.equal(lastDay('2026-03-13T15:00:00+08:00'), monday, 'at once, when it is over');
  });

  it('names the holiday that moved the end', () => {
    const plan = planStage(office, monday, 32 * HOUR, DEFAULT_LADDER);
    assert.equal(local(plan.dueAt), '2026-03-20T16:00:00+08:00');
    assert.deepEqual(plan.skipped, [{ date: '2026-03-19', reason: 'Nyepi' }]);
  });

  it('is due when the budget is, whatever the ladder', () => {
    assert.equal(planStage(office, monday, 8 * HOUR, []).dueAt, monday + 8 * HOUR);
    const late: Rung[] = [{ code: 'breach', percent: 150, action: 'hand_over' }];
    const plan = planStage(office, monday, 4 * HOUR, late);
    assert.deepEqual([plan.dueAt, plan.rungs[0]?.at], [monday + 4 * HOUR, monday + 6 * HOUR]);
  });

  it('goes on after a suspension with the time that was left', () => {
    const thursday = Date.parse('2026-03-26T09:00:00+08:00');
    const plan = planStage(office, thursday, 10 * HOUR, DEFAULT_LADDER, 6 * HOUR);
    assert.deepEqual(
      plan.rungs.map(({ at }) => local(at)),
      [
        '2026-03-26T09:00:00+08:00',
        '2026-03-26T11:00:00+08:00',
        '2026-03-26T13:00:00+08:00',
        '2026-03-27T13:00:00+08:00',
      ],
    );
    assert.equal(plan.dueAt, thursday + 4 * HOUR);
  });

  it('does not tell again what the round before had told already', () => {
    const plan = (usedMs: number) =>
      planTask(office, { openedAt: monday, budgetMs: 10 * HOUR, usedMs, ladder: DEFAULT_LADDER, legalDueAt: null });
    assert.deepEqual(plan(0), planStage(office, monday, 10 * HOUR, DEFAULT_LADDER));
    assert.deepEqual(
      plan(5 * HOUR).rungs.map(({ code }) => code),
      ['at_risk', 'breach', 'head'],
      'half of it was reached exactly',
    );
    assert.deepEqual(
      plan(12 * HOUR).rungs.map(({ code, at }) => [code, local(at)]),
      [['head', '2026-03-16T16:00:00+08:00']],
    );
  });

  it('fires its rungs in order of time, however it was written down, and changes nothing that it was given', () => {
    const written = Object.freeze(DEFAULT_LADDER.toReversed());
    const plan = planStage(office, monday, 20 * HOUR, written);
    assert.deepEqual(plan, planStage(office, monday, 20 * HOUR, DEFAULT_LADDER));
  });

  it('never climbs back, and hands over when the stage is due', () => {
    const starts = fc.integer({ min: 0, max: 60 * 24 * HOUR }).map((ms) => monday + ms);
    const property = fc.property(starts, fc.integer({ min: 0, max: 200 * HOUR }), (openedAt, budget) => {
      const plan = planStage(office, openedAt, budget, DEFAULT_LADDER);
      const times = [openedAt, ...plan.rungs.map(({ at }) => at)];
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.equal(plan.rungs.find(({ code }) => code === 'breach')?.at, plan.dueAt);
      assert.equal(plan.dueAt, addWorkingTime(office, openedAt, budget).at);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('tells which rung fires next, and that none is left', () => {
    const plan = planStage(office, monday, 20 * HOUR, DEFAULT_LADDER);
    assert.equal(nextRung(plan, [])?.code, 'half');
    assert.equal(nextRung(plan, new Set(['half']))?.code, 'at_risk');
    assert.equal(nextRung(plan, ['at_risk'])?.code, 'half');
    assert.equal(nextRung(plan, ['half', 'at_risk', 'breach'])?.code, 'head');
    assert.equal(nextRung(plan, ['half', 'at_risk', 'breach', 'head']), null);
  });

  it('refuses a ladder with a rung twice or nowhere', () => {
    const rung = (percent: number): Rung => ({ code: 'half', percent, action: 'remind_assignee' });
    assert.throws(() => planStage(office, monday, HOUR, [rung(50), rung(60)]), /repeats a rung: half, half/);
    for (const percent of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => planStage(office, monday, HOUR, [rung(percent)]), /rung half at/, String(percent));
    }
    for (const workingDaysAfterDue of [-1, 0.5, Number.NaN]) {
      const head: Rung = { code: 'head', workingDaysAfterDue, action: 'tell_head' };
      assert.throws(() => planStage(office, monday, HOUR, [head]), /rung head/, String(workingDaysAfterDue));
    }
  });
});

describe("a stage's budget", () => {
  it('is its share of the legal working days', () => {
    assert.equal(stageBudgetMs(5, 20, office), 8 * HOUR);
    assert.equal(stageBudgetMs(5, 50, office), 20 * HOUR);
    assert.equal(stageBudgetMs(14, 100, office), 112 * HOUR);
    assert.equal(stageBudgetMs(1, 33.3333333, office), 9_599_999);
  });

  it('never adds up to more than the legal time', () => {
    const shares = fc.array(fc.double({ min: 0.01, max: 20, noNaN: true }), { minLength: 1, maxLength: 5 });
    const property = fc.property(fc.integer({ min: 1, max: 60 }), shares, (days, percents) => {
      const total = percents.map((percent) => stageBudgetMs(days, percent, office)).reduce((a, b) => a + b, 0);
      assert.ok(total <= days * workingDay(office), `${total}`);
      assert.ok(Number.isSafeInteger(total));
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it('refuses a share or a legal time that is none', () => {
    for (const share of [0, -5, 101, Number.NaN]) assert.throws(() => stageBudgetMs(5, share, office), /share of/);
    for (const days of [0, -1, Number.NaN]) assert.throws(() => stageBudgetMs(days, 20, office), /legal time of/);
  });
});
