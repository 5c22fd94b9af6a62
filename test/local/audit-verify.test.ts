import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAuditSigner, hashOfEvent } from '../../db/audit-hash.ts';
import type { Knex } from '../../db/connection.ts';
import type { ExportLine } from '../../domain/audit.ts';
import { AuditFinding } from '../../local/audit-check.ts';
import { tellOf, verifyFile } from '../../local/audit-verify.ts';
import { anEvent, exported, sealAll, writeExport } from '../builders/audit.ts';
import { AUDIT_PRIVATE_KEY, createTestDatabase, newPrivateKey, type TestDatabase } from '../support/database.ts';
import { removeDirectory, temporaryDirectory } from '../support/temporary.ts';

const OFFICE_KEY = createPublicKey(AUDIT_PRIVATE_KEY);

/** What the demonstration data left is batch 1; then come batch 2 and 3 with three events each, and one without a batch. */
describe('verifying an export of the audit', () => {
  let database: TestDatabase;
  let directory: string;
  let ids: string[];

  before(async () => {
    database = await createTestDatabase();
    directory = await temporaryDirectory();
    const { db } = database;
    await anEvent(db);
    await sealAll(db);
    ids = [];
    for (let n = 0; n < 6; n += 1) {
      // Times of JavaScript have milliseconds: the batches are to be apart by more.
      await db.raw('select pg_sleep(0.002)');
      ids.push(await anEvent(db, { key: `event/${n}`, data: { n } }));
      if (n % 3 === 2) await sealAll(db);
    }
    await anEvent(db, { key: 'event/unsealed' });
  });
  after(async () => {
    await database?.drop();
    await removeDirectory(directory);
  });

  const event = (n: number): string => ids[n] ?? '';
  const verified = async (lines: readonly object[], keys = [OFFICE_KEY]) => {
    const file = join(directory, 'export.ndjson');
    await writeExport(file, lines);
    return verifyFile(file, keys, () => undefined);
  };
  const finding = (lines: readonly object[], said: RegExp) =>
    assert.rejects(verified(lines), (error: unknown) => {
      assert.ok(error instanceof AuditFinding, String(error));
      assert.match(error.message, said);
      return true;
    });

  /** The export after somebody who may do anything in the database has done this; nothing of it stays. */
  async function afterDeed(deed: (db: Knex) => Promise<unknown>): Promise<ExportLine[]> {
    const tx = await database.db.transaction();
    try {
      // What a superuser can: no trigger fires, no foreign key is looked at.
      await tx.raw('set local session_replication_role = replica');
      await deed(tx);
      return await exported(tx);
    } finally {
      await tx.rollback();
    }
  }

  it('finds everything as it was sealed, and says what it could not check', async () => {
    const summary = await verified(await exported(database.db));
    assert.deepEqual(
      { ...summary, events: 0, lastHash: null, keyIds: [] },
      {
        events: 0,
        batches: 3,
        firstBatch: '1',
        lastBatch: '3',
        lastHash: null,
        unsealed: 1,
        onTrust: false,
        keyIds: [],
      },
    );
    const told = tellOf(summary, false).join('\n');
    assert.match(
      told,
      new RegExp(`${summary.events - 1} events in 3 batches \\(1 to 3\\) are exactly as they were sealed`),
    );
    assert.match(told, /1 events are in no batch yet/);
    assert.match(told, /checked with the key in the file itself/);
    assert.doesNotMatch(tellOf(summary, true).join('\n'), /in the file itself/);
  });

  it('takes the hash before the first batch on trust when the export begins later, and says so', async () => {
    const { recorded_at: from } = await database
      .db('events')
      .where({ id: event(3) })
      .first('recorded_at');
    const summary = await verified(await exported(database.db, { from }));
    assert.deepEqual([summary.onTrust, summary.firstBatch], [true, '3']);
    assert.match(tellOf(summary, true).join('\n'), /batch 3 is not the first.*taken on trust/);
  });

  it('names a row that was altered, whichever of its columns', async () => {
    for (const change of [
      { data: '{"n": 99}' },
      { actor: 'gateway' },
      { occurred_at: '2026-01-01T00:00:00Z' },
      { address: '10.0.0.1' },
    ]) {
      const lines = await afterDeed((db) =>
        db('events')
          .where({ id: event(4) })
          .update(change),
      );
      await finding(lines, new RegExp(`^Event ${event(4)} in batch 3 was altered`));
    }
  });

  it('names the batch when a row was altered together with its recorded hash', async () => {
    const lines = await afterDeed(async (db) => {
      await db('events')
        .where({ id: event(1) })
        .update({ type: 'login.succeeded' });
      await db('sealed_events')
        .where({ event_id: event(1) })
        .update({ hash: 'a'.repeat(64) });
    });
    await finding(lines, new RegExp(`^Event ${event(1)} in batch 2 was altered`));
    const whole = await exported(database.db);
    const forged = whole.map((line) => {
      if (line.kind !== 'event' || line.event.id !== event(1) || line.batch === null) return line;
      const altered = { ...line.event, type: 'login.succeeded' };
      return { ...line, event: altered, hash: hashOfEvent(altered) };
    });
    await finding(
      forged,
      new RegExp(`^Batch 2 was altered: its 3 events, up to event ${event(2)}, do not hash to what was signed`),
    );
  });

  it('names a row that is missing', async () => {
    const lines = await afterDeed((db) =>
      db('events')
        .where({ id: event(3) })
        .delete(),
    );
    await finding(lines, new RegExp(`^Event ${event(3)} of batch 3 is missing`));
  });

  it('tells of a row that vanished with all that names it', async () => {
    const lines = await afterDeed(async (db) => {
      await db('sealed_events')
        .where({ event_id: event(3) })
        .delete();
      await db('events')
        .where({ id: event(3) })
        .delete();
    });
    await finding(lines, /^Batch 3 was altered: 3 events were sealed and it holds 2, .* one is missing/);
  });

  it('names a row that was put in and dated back, sealed or not', async () => {
    const insert = async (db: Knex): Promise<string> => {
      const inserted: { id: bigint }[] = await db('events')
        .insert({
          key: 'dated-back',
          type: 'decision.recorded',
          actor: 'system',
          data: '{}',
          public: true,
          occurred_at: '2026-01-01T00:00:00Z',
          recorded_at: '2026-01-01T00:00:00Z',
        })
        .returning('id');
      return String(inserted[0]?.id);
    };
    let id = '';
    const lines = await afterDeed(async (db) => {
      id = await insert(db);
    });
    await finding(lines, new RegExp(`^Event ${id} was added afterwards: .* had been sealed with batch 3`));
    const inBatch = await afterDeed(async (db) => {
      id = await insert(db);
      await db('sealed_events').insert({ event_id: id, batch: 3, hash: 'b'.repeat(64) });
    });
    await finding(inBatch, new RegExp(`^Event ${id} in batch 3 was altered`));
  });

  it('names a row that went into a batch after it was sealed', async () => {
    const lines = await afterDeed((db) =>
      db('sealed_events')
        .where({ event_id: event(2) })
        .update({ batch: 3 }),
    );
    await finding(lines, /^Batch 2 was altered: 3 events were sealed and it holds 2/);
  });

  it('names the first of two rows that were swapped, in the database or in the file', async () => {
    const lines = await afterDeed(async (db) => {
      await db('events')
        .where({ id: event(3) })
        .update({ key: 'swapped', data: '{"n": 4}' });
      await db('events')
        .where({ id: event(4) })
        .update({ key: 'event/3', data: '{"n": 3}' });
      await db('events')
        .where({ id: event(3) })
        .update({ key: 'event/4' });
    });
    await finding(lines, new RegExp(`^Event ${event(3)} in batch 3 was altered`));
    const whole = await exported(database.db);
    const at = whole.findIndex((line) => line.kind === 'event' && line.event.id === event(3));
    const swapped = [...whole.slice(0, at), ...whole.slice(at, at + 2).toReversed(), ...whole.slice(at + 2)];
    await finding(
      swapped,
      new RegExp(`^Event ${event(3)} in batch 3 is out of order: it comes after event ${event(4)}`),
    );
  });

  it('names a seal that was altered, taken out, or moved', async () => {
    for (const change of [{ hash: 'c'.repeat(64) }, { signature: 'AAAA' }])
      await finding(
        await afterDeed((db) => db('event_seals').where({ batch: 2 }).update(change)),
        /^Batch 2 was altered/,
      );
    for (const change of [{ sealed_at: '2026-01-01T00:00:00Z' }, { events: 4 }])
      await finding(
        await afterDeed((db) => db('event_seals').where({ batch: 2 }).update(change)),
        /^Batch 2 was altered/,
      );
    await finding(
      await afterDeed((db) =>
        db('event_seals')
          .where({ batch: 3 })
          .update({ previous_hash: 'd'.repeat(64) }),
      ),
      /^Batch 3 does not follow batch 2/,
    );
    await finding(
      await afterDeed((db) => db('event_seals').where({ batch: 2 }).delete()),
      new RegExp(`^Event ${event(0)} says that it is in batch 2, and stands among the events of batch 1`),
    );
    await finding(
      await afterDeed(async (db) => {
        await db('sealed_events').where({ batch: 2 }).delete();
        await db('events').whereIn('id', ids.slice(0, 3)).delete();
        await db('event_seals').where({ batch: 2 }).delete();
      }),
      /^Batch 2 is missing: batch 3 comes after batch 1/,
    );
    await finding(
      await afterDeed((db) => db('event_seals').where({ batch: 3 }).update({ batch: 4 })),
      /^Batch 4 |^Batch 3 is missing|^Event \d+ says that it is in batch 3/,
    );
  });

  it('refuses a seal that was signed with another key, whatever name it gives itself', async () => {
    const other = createAuditSigner(newPrivateKey());
    const resign = (change: (seal: { hash: string }) => object) => async (db: Knex) => {
      const seal = await db('event_seals').where({ batch: 3 }).first('hash');
      await db('event_seals').where({ batch: 3 }).update(change(seal));
    };
    const openly = await afterDeed(resign(({ hash }) => ({ signature: other.sign(hash), key_id: other.keyId })));
    await finding(openly, new RegExp(`^Batch 3 is signed with the key ${other.keyId}, which is none of`));
    const falsely = await afterDeed(resign(({ hash }) => ({ signature: other.sign(hash) })));
    await finding(falsely, /^Batch 3 was altered: its signature is not that of the key/);
  });

  it('goes by the keys that it is given, and not by those in the file', async () => {
    const stranger = createPublicKey(newPrivateKey());
    const lines = await exported(database.db);
    await assert.rejects(verified(lines, [stranger]), /^AuditFinding: Batch 1 is signed with the key/);
    assert.equal((await verified(lines, [stranger, OFFICE_KEY])).batches, 3);
    assert.equal((await verified(lines, [])).batches, 3);
  });

  it('notices a file that was cut off, added to, or is no export', async () => {
    const whole = await exported(database.db);
    await finding(whole.slice(0, -1), /^The file was cut off after line \d+/);
    await finding([...whole, whole.at(-2) ?? {}], /^Line \d+ comes after the end/);
    await finding(whole.slice(1), /^The file does not begin as an export/);
    await finding(whole.toSpliced(-2, 1), /^The export ends with \d+ events and the file holds \d+/);
    await finding([{ hello: 'world' }], /^Line 1 is not a line of an export/);
    await finding([], /^The file is empty/);
    const file = join(directory, 'torn.ndjson');
    await writeFile(file, `${JSON.stringify(whole[0])}\n{"kind":"se`);
    await assert.rejects(
      verifyFile(file, [], () => undefined),
      /Line 2 is not a line of an export/,
    );
  });

  it('as a command ends with 0, with 1 and the finding, or with 2', async () => {
    const [good, bad, key] = ['good.ndjson', 'bad.ndjson', 'key.pem'].map((name) => join(directory, name));
    assert.ok(good && bad && key);
    await writeExport(good, await exported(database.db));
    await writeExport(
      bad,
      await afterDeed((db) =>
        db('events')
          .where({ id: event(5) })
          .update({ data: '{}' }),
      ),
    );
    await writeFile(key, OFFICE_KEY.export({ type: 'spki', format: 'pem' }));
    const runs = await Promise.all([
      run(good, '--key', key),
      run(bad, '--key', key),
      run(join(directory, 'none')),
      run(),
    ]);
    assert.deepEqual(
      runs.map(({ code }) => code),
      [0, 1, 2, 2],
    );
    assert.match(runs[0]?.output ?? '', /are exactly as they were sealed/);
    assert.match(runs[1]?.output ?? '', new RegExp(`^Event ${event(5)} in batch 3 was altered`));
    assert.match(runs[2]?.output ?? '', /no such file/);
    assert.match(runs[3]?.output ?? '', /^One file is needed: npm run audit:verify/);
  });
});

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  const script = join(import.meta.dirname, '../../local/audit-verify.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code]: unknown[] = await once(child, 'close');
  return { code: Number(code), output: (await output).join('') };
}
