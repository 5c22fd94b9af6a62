import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  activeAdmins,
  addAccount,
  findAccount,
  listAccounts,
  lockAccount,
  queueForAccounts,
  takeUpAccount,
} from '../../db/staff-accounts.ts';
import { INTEGRATOR_MAIL_DOMAIN } from '../../domain/api-keys.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const AT = new Date('2026-03-02T02:00:00.123Z');

describe('accounts in the database', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const account = (over: { email?: string; name?: string; roles?: Role[] } = {}) => {
    const id = asId<UserId>(randomUUID());
    return {
      id,
      email: `${id}@kantor.example`,
      name: 'Rina',
      locale: 'id',
      roles: ['ops'],
      officeId: null,
      at: AT,
      ...over,
    } as const;
  };

  it('are invited until somebody takes them up', async () => {
    const added = await addAccount(database.db, account());
    assert.equal(added?.status, 'invited');
    assert.deepEqual([added?.lastLoginAt, added?.secondFactor, added?.createdAt], [null, false, AT]);
    await takeUpAccount(database.db, added?.id ?? asId<UserId>(''), { name: 'Rina K', passwordHash: 'h', at: AT });
    const taken = await findAccount(database.db, added?.id ?? asId<UserId>(''));
    assert.deepEqual([taken?.status, taken?.name], ['active', 'Rina K']);
  });

  it('of programmes are never invited: nobody reads their post', async () => {
    const added = await addAccount(
      database.db,
      account({ email: `${randomUUID()}@${INTEGRATOR_MAIL_DOMAIN}`, roles: ['integrator'] }),
    );
    assert.equal(added?.status, 'active');
  });

  it('are added once, and share no address', async () => {
    const first = account();
    const added = await addAccount(database.db, first);
    assert.deepEqual(await addAccount(database.db, { ...first, name: 'Other' }), added);
    assert.equal(await addAccount(database.db, account({ email: first.email })), null);
  });

  it('are listed to the microsecond: of a thousand of one moment none is left out or comes twice', async () => {
    await database.db.raw(
      `insert into users (id, email, name, roles, created_at)
       select gen_random_uuid(), 'bulk' || n || '@example.test', 'Bulk', array['owner'],
         timestamptz '2026-01-01 00:00:00.000001+00' + (n / 10) * interval '1 microsecond'
       from generate_series(1, 1000) n`,
    );
    const seen: string[] = [];
    for (let after: { at: string; id: string } | undefined; ; ) {
      const rows = await listAccounts(database.db, { q: 'BULK', after, limit: 99 });
      seen.push(...rows.map(({ id }) => id));
      const last = rows.at(-1);
      if (!last) break;
      after = { at: last.createdAtExactly, id: last.id };
    }
    assert.deepEqual([seen.length, new Set(seen).size], [1000, 1000]);
  });

  it('are searched for by what is written, not by patterns', async () => {
    await addAccount(database.db, account({ name: '100%_\\ Rina' }));
    const found = async (q: string) => (await listAccounts(database.db, { q, after: undefined, limit: 5 })).length;
    assert.equal(await found('100%_\\ r'), 1);
    for (const q of ['%', '_', '\\', '100_']) assert.equal(await found(q), 0, q);
  });

  it('count as administrators when they can log in', async () => {
    const before = await activeAdmins(database.db);
    const invited = await addAccount(database.db, account({ roles: ['admin'] }));
    assert.deepEqual(await activeAdmins(database.db), before);
    assert.ok(invited);
    await takeUpAccount(database.db, invited.id, { name: 'A', passwordHash: 'h', at: AT });
    assert.deepEqual((await activeAdmins(database.db)).toSorted(), [...before, invited.id].toSorted());
    await database.db('users').where({ id: invited.id }).update({ status: 'disabled' });
    assert.deepEqual(await activeAdmins(database.db), before);
  });

  it('change one after the other', async () => {
    const added = await addAccount(database.db, account());
    assert.ok(added);
    const done: string[] = [];
    await database.db.transaction(async (trx) => {
      await queueForAccounts(trx);
      const second = database.db.transaction(async (other) => {
        await queueForAccounts(other);
        done.push((await lockAccount(other, added.id))?.name ?? '');
      });
      await eventually('the second to queue', async () => {
        const { rows } = await database.db.raw(`select from pg_locks where locktype = 'advisory' and not granted`);
        return rows.length > 0;
      });
      await trx('users').where({ id: added.id }).update({ name: 'First' });
      assert.deepEqual(done, []);
      void second;
    });
    await eventually('the second to be through', async () => done.length > 0);
    assert.deepEqual(done, ['First']);
  });
});
