import assert from 'node:assert/strict';
import { fromWire, sessionWithPayment, toGatewayPayment, toWire } from '../../../activities/gateways/stripe-wire.ts';
import { money, rupiah } from '../../../domain/money.ts';
import type { GatewayPaymentState } from '../../../domain/payments.ts';

const charge = {
  id: 'ch_1',
  created: 1_764_920_978,
  disputed: false,
  refunded: false,
  payment_method_details: { type: 'card' },
};
const intent = { id: 'pi_1', status: 'succeeded', amount_received: 1_000_000, currency: 'idr', latest_charge: charge };
const session = {
  id: 'cs_1',
  client_reference_id: 'inv-1',
  status: 'complete',
  payment_status: 'paid',
  url: null,
  amount_total: 1_000_000,
  currency: 'idr',
  expires_at: 1_764_930_000,
  payment_intent: intent,
};
const read = (more: object, disputes: string[] = []) =>
  toGatewayPayment(sessionWithPayment.parse({ ...session, ...more }), disputes);
const withIntent = (more: object) => ({ payment_intent: { ...intent, ...more } });
const withCharge = (more: object) => withIntent({ latest_charge: { ...charge, ...more } });

describe('reading what Stripe says of a session', () => {
  const declined = { status: 'requires_payment_method', amount_received: 0 };
  const cases: [string, object, string[], GatewayPaymentState][] = [
    ['an open page', { status: 'open', payment_status: 'unpaid', payment_intent: null }, [], 'pending'],
    ['an open page after a declined card', { status: 'open', ...withIntent(declined) }, [], 'pending'],
    ['an expired page', { status: 'expired', payment_intent: null }, [], 'expired'],
    ['a paid one', {}, [], 'paid'],
    ['a paid one whose session lags behind', { payment_status: 'unpaid' }, [], 'paid'],
    ['one that is processing', withIntent({ status: 'processing', amount_received: 0 }), [], 'pending'],
    ['one that waits for a bank', withIntent({ status: 'requires_action', amount_received: 0 }), [], 'pending'],
    ['one that was refused after submission', withIntent(declined), [], 'failed'],
    ['one that was canceled', withIntent({ status: 'canceled', amount_received: 0 }), [], 'failed'],
    ['a refund of all', withCharge({ refunded: true }), [], 'refunded'],
    ['a new dispute', withCharge({ disputed: true }), ['needs_response'], 'reversed'],
    ['a dispute under review', withCharge({ disputed: true }), ['under_review'], 'reversed'],
    ['a lost dispute', withCharge({ disputed: true }), ['lost'], 'reversed'],
    ['a won dispute', withCharge({ disputed: true }), ['won'], 'paid'],
    ['a mere inquiry', withCharge({ disputed: true }), ['warning_needs_response'], 'paid'],
    ['one lost among others', withCharge({ disputed: true }), ['won', 'lost'], 'reversed'],
  ];
  for (const [what, said, disputes, state] of cases) {
    it(`takes ${what} for ${state}`, () => assert.equal(read(said, disputes).state, state));
  }

  it('tells amount, instant, payment and method of money that came', () => {
    assert.deepEqual(read({}), {
      state: 'paid',
      paid: rupiah(10_000),
      paidAt: '2025-12-05T07:49:38.000Z',
      transactionId: 'pi_1',
      method: 'credit_card',
    });
  });

  it('tells what was received and not what was asked for', () => {
    assert.deepEqual(read(withIntent({ amount_received: 999_900 })).paid, rupiah(9999));
  });

  it('tells no amount while no money came', () => {
    const { paid, paidAt } = read(withIntent({ status: 'processing', amount_received: 0 }));
    assert.deepEqual({ paid, paidAt }, { paid: null, paidAt: null });
    assert.equal(read({ status: 'open', payment_intent: null }).transactionId, 'cs_1');
  });

  it('refuses a state, an amount or a currency that it does not know', () => {
    assert.throws(() => read(withIntent({ status: 'levitated' })), RangeError);
    assert.throws(() => read({ payment_intent: null }), RangeError);
    assert.throws(() => read(withIntent({ amount_received: 1_000_050 })), RangeError);
    assert.throws(() => read(withIntent({ currency: 'usd' })), RangeError);
  });
});

describe('Stripe amounts', () => {
  it('have two decimals, of rupiah too', () => {
    assert.equal(toWire(rupiah(10_000)), 1_000_000);
    assert.equal(toWire(money(1250, 'MYR')), 1250);
    assert.deepEqual(fromWire(1_000_000, 'idr'), rupiah(10_000));
    assert.deepEqual(fromWire(1250, 'myr'), money(1250, 'MYR'));
  });

  it('come back as they went, up to the largest', () => {
    for (const amount of [rupiah(1), rupiah(9_999_999_999n), money(1, 'MYR'), money(99_999_999, 'MYR')]) {
      assert.deepEqual(fromWire(toWire(amount), amount.currency.toLowerCase()), amount);
    }
  });

  for (const [amount, currency] of [
    [1_000_001, 'idr'],
    [-100, 'idr'],
    [1.5, 'myr'],
    [100, 'usd'],
    [2 ** 53, 'myr'],
  ] as const) {
    it(`refuses ${amount} ${currency}`, () => assert.throws(() => fromWire(amount, currency), RangeError));
  }
});
