/**
 * Every ten minutes: a return that no process has in hand, or of which nothing was heard for so long that something must have
 * become due, gets its process back, which goes on from the record. So does one that had ended and whose parcel has come. What
 * somebody said to a return while nobody worked is handed over. A schedule starts this (worker/schedules.ts); what one run leaves, the next takes.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ProcessesStarted, ProcessStart } from '../activities/processes.ts';
import type { ReturnOrigin } from '../activities/returns.ts';
import type { ReturnId } from '../domain/ids.ts';
import { rmaId } from './ids.ts';
import type { RmaInput } from './messages.ts';
import { records, watches } from './policies.ts';
import { hearWhatWasSaid } from './shop-messages.ts';

const { findForgottenReturns } = proxyActivities<Activities>({ ...records, summary: 'Look for returns not in hand' });
const { startMissingProcesses } = proxyActivities<Activities>({ ...watches, summary: 'Start their processes' });

/** The API starts a process within seconds of its record. */
const FORGOTTEN_AFTER_MS = 60_000;
/** Longer than any wait without a rung. */
const QUIET_MS = 8 * 86_400_000;
const PAGE = 100;
/** What is left then, the next run takes: a history must not grow with the length of an outage. */
const PAGES = 50;

/** @param page how many returns are looked at at a time */
export async function rmaWatch(page = PAGE): Promise<ProcessesStarted> {
  const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
  const [requestedBefore, quietSince] = [ago(FORGOTTEN_AFTER_MS), ago(QUIET_MS)];
  let [started, running, failed] = [0, 0, 0];
  let after: ReturnId | null = null;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const found: ReturnOrigin[] = await findForgottenReturns({ requestedBefore, quietSince, after, limit: page });
    if (found.length > 0) {
      const done = await startMissingProcesses({ starts: found.map(startOf) });
      [started, running, failed] = [started + done.started, running + done.running, failed + done.failed];
    }
    if (found.length < page) break;
    after = found.at(-1)?.returnId ?? null;
  }
  await hearWhatWasSaid('rma', page);
  return { started, running, failed };
}

function startOf({ returnId }: ReturnOrigin): ProcessStart {
  const input: RmaInput = { returnId };
  return { workflowType: 'rma', workflowId: rmaId(returnId), input, summary: 'Return, taken up again' };
}
