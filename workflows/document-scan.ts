/**
 * One uploaded document, or photo of a return, from the store to the scanner's verdict, however long the scanner is away; and the sweep that takes up
 * documents whose process was never started, because Temporal was away or the API died in between. Histories hold IDs and
 * the name of what was found.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ScanState } from '../domain/documents.ts';
import type { ApplicationId, DocumentId } from '../domain/ids.ts';
import { clock, orNull } from './answers.ts';
import { documentScanId, licenseReviewId } from './ids.ts';
import { documentScannedSignal } from './messages.ts';
import { records, scanning } from './policies.ts';
import { openPost } from './post.ts';

const { scanDocument } = proxyActivities<Activities>({ ...scanning, summary: 'Have the document scanned for viruses' });
const { recordScan } = proxyActivities<Activities>({ ...records, summary: 'Record what the scanner found' });
const { untakenScans, noteScansTaken } = proxyActivities<Activities>({
  ...records,
  summary: 'Look for documents that nobody has scanned',
});

export interface DocumentScanInput {
  readonly documentId: DocumentId;
}

export interface DocumentScanned {
  readonly state: ScanState | 'settled';
}

export async function documentScan({ documentId }: DocumentScanInput): Promise<DocumentScanned> {
  setCurrentDetails('Waits for the scanner. Until it has answered, nobody reads the document and its case waits.');
  const verdict = await scanDocument({ documentId });
  if (verdict.result === 'settled') return { state: 'settled' };
  const { result, signature } = verdict;
  const recorded = await recordScan({ documentId, result, signature, at: clock() });
  // A photo of a return: whoever has to know of it is written to by the record.
  if ('returnId' in recorded) return { state: recorded.state };
  const { applicationId, applicantId, state } = recorded;
  await tellReview(applicationId, documentId);
  if (state === 'infected') {
    setCurrentDetails('The document is quarantined; its owner is written to.');
    const post = openPost(documentScanId(documentId), applicationId);
    post.write('document_quarantined', applicantId, { documentId });
    await post.delivered();
  }
  return { state };
}

/** A draft has no process yet; it will read the record when it has. */
async function tellReview(applicationId: ApplicationId, documentId: DocumentId): Promise<void> {
  await orNull(getExternalWorkflowHandle(licenseReviewId(applicationId)).signal(documentScannedSignal, { documentId }));
}

/** Whoever takes an upload starts its scan within seconds; older ones wait in vain. */
const FORGOTTEN_AFTER_MS = 60_000;
/** A process that somebody has terminated is started anew after this; one that waits for the scanner is left to itself. */
const TAKEN_HOLDS_MS = 3_600_000;
const PAGE = 100;
/** What is left then, the next sweep takes: a history must not grow with the length of an outage. */
const PAGES = 10;

/** @param page how many documents are looked up at a time */
export async function documentScanSweep(page = PAGE): Promise<{ taken: number }> {
  const [uploadedBefore, takenBefore] = [ago(FORGOTTEN_AFTER_MS), ago(TAKEN_HOLDS_MS)];
  let taken = 0;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const documentIds = await untakenScans({ uploadedBefore, takenBefore, limit: page });
    await Promise.all(documentIds.map(startScan));
    if (documentIds.length > 0) await noteScansTaken({ documentIds, at: clock() });
    taken += documentIds.length;
    if (documentIds.length < page) break;
  }
  return { taken };
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

async function startScan(documentId: DocumentId): Promise<void> {
  try {
    await startChild(documentScan, {
      workflowId: documentScanId(documentId),
      args: [{ documentId }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      // The sweep ends with its page; the scanner may be away for days.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'A document waits for the virus scanner',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
