import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, hash, randomUUID } from 'node:crypto';
import { createLocalJWKSet, exportSPKI, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { createAccessTokens } from '../../api/tokens.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { newPrivateKey, startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const PASSWORD = 'Kopi-Tubruk-42';
const loggedIn = z.object({ accessToken: z.string(), refreshToken: z.string() });

describe('accounts and log-ins', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  let count = 0;
  const newAccount = async () => {
    count += 1;
    const email = `owner${count}@example.id`;
    const { status, body } = await api.call('/auth/register', { body: { email, password: PASSWORD, name: 'Sari' } });
    assert.equal(status, 201);
    return { email, id: asId<UserId>(String(body.id)) };
  };
  const logIn = (email: string, password = PASSWORD) => api.call('/auth/login', { body: { email, password } });
  const session = async () => {
    const account = await newAccount();
    return { ...account, ...loggedIn.parse((await logIn(account.email)).body) };
  };
  const refresh = (refreshToken: string) => api.call('/auth/refresh', { body: { refreshToken } });
  const profileWith = (token: string) => api.call('/users/profile', { headers: { authorization: `Bearer ${token}` } });

  describe('registering', () => {
    it('opens an account of an owner, in the language of the request, with a hashed password', async () => {
      const { status, body } = await api.call('/auth/register', {
        body: { email: '  Sari@Warung.ID ', password: PASSWORD, name: ' Sari ' },
      });
      assert.equal(status, 201);
      const { id, ...rest } = body;
      assert.match(String(id), /^[0-9a-f-]{36}$/);
      assert.deepEqual(rest, {
        email: 'sari@warung.id',
        name: 'Sari',
        locale: 'en',
        roles: ['owner'],
        emailVerified: false,
      });
      const row = await database.db('users').where({ id }).first('password_hash');
      assert.match(row.password_hash, /^\$argon2id\$/);
    });

    it('refuses an address that is taken, in whatever case it is written', async () => {
      const { email } = await newAccount();
      const again = await api.call('/auth/register', {
        body: { email: email.toUpperCase(), password: PASSWORD, name: 'X' },
      });
      assert.deepEqual([again.status, again.body.code], [409, 'email_taken']);
    });

    it('explains what a weak password lacks, all at once', async () => {
      const { status, body } = await api.call('/auth/register', {
        body: { email: 'w@example.id', password: 'rahasia', name: 'W' },
      });
      assert.deepEqual([status, body.code], [422, 'weak_password']);
      const codes = z.array(z.object({ pointer: z.literal('/password'), code: z.string() })).parse(body.errors);
      assert.deepEqual(codes.map(({ code }) => code).slice(0, 4), [
        'too_short',
        'needs_upper',
        'needs_digit',
        'needs_symbol',
      ]);
    });

    it('lets nobody choose a role', async () => {
      const { status, body } = await api.call('/auth/register', {
        body: { email: 'admin@example.id', password: PASSWORD, name: 'A', roles: ['admin'] },
      });
      assert.equal(status, 422);
      assert.deepEqual(body.errors, [{ pointer: '/roles', code: 'unknown_field', detail: 'there is no such field' }]);
    });

    it('can be left to the office', async () => {
      const closed = await startApi(database, { selfRegistration: false });
      try {
        const answer = await closed.call('/auth/register', {
          body: { email: 'n@example.id', password: PASSWORD, name: 'N' },
        });
        assert.equal(answer.status, 403);
      } finally {
        await closed.close();
      }
    });

    it('of one address twenty times at once opens one account', async () => {
      const body = { email: 'race@example.id', password: PASSWORD, name: 'R' };
      const answers = await Promise.all(Array.from({ length: 20 }, () => api.call('/auth/register', { body })));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 19 }, () => 409)]);
    });
  });

  describe('logging in', () => {
    it('gives a bearer token for 15 minutes that opens the profile, and is kept by no cache', async () => {
      const { email } = await newAccount();
      const { status, body, headers } = await logIn(email.toUpperCase());
      assert.deepEqual([status, body.tokenType, body.expiresInSeconds], [200, 'Bearer', 900]);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal((await profileWith(String(body.accessToken))).body.email, email);
    });

    it('refuses a wrong password, an unknown address and a disabled account in the same words', async () => {
      const { email } = await newAccount();
      const disabled = await newAccount();
      await database.db('users').where({ id: disabled.id }).update({ status: 'disabled' });
      const answers = await Promise.all([logIn(email, 'wrong'), logIn('nobody@example.id'), logIn(disabled.email)]);
      const told = answers.map(({ status, body: { code, title, detail } }) => ({ status, code, title, detail }));
      assert.equal(told[0]?.status, 401);
      assert.equal(told[0]?.code, 'invalid_credentials');
      assert.deepEqual(told, [told[0], told[0], told[0]]);
    });

    it('takes about as long for an unknown address as for a wrong password', async () => {
      const { email } = await newAccount();
      const timed = async (address: string) => {
        const startedAt = performance.now();
        await logIn(address, 'wrong');
        return performance.now() - startedAt;
      };
      // In turns, and the fastest of each: a busy machine slows both alike.
      let [known, unknown] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let turn = 0; turn < 8; turn += 1) {
        known = Math.min(known, await timed(email));
        unknown = Math.min(unknown, await timed('nobody@example.id'));
      }
      assert.ok(unknown > known / 2, `unknown ${unknown} ms, known ${known} ms`);
    });
  });

  describe('refreshing', () => {
    it('gives new tokens, and keeps only hashes', async () => {
      const { refreshToken, id } = await session();
      const { status, body } = await refresh(refreshToken);
      assert.equal(status, 200);
      const next = loggedIn.parse(body);
      assert.notEqual(next.refreshToken, refreshToken);
      assert.equal((await profileWith(next.accessToken)).status, 200);
      const stored = await database.db('refresh_tokens').where({ user_id: id }).pluck('token_hash');
      assert.deepEqual(
        stored.toSorted(),
        [refreshToken, next.refreshToken].map((token) => hash('sha256', token)).toSorted(),
      );
    });

    it('twice at once gives both a token that works', async () => {
      const { refreshToken } = await session();
      const both = await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
      for (const { status, body } of both) {
        assert.equal(status, 200);
        assert.equal((await refresh(loggedIn.parse(body).refreshToken)).status, 200);
      }
    });

    it('with an old token ends the whole log-in', async () => {
      const { refreshToken } = await session();
      const next = loggedIn.parse((await refresh(refreshToken)).body);
      const tokenHash = createHash('sha256').update(refreshToken).digest('hex');
      await database
        .db('refresh_tokens')
        .where({ token_hash: tokenHash })
        .update({ used_at: new Date(Date.now() - 11_000) });
      assert.equal((await refresh(refreshToken)).status, 401);
      assert.equal((await refresh(next.refreshToken)).status, 401);
    });

    it('refuses what is unknown, expired, or of a disabled account', async () => {
      assert.equal((await refresh('never-given-out')).body.code, 'invalid_credentials');
      const late = await session();
      await database.db('refresh_tokens').where({ user_id: late.id }).update({ expires_at: new Date() });
      assert.equal((await refresh(late.refreshToken)).status, 401);
      const disabled = await session();
      await database.db('users').where({ id: disabled.id }).update({ status: 'disabled' });
      assert.equal((await refresh(disabled.refreshToken)).status, 401);
    });

    it('brings a changed role', async () => {
      const { refreshToken, id } = await session();
      await database
        .db('users')
        .where({ id })
        .update({ roles: ['owner', 'ops'] });
      const { accessToken } = loggedIn.parse((await refresh(refreshToken)).body);
      assert.deepEqual((await api.deps.tokens.verify(accessToken))?.roles, ['owner', 'ops']);
    });
  });

  it('logging out ends the log-in, and an unknown token changes nothing', async () => {
    const { refreshToken } = await session();
    assert.equal((await api.call('/auth/logout', { body: { refreshToken } })).status, 204);
    assert.equal((await refresh(refreshToken)).status, 401);
    assert.equal((await api.call('/auth/logout', { body: { refreshToken: 'never-given-out' } })).status, 204);
  });

  it('keeps tokens and passwords out of log and answers kept for repeats', async () => {
    const { email } = await newAccount();
    const body = { email, password: PASSWORD };
    const { accessToken, refreshToken } = loggedIn.parse(
      (await api.call('/auth/login', { body, headers: { 'idempotency-key': 'log-in-1' } })).body,
    );
    const kept = JSON.stringify(await database.db('idempotency_keys').select());
    for (const secret of [accessToken, refreshToken, PASSWORD]) {
      assert.ok(!api.log.some((line) => line.includes(secret)));
      assert.ok(!kept.includes(secret));
    }
  });

  describe('an access token', () => {
    const otherIssuer = 'https://elsewhere.example';
    const jwt = (sub: string, header: { alg: string; kid?: string | undefined }, expires: string | Date = '5m') =>
      new SignJWT({ roles: ['admin'] })
        .setProtectedHeader({ typ: 'JWT', ...header })
        .setSubject(sub)
        .setIssuer(api.url)
        .setAudience(`${api.url}/api/v1`)
        .setExpirationTime(expires);

    it('can be checked by others with the published key', async () => {
      const jwks = z
        .object({ keys: z.array(z.record(z.string(), z.string())).length(1) })
        .parse(await (await fetch(`${api.url}/.well-known/jwks.json`)).json());
      assert.equal(jwks.keys[0]?.d, undefined, 'the private half stays at home');
      const { accessToken } = await session();
      const { payload } = await jwtVerify(accessToken, createLocalJWKSet({ keys: [{ ...jwks.keys[0], kty: 'OKP' }] }), {
        issuer: api.url,
      });
      assert.deepEqual(payload.roles, ['owner']);
    });

    it('that was tampered with, is signed otherwise or meant for another is refused', async () => {
      // A person who exists: otherwise the profile would be refused for want of its owner.
      const { accessToken, id } = await session();
      const [header = '', payload = '', signature = ''] = accessToken.split('.');
      const kid = api.deps.tokens.jwks.keys[0]?.kid;
      const privateKeyPem = newPrivateKey();
      const stranger = await createAccessTokens({ privateKeyPem, publicUrl: api.url });
      const elsewhere = await createAccessTokens({ privateKeyPem: api.signingKey, publicUrl: otherIssuer });
      const actor = { userId: id, roles: ['admin'] as const };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const publicPem = await exportSPKI(
        createPublicKey({ key: { ...api.deps.tokens.jwks.keys[0], kty: 'OKP' }, format: 'jwk' }),
      );
      const ownKey = createPrivateKey(api.signingKey);
      const forged = {
        'another role': [
          header,
          part({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), roles: ['admin'] }),
          signature,
        ].join('.'),
        'alg none': `${part({ alg: 'none', typ: 'JWT', kid })}.${payload}.`,
        'HMAC with the public key': await jwt(id, { alg: 'HS256', kid }).sign(Buffer.from(publicPem)),
        'another key': await stranger.issue(actor),
        'another audience': await elsewhere.issue(actor),
        'no kid': await jwt(id, { alg: 'EdDSA' }).sign(ownKey),
        'a kid like a path': await jwt(id, { alg: 'EdDSA', kid: '../../dev/null' }).sign(ownKey),
        'no token': 'x.y.z',
        nonsense: 'nonsense',
      };
      for (const [name, token] of Object.entries(forged)) assert.equal((await profileWith(token)).status, 401, name);
      assert.equal((await profileWith(accessToken)).status, 200);
      assert.equal(
        (await profileWith(await jwt(id, { alg: 'EdDSA', kid }).sign(ownKey))).status,
        200,
        'the forger’s tools work',
      );
    });

    it('that has expired is refused, though it was seen before', async () => {
      const privateKeyPem = newPrivateKey();
      const tokens = await createAccessTokens({ privateKeyPem, publicUrl: api.url });
      const kid = tokens.jwks.keys[0]?.kid;
      const shortLived = await jwt(randomUUID(), { alg: 'EdDSA', kid }, new Date(Date.now() + 2_000)).sign(
        createPrivateKey(privateKeyPem),
      );
      assert.ok(await tokens.verify(shortLived));
      assert.ok(tokens.known(shortLived));
      const giveUpAt = Date.now() + 5_000;
      while (tokens.known(shortLived) && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(tokens.known(shortLived), undefined);
      assert.equal(await tokens.verify(shortLived), undefined);
    });
  });
});
