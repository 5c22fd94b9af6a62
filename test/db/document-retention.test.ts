import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentsToPurge, NAMES_A_FILE, purgeDocument } from '../../db/document-retention.ts';
import { addDocument, removeDocument } from '../../db/documents.ts';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { freezeSubmission } from '../../db/submissions.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type DocumentId,
  type Sha256,
  type UserId,
} from '../../domain/ids.ts';
import type { ApplicationState } from '../../domain/licensing.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  anInvoice,
  aUser,
  hashOf,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const NOW = '2036-06-01T00:00:00.000Z';
const LONG_AGO = '2026-01-05T00:00:00.000Z';
const LATELY = '2036-05-20T00:00:00.000Z';
/** Thirty days and ten years before. */
const UNTIL = { removedBefore: '2036-05-02T00:00:00.000Z', closedBefore: '2026-06-04T00:00:00.000Z' };

describe('documents that were kept long enough', () => {
  let database: TestDatabase;
  let files: FileStore;
  let directory: string;
  let owner: UserId;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'alur-retention-'));
    files = createFileStore(directory);
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
    type = await aLicenseType(database.db);
  });
  after(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });
  const anotherCase = (state: ApplicationState = 'draft') =>
    anApplication(database.db, { companyId, type, applicantId: owner, state });
  beforeEach(async () => {
    applicationId = await anotherCase();
  });

  interface Attached {
    readonly id: DocumentId;
    readonly content: Buffer;
    readonly sha256: Sha256;
  }
  const newDocument = (content: Buffer, to: ApplicationId) => ({
    id: asId<DocumentId>(randomUUID()),
    applicationId: to,
    kind: 'ktp',
    filename: 'ktp.pdf',
    sha256: hashOf(content),
    bytes: content.length,
    contentType: 'application/pdf',
    scanState: 'not_scanned' as const,
    sanity: null,
    by: owner,
    at: LONG_AGO,
  });
  /** With its file. */
  const attached = async (content: Buffer = Buffer.from(randomUUID()), to = applicationId): Promise<Attached> => {
    const document = newDocument(content, to);
    await addDocument(database.db, document, () => files.put(content));
    return { id: document.id, content, sha256: document.sha256 };
  };
  const takeOff = (documentId: DocumentId, at = LONG_AGO, from = applicationId) =>
    removeDocument(database.db, { applicationId: from, documentId, by: owner, at });
  const close = (id: ApplicationId, at: string, state: ApplicationState = 'rejected') =>
    database.db('applications').where({ id }).update({ state, closed_at: at });
  const purge = (documentId: DocumentId) => purgeDocument(database.db, files, { documentId, at: NOW, ...UNTIL });
  const isKept = async ({ sha256 }: Attached) => (await files.read(sha256)) !== null;
  const due = () => documentsToPurge(database.db, UNTIL, { after: null, limit: 1000 });
  const eventsOf = (id: DocumentId) =>
    database
      .db('events')
      .where('type', 'document.purged')
      .whereRaw("data ->> 'documentId' = ?", [id])
      .select<{ application_id: string; actor: string }[]>('application_id', 'actor');

  it('are deleted with their file, once, and the record says when', async () => {
    const document = await attached();
    await takeOff(document.id);
    assert.deepEqual([await purge(document.id), await purge(document.id)], [true, false]);
    assert.equal(await isKept(document), false);
    const row: { purged_at: Date } | undefined = await database
      .db('documents')
      .where({ id: document.id })
      .first('purged_at');
    assert.equal(row?.purged_at.toISOString(), NOW);
    assert.deepEqual(await eventsOf(document.id), [{ application_id: applicationId, actor: 'system' }]);
  });

  it('are those taken off 30 days ago that no submission names, and nothing attached or newer', async () => {
    const [gone, fresh, still, submitted] = [await attached(), await attached(), await attached(), await attached()];
    await takeOff(gone.id);
    await takeOff(fresh.id, LATELY);
    const other = await anotherCase();
    const named = await attached(undefined, other);
    await freezeSubmission(database.db, { applicationId: other, round: 1, by: owner, at: LONG_AGO });
    await database.db('applications').where({ id: other }).update({ state: 'correction_requested' });
    await takeOff(named.id, LONG_AGO, other);
    const found = new Set(await due());
    assert.deepEqual(
      [gone, fresh, still, submitted, named].map(({ id }) => found.has(id)),
      [true, false, false, false, false],
    );
    for (const document of [fresh, still, submitted, named]) {
      assert.equal(await purge(document.id), false);
      assert.ok(await isKept(document));
    }
  });

  it('are infected ones, though a submission names them', async () => {
    const document = await attached();
    await freezeSubmission(database.db, { applicationId, round: 1, by: owner, at: LONG_AGO });
    await database.db('documents').where({ id: document.id }).update({ scan_state: 'infected', removed_at: LONG_AGO });
    assert.equal(await purge(document.id), true);
  });

  it('are all of a case that was closed ten years ago', async () => {
    const [first, removed] = [await attached(), await attached()];
    await takeOff(removed.id, LATELY);
    assert.ok(!(await due()).includes(first.id));
    await close(applicationId, LONG_AGO);
    const found = await due();
    assert.ok(found.includes(first.id) && found.includes(removed.id));
    assert.deepEqual([await purge(first.id), await purge(removed.id)], [true, true]);
  });

  it('are none of a case that was closed later, was taken up again, or whose licence is in force', async () => {
    const later = await attached();
    await close(applicationId, LATELY);
    const reopened = await anotherCase();
    const again = await attached(undefined, reopened);
    await close(reopened, LONG_AGO, 'document_verification');
    const licensed = await anotherCase();
    const basis = await attached(undefined, licensed);
    await aLicense(database.db, { applicationId: licensed, companyId, type });
    await close(licensed, LONG_AGO, 'active');
    for (const document of [later, again, basis]) assert.equal(await purge(document.id), false);
    const found = await due();
    assert.ok([later, again, basis].every(({ id }) => !found.includes(id)));
    await database.db('licenses').where({ application_id: licensed }).update({ status: 'expired' });
    assert.equal(await purge(basis.id), true);
  });

  it('keep the file as long as another document has the same content', async () => {
    const document = await attached();
    const other = await anotherCase();
    const twin = await attached(document.content, other);
    await takeOff(document.id);
    assert.equal(await purge(document.id), true);
    assert.ok(await isKept(document));
    await takeOff(twin.id, LONG_AGO, other);
    assert.equal(await purge(twin.id), true);
    assert.equal(await isKept(document), false);
  });

  it('keep the file of a certificate or an invoice that somebody had uploaded', async () => {
    const certificate = await attached(Buffer.from('a certificate'));
    const licensed = await anotherCase('active');
    await aLicense(database.db, { applicationId: licensed, companyId, type });
    await database
      .db('licenses')
      .where({ application_id: licensed })
      .update({ certificate_sha256: certificate.sha256 });
    const bill = await attached(Buffer.from('an invoice'));
    const invoiceId = await anInvoice(database.db, { companyId });
    await database.db('invoices').where({ id: invoiceId }).update({ pdf_sha256: bill.sha256 });
    for (const document of [certificate, bill]) {
      await takeOff(document.id);
      assert.equal(await purge(document.id), true);
      assert.ok(await isKept(document));
    }
  });

  it('are compared with every column that names a stored file', async () => {
    const { rows }: { rows: { name: string }[] } = await database.db.raw(
      `select table_name || '.' || column_name as name from information_schema.columns
        where table_schema = 'public' and column_name like '%sha256'`,
    );
    // Hashes of what was said or sent, not names of files.
    const others = ['submissions.sha256', 'decisions.submission_sha256', 'settlements.content_sha256'];
    assert.deepEqual(rows.map(({ name }) => name).toSorted(), [...NAMES_A_FILE, ...others].toSorted());
  });

  it('stay on record as kept when their file cannot be deleted', async () => {
    const document = await attached();
    await takeOff(document.id);
    const stuck = { remove: () => Promise.reject(new Error('read-only')) };
    await assert.rejects(
      purgeDocument(database.db, stuck, { documentId: document.id, at: NOW, ...UNTIL }),
      /read-only/,
    );
    assert.ok((await due()).includes(document.id));
    assert.equal((await eventsOf(document.id)).length, 0);
    // The process died after the file was gone and before the record was committed: the next run ends it.
    await files.remove(document.sha256);
    assert.equal(await purge(document.id), true);
  });

  it('are looked up page by page, each once', async () => {
    const some = await Promise.all(Array.from({ length: 5 }, () => attached()));
    for (const { id } of some) await takeOff(id);
    const pages: DocumentId[] = [];
    for (let after: DocumentId | null = null; ; ) {
      const page: DocumentId[] = await documentsToPurge(database.db, UNTIL, { after, limit: 2 });
      pages.push(...page);
      after = page.at(-1) ?? null;
      if (page.length < 2) break;
    }
    assert.equal(new Set(pages).size, pages.length);
    assert.ok(some.every(({ id }) => pages.includes(id)));
  });

  describe('while the same content is uploaded', () => {
    /** A deletion that stands still right before the file goes, until told to go on. */
    const heldPurge = (documentId: DocumentId) => {
      const [here, told] = [gate(), gate()];
      const remove = async (sha256: Sha256) => {
        here.open();
        await told.opened;
        await files.remove(sha256);
      };
      const done = purgeDocument(database.db, { remove }, { documentId, at: NOW, ...UNTIL });
      return { here: here.opened, goOn: told.open, done };
    };
    const waitsForLock = () =>
      eventually('somebody to wait for the lock', async () => {
        const { rows }: { rows: unknown[] } = await database.db.raw(
          `select 1 from pg_locks where locktype = 'advisory' and not granted
             and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length > 0;
      });

    it('lose nothing when the deletion was first', async () => {
      const document = await attached();
      await takeOff(document.id);
      const purging = heldPurge(document.id);
      await purging.here;
      const other = await anotherCase();
      // It finds the file in the store, which is about to go.
      await files.put(document.content);
      const uploading = attached(document.content, other);
      await waitsForLock();
      purging.goOn();
      assert.equal(await purging.done, true);
      assert.ok(await isKept(await uploading));
    });

    it('lose nothing when the upload was first', async () => {
      const document = await attached();
      await takeOff(document.id);
      const other = await anotherCase();
      const [inside, told] = [gate(), gate()];
      const uploading = addDocument(database.db, newDocument(document.content, other), async () => {
        inside.open();
        await told.opened;
      });
      await inside.opened;
      const purging = purge(document.id);
      await waitsForLock();
      told.open();
      await uploading;
      assert.equal(await purging, true);
      assert.ok(await isKept(document));
    });

    it('neither waits for ever when it is the same case', async () => {
      const document = await attached();
      await takeOff(document.id);
      const all = await Promise.all([
        purge(document.id),
        ...Array.from({ length: 5 }, () => attached(document.content)),
      ]);
      assert.equal(all[0], true);
      assert.ok(await isKept(document));
    });
  });
});

/** Shut until somebody opens it. */
function gate() {
  let unlock: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => {
    unlock = resolve;
  });
  return { opened, open: () => unlock?.() };
}
