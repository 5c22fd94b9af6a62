import assert from 'node:assert/strict';
import { z } from 'zod';
import { PROBLEM_TYPES } from '../../api/errors.ts';
import { codesOf } from '../../api/openapi.ts';
import { patternOf, type Route } from '../../api/route.ts';
import { routes } from '../../api/routes/index.ts';
import { FAILURE_CODES } from '../../domain/failures.ts';
import { SCOPES } from '../../domain/roles.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const responseSchema = z.object({
  description: z.string(),
  headers: z.record(z.string(), z.object({ $ref: z.string() })).optional(),
  content: z.record(z.string(), z.object({ schema: z.unknown() })).optional(),
});
const operationSchema = z.object({
  operationId: z.string(),
  'x-permission': z.string(),
  deprecated: z.boolean().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) }).optional(),
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).optional(),
  responses: z.record(z.string(), responseSchema),
});
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    headers: z.record(z.string(), z.unknown()),
    securitySchemes: z.record(z.string(), z.object({ type: z.string(), name: z.string().optional() })),
  }),
});

/** An API key opens what a scope can name; of its own account it reads the profile, and anybody the plans. */
function credentialsFor({ permission, method, ownAccount }: Route): Record<string, string[]>[] {
  if (permission === 'public') return [];
  const open = permission === 'profile.use' || permission === 'plan.read';
  const byKey = SCOPES.some((scope) => scope === permission) || (open && method === 'get');
  return byKey && !ownAccount ? [{ bearer: [] }, { apiKey: [] }] : [{ bearer: [] }];
}

describe('the OpenAPI document', () => {
  let database: TestDatabase;
  let api: TestApi;
  let text: string;
  let document: z.infer<typeof documentSchema>;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database);
    text = await (await fetch(`${api.url}/openapi.json`)).text();
    document = documentSchema.parse(JSON.parse(text));
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  for (const route of routes) {
    it(`describes ${route.method.toUpperCase()} ${patternOf(route)} with permission, answers and refusals`, () => {
      const operation = document.paths[patternOf(route).replace(/:(\w+)/g, '{$1}')]?.[route.method];
      assert.ok(operation, 'it is in the document');
      assert.equal(operation['x-permission'], route.permission);
      assert.deepEqual(operation.security, credentialsFor(route));
      assert.equal(operation.deprecated ?? false, route.deprecated ?? false);
      assert.ok(operation.responses[500]);
      for (const status of Object.keys(route.responses)) assert.ok(operation.responses[status], status);
      for (const code of codesOf(route)) {
        const refusal = operation.responses[PROBLEM_TYPES[code].status];
        assert.ok(refusal, `${code} has its status`);
        assert.ok(refusal.description.includes(code), `${code} is told`);
        assert.ok(refusal.content?.['application/problem+json']);
      }
      const names = [...patternOf(route).matchAll(/:(\w+)/g)].map(([, name]) => name);
      const described = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name);
      assert.deepEqual(described, names);
      assert.equal(operation.requestBody !== undefined, route.body !== undefined || route.multipart !== undefined);
    });
  }

  it('serves every path that it describes: without a credential each protected one answers 401', async () => {
    for (const route of routes.filter(({ permission }) => permission !== 'public')) {
      const path = patternOf(route).replace(/:\w+/g, '00000000-0000-4000-8000-000000000000');
      const response = await fetch(`${api.url}${path}`, { method: route.method.toUpperCase() });
      assert.equal(response.status, 401, `${route.method} ${path}`);
    }
  });

  it('says how the credentials that it names are sent', () => {
    assert.deepEqual(
      Object.fromEntries(Object.entries(document.components.securitySchemes).map(([name, { type }]) => [name, type])),
      { bearer: 'http', apiKey: 'apiKey' },
    );
    assert.equal(document.components.securitySchemes['apiKey']?.name, 'X-Api-Key');
  });

  it('tells apart what a route answers and what the frame refuses under one status', () => {
    const { content } = document.paths['/oauth/token']?.post?.responses[400] ?? {};
    assert.deepEqual(Object.keys(content ?? {}), ['application/json', 'application/problem+json']);
  });

  it('tells what is left of a limit with each answer, and when to come back after a 429', () => {
    const operation = document.paths['/api/v1/licenses/status/{id}']?.['get'];
    assert.deepEqual(Object.keys(operation?.responses[200]?.headers ?? {}), [
      'RateLimit-Policy',
      'RateLimit',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
    ]);
    for (const [path, operations] of Object.entries(document.paths))
      for (const { responses } of Object.values(operations))
        assert.deepEqual(Object.keys(responses[429]?.headers ?? {}), ['Retry-After'], path);
    for (const [, name = ''] of text.matchAll(/"#\/components\/headers\/([^"]+)"/g))
      assert.ok(name in document.components.headers, name);
  });

  it('names each operation once, and every reference leads somewhere', () => {
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(name in document.components.schemas, name);
  });

  it('refuses unknown fields in every body, as the API does', () => {
    const bodies = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.values(operations).flatMap(({ requestBody }) =>
        Object.values(requestBody?.content ?? {}).map(({ schema }) => ({ path, schema: JSON.stringify(schema) })),
      ),
    );
    assert.ok(bodies.length > 5);
    for (const { path, schema } of bodies) assert.match(schema, /"additionalProperties":false|"\$ref"/, path);
  });

  it('says how numbers and amounts are written', () => {
    const post = JSON.stringify(document.paths['/api/v1/users/companies']?.post?.requestBody);
    assert.match(post, /"capitalMinor":\{"type":\["integer","string"\]/);
    assert.match(post, /"npwp":\{"type":"string"/);
  });
});

describe('the table of refusals', () => {
  it('has a title and a sentence in both languages for every code', () => {
    for (const code of FAILURE_CODES) {
      const { status, title, detail } = PROBLEM_TYPES[code];
      assert.ok(status >= 400 && status < 600, code);
      for (const sentence of [title.id, title.en, detail.id, detail.en]) assert.ok(sentence.length > 3, code);
      assert.notEqual(detail.id, detail.en, code);
      assert.match(detail.id, /\.$/, code);
      assert.match(detail.en, /\.$/, code);
    }
  });
});

describe('pages of the API', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  it('explain each problem type at its own address, in both languages', async () => {
    const { body } = await api.call('/nowhere');
    for (const [language, title] of [
      ['id', 'Tidak ditemukan'],
      ['en', 'Not found'],
    ]) {
      const page = await fetch(String(body.type), { headers: { 'accept-language': language ?? '' } });
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.match(await page.text(), new RegExp(`<h1>${title}</h1>`));
    }
    assert.equal((await fetch(`${api.url}/problems/no_such_code`)).status, 404);
  });

  it('show the reference at /docs from this server alone', async () => {
    const page = await fetch(`${api.url}/docs`);
    const html = await page.text();
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
    assert.equal(sources.length, 3);
    for (const source of sources) {
      assert.match(source, /^\/docs\//);
      assert.equal((await fetch(`${api.url}${source}`)).status, 200, source);
    }
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /script-src 'self';.*connect-src 'self'/);
    assert.ok(!/<script>|https?:/.test(html), 'nothing inline, nothing from elsewhere');
  });
});
