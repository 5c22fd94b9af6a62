import assert from 'node:assert/strict';
import { z } from 'zod';
import {
  challengeSchema,
  codeOf,
  codesSchema,
  PASSWORD,
  refused,
  type SecondFactorTests,
  startSecondFactorTests,
  tokensSchema,
  totpSchema,
  wrongCodeOf,
} from '../support/second-factors.ts';

describe('having a second factor', () => {
  let t: SecondFactorTests;
  before(async function () {
    this.timeout(120_000);
    t = await startSecondFactorTests();
  });
  after(() => t.close());

  describe('setting up an authenticator app', () => {
    it('gives a key, sealed at rest, that counts only once a code confirms it', async () => {
      const person = await t.personWithPassword();
      const begun = await t.api.call('/auth/mfa/totp', { as: person, body: {} });
      const { secret, otpauthUrl: url, qrSvg: svg } = totpSchema.parse(begun.body);
      assert.equal(begun.headers.get('cache-control'), 'no-store');
      assert.match(secret, /^[A-Z2-7]{32}$/);
      assert.equal(new URL(url).searchParams.get('secret'), secret);
      assert.match(svg, /^<svg /);
      const row = await t.database.db('second_factors').where({ user_id: person.id }).first();
      assert.ok(!JSON.stringify(row).includes(secret) && !row.secret_encrypted.includes(secret));
      tokensSchema.parse((await t.logIn(person)).body);
      assert.deepEqual((await t.api.call('/auth/mfa', { as: person })).body, { factors: [], backupCodesLeft: 0 });

      const confirmed = await t.api.call('/auth/mfa/totp/confirm', { as: person, body: { code: codeOf(secret) } });
      assert.equal(new Set(codesSchema.parse(confirmed.body).backupCodes).size, 10);
      assert.deepEqual(challengeSchema.parse((await t.logIn(person)).body).methods, ['totp', 'backup_code']);
      const { body } = await t.api.call('/auth/mfa', { as: person });
      const list = z.object({ factors: z.array(z.object({ kind: z.string() })), backupCodesLeft: z.number() });
      assert.deepEqual(list.parse(body), { factors: [{ kind: 'totp' }], backupCodesLeft: 10 });
      assert.equal((await t.eventsOf(person, 'second_factor.added')).length, 1);
      assert.deepEqual((await t.eventsOf(person, 'backup_codes.created'))[0].data, { count: 10 });
      assert.deepEqual(
        (await t.lettersOf(person, 'second_factor_changed')).map(({ change }) => change),
        ['added'],
      );
    });

    it('replaces the key when it is begun again', async () => {
      const person = await t.personWithPassword();
      const begin = async () =>
        totpSchema.parse((await t.api.call('/auth/mfa/totp', { as: person, body: {} })).body).secret;
      const [first, second] = [await begin(), await begin()];
      const confirm = (code: string) => t.api.call('/auth/mfa/totp/confirm', { as: person, body: { code } });
      refused(await confirm(codeOf(first)), 401, 'invalid_code');
      assert.equal((await confirm(codeOf(second))).status, 200);
    });

    it('counts as a second factor of this log-in, and of no other', async () => {
      const { person, secret } = await t.withTotp();
      assert.ok(secret);
      assert.equal((await t.api.call('/auth/mfa/backup-codes', { as: person, body: {} })).status, 200);
      const mfaToken = await t.challenge(person);
      const other = tokensSchema.parse((await t.give(mfaToken, codeOf(secret))).body);
      await t.database
        .db('sessions')
        .whereNot({ id: person.sessionId })
        .where({ user_id: person.id })
        .update({ second_factor_at: null });
      const headers = { authorization: `Bearer ${other.accessToken}` };
      refused(await t.api.call('/auth/mfa/backup-codes', { body: {}, headers }), 403, 'step_up_required');
    });

    it('does not take the code that confirmed it for a log-in', async () => {
      const person = await t.personWithPassword();
      const { secret } = totpSchema.parse((await t.api.call('/auth/mfa/totp', { as: person, body: {} })).body);
      const code = codeOf(secret);
      await t.api.call('/auth/mfa/totp/confirm', { as: person, body: { code } });
      refused(await t.give(await t.challenge(person), code), 401, 'invalid_code');
    });

    it('refuses a second app, and another factor without a fresh code of the first', async () => {
      const { person } = await t.withTotp();
      refused(await t.api.call('/auth/mfa/totp', { as: person, body: {} }), 409, 'second_factor_exists');
      await t.age(person);
      refused(await t.api.call('/auth/mfa/totp', { as: person, body: {} }), 403, 'step_up_required');
      refused(await t.api.call('/auth/mfa/email', { as: person, body: {} }), 403, 'step_up_required');
      assert.equal(await t.database.db('sent_codes').where({ user_id: person.id }).first(), undefined);
    });

    it('does not let a factor that was begun before the first one slip in without a code of it', async () => {
      const person = await t.personWithPassword();
      const thief = await t.api.call('/auth/mfa/totp', { as: person, body: {} });
      await t.setUpEmail(person);
      await t.age(person);
      const code = codeOf(totpSchema.parse(thief.body).secret);
      refused(await t.api.call('/auth/mfa/totp/confirm', { as: person, body: { code } }), 403, 'step_up_required');
    });

    it('has nothing to confirm before it is begun, or after it is confirmed', async () => {
      const person = await t.personWithPassword();
      const confirm = () => t.api.call('/auth/mfa/totp/confirm', { as: person, body: { code: '123456' } });
      refused(await confirm(), 409, 'second_factor_missing');
      await t.setUpTotp(person);
      refused(await confirm(), 409, 'second_factor_exists');
    });
  });

  describe('backup codes', () => {
    it('open once each, however they are typed, and are told by mail', async () => {
      const { person, backupCodes } = await t.withTotp();
      const [first = '', second = ''] = backupCodes;
      tokensSchema.parse((await t.give(await t.challenge(person), ` ${first.toLowerCase().replace('-', ' ')} `)).body);
      refused(await t.give(await t.challenge(person), first), 401, 'invalid_code');
      tokensSchema.parse((await t.give(await t.challenge(person), second)).body);
      assert.equal((await t.api.call('/auth/mfa', { as: person })).body['backupCodesLeft'], 8);
      const changes = (await t.lettersOf(person, 'second_factor_changed')).map(({ change }) => change);
      assert.deepEqual(changes, ['added', 'backup_code_used', 'backup_code_used']);
      assert.deepEqual(
        (await t.eventsOf(person, 'backup_code.used')).map(({ data }) => data),
        [
          { purpose: 'login', left: 9 },
          { purpose: 'login', left: 8 },
        ],
      );
    });

    it('lets in one of two that come at once with the same one', async () => {
      const { person, backupCodes } = await t.withTotp();
      const tokens = [await t.challenge(person), await t.challenge(person)];
      const answers = await Promise.all(tokens.map((token) => t.give(token, backupCodes[0] ?? '')));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 401]);
    });

    it('are hashed, with a key, for the person they belong to', async () => {
      const { person, backupCodes } = await t.withTotp();
      const rows = JSON.stringify(await t.database.db('backup_codes').where({ user_id: person.id }));
      for (const code of backupCodes) assert.ok(!rows.includes(code) && !rows.includes(code.replace('-', '')));
    });

    it('are replaced by ten new ones after a step-up', async () => {
      const { person, secret, backupCodes } = await t.withTotp();
      await t.age(person);
      const renew = () => t.api.call('/auth/mfa/backup-codes', { as: person, body: {} });
      refused(await renew(), 403, 'step_up_required');
      assert.equal((await t.stepUp(person, codeOf(secret))).status, 200);
      const renewed = codesSchema.parse((await renew()).body).backupCodes;
      assert.equal(new Set([...renewed, ...backupCodes]).size, 20);
      refused(await t.give(await t.challenge(person), backupCodes[0] ?? ''), 401, 'invalid_code');
      tokensSchema.parse((await t.give(await t.challenge(person), renewed[0] ?? '')).body);
      const changes = (await t.lettersOf(person, 'second_factor_changed')).map(({ change }) => change);
      assert.ok(changes.includes('backup_codes_renewed'));
    });

    it('are not for somebody without a second factor', async () => {
      const person = await t.personWithPassword();
      await t.api.stepUp(person);
      refused(await t.api.call('/auth/mfa/backup-codes', { as: person, body: {} }), 409, 'second_factor_missing');
    });
  });

  describe('a step-up', () => {
    it('opens what wants a fresh second factor, for ten minutes', async () => {
      const { person, secret } = await t.withTotp();
      const renew = () => t.api.call('/auth/mfa/backup-codes', { as: person, body: {} });
      await t.age(person);
      refused(await renew(), 403, 'step_up_required');
      const { status, body } = await t.stepUp(person, codeOf(secret));
      assert.equal(status, 200);
      const left = Date.parse(String(body['secondFactorUntil'])) - Date.now();
      assert.ok(left > 9.5 * 60_000 && left <= 10 * 60_000, String(left));
      assert.equal((await renew()).status, 200);
      const [event] = await t.database
        .db('events')
        .where({ subject: `session/${person.sessionId}`, type: 'step_up.succeeded' });
      assert.deepEqual(event.data, { method: 'totp' });
      assert.equal(event.actor_id, person.id);
    });

    it('refuses a replay, and a wrong code', async () => {
      const { person, secret } = await t.withTotp();
      const code = codeOf(secret);
      assert.equal((await t.stepUp(person, code)).status, 200);
      refused(await t.stepUp(person, code), 401, 'invalid_code');
      refused(await t.stepUp(person, wrongCodeOf(secret)), 401, 'invalid_code');
      const [failed] = await t.eventsOf(person, 'second_factor.failed');
      assert.equal(failed.actor_id, person.id);
    });

    it('says what to do when there is no second factor', async () => {
      const person = await t.personWithPassword();
      const answer = await t.stepUp(person, '123456');
      refused(answer, 409, 'second_factor_missing');
      assert.match(String(answer.body['detail']), /Set one up/);
      refused(
        await t.api.call('/auth/step-up/send', { as: person, body: { method: 'email' } }),
        409,
        'second_factor_missing',
      );
    });

    it('is not for keys, nor is setting up', async () => {
      const { person, secret } = await t.withTotp('integrator');
      const token = await t.api.deps.tokens.issue({
        userId: person.id,
        roles: ['integrator'],
        key: { id: person.id, scopes: [], requestsPerMinute: 10 },
      });
      const headers = { authorization: `Bearer ${token}` };
      refused(await t.api.call('/auth/step-up', { headers, body: { code: codeOf(secret) } }), 403, 'forbidden');
      refused(await t.api.call('/auth/mfa/totp', { headers, body: {} }), 403, 'forbidden');
      refused(await t.api.call('/auth/mfa/email', { headers, body: {} }), 403, 'forbidden');
    });
  });

  describe('taking one away', () => {
    it('wants a fresh second factor', async () => {
      const { person } = await t.withTotp();
      await t.age(person);
      refused(await t.remove(person, 'totp'), 403, 'step_up_required');
    });

    it('takes the backup codes with the last one, and is told by mail', async () => {
      const { person } = await t.withTotp();
      assert.equal((await t.remove(person, 'totp')).status, 204);
      assert.deepEqual((await t.api.call('/auth/mfa', { as: person })).body, { factors: [], backupCodesLeft: 0 });
      tokensSchema.parse((await t.logIn(person)).body);
      assert.equal((await t.eventsOf(person, 'second_factor.removed')).length, 1);
      assert.deepEqual(
        (await t.lettersOf(person, 'second_factor_changed')).map(({ change }) => change),
        ['added', 'removed'],
      );
      refused(await t.remove(person, 'totp'), 409, 'second_factor_missing');
    });

    it('leaves the backup codes while there is another', async () => {
      const { person } = await t.withTotp();
      assert.deepEqual((await t.setUpEmail(person)).backupCodes, [], 'those from before hold');
      assert.equal((await t.remove(person, 'totp')).status, 204);
      assert.equal((await t.api.call('/auth/mfa', { as: person })).body['backupCodesLeft'], 10);
    });

    it('leaves the last one to staff where the office requires one, also of two removals at once', async () => {
      const { person } = await t.withTotp('verifier');
      const takeAway = (kind: string) => t.strict.call(`/auth/mfa/${kind}`, { as: onStrict, method: 'DELETE' });
      const onStrict = await t.tokenFor(t.strict, person);
      refused(await takeAway('totp'), 409, 'second_factor_needed');
      await t.setUpEmail(person);
      const answers = await Promise.all([takeAway('totp'), takeAway('email')]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [204, 409]);
    });
  });

  it('leaves no secret in the log, nor in the answers that are kept', async () => {
    const { person, secret, backupCodes } = await t.withTotp();
    const mfaToken = await t.challenge(person);
    const code = codeOf(secret);
    const headers = { 'idempotency-key': 'the-same-key' };
    await t.api.call('/auth/login/mfa', { body: { mfaToken, code: wrongCodeOf(secret) }, headers });
    await t.api.call('/auth/login/mfa', { body: { mfaToken, code }, headers });
    await t.api.call('/auth/mfa/email', { as: person, body: {}, headers });
    const sent = await t.lastCode(person, 'email');
    await t.api.call('/auth/mfa/email/confirm', { as: person, body: { code: sent }, headers });
    const kept = JSON.stringify(await t.database.db('idempotency_keys'));
    const events = JSON.stringify(await t.database.db('events').select('data', 'key'));
    const letters = JSON.stringify(await t.database.db('account_letters'));
    const log = t.api.log.join('');
    assert.ok(log.length > 1000);
    for (const hidden of [secret, mfaToken, ...backupCodes, `"${code}"`, `"${sent}"`, PASSWORD]) {
      for (const place of [log, kept, events, letters]) assert.ok(!place.includes(hidden), hidden);
    }
  });
});
