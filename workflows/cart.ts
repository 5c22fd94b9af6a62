/**
 * A cart that was left:
 *
 *   wait as long as the policy says since its last change → remind once, unless it was ordered, emptied, or no such letters are wanted
 *
 * The record says what is so; a change while this waits only moves the moment.
 */
import {
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock, nearFirst } from './answers.ts';
import { type CartInput, cartChangedSignal } from './messages.ts';
import { localRecords, records } from './policies.ts';

const near = proxyLocalActivities<Activities>(localRecords);
const { advanceCart } = proxyActivities<Activities>({ ...records, summary: 'Remind of it, if it is time' });

export async function cart(input: CartInput): Promise<{ reminded: boolean }> {
  const { companyId } = input;
  let isChanged = false;
  setHandler(cartChangedSignal, () => {
    isChanged = true;
  });
  for (;;) {
    isChanged = false;
    const asked = { companyId, at: clock() };
    const it = await nearFirst(near.advanceCart, advanceCart, asked);
    if (it.dueAt === null) {
      if (isChanged) continue;
      return { reminded: it.reminded };
    }
    setCurrentDetails(`Nothing has been ordered yet. Reminder at ${it.dueAt}, unless the cart changes`);
    const ms = Math.max(1, Date.parse(it.dueAt) - Date.now());
    await condition(() => isChanged, ms, { summary: 'Remind of the cart' });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof cart>(input);
  }
}
