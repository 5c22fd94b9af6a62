/** Deleting what has been kept long enough. */
import { activityInfo, heartbeat, log } from '@temporalio/activity';
import {
  documentsToPurge,
  type KeptUntil,
  photosToPurge,
  purgeDocument,
  purgePhoto,
} from '../db/document-retention.ts';
import { REMOVED_KEPT_MS } from '../domain/documents.ts';
import { Failure } from '../domain/failures.ts';
import type { DocumentId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

const DAY = 86_400_000;

export interface Purged {
  readonly purged: number;
  /** Documents whose file could not be deleted; the next night tries again. */
  readonly failed: number;
  /** Where the next page begins; null = this was the last. */
  readonly next: DocumentId | null;
}

type Deps = Pick<ActivityDeps, 'db' | 'files' | 'documentRetentionDays'>;

export function createDocumentRetentionActivities({ db, files, documentRetentionDays }: Deps) {
  return {
    /** One page, a transaction each; safe to repeat, also beside itself. */
    async purgeDocuments(input: { after: DocumentId | null; limit: number; at: string }): Promise<Purged> {
      const { after, limit, at } = input;
      const until = keptUntil(at, documentRetentionDays);
      const due = await documentsToPurge(db, until, { after, limit });
      const done = await eachOf(due, (documentId) => purgeDocument(db, files, { documentId, at, ...until }));
      if (due.length === limit) return { ...done, next: due.at(-1) ?? null };
      // With the last page the photos of returns, of which there are few.
      const photos = await purgePhotos(at, limit);
      return { purged: done.purged + photos.purged, failed: done.failed + photos.failed, next: null };
    },
  };

  async function purgePhotos(at: string, limit: number): Promise<Omit<Purged, 'next'>> {
    const until = keptUntil(at, documentRetentionDays);
    const sum = { purged: 0, failed: 0 };
    for (let after: DocumentId | null = null; ; ) {
      const due: DocumentId[] = await photosToPurge(db, until, { after, limit });
      const done = await eachOf(due, (documentId) => purgePhoto(db, files, { documentId, at, ...until }));
      sum.purged += done.purged;
      sum.failed += done.failed;
      if (due.length < limit) return sum;
      after = due.at(-1) ?? null;
    }
  }
}

async function eachOf(
  due: readonly DocumentId[],
  purge: (id: DocumentId) => Promise<boolean>,
): Promise<Omit<Purged, 'next'>> {
  let [purged, failed] = [0, 0];
  for (const documentId of due) {
    heartbeat();
    try {
      if (await purge(documentId)) purged += 1;
    } catch (error) {
      if (isAway(error)) throw error;
      failed += 1;
      log.error('the file of a document that is due for deletion could not be deleted', {
        documentId,
        error,
        attempt: activityInfo().attempt,
      });
    }
  }
  return { purged, failed };
}

/** The whole store is away, not one file: then the page is tried again until it is back. */
const isAway = (error: unknown): boolean => error instanceof Failure && error.code === 'temporarily_unavailable';

function keptUntil(at: string, retentionDays: number): KeptUntil {
  const ago = (ms: number) => new Date(Date.parse(at) - ms).toISOString();
  return { removedBefore: ago(REMOVED_KEPT_MS), closedBefore: ago(retentionDays * DAY) };
}
