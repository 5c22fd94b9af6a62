/** The rules of a licence type at the border: the whole LicensePolicy; what its parts must be to each other is domain/policies.ts's. */
import { z } from 'zod';
import { RUNG_ACTIONS, RUNG_CODES } from '../../domain/escalation.ts';
import { REGISTRIES, STAGES } from '../../domain/licensing.ts';
import { ODD_MONEY_WAYS } from '../../domain/payments.ts';
import { REVIEWER_ROLES } from '../../domain/roles.ts';
import { effectiveFromSchema } from '../effective-from.ts';
import { timeSchema } from '../wire.ts';
import { applicationIdSchema } from './ids.ts';

const percent = z.number().gt(0).max(100);
const days = z.int().min(1).max(3650);
const workingDays = z.number().gt(0).max(1000);
const role = z.enum(REVIEWER_ROLES);
const amount = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .describe('Whole minor units, as digits.');

const stagePolicySchema = z
  .strictObject({
    stage: z.enum(STAGES),
    role,
    sharePercent: percent.describe('Of the legal time; all together at most 100.'),
    quorum: z
      .strictObject({
        of: z.int().min(1).max(9),
        needed: z.int().min(1).max(9),
        requiredRoles: z.array(role).max(9).exactOptional(),
        rejection: z.enum(['one_ends', 'when_lost']),
      })
      .exactOptional()
      .describe('Absent = one person decides.'),
  })
  .meta({ id: 'StagePolicy' });

const rung = { code: z.enum(RUNG_CODES), action: z.enum(RUNG_ACTIONS) };
const rungSchema = z.union([
  z.strictObject({ ...rung, percent: z.number().gt(0).max(1000) }),
  z.strictObject({ ...rung, workingDaysAfterDue: z.int().min(0).max(365) }),
  z.strictObject({ ...rung, onLastLegalDay: z.literal(true) }),
]);

const kind = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);

export const policySchema = z
  .strictObject({
    path: z.enum(['review', 'automatic']),
    stages: z.array(stagePolicySchema).max(STAGES.length),
    checklist: z.array(z.strictObject({ kind, required: z.boolean() })).max(30),
    legalWorkingDays: workingDays,
    ladder: z.array(rungSchema).max(RUNG_CODES.length),
    correction: z.strictObject({
      maxRounds: z.int().min(0).max(20),
      answerWithinWorkingDays: workingDays,
      remindAtPercent: z.array(percent.lt(100)).max(10).exactOptional(),
      reopenWithinDays: days.exactOptional(),
    }),
    intent: z.strictObject({ required: z.boolean(), answerWithinWorkingDays: workingDays }).exactOptional(),
    deemedApproval: z.enum(['escalate_only', 'issue']).exactOptional(),
    appeal: z.strictObject({ withinDays: days }).exactOptional(),
    automatic: z
      .strictObject({ auditPercent: z.number().min(0).max(100), fallback: stagePolicySchema })
      .exactOptional(),
    registries: z
      .strictObject({
        ask: z.array(z.enum(REGISTRIES)).min(1).max(REGISTRIES.length),
        giveUpAfterMinutes: z
          .number()
          .gt(0)
          .max(60 * 24 * 30),
      })
      .exactOptional(),
    fee: z.strictObject({ statutoryMinor: amount, serviceMinor: amount, currency: z.enum(['IDR', 'MYR']) }),
    payment: z.strictObject({
      remindAfterDays: z.array(days).max(20),
      lapseAfterDays: days,
      instalments: z
        .array(z.strictObject({ percent: z.int().min(1).max(100), dueAfterDays: days }))
        .min(1)
        .max(24)
        .exactOptional(),
      oddMoney: z
        .strictObject({
          late: z.enum(ODD_MONEY_WAYS).exactOptional(),
          twice: z.enum(ODD_MONEY_WAYS).exactOptional(),
          short: z.enum(ODD_MONEY_WAYS).exactOptional(),
          over: z.enum(ODD_MONEY_WAYS).exactOptional(),
          wrong_currency: z.enum(ODD_MONEY_WAYS).exactOptional(),
        })
        .exactOptional(),
    }),
    validityMonths: z.int().min(1).max(1200).nullable().describe('null = valid for life.'),
    renewal: z
      .strictObject({
        opensDaysBefore: days,
        remindDaysBefore: z.array(days).max(20).describe('Descending, none before the opening.'),
        lateDays: z.int().min(0).max(3650).describe('How long after its end a licence can still be renewed.'),
        lateFeePercent: z.int().min(0).max(1000).describe('Of the fees without tax.'),
      })
      .exactOptional()
      .describe(
        'Absent = from 90 days before, reminders 90, 60, 30, 14, 7 and 1 days before, 30 days late for 25 % more.',
      ),
  })
  .meta({ id: 'LicensePolicy' });

const jsonObject = z.record(z.string(), z.unknown());
const reason = z.string().trim().min(1).max(1000).describe('For whoever asks later why.');

export const newPolicySchema = z
  .strictObject({
    policy: policySchema,
    formSchema: jsonObject.describe('JSON Schema (2020-12) of the form.'),
    exampleForm: jsonObject.optional().describe('One that the schema accepts; absent = as in the version before.'),
    effectiveFrom: effectiveFromSchema,
    reason,
  })
  .meta({ id: 'NewPolicy' });

const versionSchema = z.object({
  id: z.string(),
  version: z.int(),
  effectiveFrom: timeSchema,
  publishedAt: timeSchema,
  publishedBy: z.string().nullable(),
  reason: z.string().nullable(),
  inForce: z.boolean(),
});

export const policySummarySchema = z
  .object({
    typeCode: z.string(),
    name: z.string(),
    active: z.boolean(),
    openCases: z.int().describe('Submitted and not over.'),
    versions: z.array(versionSchema).describe('The latest first.'),
  })
  .meta({ id: 'PolicySummary' });

export const policyReadSchema = policySummarySchema
  .extend({
    policy: jsonObject
      .describe('In force now; null policies do not exist: a type without one is not offered.')
      .nullable(),
    formSchema: jsonObject.nullable(),
    exampleForm: jsonObject.nullable(),
  })
  .meta({ id: 'PolicyRead' });

export const policyPublishedSchema = z
  .object({
    id: z.string(),
    typeCode: z.string(),
    version: z.int(),
    effectiveFrom: timeSchema,
    changed: z.array(z.string()),
  })
  .meta({ id: 'PolicyPublished' });

export const moveCasesSchema = z
  .strictObject({
    applicationIds: z.array(applicationIdSchema).min(1).max(100).optional(),
    all: z.literal(true).optional().describe('Every open case of the type, in the background.'),
    reason,
  })
  .refine(({ applicationIds, all }) => (applicationIds === undefined) !== (all === undefined), {
    error: 'applicationIds or all',
    path: ['applicationIds'],
  })
  .meta({ id: 'MoveOpenCases' });

export const casesMovedSchema = z
  .object({
    policyId: z.string(),
    version: z.int(),
    items: z.array(
      z.object({
        applicationId: z.string(),
        outcome: z.enum(['moved', 'refused']),
        code: z.string().optional().describe('Why it stays under its rules.'),
      }),
    ),
  })
  .meta({ id: 'CasesMoved' });

export const moveStartedSchema = z
  .object({
    moveId: z.string().describe('Process `policy-move/<moveId>`.'),
    policyId: z.string(),
    version: z.int(),
    openCases: z.int(),
  })
  .meta({ id: 'PolicyMoveStarted' });
