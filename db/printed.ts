import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { InvoiceId, LicenseId, Sha256 } from '../domain/ids.ts';
import type { InvoiceLineKind, TaxRule } from '../domain/invoicing.ts';
import type { GrantedBy } from '../domain/licenses.ts';
import type { Risk } from '../domain/licensing.ts';
import type { Currency } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { GRANTED_BY } from './license-reads.ts';
import { type Parties, partyColumns, withParties } from './papers.ts';

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
  /** Number of the licence whose next term it is. */
  readonly renews: string | null;
  readonly certificate: Sha256 | null;
  readonly grantedBy: GrantedBy;
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
      companyName: db.raw("coalesce(l.holder ->> 'name', c.name)"),
      legalForm: 'c.legal_form',
      nib: 'c.nib',
      address: db.raw("coalesce(l.holder ->> 'address', c.address)"),
      kbli: db.raw(
        "case when l.holder is null then c.kbli else array(select jsonb_array_elements_text(l.holder -> 'kbli')) end",
      ),
      validFrom: 'l.valid_from',
      validUntil: 'l.valid_until',
      issuedAt: 'l.issued_at',
      verifyCode: 'l.verify_code',
      renews: db.raw('(select b.number from licenses b where b.id = l.renews_id)'),
      certificate: 'l.certificate_sha256',
      grantedBy: db.raw(GRANTED_BY),
    });
  if (!found) throw new Error(`licence ${licenseId} does not exist`);
  return found;
}

export interface InvoiceFacts extends Parties {
  readonly number: string;
  readonly state: InvoiceState;
  readonly issuedAt: Date;
  readonly dueAt: Date;
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
    .modify(withParties)
    .where('i.id', invoiceId)
    .first({
      number: 'i.number',
      state: 'i.state',
      issuedAt: 'i.issued_at',
      dueAt: 'i.due_at',
      ...partyColumns(db),
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
