/** What a new password must be. Old ones are never judged again. */
import { COMMON_PASSWORDS } from './common-passwords.ts';

export interface PasswordPolicy {
  /** Code points. */
  readonly minLength: number;
  /** From here on length alone is enough: a sentence is easier to keep than a symbol. */
  readonly passphraseLength: number;
}

export const PASSWORD_POLICY: PasswordPolicy = { minLength: 10, passphraseLength: 16 };

export const PASSWORD_PROBLEMS = [
  'too_short',
  'needs_upper',
  'needs_lower',
  'needs_digit',
  'needs_symbol',
  'is_email',
  'common',
] as const;
export type PasswordProblem = (typeof PASSWORD_PROBLEMS)[number];

/** Whether a password, in small letters, is on a list of those that everybody tries. */
export type IsCommon = (password: string) => boolean;

/**
 * All that is wrong with a password, in a fixed order, so that a person can mend it in one go; empty = good.
 * Lengths count characters as people see code points, not UTF-16 units. Capitals do not hide an e-mail or a common password.
 * @param isOnLongList a list beside our own short one, which knows what people use here
 */
export function passwordProblems(
  password: string,
  email: string,
  policy = PASSWORD_POLICY,
  isOnLongList: IsCommon = () => false,
): PasswordProblem[] {
  const problems = lengthOf(password) >= policy.passphraseLength ? [] : compositionProblems(password, policy);
  if (isEmail(password, email)) problems.push('is_email');
  const small = password.toLowerCase();
  if (COMMON_PASSWORDS.has(small) || isOnLongList(small)) problems.push('common');
  return problems;
}

const lengthOf = (text: string): number => [...text].length;

function compositionProblems(password: string, { minLength }: PasswordPolicy): PasswordProblem[] {
  const problems: PasswordProblem[] = [];
  if (lengthOf(password) < minLength) problems.push('too_short');
  if (!/\p{Lu}/u.test(password)) problems.push('needs_upper');
  if (!/\p{Ll}/u.test(password)) problems.push('needs_lower');
  if (!/\p{Nd}/u.test(password)) problems.push('needs_digit');
  if (!/[^\p{L}\p{M}\p{N}]/u.test(password)) problems.push('needs_symbol');
  return problems;
}

/** The address, or what stands before its @. */
function isEmail(password: string, email: string): boolean {
  const [given, address] = [password.trim().toLowerCase(), email.trim().toLowerCase()];
  return given !== '' && (given === address || given === address.split('@')[0]);
}
