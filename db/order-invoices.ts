/** Invoices of an order: what units cost is written on them when they are billed, and closed when nobody has to pay it. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, OrderId, OrderItemId } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import { allotToUnits, type ChargedItem, type LineAmounts, NO_SHARE, orderLines } from '../domain/order-money.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { type IssuedInvoice, issueOrderInvoice } from './invoices.ts';

export interface BilledItem extends Omit<ChargedItem, 'quantity'> {
  readonly orderItemId: OrderItemId;
  /** Of its units. */
  readonly numbers: readonly number[];
}

export interface Bill {
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly currency: Currency;
  readonly items: readonly BilledItem[];
  /** Without tax. */
  readonly shippingMinor: bigint;
  /** Of what is billed, unique within the order. */
  readonly key: string;
  /** ISO 8601, both. */
  readonly at: string;
  readonly dueAt: string;
}

/** Issues the invoice of these units, and writes on each what it costs. @returns null when there is nothing to pay */
export async function billUnits(tx: Knex, bill: Bill): Promise<IssuedInvoice | null> {
  const { orderId, companyId, currency, shippingMinor, key, at, dueAt } = bill;
  const items = bill.items.map((item) => ({ ...item, quantity: item.numbers.length }));
  const lines = orderLines(items, shippingMinor, currency);
  const isFree = lines.every(({ net, discount }) => net.amountMinor === (discount?.amountMinor ?? 0n));
  if (isFree) {
    await writeShares(tx, items, [], null);
    return null;
  }
  const invoice = await issueOrderInvoice(tx, { orderId, companyId, key: `order/${orderId}/${key}`, lines, at, dueAt });
  const charged: LineAmounts[] = await tx('invoice_lines')
    .where({ invoice_id: invoice.invoiceId })
    .orderBy('position')
    .select({ code: 'code', netMinor: 'net_minor', taxMinor: 'tax_minor' });
  await writeShares(tx, items, charged, invoice.invoiceId);
  return invoice;
}

const WRITE = `
  update order_units u set net_minor = r.net, tax_minor = r.tax, shipping_net_minor = r.shipping_net,
    shipping_tax_minor = r.shipping_tax, invoice_id = r.invoice
  from jsonb_to_recordset(?) as r (item uuid, number smallint, net bigint, tax bigint, shipping_net bigint, shipping_tax bigint,
    invoice uuid)
  where u.order_item_id = r.item and u.number = r.number`;

async function writeShares(
  tx: Knex,
  items: readonly (BilledItem & { readonly quantity: number })[],
  charged: readonly LineAmounts[],
  invoiceId: InvoiceId | null,
): Promise<void> {
  const shares = allotToUnits(items, charged);
  const rows = items.flatMap(({ orderItemId, numbers }, i) =>
    numbers.map((number, j) => {
      const share = shares[i]?.[j] ?? NO_SHARE;
      return {
        item: orderItemId,
        number,
        net: share.netMinor.toString(),
        tax: share.taxMinor.toString(),
        shipping_net: share.shippingNetMinor.toString(),
        shipping_tax: share.shippingTaxMinor.toString(),
        invoice: invoiceId,
      };
    }),
  );
  await tx.raw(WRITE, [JSON.stringify(rows)]);
}

export interface InvoiceOfOrder {
  readonly id: InvoiceId;
  readonly number: string;
  readonly state: InvoiceState;
  readonly totalMinor: bigint;
  readonly paidMinor: bigint;
  readonly creditedMinor: bigint;
  readonly issuedAt: Date;
  readonly dueAt: Date;
}

/** Oldest first. */
export async function invoicesOfOrder(db: Knex, id: OrderId): Promise<InvoiceOfOrder[]> {
  return db('invoices').where({ order_id: id }).orderBy(['issued_at', 'number']).select({
    id: 'id',
    number: 'number',
    state: 'state',
    totalMinor: 'total_minor',
    paidMinor: 'paid_minor',
    creditedMinor: 'credited_minor',
    issuedAt: 'issued_at',
    dueAt: 'due_at',
  });
}
