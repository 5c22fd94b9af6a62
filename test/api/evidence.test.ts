import assert from 'node:assert/strict';
import type { CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  anEvidencePack,
  holds,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Evidence {
  readonly legalBasis: { readonly id: string };
  readonly legalWorkingDays: number;
  readonly pdfUrl: string | null;
  readonly holders: readonly { readonly person: unknown }[];
  readonly tasks: readonly { readonly assignee: unknown }[];
  readonly suspensions: readonly { readonly by: unknown }[];
  readonly rungs: readonly { readonly told: readonly { readonly person: unknown }[] }[];
}

describe('the evidence of an approval by law, over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let verifier: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    [owner, verifier] = [await api.person('owner'), await api.person('verifier')];
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  async function granted({ printed = true, evidence = true } = {}) {
    const { db } = database;
    const applicationId = await anApplication(db, { companyId, type, applicantId: owner.id, state: 'active' });
    const license = await aLicense(db, { applicationId, companyId, type });
    const { sha256 } = await api.deps.files.put(Buffer.from('%PDF-1.7 evidence'));
    const about = { applicationId, companyId, type, by: verifier.id };
    if (evidence) await anEvidencePack(db, { ...about, ...(printed ? { pdf: sha256 } : {}) });
    return { applicationId, license };
  }
  const read = (id: string, as: TestPerson) => ask<Evidence>(api, as, 'GET', `/licenses/applications/${id}/evidence`);
  const people = ({ holders, tasks, suspensions, rungs }: Evidence) => [
    ...holders.map(({ person }) => person),
    ...tasks.map(({ assignee }) => assignee),
    ...suspensions.map(({ by }) => by),
    ...rungs.flatMap(({ told }) => told.map(({ person }) => person)),
  ];

  it('tells its owner everything but who the people of the office are', async () => {
    const { applicationId } = await granted();
    const { status, body } = await read(applicationId, owner);
    assert.deepEqual([status, body.legalWorkingDays], [200, 5]);
    assert.match(body.legalBasis.id, /Pasal 53 UU 30\/2014.*Pasal 175 UU 11\/2020/);
    assert.deepEqual(
      people(body),
      [['verifier'], ['approver'], ['verifier'], ['verifier']].map((roles) => ({ roles })),
    );
    const whole = JSON.stringify(body);
    assert.ok(!whole.includes(verifier.id) && !whole.includes(verifier.name));
  });
  it('tells staff their names, those only who see the case', async () => {
    const { applicationId } = await granted();
    assert.equal((await read(applicationId, verifier)).status, 404);
    await holds(database.db, applicationId, verifier.id, 'approval');
    for (const as of [verifier, await api.person('supervisor')]) {
      const [holder] = people((await read(applicationId, as)).body);
      assert.deepEqual(holder, { roles: ['verifier'], id: verifier.id, name: verifier.name });
    }
  });
  it('is a paper for who asks for one, under either address', async () => {
    const { applicationId } = await granted();
    const path = `${api.url}/api/v1/licenses/applications/${applicationId}/evidence`;
    const accept = { accept: 'application/pdf' };
    for (const answer of [
      await fetch(path, { headers: { ...owner.headers, ...accept } }),
      await fetch(`${path}.pdf`, { headers: owner.headers }),
    ]) {
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/pdf']);
      assert.equal(await answer.text(), '%PDF-1.7 evidence');
    }
    assert.equal((await read(applicationId, owner)).body.pdfUrl, `${path}.pdf`);
  });
  it('is not there for a case that somebody decided', async () => {
    const { applicationId } = await granted({ evidence: false });
    assert.equal((await read(applicationId, owner)).status, 404);
  });

  describe('says how a licence was granted', () => {
    const verify = async (code: string, accept: string, language = 'id') =>
      (
        await ask<{ text: string; grantedBy: string }>(api, null, 'GET', `//verify/${code}`, {
          headers: { accept, 'accept-language': language },
        })
      ).body;

    it('by law, on its page, in its JSON and to its owner', async () => {
      const { license } = await granted();
      assert.match((await verify(license.verifyCode, 'text/html')).text, /menurut hukum.*fiktif positif/);
      assert.match((await verify(license.verifyCode, 'text/html', 'en')).text, /by law.*deemed approval/);
      assert.equal((await verify(license.verifyCode, 'application/json')).grantedBy, 'law');
      assert.equal((await ask(api, owner, 'GET', `/licenses/${license.id}`)).body['grantedBy'], 'law');
    });
    it('by a person, which needs no words', async () => {
      const { license } = await granted({ evidence: false });
      assert.equal((await verify(license.verifyCode, 'application/json')).grantedBy, 'decision');
      assert.doesNotMatch((await verify(license.verifyCode, 'text/html', 'en')).text, /Granted/);
    });
    it('automatically', async () => {
      const { license, applicationId } = await granted({ evidence: false });
      const event = { key: `test/${applicationId}`, type: 'application.approved', application_id: applicationId };
      await database
        .db('events')
        .insert({ ...event, actor: 'system', data: '{}', public: true, occurred_at: new Date() });
      assert.equal((await verify(license.verifyCode, 'application/json')).grantedBy, 'automatic');
      assert.match((await verify(license.verifyCode, 'text/html', 'en')).text, /automatically/);
    });
  });
});
