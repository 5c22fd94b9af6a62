/**
 * Once a minute: an order that was placed has a process. Where whoever placed it died before starting that, it is started here.
 * And what somebody said to an order while nobody worked is handed over.
 * A schedule starts this (worker/schedules.ts); what one run leaves, the next takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ProcessesStarted, ProcessStart } from '../activities/processes.ts';
import type { OrderId } from '../domain/ids.ts';
import { orderId as orderProcess } from './ids.ts';
import type { OrderInput } from './messages.ts';
import { records, watches } from './policies.ts';
import { hearWhatWasSaid } from './shop-messages.ts';

const { findOrdersNotTaken } = proxyActivities<Activities>({
  ...records,
  summary: 'Look for orders nobody has in hand',
});
const { startMissingProcesses } = proxyActivities<Activities>({
  ...watches,
  summary: 'Start those that nobody has in hand',
});

const NOT_TAKEN_AFTER_MS = 60_000;
const PAGE = 200;

export async function orderWatch(page = PAGE): Promise<ProcessesStarted> {
  const before = new Date(Date.now() - NOT_TAKEN_AFTER_MS).toISOString();
  const found = await findOrdersNotTaken({ before, limit: page });
  const done =
    found.length === 0
      ? { started: 0, running: 0, failed: 0 }
      : await startMissingProcesses({ starts: found.map(startOf) });
  await hearWhatWasSaid('order', page);
  return done;
}

function startOf(orderId: OrderId): ProcessStart {
  const input: OrderInput = { orderId };
  return { workflowType: 'order', workflowId: orderProcess(orderId), input, summary: 'Order, taken up' };
}
