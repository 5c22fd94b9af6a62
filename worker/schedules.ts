/** What Alur does by the clock. Temporal owns the clock: a schedule there, made sure of by every worker that starts. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Logger } from 'pino';

export interface ScheduleEntry {
  /** Of the schedule; its executions are called `<id>-<time>`. */
  readonly id: string;
  /** In UTC unless it says otherwise. */
  readonly spec: ScheduleSpec;
  readonly workflowType: string;
  readonly args: readonly unknown[];
  /** How long after a time that was missed, because Temporal was away, the action is still taken. */
  readonly catchupWindow: '1 minute' | '1 hour' | '1 day';
}

/** One that still runs is never joined by a second: what it does, it does until nothing is left. */
const OVERLAP = ScheduleOverlapPolicy.SKIP;

export const SCHEDULES: readonly ScheduleEntry[] = [
  {
    id: 'audit-seal',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'auditSeal',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'account-letters',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'accountLetterSweep',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'reconciliation',
    // At night, when few pay; the day before is over in all of the country's zones.
    spec: { calendars: [{ hour: 2 }], timezone: 'Asia/Jakarta' },
    workflowType: 'reconciliation',
    args: [],
    catchupWindow: '1 day',
  },
  {
    id: 'document-scans',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'documentScanSweep',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'document-retention',
    spec: { calendars: [{ hour: 3 }], timezone: 'Asia/Jakarta' },
    workflowType: 'documentRetention',
    args: [],
    catchupWindow: '1 day',
  },
  {
    id: 'onboarding-erasure',
    spec: { calendars: [{ hour: 3, minute: 30 }], timezone: 'Asia/Jakarta' },
    workflowType: 'onboardingErasure',
    args: [],
    catchupWindow: '1 day',
  },
  {
    id: 'credit-expiry',
    spec: { calendars: [{ hour: 3, minute: 45 }], timezone: 'Asia/Jakarta' },
    workflowType: 'creditExpiry',
    args: [],
    catchupWindow: '1 day',
  },
  {
    id: 'calendar-check',
    spec: { intervals: [{ every: '10 minutes' }] },
    workflowType: 'calendarCheck',
    args: [],
    catchupWindow: '1 hour',
  },
  {
    id: 'license-expiry',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'licenseExpiry',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'license-safety-net',
    // Before people come to work; what it finds is written to them by day.
    spec: { calendars: [{ hour: 4 }], timezone: 'Asia/Jakarta' },
    workflowType: 'licenseAdoption',
    args: [],
    catchupWindow: '1 day',
  },
  {
    id: 'money-watch',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'moneyWatch',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'overdue-invoices',
    // Not with all that happens at the full hour.
    spec: { intervals: [{ every: '1 hour', offset: '17 minutes' }] },
    workflowType: 'overdueInvoices',
    args: [],
    catchupWindow: '1 hour',
  },
  {
    id: 'subscription-watch',
    spec: { intervals: [{ every: '1 hour', offset: '37 minutes' }] },
    workflowType: 'subscriptionWatch',
    args: [],
    catchupWindow: '1 hour',
  },
  {
    id: 'people-watch',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'peopleWatch',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'carrier-watch',
    spec: { intervals: [{ every: '1 minute' }] },
    workflowType: 'carrierWatch',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'rma-watch',
    spec: { intervals: [{ every: '10 minutes', offset: '4 minutes' }] },
    workflowType: 'rmaWatch',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'order-watch',
    spec: { intervals: [{ every: '1 minute', offset: '25 seconds' }] },
    workflowType: 'orderWatch',
    args: [],
    catchupWindow: '1 minute',
  },
  {
    id: 'stock-watch',
    spec: { intervals: [{ every: '5 minutes', offset: '2 minutes' }] },
    workflowType: 'stockWatch',
    args: [],
    catchupWindow: '1 minute',
  },
];

export interface ScheduleOptions {
  readonly entries?: readonly ScheduleEntry[];
  /** Before every ID: schedules are shared by a whole namespace, which tests share too. */
  readonly prefix?: string;
}

/**
 * Creates the schedules that are missing and brings those up to date whose definition has changed. Whether a schedule is
 * paused, and the note on it, are an operator's word and stay. Safe to run in many workers at once.
 */
export async function ensureSchedules(client: Client, taskQueue: string, options: ScheduleOptions = {}): Promise<void> {
  const { entries = SCHEDULES, prefix = '' } = options;
  for (const entry of entries) await ensure(client, taskQueue, { ...entry, id: `${prefix}${entry.id}` });
}

async function ensure(client: Client, taskQueue: string, entry: ScheduleEntry): Promise<void> {
  const wanted = definitionOf(entry, taskQueue);
  try {
    await client.schedule.create({ scheduleId: entry.id, ...wanted });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(entry.id);
    if (isAsWanted(await handle.describe(), wanted)) return;
    await handle.update<Workflow>(({ state }) => ({ ...wanted, state }));
  }
}

function definitionOf({ id, spec, workflowType, args, catchupWindow }: ScheduleEntry, taskQueue: string) {
  const action: ScheduleOptionsStartWorkflowAction<Workflow> = {
    type: 'startWorkflow',
    workflowType,
    workflowId: id,
    taskQueue,
    args: [...args],
    // Temporal gives a spec back in a form of its own; this says which definition a schedule was made from.
    memo: { definition: JSON.stringify({ spec, workflowType, args, taskQueue, catchupWindow }) },
  };
  return { spec, action, policies: { overlap: OVERLAP, catchupWindow } };
}

const isAsWanted = ({ action }: ScheduleDescription, wanted: ReturnType<typeof definitionOf>): boolean =>
  action.memo?.['definition'] === wanted.action.memo?.['definition'];

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** Makes sure of the schedules beside the worker's work, for as long as it takes: no worker stays down for want of one. */
export function keepSchedules(
  client: Client,
  taskQueue: string,
  logger: Pick<Logger, 'info' | 'warn'>,
  options: ScheduleOptions & { readonly firstWaitMs?: number } = {},
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const kept = untilEnsured(stopping.signal);
  return {
    stop: () => {
      stopping.abort();
      return kept;
    },
  };

  async function untilEnsured(signal: AbortSignal): Promise<void> {
    for (let wait = options.firstWaitMs ?? FIRST_WAIT_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        await ensureSchedules(client, taskQueue, options);
        return logger.info('the schedules are as they should be');
      } catch (error) {
        logger.warn({ err: error }, `the schedules could not be made sure of; tried again in ${wait} ms`);
        await delay(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
