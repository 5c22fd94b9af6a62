import assert from 'node:assert/strict';
import { z } from 'zod';
import type { TestPerson } from '../support/api.ts';
import {
  challengeSchema,
  codeOf,
  codesSchema,
  refused,
  type SecondFactorTests,
  startSecondFactorTests,
  tokensSchema,
  totpSchema,
  wrongCodeOf,
} from '../support/second-factors.ts';

describe('logging in with a second factor', () => {
  let t: SecondFactorTests;
  before(async function () {
    this.timeout(120_000);
    t = await startSecondFactorTests();
  });
  after(() => t.close());

  describe('logging in', () => {
    it('opens with a code what a password alone does not', async () => {
      const { person, secret } = await t.withTotp();
      const { body } = await t.logIn(person);
      assert.ok(!('accessToken' in body));
      const answer = await t.give(challengeSchema.parse(body).mfaToken, codeOf(secret));
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const { accessToken } = tokensSchema.parse(answer.body);
      const profile = await t.api.call('/users/profile', { headers: { authorization: `Bearer ${accessToken}` } });
      assert.equal(profile.status, 200);
      const session = await t.database
        .db('sessions')
        .where({ user_id: person.id })
        .orderBy('created_at', 'desc')
        .first();
      assert.ok(Date.now() - session.second_factor_at.getTime() < 60_000);
    });

    it('takes the code of the next step already, and then none before it', async () => {
      const { person, secret } = await t.withTotp();
      tokensSchema.parse((await t.give(await t.challenge(person), codeOf(secret, 1))).body);
      refused(await t.give(await t.challenge(person), codeOf(secret)), 401, 'invalid_code');
    });

    it('refuses a code that was used, in another log-in too', async () => {
      const { person, secret } = await t.withTotp();
      const code = codeOf(secret);
      tokensSchema.parse((await t.give(await t.challenge(person), code)).body);
      refused(await t.give(await t.challenge(person), code), 401, 'invalid_code');
    });

    it('lets in one of two that come at once with the same code', async () => {
      const { person, secret } = await t.withTotp();
      const [one, two] = [await t.challenge(person), await t.challenge(person)];
      const code = codeOf(secret);
      const answers = await Promise.all([t.give(one, code), t.give(two, code)]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 401]);
    });

    it('uses a challenge once, also when it comes twice at once', async () => {
      const { person, secret, backupCodes } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      const answers = await Promise.all([t.give(mfaToken, codeOf(secret)), t.give(mfaToken, backupCodes[0] ?? '')]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 401]);
      refused(await t.give(mfaToken, backupCodes[1] ?? ''), 401, 'challenge_ended');
    });

    it('refuses a challenge that ran out, and one that nobody was given', async () => {
      const { person, secret } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      await t.database.db('login_challenges').where({ user_id: person.id }).update({ expires_at: new Date() });
      refused(await t.give(mfaToken, codeOf(secret)), 401, 'challenge_ended');
      refused(await t.give('made-up', codeOf(secret)), 401, 'challenge_ended');
    });

    it("refuses one person's code for another person's challenge", async () => {
      const [mine, other] = [await t.withTotp(), await t.withTotp()];
      const theirs = await t.challenge(other.person);
      refused(await t.give(theirs, codeOf(mine.secret)), 401, 'invalid_code');
      refused(await t.give(theirs, mine.backupCodes[0] ?? ''), 401, 'invalid_code');
      tokensSchema.parse((await t.give(await t.challenge(mine.person), mine.backupCodes[0] ?? '')).body);
    });

    it('refuses whoever was disabled, or changed the password, since the password was given', async () => {
      const { person, secret } = await t.withTotp();
      const [one, two] = [await t.challenge(person), await t.challenge(person)];
      const users = () => t.database.db('users').where({ id: person.id });
      await users().update({ status: 'disabled' });
      refused(await t.give(one, codeOf(secret)), 401, 'challenge_ended');
      await users().update({ status: 'active', password_changed_at: new Date() });
      refused(await t.give(two, codeOf(secret)), 401, 'challenge_ended');
    });

    it('holds a challenge for no credential', async () => {
      const { person } = await t.withTotp();
      const headers = { authorization: `Bearer ${await t.challenge(person)}` };
      refused(await t.api.call('/users/profile', { headers }), 401, 'unauthenticated');
    });

    it('takes a method by name, and refuses one that is not set up', async () => {
      const { person, secret } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      refused(await t.give(mfaToken, codeOf(secret), { method: 'sms' }), 409, 'second_factor_missing');
      tokensSchema.parse((await t.give(mfaToken, codeOf(secret), { method: 'totp' })).body);
    });
  });

  describe('guessing', () => {
    it('ends the log-in after five wrong codes, and makes the account wait: then the right code is refused too', async () => {
      const { person, secret } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      const wrong = wrongCodeOf(secret);
      for (let guess = 1; guess <= 5; guess += 1) refused(await t.give(mfaToken, wrong), 401, 'invalid_code');
      refused(await t.give(mfaToken, codeOf(secret)), 401, 'challenge_ended');
      const held = await t.give(await t.challenge(person), codeOf(secret));
      refused(held, 429, 'second_factor_locked');
      const seconds = Number(held.headers.get('retry-after'));
      assert.ok(seconds > 14 * 60 && seconds <= 15 * 60, String(seconds));
      refused(await t.stepUp(person, codeOf(secret)), 429, 'second_factor_locked');
      assert.equal((await t.eventsOf(person, 'second_factor.failed')).length, 5);
      const changes = (await t.lettersOf(person, 'second_factor_changed')).map(({ change }) => change);
      assert.deepEqual(changes, ['added', 'wrong_codes']);
      const [locked] = await t.eventsOf(person, 'login.locked');
      assert.deepEqual({ ...locked.data, until: '' }, { from: 'second_factor', until: '' });
      assert.equal(locked.actor_id, null);
      assert.ok(locked.address);
    });

    it('gives no new tries with new log-ins', async () => {
      const { person, secret } = await t.withTotp();
      for (let guess = 1; guess <= 5; guess += 1) {
        refused(await t.give(await t.challenge(person), wrongCodeOf(secret)), 401, 'invalid_code');
      }
      refused(await t.give(await t.challenge(person), codeOf(secret)), 429, 'second_factor_locked');
    });

    it('answers five of many guesses at once, whatever they are for', async () => {
      const { person, secret } = await t.withTotp();
      const tokens = await Promise.all([1, 2, 3, 4].map(() => t.challenge(person)));
      const wrong = wrongCodeOf(secret);
      const answers = await Promise.all([
        ...tokens.flatMap((token) => [t.give(token, wrong), t.give(token, wrong)]),
        ...[1, 2, 3, 4].map(() => t.stepUp(person, wrong)),
      ]);
      const codes = answers.map(({ body }) => body['code']);
      assert.equal(codes.filter((code) => code === 'invalid_code').length, 5, codes.join(' '));
      assert.equal(codes.filter((code) => code === 'second_factor_locked').length, 7, codes.join(' '));
    });

    it('forgets wrong codes once a right one came', async () => {
      const { person, secret } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      for (let guess = 1; guess <= 4; guess += 1)
        refused(await t.give(mfaToken, wrongCodeOf(secret)), 401, 'invalid_code');
      tokensSchema.parse((await t.give(mfaToken, codeOf(secret))).body);
      refused(await t.give(await t.challenge(person), wrongCodeOf(secret)), 401, 'invalid_code');
      tokensSchema.parse((await t.give(await t.challenge(person), codeOf(secret, 1))).body);
    });

    it('does not keep anybody from logging in who has no second factor', async () => {
      const { person, secret } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      for (let guess = 1; guess <= 5; guess += 1) await t.give(mfaToken, wrongCodeOf(secret));
      tokensSchema.parse((await t.logIn(await t.personWithPassword())).body);
    });

    it('counts what is no code at all', async () => {
      const { person } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      for (const code of ['1234567', 'AAAAA-AAAAA', 'ABCDEFGHIJ', '------', 'ＡＡＡＡＡＡ']) {
        refused(await t.give(mfaToken, code), 401, 'invalid_code');
      }
      refused(await t.give(mfaToken, '123456'), 401, 'challenge_ended');
    });
  });

  describe('a remembered device', () => {
    const remembered = async () => {
      const mine = await t.withTotp();
      const answer = await t.give(await t.challenge(mine.person), codeOf(mine.secret), { rememberDevice: true });
      const { deviceToken } = tokensSchema.parse(answer.body);
      await t.forgetSteps(mine.person);
      return { ...mine, deviceToken };
    };

    it('is not asked again, for thirty days', async () => {
      const { person, deviceToken } = await remembered();
      tokensSchema.parse((await t.logIn(person, t.api, { deviceToken })).body);
      challengeSchema.parse((await t.logIn(person)).body);
      const devices = t.database.db('devices').where({ user_id: person.id }).whereNotNull('trusted_until');
      const [{ trusted_until: until }] = await devices.clone().select('trusted_until');
      assert.ok(Math.abs(until.getTime() - Date.now() - 30 * 86_400_000) < 60_000);
      await devices.update({ trusted_until: new Date() });
      challengeSchema.parse((await t.logIn(person, t.api, { deviceToken })).body);
    });

    it('gives no fresh second factor', async () => {
      const { person, deviceToken } = await remembered();
      const { accessToken } = tokensSchema.parse((await t.logIn(person, t.api, { deviceToken })).body);
      const headers = { authorization: `Bearer ${accessToken}` };
      refused(await t.api.call('/auth/mfa/backup-codes', { headers, body: {} }), 403, 'step_up_required');
    });

    it('is not remembered without being asked to', async () => {
      const { person, secret } = await t.withTotp();
      const { deviceToken } = tokensSchema.parse((await t.give(await t.challenge(person), codeOf(secret))).body);
      challengeSchema.parse((await t.logIn(person, t.api, { deviceToken })).body);
    });

    it("is one person's alone", async () => {
      const { deviceToken } = await remembered();
      const other = await t.withTotp();
      challengeSchema.parse((await t.logIn(other.person, t.api, { deviceToken })).body);
    });

    it('is asked again once a factor was taken away', async () => {
      const { person, deviceToken } = await remembered();
      await t.setUpEmail(person);
      tokensSchema.parse((await t.logIn(person, t.api, { deviceToken })).body);
      assert.equal((await t.remove(person, 'totp')).status, 204);
      challengeSchema.parse((await t.logIn(person, t.api, { deviceToken })).body);
    });
  });

  describe('staff of an office that requires one', () => {
    const strictLogIn = (person: TestPerson) => t.logIn(person, t.strict);

    it('get in fully once, then for nothing but setting one up, then with it', async () => {
      const person = await t.personWithPassword('verifier');
      const profile = (token: string) =>
        t.strict.call('/users/profile', { headers: { authorization: `Bearer ${token}` } });
      const first = await strictLogIn(person);
      assert.equal(first.body['mfaSetupRequired'], true);
      assert.equal((await profile(tokensSchema.parse(first.body).accessToken)).status, 200);

      const second = tokensSchema.parse((await strictLogIn(person)).body);
      refused(await inboxWith(second.accessToken), 403, 'second_factor_setup_required');
      const renewed = await t.strict.call('/auth/refresh', { body: { refreshToken: second.refreshToken } });
      const token = z.object({ accessToken: z.string() }).parse(renewed.body).accessToken;
      refused(await inboxWith(token), 403, 'second_factor_setup_required');

      const headers = { authorization: `Bearer ${token}` };
      const { secret } = totpSchema.parse((await t.strict.call('/auth/mfa/totp', { headers, body: {} })).body);
      const confirmed = await t.strict.call('/auth/mfa/totp/confirm', { headers, body: { code: codeOf(secret) } });
      assert.equal(codesSchema.parse(confirmed.body).backupCodes.length, 10);
      refused(await inboxWith(token), 403, 'second_factor_setup_required');
      await t.forgetSteps(person);

      const { mfaToken } = challengeSchema.parse((await strictLogIn(person)).body);
      const opened = await t.strict.call('/auth/login/mfa', { body: { mfaToken, code: codeOf(secret) } });
      assert.equal((await inboxWith(tokensSchema.parse(opened.body).accessToken)).status, 200);
    });

    const inboxWith = (token: string) =>
      t.strict.call('/licenses/assigned', { headers: { authorization: `Bearer ${token}` } });

    it('are not asked where they are no staff', async () => {
      const person = await t.personWithPassword('owner');
      for (let time = 1; time <= 2; time += 1) {
        assert.equal((await strictLogIn(person)).body['mfaSetupRequired'], undefined);
      }
    });
  });
});
