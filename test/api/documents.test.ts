import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ApplicationId, CompanyId } from '../../domain/ids.ts';
import { aCompany, aLicenseType, anApplication, hashOf, holds, type LicenseTypeRow } from '../builders/licensing.ts';
import { aPdf, aPng, aWrittenPdf } from '../builders/papers.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const PDF = aPdf();
const PNG = aPng(1200, 800);

interface Uploaded {
  readonly id: string;
  readonly sha256: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly flags: readonly string[];
}

describe('documents over HTTP', () => {
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
    id = await anApplication(database.db, { companyId, type, applicantId: owner.id });
  });

  function form(content: Buffer, filename = 'ktp.pdf', kind = 'ktp', mime = 'application/pdf'): FormData {
    const data = new FormData();
    data.append('kind', kind);
    data.append('file', new Blob([new Uint8Array(content)], { type: mime }), filename);
    return data;
  }
  const where = () => `/licenses/applications/${id}/documents`;
  const upload = (body: FormData, headers = {}) => ask<Uploaded>(api, owner, 'POST', where(), { body, headers });
  const refused = (body: FormData) => problem(api, owner, 'POST', where(), { body });
  const download = (person: TestPerson, documentId: string, headers = {}) =>
    fetch(`${api.url}/api/v1/documents/${documentId}`, { headers: { ...person.headers, ...headers } });

  it('are stored under the hash of their content and come back byte for byte', async () => {
    const { status, body } = await upload(form(PDF));
    assert.deepEqual(
      [status, body.sha256, body.bytes, body.contentType],
      [201, hashOf(PDF), PDF.length, 'application/pdf'],
    );
    const answer = await download(owner, body.id);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), PDF);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="ktp\.pdf"/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('cache-control') ?? '', /private/);
    const again = await download(owner, body.id, { 'if-none-match': answer.headers.get('etag') ?? '' });
    assert.equal(again.status, 304);
  });
  it('are what their content says, whatever the name and the header claim', async () => {
    assert.equal((await upload(form(PNG, 'ktp.pdf'))).body.contentType, 'image/png');
    const { status, body } = await refused(form(Buffer.from('<script>alert(1)</script>'), 'ktp.pdf'));
    assert.deepEqual([status, body.code], [415, 'unsupported_media_type']);
  });
  it('are refused when they are too large or empty', async () => {
    const large = await refused(form(Buffer.concat([PDF, Buffer.alloc(10 * 1024 * 1024)])));
    assert.deepEqual([large.status, large.body.code], [413, 'file_too_large']);
    assert.equal((await refused(form(Buffer.alloc(0)))).status, 415);
  });
  it('are of a kind that the licence type asks for, or other', async () => {
    const { status, body } = await refused(form(PDF, 'a.pdf', 'horoscope'));
    assert.deepEqual([status, body.errors?.map(({ pointer }) => pointer)], [422, ['/kind']]);
    assert.equal((await upload(form(PDF, 'a.pdf', 'other'))).status, 201);
  });
  it('are at most twenty, also when thirty come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => upload(form(PDF))));
    const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
    assert.deepEqual([count(201), count(422)], [20, 10]);
  });
  it('are there once when the request is repeated', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [await upload(form(PDF), headers), await upload(form(PDF), headers)];
    assert.equal(first.body.id, second.body.id);
    assert.equal((await database.db('documents').where({ application_id: id })).length, 1);
  });
  it('keep no folder of the computer that they come from', async () => {
    const { body } = await upload(form(PDF, 'C:\\Users\\sari\\ktp sari.pdf'));
    const row: { filename: string } | undefined = await database
      .db('documents')
      .where({ id: body.id })
      .first('filename');
    assert.equal(row?.filename, 'ktp sari.pdf');
  });
  it('are taken off once', async () => {
    const { body } = await upload(form(PDF));
    assert.equal((await ask(api, owner, 'DELETE', `${where()}/${body.id}`)).status, 204);
    assert.equal((await ask(api, owner, 'DELETE', `${where()}/${body.id}`)).status, 404);
    assert.equal((await download(owner, body.id)).status, 404);
  });
  it('stay as they are while the office has the case', async () => {
    const { body } = await upload(form(PDF));
    await database.db('applications').where({ id }).update({ state: 'approval' });
    assert.deepEqual([(await refused(form(PDF))).status, (await refused(form(PDF))).body.code], [409, 'not_a_draft']);
    assert.equal((await ask(api, owner, 'DELETE', `${where()}/${body.id}`)).status, 409);
  });
  it("do not exist for another company, and are not another's to change", async () => {
    const { body } = await upload(form(PDF));
    const stranger = await api.person('owner');
    assert.equal((await download(stranger, body.id)).status, 404);
    assert.equal((await ask(api, stranger, 'POST', where(), { body: form(PDF) })).status, 404);
    assert.equal((await ask(api, stranger, 'DELETE', `${where()}/${body.id}`)).status, 404);
  });
  it('warn their owner at once of what a reviewer could not read, and are taken in all the same', async () => {
    const flagsOf = async (content: Buffer) => (await upload(form(content))).body.flags;
    assert.deepEqual(await flagsOf(PDF), []);
    assert.deepEqual(await flagsOf(Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n')), [
      'damaged',
    ]);
    assert.deepEqual(await flagsOf(await aWrittenPdf({ userPassword: 'rahasia' })), ['locked']);
  });
  it('tell those who have to open them what is inside, and nobody else', async () => {
    const script = aPdf({ catalog: '/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>' });
    await upload(form(script));
    interface Case {
      readonly documents: readonly { sanity?: unknown; scanState: string; purgedAt: string | null }[];
    }
    const read = async (person: TestPerson) =>
      (await ask<Case>(api, person, 'GET', `/licenses/applications/${id}`)).body.documents[0];
    const supervisor = await api.person('supervisor');
    assert.deepEqual((await read(supervisor))?.sanity, { pages: 1, flags: ['scripts'] });
    const own = await read(owner);
    assert.deepEqual([own?.scanState, own?.purgedAt, own && 'sanity' in own], ['not_scanned', null, false]);
  });

  describe('that staff look at', () => {
    const events = () =>
      database
        .db('events')
        .where({ application_id: id })
        .whereIn('type', ['document.viewed', 'document.downloaded'])
        .orderBy('id')
        .select<{ type: string; actor_id: string }[]>('type', 'actor_id');
    let verifier: TestPerson;
    beforeEach(async () => {
      verifier = await api.person('verifier');
      await holds(database.db, id, verifier.id, 'document_verification');
    });

    it('leave a trace each time, which says whether they took it along; its owner leaves none', async () => {
      const { body } = await upload(form(PDF));
      await download(owner, body.id);
      await download(verifier, body.id);
      const taken = await download(verifier, body.id);
      const seen = await download(verifier, `${body.id}?as=view`);
      assert.match(taken.headers.get('content-disposition') ?? '', /^attachment;/);
      assert.match(seen.headers.get('content-disposition') ?? '', /^inline;/);
      assert.deepEqual(await events(), [
        { type: 'document.downloaded', actor_id: verifier.id },
        { type: 'document.downloaded', actor_id: verifier.id },
        { type: 'document.viewed', actor_id: verifier.id },
      ]);
    });
    it('leave none when only the case is read', async () => {
      await upload(form(PDF));
      await ask(api, verifier, 'GET', `/licenses/applications/${id}`);
      assert.deepEqual(await events(), []);
    });
    it('are never shown in place when they carry something to run', async () => {
      const { body } = await upload(form(aPdf({ catalog: '/OpenAction<</S/Launch/F(calc.exe)>>' })));
      const answer = await download(verifier, `${body.id}?as=view`);
      assert.match(answer.headers.get('content-disposition') ?? '', /^attachment;/);
      assert.deepEqual(
        (await events()).map(({ type }) => type),
        ['document.downloaded'],
      );
    });
  });

  it('that were deleted say so, to those who may see them', async () => {
    const { body } = await upload(form(PDF));
    await database.db('documents').where({ id: body.id }).update({ purged_at: '2036-01-02T03:04:05Z' });
    const gone = await problem(api, owner, 'GET', `/documents/${body.id}`);
    assert.deepEqual([gone.status, gone.body.code], [404, 'not_found']);
    assert.match(gone.body.detail, /deleted at 2036-01-02/);
    const stranger = await api.person('owner');
    assert.doesNotMatch((await problem(api, stranger, 'GET', `/documents/${body.id}`)).body.detail, /deleted/);
  });
});
