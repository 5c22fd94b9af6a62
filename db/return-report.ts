/** What came back, and why, and what it cost: one statement each, over orders and returns of a stretch of time. */
import type { Knex } from 'knex';
import type { Currency } from '../domain/money.ts';
import type { ReturnReason, ReturnState } from '../domain/returns.ts';

export interface Stretch {
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

export interface SkuRate {
  readonly sku: string;
  readonly sold: number;
  readonly returned: number;
  readonly accepted: number;
}

// Units of orders that were placed then, and what of them was asked back since.
const BY_SKU = `
  select i.sku, count(*)::int as sold,
    count(r.order_item_id)::int as returned,
    count(*) filter (where r.is_accepted)::int as accepted
  from orders o
  join order_units u on u.order_id = o.id and u.state not in ('waiting', 'reserved', 'cancelled')
  join order_items i on i.id = u.order_item_id
  left join lateral (
    select x.order_item_id, bool_or(x.state in ('accepted', 'kept')) as is_accepted from return_units x
    where x.order_item_id = u.order_item_id and x.number = u.number and x.state not in ('refused', 'withdrawn')
    group by x.order_item_id) r on true
  where o.placed_at >= :from and o.placed_at < :to
  group by i.sku order by returned desc, i.sku limit 500`;

export async function returnRates(db: Knex, stretch: Stretch): Promise<SkuRate[]> {
  const { rows }: { rows: SkuRate[] } = await db.raw(BY_SKU, { ...stretch });
  return rows;
}

export interface ReasonCount {
  readonly reason: ReturnReason;
  readonly returns: number;
  readonly units: number;
}

const BY_REASON = `
  select u.reason, count(distinct r.id)::int as returns, count(*)::int as units
  from returns r join return_units u on u.return_id = r.id
  where r.requested_at >= :from and r.requested_at < :to
  group by u.reason order by units desc, u.reason`;

export async function returnReasons(db: Knex, stretch: Stretch): Promise<ReasonCount[]> {
  const { rows }: { rows: ReasonCount[] } = await db.raw(BY_REASON, { ...stretch });
  return rows;
}

export interface StateTime {
  readonly state: ReturnState;
  readonly count: number;
  readonly p50Seconds: number;
  readonly p90Seconds: number;
}

// Each event that moved a return says from where to where; what it is in now is not over yet.
const TIMES = `
  with moves as (
    select e.subject, coalesce(e.data ->> 'to', 'requested') as state, e.occurred_at as since,
      lead(e.occurred_at) over (partition by e.subject order by e.id) as until
    from returns r join events e on e.subject = 'rma/' || r.id
    where r.requested_at >= :from and r.requested_at < :to
      and (e.type = 'return.requested' or e.data ->> 'to' <> e.data ->> 'from'))
  select state, count(*)::int as count,
    extract(epoch from percentile_cont(0.5) within group (order by until - since))::float8 as "p50Seconds",
    extract(epoch from percentile_cont(0.9) within group (order by until - since))::float8 as "p90Seconds"
  from moves where until is not null group by state order by state`;

export async function returnTimes(db: Knex, stretch: Stretch): Promise<StateTime[]> {
  const { rows }: { rows: StateTime[] } = await db.raw(TIMES, { ...stretch });
  return rows;
}

export interface ReturnMoney {
  readonly currency: Currency;
  readonly statedMinor: bigint;
  readonly deductedMinor: bigint;
  readonly gatewayMinor: bigint;
  readonly bankTransferMinor: bigint;
  readonly storeCreditMinor: bigint;
  readonly onItsWayMinor: bigint;
}

const MONEY = `
  select o.currency, coalesce(sum(r.refund_minor), 0)::bigint as "statedMinor",
    coalesce(sum(d.deducted), 0)::bigint as "deductedMinor",
    coalesce(sum(f.gateway), 0)::bigint as "gatewayMinor", coalesce(sum(f.bank), 0)::bigint as "bankTransferMinor",
    (coalesce(sum(f.credit), 0) + coalesce(sum(c.amount), 0))::bigint as "storeCreditMinor",
    coalesce(sum(f.open), 0)::bigint as "onItsWayMinor"
  from returns r
  join orders o on o.id = r.order_id
  left join lateral (select sum(u.deduction_minor) as deducted from return_units u where u.return_id = r.id) d on true
  left join lateral (
    select sum(x.amount_minor) filter (where x.state = 'succeeded' and x.channel = 'gateway') as gateway,
      sum(x.amount_minor) filter (where x.state = 'succeeded' and x.channel = 'bank_transfer') as bank,
      sum(x.amount_minor) filter (where x.state = 'succeeded' and x.channel = 'store_credit') as credit,
      sum(x.amount_minor) filter (where x.state not in ('succeeded', 'failed', 'rejected', 'cancelled')) as open
    from refunds x where x.return_id = r.id) f on true
  left join lateral (
    select sum((v.data ->> 'amountMinor')::bigint) as amount from events v
    where v.subject = 'rma/' || r.id and v.type = 'invoice.credited') c on true
  where r.requested_at >= :from and r.requested_at < :to
  group by o.currency order by o.currency`;

/** Of returns that were asked for then; what of it has arrived by now, by the way that it went. */
export async function returnMoney(db: Knex, stretch: Stretch): Promise<ReturnMoney[]> {
  const { rows }: { rows: ReturnMoney[] } = await db.raw(MONEY, { ...stretch });
  return rows;
}
