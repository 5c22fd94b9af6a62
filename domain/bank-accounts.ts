/**
 * Accounts that money can be transferred to: the banks, how their account numbers look, and whose account it is.
 * Codes are those of Bank Indonesia's clearing and, for ringgit, of PayNet; lengths are what the banks publish. Both change:
 * a bank that is not listed, or whose form is not known, takes 6 to 20 digits.
 */
import type { Currency } from './money.ts';

export interface Bank {
  readonly code: string;
  readonly name: string;
  readonly currency: Currency;
  /** How many digits an account number may have; empty = the form is not known. */
  readonly digits: readonly number[];
}

const bank =
  (currency: Currency) =>
  (code: string, name: string, ...digits: number[]): Bank => ({ code, name, currency, digits });
const idr = bank('IDR');
const myr = bank('MYR');

/** By code within a currency; those that most people have come first. */
export const BANKS: readonly Bank[] = [
  idr('014', 'Bank Central Asia (BCA)', 10),
  idr('008', 'Bank Mandiri', 13),
  idr('009', 'Bank Negara Indonesia (BNI)', 10),
  idr('002', 'Bank Rakyat Indonesia (BRI)', 15),
  idr('451', 'Bank Syariah Indonesia (BSI)', 10),
  idr('022', 'CIMB Niaga', 13, 14),
  idr('013', 'Bank Permata', 10),
  idr('011', 'Bank Danamon', 10),
  idr('200', 'Bank Tabungan Negara (BTN)', 16),
  idr('016', 'Maybank Indonesia', 10),
  idr('019', 'Bank Panin', 10),
  idr('028', 'OCBC Indonesia', 12),
  idr('023', 'UOB Indonesia', 10),
  idr('147', 'Bank Muamalat', 10),
  idr('213', 'Bank SMBC Indonesia'),
  idr('426', 'Bank Mega', 15),
  idr('441', 'KB Bank'),
  idr('542', 'Bank Jago', 12),
  idr('535', 'SeaBank Indonesia', 12),
  idr('110', 'Bank BJB', 13),
  idr('111', 'Bank DKI'),
  idr('112', 'Bank BPD DIY'),
  idr('113', 'Bank Jateng', 10),
  idr('114', 'Bank Jatim', 10),
  myr('MBBEMYKL', 'Maybank', 12),
  myr('CIBBMYKL', 'CIMB Bank', 10),
  myr('PBBEMYKL', 'Public Bank', 10),
  myr('RHBBMYKL', 'RHB Bank', 14),
  myr('HLBBMYKL', 'Hong Leong Bank', 11),
  myr('ARBKMYKL', 'AmBank', 13),
  myr('BIMBMYKL', 'Bank Islam', 14),
  myr('BKRMMYKL', 'Bank Rakyat', 12),
  myr('BSNAMYK1', 'Bank Simpanan Nasional', 16),
  myr('UOVBMYKL', 'UOB Malaysia', 11),
];

export const findBank = (code: string, currency: Currency): Bank | null =>
  BANKS.find((one) => one.code === code.toUpperCase() && one.currency === currency) ?? null;

export type BankAccountProblem = 'unknown_bank' | 'account_not_digits' | 'account_wrong_length' | 'account_all_same';

export type ParsedAccount =
  | { readonly ok: true; readonly bank: Bank; readonly number: string }
  | { readonly ok: false; readonly code: BankAccountProblem; readonly pointer: '/bankCode' | '/accountNumber' };

/** Checks an account's form; dots, blanks and dashes that people type are dropped. Whether it exists, the bank knows. */
export function parseAccount(bankCode: string, accountNumber: string, currency: Currency): ParsedAccount {
  const found = findBank(bankCode, currency);
  if (!found) return { ok: false, code: 'unknown_bank', pointer: '/bankCode' };
  const number = accountNumber.replace(/[\s.\-–]/g, '');
  const wrong = (code: BankAccountProblem) => ({ ok: false, code, pointer: '/accountNumber' }) as const;
  if (!/^\d+$/.test(number)) return wrong('account_not_digits');
  const isLength =
    found.digits.length > 0 ? found.digits.includes(number.length) : number.length >= 6 && number.length <= 20;
  if (!isLength) return wrong('account_wrong_length');
  if (/^(\d)\1*$/.test(number)) return wrong('account_all_same');
  return { ok: true, bank: found, number };
}

/** What is wrong, and what to do about it. */
export function explainAccount(code: BankAccountProblem, bank: Bank | null, locale: 'id' | 'en'): string {
  const digits = bank?.digits ?? [];
  switch (code) {
    case 'unknown_bank':
      return locale === 'en'
        ? 'No bank with this code takes this currency. Take one of GET /api/v1/banks.'
        : 'Tidak ada bank dengan kode ini untuk mata uang ini. Pilih dari GET /api/v1/banks.';
    case 'account_not_digits':
      return locale === 'en' ? 'An account number has digits only.' : 'Nomor rekening hanya terdiri dari angka.';
    case 'account_wrong_length':
      if (!bank || digits.length === 0)
        return locale === 'en'
          ? 'An account number has 6 to 20 digits.'
          : 'Nomor rekening terdiri dari 6 sampai 20 angka.';
      return locale === 'en'
        ? `An account at ${bank.name} has ${digits.join(' or ')} digits.`
        : `Rekening ${bank.name} terdiri dari ${digits.join(' atau ')} angka.`;
    case 'account_all_same':
      return locale === 'en'
        ? 'This is no account number. Copy it from the bank book or the app of the bank.'
        : 'Ini bukan nomor rekening. Salin dari buku tabungan atau aplikasi bank.';
  }
}

/** `••••••1234`: the last four digits, enough for people to know their own account by. */
export const maskAccount = (number: string): string => '•'.repeat(Math.max(0, number.length - 4)) + number.slice(-4);

/** Legal forms and titles that a bank may or may not print. */
const DROPPED = new Set([
  'pt',
  'cv',
  'ud',
  'pd',
  'tbk',
  'persero',
  'koperasi',
  'firma',
  'fa',
  'sdn',
  'bhd',
  'tn',
  'ny',
  'sdr',
  'bapak',
  'ibu',
  'h',
  'hj',
]);

const wordsOf = (name: string): string[] =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && !DROPPED.has(word))
    .toSorted();

/**
 * Whether the account is in one of these names: without regard to case, marks, legal forms, titles and the order of words.
 * A bank cuts long names off and leaves titles out, so `differs` asks a person to look and refuses nothing.
 */
export function checkName(holder: string, names: readonly string[]): 'matches' | 'differs' {
  const given = wordsOf(holder).join(' ');
  return given !== '' && names.some((name) => wordsOf(name).join(' ') === given) ? 'matches' : 'differs';
}
