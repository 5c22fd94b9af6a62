import type { Knex } from 'knex';
import type { CompanyScale } from '../domain/companies.ts';
import type { ApplicationId, CompanyId, OfficeId, PolicyId } from '../domain/ids.ts';
import type { LicensePolicy, Risk } from '../domain/licensing.ts';
import { effectivePolicy } from '../domain/policies.ts';
import { chooseRiskRow, kbliOf } from '../domain/risk-table.ts';
import { riskRowsInForce, type StoredRiskRow } from './risk-tables.ts';

/** A licence type with one version of its rules. */
export interface LicenseType {
  readonly code: string;
  readonly officeId: OfficeId;
  readonly name: { readonly id: string; readonly en: string };
  readonly risk: Risk;
  readonly policyId: PolicyId;
  readonly version: number;
  readonly policy: LicensePolicy;
  /** JSON Schema of the form. */
  readonly formSchema: Readonly<Record<string, unknown>>;
  /** A form that the schema accepts. */
  readonly exampleForm: Readonly<Record<string, unknown>>;
}

const COLUMNS = {
  code: 't.code',
  officeId: 't.office_id',
  name: 't.name',
  risk: 't.risk',
  policyId: 'p.id',
  version: 'p.version',
  policy: 'p.policy',
  formSchema: 'p.form_schema',
  exampleForm: 'p.example_form',
};

const withRules = (db: Knex) => db('license_types as t').join('license_policies as p', 'p.type_code', 't.code');

/** What can be applied for, each under the rules in force at `at`, in the office's order. */
export async function licenseTypesInForce(db: Knex, at: Date): Promise<LicenseType[]> {
  const found: LicenseType[] = await withRules(db)
    .where('t.active', true)
    .whereRaw(IN_FORCE, [at])
    .orderBy([{ column: 't.position' }, { column: 't.code' }])
    .select(COLUMNS);
  return found;
}

/** The type under the rules in force at `at`; null when there is no such type, or it is not offered. */
export async function licenseTypeInForce(db: Knex, code: string, at: Date): Promise<LicenseType | null> {
  const found: LicenseType | undefined = await withRules(db)
    .where({ 't.active': true, 't.code': code })
    .whereRaw(IN_FORCE, [at])
    .first(COLUMNS);
  return found ?? null;
}

/** Whether it is offered or not: for whoever keeps its rules. null = no rules of it are in force at `at`. */
export async function licenseTypeAt(db: Knex, code: string, at: Date): Promise<LicenseType | null> {
  const found: LicenseType | undefined = await withRules(db)
    .where('t.code', code)
    .whereRaw(IN_FORCE, [at])
    .first(COLUMNS);
  return found ?? null;
}

/** The type under the rules that a case has pinned: its version of the policy, the row of the risk table, a move since. */
export async function licenseTypeOfCase(db: Knex, applicationId: ApplicationId): Promise<LicenseType> {
  const found: LicenseType | undefined = await withRules(db)
    .join('applications as a', 'a.policy_id', 'p.id')
    .leftJoin('risk_rows as r', 'r.id', 'a.risk_row_id')
    .where('a.id', applicationId)
    .first({
      ...COLUMNS,
      risk: db.raw('coalesce(r.risk, t.risk)'),
      policy: db.raw('coalesce(a.pinned_policy, p.policy)'),
    });
  if (!found) throw new Error(`application ${applicationId} does not exist, or has no policy`);
  return found;
}

/** A type as one company meets it: risk and policy are those of its row of the risk table, where there is one. */
export interface JudgedType extends LicenseType {
  readonly row: StoredRiskRow | null;
  /** Its policy is this case's own: it is pinned even where no row changed it. */
  readonly isTailored?: true;
}

/** What the rules look at when they choose a row: see kbliOf. */
export interface Applicant {
  readonly companyId: CompanyId;
  readonly form: Readonly<Record<string, unknown>>;
}

/** The rules that an application goes by: of a draft those in force at `at`, of any other those that it has pinned. */
export async function licenseTypeFor(
  db: Knex,
  application: Applicant & { readonly id: ApplicationId; readonly state: string; readonly typeCode: string },
  at: Date,
): Promise<LicenseType> {
  const offered = application.state === 'draft' ? await licenseTypeInForce(db, application.typeCode, at) : null;
  return offered ? judgedFor(db, offered, application, at) : licenseTypeOfCase(db, application.id);
}

/** @param at which risk table is in force; the type's own policy stays the one it comes with */
export async function judgedFor(db: Knex, type: LicenseType, applicant: Applicant, at: Date): Promise<JudgedType> {
  const rows = await riskRowsInForce(db, type.officeId, at, type.code);
  const company: { kbli: string[]; scale: CompanyScale } | undefined =
    rows.length === 0 ? undefined : await db('companies').where('id', applicant.companyId).first('kbli', 'scale');
  const row = company
    ? chooseRiskRow(rows, {
        typeCode: type.code,
        kbli: kbliOf(applicant.form, company.kbli),
        scale: company.scale,
      })
    : null;
  return { ...type, row, risk: row?.risk ?? type.risk, policy: effectivePolicy(type.policy, row) };
}

// Two versions from the same instant: the higher number is the later correction.
const IN_FORCE = `p.id = (
  select q.id from license_policies q
   where q.type_code = t.code and q.effective_from <= ?
   order by q.effective_from desc, q.version desc
   limit 1)`;
