import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { declareConflict } from '../../db/conflicts.ts';
import { holdersOf, whyNotHold } from '../../db/holding.ts';
import {
  assignReviewer,
  cancelOpenTasks,
  findTask,
  handTaskTo,
  insertTask,
  type NewSeats,
  noteRung,
  openSeats,
  type StoredPlan,
  taskClock,
} from '../../db/tasks.ts';
import { type Seat, seatsOf } from '../../domain/assignment.ts';
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
    at: MONDAY,
  });
  const assigned = (changes?: Parameters<typeof wanted>[0]) =>
    database.db.transaction((tx) => assignReviewer(tx, wanted(changes)));
  const absent = (userId: UserId, from: string, to: string, cancelledAt: string | null = null) =>
    database.db('absences').insert({
      id: randomUUID(),
      user_id: userId,
      from_at: from,
      to_at: to,
      reason: 'leave',
      planned_by: userId,
      planned_at: from,
      cancelled_at: cancelledAt,
    });
  const open = (seats: readonly Seat[], changes: Partial<NewSeats> = {}) =>
    database.db.transaction((tx) =>
      openSeats(tx, {
        applicationId,
        officeId: type.officeId,
        round: 1,
        stage: STAGE,
        seats,
        preferred: new Map(),
        at: MONDAY,
        budgetMs: 1000,
        usedMs: 0,
        plan: PLAN,
        calendarVersion: 3,
        ...changes,
      }),
    );
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

    it('whoever is absent then; before and after, and when it was cancelled, is fine', async () => {
      const reviewer = await staff();
      await absent(reviewer, '2026-02-28T00:00:00Z', MONDAY);
      await absent(reviewer, '2026-03-02T02:00:00.001Z', '2026-03-09T00:00:00Z');
      await absent(reviewer, MONDAY, '2026-03-09T00:00:00Z', '2026-03-01T00:00:00Z');
      assert.equal(await assigned(), reviewer);
      await absent(reviewer, MONDAY, '2026-03-02T02:00:00.001Z');
      assert.equal(await assigned({ preferred: reviewer }), null);
    });

    it('whoever declared a conflict, in this case only; the reason is not in the event', async () => {
      const reviewer = await staff();
      const conflict = { applicationId, userId: reviewer, reason: 'my cousin', at: MONDAY };
      assert.equal(await declareConflict(database.db, conflict), true);
      assert.equal(await declareConflict(database.db, { ...conflict, reason: 'again' }), false);
      assert.equal(await assigned({ preferred: reviewer }), null);
      assert.equal(await assigned({ id: await aCase() }), reviewer);
      const events = await database.db('events').where({ type: 'conflict.declared', application_id: applicationId });
      assert.deepEqual(
        events.map(({ actor_id, data, public: shown }) => [actor_id, data, shown]),
        [[reviewer, {}, false]],
      );
    });

    it('who is not wanted, though the records would have them', async () => {
      const [first, second] = [await staff(), await staff()];
      await busyWith(second, 1);
      const without = (except: ReadonlySet<UserId>, preferred: UserId | null = null) =>
        database.db.transaction((tx) => assignReviewer(tx, { ...wanted(), preferred, except }));
      assert.equal(await without(new Set([first])), second);
      assert.equal(await without(new Set([first]), first), second);
      assert.equal(await without(new Set([first, second])), null);
    });

    it('on an appeal, whoever held any stage before it; those who came after it may return', async () => {
      const [before, after] = [await staff(), await staff()];
      await holds(database.db, applicationId, before, STAGE);
      assert.equal(await assigned({ preferred: before }), before);
      await database.db('applicant_statements').insert({
        id: randomUUID(),
        application_id: applicationId,
        kind: 'appeal',
        round: 1,
        said_by: owner,
        said_at: MONDAY,
        text: 'They were wrong.',
      });
      await holds(database.db, applicationId, after, STAGE);
      await database.db('task_holders').where({ user_id: after }).update({ round: 2 });
      assert.equal(await assigned({ preferred: after }), after);
      assert.deepEqual(await holdersOf(database.db, applicationId), new Set([before, after]));
      await busyWith(after, 3);
      assert.equal(await assigned({ preferred: before }), after);
    });
  });

  describe('that are opened at the same time', () => {
    const openAtOnce = (ids: readonly ApplicationId[]) =>
      Promise.all(
        ids.map(async (id) => (await open([{ seat: 1, role: 'verifier' }], { applicationId: id }))[0]?.assignee),
      );
    const cases = (count: number) => Promise.all(Array.from({ length: count }, aCase));

    it('go to different idle reviewers', async () => {
      const reviewers = await Promise.all(Array.from({ length: 8 }, () => staff()));
      const holders = await openAtOnce(await cases(8));
      assert.deepEqual(holders.toSorted(), reviewers.toSorted());
    });

    it('are spread evenly: eight cases over two reviewers are four each', async () => {
      const reviewers = [await staff(), await staff()];
      const holders = await openAtOnce(await cases(8));
      for (const reviewer of reviewers) assert.equal(holders.filter((holder) => holder === reviewer).length, 4);
    });

    it('are handed over evenly as well: six that are overdue at once are three for each supervisor', async () => {
      const supervisors = [await staff({ role: 'supervisor' }), await staff({ role: 'supervisor' })];
      const overdue = await cases(6);
      for (const id of overdue) await insertTask(database.db, newTask(id, null));
      const holders = await Promise.all(
        overdue.map((id) =>
          database.db.transaction(async (tx) => {
            const assignee = await assignReviewer(tx, { ...wanted({ id }), role: 'supervisor' });
            await handTaskTo(tx, { applicationId: id, round: 1, stage: STAGE, assignee, at: MONDAY });
            return assignee;
          }),
        ),
      );
      for (const supervisor of supervisors) assert.equal(holders.filter((holder) => holder === supervisor).length, 3);
    });

    it('by roles in another order never wait for each other', async () => {
      const { officeId } = type;
      for (const role of ['verifier', 'examiner', 'approver'] as const) await staff({ role });
      const seats = (roles: readonly Seat['role'][]) => roles.map((role, index) => ({ seat: index + 1, role }));
      const orders = [seats(['verifier', 'examiner', 'approver']), seats(['approver', 'examiner', 'verifier'])];
      const made = await cases(12);
      const opened = await Promise.all(
        made.map((id, index) => open(orders[index % 2] ?? [], { applicationId: id, officeId })),
      );
      assert.ok(opened.flat().every(({ assignee }) => assignee !== null));
    });
  });

  describe('of a quorum', () => {
    const HIGH = seatsOf({
      stage: 'approval',
      role: 'approver',
      sharePercent: 20,
      quorum: { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' },
    });
    const approval = (changes: Partial<NewSeats> = {}) => open(HIGH, { stage: 'approval', ...changes });

    it('have a seat each, with a person of its own; the head sits in the seat of the head', async () => {
      // First by the rules in every seat, if the rules let them.
      const both = await staff({ role: 'approver' });
      await database
        .db('users')
        .where({ id: both })
        .update({ roles: ['approver', 'head'] });
      const [first, second] = [await staff({ role: 'approver' }), await staff({ role: 'approver' })];
      const seats = await approval();
      assert.deepEqual(
        seats.map(({ seat }) => seat),
        [1, 2, 3],
      );
      assert.equal(seats[0]?.assignee, both);
      assert.deepEqual(seats.map(({ assignee }) => assignee).toSorted(), [both, first, second].toSorted());
      const task = await findTask(database.db, applicationId, 1, 'approval');
      assert.deepEqual(
        task?.seats.map(({ seat, role, assignee, state }) => [seat, role, assignee, state]),
        seats.map(({ seat, assignee }) => [seat, seat === 1 ? 'head' : 'approver', assignee, 'open']),
      );
      const row = await database.db('tasks').where({ application_id: applicationId }).first('calendar_version');
      assert.equal(row?.calendar_version, 3);
    });

    it('wait for a supervisor where there are fewer people than seats', async () => {
      const [head, approver] = [await staff({ role: 'head' }), await staff({ role: 'approver' })];
      assert.deepEqual(
        (await approval()).map(({ assignee }) => assignee),
        [head, approver, null],
      );
    });

    it('go back to whoever sat there, each in their own seat', async () => {
      const people = [];
      for (const role of ['head', 'approver', 'approver'] as const) people.push(await staff({ role }));
      const [head = assert.fail(), second = assert.fail(), third = assert.fail()] = people;
      await database.db('users').where({ id: third }).update({ last_assigned_at: '2026-02-01T00:00:00Z' });
      // By the rules alone the second seat would go to one who is expected in the third.
      const seats = await approval({ preferred: new Map([[3, second]]) });
      assert.deepEqual(
        seats.map(({ assignee }) => assignee),
        [head, third, second],
      );
    });

    it('go on a breach to as many supervisors as there are, one seat each', async () => {
      for (const role of ['head', 'approver', 'approver'] as const) await staff({ role });
      const supervisors = [await staff({ role: 'supervisor' }), await staff({ role: 'supervisor' })];
      await approval();
      const handed: (UserId | null)[] = [];
      for (const seat of [1, 2, 3])
        await database.db.transaction(async (tx) => {
          const at = { ...wanted({ stage: 'approval' }), role: 'supervisor' as const, seat };
          const assignee = await assignReviewer(tx, at);
          await handTaskTo(tx, { ...at, round: 1, assignee });
          handed.push(assignee);
        });
      assert.deepEqual(handed.slice(0, 2).toSorted(), supervisors.toSorted());
      assert.equal(handed[2], null);
      const row = await database.db('applications').where({ id: applicationId }).first('assignee_id');
      assert.equal(row?.assignee_id, handed[0]);
    });

    it('never let one person hold two seats, whatever the code above does', async () => {
      const approver = await staff({ role: 'approver' });
      await insertTask(database.db, { ...newTask(applicationId, approver), stage: 'approval' });
      const second = { ...newTask(applicationId, approver), stage: 'approval', seat: 2 } as const;
      await assert.rejects(insertTask(database.db, second), /tasks_one_a_person/);
    });

    it('have one clock, which runs until the last seat is closed', async () => {
      await approval();
      const close = (seat: number, closed_at: string) =>
        database.db('tasks').where({ application_id: applicationId, seat }).update({ state: 'decided', closed_at });
      await close(1, '2026-03-02T05:00:00Z');
      await close(2, '2026-03-02T03:00:00Z');
      assert.equal((await taskClock(database.db, applicationId, 1, 'approval')).closedAt, null);
      await cancelOpenTasks(database.db, applicationId, '2026-03-02T05:00:00Z');
      const { closedAt } = await taskClock(database.db, applicationId, 1, 'approval');
      assert.equal(closedAt?.toISOString(), '2026-03-02T05:00:00.000Z');
    });
  });

  it('are never two open ones of a case', async () => {
    await insertTask(database.db, newTask(applicationId, null));
    const second = { ...newTask(applicationId, null), stage: 'approval' as const };
    await assert.rejects(insertTask(database.db, second), /tasks_one_open/);
  });

  describe('handed over', () => {
    it('may be to the role or a supervisor of the office; everybody else is told why not', async () => {
      const why = (userId: UserId, seat = 1) =>
        whyNotHold(database.db, { ...wanted(), userId, seat, round: 1, at: MONDAY });
      const [verifier, supervisor, examiner] = [
        await staff(),
        await staff({ role: 'supervisor' }),
        await staff({ role: 'examiner' }),
      ];
      assert.deepEqual([await why(verifier), await why(supervisor)], [null, null]);
      assert.equal(await why(examiner), 'reviewer_not_eligible');
      assert.equal(await why(await aUser(database.db, 'verifier')), 'reviewer_not_eligible');
      assert.equal(await why(owner), 'own_application');
      await database.db('company_members').insert({ company_id: companyId, user_id: examiner });
      assert.equal(await why(examiner), 'own_application');

      const disabled = await staff();
      await database.db('users').where({ id: disabled }).update({ status: 'disabled' });
      assert.equal(await why(disabled), 'reviewer_not_eligible');
      await holds(database.db, applicationId, supervisor, 'approval');
      assert.equal(await why(supervisor), 'already_acted');
      const conflicted = await staff();
      await declareConflict(database.db, { applicationId, userId: conflicted, reason: 'friend', at: MONDAY });
      assert.equal(await why(conflicted), 'conflict_declared');
      const away = await staff();
      await absent(away, MONDAY, '2026-03-09T00:00:00Z');
      assert.equal(await why(away), 'reviewer_not_eligible');

      // One vote each: the seat that is theirs is theirs, another one is not, not even once they have voted.
      await insertTask(database.db, newTask(applicationId, verifier));
      assert.deepEqual([await why(verifier), await why(verifier, 2)], [null, 'already_acted']);
      await database.db('tasks').where({ application_id: applicationId }).update({ state: 'decided' });
      assert.equal(await why(verifier, 2), 'already_acted');
      await database.db('tasks').where({ application_id: applicationId }).update({ round: 2 });
      assert.equal(await why(verifier, 2), null);
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

    it('may be to nobody: then they wait for a supervisor', async () => {
      const reviewer = await staff();
      await insertTask(database.db, newTask(applicationId, reviewer));
      const move = { applicationId, round: 1, stage: STAGE, seat: 1, assignee: null, at: MONDAY };
      assert.equal(await handTaskTo(database.db, move), true);
      const row = await database.db('applications').where({ id: applicationId }).first('assignee_id');
      assert.equal(row?.assignee_id, null);
      assert.deepEqual(await holdersOf(database.db, applicationId), new Set([reviewer]));
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
