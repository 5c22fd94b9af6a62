/** The Core API, `/v2`: what happened to a transaction, and the merchant's own moves. HTTP says 200 to most refusals. */
import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { z } from 'zod';
import type { Reply } from '../faults.ts';
import { CHANNELS, choose, expire, hasTransaction, type Order, opened, refundRefusal, refundSome } from './orders.ts';
import { rupiah, statusBody } from './wire.ts';

export interface CoreOptions {
  readonly clock: () => Date;
  /** By order_id or transaction_id, as of now. */
  readonly find: (id: string) => Order | undefined;
  /** Stores it and notifies the merchant. */
  readonly change: (order: Order) => void;
  /** The same for a refund, of which the confirmation is notified separately. */
  readonly changeRefund: (order: Order) => void;
}

type Work = (req: Request) => Reply;

export function createCoreApi(options: CoreOptions) {
  return {
    charge: charge(options),
    status: onTransaction(options, (order) => found(order)),
    cancel: move(options, 'Success, transaction is canceled', (order) => {
      const may = order.status === 'pending' || order.status === 'capture';
      return may ? { ...order, status: 'cancel' } : null;
    }),
    expire: move(options, 'Success, transaction has expired', (order) =>
      order.status === 'pending' ? expire(order) : null,
    ),
    approve: move(options, 'Success, transaction is approved', (order) =>
      isChallenged(order) ? { ...order, fraudStatus: 'accept' } : null,
    ),
    deny: move(options, 'Success, transaction is denied', (order) =>
      isChallenged(order) ? { ...order, status: 'deny', fraudStatus: 'deny' } : null,
    ),
    refund: refund(options),
  };
}

const isChallenged = ({ status, fraudStatus }: Order): boolean => status === 'capture' && fraudStatus === 'challenge';

export const refusal = (code: string, message: string): Reply => ({
  status: code === '404' || code === '401' ? Number(code) : 200,
  body: { status_code: code, status_message: message, id: randomUUID() },
});

function onTransaction({ find }: CoreOptions, work: (order: Order, req: Request) => Reply): Work {
  return (req) => {
    const order = find(String(req.params.id));
    // A page on which nobody has chosen a channel is no transaction yet.
    if (order === undefined || !hasTransaction(order)) return refusal('404', "Transaction doesn't exist.");
    return work(order, req);
  };
}

const found = (order: Order, more: object = {}): Reply => ({ status: 200, body: { ...statusBody(order), ...more } });

function move(options: CoreOptions, message: string, next: (order: Order) => Order | null): Work {
  return onTransaction(options, (order) => {
    const moved = next(order);
    if (moved === null) return refusal('412', 'Merchant cannot modify the status of the transaction');
    options.change(moved);
    return found(moved, { status_message: message });
  });
}

const refundRequest = z.object({
  refund_key: z.string().min(1).optional(),
  amount: z.number().int().positive().optional(),
  reason: z.string().max(255).default(''),
});

function refund(options: CoreOptions): Work {
  return onTransaction(options, (order, req) => {
    const parsed = refundRequest.safeParse(req.body ?? {});
    if (!parsed.success) return refusal('400', 'One or more parameters in the payload is invalid.');
    const { refund_key: key = randomUUID(), amount, reason } = parsed.data;
    const refused = refundRefusal(order, key, amount);
    if (refused !== null) return refusal(refused, REFUND_MESSAGES[refused]);
    const refunded = refundSome(order, { key, amount, reason }, options.clock());
    options.changeRefund(refunded);
    const made = refunded.refunds.length;
    return found(refunded, {
      status_message: 'Success, refund request is approved',
      refund_chargeback_id: made,
      refund_amount: rupiah(refunded.refunds[made - 1]?.amount ?? 0),
      refund_key: key,
    });
  });
}

const REFUND_MESSAGES = {
  '406': 'Refund key has already been used.',
  '412': 'Transaction status cannot be updated.',
  '414': 'Refund request is rejected due to invalid amount.',
} as const;

const chargeRequest = z.object({
  payment_type: z.string(),
  transaction_details: z.object({
    order_id: z.string().regex(/^[A-Za-z0-9._~-]{1,50}$/),
    gross_amount: z.number().int().min(1),
  }),
  bank_transfer: z.object({ bank: z.string() }).optional(),
});

const CHARGED_CHANNEL = new Map([
  ['bank_transfer:bca', 'bca_va'],
  ['qris', 'qris'],
  ['gopay', 'gopay'],
  ['shopeepay', 'shopeepay'],
]);

function charge({ clock, find, change }: CoreOptions): Work {
  return (req) => {
    const parsed = chargeRequest.safeParse(req.body);
    if (!parsed.success) return refusal('400', 'One or more parameters in the payload is invalid.');
    const { payment_type: type, bank_transfer: transfer, transaction_details: details } = parsed.data;
    const channel = CHARGED_CHANNEL.get(type === 'bank_transfer' ? `${type}:${transfer?.bank}` : type);
    if (channel === undefined) return refusal('402', 'Payment channel is not activated.');
    if (find(details.order_id) !== undefined) {
      return refusal('406', 'order_id has been paid and utilized, please use another order ID');
    }
    const charged = choose(chargedOrder(details, clock()), channel, clock());
    change(charged);
    return found(charged, { status_message: 'Success, transaction is created' });
  };
}

function chargedOrder(details: z.infer<typeof chargeRequest>['transaction_details'], now: Date): Order {
  const tomorrow = new Date(now.getTime() + 24 * 3_600_000);
  const given = { items: [], locale: 'id' as const, finishUrl: null, channels: [...CHANNELS] };
  return opened(
    { ...given, orderId: details.order_id, grossAmount: details.gross_amount },
    { now, pageExpiresAt: tomorrow, expiresAt: tomorrow },
  );
}
