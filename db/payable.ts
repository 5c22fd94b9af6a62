/** What a payer can pay of an invoice now, and with what of the company's own. */
import type { Knex } from 'knex';
import type { InvoiceId } from '../domain/ids.ts';
import { type Currency, money } from '../domain/money.ts';
import { type GatewayName, OPEN_PAYMENT_STATES, type Payable } from '../domain/payments.ts';
import { type Instalment, instalmentsOf } from './instalments.ts';

export interface PayableParts extends Pick<Payable, 'total' | 'paid'> {
  /** In order; empty = it is paid at once. */
  readonly instalments: readonly Omit<Instalment, 'paidAt'>[];
  /** Of the attempt that is open: who names none gets that one again. */
  readonly openGateway: GatewayName | null;
}

/** Of an invoice that exists. Reads, and locks nothing: the process that collects decides on its own reading. */
export async function payablePartsOf(db: Knex, id: InvoiceId): Promise<PayableParts> {
  const [row, instalments] = await Promise.all([readAmounts(db, id), instalmentsOf(db, id)]);
  if (!row) throw new Error(`invoice ${id} does not exist`);
  const { currency, openGateway } = row;
  return { total: money(row.total, currency), paid: money(row.paid, currency), instalments, openGateway };
}

interface AmountsRow {
  readonly total: bigint;
  readonly paid: bigint;
  readonly currency: Currency;
  readonly openGateway: GatewayName | null;
}

const readAmounts = (db: Knex, id: InvoiceId): Promise<AmountsRow | undefined> =>
  db('invoices as i')
    .leftJoin('payments as p', (on) => on.on('p.invoice_id', 'i.id').andOnIn('p.state', [...OPEN_PAYMENT_STATES]))
    .where('i.id', id)
    .first({ total: 'i.total_minor', paid: 'i.paid_minor', currency: 'i.currency', openGateway: 'p.gateway' });
