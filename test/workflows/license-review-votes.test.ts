import assert from 'node:assert/strict';
import type { UserId } from '../../domain/ids.ts';
import type { LicensePolicy, Quorum } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import {
  cancelSignal,
  overrideSignal,
  overrideUpdate,
  type ReassignRequest,
  reassignSignal,
  reassignUpdate,
  withdrawUpdate,
} from '../../workflows/messages.ts';
import { aColleague, retire } from '../builders/people.ts';
import { REASONS, type Review, refusalOf, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const HIGH: Quorum = { of: 3, needed: 2, requiredRoles: ['head'], rejection: 'when_lost' };
const voting = (quorum: Quorum): Partial<LicensePolicy> => ({
  stages: [{ stage: 'approval', role: 'approver', sharePercent: 50, quorum }],
  checklist: [],
});

describe('several people who decide a case', () => {
  let system: TestSystem;
  let review: Review;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    review = reviewOf(system);
  });
  after(() => system?.close());

  const head = demoUserId('head');
  const approver = demoUserId('approver');
  const approver2 = demoUserId('approver2');
  const supervisor = demoUserId('supervisor');
  const by = async (userId: UserId) => ({ by: await review.actor(userId) });
  const tasks = (id: string): Promise<{ seat: number; state: string; assignee_id: string | null }[]> =>
    system.database
      .db('tasks')
      .where({ application_id: id })
      .orderBy('round')
      .orderBy('seat')
      .select('seat', 'state', 'assignee_id');

  it('has a seat for each, and is approved by enough of them with the head of office among them', async () => {
    const { id, seats = [] } = await review.open(voting(HIGH));
    assert.deepEqual(seats.map(({ assignee }) => assignee).sort(), [head, approver, approver2].sort());
    assert.equal((await review.decide(id, approver)).state, 'approval');
    assert.equal((await review.decide(id, approver2)).state, 'approval', 'two of three, but without the head');
    assert.equal(await review.stateOf(id), 'approval');
    assert.equal((await review.decide(id, head)).state, 'pending_payment');
    assert.deepEqual((await review.events(id, 'decision.recorded')).length, 3);
    assert.equal((await system.database.db('invoices').where({ application_id: id })).length, 1);
  });

  it('frees the seats that are not needed any more', async () => {
    const { id } = await review.open(voting(HIGH));
    await review.decide(id, head);
    await review.decide(id, approver);
    assert.deepEqual((await tasks(id)).map(({ state }) => state).sort(), ['cancelled', 'decided', 'decided']);
    assert.equal(await refusalOf(review.decide(id, approver2)), 'already_decided');
  });

  it('takes one vote of each, shows them, and refuses who has none', async () => {
    const { id } = await review.open(voting(HIGH));
    await review.decide(id, approver);
    assert.equal(await refusalOf(review.decide(id, approver)), 'already_decided');
    assert.equal(await refusalOf(review.decide(id, demoUserId('verifier'))), 'not_assigned');
    const { seats = [] } = await review.progress(id);
    assert.deepEqual(
      seats.map(({ assignee, vote }) => [assignee, vote]).find(([, vote]) => vote),
      [approver, 'approve'],
    );
  });

  it('counts every vote of three at once, and ends once', async () => {
    const { id } = await review.open(voting(HIGH));
    const answers = await Promise.allSettled([head, approver, approver2].map((person) => review.decide(id, person)));
    const states = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.state] : []));
    assert.equal(states.filter((state) => state === 'pending_payment').length, 1, JSON.stringify(states));
    const recorded = (await review.events(id, 'decision.recorded')).length;
    assert.equal(recorded, states.length);
    assert.equal((await review.events(id, 'invoice.issued')).length, 1);
  });

  it('rejects when the approvals cannot come any more; one rejection leaves the others to decide', async () => {
    const { id } = await review.open(voting(HIGH));
    assert.equal((await review.decide(id, approver, { decision: 'reject' })).state, 'approval');
    assert.equal((await review.decide(id, approver2, { decision: 'reject' })).state, 'rejected');
    await review.reaches(id, 'rejected');
  });

  it('rejects at once when the head does, whom it cannot do without', async () => {
    const { id } = await review.open(voting(HIGH));
    assert.equal((await review.decide(id, head, { decision: 'reject' })).state, 'rejected');
  });

  it('ends with the first rejection where the policy says so', async () => {
    const { id } = await review.open(voting({ of: 2, needed: 1, rejection: 'one_ends' }));
    assert.equal((await review.decide(id, approver, { decision: 'reject' })).state, 'rejected');
  });

  it('gives the case back when one asks for a correction; the votes before are void then', async () => {
    const { id } = await review.open(voting(HIGH));
    await review.decide(id, head);
    assert.equal((await review.decide(id, approver, { decision: 'request_correction' })).state, 'correction_requested');
    await review.story.expect(200, review.story.call('POST', `licenses/applications/${id}/resubmit`, { as: 'owner' }));
    const { seats = [] } = await review.at(id, 'approval', 2);
    assert.deepEqual(
      seats.map(({ vote }) => vote),
      [null, null, null],
    );
    assert.equal((await review.decide(id, approver)).state, 'approval');
    assert.equal((await review.decide(id, head)).state, 'pending_payment');
  });

  it('ends with a withdrawal or with a vote, never with both', async () => {
    const { id } = await review.open(voting(HIGH));
    await review.decide(id, head);
    const owner = await review.actor(demoUserId('owner'));
    const withdrawal = review
      .handle(id)
      .executeUpdate(withdrawUpdate, { args: [{ by: owner, reason: 'changed plans' }] });
    const [withdrawn, voted] = await Promise.all([refusalOf(withdrawal), refusalOf(review.decide(id, approver))]);
    assert.ok((withdrawn === null) !== (voted === null), `${withdrawn} ${voted}`);
    assert.equal(await review.stateOf(id), withdrawn === null ? 'withdrawn' : 'pending_payment');
  });

  describe('a supervisor in their place', () => {
    const override = async (id: string, person: UserId, decision: 'approve' | 'reject' | 'request_correction') =>
      review.handle(id).executeUpdate(overrideUpdate, {
        args: [
          { ...(await by(person)), decision, reasons: decision === 'approve' ? [] : REASONS, reason: 'no time left' },
        ],
      });

    it('decides for all seats at once, and the record says so', async () => {
      const { id } = await review.open(voting(HIGH));
      await review.decide(id, approver);
      assert.equal((await override(id, supervisor, 'approve')).state, 'pending_payment');
      const decisions = await system.database
        .db('decisions')
        .where({ application_id: id })
        .orderBy('decided_at')
        .pluck('override');
      assert.deepEqual(decisions, [false, true]);
      assert.deepEqual((await tasks(id)).map(({ state }) => state).sort(), ['cancelled', 'decided', 'decided']);
      assert.equal(await refusalOf(override(id, supervisor, 'reject')), 'not_in_review');
    });

    it('is nobody else', async () => {
      const { id } = await review.open(voting(HIGH));
      assert.equal(await refusalOf(override(id, head, 'approve')), 'forbidden');
      assert.equal(await review.stateOf(id), 'approval');
    });

    it('may do it from the Temporal UI, where others are refused on the record', async () => {
      const { id } = await review.open(voting(HIGH));
      await review.handle(id).signal(overrideSignal, { by: head, decision: 'approve' });
      await review.handle(id).signal(cancelSignal, { by: head, code: 'fraud' });
      await review.handle(id).signal(reassignSignal, { by: head, to: null });
      const refusals = await eventually('three refusals', async () => {
        const found = await review.events(id, 'decision.refused');
        return found.length === 3 ? found : null;
      });
      assert.deepEqual(refusals.map(({ data }) => [data.decision, data.code]).sort(), [
        ['cancel', 'forbidden'],
        ['override', 'forbidden'],
        ['reassign', 'forbidden'],
      ]);
      await review.handle(id).signal(cancelSignal, { by: 'supervisor@alur.example', code: 'duplicate', note: 'twice' });
      await review.reaches(id, 'cancelled');
      const row = await system.database
        .db('applications')
        .where({ id })
        .first('closing_code', 'closing_reason', 'closed_at');
      assert.deepEqual([row.closing_code, row.closing_reason], ['duplicate', 'twice']);
      assert.deepEqual(
        (await tasks(id)).map(({ state }) => state),
        ['cancelled', 'cancelled', 'cancelled'],
      );
      await eventually('the letter', async () => (await review.letters(id, 'application_cancelled')).length === 1);
    });
  });

  describe('seats that change hands', () => {
    const reassign = async (id: string, person: UserId, request: Partial<ReassignRequest>) =>
      review.handle(id).executeUpdate(reassignUpdate, {
        args: [{ ...(await by(person)), to: null, reason: 'on leave', kind: 'reassign', ...request }],
      });

    it('never end with one person on two of them', async () => {
      const { id } = await review.open(voting(HIGH));
      const refused = reassign(id, supervisor, { from: approver, to: head });
      assert.equal(await refusalOf(refused), 'reviewer_not_eligible');
    });

    it('go to whoever the holder names, not to whom somebody else does', async () => {
      const { id } = await review.open(voting(HIGH));
      const colleague = await aColleague(system.database.db, 'approver');
      try {
        const foreign = reassign(id, approver2, { from: approver, to: colleague, kind: 'delegate' });
        assert.equal(await refusalOf(foreign), 'not_your_task');
        assert.deepEqual(await reassign(id, approver, { to: colleague, kind: 'delegate' }), { assignee: colleague });
        assert.equal(await refusalOf(review.decide(id, approver)), 'not_assigned');
        assert.equal((await review.decide(id, colleague)).state, 'approval');
      } finally {
        await retire(system.database.db, colleague);
      }
    });

    it('go to the supervisors’ queue when nobody is free, with an alarm; and from there to who claims', async () => {
      const { id } = await review.open(voting(HIGH));
      const answer = await reassign(id, approver, { kind: 'conflict' });
      assert.deepEqual(answer, { assignee: null });
      assert.equal((await review.events(id, 'conflict.declared')).length, 1);
      assert.equal((await review.events(id, 'task.unassigned')).length, 1);
      await eventually('the alarm', async () => (await review.letters(id, 'task_unassigned')).includes(supervisor));
      assert.equal(await refusalOf(reassign(id, approver, { to: approver, kind: 'claim' })), 'conflict_declared');
      assert.deepEqual(await reassign(id, supervisor, { to: supervisor, kind: 'claim' }), { assignee: supervisor });
    });

    it('are not taken from who holds them by who is quick', async () => {
      const { id } = await review.open({
        stages: [{ stage: 'approval', role: 'approver', sharePercent: 50 }],
        checklist: [],
      });
      const { assignee } = await review.progress(id);
      const other = assignee === approver ? approver2 : approver;
      assert.equal(await refusalOf(reassign(id, other, { to: other, kind: 'claim' })), 'not_your_task');
    });

    it('decide or give up: a decision and a conflict at once leave one of them', async () => {
      const { id } = await review.open(voting({ of: 1, needed: 1, rejection: 'one_ends' }));
      const { assignee } = await review.progress(id);
      assert.ok(assignee);
      const [decided, given] = await Promise.all([
        refusalOf(review.decide(id, assignee)),
        refusalOf(reassign(id, assignee, { kind: 'conflict' })),
      ]);
      assert.ok((decided === null) !== (given === null), `${decided} ${given}`);
      const conflicts = await system.database.db('conflicts').where({ application_id: id });
      assert.equal(conflicts.length, given === null ? 1 : 0);
    });
  });

  describe('the records of the moment', () => {
    it('refuse whoever may not hold the task any more; the stage stays open for others', async () => {
      const { db } = system.database;
      const colleague = await aColleague(db, 'examiner');
      await db('users')
        .where({ id: demoUserId('examiner') })
        .update({ status: 'disabled' });
      const { id, assignee } = await review.open(
        { stages: [{ stage: 'compliance_check', role: 'examiner', sharePercent: 50 }], checklist: [] },
        'compliance_check',
      );
      assert.equal(assignee, colleague);
      await db('users')
        .where({ id: colleague })
        .update({ roles: ['verifier'] });
      assert.equal(await refusalOf(review.decide(id, colleague)), 'reviewer_not_eligible');
      assert.equal((await review.events(id, 'decision.recorded')).length, 0);
      assert.deepEqual((await review.progress(id)).decisions, []);
      await db('users')
        .where({ id: colleague })
        .update({ roles: ['examiner'] });
      await db('users')
        .where({ id: demoUserId('examiner') })
        .update({ status: 'active' });
      assert.equal((await review.decide(id, colleague)).state, 'pending_payment');
      await retire(db, colleague);
    });

    it('refuse who has declared a conflict behind the back of the process', async () => {
      const { db } = system.database;
      const { id, assignee } = await review.open({
        stages: [{ stage: 'approval', role: 'approver', sharePercent: 50 }],
        checklist: [],
      });
      await db('conflicts').insert({
        application_id: id,
        user_id: assignee,
        reason: 'a cousin',
        declared_at: new Date(),
      });
      assert.equal(await refusalOf(review.decide(id, assignee)), 'conflict_declared');
      assert.equal(await review.stateOf(id), 'approval');
    });
  });
});
