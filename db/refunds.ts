/** Refunds: asked for under a lock on their payment, so that no more is promised than was captured. */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ApplicationId, CompanyId, InvoiceId, PaymentCaseId, PaymentId, RefundId, UserId } from '../domain/ids.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { GatewayName, InvoiceState, MoneyPolicy, PaymentCaseKind, PaymentState } from '../domain/payments.ts';
import {
  CLAIMING_REFUND_STATES,
  chooseSource,
  needsApproval,
  type RefundableParts,
  type RefundChannel,
  type RefundReason,
  type RefundState,
  refundStatesBefore,
  refusePaymentToRefund,
} from '../domain/refunds.ts';
import { isMember } from './company-members.ts';
import { recordEvent } from './events.ts';
import { writeToFinance, writeToPayer } from './refund-letters.ts';

/** A refund with what its process needs to know of its payment and its invoice. */
export interface Refund {
  readonly id: RefundId;
  readonly paymentId: PaymentId;
  readonly invoiceId: InvoiceId;
  readonly invoiceNumber: string;
  readonly applicationId: ApplicationId | null;
  readonly companyId: CompanyId;
  readonly caseId: PaymentCaseId | null;
  readonly state: RefundState;
  readonly amount: Money;
  readonly source: 'invoice' | 'suspense';
  readonly reason: RefundReason;
  readonly note: string | null;
  readonly needsApproval: boolean;
  readonly channel: RefundChannel | null;
  readonly requestedBy: UserId | null;
  readonly requestedAt: Date;
  readonly decidedBy: UserId | null;
  readonly decidedAt: Date | null;
  readonly decisionNote: string | null;
  readonly gatewayRefundId: string | null;
  readonly failureCode: string | null;
  readonly bankCode: string | null;
  readonly accountNumberMasked: string | null;
  readonly nameMatches: boolean | null;
  readonly transferReference: string | null;
  readonly takenAt: Date | null;
  readonly submittedAt: Date | null;
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
  readonly gateway: GatewayName;
  readonly method: string | null;
  /** What the gateway files the payment under, ours and its own. */
  readonly reference: string;
  readonly transactionId: string | null;
  /** What was captured. */
  readonly paid: Money;
}

type Row = Omit<Refund, 'amount' | 'paid'> & {
  readonly amountMinor: bigint;
  readonly currency: Currency;
  /** null while the payment has brought nothing in: then there is no refund either. */
  readonly paidMinor: bigint | null;
};

const COLUMNS = {
  id: 'r.id',
  paymentId: 'r.payment_id',
  invoiceId: 'r.invoice_id',
  invoiceNumber: 'i.number',
  applicationId: 'i.application_id',
  companyId: 'r.company_id',
  caseId: 'r.case_id',
  state: 'r.state',
  amountMinor: 'r.amount_minor',
  currency: 'r.currency',
  source: 'r.source',
  reason: 'r.reason',
  note: 'r.note',
  needsApproval: 'r.needs_approval',
  channel: 'r.channel',
  requestedBy: 'r.requested_by',
  requestedAt: 'r.requested_at',
  decidedBy: 'r.decided_by',
  decidedAt: 'r.decided_at',
  decisionNote: 'r.decision_note',
  gatewayRefundId: 'r.gateway_refund_id',
  failureCode: 'r.failure_code',
  bankCode: 'r.bank_code',
  accountNumberMasked: 'r.account_number_masked',
  nameMatches: 'r.name_matches',
  transferReference: 'r.transfer_reference',
  takenAt: 'r.taken_at',
  submittedAt: 'r.submitted_at',
  endedAt: 'r.ended_at',
  updatedAt: 'r.updated_at',
  gateway: 'p.gateway',
  method: 'p.method',
  reference: 'p.gateway_reference',
  transactionId: 'p.transaction_id',
  paidMinor: 'p.paid_minor',
} as const;

/** The joined tables are `r`, `p` and `i`. */
export const refundQuery = (db: Knex): Knex.QueryBuilder =>
  db('refunds as r')
    .join('payments as p', 'p.id', 'r.payment_id')
    .join('invoices as i', 'i.id', 'r.invoice_id')
    .select(COLUMNS);

export const toRefund = ({ amountMinor, paidMinor, currency, ...row }: Row): Refund => ({
  ...row,
  amount: money(amountMinor, currency),
  paid: money(paidMinor ?? 0n, currency),
});

export async function findRefund(db: Knex, id: RefundId): Promise<Refund | null> {
  const row: Row | undefined = await refundQuery(db).where('r.id', id).first();
  return row ? toRefund(row) : null;
}

/**
 * The refund, with its invoice, its payment and itself locked: in this order, in which the collection of an invoice locks
 * too, so that nobody waits in a circle.
 */
export async function lockRefund(tx: Knex, id: RefundId): Promise<Refund> {
  const known = await findRefund(tx, id);
  if (!known) throw new Error(`refund ${id} does not exist`);
  await lockPayment(tx, known);
  await tx('refunds').where({ id }).forUpdate().first('id');
  const locked = await findRefund(tx, id);
  return locked ?? known;
}

async function lockPayment(tx: Knex, of: { readonly paymentId: PaymentId; readonly invoiceId: InvoiceId }) {
  await tx('invoices').where({ id: of.invoiceId }).forUpdate().first('id');
  await tx('payments').where({ id: of.paymentId }).forUpdate().first('id');
}

/** Whom the events of a refund are about. */
export const aboutRefund = ({ id, applicationId, companyId }: Pick<Refund, 'id' | 'applicationId' | 'companyId'>) => ({
  companyId,
  ...(applicationId ? { applicationId } : {}),
  subject: `refund/${id}` as const,
});

// ---- asking for one -------------------------------------------------------------------------------------------------

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
  const amount = money(chosen.amountMinor, payment.currency);
  const asks = needsApproval(amount, isPayer, wish.policy.refundApprovalAbove);
  await recordRequest(tx, wish, { ...payment, ...chosen, asks });
  const refund = await findRefund(tx, wish.id);
  if (!refund) throw new Error(`refund ${wish.id} was not written`);
  await writeToPayer(tx, refund, 'refund_requested', wish.at);
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
  if (known) await lockPayment(tx, { paymentId: id, invoiceId: known.invoiceId });
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

// ---- its record -----------------------------------------------------------------------------------------------------

/** What may change with a state; absent = stays. */
export interface RefundChange {
  readonly channel?: RefundChannel | null;
  readonly decidedBy?: UserId;
  readonly decidedAt?: string;
  readonly decisionNote?: string | null;
  readonly gatewayRefundId?: string | null;
  readonly failureCode?: string | null;
  readonly transferredBy?: UserId;
  readonly transferReference?: string;
  readonly submittedAt?: string;
  readonly endedAt?: string;
}

/** Moves a refund along its transition table. @returns false when there is no such edge from where it is */
export async function moveRefund(
  tx: Knex,
  id: RefundId,
  to: RefundState,
  at: string,
  change: RefundChange = {},
): Promise<boolean> {
  const changed = await tx('refunds')
    .where({ id })
    .whereIn('state', refundStatesBefore(to))
    .update({
      state: to,
      updated_at: at,
      ...(change.channel === undefined ? {} : { channel: change.channel }),
      ...(change.decidedBy === undefined ? {} : { decided_by: change.decidedBy }),
      ...(change.decidedAt === undefined ? {} : { decided_at: change.decidedAt }),
      ...(change.decisionNote === undefined ? {} : { decision_note: change.decisionNote }),
      ...(change.gatewayRefundId ? { gateway_refund_id: change.gatewayRefundId } : {}),
      ...(change.failureCode === undefined ? {} : { failure_code: change.failureCode }),
      ...(change.transferredBy === undefined ? {} : { transferred_by: change.transferredBy }),
      ...(change.transferReference === undefined ? {} : { transfer_reference: change.transferReference }),
      ...(change.submittedAt === undefined ? {} : { submitted_at: change.submittedAt }),
      ...(change.endedAt === undefined ? {} : { ended_at: change.endedAt }),
    });
  return changed > 0;
}

/** A process has it in hand from now on. */
export async function markRefundTaken(db: Knex, id: RefundId, at: string): Promise<void> {
  await db('refunds').where({ id }).whereNull('taken_at').update({ taken_at: at });
}

/** Refunds of an invoice that no process has in hand yet. */
export async function refundsNotTaken(db: Knex, invoiceId: InvoiceId): Promise<RefundId[]> {
  const rows: { id: RefundId }[] = await db('refunds')
    .where({ invoice_id: invoiceId })
    .whereNull('taken_at')
    .orderBy('requested_at')
    .select('id');
  return rows.map(({ id }) => id);
}

/** Refunds asked for before this moment that no process has in hand, the oldest first. */
export async function waitingRefunds(db: Knex, before: Date, limit: number): Promise<RefundId[]> {
  return db('refunds')
    .whereNull('taken_at')
    .where('requested_at', '<', before)
    .orderBy('requested_at')
    .limit(limit)
    .pluck<RefundId[]>('id');
}

/** Where the payer wants the money, sealed as columns `refunds.account_number` and `refunds.account_holder`. */
export interface BankDestination {
  readonly bankCode: string;
  readonly accountNumberEncrypted: Buffer;
  readonly accountNumberMasked: string;
  readonly accountHolderEncrypted: Buffer;
  readonly nameMatches: boolean;
}

/** Bank details wait until the way that the money came has turned out not to take it back; a choice of credit counts at once. */
export async function storeDestination(
  tx: Knex,
  id: RefundId,
  given: BankDestination | 'store_credit',
  at: string,
): Promise<void> {
  const columns =
    given === 'store_credit'
      ? { channel: given }
      : {
          channel: tx.raw(`case when state = 'awaiting_destination' then 'bank_transfer' end`),
          bank_code: given.bankCode,
          account_number_encrypted: given.accountNumberEncrypted,
          account_number_masked: given.accountNumberMasked,
          account_holder_encrypted: given.accountHolderEncrypted,
          name_matches: given.nameMatches,
        };
  await tx('refunds')
    .where({ id })
    .update({ ...columns, updated_at: at });
}

/** Notes that the gateway was asked after these notices came: a repeat of one of them needs nothing more. */
export async function markRefundNoticesHandled(tx: Knex, id: RefundId, upTo: string, at: string): Promise<void> {
  await tx('payment_inbox')
    .where({ refund_id: id })
    .where('id', '<=', upTo)
    .whereNull('handled_at')
    .update({ handled_at: at });
}

/** The account that was given is no good: nothing of it is kept. */
export async function dropDestination(tx: Knex, id: RefundId): Promise<void> {
  await tx('refunds').where({ id }).update({
    bank_code: null,
    account_number_encrypted: null,
    account_number_masked: null,
    account_holder_encrypted: null,
    name_matches: null,
  });
}

/** Of what the case was about. */
export async function kindOfCase(db: Knex, id: PaymentCaseId): Promise<PaymentCaseKind | null> {
  const row: { kind: PaymentCaseKind } | undefined = await db('payment_cases').where({ id }).first('kind');
  return row?.kind ?? null;
}
