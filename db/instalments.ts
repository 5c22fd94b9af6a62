/** The parts in which an invoice is paid, and which of them are paid. */
import type { Knex } from 'knex';
import type { InvoiceId } from '../domain/ids.ts';

export interface Instalment {
  /** 1 first. */
  readonly position: number;
  /** In the invoice's minor units. */
  readonly amountMinor: bigint;
  readonly dueAt: Date;
  readonly paidAt: Date | null;
  readonly isPaid: boolean;
}

/** In order; none = it is paid all at once. */
export const instalmentsOf = (db: Knex, invoiceId: InvoiceId): Promise<Instalment[]> =>
  db('invoice_instalments')
    .where({ invoice_id: invoiceId })
    .orderBy('position')
    .select({
      position: 'position',
      amountMinor: 'amount_minor',
      dueAt: 'due_at',
      paidAt: 'paid_at',
      isPaid: db.raw('paid_at is not null'),
    });

const UP_TO = `
  select position, sum(amount_minor) over (order by position) as up_to from invoice_instalments where invoice_id = :id`;

/** Those that are covered by what has paid the invoice so far. @param at when it was paid, ISO 8601 */
export const markInstalments = (tx: Knex, id: InvoiceId, paidMinor: bigint, at: string) =>
  tx.raw(
    `update invoice_instalments i set paid_at = :at from (${UP_TO}) s
      where i.invoice_id = :id and i.position = s.position and i.paid_at is null and s.up_to <= :paid`,
    { id, at, paid: paidMinor.toString() },
  );

/** Those that are no longer covered, for money was taken back. */
export const unmarkInstalments = (tx: Knex, id: InvoiceId, paidMinor: bigint) =>
  tx.raw(
    `update invoice_instalments i set paid_at = null from (${UP_TO}) s
      where i.invoice_id = :id and i.position = s.position and s.up_to > :paid`,
    { id, paid: paidMinor.toString() },
  );
