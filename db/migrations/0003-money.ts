import type { Knex } from 'knex';

/** Invoices, attempts to collect them, what gateways told us, and money that needs a person. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table invoices (
      id uuid primary key,
      number text not null unique,
      company_id uuid not null references companies (id),
      application_id uuid unique references applications (id),
      state text not null check (state in ('open', 'paid', 'lapsed', 'void')),
      currency text not null check (currency in ('IDR', 'MYR')),
      subtotal_minor bigint not null check (subtotal_minor >= 0),
      tax_minor bigint not null check (tax_minor >= 0),
      total_minor bigint not null check (total_minor > 0),
      issued_at timestamptz not null,
      due_at timestamptz not null,
      paid_at timestamptz,
      pdf_sha256 text check (pdf_sha256 ~ '^[0-9a-f]{64}$'),
      check (subtotal_minor + tax_minor = total_minor),
      check ((state = 'paid') = (paid_at is not null))
    );
    create index invoices_company on invoices (company_id, issued_at desc, id desc);
    create index invoices_recent on invoices (issued_at desc, id desc);

    create table invoice_lines (
      invoice_id uuid not null references invoices (id),
      position smallint not null,
      code text not null,
      description jsonb not null,
      kind text not null check (kind in ('statutory', 'service')),
      net_minor bigint not null check (net_minor >= 0),
      tax_minor bigint not null check (tax_minor >= 0),
      primary key (invoice_id, position)
    );

    create table payments (
      id uuid primary key,
      invoice_id uuid not null references invoices (id),
      attempt integer not null check (attempt > 0),
      gateway text not null,
      method text,
      gateway_reference text not null unique,
      transaction_id text,
      state text not null check (state in ('created', 'unknown', 'pending', 'paid', 'failed', 'expired', 'reversed')),
      amount_minor bigint not null check (amount_minor > 0),
      currency text not null check (currency in ('IDR', 'MYR')),
      paid_minor bigint check (paid_minor >= 0),
      redirect_url text,
      instructions jsonb,
      requested_by uuid references users (id),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      paid_at timestamptz,
      updated_at timestamptz not null,
      unique (invoice_id, attempt)
    );
    -- At most one attempt of an invoice may still bring money in by itself.
    create unique index payments_one_open on payments (invoice_id) where state in ('created', 'unknown', 'pending');

    create index payments_recent on payments (created_at desc, id desc);

    -- Every notification that a gateway sent, once for each object and status, before anything acts on it.
    create table payment_inbox (
      id bigint generated always as identity primary key,
      gateway text not null,
      object_id text not null,
      status text not null,
      reference text not null,
      payment_id uuid references payments (id),
      body jsonb not null,
      received_at timestamptz not null default now(),
      -- When the gateway had been asked about it; until then a repeat is passed on again.
      handled_at timestamptz,
      unique (gateway, object_id, status)
    );

    create index payment_inbox_unhandled on payment_inbox (payment_id) where handled_at is null;

    create table payment_cases (
      id uuid primary key,
      key text not null unique,
      kind text not null check (kind in ('late', 'twice', 'short', 'over', 'wrong_currency', 'unknown_object', 'reversed')),
      gateway text not null,
      reference text not null,
      payment_id uuid references payments (id),
      invoice_id uuid references invoices (id),
      application_id uuid references applications (id),
      amount_minor bigint,
      currency text,
      state text not null default 'open' check (state in ('open', 'resolved')),
      opened_at timestamptz not null,
      resolved_at timestamptz
    );
    create index payment_cases_open on payment_cases (opened_at desc, id desc);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table payment_cases, payment_inbox, payments, invoice_lines, invoices');
}
