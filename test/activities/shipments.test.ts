import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Carrier } from '../../activities/carriers/carrier.ts';
import { createKurir } from '../../activities/carriers/kurir.ts';
import type { ActivityDeps } from '../../activities/deps.ts';
import { createShipmentActivities } from '../../activities/shipments.ts';
import { receiveCarrierNotice, trackedEvents } from '../../db/carrier-inbox.ts';
import { createFileStore, type FileStore } from '../../db/files.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { deliverShipment, loseShipment } from '../../db/shipment-moves.ts';
import { enterTracking, findShipment, shipmentsOf, shipmentsWithNews } from '../../db/shipments.ts';
import { Failure } from '../../domain/failures.ts';
import { asId, type Sha256, type ShipmentId } from '../../domain/ids.ts';
import { type GatewaySandboxes, startGatewaySandboxes } from '../../local/gateways/server.ts';
import { aPackedOrder, aParcel, aReturnToSend, type PackedOrder, RECIPIENT } from '../builders/parcels.ts';
import { createTestDatabase, PERSONAL_DATA_KEY, type TestDatabase } from '../support/database.ts';
import { carrierSettings } from '../support/gateway-settings.ts';
import { linesOf } from './documents/pdf-text.ts';

const SECRET = 'local-only-shipments-test';

describe('a parcel', function () {
  this.timeout(20_000);
  let database: TestDatabase;
  let sandboxes: GatewaySandboxes;
  let directory: string;
  let files: FileStore;
  let carrier: Carrier;
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) });
  before(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'alur-parcels-'));
    files = createFileStore(directory);
    const options = { port: 0, webhookBaseUrl: 'http://127.0.0.1:1', midtransServerKey: SECRET, stateDir: null };
    sandboxes = await startGatewaySandboxes(options);
    carrier = createKurir({ ...carrierSettings(SECRET, sandboxes.url), timeoutMs: 1_000 });
  });
  after(async () => {
    await sandboxes.close();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });

  const db = () => database.db;
  type Acts = ReturnType<typeof createShipmentActivities>;
  const actsWith = (by: ActivityDeps['carrier']): Acts => {
    const personalData = createPersonalData([PERSONAL_DATA_KEY]);
    return createShipmentActivities({ db: db(), files, personalData, carrier: by });
  };
  /** As a worker runs it. */
  const run = <T>(work: (acts: Acts) => Promise<T>, by: ActivityDeps['carrier'] = carrier): Promise<T> =>
    environment.run(() => work(actsWith(by)));
  const now = () => new Date().toISOString();
  const read = async (id: ShipmentId) => (await findShipment(db(), id)) ?? assert.fail('no shipment');
  const play = async (trackingNumber: string, ...events: string[]) => {
    for (const event of events) {
      const path = `/_sandbox/shipments/${trackingNumber}/${event}?webhook=none`;
      assert.equal((await fetch(sandboxes.url + path, { method: 'POST' })).status, 200, event);
    }
  };
  const eventsOf = async (id: ShipmentId): Promise<string[]> =>
    (await db()('events').where('key', 'like', `shipment/${id}/%`).orderBy('id').pluck('type')).filter((type: string) =>
      type.startsWith('shipment.'),
    );
  const unitsOf = ({ orderId }: PackedOrder): Promise<string[]> =>
    db()('order_units').where({ order_id: orderId }).orderBy('number').pluck('state');
  async function aReturnLabel(order?: PackedOrder) {
    const packed = order ?? (await aPackedOrder(db(), { state: 'delivered' }));
    const { returnId, number } = await aReturnToSend(db(), packed);
    const shipmentId = asId<ShipmentId>(randomUUID());
    const bought = await run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }));
    return { ...packed, returnId, returnNumber: number, shipmentId, ...bought };
  }
  async function aLabelledParcel() {
    const order = await aPackedOrder(db());
    const shipmentId = await aParcel(db(), order);
    await run((acts) => acts.prepareParcel({ shipmentId, at: now() }));
    const { trackingNumber } = await read(shipmentId);
    return { order, shipmentId, trackingNumber: trackingNumber ?? assert.fail('no number') };
  }
  /** A notice as the webhook stores it; what it says does not matter, for the carrier is asked. */
  const notice = (trackingNumber: string, eventId = randomUUID()) =>
    receiveCarrierNotice(db(), {
      carrier: 'kurir',
      eventId,
      trackingNumber,
      status: 'delivered',
      at: now(),
      place: null,
      receivedAt: now(),
    });
  const apply = (shipmentId: ShipmentId, at = now()) => run((acts) => acts.applyCarrierNews({ shipmentId, at }));
  const pdfOf = async (sha256: Sha256 | null) =>
    linesOf((sha256 && (await files.read(sha256))) || assert.fail('no PDF')).join('\n');

  describe('that comes back', () => {
    it('has one label, however often the activity runs, and its paper names what a courier needs', async () => {
      const bought = await aReturnLabel();
      const { returnId, shipmentId, trackingNumber, labelSha256, returnNumber } = bought;
      const again = await run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }));
      assert.deepEqual(again, { trackingNumber, labelSha256 });
      assert.deepEqual(await eventsOf(shipmentId), ['shipment.labelled']);
      const { state, direction } = await read(shipmentId);
      assert.deepEqual([state, direction], ['labelled', 'back']);
      const text = await pdfOf(labelSha256);
      for (const part of [
        'LABEL PENGEMBALIAN',
        trackingNumber,
        returnNumber,
        RECIPIENT.name,
        RECIPIENT.street,
        '0,60 kg',
      ])
        assert.ok(text.includes(part), `${part} in\n${text}`);
    });

    it('gets the label that was bought when the process died before it was on record', async () => {
      const packed = await aPackedOrder(db(), { state: 'delivered' });
      const { returnId } = await aReturnToSend(db(), packed);
      const shipmentId = asId<ShipmentId>(randomUUID());
      let bought: string | null = null;
      const dying: Carrier = {
        ...carrier,
        buyLabel: async (key, parcel) => {
          bought = (await carrier.buyLabel(key, parcel)).trackingNumber;
          throw new Error('the process dies');
        },
      };
      await assert.rejects(
        run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }), dying),
        /dies/,
      );
      assert.equal((await read(shipmentId)).state, 'created');
      const { trackingNumber } = await run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }));
      assert.equal(trackingNumber, bought);
    });

    it('has none where no carrier sells any: a person types the number in, and no other parcel takes it', async () => {
      const packed = await aPackedOrder(db(), { state: 'delivered' });
      const { returnId } = await aReturnToSend(db(), packed);
      const shipmentId = asId<ShipmentId>(randomUUID());
      const buy = run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }), null);
      await assert.rejects(buy, { type: 'carrier_unavailable', nonRetryable: true });
      const typed = { carrier: 'JNE', trackingNumber: `JNE-${returnId.slice(0, 8)}`, by: packed.by, at: now() };
      const enter = (id: ShipmentId) => db().transaction((tx) => enterTracking(tx, { ...typed, shipmentId: id }));
      await enter(shipmentId);
      await enter(shipmentId);
      assert.equal((await read(shipmentId)).state, 'labelled');
      const other = await aParcel(db(), await aPackedOrder(db()));
      await assert.rejects(enter(other), (error) => error instanceof Failure && error.code === 'tracking_taken');
      assert.equal(await run((acts) => acts.voidLabel({ shipmentId, at: now() }), null), 'gone');
    });

    it('loses its label once: at the carrier and on record', async () => {
      const { shipmentId } = await aReturnLabel();
      const takeBack = () => run((acts) => acts.voidLabel({ shipmentId, at: now() }));
      assert.deepEqual([await takeBack(), await takeBack()], ['voided', 'voided']);
      assert.deepEqual(await eventsOf(shipmentId), ['shipment.labelled', 'shipment.label_voided']);
      assert.equal(await run((acts) => acts.voidLabel({ shipmentId: asId(randomUUID()), at: now() })), 'gone');
    });

    it('keeps a label that it travels with, and gets no other under its ID once it was taken back', async () => {
      const used = await aReturnLabel();
      await play(used.trackingNumber, 'pickup');
      assert.equal(await run((acts) => acts.voidLabel({ shipmentId: used.shipmentId, at: now() })), 'used');
      assert.equal((await read(used.shipmentId)).state, 'labelled');

      const { returnId, shipmentId } = await aReturnLabel();
      await run((acts) => acts.voidLabel({ shipmentId, at: now() }));
      const buy = run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }));
      await assert.rejects(buy, { type: 'carrier_unavailable' });
    });

    it('has no label that was bought while it was being taken back', async () => {
      const packed = await aPackedOrder(db(), { state: 'delivered' });
      const { returnId } = await aReturnToSend(db(), packed);
      const shipmentId = asId<ShipmentId>(randomUUID());
      const slow: Carrier = {
        ...carrier,
        buyLabel: async (key, parcel) => {
          const label = await carrier.buyLabel(key, parcel);
          await run((acts) => acts.voidLabel({ shipmentId, at: now() }));
          return label;
        },
      };
      const buy = run((acts) => acts.buyReturnLabel({ returnId, shipmentId, at: now() }), slow);
      await assert.rejects(buy, { type: 'carrier_unavailable' });
      const { state, labelSha256 } = await read(shipmentId);
      assert.deepEqual([state, labelSha256], ['voided', null]);
    });

    it('is followed though its label was taken back, and leaves the units to its return', async () => {
      const order = await aPackedOrder(db(), { state: 'delivered' });
      const { shipmentId, trackingNumber } = await aReturnLabel(order);
      await play(trackingNumber, 'pickup');
      await db()('shipments').where({ id: shipmentId }).update({ state: 'voided' });
      await notice(trackingNumber);
      assert.equal((await apply(shipmentId)).state, 'in_transit');
      await play(trackingNumber, 'deliver');
      await notice(trackingNumber);
      assert.equal((await apply(shipmentId)).state, 'delivered');
      assert.deepEqual(await unitsOf(order), ['delivered', 'delivered']);
      const subjects = await db()('events').where('key', 'like', `shipment/${shipmentId}/%`).distinct('subject');
      assert.equal(subjects.length, 1);
      assert.match(subjects[0].subject, /^rma\//);
    });
  });

  describe('to the customer', () => {
    it('has a label and a slip with what lies in it and where it goes, each made once', async () => {
      const { order, shipmentId, trackingNumber } = await aLabelledParcel();
      const first = await read(shipmentId);
      await run((acts) => acts.prepareParcels({ shipmentIds: [shipmentId], at: now() }));
      assert.deepEqual(await read(shipmentId), first);
      const slip = await pdfOf(first.packingSlipSha256);
      const parts = ['DAFTAR ISI PAKET', order.number, trackingNumber, 'Kopi Gayo 250 g', RECIPIENT.name, 'Nomor seri'];
      for (const part of parts) assert.ok(slip.includes(part), `${part} in\n${slip}`);
      assert.doesNotMatch(slip, /Rp/);
      assert.ok((await pdfOf(first.labelSha256)).includes('LABEL PENGIRIMAN'));
    });

    it('has a slip without a number where its label is refused for good, and waits for a carrier that is away', async () => {
      const [heavy, late] = [await aPackedOrder(db()), await aPackedOrder(db())];
      await db()('products')
        .whereIn('sku', db()('order_items').where({ order_id: heavy.orderId }).select('sku'))
        .update({ weight_grams: 900_000 });
      const [refused, waiting] = [await aParcel(db(), heavy), await aParcel(db(), late)];
      await run((acts) => acts.prepareParcel({ shipmentId: refused, at: now() }));
      const { state, packingSlipSha256 } = await read(refused);
      assert.equal(state, 'created');
      assert.match(await pdfOf(packingSlipSha256), /tanpa nomor resi/);
      const away = createKurir({ url: 'http://127.0.0.1:1', key: 'nobody-is-there' });
      const prepared = run((acts) => acts.prepareParcels({ shipmentIds: [waiting], at: now() }), away);
      assert.deepEqual(await prepared, { done: 0 });
      assert.equal((await read(waiting)).packingSlipSha256, null);
    });

    it('moves by what the carrier says when it is asked, and takes its units along, once', async () => {
      const { order, shipmentId, trackingNumber } = await aLabelledParcel();
      await play(trackingNumber, 'pickup', 'out-for-delivery', 'deliver');
      await notice(trackingNumber);
      const at = now();
      assert.deepEqual(await apply(shipmentId, at), { state: 'delivered', moved: true });
      // The answer was lost: the same is said again, and nothing is done twice.
      assert.deepEqual(await apply(shipmentId, at), { state: 'delivered', moved: true });
      assert.deepEqual(await apply(shipmentId, new Date(Date.now() + 1_000).toISOString()), {
        state: 'delivered',
        moved: false,
      });
      assert.deepEqual(await unitsOf(order), ['delivered', 'delivered']);
      assert.deepEqual(await eventsOf(shipmentId), ['shipment.labelled', 'shipment.delivered']);
      const story = await trackedEvents(db(), [shipmentId]);
      assert.deepEqual(
        story.map(({ status }) => status),
        ['created', 'picked_up', 'out_for_delivery', 'delivered'],
      );
    });

    it('believes no notice that the carrier does not confirm', async () => {
      const { order, shipmentId, trackingNumber } = await aLabelledParcel();
      await notice(trackingNumber);
      assert.deepEqual(await shipmentsWithNews(db(), order), [shipmentId]);
      assert.equal((await apply(shipmentId)).state, 'labelled');
      assert.deepEqual(await shipmentsWithNews(db(), order), []);
      assert.deepEqual(await unitsOf(order), ['shipped', 'shipped']);
      const story = await trackedEvents(db(), [shipmentId]);
      assert.deepEqual(
        story.map(({ status }) => status),
        ['created'],
      );
    });

    it('asks nobody while nothing was told', async () => {
      const { shipmentId } = await aLabelledParcel();
      const silent: Carrier = { ...carrier, track: () => assert.fail('it was asked') };
      const answer = await run((acts) => acts.applyCarrierNews({ shipmentId, at: now() }), silent);
      assert.equal(answer.state, 'labelled');
    });

    it('waits for a carrier that does not answer, with its news kept', async () => {
      const { order, shipmentId, trackingNumber } = await aLabelledParcel();
      await play(trackingNumber, 'pickup');
      await notice(trackingNumber);
      await fetch(`${sandboxes.url}/_sandbox/shipments/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operation: 'status', kind: '5xx_before' }),
      });
      assert.deepEqual(await apply(shipmentId), { state: 'labelled', moved: false });
      assert.deepEqual(await shipmentsWithNews(db(), order), [shipmentId]);
      assert.equal((await apply(shipmentId)).state, 'in_transit');
    });

    it('is found again by a notice that came before it was on record', async () => {
      const bought = await carrier.buyLabel(asId(randomUUID()), {
        direction: 'out',
        from: { name: 'Toko', phone: null, address: 'Jalan 1', city: null, postalCode: null },
        to: { name: 'Ratna', phone: null, address: 'Jalan 2', city: null, postalCode: null },
        weightGrams: 1,
      });
      await play(bought.trackingNumber, 'pickup');
      assert.equal((await notice(bought.trackingNumber)).parcel, null);
      const order = await aPackedOrder(db());
      const shipmentId = await aParcel(db(), order, { trackingNumber: bought.trackingNumber });
      assert.deepEqual(await shipmentsWithNews(db(), order), [shipmentId]);
      assert.equal((await apply(shipmentId)).state, 'in_transit');
    });

    it('is given up once, and is delivered after all when it turns up', async () => {
      const { order, shipmentId, trackingNumber } = await aLabelledParcel();
      const lose = () => db().transaction((tx) => loseShipment(tx, { shipmentId, at: now() }));
      assert.deepEqual([await lose(), await lose()], [true, false]);
      assert.deepEqual(await unitsOf(order), ['lost', 'lost']);
      await play(trackingNumber, 'pickup', 'deliver');
      await notice(trackingNumber);
      assert.equal((await apply(shipmentId)).state, 'delivered');
      assert.deepEqual(await unitsOf(order), ['delivered', 'delivered']);
      assert.equal(await lose(), false);
    });

    it('is delivered when a person says so, whoever brought it', async () => {
      const order = await aPackedOrder(db());
      const shipmentId = await aParcel(db(), order, {
        carrier: 'JNE',
        trackingNumber: `J-${order.orderId.slice(0, 8)}`,
      });
      const deliver = () => db().transaction((tx) => deliverShipment(tx, { shipmentId, at: now(), by: order.by }));
      assert.deepEqual([await deliver(), await deliver()], [true, false]);
      assert.deepEqual(await unitsOf(order), ['delivered', 'delivered']);
      const [only] = await shipmentsOf(db(), order.orderId);
      assert.equal(only?.state, 'delivered');
    });

    it('moves once when two look at once', async () => {
      const { shipmentId, trackingNumber } = await aLabelledParcel();
      await play(trackingNumber, 'pickup', 'exception');
      await notice(trackingNumber);
      await Promise.all([apply(shipmentId), apply(shipmentId), apply(shipmentId)]);
      assert.deepEqual(await eventsOf(shipmentId), ['shipment.labelled', 'shipment.moved']);
      assert.equal((await read(shipmentId)).state, 'exception');
    });
  });
});
