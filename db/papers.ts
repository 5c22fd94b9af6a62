/** What invoices, receipts and credit notes have in common as papers: who stands on them, and a PDF that is stored once. */
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { OfficeZone } from '../domain/calendar.ts';
import type {
  ApplicationId,
  CompanyId,
  CreditNoteId,
  InvoiceId,
  OrderId,
  ReceiptId,
  Sha256,
  SubscriptionId,
} from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { Locale } from '../domain/mail.ts';
import { announce, announceCompany } from './application-moves.ts';
import { seenOnly } from './invoice-reads.ts';
import { withIssuer } from './issuers.ts';

/** And the company `c` that it is for. */
export const withParties = (query: Knex.QueryBuilder): Knex.QueryBuilder =>
  withIssuer(query).join('companies as c', 'c.id', 'i.company_id');

/** Who stands on a paper, in which language and by which clock. */
export interface Parties {
  readonly zone: OfficeZone;
  readonly officeName: string;
  readonly officeAddress: string;
  readonly companyName: string;
  readonly address: string;
  readonly locale: Locale;
}

// The language of who applied or subscribed, else that of the company's oldest member.
const PAYER_LOCALE = `coalesce(
  (select u.locale from users u where u.id = coalesce(a.applicant_id, s.started_by)),
  (select u.locale from company_members m join users u on u.id = m.user_id
    where m.company_id = i.company_id and u.status = 'active' and u.email not like '%@${INTEGRATOR_MAIL_DOMAIN}'
    order by m.created_at, m.user_id limit 1),
  'id')`;

/** Of what `withParties` has joined. */
export const partyColumns = (db: Knex) => ({
  zone: 'o.zone',
  officeName: 'o.name',
  officeAddress: 'o.address',
  companyName: 'c.name',
  address: 'c.address',
  locale: db.raw(PAYER_LOCALE),
});

/** A PDF that belongs to an invoice; null while it is being made. */
export interface PrintedPaper {
  readonly number: string;
  readonly applicationId: ApplicationId | null;
  readonly subscriptionId: SubscriptionId | null;
  readonly orderId: OrderId | null;
  readonly companyId: CompanyId;
  readonly pdf: Sha256 | null;
}

const OWNER = {
  applicationId: 'i.application_id',
  subscriptionId: 'i.subscription_id',
  orderId: 'i.order_id',
  companyId: 'i.company_id',
} as const;

/** null when there is no such paper, or its invoice is none that the viewer may see. */
export async function paperSeenBy(
  db: Knex,
  viewer: Actor,
  table: 'receipts' | 'credit_notes',
  id: ReceiptId | CreditNoteId,
): Promise<PrintedPaper | null> {
  const row: PrintedPaper | undefined = await db(`${table} as n`)
    .join('invoices as i', 'i.id', 'n.invoice_id')
    .where('n.id', id)
    .modify((query) => seenOnly(query, viewer))
    .first({ number: 'n.number', ...OWNER, pdf: 'n.pdf_sha256' });
  return row ?? null;
}

/**
 * Remembers the stored PDF, once, and wakes whoever waits for it.
 * @returns the hash that counts: another try may have stored its own first
 */
export async function attachPdf(
  db: Knex,
  table: 'invoices' | 'receipts' | 'credit_notes',
  id: InvoiceId | ReceiptId | CreditNoteId,
  sha256: Sha256,
): Promise<Sha256> {
  await db(table).where({ id }).whereNull('pdf_sha256').update({ pdf_sha256: sha256 });
  const paper: ({ sha256: Sha256 } & Omit<PrintedPaper, 'number' | 'pdf'>) | undefined = await db(`${table} as n`)
    .join('invoices as i', 'i.id', table === 'invoices' ? 'n.id' : 'n.invoice_id')
    .where('n.id', id)
    .first({ sha256: 'n.pdf_sha256', ...OWNER });
  if (!paper) throw new Error(`the paper ${id} is not among ${table}`);
  if (paper.applicationId) await announce(db, paper.applicationId);
  else if (paper.subscriptionId || paper.orderId) await announceCompany(db, paper.companyId);
  return paper.sha256;
}
