/** Orders that are packed, and their parcels, at the level of the record. */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { sealShipTo } from '../../db/order-records.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import { createShipment, type NewShipment } from '../../db/shipments.ts';
import {
  asId,
  type CompanyId,
  type OrderId,
  type OrderItemId,
  type ReturnId,
  type ShipmentId,
  type UserId,
} from '../../domain/ids.ts';
import { DEFAULT_ORDER_POLICY } from '../../domain/orders.ts';
import { DEFAULT_RETURN_POLICY } from '../../domain/returns.ts';
import { LABEL_CARRIER } from '../../domain/shipments.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import { aCompany, aUser } from './licensing.ts';

export const RECIPIENT = {
  name: 'Ibu Ratna Dewi',
  phone: '+62 812 3456 7890',
  street: 'Jalan Kenanga 12',
  city: 'Bandung',
  province: 'Jawa Barat',
  postalCode: '40115',
} as const;

export interface PackedOrder {
  readonly orderId: OrderId;
  readonly number: string;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly itemId: OrderItemId;
}

/** Two units of one product, on their way since `at`. */
export async function aPackedOrder(
  db: Knex,
  given: { companyId?: CompanyId; by?: UserId; at?: string; state?: 'shipped' | 'delivered' } = {},
): Promise<PackedOrder> {
  const { at = new Date().toISOString(), state = 'shipped' } = given;
  const by = given.by ?? (await aUser(db, 'owner'));
  const companyId = given.companyId ?? (await aCompany(db, by));
  const [orderId, itemId] = [asId<OrderId>(randomUUID()), asId<OrderItemId>(randomUUID())];
  const sku = `KOPI-${orderId.slice(0, 8).toUpperCase()}`;
  const number = `ORD/TEST/${orderId.slice(0, 12)}`;
  await db('products').insert({
    sku,
    name: JSON.stringify({ id: 'Kopi Gayo 250 g', en: 'Gayo coffee 250 g' }),
    price_minor: 100_000,
    currency: 'IDR',
    weight_grams: 300,
    created_at: at,
    updated_at: at,
  });
  const { sealed, area } = sealShipTo(createPersonalData([PERSONAL_DATA_KEY]), RECIPIENT);
  await db('orders').insert({
    id: orderId,
    number,
    kind: 'sale',
    company_id: companyId,
    placed_by: by,
    state,
    policy: JSON.stringify(DEFAULT_ORDER_POLICY),
    currency: 'IDR',
    subtotal_minor: 200_000,
    tax_minor: 0,
    total_minor: 200_000,
    ship_to_encrypted: sealed,
    ship_to_area: JSON.stringify(area),
    paid_at: at,
    placed_at: at,
    state_since: at,
    taken_at: at,
    updated_at: at,
  });
  await db('order_items').insert({
    id: itemId,
    order_id: orderId,
    position: 1,
    sku,
    name: JSON.stringify({ id: 'Kopi Gayo 250 g', en: 'Gayo coffee 250 g' }),
    quantity: 2,
    unit_price_minor: 100_000,
    tracking: 'none',
    is_final_sale: false,
    is_hygiene: false,
  });
  await db('order_units').insert(
    [1, 2].map((unit) => ({
      order_item_id: itemId,
      number: unit,
      order_id: orderId,
      state,
      net_minor: 100_000,
      tax_minor: 0,
      serial: `SN-${orderId.slice(0, 4)}-${unit}`,
    })),
  );
  return { orderId, number, companyId, by, itemId };
}

/** A return of both units, whose parcel is to come. */
export async function aReturnToSend(
  db: Knex,
  { orderId, companyId, by, itemId }: PackedOrder,
): Promise<{ returnId: ReturnId; number: string }> {
  const returnId = asId<ReturnId>(randomUUID());
  const number = `RMA/TEST/${returnId.slice(0, 12)}`;
  const at = new Date();
  await db('returns').insert({
    id: returnId,
    number,
    order_id: orderId,
    company_id: companyId,
    requested_by: by,
    state: 'approved',
    policy: JSON.stringify(DEFAULT_RETURN_POLICY),
    wanted: 'refund',
    requested_at: at,
    state_since: at,
    taken_at: at,
    updated_at: at,
  });
  await db('return_units').insert(
    [1, 2].map((unit) => ({
      return_id: returnId,
      order_item_id: itemId,
      number: unit,
      state: 'authorised',
      reason: 'damaged',
    })),
  );
  return { returnId, number };
}

/** A parcel of both units to the customer. */
export async function aParcel(
  db: Knex,
  { orderId, by, itemId }: PackedOrder,
  given: Partial<NewShipment> = {},
): Promise<ShipmentId> {
  const id = asId<ShipmentId>(randomUUID());
  await db.transaction((tx) =>
    createShipment(tx, {
      id,
      direction: 'out',
      orderId,
      carrier: LABEL_CARRIER,
      trackingNumber: null,
      units: [1, 2].map((number) => ({ orderItemId: itemId, number })),
      by,
      at: new Date().toISOString(),
      ...given,
    }),
  );
  return id;
}
