/** Returns: how one is asked for. What becomes of it is in return-moves.ts. */
import type { Knex } from 'knex';
import { localDate } from '../domain/calendar.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { CompanyId, OrderId, OrderItemId, ReturnId, Sku, UserId } from '../domain/ids.ts';
import { refuseUnit } from '../domain/return-eligibility.ts';
import {
  CLAIMING_UNIT_STATES,
  type Condition,
  formatReturnNumber,
  type Resolution,
  type ReturnPolicy,
  type ReturnReason,
  type ReturnState,
} from '../domain/returns.ts';
import { nextOfYear } from './counters.ts';
import { recordEvent } from './events.ts';
import { issuerOfSubscriptions } from './offices.ts';
import { type ItemRecord, lockOrder, type OrderRecord, type UnitRecord } from './order-records.ts';
import { productsBySku } from './products.ts';
import { writeReturnLetter } from './return-letters.ts';

/** `number` names one unit; without it `quantity` of those that nobody has asked back yet are picked (absent = 1). */
export interface AskedBack {
  readonly orderItemId: OrderItemId;
  readonly number?: number;
  readonly quantity?: number;
  readonly reason: ReturnReason;
  /** As the customer says. */
  readonly condition?: Condition;
}

export interface NewReturn {
  readonly returnId: ReturnId;
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly by: UserId;
  readonly items: readonly AskedBack[];
  readonly wanted: Resolution;
  readonly exchangeSku?: Sku | null;
  /** ISO 8601. */
  readonly at: string;
  readonly origin?: Origin | undefined;
  /** Pinned. */
  readonly policy: ReturnPolicy;
}

export interface OpenedReturn {
  readonly number: string;
  readonly state: ReturnState;
}

interface Picked {
  readonly unit: UnitRecord;
  readonly asked: AskedBack;
}

/**
 * Puts a return on record, in the caller's transaction. A repeat (the same `returnId`) finds it.
 * @throws Failure `items_not_known`, `not_returnable`, `unit_claimed`, `exchange_not_possible`
 */
export async function openReturn(tx: Knex, input: NewReturn): Promise<OpenedReturn> {
  const { returnId, orderId, companyId, by, at, wanted, exchangeSku = null, policy, origin } = input;
  const order = await lockOrder(tx, orderId);
  const known: OpenedReturn | undefined = await tx('returns')
    .where({ id: returnId })
    .first({ number: 'number', state: 'state' });
  if (known) return known;
  if (order.companyId !== companyId) throw new Failure('items_not_known', 'This is not an order of the company.');
  if (wanted === 'exchange') await mustBeOffered(tx, exchangeSku);
  const picked = pick(order, await claimedOf(tx, orderId), input);
  const { zone } = await issuerOfSubscriptions(tx);
  const number = await nextOfYear(tx, 'return', localDate(Date.parse(at), zone), formatReturnNumber);
  const data = {
    number,
    orderId,
    wanted,
    units: picked.map(({ unit }) => ({ orderItemId: unit.orderItemId, number: unit.number })),
  };
  await recordEvent(tx, {
    key: `rma/${returnId}/requested`,
    type: 'return.requested',
    companyId,
    by,
    subject: `rma/${returnId}`,
    origin,
    data,
    at,
  });
  await tx('returns').insert({
    id: returnId,
    number,
    order_id: orderId,
    company_id: companyId,
    requested_by: by,
    state: 'requested',
    policy: JSON.stringify(policy),
    wanted,
    exchange_sku: exchangeSku,
    requested_at: at,
    state_since: at,
    updated_at: at,
  });
  await claim(tx, returnId, picked);
  await writeReturnLetter(tx, 'return_requested', { returnId, to: 'customer', at });
  return { number, state: 'requested' };
}

async function mustBeOffered(tx: Knex, sku: Sku | null): Promise<void> {
  const product = sku === null ? undefined : (await productsBySku(tx, [sku])).get(sku);
  if (!product?.isOffered)
    throw new Failure('exchange_not_possible', 'Say for which product on offer it is exchanged.');
}

const nameOf = ({ orderItemId, number }: Pick<UnitRecord, 'orderItemId' | 'number'>): string =>
  `${orderItemId}/${number}`;

async function claimedOf(tx: Knex, orderId: OrderId): Promise<ReadonlySet<string>> {
  const rows: { orderItemId: OrderItemId; number: number }[] = await tx('return_units as u')
    .join('order_items as i', 'i.id', 'u.order_item_id')
    .where('i.order_id', orderId)
    .whereIn('u.state', [...CLAIMING_UNIT_STATES])
    .select({ orderItemId: 'u.order_item_id', number: 'u.number' });
  return new Set(rows.map(nameOf));
}

// ---- which units ----------------------------------------------------------------------------------------------------

function pick(order: OrderRecord, claimed: ReadonlySet<string>, { items, policy, at }: NewReturn): Picked[] {
  const picked: Picked[] = [];
  for (const asked of items) {
    const item = order.items.find(({ id }) => id === asked.orderItemId);
    if (!item) throw new Failure('items_not_known', `The order has no item ${asked.orderItemId}.`);
    const left = order.units.filter((unit) => unit.orderItemId === item.id && !picked.some((one) => one.unit === unit));
    const refusalOf = (unit: UnitRecord) =>
      refuseUnit(factsOf(item, unit, asked, claimed.has(nameOf(unit))), policy, Date.parse(at));
    const free =
      asked.number === undefined
        ? left.filter((unit) => refusalOf(unit) === null)
        : left.filter(({ number }) => number === asked.number);
    const wanted = asked.number === undefined ? (asked.quantity ?? 1) : 1;
    const units = free.slice(0, wanted);
    const refusal =
      units.map(refusalOf).find((found) => found !== null) ?? (units.length < wanted ? whyNot(left, refusalOf) : null);
    if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
    picked.push(...units.map((unit) => ({ unit, asked })));
  }
  if (picked.length === 0) throw new Failure('items_not_known', 'Say which units are sent back.');
  return picked;

  /** More is asked back than can be: of those that cannot be, the one that says most. */
  function whyNot(left: readonly UnitRecord[], refusalOf: (unit: UnitRecord) => ReturnType<typeof refuseUnit>) {
    const refusals = left.map(refusalOf).filter((found) => found !== null);
    const [first] = refusals.toSorted((a, b) => rankOf(a.code) - rankOf(b.code));
    return first ?? ({ code: 'items_not_known', message: 'The item has fewer units than that.', facts: {} } as const);
  }
}

const rankOf = (code: string): number => (code === 'unit_claimed' ? 0 : 1);

const factsOf = (item: ItemRecord, unit: UnitRecord, asked: AskedBack, isClaimed: boolean) => ({
  state: unit.state,
  deliveredAt: unit.deliveredAt?.getTime() ?? null,
  returnDays: item.returnDays,
  isFinalSale: item.isFinalSale,
  isHygiene: item.isHygiene,
  isClaimed,
  reason: asked.reason,
  condition: asked.condition ?? null,
});

/** The lock of the order keeps two apart; should anything have come past it, the index does. */
async function claim(tx: Knex, returnId: ReturnId, picked: readonly Picked[]): Promise<void> {
  const rows = picked.map(({ unit, asked }) => ({
    return_id: returnId,
    order_item_id: unit.orderItemId,
    number: unit.number,
    state: 'requested',
    reason: asked.reason,
    claimed_condition: asked.condition ?? null,
  }));
  try {
    await tx('return_units').insert(rows);
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new Failure('unit_claimed', 'Another return has one of these units in hand.', {}, { cause: error });
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'return_units_one_claim';
