import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, PaymentId, RefundId, SettlementId } from '../domain/ids.ts';
import type { EntryKind, Posting } from '../domain/ledger.ts';
import type { Currency } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';
import { prepared } from './prepared.ts';

export interface NewEntry {
  /** `<noun>/<id>/<step>`: unique for ever. */
  readonly key: string;
  readonly kind: EntryKind;
  readonly currency: Currency;
  /** Balanced, see domain/ledger.ts; nothing to post is no entry. */
  readonly postings: readonly Posting[];
  readonly companyId?: CompanyId | null;
  readonly invoiceId?: InvoiceId | null;
  readonly paymentId?: PaymentId | null;
  readonly refundId?: RefundId | null;
  readonly settlementId?: SettlementId | null;
  readonly gateway?: GatewayName | null;
  /** ISO 8601: when it happened, not when it is written down. */
  readonly at: string;
}

// The texts never change, so PostgreSQL plans each once a connection: planning costs more than the inserts themselves.
const POST = {
  name: 'post-ledger-entry',
  text: `
    with entry as (
      insert into ledger_entries
        (key, kind, currency, gateway, company_id, invoice_id, payment_id, refund_id, settlement_id, occurred_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      returning id
    )
    insert into ledger_postings (entry_id, account, amount_minor)
    select entry.id, p.account, p.amount
    from entry, unnest($11::text[], $12::bigint[]) as p (account, amount)`,
};

const POST_MANY = {
  name: 'post-ledger-entries',
  text: `
    with entry as (
      insert into ledger_entries
        (key, kind, currency, gateway, company_id, invoice_id, payment_id, refund_id, settlement_id, occurred_at)
      select key, kind, currency, gateway, company_id, invoice_id, payment_id, refund_id, settlement_id, occurred_at
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[],
        $10::timestamptz[]) with ordinality
        as e (key, kind, currency, gateway, company_id, invoice_id, payment_id, refund_id, settlement_id, occurred_at, position)
      order by position
      returning id, key
    )
    insert into ledger_postings (entry_id, account, amount_minor)
    select entry.id, p.account, p.amount
    from unnest($11::text[], $12::text[], $13::bigint[]) as p (key, account, amount) join entry on entry.key = p.key`,
};

/** In the order of the columns. */
const columnsOf = (entry: NewEntry): readonly (string | null)[] => [
  entry.key,
  entry.kind,
  entry.currency,
  entry.gateway ?? null,
  entry.companyId ?? null,
  entry.invoiceId ?? null,
  entry.paymentId ?? null,
  entry.refundId ?? null,
  entry.settlementId ?? null,
  entry.at,
];
const COLUMNS = 10;

/**
 * Writes one entry, in the transaction of what it tells of. It is guarded by that transaction's event, so a key that is
 * there already is a bug and raises. The database checks the balance once more when the transaction ends.
 */
export async function postEntry(tx: Knex, entry: NewEntry): Promise<void> {
  const { postings } = entry;
  if (postings.length === 0) return;
  const accounts = postings.map(({ account }) => account);
  const amounts = postings.map(({ amountMinor }) => amountMinor.toString());
  await prepared(tx, POST, [...columnsOf(entry), accounts, amounts]);
}

/** At most so many entries go in one statement. */
const BATCH = 2_000;

/** Many at once, in their order, each as by `postEntry`: for what comes by the thousand, such as a settlement. */
export async function postEntries(tx: Knex, entries: readonly NewEntry[]): Promise<void> {
  const something = entries.filter(({ postings }) => postings.length > 0);
  for (let from = 0; from < something.length; from += BATCH) {
    const rows = something.slice(from, from + BATCH);
    const values = rows.map(columnsOf);
    const postings = rows.flatMap((row) => row.postings.map((posting) => ({ key: row.key, ...posting })));
    await prepared(tx, POST_MANY, [
      ...Array.from({ length: COLUMNS }, (_, column) => values.map((row) => row[column] ?? null)),
      postings.map(({ key }) => key),
      postings.map(({ account }) => account),
      postings.map(({ amountMinor }) => amountMinor.toString()),
    ]);
  }
}
