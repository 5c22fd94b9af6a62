/**
 * Once a minute: ends licences whose validity is over, with event and letter. A schedule starts it (worker/schedules.ts); what one
 * run leaves, the next takes. Nobody waits for it: every read tells by the time itself that a licence has expired.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ExpiredPage } from '../activities/license-expiry.ts';
import { clock } from './answers.ts';
import { sweeps } from './policies.ts';

const { expireLicenses } = proxyActivities<Activities>({ ...sweeps, summary: 'End licences whose validity is over' });

const PAGE = 100;
/** What is left then, the next minute takes: a history must not grow with the length of an outage. */
const PAGES = 50;

/** @param page how many licences one activity takes */
export async function licenseExpiry(page = PAGE): Promise<{ expired: number; failed: number }> {
  const at = clock();
  let [expired, failed] = [0, 0];
  let after: ExpiredPage['next'] = null;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const done: ExpiredPage = await expireLicenses({ at, after, limit: page });
    expired += done.expired;
    failed += done.failed;
    if (done.next === null) break;
    after = done.next;
  }
  return { expired, failed };
}
