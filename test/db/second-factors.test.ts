import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { addChallenge, findChallenge, noteWrongCode, useChallenge } from '../../db/login-challenges.ts';
import { hashOfSecret } from '../../db/one-time-secrets.ts';
import {
  addSentCode,
  backupCodesLeft,
  beginFactor,
  confirmFactor,
  factorsOf,
  liveSentCode,
  methodsOf,
  noteWrongSentCode,
  removeFactor,
  replaceBackupCodes,
  takeBackupCode,
  takeTotpStep,
  textMessageOf,
  useSentCode,
} from '../../db/second-factors.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import type { FactorKind, SentKind } from '../../domain/second-factors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('second factors on record', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const at = new Date();
  const later = (seconds: number) => new Date(at.getTime() + seconds * 1000);
  const newUser = async () => {
    const id = asId<UserId>(randomUUID());
    await database.db('users').insert({ id, email: `${id}@example.test`, name: 'Sari', roles: ['owner'] });
    return id;
  };
  const begin = (userId: UserId, kind: FactorKind, secret = 'sealed') =>
    beginFactor(database.db, { id: randomUUID(), userId, kind, secretEncrypted: Buffer.from(secret), at });
  const withFactor = async (kind: FactorKind = 'totp') => {
    const userId = await newUser();
    await begin(userId, kind);
    await confirmFactor(database.db, userId, kind, { at });
    return userId;
  };

  it('counts a factor only once it is confirmed', async () => {
    const userId = await newUser();
    await begin(userId, 'totp');
    assert.deepEqual(await methodsOf(database.db, userId), []);
    assert.ok(await confirmFactor(database.db, userId, 'totp', { at }));
    assert.deepEqual(await methodsOf(database.db, userId), ['totp']);
  });

  it('replaces what was begun, and never what is confirmed', async () => {
    const userId = await newUser();
    assert.ok(await begin(userId, 'totp', 'first'));
    assert.ok(await begin(userId, 'totp', 'second'));
    await confirmFactor(database.db, userId, 'totp', { at });
    assert.equal(await begin(userId, 'totp', 'third'), false);
    assert.equal((await factorsOf(database.db, userId))[0]?.secretEncrypted?.toString(), 'second');
  });

  it('confirms once', async () => {
    const userId = await withFactor();
    assert.equal(await confirmFactor(database.db, userId, 'totp', { at }), false);
  });

  it('takes a time step once, and none before it', async () => {
    const userId = await withFactor();
    const taken = await Promise.all([1, 2, 3, 4].map(() => takeTotpStep(database.db, userId, 1000)));
    assert.equal(taken.filter(Boolean).length, 1);
    assert.equal(await takeTotpStep(database.db, userId, 999), false);
    assert.ok(await takeTotpStep(database.db, userId, 1001));
  });

  it('holds the time step that confirmed a key for taken', async () => {
    const userId = await newUser();
    await begin(userId, 'totp');
    assert.equal(await takeTotpStep(database.db, userId, 1000), false, 'an unconfirmed key takes no code');
    await confirmFactor(database.db, userId, 'totp', { at, step: 1000 });
    assert.equal(await takeTotpStep(database.db, userId, 1000), false);
  });

  it('takes a backup code once, and only of the person that it belongs to', async () => {
    const [userId, other] = [await withFactor(), await withFactor()];
    const [one, two] = [hashOfSecret('one'), hashOfSecret('two')];
    await replaceBackupCodes(database.db, userId, [one, two], at);
    assert.equal(await takeBackupCode(database.db, other, one, at), false);
    const taken = await Promise.all([1, 2, 3].map(() => takeBackupCode(database.db, userId, one, at)));
    assert.equal(taken.filter(Boolean).length, 1);
    assert.equal(await backupCodesLeft(database.db, userId), 1);
    assert.deepEqual(await methodsOf(database.db, userId), ['totp', 'backup_code']);
  });

  it('forgets the old backup codes when there are new ones', async () => {
    const userId = await withFactor();
    await replaceBackupCodes(database.db, userId, [hashOfSecret('old')], at);
    await replaceBackupCodes(database.db, userId, [hashOfSecret('new')], at);
    assert.equal(await takeBackupCode(database.db, userId, hashOfSecret('old'), at), false);
    assert.ok(await takeBackupCode(database.db, userId, hashOfSecret('new'), at));
  });

  it('does not take backup codes for a second factor', async () => {
    const userId = await withFactor();
    await replaceBackupCodes(database.db, userId, [hashOfSecret('one')], at);
    assert.ok(await removeFactor(database.db, userId, 'totp'));
    assert.deepEqual(await methodsOf(database.db, userId), []);
  });

  describe('a code that was sent', () => {
    const send = async (userId: UserId, kind: SentKind = 'email', createdAt = at) => {
      const code = { id: randomUUID(), userId, kind, createdAt, expiresAt: new Date(createdAt.getTime() + 600_000) };
      await addSentCode(database.db, code);
      return code.id;
    };

    it('makes the one before void', async () => {
      const userId = await newUser();
      const first = await send(userId);
      const second = await send(userId, 'email', later(61));
      assert.equal(await liveSentCode(database.db, userId, 'email', later(62)), second);
      assert.equal(await useSentCode(database.db, first, later(62)), false);
    });

    it('leaves the other channel alone', async () => {
      const userId = await newUser();
      const byMail = await send(userId);
      await send(userId, 'sms');
      assert.equal(await liveSentCode(database.db, userId, 'email', at), byMail);
    });

    it('counts for ten minutes, for five wrong tries, and once', async () => {
      const userId = await newUser();
      const id = await send(userId);
      assert.equal(await liveSentCode(database.db, userId, 'email', later(599)), id);
      assert.equal(await liveSentCode(database.db, userId, 'email', later(600)), null);
      for (let wrong = 1; wrong <= 5; wrong += 1) {
        assert.equal(await liveSentCode(database.db, userId, 'email', at), id, `before wrong try ${wrong}`);
        await noteWrongSentCode(database.db, id);
      }
      assert.equal(await liveSentCode(database.db, userId, 'email', at), null);
      const other = await send(userId, 'email', later(100));
      assert.ok(await useSentCode(database.db, other, later(101)));
      assert.equal(await liveSentCode(database.db, userId, 'email', later(101)), null);
    });

    it('goes out as a text message until it is used, replaced or too old', async () => {
      const userId = await withFactor('sms');
      const id = await send(userId, 'sms');
      const message = await textMessageOf(database.db, id, at);
      assert.equal(message?.secretEncrypted.toString(), 'sealed');
      assert.equal(message?.locale, 'id');
      assert.equal(await textMessageOf(database.db, id, later(600)), null);
      await send(userId, 'sms', later(61));
      assert.equal(await textMessageOf(database.db, id, later(62)), null);
    });
  });

  describe('a log-in that waits for a code', () => {
    const challenge = async (userId: UserId, createdAt = at) => {
      const id = randomUUID();
      const expiresAt = new Date(createdAt.getTime() + 300_000);
      await addChallenge(database.db, {
        id,
        userId,
        tokenHash: hashOfSecret(id),
        method: 'password',
        createdAt,
        expiresAt,
      });
      return id;
    };
    const find = async (id: string, when = at) => (await findChallenge(database.db, hashOfSecret(id), when))?.id;

    it('waits five minutes', async () => {
      const id = await challenge(await newUser());
      assert.equal(await find(id, later(299)), id);
      assert.equal(await find(id, later(300)), undefined);
    });

    it('ends with the fifth wrong code', async () => {
      const id = await challenge(await newUser());
      for (let wrong = 1; wrong <= 5; wrong += 1) {
        assert.equal(await find(id), id, `before wrong code ${wrong}`);
        await noteWrongCode(database.db, id);
      }
      assert.equal(await find(id), undefined);
    });

    it('ends when it is used, and when the password changes', async () => {
      const [used, stale] = [await challenge(await newUser()), await newUser()];
      await useChallenge(database.db, used, at);
      assert.equal(await find(used), undefined);
      const id = await challenge(stale);
      await database
        .db('users')
        .where({ id: stale })
        .update({ password_changed_at: later(1) });
      assert.equal(await find(id), undefined);
    });

    it('is forgotten a day after it ran out', async () => {
      const userId = await newUser();
      const old = await challenge(userId, later(-2 * 86_400));
      await challenge(userId);
      assert.equal(await database.db('login_challenges').where({ id: old }).first('id'), undefined);
    });
  });
});
