/** How a customer is made whole: the statement, what is chosen, accepted, disputed; then the money or another thing. */
import type { Knex } from 'knex';
import { Failure } from '../domain/failures.ts';
import { asId, type OrderId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { AcceptDeductionContent, DecideDisputeContent, ResolveContent } from '../domain/return-messages.ts';
import type { Resolution } from '../domain/returns.ts';
import { recordEachTime } from './events.ts';
import { lockOrder } from './order-records.ts';
import { placeOrder } from './orders.ts';
import { exchangeOf, standIn } from './return-exchange.ts';
import { payOut, payoutOf, restOf, writeStatement } from './return-money.ts';
import { ordersOf, payOutKey, type ReturnRecord, readReturn, writeReturn } from './return-records.ts';
import { change, iso, needsPerson, type Turn, tellCustomer, tellStaff, together } from './return-steps.ts';
import { orderPolicy } from './shop-policies.ts';
import { namedUuid } from './uuids.ts';

// ---- the statement --------------------------------------------------------------------------------------------------

/** Everything is known: what is deducted is told, and what the customer chooses is waited for. */
export async function openResolution(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const stated = await state(turn, await writeReturn(turn.tx, it, { state: 'resolution_pending' }, turn.at));
  await tellCustomer(turn, stated, 'return_inspected');
  if (!it.keepsItems) return stated;
  // There is nothing to choose: it was approved as a refund that leaves the goods where they are.
  return proceed(turn, await writeReturn(turn.tx, stated, { resolution: it.wanted }, turn.at));
}

/** What was accepted before was another statement. */
async function state(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  await writeStatement(turn.tx, it.id, iso(turn.at));
  return writeReturn(turn.tx, it, { accepted_version: null, accepted_at: null }, turn.at);
}

// ---- what is said of it ---------------------------------------------------------------------------------------------

export async function resolve(turn: Turn, it: ReturnRecord, said: ResolveContent): Promise<Refusal | null> {
  const { resolution } = said;
  const sku = resolution === 'exchange' ? (said.exchangeSku ?? it.exchangeSku) : it.exchangeSku;
  if (resolution === 'exchange' && sku === null) {
    return { code: 'exchange_not_possible', message: 'Say for which product it is exchanged.', facts: {} };
  }
  const columns = { resolution, exchange_sku: sku };
  const after = await change(turn, it, 'return.resolved', columns, { resolution, exchangeSku: sku });
  await proceed(turn, after);
  return null;
}

export async function acceptDeduction(
  turn: Turn,
  it: ReturnRecord,
  { version = it.statementVersion }: AcceptDeductionContent,
): Promise<Refusal | null> {
  if (version !== it.statementVersion) {
    return { code: 'statement_changed', message: 'There is a newer statement. Read it first.', facts: {} };
  }
  await acceptAndGoOn(turn, it, it.resolution ?? it.wanted);
  return null;
}

async function acceptAndGoOn(turn: Turn, it: ReturnRecord, resolution: Resolution): Promise<ReturnRecord> {
  const columns = {
    accepted_version: it.statementVersion,
    accepted_at: new Date(turn.at),
    disputed_at: null,
    resolution: resolution === 'exchange' && it.exchangeSku === null ? null : resolution,
  };
  const accepted = { version: it.statementVersion };
  return proceedOrOffer(turn, await change(turn, it, 'return.deduction_accepted', columns, accepted));
}

export async function dispute(turn: Turn, it: ReturnRecord): Promise<Refusal | null> {
  if (it.isDisputed) return null;
  const after = await change(
    turn,
    it,
    'return.disputed',
    { disputed_at: new Date(turn.at) },
    { version: it.statementVersion },
  );
  await tellCustomer(turn, after, 'return_disputed');
  await tellStaff(turn, after, 'disputed', 'supervisor');
  return null;
}

/** Not by whoever found the goods to be in that state. */
export async function decideDispute(
  turn: Turn,
  it: ReturnRecord,
  { decision, note }: DecideDisputeContent,
): Promise<Refusal | null> {
  if (!it.isDisputed) return { code: 'return_not_open', message: 'Nothing is disputed.', facts: { state: it.state } };
  if (it.units.some(({ inspectedBy }) => inspectedBy !== null && inspectedBy === turn.by)) {
    return { code: 'not_your_return', message: 'You inspected it: somebody else decides the dispute.', facts: {} };
  }
  const columns = { disputed_at: null, startsAnew: true, ...(decision === 'waive' ? { deductions_waived: true } : {}) };
  const decided = await change(turn, it, 'return.dispute_decided', columns, { decision });
  // Either way it is stated anew, and accepted anew where something is deducted.
  const stated = await state(turn, decided);
  await tellCustomer(turn, stated, 'return_dispute_decided', { note });
  if (it.state === 'resolution_pending') await proceedOrOffer(turn, stated);
  return null;
}

/** Nobody has chosen: as the policy says, on the newest statement. Both sides were told that it would be so. */
export async function resolveByDefault(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const { hasDeductions, statementVersion: version } = it;
  const resolution = it.resolution ?? it.policy.defaultResolution;
  const columns = {
    resolution,
    ...(hasDeductions ? { accepted_version: version, accepted_at: new Date(turn.at) } : {}),
  };
  const after = await change(turn, it, 'return.defaulted', columns, { resolution, version });
  await tellCustomer(turn, after, 'return_resolution_defaulted', { resolution });
  return proceedOrOffer(turn, after);
}

// ---- going on -------------------------------------------------------------------------------------------------------

/** Where nothing is open any more. @throws Failure `out_of_stock`, `exchange_not_possible` */
export async function proceed(turn: Turn, given: ReturnRecord): Promise<ReturnRecord> {
  const it = await asOfNow(turn, given);
  const { resolution } = it;
  const isOpen = it.hasDeductions && it.acceptedVersion !== it.statementVersion;
  if (it.isDisputed || isOpen || resolution === null || it.state !== 'resolution_pending') return it;
  return resolution === 'refund' || resolution === 'store_credit' ? pay(turn, it, { resolution }) : replace(turn, it);
}

/** What was declined here may have been sent back once more, and paid for there: nobody is paid for it twice. */
async function asOfNow({ tx, at }: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  if (it.state !== 'resolution_pending' || it.statementVersion === 0) return it;
  const { version } = await writeStatement(tx, it.id, iso(at));
  return version === it.statementVersion ? it : readReturn(tx, it.id);
}

/** What cannot be had is not waited for: the customer chooses once more, and by default has the money. */
async function proceedOrOffer(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  try {
    return await together(turn, (inner) => proceed(inner, it));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return offerRefund(turn, it);
  }
}

/** @param it in `replacing`, or just about to be */
export async function offerRefund(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const columns = {
    state: 'resolution_pending',
    resolution: null,
    replacement_order_id: null,
    manual_reasons: [],
    startsAnew: true,
  } as const;
  const after = await change(turn, it, 'return.resolved', columns, { resolution: null, reason: 'out_of_stock' });
  await tellCustomer(turn, after, 'return_resolution_reminder');
  await tellStaff(turn, after, 'out_of_stock');
  return after;
}

interface Payment {
  readonly resolution: 'refund' | 'store_credit' | 'exchange';
  /** Minor units; absent = all of the statement. */
  readonly amountMinor?: bigint;
}

/** From here only forwards. */
export async function pay(turn: Turn, it: ReturnRecord, { resolution, amountMinor }: Payment): Promise<ReturnRecord> {
  const { tx, at } = turn;
  const amount = amountMinor ?? it.refundMinor ?? 0n;
  if (amount === 0n) return close(turn, it, 'closed_refunded');
  const attempt = await paidBefore(tx, it);
  await recordEachTime(tx, {
    key: payOutKey(it.id),
    type: 'return.refunding',
    companyId: it.companyId,
    subject: `rma/${it.id}`,
    ...(turn.by ? { by: turn.by } : {}),
    data: { from: it.state, to: 'refunding', resolution, amountMinor: String(amount) },
    at: iso(at),
  });
  const sent = await writeReturn(tx, it, { state: 'refunding', ...(it.replacement ? {} : { resolution }) }, at);
  const { refundIds, creditMinor, orderIds } = await payOut(tx, {
    returnId: it.id,
    resolution,
    at: iso(at),
    policy: turn.refundPolicy,
    ...(amountMinor === undefined ? {} : { amountMinor }),
    ...(attempt === 0 ? {} : { attempt }),
  });
  turn.news.refundIds.push(...refundIds);
  turn.news.changed.push(...orderIds);
  // The order's process prints the credit note of what credit had paid.
  if (creditMinor > 0n) turn.news.changed.push(it.orderId);
  await tellCustomer(turn, sent, resolution === 'store_credit' ? 'return_store_credit' : 'return_refund_sent');
  return settleMoney(turn, await readReturn(tx, it.id));
}

async function paidBefore(tx: Knex, it: ReturnRecord): Promise<number> {
  const row: { n: number } | undefined = await tx('events')
    .where({ subject: `rma/${it.id}`, type: 'return.refunding' })
    .first(tx.raw('count(*)::int as n'));
  return row?.n ?? 0;
}

/** What has become of the money: only the refunds' own word counts. */
export async function settleMoney(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const isClosed = it.state === 'closed_refunded' || it.state === 'closed_mixed';
  if (!it.isPayingOut || !(isClosed || it.state === 'refunding' || isWaitingForMoney(it))) return it;
  switch (await payoutOf(turn.tx, it.id)) {
    case 'open':
      return it;
    case 'succeeded':
      return isClosed ? it : close(turn, it, it.replacement ? 'closed_mixed' : 'closed_refunded');
    case 'failed':
      // A person has seen that it failed, and has said how it went on.
      return it.manualReasons.includes('refund_failed') ? it : needsPerson(turn, it, 'refund_failed', 'refund_failed');
  }
}

const isWaitingForMoney = (it: ReturnRecord): boolean =>
  it.state === 'manual_review' && it.manualReasons.every((reason) => reason.startsWith('refund_'));

export async function close(
  turn: Turn,
  it: ReturnRecord,
  state: 'closed_refunded' | 'closed_replaced' | 'closed_mixed',
): Promise<ReturnRecord> {
  const after = await change(turn, it, 'return.closed', { state });
  // None of their money is on its way any more: they may be refunded by now.
  turn.news.changed.push(...(await ordersOf(turn.tx, it.id)));
  if (state !== 'closed_replaced') await tellCustomer(turn, after, 'return_refund_done');
  return after;
}

// ---- another thing --------------------------------------------------------------------------------------------------

/** @throws Failure `out_of_stock`, `exchange_not_possible`: then nothing of it has happened */
export async function replace(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const { tx, at } = turn;
  const { items, chargeMinor, refundMinor, kind } = await exchangeOf(tx, it, at);
  const orderId = await replacementId(tx, it);
  const order = await placeOrder(tx, {
    orderId,
    companyId: it.companyId,
    by: it.requestedBy,
    kind,
    returnId: it.id,
    items,
    shipTo: { likeOrder: it.orderId },
    ...(chargeMinor > 0n ? { chargeMinor } : {}),
    at: iso(at),
    policy: await orderPolicy(tx, new Date(at)),
  });
  await standIn(tx, it.id, { orderId, kind, refundMinor });
  // Also of one that is paid for first: nobody pays a difference for what is not there.
  const { units } = await lockOrder(tx, orderId);
  if (order.state === 'backordered' || units.some((unit) => unit.state === 'waiting'))
    throw new Failure('out_of_stock', 'There is not enough of it. Choose a refund.');
  turn.news.placed.push(orderId);
  const columns = { state: 'replacing', replacement_order_id: orderId } as const;
  const data = { orderId, chargeMinor: String(chargeMinor), refundMinor: String(refundMinor) };
  return change(turn, it, 'return.replacing', columns, data);
}

async function replacementId(tx: Knex, it: ReturnRecord): Promise<OrderId> {
  const row: { n: number } | undefined = await tx('orders')
    .where({ return_id: it.id })
    .first(tx.raw('count(*)::int as n'));
  return asId<OrderId>(namedUuid(`rma/${it.id}/replacement/${(row?.n ?? 0) + 1}`));
}

/** It has left; or it never will. */
export async function settleReplacement(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const { replacement } = it;
  if (!replacement || !(it.state === 'replacing' || isWaitingForGoods(it))) return it;
  if (replacement.state === 'cancelled') return offerRefund(turn, it);
  const hasLeft = replacement.shippedAt !== null && !['partially_shipped', 'on_hold'].includes(replacement.state);
  if (!hasLeft) return it;
  await tellCustomer(turn, it, 'return_replacement_sent');
  const amountMinor = await restOf(turn.tx, it.id);
  if (amountMinor > 0n) return pay(turn, it, { resolution: 'exchange', amountMinor });
  // Nothing is paid; what came back is settled all the same.
  const { refundPolicy: policy, tx, at } = turn;
  const resolution = it.resolution ?? 'replacement';
  await payOut(tx, { returnId: it.id, resolution, at: iso(at), policy, amountMinor });
  return close(turn, it, 'closed_replaced');
}

/** People were told that it takes long; nothing else is amiss. */
const isWaitingForGoods = (it: ReturnRecord): boolean =>
  it.state === 'manual_review' && !it.isPayingOut && it.manualReasons.every((code) => code === 'replacement_overdue');
