import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { defineRoute, json, type Route } from '../../api/route.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const base = { summary: 'a route of a test', tags: ['Test'], permission: 'public' } as const;
let received: unknown;
const seen = { 200: { description: 'done', schema: z.object({ admin: z.boolean() }) } };
const isAdmin = (value: object): boolean => 'admin' in value;

const routes: readonly Route[] = [
  defineRoute({
    ...base,
    method: 'put',
    path: '/test/strict',
    body: z.strictObject({ name: z.string(), n: z.number().optional() }),
    responses: seen,
    handler: async ({ body }) => {
      received = body;
      return json(200, { admin: isAdmin(body) });
    },
  }),
  defineRoute({
    ...base,
    method: 'put',
    path: '/test/free',
    body: z.strictObject({ form: z.record(z.string(), z.unknown()) }),
    responses: seen,
    handler: async ({ body }) => {
      received = body;
      return json(200, { admin: isAdmin(body.form) || isAdmin({}) });
    },
  }),
  defineRoute({
    ...base,
    method: 'post',
    path: '/test/file',
    idempotent: false,
    multipart: { file: 'file', maxBytes: 100_000 },
    responses: seen,
    handler: async () => json(200, { admin: false }),
  }),
];

describe('a body', () => {
  let database: TestDatabase;
  let api: TestApi;
  let target: URL;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, {}, routes);
    target = new URL(api.url);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const put = async (path: string, body: string | Buffer, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${api.url}/api/v1${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'accept-language': 'en', ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    return { status: answer.status, body: problem.parse(await answer.json()) };
  };
  const refused = async (...given: Parameters<typeof put>) => {
    const { status, body } = await put(...given);
    return [status, body.code];
  };

  /** Says hello as HTTP/1.1 and gathers what comes back. */
  const open = () => {
    const socket: Socket = connect(Number(target.port), target.hostname);
    const heard = { text: '', closed: false };
    socket.on('data', (chunk: Buffer) => {
      heard.text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      heard.closed = true;
    });
    return { socket, heard };
  };
  const head = (path: string, ...headers: string[]) =>
    [`PUT /api/v1${path} HTTP/1.1`, `Host: ${target.host}`, 'Content-Type: application/json', ...headers, '', ''].join(
      '\r\n',
    );

  describe('that is too long', () => {
    it('is refused by its Content-Length before a byte of it has come', async () => {
      const { socket, heard } = open();
      socket.write(head('/test/strict', 'Content-Length: 10000000'));
      await until(() => heard.text.includes('file_too_large'));
      assert.match(heard.text, /^HTTP\/1\.1 413 /);
      socket.destroy();
    });

    it('is refused without "100 Continue", which another is told to go on with', async () => {
      const long = open();
      long.socket.write(head('/test/strict', 'Content-Length: 10000000', 'Expect: 100-continue'));
      await until(() => long.heard.text.includes('file_too_large'));
      assert.ok(!long.heard.text.includes('100 Continue'));
      const short = open();
      short.socket.write(head('/test/strict', 'Content-Length: 15', 'Expect: 100-continue'));
      await until(() => short.heard.text.includes('100 Continue'));
      short.socket.write('{"name":"Sari"}');
      await until(() => short.heard.text.includes('HTTP/1.1 200'));
      for (const { socket } of [long, short]) socket.destroy();
    });

    it('is refused as soon as it is, when it does not say its length, and then hung up on', async function () {
      this.timeout(10_000);
      const { socket, heard } = open();
      socket.write(head('/test/strict', 'Transfer-Encoding: chunked'));
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
      for (let sent = 0; sent < 5; sent += 1) socket.write(chunk);
      await until(() => heard.text.includes('file_too_large'));
      const sending = setInterval(() => socket.writable && socket.write('1\r\nx\r\n'), 50);
      try {
        await until(() => heard.closed, 4_000);
      } finally {
        clearInterval(sending);
      }
    });

    it('is refused in a form with a file, too', async () => {
      const { socket, heard } = open();
      socket.write(
        `POST /api/v1/test/file HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000000\r\n\r\n`,
      );
      await until(() => heard.text.includes('file_too_large'));
      socket.destroy();
    });

    it('is read up to the limit', async () => {
      const fits = JSON.stringify({ name: 'x'.repeat(255_000) });
      assert.deepEqual(await refused('/test/strict', fits), [200, undefined]);
      assert.deepEqual(await refused('/test/strict', JSON.stringify({ name: 'x'.repeat(256_000) })), [
        413,
        'file_too_large',
      ]);
    });
  });

  describe('as JSON', () => {
    it('may be nested 32 levels deep, and no deeper', async () => {
      const nested = (levels: number) => `{"form":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;
      assert.deepEqual(await refused('/test/free', nested(32)), [200, undefined]);
      assert.deepEqual(await refused('/test/free', nested(33)), [400, 'malformed_request']);
      assert.deepEqual(await refused('/test/free', nested(100_000)), [400, 'malformed_request']);
    });

    it('may not give a key two values, at whatever depth; the answer names the key', async () => {
      for (const text of [
        '{"name":"a","name":"b"}',
        '{"name":"a","n\\u0061me":"b"}',
        '{"name":"a","x":[{"name":1,"name":2}]}',
        '{"name":{"a":1},"name":{"a":1,"b":2}}',
      ]) {
        const { status, body } = await put('/test/strict', text);
        assert.deepEqual([status, body.code], [400, 'malformed_request'], text);
        assert.deepEqual(body.errors, [{ pointer: '', code: 'duplicate_key', detail: 'name' }]);
      }
      const { body } = await put('/test/strict', '{"name":"a","name":"b"}');
      assert.equal(body.detail, 'The key "name" stands twice in one object.');
    });

    it('may not say the same twice either', async () => {
      for (const text of [
        '{"name":"a","name":"a"}',
        '{"x":[{"name":1 , "name"\n:1}]}',
        '{"name":"\\\\","name":"\\\\"}',
      ]) {
        assert.deepEqual(await refused('/test/free', text), [400, 'malformed_request'], text);
      }
    });

    it('may hold what looks like a key inside a text', async () => {
      for (const text of ['{"form":{"a":"\\"a\\":","b":"\\\\","c":": \\\\\\":"}}', '{"form":{"":1,"a":["a","a"]}}']) {
        assert.deepEqual(await refused('/test/free', text), [200, undefined], text);
      }
    });

    it('keeps its values: numbers, text of all kinds, equal names in different objects', async () => {
      const form = {
        n: 12.5,
        e: 1e21,
        small: -0.1,
        text: 'Rp “é” \u2028 😀 \\ "',
        yes: true,
        none: null,
        a: [{ k: 1 }, { k: 2 }],
      };
      assert.equal((await put('/test/free', JSON.stringify({ form }))).status, 200);
      assert.deepEqual(received, { form });
    });

    it('does no harm with keys that every object has', async () => {
      const evil = '{"form":{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}}';
      const { status, body } = await put('/test/free', evil);
      assert.deepEqual([status, body.admin], [200, false]);
      assert.deepEqual(await refused('/test/strict', '{"name":"x","__proto__":{"admin":true}}'), [
        422,
        'invalid_request',
      ]);
      assert.deepEqual(await refused('/test/strict', '{"name":"x","constructor":1}'), [422, 'invalid_request']);
      assert.equal(isAdmin({}), false);
    });

    it('is in UTF-8', async () => {
      for (const charset of ['utf-16', 'iso-8859-1', '"latin1"', 'utf-7', 'x-user-defined'])
        assert.deepEqual(
          await refused('/test/strict', '{"name":"x"}', { 'content-type': `application/json; charset=${charset}` }),
          [415, 'unsupported_media_type'],
          charset,
        );
      for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8'])
        assert.equal(
          (await put('/test/strict', '{"name":"x"}', { 'content-type': `application/json;charset=${charset}` })).status,
          200,
        );
      const broken = Buffer.concat([Buffer.from('{"name":"'), Buffer.of(0xc3, 0x28), Buffer.from('"}')]);
      assert.deepEqual(await refused('/test/strict', broken), [400, 'malformed_request']);
      assert.deepEqual(await refused('/test/strict', Buffer.from('{"name":"x"}', 'utf16le')), [
        400,
        'malformed_request',
      ]);
    });

    it('is not packed: what unpacks to gigabytes is small on its way', async () => {
      const bomb = gzipSync(Buffer.alloc(5_000_000, 0x20));
      for (const encoding of ['gzip', 'br', 'deflate', 'gzip, gzip', 'identity, gzip'])
        assert.deepEqual(
          await refused('/test/strict', bomb, { 'content-encoding': encoding }),
          [415, 'unsupported_media_type'],
          encoding,
        );
      assert.equal((await put('/test/strict', '{"name":"x"}', { 'content-encoding': 'identity' })).status, 200);
      const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-encoding': 'gzip' };
      const form = { method: 'POST', headers, body: new Uint8Array(bomb) };
      assert.equal((await fetch(`${api.url}/api/v1/test/file`, form)).status, 415);
    });
  });
});

const problem = z.looseObject({
  code: z.string().optional(),
  detail: z.string().optional(),
  admin: z.boolean().optional(),
  errors: z.unknown().optional(),
});

async function until(holds: () => boolean, withinMs = 3_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error('it did not come to pass in time');
    await delay(10);
  }
}
