/**
 * The ways to pay: which gateway takes which of them, in what currency, between which amounts, and what can be given back
 * the way it came. Limits and refunds are defaults, to be checked against the office's accounts (docs/money/methods.md);
 * what a gateway's account has agreed otherwise, its refusal tells.
 */
import type { Currency, Money } from './money.ts';
import { GATEWAY_CURRENCIES, type GatewayName } from './payments.ts';

/** What a channel gives back: any part, all or nothing, or nothing at all. */
export type Refundability = 'partial' | 'full' | 'none';

/** How long until the money is confirmed, from the moment the payer has done their part. */
export type UsualTime = 'seconds' | 'minutes' | 'day';

interface Channel {
  readonly name: { readonly id: string; readonly en: string };
  readonly usual: UsualTime;
  readonly refund: Refundability;
}

const same = (name: string) => ({ id: name, en: name });
const account = (bank: string): Channel => ({
  name: { id: `Virtual account ${bank}`, en: `${bank} virtual account` },
  usual: 'minutes',
  refund: 'none',
});
const wallet = (name: string, refund: Refundability): Channel => ({ name: same(name), usual: 'seconds', refund });
const counter = (name: string): Channel => ({ name: same(name), usual: 'minutes', refund: 'none' });

/** By Alur's code, which adapters send and gateways' answers are translated into. */
const CHANNELS = {
  bca_va: account('BCA'),
  bni_va: account('BNI'),
  bri_va: account('BRI'),
  mandiri_va: account('Mandiri'),
  permata_va: account('Permata'),
  // What Midtrans calls Mandiri's bill payment.
  echannel: { ...account('Mandiri'), name: { id: 'Mandiri Bill', en: 'Mandiri bill payment' } },
  qris: wallet('QRIS', 'partial'),
  gopay: wallet('GoPay', 'partial'),
  shopeepay: wallet('ShopeePay', 'full'),
  ovo: wallet('OVO', 'full'),
  dana: wallet('DANA', 'partial'),
  credit_card: {
    name: { id: 'Kartu kredit atau debit', en: 'Credit or debit card' },
    usual: 'seconds',
    refund: 'partial',
  },
  indomaret: counter('Indomaret'),
  alfamart: counter('Alfamart'),
  fpx: { name: same('FPX'), usual: 'minutes', refund: 'partial' },
  grabpay: wallet('GrabPay', 'partial'),
} as const satisfies Record<string, Channel>;
export type MethodCode = keyof typeof CHANNELS;

type Limits = readonly [currency: Currency, minimum: bigint, maximum: bigint];

const IDR = (minimum: bigint, maximum: bigint): Limits => ['IDR', minimum, maximum];
const MYR = (minimum: bigint, maximum: bigint): Limits => ['MYR', minimum, maximum];

const TRANSFER = IDR(10_000n, 500_000_000n);
const QRIS = IDR(1_500n, 10_000_000n);
const WALLET = IDR(1_000n, 20_000_000n);
const COUNTER = IDR(10_000n, 5_000_000n);

type Taken = readonly (readonly [MethodCode, ...Limits[]])[];

/** The first is recommended: it is quick, or the one most people have. */
const TAKEN: Readonly<Record<GatewayName, Taken>> = {
  midtrans: [
    ['qris', QRIS],
    ['bca_va', TRANSFER],
    ['bni_va', TRANSFER],
    ['bri_va', TRANSFER],
    ['echannel', TRANSFER],
    ['permata_va', TRANSFER],
    ['gopay', WALLET],
    ['shopeepay', WALLET],
    ['credit_card', IDR(10_000n, 999_999_999n)],
    ['indomaret', COUNTER],
    ['alfamart', COUNTER],
  ],
  xendit: [
    ['qris', QRIS],
    ['bca_va', TRANSFER],
    ['bni_va', TRANSFER],
    ['bri_va', TRANSFER],
    ['mandiri_va', TRANSFER],
    ['permata_va', TRANSFER],
    ['ovo', WALLET],
    ['dana', WALLET],
    ['shopeepay', WALLET],
    ['credit_card', IDR(10_000n, 200_000_000n)],
    ['indomaret', COUNTER],
    ['alfamart', COUNTER],
  ],
  stripe: [
    ['credit_card', IDR(10_000n, 999_999_999n), MYR(200n, 99_999_999n)],
    ['fpx', MYR(200n, 3_000_000n)],
    ['grabpay', MYR(200n, 500_000n)],
  ],
  // The payer chooses on its page: the bill names no channel.
  billplz: [],
};

/** A bill of Billplz, whatever it is paid with there. */
const ANY_AT_BILLPLZ: Limits = MYR(100n, 3_000_000n);

export interface PaymentMethod {
  readonly gateway: GatewayName;
  /** null = the payer chooses on the gateway's page, which is all that this gateway offers. */
  readonly method: MethodCode | null;
  readonly name: { readonly id: string; readonly en: string };
  readonly usual: UsualTime;
  readonly minimum: Money;
  readonly maximum: Money;
  readonly refund: Refundability;
}

const isMethodCode = (value: string): value is MethodCode => Object.hasOwn(CHANNELS, value);

/**
 * What can go back the way it came. A method that nobody has told yet may be any: then the gateway has the last word,
 * as it has on channels that this table does not know.
 * @param method Alur's code, as `payments.method` has it
 */
export function refundability(gateway: GatewayName, method: string | null): Refundability {
  if (gateway === 'billplz') return 'none';
  if (method === null) return 'partial';
  if (isMethodCode(method)) return CHANNELS[method].refund;
  return /_va$|^(?:bank_transfer|cstore|retail_outlet|over_the_counter)$/.test(method) ? 'none' : 'partial';
}

/** Every way to pay in a currency, whatever the amount; gateways in the order given. */
function methodsIn(currency: Currency, gateways: readonly GatewayName[]): PaymentMethod[] {
  return gateways.flatMap((gateway) => [
    ...TAKEN[gateway].flatMap(([method, ...limits]) =>
      limits.flatMap((limit) => (limit[0] === currency ? [methodOf(gateway, method, limit)] : [])),
    ),
    ...(gateway === 'billplz' && currency === 'MYR' ? [methodOf(gateway, null, ANY_AT_BILLPLZ)] : []),
  ]);
}

function methodOf(gateway: GatewayName, method: MethodCode | null, [currency, least, most]: Limits): PaymentMethod {
  const { name, usual } = method === null ? ON_ITS_PAGE : CHANNELS[method];
  const minimum = { amountMinor: least, currency };
  const maximum = { amountMinor: most, currency };
  return { gateway, method, name, usual, minimum, maximum, refund: refundability(gateway, method) };
}

const ON_ITS_PAGE = {
  name: { id: 'FPX, kartu atau dompet digital', en: 'FPX, card or wallet' },
  usual: 'minutes',
} as const satisfies Omit<Channel, 'refund'>;

const takes = ({ minimum, maximum }: PaymentMethod, amountMinor: bigint): boolean =>
  amountMinor >= minimum.amountMinor && amountMinor <= maximum.amountMinor;

export interface Payable {
  readonly currency: Currency;
  readonly amountMinor: bigint;
  /** Gateways that this office has an account with, the preferred one first. */
  readonly offered: readonly GatewayName[];
}

/** What this amount can be paid with, in the office's order of gateways; the first is the one to recommend. */
export const methodsFor = ({ currency, amountMinor, offered }: Payable): PaymentMethod[] =>
  methodsIn(currency, offered).filter((method) => takes(method, amountMinor));

export type GatewayChoice =
  | { readonly ok: true; readonly gateway: GatewayName }
  | {
      readonly ok: false;
      /** `gateway_not_available`: none takes this currency. `amount_not_payable`: too little or too much for all of them. */
      readonly code: 'gateway_not_available' | 'method_not_available' | 'amount_not_payable';
      /** What could be asked for instead: methods' codes, or gateways where a gateway was the trouble. */
      readonly choices: readonly string[];
    };

/**
 * Which gateway a payer is sent to. Who names none gets the first in the office's order that takes the amount, by the
 * method if one is named.
 * @param asked.gateway only this one will do
 */
export function chooseGateway(
  asked: Payable & { readonly method?: string | undefined; readonly gateway?: GatewayName | undefined },
): GatewayChoice {
  const { currency, amountMinor, offered, method, gateway } = asked;
  const able = offered.filter((name) => GATEWAY_CURRENCIES[name].includes(currency));
  const named = gateway === undefined ? able : able.filter((name) => name === gateway);
  if (named.length === 0) return { ok: false, code: 'gateway_not_available', choices: able };
  const byMethod = methodsIn(currency, named).filter((one) => method === undefined || one.method === method);
  const [first] = byMethod.filter((one) => takes(one, amountMinor));
  if (first) return { ok: true, gateway: first.gateway };
  const code = byMethod.length === 0 ? 'method_not_available' : 'amount_not_payable';
  return { ok: false, code, choices: codesOf(methodsFor({ currency, amountMinor, offered: named })) };
}

const codesOf = (methods: readonly PaymentMethod[]): string[] => [
  ...new Set(methods.flatMap(({ method }) => (method === null ? [] : [method]))),
];
