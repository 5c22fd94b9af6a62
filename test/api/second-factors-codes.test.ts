import assert from 'node:assert/strict';
import { startApi } from '../support/api.ts';
import { refused, type SecondFactorTests, startSecondFactorTests, tokensSchema } from '../support/second-factors.ts';

describe('codes of a second factor that are sent', () => {
  let t: SecondFactorTests;
  before(async function () {
    this.timeout(120_000);
    t = await startSecondFactorTests();
  });
  after(() => t.close());

  describe('codes by e-mail', () => {
    it('are one a minute and five an hour', async () => {
      const person = await t.personWithPassword();
      const ask = () => t.api.call('/auth/mfa/email', { as: person, body: {} });
      const first = await ask();
      assert.deepEqual(first.body, { expiresInSeconds: 600, nextInSeconds: 60 });
      const again = await ask();
      refused(again, 429, 'rate_limited');
      const seconds = Number(again.headers.get('retry-after'));
      assert.ok(seconds > 50 && seconds <= 60, String(seconds));
      for (let sent = 2; sent <= 5; sent += 1) {
        await t.database
          .db('sent_codes')
          .where({ user_id: person.id })
          .update({ created_at: t.database.db.raw(`created_at - interval '2 minutes'`) });
        assert.equal((await ask()).status, 200, `code ${sent}`);
      }
      await t.database
        .db('sent_codes')
        .where({ user_id: person.id })
        .update({ created_at: t.database.db.raw(`created_at - interval '2 minutes'`) });
      refused(await ask(), 429, 'rate_limited');
    });

    it('go to two that ask at once only once', async () => {
      const person = await t.personWithPassword();
      const answers = await Promise.all([1, 2, 3].map(() => t.api.call('/auth/mfa/email', { as: person, body: {} })));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 429, 429]);
    });

    it('open a log-in once, and only where they were set up', async () => {
      const { person } = await t.withTotp();
      const mfaToken = await t.challenge(person);
      const send = (token: string) =>
        t.api.call('/auth/login/mfa/send', { body: { mfaToken: token, method: 'email' } });
      refused(await send(mfaToken), 409, 'second_factor_missing');
      await t.setUpEmail(person);
      await t.forgetSends(person);
      assert.equal((await send(mfaToken)).status, 200);
      const code = await t.lastCode(person, 'email');
      tokensSchema.parse((await t.give(mfaToken, code)).body);
      refused(await t.give(await t.challenge(person), code), 401, 'invalid_code');
      refused(await send(mfaToken), 401, 'challenge_ended');
    });

    it('step up', async () => {
      const person = await t.personWithPassword();
      await t.setUpEmail(person);
      await t.forgetSends(person);
      await t.age(person);
      assert.equal((await t.api.call('/auth/step-up/send', { as: person, body: { method: 'email' } })).status, 200);
      assert.equal((await t.stepUp(person, await t.lastCode(person, 'email'))).status, 200);
      refused(await t.stepUp(person, await t.lastCode(person, 'email')), 401, 'invalid_code');
    });

    it('are over after five wrong tries at confirming, without making the account wait', async () => {
      const person = await t.personWithPassword();
      await t.api.call('/auth/mfa/email', { as: person, body: {} });
      const right = await t.lastCode(person, 'email');
      const wrong = right === '000000' ? '000001' : '000000';
      const confirm = (code: string) => t.api.call('/auth/mfa/email/confirm', { as: person, body: { code } });
      for (let guess = 1; guess <= 5; guess += 1) refused(await confirm(wrong), 401, 'invalid_code');
      refused(await confirm(right), 401, 'invalid_code');
      tokensSchema.parse((await t.logIn(person)).body);
    });
  });

  describe('codes by SMS', () => {
    it('want a mobile number, and an office that sends text messages', async () => {
      const person = await t.personWithPassword();
      const wrong = await t.api.call('/auth/mfa/sms', { as: person, body: { phone: '021 579 01234' } });
      refused(wrong, 422, 'invalid_request');
      assert.match(JSON.stringify(wrong.body), /"pointer":"\/phone","code":"not_a_mobile_number"/);
      const without = await startApi(t.database, { smsOffered: false });
      try {
        const answer = await without.call('/auth/mfa/sms', {
          as: await t.tokenFor(without, person),
          body: { phone: '081234567890' },
        });
        refused(answer, 503, 'code_not_sent');
      } finally {
        await without.close();
      }
    });

    it('say so when they cannot be sent, and need not wait for the next', async () => {
      const person = await t.personWithPassword();
      const ask = () => t.api.call('/auth/mfa/sms', { as: person, body: { phone: '081234567890' } });
      refused(await ask(), 503, 'code_not_sent');
      refused(await ask(), 503, 'code_not_sent');
      assert.equal(await t.database.db('sent_codes').where({ user_id: person.id }).first(), undefined);
    });
  });
});
