import type { Knex } from 'knex';

/** What lives for years: the onboarding of companies, subscriptions and their plans, the renewal of licences. */
export async function up(db: Knex): Promise<void> {
  await db.raw(COMPANIES);
  await db.raw(PLANS);
  await db.raw(INVOICES);
  await db.raw(RENEWAL);
}

const COMPANIES = `
  alter table companies drop constraint companies_status_check;
  alter table companies add constraint companies_status_check
    check (status in ('onboarding', 'active', 'suspended', 'closed', 'expired', 'cancelled'));
  -- A cancelled onboarding whose time is over is erased: the row stays for what refers to it, the number does not.
  alter table companies alter column npwp_encrypted drop not null, alter column npwp_hash drop not null;

  create table onboardings (
    company_id uuid primary key references companies (id),
    state text not null check (state in ('in_progress', 'in_review', 'completed', 'expired', 'cancelled')),
    owner_id uuid not null references users (id),
    -- The owner's: reminders come by day there.
    zone text not null check (zone in ('Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura')),
    -- Each taking up again is another run of the process.
    run integer not null default 1 check (run > 0),
    reminders_sent smallint not null default 0 check (reminders_sent >= 0),
    last_step_at timestamptz not null,
    expires_at timestamptz,
    -- Why a person has to look at it: codes of the risk rules.
    review_reasons jsonb not null default '[]',
    -- Licences to begin with, by KBLI, as they were when it was completed: {code, name}.
    suggested_licenses jsonb not null default '[]',
    reviewed_by uuid references users (id),
    reviewed_at timestamptz,
    ended_at timestamptz,
    -- When what was entered is deleted; set when it is cancelled or expires.
    erase_at timestamptz,
    erased_at timestamptz,
    started_at timestamptz not null,
    updated_at timestamptz not null
  );
  create index onboardings_to_erase on onboardings (erase_at) where erased_at is null and erase_at is not null;
  create index onboardings_in_review on onboardings (updated_at) where state = 'in_review';

  create table onboarding_steps (
    company_id uuid not null references onboardings (company_id),
    position smallint not null check (position between 1 and 6),
    step text not null check (step in ('account_verified', 'business_profile', 'identity', 'documents', 'review', 'completed')),
    state text not null check (state in ('pending', 'completed', 'skipped', 'asked_again')),
    completed_at timestamptz,
    -- How often it was done; 0 = never.
    times smallint not null default 0,
    -- What is shown of it: no personal data, numbers masked.
    metadata jsonb not null default '{}',
    primary key (company_id, step)
  );

  -- One row a number that belongs to a company: nobody is onboarded twice. Sealed, found by fingerprint, shown masked.
  create table company_numbers (
    id uuid primary key,
    company_id uuid not null references companies (id),
    kind text not null check (kind in ('nib', 'npwp', 'nik')),
    number_encrypted bytea not null,
    fingerprint text not null,
    masked text not null,
    -- What the registry said; null = nobody has asked it yet.
    registry_state text check (registry_state in ('match', 'mismatch', 'not_found', 'unavailable', 'not_applicable')),
    verified_at timestamptz,
    unique (kind, fingerprint),
    unique (company_id, kind)
  );

  create table company_documents (
    id uuid primary key,
    company_id uuid not null references companies (id),
    kind text not null,
    filename text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes integer not null check (bytes > 0),
    content_type text not null,
    uploaded_by uuid not null references users (id),
    uploaded_at timestamptz not null,
    scan_state text not null check (scan_state in ('not_scanned', 'waiting', 'clean', 'infected')),
    removed_at timestamptz
  );
  create index company_documents_company on company_documents (company_id) where removed_at is null;

  create function company_announce() returns trigger language plpgsql as $$
  begin
    perform pg_notify('company_changed', new.company_id::text);
    return null;
  end $$;
  create trigger onboardings_announce after insert or update on onboardings
    for each row execute function company_announce();
`;

const PLANS = `
  create table plans (
    code text not null,
    version integer not null check (version > 0),
    name jsonb not null,
    -- Of a period, without tax.
    price_minor bigint not null check (price_minor >= 0),
    currency text not null check (currency in ('IDR', 'MYR')),
    interval text not null check (interval in ('month', 'year')),
    trial_days integer not null default 0 check (trial_days >= 0),
    -- {companies, users, openApplications, …}: a number, or null for no limit.
    entitlements jsonb not null,
    -- Reminders, dunning, grace: domain/subscriptions.ts SubscriptionPolicy.
    policy jsonb not null,
    is_taxed boolean not null default true,
    -- What a company without a subscription may use; at most one plan.
    is_default boolean not null default false,
    is_offered boolean not null default true,
    effective_from timestamptz not null,
    published_by uuid references users (id),
    created_at timestamptz not null default now(),
    primary key (code, version)
  );

  create table subscriptions (
    id uuid primary key,
    company_id uuid not null references companies (id),
    started_by uuid not null references users (id),
    plan_code text not null,
    plan_version integer not null,
    state text not null check (state in ('trialing', 'active', 'past_due', 'grace', 'suspended', 'paused', 'cancelled', 'expired')),
    -- IANA name: in which zone months are counted.
    zone text not null,
    -- The instant that periods are counted from, and how many months after it the current one ends.
    anchor_at timestamptz not null,
    anchor_months integer not null default 0 check (anchor_months >= 0),
    term integer not null default 0 check (term >= 0),
    period_start timestamptz not null,
    period_end timestamptz not null,
    trial_ends_at timestamptz,
    cancel_at_period_end boolean not null default false,
    -- A downgrade waits for the period's end; an upgrade for its payment.
    pending_plan_code text,
    pending_plan_version integer,
    pending_invoice_id uuid,
    paused_at timestamptz,
    -- The open invoice of the next term.
    renewal_invoice_id uuid,
    payment_method_id uuid,
    dunning_step smallint not null default 0 check (dunning_step >= 0),
    state_since timestamptz not null,
    ended_at timestamptz,
    started_at timestamptz not null,
    updated_at timestamptz not null,
    foreign key (plan_code, plan_version) references plans (code, version),
    check (period_start < period_end)
  );
  -- A company has one subscription at a time.
  create unique index subscriptions_one_open on subscriptions (company_id) where state not in ('cancelled', 'expired');
  create index subscriptions_company on subscriptions (company_id, started_at desc, id desc);
  create index subscriptions_recent on subscriptions (started_at desc, id desc);
  create index subscriptions_due on subscriptions (period_end) where state not in ('cancelled', 'expired', 'paused');

  -- What was paid for, without gap and overlap. A trial and days given by staff are terms of nothing.
  create table subscription_terms (
    subscription_id uuid not null references subscriptions (id),
    number integer not null check (number > 0),
    kind text not null check (kind in ('trial', 'paid', 'free', 'extension')),
    plan_code text not null,
    plan_version integer not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    -- How much of it was a pause, which moved its end.
    paused_ms bigint not null default 0 check (paused_ms >= 0),
    -- Of days that were given: why, in the words of who gave them.
    note text,
    invoice_id uuid,
    -- The invoice's total, tax included; an upgrade within it is an invoice of its own and adds to it.
    amount_minor bigint not null default 0,
    currency text not null,
    created_at timestamptz not null,
    primary key (subscription_id, number),
    unique (subscription_id, from_at),
    check (from_at < to_at)
  );

  -- Each rung once: (subscription, the end of the period that it is about, rung).
  create table subscription_rungs (
    subscription_id uuid not null references subscriptions (id),
    period_end timestamptz not null,
    rung text not null,
    at timestamptz not null,
    primary key (subscription_id, period_end, rung)
  );

  -- A card at the gateway: a token there, what may be shown here.
  create table payment_methods (
    id uuid primary key,
    company_id uuid not null references companies (id),
    gateway text not null check (gateway in ('stripe')),
    customer_reference text not null,
    method_reference text not null,
    brand text not null,
    last4 text not null check (last4 ~ '^[0-9]{4}$'),
    expires_month smallint not null check (expires_month between 1 and 12),
    expires_year smallint not null,
    added_by uuid not null references users (id),
    created_at timestamptz not null,
    removed_at timestamptz,
    unique (gateway, method_reference)
  );
  create index payment_methods_company on payment_methods (company_id) where removed_at is null;

  -- A page on which a company gives a card; the card gets the same ID.
  create table card_setups (
    id uuid primary key,
    company_id uuid not null references companies (id),
    gateway text not null check (gateway in ('stripe')),
    state text not null check (state in ('created', 'open', 'completed', 'expired', 'failed')),
    customer_reference text,
    session_reference text unique,
    setup_url text,
    requested_by uuid not null references users (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
  );
  create index card_setups_pending on card_setups (company_id) where state in ('created', 'open');
  -- Set for a charge of a card on file, which has no page.
  alter table payments add column payment_method_id uuid references payment_methods (id);
  alter table subscriptions add foreign key (payment_method_id) references payment_methods (id);

  create trigger subscriptions_announce after insert or update on subscriptions
    for each row execute function company_announce();

  -- A plan may be what every company without a subscription has.
  create function plans_announce() returns trigger language plpgsql as $$
  begin
    perform pg_notify('company_changed', '*');
    return null;
  end $$;
  create trigger plans_announce after insert or update on plans for each statement execute function plans_announce();
`;

const INVOICES = `
  alter table invoices
    add column subscription_id uuid references subscriptions (id),
    -- Of a subscription: what it charges for. A repeat under the same key finds the invoice.
    add column subject_key text unique,
    add constraint invoices_one_owner check (application_id is null or subscription_id is null),
    add constraint invoices_subject check ((subscription_id is null) = (subject_key is null));
  -- Whose end the gateway owes us.
  create index payments_pending on payments (expires_at) where state = 'pending';
  create index invoices_subscription on invoices (subscription_id, issued_at desc) where subscription_id is not null;
  -- A line may be a credit: what was paid and not used, taken off.
  alter table invoice_lines drop constraint invoice_lines_net_minor_check, drop constraint invoice_lines_tax_minor_check;
  alter table invoice_lines add constraint invoice_lines_signs
    check ((net_minor >= 0 and tax_minor >= 0) or (net_minor < 0 and tax_minor <= 0 and discount_minor = 0));
  alter table subscription_terms add foreign key (invoice_id) references invoices (id);
  alter table subscriptions
    add foreign key (pending_invoice_id) references invoices (id),
    add foreign key (renewal_invoice_id) references invoices (id);
`;

const RENEWAL = `
  -- An application for the next term of a licence.
  alter table applications
    add column renews_id uuid references licenses (id),
    add column renewal text check (renewal in ('unchanged', 'changed')),
    add constraint applications_renewal check ((renews_id is null) = (renewal is null));
  -- One renewal of a licence is under way or done; one that came to nothing may be followed by another.
  -- Since when a draft is on its way to the office: it holds its place among the open cases that a plan allows.
  alter table applications add column submitting_since timestamptz;
  create index applications_open on applications (company_id)
    where closed_at is null and (submitted_at is not null or submitting_since is not null);
  create unique index applications_one_renewal on applications (renews_id)
    where renews_id is not null and state not in ('rejected', 'withdrawn', 'cancelled', 'lapsed_no_response', 'lapsed_unpaid');

  alter table licenses
    add column renews_id uuid unique references licenses (id),
    -- Whether licence/<id> follows it; null = it was issued before there were such processes.
    add column followed_since timestamptz,
    -- Who holds it, as its certificate says: {name, address, kbli}. A renewal by another one is reviewed.
    add column holder jsonb;
  -- Until now nothing could change a company after its licence was issued.
  update licenses l set holder = jsonb_build_object('name', c.name, 'address', c.address, 'kbli', c.kbli)
    from companies c where c.id = l.company_id;
  create index licenses_not_followed on licenses (id) where followed_since is null and status in ('active', 'suspended');

  -- Once each: (licence, the expiry that it is about, days before).
  create table license_reminders (
    license_id uuid not null references licenses (id),
    expiry timestamptz not null,
    rung text not null,
    at timestamptz not null,
    primary key (license_id, expiry, rung)
  );
`;

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table license_reminders;
    drop index licenses_not_followed;
    alter table licenses drop column renews_id, drop column followed_since, drop column holder;
    drop index applications_open;
    alter table applications drop column submitting_since;
    drop index applications_one_renewal;
    alter table applications drop constraint applications_renewal, drop column renews_id, drop column renewal;

    alter table subscriptions drop column pending_invoice_id, drop column renewal_invoice_id;
    drop table subscription_terms;
    -- Credits that there are stay: what was issued is not rewritten.
    alter table invoice_lines drop constraint invoice_lines_signs,
      add constraint invoice_lines_net_minor_check check (net_minor >= 0) not valid,
      add constraint invoice_lines_tax_minor_check check (tax_minor >= 0) not valid;
    drop index payments_pending;
    drop index invoices_subscription;
    alter table invoices drop constraint invoices_subject, drop constraint invoices_one_owner, drop column subject_key, drop column subscription_id;
    alter table subscriptions drop column payment_method_id;
    alter table payments drop column payment_method_id;
    drop table card_setups, payment_methods, subscription_rungs, subscriptions, plans;
    drop function plans_announce();

    drop table company_documents, company_numbers, onboarding_steps, onboardings;
    drop function company_announce();
    update companies set npwp_encrypted = coalesce(npwp_encrypted, ''), npwp_hash = coalesce(npwp_hash, id::text);
    alter table companies alter column npwp_encrypted set not null, alter column npwp_hash set not null;
    update companies set status = 'active' where status not in ('active', 'suspended', 'closed');
    alter table companies drop constraint companies_status_check;
    alter table companies add constraint companies_status_check check (status in ('active', 'suspended', 'closed'));
  `);
}
