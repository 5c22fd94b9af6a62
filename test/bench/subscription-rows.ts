/** Subscriptions of companies of their own: records by SQL, copies of one company; processes started from the records. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { openSubscriptionOrigin } from '../../db/subscription-processes.ts';
import { asId, type CompanyId, type SubscriptionId } from '../../domain/ids.ts';
import { subscriptionId } from '../../workflows/ids.ts';
import type { Machine } from './machine.ts';

const DAY_MS = 86_400_000;
const PLAN = { code: 'business-monthly', version: 1 } as const;
const PERIOD_DAYS = 31;
/** By the policy of the demonstration's plans. */
const INVOICE_DAYS_BEFORE = 7;
const TASK_QUEUE = 'alur';
const STARTS_AT_ONCE = 16;
const CHUNK = 80;
const LOOK_EVERY_MS = 200;

export interface Subscribed {
  readonly id: SubscriptionId;
  readonly companyId: CompanyId;
  /** Epoch milliseconds: when the invoice of its next term is due to be issued. */
  readonly invoiceAt: number;
}

/**
 * Active ones in their first paid term, each of a company that the owner acts for.
 * @param invoiceAt of each, by its place
 */
export async function subscribe(
  { db, people }: Pick<Machine, 'db' | 'people'>,
  count: number,
  invoiceAt: (place: number) => number,
): Promise<Subscribed[]> {
  const made = Array.from({ length: count }, (_, place) => ({
    id: asId<SubscriptionId>(randomUUID()),
    companyId: asId<CompanyId>(randomUUID()),
    invoiceAt: invoiceAt(place),
  }));
  const copies = `jsonb_to_recordset(:copies) as c (id uuid, company uuid, "from" timestamptz, "to" timestamptz)`;
  const given = {
    owner: people.owner.userId,
    ...PLAN,
    copies: JSON.stringify(
      made.map(({ id, companyId, invoiceAt: at }) => ({ id, company: companyId, ...periodOf(at) })),
    ),
  };
  for (const statement of ROWS) await db.raw(statement.replace('COPIES', copies), given);
  for (const table of ['companies', 'company_members', 'subscriptions', 'subscription_terms', 'events'])
    await db.raw('analyze ??', [table]);
  return made;
}

function periodOf(invoiceAt: number): { from: string; to: string } {
  const to = invoiceAt + INVOICE_DAYS_BEFORE * DAY_MS;
  return { from: new Date(to - PERIOD_DAYS * DAY_MS).toISOString(), to: new Date(to).toISOString() };
}

/** In the order in which they refer to each other. A tax number is one company's, so the copies have none. */
const ROWS = [
  `insert into companies
   select r.* from COPIES
    cross join (select m.* from companies m join company_members s on s.company_id = m.id
                 where s.user_id = :owner and m.npwp_hash is not null order by m.id limit 1) m
    cross join lateral jsonb_populate_record(null::companies, to_jsonb(m)
      || jsonb_build_object('id', c.company, 'npwp_encrypted', null, 'npwp_hash', null, 'nib', null)) r`,
  `insert into company_members (company_id, user_id, created_at) select c.company, :owner, c."from" from COPIES`,
  `insert into subscriptions (id, company_id, started_by, plan_code, plan_version, state, zone, anchor_at, anchor_months, term,
     period_start, period_end, state_since, started_at, updated_at)
   select c.id, c.company, :owner, :code, :version, 'active', 'Asia/Jakarta', c."to", 0, 1, c."from", c."to", c."from", c."from",
     c."from" from COPIES`,
  `insert into subscription_terms (subscription_id, number, kind, plan_code, plan_version, from_at, to_at, currency, created_at)
   select c.id, 1, 'paid', :code, :version, c."from", c."to", 'IDR', c."from" from COPIES`,
  `insert into events (key, type, company_id, actor_id, actor, data, subject, public, occurred_at)
   select 'subscription/' || c.id || '/started', 'subscription.started', c.company, :owner, 'person', '{}',
     'subscription/' || c.id, true, c."from" from COPIES`,
];

/**
 * Each from its record, as the hourly watch starts one that is missing. Few at a time, as many as a worker's cache holds: so each
 * falls asleep before it is put out of there.
 */
export async function startProcesses(machine: Machine, subscribed: readonly Subscribed[]): Promise<void> {
  const { client, db } = machine;
  const before = await asleepOnes(machine);
  for (let started = 0; started < subscribed.length; started += CHUNK) {
    const left = subscribed.slice(started, started + CHUNK).values();
    const lane = async () => {
      for (const { id } of left) await start(client, db, id);
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, lane));
    while ((await asleepOnes(machine)) - before < started) await delay(LOOK_EVERY_MS);
  }
}

async function start(client: Machine['client'], db: Knex, id: SubscriptionId): Promise<void> {
  const origin = await openSubscriptionOrigin(db, id);
  if (!origin) throw new Error(`subscription ${id} has no record`);
  await client.workflow.start('subscription', {
    workflowId: subscriptionId(id),
    taskQueue: TASK_QUEUE,
    args: [origin],
    staticSummary: `Subscription: ${origin.plan.code}, taken up again`,
  });
}

/** How many wait for what comes next; they show their stage in the same breath in which they begin to wait. */
export const asleepOnes = async ({ client }: Machine): Promise<number> =>
  (
    await client.workflow.count(
      "WorkflowType = 'subscription' and AlurStage = 'active' and ExecutionStatus = 'Running'",
    )
  ).count;
