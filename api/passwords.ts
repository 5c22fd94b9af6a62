/**
 * Passwords: what a new one must be, and their hashes. Hashing runs off the main thread, one at a time and at a low
 * priority: 200 log-ins at once must leave the processor to those who read a status.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseOptions } from '@node-rs/argon2';
import pLimit, { type LimitFunction } from 'p-limit';
import { Failure, type FieldProblem } from '../domain/failures.ts';
import { type PasswordPolicy, type PasswordProblem, passwordProblems } from '../domain/passwords.ts';
import { explained } from './field-problems.ts';
import { hashOf, verifyHash } from './hashing.ts';
import type { Locale } from './request.ts';

/** argon2id, version 19; OWASP's first choice of parameters, 19 MiB and 2 passes. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash keeps a processor busy for some 20 ms and 19 MiB of memory; there is one thread for them. */
const hashing = pLimit(1);
/** Look-ups wait while another is hashed: a log-in more or less at once is felt by everybody who reads. */
const turns = pLimit(1);
/** While others wait each turn begins with a pause: hashes back to back would keep a processor from everybody else. */
const BREATH_MS = 15;
/** Some 20 seconds of work: whoever comes later is told to come back rather than left hanging. */
const MAX_WAITING = 500;

/**
 * Does what needs a password, its look-ups included, when its turn comes: 200 log-ins that ask the database at once
 * would take all of its connections from everybody else.
 * @throws Failure `temporarily_unavailable` when too many are waiting already
 */
export const inTurn = <T>(work: () => Promise<T>): Promise<T> =>
  bounded(turns, async () => {
    if (turns.pendingCount > 0) await delay(BREATH_MS);
    return work();
  });

async function bounded<T>(limit: LimitFunction, work: () => Promise<T>): Promise<T> {
  if (limit.pendingCount >= MAX_WAITING) throw new Failure('temporarily_unavailable', '', { retryAfterSeconds: 15 });
  return limit(work);
}

/** @throws Failure `temporarily_unavailable` when too many are waiting already */
export const hashPassword = (password: string): Promise<string> => bounded(hashing, () => hashOf(password, PARAMETERS));

/**
 * Takes as long without a hash, so that an address nobody has cannot be told from a wrong password.
 * @throws Failure `temporarily_unavailable` when too many are waiting already
 */
export async function passwordMatches(passwordHash: string | null | undefined, password: string): Promise<boolean> {
  const compared = passwordHash ?? (await decoy());
  const matches = await bounded(hashing, () => verifyHash(compared, password));
  return matches && typeof passwordHash === 'string';
}

/** Whether a hash was made with other parameters than new ones are. */
export function isOutdated(passwordHash: string): boolean {
  const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash);
  return (
    !passwordHash.startsWith('$argon2id$') ||
    memoryCost !== PARAMETERS.memoryCost ||
    timeCost !== PARAMETERS.timeCost ||
    parallelism !== PARAMETERS.parallelism
  );
}

let made: Promise<string> | undefined;
function decoy(): Promise<string> {
  made ??= hashOf(randomBytes(16).toString('hex'), PARAMETERS);
  return made;
}

/** @throws Failure `weak_password` that names everything that is missing, in the reader's language */
export async function refuseWeak(
  password: string,
  email: string,
  locale: Locale,
  policy: PasswordPolicy,
): Promise<void> {
  const list = await commonPasswords();
  const problems = passwordProblems(password, email, policy, (candidate) => list.has(candidate));
  if (problems.length === 0) return;
  throw new Failure('weak_password', '', { errors: problems.map((code) => missing(code, locale, policy)) });
}

function missing(code: PasswordProblem, locale: Locale, { minLength, passphraseLength }: PasswordPolicy): FieldProblem {
  const problem = explained('/password', code, locale);
  if (code !== 'too_short') return problem;
  const detail = {
    id: `sedikitnya ${minLength} karakter, atau ${passphraseLength} tanpa syarat lain`,
    en: `at least ${minLength} characters, or ${passphraseLength} without further rules`,
  }[locale];
  return { ...problem, detail };
}

let common: Promise<ReadonlySet<string>> | undefined;
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= loadCommon();
  return common;
}

/** 8 is the least that a policy can ask for; of 49,000 known ones some 18,000 are that long. */
async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].filter(({ length }) => length >= 8));
}
