import assert from 'node:assert/strict';
import { asId, type UserId } from '../../domain/ids.ts';
import { rupiah } from '../../domain/money.ts';
import {
  CLAIMING_REFUND_STATES,
  chooseChannel,
  chooseSource,
  needsApproval,
  nextStep,
  REFUND_STATES,
  type RefundSituation,
  readReason,
  refundTransitions,
  refuseDestination,
  refusePaymentToRefund,
  refuseRefundDecision,
  refuseTransferReport,
} from '../../domain/refunds.ts';

const asker = asId<UserId>('asker');
const colleague = asId<UserId>('colleague');
const situation = (changes: Partial<RefundSituation> = {}): RefundSituation => ({
  state: 'requested',
  channel: null,
  requestedBy: asker,
  decidedBy: null,
  decidedAt: null,
  nameMatches: null,
  ...changes,
});

describe('deciding on a refund', () => {
  it('is for somebody else than who asked, and never for the payer', () => {
    assert.equal(refuseRefundDecision(situation(), 'approve', colleague, false), null);
    for (const decision of ['approve', 'reject'] as const) {
      assert.equal(refuseRefundDecision(situation(), decision, asker, false)?.code, 'own_refund');
      assert.equal(refuseRefundDecision(situation(), decision, colleague, true)?.code, 'own_refund');
    }
  });

  it('is possible once; the second is told who was first, and when', () => {
    const decidedAt = '2026-11-21T10:00:00.000Z';
    const after = situation({ state: 'rejected', decidedBy: colleague, decidedAt });
    assert.deepEqual(refuseRefundDecision(after, 'approve', asker, false)?.facts, {
      state: 'rejected',
      decidedBy: colleague,
      decidedAt,
      decision: 'reject',
    });
  });

  it('calls it off until it is on its way', () => {
    const open = REFUND_STATES.filter((state) => !refuseRefundDecision(situation({ state }), 'cancel', asker, false));
    assert.deepEqual(open, ['requested', 'approved', 'awaiting_destination', 'reserved', 'transfer_due']);
    const due = situation({ state: 'transfer_due', channel: 'bank_transfer' });
    assert.equal(refuseRefundDecision(due, 'cancel', asker, true)?.code, 'refund_not_open');
  });

  it('wants a second person above the threshold, for a currency without one, and when the payer asks', () => {
    const thresholds = { IDR: 1_000_000n };
    assert.equal(needsApproval(rupiah(1_000_000), false, thresholds), false);
    assert.equal(needsApproval(rupiah(1_000_001), false, thresholds), true);
    assert.equal(needsApproval(rupiah(1), true, thresholds), true);
    assert.equal(needsApproval({ amountMinor: 1n, currency: 'MYR' }, false, thresholds), true);
  });
});

describe('a transfer by hand', () => {
  const due = situation({ state: 'transfer_due', channel: 'bank_transfer', nameMatches: false });
  const report = { outcome: 'transferred', nameChecked: false, isPayer: false } as const;

  it('to an account in another name wants that somebody has looked', () => {
    assert.equal(refuseTransferReport(due, report)?.code, 'name_differs');
    assert.equal(refuseTransferReport(due, { ...report, nameChecked: true }), null);
    assert.equal(refuseTransferReport({ ...due, nameMatches: true }, report), null);
    assert.equal(refuseTransferReport(due, { ...report, outcome: 'failed' }), null);
  });

  it('is reported once, but may come back after it had arrived', () => {
    const done = { ...due, state: 'succeeded' } as const;
    assert.equal(refuseTransferReport(done, { ...report, nameChecked: true })?.code, 'refund_not_open');
    assert.equal(refuseTransferReport(done, { ...report, outcome: 'failed' }), null);
    const byGateway = { ...done, channel: 'gateway' } as const;
    assert.equal(refuseTransferReport(byGateway, { ...report, outcome: 'failed' })?.code, 'refund_not_open');
    assert.equal(refuseTransferReport(due, { ...report, isPayer: true })?.code, 'own_refund');
  });
});

describe('where a refund comes from', () => {
  const parts = { invoiceMinor: 100n, suspenseMinor: 40n };
  it('is the invoice first, and suspense for a case or when nothing else is left', () => {
    assert.deepEqual(chooseSource(parts, 100n, false, 'IDR'), { source: 'invoice', amountMinor: 100n });
    assert.deepEqual(chooseSource(parts, null, false, 'IDR'), { source: 'invoice', amountMinor: 100n });
    assert.deepEqual(chooseSource(parts, 40n, true, 'IDR'), { source: 'suspense', amountMinor: 40n });
    const odd = { invoiceMinor: 0n, suspenseMinor: 40n };
    assert.deepEqual(chooseSource(odd, null, false, 'IDR'), { source: 'suspense', amountMinor: 40n });
  });

  it('is never both, nor more than is left, and the sentence names what is', () => {
    for (const [amount, ofCase] of [
      [101n, false],
      [140n, false],
      [41n, true],
    ] as const) {
      const refused = chooseSource(parts, amount, ofCase, 'IDR');
      assert.ok('code' in refused);
      assert.equal(refused.code, 'refund_exceeds_payment');
      assert.match(refused.message, /Rp100 of what paid the invoice and Rp40 of what did not/);
    }
    const nothing = chooseSource({ invoiceMinor: 0n, suspenseMinor: 0n }, null, false, 'IDR');
    assert.ok('code' in nothing);
  });

  it('is money that is there', () => {
    assert.equal(refusePaymentToRefund({ state: 'paid', paidMinor: 1n }), null);
    for (const state of ['created', 'unknown', 'pending', 'failed', 'expired', 'reversed'] as const)
      assert.equal(refusePaymentToRefund({ state, paidMinor: 1n })?.code, 'payment_not_refundable');
    assert.equal(refusePaymentToRefund({ state: 'paid', paidMinor: 0n })?.code, 'payment_not_refundable');
  });
});

describe('the way a refund goes', () => {
  it('is the way the money came wherever that takes it, then the account, then the payer says', () => {
    assert.equal(chooseChannel({ channel: null, hasAccount: true, gatewayCan: true }), 'gateway');
    assert.equal(chooseChannel({ channel: null, hasAccount: true, gatewayCan: false }), 'bank_transfer');
    assert.equal(chooseChannel({ channel: null, hasAccount: false, gatewayCan: false }), null);
    assert.equal(chooseChannel({ channel: 'store_credit', hasAccount: true, gatewayCan: true }), 'store_credit');
    assert.equal(chooseChannel({ channel: 'bank_transfer', hasAccount: true, gatewayCan: true }), 'bank_transfer');
  });

  it('can be changed until it is booked', () => {
    const open = REFUND_STATES.filter((state) => !refuseDestination({ state }));
    assert.deepEqual(open, ['requested', 'approved', 'awaiting_destination']);
  });
});

describe('the states of a refund', () => {
  it('claim its amount until it has ended without being paid', () => {
    const free = REFUND_STATES.filter((state) => !CLAIMING_REFUND_STATES.some((claiming) => claiming === state));
    assert.deepEqual(free, ['failed', 'rejected', 'cancelled']);
  });

  it('all have somebody with the next step, but for the ends', () => {
    for (const state of REFUND_STATES) {
      const isEnd = refundTransitions[state].length === 0 || state === 'succeeded';
      assert.equal(nextStep(state) === null, isEnd, state);
    }
  });

  it('come with a reason of the list, or one in words', () => {
    assert.deepEqual(readReason('duplicate'), { reason: 'duplicate', words: null });
    assert.deepEqual(readReason('kelebihan bayar'), { reason: 'other', words: 'kelebihan bayar' });
    assert.deepEqual(readReason(undefined), { reason: 'requested_by_payer', words: null });
  });
});

describe('a refund of returned goods', () => {
  it('is decided by nobody who inspected them, and by anybody else in finance', () => {
    const [inspector, other] = [asId<UserId>('inspector'), asId<UserId>('other')];
    const situation = {
      state: 'requested',
      channel: null,
      requestedBy: null,
      decidedBy: null,
      decidedAt: null,
      nameMatches: null,
      inspectedBy: [inspector],
    } as const;
    assert.equal(refuseRefundDecision(situation, 'approve', inspector, false)?.code, 'own_refund');
    assert.equal(refuseRefundDecision(situation, 'reject', inspector, false)?.code, 'own_refund');
    assert.equal(refuseRefundDecision(situation, 'approve', other, false), null);
  });
});
