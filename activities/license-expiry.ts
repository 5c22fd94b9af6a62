/** The end of a licence's validity, written down. */
import { log } from '@temporalio/activity';
import { type ExpiredBefore, expireLicense, licensesToExpire } from '../db/license-standing.ts';
import type { ActivityDeps } from './deps.ts';

export interface ExpiredPage {
  readonly expired: number;
  /** Logged; the next run tries them again. */
  readonly failed: number;
  /** Where the next page begins; null = there is none. */
  readonly next: ExpiredBefore | null;
}

export function createLicenseExpiryActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** Each licence in a transaction of its own: one that cannot be ended keeps no other from it. Safe to repeat. */
    async expireLicenses(input: { at: string; after: ExpiredBefore | null; limit: number }): Promise<ExpiredPage> {
      const due = await licensesToExpire(db, input);
      let failed = 0;
      for (const { id } of due) {
        try {
          await expireLicense(db, { id, at: input.at });
        } catch (error) {
          failed += 1;
          log.error('a licence could not be ended; the next run tries again', { error, licenseId: id });
        }
      }
      const next = due.length < input.limit ? null : (due.at(-1) ?? null);
      return { expired: due.length - failed, failed, next };
    },
  };
}
