import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { localeOf } from '../../api/request.ts';
import { defineRoute, html, json, noContent, type Route } from '../../api/route.ts';
import { connect } from '../../db/connection.ts';
import { Failure, type FailureCode } from '../../domain/failures.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const base = { summary: 'a route of a test', tags: ['Test'] };
const ok = { 200: { description: 'done', schema: z.object({ done: z.boolean() }) } };

/** What the next call of /test/throw throws. */
let thrown: unknown;

const routes: readonly Route[] = [
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/public',
    permission: 'public',
    responses: ok,
    handler: async () => json(200, { done: true }),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/staff',
    permission: 'system.read',
    responses: ok,
    handler: async () => json(200, { done: true }),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/things/:id',
    permission: 'profile.use',
    params: z.object({ id: z.uuid() }),
    query: z.strictObject({ limit: z.coerce.number().int().max(100).optional() }),
    responses: ok,
    handler: async () => json(200, { done: true }),
  }),
  defineRoute({
    ...base,
    method: 'put',
    path: '/test/body',
    permission: 'public',
    body: z.strictObject({ name: z.string().min(2), inner: z.object({ 'a/b': z.enum(['x', 'y']) }).optional() }),
    responses: ok,
    handler: async () => json(200, { done: true }),
  }),
  defineRoute({
    ...base,
    method: 'post',
    path: '/test/throw',
    permission: 'profile.use',
    idempotent: false,
    workflow: { gone: 'already_closed' },
    responses: { 204: { description: 'never' } },
    handler: async () => {
      if (thrown !== undefined) throw thrown;
      return noContent();
    },
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/page',
    permission: 'public',
    responses: { 200: { description: 'a page', contentType: 'text/html' } },
    handler: async () => html(200, '<style>p{color:red}</style><p>hello</p>'),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/slow',
    permission: 'public',
    responses: ok,
    handler: async () => {
      await delay(20);
      return json(200, { done: true });
    },
  }),
];

describe('the frame of the API', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let verifier: TestPerson;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, {}, routes);
    owner = await api.person('owner');
    verifier = await api.person('verifier');
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const throwing = async (error: unknown, options: { as?: TestPerson; headers?: Record<string, string> } = {}) => {
    thrown = error;
    return api.call('/test/throw', { as: options.as ?? owner, body: {}, headers: options.headers ?? {} });
  };

  describe('a request ID', () => {
    it('of the caller is kept, in the answer and in the log line', async () => {
      const { headers } = await api.call('/test/public', { headers: { 'x-request-id': 'from-my-proxy-1' } });
      assert.equal(headers.get('x-request-id'), 'from-my-proxy-1');
      const line = await logged(api, 'from-my-proxy-1');
      assert.equal(line.pattern, '/api/v1/test/public');
      assert.equal(line.status, 200);
      assert.equal(line.method, 'GET');
    });

    it('that could break a log line is replaced', async () => {
      for (const bad of ['short', 'with space in it', 'x'.repeat(101), '{"level":"fatal"}']) {
        const { headers } = await api.call('/test/public', { headers: { 'x-request-id': bad } });
        assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      }
    });
  });

  describe('the door', () => {
    it('lets nobody in without a credential, and says how to get one', async () => {
      const { status, headers, body } = await api.call('/test/things/x');
      assert.equal(status, 401);
      assert.equal(headers.get('www-authenticate'), 'Bearer');
      assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8');
      assert.equal(body.code, 'unauthenticated');
    });

    it('refuses an API key that nobody was given', async () => {
      assert.equal((await api.call('/test/staff', { headers: { 'x-api-key': 'alur_live_x' } })).status, 401);
    });

    it('lets in only roles that have the right', async () => {
      assert.equal((await api.call('/test/staff', { as: owner })).body.code, 'forbidden');
      assert.equal((await api.call('/test/staff', { as: await api.person('ops') })).status, 200);
    });

    it('does not look at credentials on a public route', async () => {
      const { status } = await api.call('/test/public', { headers: { authorization: 'Bearer stale.token.here' } });
      assert.equal(status, 200);
    });
  });

  describe('a body', () => {
    const put = (body: string, headers: Record<string, string> = {}) =>
      api.call('/test/body', { method: 'PUT', body, headers });

    it('that is not JSON is 400', async () => {
      const { status, body } = await put('{"name": ');
      assert.deepEqual([status, body.code], [400, 'malformed_request']);
    });

    it('of another type is 415', async () => {
      const { status, body } = await put('name=x', { 'content-type': 'application/x-www-form-urlencoded' });
      assert.deepEqual([status, body.code], [415, 'unsupported_media_type']);
      assert.equal((await put('{}', { 'content-type': 'application/json; charset=latin1' })).status, 415);
    });

    it('of more than a megabyte is 413', async () => {
      const { status, body } = await put(JSON.stringify({ name: 'x'.repeat(1_100_000) }));
      assert.deepEqual([status, body.code], [413, 'file_too_large']);
    });

    it('with wrong, missing and unknown fields is 422 and names each place', async () => {
      const { status, body } = await put(JSON.stringify({ name: 'x', inner: { 'a/b': 'z' }, role: 'admin' }));
      assert.equal(status, 422);
      assert.deepEqual(body.errors, [
        { pointer: '/name', code: 'too_small', detail: 'at least 2 characters' },
        { pointer: '/inner/a~1b', code: 'not_allowed', detail: 'one of: x, y' },
        { pointer: '/role', code: 'unknown_field', detail: 'there is no such field' },
      ]);
      assert.deepEqual((await put('')).body.errors, [{ pointer: '/name', code: 'required', detail: 'required' }]);
      assert.deepEqual((await put('7')).body.errors, [
        { pointer: '', code: 'wrong_type', detail: 'must be of type object' },
      ]);
    });
  });

  it('answers 404 for a path parameter that cannot exist, 422 for a wrong query, 404 for an unknown path', async () => {
    assert.equal((await api.call('/test/things/not-a-uuid', { as: owner })).status, 404);
    const wrong = await api.call('/test/things/00000000-0000-4000-8000-000000000000?limit=101', { as: owner });
    assert.equal(wrong.status, 422);
    assert.deepEqual(wrong.body.errors, [{ pointer: '/limit', code: 'too_big', detail: 'at most 100' }]);
    const unknown = await api.call('/nowhere?secret=1', { headers: { 'x-request-id': 'request-0404' } });
    assert.deepEqual(unknown.body, {
      type: `${api.url}/problems/not_found`,
      title: 'Not found',
      status: 404,
      detail: 'There is nothing here, or nothing that you may see. Check the address and the ID.',
      code: 'not_found',
      instance: '/api/v1/nowhere',
      requestId: 'request-0404',
    });
  });

  describe('a refusal', () => {
    it('tells what the rule said in English, and its own sentence in Indonesian', async () => {
      const failure = new Failure('stage_changed', 'The case is at approval now.', { stage: 'approval' });
      const english = await throwing(failure);
      assert.deepEqual(
        [english.status, english.body.detail, english.body.stage],
        [409, 'The case is at approval now.', 'approval'],
      );
      const indonesian = await throwing(failure, { headers: { 'accept-language': 'id-ID,id;q=0.9,en;q=0.5' } });
      assert.equal(indonesian.body.title, 'Tahap sudah berganti');
      assert.equal(indonesian.body.detail, 'Permohonan sudah berada di tahap lain. Baca lagi permohonannya.');
    });

    it('of a running process arrives as its own code, with the winner by name for staff', async () => {
      const winner = await api.person('examiner');
      const facts = {
        decidedBy: winner.id,
        decidedAt: '2026-03-02T09:30:00+07:00',
        decision: 'approve',
        stage: 'approval',
      };
      const cause = ApplicationFailure.create({
        type: 'already_decided',
        message: 'Already decided.',
        nonRetryable: true,
        details: [facts],
      });
      const refused = new WorkflowUpdateFailedError('Workflow Update failed', cause);

      const { status, body } = await throwing(refused, { as: verifier });
      assert.deepEqual([status, body.code], [409, 'already_decided']);
      assert.equal(body.detail, `Already decided. First was ${winner.name} (approve, 2026-03-02T09:30:00+07:00).`);
      const { decidedBy, ...rest } = facts;
      assert.deepEqual(body.conflict, { decidedBy: { id: decidedBy, name: winner.name }, ...rest });

      const toOwner = await throwing(refused, { as: owner });
      assert.equal(toOwner.body.conflict, undefined);
      assert.ok(!JSON.stringify(toOwner.body).includes(winner.id));
    });

    it('is what the route says when the process has ended, before or during the call', async () => {
      const ended = [
        new WorkflowNotFoundError('no such workflow', 'license-review/x', undefined),
        new WorkflowUpdateFailedError('failed', ApplicationFailure.create({ type: 'AcceptedUpdateCompletedWorkflow' })),
      ];
      for (const error of ended) assert.equal((await throwing(error)).body.code, 'already_closed');
    });
  });

  it('answers 202 and asks for a repeat when a process has not answered in time', async () => {
    const { status, body, headers } = await throwing(new WorkflowUpdateRPCTimeoutOrCancelledError('timed out'));
    assert.equal(status, 202);
    assert.equal(body.status, 'accepted');
    assert.match(String(body.detail), /same Idempotency-Key/);
    assert.ok(headers.get('retry-after'));
  });

  describe('503 with Retry-After', () => {
    const grpc = (code: number) => Object.assign(new Error('14 UNAVAILABLE'), { code, details: '', metadata: {} });
    const away: [string, unknown][] = [
      ['Temporal is unavailable', new ServiceError('x', { cause: grpc(14) })],
      ['Temporal does not answer in time', grpc(4)],
      ['PostgreSQL refuses connections', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
      ['PostgreSQL is being stopped', Object.assign(new Error('terminating'), { code: '57P01', severity: 'FATAL' })],
      ['PostgreSQL hangs up', new Error('Connection terminated unexpectedly')],
    ];
    for (const [when, error] of away) {
      it(`when ${when}`, async () => {
        const { status, body, headers } = await throwing(error);
        assert.deepEqual([status, body.code, headers.get('retry-after')], [503, 'temporarily_unavailable', '5']);
      });
    }

    it('when no connection to PostgreSQL can be had, for real', async () => {
      const db = connect('postgres://nobody@127.0.0.1:1/nothing', 1);
      const lonely = await startApi({ db, url: 'postgres://nobody@127.0.0.1:1/nothing' });
      try {
        const { status, body } = await lonely.call('/auth/login', { body: { email: 'a@b.id', password: 'x' } });
        assert.deepEqual([status, body.code], [503, 'temporarily_unavailable']);
        assert.ok(!JSON.stringify(body).includes('ECONNREFUSED'));
      } finally {
        await lonely.close();
        await db.destroy();
      }
    });
  });

  describe('500', () => {
    const unexpected: [string, unknown][] = [
      ['an ordinary bug', new TypeError('secret inner text')],
      [
        'a constraint',
        Object.assign(new Error('insert into users … secret inner text'), {
          code: '23505',
          severity: 'ERROR',
          constraint: 'users_email',
        }),
      ],
      [
        'an unknown failure of a process',
        new WorkflowUpdateFailedError(
          'x',
          ApplicationFailure.create({ type: 'TypeError', message: 'secret inner text' }),
        ),
      ],
      [
        'a failure that names itself internal',
        new Failure('internal_error' satisfies FailureCode, 'secret inner text'),
      ],
      ['something that is no error', 'secret inner text'],
    ];
    for (const [name, error] of unexpected) {
      it(`tells nothing of ${name}`, async () => {
        const { status, body } = await throwing(error);
        assert.deepEqual([status, body.code], [500, 'internal_error']);
        assert.ok(!JSON.stringify(body).includes('secret inner text'));
        const line = api.log.findLast((text) => text.includes(String(body.requestId)) && text.includes('"level":50'));
        assert.ok(line, 'it is logged as an error, with the request ID');
      });
    }

    it('logs no values of a statement', async () => {
      await throwing(Object.assign(new Error(`insert 'sari@example.id'`), { code: '23505', severity: 'ERROR' }));
      assert.equal(
        api.log.find((line) => line.includes('sari@example.id')),
        undefined,
      );
    });
  });

  describe('a read', () => {
    it('carries an ETag, and is 304 for who has it already', async () => {
      const first = await fetch(`${api.url}/api/v1/test/public`);
      const etag = first.headers.get('etag') ?? '';
      assert.match(etag, /^"[\w-]+"$/);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await fetch(`${api.url}/api/v1/test/public`, { headers: { 'if-none-match': known } });
        assert.equal(again.status, 304);
        assert.equal(again.headers.get('etag'), etag);
        assert.equal(await again.text(), '');
      }
      const other = await fetch(`${api.url}/api/v1/test/public`, { headers: { 'if-none-match': '"other"' } });
      assert.equal(other.status, 200);
    });
  });

  describe('security headers', () => {
    it('forbid everything for JSON', async () => {
      const { headers } = await api.call('/test/public');
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('x-powered-by'), null);
    });

    it('allow a page its own styles by hash, no others', async () => {
      const response = await fetch(`${api.url}/api/v1/test/page`);
      const policy = response.headers.get('content-security-policy') ?? '';
      assert.match(policy, /style-src 'sha256-[\w+/=]{44}'/);
      assert.ok(!policy.includes('unsafe'));
    });
  });

  it('logs neither bodies nor query values nor tokens', async () => {
    await api.call('/test/things/x?limit=quiet-please', { as: owner });
    await api.call('/test/body', { method: 'PUT', body: { name: 'quiet-please' } });
    assert.ok(!api.log.some((line) => line.includes('quiet-please') || line.includes(owner.token)));
  });

  it('keeps simultaneous answers apart', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `request-${1000 + index}`);
    const answers = await Promise.all(ids.map((id) => api.call('/test/slow', { headers: { 'x-request-id': id } })));
    assert.deepEqual(
      answers.map(({ headers }) => headers.get('x-request-id')),
      ids,
    );
  });
});

describe('declaring a route', () => {
  const declare = (over: object) => () =>
    defineRoute({
      ...base,
      method: 'post',
      path: '/x',
      permission: 'public',
      responses: ok,
      handler: async () => json(200, { done: true }),
      ...over,
    });

  it('fails for what would be open by mistake', () => {
    assert.throws(declare({ permission: undefined }), /declares no permission/);
    assert.throws(declare({ permission: 'everything.do' }), /declares no permission/);
    assert.throws(declare({ path: '/x/:id' }), /no schema for its path parameters/);
    assert.throws(declare({ body: z.object({}) }), /takes unknown fields/);
    assert.throws(
      declare({ responses: { 200: { description: 'file', contentType: 'application/pdf' } } }),
      /idempotent: false/,
    );
  });
});

describe('the language of an answer', () => {
  it('is the first of Accept-Language that Alur speaks, and Indonesian otherwise', () => {
    const cases: [string | undefined, string][] = [
      [undefined, 'id'],
      ['en', 'en'],
      ['EN-us,id;q=0.5', 'en'],
      ['id;q=0.4, en;q=0.8', 'en'],
      ['fr, de;q=0.9', 'id'],
      ['fr, en;q=0.3', 'en'],
      ['en;q=0', 'id'],
      ['*', 'id'],
    ];
    for (const [header, locale] of cases) assert.equal(localeOf(header), locale, header);
  });
});

const requestLine = z.object({ pattern: z.string(), status: z.number(), method: z.string() });

/** The log line of a request; it is written when the answer is out, so it may come a moment after it. */
async function logged(api: TestApi, requestId: string): Promise<z.infer<typeof requestLine>> {
  for (let tries = 0; tries < 100; tries += 1) {
    const line = api.log.find((text) => text.includes(`"requestId":"${requestId}"`));
    if (line !== undefined) return requestLine.parse(JSON.parse(line));
    await delay(10);
  }
  throw new Error(`no log line for ${requestId}`);
}
