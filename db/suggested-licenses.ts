/** Which licences a company may want first: those that the risk table of their office names for its KBLI and scale. */
import type { Knex } from 'knex';
import type { CompanyScale } from '../domain/companies.ts';
import type { CompanyId, OfficeId } from '../domain/ids.ts';
import { chooseRiskRow } from '../domain/risk-table.ts';
import { licenseTypesInForce } from './license-types.ts';
import { riskRowsInForce, type StoredRiskRow } from './risk-tables.ts';

export interface SuggestedLicense {
  readonly code: string;
  readonly name: { readonly id: string; readonly en: string };
}

const MOST = 5;

/** In the office's order, under the rules in force at `at`. */
export async function suggestedLicenses(db: Knex, companyId: CompanyId, at: Date): Promise<SuggestedLicense[]> {
  const company: { kbli: string[]; scale: CompanyScale } | undefined = await db('companies')
    .where({ id: companyId })
    .first('kbli', 'scale');
  if (!company || company.kbli.length === 0) return [];
  const types = await licenseTypesInForce(db, at);
  const rowsOf = new Map<OfficeId, StoredRiskRow[]>();
  for (const officeId of new Set(types.map((type) => type.officeId)))
    rowsOf.set(officeId, await riskRowsInForce(db, officeId, at));
  return types
    .filter(({ code, officeId }) => chooseRiskRow(rowsOf.get(officeId) ?? [], { typeCode: code, ...company }))
    .slice(0, MOST)
    .map(({ code, name }) => ({ code, name }));
}
