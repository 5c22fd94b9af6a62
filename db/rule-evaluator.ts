/**
 * Judges FEEL expressions that an office wrote: only what is harmless by construction, and never for long.
 * The language itself is handed in, for it is a package that this room does not import; API and activities both use this.
 */
import { createContext, Script } from 'node:vm';
import {
  type ExpressionProblem,
  type ExpressionProblemCode,
  MOST_EXPRESSION_CHARACTERS,
  type RuleEvaluator,
} from '../domain/compliance.ts';

/** What is used of `feelin`. */
export interface Feel {
  parseExpression(expression: string, context: Record<string, unknown>, dialect: string | undefined): SyntaxTree;
  evaluate(
    expression: string,
    context?: Record<string, unknown>,
  ): { readonly value: unknown; readonly warnings: readonly { readonly type: string }[] };
}

interface SyntaxTree {
  iterate(visit: { enter: (node: TreeNode) => void; leave: (node: TreeNode) => void }): void;
}

interface TreeNode {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What expressions may name. `fields` null = the form takes any. */
export interface KnownNames {
  readonly fields: readonly string[] | null;
  readonly documents: readonly string[];
}

/** Wall time of one expression; an honest one takes about a millisecond. */
const TIME_LIMIT_MS = 200;
const MOST_NODES = 400;

/** Warnings that only say that an optional value is not there; any other means that the rule itself is broken. */
const ABSENT: readonly string[] = ['NO_CONTEXT_ENTRY_FOUND', 'NO_PROPERTY_FOUND'];

export function createRuleEvaluator(feel: Feel): RuleEvaluator {
  const isSound = remembering((expression) => problemsOf(feel, expression, null).length === 0);
  return (expression, subject) => {
    const met = withinLimit(() => {
      if (!isSound(expression)) return null;
      const { value, warnings } = feel.evaluate(expression, plain({ ...subject }));
      return warnings.every(({ type }) => ABSENT.includes(type)) ? value : null;
    });
    // Broken, too deep or too slow: whatever it is, a person has to look, and that is what null says.
    return 'value' in met && typeof met.value === 'boolean' ? met.value : null;
  };
}

/** Everything that is wrong with an expression before it is tried: for whoever publishes it. */
export function checkExpression(feel: Feel, expression: string, names: KnownNames): ExpressionProblem[] {
  const found = withinLimit(() => {
    const problems = problemsOf(feel, expression, names);
    // Only the interpreter sees what is missing at the end; on nothing at all it stops right there, or gives some value.
    if (problems.length === 0) feel.evaluate(expression, {});
    return problems;
  });
  if ('value' in found) return found.value;
  const { error } = found;
  const place = positionOf(error) ?? { from: 0, to: expression.length };
  return [{ code: isTimeout(error) ? 'too_complex' : 'syntax_error', ...place }];
}

const sandbox: { work: () => void } = { work: () => undefined };
const context = createContext(sandbox);
const script = new Script('work()');

/** The time limit of a script counts for all that it calls, regular expressions included: nothing else could stop one. */
function withinLimit<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  let result: { readonly value: T } | { readonly error: unknown } = { error: null };
  sandbox.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: TIME_LIMIT_MS });
  } catch (error) {
    return { error };
  }
  return result;
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

function positionOf(error: unknown): { from: number; to: number } | null {
  if (!(error instanceof Error && 'position' in error)) return null;
  const { position } = error;
  return typeof position === 'object' &&
    position !== null &&
    'from' in position &&
    typeof position.from === 'number' &&
    'to' in position &&
    typeof position.to === 'number'
    ? { from: position.from, to: position.to }
    : null;
}

const REMEMBERED = 1000;

function remembering(ask: (text: string) => boolean): (text: string) => boolean {
  const answers = new Map<string, boolean>();
  return (text) => {
    const answer = answers.get(text) ?? ask(text);
    if (answers.size >= REMEMBERED) answers.clear();
    answers.set(text, answer);
    return answer;
  };
}

const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/**
 * FEEL's names may hold blanks and operators, and the parser goes by the names that it is given: an applicant's field called
 * `seats > 10` would change what an expression means. So only plain names get in.
 */
function plain(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(values).filter(([name]) => PLAIN_NAME.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === 'object' && value !== null ? plain({ ...value }) : value;
}

function problemsOf(feel: Feel, expression: string, names: KnownNames | null): ExpressionProblem[] {
  const whole = (code: ExpressionProblemCode): ExpressionProblem[] => [{ code, from: 0, to: expression.length }];
  if (expression.length > MOST_EXPRESSION_CHARACTERS) return whole('too_long');
  if (expression.trim() === '') return whole('syntax_error');
  const nodes = nodesOf(feel.parseExpression(expression, {}, undefined));
  if (nodes.length > MOST_NODES) return whole('too_complex');
  const broken = nodes.find(({ name }) => name === '⚠');
  if (broken) return [{ code: 'syntax_error', from: broken.from, to: broken.to }];
  const banned = forbidden(nodes);
  return banned.length > 0 ? banned : unknownNames(nodes, expression, names);
}

/** With its place in the tree: the names of what it stands in, outermost first. */
interface Placed extends TreeNode {
  readonly within: readonly string[];
}

function nodesOf(tree: SyntaxTree): Placed[] {
  const nodes: Placed[] = [];
  const within: string[] = [];
  tree.iterate({
    enter: ({ name, from, to }) => {
      nodes.push({ name, from, to, within: [...within] });
      within.push(name);
    },
    leave: () => within.pop(),
  });
  return nodes;
}

/**
 * Values are compared, counted and looked at; nothing builds lists, contexts or functions, so no expression can grow beyond
 * what it is given, call itself, or read a clock.
 */
const ALLOWED = new Set(
  (
    'Expression Disjunction Conjunction Comparison CompareOp ArithmeticExpression ArithOp ParenthesizedExpression ( ) [ ] ' +
    'PathExpression PathName VariableName Name Identifier BacktickIdentifier . .. , or and in between if then else not null ' +
    'IfExpression QuantifiedExpression some every satisfies InExpressions InExpression IterationContext FilterExpression ' +
    'FunctionInvocation PositionalParameters NumericLiteral StringLiteral BooleanLiteral List Interval ' +
    'PositiveUnaryTest PositiveUnaryTests SimplePositiveUnaryTest DateTimeLiteral DateTimeConstructor AtLiteral date time ' +
    'duration LineComment BlockComment'
  ).split(' '),
);

const FUNCTIONS = new Set([
  'not',
  'number',
  'string',
  'string length',
  'substring',
  'substring before',
  'substring after',
  'upper case',
  'lower case',
  'contains',
  'starts with',
  'ends with',
  'matches',
  'list contains',
  'count',
  'min',
  'max',
  'sum',
  'mean',
  'all',
  'any',
  'index of',
  'abs',
  'floor',
  'ceiling',
  'decimal',
  'modulo',
  'odd',
  'even',
  'years and months duration',
  'day of week',
  'month of year',
  'before',
  'after',
  'includes',
]);

function forbidden(nodes: readonly Placed[]): ExpressionProblem[] {
  return nodes
    .filter(({ name, within }) => !ALLOWED.has(name) || (name === '..' && within.at(-1) === 'IterationContext'))
    .slice(0, 1)
    .map(({ from, to }) => ({ code: 'not_allowed', from, to }));
}

const ROOTS = ['form', 'documents', 'company', 'application'];
/** What the members of the other roots are called. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  company: ['scale', 'kbli', 'legalForm', 'capital', 'annualSales', 'hasNib'],
  application: ['round', 'submittedOn'],
};

function unknownNames(nodes: readonly Placed[], text: string, names: KnownNames | null): ExpressionProblem[] {
  const said = ({ from, to }: TreeNode): string => text.slice(from, to).replaceAll(/\s+/g, ' ');
  const bound = new Set(
    nodes.filter(({ name, within }) => name === 'Name' && within.at(-1) === 'InExpression').map(said),
  );
  return nodes.flatMap((node, index): ExpressionProblem[] => {
    const problem = (code: ExpressionProblemCode, { from, to }: TreeNode = node) => [{ code, from, to }];
    const [before, next, after] = [nodes[index - 1], nodes[index + 1], memberAfter(nodes, index)];
    if (node.name !== 'VariableName' || !next) return [];
    if (before?.name === 'FunctionInvocation' && before.from === node.from)
      return FUNCTIONS.has(said(node)) ? [] : problem('unknown_function');
    const name = said(node);
    if (bound.has(name) || (name === 'item' && node.within.includes('FilterExpression'))) return [];
    if (!ROOTS.includes(name)) return problem('unknown_name');
    if (!names || !after) return [];
    const member = said(after);
    if (name === 'form') return names.fields?.includes(member) === false ? problem('unknown_field', after) : [];
    if (name === 'documents') return names.documents.includes(member) ? [] : problem('unknown_document', after);
    return MEMBERS[name]?.includes(member) ? [] : problem('unknown_name', after);
  });
}

/** Of `form.seats`: the node of `seats`. */
function memberAfter(nodes: readonly Placed[], index: number): Placed | undefined {
  const root = nodes[index];
  if (root?.within.at(-1) !== 'PathExpression') return undefined;
  const member = nodes
    .slice(index + 1)
    .find(({ name, within }) => name === 'PathName' && within.length === root.within.length);
  return member && nodes[index - 1]?.name === 'PathExpression' ? member : undefined;
}
