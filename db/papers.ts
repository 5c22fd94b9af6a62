/** What invoices, receipts and credit notes have in common as papers: who stands on them, and a PDF that is stored once. */
import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { OfficeZone } from '../domain/calendar.ts';
import type { ApplicationId, CreditNoteId, InvoiceId, ReceiptId, Sha256 } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { Locale } from '../domain/mail.ts';
import { announce } from './application-moves.ts';
import { seenOnly } from './invoice-reads.ts';

/**
 * Joins to the invoice `i` its application `a`, the licence's type `t`, and the office `o` that issues papers about it. An
 * invoice of no application is the first office's: somebody has to stand on its papers.
 */
export const withIssuer = (query: Knex.QueryBuilder): Knex.QueryBuilder =>
  query
    .leftJoin('applications as a', 'a.id', 'i.application_id')
    .leftJoin('license_types as t', 't.code', 'a.type_code')
    .joinRaw(
      'join offices o on o.id = coalesce(t.office_id, (select f.id from offices f order by f.created_at, f.id limit 1))',
    );

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

// The applicant's language, else that of the company's oldest member.
const PAYER_LOCALE = `coalesce(
  (select u.locale from users u where u.id = a.applicant_id),
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
  readonly pdf: Sha256 | null;
}

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
    .first({ number: 'n.number', applicationId: 'i.application_id', pdf: 'n.pdf_sha256' });
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
  const paper: { sha256: Sha256; applicationId: ApplicationId | null } | undefined = await db(`${table} as n`)
    .join('invoices as i', 'i.id', table === 'invoices' ? 'n.id' : 'n.invoice_id')
    .where('n.id', id)
    .first({ sha256: 'n.pdf_sha256', applicationId: 'i.application_id' });
  if (!paper) throw new Error(`the paper ${id} is not among ${table}`);
  if (paper.applicationId) await announce(db, paper.applicationId);
  return paper.sha256;
}
