/** What a company has to its credit: an account of the books, append-only like the rest of them. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, RefundId } from '../domain/ids.ts';
import type { EntryKind } from '../domain/ledger.ts';
import { type Currency, type Money, money } from '../domain/money.ts';

/** In one currency, by the books of this moment. */
export async function creditIn(db: Knex, companyId: CompanyId, currency: Currency): Promise<Money> {
  const row: { balance: bigint } | undefined = await postings(db, companyId)
    .where('e.currency', currency)
    .first({ balance: db.raw('coalesce(-sum(p.amount_minor), 0)::bigint') });
  return money(row?.balance ?? 0n, currency);
}

/** What nobody else can spend until the transaction ends: every spender locks the company first. */
export async function lockCredit(tx: Knex, companyId: CompanyId, currency: Currency): Promise<bigint> {
  await tx('companies').where({ id: companyId }).forUpdate().first('id');
  return (await creditIn(tx, companyId, currency)).amountMinor;
}

/** One a currency that there has ever been credit in. */
export async function creditOf(db: Knex, companyId: CompanyId): Promise<Money[]> {
  const rows: { currency: Currency; balance: bigint }[] = await postings(db, companyId)
    .groupBy('e.currency')
    .orderBy('e.currency')
    .select({ currency: 'e.currency', balance: db.raw('(-sum(p.amount_minor))::bigint') });
  return rows.map(({ currency, balance }) => money(balance, currency));
}

export interface CreditEntry {
  readonly id: bigint;
  readonly kind: EntryKind;
  /** Positive = it became more. */
  readonly amount: Money;
  readonly refundId: RefundId | null;
  readonly invoiceId: InvoiceId | null;
  readonly at: Date;
}

type EntryRow = Omit<CreditEntry, 'amount'> & { readonly amountMinor: bigint; readonly currency: Currency };

/** Newest first. */
export async function creditEntries(db: Knex, companyId: CompanyId, limit: number): Promise<CreditEntry[]> {
  const rows: EntryRow[] = await postings(db, companyId)
    .orderBy('e.id', 'desc')
    .limit(limit)
    .select({
      id: 'e.id',
      kind: 'e.kind',
      amountMinor: db.raw('-p.amount_minor'),
      currency: 'e.currency',
      refundId: 'e.refund_id',
      invoiceId: 'e.invoice_id',
      at: 'e.occurred_at',
    });
  return rows.map(({ amountMinor, currency, ...entry }) => ({ ...entry, amount: money(amountMinor, currency) }));
}

const postings = (db: Knex, companyId: CompanyId): Knex.QueryBuilder =>
  db('ledger_entries as e')
    .join('ledger_postings as p', 'p.entry_id', 'e.id')
    .where({ 'e.company_id': companyId, 'p.account': 'store_credit' });
