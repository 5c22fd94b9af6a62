/** What lies in the shop's stores: how things are followed there, why their number changes, and when somebody is told. */
import type { FailureCode, FailureFacts } from './failures.ts';
import type { Refusal } from './licensing.ts';

/** `batch`: what comes together goes by one name, for food and a recall. `serial`: each thing has a number of its own. */
export const TRACKINGS = ['none', 'batch', 'serial'] as const;
export type Tracking = (typeof TRACKINGS)[number];

/** Why the number of things in a store changed. `scrapped`: they came back and never reached the shelf. `found`: a lost parcel turned up. */
export const MOVEMENT_KINDS = ['received', 'adjusted', 'shipped', 'restocked', 'scrapped', 'found'] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

export const ALERT_STATES = ['open', 'acknowledged', 'snoozed', 'cleared'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** An alert that nobody answers is repeated so often. */
export const ALERT_REPEATS_MS = 7 * 86_400_000;
export const MAX_SNOOZE_DAYS = 90;

/** What lies there, and how much of it is spoken for by orders. */
export interface Level {
  readonly onHand: number;
  readonly reserved: number;
}

export const freeOf = (levels: readonly Level[]): number =>
  levels.reduce((free, { onHand, reserved }) => free + onHand - reserved, 0);

/** @param below fewer than this are too few; null = nobody minds */
export const isLow = (free: number, below: number | null): boolean => below !== null && free < below;

const refuse = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({ code, message, facts });

/** Less than what orders have reserved never lies there. @param change units, negative = taken out */
export function refuseChange({ onHand, reserved }: Level, change: number): Refusal | null {
  if (onHand + change >= reserved) return null;
  const free = onHand - reserved;
  return refuse(
    'stock_not_enough',
    `Only ${free} can be taken out there: ${onHand} lie there, ${reserved} are reserved.`,
  );
}

export const refuseAcknowledge = (state: AlertState): Refusal | null =>
  state === 'cleared' ? refuse('alert_not_open', 'There is enough of it again: the alert is over.', { state }) : null;

/** @param until epoch ms, as `now` */
export function refuseSnooze(state: AlertState, until: number, now: number): Refusal | null {
  if (state === 'cleared') return refuseAcknowledge(state);
  const latest = now + MAX_SNOOZE_DAYS * 86_400_000;
  if (until > now && until <= latest) return null;
  return refuse('invalid_request', `An alert sleeps from now on for at most ${MAX_SNOOZE_DAYS} days.`, {
    errors: [{ pointer: '/until', code: 'not_possible', detail: 'later than now' }],
  });
}

/** When it is time to speak of an alert again, and which time that is: counted from when it was raised, or its sleep was over. */
export interface AlertRung {
  readonly number: number;
  /** Epoch ms. */
  readonly nextAt: number;
}

export function alertRung(since: number, now: number): AlertRung {
  const number = Math.max(0, Math.floor((now - since) / ALERT_REPEATS_MS));
  return { number, nextAt: since + (number + 1) * ALERT_REPEATS_MS };
}
