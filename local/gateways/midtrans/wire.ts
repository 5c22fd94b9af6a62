/** An order in Midtrans' own words: answers of the Core API, and notifications with their signature. */
import { createHash } from 'node:crypto';
import { type Order, type Refund, refundedSoFar } from './orders.ts';

const PAYMENT_TYPE = {
  bca_va: 'bank_transfer',
  qris: 'qris',
  gopay: 'gopay',
  shopeepay: 'shopeepay',
  credit_card: 'credit_card',
} as const;

/** The body of `GET /v2/{id}/status`; null while there is no transaction. */
export function statusBody(order: Order) {
  const body = transactionBody(order);
  if (body === null) return null;
  return { status_code: statusCode(order), status_message: 'Success, transaction is found', ...body };
}

/**
 * The JSON that is POSTed to the merchant; null while there is no transaction to speak of.
 * @param code other than the status' own: a refund that the bank denies is told with 202
 */
export function notificationBody(order: Order, serverKey: string, code = notificationCode(order)) {
  const body = transactionBody(order);
  if (body === null) return null;
  return {
    status_code: code,
    status_message: 'midtrans payment notification',
    signature_key: signature(order.orderId, code, body.gross_amount, serverKey),
    ...body,
  };
}

// As documented for the expiry notification: 202 there, 407 when asked.
const notificationCode = (order: Order): string => (order.status === 'expire' ? '202' : statusCode(order));

export const signature = (orderId: string, code: string, grossAmount: string, serverKey: string): string =>
  createHash('sha512')
    .update(orderId + code + grossAmount + serverKey)
    .digest('hex');

function transactionBody(order: Order) {
  if (order.transactionId === null || order.transactionTime === null || order.channel === null) return null;
  const { channel, fraudStatus, settlementTime, vaNumber, refunds } = order;
  return {
    transaction_id: order.transactionId,
    order_id: order.orderId,
    merchant_id: 'G000000001',
    gross_amount: rupiah(order.grossAmount),
    currency: 'IDR',
    payment_type: PAYMENT_TYPE[channel],
    transaction_time: jakarta(order.transactionTime),
    transaction_status: order.status,
    ...(fraudStatus === null ? {} : { fraud_status: fraudStatus }),
    ...(settlementTime === null ? {} : { settlement_time: jakarta(settlementTime) }),
    ...(vaNumber === null ? {} : { va_numbers: [{ bank: 'bca', va_number: vaNumber }] }),
    ...(channel === 'qris' ? { acquirer: 'gopay' } : {}),
    ...(refunds.length === 0 ? {} : refundFields(order)),
    expiry_time: jakarta(order.expiresAt),
  };
}

/** A refund that failed is not listed; the numbers of the others stay. */
function refundFields(order: Order) {
  return {
    refund_amount: rupiah(refundedSoFar(order)),
    refunds: order.refunds.flatMap((made, index) => (made.failedAt === null ? [refundEntry(made, index + 1)] : [])),
  };
}

const refundEntry = (made: Refund, number: number) => ({
  refund_chargeback_id: number,
  refund_amount: rupiah(made.amount),
  created_at: jakarta(made.createdAt),
  reason: made.reason,
  refund_key: made.key,
  ...(made.bankConfirmedAt === null ? {} : { bank_confirmed_at: jakarta(made.bankConfirmedAt) }),
});

export function statusCode({ status, fraudStatus }: Order): string {
  switch (status) {
    case 'created':
    case 'page_expired':
      return '404';
    case 'pending':
      return '201';
    case 'capture':
      return fraudStatus === 'challenge' ? '201' : '200';
    case 'settlement':
    case 'refund':
    case 'partial_refund':
    case 'chargeback':
    case 'cancel':
      return '200';
    case 'expire':
      return '407';
    case 'deny':
    case 'failure':
      return '202';
  }
}

export const rupiah = (amount: number): string => `${amount}.00`;

/** `YYYY-MM-DD HH:mm:ss`, Jakarta's time, no offset: as Midtrans writes every time in an answer. */
export const jakarta = (iso: string): string =>
  new Date(new Date(iso).getTime() + 7 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
