import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type {
  ApplicationId,
  CompanyId,
  InvoiceId,
  OrderId,
  PaymentId,
  Sha256,
  SubscriptionId,
  UserId,
} from '../domain/ids.ts';
import type { InvoiceLineKind } from '../domain/invoicing.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import { type InvoiceState, isOwed } from '../domain/payments.ts';
import { seesEveryCase } from '../domain/roles.ts';
import type { AfterInTime } from './applications.ts';
import { instalmentsOf } from './instalments.ts';
import { payerId, subjectName, withIssuer } from './issuers.ts';

export interface Invoice {
  readonly id: InvoiceId;
  readonly number: string;
  readonly companyId: CompanyId;
  readonly applicationId: ApplicationId | null;
  readonly subscriptionId: SubscriptionId | null;
  readonly orderId: OrderId | null;
  readonly state: InvoiceState;
  readonly subtotal: Money;
  readonly tax: Money;
  readonly total: Money;
  /** What captures and credit have paid of it. */
  readonly paid: Money;
  /** What is still asked for: nothing once it has lapsed or is void. */
  readonly outstanding: Money;
  /** What credit notes have taken back of it. */
  readonly credited: Money;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  /** When the next unpaid part of it is due; without instalments, when it is. */
  readonly nextDueAt: Date;
  readonly paidAt: Date | null;
  readonly pdfSha256: Sha256 | null;
  readonly voidReason: string | null;
  readonly replaces: InvoiceId | null;
  readonly replacedBy: InvoiceId | null;
}

/** Open, and a part of it should have been paid by then. */
export const isOverdue = ({ state, nextDueAt }: Invoice, at: Date): boolean => state === 'open' && nextDueAt < at;

export interface InvoiceLineRead {
  readonly code: string;
  readonly description: { readonly id: string; readonly en: string };
  readonly kind: InvoiceLineKind;
  /** What is charged without tax, the discount taken off. */
  readonly net: Money;
  readonly discount: Money;
  readonly tax: Money;
}

export interface InstalmentRead {
  readonly position: number;
  readonly amount: Money;
  readonly dueAt: Date;
  readonly paidAt: Date | null;
}

export interface OpenAttempt {
  readonly id: PaymentId;
  readonly redirectUrl: string;
  readonly expiresAt: Date;
}

interface InvoiceRow {
  readonly id: InvoiceId;
  readonly number: string;
  readonly company_id: CompanyId;
  readonly application_id: ApplicationId | null;
  readonly subscription_id: SubscriptionId | null;
  readonly order_id: OrderId | null;
  readonly state: InvoiceState;
  readonly currency: Currency;
  readonly subtotal_minor: bigint;
  readonly tax_minor: bigint;
  readonly total_minor: bigint;
  readonly paid_minor: bigint;
  readonly credited_minor: bigint;
  readonly issued_at: Date;
  readonly due_at: Date;
  readonly next_due_at: Date;
  readonly paid_at: Date | null;
  readonly pdf_sha256: Sha256 | null;
  readonly void_reason: string | null;
  readonly replaces_id: InvoiceId | null;
  readonly replaced_by: InvoiceId | null;
}

const COLUMNS = [
  'i.id',
  'i.number',
  'i.company_id',
  'i.application_id',
  'i.subscription_id',
  'i.order_id',
  'i.state',
  'i.currency',
  'i.subtotal_minor',
  'i.tax_minor',
  'i.total_minor',
  'i.paid_minor',
  'i.credited_minor',
  'i.issued_at',
  'i.due_at',
  'i.paid_at',
  'i.pdf_sha256',
  'i.void_reason',
  'i.replaces_id',
] as const;

const NEXT_DUE = `least(i.due_at, (select min(n.due_at) from invoice_instalments n
  where n.invoice_id = i.id and n.paid_at is null))`;

const columns = (db: Knex) => [
  ...COLUMNS,
  db.raw(`${NEXT_DUE} as next_due_at`),
  db.raw('(select r.id from invoices r where r.replaces_id = i.id) as replaced_by'),
];

const toInvoice = (row: InvoiceRow): Invoice => ({
  id: row.id,
  number: row.number,
  companyId: row.company_id,
  applicationId: row.application_id,
  subscriptionId: row.subscription_id,
  orderId: row.order_id,
  state: row.state,
  subtotal: money(row.subtotal_minor, row.currency),
  tax: money(row.tax_minor, row.currency),
  total: money(row.total_minor, row.currency),
  paid: money(row.paid_minor, row.currency),
  outstanding: money(isOwed(row.state) ? row.total_minor - row.paid_minor : 0n, row.currency),
  credited: money(row.credited_minor, row.currency),
  issuedAt: row.issued_at,
  dueAt: row.due_at,
  nextDueAt: row.next_due_at,
  paidAt: row.paid_at,
  pdfSha256: row.pdf_sha256,
  voidReason: row.void_reason,
  replaces: row.replaces_id,
  replacedBy: row.replaced_by,
});

/**
 * Money is the company's and the overseers'; reviewers have no business with it.
 * @param company where the query has whose it is; it reads the invoice as `i`
 */
export function seenOnly(query: Knex.QueryBuilder, viewer: Actor, company = 'i.company_id'): void {
  if (seesEveryCase(viewer.roles)) return;
  query.whereIn(company, (mine: Knex.QueryBuilder) =>
    mine.select('company_id').from('company_members').where('user_id', viewer.userId),
  );
}

/** null when there is no such invoice, or the viewer may not see it. */
export async function findInvoice(db: Knex, viewer: Actor, id: InvoiceId): Promise<Invoice | null> {
  const row: InvoiceRow | undefined = await db('invoices as i')
    .where('i.id', id)
    .modify((query) => seenOnly(query, viewer))
    .first(columns(db));
  return row ? toInvoice(row) : null;
}

/** Newest first. */
export async function listInvoices(
  db: Knex,
  viewer: Actor,
  options: {
    state?: InvoiceState | undefined;
    companyId?: CompanyId | undefined;
    subscriptionId?: SubscriptionId | undefined;
    orderId?: OrderId | undefined;
    /** Only what is overdue at this moment. */
    overdueAt?: Date | undefined;
    after: AfterInTime | null;
    limit: number;
  },
): Promise<Invoice[]> {
  const { state, companyId, subscriptionId, orderId, overdueAt, after, limit } = options;
  const rows: InvoiceRow[] = await db('invoices as i')
    .modify((query) => {
      seenOnly(query, viewer);
      if (state) query.where('i.state', state);
      if (companyId) query.where('i.company_id', companyId);
      if (subscriptionId) query.where('i.subscription_id', subscriptionId);
      if (orderId) query.where('i.order_id', orderId);
      if (overdueAt) query.where('i.state', 'open').whereRaw(`${NEXT_DUE} < ?`, [overdueAt]);
      if (after) query.whereRaw('(i.issued_at, i.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'i.issued_at', order: 'desc' },
      { column: 'i.id', order: 'desc' },
    ])
    .limit(limit)
    .select(columns(db));
  return rows.map(toInvoice);
}

export async function linesOf(db: Knex, invoice: Invoice): Promise<InvoiceLineRead[]> {
  const rows: (Pick<InvoiceLineRead, 'code' | 'description' | 'kind'> & {
    net_minor: bigint;
    discount_minor: bigint;
    tax_minor: bigint;
  })[] = await db('invoice_lines')
    .where('invoice_id', invoice.id)
    .orderBy('position')
    .select('code', 'description', 'kind', 'net_minor', 'discount_minor', 'tax_minor');
  const { currency } = invoice.total;
  return rows.map(({ net_minor, discount_minor, tax_minor, ...line }) => ({
    ...line,
    net: money(net_minor, currency),
    discount: money(discount_minor, currency),
    tax: money(tax_minor, currency),
  }));
}

/** In order; none = it is paid all at once. */
export async function instalmentsOfInvoice(db: Knex, { id, total }: Invoice): Promise<InstalmentRead[]> {
  const parts = await instalmentsOf(db, id);
  return parts.map(({ position, amountMinor, dueAt, paidAt }) => ({
    position,
    amount: money(amountMinor, total.currency),
    dueAt,
    paidAt,
  }));
}

/** Where the invoice can be paid right now, when an attempt is open and the gateway has given a link. */
export async function openAttemptOf(db: Knex, id: InvoiceId, at: Date): Promise<OpenAttempt | null> {
  const row: OpenAttempt | undefined = await db('payments')
    .where({ invoice_id: id, state: 'pending' })
    .whereNotNull('redirect_url')
    .where('expires_at', '>', at)
    .first({ id: 'id', redirectUrl: 'redirect_url', expiresAt: 'expires_at' });
  return row ?? null;
}

/** What the holder of an invoice's link is shown: nothing of the company and its people. */
export interface PayableInvoice {
  readonly id: InvoiceId;
  readonly number: string;
  readonly state: InvoiceState;
  readonly total: Money;
  readonly dueAt: Date;
  /** Of the licence or the plan, or the number of the order. */
  readonly subjectName: { readonly id: string; readonly en: string };
  /** It belongs to a subscription, and is not for a licence. */
  readonly isOfSubscription: boolean;
  readonly isOfOrder: boolean;
  readonly officeName: string;
  readonly zone: OfficeZone;
  /** The invoice that has taken its place. */
  readonly replacedBy: InvoiceId | null;
  /** Credit notes have taken back all of it. */
  readonly isGivenBack: boolean;
  /** Not shown: on whose behalf it is paid. */
  readonly payerId: UserId;
}

export async function isOpenInvoice(db: Knex, id: InvoiceId): Promise<boolean> {
  const row: unknown = await db('invoices').where({ id, state: 'open' }).first('id');
  return row !== undefined;
}

/** Asks for no viewer: an invoice's ID is random, and is the key to its pay page. null = there is none of this ID. */
export async function payableInvoice(db: Knex, id: InvoiceId): Promise<PayableInvoice | null> {
  const row: (Omit<PayableInvoice, 'total'> & { totalMinor: bigint; currency: Currency }) | undefined = await db(
    'invoices as i',
  )
    .modify(withIssuer)
    .where('i.id', id)
    .whereRaw('coalesce(i.application_id, i.subscription_id, i.order_id) is not null')
    .first({
      id: 'i.id',
      number: 'i.number',
      state: 'i.state',
      totalMinor: 'i.total_minor',
      currency: 'i.currency',
      dueAt: 'i.due_at',
      subjectName: subjectName(db),
      isOfSubscription: db.raw('i.subscription_id is not null'),
      isOfOrder: db.raw('i.order_id is not null'),
      officeName: 'o.name',
      zone: 'o.zone',
      replacedBy: db.raw('(select n.id from invoices n where n.replaces_id = i.id)'),
      isGivenBack: db.raw('i.credited_minor = i.total_minor'),
      payerId: payerId(db),
    });
  if (!row) return null;
  const { totalMinor, currency, ...invoice } = row;
  return { ...invoice, total: money(totalMinor, currency) };
}
