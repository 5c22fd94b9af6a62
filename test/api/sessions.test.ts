import assert from 'node:assert/strict';
import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createAccessTokens } from '../../api/tokens.ts';
import { endSessions } from '../../db/sessions.ts';
import { bearer, eventsAbout, lettersTo, logIn, newAccount } from '../support/accounts.ts';
import { newPrivateKey, OPEN_ACCESS, startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const CHROME =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36';
const list = z.object({
  items: z.array(z.object({ id: z.string(), device: z.string(), address: z.string(), current: z.boolean() })),
});
const devices = z.object({
  items: z.array(z.object({ id: z.string(), name: z.string(), trustedUntil: z.string().nullable() })),
});
const loggedIn = z.object({ accessToken: z.string(), refreshToken: z.string(), deviceToken: z.string() });

describe('sessions', () => {
  let database: TestDatabase;
  let api: TestApi;
  /** Another process of the same API: what one ends the other has to refuse. */
  let other: TestApi;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, { trustedProxies: 1 });
    other = await startApi(database, { tokens: api.deps.tokens });
  });
  after(async () => {
    await Promise.all([api.close(), other.close()]);
    await database.drop();
  });

  const session = async (email: string, from = '203.0.113.7') =>
    loggedIn.parse((await logIn(api, email, { from, userAgent: CHROME })).body);
  const sessionsWith = async (token: string) =>
    list.parse((await api.call('/auth/sessions', { headers: bearer(token) })).body).items;
  const sidOf = async (token: string) => (await api.deps.tokens.verify(token))?.sessionId ?? '';
  const refresh = (refreshToken: string) => api.call('/auth/refresh', { body: { refreshToken } });
  const end = (id: string, token: string) =>
    api.call(`/auth/sessions/${id}`, { method: 'DELETE', headers: bearer(token) });
  const statusOf = async (at: TestApi, token: string) =>
    (await at.call('/users/profile', { headers: bearer(token) })).status;
  /** Within two seconds, and by both processes. */
  const refusedEverywhere = async (token: string) => {
    for (const at of [api, other]) {
      await eventually('the token is refused', async () => (await statusOf(at, token)) === 401, 2_000);
    }
  };

  it('are listed with device and address, the caller’s own marked, other people’s never', async () => {
    const [sari, budi] = [await newAccount(api), await newAccount(api)];
    await session(budi.email);
    await session(sari.email, '198.51.100.9');
    const { accessToken } = await session(sari.email);
    const found = await sessionsWith(accessToken);
    assert.deepEqual(
      found.map(({ device, address, current }) => ({ device, address, current })),
      [
        { device: 'Chrome on Android', address: '203.0.113.7', current: true },
        { device: 'Chrome on Android', address: '198.51.100.9', current: false },
      ],
    );
  });

  it('ended one by one are refused within two seconds by every process, the others go on', async () => {
    const { email } = await newAccount(api);
    const [here, there] = [await session(email), await session(email)];
    assert.deepEqual([await statusOf(api, there.accessToken), await statusOf(other, there.accessToken)], [200, 200]);
    const id = await sidOf(there.accessToken);
    assert.equal((await end(id, here.accessToken)).status, 204);
    await refusedEverywhere(there.accessToken);
    assert.equal((await refresh(there.refreshToken)).status, 401);
    assert.equal(await statusOf(other, here.accessToken), 200);
    assert.deepEqual((await eventsAbout(api, `session/${id}`)).map(({ type, data }) => [type, data.reason]).at(-1), [
      'session.ended',
      'revoked',
    ]);
  });

  it('of others are not there to be ended', async () => {
    const [sari, budi] = [await newAccount(api), await newAccount(api)];
    const [hers, his] = [await session(sari.email), await session(budi.email)];
    for (const id of [await sidOf(hers.accessToken), randomUUID(), 'nonsense']) {
      assert.equal((await end(id, his.accessToken)).status, 404, id);
    }
    assert.equal(await statusOf(api, hers.accessToken), 200);
  });

  it('end all at once when a person logs out everywhere', async () => {
    const { email } = await newAccount(api);
    const [here, there] = [await session(email), await session(email)];
    const answer = await api.call('/auth/logout/all', { method: 'POST', headers: bearer(here.accessToken) });
    assert.equal(answer.status, 204);
    for (const { accessToken, refreshToken } of [here, there]) {
      await refusedEverywhere(accessToken);
      assert.equal((await refresh(refreshToken)).status, 401);
    }
  });

  it('that a log-out ended are refused at once by every process', async () => {
    const { accessToken, refreshToken } = await session((await newAccount(api)).email);
    await api.call('/auth/logout', { body: { refreshToken } });
    await refusedEverywhere(accessToken);
  });

  it('keep no right that was taken away: the old token is refused by every process, a refresh brings the new one', async () => {
    const { email, id } = await newAccount(api);
    const { accessToken, refreshToken } = await session(email);
    assert.equal(await statusOf(other, accessToken), 200);
    await database
      .db('users')
      .where({ id })
      .update({ roles: ['owner', 'finance'] });
    await refusedEverywhere(accessToken);
    const next = loggedIn.partial().parse((await refresh(refreshToken)).body);
    assert.equal(await statusOf(api, next.accessToken ?? ''), 200);
  });

  it('that ended while a process was not listening are known to the next one', async () => {
    const { accessToken } = await session((await newAccount(api)).email);
    await endSessions(database.db, [await sidOf(accessToken)], 'revoked', new Date());
    const late = await startApi(database, { tokens: api.deps.tokens });
    try {
      await eventually('the token is refused', async () => (await statusOf(late, accessToken)) === 401, 2_000);
    } finally {
      await late.close();
    }
  });

  it('are five at most; the sixth log-in ends the one used longest ago, and says so in the audit', async () => {
    const { email } = await newAccount(api);
    const first = await session(email);
    for (let time = 0; time < 5; time += 1) await session(email);
    await refusedEverywhere(first.accessToken);
    const events = await eventsAbout(api, `session/${await sidOf(first.accessToken)}`);
    assert.deepEqual(events.map(({ type, data }) => [type, data.reason]).at(-1), ['session.ended', 'replaced']);
  });

  it('of staff lie idle for 30 minutes, of owners for 7 days', async () => {
    const minutesOf = async (roles: string[]) => {
      const { email, id } = await newAccount(api);
      await database.db('users').where({ id }).update({ roles });
      await session(email);
      const { created_at, idle_until } = await database.db('sessions').where({ user_id: id }).first();
      return (idle_until.getTime() - created_at.getTime()) / 60_000;
    };
    assert.deepEqual([await minutesOf(['verifier']), await minutesOf(['owner'])], [30, 7 * 24 * 60]);
    assert.equal(await minutesOf(['owner', 'admin']), 30);
  });

  describe('whose old refresh token turns up again', () => {
    it('end, with an event and a letter to their owner, and not a second time', async () => {
      const { email, id } = await newAccount(api);
      const { accessToken, refreshToken } = await session(email);
      await refresh(refreshToken);
      await database
        .db('refresh_tokens')
        .where({ token_hash: hash('sha256', refreshToken) })
        .update({ used_at: new Date(Date.now() - 11_000) });
      for (let time = 0; time < 2; time += 1) {
        assert.equal((await refresh(refreshToken)).body.code, 'invalid_credentials');
      }
      await refusedEverywhere(accessToken);
      assert.deepEqual(await lettersTo(api, id), ['verify_email', 'sign_in_reused']);
      const events = await eventsAbout(api, `session/${await sidOf(accessToken)}`);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['login.succeeded', 'session.reuse_detected'],
      );
    });

    it('end at once when the successor was used already', async () => {
      const { refreshToken } = await session((await newAccount(api)).email);
      const next = loggedIn.partial().parse((await refresh(refreshToken)).body);
      const last = loggedIn.partial().parse((await refresh(next.refreshToken ?? '')).body);
      assert.equal((await refresh(refreshToken)).status, 401);
      assert.equal((await refresh(last.refreshToken ?? '')).status, 401);
    });

    it('go on when twenty clients ask at once', async () => {
      const { refreshToken } = await session((await newAccount(api)).email);
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)));
      assert.ok(answers.every(({ status }) => status === 200));
    });
  });

  describe('from a strange place', () => {
    it('are told by letter, unless it is the first log-in, a known device or a known network', async () => {
      const { email, id } = await newAccount(api);
      const { deviceToken } = await session(email, '203.0.113.7');
      await session(email, '203.0.113.200');
      await logIn(api, email, { from: '198.51.100.1', deviceToken });
      assert.deepEqual(await lettersTo(api, id), ['verify_email']);
      await logIn(api, email, { from: '192.0.2.1', userAgent: CHROME });
      assert.deepEqual(await lettersTo(api, id), ['verify_email', 'new_device']);
      const { data } = await database.db('account_letters').where({ user_id: id, template: 'new_device' }).first();
      assert.deepEqual([data.device, data.address], ['Chrome on Android', '192.0.2.1']);
      await logIn(api, email, { from: '192.0.2.77' });
      assert.equal((await lettersTo(api, id)).length, 2);
    });

    it('do not pass by the device token of somebody else', async () => {
      const [sari, budi] = [await newAccount(api), await newAccount(api)];
      await session(sari.email);
      const { deviceToken } = await session(budi.email);
      const answer = await logIn(api, sari.email, { from: '192.0.2.1', deviceToken });
      assert.notEqual(answer.body.deviceToken, deviceToken);
      assert.deepEqual(await lettersTo(api, sari.id), ['verify_email', 'new_device']);
    });
  });

  it('remember their devices, which can be forgotten one by one by their own person', async () => {
    const [sari, budi] = [await newAccount(api), await newAccount(api)];
    const [hers, his] = [await session(sari.email), await session(budi.email)];
    const devicesWith = async (token: string) =>
      devices.parse((await api.call('/auth/devices', { headers: bearer(token) })).body).items;
    const [device] = await devicesWith(hers.accessToken);
    assert.deepEqual([device?.name, device?.trustedUntil], ['Chrome on Android', null]);
    const forget = (token: string) =>
      api.call(`/auth/devices/${device?.id}`, { method: 'DELETE', headers: bearer(token) });
    assert.equal((await forget(his.accessToken)).status, 404);
    assert.equal((await forget(hers.accessToken)).status, 204);
    assert.deepEqual(await devicesWith(hers.accessToken), []);
    assert.deepEqual(
      (await eventsAbout(api, `device/${device?.id}`)).map(({ type }) => type),
      ['device.revoked'],
    );
  });

  describe('of staff who have no second factor where the office requires one', () => {
    let strict: TestApi;
    before(async () => {
      strict = await startApi(database, { access: { ...OPEN_ACCESS, staffSecondFactor: 'required' } });
    });
    after(() => strict.close());

    const newStaff = async () => {
      const account = await newAccount(strict);
      await database
        .db('users')
        .where({ id: account.id })
        .update({ roles: ['verifier'] });
      return account;
    };
    const inbox = (token: unknown) => strict.call('/reviews/inbox', { headers: bearer(token) });

    it('do all once, and from the second log-in on nothing but their own account, refreshed or not', async () => {
      const { email } = await newStaff();
      const first = await logIn(strict, email);
      assert.equal(first.body.mfaSetupRequired, true);
      assert.notEqual((await inbox(first.body.accessToken)).body.code, 'second_factor_setup_required');
      const second = await logIn(strict, email);
      assert.equal(second.body.mfaSetupRequired, true);
      const allowed = await strict.call('/auth/sessions', { headers: bearer(second.body.accessToken) });
      assert.equal(allowed.status, 200);
      const tokens = [second.body.accessToken];
      const refreshed = await strict.call('/auth/refresh', { body: { refreshToken: second.body.refreshToken } });
      tokens.push(refreshed.body.accessToken);
      for (const token of tokens) {
        const { status, body } = await strict.call('/users/companies', { headers: bearer(token) });
        assert.deepEqual(
          [status, body.code === 'second_factor_setup_required' || body.code === 'forbidden'],
          [403, true],
        );
        assert.equal((await strict.deps.tokens.verify(String(token)))?.setupOnly, true);
      }
    });

    it('have one such log-in, though twenty come at once', async () => {
      const { email } = await newStaff();
      const answers = await Promise.all(Array.from({ length: 20 }, () => logIn(strict, email)));
      const callers = await Promise.all(answers.map(({ body }) => strict.deps.tokens.verify(String(body.accessToken))));
      assert.equal(callers.filter((caller) => caller?.setupOnly === false).length, 1);
      assert.equal(callers.filter((caller) => caller?.setupOnly === true).length, 19);
    });

    it('are no matter of owners', async () => {
      const { email } = await newAccount(strict);
      assert.equal((await logIn(strict, email)).body.mfaSetupRequired, undefined);
    });
  });

  it('outlive a change of the signing key, and both keys are published', async () => {
    const [oldKey, newKey] = [newPrivateKey(), newPrivateKey()];
    const publicUrl = api.url;
    const before = await createAccessTokens({ privateKeyPem: oldKey, publicUrl });
    const rotated = await createAccessTokens({ privateKeyPem: newKey, previousKeysPem: oldKey, publicUrl });
    const without = await createAccessTokens({ privateKeyPem: newKey, publicUrl });
    const person = await api.person('owner');
    const token = await before.issue({ userId: person.id, roles: ['owner'], sessionId: person.sessionId });
    const after = await startApi(database, { tokens: rotated });
    try {
      assert.equal(await statusOf(after, token), 200);
      const jwks = z
        .object({ keys: z.array(z.record(z.string(), z.string())) })
        .parse(await (await fetch(`${after.url}/.well-known/jwks.json`)).json());
      assert.deepEqual(
        jwks.keys.map(({ kid }) => kid),
        [without, before].map(({ jwks: { keys } }) => keys[0]?.kid),
      );
      assert.ok(jwks.keys.every(({ d }) => d === undefined));
    } finally {
      await after.close();
    }
    assert.equal(await without.verify(token), undefined, 'a key that was dropped opens nothing');
  });
});
