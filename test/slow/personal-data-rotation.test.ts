/** Slow because Temporal notices only after some seconds that a worker is gone. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createPersonalData } from '../../db/personal-data.ts';
import { rotationProgress } from '../../db/rotation.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { personalDataRotationId } from '../../workflows/ids.ts';
import { sealedCompany, sealedUnnamed } from '../builders/sealed.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const current = createPersonalData([PERSONAL_DATA_KEY]);
const { keyId } = current;

describe('sealing anew when a worker is killed between a page and its answer', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem({ worker: false });
  });
  after(() => system?.close());

  it('goes on with another worker, and leaves nothing', async function () {
    this.timeout(90_000);
    const { db } = system.database;
    const remaining = async () => (await rotationProgress(db, current)).remaining;
    // Of the first release: the one key that the dying worker has opens them, and they are to be sealed anew.
    const unnamed = {
      ...current,
      seal: (value: string, column: string) => sealedUnnamed(PERSONAL_DATA_KEY, value, column),
    };
    for (let index = 0; index < 3; index += 1) await sealedCompany(db, unnamed);
    const death = system.workUntilDeath({ activity: 'reencryptBatch', when: 'after', inputContains: 'companies.npwp' });
    const workflowId = personalDataRotationId(keyId);
    const input = {
      keyId,
      by: demoUserId('admin'),
      started: `${workflowId}/${randomUUID()}`,
      startedAt: new Date().toISOString(),
      remaining: 3,
      pageSize: 2,
    };
    const options = { workflowId, taskQueue: system.taskQueue, args: [input] };
    const handle = await system.client.workflow.start('personalDataRotation', options);
    await death;
    assert.equal(await remaining(), 1, 'the page was committed');
    await system.startWorker();
    // The count of the page went down with its answer; what matters is that none is left.
    assert.deepEqual(await handle.result(), { sealed: 1 });
    assert.equal(await remaining(), 0);
  });
});
