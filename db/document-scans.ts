/** What the scanner found, and which documents still wait for it. */
import type { Knex } from 'knex';
import type { ScanState } from '../domain/documents.ts';
import type { ApplicationId, CompanyId, DocumentId, Sha256, UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';

/** The file to scan; null = nothing to do: it was scanned before, its file is deleted, or there is no such document. */
export async function fileToScan(db: Knex, id: DocumentId): Promise<Sha256 | null> {
  const found: { sha256: Sha256 } | undefined = await db('documents')
    .where({ id })
    .whereIn('scan_state', ['waiting', 'not_scanned'])
    .whereNull('purged_at')
    .first('sha256');
  return found?.sha256 ?? null;
}

export interface Scanned {
  readonly documentId: DocumentId;
  readonly result: Extract<ScanState, 'clean' | 'infected'>;
  /** As the scanner calls what it found; null when it found nothing. */
  readonly signature: string | null;
  /** ISO 8601. */
  readonly at: string;
}

export interface ScanOnRecord {
  readonly applicationId: ApplicationId;
  readonly applicantId: UserId;
  readonly state: ScanState;
}

/** Quarantine is part of it: what is infected is off the case from this moment on. Again changes nothing. */
export async function recordScan(db: Knex, { documentId, result, signature, at }: Scanned): Promise<ScanOnRecord> {
  return db.transaction(async (tx) => {
    const document = await lockDocument(tx, documentId);
    const { applicationId, applicantId, companyId, kind } = document;
    const infected = result === 'infected';
    const isNew = await recordEvent(tx, {
      key: `document/${documentId}/scanned`,
      type: infected ? 'document.quarantined' : 'document.scanned',
      applicationId,
      companyId,
      data: { documentId, kind, ...(signature === null ? {} : { signature }) },
      at,
    });
    if (!isNew) return { applicationId, applicantId, state: document.state };
    await tx('documents')
      .where({ id: documentId })
      .update({
        scan_state: result,
        scanned_at: at,
        ...(infected ? { removed_at: tx.raw('coalesce(removed_at, ?)', [at]) } : {}),
      });
    // Whoever waits for the case to change learns of it.
    await tx('applications').where({ id: applicationId }).update({ updated_at: at });
    return { applicationId, applicantId, state: result };
  });
}

interface LockedDocument extends ScanOnRecord {
  readonly companyId: CompanyId;
  readonly kind: string;
}

/** The case first, as everybody locks. */
async function lockDocument(tx: Knex, id: DocumentId): Promise<LockedDocument> {
  const found: { applicationId: ApplicationId } | undefined = await tx('documents')
    .where({ id })
    .first({ applicationId: 'application_id' });
  if (!found) throw new Error(`there is no document ${id}`);
  await tx('applications').where({ id: found.applicationId }).forUpdate().first('id');
  const document: LockedDocument = await tx('documents as d')
    .join('applications as a', 'a.id', 'd.application_id')
    .where('d.id', id)
    .first({
      applicationId: 'a.id',
      applicantId: 'a.applicant_id',
      companyId: 'a.company_id',
      kind: 'd.kind',
      state: 'd.scan_state',
    });
  return document;
}

/** A process has these in hand since then. */
export async function noteScansTaken(db: Knex, ids: readonly DocumentId[], at: string): Promise<void> {
  await db('documents')
    .whereIn('id', [...ids])
    .update({ scan_taken_at: at });
}

/** Documents that wait and that no process has had in hand since `takenBefore`; those that none ever had come first. */
export async function untakenScans(
  db: Knex,
  { uploadedBefore, takenBefore, limit }: { uploadedBefore: string; takenBefore: string; limit: number },
): Promise<DocumentId[]> {
  return db('documents')
    .where('scan_state', 'waiting')
    .whereNull('purged_at')
    .where('uploaded_at', '<', uploadedBefore)
    .where((either) => either.whereNull('scan_taken_at').orWhere('scan_taken_at', '<', takenBefore))
    .orderByRaw('scan_taken_at nulls first, uploaded_at, id')
    .limit(limit)
    .pluck<DocumentId[]>('id');
}

/**
 * Documents of open cases that were taken in while there was no scanner, and that no process has had in hand since
 * `takenBefore`. They stay readable until it has spoken. What has come to its end is left as it was judged.
 */
export async function neverScanned(
  db: Knex,
  { takenBefore, limit }: { takenBefore: string; limit: number },
): Promise<DocumentId[]> {
  return db('applications as a')
    .join('documents as d', 'd.application_id', 'a.id')
    .whereNull('a.closed_at')
    .whereNull('d.removed_at')
    .whereNull('d.purged_at')
    .where('d.scan_state', 'not_scanned')
    .where((either) => either.whereNull('d.scan_taken_at').orWhere('d.scan_taken_at', '<', takenBefore))
    .orderBy([{ column: 'd.uploaded_at' }, { column: 'd.id' }])
    .limit(limit)
    .pluck<DocumentId[]>('d.id');
}

/** What the letter to its owner names. */
export async function quarantined(db: Knex, id: DocumentId): Promise<{ kind: string; filename: string }> {
  const found: { kind: string; filename: string } | undefined = await db('documents')
    .where({ id, scan_state: 'infected' })
    .first('kind', 'filename');
  if (!found) throw new Error(`there is no quarantined document ${id}`);
  return found;
}
