/** Paying an invoice with the credit that its company has. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import type { InvoiceId, UserId } from '../domain/ids.ts';
import { creditApplied } from '../domain/ledger.ts';
import { money } from '../domain/money.ts';
import { type InvoiceState, lesser, outstandingOf } from '../domain/payments.ts';
import { spendGrants } from './credit-grants.ts';
import { recordEvent } from './events.ts';
import { applyToInvoice, subjectOf } from './invoice-payments.ts';
import { lockInvoice } from './invoices.ts';
import { postEntry } from './ledger.ts';
import { lockCredit } from './store-credit.ts';

export interface CreditPayment {
  readonly invoiceId: InvoiceId;
  /** Of the request: the same one pays once. */
  readonly key: string;
  readonly by: UserId;
  readonly origin?: Origin | undefined;
  readonly at: string;
}

/** `appliedMinor` 0 = nothing was done: the invoice is not open, or there is no credit. */
export interface CreditPaid {
  readonly appliedMinor: bigint;
  readonly invoiceState: InvoiceState;
}

/** Pays what is left of an open invoice, or as much of it as the company's credit in its currency can. */
export async function payWithCredit(tx: Knex, request: CreditPayment): Promise<CreditPaid> {
  const { invoiceId, by, origin, at } = request;
  const invoice = await lockInvoice(tx, invoiceId);
  const key = `payment/${invoiceId}/credit/${request.key}`;
  const before = await appliedBefore(tx, key);
  if (before !== null) return { appliedMinor: before, invoiceState: invoice.state };
  if (invoice.state !== 'open') return { appliedMinor: 0n, invoiceState: invoice.state };
  const credit = await lockCredit(tx, invoice.companyId, invoice.total.currency);
  const left = outstandingOf(invoice);
  const appliedMinor = lesser(credit, left);
  if (appliedMinor <= 0n) return { appliedMinor: 0n, invoiceState: invoice.state };
  await recordEvent(tx, {
    key,
    type: 'store_credit.applied',
    ...subjectOf(invoice),
    by,
    subject: `invoice/${invoiceId}`,
    data: { appliedMinor: appliedMinor.toString(), currency: invoice.total.currency },
    origin,
    at,
  });
  await postEntry(tx, {
    key,
    kind: 'credit_applied',
    currency: invoice.total.currency,
    postings: creditApplied(appliedMinor),
    companyId: invoice.companyId,
    invoiceId,
    at,
  });
  await spendGrants(tx, {
    companyId: invoice.companyId,
    amount: money(appliedMinor, invoice.total.currency),
    key,
    invoiceId,
  });
  const { state } = await applyToInvoice(tx, { invoiceId, amountMinor: appliedMinor, data: { credit: true }, at });
  return { appliedMinor, invoiceState: state };
}

async function appliedBefore(tx: Knex, key: string): Promise<bigint | null> {
  const event: { data: { appliedMinor: string } } | undefined = await tx('events').where({ key }).first('data');
  return event ? BigInt(event.data.appliedMinor) : null;
}
