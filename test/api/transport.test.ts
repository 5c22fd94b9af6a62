import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineRoute, html, json, noContent, type Route, stream } from '../../api/route.ts';
import { SERVER_LIMITS } from '../../api/server-limits.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const base = { summary: 'a route of a test', tags: ['Test'], permission: 'public' } as const;
const NASTY = 'a\r\nSet-Cookie: x=1\r\n\u001b[31mred\u001b[0m\n{"level":60}';

const routes: readonly Route[] = [
  defineRoute({
    ...base,
    method: 'put',
    path: '/test/body',
    body: z.strictObject({ name: z.string().max(5) }),
    responses: { 204: { description: 'done' } },
    handler: async () => noContent(),
  }),
  defineRoute({
    ...base,
    method: 'post',
    path: '/test/file',
    idempotent: false,
    multipart: { file: 'file', maxBytes: 100_000 },
    responses: { 204: { description: 'done' } },
    handler: async () => noContent(),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/named',
    responses: { 200: { description: 'a file', contentType: 'text/plain' } },
    handler: async () => stream('text/plain', Readable.from(['x']), { filename: NASTY }),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/endless',
    responses: { 200: { description: 'a file', contentType: 'text/plain' } },
    handler: async () => stream('text/plain', Readable.from(endless())),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/header',
    responses: { 200: { description: 'never', schema: z.object({}) } },
    handler: async () => json(200, {}, { headers: { Location: NASTY } }),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/test/broken',
    responses: { 204: { description: 'never' } },
    handler: async () => {
      throw new Error(NASTY);
    },
  }),
  defineRoute({
    ...base,
    method: 'get',
    base: 'root',
    path: '/test/page',
    responses: { 200: { description: 'a page', contentType: 'text/html' } },
    handler: async () => html(200, '<style>p{color:red}</style><p>hello</p>'),
  }),
];

function* endless() {
  for (;;) yield 'x'.repeat(65_536);
}

describe('transport', function () {
  this.timeout(60_000);
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

  const started = async <T>(
    work: (api: TestApi) => Promise<T>,
    ...given: Parameters<typeof startApi> extends [unknown, ...infer Rest] ? Rest : never
  ): Promise<T> => {
    const other = await startApi(database, ...given);
    try {
      return await work(other);
    } finally {
      await other.close();
    }
  };

  describe('security headers', () => {
    it('of every kind of answer hold a policy without unsafe-inline that tells where to report', async () => {
      await started(
        async ({ url }) => {
          for (const path of [
            '/api/v1/test/body',
            '/test/page',
            '/docs/',
            '/docs/swagger-ui.css',
            '/openapi.json',
            '/health/live',
            '/nowhere',
          ]) {
            const { headers } = await fetch(`${url}${path}`);
            const policy = headers.get('content-security-policy') ?? '';
            assert.match(policy, /^default-src 'none';/, path);
            assert.match(policy, /frame-ancestors 'none'; report-uri \/csp-reports; report-to csp$/, path);
            assert.ok(!policy.includes('unsafe'), path);
            assert.equal(headers.get('reporting-endpoints'), `csp="${url}/csp-reports"`, path);
            assert.equal(headers.get('x-frame-options'), 'DENY', path);
            assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
            assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
            assert.match(headers.get('permissions-policy') ?? '', /camera=\(\).*geolocation=\(\).*payment=\(\)/, path);
          }
        },
        {},
        routes,
      );
    });

    it('hold browsers to https where Alur is reached by it, and nowhere else', async () => {
      assert.equal((await fetch(`${api.url}/health/live`)).headers.get('strict-transport-security'), null);
      await started(
        async ({ url }) => {
          const { headers } = await fetch(`${url}/health/live`);
          assert.equal(headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains');
        },
        { publicUrl: 'https://alur.example' },
      );
    });
  });

  describe('reports of browsers', () => {
    const send = (type: string, body: unknown) =>
      fetch(`${api.url}/csp-reports`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    const logged = () =>
      api.log.filter((line) => line.includes('a browser reports')).map((line) => logLine.parse(JSON.parse(line)));

    it('are logged by a few fields, without queries and samples, and counted', async () => {
      const old = await send('application/csp-report', {
        'csp-report': {
          'document-uri': `${api.url}/pay/secret-0?token=secret-1`,
          'violated-directive': "script-src 'self'",
          'blocked-uri': 'https://evil.test/secret-8.js?secret-2',
          'script-sample': 'secret-3',
          'original-policy': 'secret-4',
        },
      });
      const modern = await send('application/reports+json', [
        { type: 'deprecation', body: { id: 'x' } },
        {
          type: 'csp-violation',
          url: 'secret-5',
          user_agent: 'secret-6',
          body: {
            effectiveDirective: 'style-src-attr',
            blockedURL: 'inline',
            documentURL: `${api.url}/docs/`,
            sourceFile: null,
            sample: 'secret-7',
          },
        },
      ]);
      assert.deepEqual([old.status, modern.status], [204, 204]);
      const [first, second] = logged();
      assert.deepEqual(
        [first?.directive, first?.blocked, first?.document, first?.disposition],
        ['script-src', 'https://evil.test', '/pay', 'enforce'],
      );
      assert.deepEqual([second?.directive, second?.blocked, second?.document], ['style-src-attr', 'inline', '/docs']);
      assert.ok(!api.log.some((line) => line.includes('secret-')));
      const metrics = await (await fetch(`${api.url}/metrics`)).text();
      assert.match(metrics, /alur_csp_violations_total\{directive="script-src"\} [1-9]/);
    });

    it('do not make up labels or lines', async () => {
      const report = { 'csp-report': { 'effective-directive': NASTY, 'blocked-uri': NASTY, 'document-uri': NASTY } };
      const before = api.log.length;
      assert.equal((await send('application/csp-report', report)).status, 204);
      const [line] = logged().slice(-1);
      assert.deepEqual([line?.directive, line?.blocked, line?.document], ['other', 'other', undefined]);
      for (const text of api.log.slice(before)) assert.doesNotMatch(text.trimEnd(), CONTROL);
    });

    it('of another type, too long or not JSON are refused, of another form passed over', async () => {
      assert.equal((await send('application/json', {})).status, 415);
      assert.equal((await send('application/csp-report', JSON.stringify({ a: 'x'.repeat(17_000) }))).status, 413);
      assert.equal((await send('application/csp-report', '{')).status, 400);
      assert.equal((await send('application/csp-report', '{"x":1}')).status, 204);
      assert.equal((await send('application/reports+json', '[]')).status, 204);
    });
  });

  describe('in production', () => {
    const production = { production: true, publicUrl: 'https://alur.example' };
    const ask = (url: string, path: string, proto?: string, method = 'GET') =>
      fetch(`${url}${path}`, {
        method,
        redirect: 'manual',
        headers: proto === undefined ? {} : { 'x-forwarded-proto': proto },
      });

    it('pages lead to https, the API refuses plain http, health and metrics answer', async () => {
      await started(
        async ({ url }) => {
          const page = await ask(url, '/test/page?a=1', 'http');
          assert.deepEqual([page.status, page.headers.get('location')], [308, 'https://alur.example/test/page?a=1']);
          assert.equal(
            (await ask(url, '//evil.test/x', 'http')).headers.get('location'),
            'https://alur.example//evil.test/x',
          );
          for (const [path, method] of [
            ['/api/v1/test/body', 'PUT'],
            ['/api/v1/users/profile', 'GET'],
            ['/test/page', 'POST'],
            ['/webhooks/midtrans', 'POST'],
          ] as const) {
            const answer = await ask(url, path, 'http', method);
            const body = problem.parse(await answer.json());
            assert.deepEqual([answer.status, body.code], [403, 'https_required'], path);
          }
          assert.equal((await ask(url, '/health/live', 'http')).status, 200);
          assert.equal((await ask(url, '/metrics')).status, 200);
          assert.equal((await ask(url, '/test/page', 'https')).status, 200);
        },
        { ...production, trustedProxies: 1 },
        routes,
      );
    });

    it('nobody is believed to have come by https but the proxies that are said to be there', async () => {
      await started(
        async ({ url }) => assert.equal((await ask(url, '/test/page', 'https')).status, 308),
        { ...production, trustedProxies: 0 },
        routes,
      );
      await started(
        async ({ url }) => {
          assert.equal((await ask(url, '/test/page', 'https, http')).status, 308, 'the client began the list');
          assert.equal((await ask(url, '/test/page', 'https, https')).status, 200);
          assert.equal((await ask(url, '/test/page')).status, 308);
        },
        { ...production, trustedProxies: 1 },
        routes,
      );
    });
  });

  describe('a connection', () => {
    const short = {
      ...SERVER_LIMITS,
      headersMs: 300,
      requestMs: 800,
      silenceMs: 1_000,
      checkEveryMs: 50,
      lingerMs: 200,
    };
    const restless = new Set<NodeJS.Timeout>();
    afterEach(() => {
      for (const timer of restless) clearInterval(timer);
      restless.clear();
    });

    /** Sends `first`, then `drop` every 50 ms; resolves with what came back once the server has hung up. */
    const dribble = async (url: string, first: string, drop: string) => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      let heard = '';
      let closed = false;
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closed = true;
      });
      socket.write(first);
      restless.add(setInterval(() => drop !== '' && socket.writable && socket.write(drop), 50));
      const startedAt = performance.now();
      while (!closed) {
        if (performance.now() - startedAt > 5_000) throw new Error('the server holds on');
        await delay(10);
      }
      return heard;
    };

    it('that sends its headers drop by drop is cut off', () =>
      started(
        async ({ url }) =>
          assert.match(await dribble(url, 'GET /health/live HTTP/1.1\r\n', 'X-A: b\r\n'), /^HTTP\/1\.1 408 /),
        {},
        routes,
        short,
      ));

    it('that sends its body drop by drop is cut off, with JSON as with a file', () =>
      started(
        async ({ url }) => {
          const slowJson =
            'PUT /api/v1/test/body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';
          const slowFile =
            'POST /api/v1/test/file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n' +
            '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n';
          const answers = await Promise.all([dribble(url, slowJson, ' '), dribble(url, slowFile, 'x')]);
          for (const heard of answers) assert.ok(!/^HTTP\/1\.1 2/.test(heard), heard);
        },
        {},
        routes,
        short,
      ));

    it('that goes on sending after its answer is cut off', () =>
      started(
        async ({ url }) => {
          const unread = 'POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n';
          assert.match(await dribble(url, unread, 'x'.repeat(1_000)), /^HTTP\/1\.1 404 /);
        },
        {},
        routes,
        { ...short, requestMs: 60_000 },
      ));

    it('that does not read its answer is cut off', () =>
      started(
        async ({ url, log }) => {
          const { hostname, port } = new URL(url);
          const socket = connect(Number(port), hostname);
          socket.on('error', () => undefined);
          socket.write('GET /api/v1/test/endless HTTP/1.1\r\nHost: x\r\n\r\n');
          socket.pause();
          const line = () => log.find((text) => text.includes('/test/endless') && text.includes('"cutOff":true'));
          for (let tries = 0; tries < 500 && !line(); tries += 1) await delay(10);
          assert.ok(line());
          socket.destroy();
        },
        {},
        routes,
        short,
      ));

    it('with more header than anybody needs is refused', async () => {
      const { hostname, port } = new URL(api.url);
      const heard = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), hostname);
        let text = '';
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
        });
        socket.on('close', () => resolve(text));
        socket.on('error', reject);
        socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17_000)}\r\n\r\n`);
      });
      assert.match(heard, /^HTTP\/1\.1 431 /);
    });
  });

  describe('what people type', () => {
    it('never makes a header', () =>
      started(
        async ({ url }) => {
          const file = await fetch(`${url}/api/v1/test/named`);
          assert.equal(file.status, 200);
          assert.equal(file.headers.get('set-cookie'), null);
          assert.match(file.headers.get('content-disposition') ?? '', /filename="a__Set-Cookie: x=1/);
          const header = await fetch(`${url}/api/v1/test/header`);
          assert.deepEqual([header.status, header.headers.get('set-cookie')], [500, null]);
        },
        {},
        routes,
      ));

    it('never makes a log line, and reaches no terminal as it is', () =>
      started(
        async (other) => {
          await other.call('/test/broken');
          await other.call('/test/body', { method: 'PUT', body: { name: NASTY, [NASTY]: 1 } });
          await other.call('/test/body', { method: 'PUT', body: `{"name":"${encodeURI(NASTY)}` });
          await other.call(`/nowhere/${encodeURIComponent(NASTY)}?${encodeURIComponent(NASTY)}=1`, {
            headers: { 'user-agent': '[31mred', 'x-request-id': 'abcdefgh[31m' },
          });
          await delay(20);
          assert.ok(other.log.length >= 5);
          for (const line of other.log) {
            assert.doesNotMatch(line.trimEnd(), CONTROL);
            assert.equal(typeof JSON.parse(line), 'object');
          }
          assert.ok(!other.log.some((line) => line.includes('[31m')));
        },
        {},
        routes,
      ));
  });
});

/** A line end within a line, or what starts a terminal's command. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

const problem = z.looseObject({ code: z.string() });
const logLine = z.looseObject({
  directive: z.string(),
  blocked: z.string().optional(),
  document: z.string().optional(),
  disposition: z.string(),
});
