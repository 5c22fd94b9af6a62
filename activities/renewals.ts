/** What the calendar does with a licence, and that each has somebody who minds the calendar. */
import { activityInfo, getClient, heartbeat, log } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { followedPage, noteFollowed } from '../db/followed-licenses.ts';
import { type CancelledRenewal, cancelledRenewals } from '../db/license-revocation.ts';
import { carryOut } from '../db/renewal-calendar.ts';
import type { LicenseId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

/** What comes next; `days` before the end, of a letter. */
export interface Upcoming {
  readonly what: 'open' | 'remind' | 'look' | 'end';
  /** ISO 8601. */
  readonly at: string;
  readonly days: number | null;
}

export interface AdoptLicenses {
  readonly after: LicenseId | null;
  readonly limit: number;
  /** What the ID of a process begins with, before that of its licence. */
  readonly prefix: string;
  readonly at: string;
}

export interface AdoptedPage {
  readonly followed: number;
  readonly revived: number;
  readonly failed: number;
  /** The last of the page; null = there are no more. */
  readonly next: LicenseId | null;
}

export function createRenewalActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /**
     * Does what is due: opens the renewal, reminds of it, ends the licence. Each is a transaction of its own, in which the record
     * decides; a repeat finds it done.
     * @returns next = null: it has ended, or holds for life; `cancelled`: the renewals that ended with it, and were to be paid
     */
    async followLicense(input: {
      licenseId: LicenseId;
      at: string;
    }): Promise<{ next: Upcoming | null; cancelled?: readonly CancelledRenewal[] }> {
      const errand = await carryOut(db, input);
      if (!errand) return { next: null, cancelled: await cancelledRenewals(db, input.licenseId) };
      const days = 'days' in errand ? errand.days : null;
      return { next: { what: errand.kind, at: new Date(errand.at).toISOString(), days } };
    },

    /** The process first, then its mark: who dies in between finds it running, and marks it. */
    async adoptLicenses(input: AdoptLicenses): Promise<AdoptedPage> {
      const page = await followedPage(db, input);
      const count = { followed: 0, revived: 0, failed: 0 };
      for (const { id, isFollowed } of page) {
        heartbeat();
        try {
          const isNew = await startFollowing(id, input.prefix);
          if (!isNew && isFollowed) continue;
          await noteFollowed(db, { id, isFollowed, at: input.at });
          count[isFollowed ? 'revived' : 'followed'] += 1;
          if (isFollowed) log.warn('the process of a licence was gone and was started again', { licenseId: id });
        } catch (error) {
          count.failed += 1;
          log.error('a licence could not be given its process; the next run tries again', { error, licenseId: id });
        }
      }
      return { ...count, next: page.length < input.limit ? null : (page.at(-1)?.id ?? null) };
    },
  };
}

/** @returns false when it is running */
async function startFollowing(id: LicenseId, prefix: string): Promise<boolean> {
  try {
    await getClient().workflow.start('licenseFollowing', {
      workflowId: `${prefix}${id}`,
      taskQueue: activityInfo().taskQueue,
      args: [{ licenseId: id }],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: 'Follows a licence to its end',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
