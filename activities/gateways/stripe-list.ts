/**
 * The payments of a stretch of time, from Stripe's list of charges, newest first. https://docs.stripe.com/api/charges/list
 * A charge is created when the payer submits it, and its balance transaction when the money has come: for a card at one
 * moment, for FPX and GrabPay minutes later if the bank is slow. So charges are asked for from three days before the
 * window on, and counted by the time of the money.
 */
import type { Stripe } from 'stripe';
import { z } from 'zod';
import type { Money } from '../../domain/money.ts';
import type { ListedPayment, PaymentPage, Window } from './gateway.ts';
import type { Ask, Question } from './stripe-client.ts';
import { disputeStates, readable, unreadableAnswer } from './stripe-lookup.ts';
import { refundSaid, refundState, type SaidRefund } from './stripe-refunds.ts';
import { chargeSaid, fromWire, keptOrGone, paidAtOf, REFERENCE } from './stripe-wire.ts';

const LISTING: Question = { purpose: 'list payments', method: 'GET' };

const EARLIER_SECONDS = 3 * 24 * 3600;

const listedCharge = chargeSaid.extend({
  amount_captured: z.number().int(),
  currency: z.string(),
  status: z.string(),
  metadata: z.record(z.string(), z.string()).nullish(),
  payment_intent: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
  refunds: z.object({ data: z.array(refundSaid), has_more: z.boolean() }).nullish(),
});
type ListedCharge = z.infer<typeof listedCharge>;

const chargePage = z.object({ data: z.array(listedCharge), has_more: z.boolean() });

/** Refunds come along with their charges; a dispute costs one more question, a charge with more than ten refunds too. */
export function listPayments(ask: Ask, window: Window, cursor: string | null): Promise<PaymentPage> {
  return ask(LISTING, async (stripe) => {
    const answer = await stripe.charges.list({
      created: {
        gte: Math.floor(Date.parse(window.from) / 1000) - EARLIER_SECONDS,
        lt: Math.ceil(Date.parse(window.to) / 1000),
      },
      limit: 100,
      expand: ['data.balance_transaction', 'data.refunds'],
      ...(cursor === null ? {} : { starting_after: cursor }),
    });
    const parsed = chargePage.safeParse(answer);
    if (!parsed.success) throw unreadableAnswer('it is no list of charges', LISTING);
    const { data, has_more } = parsed.data;
    const payments: ListedPayment[] = [];
    for (const said of data.filter((one) => broughtMoney(one, window))) payments.push(await listed(stripe, said));
    return { payments, next: has_more ? (data.at(-1)?.id ?? null) : null };
  });
}

function broughtMoney(said: ListedCharge, { from, to }: Window): boolean {
  const at = Date.parse(paidAtOf(said));
  return said.status === 'succeeded' && said.amount_captured > 0 && at >= Date.parse(from) && at < Date.parse(to);
}

async function listed(stripe: Stripe, said: ListedCharge): Promise<ListedPayment> {
  const intent = typeof said.payment_intent === 'string' ? said.payment_intent : said.payment_intent?.id;
  const disputes = await disputeStates(stripe, intent, said.disputed);
  const refunds = await refundsOf(stripe, said);
  const paid = amountOf(said.amount_captured, said.currency);
  return {
    reference: said.metadata?.[REFERENCE] ?? null,
    transactionId: intent ?? said.id,
    state: keptOrGone(said, disputes),
    paid,
    refundedMinor: paid === null ? 0n : readable(LISTING, () => givenBack(refunds)),
    paidAt: paidAtOf(said),
  };
}

async function refundsOf(stripe: Stripe, { id, refunds }: ListedCharge): Promise<readonly SaidRefund[]> {
  if (refunds && !refunds.has_more) return refunds.data;
  const all: SaidRefund[] = [];
  for await (const answer of stripe.refunds.list({ charge: id, limit: 100 })) {
    const parsed = refundSaid.safeParse(answer);
    if (!parsed.success) throw unreadableAnswer('it is no refund', LISTING);
    all.push(parsed.data);
  }
  return all;
}

/** Not the charge's `amount_refunded`: that counts refunds which are pending. */
const givenBack = (refunds: readonly SaidRefund[]): bigint =>
  refunds
    .filter((said) => refundState(said) === 'succeeded')
    .reduce((sum, said) => sum + fromWire(said.amount, said.currency).amountMinor, 0n);

/** null = money that Alur never asks for: another currency, or a fraction of a rupiah. */
function amountOf(amount: number, currency: string): Money | null {
  try {
    return fromWire(amount, currency);
  } catch (cause) {
    if (cause instanceof RangeError) return null;
    throw cause;
  }
}
