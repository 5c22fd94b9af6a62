/**
 * A settlement as a CSV file: UTF-8, one header row, comma or semicolon between the columns `kind`, `reference`, `gross` and
 * `fee` in any order; amounts in whole minor units, signed.
 */
import type { FieldProblem } from '../domain/failures.ts';
import {
  MOST_SETTLEMENT_LINES,
  MOST_SETTLEMENT_PROBLEMS,
  SETTLEMENT_LINE_KINDS,
  type SettlementLine,
  type SettlementLineKind,
} from '../domain/settlements.ts';
import { csvLines, decodedCsv } from './csv.ts';
import type { Locale } from './request.ts';

const COLUMNS = ['kind', 'reference', 'gross', 'fee'] as const;
export type SettlementColumn = (typeof COLUMNS)[number];

export type ReadCsv =
  | { readonly lines: readonly SettlementLine[]; readonly rows: readonly number[] }
  | { readonly errors: readonly FieldProblem[] };

/** Where a value stands in the file, the header being row 1: what a person looks for in a spreadsheet. */
export const cellPointer = (row: number, column?: string): string =>
  column === undefined ? `row ${row}` : `row ${row}, column ${column}`;

/** @returns the lines and the row of each in the file, or all that is wrong, at most a hundred of it */
export function readSettlementCsv(content: Buffer, locale: Locale): ReadCsv {
  const say = (pointer: string, code: CsvProblem): FieldProblem => ({ pointer, code, detail: SENTENCES[code][locale] });
  const text = decodedCsv(content);
  if (text === null) return { errors: [say('', 'not_utf8')] };
  const records = csvLines(text);
  if (!Array.isArray(records)) return { errors: [say(cellPointer(records.line), 'not_csv')] };
  const [header, ...body] = records;
  if (!header) return { errors: [say('', 'empty')] };
  const names = header.cells.map((name) => name.toLowerCase());
  const wrong = headerProblems(names).map(({ column, code }) => say(cellPointer(header.line, column), code));
  if (wrong.length > 0) return { errors: wrong.slice(0, MOST_SETTLEMENT_PROBLEMS) };
  if (body.length > MOST_SETTLEMENT_LINES) return { errors: [say('', 'too_many')] };

  const errors: FieldProblem[] = [];
  const lines = body.flatMap((row) => {
    const read = readRow(names, row.cells);
    errors.push(...read.problems.map(({ column, code }) => say(cellPointer(row.line, column), code)));
    return read.line ? [read.line] : [];
  });
  if (errors.length > 0) return { errors: errors.slice(0, MOST_SETTLEMENT_PROBLEMS) };
  return { lines, rows: body.map(({ line }) => line) };
}

interface Found {
  /** Absent = the row as a whole. */
  readonly column?: string;
  readonly code: CsvProblem;
}

const isColumn = (name: string): name is SettlementColumn => COLUMNS.some((column) => column === name);

function headerProblems(names: readonly string[]): Found[] {
  return [
    ...COLUMNS.filter((column) => !names.includes(column)).map(
      (column) => ({ column, code: 'missing_column' }) as const,
    ),
    ...names
      .filter((name) => !isColumn(name))
      .map((name) => ({ column: name.slice(0, 50), code: 'unknown_column' }) as const),
    ...names
      .filter((name, index) => isColumn(name) && names.indexOf(name) !== index)
      .map((column) => ({ column, code: 'column_twice' }) as const),
  ];
}

const AMOUNT = /^-?\d{1,15}$/;
const isKind = (value: string): value is SettlementLineKind => SETTLEMENT_LINE_KINDS.some((kind) => kind === value);

function readRow(
  names: readonly string[],
  record: readonly string[],
): { line: SettlementLine | null; problems: Found[] } {
  const value = (column: SettlementColumn): string => record[names.indexOf(column)] ?? '';
  const [kind, reference, gross, fee] = [value('kind').toLowerCase(), value('reference'), value('gross'), value('fee')];
  if (record.length !== names.length) return { line: null, problems: [{ code: 'wrong_columns' }] };
  const problems: Found[] = [
    ...(isKind(kind) ? [] : [{ column: 'kind', code: 'wrong_kind' } as const]),
    ...(reference.length >= 1 && reference.length <= 200
      ? []
      : [{ column: 'reference', code: 'wrong_reference' } as const]),
    ...(AMOUNT.test(gross) ? [] : [{ column: 'gross', code: 'wrong_amount' } as const]),
    ...(AMOUNT.test(fee) ? [] : [{ column: 'fee', code: 'wrong_amount' } as const]),
  ];
  if (problems.length > 0 || !isKind(kind)) return { line: null, problems };
  return { line: { kind, reference, grossMinor: BigInt(gross), feeMinor: BigInt(fee) }, problems };
}

const SENTENCES = {
  not_utf8: { id: 'simpan berkas sebagai CSV UTF-8', en: 'save the file as CSV in UTF-8' },
  not_csv: {
    id: 'tanda kutip di baris ini tidak ditutup atau salah tempat',
    en: 'a quote in this row is not closed or misplaced',
  },
  empty: { id: 'berkas kosong', en: 'the file is empty' },
  too_many: {
    id: `paling banyak ${MOST_SETTLEMENT_LINES} baris`,
    en: `at most ${MOST_SETTLEMENT_LINES} rows`,
  },
  missing_column: { id: 'kolom ini tidak ada', en: 'this column is missing' },
  unknown_column: {
    id: 'kolom tidak dikenal; yang ada: kind, reference, gross, fee',
    en: 'there is no such column; there are kind, reference, gross, fee',
  },
  column_twice: { id: 'kolom ini ada dua kali', en: 'this column stands twice' },
  wrong_columns: { id: 'jumlah kolom tidak sama dengan baris judul', en: 'not as many columns as the header has' },
  wrong_kind: {
    id: `salah satu dari: ${SETTLEMENT_LINE_KINDS.join(', ')}`,
    en: `one of: ${SETTLEMENT_LINE_KINDS.join(', ')}`,
  },
  wrong_reference: { id: '1 sampai 200 karakter', en: '1 to 200 characters' },
  wrong_amount: {
    id: 'bilangan bulat dalam satuan terkecil, tanpa titik, koma atau Rp: rupiah, atau sen untuk MYR',
    en: 'a whole number of minor units without dots, commas or Rp: rupiah, or sen for MYR',
  },
} as const satisfies Record<string, Record<Locale, string>>;
type CsvProblem = keyof typeof SENTENCES;
