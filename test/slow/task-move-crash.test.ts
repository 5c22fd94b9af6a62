import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { planMove } from '../../db/task-moves.ts';
import { type ApplicationId, asId, type TaskMoveId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { licenseReviewId, taskMoveProcessId } from '../../workflows/ids.ts';
import { aColleague, casesWith, holdersOfCases, retire } from '../builders/people.ts';
import { storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

describe('a move of tasks whose worker is killed in the middle of it', function () {
  this.timeout(90_000);
  let system: TestSystem;

  before(async () => {
    system = await startSystem();
    await retire(db(), demoUserId('verifier'));
  });
  after(() => system?.close());

  const db = () => system.database.db;
  /** Temporal would wait ten seconds for the worker that remembers these processes before it asks another. */
  const forgetWorker = (ids: readonly string[]) =>
    Promise.all(
      ids.map((id) =>
        system.client.workflowService.resetStickyTaskQueue({
          namespace: 'default',
          execution: { workflowId: licenseReviewId(asId<ApplicationId>(id)) },
        }),
      ),
    );
  const move = (id: TaskMoveId) => db()('task_moves').where({ id }).first('moved', 'stayed', 'finished_at');

  it('ends with each task moved once', async () => {
    const leaver = await aColleague(db(), 'verifier');
    const ids = await casesWith(storyOf(system), db(), leaver, 3);
    const receiver = await aColleague(db(), 'verifier');
    const due: string[] = await db()('tasks')
      .whereIn('application_id', ids)
      .orderBy(['due_at', 'id'])
      .pluck('application_id');
    const moveId = asId<TaskMoveId>(randomUUID());
    const by = demoUserId('supervisor');
    const at = new Date().toISOString();
    await planMove(db(), { id: moveId, from: leaver, to: receiver, absenceId: null, reason: 'leave', by, at });
    await system.stopWorker();
    await forgetWorker(ids);
    // The second of three was asked, and what became of it is lost with the worker.
    const death = system.workUntilDeath({ activity: 'moveTasks', when: 'after', inputContains: due[1] ?? '' });
    await system.client.workflow.start('taskMove', {
      workflowId: taskMoveProcessId(moveId),
      taskQueue: system.taskQueue,
      args: [{ moveId }, 1],
    });
    await death;
    const { moved } = await move(moveId);
    assert.ok(moved >= 1 && moved < 3, `${moved} had moved`);
    await system.startWorker();
    await eventually('the move to be finished', async () => (await move(moveId)).finished_at !== null, 60_000);
    assert.deepEqual([(await move(moveId)).moved, (await move(moveId)).stayed], [3, 0]);
    assert.deepEqual(await holdersOfCases(db(), ids), [receiver, receiver, receiver]);
    for (const id of ids)
      assert.equal((await db()('events').where({ application_id: id, type: 'task.reassigned' })).length, 1);
    const letters = await db()('account_letters').where({ user_id: receiver }).select('template', 'data');
    assert.deepEqual(letters, [{ template: 'tasks_moved', data: { count: 3 } }]);
  });
});
