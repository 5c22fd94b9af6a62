import assert from 'node:assert/strict';
import { createIdentityProvider, type IdentityProvider } from '../../api/identity-provider.ts';
import type { UserId } from '../../domain/ids.ts';
import { aUser } from '../builders/licensing.ts';
import { ask } from '../builders/requests.ts';
import { OPEN_ACCESS, startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Browser, newBrowser, type Page, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts';

interface Answer {
  readonly accessToken?: string;
  readonly refreshToken?: string;
  readonly mfaRequired?: true;
  readonly mfaToken?: string;
  readonly mfaSetupRequired?: true;
  readonly methods?: readonly string[];
  readonly code?: string;
  readonly detail?: string;
}

describe('staff sign-in through the office’s identity provider', () => {
  let database: TestDatabase;
  let api: TestApi;
  let provider: TestProvider;
  let loginUrl: string;
  let callbackUrl: string;

  /** The provider has to know where the API is, and the API where the provider is: it learns it second. */
  async function connected(
    changes: Parameters<typeof startApi>[1] = {},
  ): Promise<{ api: TestApi; provider: TestProvider }> {
    let real: IdentityProvider | undefined;
    const known = (): IdentityProvider => real ?? assert.fail('the provider is not there yet');
    const oidc: IdentityProvider = {
      begin: (fresh) => known().begin(fresh),
      finish: (query, secrets) => known().finish(query, secrets),
    };
    const started = await startApi(database, { oidc, ...changes });
    const redirectUri = `${started.url}/api/v1/auth/oidc/callback`;
    const its = await startOidcProvider(redirectUri);
    const { issuer, clientId, clientSecret } = its;
    real = createIdentityProvider({ issuer, clientId, clientSecret, redirectUri, insecure: true });
    return { api: started, provider: its };
  }

  before(async () => {
    database = await createTestDatabase();
    ({ api, provider } = await connected());
    loginUrl = `${api.url}/api/v1/auth/oidc/login`;
    callbackUrl = `${api.url}/api/v1/auth/oidc/callback`;
  });
  after(async () => {
    await api.close();
    await provider.close();
    await database.drop();
  });

  const emailOf = (id: UserId) => `${id}@example.test`;
  let count = 0;
  /** A person of the office whom the provider knows by the same address. */
  async function colleague(changes: Parameters<TestProvider['knows']>[1] = {}, ...roles: string[]) {
    const id = await aUser(database.db, ...(roles.length > 0 ? roles : ['verifier']));
    count += 1;
    return { id, subject: provider.knows(`person-${count}`, { email: emailOf(id), verified: true, ...changes }) };
  }
  /** Up to the provider's answer, which is not brought to the API yet. */
  async function proven(subject: string, browser: Browser = newBrowser(), url = loginUrl): Promise<Page> {
    const form = await browser.go(url);
    assert.match(form.text, /name="account"/);
    return browser.go(form.url, { form: { account: subject }, before: callbackUrl });
  }
  async function bring(url: string, browser: Browser): Promise<Answer & { status: number; cache: string | null }> {
    const page = await browser.go(url);
    const answer: Answer = JSON.parse(page.text);
    return { ...answer, status: page.status, cache: page.headers.get('cache-control') };
  }
  async function signIn(subject: string, browser: Browser = newBrowser()) {
    return bring((await proven(subject, browser)).url, browser);
  }
  const refusedBecause = (answer: Answer & { status: number }, why: RegExp) => {
    assert.deepEqual([answer.status, answer.code], [401, 'provider_sign_in_refused']);
    assert.match(answer.detail ?? '', why);
    assert.equal(answer.accessToken, undefined);
  };
  const links = (id: UserId) => database.db('oidc_identities').where({ user_id: id });

  describe('leads to the provider', () => {
    it('with code flow, PKCE, state and nonce, and a cookie that scripts and other sites do not get', async () => {
      const page = await newBrowser().go(loginUrl, { before: provider.issuer });
      assert.equal(page.status, 302);
      const { origin, searchParams: asked } = new URL(page.url);
      assert.equal(origin, provider.issuer);
      assert.deepEqual(
        ['response_type', 'code_challenge_method', 'scope', 'redirect_uri'].map((name) => asked.get(name)),
        ['code', 'S256', 'openid email', callbackUrl],
      );
      for (const name of ['state', 'nonce', 'code_challenge']) assert.ok((asked.get(name) ?? '').length >= 40, name);
      const cookie = page.headers.get('set-cookie') ?? '';
      for (const part of [/HttpOnly/, /SameSite=Lax/, /Path=\/api\/v1\/auth\/oidc/, /Max-Age=600/])
        assert.match(cookie, part);
      assert.equal(page.headers.get('cache-control'), 'no-store');
      const stored = await database.db('oidc_logins').select();
      assert.ok(!JSON.stringify(stored).includes(asked.get('state') ?? 'none'), 'the state lies in the database');
    });

    it('with a cookie for https alone where the API is reached by https', async () => {
      const { oidc } = api.deps;
      const secure = await startApi(database, { oidc, publicUrl: 'https://alur.example' });
      const page = await newBrowser().go(`${secure.url}/api/v1/auth/oidc/login`, { before: provider.issuer });
      assert.match(page.headers.get('set-cookie') ?? '', /; Secure$/);
      await secure.close();
    });

    it('and can have it ask once more who somebody is', async () => {
      const { subject } = await colleague();
      const browser = newBrowser();
      await signIn(subject, browser);
      assert.ok((await browser.go(loginUrl, { before: callbackUrl })).url.startsWith(callbackUrl), 'it still knows');
      assert.match((await browser.go(`${loginUrl}?fresh=true`)).text, /name="account"/);
    });

    it('nowhere where the office has none', async () => {
      const without = await startApi(database);
      for (const path of ['/auth/oidc/login', '/auth/oidc/callback?state=x']) {
        const { status, body } = await without.call(path);
        assert.deepEqual([status, body['code']], [404, 'not_found']);
      }
      await without.close();
    });
  });

  describe('lets in', () => {
    it('staff whose verified address the provider vouches for, with tokens of their own session', async () => {
      const { id, subject } = await colleague({}, 'approver');
      const answer = await signIn(subject);
      assert.equal(answer.status, 200);
      assert.equal(answer.cache, 'no-store');
      const headers = { authorization: `Bearer ${answer.accessToken}` };
      const { body } = await ask<{ id: string; roles: string[] }>(api, null, 'GET', '/users/profile', { headers });
      assert.deepEqual([body.id, body.roles], [id, ['approver']]);
      const [session] = await database.db('sessions').where({ user_id: id });
      assert.deepEqual([session.method, session.second_factor_at], ['provider', null]);
      const [linked] = await database.db('events').where({ subject: `user/${id}`, type: 'provider.linked' });
      assert.deepEqual([linked.actor_id, linked.data.issuer], [id, provider.issuer]);
    });

    it('the same person again by what the provider calls them, whatever their address has become', async () => {
      const { id, subject } = await colleague();
      await signIn(subject);
      provider.knows(subject, { email: 'new@elsewhere.example', verified: false });
      assert.equal((await signIn(subject)).status, 200);
      assert.equal((await links(id)).length, 1);
      assert.equal((await database.db('sessions').where({ user_id: id })).length, 2);
    });

    it('with a second factor that the provider asked for, as old as the provider says', async () => {
      const fresh = await colleague({ amr: ['pwd', 'otp'] }, 'admin');
      const answer = await signIn(fresh.subject);
      const headers = { authorization: `Bearer ${answer.accessToken}` };
      assert.equal(
        (await ask(api, null, 'GET', '/admin/api-keys', { headers })).status,
        200,
        'it is a step-up as well',
      );
      const provedAt = Math.floor(Date.now() / 1000) - 3600;
      const old = await colleague({ amr: ['mfa'], provedAt }, 'admin');
      await signIn(old.subject);
      const [session] = await database.db('sessions').where({ user_id: old.id });
      assert.equal(session.second_factor_at.getTime(), provedAt * 1000);
    });

    it('only as far as the second factor of the account, where the provider asked for none', async () => {
      const { id, subject } = await colleague();
      const at = new Date();
      await database.db('second_factors').insert({
        id: crypto.randomUUID(),
        user_id: id,
        kind: 'email',
        created_at: at,
        confirmed_at: at,
      });
      const answer = await signIn(subject);
      assert.deepEqual([answer.status, answer.mfaRequired, answer.accessToken], [200, true, undefined]);
      assert.ok((answer.mfaToken ?? '').length > 20);
      assert.equal((await database.db('sessions').where({ user_id: id })).length, 0);
      const [challenge] = await database.db('login_challenges').where({ user_id: id });
      assert.equal(challenge.method, 'provider');
    });

    it('once without any second factor where the office requires one', async () => {
      const strict = await startApi(database, {
        oidc: api.deps.oidc,
        publicUrl: api.url,
        access: { ...OPEN_ACCESS, staffSecondFactor: 'required' },
      });
      const { subject } = await colleague();
      const browser = newBrowser();
      const form = await browser.go(`${strict.url}/api/v1/auth/oidc/login`);
      const { url } = await browser.go(form.url, { form: { account: subject }, before: callbackUrl });
      const answer = await bring(url.replace(api.url, strict.url), browser);
      assert.deepEqual([answer.status, answer.mfaSetupRequired], [200, true]);
      await strict.close();
    });
  });

  describe('refuses', () => {
    it('an address that the provider has not verified, even an admin’s', async () => {
      const { id, subject } = await colleague({ verified: false }, 'admin');
      refusedBecause(await signIn(subject), /has not verified/);
      assert.equal((await links(id)).length, 0);
      const nameless = provider.knows('nameless', {});
      refusedBecause(await signIn(nameless), /has not verified/);
    });

    it('people whom nobody here knows, and makes no account for them', async () => {
      const before = await database.db('users').count();
      const stranger = provider.knows('stranger', { email: 'stranger@elsewhere.example', verified: true });
      refusedBecause(await signIn(stranger), /Nobody here/);
      assert.deepEqual(await database.db('users').count(), before);
    });

    it('owners and integrators: it is for staff', async () => {
      for (const role of ['owner', 'integrator']) {
        const { id, subject } = await colleague({}, role);
        refusedBecause(await signIn(subject), /Only staff/);
        assert.equal((await links(id)).length, 0);
      }
    });

    it('a disabled account, linked before or not, and writes it down', async () => {
      const { id, subject } = await colleague();
      assert.equal((await signIn(subject)).status, 200);
      await database.db('users').where({ id }).update({ status: 'disabled' });
      refusedBecause(await signIn(subject), /disabled/);
      const other = await colleague();
      await database.db('users').where({ id: other.id }).update({ status: 'disabled' });
      refusedBecause(await signIn(other.subject), /disabled/);
      const [event] = await database.db('events').where({ subject: `user/${id}`, type: 'login.failed' });
      assert.deepEqual(event.data, { method: 'provider', reason: 'disabled' });
    });

    it('somebody else at the provider who was given the same address', async () => {
      const { id, subject } = await colleague();
      await signIn(subject);
      const heir = provider.knows('heir', { email: emailOf(id), verified: true });
      refusedBecause(await signIn(heir), /another person/);
    });

    it('a state that it did not give out', async () => {
      const { subject } = await colleague();
      const browser = newBrowser();
      const url = new URL((await proven(subject, browser)).url);
      url.searchParams.set('state', 'A'.repeat(43));
      refusedBecause(await bring(url.href, browser), /not known/);
    });

    it('the same answer twice', async () => {
      const { subject } = await colleague();
      const browser = newBrowser();
      const { url } = await proven(subject, browser);
      assert.equal((await bring(url, browser)).status, 200);
      refusedBecause(await bring(url, browser), /used before/);
    });

    it('a code that was used before, under a state that is new', async () => {
      const { subject } = await colleague();
      const browser = newBrowser();
      const used = new URL((await proven(subject, browser)).url);
      assert.equal((await bring(used.href, browser)).status, 200);
      const next = new URL((await browser.go(loginUrl, { before: callbackUrl })).url);
      next.searchParams.set('code', used.searchParams.get('code') ?? '');
      refusedBecause(await bring(next.href, browser), /not a proof/);
    });

    it('a code of another sign-in: neither its nonce nor its verifier fits', async () => {
      const victim = await colleague();
      const attacker = await colleague();
      const theirs = newBrowser();
      const [mine, other] = [await proven(victim.subject, theirs), await proven(attacker.subject)];
      const url = new URL(mine.url);
      url.searchParams.set('code', new URL(other.url).searchParams.get('code') ?? '');
      refusedBecause(await bring(url.href, theirs), /not a proof/);
    });

    it('another browser than the one that began, and the sign-in is used up', async () => {
      const { subject } = await colleague();
      const browser = newBrowser();
      const { url } = await proven(subject, browser);
      refusedBecause(await bring(url, newBrowser()), /another browser/);
      refusedBecause(await bring(url, browser), /used before/);
    });

    it('a sign-in that took longer than ten minutes', async () => {
      const { subject } = await colleague();
      const browser = newBrowser();
      const { url } = await proven(subject, browser);
      await database
        .db('oidc_logins')
        .whereNull('used_at')
        .update({ expires_at: new Date(Date.now() - 1) });
      refusedBecause(await bring(url, browser), /ten minutes/);
    });

    it('an ID token that somebody else has signed', async () => {
      const { id, subject } = await colleague();
      provider.forge(true);
      try {
        refusedBecause(await signIn(subject), /not a proof/);
      } finally {
        provider.forge(false);
      }
      assert.equal((await database.db('sessions').where({ user_id: id })).length, 0);
      assert.equal((await signIn(subject)).status, 200, 'with the true signature it goes');
    });

    it('what the provider itself refused', async () => {
      const browser = newBrowser();
      const { url } = await browser.go(loginUrl, { before: provider.issuer });
      const back = new URL(callbackUrl);
      back.search = new URLSearchParams({
        state: new URL(url).searchParams.get('state') ?? '',
        error: 'access_denied',
        iss: provider.issuer,
      }).toString();
      refusedBecause(await bring(back.href, browser), /not a proof/);
    });
  });

  it('asks the provider what it is once, and says so when it is away', async () => {
    const { api: own, provider: its } = await connected();
    const login = `${own.url}/api/v1/auth/oidc/login`;
    try {
      await newBrowser().go(login, { before: its.issuer });
      await newBrowser().go(login, { before: its.issuer });
      assert.equal(its.asked.filter((path) => path === '/.well-known/openid-configuration').length, 1);
      const browser = newBrowser();
      const { url } = await browser.go(login, { before: its.issuer });
      await its.close();
      const back = new URL(`${own.url}/api/v1/auth/oidc/callback`);
      back.search = new URLSearchParams({
        state: new URL(url).searchParams.get('state') ?? '',
        code: 'some-code',
        iss: its.issuer,
      }).toString();
      const answer = await bring(back.href, browser);
      assert.deepEqual([answer.status, answer.code], [503, 'temporarily_unavailable']);
    } finally {
      await own.close();
    }
    const { issuer, clientId, clientSecret } = its;
    const oidc = createIdentityProvider({ issuer, clientId, clientSecret, redirectUri: callbackUrl, insecure: true });
    const never = await startApi(database, { oidc });
    const { status, body, headers } = await never.call('/auth/oidc/login');
    assert.deepEqual([status, body['code']], [503, 'temporarily_unavailable']);
    assert.ok(headers.get('retry-after'));
    await never.close();
  });

  it('speaks to a provider over plain http only where that is allowed', async () => {
    const { issuer, clientId, clientSecret } = provider;
    const oidc = createIdentityProvider({ issuer, clientId, clientSecret, redirectUri: callbackUrl, insecure: false });
    await assert.rejects(oidc.begin(false), { code: 'temporarily_unavailable' });
  });
});
