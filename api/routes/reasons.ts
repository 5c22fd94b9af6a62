import { z } from 'zod';
import { knownReasons, publishReason } from '../../db/reasons.ts';
import { Failure } from '../../domain/failures.ts';
import { DECISIONS } from '../../domain/licensing.ts';
import type { KnownReason } from '../../domain/reasons.ts';
import type { Locale } from '../request.ts';
import { defineRoute, json } from '../route.ts';

const USES = DECISIONS.filter((decision) => decision !== 'approve');
const names = z.object({ id: z.string(), en: z.string() });

const reasonSchema = z
  .object({
    code: z.string(),
    name: z.string().describe("In the caller's language."),
    names,
    usedFor: z
      .array(z.enum(DECISIONS))
      .describe('Decisions that may give it; none = retired, but still known by name.'),
  })
  .meta({ id: 'Reason' });

const list = defineRoute({
  method: 'get',
  path: '/licenses/reasons',
  summary: 'Reasons that the office gives for corrections and rejections',
  tags: ['Licences'],
  permission: 'application.read',
  responses: {
    200: { description: 'The catalogue', schema: z.object({ items: z.array(reasonSchema), nextCursor: z.null() }) },
  },
  async handler({ deps, locale }) {
    const reasons = await knownReasons(deps.db);
    return json(200, { items: [...reasons].map(([code, reason]) => toJson(code, reason, locale)), nextCursor: null });
  },
});

const words = z.string().trim().min(1).max(200);

const put = defineRoute({
  method: 'put',
  path: '/admin/reasons/:code',
  summary: 'Add a reason, change its words or uses, or retire it',
  description:
    'Letters of before stay as they were sent. Retired (`active: false`) it is offered no more, and keeps its name.',
  tags: ['Admin'],
  permission: 'policy.manage',
  params: z.object({ code: z.string().max(64) }),
  body: z.strictObject({
    names: z.strictObject({ id: words, en: words }),
    usedFor: z.array(z.enum(USES)).min(1).max(USES.length),
    position: z.int().min(0).max(10_000).default(50).describe('Where it stands in the list.'),
    active: z.boolean().default(true),
  }),
  responses: { 200: { description: 'The reason', schema: reasonSchema } },
  async handler({ params: { code }, body, actor, origin, deps, locale }) {
    if (!CODE.test(code)) throw wrongCode(locale);
    const change = { ...body, usedFor: USES.filter((use) => body.usedFor.includes(use)) };
    await publishReason(deps.db, { code, ...change, by: actor.userId, origin, at: new Date().toISOString() });
    return json(200, toJson(code, { names: change.names, usedFor: change.active ? change.usedFor : [] }, locale));
  },
});

const CODE = /^[a-z][a-z0-9_]{1,63}$/;

const wrongCode = (locale: Locale): Failure => {
  const detail = { id: 'huruf kecil, angka dan garis bawah', en: 'lower case letters, digits and underscores' }[locale];
  return new Failure('invalid_request', '', { errors: [{ pointer: '/code', code: 'wrong_format', detail }] });
};

export const reasonRoutes = [list, put];

const toJson = (code: string, { names: both, usedFor }: KnownReason, locale: Locale) => ({
  code,
  name: both[locale],
  names: both,
  usedFor,
});
