import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { localDate } from '../domain/calendar.ts';
import { type ApplicationId, asId, type CompanyId, type InvoiceId, type Sha256 } from '../domain/ids.ts';
import { buildInvoice, formatInvoiceNumber, type InvoiceLineInput, PPN_2025, taxRuleOn } from '../domain/invoicing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { announce } from './application-moves.ts';
import { nextNumber } from './counters.ts';
import { recordEvent } from './events.ts';
import { officeOfType } from './offices.ts';

export interface NewInvoice {
  readonly applicationId: ApplicationId;
  readonly lines: readonly InvoiceLineInput[];
  readonly at: string;
  readonly dueAt: string;
}

/**
 * Issues the one invoice of an application, with the next number of the office's year, in the transaction that makes it
 * payable. Repeating it finds the invoice that is there and takes no number.
 */
export async function issueInvoice(tx: Knex, invoice: NewInvoice): Promise<void> {
  const application = await applicationOf(tx, invoice.applicationId);
  const isNew = await recordEvent(tx, {
    key: `activation/${invoice.applicationId}/invoice/1`,
    type: 'invoice.issued',
    applicationId: invoice.applicationId,
    companyId: application.companyId,
    at: invoice.at,
  });
  if (isNew) await insertInvoice(tx, invoice, application);
}

/** The invoice of an application that was approved with a fee. */
export async function invoiceOf(
  db: Knex,
  applicationId: ApplicationId,
): Promise<{ invoiceId: InvoiceId; number: string; dueAt: Date }> {
  const issued: { invoiceId: InvoiceId; number: string; dueAt: Date } | undefined = await db('invoices')
    .where({ application_id: applicationId })
    .first({ invoiceId: 'id', number: 'number', dueAt: 'due_at' });
  if (!issued) throw new Error(`application ${applicationId} is to be paid and has no invoice`);
  return issued;
}

async function applicationOf(tx: Knex, id: ApplicationId): Promise<{ companyId: CompanyId; typeCode: string }> {
  const row: { companyId: CompanyId; typeCode: string } | undefined = await tx('applications')
    .where({ id })
    .first({ companyId: 'company_id', typeCode: 'type_code' });
  if (!row) throw new Error(`application ${id} does not exist`);
  return row;
}

async function insertInvoice(
  tx: Knex,
  invoice: NewInvoice,
  application: { companyId: CompanyId; typeCode: string },
): Promise<void> {
  const office = await officeOfType(tx, application.typeCode);
  const date = localDate(Date.parse(invoice.at), office.zone);
  const built = buildInvoice(invoice.lines, taxRuleOn([PPN_2025], date));
  const year = Number(date.slice(0, 4));
  const id = randomUUID();
  const number = formatInvoiceNumber(year, await nextNumber(tx, `invoice/${year}`));
  await tx('invoices').insert({
    id,
    number,
    company_id: application.companyId,
    application_id: invoice.applicationId,
    state: 'open',
    currency: built.total.currency,
    subtotal_minor: built.subtotal.amountMinor,
    tax_minor: built.tax.amountMinor,
    total_minor: built.total.amountMinor,
    issued_at: invoice.at,
    due_at: invoice.dueAt,
  });
  await tx('invoice_lines').insert(
    built.lines.map((line, index) => ({
      invoice_id: id,
      position: index + 1,
      code: line.code,
      description: JSON.stringify(line.description),
      kind: line.kind,
      net_minor: line.net.amountMinor,
      tax_minor: line.tax.amountMinor,
    })),
  );
  await tx('applications')
    .where({ id: invoice.applicationId })
    .update({ due_at: invoice.dueAt, updated_at: invoice.at });
}

export interface InvoiceForPayment {
  readonly id: InvoiceId;
  readonly number: string;
  readonly state: InvoiceState;
  readonly total: Money;
  readonly dueAt: Date;
  readonly applicationId: ApplicationId | null;
  readonly companyId: CompanyId;
}

interface InvoiceForPaymentRow {
  readonly id: string;
  readonly number: string;
  readonly state: InvoiceState;
  readonly total_minor: bigint;
  readonly currency: Currency;
  readonly due_at: Date;
  readonly application_id: string | null;
  readonly company_id: string;
}

const toInvoiceForPayment = (row: InvoiceForPaymentRow): InvoiceForPayment => ({
  id: asId<InvoiceId>(row.id),
  number: row.number,
  state: row.state,
  total: money(row.total_minor, row.currency),
  dueAt: row.due_at,
  applicationId: row.application_id === null ? null : asId<ApplicationId>(row.application_id),
  companyId: asId<CompanyId>(row.company_id),
});

/** The invoice, locked to the end of the transaction: money is judged against a state that cannot change meanwhile. */
export async function lockInvoice(tx: Knex, id: InvoiceId): Promise<InvoiceForPayment> {
  const row: InvoiceForPaymentRow | undefined = await tx('invoices')
    .where({ id })
    .forUpdate()
    .first('id', 'number', 'state', 'total_minor', 'currency', 'due_at', 'application_id', 'company_id');
  if (!row) throw new Error(`invoice ${id} does not exist`);
  return toInvoiceForPayment(row);
}

/** Marks an open invoice as paid, in the transaction that holds its lock. */
export async function markInvoicePaid(tx: Knex, id: InvoiceId, paidAt: string): Promise<void> {
  await tx('invoices')
    .where({ id, state: 'open' })
    .update({ state: 'paid', paid_at: paidAt, paid_minor: tx.ref('total_minor') });
}

/** Closes an open invoice that nobody paid in time. @returns what it is afterwards: somebody may just have paid it. */
export async function lapseInvoice(tx: Knex, id: InvoiceId): Promise<InvoiceState> {
  const { state } = await lockInvoice(tx, id);
  if (state !== 'open') return state;
  await tx('invoices').where({ id }).update({ state: 'lapsed' });
  return 'lapsed';
}

/** Remembers the stored PDF, once. @returns the hash that counts: another try may have stored its own first. */
export async function attachInvoicePdf(db: Knex, id: InvoiceId, sha256: Sha256): Promise<Sha256> {
  await db('invoices').where({ id }).whereNull('pdf_sha256').update({ pdf_sha256: sha256 });
  const row: { sha256: Sha256; applicationId: ApplicationId | null } | undefined = await db('invoices')
    .where({ id })
    .first({ sha256: 'pdf_sha256', applicationId: 'application_id' });
  if (!row) throw new Error(`invoice ${id} does not exist`);
  if (row.applicationId) await announce(db, row.applicationId);
  return row.sha256;
}
