/**
 * The risk table as a CSV file: UTF-8, one header row, comma or semicolon between the columns. An empty cell leaves it to the
 * type's policy. `checklist`: kinds with blanks between them, `?` behind an optional one, `-` for none at all.
 * `kbli`: five digits, or fewer and `*` for all that begin so; so a code that lost its first zero in a spreadsheet is noticed.
 */
import { stringify } from 'csv-stringify/sync';
import type { FieldProblem } from '../domain/failures.ts';
import type { ChecklistItem } from '../domain/licensing.ts';
import {
  MOST_RISK_ROWS,
  type RawRiskRow,
  RISK_COLUMNS,
  type RiskColumn,
  type RiskRow,
  toRawRow,
} from '../domain/risk-table.ts';
import { csvLines, decodedCsv } from './csv.ts';
import type { Locale } from './request.ts';

export type ReadRiskCsv =
  /** `lines`: where each row stands in the file, from 1. */
  | { readonly rows: readonly RawRiskRow[]; readonly lines: readonly number[] }
  | { readonly errors: readonly FieldProblem[] };

export const writeRiskTableCsv = (rows: readonly RiskRow[]): string =>
  stringify([[...RISK_COLUMNS], ...rows.map(cellsOf)], { record_delimiter: 'windows' });

function cellsOf(row: RiskRow): string[] {
  const raw = toRawRow(row);
  return RISK_COLUMNS.map((column) => {
    if (column === 'kbli') return row.kbli.length === 5 ? row.kbli : `${row.kbli}*`;
    if (column === 'checklist') return row.checklist ? checklistCell(row.checklist) : '';
    return raw[column] === null ? '' : String(raw[column]);
  });
}

const checklistCell = (items: readonly ChecklistItem[]): string =>
  items.length === 0 ? '-' : items.map(({ kind, required }) => (required ? kind : `${kind}?`)).join(' ');

/** @returns cells for `parseRiskRows`, or why the file cannot be read */
export function readRiskTableCsv(content: Buffer, locale: Locale): ReadRiskCsv {
  const say = (code: CsvProblem, place = ''): ReadRiskCsv => ({
    errors: [{ pointer: '', code, detail: place + SENTENCES[code][locale] }],
  });
  const text = decodedCsv(content);
  if (text === null) return say('not_utf8');
  const records = csvLines(text);
  if (!Array.isArray(records)) return say('not_csv', inFile(records.line, undefined, locale));
  const [header, ...body] = records;
  if (!header) return say('empty');
  const wrong = headerProblem(header.cells);
  if (wrong) return say(wrong.code, inFile(header.line, wrong.column, locale));
  if (body.length > MOST_RISK_ROWS) return say('too_many_rows');
  const uneven = body.find(({ cells }) => cells.length !== header.cells.length);
  if (uneven) return say('wrong_columns', inFile(uneven.line, undefined, locale));
  return {
    rows: body.map(({ cells }) => readCells(header.cells, cells)),
    lines: body.map(({ line }) => line),
  };
}

/** `baris 3, kolom kbli: `, as a person looks for it in a spreadsheet. */
export function inFile(line: number, column: string | undefined, locale: Locale): string {
  const words = { id: ['baris', 'kolom'], en: ['line', 'column'] }[locale];
  return `${words[0]} ${line}${column === undefined ? '' : `, ${words[1]} ${column}`}: `;
}

function readCells(header: readonly string[], cells: readonly string[]): RawRiskRow {
  const raw: Partial<Record<RiskColumn, unknown>> = {};
  for (const column of RISK_COLUMNS) {
    const cell = cells[header.indexOf(column)] ?? '';
    if (cell !== '') raw[column] = readCell(column, cell);
  }
  return raw;
}

function readCell(column: RiskColumn, cell: string): unknown {
  if (column === 'kbli') return kbliCell(cell);
  if (column !== 'checklist') return cell;
  if (cell === '-') return [];
  return cell.split(/\s+/).map((kind) => ({ kind: kind.replace(/\?$/, ''), required: !kind.endsWith('?') }));
}

/** What is neither comes through as it is, which no row takes. */
const kbliCell = (cell: string): string => {
  if (/^\d{1,4}\*$/.test(cell)) return cell.slice(0, -1);
  return /^\d{5}$/.test(cell) ? cell : `${cell}?`;
};

const REQUIRED: readonly RiskColumn[] = ['kbli', 'scale', 'risk', 'typeCode'];

function headerProblem(names: readonly string[]): { readonly column: string; readonly code: CsvProblem } | null {
  const missing = REQUIRED.find((column) => !names.includes(column));
  if (missing) return { column: missing, code: 'missing_column' };
  const unknown = names.find((name) => !RISK_COLUMNS.some((column) => column === name));
  if (unknown !== undefined) return { column: unknown.slice(0, 50), code: 'unknown_column' };
  const double = names.find((name, index) => names.indexOf(name) !== index);
  return double === undefined ? null : { column: double, code: 'column_twice' };
}

const SENTENCES = {
  not_utf8: { id: 'simpan berkas sebagai CSV UTF-8', en: 'save the file as CSV in UTF-8' },
  not_csv: {
    id: 'tanda kutip di baris ini tidak ditutup atau salah tempat',
    en: 'a quote in this line is not closed or misplaced',
  },
  empty: { id: 'berkas kosong', en: 'the file is empty' },
  too_many_rows: { id: `paling banyak ${MOST_RISK_ROWS} baris`, en: `at most ${MOST_RISK_ROWS} rows` },
  missing_column: { id: 'kolom ini tidak ada', en: 'this column is missing' },
  unknown_column: {
    id: `kolom tidak dikenal; yang ada: ${RISK_COLUMNS.join(', ')}`,
    en: `there is no such column; there are ${RISK_COLUMNS.join(', ')}`,
  },
  column_twice: { id: 'kolom ini ada dua kali', en: 'this column stands twice' },
  wrong_columns: { id: 'jumlah kolom tidak sama dengan baris judul', en: 'not as many columns as the header has' },
} as const satisfies Record<string, Record<Locale, string>>;
type CsvProblem = keyof typeof SENTENCES;
