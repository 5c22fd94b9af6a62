import { z } from 'zod';
import { RUNG_ACTIONS, RUNG_CODES } from '../../domain/escalation.ts';
import { SUSPENSION_REASONS } from '../../domain/legal-clock.ts';
import { timeSchema } from '../wire.ts';
import { stageSchema, stateSchema, turnSchema } from './licenses.ts';

const rungSchema = z.object({
  code: z.enum(RUNG_CODES),
  percent: z.number().optional().describe('At so much of the working time of the stage.'),
  workingDaysAfterDue: z.number().optional().describe('So many working days after the stage was due.'),
  onLastLegalDay: z.boolean().optional().describe('On the last day of the legal time.'),
  action: z.enum(RUNG_ACTIONS),
  at: timeSchema,
});

const holidays = z.array(z.object({ date: z.string(), reason: z.string() }));

const suspensionSchema = z.object({
  reason: z.enum(SUSPENSION_REASONS),
  stage: stageSchema.nullable(),
  round: z.int(),
  by: z.object({ id: z.string(), name: z.string() }).optional().describe('Who asked. For staff.'),
  from: timeSchema,
  to: timeSchema.nullable().describe('null = the applicant has the case.'),
  workingMs: z.int().describe('Working time that the clock stood still.'),
  calendarMs: z.int().describe('The same by the wall clock.'),
});

export const legalDeadlineSchema = z
  .object({
    startedAt: timeSchema.describe('When the submission was complete.'),
    dueAt: timeSchema.nullable().describe('When the legal time is over; null while it stands still.'),
    endedAt: timeSchema.nullable().describe('When the office had decided; the clock counts no further.'),
    workingDays: z.number().describe('What the law gives the office.'),
    budgetMs: z.int().describe('The same as working time.'),
    officeMs: z.int().describe('Working time that the office has used.'),
    leftMs: z.int(),
    applicantMs: z.int().describe('Working time in which the applicant had the case.'),
    applicantCalendarMs: z.int().describe('The same by the wall clock.'),
    suspended: z.boolean(),
    suspensions: z.array(suspensionSchema),
    holidays: holidays.describe('Closed days that moved the due date.'),
  })
  .meta({ id: 'LegalClock' });

export const EXPLAINED_DAYS = 60;

export const deadlineSchema = z
  .object({
    applicationId: z.string(),
    state: stateSchema,
    whoseTurn: turnSchema,
    dueAt: timeSchema.nullable().describe('Until when whoever has the turn should act; null = no limit.'),
    clock: z
      .object({
        stage: stageSchema,
        round: z.int(),
        runningSince: timeSchema,
        budgetMs: z.int().describe('Working time that the stage has.'),
        usedMs: z.int().describe('Working time of the stage that the office has used by now.'),
        holidays: holidays.describe('Closed days that moved the deadline.'),
        rungs: z.array(rungSchema.extend({ firedAt: timeSchema.nullable() })),
        next: rungSchema.nullable().describe('What fires next, and when.'),
        calendarVersion: z.int().describe('Of the calendar that the stage was planned by.'),
      })
      .nullable()
      .describe('Of the stage; null while none is open.'),
    legal: legalDeadlineSchema.nullable().describe('Of the whole case; null until a submission is complete.'),
    calendarVersion: z.int().describe("Of the office's calendar, by which all of this is counted."),
    explanation: z
      .array(z.object({ date: z.string(), from: timeSchema, to: timeSchema, workingMs: z.int() }))
      .describe(
        `The office hours of each day that make up the legal time, to add up by hand: to its end, or until now while it stands still. The first ${EXPLAINED_DAYS} days.`,
      ),
  })
  .meta({ id: 'Deadline' });
