/**
 * Money is a whole number of minor units and a currency; nothing in Alur computes with fractions of one.
 * IDR has no decimals in this system (Stripe's two are converted at its border).
 */
export type Currency = 'IDR' | 'MYR';

export interface Money {
  readonly amountMinor: bigint;
  readonly currency: Currency;
}

const DECIMALS: Record<Currency, number> = { IDR: 0, MYR: 2 };
const SYMBOL: Record<Currency, string> = { IDR: 'Rp', MYR: 'RM' };

export const isCurrency = (value: string): value is Currency => Object.hasOwn(DECIMALS, value);

export const money = (amountMinor: bigint | number, currency: Currency): Money => ({
  amountMinor: BigInt(amountMinor),
  currency,
});

/** What is not there, or in no currency that the office takes, is no money. */
export const moneyOrNull = (amountMinor: bigint | null, currency: string | null): Money | null =>
  amountMinor !== null && currency !== null && isCurrency(currency) ? money(amountMinor, currency) : null;

export const rupiah = (amount: bigint | number): Money => money(amount, 'IDR');

/** @throws RangeError when the currencies differ: that is a bug, never a business case. */
export function add(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new RangeError(`cannot add ${b.currency} to ${a.currency}`);
  return { amountMinor: a.amountMinor + b.amountMinor, currency: a.currency };
}

export const sum = (amounts: readonly Money[], currency: Currency): Money => amounts.reduce(add, money(0n, currency));

export const sameMoney = (a: Money, b: Money): boolean => a.currency === b.currency && a.amountMinor === b.amountMinor;

/** `Rp1.250.000`, `RM12,50`: dots between thousands, a comma before decimals, as Indonesian invoices are written. */
export function formatMoney({ amountMinor, currency }: Money): string {
  const decimals = DECIMALS[currency];
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(decimals + 1, '0');
  const whole = decimals === 0 ? digits : digits.slice(0, -decimals);
  const fraction = decimals === 0 ? '' : `,${digits.slice(-decimals)}`;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '.');
  return `${amountMinor < 0n ? '-' : ''}${SYMBOL[currency]}${grouped}${fraction}`;
}
