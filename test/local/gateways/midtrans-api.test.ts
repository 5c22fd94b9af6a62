import assert from 'node:assert/strict';
import { z } from 'zod';
import { basic, postJson, snapRequest, startWorld, type World } from './support.ts';

const core = z.looseObject({ status_code: z.string(), transaction_status: z.string().optional() });
const readCore = async (response: Response) => core.parse(await response.json());
const codeOf = async (response: Response) => (await readCore(response)).status_code;
const refusals = z.object({ error_messages: z.array(z.string()) });
const snapAnswer = z.object({ token: z.string(), redirect_url: z.string() });

const minutes = (duration: number) => ({ unit: 'minute', duration });
const startTime = (at: number) => `${new Date(at + 7 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')} +0700`;

describe('the Midtrans sandbox', () => {
  let world: World;
  let time = 0;
  beforeEach(async () => {
    time = Date.now();
    world = await startWorld({ clock: () => new Date(time) });
  });
  afterEach(() => world.close());

  const snap = (orderId: string, more: object = {}, headers: Record<string, string> = {}) =>
    world.api('/snap/v1/transactions', snapRequest(orderId, more), headers);
  const paid = async (orderId: string, channel: string) => {
    await snap(orderId);
    await world.play(`${orderId}/pay?channel=${channel}&webhook=none`);
    if (channel === 'credit_card') await world.play(`${orderId}/settle?webhook=none`);
  };

  describe('Snap', () => {
    const item = { name: 'Izin', price: 5000, quantity: 2 };
    const refused: [string, object, RegExp][] = [
      [
        'items that do not add up',
        { item_details: [{ ...item, price: 4999 }] },
        /gross_amount is not equal to the sum/,
      ],
      ['a long item name', { item_details: [{ ...item, name: 'x'.repeat(51) }] }, /item_details\.0\.name/],
      ['an amount with decimals', { transaction_details: { order_id: 'a', gross_amount: 1.5 } }, /gross_amount/],
      ['an amount of nothing', { transaction_details: { order_id: 'a', gross_amount: 0 } }, /gross_amount/],
      [
        'a long order_id',
        { transaction_details: { order_id: 'a'.repeat(51), gross_amount: 1 } },
        /order_id is too long/,
      ],
      ['a slash in the order_id', { transaction_details: { order_id: 'a/b', gross_amount: 1 } }, /order_id is invalid/],
      ['an expiry of 4 minutes', { expiry: minutes(4) }, /expiry\.duration/],
      ['an expiry of 8 days', { expiry: { unit: 'days', duration: 8 } }, /expiry\.duration/],
      ['a page expiry of 4 minutes', { page_expiry: minutes(4) }, /page_expiry\.duration/],
      ['an unknown unit', { expiry: { unit: 'fortnight', duration: 1 } }, /expiry\.unit/],
      ['an expiry in the past', { expiry: { ...minutes(5), start_time: startTime(0) } }, /start_time/],
      ['a finish address that runs a script', { callbacks: { finish: 'javascript:alert(1)' } }, /callbacks\.finish/],
    ];
    for (const [what, more, message] of refused) {
      it(`refuses ${what}`, async () => {
        const answer = await snap('inv-1', more);
        assert.equal(answer.status, 400);
        assert.match(refusals.parse(await answer.json()).error_messages.join(), message);
      });
    }

    it('takes items that add up, and the bounds of the expiry themselves', async () => {
      for (const [index, more] of [
        { item_details: [item] },
        { expiry: { ...minutes(5), start_time: startTime(time) } },
        { expiry: { unit: 'day', duration: 7 } },
      ].entries()) {
        assert.equal((await snap(`inv-${index}`, more)).status, 201);
      }
    });

    it('refuses an order_id for the second time', async () => {
      await snap('inv-1');
      const answer = await snap('inv-1');
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), {
        error_messages: ['transaction_details.order_id has already been taken'],
      });
    });

    it('refuses a wrong key and a body that is no JSON', async () => {
      const url = `${world.base}/snap/v1/transactions`;
      assert.equal((await postJson(url, snapRequest('inv-1'), { authorization: basic('wrong') })).status, 401);
      assert.equal((await postJson(url, snapRequest('inv-1'))).status, 401);
      assert.equal((await fetch(`${world.base}/v2/inv-1/status`)).status, 401);
      const headers = { 'content-type': 'application/json' };
      assert.equal((await fetch(url, { method: 'POST', headers, body: '{"transaction' })).status, 400);
    });
  });

  describe('Idempotency-Key', () => {
    const token = async (answer: Response) => snapAnswer.parse(await answer.json()).token;

    it('repeats the first answer for five minutes, whatever the body', async () => {
      const key = { 'idempotency-key': 'k'.repeat(46) };
      const first = await token(await snap('inv-1', {}, key));
      assert.equal(await token(await snap('inv-2', {}, key)), first);
      time += 5 * 60_000 + 1;
      assert.notEqual(await token(await snap('inv-3', {}, key)), first);
    });

    it('is ignored when it is longer than 46 characters', async () => {
      const key = { 'idempotency-key': 'k'.repeat(47) };
      await snap('inv-1', {}, key);
      assert.equal((await snap('inv-1', {}, key)).status, 400);
    });

    it('does not remember a refusal', async () => {
      const key = { 'idempotency-key': 'k' };
      assert.equal((await snap('inv-1', { expiry: minutes(1) }, key)).status, 400);
      assert.equal((await snap('inv-1', {}, key)).status, 201);
    });
  });

  describe('the Core API', () => {
    it('knows a transaction only when a channel is chosen', async () => {
      await snap('inv-1');
      assert.equal(core.parse(await world.status('inv-1')).status_code, '404');
      for (const verb of ['cancel', 'expire', 'approve', 'deny', 'refund']) {
        assert.equal(await codeOf(await world.api(`/v2/inv-1/${verb}`)), '404', verb);
      }
    });

    it('charges a virtual account, and finds it by either ID', async () => {
      const body = { payment_type: 'bank_transfer', bank_transfer: { bank: 'bca' }, ...snapRequest('inv-1') };
      const charged = await readCore(await world.api('/v2/charge', body));
      assert.equal(charged.status_code, '201');
      assert.equal(charged.gross_amount, '10000.00');
      assert.deepEqual(core.parse(await world.status(String(charged.transaction_id))), {
        ...charged,
        status_message: 'Success, transaction is found',
      });
      assert.equal(await codeOf(await world.api('/v2/charge', body)), '406');
      const cstore = { ...snapRequest('inv-2'), payment_type: 'cstore' };
      assert.equal(await codeOf(await world.api('/v2/charge', cstore)), '402');
    });

    it('says 407 once the clock has passed the expiry', async () => {
      const body = { payment_type: 'qris', ...snapRequest('inv-1') };
      await world.api('/v2/charge', body);
      time += 24 * 3_600_000 - 1;
      assert.equal(core.parse(await world.status('inv-1')).status_code, '201');
      time += 1;
      const { status_code, transaction_status } = core.parse(await world.status('inv-1'));
      assert.deepEqual({ status_code, transaction_status }, { status_code: '407', transaction_status: 'expire' });
      assert.equal((await world.play('inv-1/pay')).status, 409);
    });

    it('lets a chosen virtual account outlive its page, and nothing else', async () => {
      const short = { page_expiry: minutes(5), expiry: { unit: 'hour', duration: 1 } };
      await snap('idle', short);
      for (const id of ['chosen', 'slow']) {
        const { redirect_url } = snapAnswer.parse(await (await snap(id, short)).json());
        await fetch(`${redirect_url}/choose`, { method: 'POST', body: new URLSearchParams({ channel: 'bca_va' }) });
      }
      time += 5 * 60_000;
      assert.equal((await world.play('idle/pay')).status, 409);
      assert.equal((await world.play('chosen/pay')).status, 200);
      time += 55 * 60_000;
      assert.equal((await world.play('slow/pay')).status, 409);
      assert.equal((await world.play('slow/pay-late')).status, 200);
    });

    it('moves only what may be moved', async () => {
      await snap('inv-1');
      await world.play('inv-1/challenge?channel=credit_card');
      assert.equal(await codeOf(await world.api('/v2/inv-1/expire')), '412');
      assert.equal(await codeOf(await world.api('/v2/inv-1/approve')), '200');
      assert.equal(await codeOf(await world.api('/v2/inv-1/approve')), '412');
      assert.equal(await codeOf(await world.api('/v2/inv-1/deny')), '412');
      const cancelled = await readCore(await world.api('/v2/inv-1/cancel'));
      assert.equal(cancelled.transaction_status, 'cancel');
      await paid('inv-2', 'bca_va');
      for (const verb of ['cancel', 'expire', 'deny']) {
        assert.equal(await codeOf(await world.api(`/v2/inv-2/${verb}`)), '412', verb);
      }
    });
  });

  describe('refunds', () => {
    const refund = (orderId: string, refund_key: string, amount: number) =>
      world.api(`/v2/${orderId}/refund`, { refund_key, amount, reason: 'test' });

    for (const channel of ['qris', 'gopay', 'credit_card']) {
      it(`gives ${channel} back in parts and never more than was paid`, async () => {
        await paid('inv-1', channel);
        const part = await readCore(await refund('inv-1', 'r1', 4000));
        assert.equal(part.transaction_status, 'partial_refund');
        assert.equal(await codeOf(await refund('inv-1', 'r1', 1000)), '406');
        assert.equal(await codeOf(await refund('inv-1', 'r2', 6001)), '414');
        const rest = await readCore(await refund('inv-1', 'r2', 6000));
        assert.equal(rest.transaction_status, 'refund');
        assert.equal(await codeOf(await refund('inv-1', 'r3', 1)), '412');
        assert.equal(core.parse(await world.status('inv-1')).refund_amount, '10000.00');
      });
    }

    it('gives ShopeePay back whole or not at all', async () => {
      await paid('inv-1', 'shopeepay');
      assert.equal(await codeOf(await refund('inv-1', 'r1', 9999)), '414');
      assert.equal((await readCore(await refund('inv-1', 'r1', 10_000))).transaction_status, 'refund');
    });

    it('refuses a used key before all else, and takes that of a refund that failed', async () => {
      await paid('inv-1', 'gopay');
      await refund('inv-1', 'r1', 10_000);
      assert.equal(await codeOf(await refund('inv-1', 'r1', 10_000)), '406');
      await world.play('inv-1/refund-fail?webhook=none');
      assert.equal(core.parse(await world.status('inv-1')).transaction_status, 'settlement');
      assert.equal(await codeOf(await refund('inv-1', 'r1', 10_000)), '200');
    });

    it('keeps the numbers of the others when one fails', async () => {
      await paid('inv-1', 'credit_card');
      await refund('inv-1', 'r1', 1000);
      await refund('inv-1', 'r2', 2000);
      await world.play('inv-1/refund-settle?webhook=none');
      await world.play('inv-1/refund-fail?webhook=none');
      await refund('inv-1', 'r3', 3000);
      const said = z
        .object({ refund_amount: z.string(), refunds: z.array(z.looseObject({ refund_key: z.string() })) })
        .parse(await world.status('inv-1'));
      assert.equal(said.refund_amount, '4000.00');
      assert.deepEqual(
        said.refunds.map((one) => [one.refund_key, one.refund_chargeback_id, 'bank_confirmed_at' in one]),
        [
          ['r1', 1, true],
          ['r3', 3, false],
        ],
      );
    });

    it('refuses a virtual account, a pending payment and an unsettled capture', async () => {
      await paid('va', 'bca_va');
      await world.api('/v2/charge', { payment_type: 'gopay', ...snapRequest('pending') });
      await snap('captured');
      await world.play('captured/pay?channel=credit_card');
      for (const id of ['va', 'pending', 'captured']) assert.equal(await codeOf(await refund(id, 'r1', 1)), '412', id);
    });
  });
});
