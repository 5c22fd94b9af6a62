import assert from 'node:assert/strict';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  anInvoice,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the status of a case', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let id: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });
  beforeEach(async () => {
    id = await anApplication(database.db, { companyId, type, applicantId: owner.id, state: 'approval' });
  });

  const status = (query = '', headers = {}) => ask(api, owner, 'GET', `/licenses/status/${id}${query}`, { headers });
  const move = (state: string) =>
    database.db('applications').where({ id }).update({ state, stage: null, updated_at: new Date() });
  const listeners = async () => {
    const { rows }: { rows: { n: number }[] } = await database.db.raw(
      `select count(*)::int as n from pg_stat_activity
        where datname = current_database() and application_name = 'alur-waiting' and query ilike 'listen%'`,
    );
    return rows[0]?.n ?? 0;
  };
  async function until(met: () => Promise<boolean>): Promise<void> {
    while (!(await met())) await new Promise(setImmediate);
  }
  /** Resolves once a request is inside the wait: it has read, and the process listens. */
  async function waiting(query: string, headers = {}) {
    const answer = status(query, headers);
    let answered = false;
    void answer.then(() => {
      answered = true;
    });
    await until(async () => (await listeners()) === 1);
    await status();
    return { answer, isAnswered: () => answered };
  }

  it('tells state, stage, progress and whose turn it is', async () => {
    const { body } = await status();
    assert.deepEqual(
      [body['state'], body['stage'], body['percent'], body['whoseTurn'], 'invoice' in body, 'license' in body],
      ['approval', 'approval', 65, 'office', false, false],
    );
  });
  it('tells until when the applicant may answer an announced rejection, and whom the other new states wait for', async () => {
    const answerBy = '2026-03-09T09:00:00.000Z';
    await move('intent_to_reject');
    await database.db('applications').where({ id }).update({ due_at: answerBy });
    const { body } = await status();
    assert.deepEqual([body['percent'], body['whoseTurn'], body['dueAt']], [65, 'applicant', answerBy]);
    const seen = async (state: string) => {
      await move(state);
      const now = (await status()).body;
      return [now['percent'], now['whoseTurn']];
    };
    assert.deepEqual(await seen('deemed_approved'), [75, 'system']);
    assert.deepEqual(await seen('cancelled'), [100, 'nobody']);
  });
  it('tells the invoice and the licence once they are there', async () => {
    const invoiceId = await anInvoice(database.db, { companyId, applicationId: id });
    const license = await aLicense(database.db, { applicationId: id, companyId, type });
    type Body = {
      invoice: { id: string; total: object; state: string };
      license: { verifyUrl: string; number: string };
    };
    const { body } = await ask<Body>(api, owner, 'GET', `/licenses/status/${id}`);
    assert.deepEqual([body.invoice.id, body.invoice.state], [invoiceId, 'open']);
    assert.deepEqual(body.invoice.total, { amountMinor: 361_000, currency: 'IDR', formatted: 'Rp361.000' });
    assert.deepEqual(body.license.verifyUrl, `${api.url}/verify/${license.verifyCode}`);
  });
  it('is nobody else’s to see, and not there for an ID that is none', async () => {
    assert.equal((await ask(api, await api.person('owner'), 'GET', `/licenses/status/${id}`)).status, 404);
    assert.equal((await ask(api, await api.person('verifier'), 'GET', `/licenses/status/${id}`)).status, 404);
    assert.equal((await ask(api, await api.person('admin'), 'GET', `/licenses/status/${id}`)).status, 200);
    assert.equal((await ask(api, owner, 'GET', '/licenses/status/none')).status, 404);
  });
  it('is 304 while nothing has changed', async () => {
    const etag = (await status()).headers.get('etag') ?? '';
    assert.equal((await status('', { 'if-none-match': etag })).status, 304);
    await move('pending_payment');
    assert.equal((await status('', { 'if-none-match': etag })).status, 200);
  });

  describe('with ?wait', () => {
    it('comes when the case changes, not before', async () => {
      const { answer, isAnswered } = await waiting('?wait=20');
      assert.equal(isAnswered(), false);
      await move('pending_payment');
      assert.equal((await answer).body['state'], 'pending_payment');
    });
    it('is not woken by another case', async () => {
      const other = await anApplication(database.db, { companyId, type, applicantId: owner.id });
      const { answer, isAnswered } = await waiting('?wait=20');
      await database.db('applications').where({ id: other }).update({ state: 'submitted' });
      await status();
      assert.equal(isAnswered(), false);
      await move('activating');
      assert.equal((await answer).body['state'], 'activating');
    });
    it('comes at once when what the reader has is old', async () => {
      const started = performance.now();
      assert.equal((await status('?wait=20', { 'if-none-match': '"old"' })).status, 200);
      assert.ok(performance.now() - started < 5_000);
    });
    it('waits while what the reader has is current, and is 304 when the time is up', async () => {
      const etag = (await status()).headers.get('etag') ?? '';
      const started = performance.now();
      assert.equal((await status('?wait=1', { 'if-none-match': etag })).status, 304);
      assert.ok(performance.now() - started >= 990);
    });
    it('does not wait for a closed case', async () => {
      await move('rejected');
      const started = performance.now();
      assert.equal((await status('?wait=20')).body['state'], 'rejected');
      assert.ok(performance.now() - started < 5_000);
    });
    it('hears of the change although the connection was lost in between', async () => {
      const { answer } = await waiting('?wait=20');
      await database.db.raw(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'alur-waiting'`,
      );
      await until(async () => (await listeners()) === 0);
      await move('pending_payment');
      assert.equal((await answer).body['state'], 'pending_payment');
    });
    it('is answered when the API stops', async () => {
      const stopping = await startApi(database);
      const person = {
        ...owner,
        headers: {
          authorization: `Bearer ${await stopping.deps.tokens.issue({ userId: owner.id, roles: ['owner'] })}`,
        },
      };
      const before = await listeners();
      const answer = ask(stopping, person, 'GET', `/licenses/status/${id}?wait=30`);
      await until(async () => (await listeners()) > before);
      await stopping.deps.changes.close();
      assert.equal((await answer).body['state'], 'approval');
      await stopping.close();
    });
    it('takes at most 30 seconds', async () => {
      assert.equal((await status('?wait=31')).status, 422);
    });
  });
});
