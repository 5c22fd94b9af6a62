import { z } from 'zod';
import { publishRules, ruleSetAt, ruleSetsOf } from '../../db/compliance.ts';
import { type LicenseType, licenseTypeAt } from '../../db/license-types.ts';
import type { ComplianceRule } from '../../domain/compliance.ts';
import { Failure } from '../../domain/failures.ts';
import { changedRules, namesOf, ruleProblems, tryRules } from '../compliance-rules.ts';
import type { ApiDeps } from '../deps.ts';
import { effectiveFrom } from '../effective-from.ts';
import type { Locale } from '../request.ts';
import { idFromKey } from '../request-key.ts';
import { defineRoute, json } from '../route.ts';
import {
  dryRunResultSchema,
  dryRunSchema,
  newRulesSchema,
  rulesPublishedSchema,
  rulesReadSchema,
} from '../schemas/compliance.ts';
import { timeJson } from '../wire.ts';

const tags = ['Admin'];
const params = z.object({ typeCode: z.string().min(1).max(64) });

const read = defineRoute({
  method: 'get',
  path: '/admin/compliance-rules/:typeCode',
  summary: 'What submissions of a licence type are checked against',
  tags,
  permission: 'policy.read',
  params,
  problems: ['not_found'],
  responses: { 200: { description: 'Its rules, version by version', schema: rulesReadSchema } },
  async handler({ params: { typeCode }, deps }) {
    const now = new Date();
    await typeOf(deps, typeCode, now);
    const sets = await ruleSetsOf(deps.db, typeCode);
    const current = ruleSetAt(sets, now);
    return json(200, {
      typeCode,
      versions: sets.map((set) => ({
        id: set.id,
        version: set.version,
        effectiveFrom: timeJson(set.effectiveFrom),
        publishedAt: timeJson(set.publishedAt),
        publishedBy: set.publishedBy,
        inForce: set.id === current?.id,
        rules: set.rules,
      })),
    });
  },
});

const publish = defineRoute({
  method: 'post',
  path: '/admin/compliance-rules/:typeCode',
  summary: 'Publish the rules of a licence type',
  description: 'A case is judged by those in force at its first submission. Try them first: see dry-run.',
  tags,
  permission: 'policy.manage',
  params,
  body: newRulesSchema,
  problems: ['not_found', 'rules_not_valid'],
  responses: { 201: { description: 'Published', schema: rulesPublishedSchema } },
  async handler({ params: { typeCode }, body, actor, origin, deps, locale, requestKey }) {
    const now = new Date();
    const from = effectiveFrom(body.effectiveFrom, now, locale);
    await requireSound(deps, await typeOf(deps, typeCode, from), body.rules, from, locale);
    const current = ruleSetAt(await ruleSetsOf(deps.db, typeCode), from);
    const id = idFromKey(requestKey, 'compliance_rules');
    const changed = changedRules(current?.rules ?? [], body.rules);
    const version = await publishRules(deps.db, {
      ...{ id, typeCode, rules: body.rules, reason: body.reason, changed },
      ...{ effectiveFrom: from, by: actor.userId, origin, at: now.toISOString() },
    });
    return json(201, { id, typeCode, version, effectiveFrom: timeJson(from), changed });
  },
});

const dryRun = defineRoute({
  method: 'post',
  path: '/admin/compliance-rules/:typeCode/dry-run',
  summary: 'Try rules on past submissions: which cases would come out otherwise',
  tags,
  permission: 'policy.manage',
  params,
  body: dryRunSchema,
  // Nothing is written, and an answer of yesterday would be about other cases.
  idempotent: false,
  limit: 'upload',
  problems: ['not_found', 'rules_not_valid'],
  responses: { 200: { description: 'What would change', schema: dryRunResultSchema } },
  async handler({ params: { typeCode }, body: { rules, cases }, deps, locale }) {
    const now = new Date();
    await requireSound(deps, await typeOf(deps, typeCode, now), rules, now, locale);
    const current = ruleSetAt(await ruleSetsOf(deps.db, typeCode), now);
    const trial = await tryRules(deps.db, typeCode, { before: current?.rules ?? [], after: rules }, cases);
    return json(200, { typeCode, ...trial });
  },
});

export const complianceRoutes = [read, publish, dryRun];

async function typeOf({ db }: ApiDeps, typeCode: string, at: Date): Promise<LicenseType> {
  const type = await licenseTypeAt(db, typeCode, at);
  if (type) return type;
  throw new Failure('not_found', 'There is no such licence type. Look at GET /api/v1/admin/policies.');
}

async function requireSound(
  { db }: ApiDeps,
  type: LicenseType,
  rules: readonly ComplianceRule[],
  at: Date,
  locale: Locale,
): Promise<void> {
  const errors = ruleProblems(rules, await namesOf(db, type, at), locale);
  if (errors.length > 0) throw new Failure('rules_not_valid', '', { errors });
}
