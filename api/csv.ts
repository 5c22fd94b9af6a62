/** Reading a CSV file that somebody sends in: UTF-8, comma or semicolon, with the line at which something is wrong. */
import { type CsvError, parse } from 'csv-parse/sync';

export interface CsvLine {
  /** Where it stands in the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** null when it is in another encoding, such as the UTF-16 of some spreadsheets; told to the caller as such. */
export function decodedCsv(content: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return null;
  }
}

/** A file that is not CSV comes back as the line at which that shows. */
export function csvLines(text: string): CsvLine[] | { readonly line: number } {
  const [first = ''] = text.split('\n', 1);
  const lines: CsvLine[] = [];
  try {
    parse(text, {
      delimiter: first.includes(';') ? ';' : ',',
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: 10_000,
      on_record: (cells: string[], { lines: line }) => {
        lines.push({ line, cells });
        return null;
      },
    });
    return lines;
  } catch (error) {
    if (isCsvError(error)) return { line: typeof error['lines'] === 'number' ? error['lines'] : 1 };
    throw error;
  }
}

const isCsvError = (error: unknown): error is CsvError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('CSV_');
