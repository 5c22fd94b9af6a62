import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { localDate, type OfficeZone } from '../domain/calendar.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type CreditNoteId,
  type InvoiceId,
  type RefundId,
  type Sha256,
} from '../domain/ids.ts';
import { type CreditShare, formatCreditNoteNumber, type InvoiceLineKind, type TaxRule } from '../domain/invoicing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { RefundReason } from '../domain/refunds.ts';
import { nextOfYear } from './counters.ts';
import { recordEvent } from './events.ts';
import { withIssuer } from './issuers.ts';
import { type Parties, partyColumns, withParties } from './papers.ts';

export interface CreditNote {
  readonly id: CreditNoteId;
  readonly number: string;
}

interface Credited {
  readonly invoiceId: InvoiceId;
  readonly applicationId: ApplicationId | null;
  readonly companyId: CompanyId;
  readonly reason: string;
  readonly currency: Currency;
  readonly zone: OfficeZone;
  /** What the refund takes back of the invoice's lines; null = it has no lines. */
  readonly net: bigint | null;
  readonly tax: bigint | null;
}

/**
 * Corrects an invoice by what a refund took back of its lines, once, with the next number of the office's year; the invoice
 * itself is never edited. A repeat finds the note that is there.
 * @returns null for a refund out of suspense, which corrects no invoice
 */
export async function issueCreditNote(tx: Knex, given: { refundId: RefundId; at: string }): Promise<CreditNote | null> {
  const { refundId, at } = given;
  const refund = await creditedBy(tx, refundId);
  if (refund.net === null || refund.tax === null) return null;
  const isNew = await recordEvent(tx, {
    key: `refund/${refundId}/credited`,
    type: 'invoice.credited',
    companyId: refund.companyId,
    ...(refund.applicationId ? { applicationId: refund.applicationId } : {}),
    subject: `refund/${refundId}`,
    at,
  });
  return isNew
    ? insertNote(tx, { ...refund, refundId, at, net: refund.net, tax: refund.tax })
    : creditNoteOf(tx, refundId);
}

async function creditedBy(tx: Knex, refundId: RefundId): Promise<Credited> {
  const row: Credited | undefined = await tx('refunds as r')
    .join('invoices as i', 'i.id', 'r.invoice_id')
    .modify(withIssuer)
    .where('r.id', refundId)
    .first({
      invoiceId: 'i.id',
      applicationId: 'i.application_id',
      companyId: 'i.company_id',
      reason: 'r.reason',
      currency: 'i.currency',
      // The number counts the office's year.
      zone: 'o.zone',
      net: tx.raw('(select sum(l.net_minor)::bigint from refund_lines l where l.refund_id = r.id)'),
      tax: tx.raw('(select sum(l.tax_minor)::bigint from refund_lines l where l.refund_id = r.id)'),
    });
  if (!row) throw new Error(`refund ${refundId} does not exist`);
  return row;
}

/**
 * Corrects an invoice by lines that were given back as credit, without a refund of a payment. The caller's event guards it.
 * @param given lines by their positions on the invoice; they come to more than nothing
 */
export async function issueCreditNoteOfLines(
  tx: Knex,
  given: {
    readonly invoiceId: InvoiceId;
    readonly lines: readonly CreditShare[];
    readonly reason: RefundReason;
    readonly at: string;
  },
): Promise<CreditNote> {
  const { invoiceId, reason, at } = given;
  const lines = given.lines.filter(({ netMinor, taxMinor }) => netMinor + taxMinor > 0n);
  const sum = (of: (line: CreditShare) => bigint) => lines.reduce((total, line) => total + of(line), 0n);
  const invoice: { currency: Currency; zone: OfficeZone } | undefined = await tx('invoices as i')
    .modify(withIssuer)
    .where('i.id', invoiceId)
    .first({ currency: 'i.currency', zone: 'o.zone' });
  if (!invoice) throw new Error(`invoice ${invoiceId} does not exist`);
  const [net, tax] = [sum(({ netMinor }) => netMinor), sum(({ taxMinor }) => taxMinor)];
  const note = await insertRow(tx, { ...invoice, invoiceId, refundId: null, reason, at, net, tax });
  await tx.raw(LINES_GIVEN, {
    id: note.id,
    invoiceId,
    lines: JSON.stringify(
      lines.map(({ position, netMinor, taxMinor }) => ({
        position,
        net: netMinor.toString(),
        tax: taxMinor.toString(),
      })),
    ),
  });
  return note;
}

const LINES_GIVEN = `
  insert into credit_note_lines (credit_note_id, position, code, description, kind, net_minor, tax_minor)
  select cast(:id as uuid), l.position, l.code, l.description, l.kind, g.net, g.tax
  from jsonb_to_recordset(cast(:lines as jsonb)) as g (position smallint, net bigint, tax bigint)
  join invoice_lines l on l.invoice_id = :invoiceId and l.position = g.position`;

interface NewNote extends Credited {
  readonly refundId: RefundId;
  readonly at: string;
  readonly net: bigint;
  readonly tax: bigint;
}

const LINES = `
  insert into credit_note_lines (credit_note_id, position, code, description, kind, net_minor, tax_minor)
  select :id, l.position, l.code, l.description, l.kind, r.net_minor, r.tax_minor
  from refund_lines r join invoice_lines l on l.invoice_id = r.invoice_id and l.position = r.position
  where r.refund_id = :refundId and r.net_minor + r.tax_minor > 0`;

// The invoice's row before the counter, as everywhere: two that wait for each other would otherwise be possible.
async function insertNote(tx: Knex, note: NewNote): Promise<CreditNote> {
  const made = await insertRow(tx, note);
  await tx.raw(LINES, { id: made.id, refundId: note.refundId });
  return made;
}

async function insertRow(
  tx: Knex,
  note: Pick<NewNote, 'invoiceId' | 'reason' | 'currency' | 'zone' | 'at' | 'net' | 'tax'> & {
    readonly refundId: RefundId | null;
  },
): Promise<CreditNote> {
  const { invoiceId, refundId, at, net, tax } = note;
  await tx('invoices')
    .where({ id: invoiceId })
    .update({ credited_minor: tx.raw('credited_minor + ?', [(net + tax).toString()]) });
  const date = localDate(Date.parse(at), note.zone);
  const made = {
    id: asId<CreditNoteId>(randomUUID()),
    number: await nextOfYear(tx, 'credit-note', date, formatCreditNoteNumber),
  };
  await tx('credit_notes').insert({
    ...made,
    invoice_id: invoiceId,
    refund_id: refundId,
    reason: note.reason,
    currency: note.currency,
    subtotal_minor: net,
    tax_minor: tax,
    total_minor: net + tax,
    issued_at: at,
  });
  return made;
}

async function creditNoteOf(tx: Knex, refundId: RefundId): Promise<CreditNote> {
  const found = await findCreditNote(tx, refundId);
  if (!found) throw new Error(`refund ${refundId} has the event of a credit note and no credit note`);
  return found;
}

/** null = the refund has corrected no invoice, or not yet. */
export async function findCreditNote(db: Knex, refundId: RefundId): Promise<CreditNote | null> {
  const row: CreditNote | undefined = await db('credit_notes').where({ refund_id: refundId }).first('id', 'number');
  return row ?? null;
}

export interface CreditNoteRead extends CreditNote {
  readonly refundId: RefundId | null;
  readonly reason: string;
  readonly subtotal: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly issuedAt: Date;
}

/** Of an invoice that the caller has seen, oldest first. */
export async function creditNotesOfInvoice(db: Knex, invoiceId: InvoiceId): Promise<CreditNoteRead[]> {
  const rows: (Pick<CreditNoteRead, 'id' | 'number' | 'refundId' | 'reason' | 'issuedAt'> & {
    subtotal: bigint;
    tax: bigint;
    total: bigint;
    currency: Currency;
  })[] = await db('credit_notes').where({ invoice_id: invoiceId }).orderBy(['issued_at', 'number']).select({
    id: 'id',
    number: 'number',
    refundId: 'refund_id',
    reason: 'reason',
    issuedAt: 'issued_at',
    subtotal: 'subtotal_minor',
    tax: 'tax_minor',
    total: 'total_minor',
    currency: 'currency',
  });
  return rows.map(({ subtotal, tax, total, currency, ...note }) => ({
    ...note,
    subtotal: money(subtotal, currency),
    tax: money(tax, currency),
    total: money(total, currency),
  }));
}

/** What a credit note's PDF says, in the payer's language. */
export interface CreditNoteFacts extends Parties {
  readonly number: string;
  readonly issuedAt: Date;
  readonly reason: RefundReason;
  readonly invoiceNumber: string;
  readonly invoiceIssuedAt: Date;
  readonly currency: Currency;
  /** The one of the invoice: what it corrects was taxed by it; null = the invoice does not say. */
  readonly taxRule: TaxRule | null;
  readonly pdf: Sha256 | null;
  readonly lines: readonly {
    readonly description: { readonly id: string; readonly en: string };
    readonly kind: InvoiceLineKind;
    readonly netMinor: bigint;
    readonly taxMinor: bigint;
  }[];
}

export async function creditNoteFacts(db: Knex, id: CreditNoteId): Promise<CreditNoteFacts> {
  const found: Omit<CreditNoteFacts, 'lines'> | undefined = await db('credit_notes as n')
    .join('invoices as i', 'i.id', 'n.invoice_id')
    .modify(withParties)
    .where('n.id', id)
    .first({
      number: 'n.number',
      issuedAt: 'n.issued_at',
      reason: 'n.reason',
      invoiceNumber: 'i.number',
      invoiceIssuedAt: 'i.issued_at',
      ...partyColumns(db),
      currency: 'n.currency',
      taxRule: 'i.tax_rule',
      pdf: 'n.pdf_sha256',
    });
  if (!found) throw new Error(`credit note ${id} does not exist`);
  const lines: CreditNoteFacts['lines'][number][] = await db('credit_note_lines')
    .where({ credit_note_id: id })
    .orderBy('position')
    .select({ description: 'description', kind: 'kind', netMinor: 'net_minor', taxMinor: 'tax_minor' });
  return { ...found, lines };
}
