import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { addDocument, removeDocument } from '../../db/documents.ts';
import type { FileStore } from '../../db/files.ts';
import { createS3FileStore } from '../../db/s3-files.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type DocumentId,
  type Sha256,
  type UserId,
} from '../../domain/ids.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { aCompany, aLicenseType, anApplication, aUser, hashOf, type LicenseTypeRow } from '../builders/licensing.ts';
import { startS3 } from '../support/s3.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

const DAY = 86_400_000;
const ago = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

describe('the night run that deletes documents', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;

  before(async () => {
    system = await startSystem({ worker: false });
    owner = await aUser(system.database.db, 'owner');
    companyId = await aCompany(system.database.db, owner);
    type = await aLicenseType(system.database.db);
  });
  after(() => system?.close());
  afterEach(() => system.stopWorker());

  const aCase = () => anApplication(system.database.db, { companyId, type, applicantId: owner });
  const attached = async (applicationId: ApplicationId, files: FileStore = system.deps.files) => {
    const content = Buffer.from(randomUUID());
    const id = asId<DocumentId>(randomUUID());
    const document = {
      ...{ id, applicationId, kind: 'ktp', filename: 'ktp.pdf', sha256: hashOf(content), bytes: content.length },
      ...{ contentType: 'application/pdf', scanState: 'not_scanned' as const, sanity: null, by: owner, at: ago(400) },
    };
    await addDocument(system.database.db, document, () => files.put(content));
    return { id, sha256: document.sha256 };
  };
  const takenOff = async (days: number, files?: FileStore) => {
    const applicationId = await aCase();
    const document = await attached(applicationId, files);
    await removeDocument(system.database.db, { applicationId, documentId: document.id, by: owner, at: ago(days) });
    return document;
  };
  const closed = async (days: number) => {
    const applicationId = await aCase();
    const document = await attached(applicationId);
    await system.database
      .db('applications')
      .where({ id: applicationId })
      .update({ state: 'rejected', closed_at: ago(days) });
    return document;
  };
  const isThere = async ({ sha256 }: { sha256: Sha256 }) => (await system.deps.files.read(sha256)) !== null;
  const isPurged = async ({ id }: { id: DocumentId }) =>
    (await system.database.db('documents').where({ id }).whereNotNull('purged_at').first('id')) !== undefined;
  const run = (page?: number): Promise<{ purged: number; failed: number }> =>
    system.client.workflow.execute('documentRetention', {
      workflowId: `document-retention-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: page === undefined ? [] : [page],
    });

  it('takes what was off for thirty days and cases closed for as long as the office says, page by page', async () => {
    await system.startWorker({ documentRetentionDays: 100 });
    const gone = [await takenOff(31), await takenOff(31), await takenOff(40), await closed(101), await closed(400)];
    const kept = [await takenOff(29), await closed(99), await attached(await aCase())];
    assert.deepEqual(await run(2), { purged: 5, failed: 0 });
    for (const document of gone) assert.deepEqual([await isThere(document), await isPurged(document)], [false, true]);
    for (const document of kept) assert.deepEqual([await isThere(document), await isPurged(document)], [true, false]);
    assert.deepEqual(await run(2), { purged: 0, failed: 0 });
  });

  it('is not held up by a file that cannot be deleted, and tries it again the next night', async () => {
    const [stuck, other] = [await takenOff(31), await takenOff(31)];
    const { files } = system.deps;
    const remove = async (sha256: Sha256) => {
      if (sha256 === stuck.sha256) throw new Error('the file is locked');
      await files.remove(sha256);
    };
    await system.startWorker({ files: { ...files, remove } });
    assert.deepEqual(await run(1), { purged: 1, failed: 1 });
    assert.deepEqual([await isPurged(stuck), await isPurged(other)], [false, true]);
    await system.stopWorker();
    await system.startWorker();
    assert.deepEqual(await run(), { purged: 1, failed: 0 });
    assert.equal(await isThere(stuck), false);
  });

  it('waits for a bucket that is away', async () => {
    const bucket = await startS3();
    const files = createS3FileStore(bucket.settings);
    const document = await takenOff(31, files);
    assert.equal(bucket.keys().length, 1);
    await bucket.goAway();
    await system.startWorker({ files });
    const handle = await system.client.workflow.start('documentRetention', {
      workflowId: `document-retention-${randomUUID()}`,
      taskQueue: system.taskQueue,
    });
    await eventually('the bucket to be missed', async () =>
      (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure?.message?.includes('does not answer'),
    );
    assert.equal(await isPurged(document), false);
    await bucket.comeBack();
    assert.deepEqual(await handle.result(), { purged: 1, failed: 0 });
    assert.deepEqual(bucket.keys(), []);
    await system.stopWorker();
    await bucket.goAway();
  });

  it('is started by a schedule, which every worker makes sure of', async () => {
    const document = await takenOff(31);
    await system.startWorker();
    const entries = SCHEDULES.filter((entry) => entry.id === 'document-retention');
    assert.equal(entries.length, 1);
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const schedule = system.client.schedule.getHandle(`${prefix}document-retention`);
    try {
      await schedule.trigger();
      await eventually('the document to be deleted', () => isPurged(document));
    } finally {
      await schedule.delete();
    }
  });
});
