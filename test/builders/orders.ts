/** Products and orders for tests, at the level of the record. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { applyToInvoice } from '../../db/invoice-payments.ts';
import { postEntry } from '../../db/ledger.ts';
import { advanceOrder } from '../../db/order-advance.ts';
import type { OrderTools } from '../../db/order-cancellation.ts';
import { applyOrderMessage, type OrderMessage } from '../../db/order-messages.ts';
import { type ShipTo, sealShipTo } from '../../db/order-records.ts';
import { type NewOrder, placeOrder } from '../../db/orders.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { recordShopMessage } from '../../db/shop-messages.ts';
import {
  asId,
  type CompanyId,
  type InvoiceId,
  type OrderId,
  type OrderItemId,
  type PaymentId,
  type Sku,
  type UserId,
} from '../../domain/ids.ts';
import { captured } from '../../domain/ledger.ts';
import { DEFAULT_ORDER_POLICY } from '../../domain/orders.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import { aCompany, aUser } from './licensing.ts';
import { aProduct } from './stock.ts';

export const SHIP_TO: ShipTo = {
  name: 'Sari Wulandari',
  phone: '+628123456789',
  street: 'Jalan Rahasia 7',
  city: 'Bandung',
  province: 'Jawa Barat',
  postalCode: '40111',
};

export const sealedShipTo = () => sealShipTo(createPersonalData([PERSONAL_DATA_KEY]), SHIP_TO);

export interface DemoProducts {
  /** Rp100.000, untracked. */
  readonly coffee: Sku;
  /** Rp333.333, untracked: amounts that do not divide. */
  readonly tea: Sku;
  /** With a serial number each, `<sku>-bandung-<n>`; Rp2.500.000. */
  readonly grinder: Sku;
}

/** Three products of their own names, `stock` of each in one store. */
export async function demoProducts(db: Knex, stock = 100): Promise<DemoProducts> {
  const coffee = await aProduct(db, { priceMinor: 100_000n, stock: [stock, 0] });
  const tea = await aProduct(db, { priceMinor: 333_333n, stock: [stock, 0] });
  const grinder = await aProduct(db, { priceMinor: 2_500_000n, tracking: 'serial', stock: [stock, 0] });
  return { coffee, tea, grinder };
}

export interface BuiltOrder {
  readonly orderId: OrderId;
  readonly number: string;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly invoiceId: InvoiceId | null;
  readonly items: readonly { readonly id: OrderItemId; readonly sku: Sku; readonly quantity: number }[];
}

export interface OrderGiven extends Partial<Omit<NewOrder, 'items'>> {
  /** Absent = two coffees and one tea, of products of their own. */
  readonly items?: readonly { readonly sku: Sku; readonly quantity: number }[];
}

/** As placed: `pending`, or what it is when it costs nothing. */
export async function anOrder(db: Knex, given: OrderGiven = {}): Promise<BuiltOrder> {
  const by = given.by ?? (await aUser(db, 'owner'));
  const companyId = given.companyId ?? (await aCompany(db, by));
  const items = given.items ?? (await twoCoffeesAndATea(db));
  const order: NewOrder = {
    orderId: asId<OrderId>(randomUUID()),
    shipTo: sealedShipTo(),
    at: new Date().toISOString(),
    policy: DEFAULT_ORDER_POLICY,
    ...given,
    by,
    companyId,
    items,
  };
  const { number, invoiceId } = await db.transaction((tx) => placeOrder(tx, order));
  const rows: BuiltOrder['items'] = await db('order_items')
    .where({ order_id: order.orderId })
    .orderBy('position')
    .select('id', 'sku', 'quantity');
  return { orderId: order.orderId, number, companyId, by, invoiceId, items: rows };
}

async function twoCoffeesAndATea(db: Knex) {
  const { coffee, tea } = await demoProducts(db);
  return [
    { sku: coffee, quantity: 2 },
    { sku: tea, quantity: 1 },
  ];
}

/** Closes an invoice without looking for parts that were paid of it. */
export const ORDER_TOOLS: OrderTools = {
  refundPolicy: { refundApprovalAbove: {} },
  closeInvoice: async (tx, id) => {
    const open = await tx('invoices').where({ id, state: 'open' }).update({ state: 'lapsed' });
    return open > 0 ? 'lapsed' : (await tx('invoices').where({ id }).first('state')).state;
  },
};

/** What an order does by itself, now or at `at`. */
export const advanced = (db: Knex, orderId: OrderId, at: Date | string = new Date()) =>
  db.transaction((tx) => advanceOrder(tx, ORDER_TOOLS, { orderId, at: new Date(at).toISOString() }));

/** Somebody asks for something, as the API writes it down and the process applies it. */
export async function askedOf(
  db: Knex,
  orderId: OrderId,
  by: UserId,
  content: OrderMessage,
  { requestKey = randomUUID(), at = new Date() }: { readonly requestKey?: string; readonly at?: Date } = {},
) {
  const { kind } = content;
  const asked = { subject: `order/${orderId}` as const, kind, by, content: { ...content }, requestKey, at };
  const messageId = await recordShopMessage(db, asked);
  return db.transaction((tx) => applyOrderMessage(tx, ORDER_TOOLS, { orderId, messageId, at: at.toISOString() }));
}

/** One capture of all that the invoice asks for, as the gateway's word is written down. */
export async function aCaptureOf(db: Knex, invoiceId: InvoiceId, at = new Date().toISOString()): Promise<PaymentId> {
  const id = asId<PaymentId>(randomUUID());
  const reference = `${invoiceId}-1`;
  await db.transaction(async (tx) => {
    const invoice = await tx('invoices').where({ id: invoiceId }).first('total_minor', 'currency', 'company_id');
    const total: bigint = invoice.total_minor;
    await tx('payments').insert({
      id,
      invoice_id: invoiceId,
      attempt: 1,
      gateway: 'midtrans',
      method: 'qris',
      gateway_reference: reference,
      transaction_id: `T-${randomUUID()}`,
      state: 'paid',
      amount_minor: total,
      currency: invoice.currency,
      paid_minor: total,
      paid_currency: invoice.currency,
      applied_minor: total,
      created_at: at,
      expires_at: at,
      paid_at: at,
      updated_at: at,
    });
    await postEntry(tx, {
      key: `payment/${invoiceId}/1/captured`,
      kind: 'captured',
      currency: invoice.currency,
      postings: captured(total, total),
      companyId: invoice.company_id,
      invoiceId,
      paymentId: id,
      gateway: 'midtrans',
      at,
    });
    await applyToInvoice(tx, { invoiceId, amountMinor: total, at });
  });
  return id;
}

/** Its invoice is paid by one capture. */
export async function aPaidOrder(db: Knex, given: OrderGiven = {}): Promise<BuiltOrder> {
  const order = await anOrder(db, given);
  if (order.invoiceId) await aCaptureOf(db, order.invoiceId, given.at);
  await advanced(db, order.orderId, given.at);
  return order;
}

/** Paid, shipped in one parcel, and delivered. */
export async function aDeliveredOrder(db: Knex, given: OrderGiven = {}): Promise<BuiltOrder> {
  const order = await aPaidOrder(db, given);
  const { orderId } = order;
  const seller = await aUser(db, 'seller');
  const at = new Date(given.at ?? Date.now());
  const trackingNumber = randomUUID().slice(0, 12);
  const shipped = await askedOf(db, orderId, seller, { kind: 'ship', carrier: 'jne', trackingNumber }, { at });
  const delivered = await askedOf(db, orderId, seller, { kind: 'deliver' }, { at });
  const refusal = shipped.refusal ?? delivered.refusal;
  if (refusal) throw new Error(refusal.message);
  return order;
}
