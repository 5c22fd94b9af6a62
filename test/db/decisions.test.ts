import assert from 'node:assert/strict';
import { type NewDecision, recordDecision } from '../../db/decisions.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aTask,
  aUser,
  hashOf,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

describe('recording a decision', () => {
  let database: TestDatabase;
  let owner: UserId;
  let reviewer: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    [owner, reviewer] = [await aUser(database.db, 'owner'), await aUser(database.db, 'verifier')];
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
    await database.db('users').where({ id: reviewer }).update({ office_id: type.officeId });
  });
  after(() => database?.drop());

  const underReview = async (state: ApplicationState = 'document_verification'): Promise<ApplicationId> => {
    const given = { companyId, type, applicantId: owner, state, assigneeId: reviewer, dueAt: MONDAY };
    const id = await anApplication(database.db, given);
    await aTask(database.db, {
      applicationId: id,
      stage: 'document_verification',
      assigneeId: reviewer,
      dueAt: MONDAY,
    });
    return id;
  };
  const approval = (applicationId: ApplicationId, changes: Partial<NewDecision> = {}): NewDecision => ({
    applicationId,
    round: 1,
    stage: 'document_verification',
    decision: 'approve',
    by: reviewer,
    at: MONDAY,
    reasons: [],
    note: 'complete',
    submissionHash: hashOf('submission'),
    to: 'compliance_check',
    nextStage: 'compliance_check',
    ...changes,
  });
  const recorded = async (id: ApplicationId) => {
    const where = { application_id: id };
    const [decisions, events, tasks, application] = await Promise.all([
      database.db('decisions').where(where).select('decision', 'decided_by', 'note', 'reasons', 'submission_sha256'),
      database.db('events').where(where).select('type', 'actor_id', 'data'),
      database.db('tasks').where(where).select('state', 'closed_at'),
      database.db('applications').where({ id }).first('state', 'stage', 'assignee_id', 'due_at', 'closed_at'),
    ]);
    return { decisions, events, tasks, application };
  };

  it('writes decision, event, task and case together', async () => {
    const id = await underReview();
    await recordDecision(database.db, approval(id));
    const data = { stage: 'document_verification', round: 1, decision: 'approve', to: 'compliance_check', reasons: [] };
    assert.deepEqual(await recorded(id), {
      decisions: [
        {
          decision: 'approve',
          decided_by: reviewer,
          note: 'complete',
          reasons: [],
          submission_sha256: hashOf('submission'),
        },
      ],
      events: [{ type: 'decision.recorded', actor_id: reviewer, data }],
      tasks: [{ state: 'decided', closed_at: new Date(MONDAY) }],
      application: {
        state: 'compliance_check',
        stage: 'compliance_check',
        assignee_id: null,
        due_at: null,
        closed_at: null,
      },
    });
  });

  it('closes the case that it rejects, and tells the event the codes of the reasons only', async () => {
    const id = await underReview();
    const reasons = [{ code: 'document_unreadable', text: 'the card of Mr S.' }];
    await recordDecision(
      database.db,
      approval(id, { decision: 'reject', reasons, note: null, to: 'rejected', nextStage: null }),
    );
    const { application, events, decisions } = await recorded(id);
    assert.equal(application?.state, 'rejected');
    assert.deepEqual(application?.closed_at, new Date(MONDAY));
    assert.deepEqual(events[0]?.data.reasons, ['document_unreadable']);
    assert.deepEqual(decisions[0]?.reasons, reasons);
  });

  it('repeated, changes nothing, wherever the case has gone since', async () => {
    const id = await underReview();
    await recordDecision(database.db, approval(id));
    await database
      .db('applications')
      .where({ id })
      .update({ state: 'approval', stage: 'approval', assignee_id: owner });
    const before = await recorded(id);
    await recordDecision(database.db, approval(id));
    await recordDecision(database.db, approval(id, { decision: 'reject', to: 'rejected', nextStage: null }));
    assert.deepEqual(await recorded(id), before);
  });

  it('twenty times at once writes one', async () => {
    const id = await underReview();
    await Promise.all(Array.from({ length: 20 }, () => recordDecision(database.db, approval(id))));
    const { decisions, events } = await recorded(id);
    assert.deepEqual([decisions.length, events.length], [1, 1]);
  });

  it('from a state that cannot go there is an error, and nothing is written', async () => {
    for (const state of ['draft', 'withdrawn', 'active'] as const) {
      const id = await underReview(state);
      const before = await recorded(id);
      await assert.rejects(recordDecision(database.db, approval(id)), /the application cannot move there/);
      assert.deepEqual(await recorded(id), before, state);
    }
  });

  describe('by somebody who may not hold the task any more', () => {
    const nothingOf = async (id: ApplicationId, work: () => Promise<unknown>) => {
      const before = await recorded(id);
      assert.ok(before.tasks.length > 0);
      await work();
      const after = await recorded(id);
      assert.deepEqual(after.decisions, []);
      assert.deepEqual(after.application, before.application);
    };
    const refusal = (id: ApplicationId, changes: Partial<NewDecision> = {}) =>
      recordDecision(database.db, approval(id, changes));

    it('writes nothing, and says why', async () => {
      const { db } = database;
      const id = await underReview();
      const conflict = { application_id: id, user_id: reviewer, reason: 'a cousin', declared_at: MONDAY };
      await db('conflicts').insert(conflict);
      await nothingOf(id, async () => assert.equal(await refusal(id), 'conflict_declared'));
      await db('conflicts').where({ application_id: id }).delete();
      await db('users')
        .where({ id: reviewer })
        .update({ roles: ['examiner'] });
      await nothingOf(id, async () => assert.equal(await refusal(id), 'reviewer_not_eligible'));
      await db('users')
        .where({ id: reviewer })
        .update({ roles: ['verifier'] });
      assert.equal(await refusal(id), null);
    });

    it('is refused when the task is taken away in the same moment, whoever comes first', async () => {
      const { db } = database;
      const id = await underReview();
      const taking = await db.transaction();
      await taking('tasks').where({ application_id: id }).update({ assignee_id: null });
      const decided = refusal(id);
      await eventually('the decision to wait for the task', async () => {
        const { rows } = await db.raw(
          "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%with done as%'",
        );
        return rows.length > 0;
      });
      await nothingOf(id, async () => {
        await taking.commit();
        assert.equal(await decided, 'not_assigned');
      });
    });

    it('is recorded all the same by a supervisor in their place', async () => {
      const { db } = database;
      const supervisor = await aUser(db, 'supervisor');
      await db('users').where({ id: supervisor }).update({ office_id: type.officeId });
      const id = await underReview();
      assert.equal(await refusal(id, { by: supervisor }), 'not_assigned');
      assert.equal(await refusal(id, { by: supervisor, override: true }), null);
      assert.equal((await recorded(id)).application?.state, 'compliance_check');
    });
  });

  it('of a vote that leaves the stage open moves nothing but that seat', async () => {
    const id = await underReview();
    const open = { seat: 1, to: 'document_verification', nextStage: 'document_verification' } as const;
    assert.equal(await recordDecision(database.db, approval(id, open)), null);
    const { application, tasks } = await recorded(id);
    assert.deepEqual([application?.state, application?.stage], ['document_verification', 'document_verification']);
    assert.deepEqual(application?.due_at, new Date(MONDAY));
    assert.deepEqual(
      tasks.map(({ state }) => state),
      ['decided'],
    );
  });

  it('stays as it was made', async () => {
    const id = await underReview();
    await recordDecision(database.db, approval(id));
    const made = () => database.db('decisions').where({ application_id: id });
    await assert.rejects(made().update({ decision: 'reject' }), /decisions is append-only/);
    await assert.rejects(made().delete(), /decisions is append-only/);
  });
});
