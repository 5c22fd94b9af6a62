/**
 * Stock of one product runs out:
 *
 *   tell the sellers → wait a week, or until the alert is answered or over → tell them again, if it still stands
 *
 * The record says how the alert stands; whoever acknowledges, snoozes or clears it only says that it changed.
 */
import {
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock, nearFirst } from './answers.ts';
import { alertChangedSignal, type LowStockInput } from './messages.ts';
import { localRecords, records } from './policies.ts';
import { stageAttribute, typeAttribute } from './search-attributes.ts';

const near = proxyLocalActivities<Activities>(localRecords);
const { advanceStockAlert } = proxyActivities<Activities>({ ...records, summary: 'See how the alert stands' });

export async function lowStock(input: LowStockInput): Promise<void> {
  const { sku } = input;
  let isChanged = false;
  let shown = '';
  setHandler(alertChangedSignal, () => {
    isChanged = true;
  });
  for (;;) {
    isChanged = false;
    const asked = { sku, at: clock() };
    const it = await nearFirst(near.advanceStockAlert, advanceStockAlert, asked);
    if (it.nextAt === null) {
      if (isChanged) continue;
      return;
    }
    setCurrentDetails(`Alert of \`${sku}\`: **${it.state}**\n\nLooked at again at ${it.nextAt}`);
    if (it.state !== shown) {
      shown = it.state;
      upsertSearchAttributes([
        { key: stageAttribute, value: it.state },
        { key: typeAttribute, value: 'low_stock' },
      ]);
    }
    const ms = Math.max(1, Date.parse(it.nextAt) - Date.now());
    await condition(() => isChanged, ms, { summary: SUMMARIES[it.state] ?? 'Look at it again' });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof lowStock>(input);
  }
}

const SUMMARIES: Readonly<Record<string, string>> = {
  open: 'Tell the sellers again',
  snoozed: 'Wake the alert',
};
