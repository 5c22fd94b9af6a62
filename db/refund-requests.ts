/** Asking for a refund: under a lock on its payment, so that no more is promised than was captured. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type {
  ApplicationId,
  CompanyId,
  InvoiceId,
  OrderId,
  PaymentCaseId,
  PaymentId,
  RefundId,
  ReturnId,
  UserId,
} from '../domain/ids.ts';
import type { CreditShare } from '../domain/invoicing.ts';
import { type Currency, money } from '../domain/money.ts';
import type { InvoiceState, MoneyPolicy, PaymentState } from '../domain/payments.ts';
import {
  CLAIMING_REFUND_STATES,
  chooseSource,
  needsApproval,
  type RefundableParts,
  type RefundChannel,
  type RefundReason,
  refusePaymentToRefund,
} from '../domain/refunds.ts';
import { isMember } from './company-members.ts';
import { recordEvent } from './events.ts';
import { writeToFinance, writeToPayer } from './refund-letters.ts';
import { aboutRefund, findRefund, lockPaymentOfRefund, type Refund } from './refunds.ts';

export interface RefundWish {
  /** Of the caller's making: again with the same ID changes nothing. */
  readonly id: RefundId;
  readonly paymentId: PaymentId;
  /** Minor units; null = all that is left of where it comes from. */
  readonly amountMinor: bigint | null;
  readonly reason: RefundReason;
  /** null = Alur itself, by policy. */
  readonly requestedBy: UserId | null;
  readonly note?: string | null;
  /** The case that it settles: then the money comes out of suspense. */
  readonly caseId?: PaymentCaseId | null;
  /** ISO 8601. */
  readonly at: string;
  readonly policy: Pick<MoneyPolicy, 'refundApprovalAbove'>;
  readonly requestedByPayer: boolean;
  readonly origin?: Origin | undefined;
  /** Of goods: which order or return waits for it. */
  readonly orderId?: OrderId | null;
  readonly returnId?: ReturnId | null;
  /** What it takes back of the invoice, as far as it is still there; absent = of each line its share. */
  readonly wantedLines?: readonly CreditShare[];
  /** `store_credit`: it becomes credit at once. Absent, or where that cannot be: the way that the money came. */
  readonly wantedChannel?: RefundChannel;
  /** What the threshold is held against, where one refund is spread over several payments; absent = the amount. */
  readonly ofTotalMinor?: bigint;
}

/**
 * Puts a refund on record, `approved` at once where nobody has to agree. Its process is started afterwards, by the caller
 * or by the sweep of what waits. Writes nothing before it is sure, so a caller may go on after a refusal.
 * @throws Failure `not_found`, `payment_not_refundable`, `refund_exceeds_payment`
 */
export async function requestRefund(tx: Knex, wish: RefundWish): Promise<Refund> {
  const payment = await lockedPayment(tx, wish.paymentId);
  const before = await findRefund(tx, wish.id);
  if (before) return before;
  const refusal = refusePaymentToRefund(payment);
  if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
  const parts = await refundableParts(tx, payment);
  const chosen = chooseSource(parts, wish.amountMinor, wish.caseId != null, payment.currency);
  if ('code' in chosen) throw new Failure(chosen.code, chosen.message, chosen.facts);
  // Somebody in the office may act for the payer as well: then they ask as one.
  const isPayer =
    wish.requestedByPayer || (wish.requestedBy !== null && (await isMember(tx, payment.companyId, wish.requestedBy)));
  const ofTotal = money(wish.ofTotalMinor ?? chosen.amountMinor, payment.currency);
  const asks = needsApproval(ofTotal, isPayer, wish.policy.refundApprovalAbove);
  await recordRequest(tx, wish, { ...payment, ...chosen, asks });
  const refund = await findRefund(tx, wish.id);
  if (!refund) throw new Error(`refund ${wish.id} was not written`);
  // Of what came back its return tells, in the same transaction.
  if (!wish.returnId) await writeToPayer(tx, refund, 'refund_requested', wish.at);
  if (asks) await writeToFinance(tx, refund, 'refund_to_approve', wish.at, { but: wish.requestedBy });
  return refund;
}

interface PaymentToRefund {
  readonly id: PaymentId;
  readonly invoiceId: InvoiceId;
  readonly applicationId: ApplicationId | null;
  readonly companyId: CompanyId;
  readonly state: PaymentState;
  readonly invoiceState: InvoiceState;
  readonly paidMinor: bigint | null;
  readonly appliedMinor: bigint;
  readonly currency: Currency;
}

async function lockedPayment(tx: Knex, id: PaymentId): Promise<PaymentToRefund> {
  const known: { invoiceId: InvoiceId } | undefined = await tx('payments')
    .where({ id })
    .first({ invoiceId: 'invoice_id' });
  if (known) await lockPaymentOfRefund(tx, { paymentId: id, invoiceId: known.invoiceId });
  const found: PaymentToRefund | undefined = await tx('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.id', id)
    .first({
      id: 'p.id',
      invoiceId: 'p.invoice_id',
      applicationId: 'i.application_id',
      companyId: 'i.company_id',
      state: 'p.state',
      invoiceState: 'i.state',
      paidMinor: 'p.paid_minor',
      appliedMinor: 'p.applied_minor',
      currency: tx.raw('coalesce(p.paid_currency, p.currency)'),
    });
  if (!found) throw new Failure('not_found', 'There is no such payment.');
  return found;
}

// A refund that came back after it had arrived stays credited on its invoice: its money is in suspense since then.
const CLAIMED = `
  select coalesce(sum(amount_minor) filter (where source = 'invoice' and (claims or credited)), 0)::bigint as invoice,
    coalesce(sum(amount_minor) filter (where source = 'suspense' and claims), 0)::bigint as suspense,
    coalesce(sum(amount_minor) filter (where source = 'invoice' and credited and not claims), 0)::bigint as "cameBack",
    (select coalesce(sum(p.amount_minor), 0)::bigint from ledger_entries e join ledger_postings p on p.entry_id = e.id
      where e.payment_id = :id and e.kind = 'suspense_released' and p.account = 'suspense') as released
  from (select source, amount_minor, state = any(:claiming) as claims,
      exists (select from credit_notes c where c.refund_id = refunds.id) as credited
    from refunds where payment_id = :id) r`;

/** What is left of a payment. An invoice that nobody has to pay any more has given what was paid on it to suspense. */
async function refundableParts(tx: Knex, payment: PaymentToRefund): Promise<RefundableParts> {
  const { rows }: { rows: { invoice: bigint; suspense: bigint; cameBack: bigint; released: bigint }[] } = await tx.raw(
    CLAIMED,
    { id: payment.id, claiming: [...CLAIMING_REFUND_STATES] },
  );
  const claimed = rows[0] ?? { invoice: 0n, suspense: 0n, cameBack: 0n, released: 0n };
  const isClosed = payment.invoiceState === 'lapsed' || payment.invoiceState === 'void';
  const applied = isClosed ? claimed.invoice : payment.appliedMinor;
  const waiting = (payment.paidMinor ?? 0n) - applied;
  return {
    invoiceMinor: applied - claimed.invoice,
    suspenseMinor: waiting - claimed.suspense - claimed.released + claimed.cameBack,
  };
}

async function recordRequest(
  tx: Knex,
  wish: RefundWish,
  found: Omit<PaymentToRefund, 'state'> & {
    readonly source: Refund['source'];
    readonly amountMinor: bigint;
    readonly asks: boolean;
  },
): Promise<void> {
  const { id, requestedBy, origin, at } = wish;
  const about = aboutRefund({ id, applicationId: found.applicationId, companyId: found.companyId });
  const by = requestedBy ? { by: requestedBy } : {};
  const data = { refundId: id, amountMinor: found.amountMinor.toString(), source: found.source, reason: wish.reason };
  await recordEvent(tx, { key: `refund/${id}/requested`, type: 'refund.requested', ...about, ...by, data, origin, at });
  await tx('refunds').insert({
    id,
    payment_id: found.id,
    invoice_id: found.invoiceId,
    company_id: found.companyId,
    case_id: wish.caseId ?? null,
    state: found.asks ? 'requested' : 'approved',
    amount_minor: found.amountMinor,
    currency: found.currency,
    source: found.source,
    reason: wish.reason,
    note: wish.note ?? null,
    needs_approval: found.asks,
    // Credit is the payer's own choice, so it needs no way to be found.
    channel: wish.wantedChannel === 'store_credit' ? 'store_credit' : null,
    ...(await goodsColumns(tx, wish)),
    requested_by: requestedBy,
    requested_at: at,
    updated_at: at,
  });
  if (found.asks) return;
  await recordEvent(tx, {
    key: `refund/${id}/approved`,
    type: 'refund.approved',
    ...about,
    data: { refundId: id },
    at,
  });
}

/** One that settles a case of another refund is waited for by whoever waited for that one. */
async function goodsColumns(tx: Knex, wish: RefundWish) {
  const before: { orderId: OrderId | null; returnId: ReturnId | null } | undefined = wish.caseId
    ? await tx('payment_cases as k')
        .join('refunds as r', 'r.id', 'k.refund_id')
        .where('k.id', wish.caseId)
        .first({ orderId: 'r.order_id', returnId: 'r.return_id' })
    : undefined;
  const lines = wish.wantedLines?.map(({ position, netMinor, taxMinor }) => ({
    position,
    netMinor: netMinor.toString(),
    taxMinor: taxMinor.toString(),
  }));
  return {
    order_id: wish.orderId ?? before?.orderId ?? null,
    return_id: wish.returnId ?? before?.returnId ?? null,
    wanted_lines: lines ? JSON.stringify(lines) : null,
    wanted_channel: wish.wantedChannel ?? null,
  };
}

/** Minor units of a payment's invoice that can still go back out of it; nothing of one that holds no money. Locks it. */
export async function leftOfPayment(tx: Knex, id: PaymentId): Promise<bigint> {
  const payment = await lockedPayment(tx, id);
  if (refusePaymentToRefund(payment)) return 0n;
  return (await refundableParts(tx, payment)).invoiceMinor;
}
