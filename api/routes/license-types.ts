import { z } from 'zod';
import { type LicenseType, licenseTypesInForce } from '../../db/license-types.ts';
import { taxRules } from '../../db/tax-rules.ts';
import { feeLines } from '../../domain/fees.ts';
import { buildInvoice, type TaxRule, taxRuleOn } from '../../domain/invoicing.ts';
import { type Money, rupiah } from '../../domain/money.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import { licenseTypeSchema } from '../schemas/licenses.ts';
import { moneyJson } from '../wire.ts';

const list = defineRoute({
  method: 'get',
  path: '/licenses/types',
  summary: 'What can be applied for, under which rules',
  tags: ['Licences'],
  permission: 'profile.use',
  responses: {
    200: {
      description: 'All licence types',
      schema: z.object({ items: z.array(licenseTypeSchema), nextCursor: z.null() }),
    },
  },
  async handler({ deps, locale }) {
    const now = new Date();
    const [types, rules] = await Promise.all([licenseTypesInForce(deps.db, now), taxRules(deps.db)]);
    const rule = taxRuleOn(rules, now.toISOString().slice(0, 10));
    return json(200, { items: types.map((type) => toJson(type, locale, rule)), nextCursor: null });
  },
});

export const licenseTypeRoutes = [list];

const toJson = (type: LicenseType, locale: Locale, rule: TaxRule) => ({
  code: type.code,
  name: type.name[locale],
  names: type.name,
  risk: type.risk,
  stages: type.policy.path === 'review' ? type.policy.stages.map(({ stage }) => stage) : [],
  checklist: type.policy.checklist,
  formSchema: type.formSchema,
  exampleForm: type.exampleForm,
  legalWorkingDays: type.policy.legalWorkingDays,
  fee: moneyJson(feeOf(type, rule)),
  validityMonths: type.policy.validityMonths,
});

/** As the invoice will say, at today's tax. */
function feeOf({ policy }: LicenseType, rule: TaxRule): Money {
  const lines = feeLines(policy.fee);
  if (lines.length === 0) return rupiah(0);
  return buildInvoice(lines, rule).total;
}
