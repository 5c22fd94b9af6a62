/** The statement of a return on record, the money that it leads to, and how that stands. */
import type { Knex } from 'knex';
import type { CompanyId, OrderId, RefundId, ReturnId, UserId } from '../domain/ids.ts';
import type { MoneyPolicy } from '../domain/payments.ts';
import {
  costOf,
  eachPart,
  type StatedUnit,
  type Statement,
  shareOf,
  statementOf,
  type UnitCost,
  type UnitName,
  type UnitResult,
} from '../domain/return-money.ts';
import type { Resolution, ReturnPolicy } from '../domain/returns.ts';
import { recordEvent } from './events.ts';
import { payBack } from './goods-refunds.ts';
import { giveBack } from './order-moves.ts';
import {
  type Brought,
  broughtBy,
  costIn,
  type Digits,
  type FamilyUnit,
  familyOf,
  isTakenBack,
  paidFor,
  type Source,
  sourcesOf,
  standInsOf,
  worthOf,
} from './return-family.ts';

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

/** `returns.statement`: amounts are minor units as digits. */
export interface StoredStatement {
  readonly lines: readonly Digits<Statement['lines'][number]>[];
  readonly deductions: readonly Digits<Statement['deductions'][number]>[];
  readonly refundMinor: string;
  readonly byUnit: readonly Digits<UnitResult>[];
}

const stored = (statement: Statement): string =>
  JSON.stringify(statement, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

const resultsIn = ({ byUnit }: StoredStatement): (UnitName & UnitCost)[] =>
  byUnit.map(({ orderItemId, number, ...unit }) => ({ orderItemId, number, ...costIn(unit) }));

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

async function statementNow(tx: Knex, returnId: ReturnId, row: ReturnRow): Promise<Statement> {
  const family = await familyOf(tx, returnId, row.orderId);
  const isPaid = ({ state }: FamilyUnit): boolean =>
    state === 'accepted' || state === 'kept' || (row.isWaived && state === 'declined');
  // A unit that came back for another one is not given up: its order is not undone by it, unless the other one comes back as well.
  const isBack = (unit: FamilyUnit): boolean => {
    if (isPaid(unit) || unit.unitState === 'cancelled') return true;
    if (unit.unitState !== 'returned') return false;
    if (!unit.isReplaced || unit.isCalledOff) return true;
    const standIns = standInsOf(family, unit);
    return standIns.length > 0 && standIns.every(isBack);
  };
  const others = family.filter((unit) => !isPaid(unit));
  // The shipping of what was replaced goes back with what replaced it, or with the money instead of that.
  const isSettled = (unit: FamilyUnit): boolean =>
    unit.isCalledOff ? unit.givenBackMinor > 0n : standInsOf(family, unit).length === 0;
  const earlier = others.filter((unit) => !unit.state && isBack(unit) && isSettled(unit));
  return statementOf(
    family.flatMap((unit): StatedUnit[] => {
      const { state, reason, condition } = unit;
      return state && reason ? [{ state, reason, condition, ...worthOf(family, unit) }] : [];
    }),
    row.policy,
    {
      completesOrder: others.every(isBack),
      taxRule: family.find(({ taxRule }) => taxRule !== null)?.taxRule ?? null,
      isWaived: row.isWaived,
      earlier: earlier.map((unit) => worthOf(family, unit)),
    },
  );
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
  const stated = BigInt(statement.refundMinor);
  // The first word counts: a repeat may come after the record has moved on.
  const wanted = payoutMinor ?? wantedOf(wish, stated);
  const sources = await sourcesNow(tx, { returnId, orderId, statement }, wanted);
  const orderIds = [...new Set(sources.map((source) => source.orderId))];
  if (payoutMinor === null)
    await tx('returns').where({ id: returnId }).update({ payout_minor: wanted, updated_at: at });
  const open = attempt === 0 ? wanted : wanted - (await standingOf(tx, returnId)).standing;
  const { refundIds, creditMinor } =
    open > 0n
      ? await payBack(tx, {
          key: `rma/${returnId}/${attempt}`,
          orderId,
          returnId,
          companyId,
          units: shareOf(sources, open),
          asCredit: resolution === 'store_credit',
          reason: 'goods_returned',
          requestedBy: reviewedBy,
          policy,
          at,
        })
      : { refundIds: [], creditMinor: 0n };
  // Once the refunds are on record: an order is refunded when none of them is on its way any more.
  if (payoutMinor === null)
    for (const id of orderIds)
      await claim(
        tx,
        { returnId, orderId: id, at },
        sources.filter((source) => source.orderId === id),
      );
  return { refundIds, creditMinor, orderIds: orderIds.filter((id) => id !== orderId) };
}

function wantedOf({ resolution, amountMinor }: PayOut, stated: bigint): bigint {
  if (resolution === 'replacement') return 0n;
  const wanted = amountMinor ?? (resolution === 'exchange' ? 0n : stated);
  if (wanted < 0n || wanted > stated) throw new RangeError(`cannot pay out ${wanted} of ${stated}`);
  return wanted;
}

/** Out of which units so much of it comes. */
async function sourcesNow(tx: Knex, it: StatedReturn, wanted: bigint): Promise<Source[]> {
  const family = await familyOf(tx, it.returnId, it.orderId);
  const all = broughtBy(family, resultsIn(it.statement));
  const ofRest = await takenOfRest(tx, family, it);
  const taken =
    wanted === BigInt(it.statement.refundMinor)
      ? takenOf(all, wanted)
      : wanted === sumOf(ofRest)
        ? ofRest
        : takenOf(all.filter(isTakenBack), wanted);
  return taken.flatMap((one) => sourcesOf(family, one.one, one.taken));
}

interface StatedReturn {
  readonly returnId: ReturnId;
  readonly orderId: OrderId;
  readonly statement: StoredStatement;
}
interface Taken {
  readonly one: Brought;
  readonly taken: UnitCost;
}

const sumOf = (all: readonly Taken[]): bigint => all.reduce((sum, { taken }) => sum + costOf(taken), 0n);

/** What the exchange left over, and all of those units of which the other one was called off before it left. */
async function takenOfRest(tx: Knex, family: readonly FamilyUnit[], it: StatedReturn): Promise<Taken[]> {
  const brought = broughtBy(family, resultsIn(it.statement)).filter(isTakenBack);
  return takenOf(brought, await restOfExchange(tx, it.returnId)).map(({ one, taken }) => ({
    one,
    taken: one.unit.isCalledOff ? one.amount : taken,
  }));
}

/** What is paid of it although other goods have left for it. Minor units. */
export async function restOf(tx: Knex, returnId: ReturnId): Promise<bigint> {
  const { orderId, statement } = await returnRow(tx, returnId);
  if (!statement) return 0n;
  return sumOf(await takenOfRest(tx, await familyOf(tx, returnId, orderId), { returnId, orderId, statement }));
}

/** As it was reckoned when it was chosen. */
async function restOfExchange(tx: Knex, id: ReturnId): Promise<bigint> {
  const row: { refundMinor: string } | undefined = await tx('events')
    .where({ subject: `rma/${id}`, type: 'return.replacing' })
    .orderBy('id', 'desc')
    .first(tx.raw(`data ->> 'refundMinor' as "refundMinor"`));
  return BigInt(row?.refundMinor ?? 0);
}

const takenOf = (brought: readonly Brought[], amountMinor: bigint): Taken[] => {
  const shares = shareOf(
    brought.map(({ amount }) => amount),
    amountMinor,
  );
  return brought.flatMap((one, i) => (shares[i] ? [{ one, taken: shares[i] }] : []));
};

async function claim(
  tx: Knex,
  { returnId, orderId, at }: { readonly returnId: ReturnId; readonly orderId: OrderId; readonly at: string },
  units: readonly Source[],
): Promise<void> {
  const claimed = units
    .map((unit) => ({ orderItemId: unit.orderItemId, number: unit.number, amountMinor: costOf(unit) }))
    .filter(({ amountMinor }) => amountMinor > 0n);
  if (claimed.length > 0) await giveBack(tx, { orderId, units: claimed, key: `rma/${returnId}`, at });
}

// ---- what replaces it -----------------------------------------------------------------------------------------------

/** Of a unit that came back, what the one that replaces it inherits: that was paid for with it. */
export interface Handed {
  readonly unit: FamilyUnit;
  readonly cost: UnitCost;
  readonly isShippingPrice: boolean;
}

/**
 * As its statement says, unit by unit in the order in which they were bought.
 * @param kind an exchange hands on what it does not pay back; in a replacement nothing goes back, and the whole shipping goes along
 * @param refundMinor what the exchange pays back of it
 */
export async function handedOn(
  tx: Knex,
  returnId: ReturnId,
  { kind, refundMinor }: { readonly kind: 'replacement' | 'exchange'; readonly refundMinor: bigint },
): Promise<Handed[]> {
  const { orderId, statement } = await returnRow(tx, returnId);
  if (!statement) throw new Error(`return ${returnId} has no statement`);
  const family = await familyOf(tx, returnId, orderId);
  const brought = broughtBy(family, resultsIn(statement)).filter(isTakenBack);
  return takenOf(brought, refundMinor).flatMap(({ one: { unit, amount }, taken }) => {
    const rest = eachPart((part) => amount[part] - taken[part]);
    if (costOf(amount) === 0n) return kind === 'exchange' ? [{ unit, cost: rest, isShippingPrice: false }] : [];
    const { shippingNetMinor, shippingTaxMinor } = paidFor(unit);
    const isSpent =
      unit.isShippingPrice || (kind === 'exchange' && amount.shippingNetMinor + amount.shippingTaxMinor > 0n);
    // The shipping is given back at most once, and only with all of the order: as long as it was not, it is still to come.
    return [{ unit, cost: isSpent ? rest : { ...rest, shippingNetMinor, shippingTaxMinor }, isShippingPrice: isSpent }];
  });
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
