/** Papers of a company that is being onboarded. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, DocumentId, UserId } from '../domain/ids.ts';
import { type CompanyDocumentKind, isOnboardingOpen } from '../domain/onboarding.ts';
import { FILE_COLUMNS, lockFile, MAX_DOCUMENTS, type StoredFile } from './documents.ts';
import { recordEvent } from './events.ts';
import { askAgain, askForDocumentsAgain, lockOnboarding } from './onboarding.ts';

export interface CompanyDocument extends StoredFile {
  readonly kind: CompanyDocumentKind;
}

/** What is there now, oldest first. */
export async function companyDocuments(db: Knex, companyId: CompanyId): Promise<CompanyDocument[]> {
  const found: CompanyDocument[] = await db('company_documents')
    .where({ company_id: companyId })
    .whereNull('removed_at')
    .orderBy([{ column: 'uploaded_at' }, { column: 'id' }])
    .select(FILE_COLUMNS);
  return found;
}

interface Change {
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: string;
}

/**
 * Adds a stored file; the same ID again changes nothing.
 * @param keepFile as of db/documents.ts addDocument
 * @throws Failure onboarding_not_open, too_many_files
 */
export async function addCompanyDocument(
  db: Knex,
  document: Omit<CompanyDocument, 'uploadedAt'> & Change,
  keepFile: () => Promise<unknown>,
): Promise<void> {
  const { id, companyId, kind, sha256, by, origin, at } = document;
  await db.transaction(async (tx) => {
    await requireOpen(tx, companyId);
    const isNew = await recordEvent(tx, {
      key: `company-document/${id}/added`,
      type: 'document.added',
      companyId,
      by,
      data: { documentId: id, kind, sha256 },
      origin,
      at,
    });
    if (!isNew) return;
    if ((await companyDocuments(tx, companyId)).length >= MAX_DOCUMENTS) throw tooMany();
    await lockFile(tx, sha256, 'shared');
    await keepFile();
    await tx('company_documents').insert({
      id,
      company_id: companyId,
      kind,
      filename: document.filename,
      sha256,
      bytes: document.bytes,
      content_type: document.contentType,
      uploaded_by: by,
      uploaded_at: at,
      scan_state: document.scanState,
    });
  });
}

const tooMany = () =>
  new Failure('too_many_files', `A company takes ${MAX_DOCUMENTS} files. Remove one that is no longer needed first.`);

/**
 * Takes one off. Where the documents were handed in already, they are asked for again.
 * @returns false when the company has no such document @throws Failure onboarding_not_open
 */
export async function removeCompanyDocument(
  db: Knex,
  { companyId, documentId, by, origin, at }: Change & { readonly documentId: DocumentId },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    await requireOpen(tx, companyId);
    const [removed]: { kind: string }[] = await tx('company_documents')
      .where({ id: documentId, company_id: companyId })
      .whereNull('removed_at')
      .update({ removed_at: at })
      .returning('kind');
    if (!removed) return false;
    await recordEvent(tx, {
      key: `company-document/${documentId}/removed`,
      type: 'document.removed',
      companyId,
      by,
      data: { documentId, kind: removed.kind },
      origin,
      at,
    });
    await askAgain(tx, companyId, ['documents']);
    await tx('onboardings').where({ company_id: companyId }).update({ updated_at: at });
    return true;
  });
}

async function requireOpen(tx: Knex, companyId: CompanyId): Promise<void> {
  const it = await lockOnboarding(tx, companyId);
  if (!it || !isOnboardingOpen(it.state))
    throw new Failure('onboarding_not_open', `The onboarding is ${it?.state ?? 'completed'}: its documents stay.`, {
      state: it?.state ?? 'completed',
    });
}

/** Staff who take a company's document along leave a trace, each time anew. */
export async function recordCompanyDocumentView(
  db: Knex,
  { companyId, documentId, kind, by, origin, at }: Change & { readonly documentId: DocumentId; readonly kind: string },
): Promise<void> {
  await recordEvent(db, {
    key: `company-document/${documentId}/downloaded/${randomUUID()}`,
    type: 'document.downloaded',
    companyId,
    by,
    data: { documentId, kind },
    origin,
    at,
  });
}

// ---- the scanner ----------------------------------------------------------------------------------------------------

export async function unscannedCompanyDocuments(db: Knex, companyId: CompanyId): Promise<CompanyDocument[]> {
  const found: CompanyDocument[] = await db('company_documents')
    .where({ company_id: companyId, scan_state: 'waiting' })
    .whereNull('removed_at')
    .orderBy('uploaded_at')
    .select(FILE_COLUMNS);
  return found;
}

/** One that is infected is off at once, and its owner is asked for another. */
export async function recordCompanyScan(
  db: Knex,
  scanned: {
    readonly companyId: CompanyId;
    readonly documentId: DocumentId;
    readonly signature: string | null;
    readonly at: string;
    readonly expiresAt: string;
  },
): Promise<void> {
  const { companyId, documentId, signature, at, expiresAt } = scanned;
  await db.transaction(async (tx) => {
    await lockOnboarding(tx, companyId);
    const isInfected = signature !== null;
    const key = `company-document/${documentId}/scanned`;
    const isNew = await recordEvent(tx, {
      key,
      type: isInfected ? 'document.quarantined' : 'document.scanned',
      companyId,
      data: { documentId, result: isInfected ? 'infected' : 'clean', ...(isInfected ? { signature } : {}) },
      at,
    });
    if (!isNew) return;
    await tx('company_documents')
      .where({ id: documentId })
      .update({ scan_state: isInfected ? 'infected' : 'clean', ...(isInfected ? { removed_at: at } : {}) });
    if (isInfected) await askForDocumentsAgain(tx, { companyId, key, at, expiresAt });
  });
}
