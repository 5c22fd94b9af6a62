/** The applicant has the case: the office's clock stands still until they answer, or their time is over. */
import { condition, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { AnswerTimes, ReminderNoted } from '../activities/review-pauses.ts';
import type { UserId } from '../domain/ids.ts';
import type { Reason, StagePolicy } from '../domain/licensing.ts';
import { clock } from './answers.ts';
import type { Sent } from './messages.ts';
import { records } from './policies.ts';
import { readAgain, stillUntil } from './review-announcement.ts';
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
  let reminders: Reminders = [...remindAt];
  let answerBy = firstTold;
  const follow = (now: AnswerTimes): void => {
    answerBy = now.answerBy;
    reminders = moved(reminders, now.remindAt);
  };
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
    else if (isHeard) follow(await readAgain(theCase, answerBy));
    else if (reminder) {
      const noted = await remind(theCase, reminder, answerBy);
      if (!noted?.notYet) reminders = reminders.slice(1);
      if (noted?.now) follow(noted.now);
    } else {
      const onRecord = await stillUntil(theCase, answerBy);
      if (onRecord === null && !isEnough()) return 'lapsed_no_response';
      answerBy = onRecord ?? answerBy;
    }
  }
}

type Reminders = NonNullable<AnswerTimes['remindAt']>;

/** What has not been said yet, at the times that the record has for it. */
const moved = (left: Reminders, planned: Reminders = []): Reminders =>
  left
    .map((reminder) => planned.find(({ percent }) => percent === reminder.percent) ?? reminder)
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));

const SUMMARY = 'The applicant corrects the submission';

function takeResubmission(theCase: ReviewCase, sent: Corrected): Corrected {
  theCase.resubmission = null;
  return sent;
}

/** @returns what the record says of it; nothing in histories of before */
async function remind(
  { input, round, again, post }: ReviewCase,
  { percent }: Reminders[number],
  answerBy: string,
): Promise<ReminderNoted | undefined> {
  const { applicationId } = input;
  const noted: ReminderNoted | undefined = await noteCorrectionReminder({
    applicationId,
    round,
    percent,
    answerBy,
    again,
    at: clock(),
  });
  const respondBy = noted?.now?.answerBy ?? answerBy;
  if (!noted?.notYet) post.write('correction_reminder', input.applicant, { round, respondBy });
  return noted;
}
