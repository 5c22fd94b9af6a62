/** What a carrier can do for Alur. It fails as a gateway does (`GatewayError`): refused, later, or unknown. */
import type { CarrierEvent } from '../../db/carrier-inbox.ts';
import type { ShipmentId } from '../../domain/ids.ts';
import type { Direction } from '../../domain/shipments.ts';

export interface Place {
  readonly name: string;
  /** null = not known. */
  readonly phone: string | null;
  /** All of it, as it is written on a parcel. */
  readonly address: string;
  /** null = the address alone says it. */
  readonly city: string | null;
  readonly postalCode: string | null;
}

export interface Parcel {
  readonly direction: Direction;
  readonly from: Place;
  readonly to: Place;
  readonly weightGrams: number;
}

export interface Label {
  /** The carrier's own name of it. */
  readonly reference: string;
  readonly trackingNumber: string;
  /** As the carrier prints it; null = the sender prints one with the tracking number. */
  readonly labelPdf: Buffer | null;
}

/** `used`: a parcel travels with it, it stays. `gone`: there is none under this key. */
export type Voided = 'voided' | 'used' | 'gone';

export interface Carrier {
  readonly name: string;
  /**
   * Buys a label. The **same key** never buys a second one: it gives the first again. An answer that is lost is asked for by
   * the key at once.
   * @param key the shipment's ID, the same at every try @throws GatewayError
   */
  buyLabel(key: ShipmentId, parcel: Parcel): Promise<Label>;
  /** Asks what became of it before it tells the carrier, so that a repeat is no second order. @throws GatewayError */
  voidLabel(key: ShipmentId): Promise<Voided>;
  /** All that happened to it, oldest first; null = the carrier knows no such number. @throws GatewayError, never `unknown` */
  track(trackingNumber: string): Promise<readonly CarrierEvent[] | null>;
}
