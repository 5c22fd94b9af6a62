import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { publishCalendar } from '../../db/calendars.ts';
import { recordEvent } from '../../db/events.ts';
import { calendarOf, workingCalendarOf } from '../../db/offices.ts';
import {
  countUnplanned,
  noteToldCases,
  openCasesOf,
  type ReplannedPage,
  replanPage,
  untoldCases,
} from '../../db/replanning.ts';
import { startLegalClock, suspendClock } from '../../db/suspensions.ts';
import { handTaskTo, insertTask, noteRung, storedPlan } from '../../db/tasks.ts';
import { addWorkingDays, formatInZone } from '../../domain/calendar.ts';
import { DEFAULT_LADDER, planTask, stageBudgetMs } from '../../domain/escalation.ts';
import { type ApplicationId, asId, type CalendarVersionId, type CompanyId, type UserId } from '../../domain/ids.ts';
import { aCalendar, closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType, anApplication, aUser, type LicenseTypeRow } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const OPENED = '2026-03-02T10:00:00+07:00';
const LATER = '2026-03-02T11:00:00+07:00';
const STAGE = 'compliance_check';

describe('planning the open cases of an office anew', () => {
  let database: TestDatabase;
  let owner: UserId;
  let examiner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    examiner = await aUser(database.db, 'examiner');
    companyId = await aCompany(database.db, owner);
  });
  after(() => database?.drop());

  beforeEach(async () => {
    type = await aLicenseType(database.db, { legalWorkingDays: 10, ladder: DEFAULT_LADDER });
  });

  /** At its stage since OPENED, as the process opens it. */
  async function aCase(state: 'compliance_check' | 'approval' = STAGE): Promise<ApplicationId> {
    const id = await anApplication(database.db, { companyId, type, applicantId: owner, state });
    await database.db.transaction(async (tx) => {
      const { calendar, version } = await workingCalendarOf(tx, type.officeId);
      const legal = await startLegalClock(tx, {
        applicationId: id,
        officeId: type.officeId,
        legalWorkingDays: 10,
        at: OPENED,
      });
      const budgetMs = stageBudgetMs(10, 20, calendar);
      const plan = planTask(calendar, {
        openedAt: Date.parse(OPENED),
        budgetMs,
        usedMs: 0,
        ladder: DEFAULT_LADDER,
        legalDueAt: Date.parse(legal.legalDueAt),
      });
      const task = { applicationId: id, round: 1, stage: state, role: 'examiner', assignee: examiner } as const;
      const stored = storedPlan(plan, calendar.zone);
      await insertTask(tx, { ...task, at: OPENED, budgetMs, usedMs: 0, plan: stored, calendarVersion: version });
      await tx('applications').where({ id }).update({ due_at: stored.dueAt });
    });
    return id;
  }

  const page = (version: number, limit = 200, after: ApplicationId | null = null) =>
    replanPage(database.db, { officeId: type.officeId, version, after, limit, at: LATER });
  const stored = async (id: ApplicationId) => {
    const { rows } = await database.db.raw(
      `select a.due_at, a.legal_due_at, a.calendar_version, a.replan_untold, t.due_at as task_due, t.at_risk_at, t.plan,
         t.calendar_version as task_version
       from applications a left join tasks t on t.application_id = a.id and t.state = 'open' where a.id = ?`,
      [id],
    );
    return rows[0];
  };
  const eventsOf = (id: ApplicationId) =>
    database
      .db('events')
      .where({ application_id: id, type: 'task.replanned' })
      .pluck<{ calendarVersion: number; dueAt: unknown }[]>('data');

  it('moves what the calendar moves: task, case, legal time and the event that tells of it', async () => {
    const id = await aCase();
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    assert.deepEqual(await page(version), { superseded: false, after: null, replanned: 1, moved: 1 });
    const now = await stored(id);
    assert.deepEqual(
      [now.due_at, now.task_due, now.at_risk_at, now.legal_due_at].map((time: Date) => time.toISOString()),
      ['2026-03-05T03:00:00.000Z', '2026-03-05T03:00:00.000Z', '2026-03-04T07:48:00.000Z', '2026-03-17T03:00:00.000Z'],
    );
    assert.deepEqual([now.calendar_version, now.task_version], [version, version]);
    assert.equal(now.plan.dueAt, '2026-03-05T10:00:00+07:00');
    assert.deepEqual(now.plan.skipped, [{ date: '2026-03-03', reason: 'Tutup 2026-03-03' }]);
    assert.equal(now.plan.rungs.length, 5);
    assert.deepEqual(await eventsOf(id), [
      {
        calendarVersion: version,
        dueAt: { from: '2026-03-04T10:00:00+07:00', to: '2026-03-05T10:00:00+07:00' },
        legalDueAt: { from: '2026-03-16T10:00:00+07:00', to: '2026-03-17T10:00:00+07:00' },
      },
    ]);
    const [row] = await database.db('calendar_versions').where({ office_id: type.officeId, version });
    assert.deepEqual([row.replanned, row.moved], [1, 1]);
  });

  it('writes no event and tells nobody where nothing moves', async () => {
    const id = await aCase();
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-12-24')] });
    assert.deepEqual(await page(version), { superseded: false, after: null, replanned: 1, moved: 0 });
    assert.deepEqual(await eventsOf(id), []);
    assert.deepEqual(await untoldCases(database.db, type.officeId, 10), []);
    assert.equal((await stored(id)).calendar_version, version);
  });

  it('does nothing a second time', async () => {
    const id = await aCase();
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    await page(version);
    assert.deepEqual(await page(version), { superseded: false, after: null, replanned: 0, moved: 0 });
    assert.equal((await eventsOf(id)).length, 1);
  });

  it('keeps what has fired', async () => {
    const id = await aCase();
    await noteRung(database.db, { applicationId: id, round: 1, stage: STAGE, code: 'half', at: LATER });
    const before = (await stored(id)).plan;
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    await page(version);
    const { plan } = await stored(id);
    assert.deepEqual(plan.rungs[0], before.rungs[0]);
    assert.notDeepEqual(plan.rungs[1], before.rungs[1]);
  });

  it('leaves alone other offices, cases that are over, and drafts', async () => {
    const other = await aLicenseType(database.db);
    const elsewhere = await anApplication(database.db, {
      companyId,
      type: other,
      applicantId: owner,
      state: 'approval',
    });
    for (const state of ['draft', 'active', 'rejected', 'pending_payment'] as const)
      await anApplication(database.db, { companyId, type, applicantId: owner, state });
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    assert.equal((await page(version)).replanned, 0);
    assert.equal((await stored(elsewhere)).calendar_version, null);
    assert.equal(await countUnplanned(database.db, type.officeId, version), 0);
  });

  it('goes page by page, each case once', async () => {
    await Promise.all(Array.from({ length: 7 }, () => aCase()));
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    const sizes: number[] = [];
    let after: ApplicationId | null = null;
    do {
      const done: ReplannedPage = await page(version, 3, after);
      sizes.push(done.replanned);
      after = done.after;
    } while (after);
    assert.deepEqual(sizes, [3, 3, 1]);
  });

  it('has those told for whom something comes earlier, and nobody for whom it comes later', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, () => aCase()));
    let version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    assert.equal((await page(version)).moved, 7);
    assert.deepEqual(await untoldCases(database.db, type.officeId, 100), []);
    // A Saturday more brings the legal day nearer; the stage ends before it.
    version = await publish(database.db, type.officeId, owner, {
      workdays: [1, 2, 3, 4, 5, 6],
      closures: [closed('2026-03-03')],
    });
    assert.equal((await page(version)).moved, 7);
    const told = await untoldCases(database.db, type.officeId, 100);
    assert.deepEqual(told, ids.toSorted());
    await noteToldCases(database.db, told.slice(0, 2), version - 1);
    assert.equal((await untoldCases(database.db, type.officeId, 100)).length, 7, 'who was told of another version');
    await noteToldCases(database.db, told.slice(0, 2), version);
    assert.equal((await untoldCases(database.db, type.officeId, 100)).length, 5);
  });

  it('ends when a newer calendar is in force, and the newer one goes over all', async () => {
    const id = await aCase();
    const first = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    const second = await publish(database.db, type.officeId, owner, {
      closures: [closed('2026-03-03'), closed('2026-03-04')],
    });
    assert.equal((await page(first)).superseded, true);
    await page(second);
    assert.equal((await stored(id)).plan.dueAt, '2026-03-06T10:00:00+07:00');
  });

  it('waits for nobody: what somebody has locked is left for the next time round', async () => {
    const ids = (await Promise.all([aCase(), aCase(), aCase()])).toSorted();
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    await database.db.transaction(async (tx) => {
      // As a decision does, and as handing over a task begins.
      await tx('applications').where({ id: ids[0] }).forUpdate().first('id');
      await tx('tasks').where({ application_id: ids[1] }).forUpdate().first('id');
      assert.equal((await page(version)).replanned, 1);
      assert.equal(await countUnplanned(database.db, type.officeId, version), 2);
    });
    assert.equal((await page(version)).replanned, 2);
  });

  it('and decisions and hand-overs while it runs neither fail nor wait for each other for ever', async function () {
    this.timeout(30_000);
    const ids = await Promise.all(Array.from({ length: 60 }, () => aCase()));
    const colleague = await aUser(database.db, 'examiner');
    let version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    const [decided, handed] = [ids.slice(0, 20), ids.slice(20, 40)];
    await Promise.all([
      replanAll(),
      ...decided.map((id) => close(id)),
      ...handed.map((applicationId) =>
        database.db.transaction((tx) =>
          handTaskTo(tx, { applicationId, round: 1, stage: STAGE, assignee: colleague, at: LATER }),
        ),
      ),
    ]);
    assert.equal(await countUnplanned(database.db, type.officeId, version), 0);
    for (const id of ids.slice(20)) assert.equal((await stored(id)).plan.dueAt.slice(0, 10), '2026-03-06');
    for (const id of decided) assert.equal((await stored(id)).task_due, null, 'its task is closed');
    const holders = await database.db('tasks').whereIn('application_id', handed).distinct().pluck('assignee_id');
    assert.deepEqual(holders, [colleague]);

    async function replanAll(): Promise<void> {
      await page(version, 5);
      version = await publish(database.db, type.officeId, owner, {
        closures: [closed('2026-03-03'), closed('2026-03-04')],
      });
      while ((await countUnplanned(database.db, type.officeId, version)) > 0) await page(version, 5);
    }

    /** In the order in which a decision locks: the event, the case, its task. */
    async function close(id: ApplicationId): Promise<void> {
      await database.db.transaction(async (tx) => {
        await recordEvent(tx, { key: `decided/${id}`, type: 'decision.recorded', applicationId: id, at: LATER });
        await tx('applications').where({ id }).update({ state: 'rejected', closed_at: LATER });
        await tx('tasks').where({ application_id: id, state: 'open' }).update({ state: 'decided', closed_at: LATER });
      });
    }
  });

  it('moves the time for an answer, counted from when it was asked for', async () => {
    const id = await aCase();
    await database.db.transaction(async (tx) => {
      const calendar = await calendarOf(tx, type.officeId);
      const answerBy = formatInZone(addWorkingDays(calendar, Date.parse(LATER), 10).at, calendar.zone);
      await recordEvent(tx, {
        key: `asked/${id}`,
        type: 'application.correction_requested',
        applicationId: id,
        at: LATER,
      });
      await suspendClock(tx, {
        applicationId: id,
        reason: 'correction',
        stage: STAGE,
        round: 1,
        by: examiner,
        at: LATER,
      });
      await tx('tasks').where({ application_id: id }).update({ state: 'decided', closed_at: LATER });
      await tx('applications').where({ id }).update({ state: 'correction_requested', due_at: answerBy });
    });
    const version = await publish(database.db, type.officeId, owner, { closures: [closed('2026-03-03')] });
    assert.equal((await page(version)).moved, 1);
    const now = await stored(id);
    assert.deepEqual([now.due_at, now.legal_due_at], [new Date('2026-03-17T11:00:00+07:00'), null]);
  });

  it('finds the due date of a case of before the clock', async () => {
    const id = await aCase();
    await database.db('applications').where({ id }).update({ legal_due_at: null, calendar_version: null });
    await page(1);
    assert.deepEqual((await stored(id)).legal_due_at, new Date('2026-03-16T10:00:00+07:00'));
  });

  it('shows every open case for a preview, and locks none', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => aCase()));
    const seen: ApplicationId[] = [];
    const calendar = await calendarOf(database.db, type.officeId);
    await database.db.transaction(async (tx) => {
      await tx('applications').whereIn('id', ids).forUpdate().select('id');
      for await (const found of openCasesOf(database.db, type.officeId, calendar, 2))
        seen.push(...found.map(({ id }) => id));
    });
    assert.deepEqual(seen, ids.toSorted());
  });

  it('is refused to whoever publishes on top of a version that is not the last', async () => {
    const publication = {
      officeId: type.officeId,
      calendar: aCalendar(),
      reason: 'Uji',
      basedOnVersion: 1,
      by: owner,
      at: LATER,
    };
    const attempt = () =>
      publishCalendar(database.db, { ...publication, id: asId<CalendarVersionId>(randomUUID()) }).then(
        ({ version }) => version,
        (error: { code: string; facts: { decidedBy?: string } }) => [error.code, error.facts.decidedBy],
      );
    const answers = await Promise.all([attempt(), attempt(), attempt()]);
    assert.deepEqual(
      answers.toSorted((a, b) => Number(typeof a === 'object') - Number(typeof b === 'object')),
      [2, ['calendar_changed', owner], ['calendar_changed', owner]],
    );
  });
});
