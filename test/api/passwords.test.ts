import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { z } from 'zod';
import { inTurn } from '../../api/passwords.ts';
import { Failure } from '../../domain/failures.ts';
import { bearer, eventsAbout, lettersTo, logIn, newAccount, PASSWORD, tokenInLetter } from '../support/accounts.ts';
import { OPEN_ACCESS, startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const NEW_PASSWORD = 'Teh-Botol-Dingin-9';
const errors = z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() }));

describe('passwords', () => {
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

  const forgot = (email: string) => api.call('/auth/password/forgot', { body: { email } });
  const reset = (token: string, password = NEW_PASSWORD) =>
    api.call('/auth/password/reset', { body: { token, password } });
  const change = (accessToken: unknown, body: object) =>
    api.call('/auth/password/change', { body, headers: bearer(accessToken) });
  const resetLink = async (account: { email: string; id: Parameters<typeof lettersTo>[1] }) => {
    await forgot(account.email);
    return tokenInLetter(api, account.id, 'password_reset');
  };
  const isRefused = (accessToken: unknown) =>
    eventually(
      'the token is refused',
      async () => (await api.call('/users/profile', { headers: bearer(accessToken) })).status === 401,
      2_000,
    );

  describe('that are weak', () => {
    const refusedBy = async (at: TestApi, password: string, language = 'en', email = `${randomUUID()}@example.id`) => {
      const body = { email, password, name: 'W' };
      const answer = await at.call('/auth/register', { body, headers: { 'accept-language': language } });
      assert.deepEqual([answer.status, answer.body.code], [422, 'weak_password']);
      return errors.parse(answer.body.errors);
    };

    it('are explained with the numbers of the office, in both languages', async () => {
      const passwords = { minLength: 12, passphraseLength: 20 };
      const strict = await startApi(database, { access: { ...OPEN_ACCESS, passwords } });
      try {
        assert.deepEqual(await refusedBy(strict, 'Warung#47b'), [
          { pointer: '/password', code: 'too_short', detail: 'at least 12 characters, or 20 without further rules' },
        ]);
        const told = await refusedBy(strict, 'warung', 'id');
        assert.deepEqual(
          told.map(({ detail }) => detail),
          [
            'sedikitnya 12 karakter, atau 20 tanpa syarat lain',
            'tambahkan huruf besar',
            'tambahkan angka',
            'tambahkan simbol',
          ],
        );
      } finally {
        await strict.close();
      }
    });

    it('are those on the long list too, and the address itself', async () => {
      const loose = { minLength: 8, passphraseLength: 12 };
      const lax = await startApi(database, { access: { ...OPEN_ACCESS, passwords: loose } });
      try {
        assert.deepEqual(
          (await refusedBy(lax, 'qwertyuiop123')).map(({ code }) => code),
          ['common'],
        );
        const email = 'kopi.tubruk-42@example.id';
        assert.deepEqual(
          (await refusedBy(lax, 'Kopi.Tubruk-42', 'en', email)).map(({ code }) => code),
          ['is_email'],
        );
      } finally {
        await lax.close();
      }
    });
  });

  describe('that are forgotten', () => {
    it('are asked for in the same words, and with the same work, whether somebody has the address', async () => {
      const { email } = await newAccount(api);
      const answers = await Promise.all([forgot(email), forgot(`${randomUUID()}@example.id`)]);
      const [known, unknown] = answers.map(({ status, body }) => ({ status, body }));
      assert.equal(known?.status, 202);
      assert.deepEqual(known, unknown);
      const letters = await database.db('account_letters').where({ template: 'password_reset' });
      assert.equal(letters.length, 2);
      assert.ok(letters.every(({ user_id }) => user_id === null));
      const addresses = letters.map((letter) =>
        api.deps.personalData.open(letter.address_encrypted, 'account_letters.address'),
      );
      assert.ok(addresses.includes(email));
    });

    it('bring five letters an hour at most, and the answer does not tell', async () => {
      const { email } = await newAccount(api);
      const lettersNow = async () =>
        Number((await database.db('account_letters').where({ template: 'password_reset' }).count())[0]?.count);
      const before = await lettersNow();
      const answers = await Promise.all(Array.from({ length: 9 }, () => forgot(email)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
      assert.equal((await lettersNow()) - before, 5);
    });

    it('are chosen anew by the link, once: every session ends, the lock is lifted, the address is verified', async () => {
      const account = await newAccount(api);
      const { accessToken, refreshToken } = (await logIn(api, account.email)).body;
      const token = await resetLink(account);
      for (let time = 0; time < 6; time += 1) await logIn(api, account.email, { password: 'wrong' });
      assert.equal((await logIn(api, account.email)).status, 429);
      assert.equal((await reset(token)).status, 204);
      assert.equal((await api.call('/auth/refresh', { body: { refreshToken } })).status, 401);
      await isRefused(accessToken);
      const again = await logIn(api, account.email, { password: NEW_PASSWORD });
      assert.equal(again.status, 200);
      const profile = await api.call('/users/profile', { headers: bearer(again.body.accessToken) });
      assert.equal(profile.body.emailVerified, true);
      assert.equal((await logIn(api, account.email)).status, 401, 'the old one');
      assert.deepEqual([(await reset(token)).status, (await reset(token)).body.code], [422, 'link_not_valid']);
      assert.ok((await lettersTo(api, account.id)).includes('password_changed'));
      const types = (await eventsAbout(api, `user/${account.id}`)).map(({ type }) => type);
      assert.ok(types.includes('user.password_reset') && types.includes('user.email_verified'));
    });

    it('are reset by one of twenty who use a link at once', async () => {
      const token = await resetLink(await newAccount(api));
      const passwords = Array.from({ length: 20 }, (_, number) => `${NEW_PASSWORD}-${number}`);
      const answers = await Promise.all(passwords.map((password) => reset(token, password)));
      assert.equal(answers.filter(({ status }) => status === 204).length, 1);
      assert.equal(answers.filter(({ body }) => body.code === 'link_not_valid').length, 19);
    });

    it('keep their link when the new one is too weak', async () => {
      const token = await resetLink(await newAccount(api));
      assert.equal((await reset(token, 'short')).body.code, 'weak_password');
      assert.equal((await reset(token)).status, 204);
    });

    it('are not reset by a wrong link, an old one, one of another kind, or that of a disabled account', async () => {
      const account = await newAccount(api);
      const older = await resetLink(account);
      const newest = await resetLink(account);
      assert.notEqual(older, newest);
      const wrongKind = await tokenInLetter(api, account.id, 'verify_email');
      for (const token of ['never-given-out', older, wrongKind]) {
        assert.equal((await reset(token)).body.code, 'link_not_valid', token);
      }
      await database.db('link_tokens').where({ user_id: account.id }).update({ expires_at: new Date() });
      assert.equal((await reset(newest)).body.code, 'link_not_valid', 'too late');
      const disabled = await newAccount(api);
      const token = await resetLink(disabled);
      await database.db('users').where({ id: disabled.id }).update({ status: 'disabled' });
      assert.equal((await reset(token)).body.code, 'link_not_valid', 'disabled');
    });

    it('void the trust of devices with their reset', async () => {
      const account = await newAccount(api);
      await logIn(api, account.email);
      await database
        .db('devices')
        .where({ user_id: account.id })
        .update({ trusted_until: new Date(Date.now() + 60_000) });
      assert.equal((await reset(await resetLink(account))).status, 204);
      assert.deepEqual(await database.db('devices').where({ user_id: account.id }).pluck('trusted_until'), [null]);
    });
  });

  describe('that are changed', () => {
    it('want the present one; the session that asks goes on, others and open links end, and a letter tells', async () => {
      const account = await newAccount(api);
      const here = (await logIn(api, account.email)).body;
      const there = (await logIn(api, account.email)).body;
      const link = await resetLink(account);
      const wrong = await change(here.accessToken, { currentPassword: 'wrong', newPassword: NEW_PASSWORD });
      assert.deepEqual([wrong.status, wrong.body.code], [422, 'wrong_password']);
      const right = await change(here.accessToken, { currentPassword: PASSWORD, newPassword: NEW_PASSWORD });
      assert.equal(right.status, 204);
      await isRefused(there.accessToken);
      assert.equal((await api.call('/users/profile', { headers: bearer(here.accessToken) })).status, 200);
      assert.equal((await reset(link)).body.code, 'link_not_valid');
      assert.equal((await logIn(api, account.email, { password: NEW_PASSWORD })).status, 200);
      assert.deepEqual(await lettersTo(api, account.id), ['verify_email', 'password_changed']);
      assert.equal(
        (await eventsAbout(api, `user/${account.id}`)).filter(({ type }) => type === 'user.password_changed').length,
        1,
      );
    });

    it('are held to the policy, with the e-mail in view', async () => {
      const account = await newAccount(api);
      const { accessToken } = (await logIn(api, account.email)).body;
      const weak = await change(accessToken, { currentPassword: PASSWORD, newPassword: account.email });
      assert.deepEqual(
        errors.parse(weak.body.errors).map(({ code }) => code),
        ['is_email'],
      );
    });

    it('are nobody’s without a log-in', async () => {
      const body = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
      assert.equal((await api.call('/auth/password/change', { body })).status, 401);
    });
  });

  it('hashed with older parameters are hashed anew at the next log-in', async () => {
    const { email, id } = await newAccount(api);
    const weaker = await hash(PASSWORD, { memoryCost: 4096, timeCost: 1, parallelism: 1 });
    await database.db('users').where({ id }).update({ password_hash: weaker });
    assert.equal((await logIn(api, email)).status, 200);
    const { password_hash: renewed } = await database.db('users').where({ id }).first('password_hash');
    assert.match(renewed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal((await logIn(api, email)).status, 200);
    const { password_hash: kept } = await database.db('users').where({ id }).first('password_hash');
    assert.equal(kept, renewed);
  });

  it('that an account does not have open nothing', async () => {
    const { email, id } = await newAccount(api);
    await database.db('users').where({ id }).update({ password_hash: null });
    assert.equal((await logIn(api, email)).body.code, 'invalid_credentials');
  });

  it('beyond 500 that wait for their turn are turned away, with the time to come back', async () => {
    const done = Symbol('done');
    const tries = Array.from({ length: 560 }, () => inTurn(async () => done).catch((error: unknown) => error));
    const away = (await Promise.all(tries)).filter((result) => result !== done);
    assert.ok(away.length > 50 && away.length < 60, `${away.length} were turned away`);
    const [refused] = away;
    assert.ok(refused instanceof Failure);
    assert.deepEqual([refused.code, refused.facts.retryAfterSeconds], ['temporarily_unavailable', 15]);
    assert.equal(await inTurn(async () => done), done, 'afterwards it goes on');
  });
});
