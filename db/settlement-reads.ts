import type { Knex } from 'knex';
import type { InvoiceId, PaymentId, RefundId, SettlementId, UserId } from '../domain/ids.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { GatewayName } from '../domain/payments.ts';
import type { SettlementLineKind, SettlementLineState } from '../domain/settlements.ts';
import type { AfterInTime } from './applications.ts';

export interface Settlement {
  readonly id: SettlementId;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly gross: Money;
  readonly fee: Money;
  readonly net: Money;
  readonly paidOutAt: Date;
  readonly source: 'csv' | 'api';
  readonly importedBy: UserId | null;
  readonly importedAt: Date;
  readonly lines: Readonly<Record<SettlementLineState, number>>;
}

interface SettlementRow {
  readonly id: SettlementId;
  readonly gateway: GatewayName;
  readonly reference: string;
  readonly currency: Currency;
  readonly gross_minor: bigint;
  readonly fee_minor: bigint;
  readonly net_minor: bigint;
  readonly paid_out_at: Date;
  readonly source: 'csv' | 'api';
  readonly imported_by: UserId | null;
  readonly imported_at: Date;
  readonly matched: number;
  readonly differs: number;
  readonly unmatched: number;
}

const COLUMNS = [
  'id',
  'gateway',
  'reference',
  'currency',
  'gross_minor',
  'fee_minor',
  'net_minor',
  'paid_out_at',
  'source',
  'imported_by',
  'imported_at',
  'matched',
  'differs',
  'unmatched',
] as const;

const toSettlement = (row: SettlementRow): Settlement => ({
  id: row.id,
  gateway: row.gateway,
  reference: row.reference,
  gross: money(row.gross_minor, row.currency),
  fee: money(row.fee_minor, row.currency),
  net: money(row.net_minor, row.currency),
  paidOutAt: row.paid_out_at,
  source: row.source,
  importedBy: row.imported_by,
  importedAt: row.imported_at,
  lines: { matched: row.matched, differs: row.differs, unmatched: row.unmatched },
});

export async function findSettlement(db: Knex, id: SettlementId): Promise<Settlement | null> {
  const row: SettlementRow | undefined = await db('settlements')
    .where({ id })
    .first(...COLUMNS);
  return row ? toSettlement(row) : null;
}

/** The latest payout first. */
export async function listSettlements(
  db: Knex,
  options: { gateway?: GatewayName | undefined; after: AfterInTime | null; limit: number },
): Promise<Settlement[]> {
  const { gateway, after, limit } = options;
  const rows: SettlementRow[] = await db('settlements')
    .modify((query) => {
      if (gateway) query.where({ gateway });
      if (after) query.whereRaw('(paid_out_at, id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'paid_out_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(limit)
    .select(...COLUMNS);
  return rows.map(toSettlement);
}

export interface SettlementLineRead {
  readonly position: number;
  readonly kind: SettlementLineKind;
  readonly reference: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly state: SettlementLineState;
  readonly paymentId: PaymentId | null;
  readonly refundId: RefundId | null;
  readonly invoiceId: InvoiceId | null;
  readonly invoiceNumber: string | null;
}

/** As the report has them. `after` = the last position already read. */
export async function settlementLines(
  db: Knex,
  id: SettlementId,
  options: { state?: SettlementLineState | undefined; after: number; limit: number },
): Promise<SettlementLineRead[]> {
  const { state, after, limit } = options;
  const found: SettlementLineRead[] = await db('settlement_lines as l')
    .leftJoin('payments as p', 'p.id', 'l.payment_id')
    .leftJoin('invoices as i', 'i.id', 'p.invoice_id')
    .where('l.settlement_id', id)
    .where('l.position', '>', after)
    .modify((query) => {
      if (state) query.where('l.state', state);
    })
    .orderBy('l.position')
    .limit(limit)
    .select({
      position: 'l.position',
      kind: 'l.kind',
      reference: 'l.reference',
      grossMinor: 'l.gross_minor',
      feeMinor: 'l.fee_minor',
      state: 'l.state',
      paymentId: 'l.payment_id',
      refundId: 'l.refund_id',
      invoiceId: 'i.id',
      invoiceNumber: 'i.number',
    });
  return found;
}
