/** A parcel whose papers are asked for, and a watch that finds a notice of it and papers of another that are missing. */
import { randomUUID } from 'node:crypto';
import { receiveCarrierNotice } from '../../db/carrier-inbox.ts';
import { findShipment } from '../../db/shipments.ts';
import { LABEL_CARRIER } from '../../domain/shipments.ts';
import { parcelId } from '../../workflows/ids.ts';
import { aPackedOrder, aParcel } from '../builders/parcels.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playParcels(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const at = new Date(Date.now() - 60_000).toISOString();
  const shipmentId = await aParcel(db, await aPackedOrder(db, { at }), { at });
  const { taskQueue, client } = system;
  const workflowId = parcelId(shipmentId);
  await client.workflow.execute('parcel', { workflowId, taskQueue, args: [{ shipmentId }] });
  const shipment = await findShipment(db, shipmentId);
  await receiveCarrierNotice(db, {
    carrier: LABEL_CARRIER,
    eventId: randomUUID(),
    trackingNumber: shipment?.trackingNumber ?? '',
    status: 'created',
    at,
    place: null,
    receivedAt: at,
  });
  await aParcel(db, await aPackedOrder(db, { at }), { at });
  const watch = `carrier-watch-${randomUUID()}`;
  await client.workflow.start('carrierWatch', { workflowId: watch, taskQueue, args: [] });
  return { 'parcel-papers-asked-for': workflowId, 'carrierWatch-a-notice-and-papers': watch };
}
