import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, PaymentId, RefundId, SettlementId } from '../domain/ids.ts';
import type { EntryKind, Posting } from '../domain/ledger.ts';
import type { Currency } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';

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

const POST = `
  with entry as (
    insert into ledger_entries
      (key, kind, currency, gateway, company_id, invoice_id, payment_id, refund_id, settlement_id, occurred_at)
    values (:key, :kind, :currency, :gateway, :companyId, :invoiceId, :paymentId, :refundId, :settlementId, :at)
    returning id
  )
  insert into ledger_postings (entry_id, account, amount_minor)
  select entry.id, p.account, p.amount
  from entry, unnest(cast(:accounts as text[]), cast(:amounts as bigint[])) as p (account, amount)`;

/**
 * Writes one entry, in the transaction of what it tells of. It is guarded by that transaction's event, so a key that is
 * there already is a bug and raises. The database checks the balance once more when the transaction ends.
 */
export async function postEntry(tx: Knex, entry: NewEntry): Promise<void> {
  if (entry.postings.length === 0) return;
  await tx.raw(POST, {
    key: entry.key,
    kind: entry.kind,
    currency: entry.currency,
    gateway: entry.gateway ?? null,
    companyId: entry.companyId ?? null,
    invoiceId: entry.invoiceId ?? null,
    paymentId: entry.paymentId ?? null,
    refundId: entry.refundId ?? null,
    settlementId: entry.settlementId ?? null,
    at: entry.at,
    accounts: entry.postings.map(({ account }) => account),
    amounts: entry.postings.map(({ amountMinor }) => amountMinor.toString()),
  });
}
