import assert from 'node:assert/strict';
import { type ReturnableUnit, refuseUnit, returnableUntil } from '../../domain/return-eligibility.ts';
import { DEFAULT_RETURN_POLICY } from '../../domain/returns.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-30T12:00:00Z');
const unit = (given: Partial<ReturnableUnit> = {}): ReturnableUnit => ({
  state: 'delivered',
  deliveredAt: NOW - 10 * DAY,
  returnDays: null,
  isFinalSale: false,
  isHygiene: false,
  isClaimed: false,
  reason: 'no_longer_needed',
  ...given,
});
const refused = (given: Partial<ReturnableUnit>, policy = DEFAULT_RETURN_POLICY) => {
  const refusal = refuseUnit(unit(given), policy, NOW);
  return refusal && [refusal.code, refusal.facts.reason];
};

describe('a unit that is asked back', () => {
  it('may come back once it has arrived, and not before', () => {
    assert.equal(refused({}), null);
    assert.deepEqual(refused({ state: 'shipped', deliveredAt: null }), ['not_returnable', 'not_delivered']);
    assert.deepEqual(refused({ state: 'returned' }), ['not_returnable', 'not_delivered']);
  });

  it('within its window since its own delivery, to the moment', () => {
    assert.equal(refused({ deliveredAt: NOW - 30 * DAY }), null);
    assert.deepEqual(refused({ deliveredAt: NOW - 30 * DAY - 1 }), ['not_returnable', 'window_over']);
    const told = refuseUnit(unit({ deliveredAt: NOW - 31 * DAY }), DEFAULT_RETURN_POLICY, NOW);
    assert.equal(told?.facts.until, new Date(NOW - DAY).toISOString());
  });

  it("the product's own window counts before the policy's, and a window of no days is none", () => {
    assert.equal(refused({ returnDays: 60, deliveredAt: NOW - 59 * DAY }), null);
    assert.deepEqual(refused({ returnDays: 7 }), ['not_returnable', 'window_over']);
    assert.deepEqual(refused({ returnDays: 0 }), ['not_returnable', 'window_over']);
    assert.equal(returnableUntil({ deliveredAt: null, returnDays: 3 }, DEFAULT_RETURN_POLICY), null);
  });

  it('not what was sold as final, unless it is at fault', () => {
    assert.deepEqual(refused({ isFinalSale: true }), ['not_returnable', 'final_sale']);
    assert.equal(refused({ isFinalSale: true, reason: 'defective' }), null);
  });

  it('not with a broken seal where that matters, unless it is at fault or the policy does not mind', () => {
    assert.deepEqual(refused({ isHygiene: true, condition: 'used' }), ['not_returnable', 'hygiene']);
    assert.equal(refused({ isHygiene: true, condition: 'unopened' }), null);
    assert.equal(refused({ isHygiene: true }), null);
    assert.equal(refused({ isHygiene: true, condition: 'used', reason: 'damaged' }), null);
    const lenient = { ...DEFAULT_RETURN_POLICY, hygieneUnopenedOnly: false };
    assert.equal(refused({ isHygiene: true, condition: 'used' }, lenient), null);
  });

  it("not while it is another return's", () => {
    assert.deepEqual(refused({ isClaimed: true }), ['unit_claimed', 'claimed']);
  });
});
