import { z } from 'zod';
import { RISKS } from '../../domain/licensing.ts';
import { MOST_RISK_ROWS, RISK_COLUMNS, ROW_SCALES } from '../../domain/risk-table.ts';
import { effectiveFromSchema } from '../effective-from.ts';
import { timeSchema } from '../wire.ts';

const OPTIONAL = 'Absent or null = as the licence type has it.';

/** Not checked here: what is wrong is named by row and column (`parseRiskRows`), all at once. */
const rawRowSchema = z
  .strictObject({
    kbli: z.unknown().describe('Five digits, or fewer for all codes that begin so; the longest that fits decides.'),
    scale: z.unknown().describe(`One of ${ROW_SCALES.join(', ')}; the company’s own comes before \`any\`.`),
    risk: z.unknown().describe(`One of ${RISKS.join(', ')}.`),
    typeCode: z.unknown().describe('Code of a licence type.'),
    path: z.unknown().optional().describe(`review or automatic. ${OPTIONAL}`),
    checklist: z.unknown().optional().describe(`[{kind, required}]. ${OPTIONAL}`),
    legalWorkingDays: z.unknown().optional().describe(OPTIONAL),
    statutoryMinor: z.unknown().optional().describe(`Whole minor units. ${OPTIONAL}`),
    serviceMinor: z.unknown().optional().describe(`Whole minor units, without tax. ${OPTIONAL}`),
    validityMonths: z.unknown().optional().describe(`A number of months, or \`life\`. ${OPTIONAL}`),
    deemedApproval: z.unknown().optional().describe(`escalate_only or issue. ${OPTIONAL}`),
  })
  .meta({ id: 'RiskRowInput' });

export const riskTableImportSchema = z
  .strictObject({ effectiveFrom: effectiveFromSchema, rows: z.array(rawRowSchema).max(MOST_RISK_ROWS) })
  .meta({ id: 'RiskTableImport' });
export const riskTableCsvSchema = z.strictObject({ effectiveFrom: effectiveFromSchema });
export const dryRunQuery = z.strictObject({
  dryRun: z.enum(['true', 'false']).default('false').describe('`true` = only say what would change.'),
});

const rowSchema = z
  .object({
    kbli: z.string(),
    scale: z.enum(ROW_SCALES),
    risk: z.enum(RISKS),
    typeCode: z.string(),
    path: z.enum(['review', 'automatic']).nullable(),
    checklist: z.array(z.object({ kind: z.string(), required: z.boolean() })).nullable(),
    legalWorkingDays: z.int().nullable(),
    statutoryMinor: z.int().nullable(),
    serviceMinor: z.int().nullable(),
    validityMonths: z.union([z.int(), z.literal('life')]).nullable(),
    deemedApproval: z.enum(['escalate_only', 'issue']).nullable(),
  })
  .meta({ id: 'RiskRow', description: `The columns ${RISK_COLUMNS.join(', ')}; null = as the licence type has it.` });

export const riskTableSchema = z
  .object({
    id: z.string(),
    version: z.int(),
    effectiveFrom: timeSchema,
    publishedAt: timeSchema,
    publishedBy: z.string().nullable(),
    rows: z.array(rowSchema),
  })
  .meta({ id: 'RiskTable' });

export const riskTableChangesSchema = z
  .object({
    effectiveFrom: timeSchema,
    rows: z.int(),
    added: z.array(rowSchema),
    removed: z.array(rowSchema),
    changed: z.array(z.object({ before: rowSchema, after: rowSchema })),
  })
  .meta({ id: 'RiskTableChanges', description: 'Against the table that is in force at that time until then.' });

export const riskTableImportedSchema = riskTableChangesSchema
  .extend({ id: z.string(), version: z.int() })
  .meta({ id: 'RiskTableImported' });
