import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { CompanyScale, CompanyStatus, LegalForm } from '../domain/companies.ts';
import type { Origin } from '../domain/events.ts';
import type { CompanyId, UserId } from '../domain/ids.ts';
import { recordEvent } from './events.ts';
import { openOnboarding } from './onboarding.ts';
import { claimNumber } from './personal-numbers.ts';

export interface Company {
  readonly id: CompanyId;
  readonly name: string;
  readonly legalForm: LegalForm;
  readonly npwpMasked: string;
  readonly nib: string | null;
  readonly address: string;
  readonly kbli: readonly string[];
  readonly capitalMinor: bigint | null;
  readonly annualSalesMinor: bigint | null;
  readonly scale: CompanyScale;
  readonly status: CompanyStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewCompany extends Omit<Company, 'status' | 'createdAt' | 'updatedAt'> {
  readonly npwpEncrypted: Buffer;
  readonly npwpHash: string;
  /** Under the other keys: while keys are changed, the same number may be here under one of them. */
  readonly otherNpwpHashes?: readonly string[];
}

const columns = {
  id: 'c.id',
  name: 'c.name',
  legalForm: 'c.legal_form',
  npwpMasked: 'c.npwp_masked',
  nib: 'c.nib',
  address: 'c.address',
  kbli: 'c.kbli',
  capitalMinor: 'c.capital_minor',
  annualSalesMinor: 'c.annual_sales_minor',
  scale: 'c.scale',
  status: 'c.status',
  createdAt: 'c.created_at',
  updatedAt: 'c.updated_at',
};

/** How a company begins that has to be onboarded. */
export interface Onboarding {
  readonly zone: OfficeZone;
  readonly expiresAt: Date;
  readonly origin: Origin;
}

/**
 * Adds a company with its first member and its event, all or nothing; again with the same ID changes nothing.
 * @param onboarding absent = it is active at once
 * @returns null when a company with this tax number is there already
 */
export async function addCompany(
  db: Knex,
  company: NewCompany,
  by: UserId,
  at: Date,
  onboarding?: Onboarding,
): Promise<Company | null> {
  return db.transaction(async (trx) => {
    const hashes = [company.npwpHash, ...(company.otherNpwpHashes ?? [])];
    const isFree = await claimNumber(trx, { table: 'companies', column: 'npwp_hash', hashes });
    const inserted = isFree
      ? await trx('companies')
          .insert(toRow(company, at, onboarding ? 'onboarding' : 'active'))
          .onConflict()
          .ignore()
          .returning('id')
      : [];
    if (inserted.length > 0) {
      await trx('company_members').insert({ company_id: company.id, user_id: by, created_at: at });
      await recordEvent(trx, {
        key: `company/${company.id}/created`,
        type: 'company.created',
        companyId: company.id,
        by,
        data: { legalForm: company.legalForm, scale: company.scale },
        at: at.toISOString(),
      });
      if (onboarding) await openOnboarding(trx, { companyId: company.id, ownerId: by, at, ...onboarding });
    }
    return findOwnCompany(trx, company.id, by);
  });
}

/** Whether another company has this tax number, under any of its fingerprints: a look before anything is begun. */
export async function isNumberTaken(
  db: Knex,
  { id, npwpHash, otherNpwpHashes = [] }: Pick<NewCompany, 'id' | 'npwpHash' | 'otherNpwpHashes'>,
): Promise<boolean> {
  const hashes = [npwpHash, ...otherNpwpHashes];
  return (await db('companies').whereIn('npwp_hash', hashes).whereNot({ id }).first('id')) !== undefined;
}

/** null when there is none, or the caller does not belong to it: the two must look the same. */
export async function findOwnCompany(db: Knex, id: CompanyId, userId: UserId): Promise<Company | null> {
  const company: Company | undefined = await ofMember(db, userId).where('c.id', id).first(columns);
  return company ?? null;
}

/** Companies of a person, oldest first. `after` = the last one already read. */
export async function findCompaniesOf(
  db: Knex,
  userId: UserId,
  options: { readonly limit: number; readonly after?: { readonly at: string; readonly id: string } | undefined },
): Promise<Company[]> {
  const { after, limit } = options;
  const found: Company[] = await ofMember(db, userId)
    .modify((query) => {
      if (after) query.whereRaw(`(${MOMENT}, c.id) > (?::timestamptz, ?::uuid)`, [after.at, after.id]);
    })
    .orderByRaw(`${MOMENT}, c.id`)
    .limit(limit)
    .select(columns);
  return found;
}

// Cut as a cursor's Date is, or a row would follow itself.
const MOMENT = "date_trunc('milliseconds', c.created_at)";

const ofMember = (db: Knex, userId: UserId) =>
  db('company_members as m').join('companies as c', 'c.id', 'm.company_id').where('m.user_id', userId);

const toRow = (company: NewCompany, at: Date, status: CompanyStatus) => ({
  id: company.id,
  name: company.name,
  legal_form: company.legalForm,
  npwp_encrypted: company.npwpEncrypted,
  npwp_hash: company.npwpHash,
  npwp_masked: company.npwpMasked,
  nib: company.nib,
  address: company.address,
  kbli: [...company.kbli],
  capital_minor: company.capitalMinor,
  annual_sales_minor: company.annualSalesMinor,
  scale: company.scale,
  status,
  created_at: at,
  updated_at: at,
});
