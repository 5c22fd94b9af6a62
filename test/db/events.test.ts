import assert from 'node:assert/strict';
import { type NewEvent, recordEvent, timeline } from '../../db/events.ts';
import type { ApplicationId, CompanyId, UserId } from '../../domain/ids.ts';
import { aCompany, aLicenseType, anApplication, aUser, MONDAY } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

describe('the events', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  let applicationId: ApplicationId;

  before(async () => {
    database = await createTestDatabase();
    const { db } = database;
    owner = await aUser(db, 'owner');
    companyId = await aCompany(db, owner);
    applicationId = await anApplication(db, { companyId, type: await aLicenseType(db), applicantId: owner });
  });
  after(() => database?.drop());

  const event = (key: string, changes: Partial<NewEvent> = {}): NewEvent => ({
    key,
    type: 'application.submitted',
    applicationId,
    companyId,
    at: MONDAY,
    ...changes,
  });
  const stored = (key: string) =>
    database.db('events').where({ key }).select('type', 'actor', 'actor_id', 'data', 'public');

  it('are written once for a key; the same key again changes nothing, and says so', async () => {
    assert.equal(await recordEvent(database.db, event('once', { data: { round: 1 } })), true);
    assert.equal(await recordEvent(database.db, event('once', { data: { round: 2 }, by: owner })), false);
    assert.deepEqual(await stored('once'), [
      { type: 'application.submitted', actor: 'system', actor_id: null, data: { round: 1 }, public: true },
    ]);
  });

  it('are written once though twenty try at the same time', async () => {
    const tries = Array.from({ length: 20 }, () => recordEvent(database.db, event('race')));
    assert.equal((await Promise.all(tries)).filter(Boolean).length, 1);
    assert.equal((await stored('race')).length, 1);
  });

  it('go back with the transaction that they belong to, and can be written again', async () => {
    const undone = database.db.transaction(async (tx) => {
      await recordEvent(tx, event('undone'));
      throw new Error('the rest failed');
    });
    await assert.rejects(undone, /the rest failed/);
    assert.deepEqual(await stored('undone'), []);
    assert.equal(await recordEvent(database.db, event('undone')), true);
  });

  it('say who did it: a person, the gateway, or Alur itself', async () => {
    await recordEvent(database.db, event('person', { by: owner }));
    await recordEvent(database.db, event('gateway', { actor: 'gateway' }));
    const actors = await database.db('events').whereIn('key', ['person', 'gateway']).orderBy('id').pluck('actor');
    assert.deepEqual(actors, ['person', 'gateway']);
  });

  it('cannot be changed, deleted or emptied', async () => {
    await recordEvent(database.db, event('kept'));
    const { db } = database;
    await assert.rejects(db('events').where({ key: 'kept' }).update({ data: '{}' }), /events is append-only/);
    await assert.rejects(db('events').where({ key: 'kept' }).delete(), /events is append-only/);
    await assert.rejects(db.raw('truncate events cascade'), /events is append-only/);
    await assert.rejects(db.raw('truncate applications cascade'), /is append-only/);
    assert.equal((await stored('kept')).length, 1);
  });

  it('hide from the owner of a case who works on it, and from nobody what was decided', async () => {
    await recordEvent(database.db, event('assigned', { type: 'task.assigned' }));
    await recordEvent(database.db, event('decided', { type: 'decision.recorded', by: owner }));
    const types = async (staff: boolean) =>
      (await timeline(database.db, { applicationId }, { staff, after: 0n, limit: 100 })).map(({ type }) => type);
    assert.ok((await types(true)).includes('task.assigned'));
    assert.ok(!(await types(false)).includes('task.assigned'));
    assert.ok((await types(false)).includes('decision.recorded'));
  });

  it('are read on from where the reader stopped, oldest first', async () => {
    const read = (after: bigint, limit: number) =>
      timeline(database.db, { applicationId }, { staff: true, after, limit });
    const all = await read(0n, 100);
    const [first, second] = await read(0n, 2);
    assert.ok(first && second && all.length > 3);
    const ids = [first, second, ...(await read(second.id, 100))].map(({ id }) => id);
    assert.deepEqual(
      ids,
      all.map(({ id }) => id),
    );
    assert.ok(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? id)));
  });
});
