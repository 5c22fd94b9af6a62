import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pinnedPolicyOf } from '../../db/policies.ts';
import { writeStatement } from '../../db/statements.ts';
import { type ApplicationId, asId, type UserId } from '../../domain/ids.ts';
import type { LicensePolicy } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import {
  cancelUpdate,
  documentScannedSignal,
  respondUpdate,
  resubmitUpdate,
  withdrawUpdate,
} from '../../workflows/messages.ts';
import { aColleague, retire } from '../builders/people.ts';
import { ONE_STAGE, REASONS, type Review, refusalOf, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const INTENT: Partial<LicensePolicy> = { ...ONE_STAGE, intent: { required: true, answerWithinWorkingDays: 5 } };
const DAY_MS = 86_400_000;

describe('the applicant’s turn', () => {
  let system: TestSystem;
  let review: Review;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    review = reviewOf(system);
  });
  after(() => system?.close());

  const owner = async () => ({ by: await review.actor(demoUserId('owner')) });
  const resubmit = async (id: string) => review.handle(id).executeUpdate(resubmitUpdate, { args: [await owner()] });
  const dueAt = async (id: string): Promise<string> => {
    const at = await eventually('a day to answer by', async () => {
      const row: { at: Date | null } | undefined = await system.database
        .db('applications')
        .where({ id })
        .first({ at: 'due_at' });
      return row?.at;
    });
    return at.toISOString();
  };
  const openSuspensions = async (id: string): Promise<number> =>
    (await system.database.db('suspensions').where({ application_id: id, to_at: null })).length;

  describe('a correction', () => {
    it('is reminded of at the policy’s percentages, once each, and lapses in silence', async () => {
      const correction = {
        maxRounds: 2,
        answerWithinWorkingDays: 10,
        remindAtPercent: [50, 80],
        reopenWithinDays: 180,
      };
      const { id, assignee } = await review.open({ ...ONE_STAGE, correction });
      await review.decide(id, assignee, { decision: 'request_correction' });
      await review.until(id, await dueAt(id));
      await review.reaches(id, 'lapsed_no_response');
      const reminders = await review.events(id, 'application.correction_reminded');
      assert.deepEqual(
        reminders.map(({ data }) => data.percent),
        [50, 80],
      );
      await eventually('both letters', async () => (await review.letters(id, 'correction_reminder')).length === 2);
      assert.equal(await openSuspensions(id), 1, 'the clock goes on standing still');
    });

    it('is asked for once more only by a supervisor', async () => {
      const correction = { maxRounds: 1, answerWithinWorkingDays: 10 };
      const { id, assignee } = await review.open({ ...ONE_STAGE, correction });
      await review.decide(id, assignee, { decision: 'request_correction' });
      await review.reaches(id, 'correction_requested');
      await resubmit(id);
      const again = await review.at(id, 'approval', 2);
      assert.equal(again.assignee, assignee, 'whoever asked has it again');
      const refused = review.decide(id, assignee, { decision: 'request_correction' });
      assert.equal(await refusalOf(refused), 'correction_rounds_exhausted');
      const { db } = system.database;
      await db('users')
        .where({ id: assignee })
        .update({ roles: ['approver', 'supervisor'] });
      assert.equal(
        (await review.decide(id, assignee, { decision: 'request_correction' })).state,
        'correction_requested',
      );
      await db('users')
        .where({ id: assignee })
        .update({ roles: ['approver'] });
    });

    it('that lapsed is open again, with all of its time, and goes on where it was; it may lapse once more', async function () {
      this.timeout(60_000);
      const correction = { maxRounds: 2, answerWithinWorkingDays: 2, remindAtPercent: [50], reopenWithinDays: 180 };
      const { id, assignee } = await review.open({ ...ONE_STAGE, correction });
      await review.decide(id, assignee, { decision: 'request_correction' });
      await review.until(id, await dueAt(id));
      await review.reaches(id, 'lapsed_no_response');
      await review.again(id, 'reopened', 'approval');
      await review.reaches(id, 'correction_requested');
      assert.equal((await review.events(id, 'application.reopened')).length, 1);
      await eventually('the letter', async () => (await review.letters(id, 'application_reopened')).length === 1);
      await review.until(id, await dueAt(id));
      await review.reaches(id, 'lapsed_no_response');
      assert.equal((await review.events(id, 'application.lapsed_no_response')).length, 2);
      assert.equal((await review.events(id, 'application.correction_reminded')).length, 2);
      await review.again(id, 'reopened', 'approval');
      await review.reaches(id, 'correction_requested');
      await resubmit(id);
      const { assignee: holder } = await review.at(id, 'approval', 2);
      assert.equal(holder, assignee);
      assert.equal(await openSuspensions(id), 0);
      assert.equal((await review.decide(id, holder)).state, 'pending_payment');
    });

    it('is taken up once, though the run that does so is started again too late', async () => {
      const correction = { maxRounds: 2, answerWithinWorkingDays: 2, reopenWithinDays: 180 };
      const { id, assignee, code } = await review.open({ ...ONE_STAGE, correction });
      await review.decide(id, assignee, { decision: 'request_correction' });
      await review.until(id, await dueAt(id));
      await review.reaches(id, 'lapsed_no_response');
      const statementId = await review.again(id, 'reopened', 'approval');
      await review.reaches(id, 'correction_requested');
      await review.handle(id).executeUpdate(withdrawUpdate, { args: [{ ...(await owner()), reason: 'done' }] });
      await review.handle(id).result();
      const before = await review.events(id);
      const [row] = await system.database.db('applications').where({ id }).select('company_id', 'round');
      const late = await system.client.workflow.start('licenseReview', {
        workflowId: review.handle(id).workflowId,
        taskQueue: system.taskQueue,
        args: [
          {
            applicationId: asId<ApplicationId>(id),
            companyId: row.company_id,
            applicant: demoUserId('owner'),
            typeCode: code,
            policy: await pinnedPolicyOf(system.database.db, asId<ApplicationId>(id)),
            submittedAt: new Date().toISOString(),
            again: { kind: 'reopened', round: row.round, stage: 'approval', statementId },
          },
        ],
      });
      await late.result();
      assert.equal(await review.stateOf(id), 'withdrawn');
      assert.deepEqual(await review.events(id), before);
    });
  });

  describe('an announced rejection', () => {
    const announce = async (id: string, by: UserId | null) =>
      review.decide(id, by, { decision: 'intend_to_reject', reasons: REASONS });
    const respond = async (id: string) => {
      const statementId = randomUUID();
      const { by } = await owner();
      const at = new Date(review.nowOf(id)).toISOString();
      await writeStatement(system.database.db, {
        id: statementId,
        applicationId: asId<ApplicationId>(id),
        kind: 'response',
        round: 1,
        by: by.userId,
        at,
        text: 'It is not so.',
      });
      return review.handle(id).executeUpdate(respondUpdate, { args: [{ by, statementId }] });
    };

    it('comes before a rejection, is answered, and goes back to the same person in the same round', async () => {
      const { id, assignee } = await review.open(INTENT);
      assert.equal(await refusalOf(review.decide(id, assignee, { decision: 'reject' })), 'intent_required');
      assert.equal((await announce(id, assignee)).state, 'intent_to_reject');
      await eventually('the letter', async () => (await review.letters(id, 'rejection_announced')).length === 1);
      assert.equal(await openSuspensions(id), 1);
      assert.equal(await refusalOf(review.decide(id, assignee)), 'not_in_review');
      assert.deepEqual(await respond(id), { state: 'approval' });
      const now = await review.at(id, 'approval');
      assert.equal(now.assignee, assignee);
      assert.equal(await openSuspensions(id), 0);
      assert.equal((await review.events(id, 'application.responded')).length, 1);
      assert.equal(await refusalOf(announce(id, assignee)), 'already_decided');
      assert.equal((await review.decide(id, assignee, { decision: 'reject' })).state, 'rejected');
      const decisions = await system.database
        .db('decisions')
        .where({ application_id: id })
        .orderBy('decided_at')
        .pluck('decision');
      assert.deepEqual(decisions, ['intend_to_reject', 'reject']);
    });

    it('goes back to the office when the time to answer is over; an answer after that is too late', async () => {
      const { id, assignee } = await review.open(INTENT);
      await announce(id, assignee);
      await review.until(id, await dueAt(id));
      const now = await review.at(id, 'approval');
      assert.equal(now.assignee, assignee);
      assert.equal((await review.events(id, 'application.responded')).length, 0);
      assert.equal(await refusalOf(respond(id)), 'not_awaiting_response');
      assert.equal((await review.decide(id, assignee)).state, 'pending_payment');
    });

    it('goes to somebody else when the person may not hold it any more', async () => {
      const { db } = system.database;
      const { id, assignee } = await review.open(INTENT);
      await announce(id, assignee);
      await db('conflicts').insert({
        application_id: id,
        user_id: assignee,
        reason: 'a cousin',
        declared_at: new Date(),
      });
      await respond(id);
      const { assignee: now } = await review.at(id, 'approval');
      assert.ok(now && now !== assignee, `${now}`);
      assert.equal((await review.decide(id, now, { decision: 'reject' })).state, 'rejected');
    });

    it('leaves the votes of a quorum as they are', async () => {
      const quorum = { of: 2, needed: 2, rejection: 'one_ends' } as const;
      const stages = [{ stage: 'approval', role: 'approver', sharePercent: 50, quorum }] as const;
      const { id, seats = [] } = await review.open({ ...INTENT, stages });
      const [first, second] = seats.map(({ assignee }) => assignee);
      await review.decide(id, first ?? null);
      await announce(id, second ?? null);
      await respond(id);
      const { seats: after = [] } = await review.at(id, 'approval');
      assert.deepEqual(
        after.map(({ vote }) => vote),
        ['approve', null],
      );
      assert.equal((await review.decide(id, second ?? null, { decision: 'reject' })).state, 'rejected');
    });

    it('can be withdrawn or cancelled meanwhile', async () => {
      const [one, other] = [await review.open(INTENT), await review.open(INTENT)];
      for (const { id, assignee } of [one, other]) await announce(id, assignee);
      await review.handle(one.id).executeUpdate(withdrawUpdate, { args: [{ ...(await owner()), reason: 'done' }] });
      assert.equal(await review.stateOf(one.id), 'withdrawn');
      const by = await review.actor(demoUserId('supervisor'));
      await review.handle(other.id).executeUpdate(cancelUpdate, { args: [{ by, code: 'fraud', reason: 'forged' }] });
      assert.equal(await review.stateOf(other.id), 'cancelled');
    });

    it('is not there for a licence type without it', async () => {
      const { id, assignee } = await review.open(ONE_STAGE);
      assert.equal(await refusalOf(announce(id, assignee)), 'invalid_request');
    });
  });

  it('is not: a case that is cancelled is cancelled by a supervisor, in whatever state before the approval', async () => {
    const { id, assignee } = await review.open(ONE_STAGE);
    const by = await review.actor(assignee ?? assert.fail());
    const request = { code: 'duplicate', reason: 'twice' } as const;
    const cancel = async (actor: typeof by) =>
      review.handle(id).executeUpdate(cancelUpdate, { args: [{ by: actor, ...request }] });
    assert.equal(await refusalOf(cancel(by)), 'forbidden');
    await review.decide(id, assignee);
    assert.equal(await refusalOf(cancel(await review.actor(demoUserId('supervisor')))), 'already_decided');
  });

  describe('an appeal', () => {
    it('is the whole review once more, by people who had no part in the first', async function () {
      this.timeout(60_000);
      const { db } = system.database;
      const { id, assignee } = await review.open({ ...ONE_STAGE, appeal: { withinDays: 30 }, deemedApproval: 'issue' });
      await review.decide(id, assignee, { decision: 'reject' });
      await review.reaches(id, 'rejected');
      await review.again(id, 'appeal');
      const { assignee: other, round } = await review.at(id, 'approval', 2);
      assert.equal(round, 2);
      assert.ok(other && other !== assignee, `${other}`);
      assert.equal((await review.events(id, 'application.appealed')).length, 1);
      assert.equal((await review.events(id, 'application.resubmitted')).length, 0);
      assert.deepEqual(await db('suspensions').where({ application_id: id }).pluck('reason'), ['appeal']);
      assert.equal(await openSuspensions(id), 0);
      const row = await db('applications').where({ id }).first('closed_at', 'round');
      assert.deepEqual([row.closed_at, row.round], [null, 2]);
      const colleague = await aColleague(db, 'approver');
      assert.equal((await review.decide(id, other, { decision: 'request_correction' })).state, 'correction_requested');
      await resubmit(id);
      const { assignee: holder } = await review.at(id, 'approval', 3);
      assert.equal(holder, other, 'the appeal has rounds of its own');
      // However long it takes: the office has decided once, and the law does not decide it the other way.
      await review.until(id, new Date(review.nowOf(id) + 60 * DAY_MS).toISOString());
      assert.equal(await review.stateOf(id), 'approval');
      await review.decide(id, (await review.progress(id)).assignee);
      await review.reaches(id, 'pending_payment');
      await retire(db, colleague);
    });
  });

  describe('documents that are scanned', () => {
    const withDocument: Partial<LicensePolicy> = { ...ONE_STAGE, checklist: [{ kind: 'ktp', required: true }] };
    const scanning = async () => {
      const { db } = system.database;
      const code = await review.typeUnder(withDocument);
      const id = await review.story.draft(code);
      await db('documents').where({ application_id: id }).update({ scan_state: 'waiting' });
      await review.story.expect(200, review.story.call('POST', `licenses/applications/${id}/submit`, { as: 'owner' }));
      await eventually('the process to wait for the scan', async () => {
        const events = (await review.handle(id).fetchHistory()).events ?? [];
        return events.some((event) => event.timerStartedEventAttributes);
      });
      return {
        id,
        finish: async (scan_state: 'clean' | 'infected') => {
          const [document] = await db('documents').where({ application_id: id }).update({ scan_state }).returning('id');
          await review.handle(id).signal(documentScannedSignal, { documentId: document.id });
        },
      };
    };

    it('hold the check up until the last one is', async () => {
      const { id, finish } = await scanning();
      assert.equal(await review.stateOf(id), 'submitted');
      await finish('clean');
      await review.at(id, 'approval');
      assert.equal((await review.events(id, 'application.completeness_checked')).length, 1);
    });

    it('count as missing when they are infected', async () => {
      const { id, finish } = await scanning();
      await finish('infected');
      await review.reaches(id, 'correction_requested');
      const [event] = await review.events(id, 'application.correction_requested');
      assert.deepEqual(event?.data.reasons, [{ code: 'document_missing', pointer: '/documents/ktp' }]);
    });

    it('do not keep the applicant from withdrawing, and are asked after though no word of them came', async () => {
      const [one, other] = [await scanning(), await scanning()];
      await review.handle(one.id).executeUpdate(withdrawUpdate, { args: [{ ...(await owner()), reason: 'done' }] });
      assert.equal(await review.stateOf(one.id), 'withdrawn');
      await system.database.db('documents').where({ application_id: other.id }).update({ scan_state: 'clean' });
      await review.until(other.id, new Date(review.nowOf(other.id) + 16 * 60_000).toISOString(), 0);
      await review.at(other.id, 'approval');
    });
  });

  describe('the automatic path', () => {
    const automatic: Partial<LicensePolicy> = {
      path: 'automatic',
      stages: [],
      checklist: [],
      automatic: { auditPercent: 100, fallback: { stage: 'compliance_check', role: 'examiner', sharePercent: 90 } },
    };

    it('approves what passes, and draws the sample for the audit', async () => {
      const id = await review.submitted(await review.typeUnder(automatic));
      await review.reaches(id, 'pending_payment');
      assert.deepEqual(await system.database.db('post_audits').where({ application_id: id }).pluck('kind'), ['sample']);
    });

    describe('that asks registries', () => {
      const asking: Partial<LicensePolicy> = { ...automatic, registries: { ask: ['npwp'], giveUpAfterMinutes: 60 } };
      const set = async (mode: 'up' | 'down') =>
        fetch(`${system.sandboxUrl}/_sandbox/registries/npwp`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ mode }),
        });
      afterEach(() => set('up'));

      it('approves what they confirm', async () => {
        const id = await review.submitted(await review.typeUnder(asking));
        await review.reaches(id, 'pending_payment');
        assert.equal((await review.events(id, 'registry.answered')).length, 1);
      });

      it('gives a person what they do not answer in time', async () => {
        await set('down');
        const id = await review.submitted(await review.typeUnder(asking));
        await eventually('the registry to be asked', async () =>
          system.database
            .db('registry_checks')
            .where({ application_id: id, state: 'asking' })
            .where('attempts', '>', 0)
            .first(),
        );
        assert.equal(await review.stateOf(id), 'auto_check');
        await review.until(id, new Date(review.nowOf(id) + 61 * 60_000).toISOString(), 0);
        const { assignee } = await review.at(id, 'compliance_check');
        assert.equal((await review.events(id, 'registry.unavailable')).length, 1);
        assert.equal((await review.decide(id, assignee)).state, 'pending_payment');
      });

      it('of a case under review hold up neither its stages nor its end', async () => {
        await set('down');
        const registries = { ask: ['npwp'], giveUpAfterMinutes: 60 } as const;
        const { id, assignee } = await review.open({ ...ONE_STAGE, registries });
        await review.decide(id, assignee, { decision: 'reject' });
        assert.deepEqual(await review.handle(id).result(), { state: 'rejected' });
      });
    });

    it('gives a person what the rules do not pass', async () => {
      const code = await review.typeUnder(automatic);
      const rule = { code: 'never', expression: 'false', otherwise: 'fail', reason: { id: 'Tidak', en: 'No' } };
      await system.database.db('compliance_rule_sets').insert({
        id: randomUUID(),
        type_code: code,
        version: 1,
        effective_from: '2026-01-01T00:00:00Z',
        rules: JSON.stringify([rule]),
        published_at: '2026-01-01T00:00:00Z',
      });
      const id = await review.submitted(code);
      const { assignee } = await review.at(id, 'compliance_check');
      assert.equal(assignee, demoUserId('examiner'));
      await review.decide(id, assignee, { decision: 'request_correction' });
      await review.reaches(id, 'correction_requested');
      await resubmit(id);
      const now = await review.at(id, 'compliance_check', 2);
      assert.equal((await review.decide(id, now.assignee)).state, 'pending_payment');
      assert.equal((await review.events(id, 'application.approved')).length, 0, 'a person approved it');
    });
  });
});
