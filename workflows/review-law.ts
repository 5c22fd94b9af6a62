/** The end of the legal time: what nobody decided is approved by law, where the policy says so (UU 30/2014 art. 53). */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { StagePolicy } from '../domain/licensing.ts';
import { clock } from './answers.ts';
import { documents, records } from './policies.ts';
import { afterApproval, appealedRound, billOf, isPast, type ReviewCase, tell } from './review-case.ts';

const { approveByLaw } = proxyActivities<Activities>({ ...records, summary: 'The legal time is over: approve by law' });
const { printEvidence } = proxyActivities<Activities>({ ...documents, summary: 'Print why the law approved it' });

/** The office has decided once on a case that is appealed; the law does not decide it the other way by the clock. */
export const deems = ({ policy, input }: ReviewCase): boolean =>
  policy.deemedApproval === 'issue' && appealedRound(input) === 0;

export const isOverByLaw = (theCase: ReviewCase): boolean =>
  deems(theCase) && theCase.legalDueAt !== null && isPast(theCase.legalDueAt);

/** The record has the last word: the calendar may have been changed, and then it is over later. */
export async function byLaw(theCase: ReviewCase, stage: StagePolicy | null): Promise<boolean> {
  const { policy, input, round } = theCase;
  const to = afterApproval(policy);
  theCase.opening = true;
  const { approved, state, legalDueAt } = await approveByLaw({
    applicationId: input.applicationId,
    round,
    stage: stage?.stage ?? null,
    to,
    bill: billOf(policy, to),
    at: clock(),
  });
  theCase.opening = false;
  // A time that is past and did not count waits for the record to be planned anew.
  theCase.legalDueAt = legalDueAt && !isPast(legalDueAt) ? legalDueAt : null;
  if (approved) {
    theCase.state = state;
    theCase.task = null;
    await printEvidence({ applicationId: input.applicationId });
  }
  tell(theCase);
  return approved;
}
