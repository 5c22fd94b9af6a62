import assert from 'node:assert/strict';
import {
  formatTime,
  parseAmount,
  parseTime,
  toGatewayPayment,
  transaction,
} from '../../../activities/gateways/midtrans-wire.ts';
import { rupiah } from '../../../domain/money.ts';
import type { GatewayPaymentState } from '../../../domain/payments.ts';

const read = (more: object) =>
  toGatewayPayment(
    transaction.parse({
      status_code: '200',
      order_id: 'inv-1',
      transaction_id: 't-1',
      transaction_status: 'settlement',
      payment_type: 'bank_transfer',
      gross_amount: '10000.00',
      currency: 'IDR',
      transaction_time: '2025-12-05 14:48:34',
      va_numbers: [{ bank: 'bca', va_number: '1' }],
      ...more,
    }),
  );

describe('reading what Midtrans says of a transaction', () => {
  const settled = { settlement_time: '2025-12-05 14:49:38' };
  const cases: [string, object, GatewayPaymentState][] = [
    ['pending', { status_code: '201', transaction_status: 'pending' }, 'pending'],
    ['settlement', settled, 'paid'],
    ['settlement, shouted', { ...settled, transaction_status: 'SETTLEMENT' }, 'paid'],
    ['accepted capture', { transaction_status: 'capture', fraud_status: 'accept' }, 'paid'],
    ['challenged capture', { transaction_status: 'capture', fraud_status: 'challenge', status_code: '201' }, 'pending'],
    ['capture with a fraud denial', { transaction_status: 'capture', fraud_status: 'deny' }, 'failed'],
    ['capture that is not yet 200', { transaction_status: 'capture', status_code: '201' }, 'pending'],
    ['authorize', { transaction_status: 'authorize' }, 'pending'],
    ['expire', { transaction_status: 'expire', status_code: '407' }, 'expired'],
    ['deny', { transaction_status: 'deny', status_code: '202' }, 'failed'],
    ['deny after settlement', { ...settled, transaction_status: 'deny', status_code: '202' }, 'reversed'],
    ['cancel', { transaction_status: 'cancel' }, 'failed'],
    ['failure', { transaction_status: 'failure', status_code: '202' }, 'failed'],
    ['refund', { ...settled, transaction_status: 'refund' }, 'refunded'],
    ['partial refund', { ...settled, transaction_status: 'partial_refund' }, 'paid'],
    ['chargeback', { ...settled, transaction_status: 'chargeback' }, 'reversed'],
    ['partial chargeback', { ...settled, transaction_status: 'partial_chargeback' }, 'reversed'],
  ];
  for (const [what, said, state] of cases) {
    it(`takes ${what} for ${state}`, () => assert.equal(read(said).state, state));
  }

  it('tells amount, instant, transaction and method of money that came', () => {
    assert.deepEqual(read(settled), {
      state: 'paid',
      paid: rupiah(10_000),
      paidAt: '2025-12-05T07:49:38.000Z',
      transactionId: 't-1',
      method: 'bca_va',
    });
  });

  it('tells no amount while no money came', () => {
    const { paid, paidAt } = read({ status_code: '201', transaction_status: 'pending' });
    assert.deepEqual({ paid, paidAt }, { paid: null, paidAt: null });
  });

  it('refuses a state, an amount or a currency that it does not know', () => {
    assert.throws(() => read({ transaction_status: 'levitated' }), RangeError);
    assert.throws(() => read({ gross_amount: '10000.50' }), RangeError);
    assert.throws(() => read({ currency: 'USD' }), RangeError);
    assert.throws(() => read({ currency: 'MYR' }), RangeError);
  });
});

describe('Midtrans amounts and times', () => {
  it('reads whole rupiah exactly, also beyond what a float holds in cents', () => {
    assert.deepEqual(parseAmount('999999999999999.00', 'IDR'), rupiah(999_999_999_999_999n));
    assert.deepEqual(parseAmount('44000', 'IDR'), rupiah(44_000));
  });

  for (const text of ['10000.01', '1e4', '-1.00', '10,000.00', '', ' 1.00', '1.000']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseAmount(text, 'IDR'), RangeError));
  }

  it('writes and reads times of Jakarta, over midnight too', () => {
    assert.equal(formatTime('2025-12-31T17:00:00.000Z'), '2026-01-01 00:00:00 +0700');
    assert.equal(parseTime('2026-01-01 00:00:00'), '2025-12-31T17:00:00.000Z');
    assert.throws(() => parseTime('yesterday'), RangeError);
  });
});
