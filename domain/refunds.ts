/**
 * Giving money back: the states of a refund, who may decide on it, and where its money goes.
 * The table below is what docs/processes/refund.md draws; a test compares the two.
 */
import type { FailureCode, FailureFacts } from './failures.ts';
import type { UserId } from './ids.ts';
import type { Refusal } from './licensing.ts';
import type { Money } from './money.ts';

/**
 * - `requested`: waits for a second pair of eyes. `approved`: it will be paid; where to may still be open.
 * - `awaiting_destination`: the way that the money came cannot take it back; the payer says where to.
 * - `reserved`: booked as owed. `submitted`: the gateway is being asked. `pending`: it works on it.
 * - `unknown`: the gateway's answer was lost; it is asked, never told again under another key.
 * - `transfer_due`: finance transfers it by hand.
 */
export const refundTransitions = {
  requested: ['approved', 'rejected', 'cancelled'],
  approved: ['reserved', 'awaiting_destination', 'cancelled'],
  awaiting_destination: ['reserved', 'cancelled'],
  reserved: ['submitted', 'transfer_due', 'succeeded', 'cancelled'],
  submitted: ['pending', 'unknown', 'succeeded', 'failed', 'awaiting_destination'],
  pending: ['succeeded', 'failed', 'unknown'],
  unknown: ['pending', 'succeeded', 'failed'],
  transfer_due: ['succeeded', 'awaiting_destination', 'cancelled'],
  // A bank may send it back days later: the case is open again.
  succeeded: ['failed'],
  failed: [],
  rejected: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>;
export type RefundState = keyof typeof refundTransitions;

const isRefundState = (value: string): value is RefundState => Object.hasOwn(refundTransitions, value);
export const REFUND_STATES: readonly RefundState[] = Object.keys(refundTransitions).filter(isRefundState);

/** States of a refund whose amount is spoken for: Σ of these never exceeds what was captured. */
export const CLAIMING_REFUND_STATES = [
  'requested',
  'approved',
  'awaiting_destination',
  'reserved',
  'submitted',
  'pending',
  'unknown',
  'transfer_due',
  'succeeded',
] as const satisfies readonly RefundState[];

/** States in which a gateway may still have news of it. */
export const REFUND_STATES_AT_GATEWAY = [
  'submitted',
  'pending',
  'unknown',
  'succeeded',
] as const satisfies readonly RefundState[];

/** The states a refund may come to `to` from: the guard of every update of the record. */
export const refundStatesBefore = (to: RefundState): RefundState[] =>
  REFUND_STATES.filter((from) => {
    const targets: readonly string[] = refundTransitions[from];
    return targets.includes(to);
  });

export const REFUND_REASONS = [
  'requested_by_payer',
  'duplicate',
  'paid_late',
  'overpaid',
  'wrong_amount',
  'not_issued',
  'fraud',
  'goodwill',
  'other',
] as const;
export type RefundReason = (typeof REFUND_REASONS)[number];

/** The ways that money goes back. */
export const REFUND_CHANNELS = ['gateway', 'bank_transfer', 'store_credit'] as const;
export type RefundChannel = (typeof REFUND_CHANNELS)[number];

/** Who decides on a refund, and what the rule needs to know of it. */
export interface RefundSituation {
  readonly state: RefundState;
  /** null = Alur itself, by policy. */
  readonly requestedBy: UserId | null;
  readonly approvedBy: UserId | null;
  /** Whom the person acts for: members of the payer's company never decide on its refunds. */
  readonly decisionBy?: UserId | null;
}

export type RefundDecision = 'approve' | 'reject' | 'cancel';

const refuse = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({ code, message, facts });

/** Why this person cannot take this decision now, or null. Pure and synchronous: the update's validator asks it. */
export function refuseRefundDecision(
  { state, requestedBy }: RefundSituation,
  decision: RefundDecision,
  by: UserId,
  isPayer: boolean,
): Refusal | null {
  const targets: readonly string[] = refundTransitions[state];
  if (decision === 'cancel') {
    return targets.includes('cancelled')
      ? null
      : refuse('refund_not_open', `The refund is ${state}: it can no longer be cancelled.`, { state });
  }
  if (state !== 'requested') {
    return refuse('refund_not_open', `The refund is ${state}: there is nothing to decide.`, { state });
  }
  if (requestedBy === by || isPayer) {
    return refuse('own_refund', 'Nobody decides on a refund of their own. Ask a colleague in finance.');
  }
  return null;
}

/** Whether a second person must agree: above the threshold of its currency, and always when the payer asks. */
export function needsApproval(
  amount: Money,
  requestedByPayer: boolean,
  thresholds: Readonly<Partial<Record<Money['currency'], bigint>>>,
): boolean {
  const threshold = thresholds[amount.currency] ?? 0n;
  return requestedByPayer || amount.amountMinor > threshold;
}
