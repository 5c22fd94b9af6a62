import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { noteScansTaken, recordScan, untakenScans } from '../../db/document-scans.ts';
import {
  addDocument,
  documentsOf,
  findDocument,
  MAX_DOCUMENTS,
  type NewDocument,
  removeDocument,
  unscannedOf,
} from '../../db/documents.ts';
import { freezeSubmission } from '../../db/submissions.ts';
import { Failure } from '../../domain/failures.ts';
import { type ApplicationId, asId, type CompanyId, type DocumentId, type UserId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicenseType,
  anApplication,
  aUser,
  hashOf,
  holds,
  type LicenseTypeRow,
  MONDAY,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('documents of an application', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
  });
  after(() => database.drop());
  beforeEach(async () => {
    applicationId = await anApplication(database.db, { companyId, type, applicantId: owner });
  });

  const aDocument = (changes: Partial<NewDocument> = {}): NewDocument => ({
    id: asId<DocumentId>(randomUUID()),
    applicationId,
    kind: 'ktp',
    filename: 'ktp.pdf',
    sha256: hashOf(randomUUID()),
    bytes: 3,
    contentType: 'application/pdf',
    scanState: 'not_scanned',
    sanity: null,
    by: owner,
    at: MONDAY,
    ...changes,
  });
  /** The file is in the store already. */
  const stored = async () => undefined;
  const eventsOf = (type: string) =>
    database
      .db('events')
      .where({ application_id: applicationId, type })
      .select<{ data: { documentId: string } }[]>('data');

  it('are added with their event, once for each ID', async () => {
    const document = aDocument();
    await addDocument(database.db, document, stored);
    await addDocument(database.db, document, stored);
    assert.deepEqual(
      (await documentsOf(database.db, applicationId)).map(({ id }) => id),
      [document.id],
    );
    assert.deepEqual(
      (await eventsOf('document.added')).map(({ data }) => data.documentId),
      [document.id],
    );
  });

  it(`stay at ${MAX_DOCUMENTS} when thirty come at once`, async () => {
    const uploads = await Promise.allSettled(
      Array.from({ length: 30 }, () => addDocument(database.db, aDocument(), stored)),
    );
    const refused = uploads.filter((upload) => upload.status === 'rejected').map(({ reason }) => reason);
    assert.equal(refused.length, 10);
    assert.ok(refused.every((reason) => reason instanceof Failure && reason.code === 'too_many_files'));
    assert.equal((await documentsOf(database.db, applicationId)).length, MAX_DOCUMENTS);
    assert.equal((await eventsOf('document.added')).length, MAX_DOCUMENTS);
  });

  it('cannot be changed while the office has the case', async () => {
    const document = aDocument();
    await addDocument(database.db, document, stored);
    await database.db('applications').where({ id: applicationId }).update({ state: 'compliance_check' });
    const refused = (error: unknown) => error instanceof Failure && error.code === 'not_a_draft';
    await assert.rejects(addDocument(database.db, aDocument(), stored), refused);
    const removal = { applicationId, documentId: document.id, by: owner, at: MONDAY };
    await assert.rejects(removeDocument(database.db, removal), refused);
  });

  it('can be changed again when a correction was requested', async () => {
    await database.db('applications').where({ id: applicationId }).update({ state: 'correction_requested' });
    await addDocument(database.db, aDocument(), stored);
    assert.equal((await documentsOf(database.db, applicationId)).length, 1);
  });

  it('that are taken off make room, keep their row, and can be taken off once', async () => {
    const document = aDocument();
    await addDocument(database.db, document, stored);
    const removal = { applicationId, documentId: document.id, by: owner, at: MONDAY };
    assert.equal(await removeDocument(database.db, removal), true);
    assert.equal(await removeDocument(database.db, removal), false);
    assert.deepEqual(await documentsOf(database.db, applicationId), []);
    assert.equal((await database.db('documents').where({ id: document.id })).length, 1);
    assert.equal((await eventsOf('document.removed')).length, 1);
  });

  it('are taken off only from the application that they belong to', async () => {
    const document = aDocument();
    await addDocument(database.db, document, stored);
    const other = await anApplication(database.db, { companyId, type, applicantId: owner });
    assert.equal(
      await removeDocument(database.db, { applicationId: other, documentId: document.id, by: owner, at: MONDAY }),
      false,
    );
    assert.equal((await documentsOf(database.db, applicationId)).length, 1);
  });

  it('wait for the scanner as long as one of those attached is not scanned', async () => {
    const [first, second] = [aDocument({ scanState: 'waiting' }), aDocument({ scanState: 'waiting' })];
    assert.equal(await unscannedOf(database.db, applicationId), 0);
    for (const document of [first, second, aDocument()]) await addDocument(database.db, document, stored);
    assert.equal(await unscannedOf(database.db, applicationId), 2);
    await removeDocument(database.db, { applicationId, documentId: first.id, by: owner, at: MONDAY });
    assert.equal(await unscannedOf(database.db, applicationId), 1);
    await recordScan(database.db, { documentId: second.id, result: 'clean', signature: null, at: MONDAY });
    assert.equal(await unscannedOf(database.db, applicationId), 0);
  });

  describe('that the scanner has looked at', () => {
    const scanned = (documentId: DocumentId, result: 'clean' | 'infected') =>
      recordScan(database.db, { documentId, result, signature: result === 'clean' ? null : 'Eicar', at: MONDAY });

    it('are clean, or off the case from that moment on; the first word counts', async () => {
      const [good, bad] = [aDocument({ scanState: 'waiting' }), aDocument({ scanState: 'waiting' })];
      for (const document of [good, bad]) await addDocument(database.db, document, stored);
      assert.deepEqual(await scanned(good.id, 'clean'), { applicationId, applicantId: owner, state: 'clean' });
      assert.equal((await scanned(bad.id, 'infected')).state, 'infected');
      assert.equal((await scanned(bad.id, 'clean')).state, 'infected');
      assert.deepEqual(
        (await documentsOf(database.db, applicationId)).map(({ id, scanState }) => [id, scanState]),
        [[good.id, 'clean']],
      );
      assert.equal((await eventsOf('document.scanned')).length, 1);
      assert.deepEqual(await eventsOf('document.quarantined'), [
        { data: { documentId: bad.id, kind: 'ktp', signature: 'Eicar' } },
      ]);
    });

    it('keep the moment at which their owner had taken them off', async () => {
      const document = aDocument({ scanState: 'waiting' });
      await addDocument(database.db, document, stored);
      const at = '2026-03-01T02:00:00.000Z';
      await removeDocument(database.db, { applicationId, documentId: document.id, by: owner, at });
      await scanned(document.id, 'infected');
      const row: { removed_at: Date } | undefined = await database
        .db('documents')
        .where({ id: document.id })
        .first('removed_at');
      assert.equal(row?.removed_at.toISOString(), at);
    });
  });

  describe('that wait for a process', () => {
    it('are found when none ever had them in hand, then those whose process is long gone', async () => {
      const waiting = async (uploadedAt: string, takenAt: string | null) => {
        const document = aDocument({ scanState: 'waiting', at: uploadedAt });
        await addDocument(database.db, document, stored);
        if (takenAt) await noteScansTaken(database.db, [document.id], takenAt);
        return document.id;
      };
      await database.db('documents').update({ scan_state: 'clean' });
      const lost = await waiting('2026-03-02T01:00:00Z', '2026-03-02T01:01:00Z');
      const never = await waiting('2026-03-02T01:30:00Z', null);
      await waiting('2026-03-02T01:30:00Z', '2026-03-02T01:59:00Z');
      await waiting('2026-03-02T02:00:00Z', null);
      const look = { uploadedBefore: '2026-03-02T01:59:00Z', takenBefore: '2026-03-02T01:30:00Z' };
      assert.deepEqual(await untakenScans(database.db, { ...look, limit: 10 }), [never, lost]);
      assert.deepEqual(await untakenScans(database.db, { ...look, limit: 1 }), [never]);
    });
  });

  describe('are seen', () => {
    const find = (userId: UserId, id: DocumentId, roles: ('owner' | 'verifier' | 'supervisor')[]) =>
      findDocument(database.db, { userId, roles }, id);

    it('by the company, by who holds or held the case, and by who sees every case', async () => {
      const document = aDocument();
      await addDocument(database.db, document, stored);
      const [holder, other, supervisor] = await Promise.all(
        ['verifier', 'verifier', 'supervisor'].map((role) => aUser(database.db, role)),
      );
      assert.ok(holder && other && supervisor);
      await holds(database.db, applicationId, holder, 'document_verification');
      assert.equal((await find(owner, document.id, ['owner']))?.own, true);
      assert.equal((await find(holder, document.id, ['verifier']))?.own, false);
      assert.equal((await find(supervisor, document.id, ['supervisor']))?.own, false);
      assert.equal(await find(other, document.id, ['verifier']), null);
    });

    it('after they were taken off only when a submission names them', async () => {
      const [kept, dropped] = [aDocument(), aDocument()];
      await addDocument(database.db, kept, stored);
      await addDocument(database.db, dropped, stored);
      await removeDocument(database.db, { applicationId, documentId: dropped.id, by: owner, at: MONDAY });
      await freezeSubmission(database.db, { applicationId, round: 1, by: owner, at: MONDAY });
      await database.db('applications').where({ id: applicationId }).update({ state: 'correction_requested' });
      await removeDocument(database.db, { applicationId, documentId: kept.id, by: owner, at: MONDAY });
      assert.equal((await find(owner, kept.id, ['owner']))?.id, kept.id);
      assert.equal(await find(owner, dropped.id, ['owner']), null);
    });
  });
});
