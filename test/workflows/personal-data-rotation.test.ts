import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { createPersonalData } from '../../db/personal-data.ts';
import { rotationProgress } from '../../db/rotation.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { personalDataRotationId } from '../../workflows/ids.ts';
import type { PersonalDataRotationInput } from '../../workflows/personal-data-rotation.ts';
import { sealedCompany, sealNik } from '../builders/sealed.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const OLD_KEY = randomBytes(32);
const ofOldKey = createPersonalData([OLD_KEY]);
const current = createPersonalData([PERSONAL_DATA_KEY, OLD_KEY]);
const { keyId } = current;
const ID = personalDataRotationId(keyId);

describe('changing the key of the seals', () => {
  let system: TestSystem;
  let api: TestApi;
  let admin: TestPerson;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem({ worker: false });
    const { client, taskQueue, database } = system;
    api = await startApi(database, { temporal: client, taskQueue, personalData: current });
    admin = await api.person('admin');
    await api.stepUp(admin);
  });
  after(async () => {
    await api?.close();
    await system?.close();
  });
  beforeEach(() => system.startWorker({ personalData: current }));
  afterEach(() => system.stopWorker());

  const ask = () => api.call('/admin/personal-data/rotation', { as: admin, body: {} });
  const state = async () => (await api.call('/admin/personal-data/rotation', { as: admin })).body['state'];
  const hasEnded = () => eventually('the rotation to end', async () => (await state()) !== 'running');
  const remaining = async () => (await rotationProgress(system.database.db, current)).remaining;
  const company = (sealer = ofOldKey) => sealedCompany(system.database.db, sealer);
  const events = async (
    type: string,
  ): Promise<{ key: string; data: Record<string, unknown>; address: string | null }[]> =>
    system.database.db('events').where({ type }).orderBy('id').select('key', 'data', 'address', 'actor_id');
  /** Without the API, and in steps as small as a test wants them. */
  const start = (over: Partial<PersonalDataRotationInput> = {}) =>
    system.client.workflow.start('personalDataRotation', {
      workflowId: ID,
      taskQueue: system.taskQueue,
      args: [
        {
          keyId,
          by: admin.id,
          started: `${ID}/${randomUUID()}`,
          startedAt: new Date().toISOString(),
          remaining: 0,
          ...over,
        },
      ],
    });
  const failureOf = async (ended: Promise<unknown>): Promise<string> => {
    const error = await ended.then(
      () => null,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof WorkflowFailedError, String(error));
    return String(
      error.cause instanceof Error && error.cause.cause instanceof Error
        ? error.cause.cause.message
        : error.cause?.message,
    );
  };

  it('seals everything anew and says so in the audit, with who asked for it', async () => {
    for (let index = 0; index < 5; index += 1) await company();
    await sealNik(system.database.db, ofOldKey, demoUserId('owner'));
    const { status, body } = await ask();
    assert.deepEqual([status, body['state'], body['remaining']], [202, 'running', 6]);
    await hasEnded();
    const after = (await api.call('/admin/personal-data/rotation', { as: admin })).body;
    assert.deepEqual([after['state'], after['remaining'], after['done']], ['completed', 0, after['total']]);
    const [started, ...again] = await events('personal_data.rotation_started');
    assert.deepEqual(again, []);
    assert.deepEqual(
      { ...started, key: null },
      { key: null, data: { keyId, remaining: 6 }, address: '127.0.0.1', actor_id: admin.id },
    );
    const rotated = await events('personal_data.rotated');
    assert.deepEqual(
      rotated.map(({ data }) => data),
      [{ keyId, sealed: 6 }],
    );
  });

  it('is refused while it runs, and may be asked for again when it has ended', async () => {
    await system.stopWorker();
    const before = (await events('personal_data.rotation_started')).length;
    assert.equal((await ask()).status, 202);
    const second = await ask();
    assert.deepEqual([second.status, second.body['code'], await state()], [409, 'rotation_running', 'running']);
    assert.equal((await events('personal_data.rotation_started')).length, before + 1, 'none of the refused one');
    await system.startWorker({ personalData: current });
    await hasEnded();
    assert.equal((await events('personal_data.rotated')).at(-1)?.data['sealed'], 0, 'there was nothing left');
  });

  it('goes page by page and continues as new, and loses nothing on the way', async () => {
    const there = [];
    for (let index = 0; index < 7; index += 1) there.push(await company());
    const handle = await start({ pageSize: 2, pagesARun: 2 });
    assert.deepEqual(await handle.result(), { sealed: 7 });
    assert.notEqual((await system.client.workflow.getHandle(ID).describe()).runId, handle.firstExecutionRunId);
    assert.equal(await remaining(), 0);
    for (const { id, npwp } of there) {
      const row = await system.database.db('companies').where({ id }).first('npwp_encrypted');
      assert.equal(current.open(row.npwp_encrypted, 'companies.npwp'), npwp);
    }
  });

  it('writes the event of its start by itself when the API died before it could', async () => {
    const started = `${ID}/${randomUUID()}`;
    await (await start({ started })).result();
    const found = (await events('personal_data.rotation_started')).filter(({ key }) => key === started);
    assert.deepEqual(
      found.map(({ address }) => address),
      [null],
    );
  });

  it('goes round again for what a process with the old key has sealed behind its back', async () => {
    const { db } = system.database;
    const last = await company();
    await db('companies').where({ id: last.id }).update({ id: 'ffffffff-0000-4000-8000-000000000001' });
    const lock = await db.transaction();
    await lock('companies').where({ id: 'ffffffff-0000-4000-8000-000000000001' }).forUpdate().first('id');
    const handle = await start();
    await eventually('the rotation to wait for the row', async () => {
      const { rows } = await db.raw(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows.length > 0;
    });
    const late = await company();
    await db('companies').where({ id: late.id }).update({ id: '00000000-0000-4000-8000-000000000001' });
    await lock.commit();
    await eventually('only the late one to be left', async () => (await remaining()) === 1);
    await travel(system.client, ID, 300);
    assert.deepEqual(await handle.result(), { sealed: 2 });
    assert.equal(await remaining(), 0);
  });

  it('ends by telling what it had to leave, and which rows; mended, it gets through', async () => {
    const [broken, whole] = [await company(), await company()];
    const { db } = system.database;
    const { npwp_encrypted } = await db('companies').where({ id: broken.id }).first('npwp_encrypted');
    await db('companies')
      .where({ id: broken.id })
      .update({ npwp_encrypted: Buffer.concat([npwp_encrypted, Buffer.of(0)]) });
    const before = (await events('personal_data.rotated')).length;
    const told = await failureOf((await start()).result());
    assert.match(
      told,
      new RegExp(`^1 values were sealed anew; 1 were left .*companies\\.npwp of ${broken.id} does_not_open`),
    );
    assert.ok(![broken.npwp, whole.npwp].some((npwp) => told.includes(npwp)));
    assert.deepEqual([await state(), await remaining()], ['failed', 1]);
    assert.equal((await events('personal_data.rotated')).length, before);
    await db('companies').where({ id: broken.id }).update({ npwp_encrypted });
    assert.deepEqual(await (await start()).result(), { sealed: 1 });
  });

  it('does not begin with a worker that lacks a key, and says which', async () => {
    await company();
    await system.stopWorker();
    await system.startWorker({ personalData: createPersonalData([PERSONAL_DATA_KEY]) });
    const told = await failureOf((await start()).result());
    assert.match(told, new RegExp(`keys that this worker does not have: ${ofOldKey.keyId} \\(1\\)`));
    assert.equal(await remaining(), 1);
  });

  it('waits for a worker that seals with the key, while others still seal with the one before', async () => {
    await system.stopWorker();
    await system.startWorker({ personalData: createPersonalData([OLD_KEY, PERSONAL_DATA_KEY]) });
    const handle = await start();
    await eventually('the worker to say why it does not', async () => {
      const [pending] = (await handle.describe()).raw.pendingActivities ?? [];
      return pending?.lastFailure?.message?.includes(`seals with the key ${ofOldKey.keyId}`);
    });
    await system.stopWorker();
    await system.startWorker({ personalData: current });
    assert.deepEqual(await handle.result(), { sealed: 1 });
  });
});
