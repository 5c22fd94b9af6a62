/**
 * Returns of goods (RMA): the states of a return and of each of its units, and who may do what when.
 * The tables below are what docs/processes/rma.md draws; a test compares the two.
 */
import type { FailureCode, FailureFacts } from './failures.ts';
import type { Refusal } from './licensing.ts';

/**
 * Aside of the straight line: `label_pending` (the carrier gives no label yet), `lost_in_transit`, `manual_review` (a person
 * has to say how it goes on). An `expired` return whose parcel arrives is `received` after all.
 */
export const returnTransitions = {
  requested: ['under_review', 'approved', 'rejected', 'info_requested', 'cancelled'],
  under_review: ['approved', 'rejected', 'info_requested', 'cancelled'],
  info_requested: ['under_review', 'expired', 'cancelled', 'rejected'],
  // Somebody may bring it before there is a label.
  approved: ['awaiting_shipment', 'label_pending', 'received', 'manual_review', 'resolution_pending', 'cancelled'],
  label_pending: ['awaiting_shipment', 'manual_review', 'cancelled', 'in_transit', 'received'],
  awaiting_shipment: ['in_transit', 'received', 'expired', 'cancelled', 'manual_review'],
  in_transit: ['received', 'lost_in_transit', 'manual_review'],
  lost_in_transit: ['received', 'manual_review', 'resolution_pending', 'refunding', 'rejected'],
  received: ['inspecting', 'resolution_pending', 'manual_review'],
  inspecting: ['received', 'resolution_pending', 'manual_review'],
  resolution_pending: ['refunding', 'replacing', 'manual_review', 'closed_refunded', 'closed_mixed'],
  refunding: ['closed_refunded', 'closed_mixed', 'manual_review', 'replacing'],
  replacing: ['closed_replaced', 'closed_mixed', 'resolution_pending', 'refunding', 'manual_review'],
  manual_review: [
    'label_pending',
    'awaiting_shipment',
    'received',
    'inspecting',
    'resolution_pending',
    'refunding',
    'replacing',
    'closed_refunded',
    'closed_replaced',
    'closed_mixed',
    'rejected',
    'cancelled',
  ],
  expired: ['received'],
  // A bank may send the money back days later.
  closed_refunded: ['manual_review'],
  closed_replaced: ['manual_review'],
  closed_mixed: ['manual_review'],
  // What was done for it could not be undone: a person does that.
  rejected: ['manual_review'],
  cancelled: ['received', 'manual_review'],
} as const satisfies Record<string, readonly string[]>;
export type ReturnState = keyof typeof returnTransitions;

const isReturnState = (value: string): value is ReturnState => Object.hasOwn(returnTransitions, value);
export const RETURN_STATES: readonly ReturnState[] = Object.keys(returnTransitions).filter(isReturnState);

export function returnLeadsTo(from: ReturnState, to: ReturnState): boolean {
  const targets: readonly string[] = returnTransitions[from];
  return targets.includes(to);
}

export const ENDED_RETURN_STATES = [
  'expired',
  'closed_refunded',
  'closed_replaced',
  'closed_mixed',
  'rejected',
  'cancelled',
] as const satisfies readonly ReturnState[];
export function isReturnOver(state: ReturnState): boolean {
  const ended: readonly ReturnState[] = ENDED_RETURN_STATES;
  return ended.includes(state);
}

/**
 * One unit that is asked back. `authorised`: it may be sent. `kept`: it is refunded and stays with the customer. `received`,
 * then `accepted` or `declined` by inspection; `missing`: it was never received. A unit that `claims` is no other return's.
 */
export const RETURN_UNIT_STATES = [
  'requested',
  'refused',
  'authorised',
  'kept',
  'received',
  'accepted',
  'declined',
  'missing',
  'withdrawn',
] as const;
export type ReturnUnitState = (typeof RETURN_UNIT_STATES)[number];

/** States that keep every other return off the unit. */
export const CLAIMING_UNIT_STATES = [
  'requested',
  'authorised',
  'kept',
  'received',
  'accepted',
] as const satisfies readonly ReturnUnitState[];

export const RETURN_REASONS = [
  'damaged',
  'defective',
  'wrong_item',
  'not_as_described',
  'arrived_late',
  'no_longer_needed',
  'other',
] as const;
export type ReturnReason = (typeof RETURN_REASONS)[number];

/** Ours, so the customer pays neither restocking nor the way back. */
export const SELLERS_FAULT = [
  'damaged',
  'defective',
  'wrong_item',
  'not_as_described',
] as const satisfies readonly ReturnReason[];

/** What a unit is found to be in; what the customer says it is in is never taken for it. */
export const CONDITIONS = ['unopened', 'as_new', 'used', 'damaged', 'incomplete', 'not_ours'] as const;
export type Condition = (typeof CONDITIONS)[number];

export const DISPOSITIONS = ['restock', 'scrap', 'send_back'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];

/** How a customer is made whole. `refund` = the way the money came. */
export const RESOLUTIONS = ['refund', 'store_credit', 'replacement', 'exchange'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Versioned data (`shop_policies`, kind `return`); a return keeps the version that it was asked for under. */
export interface ReturnPolicy {
  /** Days since a unit's delivery; a product may have its own. */
  readonly windowDays: number;
  /** Of a product whose seal matters once it is broken (food, cosmetics). */
  readonly hygieneUnopenedOnly: boolean;
  /** Percent of a unit's net price that is kept, by what it was found in; never where the seller is at fault. */
  readonly restockingPercent: Readonly<Record<Condition, number>>;
  /** Whether a full return gives the shipping back, and whether the way back is paid by the customer. */
  readonly refundsShipping: 'never' | 'when_all_returned' | 'always';
  /** Minor units without tax, as digits; taken off unless the seller is at fault. */
  readonly returnShippingMinor: string;
  /** Up to this refund (minor units, as digits) the goods stay with the customer; null = never. */
  readonly keepItemUpToMinor: string | null;
  readonly review: { readonly remindAfterHours: number; readonly escalateAfterDays: number };
  readonly infoExpiresAfterDays: number;
  readonly labelRetryMinutes: number;
  readonly shipment: { readonly remindAfterDays: readonly number[]; readonly expiresAfterDays: number };
  readonly lostAfterDays: number;
  readonly receivedEscalateAfterHours: number;
  readonly inspectionEscalateAfterDays: number;
  readonly resolution: { readonly remindAfterDays: readonly number[]; readonly defaultAfterDays: number };
  /** What is done when nobody chooses. */
  readonly defaultResolution: 'refund' | 'store_credit';
  readonly refundReviewAfterDays: number;
  readonly creditExpiresAfterMonths: number | null;
}

export const DEFAULT_RETURN_POLICY: ReturnPolicy = {
  windowDays: 30,
  hygieneUnopenedOnly: true,
  restockingPercent: { unopened: 0, as_new: 0, used: 15, damaged: 50, incomplete: 50, not_ours: 100 },
  refundsShipping: 'when_all_returned',
  returnShippingMinor: '0',
  keepItemUpToMinor: '25000',
  review: { remindAfterHours: 48, escalateAfterDays: 5 },
  infoExpiresAfterDays: 7,
  labelRetryMinutes: 60,
  shipment: { remindAfterDays: [7, 12], expiresAfterDays: 14 },
  lostAfterDays: 21,
  receivedEscalateAfterHours: 48,
  inspectionEscalateAfterDays: 3,
  resolution: { remindAfterDays: [3], defaultAfterDays: 5 },
  defaultResolution: 'refund',
  refundReviewAfterDays: 10,
  creditExpiresAfterMonths: 12,
};

/** RMA/2026/000123 */
export const formatReturnNumber = (year: number, counter: number): string =>
  `RMA/${year}/${String(counter).padStart(6, '0')}`;

/** Everything that people say to a return. */
export const RETURN_MESSAGES = [
  'approve',
  'reject',
  'request_info',
  'provide_info',
  'cancel',
  'receive',
  'inspect',
  'resolve',
  'accept_deduction',
  'dispute',
  'decide_dispute',
  'continue',
] as const;
export type ReturnMessageKind = (typeof RETURN_MESSAGES)[number];

export const isReturnMessage = (kind: string): kind is ReturnMessageKind => RETURN_MESSAGES.some((one) => one === kind);

/** Whether the customer says it, and nobody for them; all else is the office's to say. */
export const isCustomers = (kind: ReturnMessageKind): boolean =>
  ['provide_info', 'cancel', 'resolve', 'accept_deduction', 'dispute'].includes(kind);

/** In which states each of them is heard. */
export const HEARD_IN: Readonly<Record<ReturnMessageKind, readonly ReturnState[]>> = {
  approve: ['requested', 'under_review'],
  reject: ['requested', 'under_review', 'info_requested'],
  request_info: ['requested', 'under_review'],
  provide_info: ['info_requested'],
  cancel: ['requested', 'under_review', 'info_requested', 'approved', 'label_pending', 'awaiting_shipment'],
  receive: [
    'approved',
    'label_pending',
    'awaiting_shipment',
    'in_transit',
    'lost_in_transit',
    'received',
    'inspecting',
    'expired',
    'cancelled',
  ],
  inspect: ['received', 'inspecting'],
  resolve: ['resolution_pending'],
  accept_deduction: ['resolution_pending'],
  dispute: ['resolution_pending'],
  decide_dispute: ['resolution_pending', 'manual_review'],
  continue: ['manual_review'],
};

const refuse = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({ code, message, facts });

/** Why this is not heard now, by the state alone; what it is about is asked when it is applied. */
export function refuseReturnMessage(kind: ReturnMessageKind, state: ReturnState): Refusal | null {
  return HEARD_IN[kind].includes(state)
    ? null
    : refuse('return_not_open', `The return is ${state}: it does not take "${kind}" now.`, { state });
}
