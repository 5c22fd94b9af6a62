import assert from 'node:assert/strict';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const LISTED = 'https://portal.example';
const UNLISTED = 'https://portal.example.evil.test';

describe('pages elsewhere that call the API', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, { corsOrigins: [LISTED, 'https://other.example'] });
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const ask = (path: string, method: string, headers: Record<string, string>) =>
    fetch(`${api.url}${path}`, { method, headers });
  const preflight = (path: string, origin: string) =>
    ask(path, 'OPTIONS', {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,if-match',
    });
  const corsHeaders = ({ headers }: Response) =>
    [...headers.keys()].filter((name) => name.startsWith('access-control-'));

  it('are asked for no credential before they have one to send', async () => {
    const answer = await preflight('/api/v1/users/companies', LISTED);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('access-control-allow-origin'), LISTED);
    assert.match(answer.headers.get('access-control-allow-methods') ?? '', /PUT/);
    const allowed = answer.headers.get('access-control-allow-headers') ?? '';
    for (const name of ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match'])
      assert.match(allowed, new RegExp(name));
    assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    assert.match(answer.headers.get('vary') ?? '', /Origin/);
  });

  it('may read an answer, a refusal too, and the headers that a client needs', async () => {
    const { status, headers } = await ask('/api/v1/users/profile', 'GET', { origin: LISTED });
    assert.equal(status, 401);
    assert.equal(headers.get('access-control-allow-origin'), LISTED);
    const exposed = headers.get('access-control-expose-headers')?.split(',') ?? [];
    for (const name of ['ETag', 'Location', 'Retry-After', 'RateLimit', 'X-Request-Id', 'Idempotency-Replayed'])
      assert.ok(exposed.includes(name), name);
  });

  it('get nothing when they are not on the list', async () => {
    for (const origin of [UNLISTED, 'null', 'http://portal.example', 'https://PORTAL.example:444']) {
      const answers = [
        await preflight('/api/v1/users/companies', origin),
        await ask('/api/v1/users/profile', 'GET', { origin }),
      ];
      for (const answer of answers) {
        assert.deepEqual(corsHeaders(answer), [], origin);
        assert.match(answer.headers.get('vary') ?? '', /Origin/);
      }
    }
  });

  it('get nothing of pages and webhooks', async () => {
    for (const path of ['/webhooks/midtrans', '/pay/x', '/docs/', '/metrics', '/csp-reports', '/api/v1x']) {
      assert.deepEqual(corsHeaders(await preflight(path, LISTED)), [], path);
      assert.deepEqual(corsHeaders(await ask(path, 'GET', { origin: LISTED })), [], path);
    }
  });

  it('get nothing at all while the list is empty', async () => {
    const closed = await startApi(database);
    try {
      const answer = await fetch(`${closed.url}/api/v1/users/profile`, { headers: { origin: LISTED } });
      assert.deepEqual(corsHeaders(answer), []);
    } finally {
      await closed.close();
    }
  });
});
