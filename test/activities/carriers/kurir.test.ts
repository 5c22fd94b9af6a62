import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Parcel } from '../../../activities/carriers/carrier.ts';
import { createKurir } from '../../../activities/carriers/kurir.ts';
import { GatewayError } from '../../../activities/gateways/gateway.ts';
import { asId, type ShipmentId } from '../../../domain/ids.ts';
import { type GatewaySandboxes, startGatewaySandboxes } from '../../../local/gateways/server.ts';
import { carrierSettings } from '../../support/gateway-settings.ts';

const listed = z.object({ items: z.array(z.object({ reference: z.string() })) });

const SECRET = 'local-only-kurir-test';
const place = { name: 'Toko', phone: null, address: 'Jalan Asia Afrika 1', city: null, postalCode: null };
const PARCEL: Parcel = {
  direction: 'out',
  from: place,
  to: { ...place, name: 'Ratna', phone: '+62 812 3456 7890', city: 'Bandung', postalCode: '40115' },
  weightGrams: 600,
};

describe('the carrier Kurir', () => {
  let sandboxes: GatewaySandboxes;
  before(async () => {
    sandboxes = await startGatewaySandboxes({
      port: 0,
      webhookBaseUrl: 'http://127.0.0.1:1',
      midtransServerKey: SECRET,
      stateDir: null,
    });
  });
  after(() => sandboxes.close());

  const kurir = (timeoutMs = 2_000) => createKurir({ ...carrierSettings(SECRET, sandboxes.url), timeoutMs });
  const aKey = () => asId<ShipmentId>(randomUUID());
  const post = async (path: string, body?: unknown) => {
    const response = await fetch(`${sandboxes.url}/_sandbox/shipments${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
  };
  const failing = (operation: string, kind: string) => post('/faults', { operation, kind });
  const play = (trackingNumber: string, event: string) => post(`/${trackingNumber}/${event}?webhook=none`);
  async function labelsOf(key: ShipmentId): Promise<number> {
    const response = await fetch(`${sandboxes.url}/_sandbox/shipments`);
    const { items } = listed.parse(await response.json());
    return items.filter(({ reference }) => reference === key).length;
  }
  const kindOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      assert.ok(error instanceof GatewayError, String(error));
      return `${error.kind}/${error.code}`;
    }
    return 'done';
  };

  it('sells one label a key, however often it is asked', async () => {
    const key = aKey();
    const first = await kurir().buyLabel(key, PARCEL);
    assert.match(first.trackingNumber, /^KR\d{11}$/);
    assert.deepEqual(await Promise.all([kurir().buyLabel(key, PARCEL), kurir().buyLabel(key, PARCEL)]), [first, first]);
    assert.equal(await labelsOf(key), 1);
  });

  for (const kind of ['5xx_after', 'timeout_after'] as const) {
    it(`asks by the key for a label whose answer was lost (${kind})`, async () => {
      const key = aKey();
      await failing('create', kind);
      const { trackingNumber } = await kurir(300).buyLabel(key, PARCEL);
      assert.deepEqual((await kurir().buyLabel(key, PARCEL)).trackingNumber, trackingNumber);
      assert.equal(await labelsOf(key), 1);
    });
  }

  for (const [kind, told] of [
    ['5xx_before', 'unknown/gateway_failed'],
    ['timeout_before', 'unknown/timed_out'],
    ['429', 'retry_later/rate_limited'],
  ] as const) {
    it(`says so where no label was made (${kind}), and makes it the next time`, async () => {
      const key = aKey();
      await failing('create', kind);
      assert.equal(await kindOf(kurir(300).buyLabel(key, PARCEL)), told);
      assert.equal(await labelsOf(key), 0);
      await kurir().buyLabel(key, PARCEL);
      assert.equal(await labelsOf(key), 1);
    });
  }

  it('stays unsure where the question is lost as well, and never buys twice', async () => {
    const key = aKey();
    await failing('create', '5xx_after');
    await failing('list', '5xx_before');
    assert.match(await kindOf(kurir().buyLabel(key, PARCEL)), /gateway_failed/);
    await kurir().buyLabel(key, PARCEL);
    assert.equal(await labelsOf(key), 1);
  });

  it('refuses what is no parcel, and whoever has the wrong key', async () => {
    assert.equal(await kindOf(kurir().buyLabel(aKey(), { ...PARCEL, weightGrams: -1 })), 'refused/invalid_request');
    const stranger = createKurir({ ...carrierSettings(SECRET, sandboxes.url), key: 'somebody-else' });
    assert.equal(await kindOf(stranger.track('KR00000000000')), 'refused/unauthorized');
    assert.equal(await kindOf(stranger.voidLabel(aKey())), 'refused/unauthorized');
  });

  it('takes a label back once; after that there is nothing to sell under its key', async () => {
    const key = aKey();
    await kurir().buyLabel(key, PARCEL);
    await failing('cancel', '5xx_after');
    assert.equal(await kindOf(kurir().voidLabel(key)), 'unknown/gateway_failed');
    // Told once: a second order would meet this.
    await failing('cancel', '5xx_before');
    assert.deepEqual([await kurir().voidLabel(key), await kurir().voidLabel(key)], ['voided', 'voided']);
    await post('/faults', { operation: 'cancel', kind: '5xx_before', times: 0 });
    assert.equal(await kindOf(kurir().buyLabel(key, PARCEL)), 'refused/reference_used');
  });

  it('leaves a label that a parcel travels with, and knows of none that was never bought', async () => {
    const key = aKey();
    const { trackingNumber } = await kurir().buyLabel(key, PARCEL);
    await play(trackingNumber, 'pickup');
    assert.equal(await kurir().voidLabel(key), 'used');
    assert.equal(await kurir().voidLabel(aKey()), 'gone');
  });

  it('tells the story of a parcel, oldest first, and nothing of a number that it does not know', async () => {
    const { trackingNumber } = await kurir().buyLabel(aKey(), PARCEL);
    for (const event of ['pickup', 'in-transit', 'lose', 'find', 'deliver']) await play(trackingNumber, event);
    const events = (await kurir().track(trackingNumber)) ?? [];
    assert.deepEqual(
      events.map(({ status }) => status),
      ['created', 'picked_up', 'in_transit', 'lost', 'found', 'delivered'],
    );
    assert.equal(events.at(-1)?.place, 'Bandung');
    assert.equal(new Set(events.map(({ eventId }) => eventId)).size, 6);
    assert.equal(await kurir().track('KR99999999999'), null);
    await failing('status', 'timeout_before');
    assert.equal(await kindOf(kurir(300).track(trackingNumber)), 'retry_later/timed_out');
  });
});
