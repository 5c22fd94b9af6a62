/** Having uploads looked at by the virus scanner. */
import {
  fileToScan,
  neverScanned,
  noteScansTaken,
  recordScan,
  type Scanned,
  type ScanOnRecord,
  untakenScans,
} from '../db/document-scans.ts';
import type { DocumentId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';

/** `settled`: nothing to scan (any more). */
export type ScanVerdict =
  | { readonly result: 'clean' | 'infected'; readonly signature: string | null }
  | { readonly result: 'settled' };

export function createDocumentScanActivities({ db, files, scanner }: Pick<ActivityDeps, 'db' | 'files' | 'scanner'>) {
  return {
    /** Throws as long as there is no verdict; only the scanner's own word makes a document clean. */
    async scanDocument({ documentId }: { documentId: DocumentId }): Promise<ScanVerdict> {
      const sha256 = await fileToScan(db, documentId);
      if (sha256 === null) return { result: 'settled' };
      if (!scanner) throw new Error('a document waits for the virus scanner, and none is configured: set ALUR_CLAMAV');
      const content = await files.read(sha256);
      if (!content) throw new Error(`the file of document ${documentId} is missing from the store`);
      const verdict = await scanner.scan(content);
      return verdict.infected
        ? { result: 'infected', signature: verdict.signature }
        : { result: 'clean', signature: null };
    },

    recordScan: (scanned: Scanned): Promise<ScanOnRecord> => recordScan(db, scanned),

    /** What waits for the scanner comes first; where there is one, also what was taken in before there was. */
    async untakenScans(input: { uploadedBefore: string; takenBefore: string; limit: number }): Promise<DocumentId[]> {
      const waiting = await untakenScans(db, input);
      const limit = input.limit - waiting.length;
      if (!scanner || limit === 0) return waiting;
      return [...waiting, ...(await neverScanned(db, { ...input, limit }))];
    },

    async noteScansTaken({ documentIds, at }: { documentIds: readonly DocumentId[]; at: string }): Promise<void> {
      await noteScansTaken(db, documentIds, at);
    },
  };
}
