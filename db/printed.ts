import type { Knex } from 'knex';
import { INTEGRATOR_MAIL_DOMAIN } from '../domain/api-keys.ts';
import type { OfficeZone } from '../domain/calendar.ts';
import type { InvoiceId, LicenseId, Sha256 } from '../domain/ids.ts';
import type { InvoiceLineKind, TaxRule } from '../domain/invoicing.ts';
import type { Risk } from '../domain/licensing.ts';
import type { Locale } from '../domain/mail.ts';
import type { Currency } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';

interface Words {
  readonly id: string;
  readonly en: string;
}

/** What a licence's certificate says, read once when it is rendered. */
export interface CertificateFacts {
  readonly number: string;
  readonly typeName: Words;
  readonly risk: Risk;
  readonly officeName: string;
  readonly officeAddress: string;
  readonly zone: OfficeZone;
  readonly companyName: string;
  readonly legalForm: string;
  readonly nib: string | null;
  readonly address: string;
  readonly kbli: readonly string[];
  readonly validFrom: Date;
  readonly validUntil: Date | null;
  readonly issuedAt: Date;
  readonly verifyCode: string;
  readonly certificate: Sha256 | null;
}

export async function certificateFacts(db: Knex, licenseId: LicenseId): Promise<CertificateFacts> {
  const found: CertificateFacts | undefined = await db('licenses as l')
    .join('companies as c', 'c.id', 'l.company_id')
    .join('license_types as t', 't.code', 'l.type_code')
    .join('offices as o', 'o.id', 't.office_id')
    .where('l.id', licenseId)
    .first({
      number: 'l.number',
      typeName: 't.name',
      risk: 't.risk',
      officeName: 'o.name',
      officeAddress: 'o.address',
      zone: 'o.zone',
      companyName: 'c.name',
      legalForm: 'c.legal_form',
      nib: 'c.nib',
      address: 'c.address',
      kbli: 'c.kbli',
      validFrom: 'l.valid_from',
      validUntil: 'l.valid_until',
      issuedAt: 'l.issued_at',
      verifyCode: 'l.verify_code',
      certificate: 'l.certificate_sha256',
    });
  if (!found) throw new Error(`licence ${licenseId} does not exist`);
  return found;
}

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

/** Of the invoice `i` and its application `a`: the applicant's language, else that of the company's oldest member. */
export const PAYER_LOCALE = `coalesce(
  (select u.locale from users u where u.id = a.applicant_id),
  (select u.locale from company_members m join users u on u.id = m.user_id
    where m.company_id = i.company_id and u.status = 'active' and u.email not like '%@${INTEGRATOR_MAIL_DOMAIN}'
    order by m.created_at, m.user_id limit 1),
  'id')`;

export interface InvoiceFacts {
  readonly number: string;
  readonly state: InvoiceState;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly zone: OfficeZone;
  readonly officeName: string;
  readonly officeAddress: string;
  readonly companyName: string;
  readonly address: string;
  readonly locale: Locale;
  readonly currency: Currency;
  /** The rule by which it was taxed, whichever is in force by now; null = it does not say. */
  readonly taxRule: TaxRule | null;
  readonly pdf: Sha256 | null;
  readonly lines: readonly {
    readonly description: Words;
    readonly kind: InvoiceLineKind;
    readonly netMinor: bigint;
    readonly discountMinor: bigint;
    readonly taxMinor: bigint;
  }[];
}

/** What an invoice's PDF says, in the payer's language. */
export async function invoiceFacts(db: Knex, invoiceId: InvoiceId): Promise<InvoiceFacts> {
  const found: Omit<InvoiceFacts, 'lines'> | undefined = await db('invoices as i')
    .modify(withIssuer)
    .join('companies as c', 'c.id', 'i.company_id')
    .where('i.id', invoiceId)
    .first({
      number: 'i.number',
      state: 'i.state',
      issuedAt: 'i.issued_at',
      dueAt: 'i.due_at',
      zone: 'o.zone',
      officeName: 'o.name',
      officeAddress: 'o.address',
      companyName: 'c.name',
      address: 'c.address',
      locale: db.raw(PAYER_LOCALE),
      currency: 'i.currency',
      taxRule: 'i.tax_rule',
      pdf: 'i.pdf_sha256',
    });
  if (!found) throw new Error(`invoice ${invoiceId} does not exist`);
  const lines: InvoiceFacts['lines'][number][] = await db('invoice_lines')
    .where({ invoice_id: invoiceId })
    .orderBy('position')
    .select({
      description: 'description',
      kind: 'kind',
      netMinor: 'net_minor',
      discountMinor: 'discount_minor',
      taxMinor: 'tax_minor',
    });
  return { ...found, lines };
}
