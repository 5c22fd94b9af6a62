/** The statement of a return on record, the money that it leads to, and how that stands. */
import type { Knex } from 'knex';
import type { CompanyId, OrderId, OrderItemId, RefundId, ReturnId, UserId } from '../domain/ids.ts';
import { allotByLargestRemainder, type TaxRule } from '../domain/invoicing.ts';
import type { UnitState } from '../domain/orders.ts';
import type { MoneyPolicy } from '../domain/payments.ts';
import {
  type EarlierUnit,
  type StatedUnit,
  type Statement,
  statementOf,
  type UnitCost,
  type UnitName,
  type UnitResult,
} from '../domain/return-money.ts';
import type { Resolution, ReturnPolicy } from '../domain/returns.ts';
import { recordEvent } from './events.ts';
import { payBack } from './goods-refunds.ts';
import { giveBack } from './order-moves.ts';

export interface WrittenStatement {
  /** 1 first. Each version is accepted anew. */
  readonly version: number;
  /** What was declined or never came counts as one. */
  readonly hasDeductions: boolean;
  readonly refundMinor: bigint;
}

interface ReturnRow {
  readonly orderId: OrderId;
  readonly companyId: CompanyId;
  readonly policy: ReturnPolicy;
  readonly reviewedBy: UserId | null;
  readonly isWaived: boolean;
  readonly version: number;
  readonly statement: StoredStatement | null;
  readonly refundMinor: bigint | null;
  readonly payoutMinor: bigint | null;
}

async function returnRow(db: Knex, id: ReturnId): Promise<ReturnRow> {
  const row: ReturnRow | undefined = await db('returns').where({ id }).first({
    orderId: 'order_id',
    companyId: 'company_id',
    policy: 'policy',
    reviewedBy: 'reviewed_by',
    isWaived: 'deductions_waived',
    version: 'statement_version',
    statement: 'statement',
    refundMinor: 'refund_minor',
    payoutMinor: 'payout_minor',
  });
  if (!row) throw new Error(`return ${id} does not exist`);
  return row;
}

// ---- as it is kept --------------------------------------------------------------------------------------------------

type Digits<T> = { readonly [Key in keyof T]: T[Key] extends bigint ? string : T[Key] };

/** `returns.statement`: amounts are minor units as digits. */
export interface StoredStatement {
  readonly lines: readonly Digits<Statement['lines'][number]>[];
  readonly deductions: readonly Digits<Statement['deductions'][number]>[];
  readonly refundMinor: string;
  readonly byUnit: readonly Digits<UnitResult>[];
}

const stored = (statement: Statement): string =>
  JSON.stringify(statement, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

const costIn = (unit: Digits<UnitCost>): UnitCost => ({
  netMinor: BigInt(unit.netMinor),
  taxMinor: BigInt(unit.taxMinor),
  shippingNetMinor: BigInt(unit.shippingNetMinor),
  shippingTaxMinor: BigInt(unit.shippingTaxMinor),
});

/**
 * Adds up what the return brings as it stands, and puts it on record: a new version only where it differs from the last. Once
 * money has begun to move it stays what it was. With `returns.deductions_waived` what came back is paid for in full. The
 * caller has locked the return.
 */
export async function writeStatement(tx: Knex, returnId: ReturnId, at: string): Promise<WrittenStatement> {
  const row = await returnRow(tx, returnId);
  const { version, payoutMinor, statement: before } = row;
  if (payoutMinor !== null && before) {
    return { version, hasDeductions: before.deductions.length > 0, refundMinor: BigInt(before.refundMinor) };
  }
  const statement = await statementNow(tx, returnId, row);
  const hasDeductions = statement.deductions.length > 0;
  const { refundMinor } = statement;
  const json = stored(statement);
  const isSame: unknown = await tx('returns')
    .where({ id: returnId })
    .whereRaw('statement = ?::jsonb', [json])
    .first('id');
  if (isSame !== undefined) return { version, hasDeductions, refundMinor };
  await recordEvent(tx, {
    key: `rma/${returnId}/stated/${version + 1}`,
    type: 'return.stated',
    companyId: row.companyId,
    subject: `rma/${returnId}`,
    data: { version: version + 1, refundMinor: refundMinor.toString(), deductions: statement.deductions.length },
    at,
  });
  await tx('returns')
    .where({ id: returnId })
    .update({ statement: json, statement_version: version + 1, refund_minor: refundMinor, updated_at: at });
  await tx.raw(UNITS, { returnId, units: json });
  return { version: version + 1, hasDeductions, refundMinor };
}

const UNITS = `
  update return_units u set deduction_minor = coalesce(s."deductionMinor", 0), refund_minor = s."refundMinor"
  from return_units r left join jsonb_to_recordset(cast(:units as jsonb) -> 'byUnit') as
    s ("orderItemId" uuid, number smallint, "deductionMinor" bigint, "refundMinor" bigint)
    on s."orderItemId" = r.order_item_id and s.number = r.number
  where r.return_id = :returnId and u.return_id = r.return_id and u.order_item_id = r.order_item_id and u.number = r.number`;

interface FamilyUnit extends EarlierUnit {
  readonly orderId: OrderId;
  readonly unitState: UnitState;
  readonly taxRule: TaxRule | null;
  /** It came back for another one. */
  readonly isReplaced: boolean;
  readonly standsForItem: OrderItemId | null;
  readonly standsForNumber: number | null;
  /** What the unit that it stands for had brought. */
  readonly inherited: UnitCost;
  /** In this return; null = it is not. */
  readonly state: StatedUnit['state'] | null;
  readonly reason: StatedUnit['reason'] | null;
  readonly condition: StatedUnit['condition'];
}

// A unit that came back for another one is not given up: its order is not undone by it, unless the other one comes back as well.
const FAMILY = `
  with recursive up as (
    select cast(:orderId as uuid) as id
    union
    select b.order_id from up join order_units u on u.order_id = up.id
      join order_units b on b.order_item_id = u.stands_for_item and b.number = u.stands_for_number
  ), family as (
    select id from up
    union
    select s.order_id from family join order_units b on b.order_id = family.id
      join order_units s on s.stands_for_item = b.order_item_id and s.stands_for_number = b.number
  )
  select u.order_id as "orderId", u.order_item_id as "orderItemId", u.number, u.state as "unitState",
    u.net_minor as "netMinor", u.tax_minor as "taxMinor", u.shipping_net_minor as "shippingNetMinor",
    u.shipping_tax_minor as "shippingTaxMinor", u.given_back_minor as "givenBackMinor",
    u.stands_for_item as "standsForItem", u.stands_for_number as "standsForNumber",
    jsonb_build_object('netMinor', u.inherited_net_minor::text, 'taxMinor', u.inherited_tax_minor::text,
      'shippingNetMinor', u.inherited_shipping_net_minor::text, 'shippingTaxMinor', u.inherited_shipping_tax_minor::text) as inherited,
    r.state, r.reason, r.condition, n.tax_rule as "taxRule",
    exists (select from return_units x join returns e on e.id = x.return_id
      where x.order_item_id = u.order_item_id and x.number = u.number and x.return_id <> :returnId
        and x.state in ('accepted', 'kept') and e.resolution in ('replacement', 'exchange')) as "isReplaced"
  from family f
  join order_units u on u.order_id = f.id
  join order_items i on i.id = u.order_item_id
  left join return_units r on r.order_item_id = u.order_item_id and r.number = u.number and r.return_id = :returnId
  left join invoices n on n.id = u.invoice_id
  order by u.order_id = :orderId desc, u.order_id, i.position, u.number`;

/** The units of the order, of the one that it replaces, and of those that replace it. */
async function familyOf(tx: Knex, returnId: ReturnId, orderId: OrderId): Promise<FamilyUnit[]> {
  type Row = Omit<FamilyUnit, 'inherited'> & { readonly inherited: Digits<UnitCost> };
  const { rows }: { rows: Row[] } = await tx.raw(FAMILY, { returnId, orderId });
  return rows.map((row) => ({ ...row, inherited: costIn(row.inherited) }));
}

const isSame = (unit: UnitName, orderItemId: OrderItemId | null, number: number | null): boolean =>
  unit.orderItemId === orderItemId && unit.number === number;

/** It, the one that it stands for, and so on to the one that was bought. */
function lineOfSources(family: readonly FamilyUnit[], unit: FamilyUnit): FamilyUnit[] {
  if (unit.standsForItem === null) return [unit];
  const before = family.find((one) => isSame(one, unit.standsForItem, unit.standsForNumber));
  return before ? [unit, ...lineOfSources(family, before)] : [unit];
}

async function statementNow(tx: Knex, returnId: ReturnId, row: ReturnRow): Promise<Statement> {
  const family = await familyOf(tx, returnId, row.orderId);
  const isPaid = ({ state }: FamilyUnit): boolean =>
    state === 'accepted' || state === 'kept' || (row.isWaived && state === 'declined');
  const isBack = (unit: FamilyUnit): boolean => {
    if (isPaid(unit) || unit.unitState === 'cancelled') return true;
    if (unit.unitState !== 'returned') return false;
    if (!unit.isReplaced) return true;
    const others = family.filter(
      (one) => one.unitState !== 'cancelled' && isSame(unit, one.standsForItem, one.standsForNumber),
    );
    return others.length > 0 && others.every(isBack);
  };
  const others = family.filter((unit) => !isPaid(unit));
  // Their shipping goes back with the one that stands for them.
  const told = new Set(family.filter(isPaid).flatMap((unit) => lineOfSources(family, unit)));
  return statementOf(
    family.flatMap((unit) => statedOf(family, unit)),
    row.policy,
    {
      completesOrder: others.every(isBack),
      taxRule: family.find(({ taxRule }) => taxRule !== null)?.taxRule ?? null,
      isWaived: row.isWaived,
      earlier: others.filter((unit) => !unit.state && !told.has(unit) && isBack(unit)),
    },
  );
}

/** With what it inherited, as far as the units that were bought still have it. */
function statedOf(family: readonly FamilyUnit[], unit: FamilyUnit): StatedUnit[] {
  const { orderItemId, number, state, reason, condition, inherited } = unit;
  if (!state || !reason) return [];
  const cost: UnitCost = {
    netMinor: unit.netMinor + inherited.netMinor,
    taxMinor: unit.taxMinor + inherited.taxMinor,
    shippingNetMinor: unit.shippingNetMinor + inherited.shippingNetMinor,
    shippingTaxMinor: unit.shippingTaxMinor + inherited.shippingTaxMinor,
  };
  const left = lineOfSources(family, unit).reduce((sum, one) => sum + costOf(one) - one.givenBackMinor, 0n);
  const gone = costOf(cost) - left;
  const givenBackMinor = greater(gone, unit.givenBackMinor);
  return [{ orderItemId, number, state, reason, condition, ...cost, givenBackMinor }];
}

// ---- paying it out --------------------------------------------------------------------------------------------------

export interface PayOut {
  readonly returnId: ReturnId;
  /** `replacement` pays nothing; `exchange` what `amountMinor` says. */
  readonly resolution: Resolution;
  /** ISO 8601. */
  readonly at: string;
  readonly policy: Pick<MoneyPolicy, 'refundApprovalAbove'>;
  /** Less than the statement says: what is left of it after an exchange. Minor units; absent = all of it. */
  readonly amountMinor?: bigint | undefined;
  /** From 1 on: what failed, was refused or called off before, once more. */
  readonly attempt?: number | undefined;
}

export interface PaidOut {
  /** Their processes are started by the caller, or by the minute's sweep. */
  readonly refundIds: readonly RefundId[];
  /** Given as credit already, minor units: what credit had paid. */
  readonly creditMinor: bigint;
  /** Whose units paid for what came back, other than the order of the return. */
  readonly orderIds: readonly OrderId[];
}

/**
 * Claims the money of the units and sends it on its way: back the way it came, or as credit. A repeat of the same attempt
 * finds the same refunds. What no payment could be found for is left open: `payoutOf` says `failed` then.
 * The caller has locked the return and its order.
 */
export async function payOut(tx: Knex, wish: PayOut): Promise<PaidOut> {
  const { returnId, resolution, at, policy, attempt = 0 } = wish;
  const { orderId, companyId, reviewedBy, statement, payoutMinor } = await returnRow(tx, returnId);
  if (!statement) throw new Error(`return ${returnId} has no statement`);
  const named = statement.byUnit.map(({ orderItemId, number, ...unit }) => ({ orderItemId, number, ...costIn(unit) }));
  const byUnit = paidBy(await familyOf(tx, returnId, orderId), named);
  // The first word counts: a repeat may come after the record has moved on.
  const wanted = payoutMinor ?? wantedOf(wish, BigInt(statement.refundMinor));
  const orderIds = new Set(byUnit.map((unit) => unit.orderId));
  if (resolution !== 'replacement')
    for (const id of orderIds)
      await claim(
        tx,
        { returnId, orderId: id, at },
        byUnit.filter((unit) => unit.orderId === id),
      );
  if (payoutMinor === null)
    await tx('returns').where({ id: returnId }).update({ payout_minor: wanted, updated_at: at });
  const open = attempt === 0 ? wanted : wanted - (await standingOf(tx, returnId)).standing;
  const others = [...orderIds].filter((id) => id !== orderId);
  if (open <= 0n) return { refundIds: [], creditMinor: 0n, orderIds: resolution === 'replacement' ? [] : others };
  const { refundIds, creditMinor } = await payBack(tx, {
    key: `rma/${returnId}/${attempt}`,
    orderId,
    returnId,
    companyId,
    units: scaled(byUnit, open),
    asCredit: resolution === 'store_credit',
    reason: 'goods_returned',
    requestedBy: reviewedBy,
    policy,
    at,
  });
  return { refundIds, creditMinor, orderIds: others };
}

function wantedOf({ resolution, amountMinor }: PayOut, stated: bigint): bigint {
  if (resolution === 'replacement') return 0n;
  const wanted = amountMinor ?? (resolution === 'exchange' ? 0n : stated);
  if (wanted < 0n || wanted > stated) throw new RangeError(`cannot pay out ${wanted} of ${stated}`);
  return wanted;
}

type Unit = UnitName & UnitCost;

/** Out of which units the money comes: of one that stands for another first out of the one that was bought, part by part. */
function paidBy(family: readonly FamilyUnit[], units: readonly Unit[]): (Unit & { readonly orderId: OrderId })[] {
  return units.flatMap((unit) => {
    const own = family.find((one) => isSame(one, unit.orderItemId, unit.number));
    if (!own) throw new Error(`unit ${unit.orderItemId}/${unit.number} is not in the order of its return`);
    let rest: UnitCost = unit;
    return lineOfSources(family, own)
      .toReversed()
      .flatMap((source) => {
        const taken = eachPart((part) => lesser(rest[part], source[part]));
        rest = eachPart((part) => rest[part] - taken[part]);
        const { orderId, orderItemId, number } = source;
        return costOf(taken) > 0n || source === own ? [{ orderId, orderItemId, number, ...taken }] : [];
      });
  });
}

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const greater = (a: bigint, b: bigint): bigint => (a < b ? b : a);
const eachPart = (of: (part: keyof UnitCost) => bigint): UnitCost => ({
  netMinor: of('netMinor'),
  taxMinor: of('taxMinor'),
  shippingNetMinor: of('shippingNetMinor'),
  shippingTaxMinor: of('shippingTaxMinor'),
});
const costOf = (unit: UnitCost): bigint =>
  unit.netMinor + unit.taxMinor + unit.shippingNetMinor + unit.shippingTaxMinor;

async function claim(
  tx: Knex,
  { returnId, orderId, at }: { readonly returnId: ReturnId; readonly orderId: OrderId; readonly at: string },
  units: readonly Unit[],
): Promise<void> {
  const claimed = units
    .map((unit) => ({ orderItemId: unit.orderItemId, number: unit.number, amountMinor: costOf(unit) }))
    .filter(({ amountMinor }) => amountMinor > 0n);
  if (claimed.length > 0) await giveBack(tx, { orderId, units: claimed, key: `rma/${returnId}`, at });
}

/** So much of these units, part by part by largest remainder. */
function scaled(units: readonly Unit[], amountMinor: bigint): Unit[] {
  const parts = units.flatMap((unit) => [unit.netMinor, unit.taxMinor, unit.shippingNetMinor, unit.shippingTaxMinor]);
  const shares = allotByLargestRemainder(amountMinor, parts);
  const at = (index: number): bigint => shares[index] ?? 0n;
  return units.map(({ orderItemId, number }, i) => ({
    orderItemId,
    number,
    netMinor: at(4 * i),
    taxMinor: at(4 * i + 1),
    shippingNetMinor: at(4 * i + 2),
    shippingTaxMinor: at(4 * i + 3),
  }));
}

// ---- how it stands --------------------------------------------------------------------------------------------------

// What came back late stands: finance has its case, and the refund that settles it is the return's as well.
const STANDING = `
  select (
      select coalesce(sum(r.amount_minor) filter (where r.state not in ('failed', 'rejected', 'cancelled')
          or exists (select from credit_notes c where c.refund_id = r.id)), 0)::bigint
      from refunds r where r.return_id = :id and r.case_id is null)
    + (
      select coalesce(-sum(p.amount_minor), 0)::bigint from events v
      join ledger_entries e on e.key = v.key join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit'
      where v.subject = :subject and v.type = 'invoice.credited') as standing,
    (select coalesce(sum(r.amount_minor) filter (where r.state = 'succeeded'), 0)::bigint from refunds r where r.return_id = :id)
    + (
      select coalesce(-sum(p.amount_minor), 0)::bigint from events v
      join ledger_entries e on e.key = v.key join ledger_postings p on p.entry_id = e.id and p.account = 'store_credit'
      where v.subject = :subject and v.type = 'invoice.credited') as arrived,
    exists (select from refunds r where r.return_id = :id and r.state not in ('succeeded', 'failed', 'rejected', 'cancelled')) as open`;

interface Standing {
  /** Minor units that are on their way or have arrived. */
  readonly standing: bigint;
  readonly arrived: bigint;
  readonly open: boolean;
}

async function standingOf(db: Knex, id: ReturnId): Promise<Standing> {
  const { rows }: { rows: Standing[] } = await db.raw(STANDING, { id, subject: `rma/${id}` });
  return rows[0] ?? { standing: 0n, arrived: 0n, open: false };
}

/** `open` while a refund is on its way or waits for somebody; `failed` where less has arrived than was to. */
export async function payoutOf(db: Knex, returnId: ReturnId): Promise<'open' | 'succeeded' | 'failed'> {
  const { payoutMinor } = await returnRow(db, returnId);
  const { arrived, open } = await standingOf(db, returnId);
  if (open) return 'open';
  return arrived >= (payoutMinor ?? 0n) ? 'succeeded' : 'failed';
}
