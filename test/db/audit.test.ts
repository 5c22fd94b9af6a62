import assert from 'node:assert/strict';
import { sealNextBatch } from '../../db/audit.ts';
import { createAuditSigner, hashOfEvent } from '../../db/audit-hash.ts';
import { listAudit } from '../../db/audit-reads.ts';
import { connect, type Knex } from '../../db/connection.ts';
import { NO_HASH } from '../../domain/audit.ts';
import { anEvent, auditSigner, exported, sealAll } from '../builders/audit.ts';
import { aUser } from '../builders/licensing.ts';
import { createTestDatabase, newPrivateKey, type TestDatabase } from '../support/database.ts';

describe('sealing the events', () => {
  let database: TestDatabase;
  let db: Knex;

  beforeEach(async () => {
    database = await createTestDatabase();
    db = database.db;
    await sealAll(db);
  });
  afterEach(() => database?.drop());

  const batchOf = async (id: string): Promise<bigint | null> => {
    const row: { batch: bigint } | undefined = await db('sealed_events').where({ event_id: id }).first('batch');
    return row?.batch ?? null;
  };
  const chain = (): Promise<{ batch: bigint; events: number; previous_hash: string; hash: string; key_id: string }[]> =>
    db('event_seals').orderBy('batch').select('batch', 'events', 'previous_hash', 'hash', 'key_id');

  it('takes every event once, in batches that name the one before', async () => {
    const before = (await chain()).length;
    for (let n = 0; n < 25; n += 1) await anEvent(db);
    assert.equal(await sealAll(db, 10), 25);
    const seals = await chain();
    assert.deepEqual(
      seals.slice(before).map(({ events }) => events),
      [10, 10, 5],
    );
    assert.deepEqual(
      seals.map(({ batch }) => batch),
      seals.map((_, n) => BigInt(n + 1)),
    );
    assert.deepEqual(
      seals.map(({ previous_hash }) => previous_hash),
      [NO_HASH, ...seals.slice(0, -1).map(({ hash }) => hash)],
    );
    assert.equal(await sealNextBatch(db, auditSigner), 'nothing');
  });

  it('hashes each column: whichever is changed changes the hash', async () => {
    const id = await anEvent(db, {
      by: await aUser(db, 'admin'),
      subject: 'user/x',
      origin: { address: '::1', requestId: 'r' },
    });
    await sealAll(db);
    const line = (await exported(db)).find((one) => one.kind === 'event' && one.event.id === id);
    assert.ok(line?.kind === 'event' && line.hash);
    assert.equal(hashOfEvent(line.event), line.hash);
    const columns: string[] = await db('information_schema.columns')
      .where({ table_name: 'events' })
      .pluck('column_name');
    assert.deepEqual(
      Object.keys(line.event)
        .map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
        .toSorted(),
      columns.toSorted(),
    );
    for (const name of Object.keys(line.event))
      assert.notEqual(hashOfEvent({ ...line.event, [name]: 'other' }), line.hash, name);
  });

  it('takes an event that was committed late, under a lower ID, into a later batch', async () => {
    const late = connect(database.url, 1);
    const transaction = await late.transaction();
    const lower = await anEvent(transaction);
    const higher = await anEvent(db);
    await sealAll(db);
    const [first, none] = [await batchOf(higher), await batchOf(lower)];
    await transaction.commit();
    await late.destroy();
    await sealAll(db);
    assert.ok(BigInt(lower) < BigInt(higher));
    assert.equal(none, null);
    assert.equal(await batchOf(lower), (first ?? 0n) + 1n);
  });

  it('lets events be written while a batch is being sealed, and leaves nothing half sealed when it dies', async () => {
    const sealed = await anEvent(db);
    const seals = (await chain()).length;
    const sealing = await db.transaction();
    assert.deepEqual(await sealNextBatch(sealing, auditSigner), { events: 1 });
    // A lock would show as the statement's time-out.
    const meanwhile = await db.transaction(async (tx) => {
      await tx.raw(`set local statement_timeout = '2s'`);
      return anEvent(tx);
    });
    await sealing.rollback();
    assert.equal((await chain()).length, seals);
    assert.equal(await batchOf(sealed), null);
    assert.equal(await sealAll(db), 2);
    assert.ok(await batchOf(meanwhile));
  });

  it('makes one chain without gaps though twenty seal at once, and nobody waits for another', async () => {
    for (let n = 0; n < 60; n += 1) await anEvent(db);
    const many = connect(database.url, 20);
    const writing = Array.from({ length: 20 }, () => anEvent(db));
    await Promise.all(Array.from({ length: 20 }, () => sealAll(many, 7)));
    await Promise.all(writing);
    await sealAll(db, 7);
    await many.destroy();
    const seals = await chain();
    assert.deepEqual(
      seals.map(({ previous_hash }) => previous_hash),
      [NO_HASH, ...seals.slice(0, -1).map(({ hash }) => hash)],
    );
    const counts = await db('events')
      .leftJoin('sealed_events', 'event_id', 'id')
      .whereNull('event_id')
      .count('* as open')
      .first();
    assert.equal(counts?.['open'], 0n);
  });

  it('leaves it to whoever is sealing at this moment', async () => {
    await anEvent(db);
    const sealing = await db.transaction();
    await sealNextBatch(sealing, auditSigner);
    assert.equal(await sealNextBatch(db, auditSigner), 'busy');
    await sealing.rollback();
  });

  it('never takes an event that somebody dates back behind what is sealed', async () => {
    await anEvent(db);
    await sealAll(db);
    await db.transaction(async (tx) => {
      await tx.raw('alter table events disable trigger events_in_time');
      await tx('events').insert(backdated('1 day'));
    });
    assert.equal(await sealAll(db), 0);
  });

  it('looks at recent events only, however many are sealed', async () => {
    const plan = await db.transaction(async (tx) => {
      await tx.raw('alter table events disable trigger user');
      await tx.raw(
        `insert into events (key, type, actor, data, public, occurred_at, recorded_at)
         select 'old/' || n, 'login.failed', 'system', '{}', false, now(), now() - interval '1 day' from generate_series(1, 20000) n`,
      );
      await tx.raw('analyze events');
      const sent: string[] = [];
      const note = ({ sql }: { sql: string }) => void sent.push(sql);
      tx.on('query', note);
      await sealNextBatch(tx, auditSigner, 1);
      const picking = sent.find((sql) => sql.includes('picked')) ?? '';
      const now = new Date().toISOString();
      const explained: { rows: Record<string, string>[] } = await tx.raw(`explain ${picking.replace(/\$\d/g, '?')}`, [
        now,
        10,
      ]);
      return explained.rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    assert.match(plan, /Index Scan using events_recorded/);
    assert.doesNotMatch(plan, /Seq Scan on events/);
  });

  it('goes on with another key when the key is changed', async () => {
    await anEvent(db);
    const other = createAuditSigner(newPrivateKey());
    await sealNextBatch(db, other);
    assert.equal((await chain()).at(-1)?.key_id, other.keyId);
    assert.notEqual(other.keyId, auditSigner.keyId);
  });

  describe('the tables', () => {
    for (const table of ['event_seals', 'sealed_events'])
      it(`refuse to change or lose a row of ${table}`, async () => {
        await anEvent(db);
        await sealAll(db);
        await assert.rejects(db(table).update({ batch: 99 }), /append-only/);
        await assert.rejects(db(table).delete(), /append-only/);
        await assert.rejects(db.raw(`truncate ${table} cascade`), /append-only/);
      });

    it('refuse an event that says it was recorded long ago, and one whose transaction took too long', async () => {
      await assert.rejects(db('events').insert(backdated('11 minutes')), /too late to be written/);
      await db('events').insert(backdated('9 minutes'));
    });
  });

  const backdated = (age: string) => ({
    key: `backdated/${age}`,
    type: 'login.failed',
    actor: 'system',
    data: '{}',
    public: false,
    occurred_at: new Date(),
    recorded_at: db.raw(`now() - cast(? as interval)`, [age]),
  });
});

describe('reading the audit', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  it('filters by when it was recorded, half-open', async () => {
    const { db } = database;
    // A Date has milliseconds: events of one of them could not be told apart by it.
    const apart = () => db.raw('select pg_sleep(0.002)');
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      ids.push(await anEvent(db));
      await apart();
    }
    const times: Date[] = await db('events').whereIn('id', ids).orderBy('id').pluck('recorded_at');
    const [, from, to] = times;
    assert.ok(from && to && from < to);
    const found = await listAudit(db, { from, to, type: 'login.failed' }, { before: null, limit: 10 });
    assert.deepEqual(
      found.map(({ id }) => id.toString()),
      [ids[1]],
    );
  });

  it('exports whole batches around a range, and what the range holds unsealed', async () => {
    const { db } = database;
    await sealAll(db);
    const old = await anEvent(db);
    const asked = await anEvent(db);
    await sealAll(db, 2);
    const later = await anEvent(db);
    await sealAll(db);
    const open = await anEvent(db);
    const [{ recorded_at: from }] = await db('events').where({ id: asked }).select('recorded_at');
    const [{ recorded_at: to }] = await db('events').where({ id: later }).select('recorded_at');
    const idsIn = async (range: { from: Date; to?: Date }) =>
      (await exported(db, range)).flatMap((line) => (line.kind === 'event' ? [line.event.id] : []));
    assert.deepEqual(await idsIn({ from, to }), [old, asked]);
    assert.deepEqual(await idsIn({ from }), [old, asked, later, open]);
  });
});
