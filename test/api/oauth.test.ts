import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  clientCredentialsGrant,
  discovery,
} from 'openid-client';
import type { CompanyId } from '../../domain/ids.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { ask, problem } from '../builders/requests.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface KeyBody {
  readonly id: string;
  readonly key: string;
  readonly prefix: string;
  readonly userId: string;
}

interface TokenBody {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly error?: string;
  readonly error_description?: string;
}

describe('tokens for programmes (OAuth 2.0 client credentials)', () => {
  let database: TestDatabase;
  let api: TestApi;
  let admin: TestPerson;
  let companyId: CompanyId;
  let key: KeyBody;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
    admin = await api.person('admin');
    await api.stepUp(admin);
    companyId = await aCompany(database.db, await aUser(database.db, 'owner'), { name: 'CV Satu' });
    key = await create({ scopes: ['company.read', 'invoice.read'], companyIds: [companyId] });
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const create = async (wish: object = {}) =>
    (await ask<KeyBody>(api, admin, 'POST', '/admin/api-keys', { body: { name: 'Kasir', ...wish } })).body;
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
  });
  const request = (form: Record<string, string> | string, headers: Record<string, string> = {}) =>
    ask<TokenBody>(api, null, 'POST', '//oauth/token', {
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  const grant = { grant_type: 'client_credentials' };
  const tokenOf = async ({ id, key: secret }: KeyBody) => (await request(grant, basic(id, secret))).body.access_token;
  const companies = async (token: string) => {
    const { status } = await ask(api, null, 'GET', '/users/companies', {
      headers: { authorization: `Bearer ${token}` },
    });
    return status;
  };
  const until = async (what: () => Promise<boolean>) => {
    const giveUp = Date.now() + 5_000;
    while (!(await what())) {
      assert.ok(Date.now() < giveUp, 'it did not come about within 5 seconds');
      await delay(20);
    }
  };

  describe('are given', () => {
    it('for a key, by its ID or its first part, in the header or in the body', async () => {
      const ways = [
        await request(grant, basic(key.id, key.key)),
        await request(grant, basic(key.prefix, key.key)),
        await request({ ...grant, client_id: key.prefix, client_secret: key.key }),
        await request({ ...grant, client_id: key.id, client_secret: key.key, unknown: 'is ignored' }),
      ];
      for (const { status, headers, body } of ways) {
        assert.equal(status, 200);
        assert.equal(headers.get('cache-control'), 'no-store');
        assert.deepEqual([body.token_type, body.expires_in, body.scope], ['Bearer', 900, 'company.read invoice.read']);
        assert.equal(await companies(body.access_token), 200);
      }
    });

    it('to a client that knows nothing but the address: openid-client finds its way', async () => {
      for (const authentication of [ClientSecretBasic, ClientSecretPost]) {
        const client = await discovery(new URL(api.url), key.prefix, {}, authentication(key.key), {
          algorithm: 'oauth2',
          execute: [allowInsecureRequests],
        });
        const { access_token, expires_in, scope } = await clientCredentialsGrant(client, { scope: 'company.read' });
        assert.equal(await companies(access_token), 200);
        assert.deepEqual([expires_in, scope], [900, 'company.read']);
      }
    });

    it('for fewer scopes when fewer are asked for, and they hold', async () => {
      const { body } = await request({ ...grant, scope: 'invoice.read' }, basic(key.id, key.key));
      assert.equal(body.scope, 'invoice.read');
      const headers = { authorization: `Bearer ${body.access_token}` };
      assert.equal((await ask(api, null, 'GET', '/invoices', { headers })).status, 200);
      assert.equal((await problem(api, null, 'GET', '/users/companies', { headers })).body.code, 'forbidden');
    });

    it('no longer than the key lives', async () => {
      const short = await create({ expiresAt: new Date(Date.now() + 120_000).toISOString() });
      const { body } = await request(grant, basic(short.id, short.key));
      assert.ok(body.expires_in <= 120 && body.expires_in > 100, String(body.expires_in));
      const { exp = 0, iat = 0 } = decodeJwt(body.access_token);
      assert.ok(exp - iat <= 120);
    });

    it('and written down, each with its key and from where', async () => {
      const own = await create();
      await tokenOf(own);
      const [event] = await database.db('events').where({ subject: `api_key/${own.id}`, type: 'login.succeeded' });
      assert.deepEqual(
        [event.actor_id, event.address, event.data.method],
        [own.userId, '127.0.0.1', 'client_credentials'],
      );
    });
  });

  describe('end', () => {
    it('within moments when their key is revoked', async () => {
      const own = await create();
      const token = await tokenOf(own);
      assert.equal(await companies(token), 200);
      await ask(api, admin, 'DELETE', `/admin/api-keys/${own.id}`);
      await until(async () => (await companies(token)) === 401);
    });

    it('with a revoked key in a process that was started since', async () => {
      const own = await create();
      const token = await tokenOf(own);
      await ask(api, admin, 'DELETE', `/admin/api-keys/${own.id}`);
      // Tokens are signed by each test API's own key, so this one borrows the first one's.
      const later = await startApi(database, { tokens: api.deps.tokens });
      try {
        await until(async () => {
          const headers = { authorization: `Bearer ${token}` };
          return (await ask(later, null, 'GET', '/users/companies', { headers })).status === 401;
        });
      } finally {
        await later.close();
      }
    });

    it('when the overlap of a rotated key ends', async () => {
      const own = await create();
      const token = await tokenOf(own);
      await ask(api, admin, 'POST', `/admin/api-keys/${own.id}/rotate`, { body: { overlapSeconds: 1 } });
      assert.equal(await companies(token), 200);
      await until(async () => (await companies(token)) === 401);
    });

    it('when their account is disabled', async () => {
      const own = await create();
      const token = await tokenOf(own);
      await database.db('users').where({ id: own.userId }).update({ status: 'disabled' });
      await until(async () => (await companies(token)) === 401);
    });

    it('at the border of the key’s networks', async () => {
      const own = await create({ networks: ['203.0.113.0/24'] });
      const { status, body } = await request(grant, basic(own.id, own.key));
      assert.deepEqual([status, body.error], [401, 'invalid_client']);
      assert.match(body.error_description ?? '', /may not be used from 127\.0\.0\.1/);
      const proxied = await startApi(database, { trustedProxies: 1 });
      try {
        const from = (address: string) => ({ 'x-forwarded-for': address });
        const answer = await ask<TokenBody>(proxied, null, 'POST', '//oauth/token', {
          body: new URLSearchParams(grant).toString(),
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            ...basic(own.id, own.key),
            ...from('203.0.113.1'),
          },
        });
        const authorization = `Bearer ${answer.body.access_token}`;
        const read = (address: string) =>
          ask(proxied, null, 'GET', '/users/companies', { headers: { authorization, ...from(address) } });
        assert.equal((await read('203.0.113.2')).status, 200);
        assert.equal((await read('198.51.100.1')).status, 403, 'a token is not a way around the list');
      } finally {
        await proxied.close();
      }
    });
  });

  describe('are refused as RFC 6749 says', () => {
    const refusedWith = async (
      status: number,
      error: string,
      form: Record<string, string> | string,
      headers: Record<string, string> = {},
    ) => {
      const answer = await request(form, headers);
      assert.deepEqual([answer.status, answer.body.error], [status, error], JSON.stringify([form, headers]));
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.ok((answer.body.error_description ?? '').length > 10);
      return answer;
    };

    it('to a client that is not known, has another key’s ID, or says nothing', async () => {
      const other = await create();
      const wrong = [
        basic(key.id, `${key.prefix}_${'A'.repeat(43)}`),
        basic(other.id, key.key),
        basic(key.id, 'x'),
        { authorization: 'Basic %%%' },
        { authorization: `Bearer ${key.key}` },
        {},
      ];
      for (const headers of wrong) {
        const answer = await refusedWith(401, 'invalid_client', grant, headers);
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm=/);
      }
    });

    it('for another grant, none, or one that is said twice', async () => {
      const by = basic(key.id, key.key);
      await refusedWith(400, 'unsupported_grant_type', { grant_type: 'password' }, by);
      await refusedWith(400, 'invalid_request', {}, by);
      await refusedWith(400, 'invalid_request', 'grant_type=client_credentials&grant_type=client_credentials', by);
    });

    it('for scopes that the key does not have', async () => {
      const by = basic(key.id, key.key);
      for (const scope of ['invoice.pay', 'company.read invoice.pay', 'admin', ' ']) {
        await refusedWith(400, 'invalid_scope', { ...grant, scope }, by);
      }
    });

    it('for credentials in two places, and for a body that is no form', async () => {
      await refusedWith(400, 'invalid_request', { ...grant, client_secret: key.key }, basic(key.id, key.key));
      await refusedWith(400, 'invalid_request', grant, {
        'content-type': 'application/json',
        ...basic(key.id, key.key),
      });
    });
  });
});
