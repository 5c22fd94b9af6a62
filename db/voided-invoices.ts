import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { feeLine, type ReplacementLine } from '../domain/fees.ts';
import type { InvoiceId, UserId } from '../domain/ids.ts';
import type { InvoiceLineInput, InvoiceLineKind } from '../domain/invoicing.ts';
import { type Currency, money } from '../domain/money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { recordEvent } from './events.ts';
import { subjectOf } from './invoice-payments.ts';
import { billingTerms, type InvoiceForPayment, insertInvoice, lockInvoice, postClosing } from './invoices.ts';

export interface VoidInvoice {
  readonly invoiceId: InvoiceId;
  readonly by: UserId;
  /** Kept on the invoice, which can be restricted, and not in the event. */
  readonly reason: string;
  /** Issue another in its place. */
  readonly replace: boolean;
  /** What the other charges; absent or null = the same. */
  readonly lines?: readonly ReplacementLine[] | null;
  readonly at: string;
  readonly origin?: Origin | undefined;
}

export interface Voided {
  /** `void`, or why not: `open` = a part of it has been paid. */
  readonly state: InvoiceState;
  readonly replacement: { readonly invoiceId: InvoiceId; readonly dueAt: string } | null;
}

/**
 * Voids an open invoice of which nothing was paid: its claim leaves the books, its number stays taken. The other invoice has
 * a number of its own, and is due from now on. A repeat finds both.
 */
export async function voidInvoice(tx: Knex, request: VoidInvoice): Promise<Voided> {
  const invoice = await lockInvoice(tx, request.invoiceId);
  if (invoice.state === 'void') return { state: 'void', replacement: await replacementOf(tx, invoice.id) };
  if (invoice.state !== 'open' || invoice.paid.amountMinor > 0n) return { state: invoice.state, replacement: null };
  await recordEvent(tx, {
    key: `payment/${invoice.id}/voided`,
    type: 'invoice.voided',
    ...subjectOf(invoice),
    by: request.by,
    data: { replaced: request.replace },
    origin: request.origin,
    at: request.at,
  });
  await tx('invoices').where({ id: invoice.id }).update({ state: 'void', void_reason: request.reason });
  await postClosing(tx, invoice, request.at);
  return { state: 'void', replacement: request.replace ? await replace(tx, invoice, request) : null };
}

const DAY_MS = 86_400_000;

async function replace(tx: Knex, invoice: InvoiceForPayment, request: VoidInvoice): Promise<Voided['replacement']> {
  const { applicationId } = invoice;
  if (!applicationId)
    throw new Error(`invoice ${invoice.id} belongs to no application: nothing says how to bill it anew`);
  const terms = await billingTerms(tx, applicationId);
  const lines = request.lines ? request.lines.map(asFee(invoice.total.currency)) : await sameLines(tx, invoice);
  const dueAt = new Date(Date.parse(request.at) + terms.payment.lapseAfterDays * DAY_MS).toISOString();
  await recordEvent(tx, {
    key: `payment/${invoice.id}/replaced`,
    type: 'invoice.issued',
    ...subjectOf(invoice),
    by: request.by,
    origin: request.origin,
    at: request.at,
  });
  const invoiceId = await insertInvoice(tx, { applicationId, lines, at: request.at, dueAt }, terms, invoice.id);
  return { invoiceId, dueAt };
}

const asFee = (currency: Currency) => (line: ReplacementLine) =>
  feeLine(line.code, money(BigInt(line.amountMinor), currency));

async function sameLines(tx: Knex, { id, total }: InvoiceForPayment): Promise<InvoiceLineInput[]> {
  const rows: (Pick<InvoiceLineInput, 'code' | 'description'> & {
    kind: InvoiceLineKind;
    net_minor: bigint;
    discount_minor: bigint;
  })[] = await tx('invoice_lines')
    .where({ invoice_id: id })
    .orderBy('position')
    .select('code', 'description', 'kind', 'net_minor', 'discount_minor');
  return rows.map(({ net_minor, discount_minor, ...line }) => ({
    ...line,
    net: money(net_minor + discount_minor, total.currency),
    discount: money(discount_minor, total.currency),
  }));
}

async function replacementOf(tx: Knex, id: InvoiceId): Promise<Voided['replacement']> {
  const found: { invoiceId: InvoiceId; dueAt: Date } | undefined = await tx('invoices')
    .where({ replaces_id: id })
    .first({ invoiceId: 'id', dueAt: 'due_at' });
  return found ? { invoiceId: found.invoiceId, dueAt: found.dueAt.toISOString() } : null;
}
