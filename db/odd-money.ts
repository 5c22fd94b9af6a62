/** What becomes of money that does not simply pay its invoice: a case always, and what the invoice's policy says. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import { asId, type PaymentCaseId, type RefundId } from '../domain/ids.ts';
import { suspenseReleased } from '../domain/ledger.ts';
import type { Money } from '../domain/money.ts';
import { refundReasonFor } from '../domain/payment-cases.ts';
import type { MoneyPolicy, OddMoneyKind, OddMoneyPolicy } from '../domain/payments.ts';
import type { InvoiceForPayment } from './invoices.ts';
import { postEntry } from './ledger.ts';
import { aboutPayment, closeByItself, openPaymentCase } from './payment-cases.ts';
import type { Payment } from './payments.ts';
import { requestRefund } from './refund-requests.ts';

export interface OddMoney {
  /** Of the case. */
  readonly key: string;
  readonly kind: OddMoneyKind;
  readonly invoice: Pick<InvoiceForPayment, 'id' | 'applicationId' | 'companyId'> & {
    readonly oddMoney: OddMoneyPolicy;
  };
  readonly payment: Pick<Payment, 'id' | 'gateway' | 'reference'>;
  /** What of it waits in suspense. */
  readonly amount: Money;
  readonly at: string;
}

/**
 * Opens the case of money that is in suspense, and does with it what the invoice's policy says, in the same transaction.
 * @returns the refund that was asked for: its process is the caller's to start, or the sweep's
 */
export async function settleOddMoney(
  tx: Knex,
  odd: OddMoney,
  policy: Pick<MoneyPolicy, 'refundApprovalAbove'>,
): Promise<{ readonly refundId: RefundId | null }> {
  const { key, kind, invoice, payment, amount, at } = odd;
  const isNew = await openPaymentCase(tx, { key, kind, ...aboutPayment(invoice, payment), amount, at });
  if (!isNew) return { refundId: null };
  switch (invoice.oddMoney[kind] ?? 'case') {
    case 'case':
      return { refundId: null };
    case 'refund':
      return { refundId: await askForRefund(tx, odd, policy) };
    case 'store_credit':
      await keepAsCredit(tx, odd);
      return { refundId: null };
  }
}

async function askForRefund(
  tx: Knex,
  { key, kind, payment, amount, at }: OddMoney,
  policy: Pick<MoneyPolicy, 'refundApprovalAbove'>,
): Promise<RefundId | null> {
  const caseId = await caseOf(tx, key);
  try {
    const refund = await requestRefund(tx, {
      id: asId<RefundId>(randomUUID()),
      paymentId: payment.id,
      amountMinor: amount.amountMinor,
      reason: refundReasonFor(kind),
      requestedBy: null,
      caseId,
      at,
      policy,
      requestedByPayer: false,
    });
    return refund.id;
  } catch (error) {
    // The money is on record and its case is open: a person finds what the policy could not do.
    if (error instanceof Failure) return null;
    throw error;
  }
}

async function keepAsCredit(tx: Knex, { key, invoice, payment, amount, at }: OddMoney): Promise<void> {
  await postEntry(tx, {
    key: `${key}/store-credit`,
    kind: 'suspense_released',
    currency: amount.currency,
    postings: suspenseReleased(amount.amountMinor, 'store_credit'),
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    paymentId: payment.id,
    gateway: payment.gateway,
    at,
  });
  await closeByItself(tx, await caseOf(tx, key), 'store_credit', { key: 'resolved', at });
}

/** What happens to a payment again after its case was closed is a new case; one that is open covers it. */
export async function caseKeyFor(tx: Knex, base: string): Promise<string> {
  for (let time = 1; ; time += 1) {
    const key = time === 1 ? base : `${base}/${time}`;
    const found: { state: string } | undefined = await tx('payment_cases').where({ key }).first('state');
    if (found?.state !== 'resolved') return key;
  }
}

async function caseOf(tx: Knex, key: string): Promise<PaymentCaseId> {
  const found: { id: PaymentCaseId } | undefined = await tx('payment_cases').where({ key }).first('id');
  if (!found) throw new Error(`there is no payment case ${key}`);
  return found.id;
}
