/** Returns for tests, at the level of the record. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { applyToInvoice } from '../../db/invoice-payments.ts';
import { postEntry } from '../../db/ledger.ts';
import { openReturn } from '../../db/returns.ts';
import { asId, type InvoiceId, type PaymentId, type ReturnId } from '../../domain/ids.ts';
import { captured } from '../../domain/ledger.ts';
import {
  type Condition,
  DEFAULT_RETURN_POLICY,
  type Resolution,
  type ReturnPolicy,
  type ReturnReason,
  type ReturnUnitState,
} from '../../domain/returns.ts';
import type { BuiltOrder } from './orders.ts';

export interface ReturnGiven {
  readonly reason?: ReturnReason;
  readonly wanted?: Resolution;
  readonly policy?: Partial<ReturnPolicy>;
  /** How many of each item, in their order; absent = all. */
  readonly quantities?: readonly number[];
  readonly at?: string;
}

/** Asked for by who bought it. */
export async function aReturn(db: Knex, order: BuiltOrder, given: ReturnGiven = {}): Promise<ReturnId> {
  const {
    reason = 'no_longer_needed',
    wanted = 'refund',
    policy = {},
    quantities,
    at = new Date().toISOString(),
  } = given;
  const returnId = asId<ReturnId>(randomUUID());
  const items = order.items
    .map(({ id, quantity }, i) => ({ orderItemId: id, quantity: quantities?.[i] ?? quantity, reason }))
    .filter(({ quantity }) => quantity > 0);
  const { orderId, companyId, by } = order;
  const whole = { ...DEFAULT_RETURN_POLICY, ...policy };
  await db.transaction((tx) => openReturn(tx, { returnId, orderId, companyId, by, items, wanted, at, policy: whole }));
  return returnId;
}

/** As an inspection leaves the units that it is asked for; the order's units have come back then as well. */
export async function foundUnits(
  db: Knex,
  returnId: ReturnId,
  found: { readonly state?: ReturnUnitState; readonly condition?: Condition | null; readonly by?: string } = {},
): Promise<void> {
  const { state = 'accepted', condition = 'as_new', by = null } = found;
  await db('return_units').where({ return_id: returnId }).update({ state, condition, inspected_by: by });
}

/** One of several captures of an invoice. */
export async function aPartCapture(
  db: Knex,
  invoiceId: InvoiceId,
  {
    attempt,
    amountMinor,
    method = 'qris',
  }: { readonly attempt: number; readonly amountMinor: bigint; readonly method?: string },
): Promise<PaymentId> {
  const id = asId<PaymentId>(randomUUID());
  const at = new Date().toISOString();
  await db.transaction(async (tx) => {
    const invoice = await tx('invoices').where({ id: invoiceId }).first('currency', 'company_id');
    await tx('payments').insert({
      id,
      invoice_id: invoiceId,
      attempt,
      gateway: 'midtrans',
      method,
      gateway_reference: `${invoiceId}-${attempt}`,
      transaction_id: `T-${randomUUID()}`,
      state: 'paid',
      amount_minor: amountMinor,
      currency: invoice.currency,
      paid_minor: amountMinor,
      paid_currency: invoice.currency,
      applied_minor: amountMinor,
      created_at: at,
      expires_at: at,
      paid_at: at,
      updated_at: at,
    });
    await postEntry(tx, {
      key: `payment/${invoiceId}/${attempt}/captured`,
      kind: 'captured',
      currency: invoice.currency,
      postings: captured(amountMinor, amountMinor),
      companyId: invoice.company_id,
      invoiceId,
      paymentId: id,
      gateway: 'midtrans',
      at,
    });
    await applyToInvoice(tx, { invoiceId, amountMinor, at });
  });
  return id;
}
