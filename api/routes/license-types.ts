import { z } from 'zod';
import { findOwnCompany } from '../../db/companies.ts';
import { judgedFor, type LicenseType, licenseTypesInForce } from '../../db/license-types.ts';
import { taxRules } from '../../db/tax-rules.ts';
import { Failure } from '../../domain/failures.ts';
import { feeLines } from '../../domain/fees.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { buildInvoice, type TaxRule, taxRuleOn } from '../../domain/invoicing.ts';
import type { Actor } from '../../domain/licensing.ts';
import { type Money, rupiah } from '../../domain/money.ts';
import type { ApiDeps } from '../deps.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';
import { companyIdSchema } from '../schemas/ids.ts';
import { licenseTypeSchema } from '../schemas/licenses.ts';
import { moneyJson } from '../wire.ts';

const list = defineRoute({
  method: 'get',
  path: '/licenses/types',
  summary: 'What can be applied for, under which rules',
  tags: ['Licences'],
  description:
    'With `companyId` as the risk table has it for that company: risk, path, checklist, legal time, fee, validity.',
  permission: 'profile.use',
  query: z.strictObject({ companyId: companyIdSchema.optional() }),
  problems: ['not_found'],
  responses: {
    200: {
      description: 'All licence types',
      schema: z.object({ items: z.array(licenseTypeSchema), nextCursor: z.null() }),
    },
  },
  async handler({ query: { companyId }, actor, deps, locale }) {
    const now = new Date();
    const [types, rules] = await Promise.all([typesFor(deps, actor, companyId, now), taxRules(deps.db)]);
    const rule = taxRuleOn(rules, now.toISOString().slice(0, 10));
    return json(200, { items: types.map((type) => toJson(type, locale, rule)), nextCursor: null });
  },
});

export const licenseTypeRoutes = [list];

/** By the first of the company's codes that has a row: which of them an application is about, only its form will say. */
async function typesFor({ db }: ApiDeps, { userId }: Actor, companyId: CompanyId | undefined, at: Date) {
  const types = await licenseTypesInForce(db, at);
  if (companyId === undefined) return types;
  if (!(await findOwnCompany(db, companyId, userId)))
    throw new Failure('not_found', 'You have no such company. Look at GET /api/v1/users/companies for yours.');
  return Promise.all(types.map((type) => judgedFor(db, type, { companyId, form: {} }, at)));
}

const toJson = (type: LicenseType, locale: Locale, rule: TaxRule) => ({
  code: type.code,
  name: type.name[locale],
  names: type.name,
  risk: type.risk,
  path: type.policy.path,
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
