/** Parcels and their carrier: labels that are bought and taken back, papers, and what the carrier says of where they are. */
import { ApplicationFailure, heartbeat, log } from '@temporalio/activity';
import type { Knex } from 'knex';
import { adoptLateNews, newestWaiting, type ToldParcel } from '../db/carrier-inbox.ts';
import { parcelsToAsk, parcelsWithoutPapers, takeTracking, voidShipment } from '../db/shipment-moves.ts';
import { createShipment, findShipment, recordLabel, type ShipmentRecord } from '../db/shipments.ts';
import { asId, type OrderId, type ReturnId, type Sha256, type ShipmentId } from '../domain/ids.ts';
import { isShipmentOver, LABEL_CARRIER, type ShipmentState } from '../domain/shipments.ts';
import type { Carrier, Voided } from './carriers/carrier.ts';
import type { ActivityDeps } from './deps.ts';
import { retryable } from './gateways/asking.ts';
import { GatewayError } from './gateways/gateway.ts';
import { parcelOf, printLabel, storePackingSlip } from './parcel-papers.ts';

export type { ToldParcel } from '../db/carrier-inbox.ts';

export interface BoughtReturnLabel {
  readonly trackingNumber: string;
  readonly labelSha256: Sha256;
}

export interface ParcelStanding {
  readonly state: ShipmentState;
  /** It is somewhere else than before this activity; a repeat says the same. */
  readonly moved: boolean;
}

/** Each an instant, ISO 8601. */
export interface LookForParcels {
  readonly receivedBefore: string;
  readonly askedBefore: string;
  readonly createdAfter: string;
  readonly packedBefore: string;
  /** Of each sort. */
  readonly limit: number;
}

export interface ParcelsFound {
  readonly toAsk: readonly (ToldParcel & { readonly wasTold: boolean })[];
  readonly withoutPapers: readonly ShipmentId[];
}

export function createShipmentActivities(deps: Pick<ActivityDeps, 'db' | 'files' | 'personalData' | 'carrier'>) {
  const { db } = deps;
  return {
    /**
     * Puts the parcel back on record, buys its label with its ID as key, and stores the paper. Safe to repeat at every point.
     * @throws ApplicationFailure `carrier_unavailable`, not retryable: no carrier sells labels here, or it refuses this one
     */
    async buyReturnLabel(input: {
      returnId: ReturnId;
      shipmentId: ShipmentId;
      /** ISO 8601. */
      at: string;
    }): Promise<BoughtReturnLabel> {
      const { returnId, shipmentId, at } = input;
      await db.transaction(async (tx: Knex) => {
        const orderId = await orderOfReturn(tx, returnId);
        const rest = { direction: 'back', carrier: LABEL_CARRIER, trackingNumber: null, units: [], by: null } as const;
        await createShipment(tx, { id: shipmentId, orderId, returnId, at, ...rest });
      });
      return ensureLabel(deps, shipmentId, at);
    },

    /** Asks the carrier first. `used`: a parcel travels with it. `gone`: it was never bought, and never will be under this ID. */
    async voidLabel({ shipmentId, at }: { shipmentId: ShipmentId; at: string }): Promise<Voided> {
      const shipment = await findShipment(db, shipmentId);
      if (!shipment) return 'gone';
      const voided = shipment.carrier === LABEL_CARRIER ? await askedToVoid(deps.carrier, shipment) : 'gone';
      // On record before anybody goes on: a label that is bought too late meets it.
      if (voided !== 'used') await db.transaction((tx: Knex) => voidShipment(tx, { shipmentId, at }));
      return voided;
    },

    /**
     * Where nothing was told since, nothing is asked: cheap, so call it whenever `orderChanged` or `returnChanged` came. While
     * the carrier does not answer, all stays as it is and nobody waits: the minute's watch asks again, and tells the process.
     */
    async applyCarrierNews({ shipmentId, at }: { shipmentId: ShipmentId; at: string }): Promise<ParcelStanding> {
      try {
        return await learn(deps, shipmentId, at, 'told');
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        log.warn('the carrier could not be asked about a parcel; the watch will', { error, shipmentId });
        return standingOf(await onRecord(db, shipmentId), at);
      }
    },

    /** What the minute's watch has to do: parcels to ask the carrier about, and those whose papers are missing. */
    async lookForParcels(input: LookForParcels): Promise<ParcelsFound> {
      await adoptLateNews(db, input.limit);
      return {
        toAsk: deps.carrier ? await parcelsToAsk(db, input, input.limit) : [],
        withoutPapers: await parcelsWithoutPapers(db, input.packedBefore, input.limit),
      };
    },

    /**
     * Asks the carrier about each of these. One that cannot be asked is left to the next run, and keeps no other from it.
     * @returns those whose processes are to be told: they were told of, or are somewhere else than before
     */
    async askAboutParcels(input: { parcels: ParcelsFound['toAsk']; at: string }): Promise<ToldParcel[]> {
      const changed: ToldParcel[] = [];
      for (const { wasTold, ...parcel } of input.parcels) {
        heartbeat();
        try {
          const { moved } = await learn(deps, parcel.shipmentId, input.at, 'asked');
          if (wasTold || moved) changed.push(parcel);
        } catch (error) {
          log.warn('a parcel could not be asked about; the next run will', { error, shipmentId: parcel.shipmentId });
        }
      }
      return changed;
    },

    /** Buys the label of a parcel out where the carrier is to bring it, and prints its slip. Safe to repeat. */
    async prepareParcel({ shipmentId, at }: { shipmentId: ShipmentId; at: string }): Promise<void> {
      await prepare(deps, shipmentId, at);
    },

    /** The same for several: one that fails is left to the next run, and keeps no other from it. */
    async prepareParcels(input: { shipmentIds: readonly ShipmentId[]; at: string }): Promise<{ done: number }> {
      let done = 0;
      for (const shipmentId of input.shipmentIds) {
        heartbeat();
        try {
          await prepare(deps, shipmentId, input.at);
          done += 1;
        } catch (error) {
          log.warn('the papers of a parcel could not be made; the next run will', { error, shipmentId });
        }
      }
      return { done };
    },
  };
}

type Deps = Pick<ActivityDeps, 'db' | 'files' | 'personalData' | 'carrier'>;

async function orderOfReturn(db: Knex, returnId: ReturnId): Promise<OrderId> {
  const row: { order_id: string } | undefined = await db('returns').where({ id: returnId }).first('order_id');
  if (!row) throw ApplicationFailure.nonRetryable(`there is no return ${returnId}`, 'return_missing');
  return asId<OrderId>(row.order_id);
}

async function onRecord(db: Knex, shipmentId: ShipmentId): Promise<ShipmentRecord> {
  const shipment = await findShipment(db, shipmentId);
  if (!shipment) throw ApplicationFailure.nonRetryable(`there is no shipment ${shipmentId}`, 'shipment_missing');
  return shipment;
}

async function ensureLabel(deps: Deps, shipmentId: ShipmentId, at: string): Promise<BoughtReturnLabel> {
  const before = await onRecord(deps.db, shipmentId);
  const known = labelOf(before);
  if (known) return known;
  if (before.state !== 'created') throw unavailable(`shipment ${shipmentId} is ${before.state}: it gets no label`);
  const { carrier } = deps;
  if (!carrier) throw unavailable('no carrier is configured (ALUR_CARRIER_URL): a person enters the tracking number');
  const parcel = await parcelOf(deps, before);
  const label = await asking(() => carrier.buyLabel(shipmentId, parcel));
  const { reference, trackingNumber } = label;
  const pdf = label.labelPdf ?? (await printLabel(deps, before, { trackingNumber, at }));
  const { sha256 } = await deps.files.put(pdf);
  await deps.db.transaction((tx: Knex) => recordLabel(tx, { shipmentId, reference, trackingNumber, sha256, at }));
  const after = labelOf(await onRecord(deps.db, shipmentId));
  // Meanwhile it was taken back, or a person has typed a number in.
  if (!after) throw unavailable(`shipment ${shipmentId} no longer takes a label`);
  return after;
}

const labelOf = ({ trackingNumber, labelSha256, state }: ShipmentRecord): BoughtReturnLabel | null =>
  state !== 'voided' && trackingNumber !== null && labelSha256 !== null ? { trackingNumber, labelSha256 } : null;

const unavailable = (why: string): ApplicationFailure => ApplicationFailure.nonRetryable(why, 'carrier_unavailable');

/** What the carrier refuses for good is not asked again; what it may grant later is, when it said. */
async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw error.kind === 'refused' ? unavailable(error.message) : retryable(error);
  }
}

/** Where no carrier is configured and none ever was, nothing was bought. */
async function askedToVoid(carrier: Carrier | null, { id, labelReference }: ShipmentRecord): Promise<Voided> {
  if (carrier) return asking(() => carrier.voidLabel(id));
  if (labelReference === null) return 'gone';
  // Not refused: the label belongs to a carrier that was configured, and must be again.
  throw new Error('no carrier is configured; set ALUR_CARRIER_URL and its key and restart the worker');
}

async function learn(deps: Deps, shipmentId: ShipmentId, at: string, why: 'told' | 'asked'): Promise<ParcelStanding> {
  const { db, carrier } = deps;
  const shipment = await onRecord(db, shipmentId);
  const upTo = await newestWaiting(db, shipmentId);
  const { trackingNumber } = shipment;
  const isAsked = upTo !== null || (why === 'asked' && !isShipmentOver(shipment.state));
  if (isAsked && carrier && carrier.name === shipment.carrier && trackingNumber !== null) {
    // A number that the carrier does not know has no news, whoever said so.
    const events = (await carrier.track(trackingNumber)) ?? [];
    await db.transaction((tx: Knex) =>
      takeTracking(tx, { shipment: { ...shipment, trackingNumber }, events, upTo, at }),
    );
  }
  return standingOf(await onRecord(db, shipmentId), at);
}

const standingOf = ({ state, updatedAt }: ShipmentRecord, at: string): ParcelStanding => ({
  state,
  moved: updatedAt.getTime() >= Date.parse(at),
});

/** A parcel that another carrier brings has a slip and no label; so has one whose label is refused for good. */
async function prepare(deps: Deps, shipmentId: ShipmentId, at: string): Promise<void> {
  const shipment = await onRecord(deps.db, shipmentId);
  const wantsLabel = shipment.carrier === LABEL_CARRIER && shipment.state === 'created' && deps.carrier !== null;
  if (wantsLabel) await labelUnlessRefused(deps, shipmentId, at);
  await storePackingSlip(deps, await onRecord(deps.db, shipmentId));
}

/** A person has to act then: it would be refused each minute anew. */
async function labelUnlessRefused(deps: Deps, shipmentId: ShipmentId, at: string): Promise<void> {
  try {
    await ensureLabel(deps, shipmentId, at);
  } catch (error) {
    if (!(error instanceof ApplicationFailure && error.type === 'carrier_unavailable')) throw error;
    log.error('the carrier refuses a label; a person enters another tracking number', { error, shipmentId });
  }
}
