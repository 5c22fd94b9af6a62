/**
 * What is undone when a return ends before money has begun to move: a stack, to which each step is added before it is taken, and
 * which is taken off backwards. A step that cannot be undone stops no other, and people are told of it.
 */
import { CancellationScope, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ReturnNews } from '../activities/returns.ts';
import type { ReturnId, ShipmentId } from '../domain/ids.ts';
import type { ReturnStanding } from '../domain/return-timeline.ts';
import type { ReturnEffect, Undone } from '../domain/return-undoing.ts';
import { clock, orNull } from './answers.ts';
import { localRecords, records, undoing, undoingSoon } from './policies.ts';

const near = proxyLocalActivities<Activities>(localRecords);
const soon = proxyActivities<Activities>({ ...undoingSoon, summary: 'Take back the label' });
const { voidLabel } = proxyActivities<Activities>({ ...undoing, summary: 'Take back the label' });
const { undoReturnStep } = proxyActivities<Activities>({ ...undoing, summary: 'Undo a step of the return' });
const { noteLabelUndone } = proxyActivities<Activities>({
  ...records,
  summary: 'Record that the label was taken back',
});
const { noteUndoFailed } = proxyActivities<Activities>({ ...records, summary: 'Show what could not be undone' });

export interface Undoing {
  readonly returnId: ReturnId;
  readonly labelId: ShipmentId;
}

/** @param told hears what other processes have to be told of */
export function openCompensation(carried: readonly ReturnEffect[], told: (news: ReturnNews) => void) {
  const stack = [...carried];
  return {
    /** Before the step is taken. */
    register(effect: ReturnEffect): void {
      if (!stack.includes(effect)) stack.push(effect);
    },
    /** The step was not taken, or is past undoing. */
    forget(effect: ReturnEffect): void {
      const at = stack.indexOf(effect);
      if (at >= 0) stack.splice(at, 1);
    },
    /** Money has begun to move: from here only forwards. */
    settle(): void {
      stack.length = 0;
    },
    isEmpty: (): boolean => stack.length === 0,
    carried: (): readonly ReturnEffect[] => [...stack],
    /** Backwards, whoever cancels meanwhile. @returns what could not be undone at once */
    undoAll: (what: Undoing): Promise<readonly ReturnEffect[]> =>
      CancellationScope.nonCancellable(async () => {
        const left: ReturnEffect[] = [];
        for (let effect = stack.pop(); effect; effect = stack.pop()) {
          if (!(await undoneSoon(effect, what))) left.push(effect);
        }
        return left;
      }),
    /** Tried for long. @returns how the return stands, if people have to see to something now */
    insist: (left: readonly ReturnEffect[], what: Undoing): Promise<ReturnStanding | null> =>
      CancellationScope.nonCancellable(async () => {
        let shown: ReturnStanding | null = null;
        for (const effect of left) {
          if (await undoneAtLast(effect, what)) continue;
          shown = await noteUndoFailed({ returnId: what.returnId, step: effect, at: clock() });
        }
        return shown;
      }),
  };

  async function undoneSoon(effect: ReturnEffect, { returnId, labelId }: Undoing): Promise<boolean> {
    if (effect === 'void_label') {
      const said = await orNull(soon.voidLabel({ shipmentId: labelId, at: clock() }));
      return said !== null && noted(said, { returnId, labelId });
    }
    const done = await orNull(near.undoReturnStep({ returnId, step: effect, at: clock() }));
    if (done) told(done.news);
    return done !== null;
  }

  async function undoneAtLast(effect: ReturnEffect, { returnId, labelId }: Undoing): Promise<boolean> {
    if (effect === 'void_label') {
      const said = await orNull(voidLabel({ shipmentId: labelId, at: clock() }));
      return said !== null && noted(said, { returnId, labelId });
    }
    const done = await orNull(undoReturnStep({ returnId, step: effect, at: clock() }));
    if (done) told(done.news);
    return done !== null;
  }
}

async function noted(said: 'voided' | 'used' | 'gone', { returnId, labelId }: Undoing): Promise<boolean> {
  const undone: Undone | null = said === 'voided' ? 'done' : said === 'used' ? 'used' : null;
  if (undone) await noteLabelUndone({ returnId, shipmentId: labelId, undone, at: clock() });
  return true;
}
