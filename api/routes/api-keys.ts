import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  type ApiKey,
  createApiKey,
  findApiKey,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
  rotateApiKey,
} from '../../db/api-keys.ts';
import { type KeyProblem, keyStateAt } from '../../domain/api-keys.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { newKey } from '../api-keys.ts';
import type { ApiDeps } from '../deps.ts';
import { explained } from '../field-problems.ts';
import { page, pageOf, pageQuery, readCursor } from '../paging.ts';
import type { Locale } from '../request.ts';
import { type Context, defineRoute, json, noContent, type Route } from '../route.ts';
import { apiKey, createdApiKey, keyFilter, newApiKey, rotation } from '../schemas/api-keys.ts';
import { positionInTime } from '../schemas/ids.ts';
import { timeJson, timeOrNull } from '../wire.ts';

const params = z.object({ id: z.guid() });
const common = { tags: ['API keys'], permission: 'api_key.manage' } as const;
/** A list shows no key; making, changing and ending one is what a stolen session must not do. */
const sensitive = { ...common, stepUp: true } as const;
/** The answer holds the key: neither caches nor the answers kept for repeats may have it. */
const secret = { headers: { 'Cache-Control': 'no-store' } };
const shownOnce = 'The key, shown this once.';

/** What creates a key, under both of its names. */
const creation = {
  ...sensitive,
  method: 'post',
  idempotent: false,
  body: newApiKey,
  responses: { 201: { description: shownOnce, schema: createdApiKey } },
} as const;

const create = defineRoute({
  ...creation,
  path: '/admin/api-keys',
  summary: 'Create an API key for an integrator',
  description:
    'An integrator reaches what the people of its companies reach, within the scopes of its key. Without `userId` an ' +
    'account is made for the key, among the people of `companyIds`.',
  handler: async (context) => json(201, await created(context), secret),
});

const generate = defineRoute({
  ...creation,
  path: '/admin/generate-api-key',
  summary: 'The earlier name of POST /api/v1/admin/api-keys',
  deprecated: true,
  handler: async (context) => json(201, await created(context), secret),
});

type Creation = Pick<
  Context<undefined, undefined, z.output<typeof newApiKey>, undefined, { readonly userId: UserId }>,
  'actor' | 'body' | 'deps' | 'origin' | 'locale'
>;

async function created({ actor, body, deps, origin, locale }: Creation) {
  const at = new Date();
  refuseUseless(body, at, deps, locale);
  const { userId, companyIds, ...wish } = body;
  const { key, ...stored } = newKey(body.environment);
  const outcome = await createApiKey(deps.db, {
    ...wish,
    ...stored,
    id: randomUUID(),
    requestsPerMinute: body.requestsPerMinute ?? deps.access.requestsPerMinute,
    expiresAt: body.expiresAt ?? null,
    account: accountFor(userId, companyIds),
    by: actor.userId,
    at,
    origin,
  });
  switch (outcome.outcome) {
    case 'created':
      return { ...toJson(outcome.key, at), key };
    case 'not_an_integrator':
      throw wrong('/userId', 'not_an_integrator', locale);
    case 'unknown_companies':
      throw wrong(
        `/companyIds/${companyIds?.findIndex((id) => outcome.companyIds.includes(id))}`,
        'unknown_company',
        locale,
      );
  }
}

const accountFor = (
  userId: UserId | undefined,
  companyIds: Creation['body']['companyIds'] = [],
): NewApiKey['account'] =>
  userId ? { kind: 'existing', userId } : { kind: 'new', userId: asId<UserId>(randomUUID()), companyIds };

function refuseUseless(body: Creation['body'], at: Date, { production }: ApiDeps, locale: Locale): void {
  if (body.expiresAt && body.expiresAt <= at) throw wrong('/expiresAt', 'not_in_future', locale);
  if (body.userId && body.companyIds) throw wrong('/companyIds', 'account_has_companies', locale);
  if (body.environment === 'test' && production) throw wrong('/environment', 'test_key_in_production', locale);
}

const wrong = (pointer: string, code: KeyProblem, locale: Locale) =>
  new Failure('invalid_request', '', { errors: [explained(pointer, code, locale)] });

const list = defineRoute({
  ...common,
  method: 'get',
  path: '/admin/api-keys',
  summary: 'API keys, newest first',
  query: z.strictObject({ ...pageQuery, ...keyFilter }),
  responses: { 200: { description: 'A page of keys, without what opens anything.', schema: pageOf(apiKey) } },
  async handler({ query: { limit, cursor, ...filter }, deps }) {
    const at = new Date();
    const after = readCursor(cursor, positionInTime) ?? null;
    const rows = await listApiKeys(deps.db, { ...filter, at, after, limit: limit + 1 });
    return json(
      200,
      page(
        rows,
        limit,
        (key) => toJson(key, at),
        ({ createdAt, id }) => ({ at: createdAt, id }),
      ),
    );
  },
});

const read = defineRoute({
  ...common,
  method: 'get',
  path: '/admin/api-keys/:id',
  summary: 'An API key',
  params,
  responses: { 200: { description: 'The key, without what opens anything.', schema: apiKey } },
  async handler({ params: { id }, deps }) {
    const key = await findApiKey(deps.db, id);
    if (!key) throw noSuchKey();
    return json(200, toJson(key, new Date()));
  },
});

const revoke = defineRoute({
  ...sensitive,
  method: 'delete',
  path: '/admin/api-keys/:id',
  summary: 'Revoke an API key, at once and for good',
  description: 'Access tokens that were got with it end too, within seconds.',
  params,
  responses: { 204: { description: 'It opens nothing any more.' } },
  async handler({ params: { id }, actor, deps, origin }) {
    if (await revokeApiKey(deps.db, { id, by: actor.userId, at: new Date(), origin })) return noContent();
    throw noSuchKey();
  },
});

const rotate = defineRoute({
  ...sensitive,
  method: 'post',
  path: '/admin/api-keys/:id/rotate',
  summary: 'Put a new API key in the place of one',
  description:
    'The new one has the same rights, and as long a life as the old one had from its creation. The old one goes on for ' +
    '`overlapSeconds`, a day by default.',
  idempotent: false,
  params,
  body: rotation,
  problems: ['key_not_active', 'key_rotated_before'],
  responses: { 201: { description: shownOnce, schema: createdApiKey } },
  async handler({ params: { id }, body: { overlapSeconds }, actor, deps, origin }) {
    const at = new Date();
    const old = await findApiKey(deps.db, id);
    if (!old) throw noSuchKey();
    const { key, ...stored } = newKey(old.environment);
    const successor = { id: randomUUID(), ...stored };
    const done = await rotateApiKey(deps.db, { id, successor, overlapSeconds, by: actor.userId, at, origin });
    switch (done.outcome) {
      case 'rotated':
        return json(201, { ...toJson(done.key, at), key }, secret);
      case 'unknown':
        throw noSuchKey();
      case 'not_active':
        throw new Failure('key_not_active', '', { state: done.state });
      case 'rotated_before':
        throw new Failure(
          'key_rotated_before',
          `This key has a successor already: ${done.successor}. Use or revoke that.`,
        );
    }
  },
});

const noSuchKey = () => new Failure('not_found', 'There is no such API key. Look at GET /api/v1/admin/api-keys.');

const toJson = (key: ApiKey, at: Date) => ({
  ...key,
  state: keyStateAt(key, at),
  createdAt: timeJson(key.createdAt),
  expiresAt: timeOrNull(key.expiresAt),
  lastUsedAt: timeOrNull(key.lastUsedAt),
  revokedAt: timeOrNull(key.revokedAt),
});

export const apiKeyRoutes: readonly Route[] = [create, generate, list, read, revoke, rotate];
