/** A session in Stripe's own words: the objects of the API, and the events that tell of them. */
import { newId, type Payment, type Refund, refundedSoFar, type Session } from './sessions.ts';

const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000);

export interface Expansion {
  /** The dotted paths of `expand[]`. */
  readonly expand: readonly string[];
  readonly url: string;
}

/** https://docs.stripe.com/api/checkout/sessions/object: what Alur reads of it and a little more. */
export function sessionBody(said: Session, { expand, url }: Expansion) {
  return {
    id: said.id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    amount_subtotal: said.amount,
    amount_total: said.amount,
    cancel_url: said.cancelUrl,
    client_reference_id: said.reference,
    created: seconds(said.createdAt),
    currency: said.currency,
    customer_details: said.email === null ? null : { email: said.email, name: null },
    customer_email: said.email,
    expires_at: seconds(said.expiresAt),
    livemode: false,
    locale: said.locale,
    metadata: said.metadata,
    mode: 'payment',
    payment_intent: intentOf(said, expand),
    allowed_payment_method_types: said.channels,
    payment_status: said.payment?.status === 'succeeded' ? 'paid' : 'unpaid',
    status: said.status,
    success_url: said.successUrl,
    ui_mode: 'hosted_page',
    // Only while the page takes money.
    url: said.status === 'open' ? url : null,
  };
}

/** Before the payer tries to pay there is no PaymentIntent. */
function intentOf(said: Session, expand: readonly string[]) {
  if (said.payment === null) return null;
  if (!isExpanded(expand, 'payment_intent')) return said.payment.intentId;
  return intentBody(said, said.payment, below(expand, 'payment_intent'));
}

const isExpanded = (expand: readonly string[], field: string): boolean =>
  expand.some((path) => path === field || path.startsWith(`${field}.`));

/** The paths within a field. */
export const below = (expand: readonly string[], field: string): string[] =>
  expand.filter((path) => path.startsWith(`${field}.`)).map((path) => path.slice(field.length + 1));

export function intentBody(said: Session, made: Payment, expand: readonly string[] = []) {
  return {
    id: made.intentId,
    object: 'payment_intent',
    amount: said.amount,
    amount_received: made.status === 'succeeded' ? said.amount : 0,
    created: seconds(said.createdAt),
    currency: said.currency,
    latest_charge: isExpanded(expand, 'latest_charge')
      ? chargeBody(said, made, below(expand, 'latest_charge'))
      : made.chargeId,
    livemode: false,
    metadata: said.intentMetadata,
    allowed_payment_method_types: said.channels,
    ...(said.onFile === null ? {} : { customer: said.onFile.customer, payment_method: said.onFile.method }),
    last_payment_error:
      made.declineCode === null
        ? null
        : {
            type: 'card_error',
            code: 'card_declined',
            decline_code: made.declineCode,
            message: 'Your card was declined.',
          },
    status: INTENT_STATUS[made.status],
  };
}

const INTENT_STATUS = {
  declined: 'requires_payment_method',
  failed: 'requires_payment_method',
  processing: 'processing',
  succeeded: 'succeeded',
} as const;

const CHARGE_STATUS = { declined: 'failed', failed: 'failed', processing: 'pending', succeeded: 'succeeded' } as const;

export function chargeBody(said: Session, made: Payment, expand: readonly string[] = []) {
  const refunded = refundedSoFar(made);
  return {
    id: made.chargeId,
    object: 'charge',
    amount: said.amount,
    amount_captured: made.status === 'succeeded' ? said.amount : 0,
    amount_refunded: refunded,
    balance_transaction: balanceTransaction(said, made, isExpanded(expand, 'balance_transaction')),
    captured: made.status === 'succeeded',
    created: seconds(made.chargedAt),
    currency: said.currency,
    disputed: made.dispute !== null,
    livemode: false,
    metadata: said.intentMetadata,
    paid: made.status === 'succeeded',
    payment_intent: made.intentId,
    payment_method_details: { type: made.channel },
    refunded: refunded === said.amount,
    ...(isExpanded(expand, 'refunds') ? { refunds: refundsOf(said, made) } : {}),
    status: CHARGE_STATUS[made.status],
  };
}

function balanceTransaction(said: Session, { chargeId, succeededAt }: Payment, whole: boolean) {
  if (succeededAt === null) return null;
  const id = `txn_${chargeId.slice(3)}`;
  if (!whole) return id;
  return { id, object: 'balance_transaction', amount: said.amount, created: seconds(succeededAt), type: 'charge' };
}

/** Ten of them, newest first; the rest is in the list. */
function refundsOf(said: Session, made: Payment) {
  const all = made.refunds.toReversed().map((one) => refundBody(said, made, one));
  return listBody(`/v1/charges/${made.chargeId}/refunds`, all.slice(0, 10), all.length > 10);
}

/** A refund has the metadata it was made with, not its payment's. */
export const refundBody = (
  said: Session,
  made: Payment,
  { id, amount, status, reason, metadata, createdAt }: Refund,
) => ({
  id,
  object: 'refund',
  amount,
  charge: made.chargeId,
  created: seconds(createdAt),
  currency: said.currency,
  metadata,
  payment_intent: made.intentId,
  reason,
  status,
  ...(status === 'failed' ? { failure_reason: 'expired_or_canceled_card' } : {}),
  ...(status === 'pending' ? { pending_reason: 'processing' } : {}),
});

export const disputeBody = (
  said: Session,
  made: Payment,
  { id, createdAt, status }: NonNullable<Payment['dispute']>,
) => ({
  id,
  object: 'dispute',
  amount: said.amount,
  charge: made.chargeId,
  created: seconds(createdAt),
  currency: said.currency,
  livemode: false,
  metadata: {},
  payment_intent: made.intentId,
  reason: 'fraudulent',
  status,
});

/** https://docs.stripe.com/api/events/object */
export const eventBody = (type: string, object: object, now: Date) => ({
  id: newId('evt'),
  object: 'event',
  api_version: '2026-10-28.endive',
  created: Math.floor(now.getTime() / 1000),
  data: { object },
  livemode: false,
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  type,
});

export const listBody = (url: string, data: readonly object[], hasMore: boolean) => ({
  object: 'list',
  data,
  has_more: hasMore,
  url,
});
