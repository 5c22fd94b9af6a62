import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { checkLedger } from '../../db/ledger-check.ts';
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

  it('enter in the books what happened before there were any, and the books agree with the records', async () => {
    const { db } = database;
    await db.migrate.rollback(MIGRATIONS, true);
    const [before] = await until('0006-gateways');
    assert.equal(before, '0006-gateways');
    await moneyOf0006(db);
    await until('0007-books');
    // The proofs speak of the schema of today.
    await migrateToLatest(database.url);

    const { proofs } = await checkLedger(db);
    assert.deepEqual(
      proofs.filter(({ wrong }) => wrong > 0).map(({ name, findings }) => ({ name, findings })),
      [],
    );
    const { rows }: { rows: { key: string; postings: string }[] } = await db.raw(`
      select replace(replace(e.key, i.id::text, i.number), '/INV', ' INV') as key,
             string_agg(p.account || ' ' || p.amount_minor, ', ' order by p.account) as postings
        from ledger_entries e join invoices i on i.id = e.invoice_id join ledger_postings p on p.entry_id = e.id
       group by e.key, i.id order by i.number, e.key`);
    const issued = 'receivable 111000, service_revenue -100000, vat -11000';
    const closed = 'receivable -111000, service_revenue 100000, vat 11000';
    assert.deepEqual(
      rows.map(({ key, postings }) => [key, postings]),
      [
        ['invoice INV/2026/000001/issued', issued],
        ['invoice INV/2026/000002/issued', issued],
        ['payment INV/2026/000002/1/captured', 'gateway_clearing 111000, receivable -111000'],
        ['payment INV/2026/000002/2/captured', 'gateway_clearing 111000, suspense -111000'],
        ['invoice INV/2026/000003/closed', closed],
        ['invoice INV/2026/000003/issued', issued],
        ['payment INV/2026/000003/1/captured', 'gateway_clearing 111000, suspense -111000'],
        ['invoice INV/2026/000004/issued', issued],
        ['payment INV/2026/000004/1/captured', 'gateway_clearing 111000, receivable -111000'],
        ['payment INV/2026/000004/1/taken-back', 'gateway_clearing -111000, receivable 111000'],
        ['invoice INV/2026/000005/issued', issued],
        ['payment INV/2026/000005/1/captured', 'gateway_clearing 500, suspense -500'],
      ],
    );
    assert.deepEqual(await db('ledger_entries').where({ currency: 'MYR' }).pluck('kind'), ['captured']);
    assert.deepEqual(await db('invoices').orderBy('number').pluck('state'), [
      'open',
      'paid',
      'lapsed',
      'reversed',
      'open',
    ]);
    await backOver('0007-books');
    assert.deepEqual(await db('invoices').orderBy('number').pluck('state'), ['open', 'paid', 'lapsed', 'paid', 'open']);
  });

  /** Migrates up to this one. @returns the names of those that were applied last */
  async function until(name: string): Promise<string[]> {
    const { db } = database;
    for (;;) {
      const [, applied]: [number, string[]] = await db.migrate.up(MIGRATIONS);
      if (applied.length === 0 || applied.includes(name)) return applied;
    }
  }

  async function backOver(name: string): Promise<void> {
    for (;;) {
      const [, undone]: [number, string[]] = await database.db.migrate.down(MIGRATIONS);
      assert.notDeepEqual(undone, []);
      if (undone.includes(name)) return;
    }
  }

  it('may be started by several processes at once', async () => {
    const { db, url } = database;
    await db.migrate.rollback(MIGRATIONS, true);
    const runs = await Promise.allSettled([migrateToLatest(url), migrateToLatest(url), migrateToLatest(url)]);
    const applied = runs.flatMap((run) => (run.status === 'fulfilled' ? run.value : []));
    assert.equal(applied.length, new Set(applied).size);
    assert.ok((await schema(db)).includes('table applications'));
  });
});

/** Of one company: an invoice that is open, one paid twice, one lapsed and paid late, one paid and reversed, one paid in ringgit. */
async function moneyOf0006(db: Knex): Promise<void> {
  await db.raw(`
    insert into companies (id, name, legal_form, npwp_encrypted, npwp_hash, npwp_masked, address, kbli, scale, status)
      values (gen_random_uuid(), 'CV', 'CV', '', 'hash', '', '', '{}', 'micro', 'active');
    insert into counters (name, value) values ('invoice/2026', 5);
    insert into invoices (id, number, company_id, state, currency, subtotal_minor, tax_minor, total_minor, issued_at, due_at, paid_at)
      select gen_random_uuid(), 'INV/2026/00000' || n, (select id from companies where npwp_hash = 'hash'),
             case when n in (2, 4) then 'paid' when n = 3 then 'lapsed' else 'open' end, 'IDR', 100000, 11000, 111000,
             '2026-03-02T02:00:00Z', '2026-03-09T02:00:00Z', case when n in (2, 4) then timestamptz '2026-03-03T02:00:00Z' end
        from generate_series(1, 5) n;
    insert into invoice_lines (invoice_id, position, code, description, kind, net_minor, tax_minor)
      select id, 1, 'service_fee', '{}', 'service', 100000, 11000 from invoices;
    insert into payments (id, invoice_id, attempt, gateway, gateway_reference, state, amount_minor, currency, paid_minor,
        created_at, expires_at, paid_at, updated_at)
      select gen_random_uuid(), i.id, a.attempt, 'midtrans', i.number || '-' || a.attempt, a.state, 111000, 'IDR', a.paid,
             '2026-03-02T02:00:00Z', '2026-03-03T02:00:00Z', '2026-03-03T02:00:00Z', '2026-03-03T02:00:00Z'
        from invoices i join (values ('1', 1, 'pending', null), ('2', 1, 'paid', null), ('2', 2, 'paid', 111000),
          ('3', 1, 'paid', 111000), ('4', 1, 'reversed', 111000), ('5', 1, 'paid', 500)) a (invoice, attempt, state, paid)
          on right(i.number, 1) = a.invoice;
    insert into payment_cases (id, key, kind, gateway, reference, payment_id, invoice_id, amount_minor, currency, opened_at)
      select gen_random_uuid(), p.gateway_reference, k.kind, 'midtrans', p.gateway_reference, p.id, p.invoice_id, p.paid_minor, k.currency, now()
        from payments p join (values ('2-2', 'twice', 'IDR'), ('3-1', 'late', 'IDR'), ('4-1', 'reversed', 'IDR'), ('5-1', 'wrong_currency', 'MYR'))
          k (payment, kind, currency)
          on right(p.gateway_reference, 3) = k.payment;
  `);
}

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
