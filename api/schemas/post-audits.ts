/** Audits after the fact, and what a failed one proposes. */
import { z } from 'zod';
import { LICENSE_STATUSES } from '../../domain/licenses.ts';
import { AUDIT_KINDS, AUDIT_OUTCOMES, AUDIT_STATES, PROPOSAL_STATES } from '../../domain/post-audits.ts';
import { pageQuery } from '../paging.ts';
import { timeSchema } from '../wire.ts';
import { evidenceSchema } from './evidence.ts';

export const auditQuerySchema = z.strictObject({
  ...pageQuery,
  state: z.enum(AUDIT_STATES).optional(),
  kind: z.enum(AUDIT_KINDS).optional(),
  proposal: z.enum(PROPOSAL_STATES).optional(),
  overdue: z
    .stringbool()
    .optional()
    .describe('Whether the audit, or what it proposes, should have been decided by now.'),
});

const personSchema = z.object({ id: z.string(), name: z.string() }).nullable();

export const postAuditSchema = z
  .object({
    id: z.string(),
    applicationId: z.string(),
    companyName: z.string(),
    typeCode: z.string(),
    kind: z
      .enum(AUDIT_KINDS)
      .describe('`deemed` = it was granted by law; `sample` = drawn from the automatic approvals.'),
    state: z.enum(AUDIT_STATES),
    openedAt: timeSchema,
    dueAt: timeSchema,
    overdue: z.boolean(),
    decidedBy: personSchema,
    decidedAt: timeSchema.nullable(),
    findings: z.string().nullable(),
    proposal: z
      .object({
        state: z.enum(PROPOSAL_STATES),
        dueAt: timeSchema.nullable().describe('null once it is decided.'),
        decidedBy: personSchema,
        decidedAt: timeSchema.nullable(),
        note: z.string().nullable(),
      })
      .nullable()
      .describe('To suspend the licence: of a failed audit only.'),
    license: z
      .object({ id: z.string(), number: z.string(), status: z.enum(LICENSE_STATUSES) })
      .nullable()
      .describe('null = not issued yet.'),
  })
  .meta({ id: 'PostAudit' });

export const postAuditInFullSchema = postAuditSchema
  .extend({ evidence: evidenceSchema.nullable().describe('Of an approval by law.') })
  .meta({ id: 'PostAuditInFull' });

export const auditDecisionSchema = z.strictObject({
  outcome: z.enum(AUDIT_OUTCOMES),
  findings: z.string().min(1).max(4000),
});

export const proposalDecisionSchema = z.strictObject({
  decision: z.enum(['suspend', 'dismiss']),
  note: z.string().min(1).max(1000).describe("Of a suspension: the owner's letter says it."),
});
