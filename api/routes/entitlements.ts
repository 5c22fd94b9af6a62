import { z } from 'zod';
import { companyUsage } from '../../db/entitlements.ts';
import { SUBSCRIPTION_STATES } from '../../domain/subscriptions.ts';
import { ownCompany } from '../company-members.ts';
import { defineRoute, json } from '../route.ts';
import { companyIdSchema } from '../schemas/ids.ts';
import { entitlementsSchema } from '../schemas/plans.ts';

const used = z.int().min(0);

const entitlementsReadSchema = z
  .object({
    planCode: z.string().nullable().describe('Whose limits count now; null = of no plan.'),
    state: z.enum(SUBSCRIPTION_STATES).nullable().describe('Of the subscription; null = there is none.'),
    hasAccess: z
      .boolean()
      .describe(
        'False while the subscription is suspended or paused, or the money for its term is taken back: then the default plan counts, or almost nothing.',
      ),
    limits: entitlementsSchema,
    used: z.object({
      companies: used.describe('That the caller owns.'),
      users: used,
      openApplications: used,
    }),
  })
  .meta({ id: 'CompanyEntitlements' });

const read = defineRoute({
  method: 'get',
  path: '/users/companies/:id/entitlements',
  summary: 'What a company may use by its plan, and what it uses',
  description: 'Who would go beyond a limit is told 409 `plan_limit_reached`. What is there already stays.',
  tags: ['Subscriptions'],
  permission: 'company.read',
  params: z.object({ id: companyIdSchema }),
  problems: ['not_found'],
  responses: { 200: { description: 'Limits and use', schema: entitlementsReadSchema } },
  async handler({ params: { id }, actor, deps }) {
    await ownCompany(deps.db, id, actor.userId);
    const [{ limits, ...plan }, usage] = await Promise.all([
      deps.entitlements.of(id),
      companyUsage(deps.db, id, actor.userId, new Date()),
    ]);
    return json(200, { ...plan, limits: { ...limits }, used: usage });
  },
});

export const entitlementRoutes = [read];
