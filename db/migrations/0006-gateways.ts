import type { Knex } from 'knex';

/** What must be remembered about Billplz, which is found by its own IDs only. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table gateway_bills (
      -- payments.gateway_reference; written before the bill is asked for.
      reference text primary key,
      -- Null: asked for, and its ID is not known.
      bill_id text unique,
      begun_at timestamptz not null default now()
    );
    create index payment_inbox_reference on payment_inbox (reference);
    create index payments_transaction on payments (gateway, transaction_id) where transaction_id is not null;

    -- unclear: the answer to a creation was lost for good, and nobody can tell whether the gateway has it.
    alter table payment_cases drop constraint payment_cases_kind_check;
    alter table payment_cases add constraint payment_cases_kind_check
      check (kind in ('late', 'twice', 'short', 'over', 'wrong_currency', 'unknown_object', 'reversed', 'unclear'));
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from payment_cases where kind = 'unclear';
    alter table payment_cases drop constraint payment_cases_kind_check;
    alter table payment_cases add constraint payment_cases_kind_check
      check (kind in ('late', 'twice', 'short', 'over', 'wrong_currency', 'unknown_object', 'reversed'));
    drop index payments_transaction, payment_inbox_reference;
    drop table gateway_bills;
  `);
}
