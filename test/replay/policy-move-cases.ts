/** Open cases that are moved to other rules. */
import { z } from 'zod';
import { licenseTypeInForce } from '../../db/license-types.ts';
import { policyMoveId } from '../../workflows/ids.ts';
import { storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

/** No other story applies for this one: a move takes all open cases of its type. */
const TYPE = 'fuel_storage';

export async function playPolicyMoves(system: TestSystem): Promise<Played> {
  const story = storyOf(system);
  const id = await story.submitted(TYPE);
  await story.reaches(id, 'document_verification');
  const type = await licenseTypeInForce(system.database.db, TYPE, new Date());
  if (!type) throw new Error(`the demonstration has no ${TYPE}`);
  const { formSchema, policy } = type;
  const next = { policy: { ...policy, legalWorkingDays: 12 }, formSchema, reason: 'A new decree' };
  await story.expect(201, story.call('POST', `admin/policies/${TYPE}`, { as: 'admin', body: next }));
  const body = { all: true, reason: 'A new decree' };
  const answer = await story.expect(
    202,
    story.call('POST', `admin/policies/${TYPE}/move-open-cases`, { as: 'admin', body }),
  );
  const workflowId = policyMoveId(z.looseObject({ moveId: z.string() }).parse(answer.body).moveId);
  await system.client.workflow.getHandle(workflowId).result();
  return { 'policyMove-all-open-cases': workflowId };
}
