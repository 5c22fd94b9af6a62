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

  it('tell twice of a refund that a bank makes: begun, then done', async () => {
    await world.post('/v1/checkout/sessions', sessionForm('inv-2', { 'line_items[0][price_data][currency]': 'myr' }));
    await world.play('inv-2/pay?channel=fpx&webhook=none');
    await world.play('inv-2/refund');
    assert.deepEqual(told(), [
      'charge.refunded/succeeded/1000000',
      'refund.created/pending',
      'refund.updated/succeeded',
    ]);
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
