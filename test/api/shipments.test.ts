import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ShipmentId } from '../../domain/ids.ts';
import { linesOf } from '../activities/documents/pdf-text.ts';
import { aPackedOrder, aParcel, type PackedOrder, RECIPIENT } from '../builders/parcels.ts';
import type { TestPerson } from '../support/api.ts';
import { startSystem, type TestSystem } from '../support/system.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('parcels over HTTP', function () {
  this.timeout(30_000);
  let system: TestSystem;
  let owner: TestPerson;
  let stranger: TestPerson;
  let warehouse: TestPerson;
  let finance: TestPerson;
  let order: PackedOrder;
  let shipmentId: ShipmentId;

  before(async () => {
    system = await startSystem();
    const { api, database } = system;
    [owner, stranger, warehouse, finance] = await Promise.all([
      api.person('owner'),
      api.person('owner'),
      api.person('warehouse'),
      api.person('finance'),
    ]);
    await aPackedOrder(database.db, { by: stranger.id });
    order = await aPackedOrder(database.db, { by: owner.id });
    shipmentId = await aParcel(database.db, order);
  });
  after(() => system?.close());

  const get = (path: string, as: TestPerson) =>
    fetch(`${system.api.url}/api/v1${path}`, { headers: { ...as.headers, 'accept-language': 'id' } });
  const codeOf = async (response: Response): Promise<string> => {
    const { code } = z.object({ code: z.string() }).parse(await response.json());
    return `${response.status} ${code}`;
  };
  const photo = (content: Buffer, as: TestPerson, id: string = shipmentId) => {
    const body = new FormData();
    body.set('file', new Blob([new Uint8Array(content)], { type: 'image/png' }), 'bukti.png');
    return fetch(`${system.api.url}/api/v1/shipments/${id}/delivery-photo`, {
      method: 'POST',
      headers: as.headers,
      body,
    });
  };

  it('are printed for whoever asks before anybody has, and name what lies in them', async () => {
    const response = await get(`/shipments/${shipmentId}/packing-slip`, warehouse);
    assert.equal(response.headers.get('content-type'), 'application/pdf');
    const text = linesOf(Buffer.from(await response.arrayBuffer())).join('\n');
    for (const part of [order.number, 'Kopi Gayo 250 g', RECIPIENT.name]) assert.ok(text.includes(part), part);
    const label = await get(`/shipments/${shipmentId}/label`, owner);
    assert.equal(label.status, 200);
    assert.match(linesOf(Buffer.from(await label.arrayBuffer())).join('\n'), /KR\d{11}/);
  });

  it('are listed to who bought them and to staff, with their story and without an address', async () => {
    for (const as of [owner, warehouse, finance]) {
      const response = await get(`/orders/${order.orderId}/shipments`, as);
      const text = await response.text();
      assert.equal(response.status, 200);
      const { items } = JSON.parse(text);
      const [only] = items;
      assert.deepEqual(
        [items.length, only.id, only.direction, only.state, only.carrier, only.hasLabel],
        [1, shipmentId, 'out', 'labelled', 'kurir', true],
      );
      assert.deepEqual(only.units, [{ sku: only.units[0].sku, name: 'Kopi Gayo 250 g', quantity: 2 }]);
      assert.doesNotMatch(text, /Ratna|Kenanga/);
    }
  });

  it('are nobody else’s: not the list, not the papers, not the photo', async () => {
    for (const path of [
      `/orders/${order.orderId}/shipments`,
      `/shipments/${shipmentId}/packing-slip`,
      `/shipments/${shipmentId}/label`,
      `/shipments/${shipmentId}/delivery-photo`,
    ])
      assert.equal(await codeOf(await get(path, stranger)), '404 not_found', path);
    // Staff who neither pack nor sell see where it is, and not where it goes.
    assert.equal(await codeOf(await get(`/shipments/${shipmentId}/label`, finance)), '404 not_found');
    assert.equal(await codeOf(await get(`/shipments/${shipmentId}/packing-slip`, finance)), '404 not_found');
  });

  it('have a photo that shows them delivered: an image by its content, put there by staff', async () => {
    assert.equal(await codeOf(await photo(PNG, owner)), '403 forbidden');
    assert.equal(
      await codeOf(await photo(Buffer.from('%PDF-1.7 not a photo'), warehouse)),
      '415 unsupported_media_type',
    );
    assert.equal(await codeOf(await photo(PNG, warehouse, randomUUID())), '404 not_found');
    assert.equal(await codeOf(await get(`/shipments/${shipmentId}/delivery-photo`, owner)), '404 not_found');
    const posted = await photo(PNG, warehouse);
    assert.equal(posted.status, 204, await posted.text());
    const shown = await get(`/shipments/${shipmentId}/delivery-photo`, owner);
    assert.equal(shown.headers.get('content-type'), 'image/png');
    assert.ok(Buffer.from(await shown.arrayBuffer()).equals(PNG));
  });

  it('take a tracking number that a person types in, once', async () => {
    const other = await aPackedOrder(system.database.db, { by: owner.id });
    const id = await aParcel(system.database.db, other, { carrier: 'JNE' });
    const put = (body: object, as = warehouse) =>
      system.api.call(`/shipments/${id}/tracking`, { method: 'PUT', as, body });
    assert.equal((await put({ carrier: 'JNE', trackingNumber: 'JNE-1234' }, owner)).body['code'], 'forbidden');
    assert.equal((await put({ carrier: 'JNE', trackingNumber: 'a b' })).body['code'], 'invalid_request');
    assert.equal((await put({ carrier: 'JNE', trackingNumber: 'JNE-1234' })).status, 204);
    assert.equal((await put({ carrier: 'JNE', trackingNumber: 'JNE-1234' })).status, 204);
    assert.equal((await put({ carrier: 'JNE', trackingNumber: 'JNE-9999' })).body['code'], 'shipment_not_known');
    const third = await aParcel(system.database.db, other, { carrier: 'JNE' });
    const body = { carrier: 'JNE', trackingNumber: 'JNE-1234' };
    const taken = await system.api.call(`/shipments/${third}/tracking`, { method: 'PUT', as: warehouse, body });
    assert.equal(taken.body['code'], 'tracking_taken');
    assert.equal(await codeOf(await get(`/shipments/${id}/label`, owner)), '404 not_found');
  });

  it('leave no name or address in the log or in the history', async () => {
    assert.doesNotMatch(system.api.log.join('\n'), /Ratna|Kenanga/);
    const { events } = await system.client.workflow.getHandle(`parcel/${shipmentId}`).fetchHistory();
    assert.doesNotMatch(JSON.stringify(events), /Ratna|Kenanga/);
  });
});
