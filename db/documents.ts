import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Sanity, ScanState } from '../domain/documents.ts';
import type { EventType, Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId, CompanyId, DocumentId, Sha256, UserId } from '../domain/ids.ts';
import type { Actor, ApplicationState } from '../domain/licensing.ts';
import { isEditable, OWN, seenBy, VISIBLE } from './applications.ts';
import { recordEvent } from './events.ts';

export const MAX_DOCUMENTS = 20;

/** A file that somebody handed in, and how far it was looked into. */
export interface StoredFile {
  readonly id: DocumentId;
  /** As the owner's computer called it; for display only. */
  readonly filename: string;
  readonly sha256: Sha256;
  readonly bytes: number;
  readonly contentType: string;
  readonly uploadedAt: Date;
  readonly scanState: ScanState;
}

export const FILE_COLUMNS = {
  id: 'id',
  kind: 'kind',
  filename: 'filename',
  sha256: 'sha256',
  bytes: 'bytes',
  contentType: 'content_type',
  uploadedAt: 'uploaded_at',
  scanState: 'scan_state',
} as const;

export interface StoredDocument extends StoredFile {
  readonly kind: string;
  /** null: taken in before files were looked into. */
  readonly sanity: Sanity | null;
  /** Since when its file is deleted. */
  readonly purgedAt: Date | null;
}

const COLUMNS = { ...FILE_COLUMNS, sanity: 'sanity', purgedAt: 'purged_at' } as const;

/** What is attached now, oldest first. */
export async function documentsOf(db: Knex, applicationId: ApplicationId): Promise<StoredDocument[]> {
  const found: StoredDocument[] = await db('documents')
    .where('application_id', applicationId)
    .whereNull('removed_at')
    .orderBy([{ column: 'uploaded_at' }, { column: 'id' }])
    .select(COLUMNS);
  return found;
}

export interface NewDocument extends Omit<StoredDocument, 'uploadedAt' | 'purgedAt'> {
  readonly applicationId: ApplicationId;
  readonly by: UserId;
  readonly origin?: Origin;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Attaches a stored file; the same ID again changes nothing.
 * @param keepFile puts the file into the store, where it is already unless another document of the same content was deleted in
 * this very moment; called while no deletion can come between
 * @throws Failure not_a_draft when the office has the case, too_many_files at MAX_DOCUMENTS
 */
export async function addDocument(db: Knex, document: NewDocument, keepFile: () => Promise<unknown>): Promise<void> {
  await db.transaction(async (trx) => {
    // The lock makes uploads of one case queue up: two that both counted 19 would make it 21.
    const companyId = await lockEditable(trx, document.applicationId);
    const isNew = await recordEvent(trx, {
      key: `document/${document.id}/added`,
      type: 'document.added',
      applicationId: document.applicationId,
      companyId,
      by: document.by,
      data: { documentId: document.id, kind: document.kind, sha256: document.sha256 },
      origin: document.origin,
      at: document.at,
    });
    if (!isNew) return;
    await refuseOneTooMany(trx, document.applicationId);
    await lockFile(trx, document.sha256, 'shared');
    await keepFile();
    await trx('documents').insert({
      id: document.id,
      application_id: document.applicationId,
      kind: document.kind,
      filename: document.filename,
      sha256: document.sha256,
      bytes: document.bytes,
      content_type: document.contentType,
      uploaded_by: document.by,
      uploaded_at: document.at,
      scan_state: document.scanState,
      sanity: document.sanity === null ? null : JSON.stringify(document.sanity),
    });
    await touch(trx, document.applicationId, document.at);
  });
}

/**
 * Takes a document off; its row and file stay, because an earlier submission may name them.
 * @returns false when there is no such document on this case
 * @throws Failure not_a_draft when the office has the case
 */
export async function removeDocument(
  db: Knex,
  removal: { applicationId: ApplicationId; documentId: DocumentId; by: UserId; origin?: Origin; at: string },
): Promise<boolean> {
  const { applicationId, documentId, by, origin, at } = removal;
  return db.transaction(async (trx) => {
    const companyId = await lockEditable(trx, applicationId);
    const removed: { kind: string }[] = await trx('documents')
      .where({ id: documentId, application_id: applicationId })
      .whereNull('removed_at')
      .update({ removed_at: at })
      .returning('kind');
    const [document] = removed;
    if (!document) return false;
    await recordEvent(trx, {
      key: `document/${documentId}/removed`,
      type: 'document.removed',
      applicationId,
      companyId,
      by,
      data: { documentId, kind: document.kind },
      origin,
      at,
    });
    await touch(trx, applicationId, at);
    return true;
  });
}

export interface VisibleDocument extends StoredDocument {
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  /** Whether the viewer acts for the company (else: staff, and the look is recorded). */
  readonly own: boolean;
}

/**
 * null when there is no such document, or the viewer may not see it. One that was taken off stays readable as long as a
 * submission names it: reviewers compare what changed between rounds. One that the scanner took off is found, so that its
 * owner learns why it cannot be had; whoever asks looks at scanState and purgedAt before giving it out.
 */
export async function findDocument(db: Knex, viewer: Actor, id: DocumentId): Promise<VisibleDocument | null> {
  const { rows }: { rows: VisibleDocument[] } = await db.raw(
    `select d.id, d.kind, d.filename, d.sha256, d.bytes, d.content_type as "contentType", d.uploaded_at as "uploadedAt",
            d.scan_state as "scanState", d.sanity, d.purged_at as "purgedAt", a.id as "applicationId", a.company_id as "companyId", ${OWN} as own
       from documents d join applications a on a.id = d.application_id
      where d.id = :id and ${VISIBLE}
        and (d.removed_at is null or d.scan_state = 'infected' or exists (
          select 1 from submissions s
           where s.application_id = d.application_id and s.documents @> jsonb_build_array(jsonb_build_object('id', d.id))))`,
    { id, ...seenBy(viewer) },
  );
  return rows[0] ?? null;
}

/** Staff who open a person's document leave a trace, each time anew: looked at on the spot, or taken along. */
export async function recordDocumentView(
  db: Knex,
  document: VisibleDocument,
  view: {
    type: Extract<EventType, 'document.viewed' | 'document.downloaded'>;
    by: UserId;
    origin?: Origin;
    at: string;
  },
): Promise<void> {
  await recordEvent(db, {
    key: `document/${document.id}/${view.type.replace('document.', '')}/${randomUUID()}`,
    type: view.type,
    applicationId: document.applicationId,
    companyId: document.companyId,
    by: view.by,
    data: { documentId: document.id, kind: document.kind },
    origin: view.origin,
    at: view.at,
  });
}

/** How many attached documents the scanner still has to look at. The case waits while there are any. */
export async function unscannedOf(db: Knex, applicationId: ApplicationId): Promise<number> {
  const counted: { waiting: number } | undefined = await db('documents')
    .where({ application_id: applicationId, scan_state: 'waiting' })
    .whereNull('removed_at')
    .first(db.raw('count(*)::integer as waiting'));
  return counted?.waiting ?? 0;
}

/**
 * Until the transaction ends: whoever stores a document of this content shares the lock, whoever deletes the file has it alone.
 * After the lock on the case, never before.
 */
export async function lockFile(trx: Knex, sha256: Sha256, how: 'shared' | 'alone'): Promise<void> {
  const lock = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await trx.raw(`select ${lock}(hashtextextended(?, 0))`, [`file/${sha256}`]);
}

async function lockEditable(trx: Knex, applicationId: ApplicationId): Promise<CompanyId> {
  const found: { company_id: CompanyId; state: ApplicationState } | undefined = await trx('applications')
    .where('id', applicationId)
    .forUpdate()
    .first('company_id', 'state');
  if (!found) throw new Failure('not_found', 'There is no such application.');
  if (isEditable(found.state)) return found.company_id;
  throw new Failure('not_a_draft', `The case is ${found.state}: its documents can no longer be changed.`, {
    state: found.state,
  });
}

async function refuseOneTooMany(trx: Knex, applicationId: ApplicationId): Promise<void> {
  const counted: { documents: number } | undefined = await trx('documents')
    .where('application_id', applicationId)
    .whereNull('removed_at')
    .first(trx.raw('count(*)::integer as documents'));
  if ((counted?.documents ?? 0) < MAX_DOCUMENTS) return;
  throw new Failure(
    'too_many_files',
    `An application takes ${MAX_DOCUMENTS} files. Remove one that is no longer needed first.`,
  );
}

const touch = (trx: Knex, applicationId: ApplicationId, at: string) =>
  trx('applications').where('id', applicationId).update({ updated_at: at });
