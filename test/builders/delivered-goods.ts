/** Orders that were delivered, and returns of them, at the level of the record: paid by a capture that the sandbox may know. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { sealShipTo } from '../../db/order-records.ts';
import { placeOrder } from '../../db/orders.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { type AskedBack, openReturn } from '../../db/returns.ts';
import { recordShopMessage } from '../../db/shop-messages.ts';
import {
  asId,
  type CompanyId,
  type OrderId,
  type OrderItemId,
  type ReturnId,
  type Sku,
  type UserId,
} from '../../domain/ids.ts';
import { DEFAULT_ORDER_POLICY } from '../../domain/orders.ts';
import type { ReturnContents } from '../../domain/return-messages.ts';
import {
  DEFAULT_RETURN_POLICY,
  type Resolution,
  type ReturnMessageKind,
  type ReturnPolicy,
} from '../../domain/returns.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import { aCompany, aUser } from './licensing.ts';
import { RECIPIENT } from './parcels.ts';
import { aProduct } from './stock.ts';

export interface DeliveredGoods {
  readonly orderId: OrderId;
  readonly itemId: OrderItemId;
  readonly sku: Sku;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly quantity: number;
}

interface GoodsGiven {
  readonly quantity?: number;
  readonly priceMinor?: bigint;
  readonly stock?: number;
  readonly serials?: boolean;
  /** ISO 8601; absent = now. */
  readonly deliveredAt?: string;
  /** Of the gateway `xendit`: then the payment is known there. */
  readonly sandboxUrl?: string;
}

/** One line of so many units, paid and delivered. Each unit's serial number, where it has one, is `<sku>-SOLD-<n>`. */
export async function deliveredGoods(db: Knex, given: GoodsGiven = {}): Promise<DeliveredGoods> {
  const { quantity = 2, priceMinor = 100_000n, stock = 20, serials = false } = given;
  const at = given.deliveredAt ?? new Date().toISOString();
  const by = await aUser(db, 'owner');
  const companyId = await aCompany(db, by);
  const sku = await aProduct(db, { priceMinor, stock: [stock + quantity, 0], tracking: serials ? 'serial' : 'none' });
  const orderId = asId<OrderId>(randomUUID());
  const order = await db.transaction((tx) =>
    placeOrder(tx, {
      orderId,
      companyId,
      by,
      items: [{ sku, quantity }],
      shipTo: sealShipTo(createPersonalData([PERSONAL_DATA_KEY]), RECIPIENT),
      at,
      policy: DEFAULT_ORDER_POLICY,
    }),
  );
  assert.ok(order.invoiceId);
  await capture(db, order.invoiceId, at, given.sandboxUrl);
  const item: { id: OrderItemId } | undefined = await db('order_items').where({ order_id: orderId }).first('id');
  assert.ok(item);
  await send(db, { orderId, sku, stock, at, serials });
  if (serials) await sellSerials(db, sku, item.id, quantity, at);
  return { orderId, itemId: item.id, sku, companyId, by, quantity };
}

interface Sent {
  readonly orderId: OrderId;
  readonly sku: Sku;
  readonly stock: number;
  readonly at: string;
  readonly serials: boolean;
}

async function send(db: Knex, { orderId, sku, stock, at, serials }: Sent): Promise<void> {
  const level: { location: string } | undefined = await db('stock_levels')
    .where({ sku })
    .where('on_hand', '>', 0)
    .first('location');
  assert.ok(level);
  await db('stock_reservations').where({ order_id: orderId }).delete();
  await db('stock_levels').where({ sku, location: level.location }).update({ reserved: 0, on_hand: stock });
  await db('order_units')
    .where({ order_id: orderId })
    .update({
      state: 'delivered',
      delivered_at: at,
      location: level.location,
      ...(serials ? { serial: db.raw(`? || '-SOLD-' || number`, [sku]) } : {}),
    });
  await db('orders')
    .where({ id: orderId })
    .update({ state: 'delivered', paid_at: at, shipped_at: at, delivered_at: at, taken_at: at });
}

async function sellSerials(db: Knex, sku: Sku, itemId: OrderItemId, quantity: number, at: string): Promise<void> {
  const rows = Array.from({ length: quantity }, (_, index) => ({
    sku,
    serial: `${sku}-SOLD-${index + 1}`,
    state: 'sold',
    order_item_id: itemId,
    unit_number: index + 1,
    updated_at: at,
  }));
  await db('stock_serials').insert(rows);
}

const CAPTURE = `
  with payment as (
    insert into payments (id, invoice_id, attempt, gateway, gateway_reference, state, amount_minor, currency, paid_minor,
      paid_currency, applied_minor, created_at, expires_at, paid_at, updated_at)
    select gen_random_uuid(), id, 1, 'xendit', :reference, 'paid', total_minor, currency, total_minor, currency, total_minor, :at, :at,
      :at, :at from invoices where id = :id
    returning id
  ), paid as (
    update invoices set state = 'paid', paid_at = :at, paid_minor = total_minor where id = :id
    returning id, company_id, currency, total_minor
  ), entry as (
    insert into ledger_entries (key, kind, currency, gateway, company_id, invoice_id, payment_id, occurred_at)
    select 'payment/' || p.id || '/1/captured', 'captured', p.currency, 'xendit', p.company_id, p.id, y.id, cast(:at as timestamptz)
      from paid p, payment y
    returning id
  )
  insert into ledger_postings (entry_id, account, amount_minor)
  select e.id, a.account, a.sign * p.total_minor
    from entry e, paid p, (values ('gateway_clearing', 1), ('receivable', -1)) as a (account, sign)`;

async function capture(db: Knex, id: string, at: string, sandboxUrl: string | undefined): Promise<void> {
  const reference = `rma-${randomUUID()}`;
  await db.raw(CAPTURE, { id, at, reference });
  if (sandboxUrl === undefined) return;
  const invoice: { total_minor: bigint } | undefined = await db('invoices').where({ id }).first('total_minor');
  const answer = await fetch(`${sandboxUrl}/_sandbox/preload`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ payments: [{ reference, amountMinor: Number(invoice?.total_minor), paidAt: at }] }),
  });
  assert.equal(answer.status, 201, await answer.text());
}

interface ReturnGiven {
  readonly items?: readonly AskedBack[];
  readonly wanted?: Resolution;
  readonly exchangeSku?: Sku;
  readonly policy?: Partial<ReturnPolicy>;
  readonly at?: string;
}

/** Of all units, unless others are named; asked for at `at`. */
export async function aReturnOf(db: Knex, of: DeliveredGoods, given: ReturnGiven = {}): Promise<ReturnId> {
  const returnId = asId<ReturnId>(randomUUID());
  const all: readonly AskedBack[] = [{ orderItemId: of.itemId, quantity: of.quantity, reason: 'no_longer_needed' }];
  const { items = all, wanted = 'refund', at = new Date().toISOString() } = given;
  await db.transaction((tx) =>
    openReturn(tx, {
      returnId,
      orderId: of.orderId,
      companyId: of.companyId,
      by: of.by,
      items,
      wanted,
      ...(given.exchangeSku ? { exchangeSku: given.exchangeSku } : {}),
      at,
      policy: { ...DEFAULT_RETURN_POLICY, ...given.policy },
    }),
  );
  return returnId;
}

/** On record, as the API records it before the process hears of it. */
export const aReturnMessage = <Kind extends ReturnMessageKind>(
  db: Knex,
  returnId: ReturnId,
  kind: Kind,
  content: ReturnContents[Kind],
  by: UserId,
  requestKey: string = randomUUID(),
) =>
  recordShopMessage(db, {
    subject: `rma/${returnId}`,
    kind,
    by,
    content: { ...content },
    requestKey,
    at: new Date(),
  });
