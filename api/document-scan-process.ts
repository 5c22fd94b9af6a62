/** Hands an upload over to the virus scanner. */
import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { DocumentId } from '../domain/ids.ts';
import { documentScanId } from '../workflows/ids.ts';
import type { ApiDeps } from './deps.ts';
import { toFailure } from './failures.ts';
import { withinTime } from './review-process.ts';

const START_WITHIN_MS = 3_000;

/**
 * Starts the process that has a document scanned, or finds it started. Nobody waits for it and it never throws: the document
 * is on record as waiting, and what is not started here the minute's sweep starts (workflows/document-scan.ts).
 */
export async function startScan(
  { temporal, taskQueue, logger }: Pick<ApiDeps, 'temporal' | 'taskQueue' | 'logger'>,
  documentId: DocumentId,
): Promise<void> {
  const start = () =>
    temporal.workflow.start('documentScan', {
      workflowId: documentScanId(documentId),
      taskQueue,
      args: [{ documentId }],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: 'A document waits for the virus scanner',
    });
  try {
    await withinTime(temporal, start, START_WITHIN_MS);
  } catch (error) {
    logger.warn({ documentId, code: toFailure(error).code }, 'the scan of a document waits for the sweep');
  }
}
