/** Money that waits in suspense for finance: how much of a payment, or of a settlement's line, is left there. */
import type { Knex } from 'knex';
import type { InvoiceId, PaymentId } from '../domain/ids.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import { resolutionsFor } from '../domain/payment-cases.ts';
import type { CaseResolution } from '../domain/payments.ts';
import { CLAIMING_REFUND_STATES } from '../domain/refunds.ts';
import type { LockedCase } from './payment-cases.ts';

/**
 * By the entries of the payment itself; and where its invoice has lapsed or is void, what it had paid of that, which is in
 * suspense since, less what was refunded out of it before.
 */
const OF_PAYMENT = `
  select coalesce(v.paid_currency, v.currency) as currency,
    cast(coalesce(b.suspense, 0) - coalesce(r.unreserved, 0)
      + case when v.is_closed then coalesce(b.applied, 0) - coalesce(r.of_invoice, 0) else 0 end as bigint) as left
  from (select p.id, p.invoice_id, p.paid_currency, p.currency, i.state in ('lapsed', 'void') as is_closed
        from payments p join invoices i on i.id = p.invoice_id where p.id = :payment) v
  left join lateral (
    select -sum(p.amount_minor) filter (where p.account = 'suspense') as suspense,
      -sum(p.amount_minor) filter (where p.account = 'receivable' and e.invoice_id = v.invoice_id) as applied
    from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account in ('suspense', 'receivable')
    where e.payment_id = v.id) b on true
  left join lateral (
    select sum(f.amount_minor) filter (where f.source = 'suspense' and f.state = any(:claiming)
        and not exists (select from ledger_entries x where x.refund_id = f.id and x.kind = 'refund_reserved')) as unreserved,
      sum(f.amount_minor) filter (where f.source = 'invoice' and (f.state = any(:claiming)
        or exists (select from credit_notes c where c.refund_id = f.id))) as of_invoice
    from refunds f where f.payment_id = v.id) r on true`;

/** What of a payment's money is in suspense by the books and not spoken for by a refund that has yet to reserve it. */
async function suspenseOfPayment(db: Knex, paymentId: PaymentId): Promise<Money> {
  const { rows }: { rows: { currency: Currency; left: bigint }[] } = await db.raw(OF_PAYMENT, {
    payment: paymentId,
    claiming: [...CLAIMING_REFUND_STATES],
  });
  const [row] = rows;
  if (!row) throw new Error(`payment ${paymentId} does not exist`);
  return money(row.left, row.currency);
}

const OF_LINE = `
  select cast(coalesce(-sum(p.amount_minor), 0) as bigint) as left
  from ledger_entries e join ledger_postings p on p.entry_id = e.id and p.account = 'suspense'
  where e.settlement_id = cast(:settlement as uuid) and (e.key like :own
    or e.key = 'settlement/' || cast(:settlement as text) || '/' || (select k.facts->>'position' from payment_cases k where k.id = :id))`;

type AboutMoney = Pick<LockedCase, 'id' | 'kind' | 'paymentId' | 'settlementId' | 'amount'>;

/** What of a case's money waits in suspense; null when none can be its own. Counted under `lockMoneyOf` by who takes of it. */
export async function suspenseOfCase(db: Knex, found: AboutMoney): Promise<Money | null> {
  if (found.kind !== 'unmatched_settlement') return found.paymentId ? suspenseOfPayment(db, found.paymentId) : null;
  if (!found.settlementId || !found.amount) return null;
  const { rows }: { rows: { left: bigint }[] } = await db.raw(OF_LINE, {
    settlement: found.settlementId,
    own: `payment-case/${found.id}/%`,
    id: found.id,
  });
  return money(rows[0]?.left ?? 0n, found.amount.currency);
}

/** How a case can be closed that has so much in suspense. */
export const waysOf = ({ kind, paymentId }: AboutMoney, left: Money | null): CaseResolution[] =>
  resolutionsFor(kind, { suspenseLeft: left?.amountMinor ?? 0n, hasPayment: paymentId !== null });

/**
 * Locks a case's payment to the end of the transaction, its invoice first, as every other transaction does: who takes of the
 * money takes after another. @param also another invoice that the caller is going to change
 */
export async function lockMoneyOf(tx: Knex, { paymentId }: AboutMoney, also: InvoiceId | null): Promise<void> {
  if (!paymentId) return;
  const own = tx('payments').where({ id: paymentId }).select('invoice_id');
  await tx('invoices')
    .where((wanted) => wanted.whereIn('id', own).orWhereIn('id', also ? [also] : []))
    .orderBy('id')
    .forUpdate()
    .select('id');
  await tx('payments').where({ id: paymentId }).forUpdate().first('id');
}
