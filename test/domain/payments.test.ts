import assert from 'node:assert/strict';
import fc from 'fast-check';
import { money, rupiah } from '../../domain/money.ts';
import {
  type GatewayPaymentState,
  INVOICE_STATES,
  judgePayment,
  nextPaymentState,
  OPEN_PAYMENT_STATES,
  PAYMENT_STATES,
  type PaymentState,
  paymentTransitions,
} from '../../domain/payments.ts';

const SAID: GatewayPaymentState[] = ['not_found', 'pending', 'paid', 'failed', 'expired', 'reversed', 'refunded'];

describe('a payment attempt', () => {
  it('follows what the gateway says', () => {
    assert.equal(nextPaymentState('created', 'pending'), 'pending');
    assert.equal(nextPaymentState('unknown', 'pending'), 'pending');
    assert.equal(nextPaymentState('pending', 'paid'), 'paid');
    assert.equal(nextPaymentState('pending', 'failed'), 'failed');
    assert.equal(nextPaymentState('pending', 'expired'), 'expired');
    assert.equal(nextPaymentState('paid', 'reversed'), 'reversed');
  });

  it('that is paid stays paid, whatever comes late, until the gateway takes the money back', () => {
    for (const said of SAID)
      assert.equal(nextPaymentState('paid', said), said === 'reversed' || said === 'failed' ? 'reversed' : null, said);
  });

  it('takes money that comes after a failure, an expiry or a reversal', () => {
    for (const state of PAYMENT_STATES.filter((s) => s !== 'paid'))
      assert.equal(nextPaymentState(state, 'paid'), 'paid', state);
  });

  it('that is over is not opened again by a late word', () => {
    for (const state of ['failed', 'expired', 'reversed'] as const) {
      assert.equal(nextPaymentState(state, 'pending'), null);
      for (const open of OPEN_PAYMENT_STATES) assert.ok(!paymentTransitions[state].some((next) => next === open));
    }
  });

  it('is not moved by a gateway that does not know it yet', () => {
    for (const state of PAYMENT_STATES) assert.equal(nextPaymentState(state, 'not_found'), null);
  });

  it('is not moved by a refund of money that was known, and leaves a trace of money that came and went unseen', () => {
    for (const state of PAYMENT_STATES)
      assert.equal(
        nextPaymentState(state, 'refunded'),
        OPEN_PAYMENT_STATES.some((open) => open === state) ? 'reversed' : null,
        state,
      );
  });

  it('never goes back to before the gateway was asked', () => {
    for (const state of PAYMENT_STATES) assert.ok(!paymentTransitions[state].includes('created'), state);
  });

  it('keeps its money over any sequence of words that has a payment and nothing after it that takes it back', () => {
    const words = fc.array(fc.constantFrom(...SAID), { maxLength: 12 });
    const property = fc.property(words, (heard) => {
      const end = heard.reduce<PaymentState>((state, said) => nextPaymentState(state, said) ?? state, 'created');
      const lastPaid = heard.lastIndexOf('paid');
      const takenBack = heard.slice(lastPaid).some((said) => said === 'reversed' || said === 'failed');
      if (lastPaid >= 0) assert.equal(end, takenBack ? 'reversed' : 'paid');
      if (lastPaid < 0) assert.notEqual(end, 'paid');
    });
    fc.assert(property);
  });
});

describe('money that arrives for an invoice', () => {
  const total = rupiah(55_500);

  it('pays it when it is open and the amount is right', () => {
    assert.equal(judgePayment({ state: 'open', total }, rupiah(55_500)), 'pays');
  });

  it('is a case when it is too little, too much or in another currency', () => {
    assert.equal(judgePayment({ state: 'open', total }, rupiah(55_499)), 'short');
    assert.equal(judgePayment({ state: 'open', total }, rupiah(55_501)), 'over');
    assert.equal(judgePayment({ state: 'open', total }, money(55_500, 'MYR')), 'wrong_currency');
  });

  it('is a case when the invoice is paid or gone', () => {
    assert.equal(judgePayment({ state: 'paid', total }, total), 'twice');
    assert.equal(judgePayment({ state: 'lapsed', total }, total), 'late');
    assert.equal(judgePayment({ state: 'void', total }, total), 'late');
  });

  it('pays only the exact amount of an open invoice', () => {
    const property = fc.property(
      fc.constantFrom(...INVOICE_STATES),
      fc.bigInt({ min: 55_490n, max: 55_510n }),
      (state, paid) => {
        const pays = judgePayment({ state, total }, rupiah(paid)) === 'pays';
        assert.equal(pays, state === 'open' && paid === total.amountMinor);
      },
    );
    fc.assert(property);
  });
});
