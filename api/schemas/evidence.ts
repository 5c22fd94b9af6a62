/** The evidence of an approval by law. */
import { z } from 'zod';
import { DECISIONS } from '../../domain/licensing.ts';
import { ROLES } from '../../domain/roles.ts';
import { timeSchema } from '../wire.ts';
import { stageSchema } from './licenses.ts';

const namesSchema = z.object({ id: z.string(), en: z.string() });
const msSchema = z.int().describe('Working time, in milliseconds.');

const personSchema = z
  .object({
    roles: z.array(z.enum(ROLES)),
    id: z.string().optional().describe('For staff.'),
    name: z.string().optional().describe('For staff.'),
  })
  .nullable()
  .describe('null = Alur itself.');

export const evidenceSchema = z
  .object({
    applicationId: z.string(),
    legalBasis: namesSchema,
    company: z.object({ id: z.string(), name: z.string(), nib: z.string().nullable() }),
    type: z.object({ code: z.string(), name: namesSchema }),
    office: z.object({ name: z.string(), address: z.string(), zone: z.string() }),
    submittedAt: timeSchema,
    completeAt: timeSchema.describe('From here on the legal time ran.'),
    legalBudgetMs: msSchema,
    legalWorkingDays: z.number(),
    legalDueAt: timeSchema.describe('When it was used up.'),
    grantedAt: timeSchema,
    officeMs: msSchema.describe('The sum of `days`.'),
    applicantMs: msSchema,
    days: z.array(z.object({ date: z.string(), workingMs: msSchema })),
    suspensions: z.array(
      z.object({
        reason: z.string(),
        stage: stageSchema.nullable(),
        round: z.int(),
        by: personSchema,
        from: timeSchema,
        to: timeSchema.nullable(),
        workingMs: msSchema,
      }),
    ),
    calendar: z.object({
      version: z.int(),
      opensAtMinute: z.int(),
      closesAtMinute: z.int(),
      holidays: z.array(z.object({ date: z.string(), reason: z.string() })),
    }),
    tasks: z.array(
      z.object({
        stage: stageSchema,
        round: z.int(),
        seat: z.int(),
        role: z.enum(ROLES),
        openedAt: timeSchema,
        dueAt: timeSchema,
        closedAt: timeSchema.nullable(),
        state: z.string(),
        assignee: personSchema.describe('null = nobody was free.'),
      }),
    ),
    holders: z.array(z.object({ stage: stageSchema, since: timeSchema, person: personSchema })),
    decisions: z.array(
      z.object({ stage: stageSchema, round: z.int(), decision: z.enum(DECISIONS), at: timeSchema, by: personSchema }),
    ),
    rungs: z.array(
      z.object({
        stage: stageSchema,
        round: z.int(),
        code: z.string(),
        firedAt: timeSchema,
        told: z.array(
          z.object({
            person: personSchema,
            template: z.string(),
            writtenAt: timeSchema,
            state: z.string(),
            sentAt: timeSchema.nullable(),
          }),
        ),
      }),
    ),
    createdAt: timeSchema,
    pdfUrl: z.string().nullable().describe('null until it is printed.'),
  })
  .meta({ id: 'Evidence' });
