import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { bearer, eventsAbout, lettersTo, logIn, newAccount, PASSWORD, tokenInLetter } from '../support/accounts.ts';
import { OPEN_ACCESS, startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('a new account', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    api = await startApi(database, { access: { ...OPEN_ACCESS, requireVerifiedEmail: true } });
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const verify = (token: string) => api.call('/auth/verify-email', { body: { token } });
  const resend = (accessToken: unknown) =>
    api.call('/auth/verify-email/resend', { method: 'POST', headers: bearer(accessToken) });

  it('verifies its address by the link in the letter, once, and is welcomed', async () => {
    const { id } = await newAccount(api);
    assert.deepEqual(await lettersTo(api, id), ['verify_email']);
    const token = await tokenInLetter(api, id, 'verify_email');
    const first = await verify(token);
    assert.deepEqual([first.status, first.body], [200, { emailVerified: true }]);
    assert.deepEqual([(await verify(token)).status, (await verify(token)).body.code], [422, 'link_not_valid']);
    assert.deepEqual(await lettersTo(api, id), ['verify_email', 'welcome']);
    const events = await eventsAbout(api, `user/${id}`);
    assert.deepEqual(
      events.map(({ type, actor_id }) => [type, actor_id]),
      [
        ['user.registered', id],
        ['user.email_verified', id],
      ],
    );
  });

  it('is verified by one of twenty who use the link at once', async () => {
    const { id } = await newAccount(api);
    const token = await tokenInLetter(api, id, 'verify_email');
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.deepEqual(await lettersTo(api, id), ['verify_email', 'welcome']);
  });

  it('can do nothing but look after itself until then, and all from then on with the same token', async () => {
    const { email, id } = await newAccount(api);
    const headers = bearer((await logIn(api, email)).body.accessToken);
    assert.equal((await api.call('/users/companies', { headers })).body.code, 'email_not_verified');
    assert.equal((await api.call('/auth/sessions', { headers })).status, 200);
    await verify(await tokenInLetter(api, id, 'verify_email'));
    assert.equal((await api.call('/users/companies', { headers })).status, 200);
  });

  it('shows in its profile whether the address is verified', async () => {
    const open = await startApi(database);
    try {
      const { email, id } = await newAccount(open);
      const headers = bearer((await logIn(open, email)).body.accessToken);
      assert.equal((await open.call('/users/profile', { headers })).body.emailVerified, false);
      await verify(await tokenInLetter(api, id, 'verify_email'));
      assert.equal((await open.call('/users/profile', { headers })).body.emailVerified, true);
    } finally {
      await open.close();
    }
  });

  it('is sent another link when it asks, which voids the one before; five an hour, and none once verified', async () => {
    const { email, id } = await newAccount(api);
    const { accessToken } = (await logIn(api, email)).body;
    const older = await tokenInLetter(api, id, 'verify_email');
    const answer = await resend(accessToken);
    assert.deepEqual([answer.status, answer.body], [202, { emailVerified: false }]);
    const newest = await tokenInLetter(api, id, 'verify_email');
    assert.equal((await verify(older)).status, 422);
    for (let time = 0; time < 4; time += 1) assert.equal((await resend(accessToken)).status, 202);
    const refused = await resend(accessToken);
    assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limited']);
    assert.ok(Number(refused.headers.get('retry-after')) > 3_000);
    const last = await tokenInLetter(api, id, 'verify_email');
    assert.equal((await verify(newest)).status, 422, 'a newer one was sent since');
    assert.equal((await verify(last)).status, 200);
    const letters = (await lettersTo(api, id)).length;
    assert.deepEqual((await resend(accessToken)).body, { emailVerified: true });
    assert.equal((await lettersTo(api, id)).length, letters);
  });

  it('takes no field that is not its own to set', async () => {
    const person = await newAccount(api);
    await verify(await tokenInLetter(api, person.id, 'verify_email'));
    const headers = bearer((await logIn(api, person.email)).body.accessToken);
    const grabs = {
      role: 'admin',
      roles: ['admin'],
      emailVerified: true,
      emailVerifiedAt: '2026-01-01T00:00:00Z',
      status: 'active',
      id: randomUUID(),
      officeId: randomUUID(),
      tokenVersion: 1,
      passwordHash: 'x',
    };
    for (const [field, value] of Object.entries(grabs)) {
      const unknownField = [{ pointer: `/${field}`, code: 'unknown_field', detail: 'there is no such field' }];
      const email = `${randomUUID()}@example.id`;
      const registered = await api.call('/auth/register', {
        body: { email, password: PASSWORD, name: 'A', [field]: value },
      });
      assert.deepEqual([registered.status, registered.body.errors], [422, unknownField], `register ${field}`);
      const changed = await api.call('/users/profile', {
        method: 'PUT',
        headers,
        body: { name: 'A', locale: 'id', [field]: value },
      });
      assert.deepEqual([changed.status, changed.body.errors], [422, unknownField], `profile ${field}`);
    }
    const row = await database.db('users').where({ id: person.id }).first();
    assert.deepEqual([row.name, row.roles], ['Sari', ['owner']]);
  });
});
