/** The daily walk of the gateways against the books: which money it looks at, and what it may find. */
import { formatInZone, localDate, type OfficeZone } from './calendar.ts';
import type { GatewayName, PaymentCaseKind } from './payments.ts';

/** What the walk can find; each is a case of its own. */
export const RECONCILED_KINDS = [
  'missing_here',
  'missing_there',
  'amount_differs',
  'state_differs',
  'refund_differs',
] as const satisfies readonly PaymentCaseKind[];
export type ReconciledKind = (typeof RECONCILED_KINDS)[number];

/** How many days before the day itself are walked again: gateways settle, refund and take back late. */
export const OVERLAP_DAYS = 2;

const DAY_MS = 86_400_000;

/** The local midnight that a date (YYYY-MM-DD) begins with, in milliseconds. @throws RangeError for what is no date */
export function startOfDay(day: string, zone: OfficeZone): number {
  const offset = formatInZone(0, zone).slice(-6);
  const at = Date.parse(`${day}T00:00:00${offset}`);
  if (Number.isNaN(at) || localDate(at, zone) !== day) throw new RangeError(`${day} is no date`);
  return at;
}

/** The date before the one of this instant: what a walk at night is about. */
export const dayBefore = (at: number, zone: OfficeZone): string => localDate(at - DAY_MS, zone);

/** A day from midnight to midnight, ISO 8601. */
export function spanOfDay(day: string, zone: OfficeZone): { readonly from: string; readonly to: string } {
  const start = startOfDay(day, zone);
  return { from: new Date(start).toISOString(), to: new Date(start + DAY_MS).toISOString() };
}

/** The day and the overlap before it: every payment is compared on three nights in a row. */
export function walkedSpan(day: string, zone: OfficeZone): { readonly from: string; readonly to: string } {
  const { from, to } = spanOfDay(day, zone);
  return { from: new Date(Date.parse(from) - OVERLAP_DAYS * DAY_MS).toISOString(), to };
}

/** One gateway's walk as reports tell of it. */
export interface GatewayWalk {
  readonly gateway: GatewayName;
  readonly state: 'running' | 'finished' | 'failed';
  readonly compared: number;
  readonly differences: number;
  /** A code, for a walk that failed. */
  readonly failure: string | null;
}

/** What finance is told of a day. Amounts are minor units as digits: they travel as JSON. */
export interface DailyFigures {
  /** YYYY-MM-DD in the office's zone. */
  readonly day: string;
  readonly walks: readonly GatewayWalk[];
  /** Those that are open now, by kind; `oldestHours` = the age of the one that has waited longest. */
  readonly openCases: readonly {
    readonly kind: PaymentCaseKind;
    readonly count: number;
    readonly oldestHours: number;
  }[];
  readonly refunds: { readonly awaitingApproval: number; readonly awaitingTransfer: number };
  readonly totals: readonly {
    readonly currency: 'IDR' | 'MYR';
    readonly capturedMinor: string;
    readonly refundedMinor: string;
    readonly settledMinor: string;
  }[];
}
