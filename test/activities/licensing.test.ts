/** Each step of a review: run twice, at once, or by a run that was started too late. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createLicensingActivities } from '../../activities/licensing.ts';
import { writeStatement } from '../../db/statements.ts';
import { DEFAULT_LADDER } from '../../domain/escalation.ts';
import { type ApplicationId, asId, type UserId } from '../../domain/ids.ts';
import type { LicensePolicy, Stage } from '../../domain/licensing.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { policy } from '../builders/licensing.ts';
import { ONE_STAGE, REASONS, reviewOf } from '../support/review.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const STAGE: Stage = 'approval';
const QUORUM = { of: 2, needed: 2, rejection: 'one_ends' } as const;
const WHEN = '2026-03-02T02:00:00.000Z';
const LATER = '2026-03-04T02:00:00.000Z';
const RULES: Partial<LicensePolicy> = {
  ...ONE_STAGE,
  ladder: DEFAULT_LADDER,
  stages: [{ stage: STAGE, role: 'approver', sharePercent: 50, quorum: QUORUM }],
};
const TABLES = [
  'applications',
  'events',
  'tasks',
  'decisions',
  'escalations',
  'suspensions',
  'submissions',
  'conflicts',
  'invoices',
] as const;

describe('a step of a review', () => {
  let system: TestSystem;
  let activities: ReturnType<typeof createLicensingActivities>;
  let typeCode: string;

  before(async function () {
    this.timeout(60_000);
    system = await startSystem({ worker: false });
    activities = createLicensingActivities(system.deps);
    typeCode = await reviewOf(system).typeUnder(RULES);
  });
  after(() => system?.close());

  const rules = policy(RULES);
  const records = async (id: string): Promise<Record<string, unknown[]>> => {
    const entries = TABLES.map(async (table) => {
      const column = table === 'applications' ? 'id' : 'application_id';
      const rows: { row: string }[] = await system.database
        .db({ t: table })
        .where({ [column]: id })
        .select(system.database.db.raw('cast(to_jsonb(t) as text) as row'));
      return [table, rows.map(({ row }) => row).sort()] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  };
  /** Runs it, and three more times at once: the answer and the records are those of the first. */
  const once = async <T>(id: string, run: () => Promise<T>): Promise<T> => {
    const first = await run();
    const before = await records(id);
    const repeats = await Promise.all([run(), run(), run()]);
    for (const repeat of repeats) assert.deepEqual(repeat, first);
    assert.deepEqual(await records(id), before);
    return first;
  };

  const submission = (applicationId: ApplicationId, round = 1, at = WHEN) => ({
    applicationId,
    typeCode,
    round,
    by: demoUserId('owner'),
    checklist: rules.checklist,
    legalWorkingDays: rules.legalWorkingDays,
    to: 'completeness' as const,
    at,
  });
  const opening = (applicationId: ApplicationId, round = 1, at = WHEN) => ({
    applicationId,
    typeCode,
    round,
    stage: STAGE,
    role: 'approver' as const,
    sharePercent: 50,
    quorum: QUORUM,
    legalWorkingDays: rules.legalWorkingDays,
    ladder: rules.ladder,
    usedMs: 0,
    preferred: null,
    at,
  });
  const received = async (): Promise<ApplicationId> => {
    const id = asId<ApplicationId>(await reviewOf(system).submitted(typeCode));
    await activities.receiveSubmission(submission(id));
    return id;
  };
  const opened = async () => {
    const id = await received();
    const { seats } = await activities.openStage(opening(id));
    return { id, seats };
  };
  const decision = (id: ApplicationId, by: UserId, seat: number, changes: object = {}) => ({
    applicationId: id,
    round: 1,
    stage: STAGE,
    decision: 'request_correction' as const,
    by,
    at: WHEN,
    reasons: REASONS,
    note: null,
    submissionHash: asId<never>('a'.repeat(64)),
    to: 'correction_requested' as const,
    nextStage: null,
    bill: null,
    seat,
    ...changes,
  });
  const statement = async (
    applicationId: ApplicationId,
    kind: 'reopening' | 'appeal' | 'response',
  ): Promise<string> => {
    const id = randomUUID();
    const said = { applicationId, kind, round: 1, by: demoUserId('owner'), at: LATER, text: 'Please.' };
    await writeStatement(system.database.db, { id, ...said });
    return id;
  };

  it('receives a submission, and starts its clock, once', async () => {
    const id = asId<ApplicationId>(await reviewOf(system).submitted(typeCode));
    const answer = await once(id, () => activities.receiveSubmission(submission(id)));
    assert.deepEqual(answer?.missing, []);
    const row = await system.database.db('applications').where({ id }).first('state', 'complete_at', 'legal_due_at');
    assert.equal(row.state, 'completeness');
    assert.equal(row.complete_at.toISOString(), WHEN);
    assert.equal(Date.parse(answer?.legalDueAt ?? ''), row.legal_due_at.getTime());
  });

  it('opens a stage, a rung, a hand-over once', async () => {
    const id = await received();
    const { seats, plan } = await once(id, () => activities.openStage(opening(id)));
    assert.equal(new Set(seats.map(({ assignee }) => assignee)).size, 2);
    const [half] = plan.rungs;
    const rung = { applicationId: id, typeCode, round: 1, stage: STAGE, code: 'half', handOver: false } as const;
    const fire = { ...rung, assignee: seats[0]?.assignee ?? null };
    const early = await activities.fireRung({ ...fire, at: WHEN });
    assert.ok(early.notYet, 'not before its time');
    await once(id, () => activities.fireRung({ ...fire, at: half?.at ?? assert.fail() }));
    const handing = {
      applicationId: id,
      typeCode,
      round: 1,
      stage: STAGE,
      role: 'approver' as const,
      seat: 1,
      from: seats[0]?.assignee ?? null,
      by: seats[0]?.assignee ?? assert.fail(),
      to: null,
      reason: 'a cousin',
      kind: 'conflict' as const,
      attempt: '1',
      at: WHEN,
    };
    const handed = await once(id, () => activities.reassignTask(handing));
    assert.equal(handed.assignee, null, 'the other approver has the other seat');
    const reasons = await system.database.db('conflicts').where({ application_id: id }).pluck('reason');
    assert.deepEqual(reasons, ['a cousin']);
  });

  it('gives a case back and reminds once; the clock stands still once', async () => {
    const { id, seats } = await opened();
    const by = seats[0]?.assignee ?? assert.fail();
    await once(id, () => activities.recordDecision(decision(id, by, 1)));
    const asked = await once(id, () =>
      activities.askForCorrection({
        applicationId: id,
        typeCode,
        round: 1,
        stage: STAGE,
        reasons: REASONS,
        by,
        answerWithinWorkingDays: 10,
        remindAtPercent: [80, 50],
        at: WHEN,
      }),
    );
    assert.deepEqual(
      asked.remindAt?.map(({ percent }) => percent),
      [50, 80],
    );
    const reminder = { applicationId: id, round: 1, percent: 50, answerBy: asked.answerBy, again: null, at: LATER };
    await once(id, () => activities.noteCorrectionReminder(reminder));
    const row = await system.database.db('applications').where({ id }).first('legal_due_at', 'due_at');
    assert.deepEqual([row.legal_due_at, row.due_at.getTime()], [null, Date.parse(asked.answerBy)]);
  });

  it('announces a rejection once, and opens the stage again once, with the answer', async () => {
    const { id, seats } = await opened();
    const by = seats[0]?.assignee ?? assert.fail();
    const intent = { decision: 'intend_to_reject' as const, to: 'intent_to_reject' as const };
    await activities.recordDecision(decision(id, by, 1, intent));
    const announced = {
      applicationId: id,
      typeCode,
      round: 1,
      stage: STAGE,
      reasons: REASONS,
      by,
      answerWithinWorkingDays: 5,
      at: WHEN,
    };
    await once(id, () => activities.announceRejection(announced));
    const statementId = await statement(id, 'response');
    const response = { by: demoUserId('owner'), statementId };
    const again = await once(id, () => activities.openStage({ ...opening(id, 1, LATER), afterIntent: { response } }));
    assert.deepEqual(
      again.seats.map(({ assignee }) => assignee),
      seats.map(({ assignee }) => assignee),
    );
    assert.ok(again.legalDueAt);
  });

  it('moves a case to another policy once', async () => {
    const { id } = await opened();
    const stage = { stage: STAGE, role: 'approver', sharePercent: 50, quorum: QUORUM } as const;
    const by = demoUserId('supervisor');
    const longer = policy({ ...RULES, legalWorkingDays: 20 });
    const before = await system.database.db('tasks').where({ application_id: id }).first('due_at');
    await once(id, () =>
      activities.movePolicy({
        ...{ applicationId: id, typeCode, round: 1, by, policy: longer, reason: 'new rules', stage },
        ...{ attempt: '1', at: WHEN },
      }),
    );
    const after = await system.database.db('tasks').where({ application_id: id }).first('due_at');
    assert.ok(after.due_at > before.due_at);
  });

  it('takes a case up again once, and not when it has gone on since', async () => {
    const { db } = system.database;
    const { id, seats } = await opened();
    await activities.recordDecision(decision(id, seats[0]?.assignee ?? assert.fail(), 1));
    const back = { applicationId: id, typeCode, round: 1, stage: STAGE, reasons: REASONS, answerWithinWorkingDays: 10 };
    await activities.askForCorrection({ ...back, at: WHEN });
    await once(id, () => activities.closeCase({ applicationId: id, to: 'lapsed_no_response', at: LATER }));
    const reopening = { applicationId: id, typeCode, round: 1, stage: STAGE, answerWithinWorkingDays: 10, at: LATER };
    const statementId = await statement(id, 'reopening');
    const reopened = await once(id, () => activities.reopenCase({ ...reopening, statementId }));
    assert.equal(reopened?.holders.length, 2);
    await activities.closeCase({ applicationId: id, to: 'withdrawn', at: LATER });
    const before = await records(id);
    assert.equal(await activities.reopenCase({ ...reopening, statementId }), null);
    assert.equal(await activities.reopenCase({ ...reopening, statementId: await statement(id, 'reopening') }), null);
    const late = { ...submission(id, 2, LATER), appeal: { statementId: await statement(id, 'appeal') } };
    assert.equal(await activities.receiveSubmission(late), null);
    assert.deepEqual(await records(id), before);
    assert.equal((await db('suspensions').where({ application_id: id, to_at: null })).length, 1);
  });

  it('takes an appeal up once: another round, a clock that stood still in between', async () => {
    const { db } = system.database;
    const { id, seats } = await opened();
    const rejection = { decision: 'reject' as const, to: 'rejected' as const };
    await activities.recordDecision(decision(id, seats[0]?.assignee ?? assert.fail(), 1, rejection));
    const before = await db('applications').where({ id }).first('legal_due_at');
    const appeal = { ...submission(id, 2, LATER), appeal: { statementId: await statement(id, 'appeal') } };
    const taken = await once(id, () => activities.receiveSubmission(appeal));
    assert.ok(taken);
    const row = await db('applications').where({ id }).first('state', 'round', 'closed_at', 'legal_due_at');
    assert.deepEqual([row.state, row.round, row.closed_at], ['completeness', 2, null]);
    assert.ok(row.legal_due_at > before.legal_due_at, 'later by the time of the rejection');
  });
});
