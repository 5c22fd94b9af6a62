import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Money, money, rupiah } from '../../domain/money.ts';
import {
  amountToAsk,
  type GatewayPaymentState,
  INVOICE_STATES,
  judgePayment,
  nextPaymentState,
  OPEN_PAYMENT_STATES,
  PAYMENT_STATES,
  type Part,
  type Payable,
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
  const invoice = (changes: Partial<Payable> = {}): Payable => ({
    state: 'open',
    total,
    paid: rupiah(0),
    inParts: false,
    ...changes,
  });
  const judged = (changes: Partial<Payable>, arrived: Money, asked: Money = total) => {
    const { kind, appliedMinor } = judgePayment(invoice(changes), asked, arrived);
    return [kind, appliedMinor];
  };

  it('pays it when it is open and the amount is right', () => {
    assert.deepEqual(judged({}, rupiah(55_500)), ['pays', 55_500n]);
  });

  it('is odd when it is too little or in another currency, and pays nothing', () => {
    assert.deepEqual(judged({}, rupiah(55_499)), ['short', 0n]);
    assert.deepEqual(judged({}, money(55_500, 'MYR')), ['wrong_currency', 0n]);
  });

  it('is odd when it is too much, and pays what is left', () => {
    assert.deepEqual(judged({}, rupiah(55_501)), ['over', 55_500n]);
    assert.deepEqual(judged({ paid: rupiah(40_000), inParts: true }, rupiah(20_000)), ['over', 15_500n]);
  });

  it('is odd when the invoice is paid or gone', () => {
    assert.deepEqual(judged({ state: 'paid', paid: total }, total), ['twice', 0n]);
    for (const state of ['lapsed', 'void', 'reversed'] as const)
      assert.deepEqual(judged({ state }, total), ['late', 0n], state);
  });

  it('pays its part of an invoice in parts, whatever the part is', () => {
    assert.deepEqual(judged({ inParts: true }, rupiah(1)), ['pays', 1n]);
    assert.deepEqual(judged({ inParts: true, paid: rupiah(55_000) }, rupiah(500)), ['pays', 500n]);
  });

  it('pays what it was asked for, though more has become open meanwhile', () => {
    assert.deepEqual(judged({}, rupiah(30_000), rupiah(30_000)), ['pays', 30_000n]);
  });

  it('never pays more than is left, and all of it is paid or waits', () => {
    const property = fc.property(
      fc.constantFrom(...INVOICE_STATES),
      fc.bigInt({ min: 0n, max: 55_500n }),
      fc.bigInt({ min: 0n, max: 80_000n }),
      fc.boolean(),
      (state, before, arrived, inParts) => {
        const given = invoice({ state, paid: rupiah(before), inParts });
        const { kind, appliedMinor } = judgePayment(given, total, rupiah(arrived));
        assert.ok(appliedMinor >= 0n && appliedMinor <= arrived && before + appliedMinor <= total.amountMinor);
        if (kind === 'pays') assert.equal(appliedMinor, arrived);
        if (state !== 'open') assert.equal(appliedMinor, 0n);
      },
    );
    fc.assert(property);
  });
});

describe('what an attempt asks for', () => {
  const parts = [
    { position: 1, amountMinor: 20_000n },
    { position: 2, amountMinor: 20_000n },
    { position: 3, amountMinor: 15_500n },
  ];
  const asked = (paid: number, part: Part, instalments = parts) =>
    amountToAsk({ total: rupiah(55_500), paid: rupiah(paid) }, instalments, part);

  it('is all that is left, or the instalment that comes next', () => {
    assert.deepEqual(asked(0, 'all'), { amountMinor: 55_500n, instalment: null });
    assert.deepEqual(asked(20_000, 'all'), { amountMinor: 35_500n, instalment: null });
    assert.deepEqual(asked(0, 'next'), { amountMinor: 20_000n, instalment: 1 });
    assert.deepEqual(asked(40_000, 'next'), { amountMinor: 15_500n, instalment: 3 });
  });

  it('is the rest of an instalment that was paid in part', () => {
    assert.deepEqual(asked(25_000, 'next'), { amountMinor: 15_000n, instalment: 2 });
  });

  it('is all that is left where there are no instalments', () => {
    assert.deepEqual(asked(500, 'next', []), { amountMinor: 55_000n, instalment: null });
  });
});
