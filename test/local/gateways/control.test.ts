import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startGatewaySandboxes } from '../../../local/gateways/server.ts';
import { postJson, SERVER_KEY, snapRequest, startWorld, type World } from './support.ts';

const payment = z.looseObject({ reference: z.string(), state: z.string(), channel: z.string().nullable() });
const view = async (response: Response) => payment.parse(await response.json());
const list = z.object({ items: z.array(payment) });
const problem = z.object({ status: z.number(), code: z.string(), detail: z.string() });

describe('playing with payments in the sandbox', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
    await world.api('/snap/v1/transactions', snapRequest('inv-1'));
  });
  afterEach(() => world.close());

  const refused = async (path: string) => {
    const answer = await world.play(path);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    const said = problem.parse(await answer.json());
    assert.equal(said.status, answer.status);
    return said;
  };

  it('answers with the new state, paid by BCA virtual account unless said otherwise', async () => {
    const { state, channel } = await view(await world.play('inv-1/pay'));
    assert.deepEqual({ state, channel }, { state: 'settlement', channel: 'bca_va' });
  });

  it('says 404 for an unknown reference', async () => {
    const { status, code } = await refused('inv-9/pay');
    assert.deepEqual({ status, code }, { status: 404, code: 'unknown_reference' });
  });

  it('says 422 for an unknown event, option or channel', async () => {
    assert.equal((await refused('inv-1/explode')).status, 422);
    assert.equal((await refused('inv-1/pay?webhook=never')).status, 422);
    assert.equal((await refused('inv-1/pay?wbhook=none')).status, 422);
    assert.equal((await refused('inv-1/pay?channel=cash')).status, 409);
  });

  it('points to pay-late when an expired payment is to be paid', async () => {
    await world.play('inv-1/expire');
    const { status, detail } = await refused('inv-1/pay');
    assert.equal(status, 409);
    assert.match(detail, /pay-late/);
    assert.equal((await view(await world.play('inv-1/pay-late'))).state, 'settlement');
  });

  it('pays late what is still open by its own clock', async () => {
    assert.equal((await view(await world.play('inv-1/pay-late'))).state, 'settlement');
  });

  for (const [done, impossible] of [
    ['pay', ['pay', 'fail', 'expire', 'pay-late', 'refund', 'refund-settle', 'refund-fail', 'settle', 'challenge']],
    ['fail', ['pay', 'expire', 'pay-late', 'refund', 'reverse', 'settle']],
    ['expire', ['pay', 'fail', 'expire', 'refund', 'reverse']],
  ] as const) {
    it(`cannot, after ${done}, ${impossible.join(' or ')}`, async () => {
      await world.play(`inv-1/${done}`);
      for (const event of impossible) assert.equal((await refused(`inv-1/${event}`)).status, 409, event);
    });
  }

  it('knows no way back from a reversal', async () => {
    await world.play('inv-1/pay');
    await world.play('inv-1/reverse');
    for (const event of ['unreverse', 'reverse', 'refund']) assert.equal((await refused(`inv-1/${event}`)).status, 409);
  });

  it('tells what it holds of a payment: taken, given back for certain, taken away', async () => {
    const held = async () => {
      const { items } = z
        .object({ items: z.array(z.object({ capturedMinor: z.number(), refundedMinor: z.number() })).length(1) })
        .parse(await (await fetch(`${world.sandbox.url}/_sandbox/payments`)).json());
      return items.map(({ capturedMinor, refundedMinor }) => [capturedMinor, refundedMinor])[0];
    };
    assert.deepEqual(await held(), [0, 0]);
    await world.play('inv-1/pay?channel=credit_card');
    assert.deepEqual(await held(), [10_000, 0]);
    await world.play('inv-1/settle');
    await world.play('inv-1/refund?amount=4000');
    assert.deepEqual(await held(), [10_000, 0], 'its bank has not confirmed it');
    await world.play('inv-1/refund-settle');
    assert.deepEqual(await held(), [10_000, 4000]);
    await world.play('inv-1/reverse');
    assert.deepEqual(await held(), [4000, 4000], 'the rest is gone');
  });

  it('breaks down for one payment or one gateway only, when told so', async () => {
    await world.api('/snap/v1/transactions', snapRequest('inv-2'));
    const status = { operation: 'status', kind: '429', times: 1 } as const;
    await world.fault({ ...status, gateway: 'xendit' });
    await world.fault({ ...status, reference: 'inv-2' });
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'not_found');
    await assert.rejects(world.gateway.lookUp('inv-2'), { code: 'rate_limited' });
    assert.equal((await world.gateway.lookUp('inv-2')).state, 'not_found');
    await world.fault({ ...status, gateway: 'midtrans' });
    await assert.rejects(world.gateway.lookUp('inv-1'), { code: 'rate_limited' });
  });

  it('forgets planned trouble when there is to be none', async () => {
    const fault = { operation: 'status', kind: '429', times: 3 } as const;
    await world.fault(fault);
    await assert.rejects(world.gateway.lookUp('inv-1'), { code: 'rate_limited' });
    await world.fault({ ...fault, times: 0 });
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'not_found');
  });

  it('breaks down over a question about a refund once the payment is paid, and not before', async () => {
    await world.fault({ operation: 'refund_status', kind: '429', times: 1 });
    await world.play('inv-1/expire?channel=gopay');
    assert.equal((await world.gateway.lookUp('inv-1')).state, 'expired');
    await world.play('inv-1/pay-late');
    await assert.rejects(world.gateway.lookUp('inv-1'), { code: 'rate_limited' });
  });

  it('refuses a fault that it does not know', async () => {
    const answer = await postJson(`${world.sandbox.url}/_sandbox/faults`, { operation: 'create', kind: 'earthquake' });
    assert.equal(answer.status, 422);
  });
});

describe('the pages of the sandbox', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  const open = async (more: object = {}) => {
    const answer = await world.api('/snap/v1/transactions', snapRequest('inv-1', more));
    return z.object({ redirect_url: z.string() }).parse(await answer.json()).redirect_url;
  };
  const text = async (url: string) => (await fetch(url)).text();
  const press = (url: string, button: string, form: Record<string, string> = {}) =>
    fetch(`${url}/${button}`, { method: 'POST', body: new URLSearchParams(form) });

  it('say what is paid, in Indonesian or English, and escape what the merchant sent', async () => {
    const url = await open({ item_details: [{ name: '<script>Izin</script>', price: 5000, quantity: 2 }] });
    const page = await text(url);
    assert.match(page, /Rp10\.000/);
    assert.match(page, /&lt;script&gt;Izin/);
    assert.doesNotMatch(page, /<script>/);
    assert.match(page, /Pilih cara membayar/);
    assert.match(await text(`${url}?lang=en`), /Choose how to pay/);
  });

  it('lead through choosing and paying, back to the merchant', async () => {
    const url = await open({ callbacks: { finish: 'https://alur.example/done?x=1' } });
    assert.match(await (await press(url, 'choose', { channel: 'bca_va' })).text(), /80777\d{11}/);
    const done = await (await press(url, 'pay')).text();
    assert.match(done, /Pembayaran diterima/);
    assert.doesNotMatch(done, /<form/);
    assert.match(done, /alur\.example\/done\?x&#x3D;1&amp;order_id&#x3D;inv-1&amp;status_code&#x3D;200/);
  });

  it('show the code of a QRIS payment', async () => {
    const url = await open();
    assert.match(await (await press(url, 'choose', { channel: 'qris' })).text(), /<svg/);
  });

  it('let a payment fail or expire', async () => {
    const url = await open();
    assert.match(await (await press(url, 'expire')).text(), /kedaluwarsa/);
    const again = await press(url, 'pay');
    assert.equal(again.status, 409);
    assert.match(await again.text(), /role="alert"/);
  });

  it('say so when there is no such page', async () => {
    const answer = await fetch(`${world.base}/snap/v3/redirection/nothing`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /Halaman pembayaran ini tidak ada/);
    await open();
    assert.equal((await fetch(`${world.base}/snap/v3/redirection/inv-1`)).status, 404);
  });

  it('list all payments with their links', async () => {
    assert.match(await text(world.sandbox.url), /None yet/);
    const url = await open();
    assert.ok((await text(world.sandbox.url)).includes(`<a href="${url}">inv-1</a>`));
  });
});

describe('the memory of the sandbox', () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'alur-sandbox-'));
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const listed = async (world: World) => {
    const answer = await fetch(`${world.sandbox.url}/_sandbox/payments`);
    return list.parse(await answer.json()).items.map(({ reference, state }) => `${reference} ${state}`);
  };

  it('outlives a restart, pages and used references included', async () => {
    const first = await startWorld({ stateDir });
    const { redirect_url } = z
      .looseObject({ redirect_url: z.string() })
      .parse(await (await first.api('/snap/v1/transactions', snapRequest('inv-1'))).json());
    await first.api('/snap/v1/transactions', snapRequest('inv-0'));
    await first.play('inv-1/pay?channel=gopay');
    await first.close();

    const second = await startWorld({ stateDir });
    assert.deepEqual(await listed(second), ['inv-1 settlement', 'inv-0 created']);
    assert.equal((await second.api('/snap/v1/transactions', snapRequest('inv-1'))).status, 400);
    assert.equal((await second.gateway.lookUp('inv-1')).state, 'paid');
    assert.equal((await fetch(redirect_url.replace(first.sandbox.url, second.sandbox.url))).status, 200);
    assert.equal((await view(await second.play('inv-1/refund'))).state, 'refund');
    await second.close();
  });

  it('ignores a half-written file, and names a broken one', async () => {
    const first = await startWorld({ stateDir });
    await first.api('/snap/v1/transactions', snapRequest('inv-1'));
    await first.close();
    const dir = join(stateDir, 'midtrans');
    assert.deepEqual(await readdir(dir), ['inv-1.json']);
    await writeFile(join(dir, 'inv-2.json.tmp'), '{"orderId":');
    const second = await startWorld({ stateDir });
    assert.deepEqual(await listed(second), ['inv-1 created']);
    await second.close();
    await writeFile(join(dir, 'inv-3.json'), '{"orderId":');
    const options = { port: 0, webhookBaseUrl: 'http://127.0.0.1:1', midtransServerKey: SERVER_KEY, stateDir };
    await assert.rejects(() => startGatewaySandboxes(options), /cannot read .*inv-3\.json; delete it/);
  });

  it('tells which port is taken', async () => {
    const world = await startWorld();
    const { port } = world.sandbox;
    const options = { port, webhookBaseUrl: '', midtransServerKey: SERVER_KEY, stateDir: null };
    await assert.rejects(() => startGatewaySandboxes(options), { code: 'EADDRINUSE', port });
    await world.close();
  });
});
