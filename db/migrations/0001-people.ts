import type { Knex } from 'knex';

/** Offices, the people of an office, and the companies that people act for. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table offices (
      id uuid primary key,
      name text not null,
      address text not null,
      zone text not null check (zone in ('Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura')),
      workdays smallint[] not null,
      opens_at_minute smallint not null check (opens_at_minute between 0 and 1439),
      closes_at_minute smallint not null check (closes_at_minute between 1 and 1440),
      joint_leave_counts boolean not null default true,
      created_at timestamptz not null default now(),
      check (opens_at_minute < closes_at_minute)
    );

    create table office_closures (
      office_id uuid not null references offices (id),
      date date not null,
      kind text not null check (kind in ('national', 'joint_leave', 'local')),
      name text not null,
      primary key (office_id, date, kind)
    );

    create table users (
      id uuid primary key,
      email text not null check (email = lower(email)),
      password_hash text not null,
      name text not null,
      locale text not null default 'id' check (locale in ('id', 'en')),
      roles text[] not null,
      status text not null default 'active' check (status in ('active', 'disabled')),
      office_id uuid references offices (id),
      last_assigned_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create unique index users_email on users (email);
    create index users_roles on users using gin (roles) where status = 'active';

    -- A refresh token is opaque, kept as a hash, and used once; a family is one log-in and its rotations.
    create table refresh_tokens (
      token_hash text primary key,
      family_id uuid not null,
      user_id uuid not null references users (id),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      revoked_at timestamptz
    );
    create index refresh_tokens_family on refresh_tokens (family_id);

    create table companies (
      id uuid primary key,
      name text not null,
      legal_form text not null,
      -- Tax numbers are encrypted; the keyed hash finds a duplicate without reading one.
      npwp_encrypted bytea not null,
      npwp_hash text not null,
      npwp_masked text not null,
      nib text check (nib ~ '^[0-9]{13}$'),
      address text not null,
      kbli text[] not null,
      capital_minor bigint check (capital_minor >= 0),
      annual_sales_minor bigint check (annual_sales_minor >= 0),
      scale text not null,
      status text not null check (status in ('active', 'suspended', 'closed')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create unique index companies_npwp on companies (npwp_hash);

    create table company_members (
      company_id uuid not null references companies (id),
      user_id uuid not null references users (id),
      created_at timestamptz not null default now(),
      primary key (user_id, company_id)
    );
    create index company_members_company on company_members (company_id);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table company_members, companies, refresh_tokens, users, office_closures, offices');
}
