import assert from 'node:assert/strict';
import { DEFAULT_LADDER } from '../../domain/escalation.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { movePolicyUpdate, reassignUpdate, replannedSignal, withdrawUpdate } from '../../workflows/messages.ts';
import { policy } from '../builders/licensing.ts';
import { ONE_STAGE, REASONS, type Review, refusalOf, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const LADDER: Partial<LicensePolicy> = { ...ONE_STAGE, ladder: DEFAULT_LADDER };
const BY_LAW: Partial<LicensePolicy> = { ...LADDER, deemedApproval: 'issue' };
const HOUR_MS = 3_600_000;

describe('the time of a case', () => {
  let system: TestSystem;
  let review: Review;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    review = reviewOf(system);
  });
  after(() => system?.close());

  const head = demoUserId('head');
  const supervisor = demoUserId('supervisor');
  const legalDue = async (id: string): Promise<string> => {
    const row: { at: Date | null } | undefined = await system.database
      .db('applications')
      .where({ id })
      .first({ at: 'legal_due_at' });
    return row?.at?.toISOString() ?? assert.fail('no legal time runs');
  };
  const clockEvents = async (id: string): Promise<string[]> =>
    (await review.events(id)).map(({ type }) => type).filter((type) => type.startsWith('clock.'));
  const toNextRung = async (id: string): Promise<string> => {
    const { nextRung } = await review.progress(id);
    assert.ok(nextRung, 'a rung is ahead');
    await review.until(id, nextRung.at);
    return nextRung.code;
  };
  const cancelled = async (id: string) =>
    review.story.expect(
      200,
      review.story.call('POST', `licenses/applications/${id}/withdraw`, { as: 'owner', body: { reason: 'done' } }),
    );

  describe('the ladder', () => {
    it('has five rungs, each fired once and told to whom it concerns', async function () {
      this.timeout(60_000);
      const { id, assignee } = await review.open(LADDER);
      assert.ok(assignee);
      const codes: string[] = [];
      for (let rung = 0; rung < 5; rung += 1) codes.push(await toNextRung(id));
      assert.deepEqual(codes, ['half', 'at_risk', 'breach', 'head', 'last_day']);
      assert.deepEqual((await review.rungs(id)).sort(), [...codes].sort());
      const told = (template: string, count: number) =>
        eventually(`${count} letters ${template}`, async () => {
          const letters = await review.letters(id, template);
          return letters.length === count ? letters.sort() : null;
        });
      assert.deepEqual(await told('task_reminder', 1), [assignee]);
      assert.deepEqual(await told('task_at_risk', 2), [assignee, supervisor].sort());
      assert.deepEqual(await told('task_breached', 1), [supervisor]);
      assert.deepEqual(await told('task_overdue', 4), [head, head, supervisor, supervisor].sort());
      assert.equal((await review.progress(id)).nextRung, null);
      assert.equal((await review.events(id, 'task.last_legal_day')).length, 1);
      await review.decide(id, supervisor);
    });

    it('hands each open seat of a quorum over, as far as there are supervisors', async () => {
      const quorum = { of: 2, needed: 2, rejection: 'one_ends' } as const;
      const { id } = await review.open({
        ...LADDER,
        stages: [{ stage: 'approval', role: 'approver', sharePercent: 50, quorum }],
      });
      for (let rung = 0; rung < 3; rung += 1) await toNextRung(id);
      const { seats = [] } = await review.progress(id);
      assert.equal(seats.filter(({ assignee }) => assignee === supervisor).length, 1);
      assert.equal(new Set(seats.map(({ assignee }) => assignee)).size, 2);
      await cancelled(id);
    });

    it('keeps its plan, and what has fired, when the task changes hands', async () => {
      const { id, assignee } = await review.open(LADDER);
      await toNextRung(id);
      const to = assignee === demoUserId('approver') ? demoUserId('approver2') : demoUserId('approver');
      const before = await review.progress(id);
      const by = await review.actor(supervisor);
      await review.handle(id).executeUpdate(reassignUpdate, { args: [{ by, to, reason: 'leave', kind: 'reassign' }] });
      const after = await review.progress(id);
      assert.deepEqual([after.dueAt, after.nextRung], [before.dueAt, before.nextRung]);
      assert.deepEqual(await review.rungs(id), ['half']);
      await cancelled(id);
    });

    it('waits by the record when that was planned anew; told twice it changes nothing', async () => {
      const { db } = system.database;
      const { id } = await review.open(LADDER);
      const { nextRung } = await review.progress(id);
      const later = new Date(Date.parse(nextRung?.at ?? '') + HOUR_MS).toISOString();
      await db.raw(
        `update tasks set plan = jsonb_set(plan, '{rungs,0,at}', to_jsonb(?::text)) where application_id = ?`,
        [later, id],
      );
      await review.handle(id).signal(replannedSignal, { calendarVersion: 2 });
      await review.handle(id).signal(replannedSignal, { calendarVersion: 2 });
      await eventually('the process to know', async () => (await review.progress(id)).nextRung?.at === later);
      assert.deepEqual(await review.rungs(id), []);
      await cancelled(id);
    });

    it('does not fire a rung that lies later by the record, though its time has come here', async () => {
      const { db } = system.database;
      const { id } = await review.open(LADDER);
      const { nextRung } = await review.progress(id);
      assert.ok(nextRung);
      const later = new Date(Date.parse(nextRung.at) + HOUR_MS).toISOString();
      await db.raw(
        `update tasks set plan = jsonb_set(plan, '{rungs,0,at}', to_jsonb(?::text)) where application_id = ?`,
        [later, id],
      );
      await review.until(id, nextRung.at, 60_000);
      assert.deepEqual(await review.rungs(id), []);
      assert.equal((await review.progress(id)).nextRung?.at, later);
      await review.until(id, later, 60_000);
      assert.deepEqual(await review.rungs(id), ['half']);
      await cancelled(id);
    });
  });

  describe('the legal time', () => {
    it('starts with the complete submission, and stands still while the applicant corrects', async () => {
      const { id, assignee } = await review.open(LADDER);
      const due = await legalDue(id);
      await review.decide(id, assignee, { decision: 'request_correction' });
      await review.reaches(id, 'correction_requested');
      await eventually('the clock to stand still', async () => (await clockEvents(id)).length === 1);
      await review.until(id, new Date(review.nowOf(id) + 72 * HOUR_MS).toISOString());
      await review.story.expect(
        200,
        review.story.call('POST', `licenses/applications/${id}/resubmit`, { as: 'owner' }),
      );
      await review.at(id, 'approval', 2);
      assert.deepEqual(await clockEvents(id), ['clock.suspended', 'clock.resumed']);
      assert.ok(Date.parse(await legalDue(id)) >= Date.parse(due), 'later by what the applicant used');
      await cancelled(id);
    });

    it('used up, approves by law: tasks closed, invoice issued, an audit opened', async () => {
      const { id, assignee } = await review.open(BY_LAW);
      // Not beyond: nothing sleeps any more once its activation is under way.
      await review.until(id, await legalDue(id), -1_500);
      await review.reaches(id, 'pending_payment');
      assert.equal((await review.events(id, 'application.deemed_approved')).length, 1);
      assert.equal((await review.events(id, 'decision.recorded')).length, 0);
      const { db } = system.database;
      assert.deepEqual(await db('tasks').where({ application_id: id }).pluck('state'), ['cancelled']);
      assert.deepEqual(await db('post_audits').where({ application_id: id }).pluck('kind'), ['deemed']);
      assert.equal((await db('invoices').where({ application_id: id })).length, 1);
      assert.equal(await refusalOf(review.decide(id, assignee)), 'not_in_review');
      const owner = await review.actor(demoUserId('owner'));
      const late = review.handle(id).executeUpdate(withdrawUpdate, { args: [{ by: owner, reason: 'too late' }] });
      assert.equal(await refusalOf(late), 'already_decided');
    });

    it('used up, does nothing where the policy only escalates', async () => {
      const { id, assignee } = await review.open({ ...LADDER, deemedApproval: 'escalate_only' });
      await review.until(id, await legalDue(id), 48 * HOUR_MS);
      assert.equal(await review.stateOf(id), 'approval');
      assert.equal((await review.progress(id)).assignee, supervisor);
      assert.notEqual(assignee, supervisor);
      await review.decide(id, supervisor);
    });

    it('does not approve a case that the applicant has', async () => {
      const { id, assignee } = await review.open(BY_LAW);
      const due = await legalDue(id);
      await review.decide(id, assignee, { decision: 'request_correction' });
      await eventually('the clock to stand still', async () => (await clockEvents(id)).length === 1);
      await review.until(id, due, 24 * HOUR_MS);
      assert.equal(await review.stateOf(id), 'correction_requested');
      await cancelled(id);
    });

    /** Holds the case's row while `act` is under way; what waits for it goes on afterwards, in the order of its coming. */
    const whileHeld = async (
      id: string,
      activity: string,
      first: () => Promise<unknown>,
      second: () => Promise<unknown>,
    ) => {
      const held = await system.database.db.transaction();
      await held('applications').where({ id }).forUpdate().first('id');
      const one = first();
      await eventually(`${activity} under way`, async () =>
        ((await review.handle(id).describe()).raw.pendingActivities ?? []).some(
          ({ activityType }) => activityType?.name === activity,
        ),
      );
      const two = second();
      await two;
      await held.commit();
      return one;
    };

    it('ending while a decision is recorded leaves the decision', async function () {
      this.timeout(60_000);
      const { id, assignee } = await review.open(BY_LAW);
      const due = await legalDue(id);
      // A moment before the end, so that what is left of the time passes while the decision waits for its record.
      await review.until(id, due, -1_500);
      await review.at(id, 'approval');
      const holder = (await review.progress(id)).assignee ?? assignee;
      const decided = whileHeld(
        id,
        'recordDecision',
        () => refusalOf(review.decide(id, holder, { decision: 'reject' })),
        () => eventually('the legal time to be over', async () => review.nowOf(id) > Date.parse(due)),
      );
      assert.equal(await decided, null);
      await review.reaches(id, 'rejected');
      assert.equal((await review.events(id, 'application.deemed_approved')).length, 0);
    });

    it('ending first leaves the law, and the decision is refused', async function () {
      this.timeout(60_000);
      const { id } = await review.open(BY_LAW);
      const due = await legalDue(id);
      await review.until(id, due, -1_500);
      await review.at(id, 'approval');
      const holder = (await review.progress(id)).assignee;
      const held = await system.database.db.transaction();
      await held('applications').where({ id }).forUpdate().first('id');
      await eventually('the law to be at work', async () =>
        ((await review.handle(id).describe()).raw.pendingActivities ?? []).some(
          ({ activityType }) => activityType?.name === 'approveByLaw',
        ),
      );
      const decision = refusalOf(review.decide(id, holder, { decision: 'reject', reasons: REASONS }));
      await eventually('the decision to be taken in', async () => {
        const events = (await review.handle(id).fetchHistory()).events ?? [];
        return events.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
      });
      await held.commit();
      assert.equal(await decision, 'not_in_review');
      await review.reaches(id, 'pending_payment');
      assert.equal((await review.events(id, 'decision.recorded')).length, 0);
    });
  });

  describe('another policy', () => {
    it('plans what is open anew from the time that it has used, and rules what comes after it', async () => {
      const { id, assignee, dueAt } = await review.open(LADDER);
      const by = await review.actor(supervisor);
      const longer = policy({
        ...LADDER,
        legalWorkingDays: 20,
        fee: { statutoryMinor: '0', serviceMinor: '0', currency: 'IDR' },
      });
      const before = await legalDue(id);
      const request = { by, policy: longer, reason: 'the rules have changed' };
      await review.handle(id).executeUpdate(movePolicyUpdate, { args: [request] });
      const now = await review.progress(id);
      assert.ok(Date.parse(now.dueAt ?? '') > Date.parse(dueAt ?? ''), `${dueAt} → ${now.dueAt}`);
      assert.ok(Date.parse(await legalDue(id)) > Date.parse(before));
      const [moved] = await review.events(id, 'application.policy_moved');
      assert.equal(moved?.data.from, 1);
      assert.equal((await review.decide(id, assignee)).state, 'activating', 'free by the new policy');
      await review.reaches(id, 'active');
    });

    it('is refused once the case is decided', async () => {
      const { id, assignee } = await review.open(ONE_STAGE);
      await review.decide(id, assignee);
      const by = await review.actor(supervisor);
      const request = { by, policy: policy(ONE_STAGE), reason: 'too late' };
      const update = review.handle(id).executeUpdate(movePolicyUpdate, { args: [request] });
      assert.equal(await refusalOf(update), 'already_decided');
    });
  });
});
