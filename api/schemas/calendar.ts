import { z } from 'zod';
import { OFFICE_ZONES } from '../../domain/calendar.ts';
import { CLOSURE_KINDS } from '../../domain/calendars.ts';
import { timeSchema } from '../wire.ts';
import { stateSchema } from './licenses.ts';

const CLOSURES_AT_MOST = 2000;

const closure = z.strictObject({
  date: z.string().max(10).describe('Local date, YYYY-MM-DD: closed for all of it.'),
  kind: z.enum(CLOSURE_KINDS).describe('`joint_leave` is cuti bersama; `local` is what only this office keeps.'),
  name: z.string().min(1).max(200),
});

export const officeCalendarSchema = z
  .strictObject({
    zone: z.enum(OFFICE_ZONES),
    workdays: z.array(z.int()).max(7).describe('1 = Monday … 7 = Sunday'),
    opensAt: z.string().max(5).describe('Local time, HH:MM'),
    closesAt: z.string().max(5).describe('Exclusive; 24:00 is midnight'),
    nationalHolidays: z.boolean().describe('Whether national holidays close the office.'),
    jointLeave: z.boolean().describe('Whether joint leave closes it.'),
    closures: z.array(closure).max(CLOSURES_AT_MOST),
  })
  .meta({ id: 'OfficeCalendar' });

export const previewRequestSchema = z
  .strictObject({ calendar: officeCalendarSchema })
  .meta({ id: 'CalendarPreviewRequest' });

export const publishRequestSchema = z
  .strictObject({
    calendar: officeCalendarSchema,
    reason: z.string().min(1).max(1000).describe('For whoever asks later why deadlines moved.'),
    basedOnVersion: z.int().min(1).describe('`version` of what you read; refused when another was published since.'),
  })
  .meta({ id: 'CalendarPublication' });

export const calendarSchema = z
  .object({
    officeId: z.string(),
    version: z.int(),
    calendar: officeCalendarSchema,
    warnings: z.array(
      z.object({
        code: z.enum(['national_holidays_missing', 'replanning_unfinished']),
        year: z.int().optional(),
        detail: z.string(),
      }),
    ),
    versions: z
      .array(
        z.object({
          version: z.int(),
          reason: z.string(),
          publishedBy: z.object({ id: z.string(), name: z.string() }).nullable(),
          publishedAt: timeSchema,
          replannedAt: timeSchema
            .nullable()
            .describe('When every open case was planned by it; null = not all of them.'),
          replanned: z.int().describe('Open cases that were planned by it.'),
          moved: z.int().describe('Those whose deadlines moved.'),
        }),
      )
      .describe('The newest first, at most 100.'),
  })
  .meta({ id: 'Calendar' });

export const proposalSchema = z
  .object({
    year: z.int(),
    closures: z.array(closure),
    unknown: z
      .array(z.string())
      .describe('Holidays of the year before that the proposal does not know: add them by hand.'),
  })
  .meta({ id: 'HolidayProposal' });

const count = { moved: z.int(), unchanged: z.int() };
const moves = z.object({ from: timeSchema.nullable(), to: timeSchema.nullable() });

export const previewSchema = z
  .object({
    basedOnVersion: z.int().describe('Publish with this.'),
    openCases: z.int(),
    ...count,
    latestShiftMs: z.int().nullable().describe('By how much the case moves that moves furthest back; calendar time.'),
    earliestShiftMs: z.int().nullable().describe('Furthest forward: negative, where any becomes due earlier.'),
    byStage: z.array(z.object({ stage: z.string().describe('Stage, or state of a case that is at none.'), ...count })),
    items: z
      .array(
        z.object({
          applicationId: z.string(),
          state: stateSchema,
          dueAt: moves,
          legalDueAt: moves,
          shiftMs: z.int().nullable().describe('null = only reminders move.'),
        }),
      )
      .describe('Those that move. The totals are of all, whatever the page.'),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'CalendarPreview' });
