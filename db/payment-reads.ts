import type { Knex } from 'knex';
import type { InvoiceId, PaymentId } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Currency, type Money, money, moneyOrNull } from '../domain/money.ts';
import type { GatewayName, InvoiceState, PaymentState } from '../domain/payments.ts';
import type { AfterInTime } from './applications.ts';
import { seenOnly } from './invoice-reads.ts';
import { withIssuer } from './issuers.ts';

export interface PaymentRead {
  readonly id: PaymentId;
  readonly invoiceId: InvoiceId;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly gatewayReference: string;
  readonly state: PaymentState;
  readonly amount: Money;
  /** What arrived; null while nothing has. */
  readonly paid: Money | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly paidAt: Date | null;
}

interface PaymentRow {
  readonly id: PaymentId;
  readonly invoice_id: InvoiceId;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly method: string | null;
  readonly gateway_reference: string;
  readonly state: PaymentState;
  readonly amount_minor: bigint;
  readonly currency: Currency;
  readonly paid_minor: bigint | null;
  readonly paid_currency: Currency | null;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly paid_at: Date | null;
}

const COLUMNS = [
  'p.id',
  'p.invoice_id',
  'p.attempt',
  'p.gateway',
  'p.method',
  'p.gateway_reference',
  'p.state',
  'p.amount_minor',
  'p.currency',
  'p.paid_minor',
  'p.paid_currency',
  'p.created_at',
  'p.expires_at',
  'p.paid_at',
] as const;

const toPayment = (row: PaymentRow): PaymentRead => ({
  id: row.id,
  invoiceId: row.invoice_id,
  attempt: row.attempt,
  gateway: row.gateway,
  method: row.method,
  gatewayReference: row.gateway_reference,
  state: row.state,
  amount: money(row.amount_minor, row.currency),
  paid: moneyOrNull(row.paid_minor, row.paid_currency ?? row.currency),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  paidAt: row.paid_at,
});

const withInvoice = (db: Knex) => db('payments as p').join('invoices as i', 'i.id', 'p.invoice_id');

/** null when there is no such payment, or the viewer may not see it. */
export async function paymentSeenBy(db: Knex, viewer: Actor, id: PaymentId): Promise<PaymentRead | null> {
  const row: PaymentRow | undefined = await withInvoice(db)
    .where('p.id', id)
    .modify((query) => seenOnly(query, viewer))
    .first(COLUMNS);
  return row ? toPayment(row) : null;
}

/** Newest first. */
export async function listPayments(
  db: Knex,
  viewer: Actor,
  options: {
    state?: PaymentState | undefined;
    invoiceId?: InvoiceId | undefined;
    after: AfterInTime | null;
    limit: number;
  },
): Promise<PaymentRead[]> {
  const { state, invoiceId, after, limit } = options;
  const rows: PaymentRow[] = await withInvoice(db)
    .modify((query) => {
      seenOnly(query, viewer);
      if (state) query.where('p.state', state);
      if (invoiceId) query.where('p.invoice_id', invoiceId);
      if (after) query.whereRaw('(p.created_at, p.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'p.created_at', order: 'desc' },
      { column: 'p.id', order: 'desc' },
    ])
    .limit(limit)
    .select(COLUMNS);
  return rows.map(toPayment);
}

/** What whoever comes back from the gateway is shown: nothing of the company and its people. */
export interface PaymentOutcome {
  readonly state: PaymentState;
  readonly amount: Money;
  readonly invoiceId: InvoiceId;
  readonly invoiceNumber: string;
  readonly officeName: string;
  /** Money came in, and finance must look at it before it counts. */
  readonly inQuestion: boolean;
  /** The invoice's, and what is left of it. */
  readonly invoiceState: InvoiceState;
  readonly outstanding: Money;
  /** What has gone back of the payment: all of it, a part, or something is on its way. */
  readonly refund: 'none' | 'under_way' | 'part' | 'all';
  readonly createdAt: Date;
}

/** Asks for no viewer: a payment's ID is random, and only its payer was given it. null = there is none of this ID. */
export async function paymentOutcome(db: Knex, id: PaymentId): Promise<PaymentOutcome | null> {
  const row: OutcomeRow | undefined = await withInvoice(db)
    .modify(withIssuer)
    .where('p.id', id)
    .first({
      state: 'p.state',
      amountMinor: 'p.amount_minor',
      currency: 'p.currency',
      invoiceId: 'i.id',
      invoiceNumber: 'i.number',
      officeName: 'o.name',
      inQuestion: db.raw(IN_QUESTION),
      invoiceState: 'i.state',
      outstandingMinor: db.raw('i.total_minor - i.paid_minor'),
      refund: db.raw(REFUND),
      createdAt: 'p.created_at',
    });
  if (!row) return null;
  const { amountMinor, outstandingMinor, currency, ...outcome } = row;
  return { ...outcome, amount: money(amountMinor, currency), outstanding: money(outstandingMinor, currency) };
}

type OutcomeRow = Omit<PaymentOutcome, 'amount' | 'outstanding'> & {
  readonly amountMinor: bigint;
  readonly outstandingMinor: bigint;
  readonly currency: Currency;
};

/** What is open about a payment because it is slow is no question about its money. */
const IN_QUESTION = `exists (select 1 from payment_cases k where k.payment_id = p.id and k.state = 'open'
  and k.kind not in ('reversed', 'refund_failed', 'refund_differs', 'settlement_differs', 'stuck_paid', 'stuck_unknown'))`;

const REFUND = `coalesce((select case
    when sum(r.amount_minor) filter (where r.state = 'succeeded') >= coalesce(p.paid_minor, p.amount_minor) then 'all'
    when bool_or(r.state not in ('succeeded', 'failed', 'rejected', 'cancelled', 'requested')) then 'under_way'
    when bool_or(r.state = 'succeeded') then 'part' end
  from refunds r where r.payment_id = p.id), 'none')`;
