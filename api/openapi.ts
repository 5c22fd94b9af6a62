/** The OpenAPI 3.1 document, made from the declared routes: the schemas that it shows are those that check. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { keyMay } from '../domain/api-keys.ts';
import { FAILURE_CODES, type FailureCode } from '../domain/failures.ts';
import { SCOPES } from '../domain/roles.ts';
import { PROBLEM_TYPES } from './errors.ts';
import { API_BASE, isIdempotent, patternOf, type ResponseSpec, type Route } from './route.ts';

const problemSchema = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What to do next, in the language of Accept-Language (id or en).'),
    code: z.enum(FAILURE_CODES),
    instance: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
    state: z.string().optional(),
    stage: z.string().optional(),
    applicationId: z.string().optional().describe('The case that stands in the way.'),
    opensAt: z.string().optional().describe('From when on it can be asked.'),
    reason: z.string().optional().describe('For which of several reasons, as a code.'),
    until: z.string().optional().describe('Until when it could have been asked.'),
    conflict: z
      .object({
        decidedBy: z.object({ id: z.uuid(), name: z.string().nullable() }),
        decidedAt: z.string().optional(),
        decision: z.string().optional(),
        stage: z.string().optional(),
      })
      .optional()
      .describe('Who came first; for staff.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const acceptedSchema = z
  .object({ status: z.literal('accepted'), detail: z.string(), requestId: z.string() })
  .meta({ id: 'Accepted' });

const TEXT = { type: 'string' } as const;
const NUMBER = { type: 'integer' } as const;
/** That a client has to know of. Those of the limit come with every answer of a declared route. */
const HEADERS = {
  'RateLimit-Policy': { description: 'Requests (q) within so many seconds (w): `"default";q=100;w=60`.', schema: TEXT },
  RateLimit: { description: 'What is left (r), and in how many seconds all is there again (t).', schema: TEXT },
  'RateLimit-Limit': { description: 'As q of RateLimit-Policy, for older clients.', schema: NUMBER },
  'RateLimit-Remaining': { description: 'As r of RateLimit, for older clients.', schema: NUMBER },
  'RateLimit-Reset': { description: 'As t of RateLimit, for older clients.', schema: NUMBER },
  'Retry-After': { description: 'Come back after so many seconds.', schema: NUMBER },
} as const;
type HeaderName = keyof typeof HEADERS;

const headersNamed = (...names: HeaderName[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
const RETRY_HEADERS = headersNamed('Retry-After');
const LIMIT_HEADERS = headersNamed(
  'RateLimit-Policy',
  'RateLimit',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
);

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

export function openApiOf(routes: readonly Route[], publicUrl: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
  registry.registerComponent('securitySchemes', 'apiKey', { type: 'apiKey', in: 'header', name: 'X-Api-Key' });
  for (const [name, header] of Object.entries(HEADERS)) registry.registerComponent('headers', name, header);
  for (const route of routes) registry.registerPath(pathOf(route));
  return new OpenApiGeneratorV31(registry.definitions, { sortComponents: 'alphabetically' }).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Alur', version: '1', description: INTRODUCTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: publicUrl }],
  });
}

const INTRODUCTION = `Licensing for small businesses: apply, follow the review, pay, receive the licence.

Log in at \`${API_BASE}/auth/login\` and send the access token as \`Authorization: Bearer\`. Programmes send an API key as
\`X-Api-Key\`, or exchange it for an access token at \`/oauth/token\`. Send an \`Idempotency-Key\` with
each POST; the same key and body get the first answer again. Refusals are \`application/problem+json\` with a stable
\`code\`; \`Accept-Language: id|en\` picks the language of their sentences.`;

function pathOf(route: Route): RouteConfig {
  const path = patternOf(route).replace(/:(\w+)/g, '{$1}');
  return {
    method: route.method,
    path,
    operationId: operationIdOf(route),
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [...route.tags],
    ...(route.deprecated ? { deprecated: true } : {}),
    security: securityOf(route),
    'x-permission': route.permission,
    request: requestOf(route),
    responses: merged(responsesOf(route), refusalsOf(route)),
  };
}

/** Either will do. A key opens what a scope can name, and nothing of a person's own account. */
function securityOf({ permission, method, ownAccount }: Route): Record<string, string[]>[] {
  if (permission === 'public') return [];
  return !ownAccount && keyMay(SCOPES, permission, method) ? [{ bearer: [] }, { apiKey: [] }] : [{ bearer: [] }];
}

const operationIdOf = ({ method, path }: Route): string =>
  `${method}${path.replace(/[/:.-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`;

function requestOf(route: Route): NonNullable<RouteConfig['request']> {
  const { params, query } = route;
  const headers = headersOf(route);
  return {
    ...(params instanceof z.ZodObject ? { params } : {}),
    ...(query instanceof z.ZodObject ? { query } : {}),
    ...(headers === undefined ? {} : { headers }),
    ...bodyOf(route),
  };
}

function headersOf(route: Route) {
  if (!isIdempotent(route)) return undefined;
  const key = z.string().min(1).max(255).optional().describe('The same key and body get the first answer again.');
  return z.object({ 'Idempotency-Key': key });
}

function bodyOf(route: Route) {
  const { body, multipart } = route;
  if (multipart) {
    const file = z.string().meta({ type: 'string', format: 'binary', contentMediaType: 'application/octet-stream' });
    const fields = body instanceof z.ZodObject ? body.shape : {};
    const schema = z.strictObject({ ...fields, [multipart.file]: file });
    return { body: { required: true, content: { 'multipart/form-data': { schema } } } };
  }
  return body
    ? { body: { required: !body.safeParse({}).success, content: { [typeOf(route)]: { schema: body } } } }
    : {};
}

const typeOf = ({ form }: Route): string => (form ? 'application/x-www-form-urlencoded' : 'application/json');

interface DescribedAnswer {
  readonly description: string;
  readonly headers?: Record<string, { readonly $ref: string }>;
  readonly content?: Record<string, { readonly schema: z.ZodType }>;
}

function responsesOf(route: Route): Record<string, DescribedAnswer> {
  const declared = Object.entries(route.responses).map(([status, spec]) => [status, responseOf(spec)]);
  const pending = route.workflow
    ? { 202: responseOf({ description: 'Still being worked on; repeat with the same key.', schema: acceptedSchema }) }
    : {};
  return { ...pending, ...Object.fromEntries(declared) };
}

const responseOf = ({ description, schema, contentType }: ResponseSpec): DescribedAnswer => ({
  description,
  headers: LIMIT_HEADERS,
  ...(schema || contentType
    ? {
        content: {
          ...(schema ? { 'application/json': { schema } } : {}),
          ...(contentType ? { [contentType]: { schema: z.string() } } : {}),
        },
      }
    : {}),
});

/** Codes by status: those that the frame gives by itself, and those that the route declares. */
function refusalsOf(route: Route): Record<string, DescribedAnswer> {
  const codes = [...new Set(codesOf(route))];
  const statuses = new Set(codes.map((code) => PROBLEM_TYPES[code].status));
  const content = { 'application/problem+json': { schema: problemSchema } };
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: codes.filter((code) => PROBLEM_TYPES[code].status === status).join(', '),
        headers: status === 429 || status === 503 ? RETRY_HEADERS : {},
        content,
      },
    ]),
  );
}

/** One status may be an answer of the route and a refusal of the frame, each with a content type of its own. */
function merged(
  declared: Readonly<Record<string, DescribedAnswer>>,
  refusals: Readonly<Record<string, DescribedAnswer>>,
): RouteConfig['responses'] {
  const both = Object.entries(refusals).map(([status, refusal]) => {
    const answer = declared[status];
    if (!answer) return [status, refusal] as const;
    const description = `${answer.description}; or ${refusal.description}`;
    const headers = { ...answer.headers, ...refusal.headers };
    return [status, { description, headers, content: { ...answer.content, ...refusal.content } }] as const;
  });
  return { ...declared, ...Object.fromEntries(both) };
}

export function codesOf(route: Route): FailureCode[] {
  const takesBody = route.method === 'post' || route.method === 'put';
  return [
    ...(route.permission === 'public' ? [] : (['unauthenticated', 'forbidden'] as const)),
    'rate_limited',
    ...(route.params ? (['not_found'] as const) : []),
    ...(route.query || takesBody ? (['invalid_request'] as const) : []),
    ...(takesBody ? (['malformed_request', 'file_too_large', 'unsupported_media_type'] as const) : []),
    ...(isIdempotent(route) ? (['idempotency_key_reused', 'request_in_progress'] as const) : []),
    ...(route.workflow ? [route.workflow.gone] : []),
    ...(route.problems ?? []),
    'internal_error',
    'temporarily_unavailable',
  ];
}
