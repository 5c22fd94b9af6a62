import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { ApplicationId, CompanyId, InvoiceId, PaymentId, Sha256, UserId } from '../domain/ids.ts';
import type { InvoiceLineKind } from '../domain/invoicing.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { seesEveryCase } from '../domain/roles.ts';
import type { AfterInTime } from './applications.ts';

export interface Invoice {
  readonly id: InvoiceId;
  readonly number: string;
  readonly companyId: CompanyId;
  readonly applicationId: ApplicationId | null;
  readonly state: InvoiceState;
  readonly subtotal: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly paidAt: Date | null;
  readonly pdfSha256: Sha256 | null;
}

export interface InvoiceLineRead {
  readonly code: string;
  readonly description: { readonly id: string; readonly en: string };
  readonly kind: InvoiceLineKind;
  readonly net: Money;
  readonly tax: Money;
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
  readonly state: InvoiceState;
  readonly currency: Currency;
  readonly subtotal_minor: bigint;
  readonly tax_minor: bigint;
  readonly total_minor: bigint;
  readonly issued_at: Date;
  readonly due_at: Date;
  readonly paid_at: Date | null;
  readonly pdf_sha256: Sha256 | null;
}

const COLUMNS = [
  'i.id',
  'i.number',
  'i.company_id',
  'i.application_id',
  'i.state',
  'i.currency',
  'i.subtotal_minor',
  'i.tax_minor',
  'i.total_minor',
  'i.issued_at',
  'i.due_at',
  'i.paid_at',
  'i.pdf_sha256',
] as const;

const toInvoice = (row: InvoiceRow): Invoice => ({
  id: row.id,
  number: row.number,
  companyId: row.company_id,
  applicationId: row.application_id,
  state: row.state,
  subtotal: money(row.subtotal_minor, row.currency),
  tax: money(row.tax_minor, row.currency),
  total: money(row.total_minor, row.currency),
  issuedAt: row.issued_at,
  dueAt: row.due_at,
  paidAt: row.paid_at,
  pdfSha256: row.pdf_sha256,
});

/** Money is the company's and the overseers'; reviewers have no business with it. */
function seenOnly(query: Knex.QueryBuilder, viewer: Actor): void {
  if (seesEveryCase(viewer.roles)) return;
  query.whereIn('i.company_id', (mine: Knex.QueryBuilder) =>
    mine.select('company_id').from('company_members').where('user_id', viewer.userId),
  );
}

/** null when there is no such invoice, or the viewer may not see it. */
export async function findInvoice(db: Knex, viewer: Actor, id: InvoiceId): Promise<Invoice | null> {
  const row: InvoiceRow | undefined = await db('invoices as i')
    .where('i.id', id)
    .modify((query) => seenOnly(query, viewer))
    .first(COLUMNS);
  return row ? toInvoice(row) : null;
}

/** Newest first. */
export async function listInvoices(
  db: Knex,
  viewer: Actor,
  options: {
    state?: InvoiceState | undefined;
    companyId?: CompanyId | undefined;
    after: AfterInTime | null;
    limit: number;
  },
): Promise<Invoice[]> {
  const { state, companyId, after, limit } = options;
  const rows: InvoiceRow[] = await db('invoices as i')
    .modify((query) => {
      seenOnly(query, viewer);
      if (state) query.where('i.state', state);
      if (companyId) query.where('i.company_id', companyId);
      if (after) query.whereRaw('(i.issued_at, i.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'i.issued_at', order: 'desc' },
      { column: 'i.id', order: 'desc' },
    ])
    .limit(limit)
    .select(COLUMNS);
  return rows.map(toInvoice);
}

export async function linesOf(db: Knex, invoice: Invoice): Promise<InvoiceLineRead[]> {
  const rows: (Omit<InvoiceLineRead, 'net' | 'tax'> & { net_minor: bigint; tax_minor: bigint })[] = await db(
    'invoice_lines',
  )
    .where('invoice_id', invoice.id)
    .orderBy('position')
    .select('code', 'description', 'kind', 'net_minor', 'tax_minor');
  const { currency } = invoice.total;
  return rows.map(({ net_minor, tax_minor, ...line }) => ({
    ...line,
    net: money(net_minor, currency),
    tax: money(tax_minor, currency),
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
  readonly licenseName: { readonly id: string; readonly en: string };
  readonly officeName: string;
  readonly zone: OfficeZone;
  /** Not shown: on whose behalf it is paid. */
  readonly applicantId: UserId;
}

/** Asks for no viewer: an invoice's ID is random, and is the key to its pay page. null = there is none of this ID. */
export async function payableInvoice(db: Knex, id: InvoiceId): Promise<PayableInvoice | null> {
  const row: (Omit<PayableInvoice, 'total'> & { totalMinor: bigint; currency: Currency }) | undefined = await db(
    'invoices as i',
  )
    .join('applications as a', 'a.id', 'i.application_id')
    .join('license_types as t', 't.code', 'a.type_code')
    .join('offices as o', 'o.id', 't.office_id')
    .where('i.id', id)
    .first({
      id: 'i.id',
      number: 'i.number',
      state: 'i.state',
      totalMinor: 'i.total_minor',
      currency: 'i.currency',
      dueAt: 'i.due_at',
      licenseName: 't.name',
      officeName: 'o.name',
      zone: 'o.zone',
      applicantId: 'a.applicant_id',
    });
  if (!row) return null;
  const { totalMinor, currency, ...invoice } = row;
  return { ...invoice, total: money(totalMinor, currency) };
}
