/**
 * Reads a Midtrans notification off the wire. Pure: storing it, signalling and answering are the route's.
 * https://docs.midtrans.com/docs/https-notification-webhooks
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { jsonOf, type NotificationReading } from './notification.ts';

const signed = z.object({
  order_id: z.string().min(1),
  status_code: z.string(),
  gross_amount: z.string(),
  signature_key: z.string().default(''),
});

const refund = z.object({
  refund_key: z.string().optional(),
  refund_chargeback_id: z.union([z.string(), z.number()]).optional(),
  bank_confirmed_at: z.string().nullish(),
});

const step = z.object({
  transaction_id: z.string().min(1),
  transaction_status: z.string().min(1),
  fraud_status: z.string().optional(),
  refunds: z.array(refund).default([]),
});

/**
 * `ok` = Midtrans wrote order_id, status_code and gross_amount. **Nothing else is signed**: transaction_status,
 * refunds and the rest can be altered by whoever has seen one genuine notification, so confirm by a look-up before acting.
 * @param rawBody the bytes as received; a re-serialised body may write numbers otherwise than they were signed.
 */
export function readMidtransNotification(rawBody: Buffer, serverKey: string): NotificationReading {
  const body = jsonOf(rawBody);
  const claim = signed.safeParse(body);
  if (!claim.success) return { ok: false, problem: 'malformed' };
  if (!isSigned(claim.data, serverKey)) return { ok: false, problem: 'bad_signature' };
  const said = step.safeParse(body);
  if (!said.success) return { ok: false, problem: 'malformed' };
  return {
    ok: true,
    notification: {
      gateway: 'midtrans',
      reference: claim.data.order_id,
      objectId: said.data.transaction_id,
      status: statusOf(said.data, claim.data.status_code),
      body,
    },
  };
}

/** sha512hex(order_id + status_code + gross_amount + serverKey), on the literal strings ("10000.00", not 10000). */
function isSigned(claim: z.infer<typeof signed>, serverKey: string): boolean {
  const expected = createHash('sha512')
    .update(claim.order_id + claim.status_code + claim.gross_amount + serverKey)
    .digest();
  // Buffer.from stops quietly at the first character that is not hex, so the length alone proves nothing.
  if (!/^[0-9a-f]{128}$/i.test(claim.signature_key)) return false;
  return timingSafeEqual(Buffer.from(claim.signature_key, 'hex'), expected);
}

function statusOf(said: z.infer<typeof step>, statusCode: string): string {
  const fraud = said.fraud_status === undefined ? [] : [said.fraud_status.toLowerCase()];
  const refunds = said.refunds.map(
    ({ refund_key, refund_chargeback_id, bank_confirmed_at }) =>
      `${refund_key ?? refund_chargeback_id ?? 'refund'}:${bank_confirmed_at ? 'confirmed' : 'requested'}`,
  );
  return [said.transaction_status.toLowerCase(), ...fraud, statusCode, ...refunds].join('/');
}
