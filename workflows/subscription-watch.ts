/**
 * Once an hour: a subscription whose period is over for a day has long been renewed, or is asked to pay. Where no process does
 * that, it is started again from the record and goes on where the last one was. A schedule starts this (worker/schedules.ts);
 * what one run leaves, the next takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { SubscriptionOrigin } from '../activities/overdue-invoices.ts';
import type { ProcessesStarted, ProcessStart } from '../activities/processes.ts';
import type { SubscriptionId } from '../domain/ids.ts';
import { subscriptionId } from './ids.ts';
import type { SubscriptionInput } from './messages.ts';
import { records, watches } from './policies.ts';

const { findStuckSubscriptions } = proxyActivities<Activities>({
  ...records,
  summary: 'Look for what should have moved',
});
const { startMissingProcesses } = proxyActivities<Activities>({
  ...watches,
  summary: 'Start those that nobody has in hand',
});

const STUCK_AFTER_MS = 86_400_000;
const PAGE = 100;
/** What is left then, the next hour takes: a history must not grow with the length of an outage. */
const PAGES = 50;

/** @param page how many subscriptions are looked at at a time */
export async function subscriptionWatch(page = PAGE): Promise<ProcessesStarted> {
  const before = new Date(Date.now() - STUCK_AFTER_MS).toISOString();
  let [started, running, failed] = [0, 0, 0];
  let after: SubscriptionId | null = null;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const found: SubscriptionOrigin[] = await findStuckSubscriptions({ before, after, limit: page });
    if (found.length > 0) {
      const done = await startMissingProcesses({ starts: found.map(startOf) });
      [started, running, failed] = [started + done.started, running + done.running, failed + done.failed];
    }
    if (found.length < page) break;
    after = found.at(-1)?.subscriptionId ?? null;
  }
  return { started, running, failed };
}

function startOf(origin: SubscriptionOrigin): ProcessStart {
  const input: SubscriptionInput = origin;
  const summary = `Subscription: ${origin.plan.code}, taken up again`;
  return { workflowType: 'subscription', workflowId: subscriptionId(origin.subscriptionId), input, summary };
}
