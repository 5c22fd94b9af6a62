import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { asId, type InvoiceId, type PaymentId, type PaymentMethodId, type UserId } from '../domain/ids.ts';
import { type Currency, type Money, money, moneyOrNull } from '../domain/money.ts';
import { type GatewayName, PAYMENT_STATES, type PaymentState, paymentTransitions } from '../domain/payments.ts';
import { REFUND_STATES_AT_GATEWAY } from '../domain/refunds.ts';

export interface Payment {
  readonly id: PaymentId;
  readonly invoiceId: InvoiceId;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly reference: string;
  readonly state: PaymentState;
  /** What it was opened for. */
  readonly amount: Money;
  /** Which instalment that was; null = all that was left. */
  readonly instalment: number | null;
  /** What arrived; null while nothing has. */
  readonly paid: Money | null;
  /** What of it pays the invoice, or did until it was taken back; the rest waits in suspense. */
  readonly appliedMinor: bigint;
  readonly redirectUrl: string | null;
  readonly instructions: Readonly<Record<string, string>> | null;
  /** The card on file that it charges; null = it is paid on a page. */
  readonly paymentMethodId: PaymentMethodId | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

interface PaymentRow {
  readonly id: string;
  readonly invoice_id: string;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly gateway_reference: string;
  readonly state: PaymentState;
  readonly amount_minor: bigint;
  readonly currency: Currency;
  readonly instalment: number | null;
  readonly paid_minor: bigint | null;
  readonly paid_currency: Currency | null;
  readonly applied_minor: bigint;
  readonly redirect_url: string | null;
  readonly instructions: Record<string, string> | null;
  readonly payment_method_id: string | null;
  readonly created_at: Date;
  readonly expires_at: Date;
}

const COLUMNS = [
  'id',
  'invoice_id',
  'attempt',
  'gateway',
  'method',
  'gateway_reference',
  'state',
  'amount_minor',
  'currency',
  'instalment',
  'paid_minor',
  'paid_currency',
  'applied_minor',
  'redirect_url',
  'instructions',
  'payment_method_id',
  'created_at',
  'expires_at',
] as const;

const toPayment = (row: PaymentRow): Payment => ({
  id: asId<PaymentId>(row.id),
  invoiceId: asId<InvoiceId>(row.invoice_id),
  attempt: row.attempt,
  gateway: row.gateway,
  method: row.method,
  reference: row.gateway_reference,
  state: row.state,
  amount: money(row.amount_minor, row.currency),
  instalment: row.instalment,
  paid: moneyOrNull(row.paid_minor, row.paid_currency ?? row.currency),
  appliedMinor: row.applied_minor,
  redirectUrl: row.redirect_url,
  instructions: row.instructions,
  paymentMethodId: row.payment_method_id === null ? null : asId<PaymentMethodId>(row.payment_method_id),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

export interface NewPayment {
  readonly invoiceId: InvoiceId;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly method: string | null;
  /** Ours, deterministic, at most 50 characters: what the gateway files the payment under. */
  readonly reference: string;
  readonly amount: Money;
  readonly instalment?: number | null;
  /** The card on file that is charged. */
  readonly paymentMethodId?: PaymentMethodId;
  /** null = Alur itself. */
  readonly by: UserId | null;
  readonly at: string;
  readonly expiresAt: string;
}

/**
 * Stores the intent to collect, before any gateway hears of it; a repeat finds the same row.
 * @throws a unique violation of payments_one_open when another attempt of the invoice is still open
 */
export async function insertPayment(tx: Knex, payment: NewPayment): Promise<void> {
  await tx('payments')
    .insert({
      id: randomUUID(),
      invoice_id: payment.invoiceId,
      attempt: payment.attempt,
      gateway: payment.gateway,
      method: payment.method,
      gateway_reference: payment.reference,
      state: 'created',
      amount_minor: payment.amount.amountMinor,
      currency: payment.amount.currency,
      instalment: payment.instalment ?? null,
      payment_method_id: payment.paymentMethodId ?? null,
      requested_by: payment.by,
      created_at: payment.at,
      expires_at: payment.expiresAt,
      updated_at: payment.at,
    })
    .onConflict('gateway_reference')
    .ignore();
}

export async function findPayment(db: Knex, reference: string): Promise<Payment> {
  const row: PaymentRow | undefined = await db('payments')
    .where({ gateway_reference: reference })
    .first(...COLUMNS);
  if (!row) throw new Error(`payment ${reference} does not exist`);
  return toPayment(row);
}

/** Locked to the end of the transaction; whoever locks its invoice as well does it before. */
export async function lockPayment(tx: Knex, reference: string): Promise<Payment> {
  await tx('payments').where({ gateway_reference: reference }).forUpdate().first('id');
  return findPayment(tx, reference);
}

/** Notes what of a payment pays its invoice. */
export async function noteApplied(tx: Knex, id: PaymentId, appliedMinor: bigint): Promise<void> {
  await tx('payments').where({ id }).update({ applied_minor: appliedMinor });
}

/** Less or more than before. @param byMinor negative = less */
export async function changeApplied(tx: Knex, id: PaymentId, byMinor: bigint): Promise<void> {
  await tx('payments')
    .where({ id })
    .update({ applied_minor: tx.raw('applied_minor + ?', [byMinor.toString()]) });
}

/** All attempts of an invoice, first to last. */
export async function paymentsOf(db: Knex, invoiceId: InvoiceId): Promise<Payment[]> {
  const found: PaymentRow[] = await db('payments')
    .where({ invoice_id: invoiceId })
    .orderBy('attempt')
    .select(...COLUMNS);
  return found.map(toPayment);
}

export interface PaymentMove {
  readonly reference: string;
  readonly to: PaymentState;
  readonly at: string;
  readonly redirectUrl?: string;
  readonly instructions?: Readonly<Record<string, string>>;
  readonly transactionId?: string | null;
  readonly method?: string | null;
  readonly paid?: Money | null;
  readonly paidAt?: string | null;
  readonly expiresAt?: string;
}

/**
 * Moves an attempt along its transition table. An address of the pay page is kept also when the state is known already.
 * @returns false when there is no such edge from where it is
 */
export async function movePayment(tx: Knex, move: PaymentMove): Promise<boolean> {
  const stays = (state: PaymentState) => state === move.to && move.redirectUrl !== undefined;
  const from = PAYMENT_STATES.filter((state) => paymentTransitions[state].includes(move.to) || stays(state));
  const changed = await tx('payments')
    .where({ gateway_reference: move.reference })
    .whereIn('state', from)
    .update({
      state: move.to,
      updated_at: move.at,
      ...(move.redirectUrl === undefined ? {} : { redirect_url: move.redirectUrl }),
      ...(move.instructions === undefined ? {} : { instructions: JSON.stringify(move.instructions) }),
      ...(move.transactionId ? { transaction_id: move.transactionId } : {}),
      ...(move.method ? { method: move.method } : {}),
      ...paidColumns(tx, move),
      ...(move.paidAt ? { paid_at: move.paidAt } : {}),
      ...(move.expiresAt === undefined ? {} : { expires_at: move.expiresAt }),
    });
  return changed > 0;
}

/** A gateway that says paid and no amount was asked for exactly this one. */
function paidColumns(tx: Knex, { to, paid }: PaymentMove) {
  if (paid) return { paid_minor: paid.amountMinor, paid_currency: paid.currency };
  if (to !== 'paid') return {};
  return {
    paid_minor: tx.raw('coalesce(paid_minor, amount_minor)'),
    paid_currency: tx.raw('coalesce(paid_currency, currency)'),
  };
}

/** Whether money of it is on its way back, or back, by a refund of ours through the gateway. */
export async function hasRefundAtGateway(tx: Knex, id: PaymentId): Promise<boolean> {
  const found: unknown = await tx('refunds')
    .where({ payment_id: id })
    .whereIn('state', [...REFUND_STATES_AT_GATEWAY])
    .first('id');
  return found !== undefined;
}
