/** An open invoice that nobody is going to pay any more. */
import type { Knex } from 'knex';
import type { InvoiceId } from '../domain/ids.ts';
import { money } from '../domain/money.ts';
import type { InvoiceState, MoneyPolicy } from '../domain/payments.ts';
import { recordEvent } from './events.ts';
import { type CollectedInvoice, lapseInvoice, lockCollected, subjectOf } from './invoice-payments.ts';
import { settleOddMoney } from './odd-money.ts';
import { findPayment } from './payments.ts';

export type ClosingPolicy = Pick<MoneyPolicy, 'refundApprovalAbove'>;

/** Closes an open invoice that is not to be paid any more, in the caller's transaction. @returns what it is then */
export const invoiceCloser =
  (policy: ClosingPolicy) =>
  async (tx: Knex, id: InvoiceId, at: string): Promise<InvoiceState> => {
    const invoice = await lockCollected(tx, id);
    return invoice.state === 'open' ? closeAsLapsed(tx, policy, invoice, at) : invoice.state;
  };

/** An open invoice that was not paid in full: it lapses, and what was paid of it in parts becomes a case each. */
export async function closeAsLapsed(
  tx: Knex,
  policy: ClosingPolicy,
  invoice: CollectedInvoice,
  at: string,
): Promise<InvoiceState> {
  await recordEvent(tx, { key: `payment/${invoice.id}/lapsed`, type: 'invoice.lapsed', ...subjectOf(invoice), at });
  const { state, parts } = await lapseInvoice(tx, invoice.id, at);
  for (const { reference, amountMinor } of parts) {
    const payment = await findPayment(tx, reference);
    const key = `payment/${invoice.id}/${payment.attempt}/case/lapsed-part`;
    const amount = money(amountMinor, invoice.total.currency);
    // Less than the invoice came, so it is short money, whatever the policy says of late money.
    await settleOddMoney(tx, { key, kind: 'short', invoice, payment, amount, at }, policy);
  }
  return state;
}
