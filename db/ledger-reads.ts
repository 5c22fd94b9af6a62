/** Reading the books: what stands where, the entries, and the path of one payment's money. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, PaymentId, RefundId, SettlementId } from '../domain/ids.ts';
import type { Account, EntryKind, Posting } from '../domain/ledger.ts';
import { type Currency, type Money, money, moneyOrNull } from '../domain/money.ts';
import type { GatewayName, InvoiceState, PaymentState } from '../domain/payments.ts';
import type { RefundChannel, RefundState } from '../domain/refunds.ts';

export interface AccountBalance {
  readonly currency: Currency;
  readonly account: Account;
  /** Σ of the debits and Σ of the credits, both not negative. */
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
}

/** What has been posted to each account. @param at only what had happened by then; null = all there is */
export async function accountBalances(db: Knex, at: Date | null): Promise<AccountBalance[]> {
  const { rows }: { rows: AccountBalance[] } = await db.raw(
    `select e.currency, p.account,
            cast(coalesce(sum(p.amount_minor) filter (where p.amount_minor > 0), 0) as bigint) as "debitMinor",
            cast(coalesce(-sum(p.amount_minor) filter (where p.amount_minor < 0), 0) as bigint) as "creditMinor"
       from ledger_entries e join ledger_postings p on p.entry_id = e.id
      where e.occurred_at <= coalesce(cast(? as timestamptz), 'infinity')
      group by e.currency, p.account
      order by e.currency, p.account`,
    [at?.toISOString() ?? null],
  );
  return rows;
}

export interface Entry {
  readonly id: bigint;
  readonly key: string;
  readonly kind: EntryKind;
  readonly currency: Currency;
  readonly gateway: GatewayName | null;
  readonly companyId: CompanyId | null;
  readonly invoiceId: InvoiceId | null;
  readonly paymentId: PaymentId | null;
  readonly refundId: RefundId | null;
  readonly settlementId: SettlementId | null;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
  readonly postings: readonly Posting[];
}

export interface EntryFilter {
  readonly invoiceId?: InvoiceId | undefined;
  readonly paymentId?: PaymentId | undefined;
  readonly refundId?: RefundId | undefined;
  readonly settlementId?: SettlementId | undefined;
  readonly account?: Account | undefined;
}

/** Newest first by what they tell of. `after` = the last one already read. */
export async function listEntries(
  db: Knex,
  { invoiceId, paymentId, refundId, settlementId, account }: EntryFilter,
  page: { readonly after: { readonly at: Date; readonly id: string } | null; readonly limit: number },
): Promise<Entry[]> {
  const rows: EntryRow[] = await db('ledger_entries as e')
    .modify((query) => {
      if (invoiceId) query.where('e.invoice_id', invoiceId);
      if (paymentId) query.where('e.payment_id', paymentId);
      if (refundId) query.where('e.refund_id', refundId);
      if (settlementId) query.where('e.settlement_id', settlementId);
      if (account)
        query.whereExists(
          db('ledger_postings as p').select(db.raw('1')).whereRaw('p.entry_id = e.id').where({ account }),
        );
      if (page.after) query.whereRaw('(e.occurred_at, e.id) < (?, ?)', [page.after.at, page.after.id]);
    })
    .orderBy([
      { column: 'e.occurred_at', order: 'desc' },
      { column: 'e.id', order: 'desc' },
    ])
    .limit(page.limit)
    .select(COLUMNS);
  return withPostings(db, rows);
}

type EntryRow = Omit<Entry, 'postings'>;

const COLUMNS = {
  id: 'e.id',
  key: 'e.key',
  kind: 'e.kind',
  currency: 'e.currency',
  gateway: 'e.gateway',
  companyId: 'e.company_id',
  invoiceId: 'e.invoice_id',
  paymentId: 'e.payment_id',
  refundId: 'e.refund_id',
  settlementId: 'e.settlement_id',
  occurredAt: 'e.occurred_at',
  recordedAt: 'e.recorded_at',
} as const;

/** Debits first, then by account: as books are read. */
async function withPostings(db: Knex, rows: readonly EntryRow[]): Promise<Entry[]> {
  const postings: { entryId: bigint; account: Account; amountMinor: bigint }[] = await db('ledger_postings')
    .whereIn(
      'entry_id',
      rows.map(({ id }) => id.toString()),
    )
    .orderByRaw('amount_minor < 0, account')
    .select({ entryId: 'entry_id', account: 'account', amountMinor: 'amount_minor' });
  const of = new Map<bigint, Posting[]>(rows.map(({ id }) => [id, []]));
  for (const { entryId, account, amountMinor } of postings) of.get(entryId)?.push({ account, amountMinor });
  return rows.map((row) => ({ ...row, postings: of.get(row.id) ?? [] }));
}

/** Where the money of one payment came from, what became of it, and where it is now. */
export interface PaymentTrace {
  readonly payment: {
    readonly id: PaymentId;
    readonly attempt: number;
    readonly gateway: GatewayName;
    readonly reference: string;
    readonly state: PaymentState;
    readonly paid: Money | null;
    readonly appliedMinor: bigint;
    readonly paidAt: Date | null;
  };
  readonly invoice: {
    readonly id: InvoiceId;
    readonly number: string;
    readonly state: InvoiceState;
    readonly total: Money;
    readonly paidMinor: bigint;
    readonly creditedMinor: bigint;
  };
  readonly refunds: readonly {
    readonly id: RefundId;
    readonly state: RefundState;
    readonly channel: RefundChannel | null;
    readonly amount: Money;
    readonly requestedAt: Date;
  }[];
  readonly settlements: readonly {
    readonly id: SettlementId;
    readonly reference: string;
    readonly position: number;
    readonly paidOutAt: Date;
    readonly gross: Money;
    readonly fee: Money;
    readonly refundId: RefundId | null;
  }[];
  readonly entries: readonly Entry[];
}

/** null = there is no such payment. */
export async function tracePayment(db: Knex, id: PaymentId): Promise<PaymentTrace | null> {
  const head = await headOf(db, id);
  if (!head) return null;
  const [refunds, settlements, rows] = await Promise.all([
    refundsOf(db, id),
    settlementsOf(db, id),
    entriesOf(db, head),
  ]);
  return { ...head, refunds, settlements, entries: await withPostings(db, rows) };
}

interface HeadRow {
  readonly id: PaymentId;
  readonly attempt: number;
  readonly gateway: GatewayName;
  readonly gateway_reference: string;
  readonly state: PaymentState;
  readonly paid_minor: bigint | null;
  readonly paid_currency: Currency | null;
  readonly applied_minor: bigint;
  readonly paid_at: Date | null;
  readonly invoice_id: InvoiceId;
  readonly number: string;
  readonly invoice_state: InvoiceState;
  readonly currency: Currency;
  readonly total_minor: bigint;
  readonly invoice_paid_minor: bigint;
  readonly credited_minor: bigint;
}

async function headOf(db: Knex, id: PaymentId): Promise<Pick<PaymentTrace, 'payment' | 'invoice'> | null> {
  const row: HeadRow | undefined = await db('payments as p')
    .join('invoices as i', 'i.id', 'p.invoice_id')
    .where('p.id', id)
    .first([
      'p.id',
      'p.attempt',
      'p.gateway',
      'p.gateway_reference',
      'p.state',
      'p.paid_minor',
      'p.paid_currency',
      'p.applied_minor',
      'p.paid_at',
      'p.invoice_id',
      'i.number',
      'i.state as invoice_state',
      'i.currency',
      'i.total_minor',
      'i.paid_minor as invoice_paid_minor',
      'i.credited_minor',
    ]);
  if (!row) return null;
  const paid = moneyOrNull(row.paid_minor, row.paid_currency ?? row.currency);
  return {
    payment: {
      id: row.id,
      attempt: row.attempt,
      gateway: row.gateway,
      reference: row.gateway_reference,
      state: row.state,
      paid,
      appliedMinor: row.applied_minor,
      paidAt: row.paid_at,
    },
    invoice: {
      id: row.invoice_id,
      number: row.number,
      state: row.invoice_state,
      total: money(row.total_minor, row.currency),
      paidMinor: row.invoice_paid_minor,
      creditedMinor: row.credited_minor,
    },
  };
}

async function refundsOf(db: Knex, paymentId: PaymentId): Promise<PaymentTrace['refunds']> {
  const rows: {
    id: RefundId;
    state: RefundState;
    channel: RefundChannel | null;
    requestedAt: Date;
    amountMinor: bigint;
    currency: Currency;
  }[] = await db('refunds').where({ payment_id: paymentId }).orderBy(['requested_at', 'id']).select({
    id: 'id',
    state: 'state',
    channel: 'channel',
    requestedAt: 'requested_at',
    amountMinor: 'amount_minor',
    currency: 'currency',
  });
  return rows.map(({ amountMinor, currency, ...refund }) => ({ ...refund, amount: money(amountMinor, currency) }));
}

async function settlementsOf(db: Knex, paymentId: PaymentId): Promise<PaymentTrace['settlements']> {
  const rows: {
    id: SettlementId;
    reference: string;
    position: number;
    paidOutAt: Date;
    refundId: RefundId | null;
    currency: Currency;
    gross: bigint;
    fee: bigint;
  }[] = await db('settlement_lines as l')
    .join('settlements as s', 's.id', 'l.settlement_id')
    .where('l.payment_id', paymentId)
    .orderBy(['s.paid_out_at', 'l.position'])
    .select({
      id: 's.id',
      reference: 's.reference',
      position: 'l.position',
      paidOutAt: 's.paid_out_at',
      refundId: 'l.refund_id',
      currency: 's.currency',
      gross: 'l.gross_minor',
      fee: 'l.fee_minor',
    });
  return rows.map(({ currency, gross, fee, ...line }) => ({
    ...line,
    gross: money(gross, currency),
    fee: money(fee, currency),
  }));
}

/** The claim itself too, so that the path begins where the money became owed; first to last. */
const entriesOf = (db: Knex, { payment, invoice }: Pick<PaymentTrace, 'payment' | 'invoice'>): Promise<EntryRow[]> =>
  db('ledger_entries as e')
    .where('e.payment_id', payment.id)
    .orWhereIn('e.refund_id', db('refunds').where({ payment_id: payment.id }).select('id'))
    .orWhere({ 'e.invoice_id': invoice.id, 'e.kind': 'invoice_issued' })
    .orderBy(['e.occurred_at', 'e.id'])
    .select(COLUMNS);
