import type { Knex } from 'knex';
import type { InvoiceId, OrderId, SubscriptionId } from '../domain/ids.ts';

export interface OverdueInvoice {
  readonly invoiceId: InvoiceId;
  /** Both null = it is for a licence. */
  readonly subscriptionId: SubscriptionId | null;
  /** Absent in histories from before there were orders. */
  readonly orderId?: OrderId | null;
  /** ISO 8601. */
  readonly dueAt: string;
}

/** Open invoices that were due before this moment, the longest overdue first. `after` = the last one already read. */
export async function overdueInvoices(
  db: Knex,
  page: { readonly before: string; readonly after: OverdueInvoice | null; readonly limit: number },
): Promise<OverdueInvoice[]> {
  const { before, after, limit } = page;
  const rows: (Omit<OverdueInvoice, 'dueAt'> & { dueAt: Date })[] = await db('invoices')
    .where('state', 'open')
    .where('due_at', '<', before)
    .modify((query) => {
      if (after) query.whereRaw('(due_at, id) > (?, ?)', [after.dueAt, after.invoiceId]);
    })
    .orderBy(['due_at', 'id'])
    .limit(limit)
    .select({ invoiceId: 'id', subscriptionId: 'subscription_id', orderId: 'order_id', dueAt: 'due_at' });
  return rows.map((row) => ({ ...row, dueAt: row.dueAt.toISOString() }));
}
