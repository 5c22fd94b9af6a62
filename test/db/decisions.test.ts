import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { decisionsOf } from '../../db/applications.ts';
import { type NewDecision, recordDecision } from '../../db/decisions.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  aTask,
  aUser,
  hashOf,
  holds,
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

  describe('after an appeal, by a supervisor who had a part before it, in the holder’s place', () => {
    let office: LicenseTypeRow;
    let supervisor: UserId;
    beforeEach(async () => {
      office = await aLicenseType(database.db);
      supervisor = await colleague('supervisor');
    });

    const colleague = async (role: string): Promise<UserId> => {
      const id = await aUser(database.db, role);
      await database.db('users').where({ id }).update({ office_id: office.officeId });
      return id;
    };
    /** Decided in round 1 by `by`, appealed, and open again in round 2. */
    const appealed = async (...by: UserId[]): Promise<ApplicationId> => {
      const { db } = database;
      const state = 'document_verification';
      const id = await anApplication(db, { companyId, type: office, applicantId: owner, state });
      for (const [index, person] of by.entries())
        await aDecision(db, { applicationId: id, stage: state, decision: 'reject', by: person, seat: index + 1 });
      await db('applicant_statements').insert({
        id: randomUUID(),
        application_id: id,
        kind: 'appeal',
        round: 1,
        said_by: owner,
        said_at: MONDAY,
        text: 'Please look again.',
      });
      await aTask(db, { applicationId: id, stage: state, assigneeId: null, dueAt: MONDAY });
      await db('tasks').where({ application_id: id }).update({ round: 2 });
      await db('applications').where({ id }).update({ round: 2 });
      return id;
    };
    const overridden = (id: ApplicationId, by = supervisor) =>
      recordDecision(database.db, approval(id, { by, round: 2, override: true }));
    const soleOf = async (id: ApplicationId) => {
      const { events } = await recorded(id);
      const [decision] = (await decisionsOf(database.db, id)).filter(({ round }) => round === 2);
      return [events.at(-1)?.data.soleSupervisor, decision?.soleSupervisor];
    };

    it('is taken where the office has no other supervisor, and event and decision say so', async () => {
      const id = await appealed(supervisor);
      assert.equal(await overridden(id), null);
      assert.deepEqual(await soleOf(id), [true, true]);
      assert.equal(await overridden(id), null, 'a repeat');
      assert.equal((await recorded(id)).events.length, 1);
    });

    it('is refused while another supervisor could, though that one is away', async () => {
      const { db } = database;
      const other = await colleague('supervisor');
      await db('absences').insert(anAbsence(other));
      const id = await appealed(supervisor);
      assert.equal(await overridden(id), 'already_acted');
      await db('users').where({ id: other }).update({ status: 'disabled' });
      assert.equal(await overridden(id), null);
    });

    it('is taken where every other supervisor is barred too', async () => {
      const [before, acting, torn] = [
        await colleague('supervisor'),
        await colleague('supervisor'),
        await colleague('supervisor'),
      ];
      const { db } = database;
      const id = await appealed(supervisor, before);
      await db('company_members').insert({ company_id: companyId, user_id: acting });
      assert.equal(await overridden(id), 'already_acted');
      await db('conflicts').insert({ application_id: id, user_id: torn, reason: 'a cousin', declared_at: MONDAY });
      assert.equal(await overridden(id, torn), 'conflict_declared');
      assert.equal(await overridden(id, before), null);
      assert.deepEqual(await soleOf(id), [true, true]);
    });

    it('says nothing of the kind when somebody else decides', async () => {
      const other = await colleague('supervisor');
      const id = await appealed(supervisor);
      assert.equal(await overridden(id, other), null);
      assert.deepEqual(await soleOf(id), [undefined, false]);
    });

    it('is no way to a vote: in a seat of their own they decide nothing, though they are the only one', async () => {
      const id = await appealed(supervisor);
      await database.db('tasks').where({ application_id: id }).update({ assignee_id: supervisor });
      assert.equal(await recordDecision(database.db, approval(id, { by: supervisor, round: 2 })), 'already_acted');
    });
  });

  it('in the holder’s place is refused to who is away, though they had another stage', async () => {
    const { db } = database;
    const supervisor = await aUser(db, 'supervisor');
    await db('users').where({ id: supervisor }).update({ office_id: type.officeId });
    const id = await underReview();
    await holds(db, id, supervisor, 'compliance_check');
    await db('absences').insert(anAbsence(supervisor));
    const instead = approval(id, { by: supervisor, override: true });
    assert.equal(await recordDecision(db, instead), 'reviewer_not_eligible');
    await db('absences').where({ user_id: supervisor }).delete();
    assert.equal(await recordDecision(db, instead), null);
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

const anAbsence = (userId: UserId) => ({
  id: randomUUID(),
  user_id: userId,
  from_at: MONDAY,
  to_at: '2026-03-09T02:00:00.000Z',
  reason: 'leave',
  planned_by: userId,
  planned_at: MONDAY,
});
