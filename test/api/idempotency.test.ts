import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { idFromKey, requestKeyOf } from '../../api/request-key.ts';
import { defineRoute, json, type Route } from '../../api/route.ts';
import { Failure } from '../../domain/failures.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const base = { summary: 'a route of a test', tags: ['Test'] } as const;

/** What the handler was asked to do, in order; the test says how each turns out. */
let asked: string[] = [];
let answerWith: (what: string) => Promise<number> = async () => 201;

const done = z.object({
  what: z.string(),
  turn: z.number(),
  requestKey: z.string(),
  zebra: z.number(),
  apple: z.number(),
});

const routes: readonly Route[] = [
  defineRoute({
    ...base,
    method: 'post',
    path: '/test/:room/work',
    permission: 'profile.use',
    params: z.object({ room: z.string() }),
    body: z.strictObject({ what: z.string(), note: z.string().optional() }),
    responses: { 201: { description: 'done', schema: done }, 202: { description: 'later', schema: done } },
    handler: async ({ body: { what }, requestKey }) => {
      const turn = asked.push(what);
      const status = await answerWith(what);
      if (status === 409) throw new Failure('already_submitted', 'Too late.');
      if (status === 500) throw new TypeError('a bug');
      return json(
        status === 202 ? 202 : 201,
        { what, turn, requestKey, zebra: 1, apple: 2 },
        { headers: { Location: '/x' } },
      );
    },
  }),
  defineRoute({
    ...base,
    method: 'post',
    path: '/test/upload',
    permission: 'profile.use',
    multipart: { file: 'file', maxBytes: 1_000 },
    body: z.strictObject({ kind: z.string() }),
    responses: {
      201: { description: 'done', schema: z.object({ bytes: z.number(), filename: z.string(), kind: z.string() }) },
    },
    handler: async ({ file, body: { kind } }) => {
      asked.push(kind);
      return json(201, { bytes: file.content.length, filename: file.filename, kind });
    },
  }),
];

describe('a repeated POST', () => {
  let database: TestDatabase;
  let api: TestApi;
  let owner: TestPerson;
  let count = 0;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, {}, routes);
    owner = await api.person('owner');
  });
  after(async () => {
    await api.close();
    await database.drop();
  });
  beforeEach(() => {
    asked = [];
    answerWith = async () => 201;
    count += 1;
  });

  const work = (
    body: unknown,
    key: string | undefined = `key-${count}`,
    options: { as?: TestPerson; room?: string } = {},
  ) =>
    api.call(`/test/${options.room ?? 'a'}/work`, {
      body,
      as: options.as ?? owner,
      headers: key === '' ? {} : { 'idempotency-key': key },
    });
  const rows = async () => Number((await database.db('idempotency_keys').count({ n: '*' }).first())?.n);

  /** The work is not done until the function that comes back is called. */
  const hold = (): (() => void) => {
    const gate = new EventEmitter();
    const opened = once(gate, 'open');
    answerWith = async () => {
      await opened;
      return 201;
    };
    return () => gate.emit('open');
  };

  it('with the same key and body gets the first answer, to the letter, marked as a repeat', async () => {
    const send = () =>
      fetch(`${api.url}/api/v1/test/a/work`, {
        method: 'POST',
        headers: { ...owner.headers, 'content-type': 'application/json', 'idempotency-key': `key-${count}` },
        body: '{"what":"x"}',
      });
    const [first, second] = [await send(), await send()];
    assert.equal(await second.text(), await first.text());
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.deepEqual(
      [first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')],
      [null, 'true'],
    );
    assert.equal(second.headers.get('location'), '/x');
    assert.equal(second.headers.get('content-type'), first.headers.get('content-type'));
    assert.deepEqual(asked, ['x']);
  });

  it('with another body is refused', async () => {
    await work({ what: 'x' });
    const { status, body } = await work({ what: 'y' });
    assert.deepEqual([status, body.code, asked], [422, 'idempotency_key_reused', ['x']]);
  });

  it('by another person, on another path, or with another key is another request', async () => {
    await work({ what: 'x' });
    await work({ what: 'x' }, `key-${count}`, { as: await api.person('owner') });
    await work({ what: 'x' }, `key-${count}`, { room: 'b' });
    await work({ what: 'x' }, `other-${count}`);
    assert.equal(asked.length, 4);
  });

  it('while the first is running waits for its answer', async () => {
    const open = hold();
    const all = Array.from({ length: 20 }, () => work({ what: 'x' }));
    while (asked.length === 0) await delay(5);
    open();
    const answers = await Promise.all(all);
    assert.deepEqual(asked, ['x']);
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.turn]),
      Array.from({ length: 20 }, () => [201, 1]),
    );
    assert.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, 19);
  });

  it('is told to come back when the first takes too long', async function () {
    this.timeout(20_000);
    const open = hold();
    const first = work({ what: 'x' });
    while (asked.length === 0) await delay(5);
    const { status, body, headers } = await work({ what: 'x' });
    assert.deepEqual([status, body.code, headers.get('retry-after')], [409, 'request_in_progress', '2']);
    open();
    assert.equal((await first).status, 201);
    assert.equal((await work({ what: 'x' })).body.turn, 1);
  });

  it('gets a refusal again, as it was', async () => {
    answerWith = async () => 409;
    const first = await work({ what: 'x' });
    answerWith = async () => 201;
    const second = await work({ what: 'x' });
    assert.deepEqual([first.status, first.body], [409, second.body]);
    assert.equal(second.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.deepEqual(asked, ['x']);
  });

  for (const status of [500, 202]) {
    it(`after ${status} does the work again, under the same request key`, async () => {
      answerWith = async () => status;
      const first = await work({ what: 'x' });
      assert.equal(first.status, status);
      answerWith = async () => 201;
      const second = await work({ what: 'x' });
      assert.deepEqual([second.status, second.body.turn], [201, 2]);
      if (status === 202) assert.equal(second.body.requestKey, first.body.requestKey);
    });
  }

  it('after a refusal of its form may be mended and sent with the same key', async () => {
    assert.equal((await work({ what: 3 })).status, 422);
    assert.equal((await work({ what: 'x' })).status, 201);
  });

  it('takes over what a process left behind when it died, once a minute has passed', async () => {
    await work({ what: 'x' });
    const claimed = (seconds: number) =>
      database.db.raw(
        `update idempotency_keys set status = null, body = null, answered_at = null, claimed_at = now() - ? * interval '1 second'
         where scope = ?`,
        [seconds, scopeOf(`key-${count}`)],
      );
    const scopeOf = (key: string) =>
      requestKeyOf({ caller: owner.id, method: 'POST', path: '/api/v1/test/a/work', key });
    await claimed(61);
    const again = await work({ what: 'x' });
    assert.deepEqual([again.status, again.body.turn], [201, 2]);
    assert.equal((await work({ what: 'x' })).body.turn, 2, 'the second answer is the one that is kept');
  });

  it('without a key is new each time, and leaves no row', async () => {
    const before = await rows();
    const [first, second] = [await work({ what: 'x' }, ''), await work({ what: 'x' }, '')];
    assert.equal(asked.length, 2);
    assert.notEqual(first.body.requestKey, second.body.requestKey);
    assert.equal(await rows(), before);
  });

  it('is new even when a client sends one X-Request-Id with everything', async () => {
    const send = () =>
      api.call('/test/a/work', { body: { what: 'x' }, as: owner, headers: { 'x-request-id': 'always-the-same' } });
    assert.notEqual((await send()).body.requestKey, (await send()).body.requestKey);
  });

  it('with a key that is no key is refused', async () => {
    for (const key of ['with blank', 'x'.repeat(256)]) {
      const { status, body } = await work({ what: 'x' }, key);
      assert.deepEqual([status, body.code], [422, 'invalid_request'], key);
    }
    assert.equal((await work({ what: 'x' }, 'y'.repeat(255))).status, 201);
  });

  describe('of a file', () => {
    const upload = async (content: string, name: string, kind = 'k', field = 'file') => {
      const form = new FormData();
      form.set('kind', kind);
      form.set(field, new Blob([content]), name);
      const response = await fetch(`${api.url}/api/v1/test/upload`, {
        method: 'POST',
        headers: { ...owner.headers, 'idempotency-key': `file-${count}` },
        body: form,
      });
      const body = z.record(z.string(), z.unknown()).parse(await response.json());
      return { status: response.status, body, replayed: response.headers.get('idempotency-replayed') };
    };

    it('is the same when its content and fields are, though each form has a boundary of its own', async () => {
      const first = await upload('abc', 'denah lantai – é.pdf');
      assert.deepEqual([first.status, first.body], [201, { bytes: 3, filename: 'denah lantai – é.pdf', kind: 'k' }]);
      assert.equal((await upload('abc', 'denah lantai – é.pdf')).replayed, 'true');
      assert.equal((await upload('abd', 'denah lantai – é.pdf')).body.code, 'idempotency_key_reused');
      assert.equal((await upload('abc', 'denah lantai – é.pdf', 'other')).body.code, 'idempotency_key_reused');
      assert.equal(asked.length, 1);
    });

    it('that is too large is 413, in a wrong field 422, missing 422, and no form 415', async () => {
      assert.deepEqual((await upload('x'.repeat(1_001), 'a')).status, 413);
      assert.deepEqual((await upload('x', 'a', 'k', 'attachment')).body.code, 'invalid_request');
      const form = new FormData();
      form.set('kind', 'k');
      const none = await fetch(`${api.url}/api/v1/test/upload`, { method: 'POST', headers: owner.headers, body: form });
      assert.equal(none.status, 422);
      assert.equal((await api.call('/test/upload', { as: owner, body: { kind: 'k' } })).status, 415);
    });
  });
});

describe('an ID from a request key', () => {
  it('is the same UUID for the same key and noun, another for another', () => {
    const id = idFromKey('k', 'user');
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(z.uuid().safeParse(id).success);
    assert.equal(idFromKey('k', 'user'), id);
    assert.notEqual(idFromKey('k', 'company'), id);
    assert.notEqual(idFromKey('l', 'user'), id);
  });
});
