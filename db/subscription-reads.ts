/** Subscriptions as people read them: each question asks in its own statement whether the reader may. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, PaymentMethodId, SubscriptionId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import { seesEveryCase } from '../domain/roles.ts';
import type { Interval, SubscriptionPolicy, SubscriptionState } from '../domain/subscriptions.ts';
import type { AfterInTime } from './applications.ts';
import { seenOnly } from './invoice-reads.ts';
import { prepared } from './prepared.ts';
import { takenBackAt } from './subscription-taken-back.ts';

export interface SubscriptionRead {
  readonly id: SubscriptionId;
  readonly companyId: CompanyId;
  readonly state: SubscriptionState;
  readonly stateSince: Date;
  /** The money for its term: there is no access for nothing. */
  readonly isTakenBack: boolean;
  readonly planCode: string;
  readonly planVersion: number;
  readonly planName: { readonly id: string; readonly en: string };
  readonly price: Money;
  readonly interval: Interval;
  readonly policy: SubscriptionPolicy;
  /** How many terms it has had; 0 = the first is not paid yet. */
  readonly term: number;
  readonly periodStart: Date;
  readonly periodEnd: Date;
  readonly trialEndsAt: Date | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly pendingPlanCode: string | null;
  /** Of an upgrade, which counts from its payment on. */
  readonly pendingInvoiceId: InvoiceId | null;
  /** Of the next term, and open. */
  readonly openInvoice: { readonly id: InvoiceId; readonly number: string; readonly dueAt: Date } | null;
  readonly openInvoiceTotal: Money | null;
  readonly dunningStep: number;
  readonly cardId: PaymentMethodId | null;
  readonly pausedAt: Date | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
}

interface Row extends Omit<SubscriptionRead, 'price' | 'openInvoice' | 'openInvoiceTotal'> {
  readonly priceMinor: bigint;
  readonly currency: Currency;
  readonly invoiceId: InvoiceId | null;
  readonly invoiceNumber: string;
  readonly invoiceDueAt: Date;
  readonly invoiceMinor: bigint;
}

const COLUMNS = `s.id, s.company_id as "companyId", s.state, s.state_since as "stateSince", ${takenBackAt('now()')} as "isTakenBack", s.plan_code as "planCode",
  s.plan_version as "planVersion", p.name as "planName", p.price_minor as "priceMinor", p.currency, p.interval, p.policy, s.term,
  s.period_start as "periodStart", s.period_end as "periodEnd", s.trial_ends_at as "trialEndsAt",
  s.cancel_at_period_end as "cancelAtPeriodEnd", s.pending_plan_code as "pendingPlanCode", s.pending_invoice_id as "pendingInvoiceId",
  i.id as "invoiceId", i.number as "invoiceNumber", i.due_at as "invoiceDueAt", i.total_minor - i.paid_minor as "invoiceMinor",
  s.dunning_step as "dunningStep", s.payment_method_id as "cardId", s.paused_at as "pausedAt", s.started_at as "startedAt",
  s.ended_at as "endedAt", s.updated_at as "updatedAt"`;

const FROM = `subscriptions s
  join plans p on p.code = s.plan_code and p.version = s.plan_version
  left join invoices i on i.id = s.renewal_invoice_id and i.state = 'open'`;

/** What owners poll: one statement, four index look-ups, visibility included. $1 subscription, $2 viewer, $3 sees every company's. */
export const SUBSCRIPTION_STATEMENT = {
  name: 'subscription',
  text: `select ${COLUMNS} from ${FROM}
 where s.id = $1
   and ($3::boolean or exists (select 1 from company_members m where m.user_id = $2 and m.company_id = s.company_id))`,
} as const;

function toRead(row: Row): SubscriptionRead {
  const { priceMinor, invoiceId, invoiceNumber, invoiceDueAt, invoiceMinor, ...rest } = row;
  return {
    ...rest,
    price: money(priceMinor, row.currency),
    openInvoice: invoiceId && { id: invoiceId, number: invoiceNumber, dueAt: invoiceDueAt },
    openInvoiceTotal: invoiceId && money(invoiceMinor, row.currency),
  };
}

/** null when there is no such subscription, or the viewer may not see it. */
export async function findSubscription(db: Knex, viewer: Actor, id: SubscriptionId): Promise<SubscriptionRead | null> {
  const rows = await prepared<Row>(db, SUBSCRIPTION_STATEMENT, [id, viewer.userId, seesEveryCase(viewer.roles)]);
  return rows[0] ? toRead(rows[0]) : null;
}

/** Newest first. */
export async function listSubscriptions(
  db: Knex,
  viewer: Actor,
  options: {
    readonly state?: SubscriptionState | undefined;
    readonly companyId?: CompanyId | undefined;
    readonly after: AfterInTime | null;
    readonly limit: number;
  },
): Promise<SubscriptionRead[]> {
  const { state, companyId, after, limit } = options;
  const rows: Row[] = await db
    .from(db.raw(FROM))
    .modify((query) => {
      seenOnly(query, viewer, 's.company_id');
      if (state) query.where('s.state', state);
      if (companyId) query.where('s.company_id', companyId);
      if (after) query.whereRaw('(s.started_at, s.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 's.started_at', order: 'desc' },
      { column: 's.id', order: 'desc' },
    ])
    .limit(limit)
    .select(db.raw(COLUMNS));
  return rows.map(toRead);
}

/** The one that a company has now, whoever asks. */
export async function openSubscriptionOf(db: Knex, companyId: CompanyId): Promise<SubscriptionId | null> {
  const row: { id: SubscriptionId } | undefined = await db('subscriptions')
    .where({ company_id: companyId })
    .whereNotIn('state', ['cancelled', 'expired'])
    .first('id');
  return row?.id ?? null;
}

/** Whether the company has had a subscription before: a trial is for those who do not know yet what they get. */
export async function hadSubscription(db: Knex, companyId: CompanyId): Promise<boolean> {
  const before: unknown = await db('subscriptions').where({ company_id: companyId }).first('id');
  return before !== undefined;
}

export interface TermRead {
  readonly number: number;
  readonly kind: 'trial' | 'paid' | 'free' | 'extension';
  readonly planCode: string;
  readonly planVersion: number;
  readonly from: Date;
  readonly to: Date;
  readonly invoiceId: InvoiceId | null;
  /** Tax included. */
  readonly amount: Money;
}

/** The latest first. The caller has made sure that the viewer sees the subscription. */
export async function termsOf(
  db: Knex,
  id: SubscriptionId,
  { before, limit }: { readonly before: number | null; readonly limit: number },
): Promise<TermRead[]> {
  const rows: (Omit<TermRead, 'amount'> & { amountMinor: bigint; currency: Currency })[] = await db(
    'subscription_terms',
  )
    .where('subscription_id', id)
    .modify((query) => {
      if (before !== null) query.where('number', '<', before);
    })
    .orderBy('number', 'desc')
    .limit(limit)
    .select({
      number: 'number',
      kind: 'kind',
      planCode: 'plan_code',
      planVersion: 'plan_version',
      from: 'from_at',
      to: 'to_at',
      invoiceId: 'invoice_id',
      amountMinor: 'amount_minor',
      currency: 'currency',
    });
  return rows.map(({ amountMinor, currency, ...term }) => ({ ...term, amount: money(amountMinor, currency) }));
}

/** Whether this company has this card on file, and has not removed it. */
export async function hasCard(db: Knex, companyId: CompanyId, cardId: PaymentMethodId): Promise<boolean> {
  const found = await db('payment_methods')
    .where({ id: cardId, company_id: companyId })
    .whereNull('removed_at')
    .first('id');
  return found !== undefined;
}
