import assert from 'node:assert/strict';
import { z } from 'zod';
import { readMidtransNotification } from '../../../api/webhooks/midtrans.ts';
import { SERVER_KEY, snapRequest, startWorld, until, type World } from './support.ts';

const genuine = (body: Buffer) => {
  const reading = readMidtransNotification(body, SERVER_KEY);
  assert.ok(reading.ok, 'the signature must hold');
  return reading.notification;
};

describe('notifications of the Midtrans sandbox', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
    await world.api('/snap/v1/transactions', snapRequest('inv-1'));
  });
  afterEach(() => world.close());

  it('come signed, before the script that caused them is answered', async () => {
    await world.play('inv-1/pay');
    assert.equal(world.merchant.received.length, 1);
    const said = genuine(world.merchant.received[0] ?? Buffer.alloc(0));
    assert.deepEqual([said.reference, said.status], ['inv-1', 'settlement/accept/200']);
  });

  it('come never, twice or late when asked', async () => {
    await world.play('inv-1/pay?webhook=none');
    assert.deepEqual(world.merchant.statuses(), []);
    await world.play('inv-1/reverse?webhook=twice');
    assert.deepEqual(world.merchant.statuses(), ['deny', 'deny']);
    assert.deepEqual(world.merchant.received[0], world.merchant.received[1]);

    await world.api('/snap/v1/transactions', snapRequest('inv-2'));
    const asked = Date.now();
    await world.play('inv-2/pay?webhook=late&delayMs=200');
    assert.equal(world.merchant.received.length, 2);
    await until('the late one came', () => world.merchant.received.length === 3);
    assert.ok(Date.now() - asked >= 190);
  });

  it('tell of a choice and a payment on the page', async () => {
    const { redirectUrl } = await onlyPayment(world);
    const choice = new URLSearchParams({ channel: 'bca_va' });
    await fetch(`${redirectUrl}/choose`, { method: 'POST', body: choice });
    await until('the choice was told', () => world.merchant.received.length === 1);
    await fetch(`${redirectUrl}/pay`, { method: 'POST' });
    assert.deepEqual(world.merchant.statuses(), ['pending', 'settlement']);
  });

  it('never tell of a page that expired without a choice', async () => {
    await world.play('inv-1/expire');
    assert.equal((await onlyPayment(world)).state, 'page_expired');
    assert.deepEqual(world.merchant.received, []);
  });

  it('tell of an expiry with 202 where the look-up says 407', async () => {
    await world.play('inv-1/expire?channel=bca_va');
    assert.equal(genuine(world.merchant.received[0] ?? Buffer.alloc(0)).status, 'expire/202');
  });

  it('tell of a refund twice: asked for, then confirmed by the bank', async () => {
    await world.play('inv-1/pay?channel=gopay&webhook=none');
    await world.api('/v2/inv-1/refund', { refund_key: 'r1', amount: 4000, reason: 'test' });
    await until('both came', () => world.merchant.received.length === 2);
    assert.deepEqual(
      world.merchant.received.map((body) => genuine(body).status),
      ['partial_refund/accept/200/r1:requested', 'partial_refund/accept/200/r1:confirmed'],
    );
  });

  it('tell of a card refund when the bank confirms it, and when it fails after all', async () => {
    await world.play('inv-1/pay?channel=credit_card&webhook=none');
    await world.play('inv-1/settle?webhook=none');
    await world.play('inv-1/refund?amount=4000');
    await world.play('inv-1/refund-settle');
    await world.play('inv-1/refund-fail');
    const [requested, confirmed, failed] = world.merchant.received.map((body) => genuine(body).status);
    assert.match(requested ?? '', /^partial_refund\/accept\/200\/.*:requested$/);
    assert.match(confirmed ?? '', /^partial_refund\/accept\/200\/.*:confirmed$/);
    assert.equal(failed, 'settlement/accept/202', 'not the words of the settlement, which was told before');
  });

  it('come forged when asked, of what did not happen, and are not retried', async () => {
    world.merchant.answers.push(401);
    await world.play('inv-1/pay?channel=gopay&webhook=forged');
    assert.deepEqual(world.merchant.statuses(), ['settlement']);
    const reading = readMidtransNotification(world.merchant.received[0] ?? Buffer.alloc(0), SERVER_KEY);
    assert.deepEqual(reading, { ok: false, problem: 'bad_signature' });
    assert.equal((await onlyPayment(world)).state, 'created');
    await fetch(`${world.sandbox.url}/_sandbox/notifications/flush`, { method: 'POST' });
    assert.equal(world.merchant.received.length, 1);
  });

  it('come in the wrong order when asked: what is held back, else what the payment would have said before', async () => {
    await world.play('inv-1/pay?channel=gopay&webhook=reordered');
    assert.deepEqual(world.merchant.statuses(), ['settlement', 'pending']);
    await world.play('inv-1/refund?amount=1&webhook=late&delayMs=600000');
    await world.play('inv-1/reverse?webhook=reordered');
    assert.deepEqual(world.merchant.statuses().slice(2), ['chargeback', 'partial_refund', 'partial_refund']);
  });

  it('need not be waited for: a flush brings retries and what was held back, in order', async () => {
    await world.close();
    world = await startWorld({ notificationRetryScale: 1 });
    await world.api('/snap/v1/transactions', snapRequest('inv-1'));
    world.merchant.answers.push(503);
    await world.play('inv-1/pay');
    await world.play('inv-1/reverse?webhook=late&delayMs=600000');
    assert.deepEqual(world.merchant.statuses(), ['settlement']);
    const flushed = await fetch(`${world.sandbox.url}/_sandbox/notifications/flush`, { method: 'POST' });
    assert.equal(flushed.status, 204);
    assert.deepEqual(world.merchant.statuses(), ['settlement', 'settlement', 'deny']);
  });

  it('come again until the merchant takes them', async () => {
    world.merchant.answers.push(503, 404, 200);
    await world.play('inv-1/pay');
    assert.equal(world.merchant.received.length, 1);
    await until('it was taken', () => world.merchant.received.length === 3);
    await world.play('inv-1/reverse');
    assert.deepEqual(world.merchant.statuses(), ['settlement', 'settlement', 'settlement', 'deny']);
  });

  const attempts = [
    ['500', 2],
    ['302', 1],
  ] as const;
  for (const [answer, expected] of attempts) {
    it(`come ${expected} times when the answer is always ${answer}`, async () => {
      world.merchant.answers.push(...Array.from({ length: 9 }, () => Number(answer)));
      await world.play('inv-1/pay');
      await until('all attempts were made', () => world.merchant.received.length >= expected);
      // A later payment's retry is the clock: 10 ms and 50 ms of this scale have passed when it is through.
      await world.api('/snap/v1/transactions', snapRequest('inv-2'));
      world.merchant.answers.splice(0, 9, 503, 503, 200);
      await world.play('inv-2/pay');
      await until('the other one was taken', () => world.merchant.answers.length === 0);
      const first = world.merchant.received.filter((body) => genuine(body).reference === 'inv-1');
      assert.equal(first.length, expected);
    });
  }

  it('survive a merchant that is down, and go where it moved to', async () => {
    world.sandbox.setWebhookBaseUrl('http://127.0.0.1:1');
    assert.equal((await world.play('inv-1/pay')).status, 200);
    world.sandbox.setWebhookBaseUrl(world.merchant.url);
    await until('it arrived', () => world.merchant.received.length === 1);
  });

  it('get lost or doubled by a planned fault', async () => {
    await world.fault({ operation: 'notification', kind: '5xx_before', times: 1 });
    await world.play('inv-1/pay');
    assert.equal(world.merchant.received.length, 0);
    await until('the retry came', () => world.merchant.received.length === 1);
    await world.fault({ operation: 'notification', kind: 'timeout_after', times: 1 });
    await world.play('inv-1/reverse');
    await until('it came twice', () => world.merchant.statuses().filter((status) => status === 'deny').length === 2);
  });
});

const list = z.object({ items: z.array(z.looseObject({ redirectUrl: z.string(), state: z.string() })).length(1) });

async function onlyPayment(world: World) {
  const answer = await fetch(`${world.sandbox.url}/_sandbox/payments`);
  const [payment] = list.parse(await answer.json()).items;
  return payment ?? assert.fail('no payment');
}
