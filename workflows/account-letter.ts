/**
 * A letter about an account, from the outbox to the mail server; and the sweep that takes up what was not handed over
 * when it was written, because Temporal was away or the API died in between. Histories hold letters' IDs, nothing else.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, proxyActivities, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { clock } from './answers.ts';
import { accountLetterId } from './ids.ts';
import { mail, records } from './policies.ts';

const { sendAccountLetter } = proxyActivities<Activities>({ ...mail, summary: 'Send a letter about an account' });
const { waitingAccountLetters, takeAccountLetters } = proxyActivities<Activities>({
  ...records,
  summary: 'Look through the outbox',
});

export async function accountLetter(letterId: string): Promise<{ sent: boolean }> {
  return sendAccountLetter({ letterId, at: clock() });
}

/** Whoever wrote a letter hands it over within seconds; older ones wait in vain. */
const FORGOTTEN_AFTER_MS = 60_000;
const PAGE = 100;
/** What is left then, the next sweep takes: a history must not grow with the length of an outage. */
const PAGES = 10;

/** @param page how many letters are looked up at a time */
export async function accountLetterSweep(page = PAGE): Promise<{ taken: number }> {
  const before = new Date(Date.now() - FORGOTTEN_AFTER_MS).toISOString();
  let taken = 0;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const letterIds = await waitingAccountLetters({ before, limit: page });
    await Promise.all(letterIds.map((id) => startLetter(id, 'A letter about an account')));
    if (letterIds.length > 0) await takeAccountLetters({ letterIds, at: clock() });
    taken += letterIds.length;
    if (letterIds.length < page) break;
  }
  return { taken };
}

/** A process of its own; one that was started before is left to itself. @param summary what people see of it in Temporal */
export async function startLetter(letterId: string, summary: string): Promise<void> {
  try {
    await startChild(accountLetter, {
      workflowId: accountLetterId(letterId),
      args: [letterId],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      // Nobody who hands a letter over waits for the mail server.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: summary,
    });
  } catch (error) {
    // Handed over before, only the mark in the outbox was missing.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
