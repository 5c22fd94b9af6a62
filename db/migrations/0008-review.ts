import type { Knex } from 'knex';

/** The review in depth: the legal clock, quorums, absences, rules as data, checks, calendars, audits, the licence's life. */
export async function up(db: Knex): Promise<void> {
  await db.raw(CASES);
  await db.raw(PEOPLE);
  await db.raw(RULES);
  await db.raw(CHECKS);
  await db.raw(CALENDARS);
  await db.raw(CLOCKS_OF_BEFORE);
  await db.raw(AFTERWARDS);
}

const CASES = `
  alter table applications drop constraint applications_state_check;
  alter table applications add constraint applications_state_check
    check (state in ('draft', 'submitted', 'completeness', 'auto_check', 'document_verification', 'compliance_check', 'approval',
      'correction_requested', 'intent_to_reject', 'deemed_approved', 'pending_payment', 'activating', 'active', 'rejected', 'withdrawn',
      'cancelled', 'lapsed_no_response', 'lapsed_unpaid'));
  alter table applications
    -- What the case is judged by where it differs from its type's policy: the row of the risk table, or a later policy.
    add column pinned_policy jsonb,
    add column risk_row_id uuid,
    -- The legal clock: it starts when the submission is complete, and never again from zero.
    add column complete_at timestamptz,
    add column legal_working_days double precision check (legal_working_days > 0),
    add column legal_budget_ms bigint check (legal_budget_ms > 0),
    add column legal_due_at timestamptz,
    -- duplicate, fraud, other: why a supervisor cancelled it.
    add column closing_code text;

  -- When the office's clock stands still, and for whom. One open suspension a case at most.
  create table suspensions (
    id bigint generated always as identity primary key,
    application_id uuid not null references applications (id),
    reason text not null check (reason in ('correction', 'intent_to_reject', 'appeal')),
    stage text,
    round integer not null,
    suspended_by uuid references users (id),
    from_at timestamptz not null,
    to_at timestamptz,
    check (to_at is null or to_at >= from_at)
  );
  create unique index suspensions_one_open on suspensions (application_id) where to_at is null;
  create index suspensions_application on suspensions (application_id, from_at);

  -- A quorum has a task a seat.
  alter table tasks
    add column seat smallint not null default 1 check (seat > 0),
    drop constraint tasks_application_id_round_stage_key;
  create unique index tasks_seat on tasks (application_id, round, stage, seat);
  drop index tasks_one_open;
  create unique index tasks_one_open on tasks (application_id, seat) where state = 'open';
  create index tasks_open_stage on tasks (stage, due_at, id) where state = 'open';
  -- An inbox shows first what is at risk or overdue: told within the index, which is walked in the order of the list.
  drop index tasks_inbox;
  drop index tasks_unassigned;
  create index tasks_inbox on tasks (assignee_id, due_at, id, least(at_risk_at, due_at), stage) where state = 'open';
  create index tasks_unassigned on tasks (due_at, id, least(at_risk_at, due_at), stage) where state = 'open' and assignee_id is null;
  create index companies_name on companies (lower(name) text_pattern_ops);
  -- Nobody has two votes.
  create unique index tasks_one_a_person on tasks (application_id, assignee_id) where state = 'open';
  -- The first round in which somebody held a stage: on an appeal nobody of the rounds before may again.
  alter table task_holders add column round integer not null default 1;

  alter table decisions
    add column seat smallint not null default 1,
    add column override boolean not null default false,
    drop constraint decisions_application_id_round_stage_key,
    drop constraint decisions_decision_check;
  alter table decisions add constraint decisions_decision_check
    check (decision in ('approve', 'reject', 'request_correction', 'intend_to_reject'));
  -- One decision a task. An announced rejection is not the last word of its round: the final one follows it.
  create unique index decisions_one on decisions (application_id, round, stage, seat) where decision <> 'intend_to_reject';
  create unique index decisions_one_intent on decisions (application_id, round, stage, seat) where decision = 'intend_to_reject';

  -- What the applicant said: an answer to an announced rejection, why to reopen, why the rejection was wrong.
  create table applicant_statements (
    id uuid primary key,
    application_id uuid not null references applications (id),
    kind text not null check (kind in ('response', 'reopening', 'appeal')),
    round integer not null,
    said_by uuid not null references users (id),
    said_at timestamptz not null,
    text text not null check (length(text) between 1 and 4000)
  );
  create index applicant_statements_application on applicant_statements (application_id, said_at);
  create trigger applicant_statements_append_only before update or delete on applicant_statements
    for each row execute function refuse_change();
`;

const PEOPLE = `
  create table conflicts (
    application_id uuid not null references applications (id),
    user_id uuid not null references users (id),
    reason text not null check (length(reason) between 1 and 1000),
    declared_at timestamptz not null,
    primary key (application_id, user_id)
  );
  create index conflicts_user on conflicts (user_id, application_id);

  create table absences (
    id uuid primary key,
    user_id uuid not null references users (id),
    from_at timestamptz not null,
    to_at timestamptz not null,
    reason text not null check (length(reason) between 1 and 1000),
    planned_by uuid not null references users (id),
    planned_at timestamptz not null,
    cancelled_at timestamptz,
    check (to_at > from_at)
  );
  create index absences_user on absences (user_id, to_at) where cancelled_at is null;

  -- All open tasks of a person, moved to one other or by the rules of assignment.
  create table task_moves (
    id uuid primary key,
    from_user uuid not null references users (id),
    to_user uuid references users (id),
    absence_id uuid references absences (id),
    reason text not null check (length(reason) between 1 and 1000),
    asked_by uuid not null references users (id),
    asked_at timestamptz not null,
    finished_at timestamptz,
    moved integer not null default 0,
    stayed integer not null default 0
  );
  create index task_moves_recent on task_moves (asked_at desc, id desc);
  create index task_moves_unfinished on task_moves (asked_at) where finished_at is null;
  create unique index task_moves_absence on task_moves (absence_id);

  -- What became of each task of a move. gone: it was decided, or somebody took it, before its turn came.
  create table task_move_cases (
    move_id uuid not null references task_moves (id),
    application_id uuid not null references applications (id),
    round integer not null,
    stage text not null,
    outcome text not null check (outcome in ('moved', 'stayed', 'gone')),
    -- Who has it now; null = the supervisor's queue.
    to_user uuid references users (id),
    -- Why it stayed, as a failure's code.
    code text,
    settled_at timestamptz not null,
    primary key (move_id, application_id, round, stage),
    check ((outcome = 'stayed') = (code is not null))
  );
`;

const RULES = `
  -- KBLI x scale x risk: each publication is a table of its own, in force from its date on.
  create table risk_tables (
    id uuid primary key,
    office_id uuid not null references offices (id),
    version integer not null check (version > 0),
    effective_from timestamptz not null,
    published_by uuid references users (id),
    published_at timestamptz not null,
    unique (office_id, version)
  );
  create index risk_tables_effective on risk_tables (office_id, effective_from desc, version desc);

  create table risk_rows (
    id uuid primary key,
    table_id uuid not null references risk_tables (id),
    position integer not null,
    -- Five digits, or fewer for all codes that begin so; the longest that fits decides.
    kbli text not null check (kbli ~ '^[0-9]{1,5}$'),
    scale text not null check (scale in ('micro', 'small', 'medium', 'large', 'any')),
    risk text not null check (risk in ('low', 'medium_low', 'medium_high', 'high')),
    type_code text not null references license_types (code),
    -- What of the type's policy it replaces; null = as the type has it.
    path text check (path in ('review', 'automatic')),
    checklist jsonb,
    legal_working_days integer check (legal_working_days > 0),
    statutory_minor bigint check (statutory_minor >= 0),
    service_minor bigint check (service_minor >= 0),
    validity_months integer check (validity_months > 0),
    valid_for_life boolean not null default false,
    deemed_approval text check (deemed_approval in ('escalate_only', 'issue')),
    unique (table_id, kbli, scale, type_code)
  );

  alter table license_policies
    add column published_by uuid references users (id),
    add column reason text;

  -- Each publication holds all rules of a type, in force from its date on.
  create table compliance_rule_sets (
    id uuid primary key,
    type_code text not null references license_types (code),
    version integer not null check (version > 0),
    effective_from timestamptz not null,
    -- [{ code, expression (FEEL: true = met), otherwise: warn | fail, reason: { id, en } }]
    rules jsonb not null,
    published_by uuid references users (id),
    published_at timestamptz not null,
    unique (type_code, version)
  );
  create index compliance_rule_sets_effective on compliance_rule_sets (type_code, effective_from desc, version desc);

  create table reason_catalogue (
    code text primary key check (code ~ '^[a-z][a-z0-9_]{1,63}$'),
    names jsonb not null,
    -- reject, request_correction, intend_to_reject
    used_for text[] not null,
    position integer not null,
    active boolean not null default true
  );
  insert into reason_catalogue (code, names, used_for, position) values
    ('document_missing', '{"id": "Dokumen belum dilampirkan", "en": "A document is missing"}', '{request_correction,reject,intend_to_reject}', 1),
    ('document_unreadable', '{"id": "Dokumen tidak terbaca", "en": "A document cannot be read"}', '{request_correction,reject,intend_to_reject}', 2),
    ('document_expired', '{"id": "Dokumen sudah tidak berlaku", "en": "A document has expired"}', '{request_correction,reject,intend_to_reject}', 3),
    ('data_mismatch', '{"id": "Data formulir tidak sesuai dengan dokumen", "en": "The form does not agree with the documents"}', '{request_correction,reject,intend_to_reject}', 4),
    ('requirement_not_met', '{"id": "Persyaratan tidak terpenuhi", "en": "A requirement is not met"}', '{request_correction,reject,intend_to_reject}', 5),
    ('location_not_permitted', '{"id": "Lokasi usaha tidak diperbolehkan", "en": "The location is not permitted"}', '{reject,intend_to_reject}', 6),
    ('other', '{"id": "Lainnya", "en": "Other"}', '{request_correction,reject,intend_to_reject}', 99);
`;

const CHECKS = `
  create table compliance_results (
    application_id uuid not null references applications (id),
    round integer not null,
    rule_code text not null,
    rule_version integer not null,
    outcome text not null check (outcome in ('pass', 'warn', 'fail', 'error')),
    reason jsonb not null,
    position integer not null,
    checked_at timestamptz not null,
    primary key (application_id, round, rule_code)
  );

  create table registry_checks (
    application_id uuid not null references applications (id),
    round integer not null,
    registry text not null check (registry in ('nib', 'npwp', 'nik')),
    state text not null check (state in ('asking', 'match', 'mismatch', 'not_found', 'unavailable', 'not_applicable')),
    -- Which fields differ, never their values.
    differences text[] not null default '{}',
    attempts integer not null default 0,
    asked_at timestamptz not null,
    answered_at timestamptz,
    primary key (application_id, round, registry)
  );

  alter table documents
    add column scan_state text not null default 'not_scanned' check (scan_state in ('not_scanned', 'waiting', 'clean', 'infected')),
    add column scanned_at timestamptz,
    -- Since when a process has the scan in hand.
    add column scan_taken_at timestamptz,
    -- { pages?, width?, height?, flags: [encrypted | scripts | attachments | too_many_pages | too_small | too_large] }
    add column sanity jsonb,
    add column purged_at timestamptz;
  create index documents_waiting on documents (scan_taken_at nulls first, uploaded_at) where scan_state = 'waiting' and purged_at is null;
  create index documents_removed on documents (removed_at) where removed_at is not null and purged_at is null;
  -- Who else names a file, before it is deleted.
  create index documents_sha256 on documents (sha256) where purged_at is null;
  create index applications_closed on applications (closed_at) where closed_at is not null;
`;

const CALENDARS = `
  alter table offices
    add column national_holidays_count boolean not null default true,
    add column calendar_version integer not null default 1;

  -- What the office worked by, and from when: each publication is the whole calendar.
  create table calendar_versions (
    id uuid primary key,
    office_id uuid not null references offices (id),
    version integer not null check (version > 0),
    calendar jsonb not null,
    reason text not null,
    published_by uuid references users (id),
    published_at timestamptz not null,
    -- How far the open cases are re-planned under it.
    replanned_at timestamptz,
    replanned integer not null default 0,
    moved integer not null default 0,
    unique (office_id, version)
  );
  alter table tasks add column calendar_version integer not null default 1;
  alter table applications
    -- The version of the office's calendar that its deadlines were last computed by.
    add column calendar_version integer,
    -- Its deadlines moved, and its process has not been told.
    add column replan_untold boolean not null default false;
  create index applications_replan_untold on applications (id) where replan_untold;
  -- Not by state: an index on what changes with every decision would cost each of them.
  create index applications_running on applications (id) where closed_at is null and submitted_at is not null;
`;

// What can be told of offices and cases of before: a case's clock has run since its first task was opened, and stood still from
// each correction that was asked for to the submission that answered it. Due dates need the office's calendar: the calendar check
// finds that nothing was planned by version 1 yet, and has it done.
const CLOCKS_OF_BEFORE = `
  insert into calendar_versions (id, office_id, version, calendar, reason, published_at)
  select gen_random_uuid(), o.id, 1,
    json_build_object(
      'zone', o.zone, 'workdays', o.workdays,
      'opensAt', to_char(make_interval(mins => o.opens_at_minute), 'HH24:MI'),
      'closesAt', to_char(make_interval(mins => o.closes_at_minute), 'HH24:MI'),
      'nationalHolidays', o.national_holidays_count, 'jointLeave', o.joint_leave_counts,
      'closures', coalesce((select json_agg(json_build_object('date', c.date, 'kind', c.kind, 'name', c.name) order by c.date, c.kind)
                            from office_closures c where c.office_id = o.id), '[]')),
    'As the office had it', now()
  from offices o;

  update applications a
  set complete_at = first.opened_at, legal_working_days = given.days,
    legal_budget_ms = given.days * (o.closes_at_minute - o.opens_at_minute) * 60000
  from (select application_id, min(opened_at) as opened_at from tasks group by application_id) first,
    (select id, cast(policy ->> 'legalWorkingDays' as double precision) as days from license_policies) given,
    license_types t, offices o
  where a.closed_at is null and first.application_id = a.id and given.id = a.policy_id and given.days > 0
    and t.code = a.type_code and o.id = t.office_id;

  insert into suspensions (application_id, reason, stage, round, suspended_by, from_at, to_at)
  select d.application_id, 'correction', d.stage, d.round, d.decided_by, d.decided_at,
    -- An answer that was incomplete gave the case back at once: the applicant has had it ever since.
    case when a.state <> 'correction_requested' or exists (select from tasks t where t.application_id = a.id and t.round > d.round)
      then greatest(d.decided_at, (select max(s.submitted_at) from submissions s where s.application_id = a.id
        and s.round <= coalesce((select min(t.round) from tasks t where t.application_id = a.id and t.round > d.round), a.round))) end
  from decisions d
  join applications a on a.id = d.application_id and a.closed_at is null and a.complete_at is not null
  where d.decision = 'request_correction';
`;

const AFTERWARDS = `
  -- Why an approval counts as given by law: what the clock, the ladder and the mail knew at that moment, unchanged since.
  create table evidence_packs (
    application_id uuid primary key references applications (id),
    pack jsonb not null,
    pdf_sha256 text check (pdf_sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null
  );

  create table post_audits (
    id uuid primary key,
    application_id uuid not null unique references applications (id),
    office_id uuid not null references offices (id),
    kind text not null check (kind in ('deemed', 'sample')),
    state text not null default 'open' check (state in ('open', 'passed', 'failed')),
    due_at timestamptz not null,
    opened_at timestamptz not null,
    decided_by uuid references users (id),
    decided_at timestamptz,
    findings text,
    -- A failed audit proposes to suspend; a supervisor decides on it.
    proposal text check (proposal in ('open', 'suspended', 'dismissed')),
    proposal_decided_by uuid references users (id),
    proposal_decided_at timestamptz,
    proposal_note text,
    check ((state = 'open') = (decided_at is null)),
    check (proposal is null or state = 'failed')
  );
  create index post_audits_open on post_audits (office_id, due_at, id) where state = 'open' or proposal = 'open';

  alter table licenses
    add column status_reason text,
    add column status_changed_at timestamptz,
    add column superseded_by uuid references licenses (id);
  create index licenses_expiring on licenses (valid_until) where status in ('active', 'suspended') and valid_until is not null;

  -- One row a reason: a licence is suspended while any of them is open.
  create table license_suspensions (
    id bigint generated always as identity primary key,
    license_id uuid not null references licenses (id),
    cause text not null check (cause in ('payment_reversed', 'refunded', 'office', 'audit_failed')),
    -- The office's words; null where the money speaks for itself.
    note text,
    from_at timestamptz not null,
    suspended_by uuid references users (id),
    to_at timestamptz,
    ended_by uuid references users (id),
    ended_note text,
    check (to_at is null or to_at >= from_at)
  );
  create unique index license_suspensions_one_open on license_suspensions (license_id, cause) where to_at is null;
  insert into license_suspensions (license_id, cause, from_at)
    select l.id, case when e.data ->> 'reason' = 'refunded' then 'refunded' else 'payment_reversed' end, coalesce(e.occurred_at, l.issued_at)
    from licenses l
    left join lateral (select data, occurred_at from events where application_id = l.application_id and type = 'license.suspended'
      order by id desc limit 1) e on true
    where l.status = 'suspended';
`;

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table license_suspensions;
    drop index licenses_expiring;
    alter table licenses drop column superseded_by, drop column status_changed_at, drop column status_reason;
    drop table post_audits, evidence_packs;
    drop index applications_running, applications_replan_untold;
    alter table applications drop column replan_untold, drop column calendar_version;
    alter table tasks drop column calendar_version;
    drop table calendar_versions;
    alter table offices drop column calendar_version, drop column national_holidays_count;
    drop index applications_closed, documents_sha256, documents_removed, documents_waiting;
    alter table documents drop column purged_at, drop column sanity, drop column scan_taken_at, drop column scanned_at,
      drop column scan_state;
    drop table registry_checks, compliance_results, reason_catalogue, compliance_rule_sets;
    alter table license_policies drop column reason, drop column published_by;
    drop table risk_rows, risk_tables, task_move_cases, task_moves, absences, conflicts, applicant_statements, suspensions;
    drop index decisions_one_intent, decisions_one;
    alter table decisions drop constraint decisions_decision_check, drop column override, drop column seat;
    alter table decisions add constraint decisions_decision_check check (decision in ('approve', 'reject', 'request_correction'));
    alter table decisions add constraint decisions_application_id_round_stage_key unique (application_id, round, stage);
    alter table task_holders drop column round;
    drop index tasks_inbox, tasks_unassigned, companies_name;
    create index tasks_inbox on tasks (assignee_id, due_at, id) where state = 'open';
    create index tasks_unassigned on tasks (due_at, id) where state = 'open' and assignee_id is null;
    drop index tasks_one_a_person, tasks_open_stage, tasks_one_open, tasks_seat;
    alter table tasks drop column seat;
    alter table tasks add constraint tasks_application_id_round_stage_key unique (application_id, round, stage);
    create unique index tasks_one_open on tasks (application_id) where state = 'open';
    alter table applications drop column closing_code, drop column legal_due_at, drop column legal_budget_ms, drop column legal_working_days, drop column complete_at,
      drop column risk_row_id, drop column pinned_policy;
    alter table applications drop constraint applications_state_check;
    alter table applications add constraint applications_state_check
      check (state in ('draft', 'submitted', 'completeness', 'auto_check', 'document_verification', 'compliance_check', 'approval',
        'correction_requested', 'pending_payment', 'activating', 'active', 'rejected', 'withdrawn', 'lapsed_no_response', 'lapsed_unpaid'));
  `);
}
