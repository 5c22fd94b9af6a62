import assert from 'node:assert/strict';
import { recordEvent } from '../../db/events.ts';
import { workingCalendarOf } from '../../db/offices.ts';
import { resumeClock, startLegalClock, suspendClock } from '../../db/suspensions.ts';
import { insertTask, noteRung, storedPlan } from '../../db/tasks.ts';
import { DEFAULT_LADDER, planTask, stageBudgetMs } from '../../domain/escalation.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import { closed, publish } from '../builders/calendars.ts';
import { aCompany, aLicenseType, anApplication, type LicenseTypeRow } from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const HOUR = 3_600_000;
const COMPLETE = '2026-03-02T10:00:00+07:00';

interface Body {
  readonly dueAt: string | null;
  readonly calendarVersion: number;
  readonly clock: {
    readonly budgetMs: number;
    readonly rungs: readonly { readonly code: string; readonly at: string; readonly firedAt: string | null }[];
    readonly next: Readonly<Record<string, unknown>> | null;
    readonly calendarVersion: number;
  } | null;
  readonly legal: {
    readonly dueAt: string | null;
    readonly endedAt: string | null;
    readonly budgetMs: number;
    readonly workingDays: number;
    readonly officeMs: number;
    readonly leftMs: number;
    readonly applicantMs: number;
    readonly applicantCalendarMs: number;
    readonly suspended: boolean;
    readonly suspensions: readonly Readonly<Record<string, unknown>>[];
    readonly holidays: readonly { readonly date: string }[];
  } | null;
  readonly explanation: readonly {
    readonly date: string;
    readonly from: string;
    readonly to: string;
    readonly workingMs: number;
  }[];
}

describe('why a case is due then, over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let examiner: TestPerson;
  let supervisor: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    examiner = await api.person('examiner');
    supervisor = await api.person('supervisor');
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
    // A Thursday in the second week: whoever started on the 2nd is moved by it.
    await publish(database.db, type.officeId, supervisor.id, {
      closures: [closed('2026-03-12', 'national', 'Hari Uji')],
    });
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const deadline = async (id: ApplicationId, as = supervisor): Promise<Body> => {
    const { status, body } = await api.call(`/licenses/applications/${id}/deadline`, { as });
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as Body;
  };

  async function aCase(state: ApplicationState = 'compliance_check'): Promise<ApplicationId> {
    const id = await anApplication(database.db, { companyId, type, applicantId: owner.id, state, at: COMPLETE });
    await database.db.transaction((tx) =>
      startLegalClock(tx, { applicationId: id, officeId: type.officeId, legalWorkingDays: 10, at: COMPLETE }),
    );
    return id;
  }

  async function atStage(id: ApplicationId, at: string): Promise<void> {
    await database.db.transaction(async (tx) => {
      const { calendar, version } = await workingCalendarOf(tx, type.officeId);
      const budgetMs = stageBudgetMs(10, 20, calendar);
      const legalDueAt = Date.parse('2026-03-19T10:00:00+07:00');
      const about = { openedAt: Date.parse(at), budgetMs, usedMs: 0, ladder: DEFAULT_LADDER, legalDueAt };
      const plan = storedPlan(planTask(calendar, about), calendar.zone);
      const task = { applicationId: id, round: 1, stage: 'compliance_check', role: 'examiner' } as const;
      const times = { at, budgetMs, usedMs: 0, plan, calendarVersion: version };
      await insertTask(tx, { ...task, assignee: examiner.id, ...times });
      await noteRung(tx, { ...task, code: 'half', at: '2026-03-09T09:00:00+07:00' });
    });
  }

  const corrected = async (id: ApplicationId, from: string, to: string | null) => {
    await database.db.transaction((tx) =>
      suspendClock(tx, {
        applicationId: id,
        reason: 'correction',
        stage: 'compliance_check',
        round: 1,
        by: examiner.id,
        at: from,
      }),
    );
    if (to) await database.db.transaction((tx) => resumeClock(tx, { applicationId: id, at: to }));
  };

  it('tells what the law gives, what was used by whom, and each holiday that moved it', async () => {
    const id = await aCase();
    await corrected(id, '2026-03-03T10:00:00+07:00', '2026-03-05T12:00:00+07:00');
    const { legal, calendarVersion, clock } = await deadline(id);
    assert.ok(legal);
    const { officeMs, leftMs, suspensions, ...rest } = legal;
    assert.deepEqual(rest, {
      startedAt: '2026-03-02T10:00:00+07:00',
      dueAt: '2026-03-19T12:00:00+07:00',
      endedAt: null,
      workingDays: 10,
      budgetMs: 80 * HOUR,
      applicantMs: 18 * HOUR,
      applicantCalendarMs: 50 * HOUR,
      suspended: false,
      holidays: [{ date: '2026-03-12', reason: 'Hari Uji' }],
    });
    assert.ok(officeMs > 80 * HOUR && leftMs === 0, 'it was due long ago');
    assert.deepEqual(suspensions, [
      {
        reason: 'correction',
        stage: 'compliance_check',
        round: 1,
        by: { id: examiner.id, name: examiner.name },
        from: '2026-03-03T10:00:00+07:00',
        to: '2026-03-05T12:00:00+07:00',
        workingMs: 18 * HOUR,
        calendarMs: 50 * HOUR,
      },
    ]);
    assert.deepEqual([calendarVersion, clock], [2, null]);
  });

  it('explains itself day by day, and the days add up to what the law gives', async () => {
    const id = await aCase();
    await corrected(id, '2026-03-03T10:00:00+07:00', '2026-03-05T12:00:00+07:00');
    const { explanation, legal } = await deadline(id);
    assert.deepEqual(
      explanation.slice(0, 3).map(({ date, workingMs }) => [date, workingMs / HOUR]),
      [
        ['2026-03-02', 6],
        ['2026-03-03', 2],
        ['2026-03-05', 4],
      ],
    );
    assert.deepEqual(explanation.at(-1), {
      date: '2026-03-19',
      from: '2026-03-19T08:00:00+07:00',
      to: '2026-03-19T12:00:00+07:00',
      workingMs: 4 * HOUR,
    });
    assert.ok(explanation.every(({ date }) => date !== '2026-03-12'));
    assert.equal(
      explanation.reduce((sum, { workingMs }) => sum + workingMs, 0),
      legal?.budgetMs,
    );
  });

  it('has no due date while the applicant has the case, and explains what was used', async () => {
    const id = await aCase('correction_requested');
    await corrected(id, '2026-03-03T10:00:00+07:00', null);
    const { legal, explanation } = await deadline(id);
    assert.deepEqual(
      [legal?.dueAt, legal?.suspended, legal?.officeMs, legal?.leftMs],
      [null, true, 8 * HOUR, 72 * HOUR],
    );
    assert.equal(
      explanation.reduce((sum, { workingMs }) => sum + workingMs, 0),
      8 * HOUR,
    );
  });

  it('tells which rungs of the stage have fired, which fires next, and by which calendar that was planned', async () => {
    const id = await aCase();
    await atStage(id, '2026-03-06T10:00:00+07:00');
    const { clock, dueAt } = await deadline(id);
    assert.ok(clock);
    assert.equal(dueAt, '2026-03-10T10:00:00+07:00');
    assert.deepEqual(
      clock.rungs.map(({ code, at, firedAt }) => [code, at.slice(5, 16), firedAt?.slice(5, 16) ?? null]),
      [
        ['half', '03-09T10:00', '03-09T09:00'],
        ['at_risk', '03-09T14:48', null],
        ['breach', '03-10T10:00', null],
        ['head', '03-11T10:00', null],
        ['last_day', '03-19T08:00', null],
      ],
    );
    assert.deepEqual(clock.next, {
      code: 'at_risk',
      percent: 80,
      action: 'warn_supervisor',
      at: '2026-03-09T14:48:00+07:00',
    });
    assert.deepEqual([clock.budgetMs, clock.calendarVersion], [16 * HOUR, 2]);
  });

  it('counts no further than the office had to decide', async () => {
    const id = await aCase('pending_payment');
    const at = '2026-03-04T10:00:00+07:00';
    await recordEvent(database.db, { key: `decided/${id}`, type: 'decision.recorded', applicationId: id, at });
    const { legal } = await deadline(id);
    assert.deepEqual([legal?.officeMs, legal?.endedAt, legal?.leftMs], [16 * HOUR, at, 64 * HOUR]);
  });

  it('does not tell an applicant who in the office asked', async () => {
    const id = await aCase();
    await corrected(id, '2026-03-03T10:00:00+07:00', '2026-03-05T12:00:00+07:00');
    const { legal } = await deadline(id, owner);
    assert.equal(legal?.suspensions.length, 1);
    assert.ok(!JSON.stringify(legal).includes(examiner.name));
  });

  it('knows nothing of a draft, and what there is to know of a case of before', async () => {
    const draft = await anApplication(database.db, { companyId, type, applicantId: owner.id });
    const { legal, clock, explanation } = await deadline(draft, owner);
    assert.deepEqual([legal, clock, explanation], [null, null, []]);
    const old = await anApplication(database.db, { companyId, type, applicantId: owner.id, state: 'compliance_check' });
    await atStage(old, '2026-03-06T10:00:00+07:00');
    assert.deepEqual([(await deadline(old)).legal, (await deadline(old)).dueAt], [null, '2026-03-10T10:00:00+07:00']);
  });
});
