/** Databases beside the one that the bench's own API and worker use, on the same server. */
import { migrateToLatest } from '../../db/migrate.ts';
import { ensureDatabase } from '../../local/postgres.ts';

/** @param databaseUrl of any database on the server. @returns the URL of the new one, with Alur's tables */
export async function anotherDatabase(databaseUrl: string, name: string): Promise<string> {
  const url = named(databaseUrl, name);
  await ensureDatabase(named(databaseUrl, 'postgres'), name);
  await migrateToLatest(url);
  return url;
}

const named = (databaseUrl: string, name: string): string =>
  Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;
