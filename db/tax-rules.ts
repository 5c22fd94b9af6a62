import type { Knex } from 'knex';
import type { TaxRule } from '../domain/invoicing.ts';

/** Every rule there is, as JSON: for a statement that reads them along with what they apply to. */
export const TAX_RULES = `(
  select coalesce(json_agg(json_build_object('ratePercent', rate_percent, 'baseNumerator', base_numerator,
    'baseDenominator', base_denominator, 'effectiveFrom', effective_from, 'source', source) order by effective_from), '[]')
  from tax_rules)`;

/** The office adds a row for each new regulation, ahead of the day it begins; a rule that was used is never changed. */
export async function taxRules(db: Knex): Promise<TaxRule[]> {
  const { rows }: { rows: { rules: TaxRule[] }[] } = await db.raw(`select ${TAX_RULES} as rules`);
  return rows[0]?.rules ?? [];
}
