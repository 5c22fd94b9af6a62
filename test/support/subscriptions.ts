/** Subscriptions in tests: begun, paid as the collection would tell, spoken to, and looked at. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { applyToInvoice } from '../../db/invoice-payments.ts';
import { lockInvoice } from '../../db/invoices.ts';
import { asId, type CompanyId, type InvoiceId, type SubscriptionId, type UserId } from '../../domain/ids.ts';
import type { Plan, SubscriptionState } from '../../domain/subscriptions.ts';
import { subscriptionId } from '../../workflows/ids.ts';
import { invoiceClosedSignal, type SubscriptionInput } from '../../workflows/messages.ts';
import { aCompany, aUser } from '../builders/licensing.ts';
import { aPlan, type PlanGiven } from '../builders/subscriptions.ts';
import type { CaseClocks } from '../simulate/case-clocks.ts';
import type { TestSystem } from './system.ts';
import { continued, DAY, travel } from './time.ts';
import { eventually } from './wait.ts';

export interface Term {
  readonly number: number;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly amountMinor: bigint;
}

export interface Row {
  readonly state: SubscriptionState;
  readonly term: number;
  readonly planCode: string;
  readonly periodEnd: string;
  readonly renewalInvoiceId: InvoiceId | null;
  readonly pendingInvoiceId: InvoiceId | null;
  readonly pendingPlanCode: string | null;
}

/** What a test can do with one subscription. */
export interface Subscriber {
  readonly id: SubscriptionId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly workflowId: string;
  row(): Promise<Row>;
  terms(): Promise<Term[]>;
  rungs(): Promise<string[]>;
  letters(): Promise<string[]>;
  invoices(): Promise<{ id: InvoiceId; state: string; totalMinor: bigint; dueAt: string }[]>;
  /** Days of 24 hours; whatever is due meanwhile is done when it resolves. */
  days(count: number): Promise<void>;
  /** Forward to an instant of its own clock; nothing happens when that is over. */
  until(at: number): Promise<void>;
  /** What its own clock shows, to the second or so. */
  now(): number;
  is(state: SubscriptionState): Promise<Row>;
  /** The open invoice of the next term, once there is one. */
  open(): Promise<InvoiceId>;
  /** As the collection writes it down, without the signal that follows. */
  paid(id: InvoiceId): Promise<void>;
  told(id: InvoiceId): Promise<void>;
  pay(id?: InvoiceId): Promise<Row>;
  /** Whatever pays; resolves once the run of the next term sleeps. */
  nextTerm(pays: () => Promise<unknown>): Promise<Row>;
}

/** The same company subscribes to the same plan once more, at a time of its own. The system's client is of these clocks. */
export interface Again {
  readonly of: Pick<Subscriber, 'companyId' | 'by'> & { readonly plan: Plan };
  readonly clocks: CaseClocks;
}

/** @param given.startedAt of one that subscribes again: when its clock begins; else only what its record says */
export async function subscribe(
  system: Pick<TestSystem, 'client' | 'taskQueue' | 'database'>,
  given: PlanGiven & { readonly zone?: string; readonly startedAt?: string; readonly again?: Again } = {},
): Promise<Subscriber & { readonly plan: Plan; readonly firstRunId: string }> {
  const { db } = system.database;
  const { zone = 'Asia/Jakarta', startedAt = new Date().toISOString(), again, ...ofPlan } = given;
  const by = again?.of.by ?? (await aUser(db, 'owner'));
  const companyId = again?.of.companyId ?? (await aCompany(db, by));
  const plan = again?.of.plan ?? (await aPlan(db, ofPlan));
  const id = asId<SubscriptionId>(randomUUID());
  const input: SubscriptionInput = { subscriptionId: id, companyId, by, plan, zone, startedAt };
  const workflowId = subscriptionId(id);
  const started = { workflowId, taskQueue: system.taskQueue, args: [input] };
  if (again) again.clocks.startAt(workflowId, Date.parse(startedAt));
  const { firstExecutionRunId } = await system.client.workflow.start('subscription', started);
  if (again) await again.clocks.begun(system.client, workflowId);
  const aheadMs = again ? Date.parse(startedAt) - Date.now() : 0;
  const found = { ...subscriberOf(system, { id, companyId, by }, aheadMs), plan, firstRunId: firstExecutionRunId };
  await eventually(
    'the subscription on record',
    async () => (await db('subscriptions').where({ id }).first('id')) ?? null,
  );
  return found;
}

function subscriberOf(
  { client, database: { db } }: Pick<TestSystem, 'client' | 'database'>,
  { id, companyId, by }: Pick<Subscriber, 'id' | 'companyId' | 'by'>,
  aheadMs = 0,
): Subscriber {
  const workflowId = subscriptionId(id);
  const handle = () => client.workflow.getHandle(workflowId);
  const row = async (): Promise<Row> => {
    const found = await db('subscriptions').where({ id }).first();
    return {
      state: found.state,
      term: found.term,
      planCode: found.plan_code,
      periodEnd: found.period_end.toISOString(),
      renewalInvoiceId: found.renewal_invoice_id,
      pendingInvoiceId: found.pending_invoice_id,
      pendingPlanCode: found.pending_plan_code,
    };
  };
  const paid = (invoiceId: InvoiceId) => paidInFull(db, invoiceId);
  const told = (invoiceId: InvoiceId) => handle().signal(invoiceClosedSignal, { invoiceId, outcome: 'paid' });
  let travelledMs = aheadMs;
  const open = () => eventually('an open invoice of the next term', async () => (await row()).renewalInvoiceId);
  const nextTerm = async (pays: () => Promise<unknown>): Promise<Row> => {
    const { runId } = await handle().describe();
    await pays();
    await continued(client, workflowId, runId);
    return row();
  };
  return {
    id,
    companyId,
    by,
    workflowId,
    row,
    open,
    paid,
    told,
    terms: async () => {
      const rows = await db('subscription_terms').where({ subscription_id: id }).orderBy('number');
      return rows.map((term) => ({
        number: term.number,
        kind: term.kind,
        from: term.from_at.toISOString(),
        to: term.to_at.toISOString(),
        amountMinor: term.amount_minor,
      }));
    },
    rungs: () => db('subscription_rungs').where({ subscription_id: id }).orderBy('at').pluck('rung'),
    letters: () =>
      db('account_letters')
        .where({ user_id: by })
        .whereLike('template', 'subscription_%')
        .orderBy('created_at')
        .pluck('template'),
    invoices: async () => {
      const rows = await db('invoices').where({ subscription_id: id }).orderBy(['issued_at', 'number']);
      return rows.map((invoice) => ({
        id: invoice.id,
        state: invoice.state,
        totalMinor: invoice.total_minor,
        dueAt: invoice.due_at.toISOString(),
      }));
    },
    days: async (count) => {
      await travel(client, workflowId, count * DAY);
      travelledMs += count * DAY * 1000;
    },
    now: () => Date.now() + travelledMs,
    until: async (at) => {
      const ms = at - Date.now() - travelledMs;
      if (ms <= 0) return;
      await travel(client, workflowId, ms / 1000);
      travelledMs += ms;
    },
    is: (state) =>
      eventually(`the subscription to be ${state}`, async () => {
        const found = await row();
        return found.state === state ? found : null;
      }),
    pay: async (invoiceId) => {
      const which = invoiceId ?? (await open());
      return nextTerm(async () => {
        await paid(which);
        await told(which);
      });
    },
    nextTerm,
  };
}

/** As the collection writes it down; one that is open no more is left as it is. */
export const paidInFull = (db: Knex, invoiceId: InvoiceId): Promise<void> =>
  db.transaction(async (tx) => {
    const { state, total } = await lockInvoice(tx, invoiceId);
    if (state !== 'open') return;
    const at = new Date().toISOString();
    await applyToInvoice(tx, { invoiceId, amountMinor: total.amountMinor, data: {}, at });
  });

/** How many events each run of a process has in its history, the first run first. */
export async function eventsOf(
  { client }: Pick<TestSystem, 'client'>,
  workflowId: string,
  firstRunId: string,
): Promise<number[]> {
  const counts: number[] = [];
  for (let runId: string | null | undefined = firstRunId; runId; ) {
    const {
      events,
    }: {
      events?:
        | { workflowExecutionContinuedAsNewEventAttributes?: { newExecutionRunId?: string | null } | null }[]
        | null;
    } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    counts.push(events?.length ?? 0);
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return counts;
}
