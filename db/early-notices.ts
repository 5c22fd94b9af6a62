/**
 * Notices that name a payment by the gateway's own transaction before Alur had learnt that name: a dispute or a refund that
 * comes within the moment of its payment. They lie in the inbox as unknown objects until the payment tells whose they are.
 */
import type { Knex } from 'knex';
import type { PaymentCaseId, PaymentId } from '../domain/ids.ts';
import type { GatewayName } from '../domain/payments.ts';
import { closeCleared } from './payment-cases.ts';

/**
 * Gives a payment the notices that had come too early for it, in the transaction that learns its transaction's name. They
 * count as unheard, so the sweep tells the process of each; their cases close, for the object is known now.
 */
export async function adoptEarlyNotices(
  tx: Knex,
  payment: { readonly id: PaymentId; readonly gateway: GatewayName; readonly transactionId: string },
  at: string,
): Promise<void> {
  const { id, gateway, transactionId } = payment;
  const adopted: { object_id: string }[] = await tx('payment_inbox')
    .where({ gateway, reference: transactionId })
    .whereNull('payment_id')
    .whereNull('refund_id')
    .update({ payment_id: id, handled_at: null, told_at: null })
    .returning('object_id');
  const keys = [...new Set(adopted.map(({ object_id }) => `unknown/${gateway}/${object_id}`))];
  const cases: { id: PaymentCaseId; key: string }[] =
    keys.length === 0
      ? []
      : await tx('payment_cases').whereIn('key', keys).where({ state: 'open' }).select('id', 'key');
  for (const found of cases) await closeCleared(tx, found.id, 'adopted', at);
}
