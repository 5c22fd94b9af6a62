import assert from 'node:assert/strict';
import { type StripeWorld, sessionForm, startStripe } from './stripe-support.ts';
import { until } from './support.ts';

describe('events of the Stripe sandbox', () => {
  let world: StripeWorld;
  beforeEach(async () => {
    world = await startStripe();
    await world.post('/v1/checkout/sessions', sessionForm('inv-1'));
  });
  afterEach(async () => {
    assert.deepEqual(world.merchant.problems, [], 'every signature must hold');
    await world.close();
  });

  const told = () => world.merchant.statuses;

  it('come signed, before the script that caused them is answered', async () => {
    await world.play('inv-1/pay');
    assert.deepEqual(told(), ['checkout.session.completed/complete/paid']);
    assert.deepEqual(world.merchant.references, ['inv-1']);
  });

  const stories = [
    [['fail'], ['payment_intent.payment_failed/requires_payment_method']],
    [['expire'], ['checkout.session.expired/expired/unpaid']],
    [
      ['challenge', 'settle'],
      ['checkout.session.completed/complete/unpaid', 'checkout.session.async_payment_succeeded/complete/paid'],
    ],
    [
      ['challenge', 'fail'],
      ['checkout.session.completed/complete/unpaid', 'checkout.session.async_payment_failed/complete/unpaid'],
    ],
    [
      ['pay-late'],
      ['checkout.session.completed/complete/unpaid', 'checkout.session.async_payment_succeeded/complete/paid'],
    ],
    [
      ['pay?webhook=none', 'refund?amount=4000'],
      ['charge.refunded/succeeded/400000', 'refund.created/succeeded'],
    ],
    [['pay?webhook=none', 'reverse'], ['charge.dispute.created/needs_response']],
  ] as const;
  for (const [events, statuses] of stories) {
    it(`tell of ${events.join(' and ')}`, async () => {
      for (const event of events) assert.equal((await world.play(`inv-1/${event}`)).status, 200);
      assert.deepEqual(told(), statuses);
    });
  }

  it('name the payment where Stripe does not repeat our reference, as the look-up names it', async () => {
    await world.play('inv-1/pay?webhook=none');
    await world.play('inv-1/reverse');
    assert.deepEqual(world.merchant.references, [(await world.gateway.lookUp('inv-1')).transactionId]);
  });

  it('tell of what the merchant asked for itself', async () => {
    await world.gateway.expire('inv-1');
    await until('the expiry was told', () => told().length === 1);
    assert.deepEqual(told(), ['checkout.session.expired/expired/unpaid']);
  });

  const ringgit = async (reference: string, channel: string) => {
    const currency = { 'line_items[0][price_data][currency]': 'myr' };
    await world.post('/v1/checkout/sessions', sessionForm(reference, currency));
    await world.play(`${reference}/pay?channel=${channel}&webhook=none`);
  };

  it('tell twice of a refund: begun, and done by itself at a wallet, by an event at a bank', async () => {
    await ringgit('inv-2', 'grabpay');
    await world.play('inv-2/refund');
    const begun = ['charge.refunded/succeeded/1000000', 'refund.created/pending'];
    assert.deepEqual(told(), [...begun, 'refund.updated/succeeded']);
    await ringgit('inv-3', 'fpx');
    await world.play('inv-3/refund');
    assert.deepEqual(told().slice(3), begun);
    await world.play('inv-3/refund-settle');
    assert.deepEqual(told().slice(5), ['refund.updated/succeeded']);
    assert.equal((await world.play('inv-3/refund-settle')).status, 409);
  });

  it('tell of a refund that fails, pending or succeeded, after which its money is there again', async () => {
    await world.play('inv-1/pay?webhook=none');
    await world.play('inv-1/refund?webhook=none');
    await world.play('inv-1/refund-fail');
    assert.deepEqual(told(), ['refund.updated/failed', 'refund.failed/failed']);
    assert.equal((await world.play('inv-1/refund-fail')).status, 409);
    const [payment] = world.sandbox.list();
    assert.deepEqual([payment?.state, payment?.capturedMinor, payment?.refundedMinor], ['succeeded', 10_000, 0]);
    assert.equal((await world.play('inv-1/refund')).status, 200);
  });

  it('tell of a dispute that is won: until then the money is gone', async () => {
    await world.play('inv-1/pay?webhook=none');
    await world.play('inv-1/refund?amount=1000&webhook=none');
    await world.play('inv-1/reverse');
    const money = () => world.sandbox.list().map(({ capturedMinor, refundedMinor }) => [capturedMinor, refundedMinor]);
    assert.deepEqual(money(), [[1000, 1000]]);
    assert.equal((await world.play('inv-1/refund')).status, 409);
    await world.play('inv-1/unreverse');
    assert.deepEqual(money(), [[10_000, 1000]]);
    assert.deepEqual(told(), ['charge.dispute.created/needs_response', 'charge.dispute.closed/won']);
    assert.equal((await world.play('inv-1/unreverse')).status, 409);
  });

  it('come in the wrong order when asked', async () => {
    await world.play('inv-1/challenge?webhook=none');
    await world.play('inv-1/settle?webhook=reordered');
    assert.deepEqual(told(), [
      'checkout.session.async_payment_succeeded/complete/paid',
      'checkout.session.completed/complete/unpaid',
    ]);
  });

  it('come forged when asked, and nothing has happened', async () => {
    await world.play('inv-1/pay?webhook=forged');
    assert.deepEqual(world.merchant.problems.splice(0), ['bad_signature']);
    assert.equal(world.sandbox.list()[0]?.state, 'open');
  });

  it('come never, twice or late when asked', async () => {
    await world.play('inv-1/challenge?webhook=none');
    assert.deepEqual(told(), []);
    await world.play('inv-1/settle?webhook=twice');
    assert.equal(told().length, 2);
    const asked = Date.now();
    await world.play('inv-1/reverse?webhook=late&delayMs=200');
    assert.equal(told().length, 2);
    await until('the late one came', () => told().length === 3);
    assert.ok(Date.now() - asked >= 190);
  });

  it('come again until the merchant takes them, after a redirect too', async () => {
    world.merchant.answers.push(500, 302, 404, 200);
    await world.play('inv-1/pay');
    assert.equal(told().length, 1);
    await until('it was taken', () => world.merchant.answers.length === 0, 10_000);
    assert.deepEqual(new Set(told()).size, 1);
    assert.equal(told().length, 4);
  });

  it('get lost by a planned fault, and come with the retry', async () => {
    await world.fault({ operation: 'notification', kind: '5xx_before', times: 1 });
    await world.play('inv-1/pay');
    assert.equal(told().length, 0);
    await until('the retry came', () => told().length === 1);
  });
});
