/** Zod's findings as `errors[]` of a problem: a JSON Pointer, a stable code and a sentence in the reader's language. */
import type { z } from 'zod';
import type { KeyProblem } from '../domain/api-keys.ts';
import type { FieldProblem } from '../domain/failures.ts';
import type { IdentityProblem } from '../domain/identity-numbers.ts';
import type { PasswordProblem } from '../domain/passwords.ts';
import type { PhoneProblem } from '../domain/second-factors.ts';
import type { NetworkProblem } from './networks.ts';
import type { Locale } from './request.ts';

type Sentence = Readonly<Record<Locale, string>>;
type OwnProblem = IdentityProblem | PasswordProblem | PhoneProblem | NetworkProblem | KeyProblem;

/** Sentences of the codes that the domain's own checks give. */
const DOMAIN_SENTENCES: Readonly<Record<OwnProblem, Sentence>> = {
  nib_not_13_digits: { id: 'NIB terdiri atas 13 angka', en: 'a NIB has 13 digits' },
  nik_not_16_digits: { id: 'NIK terdiri atas 16 angka', en: 'a NIK has 16 digits' },
  nik_serial_zero: { id: 'nomor urut NIK dimulai dari 0001', en: 'the serial of a NIK starts at 0001' },
  npwp_not_16_digits: {
    id: 'NPWP terdiri atas 16 angka, atau 15 angka bentuk lama',
    en: 'an NPWP has 16 digits, or the 15 of the old form',
  },
  kbli_not_5_digits: { id: 'kode KBLI terdiri atas 5 angka', en: 'a KBLI code has 5 digits' },
  too_short: { id: 'terlalu pendek', en: 'too short' },
  needs_upper: { id: 'tambahkan huruf besar', en: 'add an upper-case letter' },
  needs_lower: { id: 'tambahkan huruf kecil', en: 'add a lower-case letter' },
  needs_digit: { id: 'tambahkan angka', en: 'add a digit' },
  needs_symbol: { id: 'tambahkan simbol', en: 'add a symbol' },
  is_email: { id: 'jangan memakai alamat e-mail Anda', en: 'do not use your e-mail address' },
  not_a_mobile_number: {
    id: 'nomor ponsel, misalnya 0812-3456-7890 atau +60 12 345 6789',
    en: 'a mobile number, such as 0812-3456-7890 or +60 12 345 6789',
  },
  common: { id: 'kata sandi ini terlalu umum', en: 'this password is too common' },
  not_a_network: {
    id: 'blok alamat seperti 203.0.113.0/24, 203.0.113.7/32 atau 2001:db8::/32',
    en: 'a block of addresses such as 203.0.113.0/24, 203.0.113.7/32 or 2001:db8::/32',
  },
  not_its_first_address: {
    id: 'blok ini tidak dimulai dari alamat itu; pakai alamat pertamanya, atau /32 untuk satu alamat',
    en: 'the block does not start at this address; write its first one, or /32 for a single address',
  },
  not_in_future: { id: 'harus di masa depan', en: 'must be in the future' },
  unknown_company: { id: 'perusahaan ini tidak ada', en: 'there is no such company' },
  not_an_integrator: {
    id: 'bukan akun integrator yang aktif',
    en: 'not the active account of an integrator',
  },
  account_has_companies: {
    id: 'hanya untuk akun baru; akun ini sudah memiliki perusahaannya sendiri',
    en: 'only for a new account; this one has its own companies',
  },
  test_key_in_production: {
    id: 'kunci uji tidak berlaku di instalasi ini',
    en: 'test keys are good for nothing in this installation',
  },
};

export const explained = (pointer: string, code: OwnProblem, locale: Locale): FieldProblem => ({
  pointer,
  code,
  detail: DOMAIN_SENTENCES[code][locale],
});

/** For a schema's own check: `context.issues.push(domainIssue(code, value))`. */
export const domainIssue = (code: OwnProblem, input: unknown) => ({ code: 'custom', input, params: { code } }) as const;

export function fieldProblems(error: z.ZodError, locale: Locale): FieldProblem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, locale));
}

function problemsOf(issue: z.core.$ZodIssue, locale: Locale): FieldProblem[] {
  const at = (path: readonly PropertyKey[], code: string, sentence: Sentence): FieldProblem => ({
    pointer: pointerTo(path),
    code,
    detail: sentence[locale],
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        at([...issue.path, key], 'unknown_field', { id: 'isian tidak dikenal', en: 'there is no such field' }),
      );
    case 'invalid_type':
      return [
        issue.input === undefined
          ? at(issue.path, 'required', { id: 'wajib diisi', en: 'required' })
          : at(issue.path, 'wrong_type', {
              id: `harus berupa ${issue.expected}`,
              en: `must be of type ${issue.expected}`,
            }),
      ];
    case 'too_small':
      return [at(issue.path, 'too_small', bound(issue.origin, issue.minimum, 'sedikitnya', 'at least'))];
    case 'too_big':
      return [at(issue.path, 'too_big', bound(issue.origin, issue.maximum, 'paling banyak', 'at most'))];
    case 'invalid_format':
      return [
        at(issue.path, 'wrong_format', {
          id: `bentuknya salah (${issue.format})`,
          en: `not in the form ${issue.format}`,
        }),
      ];
    case 'invalid_value':
      return [
        at(issue.path, 'not_allowed', {
          id: `salah satu dari: ${issue.values.join(', ')}`,
          en: `one of: ${issue.values.join(', ')}`,
        }),
      ];
    case 'not_multiple_of':
      return [
        at(issue.path, 'not_multiple_of', { id: `kelipatan ${issue.divisor}`, en: `a multiple of ${issue.divisor}` }),
      ];
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, locale));
    case 'invalid_union':
      return [
        at(issue.path, 'no_match', {
          id: 'tidak cocok dengan bentuk mana pun',
          en: 'matches none of the forms allowed',
        }),
      ];
    case 'custom':
      return [custom(issue, locale)];
  }
}

function custom(issue: z.core.$ZodIssueCustom, locale: Locale): FieldProblem {
  const code: unknown = issue.params?.['code'];
  const pointer = pointerTo(issue.path);
  if (isDomainCode(code)) return explained(pointer, code, locale);
  return { pointer, code: typeof code === 'string' ? code : 'invalid', detail: issue.message };
}

const isDomainCode = (code: unknown): code is keyof typeof DOMAIN_SENTENCES =>
  typeof code === 'string' && Object.hasOwn(DOMAIN_SENTENCES, code);

function bound(origin: string, limit: number | bigint, id: string, en: string): Sentence {
  if (origin === 'string') return { id: `${id} ${limit} karakter`, en: `${en} ${limit} characters` };
  if (origin === 'array' || origin === 'set') return { id: `${id} ${limit} butir`, en: `${en} ${limit} items` };
  return { id: `${id} ${limit}`, en: `${en} ${limit}` };
}

/** RFC 6901; the whole body is the empty pointer. */
export const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
