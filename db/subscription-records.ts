/** The row of a subscription as its changes read and write it: locked, with its plan, its open invoices and its last term. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, PaymentMethodId, SubscriptionId, UserId } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { isSamePlan } from '../domain/subscription-changes.ts';
import { paidUntil, type Standing } from '../domain/subscription-timeline.ts';
import { type Plan, type SubscriptionState, subscriptionTransitions } from '../domain/subscriptions.ts';

export interface InvoiceOfSubscription {
  readonly id: InvoiceId;
  readonly number: string;
  readonly state: InvoiceState;
  readonly dueAt: number;
  readonly totalMinor: bigint;
}

/** Instants are epoch milliseconds. */
export interface SubscriptionRecord {
  readonly id: SubscriptionId;
  readonly companyId: CompanyId;
  readonly startedBy: UserId;
  readonly plan: Plan;
  readonly pendingPlan: Plan | null;
  /** Of an upgrade that waits for its payment. */
  readonly upgrade: InvoiceOfSubscription | null;
  readonly renewal: InvoiceOfSubscription | null;
  readonly state: SubscriptionState;
  readonly stateSince: number;
  readonly zone: string;
  readonly anchorAt: number;
  readonly anchorMonths: number;
  readonly term: number;
  readonly periodStart: number;
  readonly periodEnd: number;
  readonly trialEndsAt: number | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly pausedAt: number | null;
  readonly cardId: PaymentMethodId | null;
  readonly dunningStep: number;
  readonly lastTerm: { readonly code: string; readonly version: number; readonly from: number } | null;
  readonly rungs: readonly string[];
}

type Stored = Omit<
  SubscriptionRecord,
  'stateSince' | 'anchorAt' | 'periodStart' | 'periodEnd' | 'trialEndsAt' | 'pausedAt' | 'upgrade' | 'renewal' | 'rungs'
> & {
  readonly stateSince: Date;
  readonly anchorAt: Date;
  readonly periodStart: Date;
  readonly periodEnd: Date;
  readonly trialEndsAt: Date | null;
  readonly pausedAt: Date | null;
  readonly upgrade: StoredInvoice | null;
  readonly renewal: StoredInvoice | null;
};
type StoredInvoice = Omit<InvoiceOfSubscription, 'dueAt' | 'totalMinor'> & {
  readonly dueMs: number;
  readonly totalMinor: string;
};

const planAs = (row: string) => `jsonb_build_object('code', ${row}.code, 'version', ${row}.version, 'name', ${row}.name,
    'priceMinor', ${row}.price_minor::text, 'currency', ${row}.currency, 'interval', ${row}.interval, 'trialDays', ${row}.trial_days,
    'isTaxed', ${row}.is_taxed, 'entitlements', ${row}.entitlements, 'policy', ${row}.policy)`;

const invoiceAs = (
  row: string,
) => `case when ${row}.id is not null then jsonb_build_object('id', ${row}.id, 'number', ${row}.number,
    'state', ${row}.state, 'dueMs', round(extract(epoch from ${row}.due_at) * 1000), 'totalMinor', ${row}.total_minor::text) end`;

const READ = `
  select s.id, s.company_id as "companyId", s.started_by as "startedBy", s.state, s.state_since as "stateSince", s.zone,
    s.anchor_at as "anchorAt", s.anchor_months as "anchorMonths", s.term, s.period_start as "periodStart",
    s.period_end as "periodEnd", s.trial_ends_at as "trialEndsAt", s.cancel_at_period_end as "cancelAtPeriodEnd",
    s.paused_at as "pausedAt", s.payment_method_id as "cardId", s.dunning_step as "dunningStep",
    ${planAs('p')} as plan, case when n.code is not null then ${planAs('n')} end as "pendingPlan",
    ${invoiceAs('u')} as upgrade, ${invoiceAs('r')} as renewal,
    (select jsonb_build_object('code', t.plan_code, 'version', t.plan_version, 'from', round(extract(epoch from t.from_at) * 1000))
       from subscription_terms t where t.subscription_id = s.id order by t.number desc limit 1) as "lastTerm"
  from subscriptions s
  join plans p on p.code = s.plan_code and p.version = s.plan_version
  left join plans n on n.code = s.pending_plan_code and n.version = s.pending_plan_version
  left join invoices u on u.id = s.pending_invoice_id
  left join invoices r on r.id = s.renewal_invoice_id
  where s.id = ?`;

/** Nobody else changes it until the transaction ends. Whoever locks an invoice as well does it after this. */
export async function lockSubscription(tx: Knex, id: SubscriptionId): Promise<SubscriptionRecord> {
  // First the lock, then the reading: what the other one wrote while this one waited is in it.
  await tx('subscriptions').where({ id }).forUpdate().first('id');
  const { rows }: { rows: Stored[] } = await tx.raw(READ, [id]);
  if (!rows[0]) throw new Error(`subscription ${id} does not exist`);
  const it = toRecord(rows[0]);
  const about = { subscription_id: id, period_end: new Date(paidUntil(it)) };
  return { ...it, rungs: await tx('subscription_rungs').where(about).orderBy('at').pluck<string[]>('rung') };
}

const toRecord = (row: Stored): Omit<SubscriptionRecord, 'rungs'> => ({
  ...row,
  stateSince: row.stateSince.getTime(),
  anchorAt: row.anchorAt.getTime(),
  periodStart: row.periodStart.getTime(),
  periodEnd: row.periodEnd.getTime(),
  trialEndsAt: row.trialEndsAt?.getTime() ?? null,
  pausedAt: row.pausedAt?.getTime() ?? null,
  upgrade: row.upgrade && toInvoice(row.upgrade),
  renewal: row.renewal && toInvoice(row.renewal),
});

const toInvoice = ({ dueMs, totalMinor, ...invoice }: StoredInvoice): InvoiceOfSubscription => ({
  ...invoice,
  dueAt: dueMs,
  totalMinor: BigInt(totalMinor),
});

/** What the next term is of. */
export const nextPlanOf = ({ plan, pendingPlan, upgrade }: SubscriptionRecord): Plan =>
  pendingPlan && !upgrade ? pendingPlan : plan;

export const currencyOf = ({ plan }: SubscriptionRecord): Currency => plan.currency;

export function standingOf(it: SubscriptionRecord): Standing {
  const { plan, pendingPlan, upgrade, renewal, lastTerm } = it;
  const isPaid = pendingPlan !== null && lastTerm !== null && isSamePlan(lastTerm, pendingPlan);
  const nameOf = ({ code, version }: Plan) => ({ code, version });
  return {
    subscriptionId: it.id,
    state: it.state,
    stateSince: it.stateSince,
    planCode: plan.code,
    planVersion: plan.version,
    policy: plan.policy,
    isFree: BigInt(nextPlanOf(it).priceMinor) === 0n,
    term: it.term,
    periodStart: it.periodStart,
    periodEnd: it.periodEnd,
    cancelAtPeriodEnd: it.cancelAtPeriodEnd,
    renewal: renewal && { invoiceId: renewal.id, dueAt: renewal.dueAt },
    upgrade: upgrade && pendingPlan && { invoiceId: upgrade.id, dueAt: upgrade.dueAt, ...nameOf(pendingPlan) },
    nextPlan: pendingPlan && !upgrade ? { ...nameOf(pendingPlan), at: isPaid ? lastTerm.from : null } : null,
    cardId: it.cardId,
    dunningStep: it.dunningStep,
    rungs: it.rungs,
  };
}

// ---- writing --------------------------------------------------------------------------------------------------------

export interface SubscriptionColumns {
  readonly state?: SubscriptionState;
  readonly plan?: Plan;
  readonly pendingPlan?: Plan | null;
  readonly pending_invoice_id?: InvoiceId | null;
  readonly renewal_invoice_id?: InvoiceId | null;
  readonly anchor_at?: Date;
  readonly anchor_months?: number;
  readonly term?: number;
  readonly period_start?: Date;
  readonly period_end?: Date;
  readonly trial_ends_at?: Date | null;
  readonly cancel_at_period_end?: boolean;
  readonly paused_at?: Date | null;
  readonly payment_method_id?: PaymentMethodId | null;
  readonly dunning_step?: number;
  readonly ended_at?: Date;
}

function mayTurn(from: SubscriptionState, to: SubscriptionState): boolean {
  const targets: readonly string[] = subscriptionTransitions[from];
  return targets.includes(to);
}

/** The caller holds the lock. @throws Error for a state that the diagram does not lead to */
export async function writeSubscription(
  tx: Knex,
  it: SubscriptionRecord,
  { plan, pendingPlan, ...columns }: SubscriptionColumns,
  at: number,
): Promise<void> {
  const { state } = columns;
  const isAnother = state !== undefined && state !== it.state;
  if (isAnother && !mayTurn(it.state, state))
    throw new Error(`subscription ${it.id} cannot go from ${it.state} to ${state}`);
  await tx('subscriptions')
    .where({ id: it.id })
    .update({
      ...columns,
      ...(plan ? { plan_code: plan.code, plan_version: plan.version } : {}),
      ...(pendingPlan === undefined
        ? {}
        : { pending_plan_code: pendingPlan?.code ?? null, pending_plan_version: pendingPlan?.version ?? null }),
      ...(isAnother ? { state_since: new Date(at) } : {}),
      updated_at: new Date(at),
    });
}

/** @returns false when it was done before */
export async function noteRung(tx: Knex, it: SubscriptionRecord, rung: string, at: number): Promise<boolean> {
  const row = { subscription_id: it.id, period_end: new Date(paidUntil(it)), rung, at: new Date(at) };
  return (await tx('subscription_rungs').insert(row).onConflict().ignore().returning('rung')).length > 0;
}

// ---- terms ----------------------------------------------------------------------------------------------------------

export interface NewTerm {
  readonly kind: 'trial' | 'paid' | 'free' | 'extension';
  readonly plan: Plan;
  readonly from: number;
  readonly to: number;
  readonly invoice?: Pick<InvoiceOfSubscription, 'id' | 'totalMinor'>;
  readonly note?: string;
}

/** The one after the last: it begins where that ended. */
export async function addTerm(
  tx: Knex,
  it: Pick<SubscriptionRecord, 'id' | 'term'>,
  term: NewTerm,
  at: number,
): Promise<void> {
  await tx('subscription_terms').insert({
    subscription_id: it.id,
    number: it.term + 1,
    kind: term.kind,
    plan_code: term.plan.code,
    plan_version: term.plan.version,
    from_at: new Date(term.from),
    to_at: new Date(term.to),
    invoice_id: term.invoice?.id ?? null,
    amount_minor: term.invoice?.totalMinor ?? 0n,
    currency: term.plan.currency,
    note: term.note ?? null,
    created_at: new Date(at),
  });
}

export interface OpenTerm {
  readonly number: number;
  readonly kind: NewTerm['kind'];
  readonly from: number;
  readonly to: number;
  readonly pausedMs: number;
  /** Of its plan, without tax. */
  readonly netMinor: bigint;
  /** What was paid for it, tax included. */
  readonly amountMinor: bigint;
  /** The money for it: nothing of it is left to give back. */
  readonly isTakenBack: boolean;
}

/** What is not over at an instant, in order. */
export async function openTerms(tx: Knex, it: Pick<SubscriptionRecord, 'id'>, at: number): Promise<OpenTerm[]> {
  const rows: (Omit<OpenTerm, 'from' | 'to' | 'pausedMs'> & { from: Date; to: Date; pausedMs: bigint })[] = await tx(
    'subscription_terms as t',
  )
    .join('plans as p', (on) => on.on('p.code', 't.plan_code').andOn('p.version', 't.plan_version'))
    .leftJoin('invoices as i', 'i.id', 't.invoice_id')
    .where('t.subscription_id', it.id)
    .where('t.to_at', '>', new Date(at))
    .orderBy('t.number')
    .select({
      number: 't.number',
      kind: 't.kind',
      from: 't.from_at',
      to: 't.to_at',
      pausedMs: 't.paused_ms',
      netMinor: 'p.price_minor',
      amountMinor: 't.amount_minor',
      isTakenBack: tx.raw("coalesce(i.state = 'reversed', false)"),
    });
  return rows.map((row) => ({
    ...row,
    from: row.from.getTime(),
    to: row.to.getTime(),
    pausedMs: Number(row.pausedMs),
  }));
}
