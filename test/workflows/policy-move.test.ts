import assert from 'node:assert/strict';
import { z } from 'zod';
import { licenseTypeInForce } from '../../db/license-types.ts';
import { pinnedPolicyOf } from '../../db/policies.ts';
import { type ApplicationId, asId, type CompanyId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { policyMoveId } from '../../workflows/ids.ts';
import type { PolicyMoved } from '../../workflows/policy-move.ts';
import { anApplication } from '../builders/licensing.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const started = z.looseObject({ moveId: z.string(), version: z.number(), openCases: z.number() });
const moved = z.object({
  items: z.array(z.object({ applicationId: z.string(), outcome: z.string(), code: z.string().optional() })),
  version: z.number(),
  policyId: z.string(),
});
const TYPE = 'restaurant';

describe('moving open cases to other rules', () => {
  let system: TestSystem;
  let story: Story;
  let current: LicensePolicy;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const aCase = async (): Promise<ApplicationId> => {
    const id = await story.submitted(TYPE);
    await story.reaches(id, 'document_verification');
    return asId<ApplicationId>(id);
  };
  const currentType = async () => {
    const type = await licenseTypeInForce(db(), TYPE, new Date());
    assert.ok(type);
    return type;
  };
  /** The next version gives the office so many days. */
  const publish = async (legalWorkingDays: number): Promise<LicensePolicy> => {
    const type = await currentType();
    current = { ...type.policy, legalWorkingDays };
    const body = { policy: current, formSchema: type.formSchema, reason: 'A new decree' };
    await story.expect(201, story.call('POST', `admin/policies/${TYPE}`, { as: 'admin', body }));
    return current;
  };
  const move = (body: object) =>
    story.call('POST', `admin/policies/${TYPE}/move-open-cases`, {
      as: 'admin',
      body: { reason: 'A new decree', ...body },
    });
  const events = (id: ApplicationId) => db()('events').where({ application_id: id, type: 'application.policy_moved' });

  it('leaves them alone until somebody says so, then moves those that are named', async () => {
    const [named, other] = [await aCase(), await aCase()];
    const before = await pinnedPolicyOf(db(), named);
    const next = await publish(7);
    assert.deepEqual(await pinnedPolicyOf(db(), named), before);
    const gone = asId<ApplicationId>('00000000-0000-4000-8000-000000000000');
    const answer = await story.expect(200, move({ applicationIds: [named, gone] }));
    assert.deepEqual(moved.parse(answer.body).items, [
      { applicationId: named, outcome: 'moved' },
      { applicationId: gone, outcome: 'refused', code: 'not_in_review' },
    ]);
    assert.deepEqual(await pinnedPolicyOf(db(), named), next);
    assert.deepEqual(await pinnedPolicyOf(db(), other), before);
    assert.deepEqual([(await events(named)).length, (await events(other)).length], [1, 0]);
  });

  it('moves all of them in the background, page by page, each once, and names those that stay', async () => {
    const ids = [await aCase(), await aCase()];
    const withoutProcess = await anApplication(db(), {
      companyId: asId<CompanyId>(await story.companyId()),
      applicantId: demoUserId('owner'),
      type: await currentType(),
      state: 'compliance_check',
    });
    const next = await publish(9);
    const answer = started.parse((await story.expect(202, move({ all: true }))).body);
    const handle = system.client.workflow.getHandle<() => Promise<PolicyMoved>>(policyMoveId(answer.moveId));
    const result = await handle.result();
    assert.equal(result.moved + result.refused, answer.openCases);
    assert.deepEqual(result.stayed, [withoutProcess]);
    for (const id of ids) {
      assert.deepEqual(await pinnedPolicyOf(db(), id), next);
      assert.equal((await events(id)).length, 1);
    }
  });
});
