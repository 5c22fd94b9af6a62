import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { addRefreshToken, revokeSession, rotateRefreshToken } from '../../db/sessions.ts';
import { addUser, findCredentials, findUser, findUserNames, updateProfile } from '../../db/users.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('users in the database', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const newUser = (over: object = {}) => {
    const id = asId<UserId>(randomUUID());
    return {
      id,
      email: `${id}@example.id`,
      passwordHash: 'h',
      name: 'Sari',
      locale: 'id' as const,
      roles: ['owner'] as const,
      ...over,
    };
  };

  it('are added once, however often it is tried', async () => {
    const user = newUser();
    const first = await addUser(database.db, user);
    assert.deepEqual(await addUser(database.db, { ...user, name: 'Other' }), first);
    assert.deepEqual([first?.name, first?.roles, first?.status], ['Sari', ['owner'], 'active']);
  });

  it('do not share an address', async () => {
    const user = newUser();
    await addUser(database.db, user);
    assert.equal(await addUser(database.db, newUser({ email: user.email })), null);
  });

  it('give their password hash to the log-in only', async () => {
    const user = newUser();
    await addUser(database.db, user);
    assert.equal((await findCredentials(database.db, user.email))?.passwordHash, 'h');
    assert.ok(!Object.values((await findUser(database.db, user.id)) ?? {}).includes('h'));
    assert.equal(await findCredentials(database.db, 'nobody@example.id'), null);
  });

  it('are renamed and named', async () => {
    const user = newUser();
    await addUser(database.db, user);
    const changed = await updateProfile(database.db, user.id, { name: 'Budi', locale: 'en' });
    assert.deepEqual([changed?.name, changed?.locale], ['Budi', 'en']);
    const nobody = asId<UserId>(randomUUID());
    assert.deepEqual([...(await findUserNames(database.db, [user.id, nobody]))], [[user.id, 'Budi']]);
    assert.equal(await updateProfile(database.db, nobody, { name: 'X', locale: 'id' }), null);
  });

  describe('refresh tokens', () => {
    const at = new Date('2026-03-02T02:00:00Z');
    const later = (seconds: number) => new Date(at.getTime() + seconds * 1000);
    const expiresAt = later(3600);

    const session = async () => {
      const user = newUser();
      await addUser(database.db, user);
      const token = randomUUID();
      await addRefreshToken(database.db, {
        tokenHash: token,
        familyId: randomUUID(),
        userId: user.id,
        createdAt: at,
        expiresAt,
      });
      return { userId: user.id, token };
    };
    const rotate = (tokenHash: string, nextHash: string, when: Date) =>
      rotateRefreshToken(database.db, { tokenHash, nextHash, at: when, expiresAt });

    it('are used once; within ten seconds a second use gets a sibling, after them it ends the family', async () => {
      const { userId, token } = await session();
      const [next, sibling] = [randomUUID(), randomUUID()];
      assert.deepEqual(await rotate(token, next, at), { outcome: 'rotated', userId });
      assert.deepEqual(await rotate(token, sibling, later(10)), { outcome: 'rotated', userId });
      assert.deepEqual(await rotate(token, randomUUID(), later(11)), { outcome: 'reused', userId });
      assert.deepEqual(await rotate(next, randomUUID(), later(12)), { outcome: 'unknown' });
      assert.deepEqual(await rotate(sibling, randomUUID(), later(12)), { outcome: 'unknown' });
    });

    it('used twenty times at once give twenty siblings and no error', async () => {
      const { token } = await session();
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => rotate(token, randomUUID(), at)));
      assert.ok(outcomes.every(({ outcome }) => outcome === 'rotated'));
    });

    it('end when they expire, and with their session', async () => {
      const { token } = await session();
      assert.deepEqual(await rotate(token, randomUUID(), expiresAt), { outcome: 'unknown' });
      await revokeSession(database.db, token, at);
      await revokeSession(database.db, 'unknown', at);
      assert.deepEqual(await rotate(token, randomUUID(), at), { outcome: 'unknown' });
    });
  });
});
