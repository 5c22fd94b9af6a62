/**
 * What subscriptions bring in, by month. Everything is read from the events of subscriptions, which are never changed: a month
 * that is over keeps its figures, but for what has become of its dunning and its trials since. The words are defined in
 * docs/subscriptions/revenue.md.
 */
import type { Knex } from 'knex';
import type { Currency } from '../domain/money.ts';

/** Minor units without tax, a month. `atEnd = atStart + new + returned + expansion - contraction - churned`. */
export interface MonthlyRevenue {
  readonly from: Date;
  readonly to: Date;
  readonly mrr: Moved<bigint> & { readonly expansion: bigint; readonly contraction: bigint };
  /** Companies that pay. */
  readonly customers: Moved<number>;
  readonly dunning: { readonly begun: number; readonly recovered: number; readonly lost: number };
  readonly trials: { readonly ended: number; readonly converted: number };
}

interface Moved<Amount> {
  readonly atStart: Amount;
  readonly atEnd: Amount;
  readonly new: Amount;
  readonly returned: Amount;
  readonly churned: Amount;
}

export interface RevenueQuestion {
  /** `YYYY-MM`, of the office's calendar. */
  readonly month: string;
  /** IANA name. */
  readonly zone: string;
  readonly currency: Currency;
}

const MONTH = `month as (
  select (:first::date)::timestamp at time zone :zone as from_at,
         ((:first::date) + interval '1 month')::timestamp at time zone :zone as to_at)`;

/** Of a subscription at an instant: the monthly price of its plan while it is paid for or asked to pay, else nothing. */
const LEVEL = (instant: string): string => `(
  case when (
    select case e.type when 'subscription.renewed' then true
                       when 'subscription.resumed' then exists (select from events r where r.subject = e.subject
                         and r.type = 'subscription.renewed' and r.id < e.id)
                       else false end
      from events e where e.subject = 'subscription/' || s.id and e.occurred_at < ${instant}
       and e.type in ('subscription.renewed', 'subscription.resumed', 'subscription.paused', 'subscription.suspended',
                      'subscription.cancelled', 'subscription.expired')
     order by e.id desc limit 1)
  then coalesce((
    select (e.data->>'monthlyMinor')::bigint from events e
     where e.subject = 'subscription/' || s.id and e.occurred_at < ${instant}
       and e.type in ('subscription.started', 'subscription.plan_changed')
     order by e.id desc limit 1), 0)
  else 0 end)`;

/** A company is the customer: who leaves one subscription for another has not left. */
const RECURRING = `
  with ${MONTH},
  levels as (
    select s.company_id, sum(${LEVEL('month.from_at')}) as before, sum(${LEVEL('month.to_at')}) as after, month.from_at
      from subscriptions s cross join month
      join plans p on p.code = s.plan_code and p.version = s.plan_version and p.currency = :currency
     where s.started_at < month.to_at and (s.ended_at is null or s.ended_at >= month.from_at)
     group by s.company_id, month.from_at),
  told as (
    select before, after,
           before = 0 and after > 0 and exists (
             select from subscriptions o join events e on e.subject = 'subscription/' || o.id
              where o.company_id = levels.company_id and e.type = 'subscription.renewed' and e.occurred_at < levels.from_at
                and e.data->>'currency' = :currency and (e.data->>'monthlyMinor')::bigint > 0) as is_back
      from levels where before > 0 or after > 0)
  select month.from_at, month.to_at,
         coalesce(sum(before), 0)::bigint as mrr_start, coalesce(sum(after), 0)::bigint as mrr_end,
         coalesce(sum(after) filter (where before = 0 and not is_back), 0)::bigint as mrr_new,
         coalesce(sum(after) filter (where is_back), 0)::bigint as mrr_returned,
         coalesce(sum(after - before) filter (where before > 0 and after > before), 0)::bigint as expansion,
         coalesce(sum(before - after) filter (where after > 0 and after < before), 0)::bigint as contraction,
         coalesce(sum(before) filter (where after = 0), 0)::bigint as mrr_churned,
         count(*) filter (where before > 0)::integer as start, count(*) filter (where after > 0)::integer as end,
         count(*) filter (where before = 0 and not is_back)::integer as new,
         count(*) filter (where is_back)::integer as returned, count(*) filter (where after = 0 and before > 0)::integer as churned
    from month left join told on true group by month.from_at, month.to_at`;

/** Each time that it was not paid when it was due, by what ended that; and the trials whose time was over, or cut short. */
const OUTCOMES = `
  with ${MONTH},
  dunned as (
    select (select n.type from events n where n.subject = e.subject and n.id > e.id
              and n.type in ('subscription.renewed', 'subscription.extended', 'subscription.cancelled', 'subscription.expired')
             order by n.id limit 1) as then
      from month join events e on e.type = 'subscription.past_due' and e.occurred_at >= month.from_at and e.occurred_at < month.to_at
     where e.data->>'currency' = :currency),
  tried as (
    select exists (select from subscription_terms t where t.subscription_id = s.id and t.kind = 'paid') as is_paid
      from month join subscriptions s on s.trial_ends_at is not null
       and least(s.trial_ends_at, s.ended_at) >= month.from_at and least(s.trial_ends_at, s.ended_at) < month.to_at
      join plans p on p.code = s.plan_code and p.version = s.plan_version and p.currency = :currency)
  select (select count(*)::integer from dunned) as begun,
         (select count(*)::integer from dunned where "then" = 'subscription.renewed') as recovered,
         (select count(*)::integer from dunned where "then" in ('subscription.cancelled', 'subscription.expired')) as lost,
         (select count(*)::integer from tried) as ended,
         (select count(*)::integer from tried where is_paid) as converted`;

interface RecurringRow {
  readonly from_at: Date;
  readonly to_at: Date;
  readonly mrr_start: bigint;
  readonly mrr_end: bigint;
  readonly mrr_new: bigint;
  readonly mrr_returned: bigint;
  readonly expansion: bigint;
  readonly contraction: bigint;
  readonly mrr_churned: bigint;
  readonly start: number;
  readonly end: number;
  readonly new: number;
  readonly returned: number;
  readonly churned: number;
}

interface OutcomesRow {
  readonly begun: number;
  readonly recovered: number;
  readonly lost: number;
  readonly ended: number;
  readonly converted: number;
}

/** Two statements. A month in which nothing was is one of zeros. */
export async function revenueOf(db: Knex, { month, zone, currency }: RevenueQuestion): Promise<MonthlyRevenue> {
  const asked = { first: `${month}-01`, zone, currency };
  const [{ rows: recurring }, { rows: outcomes }]: [{ rows: RecurringRow[] }, { rows: OutcomesRow[] }] =
    await Promise.all([db.raw(RECURRING, asked), db.raw(OUTCOMES, asked)]);
  const [moved, outcome] = [recurring[0], outcomes[0]];
  if (!moved || !outcome) throw new Error(`the revenue of ${month} could not be counted`);
  const { begun, recovered, lost, ended, converted } = outcome;
  return {
    from: moved.from_at,
    to: moved.to_at,
    mrr: {
      atStart: moved.mrr_start,
      atEnd: moved.mrr_end,
      new: moved.mrr_new,
      returned: moved.mrr_returned,
      expansion: moved.expansion,
      contraction: moved.contraction,
      churned: moved.mrr_churned,
    },
    customers: {
      atStart: moved.start,
      atEnd: moved.end,
      new: moved.new,
      returned: moved.returned,
      churned: moved.churned,
    },
    dunning: { begun, recovered, lost },
    trials: { ended, converted },
  };
}
