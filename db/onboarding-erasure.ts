/** What was entered for a company that never came in, erased when its time is over. */
import type { Knex } from 'knex';
import type { CompanyId, Sha256 } from '../domain/ids.ts';
import { isNamed } from './document-retention.ts';
import { lockFile } from './documents.ts';
import { recordEvent } from './events.ts';
import type { FileStore } from './files.ts';

/** Longest due first. */
export async function onboardingsToErase(db: Knex, at: string, limit: number): Promise<CompanyId[]> {
  return due(db('onboardings'), at).orderBy('erase_at').limit(limit).pluck<CompanyId[]>('company_id');
}

const due = (query: Knex.QueryBuilder, at: string) =>
  query.whereIn('state', ['expired', 'cancelled']).whereNull('erased_at').where('erase_at', '<=', at);

/**
 * Documents, numbers, fingerprints, name and address. Events stay: they hold none of these. What an application was made
 * on, the office goes on knowing: of such a company only the documents go.
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
    if (!(await hasApplied(tx, companyId))) await eraseCompany(tx, companyId, at);
    await tx('onboarding_steps').where({ company_id: companyId }).update({ metadata: '{}' });
    await tx('onboardings').where({ company_id: companyId }).update({ erased_at: at, updated_at: at });
    await eraseDocuments(tx, files, companyId);
    return true;
  });
}

async function hasApplied(tx: Knex, companyId: CompanyId): Promise<boolean> {
  const found = await tx('applications').where({ company_id: companyId }).whereNot({ state: 'draft' }).first('id');
  return found !== undefined;
}

async function eraseCompany(tx: Knex, id: CompanyId, at: string): Promise<void> {
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

/** The files go before the commit: a crash between the two leaves rows that the next run takes again. */
async function eraseDocuments(tx: Knex, files: Pick<FileStore, 'remove'>, companyId: CompanyId): Promise<void> {
  const hashes = await tx('company_documents').where({ company_id: companyId }).pluck<Sha256[]>('sha256');
  for (const sha256 of [...new Set(hashes)].sort()) await lockFile(tx, sha256, 'alone');
  await tx('company_documents').where({ company_id: companyId }).delete();
  for (const sha256 of new Set(hashes)) if (!(await isNamed(tx, sha256))) await files.remove(sha256);
}
