/** What must be true of the goods and the money of three orders, whatever had happened to them. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Knex } from 'knex';
import { z } from 'zod';
import type { CompanyId } from '../../../domain/ids.ts';
import { UNIT_STATES } from '../../../domain/orders.ts';
import { CLAIMING_UNIT_STATES, ENDED_RETURN_STATES } from '../../../domain/returns.ts';
import type { TestSystem } from '../../support/system.ts';
import type { Played } from './world.ts';

/** What a unit cost, and how much of that the accounts of a company say was earned. */
const COST = 'u.net_minor + u.tax_minor + u.shipping_net_minor + u.shipping_tax_minor';
const BOOKED = (account: string) => `
  (select coalesce(sum(p.amount_minor), 0)::bigint from ledger_entries e join ledger_postings p on p.entry_id = e.id
    where e.company_id = :company and p.account in (${account}))`;

/** A parcel that did not arrive, and of which the warehouse has said that it is here again. */
const IS_BACK = (shipment: string) =>
  `exists (select from events v where v.key = 'shipment/' || ${shipment} || '/back')`;

/** Why money of invoices could not go back: a gateway took it back first, or a refund has come to nothing. */
const TAKEN = (invoices: string) => `
  (select coalesce(sum(p.paid_minor), 0)::bigint from payments p where p.state = 'reversed' and p.invoice_id in (${invoices}))
  + (select coalesce(sum(f.amount_minor), 0)::bigint from refunds f where f.invoice_id in (${invoices})
      and f.state in ('failed', 'cancelled') and not exists (select from credit_notes c where c.refund_id = f.id))`;

/** At any moment: what they compare is changed in one transaction. */
const ALWAYS: Readonly<Record<string, string>> = {
  // Every unit that was ever ordered is one row in one state; an item has as many as it was ordered with.
  'units are lost or made': `
    select i.id::text as it, i.quantity || ' ordered, ' || count(u.number) || ' units, of them numbered ' || count(distinct u.number)
        || ' up to ' || coalesce(max(u.number), 0) as found
      from order_items i join orders o on o.id = i.order_id left join order_units u on u.order_item_id = i.id
     where o.company_id = :company group by i.id, i.quantity
    having i.quantity > count(u.number) or count(u.number) <> max(u.number) or bool_or(u.state <> all(:states))
        or count(u.number) filter (where u.state = any(:states)) <> count(u.number)`,
  'is of another order than its item': `
    select u.order_item_id || '/' || u.number as it, u.order_id::text as found from order_units u
      join order_items i on i.id = u.order_item_id join orders o on o.id = i.order_id
     where o.company_id = :company and u.order_id <> i.order_id`,
  // What was lost may have been cancelled since.
  'left the shelf otherwise than by units': `
    select i.sku as it, count(u.number) || ' units were sent, ' || coalesce(max(m.sent), 0) || ' taken' as found
      from orders o join order_items i on i.order_id = o.id
      left join order_units u on u.order_item_id = i.id and u.shipment_id is not null
      left join (select sku, order_id, -sum(quantity) as sent from stock_movements where kind = 'shipped' group by 1, 2) m
        on m.sku = i.sku and m.order_id = i.order_id
     where o.company_id = :company group by i.sku, i.order_id having count(u.number) <> coalesce(max(m.sent), 0)`,
  'came back onto the shelf otherwise than by inspection': `
    select r.number || ' ' || i.sku as it, count(*) filter (where u.disposition = 'restock' and u.state = 'accepted') ||
        ' units to restock, ' || coalesce(max(m.back), 0) || ' restocked' as found
      from return_units u join returns r on r.id = u.return_id join order_items i on i.id = u.order_item_id
      left join (select sku, return_id, sum(quantity) as back from stock_movements where kind in ('restocked', 'scrapped') group by 1, 2) m
        on m.sku = i.sku and m.return_id = r.id
     where r.company_id = :company group by i.sku, r.id
    having count(*) filter (where u.disposition = 'restock' and u.state = 'accepted') <> coalesce(max(m.back), 0)`,
  // However often one was sent back and forth: once it was accepted, it is ours.
  'came back onto the shelf more than once': `
    select split_part(m.key, '/', 3) || '/' || split_part(m.key, '/', 4) as it, count(*) || ' times' as found
      from stock_movements m join returns r on r.id = m.return_id
     where r.company_id = :company and m.kind in ('restocked', 'scrapped')
     group by split_part(m.key, '/', 3), split_part(m.key, '/', 4) having count(*) > 1`,
  // Nobody pays for what is here again, and it lies on the shelf.
  'came back in its parcel, and is not on the shelf': `
    select s.id::text as it, count(*) || ' units, ' || count(*) filter (where u.state = 'cancelled') || ' cancelled, ' ||
        max(m.back) || ' on the shelf' as found
      from shipments s join orders o on o.id = s.order_id join order_units u on u.shipment_id = s.id
      cross join lateral (select coalesce(sum(quantity), 0) as back from stock_movements
        where key like 'shipment/' || s.id || '/back/%') m
     where o.company_id = :company and ${IS_BACK('s.id')} group by s.id
    having count(*) <> count(*) filter (where u.state = 'cancelled') or count(*) <> max(m.back)`,
  'lies there otherwise than it came and went': `
    select l.sku as it, sum(l.on_hand) || ' on hand, ' || max(n.came) - max(n.went) + max(n.back) || ' expected' as found
      from stock_levels l
      cross join lateral (select
        (select coalesce(sum(quantity), 0) from stock_movements where sku = l.sku and kind = 'received') as came,
        (select count(*) from order_units u join order_items i on i.id = u.order_item_id
          where i.sku = l.sku and u.shipment_id is not null) as went,
        (select count(*) from return_units u join order_items i on i.id = u.order_item_id
          where i.sku = l.sku and u.state = 'accepted' and u.disposition = 'restock')
        + (select count(*) from order_units u join order_items i on i.id = u.order_item_id
          where i.sku = l.sku and u.state = 'cancelled' and ${IS_BACK('u.shipment_id')}) as back) n
     where l.sku = any(:skus) group by l.sku having sum(l.on_hand) <> max(n.came) - max(n.went) + max(n.back)`,
  'accepted more than once': `
    select u.order_item_id || '/' || u.number as it, count(*) || ' times' as found
      from return_units u join returns r on r.id = u.return_id
     where r.company_id = :company and u.state in ('accepted', 'kept') group by u.order_item_id, u.number having count(*) > 1`,
  'claimed by more than one return': `
    select u.order_item_id || '/' || u.number as it, count(*) || ' returns' as found
      from return_units u join returns r on r.id = u.return_id
     where r.company_id = :company and u.state = any(:claiming) group by u.order_item_id, u.number having count(*) > 1`,
  'accepted, and its order knows nothing of it': `
    select u.order_item_id || '/' || u.number as it, u.state || ' here, ' || o.state || ' there' as found
      from return_units u join returns r on r.id = u.return_id
      join order_units o on o.order_item_id = u.order_item_id and o.number = u.number
     where r.company_id = :company and (u.state in ('accepted', 'kept')) <> (o.state = 'returned')
       and (u.state in ('accepted', 'kept') or not exists (select from return_units x where x.order_item_id = u.order_item_id
         and x.number = u.number and x.state in ('accepted', 'kept')))`,
  // The last return of an order brings the shipping of what had come back before, too.
  'a statement is not the sum of its units': `
    select r.number as it, r.refund_minor || ' stated, ' || (r.statement ->> 'refundMinor') || ' on paper, ' || n.paper ||
        ' of its units; ' || n.units || ' of what came back, for which it says ' || n.own as found
      from returns r cross join lateral (
        select coalesce(sum(b.parts), 0) as paper, coalesce(sum(b.parts) filter (where u.number is not null), 0) as own,
          (select coalesce(sum(refund_minor), 0) from return_units where return_id = r.id) as units
        from (select (b ->> 'orderItemId')::uuid as item, (b ->> 'number')::int as number, (b ->> 'netMinor')::bigint +
            (b ->> 'taxMinor')::bigint + (b ->> 'shippingNetMinor')::bigint + (b ->> 'shippingTaxMinor')::bigint as parts
          from jsonb_array_elements(r.statement -> 'byUnit') b) b
        left join return_units u on u.return_id = r.id and u.order_item_id = b.item and u.number = b.number) n
     where r.company_id = :company and r.statement is not null
       and (r.refund_minor <> n.paper or r.refund_minor <> (r.statement ->> 'refundMinor')::bigint or n.units <> n.own)`,
  'brings money for what was not accepted': `
    select r.number || ' ' || u.order_item_id || '/' || u.number as it, u.state || ': ' || u.refund_minor as found
      from returns r join return_units u on u.return_id = r.id
     where r.company_id = :company and u.refund_minor > 0 and u.state not in ('accepted', 'kept')
       and not (r.deductions_waived and u.state = 'declined') and not (u.state = 'authorised' and r.payout_minor is not null)`,
  'given back more than was paid': `
    select u.order_item_id || '/' || u.number as it, u.given_back_minor::text as found
      from order_units u join orders o on o.id = u.order_id where o.company_id = :company and u.given_back_minor > ${COST}`,
};

/** When nobody has anything left to do. */
const AT_THE_END: Readonly<Record<string, string>> = {
  'is kept for an order that is over': `
    select l.sku as it, l.reserved || ' reserved' as found from stock_levels l where l.sku = any(:skus) and l.reserved <> 0`,
  // What could not be paid is closed by a person, and there is a reason for it.
  'paid out other than was stated': `
    select r.number as it, r.state || ', ' || coalesce(r.resolution, 'nothing') || ': ' || coalesce(r.payout_minor, 0) || ' of ' ||
        coalesce(r.refund_minor, 0) || ' to pay, ' || p.paid || ' paid' as found
      from returns r cross join lateral (select
        (select coalesce(sum(f.amount_minor), 0)::bigint from refunds f where f.return_id = r.id and f.state = 'succeeded')
        + (select coalesce(-sum(p.amount_minor), 0)::bigint from events v join ledger_entries e on e.key = v.key
          join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit'
          where v.subject = 'rma/' || r.id and v.type = 'invoice.credited')
        + (select coalesce(-sum(p.amount_minor), 0)::bigint from refunds f join payment_cases c on c.refund_id = f.id
          join ledger_entries e on e.key like 'payment-case/' || c.id || '/%'
          join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit' where f.return_id = r.id) as paid,
        (select ${TAKEN(`select i.id from invoices i where i.company_id = r.company_id`)}) as taken,
        exists (select from events v where v.subject = 'rma/' || r.id and v.type = 'return.continued'
          and v.data ->> 'to' = r.state) as closed) p
     where r.company_id = :company and (p.paid > coalesce(r.payout_minor, 0)
        or coalesce(r.payout_minor, 0) > coalesce(r.refund_minor, 0)
        or (coalesce(r.payout_minor, 0) - p.paid > case when p.closed then p.taken else 0 end)
        or (r.state = 'closed_refunded' and r.refund_minor <> p.paid and not p.closed))`,
  'an invoice is not the sum of its units': `
    select i.id::text as it, i.total_minor || ' charged, ' || coalesce(sum(${COST}), 0) || ' of units' as found
      from invoices i left join order_units u on u.invoice_id = i.id
     where i.company_id = :company and i.state in ('paid', 'reversed') group by i.id having i.total_minor <> coalesce(sum(${COST}), 0)`,
  'earned is not what was charged and kept': `
    select 'the company' as it, n.earned || ' earned, ' || n.charged || ' charged, ' || n.credited || ' of it credited' as found
      from (select -${BOOKED(`'service_revenue', 'statutory_fees', 'vat'`)} as earned,
        (select coalesce(sum(i.total_minor), 0)::bigint from invoices i where i.company_id = :company and i.state in ('paid', 'reversed')) as charged,
        (select coalesce(sum(i.credited_minor), 0)::bigint from invoices i where i.company_id = :company) as credited) n
     where n.earned <> n.charged - n.credited`,
  // What was claimed of units and not paid out could not be.
  'credited is not what was given back': `
    select 'the company' as it, n.credited || ' credited, ' || n.back || ' given back, ' || n.taken || ' out of reach' as found
      from (select (select coalesce(sum(i.credited_minor), 0)::bigint from invoices i where i.company_id = :company) as credited,
        (select coalesce(sum(u.given_back_minor), 0)::bigint from order_units u join orders o on o.id = u.order_id
          where o.company_id = :company) as back,
        (select ${TAKEN(`select i.id from invoices i where i.company_id = :company`)}) as taken) n
     where n.back - n.credited not between 0 and n.taken`,
  'is owed by nobody, or still owed': `
    select 'the company' as it, n.receivable || ' receivable of ' || n.reversed || ' taken back, ' || n.refunds || ' to refund, ' ||
        n.suspense || ' in suspense' as found
      from (select ${BOOKED(`'receivable'`)} as receivable, ${BOOKED(`'refunds'`)} as refunds, ${BOOKED(`'suspense'`)} as suspense,
        (select coalesce(sum(i.total_minor - i.paid_minor), 0)::bigint from invoices i
          where i.company_id = :company and i.state = 'reversed') as reversed) n
     where n.receivable <> n.reversed or n.refunds <> 0 or n.suspense <> 0`,
  // It says so to the customer, and nothing follows it. What was replaced is paid out of another order's money.
  'refunded, and the money is not back': `
    select o.number as it, n.given || ' given back, ' || n.credited || ' credited, ' || n.taken || ' taken back' as found
      from orders o cross join lateral (select
        (select coalesce(sum(u.given_back_minor), 0)::bigint from order_units u where u.order_id = o.id) as given,
        (select coalesce(sum(i.credited_minor), 0)::bigint from invoices i where i.order_id = o.id) as credited,
        (select coalesce(sum(p.paid_minor), 0)::bigint from payments p join invoices i on i.id = p.invoice_id
          where i.order_id = o.id and p.state = 'reversed') as taken) n
     where o.company_id = :company and o.state = 'refunded'
       and not exists (select from orders x where x.company_id = :company and x.kind <> 'sale') and n.given - n.credited > n.taken`,
  'transferred otherwise than by refunds': `
    select 'the company' as it, n.bank || ' in the bank, ' || n.sent || ' sent' as found
      from (select ${BOOKED(`'bank'`)} as bank, (select coalesce(sum(r.amount_minor), 0) from refunds r join invoices i on i.id = r.invoice_id
          where i.company_id = :company and r.channel = 'bank_transfer' and r.state = 'succeeded') as sent) n
     where n.bank <> -n.sent`,
  'the credit is not what was granted': `
    select 'the company' as it, n.credit || ' in the books, ' || n.left || ' of grants' as found
      from (select -${BOOKED(`'store_credit'`)} as credit,
        (select coalesce(sum(left_minor), 0) from credit_grants where company_id = :company) as left) n
     where n.credit < 0 or n.left > n.credit`,
  'a return has no end': `
    select number as it, state as found from returns where company_id = :company and state <> all(:ended)`,
  'an order has no end': `
    select number as it, state as found from orders where company_id = :company
       and state not in ('cancelled', 'refunded', 'delivered', 'returned')`,
  'a refund has no end': `
    select r.id::text as it, r.state as found from refunds r join invoices i on i.id = r.invoice_id
     where i.company_id = :company and r.state not in ('succeeded', 'failed', 'rejected', 'cancelled')`,
  'a case has no end': `
    select c.key as it, c.kind as found from payment_cases c join invoices i on i.id = c.invoice_id
     where i.company_id = :company and c.state = 'open'`,
  'was said and not answered': `
    select m.subject as it, m.kind as found from shop_messages m where m.subject = any(:subjects) and m.answered_at is null`,
  'an address lies where nobody needs it': `
    select m.subject as it, m.kind as found from shop_messages m where m.subject = any(:subjects) and jsonb_exists(m.content, 'shipTo')`,
};

const sandboxPayments = z.object({
  items: z.array(
    z.looseObject({
      reference: z.string(),
      capturedMinor: z.number().default(0),
      refundedMinor: z.number().default(0),
    }),
  ),
});

/** What the gateways hold for us, by reference: captured less refunded, in minor units of Alur. */
export async function holdings({ sandboxUrl }: Pick<TestSystem, 'sandboxUrl'>): Promise<ReadonlyMap<string, bigint>> {
  const response = await fetch(`${sandboxUrl}/_sandbox/payments`);
  const { items } = sandboxPayments.parse(await response.json());
  return new Map(items.map((one) => [one.reference, BigInt(one.capturedMinor - one.refundedMinor)]));
}

type Players = Pick<Played, 'companyId' | 'skus'>;

/** @returns what is wrong, in sentences; nothing when all is well */
export async function broken(db: Knex, game: Players, held: ReadonlyMap<string, bigint>): Promise<string[]> {
  return [
    ...(await brokenNow(db, game)),
    ...(await askedOf(db, game, AT_THE_END)),
    ...(await differsAtGateway(db, game.companyId, held)),
  ];
}

/** Of what is true also while everybody is at work. */
export const brokenNow = (db: Knex, game: Players): Promise<string[]> => askedOf(db, game, ALWAYS);

async function askedOf(
  db: Knex,
  { companyId, skus }: Players,
  queries: Readonly<Record<string, string>>,
): Promise<string[]> {
  const orders: string[] = await db('orders').where({ company_id: companyId }).pluck('id');
  const returns: string[] = await db('returns').where({ company_id: companyId }).pluck('id');
  const bindings = {
    company: companyId,
    skus: [...skus],
    states: [...UNIT_STATES],
    claiming: [...CLAIMING_UNIT_STATES],
    ended: [...ENDED_RETURN_STATES],
    subjects: [...orders.map((id) => `order/${id}`), ...returns.map((id) => `rma/${id}`)],
  };
  const sentences: string[] = [];
  for (const [what, sql] of Object.entries(queries)) {
    const { rows }: { rows: { it: string; found: string }[] } = await db.raw(sql, bindings);
    sentences.push(...rows.map(({ it, found }) => `${what}: ${it}: ${found}`));
  }
  return sentences;
}

async function differsAtGateway(db: Knex, companyId: CompanyId, held: ReadonlyMap<string, bigint>): Promise<string[]> {
  const payments: { reference: string; clearing: bigint }[] = await db('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('i.company_id', companyId)
    .select({
      reference: 'p.gateway_reference',
      clearing: db.raw(`(select cast(coalesce(sum(l.amount_minor), 0) as bigint) from ledger_entries e
        join ledger_postings l on l.entry_id = e.id and l.account = 'gateway_clearing' where e.payment_id = p.id)`),
    });
  return payments
    .filter(({ reference, clearing }) => clearing !== (held.get(reference) ?? 0n))
    .map(
      ({ reference, clearing }) =>
        `${reference}: ${clearing} by the books, ${held.get(reference) ?? 0n} at the gateway`,
    );
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
