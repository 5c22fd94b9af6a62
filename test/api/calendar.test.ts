import assert from 'node:assert/strict';
import { workingCalendarOf } from '../../db/offices.ts';
import { startLegalClock } from '../../db/suspensions.ts';
import { insertTask, storedPlan } from '../../db/tasks.ts';
import type { OfficeCalendar } from '../../domain/calendars.ts';
import { DEFAULT_LADDER, planTask, stageBudgetMs } from '../../domain/escalation.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import { aCalendar, closed, publish as published } from '../builders/calendars.ts';
import { aCompany, aLicenseType, anApplication, type LicenseTypeRow } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const OPENED = '2026-03-02T10:00:00+07:00';

interface CalendarBody {
  readonly officeId: string;
  readonly version: number;
  readonly calendar: OfficeCalendar;
  readonly warnings: readonly { readonly code: string; readonly year?: number }[];
  readonly versions: readonly { readonly version: number; readonly publishedBy: { readonly id: string } | null }[];
}

describe("an office's calendar over HTTP", () => {
  let database: TestDatabase;
  let api: TestApi;
  let supervisor: TestPerson;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    // Temporal is away: what a publication starts there, test/workflows/calendar-change.test.ts shows.
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });
  beforeEach(async () => {
    type = await aLicenseType(database.db);
    supervisor = await api.person('supervisor');
    await database.db('users').where({ id: supervisor.id }).update({ office_id: type.officeId });
  });

  const read = async () => {
    const { status, body } = await api.call('/admin/calendar', { as: supervisor });
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as CalendarBody;
  };
  const publish = (calendar: unknown, basedOnVersion = 1) =>
    api.call('/admin/calendar', {
      method: 'PUT',
      as: supervisor,
      body: { calendar, reason: 'SKB 2026', basedOnVersion },
    });
  const preview = (calendar: unknown, query = '') =>
    api.call(`/admin/calendar/preview${query}`, { as: supervisor, body: { calendar } });

  async function aCase(): Promise<ApplicationId> {
    const id = await anApplication(database.db, { companyId, type, applicantId: owner.id, state: 'compliance_check' });
    await database.db.transaction(async (tx) => {
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
      await tx('applications').where({ id }).update({ due_at: plan.dueAt });
    });
    return id;
  }

  it('is read with its versions, and with a warning where the holidays are missing', async () => {
    const body = await read();
    assert.deepEqual([body.officeId, body.version, body.calendar], [type.officeId, 1, aCalendar()]);
    assert.equal(body.warnings[0]?.code, 'national_holidays_missing');
    assert.equal(body.warnings[0]?.year, new Date().getFullYear());
  });

  it('is published as its next version even while Temporal is away', async () => {
    const calendar = aCalendar({ closures: [closed('2026-03-03')] });
    assert.equal((await publish(calendar)).status, 200);
    const body = await read();
    assert.deepEqual([body.version, body.calendar], [2, calendar]);
    assert.deepEqual(
      body.versions.map(({ version, publishedBy }) => [version, publishedBy?.id ?? null]),
      [
        [2, supervisor.id],
        [1, null],
      ],
    );
    assert.ok(body.warnings.some(({ code }) => code === 'replanning_unfinished'));
  });

  it('is refused when somebody has published since, naming who and when', async () => {
    await published(database.db, type.officeId, supervisor.id);
    const { status, body } = await publish(aCalendar(), 1);
    assert.deepEqual([status, body['code']], [409, 'calendar_changed']);
    assert.ok(JSON.stringify(body).includes(supervisor.name), JSON.stringify(body));
  });

  it('is refused with every wrong place named, in a preview as well', async () => {
    const calendar = aCalendar({ opensAt: '17:00', workdays: [9], closures: [closed('2026-02-30')] });
    for (const answer of [await publish(calendar), await preview(calendar)]) {
      assert.deepEqual([answer.status, answer.body['code']], [422, 'calendar_not_valid']);
      assert.deepEqual(
        (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer),
        ['/calendar/closesAt', '/calendar/workdays/0', '/calendar/closures/0/date'],
      );
    }
    assert.equal((await publish({ ...aCalendar(), zone: 'Europe/Berlin' })).status, 422);
  });

  it('shows before it is published what would move and by how much, and changes nothing', async () => {
    const ids = (await Promise.all([aCase(), aCase(), aCase()])).toSorted();
    const untouched = await anApplication(database.db, { companyId, type, applicantId: owner.id, state: 'submitted' });
    const calendar = aCalendar({ closures: [closed('2026-03-03')] });
    const { status, body } = await preview(calendar);
    assert.equal(status, 200, JSON.stringify(body));
    const { items, byStage, nextCursor, ...totals } = body;
    assert.deepEqual(totals, {
      basedOnVersion: 1,
      openCases: 4,
      moved: 3,
      unchanged: 1,
      latestShiftMs: 86_400_000,
      earliestShiftMs: 86_400_000,
    });
    assert.deepEqual(
      new Set((byStage as { stage: string }[]).map((each) => JSON.stringify(each))),
      new Set([
        '{"stage":"compliance_check","moved":3,"unchanged":0}',
        '{"stage":"submitted","moved":0,"unchanged":1}',
      ]),
    );
    assert.deepEqual(
      items,
      ids.map((applicationId) => ({
        applicationId,
        state: 'compliance_check',
        dueAt: { from: '2026-03-04T10:00:00+07:00', to: '2026-03-05T10:00:00+07:00' },
        legalDueAt: { from: '2026-03-16T10:00:00+07:00', to: '2026-03-17T10:00:00+07:00' },
        shiftMs: 86_400_000,
      })),
    );
    assert.equal(nextCursor, null);
    const stored = await database
      .db('applications')
      .whereIn('id', [...ids, untouched])
      .distinct()
      .pluck('calendar_version');
    assert.deepEqual(stored.toSorted(), [1, null]);
  });

  it('shows those that move page by page, the totals of all on each', async () => {
    const ids = (await Promise.all([aCase(), aCase(), aCase()])).toSorted();
    const calendar = aCalendar({ closures: [closed('2026-03-03')] });
    const first = (await preview(calendar, '?limit=2')).body;
    const second = (await preview(calendar, `?limit=2&cursor=${String(first['nextCursor'])}`)).body;
    assert.deepEqual(
      [first, second].flatMap(({ items }) => (items as { applicationId: string }[]).map((each) => each.applicationId)),
      ids,
    );
    assert.deepEqual([first['moved'], second['moved'], second['nextCursor']], [3, 3, null]);
  });

  it('has national holidays proposed for a year, and says which it cannot tell', async () => {
    const { status, body } = await api.call('/admin/calendar/proposal?year=2026', { as: supervisor });
    assert.equal(status, 200);
    const closures = body['closures'] as { date: string; kind: string; name: string }[];
    assert.ok(closures.some(({ date, kind }) => date === '2026-08-17' && kind === 'national'));
    assert.equal(new Set(closures.map(({ date }) => date)).size, closures.length);
    const years = await Promise.all(
      [2027, 2030].map((year) => api.call(`/admin/calendar/proposal?year=${year}`, { as: supervisor })),
    );
    for (const each of years) assert.ok(Array.isArray(each.body['unknown']));
    assert.equal((await api.call('/admin/calendar/proposal?year=1900', { as: supervisor })).status, 422);
  });

  it('is for those who may, and for those who work in an office', async () => {
    const calendar = aCalendar();
    for (const role of ['owner', 'examiner', 'finance'] as const) {
      const as = await api.person(role);
      for (const path of ['/admin/calendar', '/admin/calendar/proposal?year=2026'])
        assert.equal((await api.call(path, { as })).status, 403, `${role} ${path}`);
      assert.equal((await api.call('/admin/calendar/preview', { as, body: { calendar } })).status, 403);
    }
    const ops = await api.person('ops');
    const body = { calendar, reason: 'x', basedOnVersion: 1 };
    assert.equal((await api.call('/admin/calendar', { method: 'PUT', as: ops, body })).status, 403);
    assert.equal((await api.call('/admin/calendar', { as: ops })).status, 404, 'of no office');
  });
});
