import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeStatement } from '../../db/statements.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import type { LicensePolicy, Quorum } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { respondUpdate } from '../../workflows/messages.ts';
import { ONE_STAGE, REASONS, type Review, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const HIGH: Quorum = { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' };
const VOTING: Partial<LicensePolicy> = {
  stages: [{ stage: 'approval', role: 'approver', sharePercent: 50, quorum: HIGH }],
  checklist: [],
};
const INTENT: Partial<LicensePolicy> = { ...ONE_STAGE, intent: { required: true, answerWithinWorkingDays: 5 } };

describe('a case whose only worker is killed', function () {
  this.timeout(90_000);
  let system: TestSystem;
  let review: Review;

  before(async () => {
    system = await startSystem();
    review = reviewOf(system);
  });
  after(() => system?.close());

  const respond = async (id: string) => {
    const by = await review.actor(demoUserId('owner'));
    const statementId = randomUUID();
    await writeStatement(system.database.db, {
      id: statementId,
      applicationId: asId<ApplicationId>(id),
      kind: 'response',
      round: 1,
      by: by.userId,
      at: new Date().toISOString(),
      text: 'It is not so.',
    });
    return review.handle(id).executeUpdate(respondUpdate, { args: [{ by, statementId }] });
  };

  it('in the middle of a vote goes on with its votes', async () => {
    const { id } = await review.open(VOTING);
    await review.decide(id, demoUserId('head'));
    await system.stopWorker();
    const vote = review.decide(id, demoUserId('approver'));
    await system.workUntilDeath({ activity: 'recordDecision', when: 'after', inputContains: id });
    await system.startWorker();
    assert.equal((await vote).state, 'pending_payment');
    assert.equal((await review.events(id, 'decision.recorded')).length, 2);
  });

  it('when the applicant’s answer had opened it again is opened once', async () => {
    const { id, assignee } = await review.open(INTENT);
    await review.decide(id, assignee, { decision: 'intend_to_reject', reasons: REASONS });
    const openSuspensions = () => system.database.db('suspensions').where({ application_id: id, to_at: null });
    await eventually('the announcement on record', async () => (await openSuspensions()).length === 1);
    await system.stopWorker();
    const answered = respond(id);
    await system.workUntilDeath({ activity: 'openStage', when: 'after', inputContains: id });
    await system.startWorker();
    assert.deepEqual(await answered, { state: 'approval' });
    assert.equal((await review.events(id, 'application.responded')).length, 1);
    assert.equal((await review.events(id, 'clock.resumed')).length, 1);
  });
});
