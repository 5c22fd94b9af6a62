import type { Knex } from 'knex';
import type { PaymentId, RefundId } from '../domain/ids.ts';
import { type Currency, type Money, money } from '../domain/money.ts';

/** A refund that we count as arrived through its gateway. */
export interface GatewayRefundOf {
  readonly key: RefundId;
  readonly refundId: string | null;
  readonly amount: Money;
}

export async function gatewayRefundsOf(db: Knex, paymentId: PaymentId): Promise<GatewayRefundOf[]> {
  const rows: { key: RefundId; refundId: string | null; amountMinor: bigint; currency: Currency }[] = await db(
    'refunds',
  )
    .where({ payment_id: paymentId, channel: 'gateway', state: 'succeeded' })
    .orderBy('requested_at')
    .select({ key: 'id', refundId: 'gateway_refund_id', amountMinor: 'amount_minor', currency: 'currency' });
  return rows.map(({ key, refundId, amountMinor, currency }) => ({
    key,
    refundId,
    amount: money(amountMinor, currency),
  }));
}
