import { z } from 'zod';
import { COMPLIANCE_OUTCOMES, MOST_RULES } from '../../domain/compliance.ts';
import { effectiveFromSchema } from '../effective-from.ts';
import { timeSchema } from '../wire.ts';

const words = z.string().trim().min(1).max(500);
export const ruleSchema = z
  .strictObject({
    code: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
    expression: z
      .string()
      .min(1)
      // Far beyond what is taken: a longer one is named like any other fault of an expression.
      .max(20_000)
      .describe(
        'FEEL; true = met. Over form, documents (by kind: present, count, bytes, contentType, pages), company (scale, kbli, legalForm, capital, annualSales, hasNib) and application (round, submittedOn).',
      ),
    otherwise: z.enum(['warn', 'fail']).describe('What it means when it is not met.'),
    reason: z.strictObject({ id: words, en: words }),
  })
  .meta({ id: 'ComplianceRule' });

const rules = z.array(ruleSchema).max(MOST_RULES).describe('All rules of the type: what is not here is gone.');

export const newRulesSchema = z
  .strictObject({ rules, effectiveFrom: effectiveFromSchema, reason: z.string().trim().min(1).max(1000) })
  .meta({ id: 'NewComplianceRules' });

export const dryRunSchema = z
  .strictObject({ rules, cases: z.int().min(1).max(500).default(100).describe('How many of the latest cases.') })
  .meta({ id: 'ComplianceDryRun' });

const versionSchema = z.object({
  id: z.string(),
  version: z.int(),
  effectiveFrom: timeSchema,
  publishedAt: timeSchema,
  publishedBy: z.string().nullable(),
  inForce: z.boolean(),
  rules: z.array(ruleSchema),
});

export const rulesReadSchema = z
  .object({ typeCode: z.string(), versions: z.array(versionSchema).describe('The latest first.') })
  .meta({ id: 'ComplianceRules' });

export const rulesPublishedSchema = z
  .object({
    id: z.string(),
    typeCode: z.string(),
    version: z.int(),
    effectiveFrom: timeSchema,
    changed: z.array(z.string()),
  })
  .meta({ id: 'ComplianceRulesPublished' });

const outcome = z.enum(COMPLIANCE_OUTCOMES).nullable().describe('null = there is no such rule.');
export const dryRunResultSchema = z
  .object({
    typeCode: z.string(),
    tried: z.int().describe('Cases whose last submission was judged by the rules in force and by these.'),
    complete: z.boolean().describe('false = time was up before all cases that were asked for.'),
    changedCases: z.int(),
    outcomes: z
      .record(z.string(), z.record(z.enum(COMPLIANCE_OUTCOMES), z.int()))
      .describe('By rule, under these rules.'),
    changes: z
      .array(z.object({ applicationId: z.string(), ruleCode: z.string(), before: outcome, after: outcome }))
      .describe('At most 1,000 of them.'),
  })
  .meta({ id: 'ComplianceDryRunResult' });
