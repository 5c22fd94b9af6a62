import type { Knex } from 'knex';

/** Licence types and their versioned policies, applications, the review's records, licences, and the events. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table license_types (
      code text primary key,
      office_id uuid not null references offices (id),
      name jsonb not null,
      risk text not null check (risk in ('low', 'medium_low', 'medium_high', 'high')),
      position smallint not null,
      active boolean not null default true
    );

    create table license_policies (
      id uuid primary key,
      type_code text not null references license_types (code),
      version integer not null check (version > 0),
      effective_from timestamptz not null,
      policy jsonb not null,
      form_schema jsonb not null,
      example_form jsonb not null,
      created_at timestamptz not null default now(),
      unique (type_code, version)
    );
    create index license_policies_effective on license_policies (type_code, effective_from desc);

    create table applications (
      id uuid primary key,
      company_id uuid not null references companies (id),
      type_code text not null references license_types (code),
      -- Pinned at submission: a later change of the rules does not move a running case.
      policy_id uuid not null references license_policies (id),
      applicant_id uuid not null references users (id),
      form jsonb not null,
      form_version integer not null default 1,
      state text not null,
      stage text,
      round integer not null default 1 check (round > 0),
      assignee_id uuid references users (id),
      due_at timestamptz,
      submitted_at timestamptz,
      closed_at timestamptz,
      closing_reason text,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      check (state in ('draft', 'submitted', 'completeness', 'auto_check', 'document_verification', 'compliance_check', 'approval',
        'correction_requested', 'pending_payment', 'activating', 'active', 'rejected', 'withdrawn', 'lapsed_no_response', 'lapsed_unpaid'))
    );
    create index applications_company on applications (company_id, created_at desc, id desc);
    create index applications_recent on applications (created_at desc, id desc);

    -- What the office decides on: a frozen copy of form and documents, named by its hash.
    create table submissions (
      id uuid primary key,
      application_id uuid not null references applications (id),
      round integer not null check (round > 0),
      form jsonb not null,
      documents jsonb not null,
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      submitted_by uuid not null references users (id),
      submitted_at timestamptz not null,
      unique (application_id, round)
    );

    create table documents (
      id uuid primary key,
      application_id uuid not null references applications (id),
      kind text not null,
      filename text not null,
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      bytes integer not null check (bytes > 0),
      content_type text not null check (content_type in ('application/pdf', 'image/jpeg', 'image/png')),
      uploaded_by uuid not null references users (id),
      uploaded_at timestamptz not null,
      removed_at timestamptz
    );
    create index documents_application on documents (application_id, uploaded_at) where removed_at is null;

    -- One task a stage and round; the partial index is what keeps a case from having two open tasks.
    create table tasks (
      id uuid primary key,
      application_id uuid not null references applications (id),
      round integer not null,
      stage text not null,
      role text not null,
      assignee_id uuid references users (id),
      state text not null check (state in ('open', 'decided', 'cancelled')),
      assigned_at timestamptz not null,
      opened_at timestamptz not null,
      at_risk_at timestamptz,
      due_at timestamptz not null,
      budget_ms bigint not null,
      used_ms bigint not null default 0,
      plan jsonb not null,
      closed_at timestamptz,
      unique (application_id, round, stage)
    );
    create unique index tasks_one_open on tasks (application_id) where state = 'open';
    create index tasks_inbox on tasks (assignee_id, due_at, id) where state = 'open';
    create index tasks_unassigned on tasks (due_at, id) where state = 'open' and assignee_id is null;

    -- Everybody who ever held a task of a case: none of them may act on another of its stages.
    create table task_holders (
      application_id uuid not null references applications (id),
      user_id uuid not null references users (id),
      stage text not null,
      since timestamptz not null,
      primary key (application_id, user_id, stage)
    );

    create index task_holders_user on task_holders (user_id, application_id);

    create table decisions (
      id uuid primary key,
      application_id uuid not null references applications (id),
      round integer not null,
      stage text not null,
      decision text not null check (decision in ('approve', 'reject', 'request_correction')),
      decided_by uuid not null references users (id),
      decided_at timestamptz not null,
      reasons jsonb not null,
      note text,
      submission_sha256 text not null,
      unique (application_id, round, stage)
    );

    -- A rung of the escalation ladder fires once a stage and round; this row is the proof and the guard.
    create table escalations (
      application_id uuid not null references applications (id),
      round integer not null,
      stage text not null,
      rung text not null,
      fired_at timestamptz not null,
      primary key (application_id, stage, round, rung)
    );

    create table licenses (
      id uuid primary key,
      number text not null unique,
      application_id uuid not null unique references applications (id),
      company_id uuid not null references companies (id),
      type_code text not null references license_types (code),
      status text not null check (status in ('active', 'suspended', 'revoked', 'expired', 'superseded')),
      valid_from timestamptz not null,
      valid_until timestamptz,
      verify_code text not null unique,
      certificate_sha256 text check (certificate_sha256 ~ '^[0-9a-f]{64}$'),
      issued_at timestamptz not null,
      check (valid_until is null or valid_until > valid_from)
    );
    create index licenses_company on licenses (company_id, issued_at desc, id desc);

    -- Gap-free numbers: the row is locked by the transaction that uses the number, and rolls back with it.
    create table counters (
      name text primary key,
      value bigint not null check (value >= 0)
    );

    create table events (
      id bigint generated always as identity primary key,
      -- <workflowId>/<step>/<attempt>: a repeated activity meets its own row here and changes nothing.
      key text not null unique,
      type text not null,
      application_id uuid references applications (id),
      company_id uuid references companies (id),
      actor_id uuid references users (id),
      actor text not null check (actor in ('person', 'system', 'gateway')),
      data jsonb not null,
      -- Whether the owner of the case sees it in the timeline; the rest is for staff.
      public boolean not null,
      occurred_at timestamptz not null,
      recorded_at timestamptz not null default now()
    );
    create index events_timeline on events (application_id, id);

    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$;
    -- Lets a single statement refuse itself, and so roll back, without a round trip to look at what it did.
    create function demand(met boolean, otherwise text) returns void language plpgsql as $$
    begin
      if not met then raise exception '%', otherwise using errcode = 'check_violation'; end if;
    end $$;

    create trigger events_append_only before update or delete on events for each row execute function refuse_change();
    create trigger events_no_truncate before truncate on events for each statement execute function refuse_change();
    create trigger submissions_append_only before update or delete on submissions for each row execute function refuse_change();
    create trigger submissions_no_truncate before truncate on submissions for each statement execute function refuse_change();
    create trigger decisions_no_truncate before truncate on decisions for each statement execute function refuse_change();
    create trigger decisions_append_only before update or delete on decisions for each row execute function refuse_change();

    -- Whoever holds a status request open (?wait=) is woken by the change itself; nobody polls.
    create function announce_application() returns trigger language plpgsql as $$
    begin
      perform pg_notify('application_changed', new.id::text);
      return null;
    end $$;
    create trigger applications_announce after insert or update on applications for each row execute function announce_application();
  `);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table events, counters, licenses, escalations, decisions, task_holders, tasks, documents, submissions, applications,
      license_policies, license_types;
    drop function refuse_change, demand, announce_application;
  `);
}
