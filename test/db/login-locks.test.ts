import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { countFailure, countSuccess, findCount, type LockKey, liftLocks } from '../../db/login-locks.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = new Date('2026-03-02T02:00:00Z');
const later = (ms: number) => new Date(AT.getTime() + ms);
const MINUTE = 60_000;
const LOCK_END = later(15 * MINUTE);

describe('counted failures in the database', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const newKey = (): LockKey => ({ account: randomUUID(), origin: 'unknown' });
  const fail = (key: LockKey, at = AT) => countFailure(database.db, key, at);
  const lock = async (key: LockKey) => {
    for (let time = 0; time < 5; time += 1) await fail(key);
  };

  it('of which fifty come at once count five, and the others find the lock', async () => {
    const key = newKey();
    const counted = await Promise.all(Array.from({ length: 50 }, () => fail(key)));
    assert.equal(counted.filter(({ lockedUntil }) => lockedUntil === null).length, 5);
    assert.deepEqual(
      counted.flatMap(({ locksUntil }) => locksUntil ?? []),
      [LOCK_END],
    );
    assert.deepEqual((await findCount(database.db, key))?.lockedUntil, LOCK_END);
  });

  it('are counted apart for each kind of place', async () => {
    const key = newKey();
    await lock(key);
    assert.equal(await findCount(database.db, { ...key, origin: 'device' }), null);
    assert.deepEqual(await fail({ ...key, origin: 'device' }), { lockedUntil: null, locksUntil: null });
  });

  it('are forgotten with a success, but a lock is not opened by one', async () => {
    const key = newKey();
    await fail(key);
    assert.equal(await countSuccess(database.db, key, AT), null);
    assert.equal(await findCount(database.db, key), null);
    await lock(key);
    assert.deepEqual(await countSuccess(database.db, key, later(MINUTE)), LOCK_END);
    assert.equal(await countSuccess(database.db, key, LOCK_END), null);
    assert.equal(await findCount(database.db, key), null);
  });

  it('are lifted for all places but the second factor, and the next lock is longer', async () => {
    const key = newKey();
    const factor = { ...key, origin: 'second_factor' } as const;
    await lock(key);
    await lock(factor);
    await liftLocks(database.db, [key.account]);
    assert.equal((await findCount(database.db, key))?.lockedUntil, null);
    assert.deepEqual((await findCount(database.db, factor))?.lockedUntil, LOCK_END);
    await lock(key);
    assert.deepEqual((await findCount(database.db, key))?.lockedUntil, later(30 * MINUTE));
  });

  it('that count for nothing any more are deleted when somebody is locked', async () => {
    const old = newKey();
    await fail(old, later(-49 * 60 * MINUTE));
    const recent = newKey();
    await fail(recent, later(-47 * 60 * MINUTE));
    await lock(newKey());
    assert.equal(await findCount(database.db, old), null);
    assert.ok(await findCount(database.db, recent));
  });
});
