/** What the pages of an order and of a return show. No name, address or telephone number is read for them. */
import type { Knex } from 'knex';
import type { OfficeZone } from '../domain/calendar.ts';
import type { ScanState } from '../domain/documents.ts';
import type { CompanyId, InvoiceId, OrderId, OrderItemId, ReturnId, Sha256 } from '../domain/ids.ts';
import type { Currency } from '../domain/money.ts';
import type { OrderKind, OrderState, UnitState } from '../domain/orders.ts';
import type { ClimbedRung } from '../domain/return-timeline.ts';
import {
  CLAIMING_UNIT_STATES,
  type Condition,
  type Resolution,
  type ReturnPolicy,
  type ReturnReason,
  type ReturnState,
  type ReturnUnitState,
} from '../domain/returns.ts';
import type { CancelReason } from '../domain/shop-mail.ts';
import { FIRST_OFFICE } from './offices.ts';
import { type ToldStatement, toldStatement } from './statement-lines.ts';

interface Named {
  readonly id: string;
  readonly en: string;
}

export interface PageUnit {
  readonly number: number;
  readonly state: UnitState;
  readonly deliveredAt: Date | null;
  readonly isClaimed: boolean;
  /** Of one that is `lost`: its parcel comes back to us. */
  readonly isSentBack: boolean;
}

export interface PageItem {
  readonly id: OrderItemId;
  readonly sku: string;
  readonly name: Named;
  readonly unitPriceMinor: bigint;
  readonly discountMinor: bigint;
  readonly isFinalSale: boolean;
  readonly isHygiene: boolean;
  readonly returnDays: number | null;
  readonly units: readonly PageUnit[];
}

export interface PageParcel {
  readonly carrier: string;
  readonly trackingNumber: string | null;
  readonly state: string;
  readonly shippedAt: Date | null;
  readonly deliveredAt: Date | null;
}

export interface OrderOnPage {
  readonly id: OrderId;
  readonly number: string;
  readonly kind: OrderKind;
  readonly companyId: CompanyId;
  readonly state: OrderState;
  readonly currency: Currency;
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly shippingMinor: bigint;
  readonly taxMinor: bigint;
  readonly totalMinor: bigint;
  readonly placedAt: Date;
  readonly expiresAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly cancelReason: CancelReason | null;
  readonly zone: OfficeZone;
  readonly items: readonly PageItem[];
  readonly parcels: readonly PageParcel[];
  readonly openInvoices: readonly {
    readonly id: InvoiceId;
    readonly number: string;
    readonly totalMinor: bigint;
    readonly dueAt: Date;
  }[];
  readonly returns: readonly { readonly id: ReturnId; readonly number: string; readonly state: ReturnState }[];
  /** Of its units, as refunds and credit. */
  readonly givenBackMinor: bigint;
  /** Somebody said how it was. */
  readonly isReviewed: boolean;
}

type OrderRow = Omit<OrderOnPage, 'items' | 'parcels' | 'openInvoices' | 'returns' | 'givenBackMinor' | 'isReviewed'>;

export async function orderOnPage(db: Knex, id: OrderId): Promise<OrderOnPage | null> {
  const row: OrderRow | undefined = await db('orders')
    .where({ id })
    .first({
      id: 'id',
      number: 'number',
      kind: 'kind',
      companyId: 'company_id',
      state: 'state',
      currency: 'currency',
      subtotalMinor: 'subtotal_minor',
      discountMinor: 'discount_minor',
      shippingMinor: 'shipping_minor',
      taxMinor: 'tax_minor',
      totalMinor: 'total_minor',
      placedAt: 'placed_at',
      expiresAt: 'expires_at',
      deliveredAt: 'delivered_at',
      cancelReason: 'cancel_reason',
      zone: db.raw(`(select zone from offices where id = (${FIRST_OFFICE}))`),
    });
  if (!row) return null;
  const given: { sum: bigint | null } | undefined = await db('order_units')
    .where({ order_id: id })
    .first(db.raw('sum(given_back_minor)::bigint as sum'));
  return {
    ...row,
    items: await itemsOnPage(db, id),
    parcels: await parcelsOnPage(db, id),
    openInvoices: await openInvoices(db, id),
    returns: await returnsOfOrder(db, id),
    givenBackMinor: given?.sum ?? 0n,
    isReviewed:
      (await db('shop_messages')
        .where({ subject: `order/${id}`, kind: 'review' })
        .first('id')) !== undefined,
  };
}

async function itemsOnPage(db: Knex, orderId: OrderId): Promise<PageItem[]> {
  const items: Omit<PageItem, 'units'>[] = await db('order_items')
    .where({ order_id: orderId })
    .orderBy('position')
    .select({
      id: 'id',
      sku: 'sku',
      name: 'name',
      unitPriceMinor: 'unit_price_minor',
      discountMinor: 'discount_minor',
      isFinalSale: 'is_final_sale',
      isHygiene: 'is_hygiene',
      returnDays: 'return_days',
    });
  const units: (PageUnit & { readonly itemId: OrderItemId })[] = await db('order_units as u')
    .where('u.order_id', orderId)
    .orderBy(['u.order_item_id', 'u.number'])
    .select({ itemId: 'u.order_item_id', number: 'u.number', state: 'u.state', deliveredAt: 'u.delivered_at' })
    .select(
      db.raw(
        `exists (select from return_units c where c.order_item_id = u.order_item_id and c.number = u.number
          and c.state = any(?)) as "isClaimed",
         exists (select from shipments s where s.id = u.shipment_id and s.state = 'sent_back') as "isSentBack"`,
        [[...CLAIMING_UNIT_STATES]],
      ),
    );
  return items.map((item) => ({ ...item, units: units.filter(({ itemId }) => itemId === item.id) }));
}

const parcelsOnPage = (db: Knex, orderId: OrderId): Promise<PageParcel[]> =>
  db('shipments')
    .where({ order_id: orderId, direction: 'out' })
    .whereNot('state', 'voided')
    .orderBy('created_at')
    .select({
      carrier: 'carrier',
      trackingNumber: 'tracking_number',
      state: 'state',
      shippedAt: 'shipped_at',
      deliveredAt: 'delivered_at',
    });

const openInvoices = (db: Knex, orderId: OrderId): Promise<OrderOnPage['openInvoices'][number][]> =>
  db('invoices')
    .where({ order_id: orderId, state: 'open' })
    .orderBy('issued_at')
    .select({ id: 'id', number: 'number', totalMinor: 'total_minor', dueAt: 'due_at' });

const returnsOfOrder = (db: Knex, orderId: OrderId): Promise<OrderOnPage['returns'][number][]> =>
  db('returns')
    .where({ order_id: orderId })
    .orderBy('requested_at')
    .select({ id: 'id', number: 'number', state: 'state' });

/** Units of one item that are alike. */
export interface PageReturnUnits {
  readonly name: Named;
  readonly state: ReturnUnitState;
  readonly reason: ReturnReason;
  readonly condition: Condition | null;
  readonly quantity: number;
}

export interface PagePhoto {
  readonly id: string;
  readonly filename: string;
  readonly kind: 'claim' | 'inspection';
  /** Shown are `clean` ones, and those of a shop without a scanner. */
  readonly scanState: ScanState;
}

/** The last that was said, in words. */
export interface PageWords {
  readonly kind: 'reject' | 'request_info' | 'provide_info' | 'dispute' | 'decide_dispute';
  readonly text: string;
  readonly at: Date;
}

export interface ReturnOnPage {
  readonly id: ReturnId;
  readonly number: string;
  readonly orderId: OrderId;
  readonly orderNumber: string;
  readonly companyId: CompanyId;
  readonly state: ReturnState;
  readonly stateSince: Date;
  readonly currency: Currency;
  readonly policy: ReturnPolicy;
  readonly wanted: Resolution;
  readonly resolution: Resolution | null;
  readonly exchangeSku: string | null;
  readonly keepsItems: boolean;
  readonly rungs: readonly ClimbedRung[];
  readonly dropOffBy: Date | null;
  readonly acceptedVersion: number | null;
  readonly disputedAt: Date | null;
  readonly requestedAt: Date;
  readonly replacementNumber: string | null;
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly labelSha256: Sha256 | null;
  readonly zone: OfficeZone;
  readonly units: readonly PageReturnUnits[];
  readonly photos: readonly PagePhoto[];
  readonly words: readonly PageWords[];
  readonly statement: ToldStatement | null;
}

type ReturnRow = Omit<ReturnOnPage, 'units' | 'photos' | 'words' | 'statement'>;

export async function returnOnPage(db: Knex, id: ReturnId): Promise<ReturnOnPage | null> {
  const row: ReturnRow | undefined = await db('returns as r')
    .join('orders as o', 'o.id', 'r.order_id')
    .leftJoin('orders as n', 'n.id', 'r.replacement_order_id')
    .leftJoin('shipments as s', 's.id', 'r.label_shipment_id')
    .where('r.id', id)
    .first({
      id: 'r.id',
      number: 'r.number',
      orderId: 'r.order_id',
      orderNumber: 'o.number',
      companyId: 'r.company_id',
      state: 'r.state',
      stateSince: 'r.state_since',
      currency: 'o.currency',
      policy: 'r.policy',
      wanted: 'r.wanted',
      resolution: 'r.resolution',
      exchangeSku: 'r.exchange_sku',
      keepsItems: 'r.keeps_items',
      rungs: 'r.rungs',
      dropOffBy: 'r.drop_off_by',
      acceptedVersion: 'r.accepted_version',
      disputedAt: 'r.disputed_at',
      requestedAt: 'r.requested_at',
      replacementNumber: 'n.number',
      carrier: 's.carrier',
      trackingNumber: 's.tracking_number',
      labelSha256: 's.label_sha256',
      zone: db.raw(`(select zone from offices where id = (${FIRST_OFFICE}))`),
    });
  if (!row) return null;
  return {
    ...row,
    units: await returnUnitsOnPage(db, id),
    photos: await db('return_photos')
      .where({ return_id: id })
      .whereNull('removed_at')
      .orderBy('uploaded_at')
      .select<PagePhoto[]>({ id: 'id', filename: 'filename', kind: 'kind', scanState: 'scan_state' }),
    words: await wordsOnPage(db, id),
    statement: await toldStatement(db, id),
  };
}

async function returnUnitsOnPage(db: Knex, id: ReturnId): Promise<PageReturnUnits[]> {
  const rows: PageReturnUnits[] = await db('return_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where('u.return_id', id)
    .groupBy('i.id', 'u.state', 'u.reason', 'u.condition')
    .orderBy('i.position')
    .select(
      { name: 'i.name', state: 'u.state', reason: 'u.reason', condition: 'u.condition' },
      db.raw('count(*)::int as quantity'),
    );
  return rows;
}

/** Only what was done, and in the words of both sides: the customer's own, and what staff wrote to them. */
async function wordsOnPage(db: Knex, id: ReturnId): Promise<PageWords[]> {
  const { rows }: { rows: PageWords[] } = await db.raw(
    `select kind, coalesce(content ->> 'question', content ->> 'reason', content ->> 'note', content ->> 'answer') as text, at
     from shop_messages
     where subject = ? and kind in ('reject', 'request_info', 'provide_info', 'dispute', 'decide_dispute')
       and answered_at is not null and answer -> 'refusal' in ('null'::jsonb)
       and coalesce(content ->> 'question', content ->> 'reason', content ->> 'note', content ->> 'answer') is not null
     order by at, id`,
    [`rma/${id}`],
  );
  return rows;
}

/** Whether a photograph belongs to this return, and may be shown. */
export async function photoOnPage(
  db: Knex,
  returnId: ReturnId,
  photoId: string,
): Promise<{ sha256: Sha256; contentType: string } | null> {
  const row: { sha256: Sha256; contentType: string } | undefined = await db('return_photos')
    .where({ id: photoId, return_id: returnId })
    .whereNull('removed_at')
    .whereIn('scan_state', ['clean', 'not_scanned'])
    .first({ sha256: 'sha256', contentType: 'content_type' });
  return row ?? null;
}
