import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { claimKey, purgeIdempotencyKeys, releaseClaim, storeAnswer } from '../../db/idempotency.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const answer = { status: 201, headers: { Location: '/x' }, body: '{"b":1,"a":2}' };

describe('idempotency keys', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const claimed = async (scope: string) => {
    const claim = await claimKey(database.db, scope, 'hash');
    assert.equal(claim.state, 'claimed');
    return claim.token;
  };
  const grow = (scope: string, seconds: number) =>
    database.db.raw(`update idempotency_keys set claimed_at = claimed_at - ? * interval '1 second' where scope = ?`, [
      seconds,
      scope,
    ]);

  it('are claimed by one of twenty at once', async () => {
    const scope = randomUUID();
    const claims = await Promise.all(Array.from({ length: 20 }, () => claimKey(database.db, scope, 'hash')));
    assert.equal(claims.filter(({ state }) => state === 'claimed').length, 1);
    assert.equal(claims.filter(({ state }) => state === 'in_progress').length, 19);
  });

  it('give back the answer to the letter, and know another body', async () => {
    const scope = randomUUID();
    await storeAnswer(database.db, scope, await claimed(scope), answer);
    assert.deepEqual(await claimKey(database.db, scope, 'hash'), { state: 'answered', answer });
    assert.deepEqual(await claimKey(database.db, scope, 'other'), { state: 'reused' });
  });

  it('are free again when released', async () => {
    const scope = randomUUID();
    await releaseClaim(database.db, scope, await claimed(scope));
    await claimed(scope);
  });

  it('are taken over after a minute without an answer, and the late answer of the first does not count', async () => {
    const scope = randomUUID();
    const first = await claimed(scope);
    await grow(scope, 59);
    assert.deepEqual(await claimKey(database.db, scope, 'hash'), { state: 'in_progress' });
    await grow(scope, 2);
    assert.deepEqual(await claimKey(database.db, scope, 'other'), { state: 'reused' });
    const second = await claimed(scope);
    await storeAnswer(database.db, scope, first, { ...answer, status: 500 });
    await releaseClaim(database.db, scope, first);
    assert.deepEqual(await claimKey(database.db, scope, 'hash'), { state: 'in_progress' });
    await storeAnswer(database.db, scope, second, answer);
    assert.deepEqual(await claimKey(database.db, scope, 'hash'), { state: 'answered', answer });
  });

  it('are never taken over once answered', async () => {
    const scope = randomUUID();
    await storeAnswer(database.db, scope, await claimed(scope), answer);
    await grow(scope, 3600);
    assert.equal((await claimKey(database.db, scope, 'hash')).state, 'answered');
  });

  it('are forgotten when they are old enough', async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    await claimed(old);
    await grow(old, 90_000);
    await claimed(young);
    assert.equal(await purgeIdempotencyKeys(database.db, new Date(Date.now() - 86_400_000)), 1);
    assert.equal((await claimKey(database.db, young, 'hash')).state, 'in_progress');
    await claimed(old);
  });
});
