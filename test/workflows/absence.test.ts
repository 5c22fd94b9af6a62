import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { decideAudit, openPostAudit } from '../../db/post-audits.ts';
import { planMove } from '../../db/task-moves.ts';
import { type AbsenceId, asId, type TaskMoveId, type UserId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { SCHEDULES } from '../../worker/schedules.ts';
import { absenceProcessId } from '../../workflows/ids.ts';
import { aCompany, aLicenseType, anApplication, aUser } from '../builders/licensing.ts';
import { aColleague, anAbsence, casesWith, holdersOfCases, retire } from '../builders/people.ts';
import { idShape, type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const inDays = (days: number): string => new Date(Date.now() + days * DAY * 1000).toISOString();

describe('an absence', () => {
  let system: TestSystem;
  let story: Story;
  let leaver: UserId;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
    await retire(db(), demoUserId('verifier'));
  });
  after(() => system?.close());
  beforeEach(async () => {
    leaver = await aColleague(db(), 'verifier');
  });
  afterEach(async () => {
    const verifiers = await db()('users').whereRaw("roles @> array['verifier']").pluck<UserId[]>('id');
    await retire(db(), ...verifiers);
  });

  const db = () => system.database.db;
  const plan = async (from: string, to: string): Promise<string> => {
    const asked = { as: 'supervisor', body: { userId: leaver, from, to, reason: 'leave' } } as const;
    return idShape.parse((await story.expect(201, story.call('POST', 'admin/absences', asked))).body).id;
  };
  const processOf = (id: string) => absenceProcessId(asId<AbsenceId>(id));
  const outcome = (id: string): Promise<unknown> => system.client.workflow.getHandle(processOf(id)).result();
  const movesFor = (id: string) =>
    db()('task_moves').where({ absence_id: id }).select('moved', 'stayed', 'finished_at');
  const lettersTo = (userId: UserId): Promise<{ template: string; data: Record<string, unknown> }[]> =>
    db()('account_letters').where({ user_id: userId }).orderBy('template').select('template', 'data');

  it('waits for its day, then moves every open task and tells whom it concerns, once', async () => {
    const ids = await casesWith(story, db(), leaver, 2);
    const colleague = await aColleague(db(), 'verifier');
    const [from, to] = [inDays(3), inDays(10)];
    const id = await plan(from, to);
    await travel(system.client, processOf(id), 2 * DAY);
    assert.deepEqual([await movesFor(id), await holdersOfCases(db(), ids)], [[], [leaver, leaver]]);

    await travel(system.client, processOf(id), 1 * DAY + 60);
    assert.deepEqual(await outcome(id), { state: 'begun' });
    assert.deepEqual(await holdersOfCases(db(), ids), [colleague, colleague]);
    const [move] = await movesFor(id);
    assert.deepEqual([move.moved, move.stayed], [2, 0]);
    const events = await db()('events').whereIn('application_id', ids).where({ type: 'task.reassigned' });
    assert.deepEqual(
      events.map(({ data, actor_id }) => [data.kind, data.reason, actor_id]),
      Array(2).fill(['absence', 'absence', demoUserId('supervisor')]),
    );

    const counts = { from, to, moved: 2, queued: 0, stayed: 0 };
    assert.deepEqual(await lettersTo(leaver), [{ template: 'absence_began', data: counts }]);
    assert.deepEqual(await lettersTo(colleague), [{ template: 'tasks_moved', data: { count: 2 } }]);
    const told = await lettersTo(demoUserId('supervisor'));
    assert.deepEqual(
      told.filter(({ data }) => data['absentee'] === leaver),
      [{ template: 'absence_of_staff', data: { ...counts, absentee: leaver } }],
    );
  });

  it('keeps tasks away while it lasts, also by name; ended early, they come again', async () => {
    const colleague = await aColleague(db(), 'verifier');
    const id = await plan(new Date().toISOString(), inDays(1));
    assert.deepEqual(await outcome(id), { state: 'begun' });
    // By the rules the second would be the absent one's: they have no work at all.
    const ids = await casesWith(story, db(), colleague, 2);
    const [first = assert.fail()] = ids;
    const reassign = { as: 'supervisor', body: { userId: leaver, reason: 'ask them' } } as const;
    const refused = await story.expect(422, story.call('POST', `licenses/reassign/${first}`, reassign));
    assert.match(JSON.stringify(refused.body), /reviewer_not_eligible/);

    await story.expect(204, story.call('DELETE', `admin/absences/${id}`, { as: 'supervisor' }));
    await casesWith(story, db(), leaver, 1);
    await story.expect(200, story.call('POST', `licenses/reassign/${first}`, reassign));
  });

  it('that is cancelled before its day moves nothing and ends at once', async () => {
    const ids = await casesWith(story, db(), leaver, 1);
    const id = await plan(inDays(2), inDays(3));
    await story.expect(204, story.call('DELETE', `admin/absences/${id}`, { as: 'supervisor' }));
    assert.deepEqual(await outcome(id), { state: 'cancelled' });
    assert.deepEqual([await movesFor(id), await holdersOfCases(db(), ids)], [[], [leaver]]);
  });

  it('reads from the record that it was cancelled, if nobody could tell it', async () => {
    const id = await plan(inDays(2), inDays(3));
    await db()('absences').where({ id }).update({ cancelled_at: new Date() });
    await travel(system.client, processOf(id), 2 * DAY + 60);
    assert.deepEqual(await outcome(id), { state: 'cancelled' });
    assert.deepEqual(await movesFor(id), []);
  });

  describe('or a move of tasks that no process has in hand', () => {
    const sweep = (): Promise<unknown> => {
      const workflowId = `people-watch-${randomUUID()}`;
      return system.client.workflow.execute('peopleWatch', { workflowId, taskQueue: system.taskQueue });
    };
    const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

    it('is looked for together with proposals of failed audits that wait: supervisors are written to once a week', async () => {
      const type = await aLicenseType(db());
      const [owner, examiner] = [await aUser(db(), 'owner'), await aUser(db(), 'examiner')];
      const head = await aUser(db(), 'head');
      await db()('users').where({ id: head }).update({ office_id: type.officeId });
      const companyId = await aCompany(db(), owner);
      const applicationId = await anApplication(db(), { companyId, type, applicantId: owner, state: 'active' });
      await db().transaction((tx) => openPostAudit(tx, { applicationId, kind: 'deemed', at: inDays(-9) }));
      const { id } = await db()('post_audits').where({ application_id: applicationId }).first('id');
      const decision = { id, by: examiner, requestKey: randomUUID(), at: inDays(-8), findings: 'lokasi fiktif' };
      await db().transaction((tx) => decideAudit(tx, { ...decision, outcome: 'failed' }));
      const letters = async () => (await db()('account_letters').where({ user_id: head })).length;
      assert.equal(await letters(), 1);
      await sweep();
      await sweep();
      assert.equal(await letters(), 2);
    });

    it('is started by the sweep of the minute, once', async () => {
      const [from, at] = [ago(2), ago(2)];
      const absenceId = await anAbsence(db(), leaver, { from, to: inDays(1), plannedAt: at });
      const moveId = asId<TaskMoveId>(randomUUID());
      const by = demoUserId('admin');
      await planMove(db(), { id: moveId, from: leaver, to: null, absenceId: null, reason: 'account disabled', by, at });
      // Not yet: too young, still to come, over, or cancelled.
      await anAbsence(db(), leaver, { from: ago(0.5), to: inDays(1), plannedAt: at });
      await anAbsence(db(), leaver, { from, to: inDays(1), plannedAt: ago(0.5) });
      await anAbsence(db(), leaver, { from: inDays(1), to: inDays(2), plannedAt: at });
      await anAbsence(db(), leaver, { from: inDays(-2), to: ago(1), plannedAt: at });
      const cancelled = await anAbsence(db(), leaver, { from, to: inDays(1), plannedAt: at });
      await db()('absences').where({ id: cancelled }).update({ cancelled_at: at });

      assert.deepEqual(await sweep(), { started: 2 });
      await eventually('both to be done', async () => {
        const moves = await db()('task_moves')
          .where({ from_user: leaver })
          .whereNotNull('finished_at')
          .pluck('absence_id');
        return moves.length === 2 && moves.includes(absenceId) && moves.includes(null);
      });
      assert.deepEqual(await sweep(), { started: 0 });
    });

    it('is looked for by a schedule', () => {
      const entries = SCHEDULES.filter(({ workflowType }) => workflowType === 'peopleWatch');
      assert.deepEqual(
        entries.map(({ spec }) => spec.intervals),
        [[{ every: '1 minute' }]],
      );
    });
  });
});
