/** Messages that wait to be heard are found at once; photos whose file is gone; goods that stand for others. */
import type { Knex } from 'knex';

const UP = `
  create index shop_messages_waiting on shop_messages (subject collate "C", at) where answered_at is null;

  -- When the file of a photo was deleted: nobody looks at it, and the row stays.
  alter table return_photos add purged_at timestamptz;

  -- A unit that stands for another was paid for with what that one brought: so much of it comes back with it. What it cost itself
  -- stays in net_minor and the others; the money of this part is claimed of the unit that it stands for.
  alter table order_units
    add stands_for_item uuid,
    add stands_for_number smallint,
    add inherited_net_minor bigint not null default 0 check (inherited_net_minor >= 0),
    add inherited_tax_minor bigint not null default 0 check (inherited_tax_minor >= 0),
    add inherited_shipping_net_minor bigint not null default 0 check (inherited_shipping_net_minor >= 0),
    add inherited_shipping_tax_minor bigint not null default 0 check (inherited_shipping_tax_minor >= 0),
    -- An exchange has spent it on the goods: it comes back with each of them, as part of their price.
    add inherited_shipping_is_price boolean not null default false,
    add check ((stands_for_item is null) = (stands_for_number is null)),
    add foreign key (stands_for_item, stands_for_number) references order_units (order_item_id, number);
  create index order_units_stands_for on order_units (stands_for_item, stands_for_number) where stands_for_item is not null;
`;

const DOWN = `
  alter table order_units
    drop stands_for_item,
    drop stands_for_number,
    drop inherited_net_minor,
    drop inherited_tax_minor,
    drop inherited_shipping_net_minor,
    drop inherited_shipping_tax_minor,
    drop inherited_shipping_is_price;
  alter table return_photos drop purged_at;
  drop index shop_messages_waiting;
`;

export async function up(db: Knex): Promise<void> {
  await db.raw(UP);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(DOWN);
}
