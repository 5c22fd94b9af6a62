/** OAuth 2.0 for programmes: an API key is exchanged for an access token (RFC 6749, client credentials). */
import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import type { z } from 'zod';
import { recordEvent } from '../../db/events.ts';
import { isScope, parseKey } from '../../domain/api-keys.ts';
import type { Origin } from '../../domain/events.ts';
import { Failure } from '../../domain/failures.ts';
import { SCOPES, type Scope } from '../../domain/roles.ts';
import type { KeyCaller } from '../api-keys.ts';
import type { ApiDeps } from '../deps.ts';
import { addressOf } from '../request.ts';
import { defineRoute, json, type Route } from '../route.ts';
import { serverMetadata, tokenAnswer, tokenError } from '../schemas/oauth.ts';
import { secondsOf } from '../tokens.ts';

const GRANT = 'client_credentials';
const tags = ['Auth'];
const uncached = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

const token = defineRoute({
  method: 'post',
  base: 'root',
  path: '/oauth/token',
  summary: 'Exchange an API key for an access token (OAuth 2.0 client credentials)',
  description:
    'application/x-www-form-urlencoded with `grant_type=client_credentials` and, if not all are wanted, `scope`. The client ' +
    'ID is the ID of the key or its first part (`alur_live_Ab3dE6gH`), the secret is the key: by HTTP Basic or as ' +
    '`client_id` and `client_secret`. The token ends with its key.',
  tags,
  permission: 'public',
  limit: 'login',
  idempotent: false,
  raw: true,
  maxBytes: 10_000,
  responses: {
    200: { description: 'An access token for 15 minutes.', schema: tokenAnswer },
    400: { description: 'The request is wrong (RFC 6749, section 5.2)', schema: tokenError },
    401: { description: 'The client is not known, or not from there', schema: tokenError },
  },
  async handler({ req, rawBody, deps, origin }) {
    const asked = askedFor(req, rawBody);
    const caller = 'error' in asked ? asked : await clientOf(asked, addressOf(req), deps);
    if ('error' in caller) return refusal(caller);
    const scopes = scopesFor(caller, 'error' in asked ? undefined : asked.scope);
    return 'error' in scopes
      ? refusal(scopes)
      : json(200, await issue(caller, scopes, deps, origin), { headers: uncached });
  },
});

type Refusal = z.input<typeof tokenError>;

const refused = (error: Refusal['error'], error_description: string): Refusal => ({ error, error_description });

const refusal = (body: Refusal) =>
  body.error === 'invalid_client'
    ? json(401, body, { headers: { ...uncached, 'WWW-Authenticate': 'Basic realm="Alur"' } })
    : json(400, body, { headers: uncached });

interface Asked {
  readonly id: string;
  readonly secret: string;
  readonly scope: string | undefined;
}

function askedFor(req: Request, rawBody: Buffer): Asked | Refusal {
  if (!req.is('application/x-www-form-urlencoded')) {
    return refused('invalid_request', 'Send the parameters as application/x-www-form-urlencoded.');
  }
  const form = new URLSearchParams(rawBody.toString('utf8'));
  const twice = [...form.keys()].find((name) => form.getAll(name).length > 1);
  if (twice !== undefined) return refused('invalid_request', 'A parameter is there twice. Send each once.');
  const grant = form.get('grant_type');
  if (!grant) return refused('invalid_request', `The parameter grant_type is missing. Send ${GRANT}.`);
  if (grant !== GRANT) return refused('unsupported_grant_type', `The only grant here is ${GRANT}.`);
  const client = credentialsOf(req.headers.authorization, form);
  return 'error' in client ? client : { ...client, scope: form.get('scope') ?? undefined };
}

/** By one of the two ways, not by both (RFC 6749, section 2.3). */
function credentialsOf(authorization: string | undefined, form: URLSearchParams): Omit<Asked, 'scope'> | Refusal {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')];
  if (authorization === undefined) {
    return id && secret ? { id, secret } : refused('invalid_client', 'Send client ID and secret.');
  }
  if (secret !== null) return refused('invalid_request', 'Send client ID and secret in one place, not in two.');
  return basic(authorization) ?? refused('invalid_client', 'Send client ID and secret by HTTP Basic, or in the body.');
}

function basic(authorization: string): Omit<Asked, 'scope'> | undefined {
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(authorization)?.[1] ?? '';
  const [, id = '', secret = ''] = /^([^:]+):(.+)$/.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  return id && secret ? { id: formDecoded(id), secret: formDecoded(secret) } : undefined;
}

/** The two are form-encoded before they go into the header. */
const formDecoded = (text: string): string => new URLSearchParams(`v=${text.replaceAll('&', '%26')}`).get('v') ?? '';

async function clientOf({ id, secret }: Asked, address: string, { apiKeys }: ApiDeps): Promise<KeyCaller | Refusal> {
  try {
    const caller = await apiKeys.authenticate(secret, address);
    if (id === caller.key.id || id === parseKey(secret)?.prefix) return caller;
    return refused('invalid_client', "The client ID is not this key's: send its ID, or its first part.");
  } catch (error) {
    if (error instanceof Failure && isAboutKey(error)) return refused('invalid_client', error.message);
    throw error;
  }
}

const isAboutKey = ({ code }: Failure): boolean => code === 'unauthenticated' || code === 'address_not_allowed';

function scopesFor({ key }: KeyCaller, asked: string | undefined): readonly Scope[] | Refusal {
  if (asked === undefined) return key.scopes;
  const names = [...new Set(asked.split(' ').filter((name) => name !== ''))];
  const scopes = names.filter(isScope).filter((scope) => key.scopes.includes(scope));
  if (names.length > 0 && scopes.length === names.length) return scopes;
  return refused('invalid_scope', `This key has the scopes ${key.scopes.join(' ')}.`);
}

async function issue(
  { userId, roles, tokenVersion, key }: KeyCaller,
  scopes: readonly Scope[],
  deps: ApiDeps,
  origin: Origin,
) {
  const access_token = await deps.tokens.issue({ userId, roles, tokenVersion, key: { ...key, scopes } });
  await recordEvent(deps.db, {
    key: `api_key/${key.id}/token/${randomUUID()}`,
    type: 'login.succeeded',
    by: userId,
    subject: `api_key/${key.id}`,
    origin,
    data: { method: GRANT, scopes },
    at: new Date().toISOString(),
  });
  return { access_token, token_type: 'Bearer', expires_in: secondsOf(key), scope: scopes.join(' ') } as const;
}

const metadata = defineRoute({
  method: 'get',
  base: 'root',
  path: '/.well-known/oauth-authorization-server',
  summary: 'Where and how access tokens are given out (RFC 8414)',
  tags,
  permission: 'public',
  responses: { 200: { description: 'The metadata.', schema: serverMetadata } },
  async handler({ deps: { publicUrl } }) {
    return json(200, {
      issuer: publicUrl,
      token_endpoint: `${publicUrl}/oauth/token`,
      jwks_uri: `${publicUrl}/.well-known/jwks.json`,
      grant_types_supported: [GRANT],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      scopes_supported: [...SCOPES],
      service_documentation: `${publicUrl}/docs`,
    });
  },
});

export const oauthRoutes: readonly Route[] = [token, metadata];
