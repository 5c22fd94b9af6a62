import type { Knex } from 'knex';
import type { InvoiceId, PaymentId } from '../domain/ids.ts';
import type { GatewayName } from '../domain/payments.ts';
import { openPaymentCase } from './payment-cases.ts';

export interface NewNotice {
  readonly gateway: GatewayName;
  /** `payments.gatewayReference`, as the gateway repeats it. */
  readonly reference: string;
  readonly objectId: string;
  readonly status: string;
  readonly body: unknown;
  /** ISO 8601. */
  readonly at: string;
}

export interface ReceivedNotice {
  readonly inboxId: string;
  /** Whose process to wake; null when no payment has this reference: then finance has a case. */
  readonly invoiceId: InvoiceId | null;
  /** Our own name of the payment, also where the gateway named its transaction instead. */
  readonly reference: string;
  /** A process has looked into it: a repeat needs nothing more. Else signal it, again if need be. */
  readonly handled: boolean;
}

/**
 * Stores what a gateway told, once for each object and status, before anything acts on it. Money for an unknown
 * reference becomes a case in the same transaction: it is never dropped.
 */
export async function receiveNotice(db: Knex, notice: NewNotice): Promise<ReceivedNotice> {
  return db.transaction(async (trx) => {
    const payment: { id: PaymentId; invoice_id: InvoiceId; gateway_reference: string } | undefined = await trx(
      'payments',
    )
      .where({ gateway: notice.gateway })
      // A gateway's own disputes and refunds name its transaction and not our reference.
      .where((own) => own.where({ gateway_reference: notice.reference }).orWhere({ transaction_id: notice.reference }))
      .first('id', 'invoice_id', 'gateway_reference');
    const stored = await insertOnce(trx, notice, payment?.id ?? null);
    if (!payment) await openUnknown(trx, notice);
    const reference = payment?.gateway_reference ?? notice.reference;
    return { ...stored, reference, invoiceId: payment?.invoice_id ?? null };
  });
}

async function insertOnce(trx: Knex, notice: NewNotice, paymentId: PaymentId | null) {
  const key = { gateway: notice.gateway, object_id: notice.objectId, status: notice.status };
  const inserted: StoredNotice[] = await trx('payment_inbox')
    .insert({
      ...key,
      reference: notice.reference,
      payment_id: paymentId,
      body: JSON.stringify(notice.body),
      received_at: notice.at,
    })
    .onConflict(['gateway', 'object_id', 'status'])
    .ignore()
    .returning(['id', 'handled_at']);
  const stored: StoredNotice[] =
    inserted.length > 0 ? inserted : await trx('payment_inbox').where(key).select('id', 'handled_at');
  const [row] = stored;
  if (!row) throw new Error(`the notice ${key.object_id} (${key.status}) was neither stored nor found`);
  return { inboxId: String(row.id), handled: row.handled_at !== null };
}

interface StoredNotice {
  readonly id: bigint;
  readonly handled_at: Date | null;
}

const openUnknown = (trx: Knex, notice: NewNotice) =>
  openPaymentCase(trx, {
    key: `unknown/${notice.gateway}/${notice.objectId}`,
    kind: 'unknown_object',
    gateway: notice.gateway,
    reference: notice.reference,
    at: notice.at,
  });
