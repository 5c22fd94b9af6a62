/**
 * How a return stands, as its process knows it, and what it does by itself next. Instants are epoch ms; days are of 24 hours.
 * Whoever is decided against by time alone is told before: no deadline falls within a day of the last reminder of it.
 */
import type { CompanyId, OrderId, ReturnId, ShipmentId } from './ids.ts';
import type { Resolution, ReturnPolicy, ReturnState, ReturnUnitState } from './returns.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

export type ReturnTimers = Pick<
  ReturnPolicy,
  | 'review'
  | 'infoExpiresAfterDays'
  | 'labelRetryMinutes'
  | 'shipment'
  | 'lostAfterDays'
  | 'receivedEscalateAfterHours'
  | 'inspectionEscalateAfterDays'
  | 'resolution'
  | 'refundReviewAfterDays'
>;

export interface ClimbedRung {
  readonly rung: string;
  readonly at: number;
}

/** No personal data: it is kept in histories. */
export interface ReturnStanding {
  readonly returnId: ReturnId;
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly number: string;
  readonly state: ReturnState;
  readonly stateSince: number;
  readonly timers: ReturnTimers;
  /** Of this state. */
  readonly rungs: readonly ClimbedRung[];
  readonly dropOffBy: number | null;
  readonly wanted: Resolution;
  readonly resolution: Resolution | null;
  readonly keepsItems: boolean;
  /** How many units are in which state. */
  readonly units: Readonly<Partial<Record<ReturnUnitState, number>>>;
  readonly statement: {
    readonly version: number;
    readonly acceptedVersion: number | null;
    readonly hasDeductions: boolean;
    /** Minor units, as digits. */
    readonly refundMinor: string;
  } | null;
  readonly isDisputed: boolean;
  readonly manualReasons: readonly string[];
  /** Of the parcel that a label is bought for, or was. */
  readonly labelId: ShipmentId;
  /** All that carriers may have news of. */
  readonly parcelIds: readonly ShipmentId[];
  /** Its label was bought, and not taken back. */
  readonly hasLabel: boolean;
  readonly replacementOrderId: OrderId | null;
  /** Money has begun to move: from there only forwards. */
  readonly isPayingOut: boolean;
}

export type ReturnRung =
  | 'remind'
  | 'escalate'
  | 'expire'
  | 'label_given_up'
  | 'late'
  | 'lost'
  | 'lost_for_good'
  | 'rest_missing'
  | 'default'
  | 'overdue';

export interface ReturnDue {
  /** `<rung>` or `<rung>/<number>`, once in a state. */
  readonly rung: string;
  readonly kind: ReturnRung;
  readonly at: number;
}

const due = (kind: ReturnRung, at: number, number?: number): ReturnDue => ({
  rung: number === undefined ? kind : `${kind}/${number}`,
  kind,
  at,
});

/** What its timers need to know of it. */
export type ReturnWait = Pick<
  ReturnStanding,
  'state' | 'stateSince' | 'timers' | 'rungs' | 'dropOffBy' | 'units' | 'isDisputed'
>;

/** An end that a customer could still turn away: told with its instant before. */
export const isAgainstCustomer = (kind: ReturnRung): boolean =>
  kind === 'expire' || kind === 'rest_missing' || kind === 'default' || kind === 'lost';

/** The next thing that is due, or was; null = nothing happens by itself. */
export function nextReturnDue(it: ReturnWait, now: number): ReturnDue | null {
  const { timers, stateSince: since } = it;
  switch (it.state) {
    case 'requested':
    case 'under_review': {
      const remind = due('remind', since + timers.review.remindAfterHours * HOUR, 1);
      const escalate = escalation(it, since + timers.review.escalateAfterDays * DAY, now);
      return isClimbed(it, remind) || escalate.at <= now ? escalate : earlier(remind, escalate);
    }
    case 'info_requested': {
      const days = timers.infoExpiresAfterDays;
      return deadline(it, [days > 2 ? days - 2 : days / 2], due('expire', since + days * DAY), now);
    }
    case 'label_pending':
      return due('label_given_up', since + timers.labelRetryMinutes * 60_000);
    case 'awaiting_shipment': {
      const end = it.dropOffBy ?? since + timers.shipment.expiresAfterDays * DAY;
      return deadline(it, timers.shipment.remindAfterDays, due('expire', end), now);
    }
    case 'in_transit': {
      const late = due('late', since + Math.max(timers.lostAfterDays - 3, timers.lostAfterDays / 2) * DAY);
      return isClimbed(it, late) ? warned(it, due('lost', since + timers.lostAfterDays * DAY)) : late;
    }
    case 'lost_in_transit':
      return due('lost_for_good', since + timers.resolution.defaultAfterDays * DAY);
    case 'received':
      return escalation(it, since + timers.receivedEscalateAfterHours * HOUR, now);
    case 'inspecting':
      return isOnlyRestMissing(it)
        ? deadline(
            it,
            timers.shipment.remindAfterDays.slice(-1),
            due('rest_missing', since + timers.shipment.expiresAfterDays * DAY),
            now,
          )
        : escalation(it, since + timers.inspectionEscalateAfterDays * DAY, now);
    case 'resolution_pending': {
      if (it.isDisputed) return escalation(it, since + timers.inspectionEscalateAfterDays * DAY, now);
      const end = due('default', since + timers.resolution.defaultAfterDays * DAY);
      return deadline(it, timers.resolution.remindAfterDays, end, now);
    }
    case 'refunding':
    case 'replacing':
      return due('overdue', since + timers.refundReviewAfterDays * DAY);
    case 'manual_review':
      return escalation(it, since + 2 * DAY, now);
    case 'approved':
    case 'expired':
    case 'closed_refunded':
    case 'closed_replaced':
    case 'closed_mixed':
    case 'rejected':
    case 'cancelled':
      return null;
  }
}

/** Everything that came was looked at, and there is more that was never received. */
export const isOnlyRestMissing = ({ units }: Pick<ReturnStanding, 'units'>): boolean =>
  (units.received ?? 0) === 0 && (units.authorised ?? 0) > 0;

/** Refunds and replacements are asked about daily, should nobody tell of them. */
export const POLL_MS = DAY;

/** How long a return that has ended is listened to: a parcel that was on its way, a bank that sends money back. */
export function listensUntil(it: ReturnStanding): number {
  switch (it.state) {
    case 'expired':
    case 'cancelled':
      return it.stateSince + it.timers.lostAfterDays * DAY;
    case 'closed_refunded':
    case 'closed_mixed':
      return it.stateSince + 11 * DAY;
    default:
      return it.stateSince;
  }
}

// ---- how rungs are counted ------------------------------------------------------------------------------------------

const isClimbed = (it: ReturnWait, { rung }: ReturnDue): boolean => it.rungs.some((one) => one.rung === rung);
const earlier = (one: ReturnDue, other: ReturnDue): ReturnDue => (one.at <= other.at ? one : other);

/** First at an instant, then weekly. What was missed meanwhile is not made up for. */
function escalation(it: ReturnWait, first: number, now: number): ReturnDue {
  const climbed = it.rungs.filter(({ rung }) => rung.startsWith('escalate/')).map(({ rung }) => Number(rung.slice(9)));
  const missed = Math.floor((now - first) / WEEK) + 1;
  const number = Math.max(1, Math.max(0, ...climbed) + 1, missed <= Math.max(0, ...climbed) ? 0 : missed);
  return due('escalate', first + (number - 1) * WEEK, number);
}

/** Reminders on those days, of several that were missed only the last, and then the end. */
function deadline(it: ReturnWait, reminders: readonly number[], end: ReturnDue, now: number): ReturnDue {
  const open = reminders
    .map((days, index) => due('remind', it.stateSince + days * DAY, index + 1))
    .filter((reminder) => !isClimbed(it, reminder) && !isLaterClimbed(it, reminder));
  return open.findLast(({ at }) => at <= now) ?? open[0] ?? warned(it, end);
}

const isLaterClimbed = (it: ReturnWait, { rung }: ReturnDue): boolean =>
  it.rungs.some((one) => one.rung.startsWith('remind/') && Number(one.rung.slice(7)) > Number(rung.slice(7)));

/** An end that everybody was told of at least a day before, however long the process was away. */
function warned(it: ReturnWait, end: ReturnDue): ReturnDue {
  const told = it.rungs.map(({ at }) => at);
  return { ...end, at: Math.max(end.at, ...told.map((at) => at + DAY)) };
}
