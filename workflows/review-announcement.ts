/** A rejection that was announced: the applicant may answer before the office decides. */
import { condition, patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { AnswerTimes } from '../activities/review-pauses.ts';
import type { UserId } from '../domain/ids.ts';
import type { Reason, StagePolicy } from '../domain/licensing.ts';
import { clock } from './answers.ts';
import type { Sent } from './messages.ts';
import { records } from './policies.ts';
import { type Announcement, isPast, type ReviewCase, show, until } from './review-case.ts';
import { carryOutMove } from './review-policy.ts';

const { announceRejection } = proxyActivities<Activities>({
  ...records,
  summary: 'Announce the rejection, stop the clock',
});
const { readPlan } = proxyActivities<Activities>({ ...records, summary: 'Read the deadline again' });

export interface AnswerHeard {
  readonly announcement: Announcement;
  /** null = the applicant had the time to answer, and did not. */
  readonly response: { readonly by: UserId; readonly statementId: string } | null;
  readonly sent: Sent;
}

/** @returns null when the case is given up meanwhile */
export async function waitForAnswer(
  theCase: ReviewCase,
  stage: StagePolicy,
  { reasons, by }: { readonly reasons: readonly Reason[]; readonly by: UserId },
): Promise<AnswerHeard | null> {
  const { input, policy, round, post } = theCase;
  if (!policy.intent) throw new Error('a rejection was announced under a policy without announcements');
  const announcement: Announcement = { response: null, isClosed: false, isOver: false, hasCounted: false };
  theCase.announcement = announcement;
  const { answerBy } = await announceRejection({
    applicationId: input.applicationId,
    typeCode: input.typeCode,
    round,
    stage: stage.stage,
    reasons,
    by,
    answerWithinWorkingDays: policy.intent.answerWithinWorkingDays,
    at: clock(),
  });
  theCase.legalDueAt = null;
  show(theCase, answerBy);
  post.write('rejection_announced', input.applicant, { reasons, respondBy: answerBy });
  await heard(theCase, announcement, answerBy);
  announcement.isClosed = true;
  if (theCase.ending) {
    announcement.isOver = true;
    return null;
  }
  const said = announcement.response;
  announcement.hasCounted = said !== null;
  const response = said && { by: said.by, statementId: said.statementId };
  return { announcement, response, sent: said ?? {} };
}

async function heard(theCase: ReviewCase, announcement: Announcement, firstTold: string): Promise<void> {
  let answerBy = firstTold;
  const isEnough = () => announcement.response !== null || theCase.ending !== null;
  for (;;) {
    const spoken = () => isEnough() || theCase.moves.length > 0 || theCase.replanned;
    const summary = 'The applicant may answer the announced rejection';
    const isHeard = await condition(spoken, until(answerBy), { summary });
    if (isEnough()) return;
    if (theCase.moves.length > 0) await carryOutMove(theCase, null);
    else if (isHeard) ({ answerBy } = await readAgain(theCase, answerBy));
    else {
      const onRecord = await stillUntil(theCase, answerBy);
      if (onRecord === null && !isEnough()) return;
      answerBy = onRecord ?? answerBy;
    }
  }
}

/** The calendar was changed: so may be the day by which the applicant answers. */
export async function readAgain(theCase: ReviewCase, answerBy: string): Promise<AnswerTimes> {
  theCase.replanned = false;
  const { input, round } = theCase;
  const { dueAt, remindAt } = await readPlan({ applicationId: input.applicationId, round, stage: null });
  show(theCase, dueAt ?? answerBy);
  return { answerBy: dueAt ?? answerBy, ...(remindAt ? { remindAt } : {}) };
}

/**
 * Only the record knows: nobody is told that the calendar gives the applicant more time.
 * @returns until when they have it; null = it is over
 */
export async function stillUntil(theCase: ReviewCase, answerBy: string): Promise<string | null> {
  // Processes of before were told of every change, and did not ask.
  if (!patched('ask-before-the-time-is-over')) return null;
  const onRecord = await readAgain(theCase, answerBy);
  return isPast(onRecord.answerBy) ? null : onRecord.answerBy;
}
