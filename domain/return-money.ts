/**
 * What a customer gets for a return, unit by unit. Everything is a whole number of minor units; nothing is rounded but the
 * restocking of units alike, half up and once, and the tax of the fee for the way back, once. Both are then allotted by largest
 * remainder, so that the parts add up:
 *
 *   Σ lines − Σ deductions = refund = Σ byUnit
 */
import type { OrderItemId } from './ids.ts';
import { allotByLargestRemainder, type TaxRule } from './invoicing.ts';
import { isSellersFault } from './return-eligibility.ts';
import type { Condition, ReturnPolicy, ReturnReason, ReturnUnitState } from './returns.ts';

/** What a unit cost, as it was allotted at purchase. Minor units. */
export interface UnitCost {
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly shippingNetMinor: bigint;
  readonly shippingTaxMinor: bigint;
}

export const costOf = (unit: UnitCost): bigint =>
  unit.netMinor + unit.taxMinor + unit.shippingNetMinor + unit.shippingTaxMinor;

export const eachPart = (of: (part: keyof UnitCost) => bigint): UnitCost => ({
  netMinor: of('netMinor'),
  taxMinor: of('taxMinor'),
  shippingNetMinor: of('shippingNetMinor'),
  shippingTaxMinor: of('shippingTaxMinor'),
});

/** Where the shipping has paid for goods it is part of what those cost. */
export const asPrice = (cost: UnitCost): UnitCost => ({
  netMinor: cost.netMinor + cost.shippingNetMinor,
  taxMinor: cost.taxMinor + cost.shippingTaxMinor,
  shippingNetMinor: 0n,
  shippingTaxMinor: 0n,
});

/** The other way round: so much of a price, in the proportions of its parts; none becomes more than it is. */
export function inParts(price: UnitCost, cost: UnitCost): UnitCost {
  const split = (amount: bigint, parts: readonly bigint[]) =>
    amount > 0n ? allotByLargestRemainder(amount, parts) : [];
  const [netMinor = 0n, shippingNetMinor = 0n] = split(price.netMinor, [cost.netMinor, cost.shippingNetMinor]);
  const [taxMinor = 0n, shippingTaxMinor = 0n] = split(price.taxMinor, [cost.taxMinor, cost.shippingTaxMinor]);
  return { netMinor, taxMinor, shippingNetMinor, shippingTaxMinor };
}

/** So much of these, part by part by largest remainder. */
export function shareOf<Of extends UnitCost>(units: readonly Of[], amountMinor: bigint): Of[] {
  const parts = units.flatMap((unit) => [unit.netMinor, unit.taxMinor, unit.shippingNetMinor, unit.shippingTaxMinor]);
  const shares = allotByLargestRemainder(amountMinor, parts);
  const at = (index: number): bigint => shares[index] ?? 0n;
  return units.map((unit, i) => ({
    ...unit,
    netMinor: at(4 * i),
    taxMinor: at(4 * i + 1),
    shippingNetMinor: at(4 * i + 2),
    shippingTaxMinor: at(4 * i + 3),
  }));
}

export interface UnitName {
  readonly orderItemId: OrderItemId;
  readonly number: number;
}

/** A unit of the return. */
export interface StatedUnit extends UnitName, UnitCost {
  readonly state: ReturnUnitState;
  readonly reason: ReturnReason;
  /** As it was found; null = nobody looked, as with what is kept. */
  readonly condition: Condition | null;
  /** What other refunds have given back of it. */
  readonly givenBackMinor: bigint;
}

/** A unit that came back before, or was cancelled: of which the shipping may still be open. */
export interface EarlierUnit extends UnitName, UnitCost {
  readonly givenBackMinor: bigint;
}

export interface StatementContext {
  /** With what is accepted here every unit of the order has come back or was called off. */
  readonly completesOrder: boolean;
  /** The rule that the order was taxed by: the fee for the way back carries its tax. null = none. */
  readonly taxRule: TaxRule | null;
  /** A dispute was decided for the customer: what has come back is paid for in full. */
  readonly isWaived?: boolean;
  /** Of other returns of the order: when the last unit comes back, their shipping goes back as well. */
  readonly earlier?: readonly EarlierUnit[];
}

export interface Words {
  readonly id: string;
  readonly en: string;
}

export const DEDUCTION_CODES = ['restocking', 'return_shipping', 'declined', 'not_received'] as const;
export type DeductionCode = (typeof DEDUCTION_CODES)[number];

export interface Deduction extends UnitName {
  readonly code: DeductionCode;
  readonly amountMinor: bigint;
  readonly reason: Words;
}

/** Of an order item, what its units would bring without deductions, and what they bring. */
export interface StatementLine {
  readonly orderItemId: OrderItemId;
  readonly quantity: number;
  readonly goodsMinor: bigint;
  readonly shippingMinor: bigint;
  readonly deductionMinor: bigint;
  readonly refundMinor: bigint;
}

/** What a unit brings; the four parts add up to its refund and say what of its cost is taken back. */
export interface UnitResult extends UnitName, UnitCost {
  readonly refundMinor: bigint;
  readonly deductionMinor: bigint;
}

export interface Statement {
  readonly lines: readonly StatementLine[];
  readonly deductions: readonly Deduction[];
  readonly refundMinor: bigint;
  readonly byUnit: readonly UnitResult[];
}

type Parts = readonly [net: bigint, tax: bigint, shippingNet: bigint, shippingTax: bigint];

interface Counted extends UnitName {
  readonly unit: StatedUnit | null;
  /** What it brings without deductions. */
  readonly whole: Parts;
  readonly rest: Parts;
  readonly deductions: readonly Deduction[];
}

type Terms = Pick<ReturnPolicy, 'restockingPercent' | 'refundsShipping' | 'returnShippingMinor'>;

/** Units that have no part in it (`refused`, `withdrawn`, not looked at yet) may be given and are left out. */
export function statementOf(units: readonly StatedUnit[], policy: Terms, context: StatementContext): Statement {
  const withShipping =
    policy.refundsShipping === 'always' || (policy.refundsShipping === 'when_all_returned' && context.completesOrder);
  const isWaived = context.isWaived ?? false;
  const counted = units.filter(hasPart).map((unit) => takeTurnedDown(begin(unit, withShipping), isWaived));
  const charged = isWaived ? counted : takeReturnShipping(takeRestocking(counted, policy), policy, context.taxRule);
  const isLast = policy.refundsShipping === 'when_all_returned' && context.completesOrder;
  return addUp([...charged, ...(isLast ? (context.earlier ?? []).map(shippingOf) : [])]);
}

const isPaidFor = ({ state }: StatedUnit): boolean => state === 'accepted' || state === 'kept';
const hasPart = (unit: StatedUnit): boolean => isPaidFor(unit) || unit.state === 'declined' || unit.state === 'missing';

function grouped<Key>(units: readonly Counted[], keyOf: (unit: Counted) => Key): Map<Key, Counted[]> {
  const groups = new Map<Key, Counted[]>();
  for (const unit of units) {
    const key = keyOf(unit);
    const group = groups.get(key);
    if (group) group.push(unit);
    else groups.set(key, [unit]);
  }
  return groups;
}

const total = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n);
const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Never more than is left of it: what was given back before is taken off all its parts alike. */
function begin(unit: StatedUnit, withShipping: boolean): Counted {
  const { netMinor, taxMinor, shippingNetMinor, shippingTaxMinor, givenBackMinor } = unit;
  const cost = netMinor + taxMinor + shippingNetMinor + shippingTaxMinor;
  const goods: Parts = [netMinor, taxMinor, 0n, 0n];
  const wanted: Parts = withShipping ? [netMinor, taxMinor, shippingNetMinor, shippingTaxMinor] : goods;
  const whole = share(lesser(total(wanted), cost - givenBackMinor), wanted);
  return { orderItemId: unit.orderItemId, number: unit.number, unit, whole, rest: whole, deductions: [] };
}

function shippingOf({ orderItemId, number, givenBackMinor, ...cost }: EarlierUnit): Counted {
  const { shippingNetMinor, shippingTaxMinor } = cost;
  const left = total([cost.netMinor, cost.taxMinor, shippingNetMinor, shippingTaxMinor]) - givenBackMinor;
  const wanted: Parts = [0n, 0n, shippingNetMinor, shippingTaxMinor];
  const whole = share(lesser(total(wanted), left), wanted);
  return { orderItemId, number, unit: null, whole, rest: whole, deductions: [] };
}

/** An amount in the proportions of these parts; none becomes more than it is. */
function share(amount: bigint, parts: Parts): Parts {
  if (amount <= 0n) return [0n, 0n, 0n, 0n];
  if (amount === total(parts)) return parts;
  const [net = 0n, tax = 0n, shippingNet = 0n, shippingTax = 0n] = allotByLargestRemainder(amount, parts);
  return [net, tax, shippingNet, shippingTax];
}

function take(counted: Counted, code: DeductionCode, amountMinor: bigint, from: Parts, reason: Words): Counted {
  const taken = share(amountMinor, from);
  const [net, tax, shippingNet, shippingTax] = counted.rest;
  const { orderItemId, number } = counted;
  return {
    ...counted,
    rest: [net - taken[0], tax - taken[1], shippingNet - taken[2], shippingTax - taken[3]],
    deductions: [...counted.deductions, { code, orderItemId, number, amountMinor, reason }],
  };
}

const DECLINED: Words = {
  id: 'Pemeriksaan tidak menerima unit ini. Anda dapat mengajukan keberatan.',
  en: 'The inspection did not accept this unit. You may dispute it.',
};
const NOT_RECEIVED: Words = {
  id: 'Unit ini tidak kami terima.',
  en: 'We have not received this unit.',
};

function takeTurnedDown(counted: Counted, isWaived: boolean): Counted {
  const state = counted.unit?.state;
  if (state !== 'missing' && (state !== 'declined' || isWaived)) return counted;
  const amount = total(counted.rest);
  return state === 'declined'
    ? take(counted, 'declined', amount, counted.rest, DECLINED)
    : take(counted, 'not_received', amount, counted.rest, NOT_RECEIVED);
}

// ---- restocking -----------------------------------------------------------------------------------------------------

const CONDITION_WORDS: Record<Condition, Words> = {
  unopened: { id: 'belum dibuka', en: 'unopened' },
  as_new: { id: 'seperti baru', en: 'as new' },
  used: { id: 'sudah dipakai', en: 'used' },
  damaged: { id: 'rusak', en: 'damaged' },
  incomplete: { id: 'tidak lengkap', en: 'incomplete' },
  not_ours: { id: 'bukan barang kami', en: 'not of ours' },
};

const percentOf = ({ unit }: Counted, { restockingPercent }: Terms): number =>
  unit?.condition && isPaidFor(unit) && !isSellersFault(unit.reason) ? restockingPercent[unit.condition] : 0;

/** Units of one item that are charged the same are rounded together. */
function takeRestocking(units: readonly Counted[], policy: Terms): Counted[] {
  const groups = grouped(units, (unit) => `${unit.orderItemId} ${percentOf(unit, policy)}`);
  const taken = new Map<Counted, bigint>();
  for (const group of groups.values()) {
    const percent = group[0] ? percentOf(group[0], policy) : 0;
    if (percent === 0) continue;
    const goods = group.map(({ rest: [net, tax] }) => net + tax);
    const amount = roundHalfUp(total(goods) * hundredths(percent), 10_000n);
    const parts = allotByLargestRemainder(amount, goods);
    group.forEach((unit, index) => {
      taken.set(unit, parts[index] ?? 0n);
    });
  }
  return units.map((unit) => restock(unit, taken.get(unit) ?? 0n, percentOf(unit, policy)));
}

function restock(counted: Counted, amount: bigint, percent: number): Counted {
  const condition = counted.unit?.condition;
  if (amount === 0n || !condition) return counted;
  const words = CONDITION_WORDS[condition];
  const [net, tax] = counted.rest;
  return take(counted, 'restocking', amount, [net, tax, 0n, 0n], {
    id: `Diterima dalam keadaan ${words.id}: ${spoken(percent, ',')}% dari harganya dipotong.`,
    en: `It was received ${words.en}: ${spoken(percent, '.')}% of its price is kept.`,
  });
}

/** A percentage may have two decimals. */
const hundredths = (percent: number): bigint => BigInt(Math.round(percent * 100));
const spoken = (percent: number, point: string): string => percent.toString().replace('.', point);
/** Neither is negative. */
const roundHalfUp = (numerator: bigint, denominator: bigint): bigint =>
  (2n * numerator + denominator) / (2n * denominator);

// ---- the way back ---------------------------------------------------------------------------------------------------

const RETURN_SHIPPING: Words = { id: 'Bagian ongkos kirim kembali.', en: 'Its part of the cost of sending it back.' };

/** Once a return, from what comes back for no fault of the seller's, and never more than that brings. */
function takeReturnShipping(units: readonly Counted[], policy: Terms, taxRule: TaxRule | null): Counted[] {
  const bearing = units.map(({ unit, rest }) =>
    unit?.state === 'accepted' && !isSellersFault(unit.reason) ? total(rest) : 0n,
  );
  const fee = lesser(withTax(BigInt(policy.returnShippingMinor), taxRule), total(bearing));
  if (fee === 0n) return [...units];
  const parts = allotByLargestRemainder(fee, bearing);
  return units.map((unit, index) => {
    const amount = parts[index] ?? 0n;
    return amount === 0n ? unit : take(unit, 'return_shipping', amount, unit.rest, RETURN_SHIPPING);
  });
}

/** What a price comes to with its tax, rounded half up once as on an invoice. */
export function withTax(netMinor: bigint, rule: TaxRule | null): bigint {
  if (rule === null) return netMinor;
  const numerator = BigInt(rule.ratePercent) * BigInt(rule.baseNumerator);
  return netMinor + roundHalfUp(netMinor * numerator, 100n * BigInt(rule.baseDenominator));
}

// ---- the sum --------------------------------------------------------------------------------------------------------

function addUp(units: readonly Counted[]): Statement {
  const byUnit = units.map(resultOf);
  return {
    lines: [...grouped(units, ({ orderItemId }) => orderItemId)].map(([orderItemId, ofItem]) =>
      lineOf(orderItemId, ofItem),
    ),
    deductions: units.flatMap(({ deductions }) => deductions),
    refundMinor: total(byUnit.map(({ refundMinor }) => refundMinor)),
    byUnit,
  };
}

function resultOf({ orderItemId, number, rest, deductions }: Counted): UnitResult {
  const [netMinor, taxMinor, shippingNetMinor, shippingTaxMinor] = rest;
  return {
    orderItemId,
    number,
    netMinor,
    taxMinor,
    shippingNetMinor,
    shippingTaxMinor,
    refundMinor: total(rest),
    deductionMinor: total(deductions.map(({ amountMinor }) => amountMinor)),
  };
}

function lineOf(orderItemId: OrderItemId, units: readonly Counted[]): StatementLine {
  const part = (of: (parts: Parts) => bigint, from: 'whole' | 'rest') => total(units.map((unit) => of(unit[from])));
  return {
    orderItemId,
    quantity: units.filter(({ unit }) => unit !== null).length,
    goodsMinor: part(([net, tax]) => net + tax, 'whole'),
    shippingMinor: part(([, , net, tax]) => net + tax, 'whole'),
    deductionMinor: total(units.flatMap(({ deductions }) => deductions.map(({ amountMinor }) => amountMinor))),
    refundMinor: part(total, 'rest'),
  };
}
