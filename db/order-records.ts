/** The row of an order as its changes read and write it: locked, with its items and units. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, OrderId, OrderItemId, ReturnId, ShipmentId, Sku, UserId } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import {
  type OrderKind,
  type OrderPolicy,
  type OrderState,
  UNIT_STATES,
  type UnitCounts,
  type UnitState,
} from '../domain/orders.ts';
import type { PersonalData } from './personal-data.ts';

// ---- where it goes --------------------------------------------------------------------------------------------------

/** Where parcels go. Only whoever owns the order or packs it reads all of it. */
export interface ShipTo extends ShipToArea {
  readonly name: string;
  readonly phone: string;
  readonly street: string;
}

/** What everybody who handles the order may see. */
export interface ShipToArea {
  readonly city: string;
  readonly province?: string;
  readonly postalCode: string;
}

export interface SealedShipTo {
  readonly sealed: Buffer;
  readonly area: ShipToArea;
}
export type ShipToGiven = SealedShipTo | { readonly likeOrder: OrderId };

const SHIP_TO = 'orders.ship_to';

export function sealShipTo(personalData: PersonalData, { name, phone, street, ...area }: ShipTo): SealedShipTo {
  return { sealed: personalData.seal(JSON.stringify({ name, phone, street }), SHIP_TO), area };
}

export function openShipTo(personalData: PersonalData, { sealed, area }: SealedShipTo): ShipTo {
  const opened: Pick<ShipTo, 'name' | 'phone' | 'street'> = JSON.parse(personalData.open(sealed, SHIP_TO));
  return { ...opened, ...area };
}

// ---- the record -----------------------------------------------------------------------------------------------------

export interface UnitRecord {
  readonly orderItemId: OrderItemId;
  /** 1 first, within its item. */
  readonly number: number;
  readonly state: UnitState;
  /** What it cost, allotted at purchase; minor units. */
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly shippingNetMinor: bigint;
  readonly shippingTaxMinor: bigint;
  /** Which invoice charged it; null = it cost nothing. */
  readonly invoiceId: InvoiceId | null;
  readonly givenBackMinor: bigint;
  readonly location: string | null;
  readonly serial: string | null;
  readonly batch: string | null;
  readonly shipmentId: ShipmentId | null;
  readonly deliveredAt: Date | null;
}

export const costOf = (unit: UnitRecord): bigint =>
  unit.netMinor + unit.taxMinor + unit.shippingNetMinor + unit.shippingTaxMinor;

export interface ItemRecord {
  readonly id: OrderItemId;
  readonly position: number;
  readonly sku: Sku;
  readonly name: { readonly id: string; readonly en: string };
  readonly quantity: number;
  readonly unitPriceMinor: bigint;
  /** Of the whole line. */
  readonly discountMinor: bigint;
  readonly tracking: 'none' | 'batch' | 'serial';
  readonly isFinalSale: boolean;
  readonly isHygiene: boolean;
  readonly returnDays: number | null;
}

export interface OrderRecord {
  readonly id: OrderId;
  readonly number: string;
  readonly kind: OrderKind;
  readonly companyId: CompanyId;
  readonly placedBy: UserId;
  readonly returnId: ReturnId | null;
  readonly state: OrderState;
  readonly heldFrom: OrderState | null;
  readonly policy: OrderPolicy;
  readonly currency: Currency;
  readonly totalMinor: bigint;
  readonly riskScore: number;
  readonly packingSince: Date | null;
  readonly expiresAt: Date | null;
  readonly paidAt: Date | null;
  readonly shippedAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly reviewAskedAt: Date | null;
  readonly placedAt: Date;
  readonly stateSince: Date;
  readonly endedAt: Date | null;
  /** Reminders that were sent. */
  readonly rungs: readonly string[];
  readonly items: readonly ItemRecord[];
  readonly units: readonly UnitRecord[];
}

const COLUMNS = {
  id: 'id',
  number: 'number',
  kind: 'kind',
  companyId: 'company_id',
  placedBy: 'placed_by',
  returnId: 'return_id',
  state: 'state',
  heldFrom: 'held_from',
  policy: 'policy',
  currency: 'currency',
  totalMinor: 'total_minor',
  riskScore: 'risk_score',
  packingSince: 'packing_since',
  expiresAt: 'expires_at',
  paidAt: 'paid_at',
  shippedAt: 'shipped_at',
  deliveredAt: 'delivered_at',
  reviewAskedAt: 'review_asked_at',
  placedAt: 'placed_at',
  stateSince: 'state_since',
  endedAt: 'ended_at',
  rungs: 'rungs',
};

const ITEM_COLUMNS = {
  id: 'id',
  position: 'position',
  sku: 'sku',
  name: 'name',
  quantity: 'quantity',
  unitPriceMinor: 'unit_price_minor',
  discountMinor: 'discount_minor',
  tracking: 'tracking',
  isFinalSale: 'is_final_sale',
  isHygiene: 'is_hygiene',
  returnDays: 'return_days',
};

const UNIT_COLUMNS = {
  orderItemId: 'u.order_item_id',
  number: 'u.number',
  state: 'u.state',
  netMinor: 'u.net_minor',
  taxMinor: 'u.tax_minor',
  shippingNetMinor: 'u.shipping_net_minor',
  shippingTaxMinor: 'u.shipping_tax_minor',
  invoiceId: 'u.invoice_id',
  givenBackMinor: 'u.given_back_minor',
  location: 'u.location',
  serial: 'u.serial',
  batch: 'u.batch',
  shipmentId: 'u.shipment_id',
  deliveredAt: 'u.delivered_at',
};

/**
 * Nobody else changes it, or a unit of it, until the transaction ends. Whoever locks stock, an invoice or a payment as well
 * does it after this.
 * @throws Error when there is no such order
 */
export async function lockOrder(tx: Knex, id: OrderId): Promise<OrderRecord> {
  // First the lock, then the reading: what the other one wrote while this one waited is in it.
  await tx('orders').where({ id }).forUpdate().first('id');
  const order = await readOrder(tx, id);
  if (!order) throw new Error(`order ${id} does not exist`);
  return order;
}

export async function readOrder(db: Knex, id: OrderId): Promise<OrderRecord | null> {
  const row: Omit<OrderRecord, 'items' | 'units'> | undefined = await db('orders').where({ id }).first(COLUMNS);
  if (!row) return null;
  const items: ItemRecord[] = await db('order_items').where({ order_id: id }).orderBy('position').select(ITEM_COLUMNS);
  const units: UnitRecord[] = await db('order_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where('u.order_id', id)
    .orderBy(['i.position', 'u.number'])
    .select(UNIT_COLUMNS);
  return { ...row, items, units };
}

export function countUnits(units: readonly Pick<UnitRecord, 'state'>[]): UnitCounts {
  const counts: Record<UnitState, number> = {
    waiting: 0,
    reserved: 0,
    shipped: 0,
    lost: 0,
    delivered: 0,
    returned: 0,
    cancelled: 0,
  };
  for (const state of UNIT_STATES) counts[state] = units.filter((unit) => unit.state === state).length;
  return counts;
}
