/** What must be true of the goods and the money of three orders, whatever had happened to them. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Knex } from 'knex';
import { UNIT_STATES } from '../../../domain/orders.ts';
import { ENDED_RETURN_STATES } from '../../../domain/returns.ts';
import type { Played } from './world.ts';

const QUERIES: Readonly<Record<string, string>> = {
  // Every unit that was ever ordered is one row in one state; an item has as many as it was ordered with.
  'units are lost or made': `
    select i.id::text as it, i.quantity || ' ordered, ' || count(u.number) || ' units' as found
      from order_items i join orders o on o.id = i.order_id left join order_units u on u.order_item_id = i.id
     where o.id = any(:orders) group by i.id, i.quantity
    having i.quantity <> count(u.number) or bool_or(u.state <> all(:states))`,
  'left the shelf otherwise than by units': `
    select i.sku as it, count(u.number) || ' units were sent, ' || coalesce(max(m.sent), 0) || ' taken' as found
      from order_items i join order_units u on u.order_item_id = i.id and u.state in ('shipped', 'lost', 'delivered', 'returned')
      left join (select sku, order_id, -sum(quantity) as sent from stock_movements where kind = 'shipped' group by 1, 2) m
        on m.sku = i.sku and m.order_id = i.order_id
     where i.order_id = any(:orders) group by i.sku, i.order_id having count(u.number) <> coalesce(max(m.sent), 0)`,
  'came back onto the shelf otherwise than by inspection': `
    select i.sku as it, count(*) || ' units to restock, ' || coalesce(max(m.back), 0) || ' restocked' as found
      from return_units u join returns r on r.id = u.return_id join order_items i on i.id = u.order_item_id
      left join (select sku, return_id, sum(quantity) as back from stock_movements where kind = 'restocked' group by 1, 2) m
        on m.sku = i.sku and m.return_id = r.id
     where r.order_id = any(:orders) and u.disposition = 'restock' group by i.sku, r.id
    having count(*) <> coalesce(max(m.back), 0)`,
  'accepted more than once': `
    select u.order_item_id || '/' || u.number as it, count(*) || ' times' as found
      from return_units u join returns r on r.id = u.return_id
     where r.order_id = any(:orders) and u.state in ('accepted', 'kept') group by u.order_item_id, u.number having count(*) > 1`,
  'given back more than was paid': `
    select order_item_id || '/' || number as it, given_back_minor::text as found from order_units
     where order_id = any(:orders) and given_back_minor > net_minor + tax_minor + shipping_net_minor + shipping_tax_minor`,
  'a statement is not the sum of its units': `
    select r.number as it, r.refund_minor || ' stated, ' || coalesce(sum(u.refund_minor), 0) || ' of units' as found
      from returns r join return_units u on u.return_id = r.id
     where r.order_id = any(:orders) and r.payout_minor is not null and r.refund_minor < r.payout_minor group by r.id`,
  // Kept is what the units of paid invoices cost, less what of them was given back; of what came back a part may have gone
  // into other goods.
  'captured is not kept and given back': `
    select o.number as it, coalesce(p.captured, 0) || ' captured, ' || coalesce(u.kept, 0) || ' kept, ' || coalesce(r.back, 0) ||
           ' given back' as found
      from orders o
      left join (select i.order_id, sum(coalesce(p.paid_minor, 0)) as captured from invoices i join payments p on p.invoice_id = i.id
        where i.order_id is not null group by 1) p on p.order_id = o.id
      left join (select i.order_id, sum(r.amount_minor) as back from invoices i join refunds r on r.invoice_id = i.id
        where r.state = 'succeeded' and i.order_id is not null group by 1) r on r.order_id = o.id
      left join (select u.order_id, sum(u.net_minor + u.tax_minor + u.shipping_net_minor + u.shipping_tax_minor - u.given_back_minor)
        as kept from order_units u join invoices i on i.id = u.invoice_id and i.state = 'paid' group by 1) u on u.order_id = o.id
     where o.id = any(:orders) and coalesce(p.captured, 0) <> coalesce(u.kept, 0) + coalesce(r.back, 0) +
           (select coalesce(sum(t.refund_minor - coalesce(t.payout_minor, 0)), 0) from returns t
             where t.order_id = o.id and t.replacement_order_id is not null and t.state like 'closed_%')
       and not exists (select from payment_cases c join invoices i on i.id = c.invoice_id where i.order_id = o.id)`,
  'a return has no end': `
    select number as it, state as found from returns where order_id = any(:orders) and state <> all(:ended)`,
  'an order has no end': `
    select number as it, state as found from orders where id = any(:orders)
       and state not in ('cancelled', 'refunded', 'delivered', 'returned')`,
  'a refund has no end': `
    select r.id::text as it, r.state as found from refunds r join invoices i on i.id = r.invoice_id
     where i.order_id = any(:orders) and r.state not in ('succeeded', 'failed', 'rejected', 'cancelled')`,
};

/** @returns what is wrong, in sentences; nothing when all is well */
export async function broken(db: Knex, game: Played): Promise<string[]> {
  const replacements: string[] = await db('orders')
    .whereIn(
      'return_id',
      db('returns')
        .whereIn('order_id', [...game.orders])
        .select('id'),
    )
    .pluck('id');
  const bindings = {
    orders: [...game.orders, ...replacements],
    states: [...UNIT_STATES],
    ended: [...ENDED_RETURN_STATES],
  };
  const sentences: string[] = [];
  for (const [what, sql] of Object.entries(QUERIES)) {
    const { rows }: { rows: { it: string; found: string }[] } = await db.raw(sql, bindings);
    sentences.push(...rows.map(({ it, found }) => `${what}: ${it}: ${found}`));
  }
  return sentences;
}

export async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** A process that nothing would ever wake by itself: it is open, does nothing, and no timer of it runs. */
export async function sleepsForEver(client: Client, workflowId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId);
  const { status, raw } = await handle.describe();
  if (status.name !== 'RUNNING' || raw.pendingWorkflowTask || (raw.pendingActivities?.length ?? 0) > 0) return false;
  if ((raw.pendingChildren?.length ?? 0) > 0) return false;
  const { events } = await handle.fetchHistory();
  const timers = new Set<string>();
  for (const event of events ?? []) {
    const { timerStartedEventAttributes: begun, timerFiredEventAttributes: fired } = event;
    const id = begun?.timerId ?? fired?.timerId ?? event.timerCanceledEventAttributes?.timerId;
    if (!id) continue;
    if (begun) timers.add(id);
    else timers.delete(id);
  }
  return timers.size === 0;
}
