/** The OpenAPI 3.1 document, made from the declared routes: the schemas that it shows are those that check. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { FAILURE_CODES, type FailureCode } from '../domain/failures.ts';
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

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

export function openApiOf(routes: readonly Route[], publicUrl: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
  for (const route of routes) registry.registerPath(pathOf(route));
  return new OpenApiGeneratorV31(registry.definitions, { sortComponents: 'alphabetically' }).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Alur', version: '1', description: INTRODUCTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: publicUrl }],
  });
}

const INTRODUCTION = `Licensing for small businesses: apply, follow the review, pay, receive the licence.

Log in at \`${API_BASE}/auth/login\` and send the access token as \`Authorization: Bearer\`. Send an \`Idempotency-Key\` with
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
    security: route.permission === 'public' ? [] : [{ bearer: [] }],
    'x-permission': route.permission,
    request: requestOf(route),
    responses: { ...responsesOf(route), ...refusalsOf(route) },
  };
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
    ? { body: { required: !body.safeParse({}).success, content: { 'application/json': { schema: body } } } }
    : {};
}

function responsesOf(route: Route): RouteConfig['responses'] {
  const declared = Object.entries(route.responses).map(([status, spec]) => [status, responseOf(spec)]);
  const pending = route.workflow
    ? { 202: responseOf({ description: 'Still being worked on; repeat with the same key.', schema: acceptedSchema }) }
    : {};
  return { ...pending, ...Object.fromEntries(declared) };
}

const responseOf = ({ description, schema, contentType }: ResponseSpec) => ({
  description,
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
function refusalsOf(route: Route): RouteConfig['responses'] {
  const codes = [...new Set(codesOf(route))];
  const statuses = new Set(codes.map((code) => PROBLEM_TYPES[code].status));
  const content = { 'application/problem+json': { schema: problemSchema } };
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      { description: codes.filter((code) => PROBLEM_TYPES[code].status === status).join(', '), content },
    ]),
  );
}

export function codesOf(route: Route): FailureCode[] {
  const takesBody = route.method === 'post' || route.method === 'put';
  return [
    ...(route.permission === 'public' ? [] : (['unauthenticated', 'forbidden'] as const)),
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
