/** Which events Stripe writes when something happens to a session: those that the merchant's endpoint subscribes to. */
import type { SandboxEvent } from '../sandbox.ts';
import type { Payment, Session } from './sessions.ts';
import { chargeBody, disputeBody, eventBody, intentBody, refundBody, sessionBody } from './wire.ts';

/** In the order in which they are sent. */
export function eventsOf(session: Session, event: SandboxEvent, now: Date): object[] {
  const about = (type: string, said: Session = session) =>
    eventBody(`checkout.session.${type}`, sessionBody(said, { expand: [], url: '' }), now);
  switch (event) {
    case 'pay':
    case 'challenge':
      return [about('completed')];
    case 'pay-late':
      return [about('completed', held(session)), about('async_payment_succeeded')];
    case 'settle':
      return [about('async_payment_succeeded')];
    case 'fail':
      return session.status === 'open'
        ? withPayment(session, (made) => [eventBody('payment_intent.payment_failed', intentBody(session, made), now)])
        : [about('async_payment_failed')];
    case 'expire':
      return [about('expired')];
    case 'refund':
      return refundEvents(session, now);
    case 'refund-settle':
    case 'refund-fail':
      // Which of them have changed only the caller knows, see refundsEnded.
      return [];
    case 'reverse':
      return disputeEvent(session, 'charge.dispute.created', now);
    case 'unreverse':
      return disputeEvent(session, 'charge.dispute.closed', now);
  }
}

/** What would have been told before an event: for deliveries out of order. */
export function eventsBefore(before: Session, event: SandboxEvent, now: Date): object[] {
  switch (event) {
    case 'settle':
      return eventsOf(before, 'challenge', now);
    case 'unreverse':
      return eventsOf(before, 'reverse', now);
    case 'refund-settle':
    case 'refund-fail':
      return withPayment(before, (made) => lastRefund(before, made, 'refund.created', now));
    default:
      return [];
  }
}

/** The charge's event carries the payment's metadata, the refund's own does not. */
export const refundEvents = (session: Session, now: Date): object[] =>
  withPayment(session, (made) => [
    eventBody('charge.refunded', chargeBody(session, made), now),
    ...lastRefund(session, made, 'refund.created', now),
  ]);

/** Of each refund that has ended between the two. */
export const refundsEnded = (before: Session, session: Session, now: Date): object[] =>
  withPayment(session, (made) =>
    made.refunds.flatMap((one, index) => {
      if (one.status === before.payment?.refunds[index]?.status) return [];
      const types = one.status === 'failed' ? ['refund.updated', 'refund.failed'] : ['refund.updated'];
      return types.map((type) => eventBody(type, refundBody(session, made, one), now));
    }),
  );

function lastRefund(session: Session, made: Payment, type: string, now: Date): object[] {
  const last = made.refunds.at(-1);
  return last === undefined ? [] : [eventBody(type, refundBody(session, made, last), now)];
}

const disputeEvent = (session: Session, type: string, now: Date): object[] =>
  withPayment(session, (made) =>
    made.dispute === null ? [] : [eventBody(type, disputeBody(session, made, made.dispute), now)],
  );

const withPayment = (session: Session, events: (made: Payment) => object[]): object[] =>
  session.payment === null ? [] : events(session.payment);

const held = (session: Session): Session =>
  session.payment === null ? session : { ...session, payment: { ...session.payment, status: 'processing' } };
