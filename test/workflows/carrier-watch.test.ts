import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { receiveCarrierNotice } from '../../db/carrier-inbox.ts';
import { findShipment } from '../../db/shipments.ts';
import { asId, type ShipmentId } from '../../domain/ids.ts';
import { LABEL_CARRIER } from '../../domain/shipments.ts';
import type { CarrierWatched } from '../../workflows/carrier-watch.ts';
import { aPackedOrder, aParcel, aReturnToSend } from '../builders/parcels.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const MINUTE = 60_000;
const ago = (minutes: number): string => new Date(Date.now() - minutes * MINUTE).toISOString();

describe('the watch over parcels', function () {
  this.timeout(60_000);
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system?.close());

  const db = () => system.database.db;
  const watch = (page = 50, silentForMs?: number): Promise<CarrierWatched> =>
    system.client.workflow.execute('carrierWatch', {
      workflowId: `carrier-watch-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: silentForMs === undefined ? [page] : [page, silentForMs],
    });
  const read = async (id: ShipmentId) => (await findShipment(db(), id)) ?? assert.fail('no shipment');
  const control = async (path: string, body?: object) => {
    const response = await fetch(`${system.sandboxUrl}/_sandbox/shipments/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
  };
  async function signalsOf(workflowId: string): Promise<number> {
    try {
      const handle = system.client.workflow.getHandle(workflowId);
      await handle.describe();
      const { events } = await handle.fetchHistory();
      return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 0;
      throw error;
    }
  }
  /** Packed a minute ago, by the carrier; the watch has bought its label. */
  async function aSentParcel() {
    const order = await aPackedOrder(db());
    const shipmentId = await aParcel(db(), order, { at: ago(1) });
    await watch();
    const { trackingNumber } = await read(shipmentId);
    return { order, shipmentId, trackingNumber: trackingNumber ?? assert.fail('no label was bought') };
  }
  const notice = (trackingNumber: string, minutes: number) =>
    receiveCarrierNotice(db(), {
      carrier: LABEL_CARRIER,
      eventId: randomUUID(),
      trackingNumber,
      status: 'picked_up',
      at: ago(minutes),
      place: null,
      receivedAt: ago(minutes),
    });

  it('makes the papers of parcels that were packed, and nothing where there is nothing to do', async () => {
    const { shipmentId } = await aSentParcel();
    const { state, labelSha256, packingSlipSha256 } = await read(shipmentId);
    assert.equal(state, 'labelled');
    assert.ok(labelSha256 && packingSlipSha256);
    assert.deepEqual(await watch(), { asked: 0, told: 0, prepared: 0 });
  });

  it('asks about a notice that nobody has looked into and tells the order; those of the last seconds it leaves', async () => {
    const [old, fresh] = [await aSentParcel(), await aSentParcel()];
    for (const { trackingNumber } of [old, fresh]) await control(`${trackingNumber}/pickup?webhook=none`);
    await notice(old.trackingNumber, 1);
    await notice(fresh.trackingNumber, 0);
    assert.deepEqual(await watch(), { asked: 1, told: 1, prepared: 0 });
    assert.equal((await read(old.shipmentId)).state, 'in_transit');
    assert.equal((await read(fresh.shipmentId)).state, 'labelled');
    assert.equal(await signalsOf(`order/${old.order.orderId}`), 1);
    assert.equal(await signalsOf(`order/${fresh.order.orderId}`), 0);
    assert.deepEqual(await watch(), { asked: 0, told: 0, prepared: 0 });
    await db()('carrier_inbox').whereNull('handled_at').update({ handled_at: new Date() });
  });

  it('asks a carrier that is silent for long, and tells only of what is somewhere else', async () => {
    const [moved, still] = [await aSentParcel(), await aSentParcel()];
    await control(`${moved.trackingNumber}/deliver?webhook=none`);
    assert.deepEqual(await watch(), { asked: 0, told: 0, prepared: 0 });
    const { asked } = await watch(50, 0);
    assert.ok(asked >= 2);
    assert.equal((await read(moved.shipmentId)).state, 'delivered');
    assert.equal(await signalsOf(`order/${moved.order.orderId}`), 1);
    assert.equal(await signalsOf(`order/${still.order.orderId}`), 0);
  });

  it('tells a return of its parcel', async () => {
    const order = await aPackedOrder(db(), { state: 'delivered' });
    const { returnId } = await aReturnToSend(db(), order);
    const trackingNumber = `KR-${randomUUID().slice(0, 8)}`;
    const id = asId<ShipmentId>(randomUUID());
    await aParcel(db(), order, { id, direction: 'back', returnId, trackingNumber, units: [] });
    await notice(trackingNumber, 1);
    assert.equal((await watch()).told, 1);
    assert.equal(await signalsOf(`rma/${returnId}`), 1);
  });

  it('finds the parcel of a notice that came in the moment in which it was put on record', async () => {
    const { shipmentId, trackingNumber } = await aSentParcel();
    await control(`${trackingNumber}/pickup?webhook=none`);
    await notice(trackingNumber, 1);
    await db()('carrier_inbox').where({ shipment_id: shipmentId }).update({ shipment_id: null });
    assert.equal((await watch()).told, 1);
    assert.equal((await read(shipmentId)).state, 'in_transit');
  });

  it('leaves a parcel that the carrier does not answer for to the next run, and asks about the others', async () => {
    const parcels = [await aSentParcel(), await aSentParcel()];
    for (const { trackingNumber } of parcels) {
      await control(`${trackingNumber}/pickup?webhook=none`);
      await notice(trackingNumber, 1);
    }
    await control('faults', { operation: 'status', kind: '5xx_before' });
    assert.deepEqual(await watch(), { asked: 2, told: 1, prepared: 0 });
    assert.deepEqual(await watch(), { asked: 1, told: 1, prepared: 0 });
    for (const { shipmentId } of parcels) assert.equal((await read(shipmentId)).state, 'in_transit');
  });
});
