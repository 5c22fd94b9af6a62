import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readXenditNotification } from '../../../api/webhooks/xendit.ts';
import { until } from './support.ts';
import { CALLBACK_TOKEN, invoiceRequest, type Received, startXenditWorld, type XenditWorld } from './xendit-support.ts';

const genuine = ({ body, headers }: Received) => {
  const reading = readXenditNotification(body, headers, CALLBACK_TOKEN);
  assert.ok(reading.ok, 'it must come with the token');
  return reading.notification;
};
const openInvoice = async (world: XenditWorld, externalId: string, more: object = {}) => {
  const answer = await world.post('/v2/invoices/', invoiceRequest(externalId, more));
  return z.object({ id: z.string(), invoice_url: z.string() }).parse(await answer.json());
};

describe('notifications of the Xendit sandbox', () => {
  let world: XenditWorld;
  let id = '';
  beforeEach(async () => {
    world = await startXenditWorld();
    id = (await openInvoice(world, 'inv-1')).id;
  });
  afterEach(() => world.close());

  it('come with the callback token, before the script that caused them is answered', async () => {
    await world.play('inv-1/pay');
    assert.deepEqual(
      world.merchant.received.map(genuine).map(({ reference, objectId, status }) => [reference, objectId, status]),
      [['inv-1', id, 'paid']],
    );
  });

  it('come never, twice or late when asked', async () => {
    await world.play('inv-1/pay?webhook=none');
    assert.deepEqual(world.merchant.statuses(), []);
    await openInvoice(world, 'inv-2');
    await world.play('inv-2/pay?webhook=twice');
    assert.deepEqual(world.merchant.statuses(), ['PAID', 'PAID']);
    assert.deepEqual(world.merchant.received[0]?.body, world.merchant.received[1]?.body);
    await openInvoice(world, 'inv-3');
    const asked = Date.now();
    await world.play('inv-3/expire?webhook=late&delayMs=200');
    assert.equal(world.merchant.received.length, 2);
    await until('the late one came', () => world.merchant.received.length === 3);
    assert.ok(Date.now() - asked >= 190);
  });

  it('tell nothing of settling', async () => {
    await world.play('inv-1/pay');
    await world.play('inv-1/settle');
    assert.deepEqual(world.merchant.statuses(), ['PAID']);
  });

  it('tell how a refund ended, wrapped in two envelopes and in one', async () => {
    await world.play('inv-1/pay?channel=credit_card&webhook=none');
    const ask = (reference: string) =>
      world.post('/refunds', { invoice_id: id, reference_id: reference, amount: 10, reason: 'OTHERS' });
    await ask('r1');
    await world.play('inv-1/refund-settle');
    await until('the first end was told', () => world.merchant.received.length === 1);
    await world.play('inv-1/fail');
    await ask('r2');
    await until('the second end was told', () => world.merchant.received.length === 2);
    const read = world.merchant.received.map(genuine).map(({ reference, status }) => `${reference} ${status}`);
    assert.deepEqual(read, ['r1 refund/succeeded', 'r2 refund/failed']);
    const nested = world.merchant.received.map(({ body }) => /"data":.*"data":/.test(body.toString()));
    assert.deepEqual(nested, [true, false]);
  });

  it('tell the newest first and what came before afterwards when asked', async () => {
    await world.play('inv-1/expire?webhook=none');
    await world.play('inv-1/pay-late?webhook=reordered&channel=credit_card');
    assert.deepEqual(world.merchant.statuses(), ['PAID', 'EXPIRED']);
    await world.play('inv-1/refund?webhook=none');
    await world.play('inv-1/refund-settle?webhook=none');
    await world.play('inv-1/refund-fail?webhook=reordered');
    const read = world.merchant.received.slice(2).map(genuine);
    assert.deepEqual(
      read.map(({ status }) => status),
      ['refund/failed', 'refund/succeeded'],
    );
  });

  it('come with the right token when somebody else says that it was paid: only a look-up tells', async () => {
    await world.play('inv-1/pay?webhook=forged');
    assert.deepEqual(
      world.merchant.received.map(genuine).map(({ status }) => status),
      ['paid'],
    );
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'pending');
  });

  it('come again until the merchant takes them, redirects included', async () => {
    world.merchant.answers.push(500, 302, 200);
    await world.play('inv-1/pay');
    await until('it was taken', () => world.merchant.received.length === 3);
    assert.equal(new Set(world.merchant.received.map(({ body }) => body.toString())).size, 1);
    assert.equal(new Set(world.merchant.received.map(genuine).map(({ status }) => status)).size, 1);
  });

  it('survive a merchant that is down, and go where it moved to', async () => {
    world.moveMerchant('http://127.0.0.1:1/');
    assert.equal((await world.play('inv-1/pay')).status, 200);
    world.moveMerchant(`${world.merchant.url}/webhooks/xendit`);
    await until('it arrived', () => world.merchant.received.length === 1);
  });

  it('get lost or doubled by a planned fault', async () => {
    await world.fault({ operation: 'notification', kind: '5xx_before', times: 1 });
    await world.play('inv-1/pay');
    assert.equal(world.merchant.received.length, 0);
    await until('the retry came', () => world.merchant.received.length === 1);
    await openInvoice(world, 'inv-2');
    await world.fault({ operation: 'notification', kind: '5xx_after', times: 1 });
    await world.play('inv-2/pay');
    await until('it came twice', () => world.merchant.received.length === 3);
  });

  it('are never repeated to a merchant that took too long', async () => {
    const slow = await startXenditWorld({ notificationTimeoutMs: 100 });
    try {
      await openInvoice(slow, 'inv-1');
      slow.merchant.answers.push(null);
      await slow.play('inv-1/pay');
      assert.equal(slow.merchant.received.length, 1);
      // Another invoice's retries are the clock: 15 ms and 45 ms have passed when they are through.
      await openInvoice(slow, 'inv-2');
      slow.merchant.answers.push(503, 503, 200);
      await slow.play('inv-2/pay');
      await until('the other one was taken', () => slow.merchant.answers.length === 0);
      assert.equal(slow.merchant.received.map(genuine).filter(({ reference }) => reference === 'inv-1').length, 1);
    } finally {
      await slow.close();
    }
  });
});

describe('the pages of the Xendit sandbox', () => {
  let world: XenditWorld;
  beforeEach(async () => {
    world = await startXenditWorld();
  });
  afterEach(() => world.close());

  const text = async (url: string) => (await fetch(url)).text();
  const press = (url: string, button: string, form: Record<string, string> = {}) =>
    fetch(`${url}/${button}`, { method: 'POST', body: new URLSearchParams(form) });

  it('say what is paid, in Indonesian or English, and escape what the merchant sent', async () => {
    const items = [{ name: '<script>Izin</script>', price: 5000, quantity: 2 }];
    const { invoice_url } = await openInvoice(world, 'inv-1', { items });
    const page = await text(invoice_url);
    assert.match(page, /Rp10\.000/);
    assert.match(page, /&lt;script&gt;Izin/);
    assert.doesNotMatch(page, /<script>/);
    assert.match(page, /Pilih cara membayar/);
    assert.match(await text(`${invoice_url}?lang=en`), /Choose how to pay/);
  });

  it('lead through choosing, changing one’s mind and paying, back to the merchant', async () => {
    const success_redirect_url = 'https://alur.example/done?x=1';
    const { invoice_url } = await openInvoice(world, 'inv-1', { success_redirect_url });
    assert.equal((await press(invoice_url, 'pay')).status, 409);
    assert.match(await (await press(invoice_url, 'choose', { channel: 'bca_va' })).text(), /381659\d{10}/);
    assert.match(await (await press(invoice_url, 'choose', { channel: 'qris' })).text(), /<svg/);
    const done = await (await press(invoice_url, 'pay')).text();
    assert.match(done, /Pembayaran diterima/);
    assert.doesNotMatch(done, /<form/);
    assert.match(done, /alur\.example\/done\?x&#x3D;1/);
    assert.deepEqual(world.merchant.statuses(), ['PAID']);
  });

  it('let one try fail without telling the merchant, and the next one succeed', async () => {
    const { invoice_url } = await openInvoice(world, 'inv-1');
    await press(invoice_url, 'choose', { channel: 'credit_card' });
    const failed = await press(`${invoice_url}`, 'fail');
    assert.equal(failed.status, 409);
    assert.match(await failed.text(), /role="alert">Bank menolak/);
    assert.deepEqual(world.merchant.received, []);
    assert.match(await (await press(invoice_url, 'pay')).text(), /Pembayaran diterima/);
  });

  it('let an invoice expire, after which it takes nothing', async () => {
    const { invoice_url } = await openInvoice(world, 'inv-1');
    assert.match(await (await press(invoice_url, 'expire')).text(), /Waktu pembayaran sudah habis/);
    assert.equal((await press(invoice_url, 'choose', { channel: 'qris' })).status, 409);
  });

  it('say so when there is no such page', async () => {
    const answer = await fetch(`${world.base}/web/nothing`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /Halaman pembayaran ini tidak ada/);
  });
});

describe('the memory of the Xendit sandbox', () => {
  it('outlives a restart, pages and refunds included', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'alur-xendit-'));
    try {
      const first = await startXenditWorld({ stateDir });
      const { id, invoice_url } = await openInvoice(first, 'inv-1');
      await first.play('inv-1/pay?channel=ovo');
      await first.play('inv-1/refund');
      await first.close();
      const second = await startXenditWorld({ stateDir });
      assert.equal((await second.gateway.lookUp('inv-1')).transactionId, id);
      assert.equal((await fetch(invoice_url.replace(first.url, second.url))).status, 200);
      assert.equal((await second.play('inv-1/refund')).status, 409);
      await second.close();
    } finally {
      await rm(stateDir, { recursive: true });
    }
  });
});
