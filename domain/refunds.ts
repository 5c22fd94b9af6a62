/**
 * Giving money back: the states of a refund, who may decide on it, and where its money goes.
 * The table below is what docs/processes/refund.md draws; a test compares the two.
 */
import type { FailureCode, FailureFacts } from './failures.ts';
import type { UserId } from './ids.ts';
import type { Refusal } from './licensing.ts';
import { type Currency, formatMoney, type Money } from './money.ts';
import type { PaymentState } from './payments.ts';

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
  pending: ['succeeded', 'failed', 'unknown', 'awaiting_destination'],
  unknown: ['pending', 'succeeded', 'failed', 'awaiting_destination'],
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

/** Whether the table has this edge. */
export function leadsTo(from: RefundState, to: RefundState): boolean {
  const targets: readonly string[] = refundTransitions[from];
  return targets.includes(to);
}

/** The states a refund may come to `to` from: the guard of every update of the record. */
export const refundStatesBefore = (to: RefundState): RefundState[] => REFUND_STATES.filter((from) => leadsTo(from, to));

export const REFUND_REASONS = [
  'requested_by_payer',
  'duplicate',
  'paid_late',
  'overpaid',
  'wrong_amount',
  'not_issued',
  'goods_returned',
  'goods_cancelled',
  'fraud',
  'goodwill',
  'other',
] as const;
export type RefundReason = (typeof REFUND_REASONS)[number];

/** The ways that money goes back. */
export const REFUND_CHANNELS = ['gateway', 'bank_transfer', 'store_credit'] as const;
export type RefundChannel = (typeof REFUND_CHANNELS)[number];

/** What a bank says of a transfer that did not arrive; finance names it. */
export const TRANSFER_PROBLEMS = ['account_not_found', 'account_closed', 'name_refused', 'returned', 'other'] as const;
export type TransferProblem = (typeof TRANSFER_PROBLEMS)[number];

/** What finance says of a transfer. */
export type TransferOutcome =
  | {
      readonly outcome: 'transferred';
      readonly bankReference: string;
      /** ISO 8601. */
      readonly transferredAt: string;
      readonly nameChecked: boolean;
    }
  | { readonly outcome: 'failed'; readonly problem: TransferProblem };

/** What the rules need to know of a refund. */
export interface RefundSituation {
  readonly state: RefundState;
  readonly channel: RefundChannel | null;
  /** null = Alur itself, by policy. */
  readonly requestedBy: UserId | null;
  /** Who decided on it last, and when (ISO 8601). */
  readonly decidedBy: UserId | null;
  readonly decidedAt: string | null;
  /** Whether the account is in the payer's name; null while there is none. */
  readonly nameMatches: boolean | null;
  /** Of returned goods: who looked at them; absent = nobody did. */
  readonly inspectedBy?: readonly UserId[];
}

export type RefundDecision = 'approve' | 'reject' | 'cancel';

const refuse = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({ code, message, facts });

const DECISION_OF: Partial<Record<RefundState, RefundDecision>> = { rejected: 'reject', cancelled: 'cancel' };

/** Who was first, for the one who comes second. */
const decided = ({ state, decidedBy, decidedAt }: RefundSituation): FailureFacts => ({
  state,
  ...(decidedBy ? { decidedBy, decision: DECISION_OF[state] ?? 'approve' } : {}),
  ...(decidedAt ? { decidedAt } : {}),
});

/**
 * Why this person cannot take this decision now, or null. Pure and synchronous: the update's validator asks it.
 * @param isPayer whether they act for the company that gets the money: its members never decide, and call off only their own
 */
export function refuseRefundDecision(
  situation: RefundSituation,
  decision: RefundDecision,
  by: UserId,
  isPayer: boolean,
): Refusal | null {
  const { state, requestedBy } = situation;
  if (decision === 'cancel') {
    if (!leadsTo(state, 'cancelled')) {
      return refuse('refund_not_open', `The refund is ${state}: it can no longer be cancelled.`, decided(situation));
    }
    // Somebody may be typing it into the bank's form at this moment.
    if (state === 'transfer_due' && isPayer) {
      return refuse('refund_not_open', 'Finance is transferring the money: ask them to stop it.', decided(situation));
    }
    return null;
  }
  if (state !== 'requested') {
    return refuse('refund_not_open', `The refund is ${state}: it was decided before.`, decided(situation));
  }
  if (requestedBy === by || isPayer) {
    return refuse('own_refund', 'Nobody decides on a refund of their own. Ask a colleague in finance.');
  }
  if (situation.inspectedBy?.includes(by)) {
    return refuse(
      'own_refund',
      'Whoever inspected the goods does not decide on their refund. Ask a colleague in finance.',
    );
  }
  return null;
}

/** Why the money cannot be sent there, or null. Until it is on its way, the last word counts. */
export function refuseDestination({ state }: Pick<RefundSituation, 'state'>): Refusal | null {
  if (state === 'requested' || state === 'approved' || state === 'awaiting_destination') return null;
  return refuse('refund_not_open', `The refund is ${state}: where it goes can no longer be changed.`, { state });
}

/** Why finance cannot report this of a transfer, or null. A bank may send the money back after it had arrived. */
export function refuseTransferReport(
  situation: RefundSituation,
  report: { readonly outcome: 'transferred' | 'failed'; readonly nameChecked: boolean; readonly isPayer: boolean },
): Refusal | null {
  const { state, channel, nameMatches } = situation;
  const isExpected = state === 'transfer_due' || (report.outcome === 'failed' && state === 'succeeded');
  if (!isExpected || channel !== 'bank_transfer') {
    return refuse('refund_not_open', `The refund is ${state}: there is no transfer to report.`, decided(situation));
  }
  if (report.isPayer)
    return refuse('own_refund', 'Nobody transfers a refund of their own. Ask a colleague in finance.');
  if (report.outcome === 'transferred' && nameMatches === false && !report.nameChecked) {
    return refuse(
      'name_differs',
      "The account is not in the payer's name. Check whose it is, then send it again with nameChecked: true.",
    );
  }
  return null;
}

/** Why no money can go back out of this payment, or null. */
export function refusePaymentToRefund({
  state,
  paidMinor,
}: {
  readonly state: PaymentState;
  readonly paidMinor: bigint | null;
}): Refusal | null {
  if (state === 'paid' && paidMinor !== null && paidMinor > 0n) return null;
  return refuse('payment_not_refundable', `The payment is ${state}: it holds no money that could go back.`, { state });
}

/** What of a payment can still go back, by where it is in the books; minor units of the currency that was paid. */
export interface RefundableParts {
  readonly invoiceMinor: bigint;
  readonly suspenseMinor: bigint;
}

/**
 * Which part of a payment a refund takes: one of the two, for only what paid an invoice is credited on it. What settles a
 * case comes out of suspense; anything else out of the invoice, or out of suspense when nothing is left there.
 * @param amountMinor null = all that is left of that part
 */
export function chooseSource(
  parts: RefundableParts,
  amountMinor: bigint | null,
  ofCase: boolean,
  currency: Currency,
): { readonly source: 'invoice' | 'suspense'; readonly amountMinor: bigint } | Refusal {
  const source = ofCase || parts.invoiceMinor === 0n ? 'suspense' : 'invoice';
  const left = source === 'suspense' ? parts.suspenseMinor : parts.invoiceMinor;
  const wanted = amountMinor ?? left;
  if (wanted > 0n && wanted <= left) return { source, amountMinor: wanted };
  const shown = (minor: bigint) => formatMoney({ amountMinor: minor, currency });
  return refuse(
    'refund_exceeds_payment',
    `Of this payment ${shown(parts.invoiceMinor)} of what paid the invoice and ${shown(parts.suspenseMinor)} of what did not ` +
      'can still be refunded, each by a refund of its own. Ask for no more than that.',
    { errors: [{ pointer: '/amountMinor', code: 'too_big', detail: `≤ ${shown(left)}` }] },
  );
}

/**
 * The way the money goes: the way it came wherever that takes it back, so that it cannot be led to somebody else; the
 * account that the payer gave where it does not. Credit is the payer's own choice. null = the payer has to say.
 */
export function chooseChannel(known: {
  readonly channel: RefundChannel | null;
  readonly hasAccount: boolean;
  readonly gatewayCan: boolean;
}): RefundChannel | null {
  if (known.channel === 'store_credit' || known.channel === 'bank_transfer') return known.channel;
  if (known.gatewayCan) return 'gateway';
  return known.hasAccount ? 'bank_transfer' : null;
}

/** Who has the next step, and within how many days it is usually done; null = it has come to its end. */
export function nextStep(
  state: RefundState,
): { readonly by: 'finance' | 'payer' | 'alur' | 'gateway'; readonly withinDays: number } | null {
  switch (state) {
    case 'requested':
      return { by: 'finance', withinDays: 2 };
    case 'approved':
    case 'reserved':
      return { by: 'alur', withinDays: 1 };
    case 'awaiting_destination':
      return { by: 'payer', withinDays: 30 };
    case 'transfer_due':
      return { by: 'finance', withinDays: 5 };
    case 'submitted':
    case 'pending':
    case 'unknown':
      return { by: 'gateway', withinDays: 14 };
    case 'succeeded':
    case 'failed':
    case 'rejected':
    case 'cancelled':
      return null;
  }
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

/** A reason of the list; anything else is `other`, with the words as its note. */
export function readReason(given: string | undefined): {
  readonly reason: RefundReason;
  readonly words: string | null;
} {
  const known = REFUND_REASONS.find((reason) => reason === given);
  if (known) return { reason: known, words: null };
  return given === undefined ? { reason: 'requested_by_payer', words: null } : { reason: 'other', words: given };
}
