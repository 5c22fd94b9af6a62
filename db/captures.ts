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
  const before = await timesOf(tx, capture.payment.id, 'captured');
  await enter(
    tx,
    capture,
    before === 0 ? 'captured' : 'given_back',
    captured(capture.paid.amountMinor, capture.appliedMinor),
  );
  await noteApplied(tx, capture.payment.id, capture.appliedMinor);
}

/** Enters that a capture was taken back, from where it stands now. */
export async function enterTakenBack(tx: Knex, capture: Capture): Promise<void> {
  await enter(tx, capture, 'taken_back', takenBack(capture.paid.amountMinor, capture.appliedMinor));
}

const STEPS = { captured: 'captured', taken_back: 'taken-back', given_back: 'given-back' } as const satisfies Partial<
  Record<EntryKind, string>
>;

async function enter(
  tx: Knex,
  { invoice, payment, paid, at }: Capture,
  kind: keyof typeof STEPS,
  postings: ReturnType<typeof captured>,
): Promise<void> {
  const time = (await timesOf(tx, payment.id, kind)) + 1;
  const key = `payment/${invoice.id}/${payment.attempt}/${STEPS[kind]}`;
  await postEntry(tx, {
    key: time === 1 ? key : `${key}/${time}`,
    kind,
    currency: paid.currency,
    postings,
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    paymentId: payment.id,
    gateway: payment.gateway,
    at,
  });
}

/** How often it has happened to a payment; under the lock on its invoice. */
async function timesOf(tx: Knex, paymentId: Payment['id'], kind: EntryKind): Promise<number> {
  const [row] = await tx('ledger_entries').where({ payment_id: paymentId, kind }).count<{ count: bigint }[]>();
  return Number(row?.count ?? 0);
}
