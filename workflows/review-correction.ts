/** The applicant has the case: the office's clock stands still until they answer, or their time is over. */
import { condition, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { AnswerTimes } from '../activities/review-pauses.ts';
import type { UserId } from '../domain/ids.ts';
import type { Reason, StagePolicy } from '../domain/licensing.ts';
import { clock } from './answers.ts';
import type { Sent } from './messages.ts';
import { records } from './policies.ts';
import { readAgain } from './review-announcement.ts';
import { type ReviewCase, show, until } from './review-case.ts';
import { carryOutMove } from './review-policy.ts';

const { askForCorrection } = proxyActivities<Activities>({ ...records, summary: 'Give the case back, stop the clock' });
const { noteCorrectionReminder } = proxyActivities<Activities>({ ...records, summary: 'Record the reminder' });

type Corrected = { readonly by: UserId } & Sent;

export interface Correction {
  readonly outcome: 'given_up' | 'lapsed_no_response' | Corrected;
  /** Working time that the stage had used. */
  readonly usedMs: number;
}

/** @param stage null = the automatic check asks */
export async function correct(
  theCase: ReviewCase,
  stage: StagePolicy | null,
  { reasons, by }: { readonly reasons: readonly Reason[]; readonly by?: UserId },
): Promise<Correction> {
  const { input, policy, round, post } = theCase;
  const { answerWithinWorkingDays, remindAtPercent } = policy.correction;
  const { usedMs, ...times } = await askForCorrection({
    applicationId: input.applicationId,
    typeCode: input.typeCode,
    round,
    stage: stage?.stage ?? null,
    reasons,
    answerWithinWorkingDays,
    ...(remindAtPercent ? { remindAtPercent } : {}),
    ...(by ? { by } : {}),
    at: clock(),
  });
  theCase.state = 'correction_requested';
  theCase.legalDueAt = null;
  show(theCase, times.answerBy);
  post.write('correction_requested', input.applicant, { reasons, round, respondBy: times.answerBy });
  return { outcome: await waitForCorrection(theCase, times), usedMs };
}

/** Waits for the corrected submission, reminding as often as the policy says; histories of before know of no reminders. */
export async function waitForCorrection(
  theCase: ReviewCase,
  { answerBy: firstTold, remindAt = [] }: AnswerTimes,
): Promise<Correction['outcome']> {
  const reminders = [...remindAt];
  let answerBy = firstTold;
  const isEnough = () => theCase.resubmission !== null || theCase.ending !== null;
  const spoken = () => isEnough() || theCase.moves.length > 0 || theCase.replanned;
  for (;;) {
    const [reminder] = reminders;
    const isHeard = await condition(spoken, until(reminder?.at ?? answerBy), {
      summary: reminder ? `Reminder at ${reminder.percent} % of the time to correct` : SUMMARY,
    });
    if (theCase.ending) return 'given_up';
    if (theCase.resubmission) return takeResubmission(theCase, theCase.resubmission);
    if (theCase.moves.length > 0) await carryOutMove(theCase, null);
    else if (isHeard) answerBy = await readAgain(theCase, answerBy);
    else if (!reminder) return 'lapsed_no_response';
    else await remind(theCase, reminders.splice(0, 1), answerBy);
  }
}

const SUMMARY = 'The applicant corrects the submission';

function takeResubmission(theCase: ReviewCase, sent: Corrected): Corrected {
  theCase.resubmission = null;
  return sent;
}

async function remind(
  { input, round, again, post }: ReviewCase,
  reminders: NonNullable<AnswerTimes['remindAt']>,
  answerBy: string,
): Promise<void> {
  for (const { percent } of reminders) {
    await noteCorrectionReminder({
      applicationId: input.applicationId,
      round,
      percent,
      answerBy,
      again,
      at: clock(),
    });
    post.write('correction_reminder', input.applicant, { round, respondBy: answerBy });
  }
}
