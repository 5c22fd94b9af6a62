import assert from 'node:assert/strict';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, aLicense, aLicenseType, anApplication, type LicenseTypeRow } from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('licences over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

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

  async function licensed(changes: Partial<Parameters<typeof aLicense>[1]> = {}) {
    const applicationId = await anApplication(database.db, { companyId, type, applicantId: owner.id, state: 'active' });
    return aLicense(database.db, { applicationId, companyId, type, ...changes });
  }

  it('are read by their company and the office, by nobody else', async () => {
    const { id, number, verifyCode } = await licensed();
    const { status, body } = await ask(api, owner, 'GET', `/licenses/${id}`);
    assert.deepEqual([status, body['number'], body['status'], body['certificateUrl']], [200, number, 'active', null]);
    assert.equal(body['verifyUrl'], `${api.url}/verify/${verifyCode}`);
    assert.equal((await ask(api, await api.person('admin'), 'GET', `/licenses/${id}`)).status, 200);
    for (const role of ['owner', 'verifier'] as const) {
      assert.equal((await ask(api, await api.person(role), 'GET', `/licenses/${id}`)).status, 404);
    }
  });
  it("are listed for the companies of the caller, newest first, not for staff's oversight", async () => {
    const mine = await api.person('owner');
    const company = await aCompany(database.db, mine.id);
    const older = await licensed({ companyId: company, at: '2026-01-01T00:00:00.000Z' });
    const newer = await licensed({ companyId: company, at: '2026-02-01T00:00:00.000Z' });
    type Page = { items: { id: string }[]; nextCursor: string | null };
    const first = (await ask<Page>(api, mine, 'GET', '/users/licenses?limit=1')).body;
    const second = (await ask<Page>(api, mine, 'GET', `/users/licenses?limit=1&cursor=${first.nextCursor}`)).body;
    assert.deepEqual(
      [...first.items, ...second.items].map(({ id }) => id),
      [newer.id, older.id],
    );
    assert.deepEqual((await ask<Page>(api, await api.person('admin'), 'GET', '/users/licenses')).body.items, []);
  });

  describe('the certificate', () => {
    const certificate = (id: string, person = owner, headers = {}) =>
      fetch(`${api.url}/api/v1/licenses/${id}/certificate`, { headers: { ...person.headers, ...headers } });

    it('comes as it was stored, to be shown, named after the licence', async () => {
      const pdf = Buffer.from('%PDF-1.7 signed');
      const { sha256 } = await api.deps.files.put(pdf);
      const { id, number } = await licensed({ certificate: sha256 });
      const answer = await certificate(id);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), pdf);
      assert.equal(answer.headers.get('content-type'), 'application/pdf');
      assert.ok(
        answer.headers.get('content-disposition')?.startsWith(`inline; filename="${number.replaceAll('/', '-')}.pdf"`),
      );
      assert.equal(answer.headers.get('etag'), `"${sha256}"`);
      assert.equal((await certificate(id, owner, { 'if-none-match': `"${sha256}"` })).status, 304);
      assert.equal((await certificate(id, await api.person('owner'))).status, 404);
    });
    it('is announced while it is being made', async () => {
      const { id } = await licensed();
      const { status, body } = await problem(api, owner, 'GET', `/licenses/${id}/certificate`);
      assert.equal(status, 404);
      assert.match(body.detail, /being made/);
    });
  });

  it('do not stand in the way of the other paths under /licenses', async () => {
    for (const path of ['/licenses/types', '/licenses/applications']) {
      assert.equal((await ask(api, owner, 'GET', path)).status, 200, path);
    }
    assert.equal((await ask(api, owner, 'GET', '/licenses/nothing')).status, 404);
  });
});
