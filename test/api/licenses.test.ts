import assert from 'node:assert/strict';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, aLicense, aLicenseType, anApplication, type LicenseTypeRow } from '../builders/licensing.ts';
import { type AnyBody, ask, problem } from '../builders/requests.ts';
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

  describe('are changed by the office', () => {
    let head: TestPerson;
    before(async () => {
      head = await api.person('head');
      await api.stepUp(head);
    });
    const change = (id: string, what: string, body: object = {}, as = head) =>
      ask<AnyBody & { code: string }>(api, as, 'POST', `/licenses/${id}/${what}`, {
        body: { reason: 'denah', ...body },
      });
    const verified = async (code: string, accept = 'application/json', language = 'en') =>
      (
        await ask<AnyBody & { text: string }>(api, null, 'GET', `//verify/${code}`, {
          headers: { accept, 'accept-language': language },
        })
      ).body;

    it('suspended and reinstated: page and licence follow at once, the reason is not for the public', async () => {
      const { id, verifyCode } = await licensed();
      const { status, body } = await change(id, 'suspend');
      assert.deepEqual(
        [status, body['status'], body['statusReason'], body['suspendedFor']],
        [200, 'suspended', 'denah', ['office']],
      );
      const shown = (await ask(api, owner, 'GET', `/licenses/${id}`)).body;
      assert.deepEqual([shown['status'], shown['statusReason']], ['suspended', 'denah']);
      const record = await verified(verifyCode);
      assert.deepEqual([record['valid'], record['statusChangedAt']], [false, shown['statusChangedAt']]);
      const page = (await verified(verifyCode, 'text/html')).text;
      assert.match(page, /SUSPENDED[\s\S]*Suspended since/);
      assert.ok(!page.includes('denah') && !JSON.stringify(record).includes('denah'));
      assert.equal((await change(id, 'suspend')).body.code, 'license_not_active');
      assert.equal((await change(id, 'reinstate')).body['status'], 'active');
      assert.equal((await change(id, 'reinstate')).body.code, 'license_not_suspended');
      assert.equal((await verified(verifyCode))['valid'], true);
    });
    it('revoked, which is final', async () => {
      const { id, verifyCode } = await licensed();
      assert.equal((await change(id, 'revoke')).body['status'], 'revoked');
      assert.match((await verified(verifyCode, 'text/html', 'id')).text, /DICABUT[\s\S]*Dicabut pada/);
      for (const what of ['suspend', 'reinstate', 'revoke'])
        assert.deepEqual((({ status, body }) => [status, body.code])(await change(id, what)), [409, 'license_ended']);
    });
    it('superseded: the page names the licence that took its place', async () => {
      const [old, newer] = [await licensed(), await licensed()];
      const { body } = await change(old.id, 'supersede', { byLicenseId: newer.id });
      assert.deepEqual([body['status'], body['supersededBy']], ['superseded', { id: newer.id, number: newer.number }]);
      assert.equal((await verified(old.verifyCode))['supersededByNumber'], newer.number);
      const page = (await verified(old.verifyCode, 'text/html')).text;
      assert.ok(page.includes(newer.number) && page.includes('Superseded by'), page);
      const wrong = await change(newer.id, 'supersede', { byLicenseId: newer.id });
      assert.deepEqual([wrong.status, wrong.body.code], [422, 'invalid_request']);
    });
    it('once for a request that is repeated', async () => {
      const { id } = await licensed();
      const again = { body: { reason: 'denah' }, headers: { 'idempotency-key': id } };
      const first = await ask(api, head, 'POST', `/licenses/${id}/suspend`, again);
      assert.deepEqual((await ask(api, head, 'POST', `/licenses/${id}/suspend`, again)).body, first.body);
    });
    it('with a second factor, and by nobody else', async () => {
      const { id } = await licensed();
      const careful = await api.person('supervisor');
      await api.giveFactor(careful);
      assert.equal((await change(id, 'revoke', {}, careful)).body.code, 'step_up_required');
      for (const role of ['owner', 'approver', 'admin'] as const)
        assert.equal((await change(id, 'revoke', {}, await api.person(role))).body.code, 'forbidden');
    });
    it('though its certificate can be downloaded all the same', async () => {
      const { sha256 } = await api.deps.files.put(Buffer.from('%PDF-1.7 certificate'));
      const { id } = await licensed({ certificate: sha256 });
      await change(id, 'revoke');
      const answer = await fetch(`${api.url}/api/v1/licenses/${id}/certificate`, { headers: owner.headers });
      assert.deepEqual([answer.status, await answer.text()], [200, '%PDF-1.7 certificate']);
    });
  });

  it('are expired by the time itself, also in the list, and what was before is no reason any more', async () => {
    const mine = await api.person('owner');
    const company = await aCompany(database.db, mine.id);
    const validUntil = '2021-01-01T00:00:00.000Z';
    const over = { at: '2020-01-01T00:00:00.000Z', validUntil };
    const { id } = await licensed({ companyId: company, status: 'suspended', ...over });
    await database.db('licenses').where({ id }).update({ status_reason: 'denah' });
    type Page = { items: { status: string; statusReason: string | null; statusChangedAt: string }[] };
    const [listed] = (await ask<Page>(api, mine, 'GET', '/users/licenses')).body.items;
    assert.deepEqual([listed?.status, listed?.statusReason, listed?.statusChangedAt], ['expired', null, validUntil]);
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
