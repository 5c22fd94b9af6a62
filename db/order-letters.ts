/** Letters about orders, written into the outbox with the change that they tell of. */
import type { Knex } from 'knex';
import type { CompanyId, OrderId, UserId } from '../domain/ids.ts';
import type { MailMoney } from '../domain/mail.ts';
import type { Currency } from '../domain/money.ts';
import type { OrderState, RiskReason, UnitState } from '../domain/orders.ts';
import { returnableUntil } from '../domain/return-eligibility.ts';
import type { CancelReason, LetterItem, OrderLetter, OrderNewsData } from '../domain/shop-mail.ts';
import { writeLetter } from './account-letters.ts';
import { refusesAdvertising } from './advertising.ts';
import { returnPolicy } from './shop-policies.ts';
import { customerReader } from './shop-readers.ts';
import { usersWithRole } from './staff.ts';
import { namedUuid } from './uuids.ts';

/** What the record does not say of itself, or says otherwise by now. */
export interface OrderLetterFacts {
  /** Charged in addition, or given back. */
  readonly amount?: MailMoney | null;
  readonly isCharged?: boolean;
  /** The invoice of what is charged in addition. Absent = the one of an unpaid order. */
  readonly invoiceId?: string | null;
  /** The parcel that it is about. */
  readonly shipmentId?: string;
  /** The units that it is about; absent = those of the parcel, else all that is ordered. */
  readonly items?: readonly LetterItem[];
  readonly isPart?: boolean;
  readonly reason?: CancelReason | null;
  /** ISO 8601; absent = what the letter is about: the end of an unpaid order, or of the time for returns. */
  readonly until?: string | null;
  /** In the seller's words. */
  readonly note?: string | null;
}

export interface AboutOrder {
  readonly orderId: OrderId;
  /** Of the change, as its workflow says: a repeat writes the same letter. */
  readonly at: Date | string | number;
  readonly data?: OrderLetterFacts;
}

const TO_SELLERS: readonly OrderLetter[] = ['order_hold_reminder', 'order_parcel_failed', 'order_arrived_late'];

/** A second time with the same `at` does nothing. An order that nobody acts for any more is written about to nobody. */
export async function writeOrderLetter(tx: Knex, template: OrderLetter, about: AboutOrder): Promise<void> {
  const order = await orderToTellOf(tx, about.orderId);
  const at = new Date(about.at);
  const facts = about.data ?? {};
  const until = facts.until === undefined ? await untilOf(tx, template, order, at) : facts.until;
  const items = facts.items ?? (await itemsOf(tx, order.id, whichUnits(template, facts)));
  // Why it was held is between the people of the shop.
  const note = facts.note ?? (TO_SELLERS.includes(template) ? order.holdNote : null);
  const data = await dataOf(tx, order, at, { ...facts, until, items, note });
  const readers = TO_SELLERS.includes(template)
    ? await usersWithRole(tx, 'seller')
    : await customersOf(tx, order, template);
  for (const userId of readers) {
    const id = namedUuid(`order/${order.id}/${template}/${at.toISOString()}/${userId}`);
    await writeLetter(tx, { id, template, userId, data, at });
  }
}

async function customersOf(tx: Knex, order: OrderRow, template: OrderLetter): Promise<UserId[]> {
  const reader = await customerReader(tx, order.companyId, order.placedBy);
  if (reader === null) return [];
  if (template === 'order_review_request' && (await refusesAdvertising(tx, reader))) return [];
  return [reader];
}

interface OrderRow {
  readonly id: OrderId;
  readonly number: string;
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly placedBy: UserId;
  readonly state: OrderState;
  readonly currency: Currency;
  readonly totalMinor: string | number | bigint;
  readonly riskReasons: readonly RiskReason[];
  readonly holdNote: string | null;
  readonly cancelReason: CancelReason | null;
  readonly expiresAt: Date | null;
}

async function orderToTellOf(db: Knex, id: OrderId): Promise<OrderRow> {
  const row: OrderRow | undefined = await db('orders as o')
    .join('companies as c', 'c.id', 'o.company_id')
    .where('o.id', id)
    .first({
      id: 'o.id',
      number: 'o.number',
      companyId: 'o.company_id',
      companyName: 'c.name',
      placedBy: 'o.placed_by',
      state: 'o.state',
      currency: 'o.currency',
      totalMinor: 'o.total_minor',
      riskReasons: 'o.risk_reasons',
      holdNote: 'o.hold_note',
      cancelReason: 'o.cancel_reason',
      expiresAt: 'o.expires_at',
    });
  if (!row) throw new Error(`order ${id} is not on record`);
  return row;
}

async function dataOf(db: Knex, order: OrderRow, at: Date, facts: OrderLetterFacts): Promise<OrderNewsData> {
  const parcel = facts.shipmentId === undefined ? null : await parcelOf(db, facts.shipmentId);
  const { items = [] } = facts;
  const invoiceId = facts.invoiceId === undefined ? await openInvoiceOf(db, order.id) : facts.invoiceId;
  return {
    orderId: order.id,
    orderNumber: order.number,
    companyName: order.companyName,
    state: order.state,
    at: at.toISOString(),
    total: { amountMinor: String(order.totalMinor), currency: order.currency },
    items: items.length > 0 ? items : await itemsOf(db, order.id),
    invoiceId,
    until: facts.until ?? null,
    amount: facts.amount ?? null,
    isCharged: facts.isCharged ?? false,
    isPart: facts.isPart ?? (parcel !== null && (await hasMoreThan(db, order.id, facts.shipmentId))),
    reason: facts.reason === undefined ? order.cancelReason : facts.reason,
    risks: order.riskReasons,
    carrier: parcel?.carrier ?? null,
    trackingNumber: parcel?.trackingNumber ?? null,
    note: facts.note ?? null,
  };
}

async function untilOf(db: Knex, template: OrderLetter, order: OrderRow, at: Date): Promise<string | null> {
  switch (template) {
    case 'order_unpaid_reminder':
    case 'order_edited':
      return order.state === 'pending' ? (order.expiresAt?.toISOString() ?? null) : null;
    case 'order_delivered':
    case 'order_review_request':
      return returnableUntilOf(db, order.id, at);
    default:
      return null;
  }
}

/** The first end of a window that is open: from then on not everything can be sent back any more. */
async function returnableUntilOf(db: Knex, orderId: OrderId, at: Date): Promise<string | null> {
  const { windowDays } = await returnPolicy(db, at);
  const units: { deliveredAt: Date; returnDays: number | null }[] = await db('order_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where({ 'u.order_id': orderId, 'u.state': 'delivered' })
    .whereNotNull('u.delivered_at')
    .select({ deliveredAt: 'u.delivered_at', returnDays: 'i.return_days' });
  const ends = units
    .map(({ deliveredAt, returnDays }) =>
      returnableUntil({ deliveredAt: deliveredAt.getTime(), returnDays }, { windowDays }),
    )
    .filter((end) => end !== null && end > at.getTime());
  return ends.length > 0 ? new Date(Math.min(...ends.map(Number))).toISOString() : null;
}

interface Parcel {
  readonly carrier: string;
  readonly trackingNumber: string | null;
}

async function parcelOf(db: Knex, id: string): Promise<Parcel | null> {
  const row: Parcel | undefined = await db('shipments')
    .where({ id })
    .first({ carrier: 'carrier', trackingNumber: 'tracking_number' });
  return row ?? null;
}

interface WhichUnits {
  readonly shipment_id?: string;
  readonly state?: UnitState;
}

/** Of a parcel those in it, of a wait those waited for, else all that were ordered. */
const whichUnits = (template: OrderLetter, { shipmentId }: OrderLetterFacts): WhichUnits => ({
  ...(shipmentId === undefined ? {} : { shipment_id: shipmentId }),
  ...(template === 'order_backordered' ? { state: 'waiting' } : {}),
});

async function itemsOf(db: Knex, orderId: OrderId, which: WhichUnits = {}): Promise<LetterItem[]> {
  const rows: { name: LetterItem['name']; quantity: number }[] = await db('order_items as i')
    .join(
      db('order_units')
        .where({ order_id: orderId, ...which })
        .as('u'),
      'u.order_item_id',
      'i.id',
    )
    .where('i.order_id', orderId)
    .groupBy('i.id')
    .orderBy('i.position')
    .select({ name: 'i.name' }, db.raw('count(*)::int as quantity'));
  return rows.map(({ name, quantity }) => ({ name, quantity }));
}

async function hasMoreThan(db: Knex, orderId: OrderId, shipmentId: string | undefined): Promise<boolean> {
  const row: unknown = await db('order_units')
    .where({ order_id: orderId })
    .whereNot('state', 'cancelled')
    .whereRaw('shipment_id is distinct from ?', [shipmentId ?? null])
    .first('number');
  return row !== undefined;
}

async function openInvoiceOf(db: Knex, orderId: OrderId): Promise<string | null> {
  const row: { id: string } | undefined = await db('invoices')
    .where({ order_id: orderId, state: 'open' })
    .orderBy('issued_at', 'desc')
    .first('id');
  return row?.id ?? null;
}
