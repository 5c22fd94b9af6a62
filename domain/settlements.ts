/**
 * A gateway's settlement: a payout to the office's bank account, line by line what it was made of. Amounts are signed as
 * they move the payout: what a payer paid adds to it, a refund and a fee take from it.
 */
import { type Posting, settled, settlementAdjusted } from './ledger.ts';
import type { Currency } from './money.ts';
import { GATEWAY_CURRENCIES, type GatewayName } from './payments.ts';

/**
 * - `payment`: a capture is paid out. `refund`: what the payer got back is taken from the payout.
 * - `adjustment`: anything else. Without a gross amount it is a fee of the gateway; with one it is what a chargeback took or
 *   a refund that did not arrive gave back, where its reference is a payment's or refund's.
 */
export const SETTLEMENT_LINE_KINDS = ['payment', 'refund', 'adjustment'] as const;
export type SettlementLineKind = (typeof SETTLEMENT_LINE_KINDS)[number];

/** `differs`: the gateway held another amount of it by our books, perhaps nothing any more. */
export const SETTLEMENT_LINE_STATES = ['matched', 'differs', 'unmatched'] as const;
export type SettlementLineState = (typeof SETTLEMENT_LINE_STATES)[number];

export interface SettlementLine {
  readonly kind: SettlementLineKind;
  /** Our reference of it, or the gateway's. */
  readonly reference: string;
  /** Minor units, signed: positive = into the payout. */
  readonly grossMinor: bigint;
  /** Minor units; negative where the gateway gave a fee back. */
  readonly feeMinor: bigint;
}

export interface SettlementReport {
  readonly gateway: GatewayName;
  /** The gateway's name of the payout. */
  readonly reference: string;
  readonly currency: Currency;
  /** ISO 8601, UTC. */
  readonly paidOutAt: string;
  /** What reached the bank, where the report says so. */
  readonly netMinor?: bigint | undefined;
  readonly lines: readonly SettlementLine[];
}

/** How many lines one report may have: one transaction takes them all. */
export const MOST_SETTLEMENT_LINES = 20_000;
/** How many problems of a report are told at once. */
export const MOST_SETTLEMENT_PROBLEMS = 100;

export const SETTLEMENT_PROBLEMS = [
  'payment_not_positive',
  'refund_not_negative',
  'nothing_in_line',
  'currency_not_of_gateway',
  'no_lines',
  'too_many_lines',
  'net_differs',
] as const;
export type SettlementProblemCode = (typeof SETTLEMENT_PROBLEMS)[number];

export interface SettlementProblem {
  readonly code: SettlementProblemCode;
  /** Index of the line; null = the report as a whole. */
  readonly line: number | null;
  readonly field: 'currency' | 'netMinor' | 'lines' | keyof SettlementLine;
}

export interface SettlementTotals {
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly netMinor: bigint;
}

export function settlementTotals(lines: readonly SettlementLine[]): SettlementTotals {
  const grossMinor = lines.reduce((sum, line) => sum + line.grossMinor, 0n);
  const feeMinor = lines.reduce((sum, line) => sum + line.feeMinor, 0n);
  return { grossMinor, feeMinor, netMinor: grossMinor - feeMinor };
}

/** All that is wrong with a report, in its order, at most a hundred; a report without any can be imported. */
export function settlementProblems(report: SettlementReport): SettlementProblem[] {
  const { lines, netMinor } = report;
  const whole = (code: SettlementProblemCode, field: SettlementProblem['field']) => ({ code, field, line: null });
  return [
    ...(GATEWAY_CURRENCIES[report.gateway].includes(report.currency)
      ? []
      : [whole('currency_not_of_gateway', 'currency')]),
    ...(lines.length === 0 ? [whole('no_lines', 'lines')] : []),
    ...(lines.length > MOST_SETTLEMENT_LINES ? [whole('too_many_lines', 'lines')] : []),
    ...(netMinor !== undefined && netMinor !== settlementTotals(lines).netMinor
      ? [whole('net_differs', 'netMinor')]
      : []),
    ...lines.flatMap(lineProblem),
  ].slice(0, MOST_SETTLEMENT_PROBLEMS);
}

function lineProblem({ kind, grossMinor, feeMinor }: SettlementLine, line: number): SettlementProblem[] {
  const wrong = (code: SettlementProblemCode): SettlementProblem[] => [{ code, line, field: 'grossMinor' }];
  switch (kind) {
    case 'payment':
      return grossMinor > 0n ? [] : wrong('payment_not_positive');
    case 'refund':
      return grossMinor < 0n ? [] : wrong('refund_not_negative');
    case 'adjustment':
      return grossMinor === 0n && feeMinor === 0n ? wrong('nothing_in_line') : [];
  }
}

export interface JudgedLine {
  readonly state: SettlementLineState;
  readonly entry: 'settled' | 'settlement_adjusted';
  readonly postings: readonly Posting[];
}

/**
 * What a line means to the books. A line about something we know is posted as the gateway tells it, also when it differs:
 * the money did move so. A line about nothing we know waits in suspense.
 * @param heldMinor what the gateway still holds of it by our books, in the report's currency; negative = is to take from a
 *   payout; null = nothing we know
 */
export function judgeSettlementLine(line: SettlementLine, heldMinor: bigint | null): JudgedLine {
  const { kind, grossMinor, feeMinor } = line;
  if (kind === 'adjustment' && grossMinor === 0n)
    return { state: 'matched', entry: 'settled', postings: settled(0n, feeMinor) };
  if (heldMinor === null) {
    return { state: 'unmatched', entry: 'settlement_adjusted', postings: settlementAdjusted(grossMinor - feeMinor) };
  }
  const state = heldMinor === grossMinor ? 'matched' : 'differs';
  return { state, entry: 'settled', postings: settled(grossMinor, feeMinor) };
}
