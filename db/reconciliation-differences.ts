/** What the books and a gateway say of the same payments, and where they do not agree. */
import type { Knex } from 'knex';
import type { ApplicationId, CompanyId, InvoiceId, PaymentCaseId, PaymentId } from '../domain/ids.ts';
import { type Money, moneyOrNull } from '../domain/money.ts';
import type { GatewayPaymentState, PaymentState } from '../domain/payments.ts';
import { RECONCILED_KINDS, type ReconciledKind } from '../domain/reconciliation.ts';
import type { ReconciliationRun } from './reconciliation.ts';

/** One payment on which we and the gateway differ. Amounts are minor units. */
export interface Difference {
  readonly kind: ReconciledKind;
  /** What the case is filed under: our reference, or the gateway's transaction where we know of none. */
  readonly reference: string;
  readonly transactionId: string;
  readonly payment: {
    readonly id: PaymentId;
    readonly invoiceId: InvoiceId;
    readonly applicationId: ApplicationId | null;
    readonly companyId: CompanyId;
    readonly state: PaymentState;
  } | null;
  readonly here: { readonly held: Money | null; readonly refundedMinor: bigint };
  readonly there: {
    readonly state: GatewayPaymentState;
    readonly paid: Money | null;
    readonly refundedMinor: bigint | null;
  };
}

/**
 * `held`: what the gateway holds of a payment by our books, before refunds: captured, less what was taken back.
 * `returned`: what went back through the gateway; `in_flight`: what may have, while its answer is awaited.
 * A second transaction under one of our references is money of which we know nothing.
 */
const DIFFERENCES = `
  matched as (
    select i.*, coalesce(r.id, t.id) as payment_id, coalesce(r.state, t.state) as payment_state,
      coalesce(r.gateway_reference, t.gateway_reference) as gateway_reference, coalesce(r.invoice_id, t.invoice_id) as invoice_id,
      coalesce(r.id, t.id) is not null and row_number() over (partition by coalesce(r.id, t.id)
        order by (coalesce(r.transaction_id, t.transaction_id) = i.transaction_id) desc nulls last, i.transaction_id) > 1 as is_second
    from reconciliation_items i
    left join payments r on r.gateway = :gateway and r.gateway_reference = i.reference
    left join payments t on r.id is null and t.gateway = :gateway and t.transaction_id = i.transaction_id
    where i.run_id = :run
  ), books as (
    select e.payment_id,
      coalesce(sum(b.amount_minor) filter (where e.kind in ('captured', 'taken_back')), 0)::bigint as held,
      coalesce(-sum(b.amount_minor) filter (where e.kind in ('refund_paid', 'refund_came_back', 'given_back')), 0)::bigint as returned,
      max(e.currency) as currency
    from ledger_entries e join ledger_postings b on b.entry_id = e.id and b.account = 'gateway_clearing'
    where e.payment_id in (select payment_id from matched)
    group by e.payment_id
  ), in_flight as (
    select payment_id, sum(amount_minor)::bigint as amount from refunds
    where channel = 'gateway' and state in ('submitted', 'pending', 'unknown') group by payment_id
  ), facts as (
    select m.*, coalesce(b.held, 0) as held, coalesce(b.returned, 0) as returned, b.currency as held_currency,
      coalesce(b.held, 0) > 0 as is_held, m.payment_id is not null and not m.is_second as is_known,
      m.state in ('paid', 'refunded', 'reversed') as took_money, coalesce(g.amount, 0) as in_flight_minor
    from matched m left join books b on b.payment_id = m.payment_id left join in_flight g on g.payment_id = m.payment_id
  ), differences as (
    select f.*, d.kind, case when f.is_known then f.gateway_reference else f.transaction_id end as filed_under
    from facts f cross join lateral (values
      ('missing_here', not f.is_known and f.took_money),
      ('missing_there', f.is_known and f.is_held and f.state = 'not_found'),
      ('state_differs', f.is_known and case
        when f.is_held then f.state in ('pending', 'failed', 'expired', 'reversed')
        when f.payment_state = 'reversed' then f.state = 'paid'
        else f.took_money end),
      ('amount_differs', f.is_known and f.is_held and f.state in ('paid', 'refunded') and f.paid_minor is not null
        and (f.paid_minor <> f.held or f.currency is distinct from f.held_currency)),
      ('refund_differs', f.is_known and f.is_held and f.state in ('paid', 'refunded')
        and f.refunded_minor not between f.returned and f.returned + f.in_flight_minor)
    ) as d (kind, holds)
    where d.holds
  )`;

const PAGE = `with ${DIFFERENCES}
  select d.kind, d.filed_under, d.transaction_id, d.payment_id, d.payment_state, d.invoice_id, v.application_id, v.company_id,
    d.held, d.held_currency, d.returned, d.state, d.paid_minor, d.currency, d.refunded_minor
  from differences d left join invoices v on v.id = d.invoice_id
  where (d.transaction_id, d.kind) > (:transaction, :kind)
  order by d.transaction_id, d.kind limit :limit`;

interface DifferenceRow {
  readonly kind: ReconciledKind;
  readonly filed_under: string;
  readonly transaction_id: string;
  readonly payment_id: PaymentId | null;
  readonly payment_state: PaymentState | null;
  readonly invoice_id: InvoiceId | null;
  readonly application_id: ApplicationId | null;
  readonly company_id: CompanyId | null;
  readonly held: bigint;
  readonly held_currency: string | null;
  readonly returned: bigint;
  readonly state: GatewayPaymentState;
  readonly paid_minor: bigint | null;
  readonly currency: string | null;
  readonly refunded_minor: bigint | null;
}

/** Between transaction and kind; neither has it. */
const SEPARATOR = ' ';

export const placeOf = ({ transactionId, kind }: Difference): string => `${kind}${SEPARATOR}${transactionId}`;

/** The next differences of what a run has collected, in a fixed order. @param after `placeOf` of the last one, null for the first page */
export async function nextDifferences(
  db: Knex,
  { id, gateway }: ReconciliationRun,
  after: string | null,
  limit: number,
): Promise<Difference[]> {
  const [kind = '', ...rest] = (after ?? '').split(SEPARATOR);
  const { rows }: { rows: DifferenceRow[] } = await db.raw(PAGE, {
    run: id,
    gateway,
    transaction: rest.join(SEPARATOR),
    kind,
    limit,
  });
  return rows.map(toDifference);
}

const toDifference = (row: DifferenceRow): Difference => ({
  kind: row.kind,
  reference: row.filed_under,
  transactionId: row.transaction_id,
  payment:
    row.payment_id && row.payment_state && row.invoice_id && row.company_id
      ? {
          id: row.payment_id,
          invoiceId: row.invoice_id,
          applicationId: row.application_id,
          companyId: row.company_id,
          state: row.payment_state,
        }
      : null,
  here: { held: moneyOrNull(row.held, row.held_currency), refundedMinor: row.returned },
  there: { state: row.state, paid: moneyOrNull(row.paid_minor, row.currency), refundedMinor: row.refunded_minor },
});

const CLEARED = `with ${DIFFERENCES}
  select k.id from payment_cases k
  where k.state = 'open' and k.gateway = :gateway and k.kind = any(:kinds)
    and exists (select from matched m where m.payment_id = k.payment_id or m.transaction_id = k.reference)
    and not exists (select from differences d where d.kind = k.kind and d.filed_under = k.reference)`;

/** Cases that are open and whose difference this run looked for and did not find. */
export async function clearedCases(db: Knex, { id, gateway }: ReconciliationRun): Promise<PaymentCaseId[]> {
  const { rows }: { rows: { id: PaymentCaseId }[] } = await db.raw(CLEARED, {
    run: id,
    gateway,
    kinds: [...RECONCILED_KINDS],
  });
  return rows.map((row) => row.id);
}
