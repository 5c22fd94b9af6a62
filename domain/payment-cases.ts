/** How a case of finance can be closed. */
import type { CaseResolution, PaymentCaseKind } from './payments.ts';
import type { RefundReason } from './refunds.ts';

/** What a case is about, as far as it decides what can be done. */
export interface CaseMoney {
  /** What of its money waits in suspense and is not spoken for; minor units. */
  readonly suspenseLeft: bigint;
  /** Whether it names a payment, which a gateway can be asked about and money can go back on. */
  readonly hasPayment: boolean;
}

/**
 * What finance may choose. Money in suspense must go somewhere: as long as there is some, a case cannot be closed as
 * `nothing_to_do`, for nobody would be shown that money again.
 */
export function resolutionsFor(kind: PaymentCaseKind, { suspenseLeft, hasPayment }: CaseMoney): CaseResolution[] {
  switch (kind) {
    case 'late':
    case 'twice':
    case 'short':
    case 'over':
    case 'wrong_currency':
      return waysOut(suspenseLeft, hasPayment);
    case 'unmatched_settlement':
      return suspenseLeft > 0n ? ['other_income'] : ['nothing_to_do'];
    case 'refund_failed':
      // One that came back late has left its money in suspense, and no other case is about that.
      if (suspenseLeft > 0n) return waysOut(suspenseLeft, hasPayment);
      return hasPayment ? ['nothing_to_do', 'refund'] : ['nothing_to_do'];
    case 'unknown_object':
    case 'unclear':
    case 'missing_there':
    case 'amount_differs':
    case 'state_differs':
    case 'refund_differs':
    case 'stuck_paid':
    case 'stuck_unknown':
    case 'reversed':
      return hasPayment ? ['look_again', 'nothing_to_do'] : ['nothing_to_do'];
    case 'missing_here':
    case 'settlement_differs':
      return ['nothing_to_do'];
  }
}

function waysOut(suspenseLeft: bigint, hasPayment: boolean): CaseResolution[] {
  if (suspenseLeft <= 0n) return hasPayment ? ['nothing_to_do', 'look_again'] : ['nothing_to_do'];
  return hasPayment ? ['apply_to_invoice', 'refund', 'store_credit', 'other_income', 'look_again'] : ['other_income'];
}

/** Why the money of such a case goes back. */
export function refundReasonFor(kind: PaymentCaseKind): RefundReason {
  if (kind === 'late') return 'paid_late';
  if (kind === 'twice') return 'duplicate';
  if (kind === 'over') return 'overpaid';
  if (kind === 'short' || kind === 'wrong_currency') return 'wrong_amount';
  return 'other';
}
