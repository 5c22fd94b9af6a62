/**
 * Orders of goods: their states, those of each unit, and who may do what when.
 * The tables below are what docs/processes/order.md draws; a test compares the two.
 */
import type { FailureCode, FailureFacts } from './failures.ts';
import type { Refusal } from './licensing.ts';

/**
 * - `pending`: waits for its payment. `on_hold`: paid or not, a person looks at it first.
 * - `confirmed`: paid, nobody has begun with it. `backordered`: waits for stock. `processing`: being packed.
 * - `returned`: every unit that was delivered has come back. `refunded`: all of its money has gone back.
 */
export const orderTransitions = {
  pending: ['confirmed', 'on_hold', 'backordered', 'cancelled'],
  on_hold: [
    'pending',
    'confirmed',
    'backordered',
    'processing',
    'partially_shipped',
    'shipped',
    'delivered',
    'returned',
    'cancelled',
    'refunded',
  ],
  confirmed: ['on_hold', 'backordered', 'processing', 'partially_shipped', 'shipped', 'cancelled', 'refunded'],
  backordered: ['on_hold', 'confirmed', 'processing', 'partially_shipped', 'shipped', 'cancelled', 'refunded'],
  processing: ['on_hold', 'backordered', 'partially_shipped', 'shipped', 'cancelled', 'refunded'],
  // Back to what is to be packed: what had left was lost, and is cancelled.
  partially_shipped: [
    'on_hold',
    'confirmed',
    'backordered',
    'processing',
    'shipped',
    'delivered',
    'returned',
    'cancelled',
    'refunded',
  ],
  // Cancelled: all that was left of it is a parcel that was lost.
  shipped: ['delivered', 'returned', 'cancelled', 'refunded'],
  delivered: ['returned', 'refunded'],
  // A parcel that was given up has turned up after all.
  returned: ['delivered', 'refunded'],
  refunded: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>;
export type OrderState = keyof typeof orderTransitions;

const isOrderState = (value: string): value is OrderState => Object.hasOwn(orderTransitions, value);
export const ORDER_STATES: readonly OrderState[] = Object.keys(orderTransitions).filter(isOrderState);

export function orderLeadsTo(from: OrderState, to: OrderState): boolean {
  const targets: readonly string[] = orderTransitions[from];
  return targets.includes(to);
}

/** `replacement`: for what came back, free. `exchange`: for what came back, the difference is charged or refunded. */
export const ORDER_KINDS = ['sale', 'replacement', 'exchange'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];

/**
 * One unit of goods. `waiting`: no stock is reserved for it. What becomes of it once it is asked back is told by its return;
 * here it is `returned` when it was received and accepted, and `lost` when the carrier never brought it.
 */
export const unitTransitions = {
  waiting: ['reserved', 'cancelled'],
  reserved: ['waiting', 'shipped', 'cancelled'],
  shipped: ['delivered', 'lost', 'returned'],
  // A parcel that was given up may still turn up.
  lost: ['delivered', 'cancelled'],
  delivered: ['returned'],
  returned: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>;
export type UnitState = keyof typeof unitTransitions;
export const UNIT_STATES = [
  'waiting',
  'reserved',
  'shipped',
  'lost',
  'delivered',
  'returned',
  'cancelled',
] as const satisfies readonly UnitState[];

export function unitLeadsTo(from: UnitState, to: UnitState): boolean {
  const targets: readonly string[] = unitTransitions[from];
  return targets.includes(to);
}

/** How many units of an order are in each state. */
export type UnitCounts = Readonly<Record<UnitState, number>>;

/**
 * What an order is, as its units say; null = they say nothing, it stays what it is (`pending`, `on_hold`).
 * An order whose units are all cancelled is `cancelled`; one of which something is left follows what is left.
 */
export function stateOfUnits(units: UnitCounts, isPacking: boolean): OrderState {
  const left = units.waiting + units.reserved + units.shipped + units.lost + units.delivered + units.returned;
  if (left === 0) return 'cancelled';
  const unsent = units.waiting + units.reserved;
  const sent = units.shipped + units.lost + units.delivered + units.returned;
  if (unsent > 0 && sent > 0) return 'partially_shipped';
  if (unsent > 0) return units.waiting > 0 ? 'backordered' : isPacking ? 'processing' : 'confirmed';
  if (units.shipped > 0) return 'shipped';
  if (units.delivered > 0) return 'delivered';
  return units.returned > 0 ? 'returned' : 'shipped';
}

/** Why a person looks at an order before it is packed: codes, each with the points that it adds. */
export const RISK_REASONS = ['amount', 'new_customer', 'address_mismatch', 'velocity'] as const;
export type RiskReason = (typeof RISK_REASONS)[number];

/** Versioned data (`shop_policies`, kind `order`); an order keeps the version that it was placed under. */
export interface OrderPolicy {
  /** An order that nobody pays ends then. */
  readonly unpaidExpiresAfterHours: number;
  readonly remindUnpaidAfterHours: readonly number[];
  /** What is reserved for a cart or an unpaid order that no process looks after is given back then. */
  readonly reservationHours: number;
  readonly risk: {
    /** From this many points on the order is held. */
    readonly holdFrom: number;
    readonly points: Readonly<Record<RiskReason, number>>;
    /** Minor units, as digits. */
    readonly amountFromMinor: string;
    readonly newCustomerDays: number;
    readonly velocity: { readonly orders: number; readonly hours: number };
  };
  /** Minor units without tax, as digits; free from this subtotal on. */
  readonly shipping: { readonly feeMinor: string; readonly freeFromMinor: string | null };
  readonly remindHoldAfterHours: number;
  readonly lostAfterDays: number;
  readonly reviewRequestAfterDays: number;
  readonly cartReminderAfterHours: number;
}

export const DEFAULT_ORDER_POLICY: OrderPolicy = {
  unpaidExpiresAfterHours: 24,
  remindUnpaidAfterHours: [20],
  reservationHours: 30,
  risk: {
    holdFrom: 60,
    points: { amount: 40, new_customer: 20, address_mismatch: 30, velocity: 40 },
    amountFromMinor: '50000000',
    newCustomerDays: 7,
    velocity: { orders: 5, hours: 1 },
  },
  shipping: { feeMinor: '20000', freeFromMinor: '500000' },
  remindHoldAfterHours: 24,
  lostAfterDays: 21,
  reviewRequestAfterDays: 7,
  cartReminderAfterHours: 24,
};

/** At most this many units in one order: each has a row of its own. */
export const MAX_UNITS = 1_000;
export const MAX_LINES = 200;

const refuse = (code: FailureCode, message: string, facts: FailureFacts = {}): Refusal => ({ code, message, facts });

/** What the rules need to know of an order. */
export interface OrderSituation {
  readonly state: OrderState;
  readonly units: UnitCounts;
}

const ENDED: readonly OrderState[] = ['cancelled', 'refunded'];
export const isOrderOver = (state: OrderState): boolean => ENDED.includes(state);

/** Only what has not left the house can be cancelled, and what was lost; what has arrived is returned. */
export function refuseOrderCancel({ state, units }: OrderSituation): Refusal | null {
  if (isOrderOver(state)) return refuse('order_not_open', `The order is ${state}.`, { state });
  if (units.waiting + units.reserved + units.lost === 0) {
    return refuse('order_not_open', 'Everything of this order has been shipped. Ask for a return.', { state });
  }
  return null;
}

export function refuseOrderHold({ state, units }: OrderSituation): Refusal | null {
  if (!orderLeadsTo(state, 'on_hold') || units.waiting + units.reserved === 0) {
    return refuse('order_not_open', `The order is ${state}: there is nothing to hold.`, { state });
  }
  return null;
}

export const refuseOrderRelease = ({ state }: OrderSituation): Refusal | null =>
  state === 'on_hold' ? null : refuse('order_not_open', `The order is ${state}, not on hold.`, { state });

export function refuseOrderShip({ state, units }: OrderSituation): Refusal | null {
  if (state === 'on_hold') return refuse('order_held', 'The order is on hold. Release it first.', { state });
  if (state === 'pending') return refuse('order_not_shippable', 'The order is not paid yet.', { state });
  if (units.reserved === 0) return refuse('order_not_shippable', `Nothing of this order is ready to ship.`, { state });
  return null;
}

/** Also of a parcel that was given up: it may have arrived after all, unless its money went back. */
export function refuseOrderDeliver({ state, units }: OrderSituation): Refusal | null {
  if (units.shipped + units.lost > 0) return null;
  return units.cancelled > 0
    ? refuse('order_not_open', PAID_BACK, { state })
    : refuse('order_not_shippable', 'Nothing of this order is on its way.', { state });
}

/** What is told of a parcel that arrived too late. */
export const PAID_BACK =
  'What was in the parcel was cancelled and is paid back, so it cannot be delivered any more. Ask the customer to send it back, or to order it again.';

/** What is packed already can be said to be packed again. */
export function refuseOrderPack(it: OrderSituation): Refusal | null {
  const { state } = it;
  if (isOrderOver(state)) return refuse('order_not_open', `The order is ${state}.`, { state });
  return refuseOrderShip(it);
}

/** A parcel that did not arrive is here again; also when somebody has cancelled by then what was in it. */
export const refuseOrderTakeBack = ({ units }: OrderSituation): Refusal | null =>
  units.shipped + units.lost + units.cancelled > 0
    ? null
    : refuse('shipment_not_known', 'No parcel of this order can come back.');

/** Before the first parcel has left. */
export function refuseOrderEdit({ state, units }: OrderSituation): Refusal | null {
  const sent = units.shipped + units.delivered + units.lost + units.returned;
  if (isOrderOver(state) || sent > 0 || units.waiting + units.reserved === 0) {
    return refuse('order_not_open', `The order is ${state}: it can no longer be edited.`, { state });
  }
  return null;
}

/** What people say to an order. */
export const ORDER_MESSAGES = ['cancel', 'hold', 'release', 'edit', 'pack', 'ship', 'deliver', 'take_back'] as const;
export type OrderMessageKind = (typeof ORDER_MESSAGES)[number];

/** By what is known of the order alone. */
export function refuseOrderMessage(kind: OrderMessageKind, it: OrderSituation): Refusal | null {
  switch (kind) {
    case 'cancel':
      return refuseOrderCancel(it);
    case 'hold':
      return refuseOrderHold(it);
    case 'release':
      return refuseOrderRelease(it);
    case 'edit':
      return refuseOrderEdit(it);
    case 'pack':
      return refuseOrderPack(it);
    case 'ship':
      return refuseOrderShip(it);
    case 'deliver':
      return refuseOrderDeliver(it);
    case 'take_back':
      return refuseOrderTakeBack(it);
  }
}

/** ORD/2026/000123 */
export const formatOrderNumber = (year: number, counter: number): string =>
  `ORD/${year}/${String(counter).padStart(6, '0')}`;
