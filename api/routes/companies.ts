import { z } from 'zod';
import { addCompany, type Company, findCompaniesOf, isNumberTaken } from '../../db/companies.ts';
import type { Knex } from '../../db/connection.ts';
import { scaleOf } from '../../domain/companies.ts';
import { Failure } from '../../domain/failures.ts';
import { maskNumber } from '../../domain/identity-numbers.ts';
import { asId, type CompanyId } from '../../domain/ids.ts';
import { rupiah } from '../../domain/money.ts';
import { ownCompany } from '../company-members.ts';
import { requirePlaceForCompany, withinCompanies } from '../entitlements.ts';
import { expiryFrom, startOnboarding } from '../onboarding-process.ts';
import { page, pageQuery, readCursor } from '../paging.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { companies, company } from '../schemas/companies.ts';
import { companyIdSchema } from '../schemas/ids.ts';
import { newCompanyToOnboard } from '../schemas/onboarding.ts';
import { moneyJson, timeJson } from '../wire.ts';

const tags = ['Users'];
const NPWP = 'companies.npwp';

const createCompany = defineRoute({
  method: 'post',
  path: '/users/companies',
  summary: 'Register a company that the caller acts for',
  description:
    'Its tax number (NPWP) is stored encrypted and shown masked; a company can be registered once. Then it is onboarded: see ' +
    'GET onboarding/{companyId}.',
  tags,
  permission: 'company.manage',
  body: newCompanyToOnboard,
  responses: { 201: { description: 'The company, to be onboarded.', schema: company } },
  problems: ['company_taken', 'plan_limit_reached'],
  handler: async ({ actor, body, deps, requestKey, origin }) => {
    const { npwp, nib = null, capitalMinor = null, annualSalesMinor = null, zone, ...rest } = body;
    const { personalData } = deps;
    const [npwpHash = '', ...otherNpwpHashes] = personalData.fingerprints(npwp.value, NPWP);
    const given = {
      ...rest,
      id: asId<CompanyId>(idFromKey(requestKey, 'company')),
      npwpEncrypted: personalData.seal(npwp.value, NPWP),
      npwpHash,
      otherNpwpHashes,
      npwpMasked: maskNumber(npwp.value),
      nib,
      capitalMinor,
      annualSalesMinor,
      scale: scaleOf({ capitalMinor, annualSalesMinor }),
    };
    const at = new Date();
    if (await isNumberTaken(deps.db, given)) throw new Failure('company_taken', '');
    await requirePlaceForCompany(deps, actor.userId, given.id);
    await startOnboarding(deps, { companyId: given.id, owner: actor.userId, zone, startedAt: at }, origin);
    const expiresAt = expiryFrom(deps, zone, at);
    const add = (tx: Knex) => addCompany(tx, given, actor.userId, at, { zone, expiresAt, origin });
    const added = await withinCompanies(deps, actor.userId, add);
    if (!added) throw new Failure('company_taken', '');
    return json(201, toCompany(added));
  },
});

const position = z.object({ at: z.iso.datetime(), id: z.uuid() });

const listCompanies = defineRoute({
  method: 'get',
  path: '/users/companies',
  summary: 'Companies that the caller acts for, oldest first',
  tags,
  permission: 'company.read',
  query: z.strictObject(pageQuery),
  responses: { 200: { description: 'A page of companies.', schema: companies } },
  handler: async ({ actor, query: { limit, cursor }, deps }) => {
    const after = readCursor(cursor, position);
    const found = await findCompaniesOf(deps.db, actor.userId, { limit: limit + 1, after });
    return json(
      200,
      page(found, limit, toCompany, ({ createdAt, id }) => ({ at: timeJson(createdAt), id })),
    );
  },
});

const readCompany = defineRoute({
  method: 'get',
  path: '/users/companies/:id',
  summary: 'A company that the caller acts for',
  tags,
  permission: 'company.read',
  params: z.object({ id: companyIdSchema }),
  responses: { 200: { description: 'The company.', schema: company } },
  handler: async ({ actor, params: { id }, deps }) => json(200, toCompany(await ownCompany(deps.db, id, actor.userId))),
});

function toCompany(row: Company) {
  const { id, name, legalForm, nib, address, kbli, scale, status } = row;
  return {
    id,
    name,
    legalForm,
    npwp: row.npwpMasked,
    nib,
    address,
    kbli,
    capital: row.capitalMinor === null ? null : moneyJson(rupiah(row.capitalMinor)),
    annualSales: row.annualSalesMinor === null ? null : moneyJson(rupiah(row.annualSalesMinor)),
    scale,
    status,
    createdAt: timeJson(row.createdAt),
    updatedAt: timeJson(row.updatedAt),
  };
}

export const companyRoutes: readonly Route[] = [createCompany, listCompanies, readCompany];
