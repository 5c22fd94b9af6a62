/**
 * The risk table: business classification (KBLI) x scale of the company → risk, and with it path, checklist, legal time,
 * fee, validity and what happens when the legal time is used up (PP 28/2025). Rows are the office's data.
 */
import { COMPANY_SCALES, type CompanyScale } from './companies.ts';
import { type ChecklistItem, type LicensePolicy, RISKS, type Risk } from './licensing.ts';

export const ROW_SCALES = [...COMPANY_SCALES.filter((scale) => scale !== 'unknown'), 'any'] as const;
export type RowScale = (typeof ROW_SCALES)[number];

/** Null where the licence type's policy decides. */
export interface RiskRow {
  /** Five digits, or fewer for all codes that begin so. */
  readonly kbli: string;
  readonly scale: RowScale;
  readonly risk: Risk;
  readonly typeCode: string;
  readonly path: LicensePolicy['path'] | null;
  readonly checklist: readonly ChecklistItem[] | null;
  readonly legalWorkingDays: number | null;
  /** Whole minor units of the type's currency, as digits. */
  readonly statutoryMinor: string | null;
  readonly serviceMinor: string | null;
  readonly validityMonths: number | null;
  readonly validForLife: boolean;
  readonly deemedApproval: NonNullable<LicensePolicy['deemedApproval']> | null;
}

/** As rows are written in files, in this order. `validityMonths` is a number of months or `life`. */
export const RISK_COLUMNS = [
  'kbli',
  'scale',
  'risk',
  'typeCode',
  'path',
  'checklist',
  'legalWorkingDays',
  'statutoryMinor',
  'serviceMinor',
  'validityMonths',
  'deemedApproval',
] as const;
export type RiskColumn = (typeof RISK_COLUMNS)[number];

/** A row before anybody looked at it; numbers may be given as digits. Absent and null mean the same. */
export type RawRiskRow = Readonly<Partial<Record<RiskColumn, unknown>>>;

export const MOST_RISK_ROWS = 5000;
export const MOST_RISK_PROBLEMS = 100;
const MOST_DOCUMENT_KINDS = 30;

export type RiskProblemCode =
  | 'wrong_kbli'
  | 'wrong_scale'
  | 'wrong_risk'
  | 'unknown_type'
  | 'wrong_path'
  | 'type_has_no_stages'
  | 'wrong_checklist'
  | 'wrong_number'
  | 'wrong_amount'
  | 'wrong_validity'
  | 'wrong_deemed_approval'
  | 'row_twice';

export interface RiskProblem {
  /** From 0. */
  readonly row: number;
  readonly column: RiskColumn;
  readonly code: RiskProblemCode;
  /** Of `row_twice`: the row that says it first. */
  readonly first?: number;
}

/** What a row may name. */
export interface KnownType {
  readonly hasStages: boolean;
}

/**
 * All rows, or all that is wrong with them (at most MOST_RISK_PROBLEMS).
 * @param types by code, of the office whose table it is
 */
export function parseRiskRows(
  raw: readonly RawRiskRow[],
  types: ReadonlyMap<string, KnownType>,
): { readonly rows: readonly RiskRow[]; readonly problems: readonly RiskProblem[] } {
  const rows = raw.map(readRow);
  const problems = [
    ...raw.flatMap((cells, row) => problemsOf(cells, types).map((problem) => ({ row, ...problem }))),
    ...rowsTwice(rows),
  ].toSorted((a, b) => a.row - b.row);
  return problems.length > 0 ? { rows: [], problems: problems.slice(0, MOST_RISK_PROBLEMS) } : { rows, problems };
}

/**
 * The row for one company: the longest KBLI that fits, and of those the one for its very scale before the one for any.
 * @param kbli the codes to look for, in order; the first that has a row decides
 */
export function chooseRiskRow<Row extends RiskRow>(
  rows: readonly Row[],
  company: { readonly typeCode: string; readonly kbli: readonly string[]; readonly scale: CompanyScale },
): Row | null {
  const fitting = rows.filter(
    ({ typeCode, scale }) => typeCode === company.typeCode && (scale === 'any' || scale === company.scale),
  );
  for (const code of company.kbli) {
    const [best] = fitting
      .filter(({ kbli }) => code.startsWith(kbli))
      .toSorted((a, b) => b.kbli.length - a.kbli.length || Number(a.scale === 'any') - Number(b.scale === 'any'));
    if (best) return best;
  }
  return null;
}

/** Which of a company's codes an application is about: the one that its form names, if it is the company's, else any of them. */
export function kbliOf(form: Readonly<Record<string, unknown>>, company: readonly string[]): readonly string[] {
  const { kbli } = form;
  return typeof kbli === 'string' && company.includes(kbli) ? [kbli] : company;
}

/** What a publication would change; rows are the same when KBLI, scale and type are. */
export interface RiskTableChanges {
  readonly added: readonly RiskRow[];
  readonly removed: readonly RiskRow[];
  readonly changed: readonly { readonly before: RiskRow; readonly after: RiskRow }[];
}

export function riskTableChanges(before: readonly RiskRow[], after: readonly RiskRow[]): RiskTableChanges {
  const old = new Map(before.map((row) => [keyOf(row), row]));
  const kept = new Set(after.map(keyOf));
  return {
    added: after.filter((row) => !old.has(keyOf(row))),
    removed: before.filter((row) => !kept.has(keyOf(row))),
    changed: after.flatMap((row) => {
      const was = old.get(keyOf(row));
      return was && JSON.stringify(toRawRow(was)) !== JSON.stringify(toRawRow(row))
        ? [{ before: was, after: row }]
        : [];
    }),
  };
}

/** A row as files have it: `parseRiskRows` of it gives the same row. */
export const toRawRow = (row: RiskRow): Record<RiskColumn, unknown> => ({
  kbli: row.kbli,
  scale: row.scale,
  risk: row.risk,
  typeCode: row.typeCode,
  path: row.path,
  checklist: row.checklist?.map(({ kind, required }) => ({ kind, required })) ?? null,
  legalWorkingDays: row.legalWorkingDays,
  statutoryMinor: row.statutoryMinor,
  serviceMinor: row.serviceMinor,
  validityMonths: row.validForLife ? 'life' : row.validityMonths,
  deemedApproval: row.deemedApproval,
});

const keyOf = ({ kbli, scale, typeCode }: RiskRow): string => `${kbli}/${scale}/${typeCode}`;

// ---- cells ----------------------------------------------------------------------------------------------------------

const PATHS = ['review', 'automatic'] as const;
const DEEMED = ['escalate_only', 'issue'] as const;
const DOCUMENT_KIND = /^[a-z][a-z0-9_]{0,63}$/;

const choice = <const T extends string>(choices: readonly T[], value: unknown): T | undefined =>
  choices.find((one) => one === value);
const isEmpty = (value: unknown): boolean => value === undefined || value === null;

/** Of a number or of digits; undefined = neither. */
function wholeNumber(value: unknown, most: number): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= most ? number : undefined;
}

/** In whole minor units, without leading zeros: two ways to write one amount would make two different tables. */
function amount(value: unknown): string | undefined {
  const digits = typeof value === 'number' ? String(value) : value;
  return typeof digits === 'string' && /^\d{1,15}$/.test(digits) ? BigInt(digits).toString() : undefined;
}

function checklist(value: unknown): readonly ChecklistItem[] | undefined {
  if (!Array.isArray(value) || value.length > MOST_DOCUMENT_KINDS) return undefined;
  const items = value.flatMap((item: unknown) => (isChecklistItem(item) ? [item] : []));
  const kinds = new Set(items.map(({ kind }) => kind));
  return items.length === value.length && kinds.size === items.length
    ? items.map(({ kind, required }) => ({ kind, required }))
    : undefined;
}

const isChecklistItem = (item: unknown): item is ChecklistItem =>
  typeof item === 'object' &&
  item !== null &&
  'kind' in item &&
  typeof item.kind === 'string' &&
  DOCUMENT_KIND.test(item.kind) &&
  'required' in item &&
  typeof item.required === 'boolean' &&
  Object.keys(item).length === 2;

const MOST_DAYS = 1000;
const MOST_MONTHS = 1200;

/** Only to be used when there are no problems; what cannot be read is null. */
const readRow = (cells: RawRiskRow): RiskRow => ({
  kbli: String(cells.kbli),
  scale: choice(ROW_SCALES, cells.scale) ?? 'any',
  risk: choice(RISKS, cells.risk) ?? 'high',
  typeCode: String(cells.typeCode),
  path: choice(PATHS, cells.path) ?? null,
  checklist: checklist(cells.checklist) ?? null,
  legalWorkingDays: wholeNumber(cells.legalWorkingDays, MOST_DAYS) ?? null,
  statutoryMinor: amount(cells.statutoryMinor) ?? null,
  serviceMinor: amount(cells.serviceMinor) ?? null,
  validityMonths: wholeNumber(cells.validityMonths, MOST_MONTHS) ?? null,
  validForLife: cells.validityMonths === 'life',
  deemedApproval: choice(DEEMED, cells.deemedApproval) ?? null,
});

type CellProblem = Pick<RiskProblem, 'column' | 'code'>;

function problemsOf(cells: RawRiskRow, types: ReadonlyMap<string, KnownType>): CellProblem[] {
  const type = typeof cells.typeCode === 'string' ? types.get(cells.typeCode) : undefined;
  const unless = (isRight: boolean, column: RiskColumn, code: RiskProblemCode): CellProblem[] =>
    isRight ? [] : [{ column, code }];
  const optional = (column: RiskColumn, read: (value: unknown) => unknown, code: RiskProblemCode): CellProblem[] =>
    unless(isEmpty(cells[column]) || read(cells[column]) !== undefined, column, code);
  return [
    ...unless(typeof cells.kbli === 'string' && /^\d{1,5}$/.test(cells.kbli), 'kbli', 'wrong_kbli'),
    ...unless(choice(ROW_SCALES, cells.scale) !== undefined, 'scale', 'wrong_scale'),
    ...unless(choice(RISKS, cells.risk) !== undefined, 'risk', 'wrong_risk'),
    ...unless(type !== undefined, 'typeCode', 'unknown_type'),
    ...optional('path', (value) => choice(PATHS, value), 'wrong_path'),
    ...unless(cells.path !== 'review' || type === undefined || type.hasStages, 'path', 'type_has_no_stages'),
    ...optional('checklist', checklist, 'wrong_checklist'),
    ...optional('legalWorkingDays', (value) => wholeNumber(value, MOST_DAYS), 'wrong_number'),
    ...optional('statutoryMinor', amount, 'wrong_amount'),
    ...optional('serviceMinor', amount, 'wrong_amount'),
    ...optional(
      'validityMonths',
      (value) => (value === 'life' ? value : wholeNumber(value, MOST_MONTHS)),
      'wrong_validity',
    ),
    ...optional('deemedApproval', (value) => choice(DEEMED, value), 'wrong_deemed_approval'),
  ];
}

function rowsTwice(rows: readonly RiskRow[]): RiskProblem[] {
  const seen = new Map<string, number>();
  return rows.flatMap((own, row) => {
    const first = seen.get(keyOf(own));
    if (first === undefined) seen.set(keyOf(own), row);
    return first === undefined ? [] : [{ row, column: 'kbli', code: 'row_twice', first }];
  });
}
