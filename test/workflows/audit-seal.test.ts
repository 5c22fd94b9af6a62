import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { ensureSchedules, keepSchedules, SCHEDULES, type ScheduleEntry } from '../../worker/schedules.ts';
import { anEvent } from '../builders/audit.ts';
import { temporal } from '../support/machine.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const quiet = { info: () => undefined, warn: () => undefined };

describe('what is done by the clock', () => {
  let system: TestSystem;
  const prefix = `test-${randomUUID()}/`;
  const scheduleId = `${prefix}audit-seal`;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
  });
  after(async () => {
    for (const { id } of SCHEDULES) await system?.client.schedule.getHandle(`${prefix}${id}`).delete();
    await system?.close();
  });

  const described = () => system.client.schedule.getHandle(scheduleId).describe();
  const ensure = (entries: readonly ScheduleEntry[] = SCHEDULES) =>
    ensureSchedules(system.client, system.taskQueue, { prefix, entries });

  it('is scheduled through the worker’s own connection, by many workers at once, each thing once', async () => {
    const native = await NativeConnection.connect({ address: (await temporal()).address });
    const client = new Client({ connection: native });
    await Promise.all(Array.from({ length: 4 }, () => ensureSchedules(client, system.taskQueue, { prefix })));
    await native.close();
    const { spec, action, policies, state } = await described();
    assert.deepEqual(
      spec.intervals?.map(({ every }) => every),
      [60_000],
    );
    assert.equal(action.type === 'startWorkflow' && action.workflowType, 'auditSeal');
    assert.deepEqual([policies.overlap, policies.catchupWindow, state.paused], ['SKIP', 60_000, false]);
  });

  it('seals what has happened', async () => {
    const id = await anEvent(system.database.db);
    await system.client.schedule.getHandle(scheduleId).trigger();
    await eventually('the event to be sealed', () =>
      system.database.db('sealed_events').where({ event_id: id }).first(),
    );
  });

  it('follows a changed definition, and keeps the pause and the note that an operator set', async () => {
    await system.client.schedule.getHandle(scheduleId).pause('while the keys are changed');
    const before = (await described()).info.lastUpdatedAt;
    await ensure();
    assert.deepEqual(
      (await described()).info.lastUpdatedAt,
      before,
      'nothing had changed, and it was written all the same',
    );
    const [first] = SCHEDULES.filter(({ id }) => id === 'audit-seal');
    assert.ok(first);
    await ensure([{ ...first, spec: { intervals: [{ every: '5 minutes' }] }, catchupWindow: '1 hour' }]);
    const { spec, policies, state } = await described();
    assert.deepEqual([spec.intervals?.[0]?.every, policies.catchupWindow], [300_000, 3_600_000]);
    assert.deepEqual([state.paused, state.note], [true, 'while the keys are changed']);
  });

  it('does not keep a worker from working while Temporal refuses, and is tried again until it is there', async () => {
    const said: string[] = [];
    const note = (_about: object, message?: string) => void said.push(message ?? '');
    let calls = 0;
    const client = new Proxy(system.client, {
      get: (real, name) => {
        if (name !== 'schedule') return Reflect.get(real, name);
        calls += 1;
        return calls === 1 ? { create: () => Promise.reject(new Error('Temporal is away')) } : real.schedule;
      },
    });
    const options = { prefix: `${prefix}again/`, firstWaitMs: 5 };
    const kept = keepSchedules(client, system.taskQueue, { ...quiet, warn: note }, options);
    const handles = SCHEDULES.map(({ id }) => system.client.schedule.getHandle(`${prefix}again/${id}`));
    await eventually('the schedules', () =>
      Promise.all(handles.map((handle) => handle.describe())).then(
        () => true,
        () => false,
      ),
    );
    await kept.stop();
    await Promise.all(handles.map((handle) => handle.delete()));
    assert.equal(said.length, 1);
  });
});
