/** Invoices that are overdue, subscriptions that should have moved on: found in the records, for processes to be there. */
import { type OverdueInvoice, overdueInvoices } from '../db/overdue-invoices.ts';
import { type SubscriptionOrigin, subscriptionsToWatch } from '../db/subscription-processes.ts';
import type { SubscriptionId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';
import { type ProcessesStarted, type ProcessStart, startMissing } from './processes.ts';

export type { OverdueInvoice } from '../db/overdue-invoices.ts';
export type { SubscriptionOrigin } from '../db/subscription-processes.ts';

export function createProcessWatchActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** @param input.before ISO 8601: what was due earlier is overdue */
    async findOverdueInvoices(input: {
      before: string;
      after: OverdueInvoice | null;
      limit: number;
    }): Promise<OverdueInvoice[]> {
      return overdueInvoices(db, input);
    },

    /** @param input.before ISO 8601: what should have moved on earlier is looked at */
    async findStuckSubscriptions(input: {
      before: string;
      after: SubscriptionId | null;
      limit: number;
    }): Promise<SubscriptionOrigin[]> {
      return subscriptionsToWatch(db, input);
    },

    async startMissingProcesses({ starts }: { starts: readonly ProcessStart[] }): Promise<ProcessesStarted> {
      return startMissing(starts);
    },
  };
}
