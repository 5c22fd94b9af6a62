import assert from 'node:assert/strict';
import { onboardingId } from '../../workflows/ids.ts';
import { doneUpTo, read, register, step } from '../builders/onboarding.ts';
import type { TestPerson } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

describe('an onboarding whose worker is killed', function () {
  this.timeout(90_000);
  let system: TestSystem;
  let owner: TestPerson;

  before(async () => {
    system = await startSystem();
    owner = await system.api.person('owner');
  });
  after(() => system?.close());

  it('does a step once though its worker dies before it can say so', async () => {
    const { api, client, database } = system;
    const id = await register(api, owner);
    await eventually('its process to wait for the owner', async () => {
      const { raw } = await client.workflow.getHandle(onboardingId(id)).describe();
      return raw.pendingActivities?.length === 0 && (raw.workflowExecutionInfo?.historyLength?.toNumber() ?? 0) > 8;
    });
    await system.stopWorker();
    const dead = system.workUntilDeath({ activity: 'completeOnboardingStep', when: 'after', inputContains: id });
    const asked = step(api, owner, id, 'business_profile');
    await dead;
    await system.startWorker();
    await asked;
    await eventually('the step to be done', async () => (await read(api, owner, id)).percent === 40);
    await doneUpTo(api, owner, id, 'documents');
    await eventually('it to be completed', async () => (await read(api, owner, id)).state === 'completed');
    const keys: string[] = await database
      .db('events')
      .where({ company_id: id, type: 'onboarding.step_completed' })
      .pluck('key');
    assert.equal(keys.filter((key) => key.includes('/business_profile/')).length, 1);
    const letters = await database
      .db('account_letters')
      .whereRaw("data ->> 'companyId' = ?", [id])
      .pluck<string[]>('template');
    assert.deepEqual(letters, ['onboarding_completed']);
  });
});
