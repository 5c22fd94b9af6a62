/** Money as the processes would have written it: records and ledger entries that agree. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { nextNumber } from '../../db/counters.ts';
import { postEntry } from '../../db/ledger.ts';
import { asId, type CompanyId, type InvoiceId, type PaymentId, type RefundId } from '../../domain/ids.ts';
import { formatInvoiceNumber } from '../../domain/invoicing.ts';
import { captured, invoiceIssued, refundPaid, refundReserved, type Shares, takenBack } from '../../domain/ledger.ts';
import type { GatewayName, OddMoneyKind } from '../../domain/payments.ts';
import type { RefundState } from '../../domain/refunds.ts';
import { MONDAY } from './licensing.ts';

/** Rp361.000 in all. */
export const SHARES: Shares = { serviceMinor: 100_000n, statutoryMinor: 250_000n, taxMinor: 11_000n };
export const TOTAL = 361_000n;

export interface BookedInvoice {
  readonly id: InvoiceId;
  readonly number: string;
  readonly companyId: CompanyId;
}

/** Open, with the next number of 2026. */
export async function aBookedInvoice(db: Knex, companyId: CompanyId): Promise<BookedInvoice> {
  const id = asId<InvoiceId>(randomUUID());
  return db.transaction(async (tx) => {
    const number = formatInvoiceNumber(2026, await nextNumber(tx, 'invoice/2026'));
    await tx('invoices').insert({
      id,
      number,
      company_id: companyId,
      state: 'open',
      currency: 'IDR',
      subtotal_minor: 350_000,
      tax_minor: 11_000,
      total_minor: TOTAL,
      issued_at: MONDAY,
      due_at: MONDAY,
    });
    const line = { invoice_id: id, description: '{"id": "Biaya", "en": "Fee"}' };
    await tx('invoice_lines').insert([
      { ...line, position: 1, code: 'statutory', kind: 'statutory', net_minor: 250_000, tax_minor: 0 },
      { ...line, position: 2, code: 'service', kind: 'service', net_minor: 100_000, tax_minor: 11_000 },
    ]);
    await postEntry(tx, {
      key: `invoice/${id}/issued`,
      kind: 'invoice_issued',
      currency: 'IDR',
      postings: invoiceIssued(SHARES),
      companyId,
      invoiceId: id,
      at: MONDAY,
    });
    return { id, number, companyId };
  });
}

export interface Captured {
  readonly id: PaymentId;
  readonly reference: string;
  readonly transactionId: string;
  readonly invoice: BookedInvoice;
  readonly attempt: number;
  readonly gateway: GatewayName;
}

/** A payment of an invoice; what is not applied to it waits in suspense with an open case. */
export async function aCapture(
  db: Knex,
  invoice: BookedInvoice,
  given: {
    gateway?: GatewayName;
    attempt?: number;
    paid?: bigint;
    applied?: bigint;
    odd?: OddMoneyKind;
    at?: string;
  } = {},
): Promise<Captured> {
  const { gateway = 'midtrans', attempt = 1, paid = TOTAL, at = MONDAY } = given;
  const { applied = paid, odd = 'over' } = given;
  const id = asId<PaymentId>(randomUUID());
  const reference = `${invoice.id}-${attempt}`;
  const transactionId = `T-${randomUUID()}`;
  await db.transaction(async (tx) => {
    await tx('payments').insert({
      id,
      invoice_id: invoice.id,
      attempt,
      gateway,
      gateway_reference: reference,
      transaction_id: transactionId,
      state: 'paid',
      amount_minor: TOTAL,
      currency: 'IDR',
      paid_minor: paid,
      paid_currency: 'IDR',
      applied_minor: applied,
      created_at: at,
      expires_at: at,
      paid_at: at,
      updated_at: at,
    });
    await tx.raw(
      `update invoices set paid_minor = paid_minor + cast(:applied as bigint),
         state = case when paid_minor + cast(:applied as bigint) = total_minor then 'paid' else state end,
         paid_at = case when paid_minor + cast(:applied as bigint) = total_minor then cast(:at as timestamptz) else paid_at end
       where id = :id`,
      { applied: applied.toString(), at, id: invoice.id },
    );
    await postEntry(tx, {
      key: `payment/${invoice.id}/${attempt}/captured`,
      kind: 'captured',
      currency: 'IDR',
      postings: captured(paid, applied),
      companyId: invoice.companyId,
      invoiceId: invoice.id,
      paymentId: id,
      gateway,
      at,
    });
    if (applied < paid) {
      await tx('payment_cases').insert({
        id: randomUUID(),
        key: `payment/${invoice.id}/${attempt}/${odd}`,
        kind: odd,
        gateway,
        reference,
        payment_id: id,
        invoice_id: invoice.id,
        amount_minor: paid - applied,
        currency: 'IDR',
        opened_at: at,
      });
    }
  });
  return { id, reference, transactionId, invoice, attempt, gateway };
}

/** A chargeback: the gateway took the whole capture back. */
export async function aTakeBack(db: Knex, of: Captured, at = MONDAY): Promise<void> {
  const { id, invoice, attempt, gateway } = of;
  await db.transaction(async (tx) => {
    const row: { paid_minor: bigint; applied_minor: bigint } | undefined = await tx('payments')
      .where({ id })
      .first('paid_minor', 'applied_minor');
    if (!row) throw new Error(`there is no payment ${id}`);
    await tx('payments').where({ id }).update({ state: 'reversed' });
    await tx('invoices')
      .where({ id: invoice.id })
      .update({ state: 'reversed', paid_minor: tx.raw('paid_minor - ?', [row.applied_minor.toString()]) });
    await postEntry(tx, {
      key: `payment/${invoice.id}/${attempt}/taken-back`,
      kind: 'taken_back',
      currency: 'IDR',
      postings: takenBack(row.paid_minor, row.applied_minor),
      companyId: invoice.companyId,
      invoiceId: invoice.id,
      paymentId: id,
      gateway,
      at,
    });
    await tx('payment_cases').insert({
      id: randomUUID(),
      key: `payment/${invoice.id}/${attempt}/reversed`,
      kind: 'reversed',
      gateway,
      reference: of.reference,
      payment_id: id,
      invoice_id: invoice.id,
      opened_at: at,
    });
  });
}

/** A refund of a part of the service fee by way of the gateway: owed, and paid where it has succeeded. */
export async function aBookedRefund(
  db: Knex,
  of: Captured,
  given: {
    amount: bigint;
    state: Extract<RefundState, 'reserved' | 'succeeded'>;
    gatewayRefundId?: string;
    at?: string;
  },
): Promise<RefundId> {
  const { amount, state, at = MONDAY, gatewayRefundId = null } = given;
  const { id: paymentId, invoice, gateway } = of;
  const id = asId<RefundId>(randomUUID());
  const about = {
    currency: 'IDR',
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    paymentId,
    refundId: id,
  } as const;
  const shares: Shares = { serviceMinor: amount, statutoryMinor: 0n, taxMinor: 0n };
  await db.transaction(async (tx) => {
    await tx('refunds').insert({
      id,
      payment_id: paymentId,
      invoice_id: invoice.id,
      company_id: invoice.companyId,
      state,
      amount_minor: amount,
      currency: 'IDR',
      source: 'invoice',
      reason: 'goodwill',
      needs_approval: false,
      channel: 'gateway',
      requested_at: at,
      gateway_refund_id: gatewayRefundId,
      updated_at: at,
    });
    const postings = refundReserved({ from: 'invoice', shares });
    await postEntry(tx, { ...about, key: `refund/${id}/reserved`, kind: 'refund_reserved', postings, gateway, at });
    if (state !== 'succeeded') return;
    const paid = refundPaid(amount, 'gateway_clearing');
    await postEntry(tx, { ...about, key: `refund/${id}/paid`, kind: 'refund_paid', postings: paid, gateway, at });
  });
  return id;
}
