/** Until when an applicant may answer, and when they are reminded of it: by the office's calendar. */
import type { Knex } from 'knex';
import { calendarOf } from '../db/offices.ts';
import { timeToCorrect } from '../db/replanning.ts';
import { addWorkingDays, addWorkingTime, type BusinessCalendar, formatInZone, workingDay } from '../domain/calendar.ts';
import type { ApplicationId } from '../domain/ids.ts';

/** How long the applicant has, and when they are reminded of it. */
export interface TimeToAnswer {
  readonly answerWithinWorkingDays: number;
  /** Of the time to answer. */
  readonly remindAtPercent?: readonly number[];
}

/** ISO 8601 in the office's zone. */
export interface AnswerTimes {
  readonly answerBy: string;
  /** Absent in histories of before. */
  readonly remindAt?: readonly { readonly percent: number; readonly at: string }[];
}

export function timesToAnswer(calendar: BusinessCalendar, input: TimeToAnswer & { at: string }): AnswerTimes {
  const { answerWithinWorkingDays: days } = input;
  return {
    answerBy: formatInZone(addWorkingDays(calendar, Date.parse(input.at), days).at, calendar.zone),
    remindAt: remindersOf(calendar, input),
  };
}

/** The reminders are placed on the working time that the applicant has. */
function remindersOf(
  calendar: BusinessCalendar,
  { answerWithinWorkingDays: days, remindAtPercent = [], at }: TimeToAnswer & { at: string },
): NonNullable<AnswerTimes['remindAt']> {
  const share = (percent: number) => Math.floor((days * workingDay(calendar) * percent) / 100);
  return remindAtPercent
    .toSorted((a, b) => a - b)
    .map((percent) => ({
      percent,
      at: formatInZone(addWorkingTime(calendar, Date.parse(at), share(percent)).at, calendar.zone),
    }));
}

/** Until when the applicant may correct, and when they are reminded, as it stands: after the calendar was changed. */
export async function answerTimesOf(db: Knex, applicationId: ApplicationId): Promise<AnswerTimes | null> {
  const found = await timeToCorrect(db, applicationId);
  if (!found) return null;
  const calendar = await calendarOf(db, found.officeId);
  return {
    answerBy: formatInZone(found.answerBy.getTime(), calendar.zone),
    remindAt: remindersOf(calendar, { ...found, at: found.askedAt.toISOString() }),
  };
}
