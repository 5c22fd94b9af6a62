/** The rules of the shop: read, and published version by version. */
import { z } from 'zod';
import { orderPolicy, publishShopPolicy, returnPolicy, shopPolicyVersions } from '../../db/shop-policies.ts';
import { Failure } from '../../domain/failures.ts';
import { effectiveFrom, effectiveFromSchema } from '../effective-from.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { orderPolicySchema, returnPolicySchema } from '../schemas/shop-policies.ts';
import { timeJson, timeSchema } from '../wire.ts';

const tags = ['Admin'];
const params = z.object({ kind: z.string().min(1).max(100).describe('`order` or `return`') });

function kindOf(kind: string): 'order' | 'return' {
  if (kind === 'order' || kind === 'return') return kind;
  throw new Failure('not_found', 'There are rules of kind order and of kind return.');
}
const permission = 'shop_policy.manage';

const read = defineRoute({
  method: 'get',
  path: '/admin/shop-policies/:kind',
  summary: 'The rules by which orders or returns go, and their versions',
  description:
    'What is under way keeps the version that it began under. Version 0 = nothing was published: the default counts.',
  tags,
  permission,
  params,
  problems: ['not_found'],
  responses: {
    200: {
      description: 'In force now, and all versions, newest first',
      schema: z.object({
        kind: z.enum(['order', 'return']),
        version: z.int(),
        policy: z.unknown(),
        versions: z.array(
          z.object({
            version: z.int(),
            effectiveFrom: timeSchema,
            publishedBy: z.string().nullable(),
            policy: z.unknown(),
          }),
        ),
      }),
    },
  },
  async handler({ params, deps: { db } }) {
    const kind = kindOf(params.kind);
    const now = new Date();
    const versions = await shopPolicyVersions(db, kind);
    const policy = kind === 'order' ? await orderPolicy(db, now) : await returnPolicy(db, now);
    return json(200, {
      kind,
      version: versions.find(({ effectiveFrom: from }) => from <= now)?.version ?? 0,
      policy,
      versions: versions.map((row) => ({
        version: row.version,
        effectiveFrom: timeJson(row.effectiveFrom),
        publishedBy: row.publishedBy,
        policy: row.policy,
      })),
    });
  },
});

const publish = defineRoute({
  method: 'post',
  path: '/admin/shop-policies/:kind',
  summary: 'Publish the next version of the rules of the shop',
  description: 'All of them: what is not named is not kept. New orders and returns go by them from `effectiveFrom` on.',
  tags,
  permission,
  params,
  body: z.strictObject({
    policy: z.record(z.string(), z.unknown()).describe('As GET shows it.'),
    effectiveFrom: effectiveFromSchema,
  }),
  problems: ['not_found', 'invalid_request', 'rules_not_valid'],
  responses: {
    201: {
      description: 'Published',
      schema: z.object({ kind: z.enum(['order', 'return']), version: z.int(), effectiveFrom: timeSchema }),
    },
  },
  async handler({ params, body, actor, origin, deps, locale, requestKey }) {
    const kind = kindOf(params.kind);
    const now = new Date();
    const from = effectiveFrom(body.effectiveFrom, now, locale);
    const rest = { key: requestKey, effectiveFrom: from, by: actor.userId, origin, at: now.toISOString() };
    const version =
      kind === 'order'
        ? await publishShopPolicy(deps.db, { kind, policy: sound(orderPolicySchema, body.policy), ...rest })
        : await publishShopPolicy(deps.db, { kind, policy: sound(returnPolicySchema, body.policy), ...rest });
    return json(201, { kind, version, effectiveFrom: timeJson(from) });
  },
});

/** @throws Failure `invalid_request` with what is wrong, field by field */
function sound<Policy>(schema: z.ZodType<Policy>, given: unknown): Policy {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, code, message }) => ({
    pointer: `/policy${path.map((part) => `/${String(part)}`).join('')}`,
    code,
    detail: message,
  }));
  throw new Failure('invalid_request', '', { errors });
}

export const shopPolicyRoutes: readonly Route[] = [read, publish];
