/** Having uploads looked at by the virus scanner: documents of cases, and photos of returns. */
import {
  fileToScan,
  neverScanned,
  noteScansTaken,
  recordScan,
  type Scanned,
  type ScanOnRecord,
  untakenScans,
} from '../db/document-scans.ts';
import {
  notePhotoScansTaken,
  type PhotoScanOnRecord,
  photosNeverScanned,
  photoToScan,
  recordPhotoScan,
  untakenPhotoScans,
} from '../db/return-photo-scans.ts';
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
      const sha256 = (await fileToScan(db, documentId)) ?? (await photoToScan(db, documentId));
      if (sha256 === null) return { result: 'settled' };
      if (!scanner) throw new Error('a document waits for the virus scanner, and none is configured: set ALUR_CLAMAV');
      const content = await files.read(sha256);
      if (!content) throw new Error(`the file of document ${documentId} is missing from the store`);
      const verdict = await scanner.scan(content);
      return verdict.infected
        ? { result: 'infected', signature: verdict.signature }
        : { result: 'clean', signature: null };
    },

    async recordScan(scanned: Scanned): Promise<ScanOnRecord | PhotoScanOnRecord> {
      return (await recordPhotoScan(db, scanned)) ?? recordScan(db, scanned);
    },

    /** What waits for the scanner comes first; where there is one, also what was taken in before there was. */
    async untakenScans(input: { uploadedBefore: string; takenBefore: string; limit: number }): Promise<DocumentId[]> {
      const { limit } = input;
      const found = await untakenScans(db, input);
      const more = async (find: typeof neverScanned | typeof untakenPhotoScans): Promise<void> => {
        if (found.length < limit) found.push(...(await find(db, { ...input, limit: limit - found.length })));
      };
      await more(untakenPhotoScans);
      if (!scanner) return found;
      await more(neverScanned);
      await more(photosNeverScanned);
      return found;
    },

    async noteScansTaken({ documentIds, at }: { documentIds: readonly DocumentId[]; at: string }): Promise<void> {
      await noteScansTaken(db, documentIds, at);
      await notePhotoScansTaken(db, documentIds, at);
    },
  };
}
