import type { Knex } from 'knex';

/** Who gets in, how, and what is written down about it: sessions, second factors, devices, keys, letters about accounts. */
export async function up(db: Knex): Promise<void> {
  await db.raw(ACCOUNTS);
  await db.raw(SESSIONS);
  await db.raw(SECOND_FACTORS);
  await db.raw(ACCESS_OF_MACHINES);
  await db.raw(COMPANIES);
  await db.raw(EVENTS);
}

const ACCOUNTS = `
  alter table users
    -- Null: invited and not yet here, an integrator's account, or somebody who comes through the office's identity provider.
    alter column password_hash drop not null,
    add column email_verified_at timestamptz,
    add column password_changed_at timestamptz,
    -- Staff without a second factor get in once, to set one up.
    add column second_factor_grace_at timestamptz,
    add column nik_encrypted bytea,
    add column nik_hash text,
    add column nik_masked text,
    -- An access token carries the version; one with an older version than this is refused.
    add column token_version integer not null default 1,
    add column access_changed_at timestamptz not null default now();
  -- Who was here before addresses were verified stays as they were.
  update users set email_verified_at = created_at;
  create unique index users_nik on users (nik_hash) where nik_hash is not null;
  create index users_recent on users (created_at desc, id desc);
  create index users_access_changed on users (access_changed_at);

  -- Every process of the API listens, so a changed role or an ended session counts within moments.
  create function users_access_changed() returns trigger language plpgsql as $$
  begin
    if new.roles is distinct from old.roles or new.status is distinct from old.status then
      new.token_version := old.token_version + 1;
      new.access_changed_at := now();
      perform pg_notify('access_changed', json_build_object('user', new.id, 'version', new.token_version)::text);
    end if;
    return new;
  end $$;
  create trigger users_access before update on users for each row execute function users_access_changed();

  -- What a letter's button leads to. Single use; the token itself is in the letter only, here is its hash.
  create table link_tokens (
    id uuid primary key,
    purpose text not null check (purpose in ('verify_email', 'reset_password', 'unlock_account', 'join_staff', 'join_company')),
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    user_id uuid references users (id),
    -- For an invitation to a company.
    subject_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    check (expires_at > created_at)
  );
  -- The newest of a person, or of an invitation, makes the older ones void.
  create index link_tokens_user on link_tokens (user_id, purpose, created_at) where user_id is not null;
  create index link_tokens_subject on link_tokens (subject_id, purpose, created_at) where subject_id is not null;

  -- Letters about accounts, written with the change they tell of and sent by a workflow each. The outbox holds no secret:
  -- a link's token is made when the letter is sent.
  create table account_letters (
    id uuid primary key,
    template text not null,
    user_id uuid references users (id),
    -- For an address that may belong to nobody; sealed.
    address_encrypted bytea,
    data jsonb not null default '{}',
    created_at timestamptz not null,
    -- Set once a workflow has taken it over.
    taken_at timestamptz,
    check (user_id is not null or address_encrypted is not null)
  );
  create index account_letters_waiting on account_letters (created_at) where taken_at is null;
  alter table mail_deliveries
    alter column user_id drop not null,
    drop constraint mail_deliveries_state_check,
    -- Expired: the link or code in it was over before the mail could leave, so none was sent.
    add constraint mail_deliveries_state_check check (state in ('queued', 'sent', 'refused', 'expired'));

  -- Failures in a row of one address, apart for devices and networks that it came from before: nobody locks it out from afar.
  create table login_locks (
    account_hash text not null,
    origin text not null check (origin in ('device', 'network', 'unknown', 'second_factor')),
    failures integer not null default 0,
    -- How often it was locked: each lock lasts twice as long as the one before.
    strikes integer not null default 0,
    last_failure_at timestamptz not null,
    locked_until timestamptz,
    primary key (account_hash, origin)
  );

  -- Counters of rate-limiter-flexible, shared by all processes. Unlogged: each lives for minutes, and one that a crash
  -- takes along only begins again.
  create unlogged table rate_limits (
    key varchar(255) primary key,
    points integer not null default 0,
    -- Milliseconds. Our bigint columns come back as BigInt, with which the library cannot count.
    expire double precision
  );
  create index rate_limits_expire on rate_limits (expire);
`;

const SESSIONS = `
  create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    method text not null check (method in ('password', 'provider', 'invitation')),
    -- As a person would call it: "Chrome on Android".
    device text not null,
    address text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    -- Idle end, moved on with each refresh, and the end that nothing moves.
    idle_until timestamptz not null,
    ends_at timestamptz not null,
    second_factor_at timestamptz,
    -- Good for setting up a second factor and for nothing else, however often it is refreshed.
    setup_only boolean not null default false,
    ended_at timestamptz,
    end_reason text check (end_reason in ('logged_out', 'revoked', 'replaced', 'reused', 'password_changed', 'disabled')),
    check ((ended_at is null) = (end_reason is null))
  );
  create index sessions_user on sessions (user_id, last_used_at) where ended_at is null;
  create index sessions_ended on sessions (ended_at) where ended_at is not null;
  create index sessions_last on sessions (user_id, created_at);

  insert into sessions (id, user_id, method, device, address, created_at, last_used_at, idle_until, ends_at, ended_at, end_reason)
    select family_id, min(user_id::text)::uuid, 'password', 'unknown', 'unknown', min(created_at), max(created_at), max(expires_at),
      max(expires_at), max(revoked_at), case when max(revoked_at) is not null then 'revoked' end
    from refresh_tokens group by family_id;
  alter table refresh_tokens
    -- The token that was exchanged for this one.
    add column parent_hash text,
    add constraint refresh_tokens_session foreign key (family_id) references sessions (id);
  create index refresh_tokens_parent on refresh_tokens (parent_hash) where parent_hash is not null;

  create function announce_session_end() returns trigger language plpgsql as $$
  begin
    perform pg_notify('access_changed', json_build_object('session', new.id)::text);
    return null;
  end $$;
  create trigger sessions_announce after update on sessions for each row
    when (old.ended_at is null and new.ended_at is not null) execute function announce_session_end();

  -- Where a person logged in before: known by a token that the device keeps.
  create table devices (
    id uuid primary key,
    user_id uuid not null references users (id),
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    name text not null,
    address text not null,
    -- The address cut to its network: /24, or /48 for IPv6.
    network text not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    -- "Remember this device": until then no second factor is asked for here.
    trusted_until timestamptz,
    revoked_at timestamptz
  );
  create index devices_user on devices (user_id, last_seen_at desc) where revoked_at is null;

  -- A log-in between password and second factor.
  create table login_challenges (
    id uuid primary key,
    user_id uuid not null references users (id),
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    method text not null check (method in ('password', 'provider', 'invitation')),
    failures integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
  );
  create index login_challenges_user on login_challenges (user_id, expires_at);

  create table oidc_logins (
    state_hash text primary key check (state_hash ~ '^[0-9a-f]{64}$'),
    -- Nonce and code verifier, sealed.
    secrets_encrypted bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
  );
  create table oidc_identities (
    issuer text not null,
    subject text not null,
    user_id uuid not null references users (id),
    created_at timestamptz not null,
    primary key (issuer, subject)
  );
  -- One account there for each here: an address that the provider gives to somebody else does not bring the account along.
  create unique index oidc_identities_user on oidc_identities (user_id, issuer);
`;

const SECOND_FACTORS = `
  create table second_factors (
    id uuid primary key,
    user_id uuid not null references users (id),
    kind text not null check (kind in ('totp', 'email', 'sms')),
    -- The TOTP key or the telephone number, sealed; e-mail codes go to the account's own address.
    secret_encrypted bytea,
    created_at timestamptz not null,
    -- Null: begun, and counts for nothing yet.
    confirmed_at timestamptz,
    -- The last time step whose code was taken: no code counts twice.
    last_step bigint,
    unique (user_id, kind)
  );
  create table backup_codes (
    user_id uuid not null references users (id),
    code_hash text not null check (code_hash ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null,
    used_at timestamptz,
    primary key (user_id, code_hash)
  );
  -- Codes sent by e-mail or SMS: the newest of a person and channel counts. Each is made from its ID and a key, so it is not here.
  create table sent_codes (
    id uuid primary key,
    user_id uuid not null references users (id),
    kind text not null check (kind in ('email', 'sms')),
    failures integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
  );
  create index sent_codes_user on sent_codes (user_id, kind, created_at desc);
`;

const ACCESS_OF_MACHINES = `
  create table api_keys (
    id uuid primary key,
    -- The integrator's account: what the key does is done by it, and its companies are the key's.
    user_id uuid not null references users (id),
    name text not null,
    environment text not null check (environment in ('live', 'test')),
    -- Shown in lists, so that a key can be told apart: alur_live_Ab3dE6gH.
    prefix text not null unique,
    key_hash text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
    scopes text[] not null,
    -- CIDR blocks; empty = from anywhere.
    networks text[] not null default '{}',
    requests_per_minute integer not null check (requests_per_minute > 0),
    created_by uuid not null references users (id),
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_used_from text,
    revoked_at timestamptz,
    revoked_by uuid references users (id),
    -- The key that this one takes the place of; the old one goes on until its own expires_at.
    replaces uuid references api_keys (id)
  );
  create index api_keys_recent on api_keys (created_at desc, id desc);
  create unique index api_keys_successor on api_keys (replaces) where replaces is not null and revoked_at is null;

  create function announce_api_key() returns trigger language plpgsql as $$
  begin
    perform pg_notify('access_changed', json_build_object('key', new.id,
      'endsAt', extract(epoch from coalesce(new.revoked_at, new.expires_at)))::text);
    return null;
  end $$;
  create trigger api_keys_announce after update on api_keys for each row
    when (old.revoked_at is distinct from new.revoked_at or old.expires_at is distinct from new.expires_at)
    execute function announce_api_key();
`;

const COMPANIES = `
  create table company_invitations (
    id uuid primary key,
    company_id uuid not null references companies (id),
    email_hash text not null,
    email_encrypted bytea not null,
    email_masked text not null,
    invited_by uuid not null references users (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references users (id),
    revoked_at timestamptz
  );
  create unique index company_invitations_open on company_invitations (company_id, email_hash)
    where accepted_at is null and revoked_at is null;
`;

const EVENTS = `
  alter table events
    add column subject text,
    add column address text,
    add column request_id text;
  create index events_actor on events (actor_id, id) where actor_id is not null;
  create index events_type on events (type, id);
  create index events_subject on events (subject, id) where subject is not null;
  create index events_company on events (company_id, id) where company_id is not null;
  create index events_recorded on events (recorded_at, id);
  create index events_request on events (request_id) where request_id is not null;
  create index events_address on events (address, id) where address is not null;

  -- recorded_at is when the transaction began. That it commits soon is what lets the sealing look at recent events only
  -- and still miss none (domain/audit.ts), and what keeps an event from being dated back.
  create function demand_in_time() returns trigger language plpgsql as $$
  begin
    if clock_timestamp() - new.recorded_at > interval '10 minutes' then
      raise exception 'the event % was recorded at % and comes too late to be written', new.key, new.recorded_at
        using errcode = 'restrict_violation';
    end if;
    return null;
  end $$;
  create constraint trigger events_in_time after insert on events deferrable initially deferred
    for each row execute function demand_in_time();

  -- A batch of events in the chain: each hash takes in the one before, and is signed.
  create table event_seals (
    batch bigint primary key check (batch > 0),
    events integer not null check (events > 0),
    previous_hash text not null check (previous_hash ~ '^[0-9a-f]{64}$'),
    hash text not null unique check (hash ~ '^[0-9a-f]{64}$'),
    key_id text not null,
    signature text not null,
    sealed_at timestamptz not null
  );
  -- Which batch an event is in, and what its row hashed to then. Transactions commit out of the order of their IDs,
  -- so a batch is a list and not a range.
  create table sealed_events (
    event_id bigint primary key references events (id),
    batch bigint not null references event_seals (batch),
    hash text not null check (hash ~ '^[0-9a-f]{64}$')
  );
  create index sealed_events_batch on sealed_events (batch, event_id);
  create trigger event_seals_append_only before update or delete on event_seals for each row execute function refuse_change();
  create trigger event_seals_no_truncate before truncate on event_seals for each statement execute function refuse_change();
  create trigger sealed_events_append_only before update or delete on sealed_events for each row execute function refuse_change();
  create trigger sealed_events_no_truncate before truncate on sealed_events for each statement execute function refuse_change();
`;

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table sealed_events, event_seals;
    drop trigger events_in_time on events;
    drop function demand_in_time;
    drop index events_actor, events_type, events_subject, events_company, events_recorded, events_request, events_address;
    alter table events drop column subject, drop column address, drop column request_id;
    drop table company_invitations, api_keys, sent_codes, backup_codes, second_factors, oidc_identities, oidc_logins, login_challenges,
      devices;
    alter table refresh_tokens drop constraint refresh_tokens_session, drop column parent_hash;
    drop table sessions, rate_limits, login_locks, account_letters, link_tokens;
    drop trigger users_access on users;
    drop function users_access_changed, announce_session_end, announce_api_key;
    drop index users_nik, users_recent, users_access_changed;
    delete from mail_deliveries where user_id is null or state = 'expired';
    alter table mail_deliveries
      alter column user_id set not null,
      drop constraint mail_deliveries_state_check,
      add constraint mail_deliveries_state_check check (state in ('queued', 'sent', 'refused'));
    alter table users drop column email_verified_at, drop column password_changed_at, drop column second_factor_grace_at,
      drop column nik_encrypted, drop column nik_hash, drop column nik_masked, drop column token_version, drop column access_changed_at;
    update users set password_hash = 'none' where password_hash is null;
    alter table users alter column password_hash set not null;
  `);
}
