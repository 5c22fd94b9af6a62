import type { Knex } from 'knex';
import { localDate, type OfficeZone } from '../domain/calendar.ts';
import {
  type ComplianceResult,
  type ComplianceRule,
  type ComplianceSubject,
  type DocumentFacts,
  judge,
  type RuleEvaluator,
} from '../domain/compliance.ts';
import type { Origin } from '../domain/events.ts';
import type { ApplicationId, CompanyId, UserId } from '../domain/ids.ts';
import type { LicensePolicy } from '../domain/licensing.ts';
import { recordEvent } from './events.ts';

export interface ComplianceCheck {
  readonly applicationId: ApplicationId;
  readonly round: number;
  /** ISO 8601. */
  readonly at: string;
  /** FEEL is a package, which this room does not import: `evaluateRule` of activities/compliance-rules.ts. */
  readonly evaluate: RuleEvaluator;
}

/**
 * Checks the submission of a round against the rules that were in force at the case's first one, and keeps what came out;
 * a second call reads what the first has kept. Without rules nothing is written.
 */
export async function checkCompliance(
  tx: Knex,
  { applicationId, round, at, evaluate }: ComplianceCheck,
): Promise<ComplianceResult[]> {
  const rules = await rulesOfCase(tx, applicationId);
  if (!rules || rules.rules.length === 0) return [];
  const subject = await complianceSubject(tx, applicationId, round);
  const results = rules.rules.map((rule) => judge(rule, subject, evaluate));
  const isNew = await recordEvent(tx, {
    key: `license-review/${applicationId}/compliance/${round}`,
    type: 'compliance.checked',
    applicationId,
    data: { round, version: rules.version, ...codesByOutcome(results) },
    at,
  });
  if (!isNew) return complianceResults(tx, applicationId, round);
  await tx('compliance_results').insert(
    results.map(({ code, outcome, reason }, index) => ({
      application_id: applicationId,
      round,
      rule_code: code,
      rule_version: rules.version,
      outcome,
      reason: JSON.stringify(reason),
      position: index + 1,
      checked_at: at,
    })),
  );
  return results;
}

const codesByOutcome = (results: readonly ComplianceResult[]) =>
  Object.fromEntries(
    (['pass', 'warn', 'fail', 'error'] as const).map((outcome) => [
      outcome,
      results.filter((result) => result.outcome === outcome).map(({ code }) => code),
    ]),
  );

/** What came out in a round, in the order of the rules; none before it was checked. */
export async function complianceResults(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
): Promise<ComplianceResult[]> {
  const found: ComplianceResult[] = await db('compliance_results')
    .where({ application_id: applicationId, round })
    .orderBy('position')
    .select({ code: 'rule_code', outcome: 'outcome', reason: 'reason' });
  return found;
}

export interface RulesInForce {
  readonly version: number;
  readonly rules: readonly ComplianceRule[];
}

/** Published by then as well: what was put in force for the past later does not reach cases that were there before. */
async function rulesOfCase(db: Knex, applicationId: ApplicationId): Promise<RulesInForce | null> {
  const found: RulesInForce | undefined = await db('applications as a')
    .join('compliance_rule_sets as r', 'r.type_code', 'a.type_code')
    .where('a.id', applicationId)
    .whereRaw('r.effective_from <= a.submitted_at and r.published_at <= a.submitted_at')
    .orderBy([
      { column: 'r.effective_from', order: 'desc' },
      { column: 'r.version', order: 'desc' },
    ])
    .first({ version: 'r.version', rules: 'r.rules' });
  return found ?? null;
}

interface SubjectRow {
  readonly form: Readonly<Record<string, unknown>>;
  readonly documents: readonly { readonly id: string }[];
  readonly policy: LicensePolicy;
  readonly submittedAt: Date;
  readonly zone: OfficeZone;
  readonly companyId: CompanyId;
}

/** What the rules judge: the frozen submission of a round, with what is known of the company now. */
export async function complianceSubject(
  db: Knex,
  applicationId: ApplicationId,
  round: number,
): Promise<ComplianceSubject> {
  const row: SubjectRow | undefined = await db('submissions as s')
    .join('applications as a', 'a.id', 's.application_id')
    .join('license_policies as p', 'p.id', 'a.policy_id')
    .join('license_types as t', 't.code', 'a.type_code')
    .join('offices as o', 'o.id', 't.office_id')
    .where({ 's.application_id': applicationId, 's.round': round })
    .first({
      form: 's.form',
      documents: 's.documents',
      policy: db.raw('coalesce(a.pinned_policy, p.policy)'),
      submittedAt: 'a.submitted_at',
      zone: 'o.zone',
      companyId: 'a.company_id',
    });
  if (!row) throw new Error(`application ${applicationId} has no submission of round ${round}`);
  return {
    form: row.form,
    documents: await documentFacts(db, row),
    company: await companyFacts(db, row.companyId),
    application: { round, submittedOn: localDate(row.submittedAt.getTime(), row.zone) },
  };
}

interface DocumentRow extends Omit<DocumentFacts, 'present' | 'count'> {
  readonly kind: string;
}

async function documentFacts(db: Knex, row: SubjectRow): Promise<Record<string, DocumentFacts>> {
  const attached: DocumentRow[] = await db('documents')
    .whereIn(
      'id',
      row.documents.map(({ id }) => id),
    )
    .orderBy(['uploaded_at', 'id'])
    .select({
      kind: 'kind',
      bytes: 'bytes',
      contentType: 'content_type',
      pages: db.raw("(sanity ->> 'pages')::integer"),
    });
  const kinds = new Set([
    ...row.policy.checklist.map(({ kind }) => kind),
    'other',
    ...attached.map(({ kind }) => kind),
  ]);
  return Object.fromEntries(
    [...kinds].map((kind) => [kind, factsOf(attached.filter((document) => document.kind === kind))]),
  );
}

function factsOf(documents: readonly DocumentRow[]): DocumentFacts {
  const last = documents.at(-1);
  return {
    present: last !== undefined,
    count: documents.length,
    bytes: last?.bytes ?? null,
    contentType: last?.contentType ?? null,
    pages: last?.pages ?? null,
  };
}

interface CompanyRow extends Omit<ComplianceSubject['company'], 'capital' | 'annualSales'> {
  readonly capital: bigint | null;
  readonly annualSales: bigint | null;
}

async function companyFacts(db: Knex, id: CompanyId): Promise<ComplianceSubject['company']> {
  const row: CompanyRow | undefined = await db('companies')
    .where({ id })
    .first({
      scale: 'scale',
      kbli: 'kbli',
      legalForm: 'legal_form',
      capital: 'capital_minor',
      annualSales: 'annual_sales_minor',
      hasNib: db.raw('nib is not null'),
    });
  if (!row) throw new Error(`company ${id} does not exist`);
  // Within 2^53: the companies' own schema takes no more.
  const number = (amount: bigint | null): number | null => (amount === null ? null : Number(amount));
  return { ...row, capital: number(row.capital), annualSales: number(row.annualSales) };
}

// ---- the rules of a type ---------------------------------------------------------------------------------------------

export interface RuleSet extends RulesInForce {
  readonly id: string;
  readonly effectiveFrom: Date;
  readonly publishedAt: Date;
  readonly publishedBy: UserId | null;
}

/** What was published for a type, the latest first. */
export async function ruleSetsOf(db: Knex, typeCode: string): Promise<RuleSet[]> {
  const found: RuleSet[] = await db('compliance_rule_sets')
    .where({ type_code: typeCode })
    .orderBy('version', 'desc')
    .select({
      id: 'id',
      version: 'version',
      rules: 'rules',
      effectiveFrom: 'effective_from',
      publishedAt: 'published_at',
      publishedBy: 'published_by',
    });
  return found;
}

/** Two from the same instant: the higher number is the later correction. */
export const ruleSetAt = (sets: readonly RuleSet[], at: Date): RuleSet | null =>
  sets
    .filter(({ effectiveFrom }) => effectiveFrom <= at)
    .toSorted((a, b) => b.effectiveFrom.getTime() - a.effectiveFrom.getTime() || b.version - a.version)[0] ?? null;

export interface NewRuleSet {
  readonly id: string;
  readonly typeCode: string;
  readonly rules: readonly ComplianceRule[];
  readonly effectiveFrom: Date;
  readonly reason: string;
  readonly by: UserId;
  readonly origin: Origin;
  readonly at: string;
  /** Codes of what differs from the rules in force until then. */
  readonly changed: readonly string[];
}

/** Publishes all rules of a type as its next version; the same ID again changes nothing. @returns its number */
export async function publishRules(db: Knex, given: NewRuleSet): Promise<number> {
  return db.transaction(async (tx) => {
    // One publication at a time: the next version is the last one plus one.
    await tx('license_types').where({ code: given.typeCode }).forUpdate().first('code');
    const isNew = await recordEvent(tx, {
      key: `compliance-rules/${given.id}/published`,
      type: 'compliance_rules.published',
      subject: `license_type/${given.typeCode}`,
      by: given.by,
      data: {
        ruleSetId: given.id,
        rules: given.rules.map(({ code }) => code),
        changed: given.changed,
        reason: given.reason,
        effectiveFrom: given.effectiveFrom.toISOString(),
      },
      origin: given.origin,
      at: given.at,
    });
    if (isNew)
      await tx('compliance_rule_sets').insert({
        id: given.id,
        type_code: given.typeCode,
        version: tx.raw('(select coalesce(max(version), 0) + 1 from compliance_rule_sets where type_code = ?)', [
          given.typeCode,
        ]),
        effective_from: given.effectiveFrom,
        rules: JSON.stringify(given.rules),
        published_by: given.by,
        published_at: given.at,
      });
    const stored: { version: number } | undefined = await tx('compliance_rule_sets')
      .where({ id: given.id })
      .first('version');
    if (!stored) throw new Error(`rule set ${given.id} has an event and no row`);
    return stored.version;
  });
}

/** The last submission of each of the latest cases of a type: what rules are tried on before they count. */
export async function lastSubmissions(
  db: Knex,
  typeCode: string,
  limit: number,
): Promise<{ applicationId: ApplicationId; round: number }[]> {
  const found: { applicationId: ApplicationId; round: number }[] = await db('applications as a')
    .where('a.type_code', typeCode)
    .whereNotNull('a.submitted_at')
    .whereExists(db('submissions as s').whereRaw('s.application_id = a.id').select(db.raw('1')))
    .orderBy([
      { column: 'a.submitted_at', order: 'desc' },
      { column: 'a.id', order: 'desc' },
    ])
    .limit(limit)
    .select({
      applicationId: 'a.id',
      round: db.raw('(select max(s.round) from submissions s where s.application_id = a.id)'),
    });
  return found;
}
