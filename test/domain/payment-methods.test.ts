import assert from 'node:assert/strict';
import { chooseGateway, methodsFor, type Payable, refundability } from '../../domain/payment-methods.ts';
import { GATEWAYS, type GatewayName } from '../../domain/payments.ts';

const ALL: Payable = { currency: 'IDR', amountMinor: 361_000n, offered: GATEWAYS };

describe('the ways to pay', () => {
  const REFUNDS: readonly (readonly [GatewayName, string | null, string])[] = [
    ['midtrans', 'bca_va', 'none'],
    ['midtrans', 'cimb_va', 'none'],
    ['midtrans', 'echannel', 'none'],
    ['midtrans', 'indomaret', 'none'],
    ['midtrans', 'cstore', 'none'],
    ['midtrans', 'qris', 'partial'],
    ['midtrans', 'gopay', 'partial'],
    ['midtrans', 'dana', 'partial'],
    ['midtrans', 'credit_card', 'partial'],
    ['midtrans', 'shopeepay', 'full'],
    ['midtrans', 'ovo', 'full'],
    ['midtrans', null, 'partial'],
    ['xendit', 'bank_transfer', 'none'],
    ['xendit', 'alfamart', 'none'],
    ['xendit', 'ovo', 'full'],
    ['xendit', 'a_channel_of_tomorrow', 'partial'],
    ['stripe', 'credit_card', 'partial'],
    ['stripe', 'fpx', 'partial'],
    ['billplz', null, 'none'],
    ['billplz', 'credit_card', 'none'],
  ];
  for (const [gateway, method, expected] of REFUNDS) {
    it(`give back ${expected} of ${method ?? 'what is not known yet'} at ${gateway}`, () =>
      assert.equal(refundability(gateway, method), expected));
  }

  it('are listed in the office’s order, each once a gateway', () => {
    const found = methodsFor({ ...ALL, offered: ['xendit', 'midtrans'] });
    assert.equal(found[0]?.gateway, 'xendit');
    const keys = found.map(({ gateway, method }) => `${gateway}/${method}`);
    assert.equal(new Set(keys).size, keys.length);
    assert.deepEqual([...new Set(found.map(({ gateway }) => gateway))], ['xendit', 'midtrans']);
  });
  it('are those of the currency only', () => {
    for (const currency of ['IDR', 'MYR'] as const) {
      const found = methodsFor({ currency, amountMinor: 20_000n, offered: GATEWAYS });
      assert.ok(found.length > 0);
      for (const one of found) assert.deepEqual([one.minimum.currency, one.maximum.currency], [currency, currency]);
    }
    assert.deepEqual(methodsFor({ ...ALL, offered: ['billplz'] }), []);
  });

  const has = (amountMinor: bigint, method: string): boolean =>
    methodsFor({ ...ALL, amountMinor, offered: ['midtrans'] }).some((one) => one.method === method);
  const LIMITS: readonly (readonly [string, bigint, boolean])[] = [
    ['qris', 1_499n, false],
    ['qris', 1_500n, true],
    ['qris', 10_000_000n, true],
    ['qris', 10_000_001n, false],
    ['bca_va', 9_999n, false],
    ['bca_va', 10_000n, true],
    ['bca_va', 500_000_001n, false],
    ['indomaret', 5_000_001n, false],
  ];
  for (const [method, amount, expected] of LIMITS) {
    it(`${expected ? 'offer' : 'do not offer'} ${method} for Rp${amount}`, () =>
      assert.equal(has(amount, method), expected));
  }
});

describe('the choice of a gateway', () => {
  it('takes the office’s first that takes the amount', () => {
    assert.deepEqual(chooseGateway(ALL), { ok: true, gateway: 'midtrans' });
    assert.deepEqual(chooseGateway({ ...ALL, offered: ['xendit', 'midtrans'] }), { ok: true, gateway: 'xendit' });
    const ringgit: Payable = { currency: 'MYR', amountMinor: 5_000n, offered: GATEWAYS };
    assert.deepEqual(chooseGateway(ringgit), { ok: true, gateway: 'stripe' });
    assert.deepEqual(chooseGateway({ ...ringgit, offered: ['billplz', 'stripe'] }), { ok: true, gateway: 'billplz' });
  });
  it('goes on to the next for a method or an amount that the first does not take', () => {
    assert.deepEqual(chooseGateway({ ...ALL, method: 'ovo' }), { ok: true, gateway: 'xendit' });
    const much = { ...ALL, method: 'credit_card', amountMinor: 300_000_000n, offered: ['xendit', 'stripe'] as const };
    assert.deepEqual(chooseGateway(much), { ok: true, gateway: 'stripe' });
  });
  it('keeps to the gateway that was named', () => {
    assert.deepEqual(chooseGateway({ ...ALL, gateway: 'xendit' }), { ok: true, gateway: 'xendit' });
    const refused = chooseGateway({ ...ALL, gateway: 'xendit', method: 'gopay' });
    assert.ok(!refused.ok);
    assert.equal(refused.code, 'method_not_available');
    assert.ok(refused.choices.includes('ovo') && !refused.choices.includes('gopay'));
  });
  it('says what is wrong: gateway, method or amount', () => {
    assert.deepEqual(chooseGateway({ ...ALL, gateway: 'billplz' }), {
      ok: false,
      code: 'gateway_not_available',
      choices: ['midtrans', 'xendit', 'stripe'],
    });
    assert.deepEqual(chooseGateway({ ...ALL, amountMinor: 1n }), {
      ok: false,
      code: 'amount_not_payable',
      choices: [],
    });
    const few = chooseGateway({ ...ALL, method: 'qris', amountMinor: 20_000_000n });
    assert.ok(!few.ok);
    assert.equal(few.code, 'amount_not_payable');
    assert.ok(few.choices.includes('bca_va') && !few.choices.includes('qris'));
  });
  it('names no channel at a gateway whose page asks for it', () => {
    const refused = chooseGateway({ currency: 'MYR', amountMinor: 5_000n, offered: ['billplz'], method: 'fpx' });
    assert.deepEqual(refused, { ok: false, code: 'method_not_available', choices: [] });
  });
});
