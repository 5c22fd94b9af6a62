/**
 * The payments of a stretch of time, as Xendit's balance has them: `GET /transactions`, newest first. A transaction is
 * created when the money comes in. https://docs.xendit.co/apidocs/list-transactions
 */
import { z } from 'zod';
import type { Money } from '../../domain/money.ts';
import type { GatewayPaymentState } from '../../domain/payments.ts';
import type { ListedPayment, PaymentGateway, PaymentPage, Window } from './gateway.ts';
import { type Exchange, exchange, unreadable } from './http.ts';
import { type Asker, isUnauthorized, readable, unauthorized } from './xendit-http.ts';
import { type SaidRefund, stateOf } from './xendit-refund-wire.ts';
import { refundsIn } from './xendit-refunds.ts';
import { parseAmount, parseTime } from './xendit-wire.ts';

const transaction = z.object({
  id: z.string().min(1),
  product_id: z.string().nullish(),
  type: z.string(),
  status: z.string(),
  reference_id: z.string().nullish(),
  currency: z.string(),
  amount: z.number(),
  created: z.string(),
  product_data: z.object({ payment_link_id: z.string().nullish(), payment_request_id: z.string().nullish() }).nullish(),
});
type Transaction = z.infer<typeof transaction>;

const transactionPage = z.object({ data: z.array(transaction), has_more: z.boolean() });

const PAGE = 50;
/** How long the refunds that were read for the first page serve the others. */
const REFUNDS_SERVE_MS = 15 * 60_000;

/**
 * A transaction does not tell what went back, and refunds cannot be asked for by day or by many payments. So the refunds
 * made since the window's beginning are read once for all its pages, and again when they are 15 minutes old or another
 * process goes on with the pages. Only refunds that have succeeded count.
 */
export function createXenditList(ask: Asker): NonNullable<PaymentGateway['list']> {
  const read = new Map<string, { readonly at: number; readonly refunds: Promise<Refunds> }>();
  const refundsSince = (from: string, anew: boolean): Promise<Refunds> => {
    const known = read.get(from);
    if (known !== undefined && !anew && Date.now() - known.at < REFUNDS_SERVE_MS) return known.refunds;
    const refunds = readRefunds(ask, from);
    // One window at a time: they are walked one after the other.
    read.clear();
    read.set(from, { at: Date.now(), refunds });
    // What failed is not kept; whoever waits for it hears why.
    refunds.catch(() => read.delete(from));
    return refunds;
  };
  return async (window, cursor) => {
    const refunds = await refundsSince(window.from, cursor === null);
    return readPage(ask.transactions(queryOf(window, cursor)), window, refunds);
  };
}

function queryOf({ from, to }: Window, cursor: string | null): URLSearchParams {
  const query = new URLSearchParams({
    types: 'PAYMENT',
    'created[gte]': new Date(from).toISOString(),
    // Xendit's end is part of the stretch, ours is not.
    'created[lte]': new Date(new Date(to).getTime() - 1).toISOString(),
    limit: String(PAGE),
  });
  for (const status of BROUGHT_MONEY.keys()) query.append('statuses', status);
  if (cursor !== null) query.set('after_id', cursor);
  return query;
}

async function readPage(asked: Exchange, window: Window, refunds: Refunds): Promise<PaymentPage> {
  const answer = await exchange(asked);
  if (isUnauthorized(answer)) throw unauthorized();
  const parsed = transactionPage.safeParse(answer.body);
  if (answer.status !== 200 || !parsed.success) throw unreadable(asked, `status ${answer.status} without transactions`);
  const { data, has_more } = parsed.data;
  const payments = readable(asked, () => data.flatMap((said) => listed(said, window, refunds)));
  return { payments, next: has_more ? (data.at(-1)?.id ?? null) : null };
}

// VOIDED: the payer took it back. REVERSED: Xendit did. PENDING and FAILED brought nothing.
const BROUGHT_MONEY = new Map<string, GatewayPaymentState>([
  ['SUCCESS', 'paid'],
  ['VOIDED', 'reversed'],
  ['REVERSED', 'reversed'],
]);

/** A filter that is not understood would let other things through: everything is checked once more. */
function listed(said: Transaction, window: Window, refunds: Refunds): ListedPayment[] {
  const state = BROUGHT_MONEY.get(said.status);
  const paidAt = parseTime(said.created);
  if (state === undefined || said.type !== 'PAYMENT' || paidAt === null || !isWithin(paidAt, window)) return [];
  const paid = amountOf(said);
  const refundedMinor = paid === null ? 0n : refunds.of(namesOf(said));
  const isGone = state === 'paid' && paid !== null && refundedMinor >= paid.amountMinor;
  return [
    {
      reference: referenceOf(said),
      // What a look-up calls it: the invoice's ID.
      transactionId: said.product_data?.payment_link_id ?? said.product_id ?? said.id,
      state: isGone ? 'refunded' : state,
      paid,
      refundedMinor,
      paidAt,
    },
  ];
}

const isWithin = (at: string, { from, to }: Window): boolean =>
  Date.parse(at) >= Date.parse(from) && Date.parse(at) < Date.parse(to);

/** null = money that Alur never asks for: another currency, or a fraction of a rupiah. */
function amountOf({ amount, currency }: Transaction): Money | null {
  return currency === 'IDR' && Number.isSafeInteger(amount) ? parseAmount(amount, currency) : null;
}

const referenceOf = ({ reference_id: reference }: Transaction): string | null =>
  /^[A-Za-z0-9._~-]{1,50}$/.exec(reference ?? '')?.[0] ?? null;

const namesOf = ({ product_id, product_data }: Transaction): (string | null | undefined)[] => [
  product_id,
  product_data?.payment_link_id,
  product_data?.payment_request_id,
];

interface Refunds {
  /** Σ of what went back of a payment with these names, whole rupiah. */
  of(names: readonly (string | null | undefined)[]): bigint;
}

async function readRefunds(ask: Asker, from: string): Promise<Refunds> {
  const byName = new Map<string, Map<string, bigint>>();
  const asked = ask.refunds(new URLSearchParams());
  const since = Date.parse(from);
  let previous: number | null = null;
  let isNewestFirst = true;
  for await (const said of refundsIn(ask, {})) {
    const at = Date.parse(said.created);
    // A payment's refund is never older than the payment. The order is not documented: if these are not seen to get older
    // one by one, all are read.
    if (isNewestFirst && at < since && previous !== null && at < previous) break;
    isNewestFirst &&= previous === null || at <= previous;
    previous = at;
    readable(asked, () => file(byName, said));
  }
  return { of: (names) => sumOf(names.flatMap((name) => [...(byName.get(name ?? '')?.entries() ?? [])])) };
}

function file(byName: Map<string, Map<string, bigint>>, said: SaidRefund): void {
  if (said.currency !== 'IDR' || stateOf(said) !== 'succeeded') return;
  const { amountMinor } = parseAmount(said.amount, said.currency);
  for (const name of [said.invoice_id, said.payment_id, said.payment_request_id]) {
    if (name) byName.set(name, (byName.get(name) ?? new Map<string, bigint>()).set(said.id, amountMinor));
  }
}

/** A refund that is found by two of its payment's names counts once. */
const sumOf = (found: readonly (readonly [string, bigint])[]): bigint =>
  [...new Map(found).values()].reduce((sum, amount) => sum + amount, 0n);
