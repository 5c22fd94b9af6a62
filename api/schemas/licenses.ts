/** What is said about licence types, applications, their review, and licences. */
import { z } from 'zod';
import { DOCUMENT_FLAGS, SCAN_STATES } from '../../domain/documents.ts';
import { EVENT_TYPES } from '../../domain/events.ts';
import { asId, type Sha256 } from '../../domain/ids.ts';
import { GRANTS, LICENSE_STATUSES, SUSPENSION_CAUSES } from '../../domain/licenses.ts';
import { APPLICATION_STATES, CANCEL_CODES, DECISIONS, REGISTRIES, RISKS, STAGES } from '../../domain/licensing.ts';
import { INVOICE_STATES } from '../../domain/payments.ts';
import { REGISTRY_STATES } from '../../domain/registries.ts';
import { RENEWAL_KINDS, RENEWAL_STATES } from '../../domain/renewal.ts';
import { ROLES } from '../../domain/roles.ts';
import { moneySchema, timeSchema } from '../wire.ts';
import { companyIdSchema, licenseIdSchema, userIdSchema } from './ids.ts';

export const stateSchema = z.enum(APPLICATION_STATES).meta({ id: 'ApplicationState' });
export const stageSchema = z.enum(STAGES).meta({ id: 'Stage' });
export const turnSchema = z.enum(['applicant', 'office', 'system', 'nobody']);
const namesSchema = z.object({ id: z.string(), en: z.string() });
const jsonObject = z.record(z.string(), z.unknown());

export const licenseTypeSchema = z
  .object({
    code: z.string(),
    name: z.string().describe("In the caller's language."),
    names: namesSchema,
    risk: z.enum(RISKS),
    path: z.enum(['review', 'automatic']),
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
    scanState: z
      .enum(SCAN_STATES)
      .describe('Staff can open it unless it is `waiting`; nobody opens what is `infected`.'),
    purgedAt: timeSchema.nullable().describe('Since when its file is deleted.'),
    sanity: z
      .object({
        pages: z.int().optional(),
        width: z.int().optional(),
        height: z.int().optional(),
        flags: z.array(z.enum(DOCUMENT_FLAGS)),
      })
      .nullable()
      .optional()
      .describe('For staff: what was found inside the file.'),
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
    soleSupervisor: z
      .boolean()
      .optional()
      .describe(
        'Decided by a supervisor who had a part in the review that was appealed against: the office has no other.',
      ),
    note: z.string().nullable().optional().describe('For staff.'),
    seat: z.int().optional().describe('Of a quorum, from 1. For staff.'),
    override: z.boolean().optional().describe('By a supervisor in place of whoever held the task. For staff.'),
    decidedBy: z.object({ id: z.string(), name: z.string() }).optional().describe('For staff.'),
  })
  .meta({ id: 'Decision' });

const personSchema = z.object({ id: z.string(), name: z.string() });

export const voteSchema = z
  .object({ seat: z.int(), decision: z.enum(DECISIONS), by: personSchema, at: timeSchema })
  .meta({ id: 'Vote' });

export const statementSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['response', 'reopening', 'appeal']),
    round: z.int(),
    text: z.string(),
    by: personSchema,
    at: timeSchema,
  })
  .meta({ id: 'Statement', description: 'What the applicant said to the office.' });

const legalClockSchema = z.object({
  startedAt: timeSchema.describe('When the submission was complete.'),
  dueAt: timeSchema.nullable().describe('When the legal time is over; null = it stands still, or has ended.'),
  suspendedSince: timeSchema.nullable(),
  suspendedFor: z.string().nullable(),
});

/** What only the office reads of a case. */
const officeFields = {
  assigneeId: z.string().nullable().describe('For staff; of a quorum, the first of the open seats that somebody has.'),
  compliance: z
    .array(z.object({ code: z.string(), outcome: z.enum(['pass', 'warn', 'fail', 'error']), reason: namesSchema }))
    .describe('What the compliance rules say of this submission. For staff.'),
  registryChecks: z
    .array(
      z.object({
        registry: z.enum(REGISTRIES),
        state: z.enum(REGISTRY_STATES),
        differences: z.array(z.string()).describe('Which fields differ, never what is in them.'),
        askedAt: timeSchema,
        answeredAt: timeSchema.nullable(),
      }),
    )
    .describe("What the state's registries say of this submission. For staff."),
  seats: z
    .array(
      z.object({
        seat: z.int(),
        role: z.enum(ROLES),
        state: z.enum(['open', 'decided', 'cancelled']),
        holder: personSchema.nullable().describe('null = nobody was free; a supervisor may claim it.'),
      }),
    )
    .describe('Of the stage that is open. For staff.'),
  votes: z
    .array(voteSchema.extend({ stage: stageSchema }))
    .describe('Of this round; those before are void. For staff.'),
};

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
    renewsLicenseId: z.string().nullable().describe('The licence whose next term it is for.'),
    renewal: z
      .enum(RENEWAL_KINDS)
      .nullable()
      .describe('`unchanged` goes straight to payment; `changed` is reviewed. Of a draft: as it stands.'),
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
    documents: z.array(
      documentSchema.extend({
        accepted: z.boolean().describe('By the office, as it is; it stays so as long as its content is the same.'),
      }),
    ),
    decisions: z.array(decisionSchema).describe('An owner sees those that counted, not each vote.'),
    statements: z.array(statementSchema),
    legalClock: legalClockSchema
      .nullable()
      .describe('null until a submission is complete; more: GET /licenses/applications/{id}/deadline.'),
    openFields: z
      .array(z.string())
      .nullable()
      .optional()
      .describe(
        'For the owner: JSON Pointers of what may be changed now, each with what is below it (/form/…, /documents/<kind>); null = everything.',
      ),
    ...z.object(officeFields).partial().shape,
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

export const inboxItemSchema = z
  .object({
    applicationId: z.string(),
    companyName: z.string(),
    typeCode: z.string(),
    stage: stageSchema,
    round: z.int(),
    seat: z.int().describe('Of a quorum, from 1.'),
    seats: z.int().describe('How many seats the stage has; 1 = one person decides.'),
    assignedAt: timeSchema,
    dueAt: timeSchema.describe('Of the stage.'),
    legalDueAt: timeSchema.nullable().describe('Of the whole case, by law.'),
    atRisk: z.boolean().describe('Or overdue.'),
    overdue: z.boolean(),
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

const seenSubmission = submissionHash
  .optional()
  .describe('What you read; refused when the applicant has changed it since.');

export const reviewSchema = z
  .strictObject({
    decision: z.enum(DECISIONS),
    reasons: reasons.optional().describe('Required unless approving.'),
    note: note.optional(),
    submissionHash: seenSubmission,
    stage: stageSchema.optional().describe('The stage that you mean; absent = the current one.'),
  })
  .meta({ id: 'Review' });

export const approvalSchema = z.strictObject({ note: note.optional(), submissionHash: seenSubmission }).optional();
export const rejectionSchema = z.strictObject({
  reasons: reasons.optional(),
  note: note.optional(),
  submissionHash: seenSubmission,
});

export const decisionRecordedSchema = z
  .object({
    applicationId: z.string(),
    stage: stageSchema,
    round: z.int(),
    decision: z.enum(DECISIONS),
    decidedBy: z.object({ id: z.string() }),
    decidedAt: timeSchema,
    state: stateSchema.describe('Where the case went.'),
    seat: z.int().optional().describe('Of a quorum, from 1; absent = one person decides.'),
    votes: z.array(voteSchema).optional().describe('Of a quorum: all votes of this stage so far, this one included.'),
    override: z.boolean().optional().describe('By a supervisor in place of whoever held the task.'),
  })
  .meta({ id: 'DecisionRecorded' });

const reason = z.string().min(1).max(1000);

export const reassignmentSchema = z.strictObject({
  userId: userIdSchema.nullish().describe('null or absent = whoever the rules of assignment choose.'),
  reason,
  from: userIdSchema.optional().describe('Whose seat, where a stage has several.'),
});
export const delegationSchema = z.strictObject({ userId: userIdSchema, reason });
export const conflictSchema = z.strictObject({ reason });
export const reassignedSchema = z.object({
  applicationId: z.string(),
  assigneeId: z.string().nullable().describe('null = nobody was free: any supervisor may claim it.'),
});

export const overrideSchema = z
  .strictObject({
    decision: z.enum(['approve', 'reject', 'request_correction']),
    reason: reason.describe('Why you decide in their place: for the record of the office.'),
    reasons: reasons.optional().describe('For the applicant; required unless approving.'),
  })
  .meta({ id: 'Override' });

export const cancellationSchema = z.strictObject({ code: z.enum(CANCEL_CODES), reason });
export const statementTextSchema = z.strictObject({
  text: z.string().trim().min(1).max(4000).describe('In your own words; whoever decides reads it.'),
});

export const inboxCountsSchema = z
  .object({
    stages: z.array(
      z.object({
        stage: stageSchema,
        open: z.int(),
        atRisk: z.int().describe('Overdue ones among them.'),
        overdue: z.int(),
      }),
    ),
    total: z.object({ open: z.int(), atRisk: z.int(), overdue: z.int() }),
  })
  .meta({ id: 'InboxCounts' });

const roundSchema = z.object({ round: z.int(), submissionHash: z.string(), submittedAt: timeSchema });
const documentVersionSchema = z.object({
  id: z.string(),
  kind: z.string(),
  filename: z.string(),
  sha256: z.string(),
});

export const submissionDiffSchema = z
  .object({
    applicationId: z.string(),
    from: roundSchema,
    to: roundSchema,
    unchanged: z.boolean().describe('Nothing at all was changed: neither form nor documents.'),
    form: z.array(
      z.object({
        pointer: z.string().describe('JSON Pointer, /form/…'),
        before: z.unknown().optional().describe('Absent = it was not there.'),
        after: z.unknown().optional().describe('Absent = it is not there any more.'),
      }),
    ),
    documents: z.array(
      z.object({
        kind: z.string(),
        change: z.enum(['added', 'removed', 'replaced', 'same']),
        before: documentVersionSchema.optional(),
        after: documentVersionSchema.optional(),
        accepted: z.boolean().describe('By the office, as it is now.'),
      }),
    ),
  })
  .meta({ id: 'SubmissionDiff' });

export const withdrawalSchema = z.strictObject({ reason: z.string().min(1).max(1000) });

const namedLicense = z.object({ id: z.string(), number: z.string() });

export const renewalRequestSchema = z
  .strictObject({
    form: formSchema.optional().describe('Absent = as it was submitted for this licence.'),
    companyProfileChanged: z
      .boolean()
      .optional()
      .describe('Something that the certificate says of the company is not so any more: the office looks at it.'),
    submit: z.boolean().optional().describe('false = a draft, to change form and documents first. Absent = true.'),
  })
  .optional();

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
    statusReason: z.string().nullable().describe("Why, in the office's words or as a code."),
    statusChangedAt: timeSchema.nullable().describe('null = as it was issued.'),
    suspendedFor: z
      .array(z.enum(SUSPENSION_CAUSES))
      .describe(
        'In force again when each of them is gone: those of the money with the money, the others by the office.',
      ),
    supersededBy: namedLicense.nullable(),
    renews: namedLicense.nullable().describe('The licence whose next term it is.'),
    renewedBy: namedLicense.nullable().describe('Its own next term, which begins when this one ends.'),
    renewal: z
      .object({
        state: z.enum(RENEWAL_STATES),
        opensAt: timeSchema.nullable(),
        closesAt: timeSchema.nullable().describe('After its end a renewal is late, and costs more, until then.'),
        applicationId: z.string().optional().describe('Which renews it, or has.'),
        lateFee: moneySchema.optional().describe('While it is late: what comes on top of the fee.'),
      })
      .describe('How to renew it: POST /licenses/{id}/renew while `open` or `late`.'),
    grantedBy: z.enum(GRANTS).describe('`law`: the legal time was used up without a decision (deemed approval).'),
    validFrom: timeSchema,
    notYetValid: z.boolean().describe('Issued, and its term has not begun: it counts from `validFrom` on.'),
    validUntil: timeSchema.nullable().describe('null = valid for life.'),
    issuedAt: timeSchema,
    verifyUrl: z.string(),
    certificateUrl: z.string().nullable().describe('null until the certificate is stored.'),
  })
  .meta({ id: 'License' });

export const standingSchema = z.strictObject({
  reason: z.string().min(1).max(1000).describe('For the owner, who is written to.'),
});
export const successionSchema = standingSchema.extend({ byLicenseId: licenseIdSchema });

export const verificationSchema = z
  .object({
    valid: z.boolean(),
    status: z.enum(LICENSE_STATUSES),
    statusChangedAt: timeSchema.nullable().describe('null = as it was issued.'),
    supersededByNumber: z.string().nullable().describe('The licence that has taken its place.'),
    renewsNumber: z.string().nullable().describe('The licence whose next term it is.'),
    renewedByNumber: z.string().nullable().describe('The licence that follows when this one ends.'),
    notYetValid: z.boolean().describe('Genuine, and in force only from `validFrom` on.'),
    grantedBy: z.enum(GRANTS).describe('`law`: the legal time was used up without a decision (deemed approval).'),
    number: z.string(),
    typeCode: z.string(),
    typeName: z.string(),
    companyName: z.string(),
    validFrom: timeSchema,
    validUntil: timeSchema.nullable(),
    issuedAt: timeSchema,
  })
  .meta({ id: 'Verification' });
