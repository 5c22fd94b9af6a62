import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import {
  aCompany,
  aDecision,
  aLicenseType,
  anApplication,
  aTask,
  holds,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

/** What no process is needed for; deciding itself is tested with the process that decides. */
describe('review over HTTP, where no process runs', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let owner: TestPerson;
  let verifier: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue: `nobody-${randomUUID()}` });
    [owner, verifier] = [await api.person('owner'), await api.person('verifier')];
    companyId = await aCompany(database.db, owner.id, { name: 'CV Sumber Rejeki' });
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  const aCase = (state: ApplicationState) =>
    anApplication(database.db, { companyId, type, applicantId: owner.id, state });
  const decide = (id: string, person = verifier) => problem(api, person, 'POST', `/licenses/approve/${id}`);

  describe('a decision', () => {
    it('on a closed case is refused, naming who decided last and when', async () => {
      const approver = await api.person('approver');
      const id = await aCase('rejected');
      await aDecision(database.db, { applicationId: id, stage: 'approval', decision: 'reject', by: approver.id });
      const { status, body } = await decide(id);
      assert.deepEqual([status, body.code], [409, 'already_decided']);
      assert.deepEqual(body.conflict?.decidedBy, { id: approver.id, name: approver.name });
      assert.equal(body.conflict?.decidedAt, MONDAY);
      assert.match(body.detail, new RegExp(`${approver.name}.*${MONDAY}`));
    });
    it('on a case that ended without the office is refused as closed', async () => {
      const id = await aCase('withdrawn');
      await aDecision(database.db, {
        applicationId: id,
        stage: 'document_verification',
        decision: 'approve',
        by: verifier.id,
      });
      const { status, body } = await decide(id);
      assert.deepEqual([status, body.code], [409, 'already_closed']);
    });
    it('on a draft finds nothing for a reviewer, and nothing to decide for a supervisor', async () => {
      const id = await aCase('draft');
      assert.equal((await decide(id)).status, 404);
      const { status, body } = await decide(id, await api.person('supervisor'));
      assert.deepEqual([status, body.code], [409, 'not_in_review']);
    });
    it('on a case that does not exist is 404', async () => {
      assert.equal((await decide(randomUUID())).status, 404);
      assert.equal((await decide('none')).status, 404);
    });
    it('on an open case whose process is gone is 503, for ops to start it again', async () => {
      const { status, headers } = await decide(await aCase('approval'));
      assert.deepEqual([status, headers.get('retry-after')], [503, '30']);
    });
    it('is not for owners, finance or admins', async () => {
      const id = await aCase('approval');
      for (const role of ['owner', 'finance', 'admin'] as const) {
        for (const verb of ['approve', 'reject', 'review']) {
          const body = verb === 'review' ? { decision: 'approve' } : {};
          assert.equal(
            (await ask(api, await api.person(role), 'POST', `/licenses/${verb}/${id}`, { body })).status,
            403,
          );
        }
      }
    });
    it('of an unknown kind, or with an unknown field, is 422', async () => {
      const id = await aCase('approval');
      const wrong = await problem(api, verifier, 'POST', `/licenses/review/${id}`, { body: { decision: 'maybe' } });
      assert.deepEqual(
        wrong.body.errors?.map(({ pointer }) => pointer),
        ['/decision'],
      );
      const extra = await problem(api, verifier, 'POST', `/licenses/approve/${id}`, { body: { decision: 'approve' } });
      assert.deepEqual(
        extra.body.errors?.map(({ pointer }) => pointer),
        ['/decision'],
      );
    });
    describe('with reasons', () => {
      const reject = (id: string, reasons: object[], decision = 'reject', headers = {}) =>
        problem(api, verifier, 'POST', `/licenses/review/${id}`, { body: { decision, reasons }, headers });
      const held = async () => {
        const id = await aCase('document_verification');
        await holds(database.db, id, verifier.id, 'document_verification');
        return id;
      };

      it('of the catalogue, or in the reviewer’s own words, is one that the process is asked about', async () => {
        const reasons = [{ code: 'data_mismatch' }, { code: 'of_my_own', text: 'Denah tidak sesuai' }];
        assert.equal((await reject(await held(), reasons)).status, 503);
      });
      it('of a code that nobody knows is refused, naming which', async () => {
        const reasons = [{ code: 'data_mismatch' }, { code: 'of_my_own' }];
        const { status, body } = await reject(await held(), reasons);
        assert.deepEqual([status, body.code], [422, 'reason_unknown']);
        assert.deepEqual(
          body.errors?.map(({ pointer }) => pointer),
          ['/reasons/1/code'],
        );
        const indonesian = await reject(await held(), reasons, 'reject', { 'accept-language': 'id' });
        assert.match(indonesian.body.errors?.[0]?.detail ?? '', /katalog/);
      });
      it('that the catalogue has for another decision is refused without words', async () => {
        const reasons = [{ code: 'location_not_permitted' }];
        assert.equal((await reject(await held(), reasons)).status, 503);
        assert.equal((await reject(await held(), reasons, 'request_correction')).body.code, 'reason_unknown');
      });
      it('that point at nothing of this case is refused', async () => {
        const pointers = [
          '/form/area',
          '/form',
          '/documents/ktp',
          '/documents/other',
          '/documents/moon',
          '/area',
          '/form/a~2',
        ];
        const reasons = pointers.map((pointer) => ({ code: 'data_mismatch', pointer }));
        const { status, body } = await reject(await held(), reasons);
        assert.deepEqual([status, body.code], [422, 'invalid_request']);
        assert.deepEqual(
          body.errors?.map(({ pointer }) => pointer),
          ['/reasons/4/pointer', '/reasons/5/pointer', '/reasons/6/pointer'],
        );
        assert.match(body.errors?.[0]?.detail ?? '', /\/documents\/ktp/);
      });
      it('of an override is read in the same way', async () => {
        const supervisor = await api.person('supervisor');
        await api.stepUp(supervisor);
        const body = { decision: 'reject', reason: 'nobody is there', reasons: [{ code: 'of_my_own' }] };
        const answer = await problem(api, supervisor, 'POST', `/licenses/override/${await held()}`, { body });
        assert.deepEqual([answer.status, answer.body.code], [422, 'reason_unknown']);
      });
    });
    it('in another’s place wants a fresh second factor, and is a supervisor’s', async () => {
      const supervisor = await api.person('supervisor');
      await api.giveFactor(supervisor);
      const body = { decision: 'approve', reason: 'nobody is there' };
      const override = async (person: TestPerson) =>
        (await problem(api, person, 'POST', `/licenses/override/${await aCase('approval')}`, { body })).body.code;
      assert.equal(await override(supervisor), 'step_up_required');
      await api.stepUp(supervisor);
      assert.equal(await override(supervisor), 'temporarily_unavailable');
      assert.equal(await override(await api.person('approver')), 'forbidden');
    });
    it('without any worker is accepted for later, not failed', async function () {
      this.timeout(20_000);
      const id = await aCase('approval');
      const options = { workflowId: `license-review/${id}`, taskQueue: api.deps.taskQueue, args: [{}] };
      await api.deps.temporal.workflow.start('licenseReview', options);
      const { status, headers } = await decide(id);
      assert.equal(status, 202);
      assert.ok(headers.get('retry-after'));
    });
  });

  describe('handing on a task', () => {
    it('is for supervisors and admins; claiming it for reviewers', async () => {
      const id = await aCase('rejected');
      const body = { userId: verifier.id, reason: 'holiday' };
      assert.equal((await ask(api, verifier, 'POST', `/licenses/reassign/${id}`, { body })).status, 403);
      assert.equal(
        (await ask(api, await api.person('supervisor'), 'POST', `/licenses/reassign/${id}`, { body })).status,
        409,
      );
      assert.equal((await ask(api, owner, 'POST', `/licenses/claim/${id}`)).status, 403);
      assert.equal((await ask(api, verifier, 'POST', `/licenses/claim/${id}`)).status, 409);
    });
  });

  describe('the inbox', () => {
    interface Inbox {
      readonly items: readonly {
        applicationId: ApplicationId;
        companyName: string;
        atRisk: boolean;
        dueAt: string;
        assigneeId: string | null;
      }[];
      readonly nextCursor: string | null;
    }
    const inbox = async (person: TestPerson, query = '') =>
      (await ask<Inbox>(api, person, 'GET', `/licenses/assigned${query}`)).body;
    async function assigned(person: TestPerson | null, dueAt: string, atRiskAt = dueAt) {
      const applicationId = await aCase('document_verification');
      await aTask(database.db, {
        applicationId,
        stage: 'document_verification',
        assigneeId: person?.id ?? null,
        dueAt,
        atRiskAt,
      });
      return applicationId;
    }

    it('tells what is due, whose it is, and what is at risk', async () => {
      const reviewer = await api.person('verifier');
      const late = await assigned(reviewer, '2099-01-02T00:00:00.000Z');
      const early = await assigned(reviewer, '2099-01-01T00:00:00.000Z', MONDAY);
      const { items, nextCursor } = await inbox(reviewer);
      assert.deepEqual(
        items.map((item) => [item.applicationId, item.companyName, item.atRisk]),
        [
          [early, 'CV Sumber Rejeki', true],
          [late, 'CV Sumber Rejeki', false],
        ],
      );
      assert.equal(nextCursor, null);
    });
    it('pages', async () => {
      const reviewer = await api.person('verifier');
      const ids = [
        await assigned(reviewer, '2099-01-01T00:00:00.000Z'),
        await assigned(reviewer, '2099-01-01T00:00:00.000Z'),
      ];
      const first = await inbox(reviewer, '?limit=1');
      const second = await inbox(reviewer, `?limit=1&cursor=${first.nextCursor}`);
      assert.deepEqual([...first.items, ...second.items].map((item) => item.applicationId).toSorted(), ids.toSorted());
      assert.equal(second.nextCursor, null);
    });
    it('of a supervisor shows what nobody was free for', async () => {
      const id = await assigned(null, '2026-01-01T00:00:00.000Z');
      const { items } = await inbox(await api.person('supervisor'));
      assert.deepEqual(
        items.map((item) => [item.applicationId, item.assigneeId]),
        [[id, null]],
      );
      assert.deepEqual((await inbox(await api.person('verifier'))).items, []);
    });
    it('refuses a cursor that it has not given out', async () => {
      assert.equal((await problem(api, verifier, 'GET', '/licenses/assigned?cursor=abc')).status, 422);
    });
  });

  it('shows a reviewer the case that they hold', async () => {
    const id = await aCase('approval');
    await holds(database.db, id, verifier.id, 'approval');
    assert.equal((await ask(api, verifier, 'GET', `/licenses/applications/${id}`)).status, 200);
  });
});
