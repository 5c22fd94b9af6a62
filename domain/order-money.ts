/**
 * What an order costs, and what each of its units costs: the invoice's lines, and their amounts allotted to units by largest
 * remainder at purchase, so that what is given back later, unit by unit, adds up to the invoice to the rupiah.
 */
import { allotByLargestRemainder, type InvoiceLineInput } from './invoicing.ts';
import { type Currency, money } from './money.ts';

/** What is charged for one item of an order. Amounts without tax. */
export interface ChargedItem {
  readonly sku: string;
  readonly name: { readonly id: string; readonly en: string };
  readonly quantity: number;
  readonly unitPriceMinor: bigint;
  /** Of the whole line, at most its price. */
  readonly discountMinor: bigint;
}

/** The code of the line that charges for shipping; every other line's is the SKU, which is in capitals. */
export const SHIPPING_LINE = 'shipping';
const SHIPPING = { id: 'Ongkos kirim', en: 'Shipping' };

/** One line an item, in their order; shipping last, where there is any. What costs nothing has no line. */
export function orderLines(
  items: readonly ChargedItem[],
  shippingMinor: bigint,
  currency: Currency,
): InvoiceLineInput[] {
  const goods = items.filter(({ quantity, unitPriceMinor }) => quantity > 0 && unitPriceMinor > 0n).map(lineOf);
  return shippingMinor > 0n
    ? [...goods, { code: SHIPPING_LINE, description: SHIPPING, kind: 'service', net: money(shippingMinor, currency) }]
    : goods;

  function lineOf({ sku, name, quantity, unitPriceMinor, discountMinor }: ChargedItem): InvoiceLineInput {
    const times = (text: string) => (quantity > 1 ? `${text} × ${quantity}` : text);
    return {
      code: sku,
      description: { id: times(name.id), en: times(name.en) },
      kind: 'service',
      net: money(unitPriceMinor * BigInt(quantity), currency),
      discount: money(discountMinor, currency),
    };
  }
}

/** @param policy amounts as digits, as in `OrderPolicy.shipping` */
export const shippingFee = (
  goodsMinor: bigint,
  policy: { readonly feeMinor: string; readonly freeFromMinor: string | null },
): bigint =>
  goodsMinor === 0n || (policy.freeFromMinor !== null && goodsMinor >= BigInt(policy.freeFromMinor))
    ? 0n
    : BigInt(policy.feeMinor);

/** What one unit costs; minor units. */
export interface UnitShare {
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly shippingNetMinor: bigint;
  readonly shippingTaxMinor: bigint;
}

export const NO_SHARE: UnitShare = { netMinor: 0n, taxMinor: 0n, shippingNetMinor: 0n, shippingTaxMinor: 0n };

export const sumOfShare = (share: UnitShare): bigint =>
  share.netMinor + share.taxMinor + share.shippingNetMinor + share.shippingTaxMinor;

/** A line as it was charged, the discount taken off. */
export interface LineAmounts {
  readonly code: string;
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
}

/**
 * The parts of an invoice that `orderLines` made, by item and unit, in their order. Each line is allotted to its units; shipping
 * to all of them by price. What does not divide goes to the last ones.
 * @throws Error when a line is of none of the items
 */
export function allotToUnits(
  items: readonly Pick<ChargedItem, 'sku' | 'quantity'>[],
  lines: readonly LineAmounts[],
): UnitShare[][] {
  const stray = lines.find(({ code }) => code !== SHIPPING_LINE && !items.some(({ sku }) => sku === code));
  if (stray) throw new Error(`invoice line ${stray.code} charges for nothing in the order`);
  const line = (code: string) => lines.find((one) => one.code === code);
  const nets: bigint[][] = items.map(({ sku, quantity }) => evenly(line(sku)?.netMinor ?? 0n, quantity));
  const taxes = items.map(({ sku }, i) => byWeight(line(sku)?.taxMinor ?? 0n, nets[i] ?? []));
  const shipping = line(SHIPPING_LINE);
  const shippingNets = byWeight(shipping?.netMinor ?? 0n, nets.flat());
  const shippingTaxes = byWeight(shipping?.taxMinor ?? 0n, shippingNets);
  let next = 0;
  return nets.map((units, i) =>
    units.map((netMinor, j) => {
      const at = next++;
      return {
        netMinor,
        taxMinor: taxes[i]?.[j] ?? 0n,
        shippingNetMinor: shippingNets[at] ?? 0n,
        shippingTaxMinor: shippingTaxes[at] ?? 0n,
      };
    }),
  );
}

const evenly = (total: bigint, parts: number): bigint[] => byWeight(total, new Array<bigint>(parts).fill(1n));

/** Equals share evenly; of equals, the last ones take what is left over. */
function byWeight(total: bigint, weights: readonly bigint[]): bigint[] {
  const isWeighty = weights.some((weight) => weight > 0n);
  const backwards = (isWeighty ? weights : weights.map(() => 1n)).toReversed();
  return allotByLargestRemainder(total, backwards).reverse();
}
