/** Credit that ends: its owner is told before, and it leaves the books when its time is over. */
import { expireGrant, grantsThatEnd, grantsToWarnOf, warnOfGrant } from '../db/credit-grants.ts';
import type { ActivityDeps } from './deps.ts';

export interface CreditRun {
  /** How many were done; fewer than the limit = nothing is left. */
  readonly done: number;
}

export function createCreditExpiryActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** One transaction each: what was done stays done when a later one fails. @param input.at ISO 8601 */
    async warnOfCredit({ at, limit }: { at: string; limit: number }): Promise<CreditRun> {
      const grants = await grantsToWarnOf(db, at, limit);
      for (const grant of grants) await warnOfGrant(db, grant, at);
      return { done: grants.length };
    },

    async expireCredit({ at, limit }: { at: string; limit: number }): Promise<CreditRun> {
      const grants = await grantsThatEnd(db, at, limit);
      for (const grant of grants) await expireGrant(db, grant, at);
      return { done: grants.length };
    },
  };
}
