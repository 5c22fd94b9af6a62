import assert from 'node:assert/strict';
import { officeCalendarOf } from '../../db/calendars.ts';
import { deadlinesOf } from '../../db/deadlines.ts';
import { workingCalendarOf } from '../../db/offices.ts';
import { startLegalClock } from '../../db/suspensions.ts';
import { insertTask, storedPlan } from '../../db/tasks.ts';
import type { OfficeCalendar } from '../../domain/calendars.ts';
import { DEFAULT_LADDER, planTask, stageBudgetMs } from '../../domain/escalation.ts';
import { type ApplicationId, asId, type CompanyId, type OfficeId, type UserId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import type { CalendarChanged, CalendarChangeInput } from '../../workflows/calendar-change.ts';
import { calendarChangeId, licenseReviewId } from '../../workflows/ids.ts';
import { progressQuery } from '../../workflows/messages.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType, anApplication, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { demoOffice } from '../builders/people.ts';
import { storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const OPENED = '2026-03-02T10:00:00+07:00';

describe('working another calendar into the open cases', () => {
  let system: TestSystem;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  before(async function () {
    this.timeout(60_000);
    system = await startSystem();
    owner = await aUser(system.database.db, 'owner');
    companyId = await aCompany(system.database.db, owner);
  });
  after(() => system?.close());
  beforeEach(async () => {
    type = await aLicenseType(system.database.db);
  });

  const db = () => system.database.db;

  /** A record whose process has ended, or never was: the signal finds nobody, which is no error. */
  async function aCase(): Promise<ApplicationId> {
    const id = await anApplication(db(), { companyId, type, applicantId: owner, state: 'compliance_check' });
    await db().transaction(async (tx) => {
      const { calendar } = await workingCalendarOf(tx, type.officeId);
      const at = OPENED;
      await startLegalClock(tx, { applicationId: id, officeId: type.officeId, legalWorkingDays: 10, at });
      const budgetMs = stageBudgetMs(10, 20, calendar);
      const about = { openedAt: Date.parse(at), budgetMs, usedMs: 0, ladder: DEFAULT_LADDER, legalDueAt: null };
      const plan = storedPlan(planTask(calendar, about), calendar.zone);
      const task = {
        applicationId: id,
        round: 1,
        stage: 'compliance_check',
        role: 'examiner',
        assignee: null,
      } as const;
      await insertTask(tx, { ...task, at, budgetMs, usedMs: 0, plan });
    });
    return id;
  }

  const start = (input: CalendarChangeInput) =>
    system.client.workflow.start('calendarChange', {
      workflowId: calendarChangeId(input.officeId, input.version),
      taskQueue: system.taskQueue,
      args: [input],
    });
  const run = async (input: CalendarChangeInput): Promise<CalendarChanged> => (await start(input)).result();
  const dueDates = (ids: readonly ApplicationId[]) =>
    db()
      .raw(`select distinct plan ->> 'dueAt' as due from tasks where application_id = any(?)`, [[...ids]])
      .then(({ rows }: { rows: { due: string }[] }) => rows.map(({ due }) => due));
  const versionRow = (officeId: OfficeId, version: number) =>
    db()('calendar_versions').where({ office_id: officeId, version }).first('replanned_at', 'replanned', 'moved');

  it('goes over all of them, page by page and run by run, and says when it is through', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, aCase));
    const { officeId } = type;
    const version = await publish(db(), officeId, owner, { closures: [closed('2026-03-03')] });
    // Three runs: a run of two pages continues as new.
    const done = await run({ officeId, version, pageSize: 2, pagesARun: 2 });
    assert.deepEqual(done, { outcome: 'replanned', replanned: 7, moved: 7 });
    assert.deepEqual(await dueDates(ids), ['2026-03-05T10:00:00+07:00']);
    const row = await versionRow(officeId, version);
    assert.deepEqual([row.replanned, row.moved], [7, 7]);
    assert.ok(row.replanned_at);
    const events = await db()('events').where({ type: 'calendar.replanned', subject: `calendar/${officeId}` });
    assert.deepEqual(
      events.map(({ data }) => data),
      [{ version }],
    );
    assert.deepEqual(await db()('applications').whereIn('id', ids).where({ replan_untold: true }), []);
  });

  it('comes back for a case that somebody held while its page went by', async () => {
    const ids = await Promise.all([aCase(), aCase()]);
    const { officeId } = type;
    const version = await publish(db(), officeId, owner, { closures: [closed('2026-03-03')] });
    const holding = await db().transaction();
    await holding('applications').where({ id: ids[0] }).forUpdate().first('id');
    const handle = await start({ officeId, version });
    await eventually('the other one to be planned', async () => (await versionRow(officeId, version)).replanned === 1);
    await holding.commit();
    assert.deepEqual(await handle.result(), { outcome: 'replanned', replanned: 2, moved: 2 });
  });

  it('leaves the work to the newer of two publications, and every case ends with its plan', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, aCase));
    const { officeId } = type;
    const first = await publish(db(), officeId, owner, { closures: [closed('2026-03-03')] });
    const earlier = await start({ officeId, version: first, pageSize: 1 });
    await eventually('it to have begun', async () => (await versionRow(officeId, first)).replanned > 0);
    const second = await publish(db(), officeId, owner, { closures: [closed('2026-03-03'), closed('2026-03-04')] });
    const later = await run({ officeId, version: second, pageSize: 1 });
    assert.deepEqual([later.outcome, later.replanned], ['replanned', 6]);
    const { outcome } = await earlier.result();
    assert.ok(outcome === 'superseded' || outcome === 'replanned');
    assert.deepEqual(await dueDates(ids), ['2026-03-06T10:00:00+07:00']);
  });

  it('tells the process of a case that is due earlier: it waits for the new time, and a person may decide meanwhile', async function () {
    this.timeout(60_000);
    const story = storyOf(system);
    const officeId = await demoOffice(db());
    const { calendar } = await officeCalendarOf(db(), officeId);
    const closures = [...calendar.closures];
    for (let day = 1; day < 6; day += 1) {
      const date = new Date(Date.now() + day * 86_400_000 + 7 * 3_600_000).toISOString().slice(0, 10);
      if (!closures.some((closure) => closure.date === date)) closures.push(closed(date));
    }
    const publishNow = (changes: Partial<OfficeCalendar>) =>
      publish(db(), officeId, demoUserId('admin'), { ...calendar, ...changes }, new Date().toISOString());
    await publishNow({ closures });
    const id = asId<ApplicationId>(await story.submitted());
    const reviewer = await story.holder(id, 'document_verification');
    const { task: before } = await deadlinesOf(db(), id);
    assert.ok(before);
    const version = await publishNow({});
    assert.deepEqual(await run({ officeId, version }), { outcome: 'replanned', replanned: 1, moved: 1 });
    const { task: after } = await deadlinesOf(db(), id);
    assert.ok(after && Date.parse(after.plan.dueAt) < Date.parse(before.plan.dueAt));
    const handle = system.client.workflow.getHandle(licenseReviewId(id));
    await eventually('the process to know', async () => (await handle.query(progressQuery)).dueAt === after.plan.dueAt);
    await story.expect(200, story.call('POST', `licenses/approve/${id}`, { as: reviewer, body: {} }));
  });
});
