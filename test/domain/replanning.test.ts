import assert from 'node:assert/strict';
import {
  addWorkingDays,
  addWorkingTime,
  type BusinessCalendar,
  formatInZone,
  workingDay,
} from '../../domain/calendar.ts';
import { DEFAULT_LADDER, planTask, type RungCode, stageBudgetMs } from '../../domain/escalation.ts';
import { type ApplicationId, asId, type TaskId } from '../../domain/ids.ts';
import { legalBudgetMs, legalClock, type Suspension } from '../../domain/legal-clock.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import { type OpenCase, type ReplannedCase, replanCase } from '../../domain/replanning.ts';

const at = (local: string): number => Date.parse(`${local}:00+07:00`);
const OPENED = at('2026-03-02T10:00');
const DAYS = 10;

const office = (changes: Partial<BusinessCalendar> = {}, ...closures: string[]): BusinessCalendar => ({
  zone: 'Asia/Jakarta',
  workdays: [1, 2, 3, 4, 5],
  opensAtMinute: 480,
  closesAtMinute: 960,
  closedDates: new Map(closures.map((date) => [date, `Libur ${date}`])),
  ...changes,
});
const BEFORE = office();

/** A case at its first stage, as it is planned by the calendar of before. */
function aCase(given: { fired?: RungCode[]; usedMs?: number; suspensions?: Suspension[] } = {}): OpenCase {
  const { fired = [], usedMs = 0, suspensions = [] } = given;
  const legalDueAt = legalClock(
    BEFORE,
    { completeAt: OPENED, budgetMs: legalBudgetMs(BEFORE, DAYS), suspensions },
    OPENED,
  ).dueAt;
  const budgetMs = stageBudgetMs(DAYS, 20, BEFORE);
  const plan = planTask(BEFORE, { openedAt: OPENED, budgetMs, usedMs, ladder: DEFAULT_LADDER, legalDueAt });
  return {
    id: asId<ApplicationId>('case'),
    state: 'document_verification',
    dueAt: plan.dueAt,
    legalDueAt,
    completeAt: OPENED,
    legalWorkingDays: DAYS,
    suspensions,
    answer: null,
    tasks: [
      {
        id: asId<TaskId>('task'),
        stage: 'document_verification',
        round: 1,
        openedAt: OPENED,
        budgetMs,
        usedMs,
        dayMs: workingDay(BEFORE),
        plan,
        fired: new Set(fired),
      },
    ],
  };
}

const inWords = (instant: number | null): string | null =>
  instant === null ? null : formatInZone(instant, 'Asia/Jakarta').slice(5, 16);
const rungsOf = ({ tasks }: Pick<ReplannedCase, 'tasks'>): string[] =>
  tasks.flatMap(({ plan }) => plan.rungs.map((rung) => `${rung.code} ${inWords(rung.at)}`));

describe('another calendar for a case', () => {
  it('has it told where anything comes earlier, be it one rung of many, and only there', () => {
    const earlier = (calendar: BusinessCalendar, found = aCase()) => replanCase(calendar, found).isEarlier;
    assert.equal(earlier(BEFORE), false);
    assert.equal(earlier(office({}, '2026-03-03')), false, 'all of it later');
    assert.equal(earlier(office({ opensAtMinute: 420 })), true, 'a longer day: the hour of opening');
    const swapped = office({ workdays: [1, 2, 3, 4, 5, 6] }, '2026-03-03');
    const { dueAt, isEarlier } = replanCase(swapped, aCase());
    assert.deepEqual(
      [inWords(dueAt), isEarlier],
      ['03-05T10:00', true],
      'the stage ends later, and the last legal day is nearer',
    );
    const [task] = aCase().tasks;
    assert.ok(task);
    const late = { ...task.plan, rungs: task.plan.rungs.map((rung) => ({ ...rung, at: rung.at + 1 })) };
    assert.equal(earlier(BEFORE, { ...aCase(), tasks: [{ ...task, plan: late }] }), true, 'a rung');
    const fired = new Set(task.plan.rungs.map(({ code }) => code));
    assert.equal(earlier(BEFORE, { ...aCase(), tasks: [{ ...task, plan: late, fired }] }), false, 'it has fired');
    assert.equal(earlier(BEFORE, { ...aCase(), legalDueAt: null }), true, 'the legal time, which was not known');
    const asked = { askedAt: OPENED, withinWorkingDays: 5 };
    const corrects = { ...aCase(), state: 'correction_requested', answer: asked, tasks: [] } as const;
    const answerBy = addWorkingDays(BEFORE, OPENED, 5).at;
    assert.equal(earlier(office({}, '2026-03-03'), { ...corrects, dueAt: answerBy }), false);
    assert.equal(earlier(BEFORE, { ...corrects, dueAt: answerBy + 1 }), true);
  });

  it('that changes nothing of it moves nothing, and gives the very plan of its opening', () => {
    for (const calendar of [BEFORE, office({}, '2026-12-24')]) {
      const found = aCase();
      const again = replanCase(calendar, found);
      assert.equal(again.moved, false);
      assert.deepEqual(again.tasks[0]?.plan, found.tasks[0]?.plan);
      assert.deepEqual([again.dueAt, again.legalDueAt], [found.dueAt, found.legalDueAt]);
    }
  });

  it('with a holiday more moves what comes after it, and names it', () => {
    const again = replanCase(office({}, '2026-03-03'), aCase());
    assert.equal(again.moved, true);
    assert.equal(inWords(again.dueAt), '03-05T10:00');
    assert.equal(inWords(again.legalDueAt), '03-17T10:00');
    assert.deepEqual(rungsOf(again), [
      'half 03-04T10:00',
      'at_risk 03-04T14:48',
      'breach 03-05T10:00',
      'head 03-06T10:00',
      'last_day 03-17T08:00',
    ]);
    assert.deepEqual(again.tasks[0]?.plan.skipped, [{ date: '2026-03-03', reason: 'Libur 2026-03-03' }]);
  });

  it('leaves alone what has fired', () => {
    const again = replanCase(office({}, '2026-03-03'), aCase({ fired: ['half', 'at_risk'] }));
    assert.deepEqual(rungsOf(again), [
      'half 03-03T10:00',
      'at_risk 03-03T14:48',
      'breach 03-05T10:00',
      'head 03-06T10:00',
      'last_day 03-17T08:00',
    ]);
  });

  it('moves a legal due date alone where the stage is over before the holiday', () => {
    const again = replanCase(office({}, '2026-03-10'), aCase());
    assert.equal(inWords(again.dueAt), '03-04T10:00');
    assert.equal(inWords(again.legalDueAt), '03-17T10:00');
    assert.equal(again.moved, true);
  });

  it('with shorter days keeps the days: of the law, of the stage, and what was used of it', () => {
    const short = office({ closesAtMinute: 720 });
    const found = aCase({ usedMs: 4 * 3_600_000 });
    const again = replanCase(short, found);
    assert.equal(again.legalBudgetMs, DAYS * 4 * 3_600_000);
    assert.deepEqual(
      again.tasks.map(({ budgetMs, usedMs }) => [budgetMs, usedMs]),
      [[2 * 4 * 3_600_000, 2 * 3_600_000]],
    );
    assert.equal(again.dueAt, addWorkingTime(short, OPENED, 6 * 3_600_000).at, 'a day and a half are left of two');
  });

  it('gives what was planned by it at first, when it is put in force again', () => {
    const found = aCase();
    const there = replanCase(office({ closesAtMinute: 840 }, '2026-03-03'), found);
    const [task] = found.tasks;
    const [moved] = there.tasks;
    assert.ok(task && moved);
    const back = replanCase(BEFORE, {
      ...found,
      dueAt: there.dueAt,
      legalDueAt: there.legalDueAt,
      tasks: [{ ...task, ...moved, dayMs: 6 * 3_600_000 }],
    });
    assert.deepEqual([back.dueAt, back.legalDueAt, rungsOf(back)], [found.dueAt, found.legalDueAt, rungsOf(found)]);
  });

  it('plans a stage that stands still only when it runs again', () => {
    const again = replanCase(
      office({}, '2026-03-03'),
      aCase({ suspensions: [{ from: OPENED + 3_600_000, to: null }] }),
    );
    assert.deepEqual([again.tasks, again.legalDueAt], [[], null]);
  });

  const waiting = (state: ApplicationState): OpenCase => ({
    ...aCase({ suspensions: [{ from: OPENED, to: null }] }),
    state,
    tasks: [],
    dueAt: addWorkingDays(BEFORE, OPENED, 5).at,
    answer: { askedAt: OPENED, withinWorkingDays: 5 },
  });

  it('moves the time that the applicant has for an answer', () => {
    for (const state of ['correction_requested', 'intent_to_reject'] as const) {
      const again = replanCase(office({}, '2026-03-03'), waiting(state));
      assert.deepEqual([inWords(again.dueAt), again.legalDueAt, again.moved], ['03-10T10:00', null, true]);
    }
  });

  it('leaves a case of before alone in what is not known of it', () => {
    const again = replanCase(office({}, '2026-03-03'), { ...aCase(), completeAt: null, legalDueAt: null });
    assert.deepEqual([again.legalDueAt, again.legalBudgetMs, inWords(again.dueAt)], [null, null, '03-05T10:00']);
    const unknown = { ...waiting('correction_requested'), answer: null };
    assert.equal(replanCase(office({}, '2026-03-03'), unknown).dueAt, unknown.dueAt);
  });

  it('finds the legal due date of a case of before whose clock is known by now', () => {
    const again = replanCase(BEFORE, { ...aCase(), legalDueAt: null });
    assert.deepEqual([inWords(again.legalDueAt), again.moved], ['03-16T10:00', true]);
  });
});
