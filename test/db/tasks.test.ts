import assert from 'node:assert/strict';
import { assignReviewer, handTaskTo, insertTask, isEligible, noteRung, type StoredPlan } from '../../db/tasks.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { Stage } from '../../domain/licensing.ts';
import type { Role } from '../../domain/roles.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aTask,
  aUser,
  holds,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const STAGE: Stage = 'document_verification';
const PLAN: StoredPlan = { dueAt: '2026-03-03T10:00:00+07:00', rungs: [], skipped: [] };

describe('the tasks of reviewers', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
  });
  after(() => database?.drop());

  // An office of its own for each test: nobody else's reviewers get in the way.
  beforeEach(async () => {
    type = await aLicenseType(database.db);
    applicationId = await aCase();
  });

  const aCase = () => anApplication(database.db, { companyId, type, applicantId: owner, state: 'completeness' });
  const staff = async (given: { role?: Role; lastAssignedAt?: string } = {}): Promise<UserId> => {
    const id = await aUser(database.db, given.role ?? 'verifier');
    await database
      .db('users')
      .where({ id })
      .update({ office_id: type.officeId, last_assigned_at: given.lastAssignedAt ?? null });
    return id;
  };
  const busyWith = async (assigneeId: UserId, count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1)
      await aTask(database.db, { applicationId: await aCase(), stage: STAGE, assigneeId, dueAt: MONDAY });
  };
  const wanted = (changes: { id?: ApplicationId; preferred?: UserId; stage?: Stage } = {}) => ({
    applicationId: changes.id ?? applicationId,
    stage: changes.stage ?? STAGE,
    role: 'verifier' as const,
    officeId: type.officeId,
    preferred: changes.preferred ?? null,
  });
  const assigned = (changes?: Parameters<typeof wanted>[0]) =>
    database.db.transaction((tx) => assignReviewer(tx, wanted(changes)));
  const newTask = (id: ApplicationId, assignee: UserId | null) => ({
    ...wanted({ id }),
    round: 1,
    assignee,
    at: MONDAY,
    budgetMs: 1000,
    usedMs: 0,
    plan: PLAN,
  });

  describe('go to', () => {
    it('whoever has the least open work', async () => {
      const [busy, idle, busier] = [await staff(), await staff(), await staff()];
      await busyWith(busy, 2);
      await busyWith(idle, 1);
      await busyWith(busier, 3);
      assert.equal(await assigned(), idle);
    });

    it('whoever was assigned longest ago when the work is the same, and first whoever never was', async () => {
      await staff({ lastAssignedAt: '2026-02-02T00:00:00Z' });
      const longAgo = await staff({ lastAssignedAt: '2026-02-01T00:00:00Z' });
      assert.equal(await assigned(), longAgo);
      const never = await staff();
      assert.equal(await assigned(), never);
    });

    it('the lower ID when everything is the same', async () => {
      const both = [await staff(), await staff()];
      assert.equal(await assigned(), both.toSorted()[0]);
    });

    it('the reviewer who asked for the correction, busy or not', async () => {
      const [asked] = [await staff(), await staff()];
      await busyWith(asked, 4);
      assert.equal(await assigned({ preferred: asked }), asked);
    });

    it('nobody when nobody is free: the queue of the supervisor', async () => {
      assert.equal(await assigned(), null);
    });
  });

  describe('never go to', () => {
    it('the applicant', async () => {
      const applicant = await staff();
      const id = await anApplication(database.db, { companyId, type, applicantId: applicant, state: 'completeness' });
      assert.equal(await assigned({ id, preferred: applicant }), null);
    });

    it('a person of the company', async () => {
      const member = await staff();
      await database.db('company_members').insert({ company_id: companyId, user_id: member });
      assert.equal(await assigned({ preferred: member }), null);
    });

    it('whoever held another stage of the case; the same stage again is fine', async () => {
      const holder = await staff();
      await holds(database.db, applicationId, holder, STAGE);
      assert.equal(await assigned(), holder);
      assert.equal(await assigned({ stage: 'approval', preferred: holder }), null);
    });

    it('another office, another role, or a disabled account', async () => {
      await aUser(database.db, 'verifier');
      await staff({ role: 'examiner' });
      const disabled = await staff();
      await database.db('users').where({ id: disabled }).update({ status: 'disabled' });
      assert.equal(await assigned({ preferred: disabled }), null);
    });
  });

  it('that are opened at the same time go to different idle reviewers', async () => {
    const reviewers = await Promise.all(Array.from({ length: 8 }, () => staff()));
    const cases = await Promise.all(reviewers.map(aCase));
    const holders = await Promise.all(
      cases.map((id) =>
        database.db.transaction(async (tx) => {
          const assignee = await assignReviewer(tx, wanted({ id }));
          await insertTask(tx, newTask(id, assignee));
          return assignee;
        }),
      ),
    );
    assert.deepEqual(holders.toSorted(), reviewers.toSorted());
  });

  it('are never two open ones of a case', async () => {
    await insertTask(database.db, newTask(applicationId, null));
    const second = { ...newTask(applicationId, null), stage: 'approval' as const };
    await assert.rejects(insertTask(database.db, second), /tasks_one_open/);
  });

  describe('handed over', () => {
    it('may be to the role or a supervisor, not to whoever is involved already', async () => {
      const [verifier, supervisor, examiner] = [
        await staff(),
        await staff({ role: 'supervisor' }),
        await staff({ role: 'examiner' }),
      ];
      const eligible = (userId: UserId) => isEligible(database.db, { ...wanted(), userId });
      assert.deepEqual(
        [await eligible(verifier), await eligible(supervisor), await eligible(examiner)],
        [true, true, false],
      );
      await holds(database.db, applicationId, supervisor, 'approval');
      assert.equal(await eligible(supervisor), false);
      assert.equal(await eligible(owner), false);
    });

    it('move with the case, and both people stay known as holders', async () => {
      const [first, second] = [await staff(), await staff()];
      await insertTask(database.db, newTask(applicationId, first));
      const move = { applicationId, round: 1, stage: STAGE, assignee: second, at: MONDAY };
      assert.equal(await handTaskTo(database.db, move), true);
      const holders = await database.db('task_holders').where({ application_id: applicationId }).pluck('user_id');
      assert.deepEqual(holders.toSorted(), [first, second].toSorted());
      const row = await database.db('applications').where({ id: applicationId }).first('assignee_id');
      assert.equal(row?.assignee_id, second);
    });

    it('are not when they are no longer open', async () => {
      const reviewer = await staff();
      await insertTask(database.db, newTask(applicationId, null));
      await database.db('tasks').where({ application_id: applicationId }).update({ state: 'decided' });
      const move = { applicationId, round: 1, stage: STAGE, assignee: reviewer, at: MONDAY };
      assert.equal(await handTaskTo(database.db, move), false);
      assert.deepEqual(await database.db('task_holders').where({ application_id: applicationId }), []);
    });
  });

  it('climb a rung once a stage and round, though ten try at once', async () => {
    const rung = { applicationId, round: 1, stage: STAGE, code: 'half' as const, at: MONDAY };
    const noted = await Promise.all(Array.from({ length: 10 }, () => noteRung(database.db, rung)));
    assert.equal(noted.filter(Boolean).length, 1);
    assert.equal(await noteRung(database.db, { ...rung, round: 2 }), true);
    assert.equal(await noteRung(database.db, { ...rung, stage: 'approval' }), true);
  });
});
