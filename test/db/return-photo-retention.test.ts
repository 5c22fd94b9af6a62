import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { photosToPurge, purgePhoto } from '../../db/document-retention.ts';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { recordPhotoScan } from '../../db/return-photo-scans.ts';
import { asId, type DocumentId, type ReturnId } from '../../domain/ids.ts';
import { aReturnOf, deliveredGoods } from '../builders/delivered-goods.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY = 86_400_000;
const SCANNED = '2026-10-01T03:00:00.000Z';
const AFTER = { removedBefore: new Date(Date.parse(SCANNED) + DAY).toISOString() };
const NOW = '2026-11-22T03:00:00.000Z';

describe('infected photos of returns', () => {
  let database: TestDatabase;
  let files: FileStore;
  let directory: string;
  let returnId: ReturnId;
  before(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'alur-photos-'));
    files = createFileStore(directory);
    returnId = await aReturnOf(database.db, await deliveredGoods(database.db));
  });
  after(async () => {
    await database?.drop();
    await rm(directory, { recursive: true, force: true });
  });

  async function aPhoto(content: string, result: 'clean' | 'infected') {
    const { db } = database;
    const { sha256 } = await files.put(Buffer.from(content));
    const id = asId<DocumentId>(randomUUID());
    const by = (await db('returns').where({ id: returnId }).first('requested_by')).requested_by;
    await db('return_photos').insert({
      ...{ id, return_id: returnId, kind: 'claim', filename: 'a.jpg', sha256, bytes: 10, content_type: 'image/jpeg' },
      ...{ uploaded_by: by, uploaded_at: SCANNED, scan_state: 'waiting' },
    });
    await recordPhotoScan(db, { documentId: id, result, signature: null, at: SCANNED });
    return { id, sha256 };
  }
  const due = (after: DocumentId | null = null) => photosToPurge(database.db, AFTER, { after, limit: 100 });
  const purge = (documentId: DocumentId, removedBefore = AFTER.removedBefore) =>
    purgePhoto(database.db, files, { documentId, at: NOW, removedBefore });

  it('lose their file once they were kept long enough, once; the row stays and says why nothing is shown', async () => {
    const photo = await aPhoto('bad', 'infected');
    assert.equal(await purge(photo.id, SCANNED), false, 'too early');
    assert.ok(await files.read(photo.sha256));
    assert.deepEqual(await due(), [photo.id]);
    assert.deepEqual(await Promise.all([purge(photo.id), purge(photo.id)]).then((both) => both.toSorted()), [
      false,
      true,
    ]);
    assert.equal(await files.read(photo.sha256), null);
    assert.deepEqual(await due(), []);
    const row = await database
      .db('return_photos')
      .where({ id: photo.id })
      .first('scan_state', 'purged_at', 'removed_at');
    assert.deepEqual([row.scan_state, row.purged_at.toISOString(), row.removed_at], ['infected', NOW, null]);
    const events = await database.db('events').where({ subject: `rma/${returnId}`, type: 'document.purged' });
    assert.deepEqual(
      events.map(({ data }) => data.documentId),
      [photo.id],
    );
  });

  it('leave a file that another record names, and it goes with the last', async () => {
    const [one, other] = [await aPhoto('same', 'infected'), await aPhoto('same', 'infected')];
    assert.equal(one.sha256, other.sha256);
    await purge(one.id);
    assert.ok(await files.read(one.sha256));
    await purge(other.id);
    assert.equal(await files.read(one.sha256), null);
  });

  it('are the only ones: what is clean stays', async () => {
    const photo = await aPhoto('good', 'clean');
    assert.deepEqual([await due(), await purge(photo.id)], [[], false]);
    assert.ok(await files.read(photo.sha256));
  });
});
