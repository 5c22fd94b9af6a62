/** Rules that a submission is checked against: the office's data, expressions in FEEL (DMN 1.3) that are true when met. */

interface Words {
  readonly id: string;
  readonly en: string;
}

export interface ComplianceRule {
  /** Unique within its type; what a result is known by. */
  readonly code: string;
  readonly expression: string;
  /** What it means when the expression is false. */
  readonly otherwise: 'warn' | 'fail';
  /** Shown with any outcome but `pass`. */
  readonly reason: Words;
}

/** `error`: the rule could not be judged (it broke, took too long, or gave no yes or no). Then a person looks. */
export const COMPLIANCE_OUTCOMES = ['pass', 'warn', 'fail', 'error'] as const;
export type ComplianceOutcome = (typeof COMPLIANCE_OUTCOMES)[number];

export interface ComplianceResult {
  readonly code: string;
  readonly outcome: ComplianceOutcome;
  readonly reason: Words;
}

/** What expressions can speak of. */
export interface ComplianceSubject {
  readonly form: Readonly<Record<string, unknown>>;
  /** By kind; every kind of the checklist is there, attached or not. Of several of a kind, the one added last. */
  readonly documents: Readonly<Record<string, DocumentFacts>>;
  readonly company: {
    readonly scale: string;
    readonly kbli: readonly string[];
    readonly legalForm: string;
    /** Rupiah; null = not known. */
    readonly capital: number | null;
    readonly annualSales: number | null;
    readonly hasNib: boolean;
  };
  readonly application: {
    readonly round: number;
    /** YYYY-MM-DD of the first submission, in the office's zone. */
    readonly submittedOn: string;
  };
}

export interface DocumentFacts {
  readonly present: boolean;
  readonly count: number;
  readonly bytes: number | null;
  readonly contentType: string | null;
  readonly pages: number | null;
}

/** `null`: it could not be judged. Never throws. */
export type RuleEvaluator = (expression: string, subject: ComplianceSubject) => boolean | null;

/** What is wrong with an expression before it was ever tried, and where: characters from 0. */
export interface ExpressionProblem {
  readonly code: ExpressionProblemCode;
  readonly from: number;
  readonly to: number;
}
export type ExpressionProblemCode =
  | 'too_long'
  | 'syntax_error'
  | 'too_complex'
  | 'not_allowed'
  | 'unknown_name'
  | 'unknown_function'
  | 'unknown_field'
  | 'unknown_document';

/** The most that an office may publish for a type: each costs up to a fifth of a second. */
export const MOST_RULES = 30;
export const MOST_EXPRESSION_CHARACTERS = 1000;

export function judge(rule: ComplianceRule, subject: ComplianceSubject, evaluate: RuleEvaluator): ComplianceResult {
  const met = evaluate(rule.expression, subject);
  const outcome = met === null ? 'error' : met ? 'pass' : rule.otherwise;
  return { code: rule.code, outcome, reason: rule.reason };
}
