/** The row of a return as its changes read and write it: locked, with its units and its parcels. Instants are epoch ms. */
import type { Knex } from 'knex';
import type { CompanyId, OrderId, OrderItemId, ReturnId, ShipmentId, Sku, UserId } from '../domain/ids.ts';
import { asId } from '../domain/ids.ts';
import type { OrderState, UnitState } from '../domain/orders.ts';
import type { ClimbedRung, ReturnStanding } from '../domain/return-timeline.ts';
import {
  type Condition,
  type Disposition,
  isReturnOver,
  type Resolution,
  type ReturnPolicy,
  type ReturnReason,
  type ReturnState,
  type ReturnUnitState,
  returnLeadsTo,
} from '../domain/returns.ts';
import type { ShipmentState } from '../domain/shipments.ts';
import { namedUuid } from './uuids.ts';

export interface ReturnUnit {
  readonly orderItemId: OrderItemId;
  readonly number: number;
  readonly state: ReturnUnitState;
  readonly reason: ReturnReason;
  readonly claimedCondition: Condition | null;
  readonly condition: Condition | null;
  readonly disposition: Disposition | null;
  readonly inspectedBy: UserId | null;
  readonly sku: Sku;
  /** Of the unit as it was sold. */
  readonly unitState: UnitState;
  readonly serial: string | null;
  readonly batch: string | null;
  readonly location: string | null;
  /** Of one without its part of the shipping, minor units; of one that stands for another, what that one had brought as well. */
  readonly priceMinor: bigint;
}

export interface ReturnParcel {
  readonly id: ShipmentId;
  readonly state: ShipmentState;
  /** It can travel, or does. */
  readonly hasLabel: boolean;
}

export interface ReplacementOrder {
  readonly id: OrderId;
  readonly state: OrderState;
  readonly shippedAt: Date | null;
}

export interface ReturnRecord {
  readonly id: ReturnId;
  readonly number: string;
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly requestedBy: UserId;
  readonly state: ReturnState;
  readonly stateSince: number;
  readonly policy: ReturnPolicy;
  readonly wanted: Resolution;
  readonly resolution: Resolution | null;
  readonly exchangeSku: Sku | null;
  readonly keepsItems: boolean;
  readonly dropOffBy: number | null;
  readonly statementVersion: number;
  readonly hasDeductions: boolean;
  readonly acceptedVersion: number | null;
  readonly isDisputed: boolean;
  readonly refundMinor: bigint | null;
  readonly replacement: ReplacementOrder | null;
  readonly manualReasons: readonly string[];
  readonly rungs: readonly ClimbedRung[];
  readonly requestedAt: number;
  /** Oldest first. */
  readonly parcels: readonly ReturnParcel[];
  readonly units: readonly ReturnUnit[];
  readonly isPayingOut: boolean;
}

type Stored = Omit<ReturnRecord, 'stateSince' | 'dropOffBy' | 'requestedAt' | 'replacement' | 'parcels' | 'units'> & {
  readonly stateSince: Date;
  readonly dropOffBy: Date | null;
  readonly requestedAt: Date;
  readonly replacementId: OrderId | null;
  readonly replacementState: OrderState | null;
  readonly replacementShippedAt: Date | null;
};

/** Written when money begins to move. */
export const payOutKey = (id: ReturnId): string => `rma/${id}/pay_out`;

const READ = `
  select r.id, r.number, r.order_id as "orderId", r.company_id as "companyId", r.requested_by as "requestedBy", r.state,
    r.state_since as "stateSince", r.policy, r.wanted, r.resolution, r.exchange_sku as "exchangeSku",
    r.keeps_items as "keepsItems", r.drop_off_by as "dropOffBy", r.statement_version as "statementVersion",
    coalesce(jsonb_array_length(r.statement -> 'deductions'), 0) > 0 as "hasDeductions",
    r.accepted_version as "acceptedVersion", r.disputed_at is not null as "isDisputed", r.refund_minor as "refundMinor",
    r.manual_reasons as "manualReasons", r.rungs, r.requested_at as "requestedAt",
    o.id as "replacementId", o.state as "replacementState", o.shipped_at as "replacementShippedAt",
    exists (select 1 from events e where e.key = :payOut) as "isPayingOut"
  from returns r left join orders o on o.id = r.replacement_order_id
  where r.id = :id`;

/** The order that it is of, last; before it those whose goods it stands for, and whose money goes back with it. */
export async function ordersOf(db: Knex, id: ReturnId): Promise<OrderId[]> {
  const { rows }: { rows: { id: OrderId }[] } = await db.raw(ORDERS_OF, { id });
  return rows.map((order) => order.id);
}

// Of a replacement also the order whose goods it stands for, which paid for them: the oldest first.
const ORDERS_OF = `
  with recursive up as (
    select o.id, o.return_id, 0 as depth from returns r join orders o on o.id = r.order_id where r.id = :id
    union all
    select o.id, o.return_id, up.depth + 1 from up join returns r on r.id = up.return_id join orders o on o.id = r.order_id
  )
  select id from up order by depth desc`;

/**
 * Nobody else changes it, or its order, until the transaction ends. Whoever locks stock, an invoice or a payment as well does
 * it after this.
 * @throws Error when there is no such return
 */
export async function lockReturn(tx: Knex, id: ReturnId): Promise<ReturnRecord> {
  // The order before the return, everywhere: two returns of one order, and the order itself, come one after the other.
  const orders = await ordersOf(tx, id);
  if (orders.length === 0) throw new Error(`return ${id} does not exist`);
  for (const order of orders) await tx('orders').where({ id: order }).forUpdate().first('id');
  await tx('returns').where({ id }).forUpdate().first('id');
  return readReturn(tx, id);
}

export async function readReturn(db: Knex, id: ReturnId): Promise<ReturnRecord> {
  const { rows }: { rows: Stored[] } = await db.raw(READ, { id, payOut: payOutKey(id) });
  const [row] = rows;
  if (!row) throw new Error(`return ${id} does not exist`);
  const { replacementId, replacementState, replacementShippedAt, ...stored } = row;
  const hasReplacement = replacementId !== null && replacementState !== null;
  return {
    ...stored,
    stateSince: row.stateSince.getTime(),
    dropOffBy: row.dropOffBy?.getTime() ?? null,
    requestedAt: row.requestedAt.getTime(),
    replacement: hasReplacement
      ? { id: replacementId, state: replacementState, shippedAt: replacementShippedAt }
      : null,
    parcels: await parcelsOf(db, id),
    units: await unitsOf(db, id),
  };
}

const parcelsOf = (db: Knex, id: ReturnId): Promise<ReturnParcel[]> =>
  db('shipments')
    .where({ return_id: id, direction: 'back' })
    .orderBy(['created_at', 'id'])
    .select({ id: 'id', state: 'state', hasLabel: db.raw(`state not in ('created', 'voided')`) });

const unitsOf = (db: Knex, id: ReturnId): Promise<ReturnUnit[]> =>
  db('return_units as u')
    .join('order_units as o', (on) => on.on('o.order_item_id', 'u.order_item_id').andOn('o.number', 'u.number'))
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where('u.return_id', id)
    .orderBy(['i.position', 'u.number'])
    .select({
      orderItemId: 'u.order_item_id',
      number: 'u.number',
      state: 'u.state',
      reason: 'u.reason',
      claimedCondition: 'u.claimed_condition',
      condition: 'u.condition',
      disposition: 'u.disposition',
      inspectedBy: 'u.inspected_by',
      sku: 'i.sku',
      unitState: 'o.state',
      serial: 'o.serial',
      batch: 'o.batch',
      location: 'o.location',
      priceMinor: db.raw(`o.net_minor + o.tax_minor + o.inherited_net_minor + o.inherited_tax_minor
        + case when o.inherited_shipping_is_price then o.inherited_shipping_net_minor + o.inherited_shipping_tax_minor else 0 end`),
    });

/** The same ID for the same label; another once that one was taken back. */
export function labelIdOf({ id, parcels }: Pick<ReturnRecord, 'id' | 'parcels'>): ShipmentId {
  const used = parcels.filter(({ state }) => state === 'voided').length;
  return parcels.find(({ hasLabel }) => hasLabel)?.id ?? asId<ShipmentId>(namedUuid(`rma/${id}/label/${used + 1}`));
}

export function standingOf(it: ReturnRecord): ReturnStanding {
  const units: Partial<Record<ReturnUnitState, number>> = {};
  for (const { state } of it.units) units[state] = (units[state] ?? 0) + 1;
  const { policy, statementVersion: version } = it;
  return {
    returnId: it.id,
    orderId: it.orderId,
    companyId: it.companyId,
    number: it.number,
    state: it.state,
    stateSince: it.stateSince,
    timers: {
      review: policy.review,
      infoExpiresAfterDays: policy.infoExpiresAfterDays,
      labelRetryMinutes: policy.labelRetryMinutes,
      shipment: policy.shipment,
      lostAfterDays: policy.lostAfterDays,
      receivedEscalateAfterHours: policy.receivedEscalateAfterHours,
      inspectionEscalateAfterDays: policy.inspectionEscalateAfterDays,
      resolution: policy.resolution,
      refundReviewAfterDays: policy.refundReviewAfterDays,
    },
    rungs: it.rungs,
    dropOffBy: it.dropOffBy,
    wanted: it.wanted,
    resolution: it.resolution,
    keepsItems: it.keepsItems,
    units,
    statement:
      version === 0
        ? null
        : {
            version,
            acceptedVersion: it.acceptedVersion,
            hasDeductions: it.hasDeductions,
            refundMinor: String(it.refundMinor ?? 0n),
          },
    isDisputed: it.isDisputed,
    manualReasons: it.manualReasons,
    labelId: labelIdOf(it),
    parcelIds: it.parcels.map(({ id: parcel }) => parcel),
    hasLabel: it.parcels.some(({ hasLabel }) => hasLabel),
    replacementOrderId: it.replacement?.id ?? null,
    isPayingOut: it.isPayingOut,
  };
}

// ---- writing --------------------------------------------------------------------------------------------------------

export interface ReturnColumns {
  readonly state?: ReturnState;
  readonly resolution?: Resolution | null;
  readonly exchange_sku?: Sku | null;
  readonly keeps_items?: boolean;
  readonly reviewed_by?: UserId;
  readonly inspected_by?: UserId;
  readonly label_shipment_id?: ShipmentId;
  readonly drop_off_by?: Date;
  readonly accepted_version?: number | null;
  readonly accepted_at?: Date | null;
  readonly disputed_at?: Date | null;
  readonly deductions_waived?: boolean;
  readonly replacement_order_id?: OrderId | null;
  readonly manual_reasons?: readonly string[];
  readonly taken_at?: Date;
  /** The state begins anew, with its timers, though it stays the same. */
  readonly startsAnew?: boolean;
}

/**
 * The caller holds the lock. Another state begins without rungs.
 * @throws Error for a state that the diagram does not lead to
 * @returns it, as it is now
 */
export async function writeReturn(
  tx: Knex,
  it: ReturnRecord,
  { manual_reasons, startsAnew = false, ...columns }: ReturnColumns,
  at: number,
): Promise<ReturnRecord> {
  const { state } = columns;
  const isAnother = state !== undefined && state !== it.state;
  if (isAnother && !returnLeadsTo(it.state, state))
    throw new Error(`return ${it.id} cannot go from ${it.state} to ${state}`);
  await tx('returns')
    .where({ id: it.id })
    .update({
      ...columns,
      ...(manual_reasons ? { manual_reasons: JSON.stringify(manual_reasons) } : {}),
      ...(startsAnew ? { state_since: new Date(at), rungs: '[]' } : {}),
      ...(isAnother
        ? { state_since: new Date(at), rungs: '[]', ended_at: isReturnOver(state) ? new Date(at) : null }
        : {}),
      updated_at: new Date(at),
    });
  return readReturn(tx, it.id);
}

export async function noteRung(tx: Knex, it: ReturnRecord, rung: string, at: number): Promise<void> {
  await tx('returns')
    .where({ id: it.id })
    .update({ rungs: JSON.stringify([...it.rungs, { rung, at }]), updated_at: new Date(at) });
}

export interface UnitColumns {
  readonly state: ReturnUnitState;
  readonly condition?: Condition;
  readonly disposition?: Disposition;
  readonly received_at?: Date;
  readonly inspected_by?: UserId;
}

export async function writeUnit(
  tx: Knex,
  it: Pick<ReturnRecord, 'id'>,
  unit: Pick<ReturnUnit, 'orderItemId' | 'number'>,
  columns: UnitColumns,
): Promise<void> {
  await tx('return_units')
    .where({ return_id: it.id, order_item_id: unit.orderItemId, number: unit.number })
    .update(columns);
}

/** All that are in one of these states. @returns how many */
export async function turnUnits(
  tx: Knex,
  it: Pick<ReturnRecord, 'id'>,
  from: readonly ReturnUnitState[],
  state: ReturnUnitState,
): Promise<number> {
  return tx('return_units')
    .where({ return_id: it.id })
    .whereIn('state', [...from])
    .update({ state });
}
