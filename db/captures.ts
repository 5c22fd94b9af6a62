/** A capture in the books, and its being taken back and given back, which may alternate. */
import type { Knex } from 'knex';
import { captured, type EntryKind, takenBack } from '../domain/ledger.ts';
import type { Money } from '../domain/money.ts';
import type { InvoiceForPayment } from './invoices.ts';
import { postEntry } from './ledger.ts';
import { noteApplied, type Payment } from './payments.ts';

export interface Capture {
  readonly invoice: Pick<InvoiceForPayment, 'id' | 'companyId'>;
  readonly payment: Pick<Payment, 'id' | 'attempt' | 'gateway'>;
  /** In the currency in which it came. */
  readonly paid: Money;
  /** What of it pays the invoice; the rest waits in suspense. */
  readonly appliedMinor: bigint;
  /** When the gateway took or gave it, ISO 8601. */
  readonly at: string;
}

/** Enters money that came, or that came again after it had been taken back. */
export async function enterCapture(tx: Knex, capture: Capture): Promise<void> {
  const { paid, appliedMinor, payment } = capture;
  const times = await timesTakenBack(tx, payment.id);
  const postings = captured(paid.amountMinor, appliedMinor);
  if (times === 0) await enter(tx, capture, 'captured', 'captured', postings);
  else await enter(tx, capture, 'given_back', numbered('given-back', times), postings);
  await noteApplied(tx, payment.id, appliedMinor);
}

/** Enters that a capture was taken back, from where it stands now. */
export async function enterTakenBack(tx: Knex, capture: Capture): Promise<void> {
  const times = await timesTakenBack(tx, capture.payment.id);
  const postings = takenBack(capture.paid.amountMinor, capture.appliedMinor);
  await enter(tx, capture, 'taken_back', numbered('taken-back', times + 1), postings);
}

const numbered = (step: string, time: number): string => (time === 1 ? step : `${step}/${time}`);

const enter = (
  tx: Knex,
  { invoice, payment, paid, at }: Capture,
  kind: EntryKind,
  step: string,
  postings: ReturnType<typeof captured>,
): Promise<void> =>
  postEntry(tx, {
    key: `payment/${invoice.id}/${payment.attempt}/${step}`,
    kind,
    currency: paid.currency,
    postings,
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    paymentId: payment.id,
    gateway: payment.gateway,
    at,
  });

/** How often by now; under the lock on its invoice. Each coming follows a going, so this numbers both. */
async function timesTakenBack(tx: Knex, paymentId: Payment['id']): Promise<number> {
  const entries = tx('ledger_entries').where({ payment_id: paymentId, kind: 'taken_back' satisfies EntryKind });
  const [row] = await entries.count<{ count: bigint }[]>();
  return Number(row?.count ?? 0);
}
