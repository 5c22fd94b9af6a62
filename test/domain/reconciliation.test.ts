import assert from 'node:assert/strict';
import { resolutionsFor } from '../../domain/payment-cases.ts';
import { ODD_MONEY_KINDS, PAYMENT_CASE_KINDS, suggestedResolution } from '../../domain/payments.ts';
import { dayBefore, spanOfDay, startOfDay, walkedSpan } from '../../domain/reconciliation.ts';

describe('the night that a day is walked in', () => {
  it('is about the day before, in the zone of the office', () => {
    assert.equal(dayBefore(Date.parse('2026-03-10T19:00:00Z'), 'Asia/Jakarta'), '2026-03-10');
    assert.equal(dayBefore(Date.parse('2026-03-10T16:59:59Z'), 'Asia/Jakarta'), '2026-03-09');
    assert.equal(dayBefore(Date.parse('2026-03-10T16:00:00Z'), 'Asia/Makassar'), '2026-03-10');
  });
  it('goes from local midnight to local midnight, and two days further back', () => {
    const span = { from: '2026-03-09T17:00:00.000Z', to: '2026-03-10T17:00:00.000Z' };
    assert.deepEqual(spanOfDay('2026-03-10', 'Asia/Jakarta'), span);
    assert.deepEqual(walkedSpan('2026-03-10', 'Asia/Jakarta'), { ...span, from: '2026-03-07T17:00:00.000Z' });
  });
  it('is of a date that exists', () => {
    for (const day of ['2026-02-30', 'yesterday']) assert.throws(() => startOfDay(day, 'Asia/Jakarta'), RangeError);
  });
});

describe('what finance can do about a case', () => {
  const some = { suspenseLeft: 1n, hasPayment: true };
  const none = { suspenseLeft: 0n, hasPayment: true };

  it('never closes one whose money is in suspense and would be forgotten there', () => {
    for (const kind of [...ODD_MONEY_KINDS, 'unmatched_settlement', 'refund_failed'] as const) {
      assert.ok(!resolutionsFor(kind, some).includes('nothing_to_do'), kind);
      assert.ok(resolutionsFor(kind, none).includes('nothing_to_do'), kind);
    }
  });
  it('takes no money where there is none', () => {
    for (const kind of PAYMENT_CASE_KINDS) {
      const moving = resolutionsFor(kind, none).filter((way) => way !== 'nothing_to_do' && way !== 'look_again');
      assert.deepEqual(moving, kind === 'refund_failed' ? ['refund'] : [], kind);
    }
  });
  it('asks about a payment only, and gives back on a payment only', () => {
    for (const kind of PAYMENT_CASE_KINDS) {
      const ways = resolutionsFor(kind, { suspenseLeft: 1n, hasPayment: false });
      assert.ok(!ways.some((way) => ['look_again', 'refund', 'apply_to_invoice', 'store_credit'].includes(way)), kind);
      assert.ok(ways.length > 0, kind);
    }
  });
  it('can always be what Alur suggests, where the case has its payment and its money', () => {
    for (const kind of PAYMENT_CASE_KINDS) {
      assert.ok(resolutionsFor(kind, some).includes(suggestedResolution(kind)), kind);
    }
  });
});
