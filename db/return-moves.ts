/**
 * What becomes of a return: each message and each rung of its timers is one transaction, which first books what others have
 * done meanwhile (the carrier, the refunds, the order that replaces it). Who comes again finds it done.
 */
import type { Knex } from 'knex';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { ReturnId, ShopMessageId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { ReturnMessage } from '../domain/return-messages.ts';
import { nextReturnDue, type ReturnDue, type ReturnStanding } from '../domain/return-timeline.ts';
import { type ReturnState, refuseReturnMessage } from '../domain/returns.ts';
import type { StaffReason } from '../domain/shop-mail.ts';
import type { OrderTools } from './order-cancellation.ts';
import { goOn } from './return-continuing.ts';
import { giveUpRest, inspect, parcelArrived, receive } from './return-inspection.ts';
import {
  labelIdOf,
  lockReturn,
  noteRung,
  type ReturnRecord,
  readReturn,
  standingOf,
  turnUnits,
  writeReturn,
} from './return-records.ts';
import {
  acceptDeduction,
  decideDispute,
  dispute,
  openResolution,
  resolve,
  resolveByDefault,
  settleMoney,
  settleReplacement,
} from './return-resolution.ts';
import { approve, cancel, provideInfo, reject, releaseUnits, requestInfo } from './return-review.ts';
import {
  change,
  iso,
  needsPerson,
  newsOf,
  noNews,
  type ReturnNews,
  type Turn,
  takeBack,
  tell,
  tellCustomer,
  tellStaff,
  together,
} from './return-steps.ts';
import { answerShopMessage, lockShopMessage } from './shop-messages.ts';

const DAY_MS = 86_400_000;

export type ReturnTools = OrderTools;

export interface ReturnMoved {
  readonly standing: ReturnStanding;
  readonly news: ReturnNews;
}

const turnOf = (tx: Knex, tools: ReturnTools, at: number, key: string): Turn => ({
  tx,
  ...tools,
  at,
  key,
  news: noNews(),
});
const keyOf = ({ state, stateSince }: ReturnRecord, step: string): string => `${state}/${stateSince}/${step}`;

// ---- its process has it in hand -------------------------------------------------------------------------------------

/** Read, and what had only been asked for is under review. Safe to repeat. */
export async function take(tx: Knex, tools: ReturnTools, id: ReturnId, at: number): Promise<ReturnStanding> {
  const it = await lockReturn(tx, id);
  const turn = turnOf(tx, tools, at, keyOf(it, 'taken'));
  if (it.state === 'requested') {
    await change(turn, it, 'return.under_review', { state: 'under_review', taken_at: new Date(at) });
  } else await writeReturn(tx, it, { taken_at: new Date(at) }, at);
  return standingOf(await readReturn(tx, id));
}

// ---- what people say ------------------------------------------------------------------------------------------------

export interface SaidToReturn {
  readonly returnId: ReturnId;
  readonly messageId: ShopMessageId;
  readonly at: number;
  readonly origin?: Origin | undefined;
}

/** Applied or refused, once; whoever asks again hears the same. */
export async function act(
  tx: Knex,
  tools: ReturnTools,
  { returnId, messageId, at, origin }: SaidToReturn,
): Promise<ReturnMoved & { readonly refusal: Refusal | null }> {
  const before = await lockReturn(tx, returnId);
  const { answer, by, subject } = await lockShopMessage(tx, messageId);
  if (subject !== `rma/${returnId}`) throw new Error(`message ${messageId} is about ${subject}, not rma/${returnId}`);
  const turn: Turn = { ...turnOf(tx, tools, at, `message/${messageId}`), by, origin };
  if (answer) return { standing: standingOf(before), news: noNews(), refusal: answer.refusal };
  const it = await settled({ ...turnOf(tx, tools, at, keyOf(before, 'settled')), news: turn.news }, before);
  const said: ReturnMessage | undefined = await tx('shop_messages')
    .where({ id: messageId })
    .first({ kind: 'kind', content: 'content' });
  if (!said) throw new Error(`message ${messageId} is not on record`);
  const refusal = refuseReturnMessage(said.kind, it.state) ?? (await tried(turn, it, said));
  await answerShopMessage(tx, messageId, refusal, iso(at));
  return { standing: standingOf(await readReturn(tx, returnId)), news: newsOf(turn), refusal };
}

/** What is refused has changed nothing. */
async function tried(turn: Turn, it: ReturnRecord, said: ReturnMessage): Promise<Refusal | null> {
  try {
    await together(turn, async (inner) => {
      const refusal = await obey(inner, it, said);
      if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
    });
    return null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, message: error.message, facts: error.facts };
  }
}

async function obey(turn: Turn, it: ReturnRecord, said: ReturnMessage): Promise<Refusal | null> {
  switch (said.kind) {
    case 'approve':
      return approve(turn, it, said.content);
    case 'reject':
      return reject(turn, it, said.content);
    case 'request_info':
      return requestInfo(turn, it, said.content);
    case 'provide_info':
      return provideInfo(turn, it, said.content);
    case 'cancel':
      return cancel(turn, it, said.content);
    case 'receive':
      return receive(turn, it, said.content);
    case 'inspect':
      return inspect(turn, it, said.content);
    case 'resolve':
      return resolve(turn, it, said.content);
    case 'accept_deduction':
      return acceptDeduction(turn, it, said.content);
    case 'dispute':
      return dispute(turn, it);
    case 'decide_dispute':
      return decideDispute(turn, it, said.content);
    case 'continue':
      return goOn(turn, it, said.content);
  }
}

// ---- what it does by itself -----------------------------------------------------------------------------------------

export interface AdvanceReturn {
  readonly returnId: ReturnId;
  readonly at: number;
  /** The carrier was asked for a label and gave none: it is asked again, and staff sees that. */
  readonly labelFailed?: boolean | undefined;
}

/** Books what is news, or does one thing that is due; with nothing of both it only reads. Safe to repeat. */
export async function advance(
  tx: Knex,
  tools: ReturnTools,
  { returnId, at, labelFailed }: AdvanceReturn,
): Promise<ReturnMoved> {
  const before = await lockReturn(tx, returnId);
  const turn = turnOf(tx, tools, at, keyOf(before, 'settled'));
  let it = await settled(turn, before);
  if (labelFailed && it.state === 'approved') {
    it = await change(turn, it, 'return.label_failed', { state: 'label_pending' });
  } else if (it.state === before.state && it.statementVersion === before.statementVersion) {
    const due = nextReturnDue(standingOf(it), at);
    if (due && due.at <= at) await climb({ ...turn, key: keyOf(it, due.rung) }, it, due);
  }
  return { standing: standingOf(await readReturn(tx, returnId)), news: newsOf(turn) };
}

/** What others have done, one thing after the other, until nothing is new. */
async function settled(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const after = await settleMoney(
    turn,
    await settleReplacement(turn, await settleParcel(turn, await settleLabel(turn, it))),
  );
  return after.state === it.state ? after : settled({ ...turn, key: keyOf(after, 'settled') }, after);
}

async function settleLabel(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const isWaiting = it.state === 'approved' || it.state === 'label_pending';
  if (!isWaiting || it.keepsItems || !it.parcels.some(({ hasLabel }) => hasLabel)) return it;
  const columns = {
    state: 'awaiting_shipment',
    label_shipment_id: labelIdOf(it),
    drop_off_by: new Date(turn.at + it.policy.shipment.expiresAfterDays * DAY_MS),
  } as const;
  const after = await change(turn, it, 'return.labelled', columns, { shipmentId: labelIdOf(it) });
  await tellCustomer(turn, after, 'return_approved');
  return after;
}

/** Where the parcel is, as its carrier says. A label that was taken back and is used all the same counts as well. */
async function settleParcel(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const is = (...states: ReturnRecord['parcels'][number]['state'][]) =>
    it.parcels.some(({ state }) => states.includes(state));
  switch (it.state) {
    case 'label_pending':
    case 'awaiting_shipment':
      return is('in_transit', 'out_for_delivery', 'exception', 'delivered', 'lost', 'sent_back')
        ? change(turn, it, 'return.in_transit', { state: 'in_transit' })
        : it;
    case 'in_transit':
      if (is('delivered')) return parcelArrived(turn, it);
      if (is('lost')) return lose(turn, it);
      return is('sent_back') ? needsPerson(turn, it, 'carrier_unclear', 'carrier_unclear') : it;
    case 'lost_in_transit':
    case 'expired':
    case 'cancelled':
      return is('delivered') && hasNotArrived(it) ? parcelArrived(turn, it) : it;
    default:
      return it;
  }
}

/** A return that was called off after its parcel had come is over for good. */
const hasNotArrived = (it: ReturnRecord): boolean =>
  it.units.every(({ state }) => state !== 'received' && state !== 'accepted' && state !== 'declined');

async function lose(turn: Turn, it: ReturnRecord): Promise<ReturnRecord> {
  const after = await change(turn, it, 'return.lost', { state: 'lost_in_transit' });
  await tellCustomer(turn, after, 'return_lost');
  await tellStaff(turn, after, 'lost_in_transit');
  return after;
}

/** One rung: it is noted with what it does. */
async function climb(turn: Turn, it: ReturnRecord, due: ReturnDue): Promise<void> {
  await noteRung(turn.tx, it, due.rung, turn.at);
  switch (due.kind) {
    case 'remind':
      return remind(turn, it, due);
    case 'escalate':
      return escalate(turn, it, due);
    case 'expire':
      return expire(turn, it);
    case 'label_given_up':
      await needsPerson(turn, it, 'label_failed', 'label_failed');
      return;
    case 'late':
      await tell(turn, it, 'return.reminded', { rung: due.rung });
      await tellCustomer(turn, it, 'return_reminder');
      return tellStaff(turn, it, 'carrier_unclear');
    case 'lost':
      await lose(turn, it);
      return;
    case 'lost_for_good':
      // It travelled with our label: the customer does not bear that it never came.
      await turnUnits(turn.tx, it, ['authorised'], 'kept');
      await takeBack(
        turn,
        it,
        it.units.filter((unit) => unit.state === 'authorised'),
      );
      await tellStaff(turn, await openResolution(turn, await readReturn(turn.tx, it.id)), 'lost_for_good');
      return;
    case 'rest_missing':
      return tellStaff(turn, await giveUpRest(turn, it), 'rest_missing');
    case 'default':
      return tellStaff(turn, await resolveByDefault(turn, it), 'defaulted');
    case 'overdue': {
      const code = it.state === 'refunding' ? 'refund_overdue' : 'replacement_overdue';
      await needsPerson(turn, it, code, code);
      return;
    }
  }
}

async function remind(turn: Turn, it: ReturnRecord, due: ReturnDue): Promise<void> {
  await tell(turn, it, 'return.reminded', { rung: due.rung, state: it.state });
  switch (it.state) {
    case 'requested':
    case 'under_review':
      return tellStaff(turn, it, 'review_due');
    case 'resolution_pending':
      await tellCustomer(turn, it, 'return_resolution_reminder');
      return tellStaff(turn, it, 'resolution_due');
    default:
      await tellCustomer(turn, it, 'return_reminder');
      return tellStaff(turn, it, dueReasonOf(it.state));
  }
}

/** A customer's own deadline runs: the shop knows before, as the customer does. */
const dueReasonOf = (state: ReturnState): StaffReason =>
  state === 'info_requested' ? 'info_due' : state === 'inspecting' ? 'rest_due' : 'shipment_due';

async function escalate(turn: Turn, it: ReturnRecord, due: ReturnDue): Promise<void> {
  await tell(turn, it, 'return.escalated', { rung: due.rung, state: it.state });
  const reasons = {
    requested: 'review_overdue',
    under_review: 'review_overdue',
    received: 'receipt_overdue',
    inspecting: 'inspection_overdue',
    resolution_pending: 'disputed',
  } as const;
  const reason = Object.entries(reasons).find(([state]) => state === it.state)?.[1] ?? 'manual_review';
  return tellStaff(turn, it, reason, 'supervisor');
}

/** Others may ask the units back again; should the parcel come all the same, it is taken up again. */
async function expire(turn: Turn, it: ReturnRecord): Promise<void> {
  const after = await change(turn, it, 'return.expired', { state: 'expired' });
  await releaseUnits(turn, after);
  await tellCustomer(turn, after, 'return_expired');
  await tellStaff(turn, after, 'expired');
}
