import type { Knex } from 'knex';

/** Mail templates with their delivery log, and the answers kept for repeated requests. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table mail_templates (
      code text not null,
      locale text not null check (locale in ('id', 'en')),
      version integer not null check (version > 0),
      subject text not null,
      text text not null,
      html text not null,
      created_at timestamptz not null default now(),
      primary key (code, locale, version)
    );

    -- One row a mail: the intent first, then each try. Message-ID is stable, so a receiver can tell a repeat.
    create table mail_deliveries (
      id uuid primary key,
      key text not null unique,
      message_id text not null unique,
      template text not null,
      template_version integer not null,
      locale text not null,
      user_id uuid not null references users (id),
      application_id uuid references applications (id),
      state text not null check (state in ('queued', 'sent', 'refused')),
      tries integer not null default 0,
      last_answer text,
      queued_at timestamptz not null,
      sent_at timestamptz
    );
    create index mail_deliveries_application on mail_deliveries (application_id, queued_at);

    create table idempotency_keys (
      -- SHA-256 of caller, route and key: another caller's key is another key.
      scope text primary key,
      request_hash text not null,
      status smallint,
      headers jsonb,
      body jsonb,
      claimed_at timestamptz not null,
      answered_at timestamptz
    );
    create index idempotency_keys_age on idempotency_keys (claimed_at);
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table idempotency_keys, mail_deliveries, mail_templates');
}
