import { pathToFileURL } from 'node:url';
import { ConfigError, loadConfig } from '../config.ts';
import { connect } from './connection.ts';
import { migrationSource } from './migrations/index.ts';

/** Brings the database to the newest schema; several at once are safe (knex takes a lock). */
export async function migrateToLatest(databaseUrl: string): Promise<string[]> {
  const db = connect(databaseUrl, 2);
  try {
    const [, names]: [number, string[]] = await db.migrate.latest({ migrationSource, tableName: 'schema_migrations' });
    return names;
  } finally {
    await db.destroy();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const applied = await migrateToLatest(loadConfig().database.url);
    process.stdout.write(applied.length > 0 ? `Applied ${applied.join(', ')}.\n` : 'The schema is up to date.\n');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
