import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
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
});
