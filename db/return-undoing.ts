/** Undoing what a return has done so far: each step on record, once, and shown to people where it could not be done. */
import type { Knex } from 'knex';
import type { ReturnId, ShipmentId } from '../domain/ids.ts';
import { type ReturnEffect, type Undone, undoFailed } from '../domain/return-undoing.ts';
import { returnLeadsTo } from '../domain/returns.ts';
import type { OrderTools } from './order-cancellation.ts';
import { cancelReplacement } from './return-exchange.ts';
import { lockReturn, type ReturnRecord, writeReturn } from './return-records.ts';
import { releaseUnits } from './return-review.ts';
import { change, needsPerson, newsOf, noNews, type ReturnNews, type Turn, tell, tellStaff } from './return-steps.ts';

export interface UndoReturn {
  readonly returnId: ReturnId;
  readonly step: ReturnEffect;
  readonly at: number;
}

type Tools = OrderTools;
const turnOf = (tx: Knex, tools: Tools, at: number): Turn => ({ tx, ...tools, at, key: 'undo', news: noNews() });

/** The steps that this database undoes by itself. Safe to repeat. */
export async function undo(
  tx: Knex,
  tools: Tools,
  { returnId, step, at }: UndoReturn,
): Promise<{ readonly undone: Undone; readonly news: ReturnNews }> {
  const it = await lockReturn(tx, returnId);
  const turn = turnOf(tx, tools, at);
  const isDone = !it.isPayingOut && (await undoStep(turn, it, step));
  if (isDone) await tell(turn, it, 'return.undone', { step });
  return { undone: isDone ? 'done' : 'nothing', news: newsOf(turn) };
}

async function undoStep(turn: Turn, it: ReturnRecord, step: ReturnEffect): Promise<boolean> {
  switch (step) {
    case 'release_units':
      return (await releaseUnits(turn, it)) > 0;
    case 'cancel_replacement': {
      const { replacement } = it;
      if (!replacement || !(await cancelReplacement(turn, replacement.id))) return false;
      await writeReturn(turn.tx, it, { replacement_order_id: null }, turn.at);
      return true;
    }
    case 'void_label':
      throw new Error('a label is taken back at its carrier');
  }
}

/** The carrier has taken the label back, or says that a parcel travels with it. */
export async function noteLabelUndone(
  tx: Knex,
  tools: Tools,
  said: { readonly returnId: ReturnId; readonly shipmentId: ShipmentId; readonly undone: Undone; readonly at: number },
): Promise<void> {
  const it = await lockReturn(tx, said.returnId);
  const before = await tx('events')
    .where({ subject: `rma/${it.id}`, type: 'return.undone' })
    .whereRaw(`data ->> 'shipmentId' = ?`, [said.shipmentId])
    .first('id');
  if (before) return;
  const data = { step: 'void_label', shipmentId: said.shipmentId, undone: said.undone };
  await tell(turnOf(tx, tools, said.at), it, 'return.undone', data);
}

/** A person does it by hand. */
export async function noteUndoFailed(tx: Knex, tools: Tools, { returnId, step, at }: UndoReturn): Promise<void> {
  const it = await lockReturn(tx, returnId);
  const code = undoFailed(step);
  if (it.manualReasons.includes(code)) return;
  const turn = turnOf(tx, tools, at);
  if (returnLeadsTo(it.state, 'manual_review')) {
    await needsPerson(turn, it, code, 'undo_failed');
    return;
  }
  const manual_reasons = [...it.manualReasons, code];
  await tellStaff(
    turn,
    await change(turn, it, 'return.manual_review', { manual_reasons }, { reason: code }),
    'undo_failed',
  );
}
