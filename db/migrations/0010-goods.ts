import type { Knex } from 'knex';

/** Goods: what is sold and where it lies, orders and their parcels, returns, and credit that expires. */
export async function up(db: Knex): Promise<void> {
  await db.raw(POLICIES);
  await db.raw(STOCK);
  await db.raw(ORDERS);
  await db.raw(RETURNS);
  await db.raw(MONEY);
  await db.raw(CARTS);
  await db.raw(PAGES);
}

const POLICIES = `
  -- Rules of the shop: domain/orders.ts OrderPolicy, domain/returns.ts ReturnPolicy. Without one the default counts.
  create table shop_policies (
    kind text not null check (kind in ('order', 'return')),
    version integer not null check (version > 0),
    policy jsonb not null,
    effective_from timestamptz not null,
    published_by uuid references users (id),
    created_at timestamptz not null default now(),
    primary key (kind, version)
  );

  -- What people say to an order or a return, on record before its process hears of it. Texts stay here.
  create table shop_messages (
    id uuid primary key,
    subject text not null,
    kind text not null,
    said_by uuid not null references users (id),
    content jsonb not null,
    at timestamptz not null,
    -- When it was done or refused, and what was answered: {refusal} or {}.
    answered_at timestamptz,
    answer jsonb
  );
  create index shop_messages_subject on shop_messages (subject, at);
`;

const STOCK = `
  create table products (
    sku text primary key check (sku ~ '^[A-Z0-9][A-Z0-9._-]{1,39}$'),
    name jsonb not null,
    description jsonb not null default '{}',
    category text not null default 'general',
    -- Of a unit, without tax.
    price_minor bigint not null check (price_minor > 0),
    currency text not null check (currency in ('IDR', 'MYR')),
    weight_grams integer not null default 0 check (weight_grams >= 0),
    tracking text not null default 'none' check (tracking in ('none', 'batch', 'serial')),
    is_final_sale boolean not null default false,
    is_hygiene boolean not null default false,
    -- null = as the policy says.
    return_days smallint check (return_days >= 0),
    -- An alert is raised when fewer than this are free; null = never.
    low_stock_below integer check (low_stock_below > 0),
    is_offered boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null
  );

  create table stock_locations (
    code text primary key check (code ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
    name text not null,
    -- Lower first.
    priority smallint not null default 100,
    is_active boolean not null default true
  );

  create table stock_levels (
    sku text not null references products (sku),
    location text not null references stock_locations (code),
    on_hand integer not null default 0 check (on_hand >= 0),
    reserved integer not null default 0,
    updated_at timestamptz not null,
    primary key (sku, location),
    check (reserved between 0 and on_hand)
  );

  -- Each change of what lies there, once: on_hand is their sum. Reserving moves nothing.
  create table stock_movements (
    id bigint generated always as identity primary key,
    key text not null unique,
    sku text not null,
    location text not null,
    kind text not null check (kind in ('received', 'adjusted', 'shipped', 'restocked', 'scrapped', 'found')),
    -- Scrapped goods of a return never come onto the shelf: 0, for the story.
    quantity integer not null,
    batch text,
    order_id uuid,
    return_id uuid,
    by uuid references users (id),
    note text,
    at timestamptz not null,
    foreign key (sku, location) references stock_levels (sku, location)
  );
  create index stock_movements_sku on stock_movements (sku, id desc);
  create index stock_movements_order on stock_movements (order_id) where order_id is not null;
  create index stock_movements_return on stock_movements (return_id) where return_id is not null;

  -- One row a thing with a number of its own.
  create table stock_serials (
    sku text not null references products (sku),
    serial text not null,
    state text not null check (state in ('in_stock', 'sold', 'scrapped')),
    location text references stock_locations (code),
    -- Of the unit that it was sold as, last.
    order_item_id uuid,
    unit_number smallint,
    updated_at timestamptz not null,
    primary key (sku, serial),
    check ((state = 'in_stock') = (location is not null))
  );
  create unique index stock_serials_unit on stock_serials (order_item_id, unit_number) where state = 'sold';

  create table stock_reservations (
    order_id uuid not null,
    order_item_id uuid not null,
    sku text not null,
    location text not null,
    quantity integer not null check (quantity >= 0),
    -- null = paid for: kept until it is shipped or cancelled.
    expires_at timestamptz,
    reserved_at timestamptz not null,
    primary key (order_item_id, location),
    foreign key (sku, location) references stock_levels (sku, location)
  );
  create index stock_reservations_order on stock_reservations (order_id);
  create index stock_reservations_expiring on stock_reservations (expires_at) where expires_at is not null and quantity > 0;
  create index stock_reservations_sku on stock_reservations (sku) where quantity > 0;

  -- One row a crossing of the threshold.
  create table stock_alerts (
    id uuid primary key,
    sku text not null references products (sku),
    state text not null check (state in ('open', 'acknowledged', 'snoozed', 'cleared')),
    threshold integer not null,
    free_then integer not null,
    snoozed_until timestamptz,
    acknowledged_by uuid references users (id),
    taken_at timestamptz,
    opened_at timestamptz not null,
    cleared_at timestamptz,
    check ((state = 'cleared') = (cleared_at is not null))
  );
  create unique index stock_alerts_one_open on stock_alerts (sku) where state <> 'cleared';
  -- What its process has not heard of: that it was raised, or is over.
  create index stock_alerts_not_taken on stock_alerts (opened_at) where taken_at is null;
  create index stock_alerts_recent on stock_alerts (opened_at desc, id desc);
`;

const ORDERS = `
  create table orders (
    id uuid primary key,
    number text not null unique,
    kind text not null check (kind in ('sale', 'replacement', 'exchange')),
    company_id uuid not null references companies (id),
    placed_by uuid not null references users (id),
    -- Of a replacement or an exchange: for which return.
    return_id uuid,
    -- An order that repeats another.
    repeats_id uuid references orders (id),
    state text not null check (state in ('pending', 'on_hold', 'confirmed', 'backordered', 'processing', 'partially_shipped',
      'shipped', 'delivered', 'returned', 'refunded', 'cancelled')),
    -- What it is when it is released: state in which it was held.
    held_from text,
    policy jsonb not null,
    currency text not null check (currency in ('IDR', 'MYR')),
    -- Of what is still ordered; units know their parts. Minor units.
    subtotal_minor bigint not null check (subtotal_minor >= 0),
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    shipping_minor bigint not null default 0 check (shipping_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    total_minor bigint not null check (total_minor >= 0),
    -- Name, telephone, street: sealed. What may be shown to everybody who handles it: city, province, postal code.
    ship_to_encrypted bytea not null,
    ship_to_area jsonb not null default '{}',
    risk_score smallint not null default 0,
    risk_reasons jsonb not null default '[]',
    hold_note text,
    packing_since timestamptz,
    -- An unpaid one ends then.
    expires_at timestamptz,
    paid_at timestamptz,
    shipped_at timestamptz,
    delivered_at timestamptz,
    cancel_reason text check (cancel_reason in ('asked', 'unpaid', 'refused', 'out_of_stock', 'lost')),
    review_asked_at timestamptz,
    -- Reminders that were sent.
    rungs jsonb not null default '[]',
    placed_at timestamptz not null,
    state_since timestamptz not null,
    ended_at timestamptz,
    -- When a process had it in hand.
    taken_at timestamptz,
    updated_at timestamptz not null,
    check (subtotal_minor - discount_minor + shipping_minor + tax_minor = total_minor)
  );
  create index orders_company on orders (company_id, placed_at desc, id desc);
  create index orders_recent on orders (placed_at desc, id desc);
  create index orders_state on orders (state, placed_at desc, id desc);
  create index orders_not_taken on orders (placed_at) where taken_at is null;
  create index orders_return on orders (return_id) where return_id is not null;
  create index orders_placed_by on orders (placed_by, placed_at desc);

  create table order_items (
    id uuid primary key,
    order_id uuid not null references orders (id),
    position smallint not null check (position > 0),
    sku text not null references products (sku),
    name jsonb not null,
    quantity smallint not null check (quantity > 0),
    unit_price_minor bigint not null check (unit_price_minor >= 0),
    -- Of the whole line.
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    tracking text not null,
    is_final_sale boolean not null,
    is_hygiene boolean not null,
    return_days smallint,
    unique (order_id, position)
  );

  create table order_units (
    order_item_id uuid not null references order_items (id),
    number smallint not null check (number > 0),
    order_id uuid not null references orders (id),
    state text not null check (state in ('waiting', 'reserved', 'shipped', 'lost', 'delivered', 'returned', 'cancelled')),
    -- What it cost, allotted at purchase: price less discount, its tax; its part of the shipping, and the tax of that.
    net_minor bigint not null check (net_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    shipping_net_minor bigint not null default 0 check (shipping_net_minor >= 0),
    shipping_tax_minor bigint not null default 0 check (shipping_tax_minor >= 0),
    -- The invoice that charged it; null = it cost nothing.
    invoice_id uuid references invoices (id),
    -- Spoken for by refunds and credit, at most what it cost.
    given_back_minor bigint not null default 0 check (given_back_minor >= 0),
    location text,
    serial text,
    batch text,
    shipment_id uuid,
    delivered_at timestamptz,
    primary key (order_item_id, number),
    check (given_back_minor <= net_minor + tax_minor + shipping_net_minor + shipping_tax_minor)
  );
  create index order_units_order on order_units (order_id);
  create index order_units_shipment on order_units (shipment_id) where shipment_id is not null;
  create index order_units_waiting on order_units (order_id) where state = 'waiting';

  -- A parcel, to the customer or back.
  create table shipments (
    id uuid primary key,
    direction text not null check (direction in ('out', 'back')),
    order_id uuid not null references orders (id),
    return_id uuid,
    carrier text not null,
    tracking_number text,
    -- The carrier's name of the label; null = it was not bought from here.
    label_reference text,
    label_sha256 text check (label_sha256 ~ '^[0-9a-f]{64}$'),
    state text not null check (state in ('created', 'labelled', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'lost',
      'sent_back', 'voided')),
    shipped_at timestamptz,
    last_news_at timestamptz,
    delivered_at timestamptz,
    -- Proof of delivery.
    photo_sha256 text check (photo_sha256 ~ '^[0-9a-f]{64}$'),
    photo_content_type text,
    lost_at timestamptz,
    packing_slip_sha256 text check (packing_slip_sha256 ~ '^[0-9a-f]{64}$'),
    -- When the carrier was asked about it last.
    asked_at timestamptz,
    created_by uuid references users (id),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((direction = 'back') = (return_id is not null)),
    unique (carrier, tracking_number)
  );
  create index shipments_order on shipments (order_id);
  create index shipments_return on shipments (return_id) where return_id is not null;
  create index shipments_moving on shipments (asked_at nulls first) where state in ('labelled', 'in_transit', 'out_for_delivery',
    'exception', 'lost');
  create index shipments_without_papers on shipments (created_at) where direction = 'out' and packing_slip_sha256 is null;
  alter table order_units add foreign key (shipment_id) references shipments (id);

  -- What carriers tell, as it came; out of order and twice.
  create table carrier_inbox (
    id bigint generated always as identity primary key,
    carrier text not null,
    event_id text not null,
    tracking_number text not null,
    status text not null,
    at timestamptz not null,
    details jsonb not null default '{}',
    shipment_id uuid references shipments (id),
    -- The carrier said it when it was asked, not only somebody who knows the webhook.
    confirmed boolean not null default false,
    received_at timestamptz not null,
    handled_at timestamptz,
    unique (carrier, event_id)
  );
  create index carrier_inbox_waiting on carrier_inbox (received_at) where handled_at is null and shipment_id is not null;
  create index carrier_inbox_shipment on carrier_inbox (shipment_id, at);
  create index carrier_inbox_unknown on carrier_inbox (carrier, tracking_number) where shipment_id is null;

  create function order_announce() returns trigger language plpgsql as $$
  begin
    perform pg_notify('order_changed', new.id::text);
    return null;
  end $$;
  create trigger orders_announce after insert or update on orders for each row execute function order_announce();
  -- Where a parcel is, its order shows.
  create function shipment_announce() returns trigger language plpgsql as $$
  begin
    perform pg_notify('order_changed', new.order_id::text);
    return null;
  end $$;
  create trigger shipments_announce after insert or update on shipments for each row execute function shipment_announce();
`;

const RETURNS = `
  create table returns (
    id uuid primary key,
    number text not null unique,
    order_id uuid not null references orders (id),
    company_id uuid not null references companies (id),
    requested_by uuid not null references users (id),
    state text not null check (state in ('requested', 'under_review', 'info_requested', 'approved', 'label_pending',
      'awaiting_shipment', 'in_transit', 'lost_in_transit', 'received', 'inspecting', 'resolution_pending', 'refunding', 'replacing',
      'manual_review', 'expired', 'closed_refunded', 'closed_replaced', 'closed_mixed', 'rejected', 'cancelled')),
    policy jsonb not null,
    -- What the customer asked for, and what was chosen at last.
    wanted text not null check (wanted in ('refund', 'store_credit', 'replacement', 'exchange')),
    resolution text check (resolution in ('refund', 'store_credit', 'replacement', 'exchange')),
    exchange_sku text references products (sku),
    -- It is refunded and not sent back.
    keeps_items boolean not null default false,
    reviewed_by uuid references users (id),
    inspected_by uuid references users (id),
    label_shipment_id uuid references shipments (id),
    drop_off_by timestamptz,
    -- What is deducted and given back; each new one has to be accepted anew.
    statement_version integer not null default 0,
    statement jsonb,
    accepted_version integer,
    accepted_at timestamptz,
    disputed_at timestamptz,
    refund_minor bigint check (refund_minor >= 0),
    -- A dispute was decided for the customer: nothing is taken off what has come back.
    deductions_waived boolean not null default false,
    -- What was sent on its way to the customer, as refunds and as credit; from then on the statement stands.
    payout_minor bigint check (payout_minor >= 0),
    replacement_order_id uuid references orders (id),
    -- Why a person has to say how it goes on: codes.
    manual_reasons jsonb not null default '[]',
    -- Rungs of the timers that were climbed in this state.
    rungs jsonb not null default '[]',
    runs integer not null default 1,
    requested_at timestamptz not null,
    state_since timestamptz not null,
    ended_at timestamptz,
    taken_at timestamptz,
    updated_at timestamptz not null,
    check (accepted_version is null or accepted_version <= statement_version)
  );
  create index returns_order on returns (order_id);
  create index returns_company on returns (company_id, requested_at desc, id desc);
  create index returns_recent on returns (requested_at desc, id desc);
  create index returns_state on returns (state, requested_at desc, id desc);
  create index returns_not_taken on returns (requested_at) where taken_at is null;
  alter table orders add foreign key (return_id) references returns (id);
  alter table shipments add foreign key (return_id) references returns (id);

  create table return_units (
    return_id uuid not null references returns (id),
    order_item_id uuid not null,
    number smallint not null,
    state text not null check (state in ('requested', 'refused', 'authorised', 'kept', 'received', 'accepted', 'declined', 'missing',
      'withdrawn')),
    reason text not null check (reason in ('damaged', 'defective', 'wrong_item', 'not_as_described', 'arrived_late',
      'no_longer_needed', 'other')),
    -- As the customer says, and as it was found.
    claimed_condition text,
    condition text check (condition in ('unopened', 'as_new', 'used', 'damaged', 'incomplete', 'not_ours')),
    disposition text check (disposition in ('restock', 'scrap', 'send_back')),
    received_at timestamptz,
    inspected_by uuid references users (id),
    -- What is taken off its price, and what the customer gets for it; set by the statement.
    deduction_minor bigint not null default 0 check (deduction_minor >= 0),
    refund_minor bigint check (refund_minor >= 0),
    primary key (return_id, order_item_id, number),
    foreign key (order_item_id, number) references order_units (order_item_id, number)
  );
  -- A unit is claimed by one return at a time, and never after it was accepted.
  create unique index return_units_one_claim on return_units (order_item_id, number)
    where state in ('requested', 'authorised', 'kept', 'received', 'accepted');

  create table return_photos (
    id uuid primary key,
    return_id uuid not null references returns (id),
    order_item_id uuid references order_items (id),
    unit_number smallint,
    kind text not null check (kind in ('claim', 'inspection')),
    filename text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes integer not null check (bytes > 0),
    content_type text not null,
    uploaded_by uuid not null references users (id),
    uploaded_at timestamptz not null,
    scan_state text not null check (scan_state in ('not_scanned', 'waiting', 'clean', 'infected')),
    -- When a process had its scan in hand.
    scan_taken_at timestamptz,
    removed_at timestamptz
  );
  create index return_photos_return on return_photos (return_id) where removed_at is null;
  create index return_photos_to_scan on return_photos (uploaded_at) where scan_state in ('waiting', 'not_scanned');

  create function return_announce() returns trigger language plpgsql as $$
  begin
    perform pg_notify('return_changed', new.id::text);
    return null;
  end $$;
  create trigger returns_announce after insert or update on returns for each row execute function return_announce();
`;

const MONEY = `
  alter table invoices
    add column order_id uuid references orders (id),
    drop constraint invoices_one_owner,
    drop constraint invoices_subject;
  alter table invoices
    add constraint invoices_one_owner check (num_nonnulls(application_id, subscription_id, order_id) <= 1),
    add constraint invoices_subject check ((coalesce(subscription_id, order_id) is null) = (subject_key is null));
  create index invoices_order on invoices (order_id, issued_at) where order_id is not null;

  -- Whoever waits for it is told how it ended; and the lines that it takes back, where they are known: [{position, netMinor,
  -- taxMinor}], amounts as digits. The way that was asked for counts where it can be gone.
  alter table refunds
    add column order_id uuid references orders (id),
    add column return_id uuid references returns (id),
    add column wanted_lines jsonb,
    add column wanted_channel text check (wanted_channel in ('gateway', 'bank_transfer', 'store_credit'));
  create index refunds_order on refunds (order_id) where order_id is not null;
  create index refunds_return on refunds (return_id) where return_id is not null;
`;

const CARTS = `
  -- Credit with an end: what was given, and what is left of it. The books say how much there is in all.
  create table credit_grants (
    id uuid primary key,
    company_id uuid not null references companies (id),
    key text not null unique,
    currency text not null check (currency in ('IDR', 'MYR')),
    amount_minor bigint not null check (amount_minor > 0),
    left_minor bigint not null check (left_minor between 0 and amount_minor),
    expires_at timestamptz not null,
    -- When its owner was told that it ends.
    warned_at timestamptz,
    expired_at timestamptz,
    granted_at timestamptz not null
  );
  create index credit_grants_left on credit_grants (company_id, currency, expires_at) where left_minor > 0;
  create index credit_grants_expiring on credit_grants (expires_at) where left_minor > 0;

  -- Which credit paid for what: should the invoice be closed, it goes back to where it was taken from.
  create table credit_uses (
    key text not null,
    grant_id uuid not null references credit_grants (id),
    invoice_id uuid not null references invoices (id),
    amount_minor bigint not null check (amount_minor > 0),
    returned_at timestamptz,
    primary key (key, grant_id)
  );
  create index credit_uses_invoice on credit_uses (invoice_id) where returned_at is null;

  create table carts (
    company_id uuid primary key references companies (id),
    user_id uuid not null references users (id),
    -- [{sku, quantity}]
    items jsonb not null default '[]',
    version integer not null default 1,
    reminded_version integer,
    updated_at timestamptz not null
  );

  -- Letters that nobody needs: reminders of carts, requests for a review.
  alter table users add column advertising_refused_at timestamptz;
`;

const PAGES = `
  -- What a link in a letter of the shop opens, for the one person that the letter went to. Kept when it has ended: whoever
  -- opens it is told so, and may ask for a new one.
  create table shop_links (
    id uuid primary key,
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    order_id uuid references orders (id),
    return_id uuid references returns (id),
    user_id uuid not null references users (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    check (expires_at > created_at),
    check (num_nonnulls(order_id, return_id) = 1)
  );
`;

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table users drop column advertising_refused_at;
    drop table shop_links, carts, credit_uses, credit_grants;
    alter table refunds drop column order_id, drop column return_id, drop column wanted_lines, drop column wanted_channel;
    alter table order_units drop column invoice_id;
    alter table invoices drop constraint invoices_one_owner, drop constraint invoices_subject;
    drop index invoices_order;
    alter table orders drop column return_id;
    alter table shipments drop column return_id;
    drop table return_photos, return_units, returns;
    alter table order_units drop column shipment_id;
    drop table carrier_inbox, shipments, order_units, order_items;
    alter table invoices drop column order_id;
    drop table orders, stock_alerts, stock_reservations, stock_serials, stock_movements, stock_levels, stock_locations, products,
      shop_messages, shop_policies;
    drop function order_announce, shipment_announce, return_announce;
    alter table invoices
      add constraint invoices_one_owner check (application_id is null or subscription_id is null),
      add constraint invoices_subject check ((subscription_id is null) = (subject_key is null)) not valid;
  `);
}
