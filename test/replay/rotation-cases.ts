/** The stored histories of changing the key of the seals: through, a second round, and one that had to leave a row. */
import { randomUUID } from 'node:crypto';
import { createPersonalData } from '../../db/personal-data.ts';
import { rotationProgress } from '../../db/rotation.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { personalDataRotationId } from '../../workflows/ids.ts';
import type { PersonalDataRotationInput } from '../../workflows/personal-data-rotation.ts';
import { sealedCompany, sealedUnnamed, sealNik } from '../builders/sealed.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import type { TestSystem } from '../support/system.ts';
import { travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

/** One after the other: all of them seal the same rows. */
export async function playRotations(system: TestSystem): Promise<Played> {
  const { client, taskQueue, api, database } = system;
  const { db } = database;
  const current = createPersonalData([PERSONAL_DATA_KEY]);
  // As the first release sealed, so that there is something to seal anew under the one key of these tests.
  const unnamed = {
    ...current,
    seal: (value: string, column: string) => sealedUnnamed(PERSONAL_DATA_KEY, value, column),
  };
  const id = personalDataRotationId(current.keyId);
  const start = (workflowId: string, over: Partial<PersonalDataRotationInput> = {}) => {
    const input = {
      keyId: current.keyId,
      by: demoUserId('admin'),
      started: `${workflowId}/${randomUUID()}`,
      remaining: 1,
    };
    const args: [PersonalDataRotationInput] = [{ ...input, startedAt: new Date().toISOString(), ...over }];
    return client.workflow.start('personalDataRotation', { workflowId, taskQueue, args });
  };
  const renamed = async (to: string): Promise<string> => {
    const made = await sealedCompany(db, unnamed);
    await db('companies').where({ id: made.id }).update({ id: to });
    return to;
  };

  await sealedCompany(db, unnamed);
  await sealNik(db, unnamed, demoUserId('owner'));
  const admin = await api.person('admin');
  await api.stepUp(admin);
  const asked = await api.call('/admin/personal-data/rotation', { as: admin, body: {} });
  if (asked.status >= 300)
    throw new Error(`the rotation was not started: ${asked.status} ${JSON.stringify(asked.body)}`);
  await client.workflow.getHandle(id).result();

  const last = await renamed('ffffffff-0000-4000-8000-000000000001');
  const lock = await db.transaction();
  await lock('companies').where({ id: last }).forUpdate().first('id');
  const {
    rows: [holder],
  } = await lock.raw('select pg_backend_pid() as pid');
  const second = await start(`${id}/second-round`);
  await eventually('the rotation to wait for the row', async () => {
    // For this one: other cases wait for rows of their own.
    const { rows } = await db.raw('select 1 from pg_stat_activity where ? = any(pg_blocking_pids(pid))', [holder.pid]);
    return rows.length > 0;
  });
  await renamed('00000000-0000-4000-8000-000000000001');
  await lock.commit();
  await eventually('only the late one to be left', async () => (await rotationProgress(db, current)).remaining === 1);
  await travel(client, second.workflowId, 300);
  await second.result();

  for (let index = 0; index < 3; index += 1) await sealedCompany(db, unnamed);
  const broken = await sealedCompany(db, unnamed);
  await db('companies')
    .where({ id: broken.id })
    .update({ npwp_encrypted: Buffer.of(1, 2, 3) });
  const left = await start(`${id}/left`, { pageSize: 2, pagesARun: 2 });
  await eventually('it to end', async () => (await left.describe()).status.name === 'FAILED');

  return {
    'personalDataRotation-through': id,
    'personalDataRotation-second-round': second.workflowId,
    'personalDataRotation-one-row-left': left.workflowId,
  };
}
