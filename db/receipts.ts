import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { localDate, type OfficeZone } from '../domain/calendar.ts';
import {
  type ApplicationId,
  asId,
  type CompanyId,
  type InvoiceId,
  type OrderId,
  type PaymentId,
  type ReceiptId,
  type Sha256,
  type SubscriptionId,
  type UserId,
} from '../domain/ids.ts';
import { formatReceiptNumber } from '../domain/invoicing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';
import { nextOfYear } from './counters.ts';
import { recordEvent } from './events.ts';
import { subjectName, withIssuer } from './issuers.ts';
import { type Parties, partyColumns, withParties } from './papers.ts';

export interface Receipt {
  readonly id: ReceiptId;
  readonly number: string;
}

interface Payable {
  readonly invoiceId: InvoiceId;
  readonly applicationId: ApplicationId | null;
  readonly subscriptionId: SubscriptionId | null;
  readonly orderId: OrderId | null;
  readonly companyId: CompanyId;
  readonly attempt: number;
  readonly applied: bigint;
  readonly outstanding: bigint;
  readonly currency: Currency;
}

/**
 * Acknowledges what a payment has paid of its invoice, once, with the next number of the office's year. What came beside
 * that waits in suspense and is no part of it.
 * @throws Error for a payment that paid nothing of an invoice
 */
export async function issueReceipt(tx: Knex, given: { paymentId: PaymentId; at: string }): Promise<Receipt> {
  const { paymentId, at } = given;
  // Whose year its number counts is read before anybody is kept waiting.
  const zone = await zoneOf(tx, paymentId);
  await lockForReceipt(tx, paymentId);
  const paid = await payableOf(tx, paymentId);
  const isNew = await recordEvent(tx, {
    key: `receipt/${paymentId}/issued`,
    type: 'receipt.issued',
    companyId: paid.companyId,
    ...(paid.applicationId ? { applicationId: paid.applicationId } : {}),
    ...(paid.subscriptionId ? { subject: `subscription/${paid.subscriptionId}` } : {}),
    ...(paid.orderId ? { subject: `order/${paid.orderId}` } : {}),
    data: { attempt: paid.attempt },
    at,
  });
  return isNew ? insertReceipt(tx, paymentId, { ...paid, zone }, at) : storedReceipt(tx, paymentId);
}

// The receipt's keys lock payment and invoice, in whichever order; everybody else takes the invoice first, then a number.
async function lockForReceipt(tx: Knex, paymentId: PaymentId): Promise<void> {
  const invoice = tx('payments').where({ id: paymentId }).select('invoice_id');
  await tx('invoices').where({ id: invoice }).forKeyShare().select('id');
}

// What was taken back before its receipt was made was received all the same: then the books still know how much.
const APPLIED = `coalesce(nullif(p.applied_minor, 0), (
    select -l.amount_minor from ledger_entries e join ledger_postings l on l.entry_id = e.id
    where e.payment_id = p.id and e.kind = 'captured' and l.account = 'receivable' order by e.id desc limit 1), 0)`;

async function payableOf(tx: Knex, paymentId: PaymentId): Promise<Payable> {
  const row: Payable | undefined = await tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.id', paymentId)
    .first({
      invoiceId: 'i.id',
      applicationId: 'i.application_id',
      subscriptionId: 'i.subscription_id',
      orderId: 'i.order_id',
      companyId: 'i.company_id',
      attempt: 'p.attempt',
      applied: tx.raw(APPLIED),
      outstanding: tx.raw('i.total_minor - i.paid_minor'),
      currency: 'i.currency',
    });
  if (!row) throw new Error(`payment ${paymentId} does not exist`);
  if (row.applied === 0n) throw new Error(`payment ${paymentId} has paid nothing of an invoice: there is no receipt`);
  return row;
}

async function zoneOf(tx: Knex, paymentId: PaymentId): Promise<OfficeZone> {
  const row: { zone: OfficeZone } | undefined = await tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .modify(withIssuer)
    .where('p.id', paymentId)
    .first({ zone: 'o.zone' });
  if (!row) throw new Error(`payment ${paymentId} does not exist`);
  return row.zone;
}

async function insertReceipt(
  tx: Knex,
  paymentId: PaymentId,
  paid: Payable & { readonly zone: OfficeZone },
  at: string,
): Promise<Receipt> {
  const date = localDate(Date.parse(at), paid.zone);
  const receipt = {
    id: asId<ReceiptId>(randomUUID()),
    number: await nextOfYear(tx, 'receipt', date, formatReceiptNumber),
  };
  await tx('receipts').insert({
    ...receipt,
    payment_id: paymentId,
    invoice_id: paid.invoiceId,
    amount_minor: paid.applied,
    outstanding_minor: paid.outstanding,
    currency: paid.currency,
    issued_at: at,
  });
  return receipt;
}

async function storedReceipt(tx: Knex, paymentId: PaymentId): Promise<Receipt> {
  const row: Receipt | undefined = await tx('receipts').where({ payment_id: paymentId }).first('id', 'number');
  if (!row) throw new Error(`payment ${paymentId} has the event of a receipt and no receipt`);
  return row;
}

export interface ReceiptToTellOf {
  readonly number: string;
  readonly invoiceNumber: string;
  /** Of the licence or the plan. */
  readonly subjectName: { readonly id: string; readonly en: string } | null;
  readonly amount: Money;
  readonly outstanding: Money;
  readonly total: Money;
  readonly pdf: Sha256 | null;
}

/** What a letter tells of the receipt for a payment. @throws Error when none was issued */
export async function receiptOf(db: Knex, paymentId: PaymentId): Promise<ReceiptToTellOf> {
  const row:
    | (Omit<ReceiptToTellOf, 'amount' | 'outstanding' | 'total'> & { readonly currency: Currency } & Record<
          'amount' | 'outstanding' | 'total',
          bigint
        >)
    | undefined = await db('receipts as r')
    .join('invoices as i', 'i.id', 'r.invoice_id')
    .modify(withIssuer)
    .where('r.payment_id', paymentId)
    .first({
      number: 'r.number',
      invoiceNumber: 'i.number',
      subjectName: subjectName(db),
      amount: 'r.amount_minor',
      outstanding: 'r.outstanding_minor',
      total: 'i.total_minor',
      currency: 'r.currency',
      pdf: 'r.pdf_sha256',
    });
  if (!row) throw new Error(`payment ${paymentId} has no receipt`);
  const inCurrency = (amountMinor: bigint) => money(amountMinor, row.currency);
  return {
    number: row.number,
    invoiceNumber: row.invoiceNumber,
    subjectName: row.subjectName,
    amount: inCurrency(row.amount),
    outstanding: inCurrency(row.outstanding),
    total: inCurrency(row.total),
    pdf: row.pdf,
  };
}

export interface ReceiptRead {
  readonly id: ReceiptId;
  readonly number: string;
  readonly paymentId: PaymentId;
  readonly amount: Money;
  readonly issuedAt: Date;
}

/** Of an invoice that the caller has seen, oldest first. */
export async function receiptsOfInvoice(db: Knex, invoiceId: InvoiceId): Promise<ReceiptRead[]> {
  const rows: (Omit<ReceiptRead, 'amount'> & { amountMinor: bigint; currency: Currency })[] = await db('receipts')
    .where({ invoice_id: invoiceId })
    .orderBy(['issued_at', 'number'])
    .select({
      id: 'id',
      number: 'number',
      paymentId: 'payment_id',
      amountMinor: 'amount_minor',
      currency: 'currency',
      issuedAt: 'issued_at',
    });
  return rows.map(({ amountMinor, currency, ...receipt }) => ({ ...receipt, amount: money(amountMinor, currency) }));
}

/** What a receipt's PDF says, in the payer's language. */
export interface ReceiptFacts extends Parties {
  readonly number: string;
  readonly issuedAt: Date;
  readonly paidAt: Date;
  readonly amount: Money;
  /** Of the invoice, after this. */
  readonly outstanding: Money;
  readonly gateway: GatewayName;
  readonly method: string | null;
  /** The gateway's name of the payment, or ours where it has given none. */
  readonly reference: string;
  readonly instalment: number | null;
  readonly instalments: number;
  readonly invoiceNumber: string;
  /** Of the licence or the plan; null = the invoice is of neither. */
  readonly subjectName: { readonly id: string; readonly en: string } | null;
  /** Of a subscription: whom it is told. */
  readonly subscriptionPayer: UserId | null;
  readonly pdf: Sha256 | null;
}

type ReceiptFactsRow = Omit<ReceiptFacts, 'amount' | 'outstanding'> & {
  readonly amountMinor: bigint;
  readonly outstandingMinor: bigint;
  readonly currency: Currency;
};

export async function receiptFacts(db: Knex, id: ReceiptId): Promise<ReceiptFacts> {
  const row: ReceiptFactsRow | undefined = await db('receipts as r')
    .join('payments as p', 'p.id', 'r.payment_id')
    .join('invoices as i', 'i.id', 'r.invoice_id')
    .modify(withParties)
    .where('r.id', id)
    .first({
      number: 'r.number',
      issuedAt: 'r.issued_at',
      paidAt: db.raw('coalesce(p.paid_at, r.issued_at)'),
      amountMinor: 'r.amount_minor',
      outstandingMinor: 'r.outstanding_minor',
      currency: 'r.currency',
      gateway: 'p.gateway',
      method: 'p.method',
      reference: db.raw('coalesce(p.transaction_id, p.gateway_reference)'),
      instalment: 'p.instalment',
      instalments: db.raw('(select count(*)::integer from invoice_instalments n where n.invoice_id = i.id)'),
      invoiceNumber: 'i.number',
      subjectName: db.raw('case when i.order_id is null then ? end', [subjectName(db)]),
      subscriptionPayer: db.raw('s.started_by'),
      ...partyColumns(db),
      pdf: 'r.pdf_sha256',
    });
  if (!row) throw new Error(`receipt ${id} does not exist`);
  const { amountMinor, outstandingMinor, currency, ...facts } = row;
  return { ...facts, amount: money(amountMinor, currency), outstanding: money(outstandingMinor, currency) };
}
