/** What must hold of the stores whatever was done in whatever order; tests and the model ask it, and so may ops. */
import type { Knex } from 'knex';

const CHECKS: Readonly<Record<string, string>> = {
  'on hand is not what was moved': `
    select l.sku || ' in ' || l.location || ': ' || l.on_hand || ' on hand, ' || coalesce(m.moved, 0) || ' moved' as broken
      from stock_levels l
      left join (select sku, location, sum(quantity) as moved from stock_movements group by sku, location) m using (sku, location)
     where l.on_hand <> coalesce(m.moved, 0)`,
  'reserved is not what orders have': `
    select l.sku || ' in ' || l.location || ': ' || l.reserved || ' reserved, orders have ' || coalesce(r.held, 0) as broken
      from stock_levels l
      left join (select sku, location, sum(quantity) as held from stock_reservations group by sku, location) r using (sku, location)
     where l.reserved <> coalesce(r.held, 0)`,
  'less than nothing': `
    select sku || ' in ' || location as broken from stock_levels where on_hand < 0 or reserved < 0 or reserved > on_hand`,
  'units that are reserved are not the reservations': `
    select i.id || ' (' || i.sku || '): ' || coalesce(u.units, 0) || ' units, ' || coalesce(r.held, 0) || ' reserved' as broken
      from order_items i
      left join (select order_item_id, count(*) as units from order_units where state = 'reserved' group by 1) u
        on u.order_item_id = i.id
      left join (select order_item_id, sum(quantity) as held from stock_reservations group by 1) r on r.order_item_id = i.id
     where coalesce(u.units, 0) <> coalesce(r.held, 0)`,
  'things with numbers are not what lies there': `
    select l.sku || ' in ' || l.location || ': ' || l.on_hand || ' on hand, ' || coalesce(s.things, 0) || ' numbers' as broken
      from stock_levels l join products p on p.sku = l.sku and p.tracking = 'serial'
      left join (select sku, location, count(*) as things from stock_serials where state = 'in_stock' group by 1, 2) s
        on s.sku = l.sku and s.location = l.location
     where l.on_hand <> coalesce(s.things, 0)`,
  'a batch has less than nothing': `
    select sku || ' in ' || location || ', batch ' || coalesce(batch, 'unknown') as broken
      from stock_movements group by sku, location, batch having sum(quantity) < 0`,
  'an alert stands though there is enough': `
    select p.sku || ': ' || sum(l.on_hand - l.reserved) || ' free, fewer than ' || coalesce(p.low_stock_below::text, 'any') || ' are few'
        as broken
      from products p join stock_levels l on l.sku = p.sku
     group by p.sku
    having not coalesce(sum(l.on_hand - l.reserved) < p.low_stock_below, false)
       and exists (select from stock_alerts a where a.sku = p.sku and a.state <> 'cleared')`,
};

/** @returns a sentence for each thing that is not as it must be; empty = all is well */
export async function checkStock(db: Knex): Promise<string[]> {
  const broken: string[] = [];
  for (const [what, sql] of Object.entries(CHECKS)) {
    const { rows }: { rows: { broken: string }[] } = await db.raw(sql);
    broken.push(...rows.map((row) => `${what}: ${row.broken}`));
  }
  return broken;
}
