/**
 * Midtrans' words, translated: what it answers about a transaction, and how it writes amounts and times.
 * https://docs.midtrans.com/reference/get-transaction-status
 */
import { z } from 'zod';
import { isCurrency, type Money, money } from '../../domain/money.ts';
import type { GatewayPayment, GatewayPaymentState } from '../../domain/payments.ts';

/** Every answer of the Core API. HTTP may say 200 while `status_code` says 404: only the body counts. */
export const coreAnswer = z.object({ status_code: z.coerce.string(), status_message: z.string().optional() });

// Some channels (BSI, QRIS of some acquirers) shout their states.
const word = z.string().transform((value) => value.toLowerCase());

export const transaction = z.object({
  status_code: z.coerce.string(),
  // Not compared with what was asked for: some channels repeat the transaction_id here.
  order_id: z.string(),
  transaction_id: z.string(),
  transaction_status: word,
  fraud_status: word.optional(),
  payment_type: word,
  gross_amount: z.string(),
  currency: z.string().default('IDR'),
  transaction_time: z.string().optional(),
  settlement_time: z.string().optional(),
  va_numbers: z.array(z.object({ bank: word })).optional(),
  permata_va_number: z.string().optional(),
  store: word.optional(),
});
export type Transaction = z.infer<typeof transaction>;

const refundEntry = z.object({
  refund_key: z.string().optional(),
  refund_amount: z.coerce.string(),
  bank_confirmed_at: z.string().nullish(),
});
export type RefundEntry = z.infer<typeof refundEntry>;

/** The same with its refunds, read apart: an odd refund must not hide what became of the payment. */
export const refundedTransaction = transaction
  .pick({
    transaction_status: true,
    payment_type: true,
    gross_amount: true,
    currency: true,
    va_numbers: true,
    store: true,
  })
  .extend({ refunds: z.array(refundEntry).default([]) });
export type RefundedTransaction = z.infer<typeof refundedTransaction>;

/** @throws RangeError when the amount, currency, time or state is not one we know how to read. */
export function toGatewayPayment(said: Transaction): GatewayPayment {
  const state = stateOf(said);
  const took = TOOK_MONEY.has(state);
  return {
    state,
    paid: took ? parseAmount(said.gross_amount, said.currency) : null,
    paidAt: took ? parseTime(said.settlement_time ?? said.transaction_time) : null,
    transactionId: said.transaction_id,
    method: methodOf(said),
  };
}

const TOOK_MONEY: ReadonlySet<GatewayPaymentState> = new Set(['paid', 'reversed', 'refunded']);

function stateOf(said: Transaction): GatewayPaymentState {
  switch (said.transaction_status) {
    case 'pending':
    case 'authorize':
      return 'pending';
    case 'capture':
    case 'settlement':
      return paidOrHeld(said);
    case 'partial_refund':
      // The rest is still ours, and how much went back is the refund's story.
      return 'paid';
    case 'expire':
      return 'expired';
    case 'deny':
    case 'cancel':
    case 'failure':
      // A denial after settlement takes the money back (VA channels, within minutes).
      return said.settlement_time === undefined ? 'failed' : 'reversed';
    case 'refund':
      return 'refunded';
    case 'chargeback':
    case 'partial_chargeback':
      return 'reversed';
    default:
      throw new RangeError(`the state "${said.transaction_status}" is not one of Midtrans' documented ones`);
  }
}

/** A capture under review ("challenge") answers 201 and is nobody's money yet. */
function paidOrHeld(said: Transaction): GatewayPaymentState {
  if (said.fraud_status === 'deny') return 'failed';
  const accepted = said.fraud_status === undefined || said.fraud_status === 'accept';
  return accepted && said.status_code === '200' ? 'paid' : 'pending';
}

/** `bca_va`, `qris`, `credit_card`, the shop's name for a counter. */
export function methodOf(said: Pick<Transaction, 'payment_type' | 'va_numbers' | 'store'>): string {
  if (said.payment_type === 'bank_transfer') return `${said.va_numbers?.[0]?.bank ?? 'permata'}_va`;
  if (said.payment_type === 'cstore') return said.store ?? 'cstore';
  return said.payment_type;
}

/** `"10000.00"` → 10000 rupiah, exactly. @throws RangeError on fractions of a rupiah and foreign currencies. */
export function parseAmount(text: string, currency: string): Money {
  const whole = /^(\d{1,15})(?:\.0{1,2})?$/.exec(text)?.[1];
  if (whole === undefined) throw new RangeError('the amount is not a whole number of rupiah');
  if (!isCurrency(currency) || currency !== 'IDR') throw new RangeError('the currency is not IDR');
  return money(BigInt(whole), currency);
}

/** `"2025-12-05 14:49:38"`, always Jakarta's time → ISO 8601. */
export function parseTime(text: string | undefined): string | null {
  if (text === undefined) return null;
  const at = new Date(`${text.slice(0, 19).replace(' ', 'T')}+07:00`);
  if (Number.isNaN(at.getTime())) throw new RangeError('the time is not written as YYYY-MM-DD HH:mm:ss');
  return at.toISOString();
}

/** ISO 8601 → `"2025-12-05 14:49:38 +0700"`, as `expiry.start_time` wants it. */
export function formatTime(iso: string): string {
  const jakarta = new Date(new Date(iso).getTime() + 7 * 3_600_000).toISOString();
  return `${jakarta.slice(0, 10)} ${jakarta.slice(11, 19)} +0700`;
}
