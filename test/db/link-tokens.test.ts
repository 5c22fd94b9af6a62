import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { createLink, type NewLink, peekLinkToken, useLinkToken } from '../../db/link-tokens.ts';
import { hashOfSecret } from '../../db/one-time-secrets.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { LINK_HOLDS_MS } from '../../domain/mail.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';

describe('links in letters', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(async () => database?.drop());

  const start = new Date('2026-11-21T10:00:00.000Z');
  const later = (ms: number): Date => new Date(start.getTime() + ms);

  async function person(): Promise<UserId> {
    const id = asId<UserId>(randomUUID());
    await database.db('users').insert({ id, email: `${id}@example.test`, name: 'Sari', roles: ['owner'] });
    return id;
  }
  const make = async (link: Partial<NewLink> & Pick<NewLink, 'purpose'>) => {
    const all = { id: randomUUID(), userId: null, subjectId: null, createdAt: start, ...link };
    return { id: all.id, ...(await createLink(database.db, PERSONAL_DATA_KEY, all)) };
  };
  const use = (purpose: NewLink['purpose'], token: string, at = later(1000)) =>
    useLinkToken(database.db, purpose, token, at);

  it('are used once, by whoever comes first', async () => {
    const userId = await person();
    const { id, token } = await make({ purpose: 'reset_password', userId });
    const tries = await Promise.all(Array.from({ length: 5 }, () => use('reset_password', token)));
    assert.deepEqual(
      tries.filter((one) => one !== null),
      [{ id, userId, subjectId: null }],
    );
    assert.equal(await use('reset_password', token), null);
    assert.equal(await peekLinkToken(database.db, 'reset_password', token, later(1000)), null);
  });

  it('are not used up by looking at them', async () => {
    const userId = await person();
    const { id, token } = await make({ purpose: 'verify_email', userId });
    const link = { id, userId, subjectId: null };
    assert.deepEqual(await peekLinkToken(database.db, 'verify_email', token, later(1)), link);
    assert.deepEqual(await use('verify_email', token), link);
  });

  it('hold as long as their purpose says, counted from the letter', async () => {
    for (const [purpose, ms] of [
      ['verify_email', LINK_HOLDS_MS.verify_email],
      ['reset_password', 1_800_000],
    ] as const) {
      const { token, expiresAt } = await make({ purpose, userId: await person() });
      assert.deepEqual(expiresAt, later(ms));
      assert.equal(await use(purpose, token, later(ms)), null, `${purpose} is over at its very end`);
      assert.ok(await use(purpose, token, later(ms - 1)), `${purpose} holds until its end`);
    }
  });

  it('open nothing but what they are for', async () => {
    const { token } = await make({ purpose: 'verify_email', userId: await person() });
    assert.equal(await use('reset_password', token), null);
    assert.equal(await use('verify_email', `${token}x`), null);
    assert.ok(await use('verify_email', token));
  });

  it('are made once for a letter, with the same token, and stay used', async () => {
    const userId = await person();
    const first = await make({ purpose: 'unlock_account', userId });
    assert.ok(await use('unlock_account', first.token));
    const again = await make({ id: first.id, purpose: 'unlock_account', userId });
    assert.deepEqual(again, first);
    assert.equal(await use('unlock_account', again.token), null);
  });

  it('are those of the last try when the secret key was changed in between, unless one was used', async () => {
    const link = { id: randomUUID(), purpose: 'verify_email', subjectId: null, createdAt: start } as const;
    const all = { ...link, userId: await person() };
    const [before, now] = [
      await createLink(database.db, randomBytes(32), all),
      await createLink(database.db, PERSONAL_DATA_KEY, all),
    ];
    assert.equal(await use('verify_email', before.token), null);
    assert.ok(await use('verify_email', now.token));
    const { token } = await createLink(database.db, randomBytes(32), all);
    assert.equal(await use('verify_email', token), null);
  });

  it('give way to a newer one of the same purpose and person, in whatever order their letters leave', async () => {
    const userId = await person();
    const newer = await make({ purpose: 'reset_password', userId, createdAt: later(60_000) });
    const older = await make({ purpose: 'reset_password', userId });
    const otherPurpose = await make({ purpose: 'verify_email', userId });
    const otherPerson = await make({ purpose: 'reset_password', userId: await person() });
    const at = later(61_000);
    assert.equal(await use('reset_password', older.token, at), null);
    assert.ok(await use('reset_password', newer.token, at));
    assert.equal(await use('reset_password', older.token, at), null, 'nor does it come back');
    assert.ok(await use('verify_email', otherPurpose.token, at));
    assert.ok(await use('reset_password', otherPerson.token, at));
  });

  it('give way within one invitation to a company, and not to those of others', async () => {
    const [subjectId, other] = [randomUUID(), randomUUID()];
    const older = await make({ purpose: 'join_company', subjectId });
    const newer = await make({ purpose: 'join_company', subjectId, createdAt: later(10) });
    const elsewhere = await make({ purpose: 'join_company', subjectId: other, createdAt: later(20) });
    assert.equal(await use('join_company', older.token), null);
    assert.deepEqual(await use('join_company', newer.token), { id: newer.id, userId: null, subjectId });
    assert.ok(await use('join_company', elsewhere.token));
  });

  it('leave no token in the database', async () => {
    const { id, token } = await make({ purpose: 'verify_email', userId: await person() });
    const row: unknown = await database.db('link_tokens').where({ id }).first();
    assert.doesNotMatch(JSON.stringify(row), new RegExp(token));
    assert.match(JSON.stringify(row), new RegExp(hashOfSecret(token)));
  });
});
