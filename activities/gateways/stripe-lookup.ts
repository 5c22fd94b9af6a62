/** Asking Stripe about one payment, and saying so where its answer cannot be understood. */
import type { Stripe } from 'stripe';
import type { GatewayPayment } from '../../domain/payments.ts';
import { GatewayError } from './gateway.ts';
import type { Question } from './stripe-client.ts';
import { sessionWithPayment, toGatewayPayment } from './stripe-wire.ts';

export const LOOKING_UP: Question = { purpose: 'look up a payment', method: 'GET' };

/** What a session and its payment say now. */
export async function tell(stripe: Stripe, id: string): Promise<GatewayPayment> {
  const answer = await stripe.checkout.sessions.retrieve(id, {
    expand: ['payment_intent.latest_charge.balance_transaction'],
  });
  const parsed = sessionWithPayment.safeParse(answer);
  if (!parsed.success) throw unreadableAnswer('it is not a Checkout Session', LOOKING_UP);
  const intent = parsed.data.payment_intent;
  const disputes = await disputeStates(stripe, intent?.id, intent?.latest_charge?.disputed ?? false);
  return readable(LOOKING_UP, () => toGatewayPayment(parsed.data, disputes));
}

/** Asked only where there is a dispute: nearly never. */
export async function disputeStates(
  stripe: Stripe,
  intentId: string | undefined,
  isDisputed: boolean,
): Promise<string[]> {
  if (!isDisputed || intentId === undefined) return [];
  const { data } = await stripe.disputes.list({ payment_intent: intentId, limit: 100 });
  return data.map(({ status }) => status);
}

/** What cannot be read in an answer is an answer that cannot be read. */
export function readable<T>(asked: Question, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RangeError) throw unreadableAnswer(cause.message, asked);
    throw cause;
  }
}

export function unreadableAnswer(why: string, { purpose, method }: Question): GatewayError {
  const sentence = `Stripe gave an unreadable answer when asked to ${purpose}: ${why}.`;
  return new GatewayError(method === 'POST' ? 'unknown' : 'retry_later', 'unreadable_answer', sentence);
}
