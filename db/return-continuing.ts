/** A person says how a return goes on that no rule could take further. */
import type { OrderId } from '../domain/ids.ts';
import type { Refusal } from '../domain/licensing.ts';
import type { ContinueContent } from '../domain/return-messages.ts';
import { isReturnOver } from '../domain/returns.ts';
import { cancelReplacement } from './return-exchange.ts';
import { type ReturnRecord, readReturn, turnUnits, writeReturn } from './return-records.ts';
import { close, openResolution, pay, replace } from './return-resolution.ts';
import { change, type Turn, tell, tellCustomer } from './return-steps.ts';

const DAY_MS = 86_400_000;
/** Once money has begun to move nothing is taken back. */
const ONLY_FORWARDS: readonly string[] = ['refunding', 'closed_refunded', 'closed_replaced', 'closed_mixed'];

export async function goOn(turn: Turn, it: ReturnRecord, { to, note }: ContinueContent): Promise<Refusal | null> {
  const refusal = refuse(it, to) ?? (await refuseGoods(turn, it, to));
  if (refusal) return refusal;
  // What failed stays on record with a return that ends all the same: it is not news a second time.
  const manual_reasons = isReturnOver(to) ? it.manualReasons : [];
  const before = await readReturn(turn.tx, it.id);
  const open = await change(turn, before, 'return.continued', { manual_reasons }, { to });
  switch (to) {
    case 'label_pending':
    case 'received':
    case 'inspecting':
      await writeReturn(turn.tx, open, { state: to }, turn.at);
      return null;
    case 'awaiting_shipment': {
      const drop_off_by = new Date(turn.at + it.policy.shipment.expiresAfterDays * DAY_MS);
      await tellCustomer(
        turn,
        await writeReturn(turn.tx, open, { state: to, drop_off_by }, turn.at),
        'return_approved',
      );
      return null;
    }
    case 'resolution_pending':
      await turnUnits(turn.tx, it, ['authorised'], 'missing');
      await openResolution(turn, await readReturn(turn.tx, it.id));
      return null;
    case 'refunding': {
      const resolution = it.resolution === 'store_credit' ? 'store_credit' : 'refund';
      await pay(turn, open, { resolution });
      return null;
    }
    case 'replacing':
      await replaceOrWait(turn, open);
      return null;
    case 'closed_refunded':
    case 'closed_replaced':
    case 'closed_mixed':
      await close(turn, open, to);
      return null;
    case 'rejected':
      await tellCustomer(turn, await change(turn, open, 'return.rejected', { state: to }), 'return_refused', { note });
      return null;
    case 'cancelled':
      await tellCustomer(turn, await change(turn, open, 'return.cancelled', { state: to }), 'return_cancelled');
      return null;
  }
}

/** What is on its way already is waited for; nothing is ordered twice. */
async function replaceOrWait(turn: Turn, it: ReturnRecord): Promise<void> {
  const resolution = it.resolution === 'exchange' ? 'exchange' : 'replacement';
  const named = await writeReturn(turn.tx, it, { resolution }, turn.at);
  if (isLive(named)) await writeReturn(turn.tx, named, { state: 'replacing' }, turn.at);
  else await replace(turn, named);
}

const isLive = ({ replacement }: ReturnRecord): boolean => replacement !== null && replacement.state !== 'cancelled';

/**
 * Nobody is given the money and the goods: where it does not go on with the order that replaces them, that order is called off.
 * One that ends the return undoes it among its other steps.
 */
async function refuseGoods(turn: Turn, it: ReturnRecord, to: ContinueContent['to']): Promise<Refusal | null> {
  const { replacement } = it;
  if (!replacement || it.isPayingOut || WITH_GOODS.includes(to)) return null;
  if (isLive(it) && (replacement.shippedAt !== null || !(await calledOff(turn, it, replacement.id, to)))) {
    const message = 'The order that replaces it has left: it goes on as replaced.';
    return { code: 'return_not_open', message, facts: { state: it.state } };
  }
  if (!UNDONE_AFTERWARDS.includes(to)) {
    await writeReturn(turn.tx, it, { replacement_order_id: null, resolution: null }, turn.at);
  }
  return null;
}

const WITH_GOODS: readonly string[] = ['replacing', 'closed_replaced', 'closed_mixed'];
const UNDONE_AFTERWARDS: readonly string[] = ['cancelled', 'rejected'];

async function calledOff(turn: Turn, it: ReturnRecord, id: OrderId, to: ContinueContent['to']): Promise<boolean> {
  if (UNDONE_AFTERWARDS.includes(to)) return true;
  const isDone = await cancelReplacement(turn, id);
  if (isDone) await tell(turn, it, 'return.undone', { step: 'cancel_replacement' });
  return isDone;
}

function refuse(it: ReturnRecord, to: ContinueContent['to']): Refusal | null {
  if (it.isPayingOut && !ONLY_FORWARDS.includes(to)) {
    const message = 'Money has begun to move: it goes on to the refund, or to an end that says how it went.';
    return { code: 'return_not_open', message, facts: { state: it.state } };
  }
  if ((to === 'refunding' || to === 'replacing') && it.statementVersion === 0) {
    const message = 'Nothing is stated yet: continue to resolution_pending first.';
    return { code: 'return_not_open', message, facts: { state: it.state } };
  }
  const isAccepted = !it.hasDeductions || it.acceptedVersion === it.statementVersion;
  if ((to === 'refunding' || to === 'replacing') && (it.isDisputed || !isAccepted)) {
    const message = 'The customer has not accepted the deductions: continue to resolution_pending first.';
    return { code: 'return_not_open', message, facts: { state: it.state } };
  }
  return null;
}
