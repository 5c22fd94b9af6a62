/**
 * Once a day: deletes the files of documents that were kept long enough. A schedule starts it (worker/schedules.ts); what one
 * run leaves, the next takes, so it may be ended at any time. Histories hold counts and IDs.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Purged } from '../activities/document-retention.ts';
import type { Activities } from '../activities/index.ts';
import type { DocumentId } from '../domain/ids.ts';
import { clock } from './answers.ts';
import { purging } from './policies.ts';

const { purgeDocuments } = proxyActivities<Activities>({
  ...purging,
  summary: 'Delete documents that were kept long enough',
});

const PAGE = 200;
/** What is left then, the next night takes. */
const PAGES = 200;

/** @param page how many documents one activity takes */
export async function documentRetention(page = PAGE): Promise<{ purged: number; failed: number }> {
  let [purged, failed] = [0, 0];
  let after: DocumentId | null = null;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const done: Purged = await purgeDocuments({ after, limit: page, at: clock() });
    purged += done.purged;
    failed += done.failed;
    if (done.next === null) break;
    after = done.next;
  }
  return { purged, failed };
}
