import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { recordEvent } from '../../db/events.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import { licenseReviewId } from '../../workflows/ids.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

const TEXT = { text: 'Saya dirawat di rumah sakit.' };

/** Nobody works on the queue: what the API does alone, before any process has recorded anything. */
describe('a case that was over, taken up again', function () {
  this.timeout(20_000);
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue: `nobody-${randomUUID()}` });
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
    const correction = { maxRounds: 2, answerWithinWorkingDays: 10, reopenWithinDays: 180 };
    type = await aLicenseType(database.db, { correction, appeal: { withinDays: 10 } });
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  const aCase = async (state: ApplicationState, closedAt = new Date()) => {
    const id = await anApplication(database.db, { companyId, type, applicantId: owner.id, state });
    await database.db('applications').where({ id }).update({ closed_at: closedAt });
    return id;
  };
  const say = (id: ApplicationId, what: 'reopen' | 'appeal' | 'respond', headers = {}, body = TEXT) =>
    problem(api, owner, 'POST', `/licenses/applications/${id}/${what}`, { body, headers });
  const statements = (id: ApplicationId): Promise<{ kind: string; text: string; said_by: string; id: string }[]> =>
    database.db('applicant_statements').where({ application_id: id }).select('id', 'kind', 'text', 'said_by');
  const latest = (id: ApplicationId) => api.deps.temporal.workflow.getHandle(licenseReviewId(id)).describe();
  /** What the run was started with, as its history has it. */
  const inputOf = async (id: ApplicationId): Promise<{ again?: Record<string, unknown>; applicant?: string }> => {
    const { events } = await api.deps.temporal.workflow.getHandle(licenseReviewId(id)).fetchHistory();
    const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    return JSON.parse(Buffer.from(input?.data ?? []).toString('utf8'));
  };
  /** What its process records first. */
  async function recordsTakingUp(id: ApplicationId, state: ApplicationState, round: number) {
    await database.db('applications').where({ id }).update({ state, round, closed_at: null });
    if (round === 1) return;
    const data = { round };
    await recordEvent(database.db, {
      key: `x/${id}`,
      type: 'application.appealed',
      applicationId: id,
      data,
      at: MONDAY,
    });
  }

  /** A run of before that has ended, or has not. */
  async function ranBefore(id: ApplicationId, over: boolean) {
    const options = { workflowId: licenseReviewId(id), taskQueue: api.deps.taskQueue, args: [{}] };
    const handle = await api.deps.temporal.workflow.start('licenseReview', options);
    if (over) await handle.terminate('over');
  }

  describe('reopened', () => {
    it('starts another run that knows where it had stopped, and what the applicant says', async () => {
      const verifier = await api.person('verifier');
      const id = await aCase('lapsed_no_response');
      await aDecision(database.db, {
        applicationId: id,
        stage: 'document_verification',
        decision: 'request_correction',
        by: verifier.id,
      });
      await ranBefore(id, true);
      assert.equal((await say(id, 'reopen')).status, 200);
      const [statement] = await statements(id);
      assert.deepEqual([statement?.kind, statement?.text, statement?.said_by], ['reopening', TEXT.text, owner.id]);
      const { again, applicant } = await inputOf(id);
      assert.deepEqual(again, {
        kind: 'reopened',
        round: 1,
        stage: 'document_verification',
        statementId: statement?.id,
      });
      assert.equal(applicant, owner.id);
      assert.equal((await latest(id)).status.name, 'RUNNING');
    });
    it('by two devices at once, and once more, is one run', async () => {
      const id = await aCase('lapsed_no_response');
      await ranBefore(id, true);
      const both = await Promise.all([say(id, 'reopen'), say(id, 'reopen')]);
      assert.deepEqual(
        both.map(({ status }) => status),
        [200, 200],
      );
      const { runId } = await latest(id);
      assert.equal((await say(id, 'reopen')).status, 200);
      assert.equal((await latest(id)).runId, runId);
      assert.equal((await inputOf(id)).again?.['stage'], null);
    });
    it('goes on where an API died that had written the statement and started nothing', async () => {
      const id = await aCase('lapsed_no_response');
      const headers = { 'idempotency-key': randomUUID() };
      const away = await startApi(database, { tokens: api.deps.tokens });
      const first = await problem(away, owner, 'POST', `/licenses/applications/${id}/reopen`, { body: TEXT, headers });
      await away.close();
      assert.equal(first.status, 503);
      assert.equal((await statements(id)).length, 1);
      assert.equal((await say(id, 'reopen', headers)).status, 200);
      assert.equal((await statements(id)).length, 1);
      assert.equal((await inputOf(id)).again?.['statementId'], (await statements(id))[0]?.id);
    });
    it('waits for the run before, whose last letters may still be on their way', async () => {
      const id = await aCase('lapsed_no_response');
      await ranBefore(id, false);
      const { status, headers } = await say(id, 'reopen');
      assert.deepEqual([status, headers.get('retry-after')], [503, '30']);
    });
    it('asked again because the answer was lost, under another key or none, is answered as the first time', async () => {
      const id = await aCase('lapsed_no_response');
      await ranBefore(id, true);
      const first = await say(id, 'reopen', { 'idempotency-key': randomUUID() });
      const { runId } = await latest(id);
      // Before its process has recorded anything, and after.
      assert.deepEqual((await say(id, 'reopen')).body, first.body);
      await recordsTakingUp(id, 'correction_requested', 1);
      for (const headers of [{}, { 'idempotency-key': randomUUID() }]) {
        const { status, body } = await say(id, 'reopen', headers);
        assert.deepEqual([status, body.state], [200, 'correction_requested']);
      }
      assert.equal((await latest(id)).runId, runId);
      assert.equal((await statements(id)).length, 1);
      const other = await say(id, 'reopen', {}, { text: 'Something else.' });
      assert.deepEqual([other.status, other.body.code], [409, 'not_reopenable']);
    });
    it('is another reopening once it has lapsed again, in the same words or not', async () => {
      const id = await aCase('lapsed_no_response', new Date(Date.now() - 60_000));
      await ranBefore(id, true);
      assert.equal((await say(id, 'reopen')).status, 200);
      await api.deps.temporal.workflow.getHandle(licenseReviewId(id)).terminate('lapsed again');
      await database.db('applications').where({ id }).update({ closed_at: new Date() });
      const { runId } = await latest(id);
      assert.equal((await say(id, 'reopen')).status, 200);
      assert.notEqual((await latest(id)).runId, runId);
      assert.equal((await statements(id)).length, 2);
    });
    it('is refused when its time is over, and to a case that did not lapse', async () => {
      const late = await say(await aCase('lapsed_no_response', new Date('2020-01-01')), 'reopen');
      assert.deepEqual([late.status, late.body.code], [409, 'not_reopenable']);
      const other = await aCase('withdrawn');
      assert.equal((await say(other, 'reopen')).body.code, 'not_reopenable');
      assert.deepEqual(await statements(other), []);
    });
  });

  describe('by an appeal', () => {
    it('starts another run, of the round that was rejected', async () => {
      const id = await aCase('rejected');
      await ranBefore(id, true);
      assert.equal((await say(id, 'appeal')).status, 200);
      const [statement] = await statements(id);
      assert.equal(statement?.kind, 'appeal');
      assert.deepEqual((await inputOf(id)).again, {
        kind: 'appeal',
        round: 1,
        stage: null,
        statementId: statement?.id,
      });
    });
    it('is possible once', async () => {
      const id = await aCase('rejected');
      await recordEvent(database.db, {
        key: `x/${id}`,
        type: 'application.appealed',
        applicationId: id,
        data: { round: 2 },
        at: MONDAY,
      });
      const { status, body } = await say(id, 'appeal');
      assert.deepEqual([status, body.code], [409, 'not_reopenable']);
    });
    it('asked again because the answer was lost, is answered as the first time; a second appeal is still refused', async () => {
      const id = await aCase('rejected');
      await ranBefore(id, true);
      const first = await say(id, 'appeal', { 'idempotency-key': randomUUID() });
      const { runId } = await latest(id);
      assert.deepEqual((await say(id, 'appeal')).body, first.body);
      await recordsTakingUp(id, 'completeness', 2);
      for (const headers of [{}, { 'idempotency-key': randomUUID() }]) {
        const { status, body } = await say(id, 'appeal', headers);
        assert.deepEqual([status, body.state], [200, 'completeness']);
      }
      assert.equal((await statements(id)).length, 1);
      assert.equal((await latest(id)).runId, runId);
      const another = await say(id, 'appeal', {}, { text: 'And another thing.' });
      assert.deepEqual([another.status, another.body.code], [409, 'not_reopenable']);
      await database.db('applications').where({ id }).update({ state: 'rejected', closed_at: new Date() });
      const second = await say(id, 'appeal');
      assert.deepEqual([second.status, second.body.code], [409, 'not_reopenable']);
    });
    it('is refused when its time is over, and where nothing was rejected', async () => {
      assert.equal((await say(await aCase('rejected', new Date('2020-01-01')), 'appeal')).body.code, 'not_reopenable');
      assert.equal((await say(await aCase('lapsed_no_response'), 'appeal')).body.code, 'not_reopenable');
    });
  });

  describe('or answered before it is decided', () => {
    it('only while a rejection is announced', async () => {
      const id = await aCase('approval');
      const { status, body } = await say(id, 'respond');
      assert.deepEqual([status, body.code, body.state], [409, 'not_awaiting_response', 'approval']);
      assert.deepEqual(await statements(id), []);
    });
    it('keeps what was said, once, though the process cannot be told yet', async () => {
      const id = await aCase('intent_to_reject');
      const headers = { 'idempotency-key': randomUUID() };
      for (let time = 0; time < 2; time += 1) assert.equal((await say(id, 'respond', headers)).status, 503);
      assert.deepEqual(
        (await statements(id)).map(({ kind, text }) => [kind, text]),
        [['response', TEXT.text]],
      );
    });
    it('asked again because the answer was lost, is answered with where the case stands; other words come late', async () => {
      const id = await aCase('intent_to_reject');
      await say(id, 'respond');
      // The process has heard, and the office has the case again.
      await database.db('applications').where({ id }).update({ state: 'approval' });
      const { status, body } = await say(id, 'respond');
      assert.deepEqual([status, body.state], [200, 'approval']);
      assert.equal((await statements(id)).length, 1);
      const late = await say(id, 'respond', {}, { text: 'Dapur sudah dipisah.' });
      assert.deepEqual([late.status, late.body.code], [409, 'not_awaiting_response']);
    });
    it('takes words, and not too many', async () => {
      const id = await aCase('intent_to_reject');
      for (const text of ['', '   ', 'x'.repeat(4001)]) {
        const { status } = await ask(api, owner, 'POST', `/licenses/applications/${id}/respond`, { body: { text } });
        assert.equal(status, 422);
      }
    });
  });

  describe('and ended by a supervisor', () => {
    const end = (id: string, person: TestPerson) =>
      problem(api, person, 'POST', `/licenses/applications/${id}/cancel`, {
        body: { code: 'fraud', reason: 'forged' },
      });

    it('takes a fresh second factor', async () => {
      const supervisor = await api.person('supervisor');
      await api.giveFactor(supervisor);
      const id = await aCase('withdrawn');
      assert.equal((await end(id, supervisor)).body.code, 'step_up_required');
      await api.stepUp(supervisor);
      assert.equal((await end(id, supervisor)).body.code, 'already_closed');
      assert.equal((await end(id, await api.person('admin'))).body.code, 'forbidden');
    });
  });
});
