import assert from 'node:assert/strict';
import { officeCalendarOf } from '../../db/calendars.ts';
import { localDate } from '../../domain/calendar.ts';
import type { OfficeCalendar } from '../../domain/calendars.ts';
import { DEFAULT_LADDER } from '../../domain/escalation.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { calendarChangeId } from '../../workflows/ids.ts';
import { reassignUpdate } from '../../workflows/messages.ts';
import { closed, publish } from '../builders/calendars.ts';
import { demoOffice } from '../builders/people.ts';
import { ONE_STAGE, type Review, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const DAY_MS = 86_400_000;
const LADDER: Partial<LicensePolicy> = { ...ONE_STAGE, ladder: DEFAULT_LADDER };

describe('a case that is planned by another calendar', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let review: Review;
  let original: OfficeCalendar;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    review = reviewOf(system);
    original = (await officeCalendarOf(system.database.db, await demoOffice(system.database.db))).calendar;
  });
  after(() => system?.close());
  afterEach(() => change(original));

  /** Published, and worked into every open case. */
  async function change(calendar: OfficeCalendar): Promise<void> {
    const { db } = system.database;
    const officeId = await demoOffice(db);
    const version = await publish(db, officeId, demoUserId('admin'), calendar, new Date().toISOString());
    await system.client.workflow.execute('calendarChange', {
      workflowId: calendarChangeId(officeId, version),
      taskQueue: system.taskQueue,
      args: [{ officeId, version }],
    });
  }
  /** The office is closed for the next days, today not among them. */
  const closedFor = (days: number): OfficeCalendar => {
    const dates = Array.from({ length: days }, (_, day) => localDate(Date.now() + (day + 1) * DAY_MS, original.zone));
    const fresh = dates.filter((date) => !original.closures.some((closure) => closure.date === date));
    return { ...original, closures: [...original.closures, ...fresh.map((date) => closed(date))] };
  };
  const signals = async (id: string): Promise<number> =>
    ((await review.handle(id).fetchHistory()).events ?? []).filter(
      (event) => event.workflowExecutionSignaledEventAttributes,
    ).length;
  const planned = async (id: string) => {
    const [row]: { plan: { rungs: { code: string; at: string }[] }; due: Date | null; legal: Date | null }[] =
      await system.database
        .db('applications as a')
        .leftJoin('tasks as t', 't.application_id', 'a.id')
        .where('a.id', id)
        .select({ plan: 't.plan', due: 'a.due_at', legal: 'a.legal_due_at' });
    assert.ok(row);
    return { rungs: row.plan.rungs, due: row.due?.toISOString() ?? '', legal: row.legal?.toISOString() ?? '' };
  };
  const fired = (id: string): Promise<{ rung: string; fired_at: Date }[]> =>
    system.database.db('escalations').where({ application_id: id }).select('rung', 'fired_at');

  it('later is told nothing: its rungs fire once, at their new times, and so does the end of the legal time', async () => {
    const { id } = await review.open({ ...LADDER, deemedApproval: 'issue' });
    const old = await planned(id);
    await change(closedFor(5));
    const now = await planned(id);
    assert.ok(now.rungs.every(({ code, at }) => at > (old.rungs.find((rung) => rung.code === code)?.at ?? '')));
    const [first] = old.rungs;
    await review.until(id, first?.at ?? '', 60_000);
    assert.deepEqual(await fired(id), []);
    const { nextRung, legalDueAt } = await review.progress(id);
    assert.deepEqual([nextRung?.at, legalDueAt], [now.rungs[0]?.at, now.legal], 'what it read when it woke');
    await review.until(id, old.legal, 60_000);
    assert.equal(await review.stateOf(id), 'approval');
    await review.until(id, now.legal, -1_500);
    await review.reaches(id, 'pending_payment');
    assert.equal(await signals(id), 0);
    const times = new Map((await fired(id)).map(({ rung, fired_at }) => [rung, fired_at.getTime()]));
    assert.deepEqual([...times.keys()].toSorted(), now.rungs.map(({ code }) => code).toSorted());
    for (const { code, at } of now.rungs) {
      const lateMs = (times.get(code) ?? 0) - Date.parse(at);
      assert.ok(lateMs >= 0 && lateMs < 60_000, `${code} ${lateMs} ms after its time`);
    }
  });

  it('later says the day of the record to whoever gets it meanwhile', async () => {
    const { id, assignee } = await review.open(LADDER);
    await change(closedFor(5));
    const to = assignee === demoUserId('approver') ? demoUserId('approver2') : demoUserId('approver');
    const by = await review.actor(demoUserId('supervisor'));
    await review.handle(id).executeUpdate(reassignUpdate, { args: [{ by, to, reason: 'leave', kind: 'reassign' }] });
    const { due } = await planned(id);
    const progress = await review.progress(id);
    assert.equal(new Date(progress.dueAt ?? '').toISOString(), due);
  });

  it('later gives the applicant the longer time: reminders and the end come by it, and nobody is told', async () => {
    const correction = { maxRounds: 1, answerWithinWorkingDays: 4, remindAtPercent: [50, 80] };
    const { id, assignee } = await review.open({ ...ONE_STAGE, correction });
    await review.decide(id, assignee, { decision: 'request_correction' });
    const old = await eventually('the day to answer by', async () => (await planned(id)).due || null);
    await change(closedFor(7));
    const { due } = await planned(id);
    assert.ok(due > old);
    await review.until(id, old, 60_000);
    assert.equal(await review.stateOf(id), 'correction_requested');
    const reminded = async () => (await review.events(id, 'application.correction_reminded')).map(({ data }) => data);
    assert.deepEqual(await reminded(), []);
    await review.until(id, due, 60_000);
    await review.reaches(id, 'lapsed_no_response');
    assert.deepEqual(
      (await reminded()).map(({ percent, answerBy }) => [percent, new Date(String(answerBy)).toISOString()]),
      [
        [50, due],
        [80, due],
      ],
    );
    assert.equal(await signals(id), 0);
  });

  it('later gives it also where no reminder is left to read of it', async () => {
    const { id, assignee } = await review.open({
      ...ONE_STAGE,
      correction: { maxRounds: 1, answerWithinWorkingDays: 4 },
    });
    await review.decide(id, assignee, { decision: 'request_correction' });
    const old = await eventually('the day to answer by', async () => (await planned(id)).due || null);
    await change(closedFor(7));
    const { due } = await planned(id);
    await review.until(id, old, 60_000);
    assert.equal(await review.stateOf(id), 'correction_requested');
    await review.until(id, due, 60_000);
    await review.reaches(id, 'lapsed_no_response');
    assert.equal(await signals(id), 0);
  });

  it('later gives the longer time to answer an announced rejection', async () => {
    const intent = { required: true, answerWithinWorkingDays: 3 };
    const { id, assignee } = await review.open({ ...ONE_STAGE, intent });
    await review.decide(id, assignee, { decision: 'intend_to_reject' });
    await review.reaches(id, 'intent_to_reject');
    const old = await eventually('the day to answer by', async () => (await planned(id)).due || null);
    await change(closedFor(7));
    const { due } = await planned(id);
    assert.ok(due > old);
    await review.until(id, old, 60_000);
    assert.equal(await review.stateOf(id), 'intent_to_reject');
    await review.until(id, due, 60_000);
    await review.reaches(id, 'approval');
    assert.equal(await signals(id), 0);
  });

  it('earlier is told once, and waits for the earlier time', async () => {
    await change(closedFor(5));
    const { id, nextRung } = await review.open(LADDER);
    const correction = { maxRounds: 1, answerWithinWorkingDays: 4, remindAtPercent: [50] };
    const other = await review.open({ ...ONE_STAGE, correction });
    await review.decide(other.id, other.assignee, { decision: 'request_correction' });
    await eventually('the day to answer by', async () => (await planned(other.id)).due || null);
    await review.reaches(other.id, 'correction_requested');
    await change(original);
    const now = await planned(id);
    assert.ok((now.rungs[0]?.at ?? '') < (nextRung?.at ?? ''));
    await eventually('it to know', async () => (await review.progress(id)).nextRung?.at === now.rungs[0]?.at);
    await review.until(id, now.rungs[0]?.at ?? '');
    assert.deepEqual(await review.rungs(id), ['half']);
    const { due } = await planned(other.id);
    await review.until(other.id, due);
    await review.reaches(other.id, 'lapsed_no_response');
    assert.equal((await review.events(other.id, 'application.correction_reminded')).length, 1);
    assert.deepEqual([await signals(id), await signals(other.id)], [1, 1]);
  });
});
