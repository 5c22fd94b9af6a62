import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { OfficeZone } from '../domain/calendar.ts';
import type { ApplicationId, PaymentId, Sha256, UserId } from '../domain/ids.ts';
import type { GrantedBy } from '../domain/licenses.ts';
import type { Locale } from '../domain/mail.ts';
import type { Currency } from '../domain/money.ts';
import { GRANTED_BY } from './license-reads.ts';

/** Everything a letter about a case may need, in one read; what a case does not have yet is null. */
export interface LetterFacts {
  readonly email: string;
  readonly recipientName: string;
  readonly locale: Locale;
  readonly companyName: string;
  readonly licenseName: { readonly id: string; readonly en: string };
  readonly officeName: string;
  readonly zone: OfficeZone;
  readonly submittedAt: Date | null;
  readonly invoiceId: string | null;
  /** Of the invoice that counts; where there is none any more, of the one that was voided last. */
  readonly invoiceNumber: string | null;
  /** The number of the voided invoice whose place it has taken. */
  readonly replacesInvoice: string | null;
  readonly invoiceTotalMinor: bigint | null;
  readonly invoiceCurrency: Currency | null;
  readonly invoiceDueAt: Date | null;
  readonly invoicePdf: Sha256 | null;
  readonly licenseNumber: string | null;
  readonly validFrom: Date | null;
  readonly validUntil: Date | null;
  readonly verifyCode: string | null;
  readonly certificate: Sha256 | null;
  /** The licence whose next term it is; null = none, or no licence yet. */
  readonly renewedNumber: string | null;
  /** Nobody decided in the legal time. */
  readonly approvedByLaw: boolean;
  /** Of the licence; without one it means nothing. */
  readonly grantedBy: GrantedBy;
}

// What a company is told goes to the people who act for it: to the member of longest standing, once the applicant has
// left or where a programme applied, which has no mailbox.
const READER = `coalesce((
    select m.user_id from company_members m join users v on v.id = m.user_id
    where a.applicant_id = :userId and m.company_id = a.company_id and v.email not like :programmes
      and (not exists (select from company_members s where s.company_id = a.company_id and s.user_id = :userId)
        or exists (select from users p where p.id = :userId and p.email like :programmes))
    order by v.status, m.created_at, m.user_id limit 1), :userId)`;

const FACTS = `
  select u.email, u.name as "recipientName", u.locale, c.name as "companyName", t.name as "licenseName",
    o.name as "officeName", o.zone, a.submitted_at as "submittedAt",
    (select r.number from invoices r where r.id = i.replaces_id) as "replacesInvoice",
    i.id as "invoiceId", i.number as "invoiceNumber", i.total_minor as "invoiceTotalMinor", i.currency as "invoiceCurrency",
    i.due_at as "invoiceDueAt", i.pdf_sha256 as "invoicePdf",
    exists (select from evidence_packs e where e.application_id = a.id) as "approvedByLaw",
    l.number as "licenseNumber", l.valid_from as "validFrom", l.valid_until as "validUntil", l.verify_code as "verifyCode",
    l.certificate_sha256 as "certificate",
    (select b.number from licenses b where b.id = l.renews_id) as "renewedNumber", ${GRANTED_BY} as "grantedBy"
  from applications a
  join companies c on c.id = a.company_id
  join license_types t on t.code = a.type_code
  join offices o on o.id = t.office_id
  join users u on u.id = ${READER}
  left join lateral (
    select * from invoices n where n.application_id = a.id and n.state <> 'void'
    union all (select * from invoices n where n.application_id = a.id and n.state = 'void' order by n.issued_at desc, n.number desc limit 1)
    limit 1
  ) i on true
  left join licenses l on l.application_id = a.id
  where a.id = :applicationId`;

export async function letterFacts(db: Knex, userId: UserId, applicationId: ApplicationId): Promise<LetterFacts> {
  const result: { rows: LetterFacts[] } = await db.raw(FACTS, {
    userId,
    applicationId,
    programmes: `%@${INTEGRATOR_MAIL_DOMAIN}`,
  });
  const row = result.rows[0];
  if (!row) throw new Error(`no letter can be written: application ${applicationId} or user ${userId} does not exist`);
  return row;
}

/** Of the invoice that this payment was made for. */
export async function invoiceNumberOf(db: Knex, paymentId: PaymentId): Promise<string> {
  const row: { number: string } | undefined = await db('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.id', paymentId)
    .first('i.number');
  if (!row) throw new Error(`payment ${paymentId} does not exist`);
  return row.number;
}

export async function nameOf(db: Knex, userId: UserId): Promise<string> {
  const row: { name: string } | undefined = await db('users').where({ id: userId }).first('name');
  if (!row) throw new Error(`user ${userId} does not exist`);
  return row.name;
}
