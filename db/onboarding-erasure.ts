/** What was entered for a company that never came in, erased when its time is over. */
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, DocumentId, Sha256 } from '../domain/ids.ts';
import { isNamed } from './document-retention.ts';
import { lockFile } from './documents.ts';
import { recordEvent } from './events.ts';
import type { FileStore } from './files.ts';
import { onboardingLetterId } from './onboarding-letters.ts';

/** Longest due first. */
export async function onboardingsToErase(db: Knex, at: string, limit: number): Promise<CompanyId[]> {
  return due(db('onboardings'), at).orderBy('erase_at').limit(limit).pluck<CompanyId[]>('company_id');
}

const due = (query: Knex.QueryBuilder, at: string) =>
  query.whereIn('state', ['expired', 'cancelled']).whereNull('erased_at').where('erase_at', '<=', at);

/**
 * Documents, numbers, fingerprints, name and address, in letters too, and the drafts of applications. Events stay: they hold
 * none of these. What an application was made on, the office goes on knowing: of such a company only the documents go.
 * @returns false when it is not due (any more): it was reopened, or erased before
 */
export async function eraseOnboarding(
  db: Knex,
  files: Pick<FileStore, 'remove'>,
  { companyId, at }: { readonly companyId: CompanyId; readonly at: string },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const locked: { run: number } | undefined = await due(tx('onboardings').where({ company_id: companyId }), at)
      .forUpdate()
      .first('run');
    if (!locked) return false;
    const key = `onboarding/${companyId}/erased/${locked.run}`;
    if (!(await recordEvent(tx, { key, type: 'onboarding.erased', companyId, at }))) return false;
    const isKept = await hasApplied(tx, companyId);
    if (!isKept) await eraseCompany(tx, companyId, at);
    const drafts = isKept ? [] : await eraseDrafts(tx, companyId, at);
    await tx('onboarding_steps').where({ company_id: companyId }).update({ metadata: '{}' });
    await tx('onboardings').where({ company_id: companyId }).update({ erased_at: at, updated_at: at });
    await eraseDocuments(tx, files, { companyId, drafts, at });
    return true;
  });
}

async function hasApplied(tx: Knex, companyId: CompanyId): Promise<boolean> {
  const found = await tx('applications').where({ company_id: companyId }).whereNotNull('submitted_at').first('id');
  return found !== undefined;
}

async function eraseCompany(tx: Knex, id: CompanyId, at: string): Promise<void> {
  await eraseLetters(tx, id);
  await tx('company_numbers').where({ company_id: id }).delete();
  await tx('companies').where({ id }).update({
    name: '–',
    address: '–',
    npwp_encrypted: null,
    npwp_hash: null,
    npwp_masked: '–',
    nib: null,
    kbli: [],
    capital_minor: null,
    annual_sales_minor: null,
    scale: 'unknown',
    updated_at: at,
  });
}

/** Of a company that has submitted nothing, all that it has, withdrawn ones as well. */
async function eraseDrafts(tx: Knex, companyId: CompanyId, at: string): Promise<ApplicationId[]> {
  const erased: { id: ApplicationId }[] = await tx('applications')
    .where({ company_id: companyId })
    .update({ form: '{}', form_version: tx.raw('form_version + 1'), updated_at: at })
    .returning('id');
  return erased.map(({ id }) => id);
}

/** They have left long ago. Found by the events that they were written with. */
async function eraseLetters(tx: Knex, companyId: CompanyId): Promise<void> {
  const keys = await tx('events')
    .where({ company_id: companyId })
    .whereRaw("type like 'onboarding.%'")
    .pluck<string[]>('key');
  await tx('account_letters')
    .whereIn('id', keys.map(onboardingLetterId))
    .update({ data: tx.raw("data || jsonb_build_object('companyName', '–', 'note', null)") });
}

interface Erased {
  readonly companyId: CompanyId;
  readonly drafts: readonly ApplicationId[];
  readonly at: string;
}

interface DraftDocument {
  readonly id: DocumentId;
  readonly applicationId: ApplicationId;
  readonly kind: string;
  readonly sha256: Sha256;
}

/** The files go before the commit: a crash between the two leaves rows that the next run takes again. */
async function eraseDocuments(
  tx: Knex,
  files: Pick<FileStore, 'remove'>,
  { companyId, drafts, at }: Erased,
): Promise<void> {
  const own = await tx('company_documents').where({ company_id: companyId }).pluck<Sha256[]>('sha256');
  const ofDrafts: DraftDocument[] = await tx('documents')
    .whereIn('application_id', [...drafts])
    .whereNull('purged_at')
    .select({ id: 'id', applicationId: 'application_id', kind: 'kind', sha256: 'sha256' });
  const hashes = new Set([...own, ...ofDrafts.map(({ sha256 }) => sha256)]);
  for (const sha256 of [...hashes].sort()) await lockFile(tx, sha256, 'alone');
  await tx('company_documents').where({ company_id: companyId }).delete();
  for (const document of ofDrafts) await purgeDraft(tx, document, { companyId, at });
  for (const sha256 of hashes) if (!(await isNamed(tx, sha256))) await files.remove(sha256);
}

async function purgeDraft(
  tx: Knex,
  { id, applicationId, kind }: DraftDocument,
  { companyId, at }: Pick<Erased, 'companyId' | 'at'>,
): Promise<void> {
  await recordEvent(tx, {
    key: `document/${id}/purged`,
    type: 'document.purged',
    applicationId,
    companyId,
    data: { documentId: id, kind },
    at,
  });
  await tx('documents')
    .where({ id })
    .update({ purged_at: at, removed_at: tx.raw('coalesce(removed_at, ?)', [at]) });
}
