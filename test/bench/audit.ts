import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { sealNextBatch } from '../../db/audit.ts';
import { auditJwkOf, createAuditSigner } from '../../db/audit-hash.ts';
import { exportLines } from '../../db/audit-reads.ts';
import { connect } from '../../db/connection.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { verifyFile } from '../../local/audit-verify.ts';
import { ensureDatabase } from '../../local/postgres.ts';
import { newPrivateKey } from '../support/database.ts';
import { runDirectory } from '../support/run-directory.ts';
import { type Absolute, absoluteOf } from './figures.ts';
import type { Machine } from './machine.ts';

const EVENTS = 100_000;
const ROUNDS = 3;

/** What a year of an office does to a minute: sealing, exporting and proving a hundred thousand events that wait. */
export async function measureAudit({ databaseUrl }: Pick<Machine, 'databaseUrl'>): Promise<Absolute[]> {
  // A database of its own: in the other one the worker seals by the clock, and would take part of the work away.
  const url = named(databaseUrl, 'bench_audit');
  await ensureDatabase(named(databaseUrl, 'postgres'), 'bench_audit');
  await migrateToLatest(url);
  const db = connect(url, 2, 'alur-bench');
  const rounds: { sealing: number; exporting: number; verifying: number }[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(db, round));
  } finally {
    await db.destroy();
  }
  const goal = { atMost: 10 };
  return [
    absoluteOf(
      `Sealing ${EVENTS.toLocaleString('en')} events`,
      's',
      goal,
      rounds.map(({ sealing }) => sealing),
    ),
    absoluteOf(
      '– exporting them',
      's',
      null,
      rounds.map(({ exporting }) => exporting),
    ),
    absoluteOf(
      '– verifying the export',
      's',
      goal,
      rounds.map(({ verifying }) => verifying),
    ),
  ];
}

const named = (databaseUrl: string, name: string): string =>
  Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;

async function measure(db: Knex, round: number) {
  const privateKey = newPrivateKey();
  const signer = createAuditSigner(privateKey);
  const from = new Date();
  await db.raw(INSERT, { prefix: `round/${round}/`, events: EVENTS });
  const file = join(await runDirectory(), `audit-${round}.ndjson`);
  const sealing = await seconds(async () => {
    while (typeof (await sealNextBatch(db, signer)) !== 'string');
  });
  const exporting = await seconds(() => writeExport(db, file, from, privateKey));
  const verifying = await seconds(async () => {
    const { events, unsealed } = await verifyFile(file, [createPublicKey(privateKey)], () => undefined);
    if (events !== EVENTS || unsealed > 0)
      throw new Error(`${events} events were verified, ${unsealed} of them unsealed`);
  });
  return { sealing, exporting, verifying };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function writeExport(db: Knex, path: string, from: Date, privateKey: string): Promise<void> {
  const out = createWriteStream(path);
  for await (const lines of exportLines(db, { from, to: null }, { keys: [auditJwkOf(privateKey)], at: from }))
    if (!out.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))) await once(out, 'drain');
  await once(out.end(), 'finish');
}

/** As wide as the events of decisions and log-ins are. */
const INSERT = `
  insert into events (key, type, actor, data, subject, address, request_id, public, occurred_at, recorded_at)
  select :prefix || n, 'login.succeeded', 'system',
         jsonb_build_object('device', 'Chrome on Android', 'method', 'password', 'before', jsonb_build_object('n', n)),
         'session/' || gen_random_uuid(), '203.0.113.' || n % 256, gen_random_uuid(), false,
         clock_timestamp(), clock_timestamp()
    from generate_series(1, cast(:events as integer)) n`;
