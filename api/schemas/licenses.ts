/** What is said about licence types, applications, their review, and licences. */
import { z } from 'zod';
import { LICENSE_STATUSES } from '../../db/license-reads.ts';
import { RUNG_ACTIONS, RUNG_CODES } from '../../domain/escalation.ts';
import { EVENT_TYPES } from '../../domain/events.ts';
import { asId, type Sha256 } from '../../domain/ids.ts';
import { APPLICATION_STATES, DECISIONS, RISKS, STAGES } from '../../domain/licensing.ts';
import { INVOICE_STATES } from '../../domain/payments.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { companyIdSchema, userIdSchema } from './ids.ts';

export const stateSchema = z.enum(APPLICATION_STATES).meta({ id: 'ApplicationState' });
export const stageSchema = z.enum(STAGES).meta({ id: 'Stage' });
const turnSchema = z.enum(['applicant', 'office', 'system', 'nobody']);
const namesSchema = z.object({ id: z.string(), en: z.string() });
const jsonObject = z.record(z.string(), z.unknown());

export const licenseTypeSchema = z
  .object({
    code: z.string(),
    name: z.string().describe("In the caller's language."),
    names: namesSchema,
    risk: z.enum(RISKS),
    stages: z.array(stageSchema).describe('Stages in which a person decides; none on the automatic path.'),
    checklist: z.array(z.object({ kind: z.string(), required: z.boolean() })),
    formSchema: jsonObject.describe('JSON Schema of the form.'),
    exampleForm: jsonObject.describe('A form that the schema accepts.'),
    legalWorkingDays: z.number(),
    fee: moneySchema.describe('In total, tax included.'),
    validityMonths: z.int().nullable().describe('null = valid for life.'),
  })
  .meta({ id: 'LicenseType' });

export const formSchema = jsonObject.describe('By the formSchema of the licence type; a draft may be incomplete.');

export const newApplicationSchema = z
  .strictObject({
    companyId: companyIdSchema,
    typeCode: z.string().min(1).max(64),
    form: formSchema,
    submit: z.boolean().optional().describe('Submit at once: only where no document is required.'),
  })
  .meta({ id: 'NewApplication' });

export const documentSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    filename: z.string(),
    sha256: z.string(),
    bytes: z.int(),
    contentType: z.string(),
    uploadedAt: timeSchema,
  })
  .meta({ id: 'Document' });

const reasonSchema = z.object({ code: z.string(), pointer: z.string().optional(), text: z.string().optional() });

export const decisionSchema = z
  .object({
    stage: stageSchema,
    round: z.int(),
    decision: z.enum(DECISIONS),
    reasons: z.array(reasonSchema),
    decidedAt: timeSchema,
    note: z.string().nullable().optional().describe('For staff.'),
    decidedBy: z.object({ id: z.string(), name: z.string() }).optional().describe('For staff.'),
  })
  .meta({ id: 'Decision' });

export const applicationSummarySchema = z
  .object({
    id: z.string(),
    companyId: z.string(),
    companyName: z.string(),
    typeCode: z.string(),
    state: stateSchema,
    stage: stageSchema.nullable(),
    round: z.int(),
    percent: z.int().min(0).max(100),
    whoseTurn: turnSchema,
    dueAt: timeSchema.nullable(),
    submittedAt: timeSchema.nullable(),
    closedAt: timeSchema.nullable(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'ApplicationSummary' });

export const applicationSchema = applicationSummarySchema
  .extend({
    formVersion: z.int().describe('Goes up with every change of the form.'),
    form: jsonObject,
    submissionHash: z.string().nullable().describe('Names what the office decides on; send it with a decision.'),
    documents: z.array(documentSchema),
    decisions: z.array(decisionSchema),
    assigneeId: z.string().nullable().optional().describe('For staff.'),
  })
  .meta({ id: 'Application' });

export const statusSchema = z
  .object({
    id: z.string(),
    state: stateSchema,
    stage: stageSchema.nullable(),
    round: z.int(),
    percent: z.int().min(0).max(100),
    dueAt: timeSchema.nullable(),
    whoseTurn: turnSchema,
    invoice: z
      .object({
        id: z.string(),
        number: z.string(),
        state: z.enum(INVOICE_STATES),
        total: moneySchema,
        dueAt: timeSchema,
      })
      .optional(),
    license: z
      .object({ id: z.string(), number: z.string(), status: z.enum(LICENSE_STATUSES), verifyUrl: z.string() })
      .optional(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'ApplicationStatus' });

export const timelineEntrySchema = z
  .object({
    id: z.string(),
    type: z.enum(EVENT_TYPES),
    actor: z.enum(['person', 'system', 'gateway']),
    by: z.object({ id: z.string(), name: z.string() }).optional().describe('For staff, and for what you did yourself.'),
    data: jsonObject,
    at: timeSchema,
  })
  .meta({ id: 'TimelineEntry' });

const rungSchema = z.object({
  code: z.enum(RUNG_CODES),
  percent: z.number().describe('Of the working time of the stage.'),
  action: z.enum(RUNG_ACTIONS),
  at: timeSchema,
});

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
        usedMs: z.int().describe('Working time that the office has used by now.'),
        holidays: z
          .array(z.object({ date: z.string(), reason: z.string() }))
          .describe('Closed days that moved the deadline.'),
        rungs: z.array(rungSchema.extend({ firedAt: timeSchema.nullable() })),
        next: rungSchema.nullable().describe('What fires next, and when.'),
      })
      .nullable()
      .describe('null while no stage is open.'),
  })
  .meta({ id: 'Deadline' });

export const inboxItemSchema = z
  .object({
    applicationId: z.string(),
    companyName: z.string(),
    typeCode: z.string(),
    stage: stageSchema,
    round: z.int(),
    assignedAt: timeSchema,
    dueAt: timeSchema,
    atRisk: z.boolean(),
    assigneeId: z.string().nullable().describe('null = nobody was free; a supervisor may claim it.'),
  })
  .meta({ id: 'InboxItem' });

const reasons = z
  .array(
    z.strictObject({
      code: z.string().min(1).max(64),
      pointer: z.string().max(500).optional().describe('JSON Pointer of what it is about: /form/…, /documents/<kind>.'),
      text: z.string().min(1).max(2000).optional(),
    }),
  )
  .max(50);
const note = z.string().min(1).max(4000);
const submissionHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((hash) => asId<Sha256>(hash));

export const reviewSchema = z
  .strictObject({
    decision: z.enum(DECISIONS),
    reasons: reasons.optional().describe('Required unless approving.'),
    note: note.optional(),
    submissionHash: submissionHash
      .optional()
      .describe('What you read; refused when the applicant has changed it since.'),
    stage: stageSchema.optional().describe('The stage that you mean; absent = the current one.'),
  })
  .meta({ id: 'Review' });

export const approvalSchema = z.strictObject({ note: note.optional() }).optional();
export const rejectionSchema = z.strictObject({ reasons: reasons.optional(), note: note.optional() });

export const decisionRecordedSchema = z
  .object({
    applicationId: z.string(),
    stage: stageSchema,
    round: z.int(),
    decision: z.enum(DECISIONS),
    decidedBy: z.object({ id: z.string() }),
    decidedAt: timeSchema,
    state: stateSchema.describe('Where the case went.'),
  })
  .meta({ id: 'DecisionRecorded' });

export const reassignmentSchema = z.strictObject({ userId: userIdSchema, reason: z.string().min(1).max(1000) });
export const reassignedSchema = z.object({ applicationId: z.string(), assigneeId: z.string() });
export const withdrawalSchema = z.strictObject({ reason: z.string().min(1).max(1000) });

export const licenseSchema = z
  .object({
    id: z.string(),
    number: z.string(),
    applicationId: z.string(),
    companyId: z.string(),
    companyName: z.string(),
    typeCode: z.string(),
    typeName: z.string(),
    status: z.enum(LICENSE_STATUSES),
    validFrom: timeSchema,
    validUntil: timeSchema.nullable().describe('null = valid for life.'),
    issuedAt: timeSchema,
    verifyUrl: z.string(),
    certificateUrl: z.string().nullable().describe('null until the certificate is stored.'),
  })
  .meta({ id: 'License' });

export const verificationSchema = z
  .object({
    valid: z.boolean(),
    status: z.enum(['active', 'expired', 'suspended', 'revoked', 'superseded']),
    number: z.string(),
    typeCode: z.string(),
    typeName: z.string(),
    companyName: z.string(),
    validFrom: timeSchema,
    validUntil: timeSchema.nullable(),
    issuedAt: timeSchema,
  })
  .meta({ id: 'Verification' });
