/** Whether a code is a second factor of a person: each counts once, and wrong ones are counted together. */
import { randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { recordEvent } from '../db/events.ts';
import { countFailure, countSuccess, findCount, type LockKey } from '../db/login-locks.ts';
import { hashOfCode } from '../db/one-time-secrets.ts';
import {
  backupCodesLeft,
  factorsOf,
  methodsOf,
  queueForPerson,
  SECRET_COLUMN,
  takeBackupCode,
  takeTotpStep,
} from '../db/second-factors.ts';
import type { User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import type { UserId } from '../domain/ids.ts';
import { lockedUntil } from '../domain/lockout.ts';
import type { SecondFactorChange } from '../domain/mail.ts';
import { bareCode, type Method, methodsFor } from '../domain/second-factors.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { channelFor } from './second-factor-channels.ts';
import { totpStep } from './totp.ts';

export type ProofDeps = Pick<
  ApiDeps,
  'db' | 'temporal' | 'taskQueue' | 'logger' | 'personalData' | 'secretKey' | 'smsOffered'
>;

export interface GivenCode {
  readonly code: string;
  /** Absent = told by its shape. */
  readonly method?: Method | undefined;
  readonly origin: Origin;
  readonly purpose: 'login' | 'step_up';
}

interface Steps<Context> {
  /** Whether there is still something to give a code for; null = there is not. Asked while nobody else can come in between. */
  readonly begin: (trx: Knex.Transaction, at: Date) => Promise<Context | null>;
  /** What else changes with a wrong code. */
  readonly wrong?: (trx: Knex.Transaction, context: Context) => Promise<void>;
  /** What a right code is for. */
  readonly right: (trx: Knex.Transaction, context: Context, method: Method, at: Date) => Promise<void>;
}

type Verdict<Context> =
  | { readonly outcome: 'right'; readonly context: Context; readonly at: Date; readonly letters: readonly string[] }
  | { readonly outcome: 'wrong'; readonly letters: readonly string[] }
  | { readonly outcome: 'locked'; readonly until: Date }
  | { readonly outcome: 'ended' | 'missing' };

/**
 * Checks a code and does what it is for, in one transaction; of many at once for one person it takes one after the other.
 * @throws Failure `invalid_code`, `second_factor_locked` after five wrong ones from wherever, `second_factor_missing`,
 *   `challenge_ended` when `begin` says so
 */
export async function prove<Context>(
  deps: ProofDeps,
  user: User,
  given: GivenCode,
  steps: Steps<Context>,
): Promise<{ readonly context: Context; readonly at: Date }> {
  const verdict = await deps.db.transaction((trx) => judge(trx, deps, user, given, steps));
  if ('letters' in verdict) for (const id of verdict.letters) void dispatchLetter(deps, id);
  switch (verdict.outcome) {
    case 'right':
      return verdict;
    case 'wrong':
      throw new Failure('invalid_code', '');
    case 'locked':
      throw waits(verdict.until);
    case 'ended':
      throw new Failure('challenge_ended', '');
    case 'missing':
      throw new Failure('second_factor_missing', '');
  }
}

/** Returns instead of throwing: what was counted has to be committed. */
async function judge<Context>(
  trx: Knex.Transaction,
  deps: ProofDeps,
  user: User,
  given: GivenCode,
  { begin, wrong, right }: Steps<Context>,
): Promise<Verdict<Context>> {
  await queueForPerson(trx, user.id);
  // Read in the queue: the wait for it may have been long, and what came before counts.
  const at = new Date();
  const context = await begin(trx, at);
  if (context === null) return { outcome: 'ended' };
  const key = lockOf(deps, user);
  const until = lockedUntil(await findCount(trx, key), at);
  if (until) return { outcome: 'locked', until };
  const has = await methodsOf(trx, user.id);
  if (has.length === 0 || (isFactor(given.method) && !has.includes(given.method))) return { outcome: 'missing' };

  const method = await take(trx, deps, user.id, methodsFor(given.code, has, given.method), bareCode(given.code), at);
  if (method === null) {
    await wrong?.(trx, context);
    return { outcome: 'wrong', letters: await countWrong(trx, user, key, given, at) };
  }
  await countSuccess(trx, key, at);
  await right(trx, context, method, at);
  const letters = method === 'backup_code' ? [await noteBackupCode(trx, user.id, given, at)] : [];
  return { outcome: 'right', context, at, letters };
}

/** Used up, backup codes are none left rather than one that is missing. */
const isFactor = (method: Method | undefined): method is Exclude<Method, 'backup_code'> =>
  method !== undefined && method !== 'backup_code';

/** The first of these methods that the code is right for; it is used up thereby. */
async function take(
  trx: Knex.Transaction,
  deps: ProofDeps,
  userId: UserId,
  methods: readonly Method[],
  code: string,
  at: Date,
): Promise<Method | null> {
  for (const method of methods) {
    if (await takeBy(method)) return method;
  }
  return null;

  function takeBy(method: Method): Promise<boolean> {
    switch (method) {
      case 'totp':
        return takeTotp(trx, deps, userId, code, at);
      case 'email':
      case 'sms':
        return channelFor(method, deps).verify(trx, userId, code, at);
      case 'backup_code':
        return takeBackupCode(trx, userId, hashOfCode(deps.secretKey, userId, code), at);
    }
  }
}

async function takeTotp(trx: Knex, deps: ProofDeps, userId: UserId, code: string, at: Date): Promise<boolean> {
  const factor = (await factorsOf(trx, userId)).find(({ kind }) => kind === 'totp');
  if (!factor?.secretEncrypted) return false;
  const step = totpStep(deps.personalData.open(factor.secretEncrypted, SECRET_COLUMN), code, at);
  return step !== null && takeTotpStep(trx, userId, step);
}

/** Wrong codes of one person add up, whatever they were for: a new log-in gives no new tries. */
const lockOf = ({ personalData }: ProofDeps, { email }: Pick<User, 'email'>): LockKey => ({
  account: personalData.fingerprint(email, 'login_locks.account'),
  origin: 'second_factor',
});

/** @throws Failure `second_factor_locked` while wrong codes keep this person waiting */
export async function refuseWaiting(deps: ProofDeps, user: User): Promise<void> {
  const until = lockedUntil(await findCount(deps.db, lockOf(deps, user)), new Date());
  if (until) throw waits(until);
}

/** @returns letters to send */
async function countWrong(trx: Knex, user: User, key: LockKey, given: GivenCode, at: Date): Promise<string[]> {
  const { locksUntil } = await countFailure(trx, key, at);
  const about = {
    subject: `user/${user.id}` as const,
    // Whoever logs in is not known yet.
    ...(given.purpose === 'step_up' ? { by: user.id } : {}),
    origin: given.origin,
    at: at.toISOString(),
  };
  await recordEvent(trx, {
    ...about,
    key: `second-factor/${randomUUID()}/failed`,
    type: 'second_factor.failed',
    data: { purpose: given.purpose, method: given.method ?? null },
  });
  if (!locksUntil) return [];
  await recordEvent(trx, {
    ...about,
    key: `second-factor/${randomUUID()}/locked`,
    type: 'login.locked',
    data: { from: 'second_factor', until: locksUntil.toISOString() },
  });
  return [await tell(trx, user.id, 'wrong_codes', at)];
}

/** Not the letter of a locked account: whoever gave these codes knows the password, and no link undoes the wait. */
async function tell(trx: Knex, userId: UserId, change: SecondFactorChange, at: Date): Promise<string> {
  const id = randomUUID();
  await writeLetter(trx, { id, template: 'second_factor_changed', userId, data: { at: at.toISOString(), change }, at });
  return id;
}

/** Whoever uses one may have lost the telephone, or the list of codes to somebody. @returns the letter */
async function noteBackupCode(trx: Knex, userId: UserId, { origin, purpose }: GivenCode, at: Date): Promise<string> {
  await recordEvent(trx, {
    key: `second-factor/${randomUUID()}/backup-code`,
    type: 'backup_code.used',
    by: userId,
    subject: `user/${userId}`,
    origin,
    data: { purpose, left: await backupCodesLeft(trx, userId) },
    at: at.toISOString(),
  });
  return tell(trx, userId, 'backup_code_used', at);
}

function waits(until: Date): Failure {
  const retryAfterSeconds = Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1000));
  return new Failure('second_factor_locked', '', { retryAfterSeconds });
}
