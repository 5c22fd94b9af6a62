/** Orders as people read them. */
import type { Knex } from 'knex';
import type { CompanyId, InvoiceId, OrderId, OrderItemId, ReturnId, Sku } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import { type Currency, type Money, money } from '../domain/money.ts';
import type { OrderKind, OrderState, RiskReason, UnitState } from '../domain/orders.ts';
import type { InvoiceState } from '../domain/payments.ts';
import { CLAIMING_UNIT_STATES } from '../domain/returns.ts';
import { may, seesEveryCase } from '../domain/roles.ts';
import type { AfterInTime } from './applications.ts';
import type { ShipToArea } from './order-records.ts';
import { isUuid } from './uuids.ts';

export interface OrderRead {
  readonly id: OrderId;
  readonly number: string;
  readonly kind: OrderKind;
  readonly companyId: CompanyId;
  readonly companyName: string;
  readonly returnId: ReturnId | null;
  readonly repeatsId: OrderId | null;
  readonly state: OrderState;
  readonly stateSince: Date;
  readonly currency: Currency;
  readonly subtotal: Money;
  readonly discount: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly riskScore: number;
  readonly riskReasons: readonly RiskReason[];
  readonly holdNote: string | null;
  readonly cancelReason: string | null;
  readonly sealedShipTo: Buffer;
  readonly shipToArea: ShipToArea;
  /** Whether the viewer acts for the company. */
  readonly isOwn: boolean;
  readonly expiresAt: Date | null;
  readonly paidAt: Date | null;
  readonly shippedAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly placedAt: Date;
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
  readonly items: readonly OrderItemRead[];
  /** Oldest first. */
  readonly invoices: readonly OrderInvoiceRead[];
}

export interface OrderItemRead {
  readonly id: OrderItemId;
  readonly sku: Sku;
  readonly name: { readonly id: string; readonly en: string };
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly isFinalSale: boolean;
  readonly isHygiene: boolean;
  readonly returnDays: number | null;
  readonly units: readonly {
    readonly number: number;
    readonly state: UnitState;
    readonly deliveredMs: number | null;
    readonly isClaimed: boolean;
    /** Of one that is `lost`: its parcel is on its way back to us, or here. */
    readonly isSentBack: boolean;
    readonly givenBackMinor: number;
  }[];
}

export interface OrderInvoiceRead {
  readonly id: InvoiceId;
  readonly number: string;
  readonly state: InvoiceState;
  readonly totalMinor: number;
  readonly paidMinor: number;
  readonly dueMs: number;
}

/** Who runs the shop or packs sees every order. */
export const seesEveryOrder = ({ roles }: Actor): boolean => seesEveryCase(roles) || may(roles, 'order.ship');

// Amounts as JSON numbers: they are read at the border, where no more than 2^53 fits anyway.
const COLUMNS = `
  o.id, o.number, o.kind, o.company_id as "companyId", c.name as "companyName", o.return_id as "returnId", o.repeats_id as "repeatsId",
  o.state, o.state_since as "stateSince", o.currency, o.subtotal_minor as "subtotalMinor", o.discount_minor as "discountMinor",
  o.shipping_minor as "shippingMinor", o.tax_minor as "taxMinor", o.total_minor as "totalMinor", o.risk_score as "riskScore",
  o.risk_reasons as "riskReasons", o.hold_note as "holdNote", o.cancel_reason as "cancelReason",
  o.ship_to_encrypted as "sealedShipTo", o.ship_to_area as "shipToArea", o.expires_at as "expiresAt", o.paid_at as "paidAt",
  o.shipped_at as "shippedAt", o.delivered_at as "deliveredAt", o.placed_at as "placedAt", o.ended_at as "endedAt",
  o.updated_at as "updatedAt",
  exists (select from company_members m where m.company_id = o.company_id and m.user_id = :viewer) as "isOwn",
  (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'sku', i.sku, 'name', i.name, 'quantity', i.quantity,
      'unitPriceMinor', i.unit_price_minor, 'isFinalSale', i.is_final_sale, 'isHygiene', i.is_hygiene, 'returnDays', i.return_days,
      'units', (select jsonb_agg(jsonb_build_object('number', u.number, 'state', u.state,
          'deliveredMs', round(extract(epoch from u.delivered_at) * 1000), 'givenBackMinor', u.given_back_minor,
          'isSentBack', exists (select from shipments s where s.id = u.shipment_id and s.state = 'sent_back'),
          'isClaimed', exists (select from return_units r where r.order_item_id = u.order_item_id and r.number = u.number
            and r.state = any(:claiming))) order by u.number)
        from order_units u where u.order_item_id = i.id)) order by i.position), '[]')
    from order_items i where i.order_id = o.id) as items,
  (select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'number', n.number, 'state', n.state, 'totalMinor', n.total_minor,
      'paidMinor', n.paid_minor, 'dueMs', round(extract(epoch from n.due_at) * 1000)) order by n.issued_at, n.number), '[]')
    from invoices n where n.order_id = o.id) as invoices`;

const AMOUNTS = ['subtotal', 'discount', 'shipping', 'tax', 'total'] as const;
type Amount = (typeof AMOUNTS)[number];
type Row = Omit<OrderRead, Amount> & Readonly<Record<`${Amount}Minor`, bigint>>;

const toRead = ({ subtotalMinor, discountMinor, shippingMinor, taxMinor, totalMinor, ...row }: Row): OrderRead => ({
  ...row,
  subtotal: money(subtotalMinor, row.currency),
  discount: money(discountMinor, row.currency),
  shipping: money(shippingMinor, row.currency),
  tax: money(taxMinor, row.currency),
  total: money(totalMinor, row.currency),
});

const bindings = (viewer: Actor) => ({
  viewer: viewer.userId,
  claiming: [...CLAIMING_UNIT_STATES],
  all: seesEveryOrder(viewer),
});

const SEEN = `(:all::boolean or exists (select from company_members m where m.company_id = o.company_id and m.user_id = :viewer))`;

/** null when there is no such order, or the viewer may not see it. */
export async function findOrder(db: Knex, viewer: Actor, id: OrderId): Promise<OrderRead | null> {
  if (!isUuid(id)) return null;
  const { rows }: { rows: Row[] } = await db.raw(
    `select ${COLUMNS} from orders o join companies c on c.id = o.company_id where o.id = :id and ${SEEN}`,
    { ...bindings(viewer), id },
  );
  return rows[0] ? toRead(rows[0]) : null;
}

/** Newest first. */
export async function listOrders(
  db: Knex,
  viewer: Actor,
  options: {
    readonly state?: OrderState | undefined;
    readonly companyId?: CompanyId | undefined;
    readonly after: AfterInTime | null;
    readonly limit: number;
  },
): Promise<OrderRead[]> {
  const { state, companyId, after, limit } = options;
  const where = [
    SEEN,
    ...(state ? ['o.state = :state'] : []),
    ...(companyId ? ['o.company_id = :companyId'] : []),
    ...(after ? ['(o.placed_at, o.id) < (:afterAt, :afterId)'] : []),
  ];
  const { rows }: { rows: Row[] } = await db.raw(
    `select ${COLUMNS} from orders o join companies c on c.id = o.company_id where ${where.join(' and ')}
     order by o.placed_at desc, o.id desc limit :limit`,
    {
      ...bindings(viewer),
      limit,
      ...(state ? { state } : {}),
      ...(companyId ? { companyId } : {}),
      ...(after ? { afterAt: after.at, afterId: after.id } : {}),
    },
  );
  return rows.map(toRead);
}
