import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  judgeSettlementLine,
  MOST_SETTLEMENT_LINES,
  MOST_SETTLEMENT_PROBLEMS,
  type SettlementLine,
  type SettlementReport,
  settlementProblems,
  settlementTotals,
} from '../../domain/settlements.ts';

const line = (changes: Partial<SettlementLine> = {}): SettlementLine => ({
  kind: 'payment',
  reference: 'ref-1',
  grossMinor: 361_000n,
  feeMinor: 4_400n,
  ...changes,
});
const report = (changes: Partial<SettlementReport> = {}): SettlementReport => ({
  gateway: 'midtrans',
  reference: 'PAYOUT-1',
  currency: 'IDR',
  paidOutAt: '2026-03-03T02:00:00.000Z',
  lines: [line()],
  ...changes,
});
const codes = (given: SettlementReport) => settlementProblems(given).map(({ code, line: at }) => [code, at]);

describe('the report of a settlement', () => {
  it('is good when its sum is what reached the bank', () => {
    assert.deepEqual(codes(report({ netMinor: 356_600n })), []);
    assert.deepEqual(codes(report({ netMinor: 356_601n })), [['net_differs', null]]);
  });

  it('has payments that add, refunds that take, and no line of nothing; all are told at once', () => {
    const lines = [
      line({ grossMinor: 0n }),
      line({ kind: 'refund', grossMinor: 5n }),
      line({ kind: 'adjustment', grossMinor: 0n, feeMinor: 0n }),
      line({ kind: 'adjustment', grossMinor: 0n, feeMinor: 1n }),
      line({ kind: 'adjustment', grossMinor: -5n }),
      line({ kind: 'refund', grossMinor: -5n }),
    ];
    assert.deepEqual(codes(report({ lines, currency: 'MYR' })), [
      ['currency_not_of_gateway', null],
      ['payment_not_positive', 0],
      ['refund_not_negative', 1],
      ['nothing_in_line', 2],
    ]);
  });

  it('has at least one line, and no more than one transaction takes; at most a hundred problems are told', () => {
    assert.deepEqual(codes(report({ lines: [] })), [['no_lines', null]]);
    const many = Array.from({ length: MOST_SETTLEMENT_LINES }, () => line());
    assert.deepEqual(codes(report({ lines: many })), []);
    assert.deepEqual(codes(report({ lines: [...many, line()] })), [['too_many_lines', null]]);
    const wrong = Array.from({ length: MOST_SETTLEMENT_PROBLEMS + 1 }, () => line({ grossMinor: -1n }));
    assert.equal(codes(report({ lines: wrong })).length, MOST_SETTLEMENT_PROBLEMS);
  });
});

describe('a line of a settlement', () => {
  const judged = (given: Partial<SettlementLine>, held: bigint | null) => {
    const { state, postings } = judgeSettlementLine(line(given), held);
    return { state, ...Object.fromEntries(postings.map(({ account, amountMinor }) => [account, amountMinor])) };
  };

  it('about what the gateway holds moves it to the bank, less the fee', () => {
    const expected = { state: 'matched', gateway_clearing: -361_000n, bank: 356_600n, gateway_fees: 4_400n };
    assert.deepEqual(judged({}, 361_000n), expected);
  });

  it('about another amount is entered as the gateway tells it, and differs', () => {
    const expected = { gateway_clearing: -361_000n, bank: 356_600n, gateway_fees: 4_400n };
    for (const held of [0n, 360_999n, -361_000n])
      assert.deepEqual(judged({}, held), { state: 'differs', ...expected }, String(held));
  });

  it('about a refund takes it out of the payout', () => {
    const expected = { state: 'matched', gateway_clearing: 50_000n, bank: -50_000n };
    assert.deepEqual(judged({ kind: 'refund', grossMinor: -50_000n, feeMinor: 0n }, -50_000n), expected);
  });

  it('about nothing we know leaves what reached the bank in suspense', () => {
    assert.deepEqual(judged({}, null), { state: 'unmatched', bank: 356_600n, suspense: -356_600n });
  });

  it('of a fee alone needs nothing that it is about', () => {
    const expected = { state: 'matched', bank: -25_000n, gateway_fees: 25_000n };
    assert.deepEqual(judged({ kind: 'adjustment', grossMinor: 0n, feeMinor: 25_000n }, null), expected);
  });

  it('moves the bank by exactly its net, whatever it is about', () => {
    const amount = fc.bigInt(-(10n ** 15n), 10n ** 15n);
    const kind = fc.constantFrom('payment' as const, 'refund' as const, 'adjustment' as const);
    fc.assert(
      fc.property(kind, amount, amount, fc.option(amount), (of, grossMinor, feeMinor, held) => {
        const one = line({ kind: of, grossMinor, feeMinor });
        const { postings } = judgeSettlementLine(one, held);
        const bank = postings.find(({ account }) => account === 'bank')?.amountMinor ?? 0n;
        assert.equal(bank, settlementTotals([one]).netMinor);
        assert.equal(
          postings.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
          0n,
        );
      }),
    );
  });
});
