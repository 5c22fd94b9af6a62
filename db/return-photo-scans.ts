/** What the scanner found in photos of returns, and which of them still wait for it. As db/document-scans.ts does for documents. */
import type { Knex } from 'knex';
import type { ScanState } from '../domain/documents.ts';
import type { CompanyId, DocumentId, ReturnId, Sha256 } from '../domain/ids.ts';
import type { Scanned } from './document-scans.ts';
import { recordEvent } from './events.ts';
import { writeReturnLetter } from './return-letters.ts';
import type { PhotoKind } from './return-photos.ts';

/** The file to scan; null = it was scanned before, or is no photo of a return. */
export async function photoToScan(db: Knex, id: DocumentId): Promise<Sha256 | null> {
  const found: { sha256: Sha256 } | undefined = await db('return_photos')
    .where({ id })
    .whereIn('scan_state', ['waiting', 'not_scanned'])
    .first('sha256');
  return found?.sha256 ?? null;
}

export interface PhotoScanOnRecord {
  readonly returnId: ReturnId;
  readonly state: ScanState;
}

/**
 * What is infected is shown to nobody from this moment on, and whoever added it is told: the customer, or who works in the
 * warehouse. Again changes nothing.
 * @returns null when it is no photo of a return
 */
export async function recordPhotoScan(db: Knex, scanned: Scanned): Promise<PhotoScanOnRecord | null> {
  const { documentId: id, result, signature, at } = scanned;
  return db.transaction(async (tx) => {
    const photo = await lockPhoto(tx, id);
    if (!photo) return null;
    const { returnId, companyId, kind, state } = photo;
    const isInfected = result === 'infected';
    const isNew = await recordEvent(tx, {
      key: `return-photo/${id}/scanned`,
      type: isInfected ? 'document.quarantined' : 'document.scanned',
      companyId,
      subject: `rma/${returnId}`,
      data: { documentId: id, kind, ...(signature === null ? {} : { signature }) },
      at,
    });
    if (!isNew) return { returnId, state };
    await tx('return_photos').where({ id }).update({ scan_state: result });
    // Whoever waits for the return to change learns of it.
    await tx('returns').where({ id: returnId }).update({ updated_at: at });
    if (isInfected) await tell(tx, returnId, kind, at);
    return { returnId, state: result };
  });
}

interface LockedPhoto extends PhotoScanOnRecord {
  readonly companyId: CompanyId;
  readonly kind: PhotoKind;
}

/** The return first, as everybody locks. */
async function lockPhoto(tx: Knex, id: DocumentId): Promise<LockedPhoto | null> {
  const found: { returnId: ReturnId } | undefined = await tx('return_photos')
    .where({ id })
    .first({ returnId: 'return_id' });
  if (!found) return null;
  await tx('returns').where({ id: found.returnId }).forUpdate().first('id');
  const photo: LockedPhoto = await tx('return_photos as p')
    .join('returns as r', 'r.id', 'p.return_id')
    .where('p.id', id)
    .first({ returnId: 'r.id', companyId: 'r.company_id', kind: 'p.kind', state: 'p.scan_state' });
  return photo;
}

const tell = (tx: Knex, returnId: ReturnId, kind: PhotoKind, at: string): Promise<void> =>
  kind === 'claim'
    ? writeReturnLetter(tx, 'return_photo_infected', { returnId, to: 'customer', at })
    : writeReturnLetter(tx, 'return_to_staff', {
        returnId,
        to: 'staff',
        at,
        data: { reasons: ['photo_infected'], role: 'warehouse' },
      });

/** Photos that wait and that no process has had in hand since `takenBefore`; those that none ever had come first. */
export async function untakenPhotoScans(
  db: Knex,
  { uploadedBefore, takenBefore, limit }: { uploadedBefore: string; takenBefore: string; limit: number },
): Promise<DocumentId[]> {
  return notTaken(db, takenBefore)
    .where('p.scan_state', 'waiting')
    .where('p.uploaded_at', '<', uploadedBefore)
    .orderByRaw('p.scan_taken_at nulls first, p.uploaded_at, p.id')
    .limit(limit)
    .pluck<DocumentId[]>('p.id');
}

/** Of returns that are open: photos that were taken in while there was no scanner. They stay readable until it has spoken. */
export async function photosNeverScanned(
  db: Knex,
  { takenBefore, limit }: { takenBefore: string; limit: number },
): Promise<DocumentId[]> {
  return notTaken(db, takenBefore)
    .join('returns as r', 'r.id', 'p.return_id')
    .whereNull('r.ended_at')
    .where('p.scan_state', 'not_scanned')
    .orderBy([{ column: 'p.uploaded_at' }, { column: 'p.id' }])
    .limit(limit)
    .pluck<DocumentId[]>('p.id');
}

const notTaken = (db: Knex, takenBefore: string): Knex.QueryBuilder =>
  db('return_photos as p')
    .whereNull('p.removed_at')
    .where((either) => either.whereNull('p.scan_taken_at').orWhere('p.scan_taken_at', '<', takenBefore));

/** A process has these in hand since then. */
export async function notePhotoScansTaken(db: Knex, ids: readonly DocumentId[], at: string): Promise<void> {
  await db('return_photos')
    .whereIn('id', [...ids])
    .update({ scan_taken_at: at });
}
