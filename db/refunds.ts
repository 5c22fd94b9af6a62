/** The record of a refund: read, locked, moved along its table. */
import type { Knex } from 'knex';
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
import { type Currency, type Money, money } from '../domain/money.ts';
import type { GatewayName, PaymentCaseKind } from '../domain/payments.ts';
import { type RefundChannel, type RefundReason, type RefundState, refundStatesBefore } from '../domain/refunds.ts';

/** A refund with what its process needs to know of its payment and its invoice. */
export interface Refund {
  readonly id: RefundId;
  readonly paymentId: PaymentId;
  readonly invoiceId: InvoiceId;
  readonly invoiceNumber: string;
  readonly applicationId: ApplicationId | null;
  readonly companyId: CompanyId;
  readonly caseId: PaymentCaseId | null;
  /** Of goods: who waits for it. */
  readonly orderId: OrderId | null;
  readonly returnId: ReturnId | null;
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

export type RefundRow = Omit<Refund, 'amount' | 'paid'> & {
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
  orderId: 'r.order_id',
  returnId: 'r.return_id',
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

export const toRefund = ({ amountMinor, paidMinor, currency, ...row }: RefundRow): Refund => ({
  ...row,
  amount: money(amountMinor, currency),
  paid: money(paidMinor ?? 0n, currency),
});

export async function findRefund(db: Knex, id: RefundId): Promise<Refund | null> {
  const row: RefundRow | undefined = await refundQuery(db).where('r.id', id).first();
  return row ? toRefund(row) : null;
}

/**
 * The refund, with its invoice, its payment and itself locked: in this order, in which the collection of an invoice locks
 * too, so that nobody waits in a circle.
 */
export async function lockRefund(tx: Knex, id: RefundId): Promise<Refund> {
  const known = await findRefund(tx, id);
  if (!known) throw new Error(`refund ${id} does not exist`);
  await lockPaymentOfRefund(tx, known);
  await tx('refunds').where({ id }).forUpdate().first('id');
  const locked = await findRefund(tx, id);
  return locked ?? known;
}

/** First its invoice, then itself. */
export async function lockPaymentOfRefund(
  tx: Knex,
  of: { readonly paymentId: PaymentId; readonly invoiceId: InvoiceId },
) {
  await tx('invoices').where({ id: of.invoiceId }).forUpdate().first('id');
  await tx('payments').where({ id: of.paymentId }).forUpdate().first('id');
}

/** Who looked at the goods of a return: they do not agree to its refund. */
export const inspectorsOf = (db: Knex, returnId: ReturnId): Promise<UserId[]> =>
  db('return_units')
    .where({ return_id: returnId })
    .whereNotNull('inspected_by')
    .distinct()
    .orderBy('inspected_by')
    .pluck<UserId[]>('inspected_by');

/** Whom the events of a refund are about. */
export const aboutRefund = ({ id, applicationId, companyId }: Pick<Refund, 'id' | 'applicationId' | 'companyId'>) => ({
  companyId,
  ...(applicationId ? { applicationId } : {}),
  subject: `refund/${id}` as const,
});

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

/** Refunds that no process has in hand, the oldest first. */
const untaken = (db: Knex) => db('refunds').whereNull('taken_at').orderBy('requested_at');

export const refundsNotTaken = (db: Knex, invoiceId: InvoiceId): Promise<RefundId[]> =>
  untaken(db).where({ invoice_id: invoiceId }).pluck<RefundId[]>('id');

/** Those that were asked for before this moment. */
export const waitingRefunds = (db: Knex, before: Date, limit: number): Promise<RefundId[]> =>
  untaken(db).where('requested_at', '<', before).limit(limit).pluck<RefundId[]>('id');

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
