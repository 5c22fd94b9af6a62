/**
 * A parcel, to the customer or back: its states, what a carrier's words mean, and which news counts. Carriers tell out of order
 * and twice; whatever the order, the same news ends in the same state. docs/shop/parcels.md draws the table; a test compares.
 */

/**
 * `created`: no label yet. `exception`: the carrier has trouble with it (address, damage). `sent_back`: it could not be
 * delivered and came back to whoever sent it. `voided`: its label was taken back; a parcel that was sent with it all the same
 * is followed.
 */
export const shipmentTransitions = {
  created: ['labelled', 'voided', 'in_transit', 'out_for_delivery', 'exception', 'lost', 'sent_back', 'delivered'],
  labelled: ['voided', 'in_transit', 'out_for_delivery', 'exception', 'lost', 'sent_back', 'delivered'],
  voided: ['in_transit', 'out_for_delivery', 'exception', 'lost', 'sent_back', 'delivered'],
  in_transit: ['out_for_delivery', 'exception', 'lost', 'sent_back', 'delivered'],
  out_for_delivery: ['in_transit', 'exception', 'lost', 'sent_back', 'delivered'],
  exception: ['in_transit', 'out_for_delivery', 'lost', 'sent_back', 'delivered'],
  // A parcel that turns up; until somebody has it, it stays lost.
  lost: ['sent_back', 'delivered'],
  sent_back: ['delivered'],
  delivered: [],
} as const satisfies Record<string, readonly string[]>;
export type ShipmentState = keyof typeof shipmentTransitions;

const isShipmentState = (value: string): value is ShipmentState => Object.hasOwn(shipmentTransitions, value);
export const SHIPMENT_STATES: readonly ShipmentState[] = Object.keys(shipmentTransitions).filter(isShipmentState);

export function shipmentLeadsTo(from: ShipmentState, to: ShipmentState): boolean {
  const targets: readonly string[] = shipmentTransitions[from];
  return targets.includes(to);
}

/** It is with the carrier: the clock that calls a parcel lost runs. */
export const MOVING_STATES = [
  'in_transit',
  'out_for_delivery',
  'exception',
] as const satisfies readonly ShipmentState[];
export const isMoving = (state: ShipmentState): boolean => MOVING_STATES.some((moving) => moving === state);

/** Nothing more is asked about it. `lost` may still turn up, `voided` may still be sent. */
export const isShipmentOver = (state: ShipmentState): boolean => state === 'delivered' || state === 'sent_back';

export const DIRECTIONS = ['out', 'back'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** The carrier that labels are bought from. Any other name is one that a person brings parcels to and types numbers of. */
export const LABEL_CARRIER = 'kurir';

/** What the carrier calls where a parcel is. */
export const CARRIER_STATUSES = [
  'created',
  'picked_up',
  'in_transit',
  'out_for_delivery',
  'delivered',
  'exception',
  'lost',
  'found',
  'returned_to_sender',
  'voided',
] as const;
export type CarrierStatus = (typeof CARRIER_STATUSES)[number];

export function stateOfStatus(status: CarrierStatus): ShipmentState {
  switch (status) {
    case 'created':
      return 'labelled';
    case 'picked_up':
    case 'in_transit':
    case 'found':
      return 'in_transit';
    case 'out_for_delivery':
      return 'out_for_delivery';
    case 'delivered':
      return 'delivered';
    case 'exception':
      return 'exception';
    case 'lost':
      return 'lost';
    case 'returned_to_sender':
      return 'sent_back';
    case 'voided':
      return 'voided';
  }
}

/** One piece of news; `at` in epoch ms, by the carrier's clock. */
export interface ShipmentNews {
  readonly state: ShipmentState;
  readonly at: number;
}

/** What is stronger is never taken back by what is weaker, whenever that was said. */
const STRENGTH: Readonly<Record<ShipmentState, number>> = {
  created: 0,
  labelled: 1,
  voided: 2,
  in_transit: 3,
  exception: 3,
  out_for_delivery: 3,
  lost: 4,
  sent_back: 5,
  delivered: 6,
};
/** Of those that are equally strong and were said in the same moment, the one that is further on. */
const FURTHER_ON: readonly ShipmentState[] = ['in_transit', 'exception', 'out_for_delivery'];

/** Whether `news` counts over what stands: it is stronger, or as strong and newer. */
function counts(news: ShipmentNews, over: ShipmentNews): boolean {
  const stronger = STRENGTH[news.state] - STRENGTH[over.state];
  if (stronger !== 0) return stronger > 0;
  if (news.at !== over.at) return news.at > over.at;
  return FURTHER_ON.indexOf(news.state) > FURTHER_ON.indexOf(over.state);
}

/**
 * Where the parcel is after all of this. The greatest of an order in which no two differing pieces of news are equal, so that
 * neither sequence nor repetition makes a difference.
 * @param stands what is on record, with the time of the news that it was last heard of
 */
export const afterNews = (stands: ShipmentNews, news: readonly ShipmentNews[]): ShipmentNews =>
  news.reduce((current, next) => (counts(next, current) ? next : current), stands);
