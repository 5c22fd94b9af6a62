import assert from 'node:assert/strict';
import { bill, malaysianDay, parseTime, toGatewayPayment } from '../../../activities/gateways/billplz-wire.ts';
import { money } from '../../../domain/money.ts';
import type { GatewayPaymentState } from '../../../domain/payments.ts';

const said = (more: object = {}) =>
  bill.parse({
    id: '8X0Iyzaw',
    collection_id: 'inbmmepb',
    paid: false,
    state: 'due',
    amount: 200,
    paid_amount: 0,
    url: 'https://www.billplz.com/bills/8X0Iyzaw',
    reference_1: 'inv-1',
    ...more,
  });
const PAID = { state: 'paid', paid: true, paid_amount: 200 };

describe('reading what Billplz says of bills', () => {
  const cases: [string, object[], GatewayPaymentState][] = [
    ['a due bill', [{}], 'pending'],
    ['a paid bill', [PAID], 'paid'],
    ['a paid bill, shouted', [{ ...PAID, state: 'PAID' }], 'paid'],
    ['a deleted bill', [{ state: 'deleted' }], 'expired'],
    ['no bill', [], 'not_found'],
    ['a deleted and a due one', [{ state: 'deleted' }, {}], 'pending'],
    ['a due and a paid one', [{}, PAID], 'paid'],
  ];
  for (const [what, bills, state] of cases) {
    it(`takes ${what} for ${state}`, () => assert.equal(toGatewayPayment(bills.map(said)).state, state));
  }

  it('tells amount, instant and bill of money that came', () => {
    assert.deepEqual(toGatewayPayment([said({ ...PAID, paid_at: '2018-09-27 15:15:09 +0800' })]), {
      state: 'paid',
      paid: money(200, 'MYR'),
      paidAt: '2018-09-27T07:15:09.000Z',
      transactionId: '8X0Iyzaw',
      method: null,
    });
  });

  it('counts what was paid, not what was asked for, and the money on every bill', () => {
    assert.deepEqual(toGatewayPayment([said({ ...PAID, paid_amount: 199 })]).paid, money(199, 'MYR'));
    assert.deepEqual(toGatewayPayment([said(PAID), said({ ...PAID, paid_amount: 1 })]).paid, money(201, 'MYR'));
  });

  it('tells no amount while no money came', () => {
    const { paid, paidAt } = toGatewayPayment([said({ paid_at: '2018-09-27 15:15:09 +0800' })]);
    assert.deepEqual({ paid, paidAt }, { paid: null, paidAt: null });
  });

  it('reads sen that are written as text', () => {
    assert.deepEqual(toGatewayPayment([said({ ...PAID, paid_amount: '200' })]).paid, money(200, 'MYR'));
  });

  for (const [what, change] of Object.entries({
    'a state that it does not know': { state: 'floating' },
    'a paid bill that is not paid': { state: 'paid', paid: false },
    'a due bill that is paid': { paid: true },
    'a time that is none': { ...PAID, paid_at: 'yesterday' },
  })) {
    it(`refuses ${what}`, () => assert.throws(() => toGatewayPayment([said(change)]), RangeError));
  }

  for (const amount of [1.5, -1, '1.50', '', null, 2 ** 53]) {
    it(`takes ${JSON.stringify(amount)} for no amount of sen`, () => {
      assert.equal(bill.safeParse({ ...said(), paid_amount: amount }).success, false);
    });
  }

  it('takes no page address but one of the web', () => {
    assert.equal(bill.safeParse({ ...said(), url: 'javascript:alert(1)' }).success, false);
  });
});

describe('Billplz times', () => {
  it('are read in both spellings, over midnight and over a month', () => {
    assert.equal(parseTime('2018-10-01 00:00:00 +0800'), '2018-09-30T16:00:00.000Z');
    assert.equal(parseTime('2017-02-23T12:49:23.612+08:00'), '2017-02-23T04:49:23.612Z');
    assert.equal(parseTime(''), null);
    assert.equal(parseTime(undefined), null);
  });

  it('have a day of Malaysia', () => {
    assert.equal(malaysianDay('2025-12-31T15:59:59.000Z'), '2025-12-31');
    assert.equal(malaysianDay('2025-12-31T16:00:00.000Z'), '2026-01-01');
  });
});
