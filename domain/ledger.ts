/**
 * The books: double entry, append only. A posting's amount is positive on the debit side and negative on the credit side;
 * the postings of an entry add up to zero, and an entry is in one currency. A wrong entry is corrected by another one.
 *
 * How one rupiah travels: an invoice makes it a claim on the payer (`receivable`); a capture turns the claim into money that
 * the gateway holds (`gateway_clearing`); a settlement brings it to the office's bank account, less the gateway's fee. Money
 * that pays no open invoice waits in `suspense` for a person. What is owed back to a payer stands in `refunds` from the moment
 * it is reserved until the gateway, the bank or the store credit has given it back.
 */
import type { BuiltInvoice } from './invoicing.ts';
import type { Money } from './money.ts';

/** Each account with its side of the balance sheet, in the order in which reports list them. */
export const ACCOUNTS = {
  receivable: 'asset',
  gateway_clearing: 'asset',
  bank: 'asset',
  service_revenue: 'income',
  statutory_fees: 'liability',
  vat: 'liability',
  refunds: 'liability',
  store_credit: 'liability',
  suspense: 'liability',
  gateway_fees: 'expense',
  other_income: 'income',
  written_off: 'expense',
} as const;
export type Account = keyof typeof ACCOUNTS;

const isAccount = (code: string): code is Account => Object.hasOwn(ACCOUNTS, code);
export const ACCOUNT_CODES: readonly Account[] = Object.keys(ACCOUNTS).filter(isAccount);

/** What an entry tells of. */
export const ENTRY_KINDS = [
  'invoice_issued',
  'invoice_closed',
  'captured',
  'unapplied',
  'taken_back',
  'given_back',
  'suspense_applied',
  'suspense_released',
  'credit_applied',
  'credit_returned',
  'goods_credited',
  'credit_expired',
  'refund_reserved',
  'refund_released',
  'refund_paid',
  'refund_came_back',
  'settled',
  'settlement_adjusted',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export interface Posting {
  readonly account: Account;
  /** Minor units; debit positive, credit negative, never zero. */
  readonly amountMinor: bigint;
}

const debit = (account: Account, amountMinor: bigint): Posting => ({ account, amountMinor });
const credit = (account: Account, amountMinor: bigint): Posting => ({ account, amountMinor: -amountMinor });

/**
 * Leaves out what is nothing and adds up what is on one account, in the order of the accounts.
 * @throws RangeError when the postings do not balance: that is a bug, never a business case
 */
export function balanced(postings: readonly Posting[]): Posting[] {
  const total = postings.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  if (total !== 0n) throw new RangeError(`the postings are off balance by ${total}`);
  return ACCOUNT_CODES.map((account) => ({
    account,
    amountMinor: postings.reduce((sum, one) => (one.account === account ? sum + one.amountMinor : sum), 0n),
  })).filter(({ amountMinor }) => amountMinor !== 0n);
}

/** The same amounts the other way round. */
export const reversed = (postings: readonly Posting[]): Posting[] =>
  postings.map(({ account, amountMinor }) => ({ account, amountMinor: -amountMinor }));

/** What an invoice, or a part of one that is credited, is made of. All amounts are in minor units and not negative. */
export interface Shares {
  readonly serviceMinor: bigint;
  readonly statutoryMinor: bigint;
  readonly taxMinor: bigint;
}

export function sharesOf({ lines, tax }: Pick<BuiltInvoice, 'lines' | 'tax'>): Shares {
  const net = (kind: 'service' | 'statutory') =>
    lines.reduce((sum, line) => (line.kind === kind ? sum + line.net.amountMinor : sum), 0n);
  return { serviceMinor: net('service'), statutoryMinor: net('statutory'), taxMinor: tax.amountMinor };
}

const earned = ({ serviceMinor, statutoryMinor, taxMinor }: Shares): Posting[] => [
  credit('service_revenue', serviceMinor),
  credit('statutory_fees', statutoryMinor),
  credit('vat', taxMinor),
];

/** A claim on the payer, and what it is for. */
export const invoiceIssued = (shares: Shares): Posting[] =>
  balanced([debit('receivable', shares.serviceMinor + shares.statutoryMinor + shares.taxMinor), ...earned(shares)]);

/** An invoice that nobody has to pay any more (lapsed, void). What had been paid of it is unapplied beside it. */
export const invoiceClosed = (shares: Shares): Posting[] => reversed(invoiceIssued(shares));

/** A part that had been paid of an invoice that is closed now: it is no longer for anything. */
export const unapplied = (amountMinor: bigint): Posting[] => reversed(suspenseApplied(amountMinor));

/** Money that a gateway took: `appliedMinor` of it pays the invoice, the rest waits in suspense. */
export const captured = (paidMinor: bigint, appliedMinor: bigint): Posting[] =>
  balanced([
    debit('gateway_clearing', paidMinor),
    credit('receivable', appliedMinor),
    credit('suspense', paidMinor - appliedMinor),
  ]);

/** A reversal or a chargeback: the gateway took a capture back, and the payer owes again what it had paid. */
export const takenBack = (paidMinor: bigint, appliedMinor: bigint): Posting[] =>
  reversed(captured(paidMinor, appliedMinor));

/** Suspense that turned out to be for an invoice after all. */
export const suspenseApplied = (amountMinor: bigint): Posting[] =>
  balanced([debit('suspense', amountMinor), credit('receivable', amountMinor)]);

/** Suspense that finance closes: kept as credit of the payer, or as income that nobody claims. */
export const suspenseReleased = (amountMinor: bigint, to: 'store_credit' | 'other_income'): Posting[] =>
  balanced([debit('suspense', amountMinor), credit(to, amountMinor)]);

/** A payer's credit pays an invoice. */
export const creditApplied = (amountMinor: bigint): Posting[] =>
  balanced([debit('store_credit', amountMinor), credit('receivable', amountMinor)]);

/** The invoice was closed after all: the payer has the credit again. */
export const creditReturned = (amountMinor: bigint): Posting[] => reversed(creditApplied(amountMinor));

/** A part of an invoice that credit had paid is taken back: the payer has the credit again. */
export const goodsCredited = (shares: Shares): Posting[] =>
  balanced([
    ...reversed(earned(shares)),
    credit('store_credit', shares.serviceMinor + shares.statutoryMinor + shares.taxMinor),
  ]);

/** Credit that was not spent in time. */
export const creditExpired = (amountMinor: bigint): Posting[] =>
  balanced([debit('store_credit', amountMinor), credit('other_income', amountMinor)]);

/** Where the money of a refund comes from: an invoice that is taken back in part, or suspense. */
export type RefundSource =
  | { readonly from: 'invoice'; readonly shares: Shares }
  | { readonly from: 'suspense'; readonly amountMinor: bigint };

const sourceOf = (source: RefundSource): Posting[] =>
  source.from === 'invoice' ? reversed(earned(source.shares)) : [debit('suspense', source.amountMinor)];

const owed = (source: RefundSource): bigint => sourceOf(source).reduce((sum, { amountMinor }) => sum + amountMinor, 0n);

/** Owed back from now on. */
export const refundReserved = (source: RefundSource): Posting[] =>
  balanced([...sourceOf(source), credit('refunds', owed(source))]);

/** No longer owed: cancelled, or failed for good. */
export const refundReleased = (source: RefundSource): Posting[] => reversed(refundReserved(source));

/** By whom a refund is paid. */
export type RefundPaidFrom = 'gateway_clearing' | 'bank' | 'store_credit';

export const refundPaid = (amountMinor: bigint, from: RefundPaidFrom): Posting[] =>
  balanced([debit('refunds', amountMinor), credit(from, amountMinor)]);

/** The gateway or the bank could not deliver it after all. */
export const refundCameBack = (amountMinor: bigint, to: RefundPaidFrom): Posting[] =>
  reversed(refundPaid(amountMinor, to));

/**
 * One line of a gateway's settlement: what it held (`grossMinor`, negative where a refund went out of it) less its fee is in
 * the bank. The fee is negative where the gateway gave one back.
 */
export const settled = (grossMinor: bigint, feeMinor: bigint): Posting[] =>
  balanced([
    debit('bank', grossMinor - feeMinor),
    debit('gateway_fees', feeMinor),
    credit('gateway_clearing', grossMinor),
  ]);

/** A settlement's line about nothing we know: its money waits in suspense. Negative = it was taken from the payout. */
export const settlementAdjusted = (netMinor: bigint): Posting[] =>
  balanced([debit('bank', netMinor), credit('suspense', netMinor)]);

/** What an amount on a side of the balance sheet looks like in a report: positive where it is usual. */
export const naturalBalance = (account: Account, { amountMinor, currency }: Money): Money => {
  const isDebit = ACCOUNTS[account] === 'asset' || ACCOUNTS[account] === 'expense';
  return { amountMinor: isDebit ? amountMinor : -amountMinor, currency };
};
