/** The adapters that the contract is about, what each of them is told to do, and which cases it cannot have, and why. */
import { createBillplzGateway } from '../../../../activities/gateways/billplz.ts';
import type { BillBook } from '../../../../activities/gateways/billplz-book.ts';
import type { PaymentGateway } from '../../../../activities/gateways/gateway.ts';
import { createMidtransGateway } from '../../../../activities/gateways/midtrans.ts';
import { createStripeGateway } from '../../../../activities/gateways/stripe.ts';
import { createXenditGateway } from '../../../../activities/gateways/xendit.ts';
import { type Money, money, rupiah } from '../../../../domain/money.ts';
import type { GatewayName, GatewayPaymentState } from '../../../../domain/payments.ts';
import { gatewayAccounts } from '../../../../local/gateways/accounts.ts';
import { createTestBook } from '../../../local/gateways/billplz-support.ts';
import type { CaseName } from './cases.ts';
import { SECRET } from './world.ts';

export interface Connection {
  /** Of all sandboxes: `http://127.0.0.1:4010`. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly merchantUrl: string;
  /** Only Billplz needs one; shared by all adapters of one world. */
  readonly book: BillBook;
}

export interface Subject {
  open(connection: Connection): PaymentGateway;
  readonly amount: Money;
  /** Odd ones, and the largest that the adapter takes. */
  readonly amounts: readonly Money[];
  /** In a currency that this gateway does not take; null = it takes all of ours. */
  readonly foreign: Money | null;
  /** How long a page must not stay open. */
  readonly tooLongMs: number;
  /** What a look-up says of a page on which nobody has done anything. */
  readonly untouched: GatewayPaymentState;
  /** …and of a payment of which everything went back. */
  readonly refunded: GatewayPaymentState;
  readonly channels: {
    /** Gives back any part. */
    readonly parts: string;
    /** Is `pending` first. */
    readonly slow: string;
    readonly wholeOnly: string;
    readonly never: string;
  };
  /** The event that lets money of this channel be refunded, beyond `pay`. */
  readonly settle: readonly string[];
  /** Two events of one payment that are both told, and how the readings of what is told begin. */
  readonly older: readonly [event: string, step: RegExp];
  readonly newer: readonly [event: string, step: RegExp];
  /** Events between the two, of which nothing is told. */
  readonly between: readonly string[];
  /** Cases that this gateway cannot have. The reason stands in docs/gateways.md, word for word. */
  readonly without: Partial<Record<CaseName, string>>;
}

const accounts = gatewayAccounts(SECRET);
const DAY_MS = 86_400_000;
const NONE = 'none';

const NO_REFUND = 'Billplz has no endpoint for refunds';
const NO_LIST = (name: string) => `${name} lists no payments`;

const midtrans: Subject = {
  open: ({ url, timeoutMs }) => {
    const base = `${url}/midtrans`;
    return createMidtransGateway({ serverKey: SECRET, snapUrl: base, apiUrl: base, timeoutMs });
  },
  amount: rupiah(1_234_567),
  amounts: [rupiah(1), rupiah(98_765_431), rupiah(999_999_999_999n)],
  foreign: money(123_456, 'MYR'),
  tooLongMs: 8 * DAY_MS,
  untouched: 'not_found',
  refunded: 'refunded',
  channels: { parts: 'gopay', slow: 'credit_card', wholeOnly: 'shopeepay', never: 'bca_va' },
  settle: ['credit_card'],
  older: ['pay', /^settlement/],
  between: [],
  newer: ['reverse', /^deny/],
  without: {
    'an untouched page is ended when asked': 'Midtrans cannot end a Snap page on which no channel was chosen',
    'a reversal that the merchant wins is paid again': 'Midtrans documents no way back from a chargeback',
    'a list holds every payment exactly once while others arrive': NO_LIST('Midtrans'),
    'a list that goes wrong can be asked for again': NO_LIST('Midtrans'),
    'a list tells what went back, and nothing from before or after its window': NO_LIST('Midtrans'),
  },
};

const xendit: Subject = {
  open: ({ url, timeoutMs }) =>
    createXenditGateway({ secretKey: accounts.xendit.secretKey, apiUrl: `${url}/xendit`, timeoutMs }),
  amount: rupiah(1_234_567),
  amounts: [rupiah(1), rupiah(98_765_431), rupiah(999_999_999_999n)],
  foreign: money(123_456, 'MYR'),
  tooLongMs: 366 * DAY_MS,
  untouched: 'pending',
  // An invoice shows no refund.
  refunded: 'paid',
  channels: { parts: 'credit_card', slow: 'credit_card', wholeOnly: 'ovo', never: 'bca_va' },
  settle: [],
  older: ['pay?channel=credit_card', /^PAID/i],
  between: ['refund'],
  newer: ['refund-settle', /SUCCEEDED/i],
  without: {
    'a payment that fails takes no money': 'A Xendit invoice does not fail',
    'money that is taken back is reversed': 'A Xendit invoice shows no chargeback',
    'a reversal that the merchant wins is paid again': 'A Xendit invoice shows no chargeback',
    'a reversal leaves nothing, whatever went back before': 'A Xendit invoice shows no chargeback',
  },
};

const stripe: Subject = {
  open: ({ url, timeoutMs }) =>
    createStripeGateway({ secretKey: accounts.stripe.secretKey, apiUrl: `${url}/stripe`, timeoutMs }),
  amount: money(123_457, 'MYR'),
  amounts: [rupiah(98_765_431), rupiah(9_999_999_999n), money(12_345, 'MYR'), money(99_999_999, 'MYR')],
  foreign: null,
  tooLongMs: 2 * DAY_MS,
  untouched: 'pending',
  refunded: 'refunded',
  channels: { parts: 'card', slow: 'fpx', wholeOnly: NONE, never: NONE },
  settle: [],
  older: ['fail', /failed/],
  between: [],
  newer: ['pay', /completed|succeeded/],
  without: {
    'another currency is refused': 'Stripe takes both currencies',
    'money that comes after the end is paid': 'Stripe takes no money on an expired page',
    'a payment that fails takes no money': 'A declined card leaves a Stripe page open',
    'a channel that gives nothing back says so': 'every channel that Alur uses at Stripe gives any part back',
    'a channel that gives back all or nothing says so': 'every channel that Alur uses at Stripe gives any part back',
  },
};

const billplz: Subject = {
  open: ({ url, timeoutMs, merchantUrl, book }) =>
    createBillplzGateway({
      apiKey: accounts.billplz.apiKey,
      apiUrl: `${url}/billplz/api`,
      collectionId: accounts.billplz.collectionId,
      callbackUrl: `${merchantUrl}/webhooks/billplz`,
      book,
      timeoutMs,
    }),
  amount: money(123_457, 'MYR'),
  amounts: [money(1, 'MYR'), money(12_345, 'MYR'), money(9_999_999_999n, 'MYR')],
  foreign: rupiah(1_234_567),
  tooLongMs: 31 * DAY_MS,
  untouched: 'pending',
  refunded: 'refunded',
  channels: { parts: 'fpx', slow: NONE, wholeOnly: NONE, never: NONE },
  settle: [],
  older: ['fail', /^due/],
  between: [],
  newer: ['pay', /^paid/],
  without: {
    'a lost answer never opens a second page, and the page is found': 'A lost answer of Billplz cannot be cleared up',
    'an answer that never came can be asked for again': 'A lost answer of Billplz cannot be cleared up',
    'a payment that fails takes no money': 'A failed try leaves a bill due',
    'money that is taken back is reversed': 'A bill shows no chargeback',
    'a reversal that the merchant wins is paid again': 'A bill shows no chargeback',
    'a reversal leaves nothing, whatever went back before': 'A bill shows no chargeback',
    'everything goes back': NO_REFUND,
    'parts go back to the unit, and never more than was paid': NO_REFUND,
    'a refund of more than was paid is refused': NO_REFUND,
    'a refund of what is not paid is refused': NO_REFUND,
    'a refund is made once for each key, however late it is repeated': NO_REFUND,
    'a refund whose answer was lost is made once': NO_REFUND,
    'a refund that never arrived can be asked for again': NO_REFUND,
    'a refund that is told to wait was not made': NO_REFUND,
    'a refund is pending until it has succeeded': NO_REFUND,
    'a refund that had succeeded can fail': NO_REFUND,
    'a refund that nobody asked for is not found': NO_REFUND,
    'a look-up of a refund that goes wrong can be asked again': NO_REFUND,
    'a channel that gives nothing back says so': NO_REFUND,
    'a channel that gives back all or nothing says so': NO_REFUND,
    'a list holds every payment exactly once while others arrive': NO_LIST('Billplz'),
    'a list that goes wrong can be asked for again': NO_LIST('Billplz'),
    'a list tells what went back, and nothing from before or after its window': NO_LIST('Billplz'),
  },
};

export const SUBJECTS: Record<GatewayName, Subject> = { midtrans, xendit, stripe, billplz };

export const newBook = (): BillBook => createTestBook();
