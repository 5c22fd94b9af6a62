/** Every route against every role, every scope of a key, and every state of a caller: what the table says is what happens. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { defineRoute, json, patternOf, type Route } from '../../api/route.ts';
import { routes } from '../../api/routes/index.ts';
import { keyMay } from '../../domain/api-keys.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { may, type Permission, ROLES, type Role, SCOPES, type Scope } from '../../domain/roles.ts';
import { OPEN_ACCESS, startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { temporal } from '../support/machine.ts';

type Guarded = Route & { readonly permission: Permission };
const isGuarded = (route: Route): route is Guarded => route.permission !== 'public';
const guarded = routes.filter(isGuarded);
const nameOf = (route: Route): string => `${route.method.toUpperCase()} ${patternOf(route)}`;

/** What the door itself refuses with: any other 403 is a rule of the route's own. */
const DOOR = ['forbidden', 'step_up_required', 'email_not_verified', 'second_factor_setup_required'];

describe('rights', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    api = await startApi(database, { temporal: new Client({ connection }) });
  });
  after(async () => {
    await api.close();
    await connection.close();
    await database.drop();
  });

  /** A field that no body has: whoever comes past the door is told of it, and nothing is changed. */
  const WRONG_BODY = JSON.stringify({ no_such_field: true });

  async function knock(
    route: Route,
    headers: Readonly<Record<string, string>>,
    at = api.url,
  ): Promise<{ status: number; code: string }> {
    const path = patternOf(route).replace(/:\w+/g, () => randomUUID());
    const takesBody = route.method === 'post' || route.method === 'put';
    const response = await fetch(at + path, {
      method: route.method.toUpperCase(),
      redirect: 'manual',
      headers: { ...headers, ...(takesBody ? { 'content-type': 'application/json' } : {}) },
      ...(takesBody ? { body: WRONG_BODY } : {}),
    });
    const text = await response.text();
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
    return { status: response.status, code: isProblem ? problem.parse(JSON.parse(text)).code : '' };
  }
  const problem = z.object({ code: z.string() });

  const all = (list: readonly Guarded[], check: (route: Guarded) => Promise<void>) => Promise.all(list.map(check));

  it('are asked of somebody: without a credential every guarded route is 401, and no other is', async () => {
    await all(guarded, async (route) =>
      assert.deepEqual(await knock(route, {}), { status: 401, code: 'unauthenticated' }, nameOf(route)),
    );
    for (const route of routes.filter(({ permission }) => permission === 'public'))
      assert.notEqual((await knock(route, {})).code, 'unauthenticated', nameOf(route));
  });

  describe('of a role', () => {
    for (const role of ROLES) {
      it(`${role}: every route as the table says`, async () => {
        const person = await api.person(role);
        await api.stepUp(person);
        await all(guarded, async (route) => {
          const { status, code } = await knock(route, person.headers);
          if (may([role], route.permission)) {
            assert.ok(status !== 401 && !DOOR.includes(code) && status < 500, `${nameOf(route)}: ${status} ${code}`);
          } else {
            assert.deepEqual([status, code], [403, 'forbidden'], nameOf(route));
          }
        });
      });
    }

    it('none: nothing but 403', async () => {
      const person = await api.person();
      await all(guarded, async (route) =>
        assert.equal((await knock(route, person.headers)).code, 'forbidden', nameOf(route)),
      );
    });
  });

  describe('of a key', () => {
    const headersOf = async (scopes: readonly Scope[], userId: UserId) => {
      const key = { id: randomUUID(), scopes, requestsPerMinute: 1_000_000, networks: [] };
      return { authorization: `Bearer ${await api.deps.tokens.issue({ userId, roles: ['integrator'], key })}` };
    };
    let integrator: TestPerson;
    before(async () => {
      integrator = await api.person('integrator');
    });

    for (const scopes of [[], ...SCOPES.map((scope) => [scope])]) {
      it(`with ${scopes.join() || 'no scope'}: every route as the table says`, async () => {
        const headers = await headersOf(scopes, integrator.id);
        await all(guarded, async (route) => {
          const { status, code } = await knock(route, headers);
          const allowed = !route.ownAccount && !route.stepUp && keyMay(scopes, route.permission, route.method);
          if (allowed && may(['integrator'], route.permission)) {
            assert.ok(![401, 403].includes(status) && status < 500, `${nameOf(route)}: ${status} ${code}`);
          } else {
            assert.deepEqual([status, code], [403, 'forbidden'], nameOf(route));
          }
        });
      });
    }

    it('reach nothing of the account behind it: neither its log-ins nor its second factors', async () => {
      const headers = await headersOf(SCOPES, integrator.id);
      const own = guarded.filter(({ ownAccount }) => ownAccount);
      assert.ok(own.length > 5);
      await all(own, async (route) => assert.equal((await knock(route, headers)).code, 'forbidden', nameOf(route)));
      const write = guarded.filter(({ permission, method }) => permission === 'profile.use' && method !== 'get');
      await all(write, async (route) => assert.equal((await knock(route, headers)).code, 'forbidden', nameOf(route)));
    });

    it('go no further than its account’s role, whatever the scopes', async () => {
      const headers = await headersOf(SCOPES, integrator.id);
      const beyond = guarded.filter(({ permission }) => !may(['integrator'], permission));
      assert.ok(beyond.length > 10);
      await all(beyond, async (route) => assert.equal((await knock(route, headers)).code, 'forbidden', nameOf(route)));
    });
  });

  describe('of a caller who has yet to do something', () => {
    const everyRole: Role[] = ROLES.filter((role) => role !== 'integrator');
    const tokenFor = async (over: object) => {
      const person = await api.person(...everyRole);
      await api.stepUp(person);
      const { id: userId, sessionId } = person;
      const token = await api.deps.tokens.issue({ userId, roles: everyRole, sessionId, ...over });
      return { person, headers: { authorization: `Bearer ${token}` } };
    };

    it('set up a second factor: open is what that takes, and nothing else', async () => {
      const { headers } = await tokenFor({ setupOnly: true });
      await all(guarded, async (route) => {
        const { status, code } = await knock(route, headers);
        if (route.ownAccount) assert.ok(status !== 401 && !DOOR.includes(code), `${nameOf(route)}: ${status} ${code}`);
        else assert.deepEqual([status, code], [403, 'second_factor_setup_required'], nameOf(route));
      });
    });

    it('verify the address: the same where the office asks for it, and from then on without a new token', async () => {
      const strict = await startApi(database, {
        temporal: api.deps.temporal,
        access: { ...OPEN_ACCESS, requireVerifiedEmail: true },
      });
      try {
        const person = await strict.person(...everyRole);
        await strict.stepUp(person);
        const claims = { userId: person.id, roles: everyRole, sessionId: person.sessionId, emailVerified: false };
        const headers = { authorization: `Bearer ${await strict.deps.tokens.issue(claims)}` };
        await database.db('users').where({ id: person.id }).update({ email_verified_at: null });
        await all(guarded, async (route) => {
          const { status, code } = await knock(route, headers, strict.url);
          if (route.ownAccount)
            assert.ok(status !== 401 && !DOOR.includes(code), `${nameOf(route)}: ${status} ${code}`);
          else assert.deepEqual([status, code], [403, 'email_not_verified'], nameOf(route));
        });
        await database.db('users').where({ id: person.id }).update({ email_verified_at: new Date() });
        assert.equal((await strict.call('/users/profile', { as: { ...person, headers } })).status, 200);
      } finally {
        await strict.close();
      }
    });

    it('give a second factor: exactly the routes that ask for a fresh one refuse', async () => {
      const { person, headers } = await tokenFor({});
      await api.giveFactor(person);
      const old = new Date(Date.now() - 10 * 60_000 - 1000);
      for (const at of [null, old]) {
        await database.db('sessions').where({ id: person.sessionId }).update({ second_factor_at: at });
        await all(
          guarded.filter(({ stepUp }) => stepUp),
          async (route) =>
            assert.deepEqual(await knock(route, headers), { status: 403, code: 'step_up_required' }, nameOf(route)),
        );
      }
      await all(
        guarded.filter(({ stepUp }) => !stepUp),
        async (route) => assert.notEqual((await knock(route, headers)).code, 'step_up_required', nameOf(route)),
      );
      const almost = new Date(Date.now() - 10 * 60_000 + 5000);
      await database.db('sessions').where({ id: person.sessionId }).update({ second_factor_at: almost });
      assert.notEqual((await knock(byName('PUT /api/v1/admin/users/:id'), headers)).code, 'step_up_required');
    });

    it('asks for a fresh second factor wherever roles, keys, or personal data in clear are at stake', () => {
      const sensitive = guarded
        .filter(({ method }) => method !== 'get')
        .filter(
          ({ permission, path }) =>
            permission === 'api_key.manage' || permission === 'personal_data.rotate' || path.endsWith('/personal-data'),
        );
      const missing = [...sensitive, byName('POST /api/v1/admin/users'), byName('PUT /api/v1/admin/users/:id')].filter(
        ({ stepUp }) => !stepUp,
      );
      assert.ok(sensitive.length > 2);
      assert.deepEqual(missing.map(nameOf), []);
    });
  });

  const byName = (name: string): Guarded => {
    const found = guarded.find((route) => nameOf(route) === name);
    assert.ok(found, name);
    return found;
  };

  describe('a declaration', () => {
    const declared = {
      method: 'get',
      path: '/test/open',
      summary: 'a route of a test',
      tags: ['Test'],
      responses: { 200: { description: 'done', schema: z.object({ done: z.boolean() }) } },
      handler: async () => json(200, { done: true }),
    } as const;

    // Past the compiler, which refuses these too: as from a route written in JavaScript.
    const define = (declaration: object) => () => Reflect.apply(defineRoute, undefined, [declaration]);

    it('without a permission of the table does not start', () => {
      assert.throws(define(declared), /declares no permission/);
      for (const permission of ['everything', 'constructor', 'toString', '', undefined, null]) {
        assert.throws(define({ ...declared, permission }), /declares no permission/, String(permission));
      }
      assert.doesNotThrow(define({ ...declared, permission: 'system.read' }));
    });

    it('is open to everybody only where it says so; these are all', () => {
      const open = routes.filter(({ permission }) => permission === 'public').map(nameOf);
      assert.deepEqual(open.toSorted(), [...PUBLIC].toSorted());
    });

    it('names a right that somebody has', () => {
      for (const { permission } of guarded)
        assert.ok(
          ROLES.some((role) => may([role], permission)),
          permission,
        );
    });
  });

  it('of whoever has an ID that was made up are nobody’s', async () => {
    const token = await api.deps.tokens.issue({ userId: asId<UserId>(randomUUID()), roles: ['owner'] });
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await knock(byName('GET /api/v1/users/profile'), headers);
    assert.equal(status, 401);
  });
});

/** What anybody may call. A new one belongs here only if it needs nobody to be logged in. */
const PUBLIC = [
  'GET /orders/:token',
  'GET /orders/:token/return',
  'GET /orders/:token/returns/:returnId',
  'GET /returns/:token',
  'GET /returns/:token/label.pdf',
  'GET /returns/:token/photos/:photoId',
  'POST /orders/:token/cancel',
  'POST /orders/:token/link',
  'POST /orders/:token/return',
  'POST /orders/:token/review',
  'POST /returns/:token/accept',
  'POST /returns/:token/answer',
  'POST /returns/:token/cancel',
  'POST /returns/:token/choose',
  'POST /returns/:token/dispute',
  'POST /returns/:token/link',
  'POST /returns/:token/photos',
  'GET /.well-known/oauth-authorization-server',
  'GET /account/advertising',
  'GET /account/join',
  'GET /account/join-company',
  'GET /account/reset-password',
  'GET /account/unlock',
  'GET /account/verify-email',
  'GET /api/v1/auth/oidc/callback',
  'GET /api/v1/auth/oidc/login',
  'GET /api/v1/banks',
  'GET /card/:cardId',
  'GET /paid/:paymentId',
  'GET /pay/:invoiceId',
  'GET /problems/:code',
  'GET /verify/:code',
  'POST /account/advertising',
  'POST /account/join',
  'POST /account/join-company',
  'POST /account/reset-password',
  'POST /account/unlock',
  'POST /account/verify-email',
  'POST /api/v1/auth/join',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/login/mfa',
  'POST /api/v1/auth/login/mfa/send',
  'POST /api/v1/auth/logout',
  'POST /api/v1/auth/password/forgot',
  'POST /api/v1/auth/password/reset',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/register',
  'POST /api/v1/auth/unlock',
  'POST /api/v1/auth/verify-email',
  'POST /csp-reports',
  'POST /oauth/token',
  'POST /pay/:invoiceId',
  'POST /webhooks/:gateway',
  'POST /webhooks/carrier',
];
