import assert from 'node:assert/strict';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, aLicense, aLicenseType, anApplication, type LicenseTypeRow } from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the public page of a licence', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id, { name: 'Toko <Anak> & "Ibu"' });
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
  const page = (code: string, language = 'id') =>
    ask<{ text: string }>(api, null, 'GET', `//verify/${code}`, {
      headers: { accept: 'text/html', 'accept-language': language },
    });
  const record = (code: string) =>
    ask(api, null, 'GET', `//verify/${code}`, { headers: { accept: 'application/json' } });

  it('says what is licensed, to whom, and that it is in force, without anybody logged in', async () => {
    const { verifyCode, number } = await licensed();
    const { status, headers, body } = await page(verifyCode);
    assert.equal(status, 200);
    assert.match(headers.get('content-type') ?? '', /^text\/html/);
    for (const shown of ['BERLAKU', number, 'Izin Uji', 'Toko &lt;Anak&gt; &amp; &quot;Ibu&quot;', '1 Januari 2099']) {
      assert.ok(body.text.includes(shown), shown);
    }
    assert.match((await page(verifyCode, 'en')).body.text, /VALID[\s\S]*Test licence[\s\S]*1 January 2099/);
  });
  it('runs no script and lets none run', async () => {
    const { headers, body } = await page((await licensed()).verifyCode);
    assert.doesNotMatch(body.text, /<script|javascript:|\son\w+=/i);
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.doesNotMatch(headers.get('content-security-policy') ?? '', /script-src|unsafe/);
  });
  it('shows no tax number, address or person', async () => {
    const { verifyCode } = await licensed();
    const shown = (await page(verifyCode)).body.text + JSON.stringify((await record(verifyCode)).body);
    for (const secret of ['Jalan Rahasia', '01.***', owner.name, owner.id, companyId])
      assert.ok(!shown.includes(secret), secret);
  });
  it('is JSON for who asks for it', async () => {
    const { verifyCode, number } = await licensed({ validUntil: null });
    const { body } = await record(verifyCode);
    assert.deepEqual(
      [body['valid'], body['status'], body['number'], body['validUntil']],
      [true, 'active', number, null],
    );
    assert.match((await page(verifyCode)).body.text, /seterusnya/);
  });
  it('calls a licence expired from the second its validity ends', async () => {
    const { verifyCode } = await licensed({ at: '2020-01-01T00:00:00Z', validUntil: '2021-01-01T00:00:00Z' });
    assert.deepEqual((({ valid, status }) => [valid, status])((await record(verifyCode)).body), [false, 'expired']);
    assert.match((await page(verifyCode)).body.text, /KEDALUWARSA/);
  });
  for (const [status, word] of [
    ['suspended', 'DIBEKUKAN'],
    ['revoked', 'DICABUT'],
    ['superseded', 'DIGANTIKAN'],
    ['expired', 'KEDALUWARSA'],
  ] as const) {
    it(`calls a licence ${status}`, async () => {
      const { verifyCode } = await licensed({ status });
      assert.deepEqual((({ valid, status }) => [valid, status])((await record(verifyCode)).body), [false, status]);
      const shown = (await page(verifyCode)).body.text;
      assert.ok(shown.includes(word));
      assert.ok(!shown.includes('BERLAKU<'));
    });
  }
  it('says of an unknown code that it is unknown, as a page and as JSON', async () => {
    const { status, body } = await page('no-such-code');
    assert.equal(status, 404);
    assert.match(body.text, /TIDAK DIKENAL/);
    const json = await record('no-such-code');
    assert.deepEqual([json.status, json.body['code']], [404, 'not_found']);
  });
});
