import type { Knex } from 'knex';
import type { PolicyId } from '../domain/ids.ts';
import type { LicensePolicy, Risk } from '../domain/licensing.ts';

/** A licence type with one version of its rules. */
export interface LicenseType {
  readonly code: string;
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

/** The type under the rules that a case has pinned. */
export async function licenseTypeUnder(db: Knex, policyId: PolicyId): Promise<LicenseType | null> {
  const found: LicenseType | undefined = await withRules(db).where('p.id', policyId).first(COLUMNS);
  return found ?? null;
}

// Two versions from the same instant: the higher number is the later correction.
const IN_FORCE = `p.id = (
  select q.id from license_policies q
   where q.type_code = t.code and q.effective_from <= ?
   order by q.effective_from desc, q.version desc
   limit 1)`;
