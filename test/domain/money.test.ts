import assert from 'node:assert/strict';
import fc from 'fast-check';
import { add, formatMoney, isCurrency, type Money, money, rupiah, sameMoney, sum } from '../../domain/money.ts';

describe('money', () => {
  it('is written as on Indonesian invoices', () => {
    assert.equal(formatMoney(rupiah(1_250_000)), 'Rp1.250.000');
    assert.equal(formatMoney(rupiah(0)), 'Rp0');
    assert.equal(formatMoney(rupiah(999)), 'Rp999');
    assert.equal(formatMoney(rupiah(-1_000)), '-Rp1.000');
    assert.equal(formatMoney(money(1_250, 'MYR')), 'RM12,50');
    assert.equal(formatMoney(money(5, 'MYR')), 'RM0,05');
    assert.equal(formatMoney(money(-123_456_789, 'MYR')), '-RM1.234.567,89');
  });

  it('can be read back from how it is written, however large', () => {
    const property = fc.property(amounts(), (amount) => {
      const written = formatMoney(amount);
      assert.equal(BigInt(written.replace(/[^\d-]/g, '')), amount.amountMinor);
      assert.match(written, amount.currency === 'IDR' ? /^-?Rp\d{1,3}(\.\d{3})*$/ : /^-?RM\d{1,3}(\.\d{3})*,\d\d$/);
    });
    fc.assert(property);
  });

  it('has no fractions of a minor unit', () => {
    assert.throws(() => rupiah(1.5), RangeError);
    assert.throws(() => money(Number.NaN, 'IDR'), RangeError);
  });

  it('adds up exactly beyond what a number can hold', () => {
    const large = 9_007_199_254_740_993n;
    assert.deepEqual(add(rupiah(large), rupiah(1)), rupiah(large + 1n));
    assert.deepEqual(sum([rupiah(large), rupiah(large), rupiah(-1)], 'IDR'), rupiah(2n * large - 1n));
    assert.deepEqual(sum([], 'MYR'), money(0, 'MYR'));
  });

  it('of two currencies is never added', () => {
    assert.throws(() => add(rupiah(1), money(1, 'MYR')), /cannot add MYR to IDR/);
    assert.throws(() => sum([money(1, 'MYR')], 'IDR'), RangeError);
  });

  it('is the same only in amount and currency', () => {
    assert.equal(sameMoney(rupiah(5), rupiah(5n)), true);
    assert.equal(sameMoney(rupiah(5), rupiah(6)), false);
    assert.equal(sameMoney(rupiah(5), money(5, 'MYR')), false);
  });

  it('knows its currencies, and no name that every object has', () => {
    assert.deepEqual(['IDR', 'MYR', 'USD', 'idr', 'toString', ''].map(isCurrency), [
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

function amounts(): fc.Arbitrary<Money> {
  return fc.record({
    amountMinor: fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
    currency: fc.constantFrom('IDR', 'MYR'),
  });
}
