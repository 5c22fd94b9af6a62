/** Rules before they count: checked one by one, and tried on cases of before. */
import { setImmediate as breathe } from 'node:timers/promises';
import * as feel from 'feelin';
import { complianceSubject, lastSubmissions } from '../db/compliance.ts';
import type { Knex } from '../db/connection.ts';
import type { LicenseType } from '../db/license-types.ts';
import { riskRowsInForce } from '../db/risk-tables.ts';
import { checkExpression, createRuleEvaluator, type KnownNames } from '../db/rule-evaluator.ts';
import {
  type ComplianceOutcome,
  type ComplianceRule,
  type ComplianceSubject,
  type ExpressionProblemCode,
  judge,
  MOST_EXPRESSION_CHARACTERS,
} from '../domain/compliance.ts';
import type { FieldProblem } from '../domain/failures.ts';
import type { ApplicationId } from '../domain/ids.ts';
import type { Locale } from './request.ts';

const evaluate = createRuleEvaluator(feel);

/** What the expressions of a type may name: the fields of its form, and every kind of document that may be asked for. */
export async function namesOf(db: Knex, type: LicenseType, at: Date): Promise<KnownNames> {
  const rows = await riskRowsInForce(db, type.officeId, at, type.code);
  const lists = [type.policy.checklist, ...rows.map(({ checklist }) => checklist ?? [])];
  const { properties, additionalProperties } = type.formSchema;
  const isClosed = additionalProperties === false && typeof properties === 'object' && properties !== null;
  return {
    fields: isClosed ? Object.keys(properties) : null,
    documents: [...new Set([...lists.flat().map(({ kind }) => kind), 'other'])],
  };
}

/** Everything that keeps these rules from being published; names the rule, and where in its expression. */
export function ruleProblems(rules: readonly ComplianceRule[], names: KnownNames, locale: Locale): FieldProblem[] {
  const codes = rules.map(({ code }) => code);
  return rules.flatMap(({ code, expression }, index) => [
    ...(codes.indexOf(code) < index
      ? [{ pointer: `/rules/${index}/code`, code: 'rule_twice', detail: TWICE[locale] }]
      : []),
    ...checkExpression(feel, expression, names).map((problem) => ({
      pointer: `/rules/${index}/expression`,
      code: problem.code,
      detail: detailOf(code, expression, problem, locale),
    })),
  ]);
}

function detailOf(
  rule: string,
  expression: string,
  { code, from, to }: { code: ExpressionProblemCode; from: number; to: number },
  locale: Locale,
): string {
  const place = { id: `aturan ${rule}, karakter ${from + 1}`, en: `rule ${rule}, character ${from + 1}` }[locale];
  const said = expression.slice(from, to).slice(0, 80);
  return `${place}: ${SENTENCES[code][locale]}${said === '' ? '' : ` (${said})`}`;
}

const TWICE = { id: 'kode aturan ini sudah dipakai', en: 'another rule has this code' };

const SENTENCES: Readonly<Record<ExpressionProblemCode, Readonly<Record<Locale, string>>>> = {
  too_long: {
    id: `paling banyak ${MOST_EXPRESSION_CHARACTERS} karakter`,
    en: `at most ${MOST_EXPRESSION_CHARACTERS} characters`,
  },
  syntax_error: { id: 'bukan ekspresi FEEL yang lengkap', en: 'not a complete FEEL expression' },
  too_complex: { id: 'terlalu rumit; bagi menjadi beberapa aturan', en: 'too complex; make several rules of it' },
  not_allowed: {
    id: 'bagian FEEL ini tidak dipakai di sini',
    en: 'this part of FEEL is not to be used here',
  },
  unknown_name: {
    id: 'nama tidak dikenal; yang ada: form, documents, company, application',
    en: 'there is no such name; there are form, documents, company, application',
  },
  unknown_function: {
    id: 'fungsi tidak dikenal atau tidak dipakai di sini',
    en: 'no such function, or not to be used here',
  },
  unknown_field: { id: 'formulir tidak punya isian ini', en: 'the form has no such field' },
  unknown_document: { id: 'daftar dokumen tidak punya jenis ini', en: 'the checklist has no such kind' },
};

export interface RuleChange {
  readonly applicationId: ApplicationId;
  readonly ruleCode: string;
  readonly before: ComplianceOutcome | null;
  readonly after: ComplianceOutcome | null;
}

export interface Trial {
  readonly tried: number;
  readonly complete: boolean;
  readonly changedCases: number;
  readonly changes: readonly RuleChange[];
  readonly outcomes: Readonly<Record<string, Record<ComplianceOutcome, number>>>;
}

/** Whoever waits for the answer waits no longer than this; a rule that is slow on every case would take minutes. */
const TRIAL_MS = 15_000;
const MOST_CHANGES = 1000;

/** Judges the last submissions of a type by the rules of now and by others; nothing is written. */
export async function tryRules(
  db: Knex,
  typeCode: string,
  rules: { readonly before: readonly ComplianceRule[]; readonly after: readonly ComplianceRule[] },
  cases: number,
): Promise<Trial> {
  const until = performance.now() + TRIAL_MS;
  const submissions = await lastSubmissions(db, typeCode, cases);
  const outcomes = Object.fromEntries(rules.after.map(({ code }) => [code, { pass: 0, warn: 0, fail: 0, error: 0 }]));
  const changes: RuleChange[] = [];
  const changedCases = new Set<ApplicationId>();
  let tried = 0;
  for (const { applicationId, round } of submissions) {
    if (performance.now() > until) break;
    const subject = await complianceSubject(db, applicationId, round);
    const [before, after] = [outcomesOf(rules.before, subject), outcomesOf(rules.after, subject)];
    for (const [code, outcome] of after) {
      const counts = outcomes[code];
      if (counts) counts[outcome] += 1;
    }
    for (const ruleCode of new Set([...before.keys(), ...after.keys()])) {
      const change = {
        applicationId,
        ruleCode,
        before: before.get(ruleCode) ?? null,
        after: after.get(ruleCode) ?? null,
      };
      if (change.before === change.after) continue;
      changedCases.add(applicationId);
      if (changes.length < MOST_CHANGES) changes.push(change);
    }
    tried += 1;
    // Judging takes the only thread there is: others get their turn between two cases.
    await breathe();
  }
  return { tried, complete: tried === submissions.length, changedCases: changedCases.size, changes, outcomes };
}

const outcomesOf = (rules: readonly ComplianceRule[], subject: ComplianceSubject): Map<string, ComplianceOutcome> =>
  new Map(rules.map((rule) => [rule.code, judge(rule, subject, evaluate).outcome]));

/** Codes of rules that are new, gone, or say something else. */
export function changedRules(before: readonly ComplianceRule[], after: readonly ComplianceRule[]): string[] {
  const text = ({ expression, otherwise, reason }: ComplianceRule) =>
    JSON.stringify([expression, otherwise, reason.id, reason.en]);
  const [was, is] = [before, after].map((rules) => new Map(rules.map((rule) => [rule.code, text(rule)])));
  return [...new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])].filter(
    (code) => was?.get(code) !== is?.get(code),
  );
}
