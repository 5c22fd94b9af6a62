import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { InvoiceId, LicenseId, Sha256 } from '../domain/ids.ts';
import type { InvoiceLineKind } from '../domain/invoicing.ts';
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
  readonly pdf: Sha256 | null;
  readonly lines: readonly {
    readonly description: Words;
    readonly kind: InvoiceLineKind;
    readonly netMinor: bigint;
    readonly taxMinor: bigint;
  }[];
}

/** What an invoice's PDF says, in the applicant's language. */
export async function invoiceFacts(db: Knex, invoiceId: InvoiceId): Promise<InvoiceFacts> {
  const found: Omit<InvoiceFacts, 'lines'> | undefined = await db('invoices as i')
    .join('applications as a', 'a.id', 'i.application_id')
    .join('users as u', 'u.id', 'a.applicant_id')
    .join('companies as c', 'c.id', 'i.company_id')
    .join('license_types as t', 't.code', 'a.type_code')
    .join('offices as o', 'o.id', 't.office_id')
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
      locale: 'u.locale',
      currency: 'i.currency',
      pdf: 'i.pdf_sha256',
    });
  if (!found) throw new Error(`invoice ${invoiceId} does not exist`);
  const lines: InvoiceFacts['lines'][number][] = await db('invoice_lines')
    .where({ invoice_id: invoiceId })
    .orderBy('position')
    .select({ description: 'description', kind: 'kind', netMinor: 'net_minor', taxMinor: 'tax_minor' });
  return { ...found, lines };
}
