/** A database for each test file, copied from one that was migrated and filled with the demonstration data once. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import pg from 'pg';
import { connect } from '../../db/connection.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { loadDemoData } from '../../local/demo-data.ts';
import { ensureDatabase } from '../../local/postgres.ts';
import { postgres } from './machine.ts';

/** The key that encrypts tax numbers in the test databases. */
export const PERSONAL_DATA_KEY = randomBytes(32);

/** PKCS#8 PEM of a new Ed25519 key. */
export const newPrivateKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Signs the audit's chain in tests: the worker's part of the key whose public part the test API gives out. */
export const AUDIT_PRIVATE_KEY = newPrivateKey();

export type TestDatabase = {
  url: string;
  db: Knex;
  /** Closes the connections of `db` and deletes the database. */
  drop(): Promise<void>;
};

/** Call in `before`, `drop` in `after`. Takes about 0.1 s, the very first one about 2 s. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { urlOf } = await postgres();
  const { template } = await demoTemplate();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin((client) => client.query(`create database ${name} template ${template}`));
  const db = connect(urlOf(name), 10);
  return {
    url: urlOf(name),
    db,
    drop: async () => {
      await db.destroy();
      await asAdmin((client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** The accounts that the demonstration data holds, as `loadDemoData` returns them. */
export async function demoAccounts() {
  return (await demoTemplate()).accounts;
}

type Template = { template: string; accounts: Awaited<ReturnType<typeof loadDemoData>> };
let made: Promise<Template> | undefined;

function demoTemplate(): Promise<Template> {
  made ??= makeTemplate();
  return made;
}

async function makeTemplate(): Promise<Template> {
  const { adminUrl, urlOf } = await postgres();
  const template = 'template_demo';
  await ensureDatabase(adminUrl, template);
  await migrateToLatest(urlOf(template));
  const accounts = await loadDemoData({ databaseUrl: urlOf(template), personalDataKeys: [PERSONAL_DATA_KEY] });
  return { template, accounts };
}

// One at a time: PostgreSQL refuses to copy a template that two sessions ask for at once.
let queue: Promise<unknown> = Promise.resolve();

function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const turn = queue.then(async () => {
    const client = new pg.Client({ connectionString: (await postgres()).adminUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  });
  queue = turn.catch(() => undefined);
  return turn;
}
