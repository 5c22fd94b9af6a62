import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { migrateToLatest } from '../../db/migrate.ts';
import { migrationSource } from '../../db/migrations/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const MIGRATIONS = { migrationSource, tableName: 'schema_migrations' };

describe('the migrations', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database?.drop());

  it('go up, all the way down and up again to the same schema', async () => {
    const { db, url } = database;
    const before = await schema(db);
    assert.ok(before.length > 100, `${before.length} parts`);
    assert.ok(before.includes('table applications') && before.includes('table events'));

    const names = (await migrationSource.getMigrations([])).map(({ name }) => name);
    const [, undone]: [number, string[]] = await db.migrate.rollback(MIGRATIONS, true);
    assert.deepEqual(undone.toSorted(), names);
    assert.deepEqual(await schema(db), []);

    assert.deepEqual(await migrateToLatest(url), names);
    assert.deepEqual(await schema(db), before);
    assert.deepEqual(await migrateToLatest(url), [], 'a second time there is nothing to do');
  });

  it('may be started by several processes at once', async () => {
    const { db, url } = database;
    await db.migrate.rollback(MIGRATIONS, true);
    const runs = await Promise.allSettled([migrateToLatest(url), migrateToLatest(url), migrateToLatest(url)]);
    const applied = runs.flatMap((run) => (run.status === 'fulfilled' ? run.value : []));
    assert.equal(applied.length, new Set(applied).size);
    assert.ok((await schema(db)).includes('table applications'));
  });
});

/** Everything that a migration makes: tables, columns, constraints, indexes, triggers and functions, as text. */
async function schema(db: Knex): Promise<string[]> {
  const { rows }: { rows: { part: string }[] } = await db.raw(`
    select 'table ' || relname as part from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not like 'schema!_%' escape '!'
    union all
    select concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default) from information_schema.columns
     where table_schema = 'public' and table_name not like 'schema!_%' escape '!'
    union all
    select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
     where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'schema!_%' escape '!'
    union all
    select 'index ' || indexdef from pg_indexes where schemaname = 'public' and tablename not like 'schema!_%' escape '!'
    union all
    select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    order by part`);
  return rows.map(({ part }) => part);
}
