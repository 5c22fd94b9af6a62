import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { createKurir } from '../../activities/carriers/kurir.ts';
import { asId } from '../../domain/ids.ts';
import { type GatewaySandboxes, startGatewaySandboxes } from '../../local/gateways/server.ts';
import { aPackedOrder, aParcel, aReturnToSend } from '../builders/parcels.ts';
import { problem } from '../builders/requests.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { carrierSettings } from '../support/gateway-settings.ts';
import { temporal } from '../support/machine.ts';
import { eventually } from '../support/wait.ts';

const SECRET = 'local-only-carrier-webhook';

describe('the webhook of the carrier', () => {
  let database: TestDatabase;
  let connection: Connection;
  let api: TestApi;
  let sandboxes: GatewaySandboxes;
  const { webhookSecret } = carrierSettings(SECRET, '');

  before(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: (await temporal()).address });
    const taskQueue = `nobody-${randomUUID()}`;
    api = await startApi(database, { temporal: new Client({ connection }), taskQueue, carrier: { webhookSecret } });
    const options = { port: 0, webhookBaseUrl: api.url, midtransServerKey: SECRET, stateDir: null };
    sandboxes = await startGatewaySandboxes(options);
  });
  after(async () => {
    await sandboxes.close();
    await api.close();
    await connection.close();
    await database.drop();
  });

  const db = () => database.db;
  const aNotice = (trackingNumber: string, changes: object = {}) => ({
    eventId: randomUUID(),
    trackingNumber,
    status: 'in_transit',
    at: new Date().toISOString(),
    place: 'Bandung',
    ...changes,
  });
  const signed = (body: string, secret = webhookSecret) => createHmac('sha256', secret).update(body).digest('hex');
  const send = (body: string, signature: string | null = signed(body), to = api) =>
    problem(to, null, 'POST', '//webhooks/carrier', {
      body,
      headers: {
        'content-type': 'application/json',
        ...(signature === null ? {} : { 'x-kurir-signature': signature }),
      },
    });
  const inbox = (trackingNumber: string) => db()('carrier_inbox').where({ tracking_number: trackingNumber });
  const aNumber = () => `KR-${randomUUID().slice(0, 12)}`;
  async function signals(workflowId: string): Promise<number> {
    try {
      const handle = api.deps.temporal.workflow.getHandle(workflowId);
      await handle.describe();
      const { events } = await handle.fetchHistory();
      return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 0;
      throw error;
    }
  }
  const isTold = (workflowId: string, times: number) =>
    eventually(`${times} signals`, async () => (await signals(workflowId)) >= times);

  it('stores what is signed and wakes the order, also where its process is over', async () => {
    const order = await aPackedOrder(db());
    const trackingNumber = aNumber();
    const shipmentId = await aParcel(db(), order, { trackingNumber });
    const answer = await send(JSON.stringify(aNotice(trackingNumber)));
    assert.deepEqual([answer.status, answer.body], [200, { status: 'received' }]);
    const [row] = await inbox(trackingNumber);
    assert.deepEqual(
      [row.shipment_id, row.status, row.confirmed, row.handled_at],
      [shipmentId, 'in_transit', false, null],
    );
    await isTold(`order/${order.orderId}`, 1);
  });

  it('wakes the return that a parcel comes back for', async () => {
    const order = await aPackedOrder(db(), { state: 'delivered' });
    const { returnId } = await aReturnToSend(db(), order);
    const trackingNumber = aNumber();
    await aParcel(db(), order, { direction: 'back', returnId, trackingNumber, units: [] });
    assert.equal((await send(JSON.stringify(aNotice(trackingNumber)))).status, 200);
    await isTold(`rma/${returnId}`, 1);
    assert.equal(await signals(`order/${order.orderId}`), 0);
  });

  it('stores a notice that comes twice once, and passes it on until somebody has looked', async () => {
    const order = await aPackedOrder(db());
    const trackingNumber = aNumber();
    await aParcel(db(), order, { trackingNumber });
    const body = JSON.stringify(aNotice(trackingNumber));
    await Promise.all([send(body), send(body)]);
    assert.equal((await inbox(trackingNumber)).length, 1);
    await isTold(`order/${order.orderId}`, 2);
    await inbox(trackingNumber).update({ handled_at: new Date() });
    assert.equal((await send(body)).status, 200);
    assert.equal((await inbox(trackingNumber)).length, 1);
    assert.equal(await signals(`order/${order.orderId}`), 2);
  });

  it('keeps what is told of a number that nobody knows yet', async () => {
    const trackingNumber = aNumber();
    assert.equal((await send(JSON.stringify(aNotice(trackingNumber)))).status, 200);
    assert.equal((await inbox(trackingNumber))[0].shipment_id, null);
    const shipmentId = await aParcel(db(), await aPackedOrder(db()), { trackingNumber });
    assert.equal((await inbox(trackingNumber))[0].shipment_id, shipmentId);
  });

  it('takes a time to come for now: a clock that is ahead must not outdo later news', async () => {
    const trackingNumber = aNumber();
    await send(JSON.stringify(aNotice(trackingNumber, { at: '2099-01-01T00:00:00+07:00' })));
    const [{ at, received_at }] = await inbox(trackingNumber);
    assert.deepEqual(at, received_at);
  });

  it('refuses who is not the carrier, and stores nothing', async () => {
    const trackingNumber = aNumber();
    const body = JSON.stringify(aNotice(trackingNumber));
    for (const signature of [null, '', 'ab', signed(body, 'another-secret'), signed(`${body} `)]) {
      const { status, body: said } = await send(body, signature);
      assert.deepEqual([status, said.code], [401, 'bad_signature'], String(signature));
    }
    const altered = body.replace('in_transit', 'delivered');
    assert.equal((await send(altered, signed(body))).status, 401);
    assert.deepEqual(await inbox(trackingNumber), []);
  });

  it('refuses what the carrier never writes, though it is signed', async () => {
    const odd = ['not json', '[]', '{}', JSON.stringify(aNotice(aNumber(), { status: 'teleported' }))];
    const deep = `${'{"a":'.repeat(600)}1${'}'.repeat(600)}`;
    for (const body of [...odd, deep, JSON.stringify(aNotice("KR'; drop table--"))])
      assert.deepEqual((await send(body)).status, 400, body.slice(0, 60));
  });

  it('is not there where no carrier is configured', async () => {
    const without = await startApi(database);
    try {
      const body = JSON.stringify(aNotice(aNumber()));
      assert.equal((await send(body, signed(body), without)).status, 404);
    } finally {
      await without.close();
    }
  });

  it('takes what the sandbox sends: once, twice, late, out of order, and nothing of a forged one', async () => {
    const kurir = createKurir(carrierSettings(SECRET, sandboxes.url));
    const place = { name: 'Toko', phone: null, address: 'Jalan 1', city: 'Bandung', postalCode: null };
    const key = asId<Parameters<typeof kurir.buyLabel>[0]>(randomUUID());
    const { trackingNumber } = await kurir.buyLabel(key, { direction: 'out', from: place, to: place, weightGrams: 1 });
    const control = (path: string) => fetch(`${sandboxes.url}/_sandbox/shipments/${path}`, { method: 'POST' });
    const statuses = async () => (await inbox(trackingNumber).orderBy('id')).map(({ status }) => status);
    await control(`${trackingNumber}/pickup?webhook=twice`);
    assert.deepEqual(await statuses(), ['picked_up']);
    await control(`${trackingNumber}/in-transit?webhook=late&delayMs=3600000`);
    await control(`${trackingNumber}/out-for-delivery?webhook=reordered`);
    assert.deepEqual(await statuses(), ['picked_up', 'out_for_delivery', 'in_transit']);
    await control(`${trackingNumber}/deliver?webhook=forged`);
    await control(`${trackingNumber}/lose?webhook=none`);
    assert.equal((await statuses()).length, 3);
    assert.equal((await control(`${trackingNumber}/find?webhook=once`)).status, 200);
    assert.equal((await control(`${trackingNumber}/deliver`)).status, 200);
    assert.equal((await control(`${trackingNumber}/deliver`)).status, 409);
    assert.deepEqual((await statuses()).slice(3), ['found', 'delivered']);
    assert.equal((await control('KR-nobody/deliver')).status, 404);
    assert.equal((await control(`${trackingNumber}/vanish`)).status, 422);
  });

  it('leaves no address, name or body in the log', () => {
    assert.doesNotMatch(api.log.join('\n'), /Kenanga|Ratna|x-kurir-signature/);
  });
});
