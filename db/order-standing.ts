/** How an order stands, as its process needs it: what is due, which money to hand over, which parcels to ask about. */
import type { Knex } from 'knex';
import type {
  CompanyId,
  CreditNoteId,
  InvoiceId,
  OrderId,
  RefundId,
  ReturnId,
  ShipmentId,
  Sku,
} from '../domain/ids.ts';
import { nextOrderDue, type OrderDue, type OrderTimes } from '../domain/order-timeline.ts';
import type { OrderState, UnitCounts } from '../domain/orders.ts';
import type { ReturnPolicy } from '../domain/returns.ts';
import { hasOpenRefund } from './order-moves.ts';
import { countUnits, type OrderRecord } from './order-records.ts';
import { shipmentsWithNews } from './shipments.ts';
import { returnPolicy } from './shop-policies.ts';
import { skusThatCouldBeFilled } from './stock-waiting.ts';

export interface OrderStanding {
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly number: string;
  readonly state: OrderState;
  readonly units: UnitCounts;
  /** Of what takes the place of goods that came back: their return waits for it. */
  readonly returnId: ReturnId | null;
  /** null = it is over. */
  readonly due: OrderDue | null;
  /** Open invoices: somebody has to collect each. */
  readonly collect: readonly InvoiceId[];
  /** Invoices that nobody has to pay any more, and of which a page is open. */
  readonly close: readonly InvoiceId[];
  /** Refunds that nobody has in hand yet. */
  readonly refunds: readonly RefundId[];
  /** Credit notes without a refund, whose process would print them: what credit had paid became credit again. */
  readonly notes: readonly CreditNoteId[];
  /** Parcels that the carrier has told of. */
  readonly news: readonly ShipmentId[];
  /** Products of units that it gave up, that lie free while other orders wait for them. */
  readonly freed: readonly Sku[];
}

export async function standingOf(db: Knex, order: OrderRecord, at: number): Promise<OrderStanding> {
  const money = await openMoneyOf(db, order.id);
  return {
    orderId: order.id,
    companyId: order.companyId,
    number: order.number,
    state: order.state,
    units: countUnits(order.units),
    returnId: order.returnId,
    due: nextOrderDue(await timesOf(db, order), at),
    ...money,
    news: await shipmentsWithNews(db, { orderId: order.id }),
    freed: await freedBy(db, order),
  };
}

async function freedBy(db: Knex, { items, units }: OrderRecord): Promise<Sku[]> {
  const given = items.filter(({ id }) => units.some((unit) => unit.orderItemId === id && unit.state === 'cancelled'));
  return given.length > 0
    ? skusThatCouldBeFilled(
        db,
        given.length,
        given.map(({ sku }) => sku),
      )
    : [];
}

const MONEY = `
  select coalesce((select jsonb_agg(id order by issued_at, id) from invoices where order_id = :id and state = 'open'), '[]') as collect,
    coalesce((select jsonb_agg(i.id order by i.issued_at, i.id) from invoices i where i.order_id = :id and i.state in ('lapsed', 'void')
      and exists (select from payments p where p.invoice_id = i.id and p.state in ('created', 'pending', 'unknown'))), '[]') as close,
    coalesce((select jsonb_agg(r.id order by r.requested_at, r.id) from refunds r join invoices i on i.id = r.invoice_id
      where i.order_id = :id and r.state in ('requested', 'approved')), '[]') as refunds,
    coalesce((select jsonb_agg(n.id order by n.issued_at, n.id) from credit_notes n join invoices i on i.id = n.invoice_id
      where i.order_id = :id and n.refund_id is null and n.pdf_sha256 is null), '[]') as notes`;

type OpenMoney = Pick<OrderStanding, 'collect' | 'close' | 'refunds' | 'notes'>;

async function openMoneyOf(db: Knex, id: OrderId): Promise<OpenMoney> {
  const { rows }: { rows: OpenMoney[] } = await db.raw(MONEY, { id });
  return rows[0] ?? { collect: [], close: [], refunds: [], notes: [] };
}

const RETURN_DAYS = 30;

export async function timesOf(db: Knex, order: OrderRecord): Promise<OrderTimes> {
  const { id, state } = order;
  const isLate = order.deliveredAt !== null;
  const window: Pick<ReturnPolicy, 'windowDays'> = isLate
    ? await returnPolicy(db, order.placedAt)
    : { windowDays: RETURN_DAYS };
  return {
    state,
    isPaid: order.paidAt !== null,
    isOver: order.endedAt !== null,
    placedAt: order.placedAt.getTime(),
    stateSince: order.stateSince.getTime(),
    expiresAt: order.expiresAt?.getTime() ?? null,
    deliveredAt: order.deliveredAt?.getTime() ?? null,
    isReviewAsked: order.reviewAskedAt !== null,
    rungs: order.rungs,
    parcels: await parcelsOnTheirWay(db, id),
    isWaitedFor: isLate && ((await hasOpenReturn(db, id)) || (await hasOpenRefund(db, id))),
    returnDays: Math.max(window.windowDays, ...order.items.map(({ returnDays }) => returnDays ?? 0)),
    policy: order.policy,
  };
}

async function parcelsOnTheirWay(db: Knex, id: OrderId): Promise<OrderTimes['parcels']> {
  const rows: { id: ShipmentId; since: Date }[] = await db('shipments')
    .where({ order_id: id, direction: 'out' })
    .whereIn('state', ['created', 'labelled', 'in_transit', 'out_for_delivery', 'exception'])
    .orderBy('id')
    .select({ id: 'id', since: db.raw('coalesce(last_news_at, shipped_at, created_at)') });
  return rows.map(({ since, ...row }) => ({ ...row, since: since.getTime() }));
}

async function hasOpenReturn(db: Knex, id: OrderId): Promise<boolean> {
  const open: unknown = await db('returns').where({ order_id: id }).whereNull('ended_at').first('id');
  return open !== undefined;
}
