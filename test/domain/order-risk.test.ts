import assert from 'node:assert/strict';
import { isRisky, type RiskFacts, riskOf } from '../../domain/order-risk.ts';
import { DEFAULT_ORDER_POLICY } from '../../domain/orders.ts';

const policy = DEFAULT_ORDER_POLICY.risk;
const calm: RiskFacts = {
  totalMinor: 100_000n,
  customerDays: 400,
  companyAddress: 'Jl. Braga No. 1, Bandung 40111',
  shipTo: { city: 'Kota Bandung', postalCode: '40222' },
  recentOrders: 1,
};
const reasonsOf = (facts: Partial<RiskFacts>) => riskOf({ ...calm, ...facts }, policy).reasons;

describe('the risk of an order', () => {
  it('is nothing for a known customer who orders little to where the company is', () =>
    assert.deepEqual(riskOf(calm, policy), { score: 0, reasons: [] }));

  it('tells each reason by itself, exactly from its limit on', () => {
    assert.deepEqual(reasonsOf({ totalMinor: 50_000_000n }), ['amount']);
    assert.deepEqual(reasonsOf({ totalMinor: 49_999_999n }), []);
    assert.deepEqual(reasonsOf({ customerDays: 6.99 }), ['new_customer']);
    assert.deepEqual(reasonsOf({ customerDays: 7 }), []);
    assert.deepEqual(reasonsOf({ recentOrders: 5 }), ['velocity']);
    assert.deepEqual(reasonsOf({ recentOrders: 4 }), []);
    assert.deepEqual(reasonsOf({ shipTo: { city: 'Medan', postalCode: '20111' } }), ['address_mismatch']);
  });

  it('takes the same postal code for the same place, and a company without an address for no other', () => {
    assert.deepEqual(reasonsOf({ shipTo: { city: 'Bdg', postalCode: '40111' } }), []);
    assert.deepEqual(reasonsOf({ companyAddress: '', shipTo: { city: 'Medan', postalCode: '20111' } }), []);
  });

  it('adds the points up, and holds from the limit on', () => {
    const both = riskOf({ ...calm, totalMinor: 50_000_000n, customerDays: 0 }, policy);
    assert.equal(both.score, 60);
    assert.ok(isRisky(both, policy));
    assert.ok(!isRisky({ score: 59 }, policy));
  });
});
