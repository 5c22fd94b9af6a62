import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { DEFAULT_LADDER } from '../../domain/escalation.ts';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { overrideUpdate, replannedSignal, resubmitUpdate } from '../../workflows/messages.ts';
import { aColleague } from '../builders/people.ts';
import { ONE_STAGE, REASONS, type Review, refusalOf, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Each of these was found by test/slow/review-model.test.ts. */
describe('a review that goes on after something', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let review: Review;
  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    review = reviewOf(system);
  });
  after(() => system?.close());

  const supervisor = demoUserId('supervisor');
  const override = async (id: string, by = supervisor) =>
    review.handle(id).executeUpdate(overrideUpdate, {
      args: [{ by: await review.actor(by), decision: 'reject', reasons: REASONS, reason: 'It must end.' }],
    });
  const resubmit = async (id: string) =>
    review.handle(id).executeUpdate(resubmitUpdate, { args: [{ by: await review.actor(demoUserId('owner')) }] });
  const closed = (id: string) => review.handle(id).result();

  it('is done by others after an appeal: whoever decided before it in somebody’s place does not again', async () => {
    const { db } = system.database;
    const { id } = await review.open({ ...ONE_STAGE, appeal: { withinDays: 30 } });
    assert.equal((await override(id)).state, 'rejected');
    await closed(id);
    await review.again(id, 'appeal');
    const { assignee } = await review.at(id, 'approval', 2);
    assert.notEqual(assignee, supervisor);
    const another = await aColleague(db, 'supervisor');
    assert.equal(await refusalOf(override(id)), 'already_acted');
    await db('users').where({ id: another }).update({ status: 'disabled' });
    assert.equal((await override(id)).state, 'rejected', 'the office has no other by now');
    const decided = (await review.events(id, 'decision.recorded')).map(({ data }) => data['soleSupervisor']);
    assert.deepEqual(decided, [undefined, true]);
  });

  it('still knows of the appeal when it lapsed after it and was reopened', async () => {
    const correction = { maxRounds: 1, answerWithinWorkingDays: 1, reopenWithinDays: 180 };
    const { id, assignee } = await review.open({
      ...ONE_STAGE,
      correction,
      appeal: { withinDays: 30 },
      deemedApproval: 'issue',
      legalWorkingDays: 3,
    });
    await review.decide(id, assignee, { decision: 'reject' });
    await closed(id);
    await review.again(id, 'appeal');
    const second = await review.at(id, 'approval', 2);
    await review.decide(id, second.assignee, { decision: 'request_correction' });
    await review.reaches(id, 'correction_requested');
    await review.until(id, new Date(review.nowOf(id) + 5 * DAY_MS).toISOString());
    await review.reaches(id, 'lapsed_no_response');
    await closed(id);
    await review.again(id, 'reopened', 'approval');
    await review.reaches(id, 'correction_requested');
    await resubmit(id);
    await review.at(id, 'approval', 3);
    await review.until(id, new Date(review.nowOf(id) + 10 * DAY_MS).toISOString());
    assert.equal(await review.stateOf(id), 'approval', 'the law does not decide it the other way');
    const third = await review.progress(id);
    const refused = review.decide(id, third.assignee, { decision: 'request_correction' });
    assert.equal(await refusalOf(refused), 'correction_rounds_exhausted', 'two since the appeal, one is allowed');
  });

  it('is automatic again after an appeal, where it was automatic before', async () => {
    const { db } = system.database;
    const nib = `9${randomInt(10 ** 12)}`.padEnd(13, '0');
    await db('companies').update({ nib });
    await fetch(`${system.sandboxUrl}/_sandbox/registries/nib/${nib}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ found: false }),
    });
    const automatic: Partial<LicensePolicy> = {
      path: 'automatic',
      stages: [],
      checklist: [],
      automatic: { auditPercent: 0, fallback: { stage: 'compliance_check', role: 'examiner', sharePercent: 50 } },
      registries: { ask: ['nib'], giveUpAfterMinutes: 5 },
      appeal: { withinDays: 30 },
    };
    const { id, assignee } = await review.open(automatic, 'compliance_check');
    await review.decide(id, assignee, { decision: 'reject' });
    await closed(id);
    const colleague = await aColleague(db, 'examiner');
    await review.again(id, 'appeal');
    assert.equal((await review.at(id, 'compliance_check', 2)).assignee, colleague);
  });

  it('waits by the plan of the seats that are open, once one of a quorum has voted', async () => {
    const { db } = system.database;
    const quorum = { of: 2, needed: 2, rejection: 'one_ends' } as const;
    const { id } = await review.open({
      ...ONE_STAGE,
      ladder: DEFAULT_LADDER,
      stages: [{ stage: 'approval', role: 'approver', sharePercent: 50, quorum }],
    });
    const { seats = [], nextRung } = await review.progress(id);
    await review.decide(id, seats[0]?.assignee ?? null);
    const later = new Date(Date.parse(nextRung?.at ?? '') + HOUR_MS).toISOString();
    await db.raw(
      `update tasks set plan = jsonb_set(plan, '{rungs,0,at}', to_jsonb(?::text)) where application_id = ? and state = 'open'`,
      [later, asId<ApplicationId>(id)],
    );
    await review.handle(id).signal(replannedSignal, { calendarVersion: 2 });
    await eventually('the process to know', async () => (await review.progress(id)).nextRung?.at === later);
  });
});
