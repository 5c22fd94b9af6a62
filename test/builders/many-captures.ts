/** Thousands of payments that were captured, each with its invoice and its entry in the books; and the same at a sandbox. */
import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import type { CompanyId } from '../../domain/ids.ts';
import type { GatewayName } from '../../domain/payments.ts';

export interface ManyCaptures {
  readonly companyId: CompanyId;
  readonly gateway: GatewayName;
  readonly count: number;
  /** ISO 8601; they come in one after another, so many milliseconds apart. */
  readonly from: string;
  readonly everyMs: number;
  /** References are `<prefix><number>`, from 1. */
  readonly prefix: string;
}

export const MANY_AMOUNT = 361_000;

const INSERT = `
  with n as (
    select n, gen_random_uuid() as invoice, gen_random_uuid() as payment,
      cast(:from as timestamptz) + n * cast(:everyMs as integer) * interval '1 millisecond' as at
    from generate_series(1, cast(:count as integer)) n
  ), invoice as (
    insert into invoices (id, number, company_id, state, currency, subtotal_minor, tax_minor, total_minor, issued_at, due_at, paid_at, paid_minor)
    select invoice, :prefix || n, :companyId, 'paid', 'IDR', 350000, 11000, 361000, at, at + interval '7 days', at, 361000 from n
  ), payment as (
    insert into payments (id, invoice_id, attempt, gateway, gateway_reference, state, amount_minor, currency, paid_minor, paid_currency,
      applied_minor, created_at, expires_at, paid_at, updated_at)
    select payment, invoice, 1, :gateway, :prefix || n, 'paid', 361000, 'IDR', 361000, 'IDR', 361000, at, at, at, at from n
  ), entry as (
    insert into ledger_entries (key, kind, currency, gateway, company_id, invoice_id, payment_id, occurred_at)
    select 'payment/' || invoice || '/1/captured', 'captured', 'IDR', :gateway, :companyId, invoice, payment, at from n
    returning id
  )
  insert into ledger_postings (entry_id, account, amount_minor)
  select id, account, amount from entry, (values ('gateway_clearing', 361000), ('receivable', -361000)) as p (account, amount)`;

export async function manyCaptures(db: Knex, given: ManyCaptures): Promise<void> {
  await db.raw(INSERT, { ...given });
  await db.raw('analyze payments, invoices, ledger_entries, ledger_postings');
}

/** @param sandboxUrl of the gateway: `http://127.0.0.1:1234/xendit`; `after` = how many references were taken before */
export async function preloadMany(
  sandboxUrl: string,
  { count, from, everyMs, prefix, after = 0 }: Omit<ManyCaptures, 'companyId'> & { readonly after?: number },
): Promise<void> {
  const payments = Array.from({ length: count }, (_, index) => ({
    reference: `${prefix}${after + index + 1}`,
    amountMinor: MANY_AMOUNT,
    paidAt: new Date(Date.parse(from) + (index + 1) * everyMs).toISOString(),
  }));
  const answer = await fetch(`${sandboxUrl}/_sandbox/preload`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ payments }),
  });
  assert.equal(answer.status, 201, await answer.text());
}
