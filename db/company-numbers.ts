/** The numbers by which the state knows a company: each belongs to one company, so that nobody is onboarded twice. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { maskNumber } from '../domain/identity-numbers.ts';
import type { CompanyId } from '../domain/ids.ts';
import type { Registry } from '../domain/licensing.ts';
import type { RegistryState } from '../domain/registries.ts';
import { recordEvent } from './events.ts';
import type { PersonalData } from './personal-data.ts';
import { claimNumber } from './personal-numbers.ts';

const NUMBER = 'company_numbers.number';
const NPWP = 'companies.npwp';

export type CompanyNumbers = Readonly<Partial<Record<Registry, string>>>;

interface OwnNumber {
  readonly kind: Registry;
  readonly fingerprint: string;
}

/**
 * Makes these the company's numbers, in place of what it had of their kinds; no registry has been asked about them yet.
 * @param keep leave them as they are, with what registries said, where none differs
 * @returns which of them another company has (then nothing is changed), or whether any differs from what was there
 */
export async function claimCompanyNumbers(
  tx: Knex,
  personalData: Pick<PersonalData, 'seal' | 'fingerprints'>,
  companyId: CompanyId,
  numbers: CompanyNumbers,
  keep: boolean,
): Promise<{ readonly taken: Registry } | { readonly differs: boolean }> {
  const given = entriesOf(numbers).map(({ kind, value }) => ({
    kind,
    value,
    hashes: personalData.fingerprints(value, NUMBER),
  }));
  // In one order everywhere: two that claim the same number wait for each other and never in a circle.
  const locks = given.flatMap(({ kind, hashes }) => hashes.map((hash) => `company-number/${kind}/${hash}`));
  for (const lock of locks.toSorted()) await tx.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lock]);
  for (const each of given) if (await isTaken(tx, personalData, companyId, each)) return { taken: each.kind };
  const own: OwnNumber[] = await tx('company_numbers').where({ company_id: companyId }).select('kind', 'fingerprint');
  const differs = given.some(({ kind, hashes }) => {
    const before = own.find((row) => row.kind === kind);
    return before === undefined || !hashes.includes(before.fingerprint);
  });
  if (keep && !differs) return { differs };
  await tx('company_numbers')
    .where({ company_id: companyId })
    .whereIn(
      'kind',
      given.map(({ kind }) => kind),
    )
    .delete();
  if (given.length > 0)
    await tx('company_numbers').insert(
      given.map(({ kind, value, hashes }) => ({
        id: randomUUID(),
        company_id: companyId,
        kind,
        number_encrypted: personalData.seal(value, NUMBER),
        fingerprint: hashes[0],
        masked: maskNumber(value),
      })),
    );
  return { differs };
}

/** What a company is not known by any more, so that another may be. */
export const releaseCompanyNumber = (tx: Knex, companyId: CompanyId, kind: Registry) =>
  tx('company_numbers').where({ company_id: companyId, kind }).delete();

function entriesOf({ nib, npwp, nik }: CompanyNumbers): { kind: Registry; value: string }[] {
  return [
    ...(nib ? [{ kind: 'nib' as const, value: nib }] : []),
    ...(npwp ? [{ kind: 'npwp' as const, value: npwp }] : []),
    ...(nik ? [{ kind: 'nik' as const, value: nik }] : []),
  ];
}

async function isTaken(
  tx: Knex,
  personalData: Pick<PersonalData, 'fingerprints'>,
  companyId: CompanyId,
  { kind, value, hashes }: { readonly kind: Registry; readonly value: string; readonly hashes: readonly string[] },
): Promise<boolean> {
  const claimed = await tx('company_numbers')
    .where({ kind })
    .whereIn('fingerprint', [...hashes])
    .whereNot({ company_id: companyId })
    .first('id');
  if (claimed) return true;
  if (kind === 'npwp') {
    const fingerprints = personalData.fingerprints(value, NPWP);
    return !(await claimNumber(tx, { table: 'companies', column: 'npwp_hash', hashes: fingerprints, but: companyId }));
  }
  return kind === 'nib' && (await isNibRegistered(tx, companyId, value));
}

// Of companies that were there before there was an onboarding. One that is being onboarded has claimed it, or has not yet.
async function isNibRegistered(tx: Knex, companyId: CompanyId, nib: string): Promise<boolean> {
  const found = await tx('companies')
    .where({ nib })
    .whereNot({ id: companyId })
    .whereIn('status', ['active', 'suspended', 'closed'])
    .first('id');
  return found !== undefined;
}

// ---- what registries say --------------------------------------------------------------------------------------------

export interface NumberToAsk {
  readonly id: string;
  readonly kind: Registry;
  readonly sealed: Buffer;
  /** Of the company; of a NIK, its owner's. */
  readonly name: string;
}

export async function numbersToAsk(db: Knex, companyId: CompanyId): Promise<NumberToAsk[]> {
  const found: NumberToAsk[] = await db('company_numbers as n')
    .join('companies as c', 'c.id', 'n.company_id')
    .join('onboardings as o', 'o.company_id', 'n.company_id')
    .join('users as u', 'u.id', 'o.owner_id')
    .where('n.company_id', companyId)
    .whereNull('n.registry_state')
    .orderBy('n.kind')
    .select({
      id: 'n.id',
      kind: 'n.kind',
      sealed: 'n.number_encrypted',
      name: db.raw("case n.kind when 'nik' then u.name else c.name end"),
    });
  return found;
}

/** Once: a later word on the same number, of a repeat, changes nothing; and none on one that was replaced meanwhile. */
export async function settleNumber(
  db: Knex,
  number: { readonly id: string; readonly kind: Registry; readonly companyId: CompanyId },
  said: { readonly state: Exclude<RegistryState, 'asking'>; readonly at: string },
): Promise<void> {
  const { id, kind, companyId } = number;
  const { state, at } = said;
  await db.transaction(async (tx) => {
    const isNew = await recordEvent(tx, {
      key: `onboarding/${companyId}/registry/${id}`,
      type: state === 'unavailable' ? 'registry.unavailable' : 'registry.answered',
      companyId,
      data: { registry: kind, state },
      at,
    });
    if (isNew) await tx('company_numbers').where({ id }).update({ registry_state: state, verified_at: at });
  });
}
