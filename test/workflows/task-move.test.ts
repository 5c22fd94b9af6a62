import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { createTaskMoveActivities, type TaskErrand } from '../../activities/task-moves.ts';
import { declareConflict } from '../../db/conflicts.ts';
import { planMove } from '../../db/task-moves.ts';
import { type ApplicationId, asId, type TaskMoveId, type UserId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { licenseReviewId, taskMoveProcessId } from '../../workflows/ids.ts';
import { aCaseWithoutProcess, aColleague, casesWith, holdersOfCases, retire } from '../builders/people.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const moveShape = z.looseObject({
  id: z.string(),
  moved: z.number(),
  stayed: z.number(),
  finishedAt: z.string().nullable(),
  cases: z
    .array(z.object({ applicationId: z.string(), round: z.number(), stage: z.string(), code: z.string() }))
    .optional(),
});

describe('moving all open tasks of a person', () => {
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
  // The verifiers of one test get no tasks of the next.
  afterEach(async () => {
    const verifiers = await db()('users').whereRaw("roles @> array['verifier']").pluck<UserId[]>('id');
    await retire(db(), ...verifiers);
  });

  const db = () => system.database.db;
  const start = async (body: object): Promise<string> => {
    const asked = { as: 'supervisor', body: { fromUserId: leaver, reason: 'reorganised', ...body } } as const;
    return moveShape.parse((await story.expect(202, story.call('POST', 'admin/task-moves', asked))).body).id;
  };
  const read = async (id: string) =>
    moveShape.parse((await story.expect(200, story.call('GET', `admin/task-moves/${id}`, { as: 'supervisor' }))).body);
  const finished = (id: string) =>
    eventually('the move to be finished', async () => {
      const move = await read(id);
      return move.finishedAt === null ? null : move;
    });
  const handOversOf = (id: string): Promise<{ data: { to: UserId | null; kind: string } }[]> =>
    db()('events').where({ application_id: id, type: 'task.reassigned' }).select('data');
  const letters = (userId: UserId) =>
    db()('account_letters').where({ user_id: userId }).select('template', 'data').orderBy('created_at');

  it('gives each task to the other once, and writes one letter, not one a task', async () => {
    const ids = await casesWith(story, db(), leaver, 3);
    const receiver = await aColleague(db(), 'verifier');
    const move = await finished(await start({ toUserId: receiver }));
    assert.deepEqual([move.moved, move.stayed, move.cases], [3, 0, []]);
    assert.deepEqual(await holdersOfCases(db(), ids), [receiver, receiver, receiver]);
    for (const id of ids) {
      const events = await handOversOf(id);
      assert.deepEqual(
        events.map(({ data }) => [data.to, data.kind]),
        [[receiver, 'bulk']],
      );
    }
    assert.deepEqual(await letters(receiver), [{ template: 'tasks_moved', data: { count: 3 } }]);
    const ended = await db()('events').where({ subject: `task_move/${move.id}`, type: 'task_move.finished' });
    assert.equal(ended.length, 1);
  });

  it('leaves where it is what the other may not hold, and says which and why', async () => {
    const ids = await casesWith(story, db(), leaver, 2);
    const receiver = await aColleague(db(), 'verifier');
    const [conflicted = assert.fail()] = ids;
    const applicationId = asId<ApplicationId>(conflicted);
    const at = new Date().toISOString();
    await declareConflict(db(), { applicationId, userId: receiver, reason: 'a cousin', at });
    const move = await finished(await start({ toUserId: receiver }));
    assert.deepEqual([move.moved, move.stayed], [1, 1]);
    const stayed = { applicationId, round: 1, stage: 'document_verification', code: 'conflict_declared' };
    assert.deepEqual(move.cases, [stayed]);
    assert.deepEqual(await holdersOfCases(db(), ids), [leaver, receiver]);
  });

  it('follows the rules of assignment when nobody is named, and fills the supervisor’s queue when nobody is free', async () => {
    const [first = assert.fail(), second = assert.fail()] = await casesWith(story, db(), leaver, 2);
    const queued = await finished(await start({}));
    assert.deepEqual([queued.moved, queued.stayed], [2, 0]);
    assert.deepEqual(await holdersOfCases(db(), [first, second]), [null, null]);

    const third = await casesWith(story, db(), leaver, 2);
    const colleagues = [await aColleague(db(), 'verifier'), await aColleague(db(), 'verifier')];
    await finished(await start({}));
    assert.deepEqual((await holdersOfCases(db(), third)).toSorted(), colleagues.toSorted());
  });

  it('moves each once though two are asked for at once', async () => {
    const ids = await casesWith(story, db(), leaver, 4);
    const receivers = [await aColleague(db(), 'verifier'), await aColleague(db(), 'verifier')];
    const started = await Promise.all(receivers.map((toUserId) => start({ toUserId })));
    const moves = await Promise.all(started.map((id) => finished(id)));
    assert.equal(
      moves.reduce((sum, { moved }) => sum + moved, 0),
      4,
    );
    assert.equal(
      moves.reduce((sum, { stayed }) => sum + stayed, 0),
      0,
    );
    for (const id of ids) assert.equal((await handOversOf(id)).length, 1);
  });

  describe('asked of a case', () => {
    const recorded = async (to: UserId | null): Promise<TaskMoveId> => {
      const id = asId<TaskMoveId>(randomUUID());
      const by = demoUserId('supervisor');
      const at = new Date().toISOString();
      await planMove(db(), { id, from: leaver, to, absenceId: null, reason: 'leave', by, at });
      return id;
    };
    const moveNow = (moveId: TaskMoveId, errand: TaskErrand) => {
      const { moveTasks } = createTaskMoveActivities({ db: db() });
      const { client } = system;
      const at = new Date().toISOString();
      return new MockActivityEnvironment({}, { client }).run(moveTasks, {
        moveId,
        errands: [errand],
        isLastTry: true,
        at,
      });
    };
    const errandFor = (id: string): TaskErrand => ({
      applicationId: asId<ApplicationId>(id),
      round: 1,
      stage: 'document_verification',
      workflowId: licenseReviewId(asId<ApplicationId>(id)),
      update: 'reassign',
      updateId: randomUUID(),
    });
    const settled = (moveId: TaskMoveId) =>
      db()('task_move_cases').where({ move_id: moveId }).select('outcome', 'to_user', 'code');

    it('a second time, its answer is the first one: a worker that died before it was written down loses nothing', async () => {
      const [id = assert.fail()] = await casesWith(story, db(), leaver, 1);
      const receiver = await aColleague(db(), 'verifier');
      const [moveId, errand] = [await recorded(receiver), errandFor(id)];
      for (let times = 0; times < 2; times += 1) {
        assert.deepEqual(await moveNow(moveId, errand), { settled: 1 });
        assert.deepEqual(await settled(moveId), [{ outcome: 'moved', to_user: receiver, code: null }]);
        assert.equal((await read(moveId)).moved, 1);
        await db()('task_move_cases').where({ move_id: moveId }).delete();
        await db()('task_moves').where({ id: moveId }).update({ moved: 0 });
      }
      assert.equal((await handOversOf(id)).length, 1);
    });

    it('whose task is somebody else’s by now, it is no error and counts as nothing', async () => {
      const [id = assert.fail()] = await casesWith(story, db(), leaver, 1);
      const taker = await aColleague(db(), 'verifier');
      const body = { userId: taker, reason: 'urgent' };
      await story.expect(200, story.call('POST', `licenses/reassign/${id}`, { as: 'supervisor', body }));
      const moveId = await recorded(null);
      assert.deepEqual(await moveNow(moveId, errandFor(id)), { settled: 1 });
      assert.deepEqual(await settled(moveId), [{ outcome: 'gone', to_user: null, code: null }]);
      const { moved, stayed } = await read(moveId);
      assert.deepEqual([moved, stayed], [0, 0]);
      assert.deepEqual(await holdersOfCases(db(), [id]), [taker]);
    });
  });

  it('asks a case that does not answer again, and in the end lists it', async () => {
    const stage = 'document_verification';
    const applicationId = await aCaseWithoutProcess(db(), stage, leaver);
    const id = await start({});
    for (let tries = 1; tries < 5; tries += 1) await travel(system.client, taskMoveProcessId(asId<TaskMoveId>(id)), 11);
    const move = await finished(id);
    assert.deepEqual(move.cases, [{ applicationId, round: 1, stage, code: 'not_in_review' }]);
    await db()('tasks').where({ application_id: applicationId }).update({ state: 'cancelled' });
  });
});
