/** Returns as people read them: each question asks in its own statement whether the reader may. */
import type { Knex } from 'knex';
import type { CompanyId, OrderId, OrderItemId, RefundId, ReturnId, Sku } from '../domain/ids.ts';
import type { Actor } from '../domain/licensing.ts';
import type { Currency } from '../domain/money.ts';
import type { RefundChannel, RefundState } from '../domain/refunds.ts';
import type { ClimbedRung } from '../domain/return-timeline.ts';
import type {
  Condition,
  Disposition,
  Resolution,
  ReturnPolicy,
  ReturnReason,
  ReturnState,
  ReturnUnitState,
} from '../domain/returns.ts';
import { type Role, seesEveryCase } from '../domain/roles.ts';
import type { AfterInTime } from './applications.ts';
import { prepared } from './prepared.ts';
import type { StoredStatement } from './return-money.ts';

/** Whoever runs the shop or packs for it sees every return, as oversight does. */
export const seesEveryReturn = (roles: readonly Role[]): boolean =>
  seesEveryCase(roles) || roles.includes('seller') || roles.includes('warehouse');

export interface ReturnSummary {
  readonly id: ReturnId;
  readonly number: string;
  readonly state: ReturnState;
  readonly stateSince: Date;
  readonly orderId: OrderId;
  readonly orderNumber: string;
  readonly companyId: CompanyId;
  readonly wanted: Resolution;
  readonly resolution: Resolution | null;
  readonly currency: Currency;
  readonly refundMinor: bigint | null;
  readonly unitCount: number;
  readonly requestedAt: Date;
  readonly endedAt: Date | null;
}

/** Rows that came as JSON: amounts as digits, times as text. */
interface UnitJson {
  readonly orderItemId: OrderItemId;
  readonly number: number;
  readonly state: ReturnUnitState;
  readonly reason: ReturnReason;
  readonly claimedCondition: string | null;
  readonly condition: Condition | null;
  readonly disposition: Disposition | null;
  readonly receivedAt: string | null;
  readonly deductionMinor: string;
  readonly refundMinor: string | null;
  readonly sku: Sku;
  readonly name: { readonly id: string; readonly en: string };
}

export interface PhotoJson {
  readonly id: string;
  readonly kind: 'claim' | 'inspection';
  readonly filename: string;
  readonly bytes: number;
  readonly contentType: string;
  readonly uploadedAt: string;
  readonly scanState: 'not_scanned' | 'waiting' | 'clean' | 'infected';
}

interface ParcelJson {
  readonly id: string;
  readonly carrier: string;
  readonly trackingNumber: string | null;
  readonly state: string;
  readonly hasLabel: boolean;
}

interface RefundJson {
  readonly id: RefundId;
  readonly state: RefundState;
  readonly amountMinor: string;
  readonly channel: RefundChannel | null;
  readonly endedAt: string | null;
}

export interface ReturnRead extends ReturnSummary {
  readonly exchangeSku: Sku | null;
  readonly keepsItems: boolean;
  readonly policy: ReturnPolicy;
  readonly rungs: readonly ClimbedRung[];
  readonly dropOffBy: Date | null;
  readonly statementVersion: number;
  readonly statement: StoredStatement | null;
  readonly acceptedVersion: number | null;
  readonly disputedAt: Date | null;
  readonly replacementOrderId: OrderId | null;
  readonly manualReasons: readonly string[];
  readonly updatedAt: Date;
  readonly units: readonly UnitJson[];
  readonly photos: readonly PhotoJson[];
  /** The parcel with the label; null = there is none, or the one that was there was taken back. */
  readonly label: ParcelJson | null;
  readonly refunds: readonly RefundJson[];
  /** What was said in words, oldest first. */
  readonly messages: readonly MessageJson[];
}

interface MessageJson {
  readonly kind: string;
  readonly text: string;
  readonly isCustomer: boolean;
  readonly at: string;
}

const SUMMARY = `r.id, r.number, r.state, r.state_since as "stateSince", r.order_id as "orderId", o.number as "orderNumber",
  r.company_id as "companyId", r.wanted, r.resolution, o.currency, r.refund_minor as "refundMinor",
  (select count(*)::int from return_units u where u.return_id = r.id) as "unitCount", r.requested_at as "requestedAt",
  r.ended_at as "endedAt"`;

/** One statement, by index, visibility included: what customers poll. $1 return, $2 viewer, $3 sees every company's. */
export const RETURN_STATEMENT = {
  name: 'return',
  text: `select ${SUMMARY}, r.exchange_sku as "exchangeSku", r.keeps_items as "keepsItems", r.policy, r.rungs,
  r.drop_off_by as "dropOffBy",
  r.statement_version as "statementVersion", r.statement, r.accepted_version as "acceptedVersion",
  r.disputed_at as "disputedAt", r.replacement_order_id as "replacementOrderId", r.manual_reasons as "manualReasons",
  r.updated_at as "updatedAt",
  coalesce((select jsonb_agg(jsonb_build_object('orderItemId', u.order_item_id, 'number', u.number, 'state', u.state,
      'reason', u.reason, 'claimedCondition', u.claimed_condition, 'condition', u.condition, 'disposition', u.disposition,
      'receivedAt', u.received_at, 'deductionMinor', u.deduction_minor::text, 'refundMinor', u.refund_minor::text,
      'sku', i.sku, 'name', i.name) order by i.position, u.number)
    from return_units u join order_items i on i.id = u.order_item_id where u.return_id = r.id), '[]') as units,
  coalesce((select jsonb_agg(jsonb_build_object('id', p.id, 'kind', p.kind, 'filename', p.filename, 'bytes', p.bytes,
      'contentType', p.content_type, 'uploadedAt', p.uploaded_at, 'scanState', p.scan_state) order by p.uploaded_at, p.id)
    from return_photos p where p.return_id = r.id and p.removed_at is null), '[]') as photos,
  (select jsonb_build_object('id', s.id, 'carrier', s.carrier, 'trackingNumber', s.tracking_number, 'state', s.state,
      'hasLabel', s.label_sha256 is not null)
    from shipments s where s.return_id = r.id and s.state <> 'voided' order by s.created_at desc, s.id limit 1) as label,
  coalesce((select jsonb_agg(jsonb_build_object('id', f.id, 'state', f.state, 'amountMinor', f.amount_minor::text,
      'channel', f.channel, 'endedAt', f.ended_at) order by f.requested_at, f.id)
    from refunds f where f.return_id = r.id), '[]') as refunds,
  coalesce((select jsonb_agg(jsonb_build_object('kind', m.kind, 'at', m.at,
      'text', coalesce(m.content ->> 'question', m.content ->> 'answer', m.content ->> 'reason', m.content ->> 'note'),
      'isCustomer', exists (select from company_members c where c.company_id = r.company_id and c.user_id = m.said_by))
      order by m.at, m.id)
    from shop_messages m where m.subject = 'rma/' || r.id and (m.answer is null or m.answer -> 'refusal' = 'null')
      and m.kind in ('request', 'request_info', 'provide_info', 'reject', 'cancel', 'dispute', 'decide_dispute')
      and m.content ?| array['question', 'answer', 'reason', 'note']), '[]') as messages
 from returns r join orders o on o.id = r.order_id
 where r.id = $1
   and ($3::boolean or exists (select 1 from company_members m where m.user_id = $2 and m.company_id = r.company_id))`,
} as const;

/** null when there is no such return, or the viewer may not see it. */
export async function findReturn(db: Knex, viewer: Actor, id: ReturnId): Promise<ReturnRead | null> {
  const values = [id, viewer.userId, seesEveryReturn(viewer.roles)];
  const [row] = await prepared<ReturnRead>(db, RETURN_STATEMENT, values);
  return row ?? null;
}

export interface ReturnFilter {
  readonly state?: ReturnState | undefined;
  readonly orderId?: OrderId | undefined;
  readonly companyId?: CompanyId | undefined;
  readonly after: AfterInTime | null;
  readonly limit: number;
}

/** Newest first. */
export async function listReturns(db: Knex, viewer: Actor, filter: ReturnFilter): Promise<ReturnSummary[]> {
  const { state, orderId, companyId, after, limit } = filter;
  const rows: ReturnSummary[] = await db('returns as r')
    .join('orders as o', 'o.id', 'r.order_id')
    .modify((query) => {
      if (!seesEveryReturn(viewer.roles))
        query.whereIn('r.company_id', (mine: Knex.QueryBuilder) =>
          mine.select('company_id').from('company_members').where('user_id', viewer.userId),
        );
      if (state) query.where('r.state', state);
      if (orderId) query.where('r.order_id', orderId);
      if (companyId) query.where('r.company_id', companyId);
      if (after) query.whereRaw('(r.requested_at, r.id) < (?, ?)', [after.at, after.id]);
    })
    .orderBy([
      { column: 'r.requested_at', order: 'desc' },
      { column: 'r.id', order: 'desc' },
    ])
    .limit(limit)
    .select(db.raw(SUMMARY));
  return rows;
}

/** Of an order that the caller may ask to be taken back: only those who act for its company. */
export async function companyOfOrder(db: Knex, viewer: Actor, id: OrderId): Promise<CompanyId | null> {
  const row: { companyId: CompanyId } | undefined = await db('orders as o')
    .join('company_members as m', 'm.company_id', 'o.company_id')
    .where({ 'o.id': id, 'm.user_id': viewer.userId })
    .first({ companyId: 'o.company_id' });
  return row?.companyId ?? null;
}

/** On which side of the return the caller stands; null: they do not see it. */
export async function sideOf(db: Knex, viewer: Actor, id: ReturnId): Promise<'buyer' | 'seller' | null> {
  const row: { isBuyer: boolean } | undefined = await db('returns as r')
    .leftJoin('company_members as m', (on) =>
      on.on('m.company_id', 'r.company_id').andOnVal('m.user_id', viewer.userId),
    )
    .where({ 'r.id': id })
    .first({ isBuyer: db.raw('m.user_id is not null') });
  if (row?.isBuyer) return 'buyer';
  return row && seesEveryReturn(viewer.roles) ? 'seller' : null;
}
