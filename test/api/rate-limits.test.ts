import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineRoute, json, type Route } from '../../api/route.ts';
import { routes as ownRoutes } from '../../api/routes/index.ts';
import { createSharedCounts } from '../../api/shared-counts.ts';
import { connect } from '../../db/connection.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { OPEN_ACCESS, startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const base = { summary: 'a route of a test', tags: ['Test'], method: 'post', idempotent: false } as const;
const ok = { 200: { description: 'done', schema: z.object({ done: z.boolean() }) } };
const done = async () => json(200, { done: true });
const email = z.strictObject({ email: z.string() });

const routes: readonly Route[] = [
  defineRoute({ ...base, path: '/test/own', permission: 'profile.use', body: email, responses: ok, handler: done }),
  defineRoute({ ...base, path: '/test/pay', permission: 'profile.use', limit: 'pay', responses: ok, handler: done }),
  defineRoute({ ...base, path: '/test/staff', permission: 'system.read', responses: ok, handler: done }),
  defineRoute({ ...base, path: '/test/case', permission: 'application.read', responses: ok, handler: done }),
  defineRoute({
    ...base,
    path: '/test/case-pay',
    permission: 'application.read',
    limit: 'pay',
    responses: ok,
    handler: done,
  }),
  defineRoute({ ...base, path: '/test/open', permission: 'public', responses: ok, handler: done }),
  defineRoute({
    ...base,
    path: '/test/login',
    permission: 'public',
    limit: 'login',
    body: email,
    responses: ok,
    handler: done,
  }),
  defineRoute({
    ...base,
    path: '/test/reset',
    permission: 'public',
    limit: 'reset',
    body: email,
    responses: ok,
    handler: done,
  }),
];

const limited = (requestsPerMinute: number) => ({ access: { ...OPEN_ACCESS, requestsPerMinute } });
const NOWHERE = 'postgres://nobody@127.0.0.1:1/nothing';

describe('rate limits', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database, { ...limited(20), trustedProxies: 1 }, routes);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  /** Statuses of so many calls, one after the other. */
  const times = async (count: number, call: () => ReturnType<TestApi['call']>): Promise<number[]> => {
    const statuses: number[] = [];
    for (let index = 0; index < count; index += 1) statuses.push((await call()).status);
    return statuses;
  };
  const each = (count: number, status: number) => Array.from({ length: count }, () => status);
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const own = (as: TestPerson, to = api) => to.call('/test/own', { as, body: { email: 'x' } });

  it('tell a caller with each answer what is left, in the fields of the draft and in the older ones', async () => {
    const person = await api.person('owner');
    const { headers } = await own(person);
    assert.equal(headers.get('ratelimit-policy'), '"default";q=20;w=60');
    assert.match(headers.get('ratelimit') ?? '', /^"default";r=19;t=(59|60)$/);
    assert.equal(headers.get('ratelimit-limit'), '20');
    assert.equal(headers.get('ratelimit-remaining'), '19');
    assert.match(headers.get('ratelimit-reset') ?? '', /^(59|60)$/);
    assert.equal((await own(person)).headers.get('ratelimit-remaining'), '18');
  });

  it('refuse with 429 and when to come back, before a body is read', async () => {
    const person = await api.person('owner');
    assert.deepEqual(await times(20, () => own(person)), each(20, 200));
    const { status, body, headers } = await api.call('/test/own', { as: person, body: '{"email": ' });
    assert.deepEqual([status, body.code], [429, 'rate_limited']);
    assert.match(headers.get('retry-after') ?? '', /^(5\d|60)$/);
    assert.match(headers.get('ratelimit') ?? '', /^"default";r=0;t=/);
    assert.equal((await own(await api.person('owner'))).status, 200, 'others go on');
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    assert.match(metrics, /alur_http_rate_limited_total\{limit="default"\} [1-9]/);
  });

  it('count a route with a limit of its own apart', async () => {
    const person = await api.person('owner');
    const pay = () => api.call('/test/pay', { as: person, method: 'POST' });
    assert.deepEqual(await times(5, pay), [200, 200, 200, 200, 429]);
    assert.equal((await own(person)).headers.get('ratelimit-remaining'), '19');
  });

  it('count requests without a right too', async () => {
    const person = await api.person('owner');
    const { status, headers } = await api.call('/test/staff', { as: person, method: 'POST' });
    assert.deepEqual([status, headers.get('ratelimit-remaining')], [403, '19']);
  });

  it('give each API key what it was made with, whatever it calls', async () => {
    const { id } = await api.person('integrator');
    const key = (requestsPerMinute: number) => ({
      id: randomUUID(),
      scopes: ['application.read' as const],
      networks: [],
      requestsPerMinute,
    });
    const tokens = await Promise.all(
      [key(3), key(50)].map((one) =>
        api.deps.tokens.issue({ userId: asId<UserId>(id), roles: ['integrator'], key: one }),
      ),
    );
    const [few = '', many = ''] = tokens.map((token) => `Bearer ${token}`);
    const call = (authorization: string) => (path: string) =>
      api.call(path, { method: 'POST', headers: { authorization } });
    assert.deepEqual(await times(3, () => call(few)('/test/case')), each(3, 200));
    assert.equal((await call(few)('/test/case-pay')).status, 429);
    assert.equal((await call(many)('/test/case')).headers.get('ratelimit-policy'), '"key";q=50;w=60');
  });

  it('count public routes by address, and an IPv6 network as one', async () => {
    const open = (address: string) => api.call('/test/open', { method: 'POST', headers: from(address) });
    assert.deepEqual(await times(60, () => open('203.0.113.7')), each(60, 200));
    assert.equal((await open('203.0.113.7')).status, 429);
    assert.equal((await open('203.0.113.8')).status, 200);
    assert.equal((await open('2001:db8:1:2::1')).headers.get('ratelimit-remaining'), '59');
    assert.equal((await open('2001:db8:1:2:ffff::9')).headers.get('ratelimit-remaining'), '58');
    assert.equal((await open('2001:db8:1:3::1')).headers.get('ratelimit-remaining'), '59');
  });

  it('count wrong and missing credentials by address: nobody tries them out without end', async () => {
    const wrong = (authorization: string) =>
      api.call('/test/own', { body: {}, headers: { authorization, ...from('203.0.113.20') } });
    assert.deepEqual(await times(30, () => wrong('Bearer a.b.c')), each(30, 401));
    assert.deepEqual(await times(30, () => wrong('Basic eDp5')), each(30, 401));
    assert.equal((await wrong('Bearer a.b.c')).status, 429);
    const nothing = await api.call('/test/own', { body: {}, headers: from('203.0.113.20') });
    assert.equal(nothing.status, 429);
    const person = await api.person('owner');
    const good = await api.call('/test/own', { body: { email: 'x' }, as: person, headers: from('203.0.113.20') });
    assert.equal(good.status, 200, 'who has a right to be here is not held up by them');
  });

  describe('that guard an account', () => {
    const ask = (path: string, who: string, address: string, to = api) =>
      to.call(path, { body: { email: who }, headers: from(address) });

    it('count the account and the network together, however the address is written', async () => {
      const who = `Sari-${randomUUID()}@Example.ID`;
      assert.equal((await ask('/test/login', who, '198.51.100.1')).status, 200);
      assert.equal((await ask('/test/login', ` ${who.toLowerCase()}`, '198.51.100.1')).status, 200);
      const { status, headers } = await ask('/test/login', who, '198.51.100.1');
      assert.equal(status, 429);
      assert.equal(headers.get('ratelimit-policy'), '"login-account";q=2;w=60');
      assert.ok(Number(headers.get('retry-after')) > 50);
      assert.equal((await ask('/test/login', who, '198.51.100.2')).status, 200, 'the owner elsewhere gets in');
      assert.equal((await ask('/test/login', 'other@example.id', '198.51.100.1')).status, 200);
    });

    it('hold an hour for letters that anybody can ask for', async () => {
      const who = `${randomUUID()}@example.id`;
      assert.equal((await ask('/test/reset', who, '198.51.100.3')).status, 200);
      const { status, headers } = await ask('/test/reset', who, '198.51.100.3');
      assert.deepEqual([status, headers.get('ratelimit-policy')], [429, '"reset-account";q=1;w=3600']);
      assert.ok(Number(headers.get('retry-after')) > 3_500);
    });

    it('count in all processes at once, and write nobody’s address down', async () => {
      const other = await startApi(database, { ...limited(20), trustedProxies: 1 }, routes);
      try {
        const who = `${randomUUID()}@example.id`;
        const answers = [
          await ask('/test/login', who, '198.51.100.4'),
          await ask('/test/login', who, '198.51.100.4', other),
        ];
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200],
        );
        assert.equal((await ask('/test/login', who, '198.51.100.4', other)).status, 429);
        assert.equal((await ask('/test/login', who, '198.51.100.4')).status, 429);
        const keys: string[] = await database.db('rate_limits').where('key', 'like', '%-account:%').pluck('key');
        assert.ok(keys.length > 0);
        for (const key of keys) assert.match(key, /^(login|reset)-account:[0-9a-f]{64}$/);
      } finally {
        await other.close();
      }
    });
  });

  it('hold for two processes together, with one statement a second and not one a request', async () => {
    const other = await startApi(database, limited(20), routes);
    const statements: string[] = [];
    const note = ({ sql }: { sql: string }) => void (sql.includes('insert into rate_limits') && statements.push(sql));
    database.db.on('query', note);
    try {
      const person = await api.person('owner');
      assert.deepEqual(await times(19, () => own(person)), each(19, 200));
      await counted(`default:${person.id}`, 19);
      assert.ok(statements.length <= 3, `${statements.length} statements`);
      const elsewhere = await other.deps.tokens.issue({ userId: person.id, roles: ['owner'] });
      const there = { ...person, headers: { authorization: `Bearer ${elsewhere}` } };
      assert.equal((await own(there, other)).status, 200, 'it does not know yet');
      await settled(person, 20);
      assert.equal((await own(there, other)).status, 429, 'now it does');
      assert.equal((await own(person)).status, 200, 'the slack of a second');
      await settled(person, 21);
      assert.equal((await own(person)).status, 429);
    } finally {
      database.db.off('query', note);
      await other.close();
    }
  });

  it('are counted in memory while PostgreSQL is away, which is logged once', async () => {
    const db = connect(NOWHERE, 1);
    const lonely = await startApi({ db, url: NOWHERE }, limited(20), routes);
    const lines = (text: string) => lonely.log.filter((line) => line.includes(text));
    try {
      const open = () => lonely.call('/test/open', { method: 'POST' });
      const logIn = () => lonely.call('/test/login', { body: { email: 'sari@example.id' } });
      assert.deepEqual(await times(3, logIn), [200, 200, 429]);
      assert.deepEqual(await times(61, open), [...each(60, 200), 429]);
      await until(async () => lines('requests are counted by each process').length > 0);
      await delay(1_200);
      assert.equal(lines('requests are counted by each process').length, 1);
      assert.equal(lines('log-ins are counted by each process').length, 1);
    } finally {
      await lonely.close();
      await db.destroy();
    }
  });

  it('rise with the configured number, all of them', async () => {
    const generous = await startApi(database, limited(1_000_000), routes);
    try {
      const who = { email: 'sari@example.id' };
      const [own, login, reset] = await Promise.all([
        generous.call('/test/open', { method: 'POST' }),
        generous.call('/test/login', { body: who }),
        generous.call('/test/reset', { body: who }),
      ]);
      assert.equal(own.headers.get('ratelimit-limit'), '3000000');
      assert.equal(login.headers.get('ratelimit-limit'), '100000');
      assert.equal(reset.headers.get('ratelimit-limit'), '50000');
    } finally {
      await generous.close();
    }
  });

  it('let go of counters whose window is over, in memory and in the table', async () => {
    const { db, logger } = { db: database.db, logger: api.deps.logger };
    const counts = createSharedCounts({ db, logger });
    const of = counts.of('test');
    const now = Date.now();
    const first = of('somebody', now);
    counts.add(first);
    assert.equal(of('somebody', now + 59_999), first);
    assert.equal(of('somebody', now + 60_001).used, 0);
    await counts.close();
    await counted('test:somebody', 1);

    await database
      .db('rate_limits')
      .where({ key: 'test:somebody' })
      .update({ expire: now - 1, points: 7 });
    const later = createSharedCounts({ db, logger });
    later.add(later.of('test')('somebody', now));
    await later.close();
    await counted('test:somebody', 1);
  });

  it('are set on the routes that need them', () => {
    const limitOf = (method: string, path: string) =>
      ownRoutes.find((route) => route.method === method && route.path === path)?.limit;
    assert.equal(limitOf('get', '/licenses/status/:id'), 'status');
    assert.equal(limitOf('post', '/auth/login'), 'login');
    assert.equal(limitOf('post', '/pay/:invoiceId'), 'pay');
    assert.equal(limitOf('post', '/webhooks/:gateway'), 'webhook');
    assert.ok(ownRoutes.filter(({ multipart }) => multipart).every(({ limit }) => limit === 'upload'));
  });

  /** The sum is in the table, and a moment later with the process that put it there. */
  const settled = async ({ id }: TestPerson, points: number) => {
    await counted(`default:${id}`, points);
    await delay(250);
  };
  const counted = (key: string, points: number) =>
    until(async () => (await database.db('rate_limits').where({ key }).first('points'))?.points === points);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await delay(50);
  }
  throw new Error('it did not come to pass within five seconds');
}
