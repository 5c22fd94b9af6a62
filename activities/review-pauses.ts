/** When the applicant has the case: a correction, an announced rejection, a case that is reopened. The clock stands still. */
import type { Knex } from 'knex';
import { moveApplication } from '../db/application-moves.ts';
import { recordEvent } from '../db/events.ts';
import { officeOfType, workingCalendarOf } from '../db/offices.ts';
import { lastOpening } from '../db/review-stages.ts';
import { statementOf } from '../db/statements.ts';
import { suspendClock } from '../db/suspensions.ts';
import type { BusinessCalendar } from '../domain/calendar.ts';
import type { EventType } from '../domain/events.ts';
import type { UserId } from '../domain/ids.ts';
import type { Reason, Stage } from '../domain/licensing.ts';
import { type AnswerTimes, answerTimesOf, type TimeToAnswer, timesToAnswer } from './answer-times.ts';
import type { ActivityDeps } from './deps.ts';
import type { CaseAt, StageAt } from './review-inputs.ts';
import { usedWorkingMs } from './review-stages.ts';

export type { AnswerTimes } from './answer-times.ts';

/** `now` = the times by the record and the calendar of the moment; null when the applicant does not have the case any more. */
export interface ReminderNoted {
  readonly notYet: boolean;
  readonly now: AnswerTimes | null;
}

export interface AskForCorrection extends CaseAt, TimeToAnswer {
  readonly typeCode: string;
  readonly round: number;
  /** null = the automatic completeness check asks. */
  readonly stage: Stage | null;
  readonly reasons: readonly Reason[];
  /** Absent = Alur itself. */
  readonly by?: UserId;
}

export interface AnnounceRejection extends StageAt, TimeToAnswer {
  readonly typeCode: string;
  readonly reasons: readonly Reason[];
  readonly by: UserId;
}

export interface ReopenCase extends CaseAt, TimeToAnswer {
  readonly typeCode: string;
  readonly round: number;
  readonly stage: Stage | null;
  readonly statementId: string;
}

export interface CaseReopened extends AnswerTimes {
  /** Working time that its stage had used. */
  readonly usedMs: number;
  /** Who had its seats. */
  readonly holders: readonly { readonly seat: number; readonly assignee: UserId }[];
}

export function createReviewPauseActivities({ db }: Pick<ActivityDeps, 'db'>) {
  return {
    /** Gives the case back to the applicant and stops the clock. */
    async askForCorrection(input: AskForCorrection): Promise<AnswerTimes & { usedMs: number }> {
      const office = await officeOfType(db, input.typeCode);
      return db.transaction(async (tx) => {
        const { calendar } = await workingCalendarOf(tx, office.id);
        const times = timesToAnswer(calendar, input);
        await giveBack(tx, input, {
          key: `license-review/${input.applicationId}/correction/${input.round}`,
          type: 'application.correction_requested',
          to: 'correction_requested',
          suspension: 'correction',
          answerBy: times.answerBy,
        });
        const usedMs = input.stage ? await usedWorkingMs(tx, { ...input, stage: input.stage }, calendar) : 0;
        return { ...times, usedMs };
      });
    },

    /** Tells that the applicant was reminded; the letter follows it. By another calendar it may be too early for that. */
    async noteCorrectionReminder(
      input: CaseAt & { round: number; percent: number; answerBy: string; again: string | null },
    ): Promise<ReminderNoted> {
      const { applicationId, round, percent, again, at } = input;
      const key = `license-review/${applicationId}/correction-reminded/${round}/${again ? `${again}/` : ''}${percent}`;
      const now = await answerTimesOf(db, applicationId);
      const { answerBy = input.answerBy, remindAt = [] } = now ?? {};
      const planned = remindAt.find((reminder) => reminder.percent === percent);
      const isEarly = planned !== undefined && Date.parse(planned.at) > Date.parse(at);
      if (isEarly && !(await db('events').where({ key }).first('id'))) return { notYet: true, now };
      await recordEvent(db, {
        key,
        type: 'application.correction_reminded',
        applicationId,
        data: { round, percent, answerBy },
        at,
      });
      return { notYet: false, now };
    },

    /** Tells the applicant that the office means to reject, and stops the clock until they have answered. */
    async announceRejection(input: AnnounceRejection): Promise<AnswerTimes> {
      const office = await officeOfType(db, input.typeCode);
      return db.transaction(async (tx) => {
        const { calendar } = await workingCalendarOf(tx, office.id);
        const times = timesToAnswer(calendar, input);
        await giveBack(tx, input, {
          key: `license-review/${input.applicationId}/intent/${input.round}`,
          type: 'application.intent_to_reject',
          to: 'intent_to_reject',
          suspension: 'intent_to_reject',
          answerBy: times.answerBy,
        });
        return times;
      });
    },

    /**
     * Gives a case that lapsed unanswered back to the applicant, who has the time to answer once more.
     * @returns null when it has gone on since: a run that was started too late
     */
    async reopenCase(input: ReopenCase): Promise<CaseReopened | null> {
      const office = await officeOfType(db, input.typeCode);
      return db.transaction(async (tx) => {
        const { calendar } = await workingCalendarOf(tx, office.id);
        const times = timesToAnswer(calendar, input);
        if (!(await reopen(tx, input, times.answerBy))) return null;
        return { ...times, ...(await stageSoFar(tx, input, calendar)) };
      });
    },
  };
}

interface GivenBack {
  readonly key: string;
  readonly type: EventType;
  readonly to: 'correction_requested' | 'intent_to_reject';
  readonly suspension: 'correction' | 'intent_to_reject';
  readonly answerBy: string;
}

async function giveBack(
  tx: Knex,
  input: CaseAt & { round: number; stage: Stage | null; reasons: readonly Reason[]; by?: UserId },
  { key, type, to, suspension, answerBy }: GivenBack,
): Promise<void> {
  const { applicationId, round, stage, reasons, by = null, at } = input;
  const isNew = await recordEvent(tx, {
    key,
    type,
    applicationId,
    // Codes only: what the reviewer wrote stands in the decision.
    data: { round, stage, reasons: reasons.map(({ code, pointer }) => ({ code, pointer })), answerBy },
    at,
  });
  if (!isNew) return;
  await suspendClock(tx, { applicationId, reason: suspension, stage, round, by, at });
  await waitUntil(tx, { applicationId, to, answerBy, at });
}

// The decision before this has moved the case here already; the automatic check has not.
async function waitUntil(
  tx: Knex,
  { applicationId, to, answerBy, at }: Pick<CaseAt, 'applicationId' | 'at'> & Pick<GivenBack, 'to' | 'answerBy'>,
): Promise<void> {
  const waiting = await tx('applications')
    .where({ id: applicationId, state: to })
    .update({ due_at: answerBy, updated_at: at });
  if (waiting === 0) await moveApplication(tx, { id: applicationId, to, dueAt: answerBy, at });
}

async function reopen(tx: Knex, input: ReopenCase, answerBy: string): Promise<boolean> {
  const { applicationId, round, stage, statementId, at } = input;
  const key = `license-review/${applicationId}/reopened/${statementId}`;
  // The lock first: a run that comes too late must leave nothing behind, not even the event.
  const now: { state: string; round: number } | undefined = await tx('applications')
    .where({ id: applicationId })
    .forNoKeyUpdate()
    .first('state', 'round');
  const isDone = (await tx('events').where({ key }).first('id')) !== undefined;
  if (isDone) return now?.state === 'correction_requested' && now.round === round;
  if (now?.state !== 'lapsed_no_response') return false;
  const { by } = await statementOf(tx, statementId);
  await recordEvent(tx, {
    key,
    type: 'application.reopened',
    applicationId,
    by,
    data: { round, stage, statementId, answerBy },
    at,
  });
  await moveApplication(tx, { id: applicationId, to: 'correction_requested', dueAt: answerBy, at });
  return true;
}

async function stageSoFar(
  tx: Knex,
  { applicationId, stage, at }: ReopenCase,
  calendar: BusinessCalendar,
): Promise<Pick<CaseReopened, 'usedMs' | 'holders'>> {
  const last = stage && (await lastOpening(tx, applicationId, stage));
  if (!stage || !last) return { usedMs: 0, holders: [] };
  const usedMs = await usedWorkingMs(tx, { applicationId, round: last.round, stage, at }, calendar);
  return { usedMs, holders: last.holders };
}
