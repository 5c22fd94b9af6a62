/** What an invoice adds up to, in which parts it is paid, and what invoices and licences are numbered. */
import type { InstalmentTerm } from './licensing.ts';
import { add, type Currency, type Money, money, sum } from './money.ts';

/** A statutory fee (PNBP, retribusi) carries no PPN; a service does. */
export type InvoiceLineKind = 'statutory' | 'service';

export interface InvoiceLineInput {
  readonly code: string;
  readonly description: { readonly id: string; readonly en: string };
  readonly kind: InvoiceLineKind;
  /** The price without tax, before the discount. Negative = a credit, which takes off what other lines of its kind charge. */
  readonly net: Money;
  /** What is taken off the price, at most all of it. */
  readonly discount?: Money;
}

/** PPN = ratePercent % × (baseNumerator / baseDenominator × price), from a local date (YYYY-MM-DD) on. Whole numbers. */
export interface TaxRule {
  readonly ratePercent: number;
  readonly baseNumerator: number;
  readonly baseDenominator: number;
  readonly effectiveFrom: string;
  /** The regulation, as the invoice names it. */
  readonly source: string;
}

/** 12 % of 11/12 of the price; what the table of rules begins with. */
export const PPN_2025: TaxRule = {
  ratePercent: 12,
  baseNumerator: 11,
  baseDenominator: 12,
  effectiveFrom: '2025-01-01',
  source: 'PMK 131/2024',
};

export interface InvoiceLine extends InvoiceLineInput {
  /** What is charged without tax: the price less the discount. */
  readonly net: Money;
  readonly discount: Money;
  readonly taxBase: Money;
  readonly tax: Money;
}

export interface BuiltInvoice {
  readonly lines: readonly InvoiceLine[];
  readonly subtotal: Money;
  readonly tax: Money;
  readonly total: Money;
}

/**
 * Adds up an invoice. Discounts come off first. Tax is rounded once, half up, on the sum of the service lines less their
 * credits (from the unrounded base); base and tax are then allotted to those lines by largest remainder, so the lines add up
 * to the invoice exactly.
 * @throws RangeError without lines, for mixed currencies, a discount that is negative or beyond the price, credits of a kind
 * that exceed its charges or leave nothing to pay, or a rule that is not one
 */
export function buildInvoice(given: readonly InvoiceLineInput[], rule: TaxRule): BuiltInvoice {
  const currency = currencyOf(given);
  const lines = given.map(discounted);
  checkCredits(lines);
  const weights = lines.map((line) => (line.kind === 'service' ? line.net.amountMinor : 0n));
  const { ratePercent, baseNumerator, baseDenominator } = factors(rule);
  const bases = shareOfEach(weights, baseNumerator, baseDenominator);
  const taxes = shareOfEach(weights, ratePercent * baseNumerator, 100n * baseDenominator);
  const taxMinor = summed(taxes);
  const subtotal = sum(
    lines.map((line) => line.net),
    currency,
  );
  const tax = money(taxMinor, currency);
  return {
    lines: lines.map((line, i) => ({
      ...line,
      taxBase: money(bases[i] ?? 0n, currency),
      tax: money(taxes[i] ?? 0n, currency),
    })),
    subtotal,
    tax,
    total: add(subtotal, tax),
  };
}

/**
 * The fraction of a sum, rounded once, in parts for the amounts that it is the sum of: charges share what the charges alone
 * would come to, and credits the difference, so that each part has the sign of its amount.
 */
function shareOfEach(amounts: readonly bigint[], numerator: bigint, denominator: bigint): bigint[] {
  const charges = amounts.map((amount) => (amount > 0n ? amount : 0n));
  const credits = amounts.map((amount) => (amount < 0n ? -amount : 0n));
  const ofCharges = roundHalfUp(summed(charges) * numerator, denominator);
  const ofAll = roundHalfUp(summed(amounts) * numerator, denominator);
  const charged = allotByLargestRemainder(ofCharges, charges);
  const credited = allotByLargestRemainder(ofCharges - ofAll, credits);
  return amounts.map((_amount, index) => (charged[index] ?? 0n) - (credited[index] ?? 0n));
}

function checkCredits(lines: readonly InvoiceLineInput[]): void {
  if (lines.every(({ net }) => net.amountMinor >= 0n)) return;
  const sums = KINDS.map((kind) => summed(lines.map((line) => (line.kind === kind ? line.net.amountMinor : 0n))));
  if (sums.some((sum) => sum < 0n)) throw new RangeError('the credits of an invoice exceed the charges of their kind');
  if (summed(sums) === 0n) throw new RangeError('the credits of an invoice leave nothing to pay');
}

const KINDS = ['statutory', 'service'] as const satisfies readonly InvoiceLineKind[];

function discounted(line: InvoiceLineInput): InvoiceLineInput & { readonly discount: Money } {
  const { net, discount = money(0n, net.currency) } = line;
  const { amountMinor } = discount;
  if (discount.currency !== net.currency)
    throw new RangeError(`the discount of ${line.code} is not in ${net.currency}`);
  if (amountMinor < 0n || (amountMinor > 0n && amountMinor > net.amountMinor))
    throw new RangeError(`the discount of invoice line ${line.code} is negative or more than its price`);
  return { ...line, net: money(net.amountMinor - amountMinor, net.currency), discount };
}

/** The rule in force on a local date (YYYY-MM-DD): the latest that has begun. @throws RangeError when none has. */
export function taxRuleOn(rules: readonly TaxRule[], date: string): TaxRule {
  const begun = rules.filter((rule) => rule.effectiveFrom <= date);
  const latest = begun.toSorted((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1)).at(-1);
  if (latest === undefined)
    throw new RangeError(`no tax rule is in force on ${date}; add the one of that time to tax_rules`);
  return latest;
}

/**
 * Splits `total` in proportion to the weights into whole parts that add up to it exactly. Everybody gets the share
 * rounded down; what is left goes one each to the largest remainders (ties: heavier first, then earlier).
 * @throws RangeError for a negative total or weight, or when there is something to split and no weight to go by
 */
export function allotByLargestRemainder(total: bigint, weights: readonly bigint[]): bigint[] {
  const whole = weights.reduce((a, b) => a + b, 0n);
  if (total < 0n || weights.some((weight) => weight < 0n)) throw new RangeError('cannot allot negative amounts');
  if (total === 0n) return weights.map(() => 0n);
  if (whole === 0n) throw new RangeError(`cannot allot ${total}: all weights are zero`);
  const parts = weights.map((weight) => (total * weight) / whole);
  const left = total - parts.reduce((a, b) => a + b, 0n);
  const ranked = weights
    .map((weight, index) => ({ index, weight, remainder: (total * weight) % whole }))
    .toSorted((a, b) => compare(b.remainder, a.remainder) || compare(b.weight, a.weight) || a.index - b.index);
  const luckier = new Set(ranked.slice(0, Number(left)).map(({ index }) => index));
  return parts.map((part, index) => (luckier.has(index) ? part + 1n : part));
}

export interface Instalment {
  /** 1 first. */
  readonly position: number;
  readonly amountMinor: bigint;
  /** ISO 8601. */
  readonly dueAt: string;
}

const DAY_MS = 86_400_000;

/**
 * The parts of an invoice: its total in the proportions of the terms, by largest remainder; none is of nothing. None is due
 * after the invoice, and the last with it. No terms: none, it is paid all at once.
 */
export function instalmentsOf(
  total: Money,
  terms: readonly InstalmentTerm[],
  { at, dueAt }: { readonly at: string; readonly dueAt: string },
): Instalment[] {
  if (terms.length === 0) return [];
  // Percentages of up to two decimals.
  const weights = terms.map(({ percent }) => BigInt(Math.round(percent * 100)));
  const amounts = allotByLargestRemainder(total.amountMinor, weights);
  const parts = terms
    .map(({ dueAfterDays }, index) => ({
      amountMinor: amounts[index] ?? 0n,
      dueMs: Date.parse(at) + dueAfterDays * DAY_MS,
    }))
    .filter(({ amountMinor }) => amountMinor > 0n);
  const last = Date.parse(dueAt);
  return parts.map(({ amountMinor, dueMs }, index) => ({
    position: index + 1,
    amountMinor,
    dueAt: new Date(index === parts.length - 1 ? last : Math.min(dueMs, last)).toISOString(),
  }));
}

/** What is left of a line after what credit notes have taken back of it; minor units, not negative. */
export interface RemainingLine {
  readonly position: number;
  readonly kind: InvoiceLineKind;
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
}

export type CreditShare = Pick<RemainingLine, 'position' | 'netMinor' | 'taxMinor'>;

/**
 * What an invoice has really asked for, by line: its credits are taken off the charges of their kind, price from price and tax
 * from tax, by largest remainder, and ask for nothing themselves. The lines still add up to the invoice; none is negative.
 * An invoice without credits is what it was.
 */
export function withoutCredits(lines: readonly RemainingLine[]): RemainingLine[] {
  const nets = lines.map(({ netMinor }) => netMinor);
  const taxes = lines.map(({ taxMinor }) => taxMinor);
  const left = (amounts: readonly bigint[]): bigint[] => {
    const taken = KINDS.map((kind) =>
      creditsTaken(amounts.map((amount, i) => (lines[i]?.kind === kind ? amount : 0n))),
    );
    return amounts.map((amount, i) => (amount <= 0n ? 0n : amount - summed(taken.map((parts) => parts[i] ?? 0n))));
  };
  const [netsLeft, taxesLeft] = [left(nets), left(taxes)];
  return lines.map((line, i) => ({ ...line, netMinor: netsLeft[i] ?? 0n, taxMinor: taxesLeft[i] ?? 0n }));
}

/** What the negative amounts take off each of the others. */
const creditsTaken = (amounts: readonly bigint[]): bigint[] =>
  allotByLargestRemainder(
    -summed(amounts.filter((amount) => amount < 0n)),
    amounts.map((amount) => (amount > 0n ? amount : 0n)),
  );

/**
 * What an amount that goes back takes back of each line: allotted over the prices and taxes that remain, by largest
 * remainder. Never more than remains of any of them, and exactly everything when the amount is all that remains.
 * @throws RangeError for an amount that is not positive, or more than remains
 */
export function creditShares(remaining: readonly RemainingLine[], amountMinor: bigint): CreditShare[] {
  const weights = remaining.flatMap(({ netMinor, taxMinor }) => [netMinor, taxMinor]);
  const whole = weights.reduce((a, b) => a + b, 0n);
  if (amountMinor <= 0n) throw new RangeError(`cannot credit ${amountMinor}`);
  if (amountMinor > whole) throw new RangeError(`cannot credit ${amountMinor}: only ${whole} remains of the invoice`);
  const parts = allotByLargestRemainder(amountMinor, weights);
  return remaining.map(({ position }, index) => ({
    position,
    netMinor: parts[2 * index] ?? 0n,
    taxMinor: parts[2 * index + 1] ?? 0n,
  }));
}

/** `INV/2026/000001`; the counter is gapless within the year. */
export const formatInvoiceNumber = (year: number, counter: number): string => `INV/${yearAndCounter(year, counter)}`;
/** `CN/2026/000001`, and so on: likewise. */
export const formatCreditNoteNumber = (year: number, counter: number): string => `CN/${yearAndCounter(year, counter)}`;
/** `RCP/2026/000001`, and so on: likewise. */
export const formatReceiptNumber = (year: number, counter: number): string => `RCP/${yearAndCounter(year, counter)}`;

/** `UMKM-RETAIL/2026/000001`: the licence type in capitals; the counter is gapless within type and year. */
export function formatLicenseNumber(typeCode: string, year: number, counter: number): string {
  if (!/^[a-z0-9]+([_-][a-z0-9]+)*$/i.test(typeCode)) {
    throw new RangeError(`licence type ${JSON.stringify(typeCode)}: letters, digits, and single - or _ between them`);
  }
  return `UMKM-${typeCode.toUpperCase()}/${yearAndCounter(year, counter)}`;
}

function yearAndCounter(year: number, counter: number): string {
  if (!Number.isInteger(year) || year < 2000 || year > 9999)
    throw new RangeError(`${year} is not a year of four digits`);
  if (!Number.isSafeInteger(counter) || counter < 1) throw new RangeError(`counter is ${counter}; it starts at 1`);
  return `${year}/${String(counter).padStart(6, '0')}`;
}

function currencyOf(lines: readonly InvoiceLineInput[]): Currency {
  const first = lines[0];
  if (first === undefined) throw new RangeError('an invoice needs at least one line');
  const other = lines.find((line) => line.net.currency !== first.net.currency);
  if (other !== undefined) throw new RangeError(`invoice line ${other.code} is not in ${first.net.currency}`);
  return first.net.currency;
}

function factors(rule: TaxRule) {
  const { ratePercent, baseNumerator, baseDenominator } = rule;
  const whole = [ratePercent, baseNumerator, baseDenominator].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!whole || baseDenominator === 0) throw new RangeError(`not a tax rule: ${JSON.stringify(rule)}`);
  return {
    ratePercent: BigInt(ratePercent),
    baseNumerator: BigInt(baseNumerator),
    baseDenominator: BigInt(baseDenominator),
  };
}

/** Neither is negative here. */
const roundHalfUp = (numerator: bigint, denominator: bigint): bigint =>
  (2n * numerator + denominator) / (2n * denominator);

const summed = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
