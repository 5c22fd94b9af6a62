import assert from 'node:assert/strict';
import { type ApplicationId, asId } from '../../domain/ids.ts';
import { type DemoAccount, demoUserId } from '../../local/demo-data.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import { approveSignal, progressQuery, type ReviewProgress, rejectSignal } from '../../workflows/messages.ts';
import { mailbox } from '../support/machine.ts';
import { type Story, storyOf } from '../support/story.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';

const FIRST_STAGE = 'document_verification';

describe('the review of a licence', () => {
  let system: TestSystem;
  let story: Story;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    story = storyOf(system);
  });
  after(() => system?.close());

  const workflowId = (id: string) => licenseReviewId(asId<ApplicationId>(id));
  const progress = (id: string): Promise<ReviewProgress> =>
    system.client.workflow.getHandle(workflowId(id)).query(progressQuery);
  const events = (id: string, type: string): Promise<{ data: Record<string, unknown>; actor_id: string | null }[]> =>
    system.database.db('events').where({ application_id: id, type }).orderBy('id').select('data', 'actor_id');
  const rungs = async (id: string): Promise<string[]> =>
    system.database.db('escalations').where({ application_id: id }).orderBy('fired_at').pluck('rung');
  const letters = (id: string, template: string): Promise<string[]> =>
    system.database
      .db('mail_deliveries')
      .where({ application_id: id, template, state: 'sent' })
      .orderBy('queued_at')
      .pluck('user_id');
  const opened = async (id: string, stage = FIRST_STAGE): Promise<ReviewProgress> =>
    eventually(`${stage} to be open`, async () => {
      const now = await progress(id);
      return now.stage === stage ? now : null;
    });
  /** Far enough for the next rung to fire, whatever weekends and holidays lie before it. */
  const toTheNextRung = async (id: string): Promise<void> => {
    const { nextRung } = await progress(id);
    assert.ok(nextRung, 'a rung is ahead');
    const { now } = await clockOf(id);
    await travel(system.client, workflowId(id), (Date.parse(nextRung.at) - now) / 1000 + 60);
  };
  /** The execution's own clock, which time travel has moved. */
  const clocks = new Map<string, number>();
  const clockOf = async (id: string) => ({ now: clocks.get(id) ?? Date.now() });
  const climb = async (id: string): Promise<void> => {
    const { nextRung } = await progress(id);
    assert.ok(nextRung);
    await toTheNextRung(id);
    clocks.set(id, Date.parse(nextRung.at) + 60_000);
  };

  describe('deciding', () => {
    it('answers one of twenty parallel approvals with 200 and nineteen with 409 that name the winner', async () => {
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          story.call('POST', `licenses/approve/${id}`, {
            as: reviewer,
            body: {},
            headers: { 'idempotency-key': `parallel-${id}-${index}` },
          }),
        ),
      );
      const won = answers.filter(({ status }) => status === 200);
      const lost = answers.filter(({ status }) => status === 409);
      assert.deepEqual(
        [won.length, lost.length],
        [1, 19],
        JSON.stringify(answers.map(({ status, body }) => [status, body])),
      );
      for (const { body } of lost) {
        assert.match(JSON.stringify(body), /"already_decided"/);
        assert.match(JSON.stringify(body), new RegExp(demoUserId(reviewer)));
        assert.match(JSON.stringify(body), /Budi Santoso/);
      }
      assert.equal((await events(id, 'decision.recorded')).length, 1);
    });

    it('gives a repeated request its first answer', async () => {
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      const once = { as: reviewer, body: { note: 'ok' }, headers: { 'idempotency-key': `repeat-${id}` } };
      const first = await story.expect(200, story.call('POST', `licenses/approve/${id}`, once));
      const second = await story.expect(200, story.call('POST', `licenses/approve/${id}`, once));
      assert.deepEqual(second.body, first.body);
    });

    it('refuses whoever is not assigned, and never lets one person act on two stages', async () => {
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      await story.expect(403, story.call('POST', `licenses/approve/${id}`, { as: 'examiner', body: {} }));
      await story.expect(403, story.call('POST', `licenses/approve/${id}`, { as: 'owner', body: {} }));
      await story.approve(id, FIRST_STAGE);
      assert.notEqual(await story.holder(id, 'compliance_check'), reviewer);
    });

    it('rejects only with reasons, closes the case and tells the applicant', async () => {
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      await story.expect(422, story.call('POST', `licenses/reject/${id}`, { as: reviewer, body: { reasons: [] } }));
      await story.expect(
        200,
        story.call('POST', `licenses/reject/${id}`, {
          as: reviewer,
          body: { reasons: [{ code: 'requirement_not_met' }] },
        }),
      );
      await story.reaches(id, 'rejected');
      await eventually('the letter of rejection', async () => (await letters(id, 'application_rejected')).length === 1);
      const late = await story.expect(409, story.call('POST', `licenses/approve/${id}`, { as: reviewer, body: {} }));
      assert.match(JSON.stringify(late.body), /already_decided|already_closed/);
    });

    it('refuses a decision on an older submission', async () => {
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      const body = { decision: 'approve', submissionHash: 'a'.repeat(64) };
      const answer = await story.expect(409, story.call('POST', `licenses/review/${id}`, { as: reviewer, body }));
      assert.match(JSON.stringify(answer.body), /submission_changed/);
    });
  });

  describe('deciding from the Temporal UI', () => {
    it('takes a signal by the same rule as the API', async () => {
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      await opened(id);
      await system.client.workflow
        .getHandle(workflowId(id))
        .signal(approveSignal, { by: `${reviewer}@alur.example`, note: 'by signal' });
      await story.holder(id, 'compliance_check');
      assert.equal((await events(id, 'decision.recorded'))[0]?.actor_id, demoUserId(reviewer));
    });

    it('records a refused signal, and decides nothing', async () => {
      const id = await story.submitted();
      await opened(id);
      const handle = system.client.workflow.getHandle(workflowId(id));
      await handle.signal(rejectSignal, { by: demoUserId('examiner'), note: 'not mine' });
      await handle.signal(approveSignal, { by: 'nobody@alur.example' });
      const refusals = await eventually('two refusals on record', async () => {
        const found = await events(id, 'decision.refused');
        return found.length === 2 ? found : null;
      });
      assert.deepEqual(refusals.map(({ data }) => data.code).sort(), ['not_assigned', 'not_found']);
      assert.equal((await story.status(id)).state, FIRST_STAGE);
    });
  });

  it('is in nobody’s hands who acts for the company by now, whichever way they decide', async () => {
    const id = await story.submitted();
    const reviewer = await story.holder(id, FIRST_STAGE);
    await opened(id);
    const { db } = system.database;
    const { company_id } = await db('applications').where({ id }).first('company_id');
    const membership = { company_id, user_id: demoUserId(reviewer) };
    await db('company_members').insert(membership);
    try {
      const { body } = await story.expect(
        403,
        story.call('POST', `licenses/approve/${id}`, { as: reviewer, body: {} }),
      );
      assert.match(JSON.stringify(body), /"own_application"/);
      await system.client.workflow.getHandle(workflowId(id)).signal(approveSignal, { by: demoUserId(reviewer) });
      const [refusal] = await eventually('the refusal on record', async () => {
        const found = await events(id, 'decision.refused');
        return found.length > 0 ? found : null;
      });
      assert.equal(refusal?.data.code, 'own_application');
      assert.equal((await story.status(id)).state, FIRST_STAGE);
    } finally {
      await db('company_members').where(membership).delete();
    }
    await story.approve(id, FIRST_STAGE);
  });

  describe('the ladder', () => {
    it('reminds, warns, hands over to the supervisor, each once', async () => {
      const id = await story.submitted();
      const { assignee } = await opened(id);
      await climb(id);
      await eventually('the first rung', async () => (await rungs(id)).length === 1);
      await eventually('a reminder to the assignee', async () => (await letters(id, 'task_reminder')).length === 1);
      await climb(id);
      await eventually('the warning to two people', async () => (await letters(id, 'task_at_risk')).length === 2);
      await climb(id);
      await eventually('the letter to the supervisor', async () => (await letters(id, 'task_breached')).length === 1);
      assert.deepEqual(await rungs(id), ['half', 'at_risk', 'breach']);
      assert.equal((await progress(id)).assignee, demoUserId('supervisor'));
      assert.notEqual(assignee, demoUserId('supervisor'));
      assert.equal(await story.holder(id, FIRST_STAGE), 'supervisor');
      await story.expect(200, story.call('POST', `licenses/approve/${id}`, { as: 'supervisor', body: {} }));
      await story.holder(id, 'compliance_check');
    });

    it('fires no rung of a stage that was decided in time', async () => {
      const id = await story.submitted();
      await story.approve(id, FIRST_STAGE);
      await story.holder(id, 'compliance_check');
      assert.deepEqual(await rungs(id), []);
      assert.equal((await opened(id, 'compliance_check')).nextRung?.code, 'half');
    });

    it('fires a rung once though the worker dies after it was recorded', async () => {
      const id = await story.submitted();
      await opened(id);
      await climb(id);
      await eventually('the first rung', async () => (await rungs(id)).length === 1);
      await system.stopWorker();
      await system.startWorker();
      await climb(id);
      await eventually('the second rung', async () => (await rungs(id)).length === 2);
      assert.deepEqual(await rungs(id), ['half', 'at_risk']);
    });
  });

  describe('correction', () => {
    const askForCorrection = async (id: string) => {
      const reviewer = await story.holder(id, FIRST_STAGE);
      const body = {
        decision: 'request_correction',
        reasons: [{ code: 'document_unreadable', pointer: '/documents/identity_card' }],
      };
      await story.expect(200, story.call('POST', `licenses/review/${id}`, { as: reviewer, body }));
      await story.reaches(id, 'correction_requested');
      return reviewer;
    };

    it('gives the case back, stops the ladder and returns to the reviewer who asked', async () => {
      const id = await story.submitted();
      const reviewer = await askForCorrection(id);
      await eventually(
        'the letter with the reasons',
        async () => (await letters(id, 'correction_requested')).length === 1,
      );
      await story.expect(200, story.call('POST', `licenses/applications/${id}/resubmit`, { as: 'owner' }));
      const again = await story.reaches(id, FIRST_STAGE);
      assert.equal(again.round, 2);
      assert.equal(await story.holder(id, FIRST_STAGE), reviewer);
      assert.deepEqual(await rungs(id), []);
      await story.approve(id, FIRST_STAGE);
      await story.holder(id, 'compliance_check');
    });

    it('asks at most twice', async () => {
      const id = await story.submitted();
      for (const round of [1, 2]) {
        await askForCorrection(id);
        await story.expect(200, story.call('POST', `licenses/applications/${id}/resubmit`, { as: 'owner' }));
        await eventually(
          `round ${round + 1}`,
          async () => (await story.status(id)).state === FIRST_STAGE && (await story.status(id)).round === round + 1,
        );
      }
      const reviewer = await story.holder(id, FIRST_STAGE);
      const body = { decision: 'request_correction', reasons: [{ code: 'other', text: 'once more' }] };
      const answer = await story.expect(409, story.call('POST', `licenses/review/${id}`, { as: reviewer, body }));
      assert.match(JSON.stringify(answer.body), /correction_rounds_exhausted/);
    });

    it('lapses when the applicant stays silent for ten working days', async () => {
      const id = await story.submitted();
      await askForCorrection(id);
      await travel(system.client, workflowId(id), 40 * DAY);
      await story.reaches(id, 'lapsed_no_response');
    });
  });

  describe('correcting at the very end of the time to answer', () => {
    it('is answered, though the case is being closed just then', async function () {
      this.timeout(60_000);
      const { db } = system.database;
      const id = await story.submitted();
      const reviewer = await story.holder(id, FIRST_STAGE);
      const body = { decision: 'request_correction', reasons: [{ code: 'other', text: 'please' }] };
      await story.expect(200, story.call('POST', `licenses/review/${id}`, { as: reviewer, body }));
      await eventually('the letter', async () => (await letters(id, 'correction_requested')).length === 1);
      const handle = system.client.workflow.getHandle(workflowId(id));
      const closing = async () =>
        ((await handle.describe()).raw.pendingActivities ?? []).some(
          ({ activityType }) => activityType?.name === 'closeCase',
        );
      // Whoever holds the row keeps the case from being closed, for as long as the test wants.
      const held = await db.transaction();
      await held('applications').where({ id }).forNoKeyUpdate().first('id');
      const travelled = travel(system.client, workflowId(id), 40 * DAY).catch(() => undefined);
      await eventually('the case to be closing', closing);
      const answer = story.call('POST', `licenses/applications/${id}/resubmit`, { as: 'owner' });
      await eventually('the resubmission to be taken', async () => {
        const events = (await handle.fetchHistory()).events ?? [];
        return events.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length === 2;
      });
      await held.commit();
      assert.equal((await answer).status, 409);
      assert.equal((await handle.result())?.state, 'lapsed_no_response');
      await travelled;
    });
  });

  describe('withdrawing', () => {
    it('ends the case at any stage, and answers only when that is recorded', async () => {
      const id = await story.submitted();
      await story.approve(id, FIRST_STAGE);
      await story.holder(id, 'compliance_check');
      await story.expect(
        200,
        story.call('POST', `licenses/applications/${id}/withdraw`, {
          as: 'owner',
          body: { reason: 'closing the shop' },
        }),
      );
      assert.equal((await story.status(id)).state, 'withdrawn');
      assert.equal((await system.client.workflow.getHandle(workflowId(id)).result())?.state, 'withdrawn');
    });

    it('is refused once the office has approved', async () => {
      const id = await story.approved();
      await story.reaches(id, 'pending_payment');
      const answer = await story.expect(
        409,
        story.call('POST', `licenses/applications/${id}/withdraw`, { as: 'owner', body: { reason: 'too late' } }),
      );
      assert.match(JSON.stringify(answer.body), /already_decided/);
    });
  });

  describe('reassigning', () => {
    it('moves the task to another person of the role and tells them; nobody ineligible', async () => {
      const id = await story.submitted();
      await story.approve(id, FIRST_STAGE);
      const first = await story.holder(id, 'compliance_check');
      const second = 'supervisor';
      const path = `licenses/reassign/${id}`;
      const to = (account: DemoAccount) => ({ userId: demoUserId(account), reason: 'leave' });
      await story.expect(403, story.call('POST', path, { as: 'verifier', body: to(second) }));
      const refused = await story.call('POST', path, { as: 'supervisor', body: to('verifier') });
      assert.match(JSON.stringify(refused.body), /reviewer_not_eligible/);
      await story.expect(200, story.call('POST', path, { as: 'supervisor', body: to(second) }));
      assert.equal(await story.holder(id, 'compliance_check'), second);
      await story.expect(403, story.call('POST', `licenses/approve/${id}`, { as: first, body: {} }));
      await story.expect(200, story.call('POST', `licenses/approve/${id}`, { as: second, body: {} }));
    });
  });

  describe('while the mail server is away', () => {
    it('a decision is answered all the same, and the letters follow', async () => {
      const box = await mailbox();
      await box.setAvailable(false);
      try {
        const id = await story.submitted();
        await story.approve(id, FIRST_STAGE);
        await story.holder(id, 'compliance_check');
        await box.setAvailable(true);
        await eventually('the delayed letters', async () => (await letters(id, 'task_assigned')).length === 2, 25_000);
      } finally {
        await box.setAvailable(true);
      }
    });
  });
});
