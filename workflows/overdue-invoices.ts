/**
 * Once an hour: an open invoice whose time is over has a process that closes it, or asks for the money. Where that process is
 * gone, it is started again and does what is due. A schedule starts this (worker/schedules.ts); what one run leaves, the next
 * takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { OverdueInvoice } from '../activities/overdue-invoices.ts';
import type { ProcessesStarted, ProcessStart } from '../activities/processes.ts';
import { paymentId } from './ids.ts';
import type { PaymentInput } from './messages.ts';
import { records, watches } from './policies.ts';

const { findOverdueInvoices } = proxyActivities<Activities>({ ...records, summary: 'Look for overdue invoices' });
const { startMissingProcesses } = proxyActivities<Activities>({
  ...watches,
  summary: 'Start those that nobody collects',
});

/** Its process acts at the very moment that it is due, and may be busy with a gateway. */
const OVERDUE_AFTER_MS = 3_600_000;
const PAGE = 100;
/** What is left then, the next hour takes: a history must not grow with the length of an outage. */
const PAGES = 50;

/** @param page how many invoices are looked at at a time */
export async function overdueInvoices(page = PAGE): Promise<ProcessesStarted> {
  const before = new Date(Date.now() - OVERDUE_AFTER_MS).toISOString();
  let [started, running, failed] = [0, 0, 0];
  let after: OverdueInvoice | null = null;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const found: OverdueInvoice[] = await findOverdueInvoices({ before, after, limit: page });
    if (found.length > 0) {
      const done = await startMissingProcesses({ starts: found.map(startOf) });
      [started, running, failed] = [started + done.started, running + done.running, failed + done.failed];
    }
    if (found.length < page) break;
    after = found.at(-1) ?? null;
  }
  return { started, running, failed };
}

function startOf({ invoiceId, subscriptionId, orderId }: OverdueInvoice): ProcessStart {
  const input: PaymentInput = {
    invoiceId,
    ...(subscriptionId ? { subscriptionId } : {}),
    ...(orderId ? { orderId } : {}),
  };
  const summary = 'Payment of an invoice, overdue';
  return { workflowType: 'invoicePayment', workflowId: paymentId(invoiceId), input, summary };
}
