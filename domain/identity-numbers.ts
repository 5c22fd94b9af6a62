/**
 * Numbers by which the state knows people and businesses. All are checked for form only; whether one was ever issued is
 * for the office to find out. Separators that people type (blanks, dots, hyphens) are dropped.
 */
export type ParsedNumber =
  | { readonly ok: true; readonly value: string; readonly warnings: IdentityWarning[] }
  | { readonly ok: false; readonly code: IdentityProblem };

export type IdentityProblem =
  | 'nib_not_13_digits'
  | 'nik_not_16_digits'
  | 'nik_serial_zero'
  | 'npwp_not_16_digits'
  | 'kbli_not_5_digits';

/** For a person to look at; a warning never refuses a number. */
export type IdentityWarning =
  | 'nik_region_unknown'
  | 'nik_region_mismatch'
  | 'nik_birth_date_impossible'
  | 'nik_birth_date_mismatch'
  | 'npwp_old_form'
  | 'npwp_check_digit';

/** What else is known about a person, to compare a NIK with. */
export interface KnownPerson {
  /** YYYY-MM-DD. */
  readonly birthDate?: string;
  /** Kemendagri code of the place of registration: 2 (province), 4 (regency) or 6 digits (district). */
  readonly regionCode?: string;
}

/** NIB (nomor induk berusaha): 13 digits without inner structure (PP 24/2018 art. 26; kept by PP 28/2025). */
export function parseNib(input: string): ParsedNumber {
  const value = bare(input);
  return /^\d{13}$/.test(value) ? accepted(value) : refused('nib_not_13_digits');
}

/**
 * NIK (nomor induk kependudukan): 16 digits: province, regency, district (2 each), birth date DDMMYY (women DD + 40),
 * serial from 0001; no check digit. People move, and dates were mistyped at registration: a region or birth date that
 * does not fit warns and never refuses.
 */
export function parseNik(input: string, known: KnownPerson = {}): ParsedNumber {
  const value = bare(input);
  if (!/^\d{16}$/.test(value)) return refused('nik_not_16_digits');
  if (value.endsWith('0000')) return refused('nik_serial_zero');
  return accepted(value, [...regionWarnings(value, known), ...birthDateWarnings(value, known)]);
}

/**
 * NPWP (tax number): 16 digits since PMK 112/2022. A resident's is the NIK; everybody else's is 0 and the old 15 digits,
 * written 01.234.567.8-901.234: 9 identify the taxpayer (the 9th a Luhn check digit), 3 the tax office, 3 the branch.
 * The old form is accepted and comes back with its 0. A wrong check digit only warns: no law says that there is one.
 */
export function parseNpwp(input: string): ParsedNumber {
  const digits = bare(input);
  if (/^\d{15}$/.test(digits)) return accepted(`0${digits}`, ['npwp_old_form', ...checkDigitWarnings(digits)]);
  if (!/^\d{16}$/.test(digits)) return refused('npwp_not_16_digits');
  return digits.startsWith('0') ? accepted(digits, checkDigitWarnings(digits.slice(1))) : parseNik(digits);
}

/** KBLI (business classification): 5 digits. Which codes exist is the office's table, not form. */
export function parseKbli(input: string): ParsedNumber {
  const value = bare(input);
  return /^\d{5}$/.test(value) ? accepted(value) : refused('kbli_not_5_digits');
}

/**
 * `3174••••••••0001`: the length stays, the first and the last four show; of a shorter number a quarter at each end, so
 * never more than half, and of one below eight nothing.
 */
export function maskNumber(value: string): string {
  const shown = value.length < 8 ? 0 : Math.min(4, Math.floor(value.length / 4));
  return value.slice(0, shown) + '•'.repeat(value.length - 2 * shown) + value.slice(value.length - shown);
}

const bare = (input: string): string => input.replace(/[\s.-]/g, '');
const accepted = (value: string, warnings: IdentityWarning[] = []): ParsedNumber => ({ ok: true, value, warnings });
const refused = (code: IdentityProblem): ParsedNumber => ({ ok: false, code });

/** Kemendagri codes, with the four Papuan provinces of 2022. */
const PROVINCES = new Set(
  '11 12 13 14 15 16 17 18 19 21 31 32 33 34 35 36 51 52 53 61 62 63 64 65 71 72 73 74 75 76 81 82 91 92 93 94 95 96'.split(
    ' ',
  ),
);

function regionWarnings(nik: string, known: KnownPerson): IdentityWarning[] {
  if (!PROVINCES.has(nik.slice(0, 2))) return ['nik_region_unknown'];
  const region = known.regionCode === undefined ? '' : bare(known.regionCode).slice(0, 6);
  return nik.startsWith(region) ? [] : ['nik_region_mismatch'];
}

function birthDateWarnings(nik: string, known: KnownPerson): IdentityWarning[] {
  const [dayCode = 0, month = 0, year = 0] = [6, 8, 10].map((at) => Number(nik.slice(at, at + 2)));
  const day = dayCode > 40 ? dayCode - 40 : dayCode;
  // Two digits do not tell the century; either will do.
  const possible = [1900 + year, 2000 + year].some(
    (full) => month >= 1 && month <= 12 && day >= 1 && day <= daysIn(full, month),
  );
  if (!possible) return ['nik_birth_date_impossible'];
  if (known.birthDate === undefined) return [];
  const [, yy, mm, dd] = /^\d\d(\d\d)-(\d\d)-(\d\d)$/.exec(known.birthDate) ?? [];
  return Number(yy) === year && Number(mm) === month && Number(dd) === day ? [] : ['nik_birth_date_mismatch'];
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

const checkDigitWarnings = (fifteen: string): IdentityWarning[] =>
  luhn(fifteen.slice(0, 9)) ? [] : ['npwp_check_digit'];

function luhn(digits: string): boolean {
  const values = [...digits].toReversed().map((digit, place) => {
    const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
    return value > 9 ? value - 9 : value;
  });
  return values.reduce((a, b) => a + b, 0) % 10 === 0;
}
