/** What can be subscribed to, and how the office publishes it. */
import { z } from 'zod';
import { allPlanVersions, offeredPlans, type PlanVersion, publishPlan } from '../../db/plans.ts';
import type { TaxRule } from '../../domain/invoicing.ts';
import { effectiveFrom } from '../effective-from.ts';
import { planJson, taxRuleNow } from '../plan-json.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json } from '../route.ts';
import { newPlanSchema, planPublishedSchema, planSchema, planVersionSchema } from '../schemas/plans.ts';
import { timeJson } from '../wire.ts';

const list = defineRoute({
  method: 'get',
  path: '/plans',
  summary: 'Plans that a company can subscribe to',
  tags: ['Subscriptions'],
  permission: 'plan.read',
  responses: {
    200: {
      description: 'All that are on offer now',
      schema: z.object({ items: z.array(planSchema), nextCursor: z.null() }),
    },
  },
  async handler({ deps, locale }) {
    const at = new Date();
    const [plans, rule] = await Promise.all([offeredPlans(deps.db, at), taxRuleNow(deps.db, at)]);
    return json(200, {
      items: plans.map((plan) => ({ ...planJson(plan, rule), name: plan.name[locale] })),
      nextCursor: null,
    });
  },
});

const versions = defineRoute({
  method: 'get',
  path: '/admin/plans',
  summary: 'Every version of every plan',
  tags: ['Admin'],
  permission: 'plan.manage',
  responses: {
    200: {
      description: 'Plan by plan, the latest version first',
      schema: z.object({ items: z.array(planVersionSchema), nextCursor: z.null() }),
    },
  },
  async handler({ deps }) {
    const at = new Date();
    const [plans, rule] = await Promise.all([allPlanVersions(deps.db), taxRuleNow(deps.db, at)]);
    return json(200, { items: plans.map((plan) => versionJson(plan, plans, rule, at)), nextCursor: null });
  },
});

function versionJson(plan: PlanVersion, all: readonly PlanVersion[], rule: TaxRule, at: Date) {
  const begun = all.filter(({ code, effectiveFrom: from }) => code === plan.code && from <= at);
  const [current] = begun.toSorted(
    (a, b) => b.effectiveFrom.getTime() - a.effectiveFrom.getTime() || b.version - a.version,
  );
  return {
    ...planJson(plan, rule),
    name: { ...plan.name },
    policy: {
      ...plan.policy,
      remindDaysBefore: [...plan.policy.remindDaysBefore],
      dunningDays: [...plan.policy.dunningDays],
    },
    isTaxed: plan.isTaxed,
    isOffered: plan.isOffered,
    inForce: current?.version === plan.version,
    effectiveFrom: timeJson(plan.effectiveFrom),
    publishedAt: timeJson(plan.createdAt),
    publishedBy: plan.publishedBy,
  };
}

const publish = defineRoute({
  method: 'post',
  path: '/admin/plans',
  summary: 'Publish a plan, or its next version',
  description: 'Running subscriptions keep the version that they were started or changed under.',
  tags: ['Admin'],
  permission: 'plan.manage',
  stepUp: 'where_there_is_a_factor',
  body: newPlanSchema,
  problems: ['rules_not_valid'],
  responses: { 201: { description: 'Published', schema: planPublishedSchema } },
  async handler({ body, actor, origin, deps, locale, requestKey }) {
    const at = new Date();
    const from = effectiveFrom(body.effectiveFrom, at, locale);
    const given = { ...body, priceMinor: body.priceMinor.toString(), effectiveFrom: from };
    const about = { key: idFromKey(requestKey, 'plan'), by: actor.userId, origin, at: at.toISOString() };
    const version = await deps.db.transaction((tx) => publishPlan(tx, { ...given, ...about }));
    return json(201, { code: body.code, version, effectiveFrom: timeJson(from) });
  },
});

export const planRoutes = [list, versions, publish];
