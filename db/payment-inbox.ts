import type { Knex } from 'knex';
import { asId, type InvoiceId, type PaymentId, type RefundId } from '../domain/ids.ts';
import type { GatewayName } from '../domain/payments.ts';
import { REFUND_STATES_AT_GATEWAY } from '../domain/refunds.ts';
import { openPaymentCase } from './payment-cases.ts';
import { prepared } from './prepared.ts';
import { isUuid } from './uuids.ts';

export interface NewNotice {
  readonly gateway: GatewayName;
  /** `payments.gatewayReference` or a refund's key, as the gateway repeats it; or its own name of the transaction. */
  readonly reference: string;
  readonly objectId: string;
  readonly status: string;
  readonly body: unknown;
  /** ISO 8601. */
  readonly at: string;
}

export interface ReceivedNotice {
  readonly inboxId: string;
  /** Whose process to wake; null when nothing of ours has this reference: then finance has a case. */
  readonly invoiceId: InvoiceId | null;
  /** Our own name of the payment, also where the gateway named its transaction instead. */
  readonly reference: string;
  /** The refund that it is about: then its process alone need hear of it. */
  readonly refundId: RefundId | null;
  /** Refunds of the payment that the gateway may have news of. */
  readonly refundIds: readonly RefundId[];
  /** A process has looked into it: a repeat needs nothing more. Else tell it, again if need be. */
  readonly handled: boolean;
}

/**
 * Stores what a gateway told, once for each object and status, before anything acts on it: one statement, for gateways wait
 * and may come in crowds. What belongs to nothing of ours becomes a case in the same transaction: it is never dropped.
 */
export async function receiveNotice(db: Knex, notice: NewNotice): Promise<ReceivedNotice> {
  const { gateway, reference, objectId, status, body, at } = notice;
  const refundKey = isUuid(reference) ? reference : null;
  const values = [gateway, reference, objectId, status, JSON.stringify(body), at, refundKey];
  const [stored] = await prepared<StoredNotice>(db, STORE, values);
  if (!stored) return storeUnknown(db, notice);
  const refundId = stored.refund_id === null ? null : asId<RefundId>(stored.refund_id);
  return {
    inboxId: String(stored.id),
    invoiceId: asId<InvoiceId>(stored.invoice_id),
    reference: stored.gateway_reference,
    refundId,
    refundIds: refundId ? [refundId] : stored.refund_ids.map((id) => asId<RefundId>(id)),
    handled: stored.handled,
  };
}

interface StoredNotice {
  readonly id: bigint;
  readonly handled: boolean;
  readonly invoice_id: string;
  readonly gateway_reference: string;
  readonly refund_id: string | null;
  readonly refund_ids: readonly string[];
}

export const AT_GATEWAY = REFUND_STATES_AT_GATEWAY.map((state) => `'${state}'`).join(', ');

/**
 * No row = the notice is about nothing of ours, and was not stored. Of one object and status the first body is kept, unless
 * another one names another payment: who knows Xendit's token can write any body, and must not keep the true one out.
 */
const STORE = {
  name: 'store-notice',
  text: `with payment as (
    select id from payments where gateway_reference = $2 and gateway = $1
    union all
    -- A gateway's own disputes and refunds name its transaction and not our reference.
    select id from payments where gateway = $1 and transaction_id = $2
    limit 1
  ), refund as (
    select r.id, r.payment_id from refunds r join payments p on p.id = r.payment_id where r.id = $7 and p.gateway = $1
    union all
    select r.id, r.payment_id from refunds r join payments p on p.id = r.payment_id
      where r.gateway_refund_id = $3 and p.gateway = $1
    limit 1
  ), found as (
    select coalesce((select payment_id from refund), (select id from payment)) as payment_id, (select id from refund) as refund_id
  ), stored as (
    insert into payment_inbox as i (gateway, object_id, status, reference, payment_id, refund_id, body, received_at)
      select $1, $3, $4, $2, payment_id, refund_id, $5, $6 from found where payment_id is not null
    on conflict (gateway, object_id, status) do update set
      body = case when i.payment_id is not distinct from excluded.payment_id then i.body else excluded.body end,
      handled_at = case when i.payment_id is not distinct from excluded.payment_id then i.handled_at end,
      reference = excluded.reference, payment_id = excluded.payment_id, refund_id = excluded.refund_id
    returning i.id, i.handled_at, i.payment_id, i.refund_id
  )
  select s.id, s.handled_at is not null as handled, p.invoice_id, p.gateway_reference, s.refund_id,
    array(select r.id from refunds r where r.payment_id = s.payment_id and r.state in (${AT_GATEWAY})) as refund_ids
  from stored s join payments p on p.id = s.payment_id`,
} as const;

async function storeUnknown(db: Knex, notice: NewNotice): Promise<ReceivedNotice> {
  const { gateway, reference, objectId, status } = notice;
  return db.transaction(async (tx) => {
    await tx('payment_inbox')
      .insert({
        gateway,
        reference,
        object_id: objectId,
        status,
        body: JSON.stringify(notice.body),
        received_at: notice.at,
      })
      .onConflict(['gateway', 'object_id', 'status'])
      .ignore();
    await openPaymentCase(tx, {
      key: `unknown/${gateway}/${objectId}`,
      kind: 'unknown_object',
      gateway,
      reference,
      at: notice.at,
    });
    const row: { id: bigint } | undefined = await tx('payment_inbox')
      .where({ gateway, object_id: objectId, status })
      .first('id');
    if (!row) throw new Error(`the notice ${objectId} (${status}) was neither stored nor found`);
    return { inboxId: String(row.id), invoiceId: null, reference, refundId: null, refundIds: [], handled: false };
  });
}

/** A notice about a refund is done with once the refund's process has it: the process asks for itself until the end. */
export async function markRefundNoticesHandled(db: Knex, inboxIds: readonly string[], at: string): Promise<void> {
  await db('payment_inbox')
    .whereIn('id', [...inboxIds])
    .whereNull('handled_at')
    .update({ handled_at: at });
}

/** Notes that the gateway was asked after these notices came: a repeat of one of them needs nothing more. */
export async function markNoticesHandled(
  tx: Knex,
  about: { readonly paymentId: PaymentId } | { readonly refundId: RefundId },
  upTo: string,
  at: string,
): Promise<void> {
  await tx('payment_inbox')
    .where('paymentId' in about ? { payment_id: about.paymentId } : { refund_id: about.refundId })
    .where('id', '<=', upTo)
    .whereNull('handled_at')
    .update({ handled_at: at });
}
