/**
 * The arithmetic of subscriptions: periods that are counted from one instant in one zone, days, and money by the day. Instants are
 * epoch milliseconds, zones are IANA names. Pure: `Intl` knows the zones, nothing asks for the time.
 */
import type { Interval, Plan } from './subscriptions.ts';

const DAY_MS = 86_400_000;

export const MONTHS_OF: Readonly<Record<Interval, number>> = { month: 1, year: 12 };

// ---- zones ----------------------------------------------------------------------------------------------------------

// Only a cache: what a formatter answers depends on nothing but its arguments, so processes may share it.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}

export function isZone(name: string): boolean {
  try {
    return formatterOf(name) !== undefined;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What a clock on the wall shows, as if that were UTC: two of them differ by what a calendar says, whatever the clocks did. */
function wallOf(at: number, zone: string): number {
  const parts = formatterOf(zone).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((part) => part.type === type)?.value);
  const second = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return second + (((at % 1000) + 1000) % 1000);
}

const offsetAt = (at: number, zone: string): number => wallOf(at, zone) - at;

/** Of an hour that there is twice, the first; one that is left out is an hour later, as people read it. */
function instantOf(wall: number, zone: string): number {
  const before = wall - offsetAt(wall - DAY_MS, zone);
  if (wallOf(before, zone) === wall) return before;
  const after = wall - offsetAt(wall + DAY_MS, zone);
  return wallOf(after, zone) === wall ? after : before;
}

// ---- periods --------------------------------------------------------------------------------------------------------

/**
 * The instant so many months after the anchor: the same day and wall clock hour, or the last day of a month that is too short.
 * Counted from the anchor each time, so 31 January → 28 February → 31 March.
 */
export function monthsAfter(anchor: number, months: number, zone: string): number {
  const wall = new Date(wallOf(anchor, zone));
  const month = wall.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(wall.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = Math.min(wall.getUTCDate(), lastDay);
  const timeOfDay = ((wall.getTime() % DAY_MS) + DAY_MS) % DAY_MS;
  return instantOf(Date.UTC(wall.getUTCFullYear(), month, day) + timeOfDay, zone);
}

/** The same wall clock hour so many calendar days later. */
export const daysAfter = (at: number, days: number, zone: string): number =>
  instantOf(wallOf(at, zone) + days * DAY_MS, zone);

/** Whole calendar days of an interval; what is left of a begun day does not count. 0 when `to` is not after `from`. */
export const wholeDays = (from: number, to: number, zone: string): number =>
  Math.max(0, Math.floor((wallOf(to, zone) - wallOf(from, zone)) / DAY_MS));

// ---- money ----------------------------------------------------------------------------------------------------------

/**
 * `price × part / whole`, rounded half up, once; minor units.
 * @throws RangeError for a negative price or part, or days of nothing
 */
export function shareOf(priceMinor: bigint, part: number, whole: number): bigint {
  if (priceMinor < 0n || !Number.isSafeInteger(part) || part < 0 || !Number.isSafeInteger(whole) || whole <= 0)
    throw new RangeError(`no share: ${priceMinor} × ${part} / ${whole}`);
  const [days, all] = [BigInt(part), BigInt(whole)];
  return (2n * priceMinor * days + all) / (2n * all);
}

/** What a plan costs in twelve months; minor units. Two plans are compared by it, whatever their intervals. */
export const yearlyRate = ({ priceMinor, interval }: Pick<Plan, 'priceMinor' | 'interval'>): bigint =>
  (BigInt(priceMinor) * 12n) / BigInt(MONTHS_OF[interval]);

/** What a plan brings in a month, rounded half up; minor units without tax. */
export const monthlyRate = (plan: Pick<Plan, 'priceMinor' | 'interval'>): bigint => shareOf(yearlyRate(plan), 1, 12);

/** A part of the time that a subscription has, of one price. */
export interface PricedTerm {
  readonly from: number;
  readonly to: number;
  /** How much of it was a pause, over by now: time that was kept, not sold. */
  readonly pausedMs: number;
  /** Of all of it; minor units. */
  readonly priceMinor: bigint;
}

/** What is not used at an instant of what was paid, by whole days: the day in hand counts as used. */
export const unusedOf = (terms: readonly PricedTerm[], at: number, zone: string): bigint =>
  terms.reduce((sum, term) => {
    const days = daysOf(term, zone);
    return sum + shareOf(term.priceMinor, Math.min(days, unusedDays(term, at, zone)), days);
  }, 0n);

/** What the unused days of these terms cost at another price of a term; minor units. */
export const chargeFor = (terms: readonly PricedTerm[], priceMinor: bigint, at: number, zone: string): bigint =>
  unusedOf(
    terms.map((term) => ({ ...term, priceMinor })),
    at,
    zone,
  );

// A term of less than a day, as nobody sells them, is one.
const daysOf = ({ from, to, pausedMs }: PricedTerm, zone: string): number =>
  Math.max(1, wholeDays(from, to - pausedMs, zone));

const unusedDays = (term: PricedTerm, at: number, zone: string): number =>
  wholeDays(Math.max(at, term.from), term.to, zone);
