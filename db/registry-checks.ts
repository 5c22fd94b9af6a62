/** What registries were asked for a submission, and what they said. Numbers stay where they are sealed; here are verdicts. */
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId } from '../domain/ids.ts';
import type { Registry } from '../domain/licensing.ts';
import type { ComparedField, RegistryResult, RegistryState } from '../domain/registries.ts';
import { recordEvent } from './events.ts';

export interface AskedAbout {
  readonly companyName: string;
  readonly nib: string | null;
  readonly npwpEncrypted: Buffer;
  readonly applicantName: string;
  readonly nikEncrypted: Buffer | null;
}

export async function askedAbout(db: Knex, applicationId: ApplicationId): Promise<AskedAbout> {
  const row: AskedAbout | undefined = await db('applications as a')
    .join('companies as c', 'c.id', 'a.company_id')
    .join('users as u', 'u.id', 'a.applicant_id')
    .where('a.id', applicationId)
    .first({
      companyName: 'c.name',
      nib: 'c.nib',
      npwpEncrypted: 'c.npwp_encrypted',
      applicantName: 'u.name',
      nikEncrypted: 'u.nik_encrypted',
    });
  if (!row) throw new Error(`application ${applicationId} does not exist`);
  return row;
}

export interface CheckAt {
  readonly applicationId: ApplicationId;
  readonly companyId: CompanyId;
  readonly round: number;
  /** ISO 8601; what the workflow calls now. */
  readonly at: string;
}

/** What is known of these registries for a round, in the order of asking; a row is made for each that has none yet. */
export async function openChecks(
  db: Knex,
  check: CheckAt,
  registries: readonly Registry[],
): Promise<(RegistryResult & { readonly attempts: number })[]> {
  const { applicationId, round, at } = check;
  await db('registry_checks')
    .insert(
      registries.map((registry) => ({ application_id: applicationId, round, registry, state: 'asking', asked_at: at })),
    )
    .onConflict()
    .ignore();
  const rows: (RegistryResult & { readonly attempts: number })[] = await db('registry_checks')
    .where({ application_id: applicationId, round })
    .whereIn('registry', [...registries])
    .select('registry', 'state', 'differences', 'attempts');
  return registries.flatMap((registry) => rows.filter((row) => row.registry === registry));
}

export async function countAttempt(db: Knex, { applicationId, round }: CheckAt, registry: Registry): Promise<void> {
  await db('registry_checks').where({ application_id: applicationId, round, registry }).increment('attempts', 1);
}

/** The last word on one registry for this round, once: a later one, of a repeat, changes nothing. */
export async function settleCheck(
  db: Knex,
  check: CheckAt,
  registry: Registry,
  to: { readonly state: Exclude<RegistryState, 'asking'>; readonly differences: readonly ComparedField[] },
): Promise<void> {
  const { applicationId, companyId, round, at } = check;
  await db.transaction(async (tx) => {
    const isNew = await recordEvent(tx, {
      key: `license-review/${applicationId}/registry/${round}/${registry}`,
      type: to.state === 'unavailable' ? 'registry.unavailable' : 'registry.answered',
      applicationId,
      companyId,
      data: { round, registry, state: to.state, differences: to.differences },
      at,
    });
    if (!isNew) return;
    await tx('registry_checks')
      .where({ application_id: applicationId, round, registry })
      .update({ state: to.state, differences: [...to.differences], answered_at: at });
  });
}

export interface RegistryCheck extends RegistryResult {
  readonly round: number;
  readonly attempts: number;
  readonly askedAt: Date;
  readonly answeredAt: Date | null;
}

/** All of a case, the latest round first: for reviewers. */
export async function registryChecksOf(db: Knex, applicationId: ApplicationId): Promise<RegistryCheck[]> {
  const rows: RegistryCheck[] = await db('registry_checks')
    .where({ application_id: applicationId })
    .orderBy([{ column: 'round', order: 'desc' }, { column: 'registry' }])
    .select({
      registry: 'registry',
      state: 'state',
      differences: 'differences',
      round: 'round',
      attempts: 'attempts',
      askedAt: 'asked_at',
      answeredAt: 'answered_at',
    });
  return rows;
}
