import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  endSessionOfToken,
  endSessionsOf,
  findSession,
  MAX_SESSIONS,
  openSession,
  rotateRefreshToken,
  type Session,
  sessionsOf,
} from '../../db/sessions.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const at = new Date('2026-03-02T02:00:00Z');
const later = (seconds: number) => new Date(at.getTime() + seconds * 1000);
const IDLE_SECONDS = 1800;
const LONGEST_SECONDS = 12 * 3600;

describe('sessions in the database', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const newPerson = async () => {
    const id = asId<UserId>(randomUUID());
    await database.db('users').insert({ id, email: `${id}@example.id`, name: 'Sari', roles: ['verifier'] });
    return id;
  };
  const open = async (userId: UserId, when = at, provenSince = when) => {
    const token = randomUUID();
    const session: Session = {
      id: randomUUID(),
      userId,
      method: 'password',
      device: 'Chrome on Android',
      address: '203.0.113.7',
      createdAt: when,
      lastUsedAt: when,
      idleUntil: new Date(when.getTime() + IDLE_SECONDS * 1000),
      endsAt: new Date(when.getTime() + LONGEST_SECONDS * 1000),
      secondFactorAt: null,
      setupOnly: false,
    };
    const replaced = await openSession(database.db, session, token, provenSince);
    return { userId, token, session, replaced };
  };
  const rotate = async (tokenHash: string, nextHash: string, when: Date) => {
    const rotation = await rotateRefreshToken(database.db, {
      tokenHash,
      nextHash,
      at: when,
      idleMs: async () => IDLE_SECONDS * 1000,
      address: '198.51.100.9',
    });
    return rotation.outcome === 'unknown'
      ? { outcome: rotation.outcome }
      : { outcome: rotation.outcome, userId: rotation.session.userId };
  };
  const outcome = async (token: string, when: Date) => (await rotate(token, randomUUID(), when)).outcome;

  describe('refresh tokens', () => {
    it('are used once; within ten seconds a second use gets a sibling, after them it ends the family', async () => {
      const { userId, token } = await open(await newPerson());
      const [next, sibling] = [randomUUID(), randomUUID()];
      assert.deepEqual(await rotate(token, next, at), { outcome: 'rotated', userId });
      assert.deepEqual(await rotate(token, sibling, later(10)), { outcome: 'rotated', userId });
      assert.deepEqual(await rotate(token, randomUUID(), later(11)), { outcome: 'reused', userId });
      assert.deepEqual(await rotate(next, randomUUID(), later(12)), { outcome: 'unknown' });
      assert.deepEqual(await rotate(sibling, randomUUID(), later(12)), { outcome: 'unknown' });
    });

    it('used twenty times at once give twenty siblings and no error', async () => {
      const { token } = await open(await newPerson());
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => rotate(token, randomUUID(), at)));
      assert.ok(outcomes.every(({ outcome }) => outcome === 'rotated'));
    });

    it('end when they expire, and with their session', async () => {
      const { token } = await open(await newPerson());
      assert.deepEqual(await rotate(token, randomUUID(), later(IDLE_SECONDS)), { outcome: 'unknown' });
      await endSessionOfToken(database.db, token, at);
      assert.equal(await endSessionOfToken(database.db, 'unknown', at), null);
      assert.deepEqual(await rotate(token, randomUUID(), at), { outcome: 'unknown' });
    });

    it('whose successor is in use already are stolen, however soon they turn up again', async () => {
      const { token } = await open(await newPerson());
      const next = randomUUID();
      await rotate(token, next, at);
      assert.equal(await outcome(next, later(1)), 'rotated');
      assert.equal(await outcome(token, later(2)), 'reused');
    });

    it('of twins go on side by side', async () => {
      const { token } = await open(await newPerson());
      const [one, other] = [randomUUID(), randomUUID()];
      await Promise.all([rotate(token, one, at), rotate(token, other, at)]);
      assert.equal(await outcome(one, later(1)), 'rotated');
      assert.equal(await outcome(other, later(2)), 'rotated');
    });
  });

  it('end when idle, and are kept going by refreshes until the end that nothing moves', async () => {
    const { token, session } = await open(await newPerson());
    let current = token;
    let when = 0;
    for (; when + IDLE_SECONDS - 1 < LONGEST_SECONDS; current = await nextOf(current, later(when))) {
      when += IDLE_SECONDS - 1;
    }
    const kept = await findSession(database.db, session.id);
    assert.deepEqual([kept?.idleUntil, kept?.address], [later(LONGEST_SECONDS), '198.51.100.9']);
    assert.equal(await outcome(current, later(LONGEST_SECONDS - 1)), 'rotated');
    const late = await open(await newPerson());
    assert.equal(await outcome(late.token, later(IDLE_SECONDS)), 'unknown');
  });

  const nextOf = async (token: string, when: Date) => {
    const next = randomUUID();
    assert.equal((await rotate(token, next, when)).outcome, 'rotated');
    return next;
  };

  it('are five at most: the next one takes the place of the one used longest ago', async () => {
    const userId = await newPerson();
    const opened = [];
    for (let number = 0; number < MAX_SESSIONS; number += 1) opened.push(await open(userId, later(number)));
    const [first, second] = opened;
    assert.ok(first && second);
    assert.equal(await outcome(first.token, later(10)), 'rotated');
    assert.deepEqual((await open(userId, later(11))).replaced, [second.session.id]);
    assert.equal((await sessionsOf(database.db, userId, later(11))).length, MAX_SESSIONS);
    assert.equal(await outcome(second.token, later(12)), 'unknown');
  });

  it('are five at most, though twenty log-ins come at once', async () => {
    const userId = await newPerson();
    await Promise.all(Array.from({ length: 20 }, (_, number) => open(userId, later(number / 1000))));
    assert.equal((await sessionsOf(database.db, userId, later(1))).length, MAX_SESSIONS);
    // As many as there are connections: nobody comes later and tidies up.
    await Promise.all(Array.from({ length: 10 }, (_, number) => open(userId, later(1 + number / 1000))));
    assert.equal((await sessionsOf(database.db, userId, later(2))).length, MAX_SESSIONS);
  });

  it('are not opened for who was disabled, or by a password that was changed since', async () => {
    const disabled = await newPerson();
    await database.db('users').where({ id: disabled }).update({ status: 'disabled' });
    assert.equal((await open(disabled)).replaced, null);
    const changed = await newPerson();
    await database
      .db('users')
      .where({ id: changed })
      .update({ password_changed_at: later(-1) });
    assert.equal((await open(changed, at, later(-2))).replaced, null);
    assert.deepEqual((await open(changed, at, later(-1))).replaced, []);
  });

  it('end all together, but the one that is spared', async () => {
    const userId = await newPerson();
    const [here, elsewhere] = [await open(userId), await open(userId)];
    const end = { reason: 'revoked', at, except: here.session.id } as const;
    assert.deepEqual(await endSessionsOf(database.db, userId, end), [elsewhere.session.id]);
    assert.equal(await outcome(elsewhere.token, at), 'unknown');
    assert.equal(await outcome(here.token, at), 'rotated');
  });
});
