/** What is due next in an order's life, from its record alone: a process that starts anew goes on where the last one was. */
import type { ShipmentId } from './ids.ts';
import type { OrderPolicy, OrderState } from './orders.ts';

/** Instants are epoch milliseconds. */
export interface OrderTimes {
  readonly state: OrderState;
  readonly isPaid: boolean;
  /** Its process has nothing to do any more. */
  readonly isOver: boolean;
  readonly placedAt: number;
  readonly stateSince: number;
  readonly expiresAt: number | null;
  readonly deliveredAt: number | null;
  readonly isReviewAsked: boolean;
  /** Reminders that were sent. */
  readonly rungs: readonly string[];
  /** Parcels that are on their way, and since when nothing was heard of each. */
  readonly parcels: readonly { readonly id: ShipmentId; readonly since: number }[];
  /** A return or a refund of it is open. */
  readonly isWaitedFor: boolean;
  /** Days after its delivery in which something of it may be returned. */
  readonly returnDays: number;
  readonly policy: OrderPolicy;
}

export interface OrderDue {
  readonly rung: string;
  readonly at: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The payment process asks the gateway and closes the invoice at the very moment; here is who looks whether it has. */
const UNPAID_GRACE_MS = 10 * 60_000;
/** Where nothing has an end of its own: so that nothing waits for ever on a message that was lost. */
const LOOK_AGAIN_MS = 7 * DAY_MS;

/** null = it is over. At the latest in a week something is due, if only to look. */
export function nextOrderDue(it: OrderTimes, now: number): OrderDue | null {
  if (it.isOver) return null;
  const due = [
    ...unpaidDues(it),
    ...holdDues(it),
    ...it.parcels.map(({ id, since }) => ({ rung: `lost/${id}`, at: since + it.policy.lostAfterDays * DAY_MS })),
    ...afterDelivery(it, now),
    { rung: 'look', at: now + LOOK_AGAIN_MS },
  ];
  return due.reduce((first, one) => (one.at < first.at ? one : first));
}

function unpaidDues({ state, isPaid, expiresAt, placedAt, rungs, policy }: OrderTimes): OrderDue[] {
  if (isPaid || expiresAt === null || (state !== 'pending' && state !== 'on_hold')) return [];
  const reminders = policy.remindUnpaidAfterHours
    .map((hours) => ({ rung: `unpaid_reminder/${hours}`, at: placedAt + hours * HOUR_MS }))
    .filter(({ rung, at }) => !rungs.includes(rung) && at < expiresAt);
  return [...reminders, { rung: 'unpaid', at: expiresAt + UNPAID_GRACE_MS }];
}

function holdDues({ state, stateSince, rungs, policy }: OrderTimes): OrderDue[] {
  const rung = holdReminder(stateSince);
  if (state !== 'on_hold' || rungs.includes(rung)) return [];
  return [{ rung, at: stateSince + policy.remindHoldAfterHours * HOUR_MS }];
}

/** Once each time that it is held. */
export const holdReminder = (stateSince: number): string => `hold_reminder/${stateSince}`;

function afterDelivery(it: OrderTimes, now: number): OrderDue[] {
  const { state, deliveredAt, isReviewAsked, isWaitedFor, policy, returnDays } = it;
  if (deliveredAt === null || !(state === 'delivered' || state === 'returned' || state === 'refunded')) return [];
  const end = deliveredAt + returnDays * DAY_MS;
  const review =
    state === 'delivered' && !isReviewAsked
      ? [{ rung: 'review_request', at: deliveredAt + policy.reviewRequestAfterDays * DAY_MS }]
      : [];
  return [...review, { rung: 'end', at: isWaitedFor ? Math.max(end, now + DAY_MS) : end }];
}
