import type { Knex } from 'knex';

/** The books, and what they tell of: instalments, receipts, credit notes, refunds, settlements, reconciliation. */
export async function up(db: Knex): Promise<void> {
  await db.raw(LEDGER);
  await db.raw(INVOICES);
  await db.raw(REFUNDS);
  await db.raw(CASES);
  await db.raw(SETTLEMENTS);
  await db.raw(BACKFILL);
}

const LEDGER = `
  create table ledger_entries (
    id bigint generated always as identity primary key,
    -- <process>/<step>: an entry is made once, whatever is repeated.
    key text not null unique,
    kind text not null,
    currency text not null check (currency in ('IDR', 'MYR')),
    gateway text,
    company_id uuid references companies (id),
    invoice_id uuid references invoices (id),
    payment_id uuid references payments (id),
    refund_id uuid,
    settlement_id uuid,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    -- Postings may only join an entry of their own transaction.
    transaction xid8 not null default pg_current_xact_id()
  );
  create index ledger_entries_invoice on ledger_entries (invoice_id) where invoice_id is not null;
  create index ledger_entries_payment on ledger_entries (payment_id) where payment_id is not null;
  create index ledger_entries_refund on ledger_entries (refund_id) where refund_id is not null;
  create index ledger_entries_settlement on ledger_entries (settlement_id) where settlement_id is not null;
  create index ledger_entries_company on ledger_entries (company_id) where company_id is not null;
  create index ledger_entries_recent on ledger_entries (occurred_at desc, id desc);

  create table ledger_postings (
    entry_id bigint not null references ledger_entries (id),
    account text not null,
    -- Debit positive, credit negative.
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (entry_id, account)
  );
  create index ledger_postings_account on ledger_postings (account, entry_id);

  create trigger ledger_entries_append_only before update or delete on ledger_entries for each row execute function refuse_change();
  create trigger ledger_entries_no_truncate before truncate on ledger_entries for each statement execute function refuse_change();
  create trigger ledger_postings_append_only before update or delete on ledger_postings for each row execute function refuse_change();
  create trigger ledger_postings_no_truncate before truncate on ledger_postings for each statement execute function refuse_change();

  -- Fires once an entry, at the commit: what does not balance, or stands on one side only, was never written. By index
  -- always: a plan made while the table was small would read all of it for each entry of a large settlement.
  create function demand_balance() returns trigger language plpgsql set enable_seqscan = off as $$
  declare
    total numeric;
    sides integer;
  begin
    select sum(amount_minor), count(*) into total, sides from ledger_postings where entry_id = new.id;
    if sides < 2 or total <> 0 then
      raise exception 'ledger entry % is off balance: % over % postings', new.key, coalesce(total, 0), sides using errcode = 'check_violation';
    end if;
    return null;
  end $$;
  create constraint trigger ledger_entries_balance after insert on ledger_entries
    deferrable initially deferred for each row execute function demand_balance();

  -- What one statement adds to an entry balances by itself, or it could be added after "set constraints all immediate".
  -- The entry is looked up row by row: a join planned for ten thousand rows would stay with the connection.
  create function demand_own_entry() returns trigger language plpgsql set enable_seqscan = off as $$
  begin
    if exists (select 1 from added a where (select e.transaction from ledger_entries e where e.id = a.entry_id) <> pg_current_xact_id()) then
      raise exception 'a ledger entry is closed with its transaction: post a correction of its own' using errcode = 'restrict_violation';
    end if;
    if exists (select 1 from added group by entry_id having sum(amount_minor) <> 0) then
      raise exception 'the postings of a ledger entry are off balance: write all of them in one statement' using errcode = 'check_violation';
    end if;
    return null;
  end $$;
  create trigger ledger_postings_own_entry after insert on ledger_postings
    referencing new table as added for each statement execute function demand_own_entry();
`;

const INVOICES = `
  alter table invoices drop constraint invoices_state_check;
  alter table invoices add constraint invoices_state_check check (state in ('open', 'paid', 'lapsed', 'void', 'reversed'));
  alter table invoices drop constraint invoices_check1;
  alter table invoices
    -- What captures and credit have paid of it.
    add column paid_minor bigint not null default 0 check (paid_minor >= 0),
    -- What credit notes have taken back of it.
    add column credited_minor bigint not null default 0 check (credited_minor >= 0),
    add column odd_money jsonb not null default '{}',
    -- The rule by which its tax was computed, so that a later reader can compute it again.
    add column tax_rule jsonb,
    add column void_reason text,
    add column replaces_id uuid unique references invoices (id);
  update invoices set paid_minor = total_minor where state = 'paid';
  update invoices set tax_rule = '{"ratePercent": 12, "baseNumerator": 11, "baseDenominator": 12, "effectiveFrom": "2025-01-01", "source": "PMK 131/2024"}';
  -- What was taken off the price of a line; net_minor is what is charged after it.
  alter table invoice_lines add column discount_minor bigint not null default 0 check (discount_minor >= 0);
  alter table invoices
    add constraint invoices_paid check (state <> 'paid' or (paid_at is not null and paid_minor = total_minor)),
    add constraint invoices_paid_at_most check (paid_minor <= total_minor),
    add constraint invoices_credited_at_most check (credited_minor <= total_minor);
  -- A void invoice may have a successor.
  alter table invoices drop constraint invoices_application_id_key;
  create unique index invoices_one_of_application on invoices (application_id) where state <> 'void';
  create index invoices_void on invoices (application_id) where state = 'void';
  create index invoices_due on invoices (due_at) where state = 'open';

  create table invoice_instalments (
    invoice_id uuid not null references invoices (id),
    position smallint not null check (position > 0),
    amount_minor bigint not null check (amount_minor > 0),
    due_at timestamptz not null,
    paid_at timestamptz,
    primary key (invoice_id, position)
  );

  create table tax_rules (
    effective_from date primary key,
    rate_percent integer not null check (rate_percent >= 0),
    base_numerator integer not null check (base_numerator >= 0),
    base_denominator integer not null check (base_denominator > 0),
    source text not null
  );
  insert into tax_rules (effective_from, rate_percent, base_numerator, base_denominator, source)
    values ('2025-01-01', 12, 11, 12, 'PMK 131/2024');

  alter table payments
    add column paid_currency text check (paid_currency in ('IDR', 'MYR')),
    -- What of it paid the invoice; the rest waited in suspense.
    add column applied_minor bigint not null default 0 check (applied_minor >= 0),
    -- Which instalment it was asked for; null = all that was left.
    add column instalment smallint;
  update payments set paid_minor = amount_minor where paid_minor is null and state = 'paid';
  update payments set paid_currency = currency where paid_minor is not null;
  update payments p set paid_currency = k.currency
    from payment_cases k where k.payment_id = p.id and k.kind = 'wrong_currency' and k.currency in ('IDR', 'MYR');
  update payments p set applied_minor = p.paid_minor
    from invoices i
    where i.id = p.invoice_id and i.state = 'paid' and p.state = 'paid' and p.paid_minor = i.total_minor
      and not exists (select 1 from payment_cases k where k.payment_id = p.id and k.kind in ('late', 'twice', 'short', 'over', 'wrong_currency'));
  -- A reversal used to leave its invoice paid: it had paid it, and its money is gone.
  update payments p set applied_minor = p.paid_minor
    from invoices i
    where i.id = p.invoice_id and i.state = 'paid' and p.state = 'reversed' and p.paid_minor = i.total_minor
      and not exists (select 1 from payments o where o.invoice_id = i.id and o.applied_minor > 0)
      and not exists (select 1 from payments o where o.invoice_id = i.id and o.state = 'reversed' and o.attempt > p.attempt)
      and not exists (select 1 from payment_cases k where k.payment_id = p.id and k.kind in ('late', 'twice', 'short', 'over', 'wrong_currency'));
  update invoices i set state = 'reversed', paid_minor = 0
    where i.state = 'paid' and exists (select 1 from payments p where p.invoice_id = i.id and p.state = 'reversed' and p.applied_minor > 0);
  alter table payments
    add constraint payments_paid check (state <> 'paid' or (paid_minor is not null and paid_currency is not null)),
    add constraint payments_applied_at_most check (applied_minor <= coalesce(paid_minor, 0));
  create index payments_paid_at on payments (gateway, paid_at) where paid_at is not null;
  create index payments_unclear on payments (updated_at) where state = 'unknown';

  create table receipts (
    id uuid primary key,
    number text not null unique,
    payment_id uuid not null unique references payments (id),
    invoice_id uuid not null references invoices (id),
    amount_minor bigint not null check (amount_minor > 0),
    -- What was still owed of the invoice after it.
    outstanding_minor bigint not null check (outstanding_minor >= 0),
    currency text not null check (currency in ('IDR', 'MYR')),
    issued_at timestamptz not null,
    pdf_sha256 text check (pdf_sha256 ~ '^[0-9a-f]{64}$')
  );
  create index receipts_invoice on receipts (invoice_id);
`;

const REFUNDS = `
  create table refunds (
    id uuid primary key,
    payment_id uuid not null references payments (id),
    invoice_id uuid not null references invoices (id),
    company_id uuid not null references companies (id),
    -- The case that it settles; its money comes out of suspense then.
    case_id uuid references payment_cases (id),
    state text not null check (state in ('requested', 'approved', 'awaiting_destination', 'reserved', 'submitted', 'pending',
      'unknown', 'transfer_due', 'succeeded', 'failed', 'rejected', 'cancelled')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency in ('IDR', 'MYR')),
    source text not null check (source in ('invoice', 'suspense')),
    reason text not null,
    note text,
    needs_approval boolean not null,
    channel text check (channel in ('gateway', 'bank_transfer', 'store_credit')),
    -- null = Alur itself, by policy.
    requested_by uuid references users (id),
    requested_at timestamptz not null,
    decided_by uuid references users (id),
    decided_at timestamptz,
    decision_note text,
    gateway_refund_id text,
    failure_code text,
    -- Only for a bank transfer.
    bank_code text,
    account_number_encrypted bytea,
    account_number_masked text,
    account_holder_encrypted bytea,
    name_matches boolean,
    transferred_by uuid references users (id),
    transfer_reference text,
    -- When a process had it in hand.
    taken_at timestamptz,
    submitted_at timestamptz,
    ended_at timestamptz,
    updated_at timestamptz not null,
    -- Four eyes: who asked for it may call it off and does not agree to it.
    check (not needs_approval or decided_by is null or state = 'cancelled' or requested_by is distinct from decided_by)
  );
  create index refunds_payment on refunds (payment_id);
  create index refunds_invoice on refunds (invoice_id);
  create index refunds_company on refunds (company_id, requested_at desc, id desc);
  create index refunds_recent on refunds (requested_at desc, id desc);
  create index refunds_waiting on refunds (requested_at) where taken_at is null;
  create index refunds_unclear on refunds (updated_at) where state = 'unknown';
  create index refunds_at_gateway on refunds (gateway_refund_id) where gateway_refund_id is not null;

  -- What it takes back of each line of its invoice, fixed when it is reserved: the credit note repeats it.
  create table refund_lines (
    refund_id uuid not null references refunds (id),
    invoice_id uuid not null,
    position smallint not null,
    net_minor bigint not null check (net_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    primary key (refund_id, position),
    foreign key (invoice_id, position) references invoice_lines (invoice_id, position)
  );
  create index refund_lines_invoice on refund_lines (invoice_id, position);

  alter table ledger_entries add foreign key (refund_id) references refunds (id);

  create table credit_notes (
    id uuid primary key,
    number text not null unique,
    invoice_id uuid not null references invoices (id),
    refund_id uuid unique references refunds (id),
    reason text not null,
    currency text not null check (currency in ('IDR', 'MYR')),
    subtotal_minor bigint not null check (subtotal_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    total_minor bigint not null check (total_minor > 0),
    issued_at timestamptz not null,
    pdf_sha256 text check (pdf_sha256 ~ '^[0-9a-f]{64}$'),
    check (subtotal_minor + tax_minor = total_minor)
  );
  create index credit_notes_invoice on credit_notes (invoice_id);
  -- A correction of an invoice's line, in the order of the lines.
  create table credit_note_lines (
    credit_note_id uuid not null references credit_notes (id),
    position smallint not null,
    code text not null,
    description jsonb not null,
    kind text not null check (kind in ('statutory', 'service')),
    net_minor bigint not null check (net_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    primary key (credit_note_id, position)
  );

  alter table payment_inbox
    add column refund_id uuid references refunds (id),
    -- When the minute's sweep last told a process of it; it waits before it tells again.
    add column told_at timestamptz;
  drop index payment_inbox_unhandled;
  create index payment_inbox_unhandled on payment_inbox (payment_id, id) where handled_at is null;
  -- What no process was told of: looked through once a minute.
  create index payment_inbox_waiting on payment_inbox (received_at) where handled_at is null and (payment_id is not null or refund_id is not null);
`;

const CASES = `
  alter table payment_cases drop constraint payment_cases_kind_check;
  alter table payment_cases add constraint payment_cases_kind_check
    check (kind in ('late', 'twice', 'short', 'over', 'wrong_currency', 'unknown_object', 'reversed', 'unclear', 'refund_failed',
      'missing_here', 'missing_there', 'amount_differs', 'state_differs', 'refund_differs', 'unmatched_settlement',
      'settlement_differs', 'stuck_paid', 'stuck_unknown'));
  alter table payment_cases
    add column owner_id uuid references users (id),
    add column refund_id uuid references refunds (id),
    add column settlement_id uuid,
    add column run_id uuid,
    -- What was expected and what was found: codes, amounts and references.
    add column facts jsonb not null default '{}',
    add column suggested_resolution text not null default 'nothing_to_do'
      check (suggested_resolution in ('nothing_to_do', 'look_again', 'apply_to_invoice', 'refund', 'store_credit', 'other_income')),
    add column resolution text
      check (resolution in ('nothing_to_do', 'look_again', 'apply_to_invoice', 'refund', 'store_credit', 'other_income')),
    add column note text,
    -- null with a resolution = Alur saw that it had cleared up, or a policy decided.
    add column resolved_by uuid references users (id);
  update payment_cases set suggested_resolution = 'refund' where kind in ('late', 'twice', 'short', 'over', 'wrong_currency');
  update payment_cases set suggested_resolution = 'look_again' where kind in ('unknown_object', 'unclear');
  create index payment_cases_owner on payment_cases (owner_id, opened_at desc) where state = 'open';
  create index payment_cases_reference on payment_cases (gateway, reference);
  create index applications_activating on applications (id) where state = 'activating';
  -- Counted at every scrape of the metrics.
  create index payment_cases_stuck on payment_cases (kind) where state = 'open' and kind in ('stuck_paid', 'stuck_unknown');

  create table reconciliation_runs (
    id uuid primary key,
    gateway text not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    state text not null check (state in ('running', 'finished', 'failed')),
    compared integer not null default 0,
    differences integer not null default 0,
    -- Where to go on after a crash: the gateway's cursor, or the last of our own payments.
    cursor text,
    failure text,
    started_at timestamptz not null,
    finished_at timestamptz,
    unique (gateway, from_at, to_at)
  );
  create index reconciliation_runs_recent on reconciliation_runs (started_at desc, id desc);
  -- What a gateway listed, for as long as its run goes on. Unlogged: after a crash of the database the run begins anew.
  create unlogged table reconciliation_items (
    run_id uuid not null,
    transaction_id text not null,
    reference text,
    state text not null,
    paid_minor bigint,
    currency text,
    -- null = the gateway was asked about the payment alone, which does not tell.
    refunded_minor bigint,
    paid_at timestamptz,
    primary key (run_id, transaction_id)
  );
  create index reconciliation_items_reference on reconciliation_items (run_id, reference);
  alter table payment_cases add foreign key (run_id) references reconciliation_runs (id);
`;

const SETTLEMENTS = `
  -- A payout of a gateway to the office's bank account, and what it was made of.
  create table settlements (
    id uuid primary key,
    gateway text not null,
    -- The gateway's name of the payout.
    reference text not null,
    currency text not null check (currency in ('IDR', 'MYR')),
    gross_minor bigint not null,
    fee_minor bigint not null,
    net_minor bigint not null,
    paid_out_at timestamptz not null,
    source text not null check (source in ('csv', 'api')),
    content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
    imported_by uuid references users (id),
    imported_at timestamptz not null,
    -- How many of its lines are in each state.
    matched integer not null,
    differs integer not null,
    unmatched integer not null,
    unique (gateway, reference),
    check (gross_minor - fee_minor = net_minor)
  );
  create index settlements_recent on settlements (paid_out_at desc, id desc);
  create table settlement_lines (
    settlement_id uuid not null references settlements (id),
    position integer not null check (position > 0),
    kind text not null check (kind in ('payment', 'refund', 'adjustment')),
    -- As the report names it: our reference, or the gateway's transaction.
    reference text not null,
    gross_minor bigint not null,
    fee_minor bigint not null,
    payment_id uuid references payments (id),
    refund_id uuid references refunds (id),
    state text not null check (state in ('matched', 'differs', 'unmatched')),
    primary key (settlement_id, position)
  );
  create index settlement_lines_payment on settlement_lines (payment_id) where payment_id is not null;
  create index settlement_lines_refund on settlement_lines (refund_id) where refund_id is not null;
  alter table ledger_entries add foreign key (settlement_id) references settlements (id);
  alter table payment_cases add foreign key (settlement_id) references settlements (id);
`;

/** What happened before there were books is entered as it happened. */
const BACKFILL = `
  create function pg_temp.book(key text, kind text, currency text, company uuid, invoice uuid, payment uuid, gateway text,
    at timestamptz, accounts text[], amounts bigint[]) returns void language sql as $$
    with entry as (
      insert into ledger_entries (key, kind, currency, company_id, invoice_id, payment_id, gateway, occurred_at)
      values (key, kind, currency, company, invoice, payment, gateway, at) returning id
    )
    insert into ledger_postings (entry_id, account, amount_minor)
      select entry.id, p.account, p.amount from entry, unnest(accounts, amounts) as p (account, amount) where p.amount <> 0
  $$;
  select pg_temp.book('invoice/' || i.id || '/issued', 'invoice_issued', i.currency, i.company_id, i.id, null, null, i.issued_at,
      array['receivable', 'service_revenue', 'statutory_fees', 'vat'],
      array[i.total_minor, -s.service, -s.statutory, -i.tax_minor])
    from invoices i, lateral (
      select coalesce(sum(net_minor) filter (where kind = 'service'), 0)::bigint as service,
             coalesce(sum(net_minor) filter (where kind = 'statutory'), 0)::bigint as statutory
      from invoice_lines l where l.invoice_id = i.id) s
    order by i.issued_at, i.id;
  select pg_temp.book('invoice/' || i.id || '/closed', 'invoice_closed', i.currency, i.company_id, i.id, null, null, i.due_at,
      array['receivable', 'service_revenue', 'statutory_fees', 'vat'],
      array[-i.total_minor, s.service, s.statutory, i.tax_minor])
    from invoices i, lateral (
      select coalesce(sum(net_minor) filter (where kind = 'service'), 0)::bigint as service,
             coalesce(sum(net_minor) filter (where kind = 'statutory'), 0)::bigint as statutory
      from invoice_lines l where l.invoice_id = i.id) s
    where i.state in ('lapsed', 'void');
  select pg_temp.book('payment/' || p.invoice_id || '/' || p.attempt || '/captured', 'captured', p.paid_currency, i.company_id, i.id, p.id,
      p.gateway, coalesce(p.paid_at, p.updated_at),
      array['gateway_clearing', 'receivable', 'suspense'],
      array[p.paid_minor, -p.applied_minor, p.applied_minor - p.paid_minor])
    from payments p join invoices i on i.id = p.invoice_id where p.state in ('paid', 'reversed') and p.paid_minor > 0;
  select pg_temp.book('payment/' || p.invoice_id || '/' || p.attempt || '/taken-back', 'taken_back', p.paid_currency, i.company_id, i.id,
      p.id, p.gateway, p.updated_at,
      array['gateway_clearing', 'receivable', 'suspense'],
      array[-p.paid_minor, p.applied_minor, p.paid_minor - p.applied_minor])
    from payments p join invoices i on i.id = p.invoice_id where p.state = 'reversed' and p.paid_minor > 0;
`;

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index payment_cases_reference;
    alter table payment_cases drop column run_id, drop column settlement_id, drop column refund_id, drop column owner_id, drop column facts,
      drop column suggested_resolution, drop column resolution, drop column note, drop column resolved_by;
    delete from payment_cases where kind not in ('late', 'twice', 'short', 'over', 'wrong_currency', 'unknown_object', 'reversed', 'unclear');
    alter table payment_cases drop constraint payment_cases_kind_check;
    alter table payment_cases add constraint payment_cases_kind_check
      check (kind in ('late', 'twice', 'short', 'over', 'wrong_currency', 'unknown_object', 'reversed', 'unclear'));
    drop index payment_inbox_waiting, payment_inbox_unhandled, payment_cases_stuck, applications_activating;
    alter table payment_inbox drop column refund_id, drop column told_at;
    create index payment_inbox_unhandled on payment_inbox (payment_id) where handled_at is null;
    drop table ledger_postings, ledger_entries, settlement_lines, settlements, reconciliation_items, reconciliation_runs,
      credit_note_lines, credit_notes, refund_lines, refunds, receipts, tax_rules, invoice_instalments;
    drop function demand_balance, demand_own_entry;
    drop index payments_unclear, payments_paid_at;
    alter table payments drop constraint payments_paid, drop constraint payments_applied_at_most;
    alter table payments drop column paid_currency, drop column applied_minor, drop column instalment;
    drop index invoices_due, invoices_void, invoices_one_of_application;
    alter table invoices drop constraint invoices_paid, drop constraint invoices_paid_at_most, drop constraint invoices_credited_at_most;
    alter table invoices drop constraint invoices_state_check;
    update invoices set state = 'paid', paid_at = coalesce(paid_at, issued_at) where state = 'reversed';
    alter table invoices add constraint invoices_application_id_key unique (application_id),
      add constraint invoices_state_check check (state in ('open', 'paid', 'lapsed', 'void'));
    alter table invoices drop column paid_minor, drop column credited_minor, drop column odd_money, drop column tax_rule,
      drop column void_reason, drop column replaces_id;
    alter table invoice_lines drop column discount_minor;
    alter table invoices add constraint invoices_check1 check ((state = 'paid') = (paid_at is not null));
  `);
}
