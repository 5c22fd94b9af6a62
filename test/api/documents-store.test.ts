import assert from 'node:assert/strict';
import { createS3FileStore } from '../../db/s3-files.ts';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import { aCompany, aLicense, aLicenseType, anApplication, holds, type LicenseTypeRow } from '../builders/licensing.ts';
import { aPdf } from '../builders/papers.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type S3Server, startS3 } from '../support/s3.ts';

describe('documents in a bucket, over HTTP', () => {
  let database: TestDatabase;
  let bucket: S3Server;
  let api: TestApi;
  let owner: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let id: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    bucket = await startS3('office');
    api = await startApi(database, { files: createS3FileStore(bucket.settings) });
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await api.close();
    await bucket.goAway();
    await database.drop();
  });
  beforeEach(async () => {
    id = await anApplication(database.db, { companyId, type, applicantId: owner.id });
  });

  const paper = () => {
    const data = new FormData();
    data.append('kind', 'ktp');
    data.append('file', new Blob([new Uint8Array(aPdf())]), 'KTP Sari “asli”.pdf');
    return data;
  };
  const where = () => `/licenses/applications/${id}/documents`;
  const uploaded = async () => {
    const { status, body } = await ask<{ id: string; sha256: string }>(api, owner, 'POST', where(), { body: paper() });
    assert.equal(status, 201);
    return body;
  };
  const get = (person: TestPerson, path: string, redirect: 'manual' | 'follow') =>
    fetch(`${api.url}/api/v1${path}`, { headers: { ...person.headers }, redirect });

  it('are had by a link that is good for two minutes, under their own name', async () => {
    const { id: documentId } = await uploaded();
    const answer = await get(owner, `/documents/${documentId}`, 'manual');
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const link = new URL(answer.headers.get('location') ?? '');
    assert.equal(link.searchParams.get('X-Amz-Expires'), '120');
    const file = await get(owner, `/documents/${documentId}`, 'follow');
    assert.ok(aPdf().equals(Buffer.from(await file.arrayBuffer())));
    assert.equal(file.headers.get('content-type'), 'application/pdf');
    assert.match(
      file.headers.get('content-disposition') ?? '',
      /^attachment; filename="KTP Sari _asli_\.pdf"; filename\*=UTF-8''KTP%20Sari%20%E2%80%9Casli%E2%80%9D\.pdf$/,
    );
  });

  it('leave the same trace as from a disk when staff follow the link', async () => {
    const { id: documentId } = await uploaded();
    const verifier = await api.person('verifier');
    await holds(database.db, id, verifier.id, 'document_verification');
    await get(verifier, `/documents/${documentId}`, 'manual');
    const seen = await get(verifier, `/documents/${documentId}?as=view`, 'follow');
    assert.match(seen.headers.get('content-disposition') ?? '', /^inline/);
    const events = await database
      .db('events')
      .where({ application_id: id, actor_id: verifier.id })
      .orderBy('id')
      .pluck<string[]>('type');
    assert.deepEqual(events, ['document.downloaded', 'document.viewed']);
  });

  it('are in the bucket once, under the prefix and the hash of their content', async () => {
    const { sha256 } = await uploaded();
    await uploaded();
    assert.deepEqual(bucket.keys(), [`office/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`]);
  });

  it('cannot be had or sent while the bucket is away: 503 with a time to come back, and no row', async () => {
    const { id: documentId } = await uploaded();
    await bucket.goAway();
    try {
      for (const asked of [
        problem(api, owner, 'GET', `/documents/${documentId}`),
        problem(api, owner, 'POST', where(), { body: paper() }),
      ]) {
        const { status, body, headers } = await asked;
        assert.deepEqual([status, body.code], [503, 'temporarily_unavailable']);
        assert.equal(headers.get('retry-after'), '5');
      }
    } finally {
      await bucket.comeBack();
    }
    assert.equal((await database.db('documents').where({ application_id: id })).length, 1);
    assert.equal((await get(owner, `/documents/${documentId}`, 'follow')).status, 200);
  });

  it('are told apart from certificates, which come through the API as ever', async () => {
    const { sha256 } = await api.deps.files.put(aPdf({ mark: 'certificate' }));
    await database.db('applications').where({ id }).update({ state: 'active' });
    const { id: licenseId } = await aLicense(database.db, {
      applicationId: id,
      companyId,
      type,
      certificate: sha256,
    });
    const answer = await get(owner, `/licenses/${licenseId}/certificate`, 'manual');
    assert.equal(answer.status, 200);
    assert.ok(aPdf({ mark: 'certificate' }).equals(Buffer.from(await answer.arrayBuffer())));
  });
});
