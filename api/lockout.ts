/** What holds guessers up: an account waits after wrong passwords, an address that fails at many accounts is slowed. */
import { randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { recordEvent } from '../db/events.ts';
import { useLinkToken } from '../db/link-tokens.ts';
import { countFailure, countSuccess, findCount, type LockKey, liftLocks } from '../db/login-locks.ts';
import { findUser, type User } from '../db/users.ts';
import type { Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { lockedUntil } from '../domain/lockout.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { meetDevice, type Place, type Whereabouts } from './devices.ts';
import { limiterOf, secondsOf } from './limiters.ts';
import { lineOf } from './networks.ts';

type Deps = Pick<ApiDeps, 'db' | 'temporal' | 'taskQueue' | 'logger' | 'personalData'>;

/** One try to get in with a password, before it is known whether it is right. */
export interface Attempt {
  /** In small letters; somebody's or nobody's. */
  readonly email: string;
  readonly user: Pick<User, 'id' | 'status'> | null;
  readonly known: Place['known'];
  readonly origin: Origin;
}

const keyOf = ({ personalData }: Deps, { email, known }: Pick<Attempt, 'email' | 'known'>): LockKey => ({
  account: personalData.fingerprint(email, 'login_locks.account'),
  origin: known,
});

/** @throws Failure `account_locked`; the attempt is written down, nothing else is done for it */
export async function refuseLocked(deps: Deps, attempt: Attempt): Promise<void> {
  const until = lockedUntil(await findCount(deps.db, keyOf(deps, attempt)), new Date());
  if (!until) return;
  await noteAttempt(deps.db, attempt, 'locked');
  throw waits(until);
}

/**
 * Counts a failure, with its event, and the letter when it locks.
 * @throws Failure `account_locked` when a lock came first: then the password counts as not tried, right or wrong. So of
 *   many guesses at once no more are answered than one after the other.
 */
export async function noteFailure(deps: Deps, attempt: Attempt): Promise<void> {
  const at = new Date();
  const letter = randomUUID();
  const { counted, told } = await deps.db.transaction(async (trx) => {
    const counted = await countFailure(trx, keyOf(deps, attempt), at);
    await noteAttempt(trx, attempt, counted.lockedUntil ? 'locked' : 'credentials');
    if (!counted.locksUntil) return { counted, told: false };
    await noteLock(trx, attempt, counted.locksUntil);
    return { counted, told: await writeLockLetter(trx, letter, attempt, counted.locksUntil) };
  });
  if (told) void dispatchLetter(deps, letter);
  if (counted.lockedUntil) throw waits(counted.lockedUntil);
  await noteLineFailure(deps, attempt);
}

/** @throws Failure `account_locked` when a lock came first, as for `noteFailure` */
export async function noteSuccess(deps: Deps, attempt: Attempt): Promise<void> {
  const until = await countSuccess(deps.db, keyOf(deps, attempt), new Date());
  if (!until) return;
  await noteAttempt(deps.db, attempt, 'locked');
  throw waits(until);
}

async function noteAttempt(db: Knex, { user, known, origin }: Attempt, reason: 'credentials' | 'locked') {
  await recordEvent(db, {
    key: `login/${randomUUID()}/failed`,
    type: 'login.failed',
    ...aboutAccount(user),
    origin,
    data: { method: 'password', reason, from: known },
    at: new Date().toISOString(),
  });
}

async function noteLock(db: Knex, { user, known, origin }: Attempt, until: Date): Promise<void> {
  await recordEvent(db, {
    key: `login/${randomUUID()}/locked`,
    type: 'login.locked',
    ...aboutAccount(user),
    origin,
    data: { from: known, until: until.toISOString() },
    at: new Date().toISOString(),
  });
}

/** The account that was tried; nobody knows who tried it. */
const aboutAccount = (user: Attempt['user']) => (user ? { subject: `user/${user.id}` as const } : {});

async function writeLockLetter(db: Knex, id: string, { user, origin }: Attempt, until: Date): Promise<boolean> {
  if (user?.status !== 'active') return false;
  await writeLetter(db, {
    id,
    template: 'account_locked',
    userId: user.id,
    data: { lockedUntil: until.toISOString(), address: origin.address ?? 'unknown' },
    at: new Date(),
  });
  return true;
}

const waits = (until: Date): Failure =>
  new Failure('account_locked', '', { retryAfterSeconds: secondsOf(until.getTime() - Date.now()) });

/**
 * What the link in the letter about a lock does: lifts the locks, and makes the device it is opened on a known one, so that
 * its owner gets in while others go on guessing from elsewhere.
 * @throws Failure `link_not_valid`
 */
export async function unlock(deps: Deps, token: string, where: Whereabouts): Promise<{ deviceToken: string }> {
  const at = new Date();
  return deps.db.transaction(async (trx) => {
    const link = await useLinkToken(trx, 'unlock_account', token, at);
    const user = link?.userId ? await findUser(trx, link.userId) : null;
    if (user?.status !== 'active') throw new Failure('link_not_valid', '');
    await liftLocks(trx, accountsOf(deps, user.email));
    const device = await meetDevice(trx, user.id, where, at);
    await recordEvent(trx, {
      key: `login/${randomUUID()}/unlocked`,
      type: 'login.unlocked',
      by: user.id,
      subject: `user/${user.id}`,
      origin: where.origin,
      data: { device: device.name },
      at: at.toISOString(),
    });
    return { deviceToken: device.token };
  });
}

/** Under every key: a lock may have been written down with the one before. */
export const accountsOf = ({ personalData }: Pick<Deps, 'personalData'>, email: string): string[] =>
  personalData.fingerprints(email, 'login_locks.account');

/** An account locks after five failures, so thirty are six accounts at least: an office behind one address has slack. */
const LINE_FAILURES = 30;
const LINE_WINDOW_SECONDS = 15 * 60;
/** 1 minute, and twice as long each time within a day, to an hour at most. */
const LINE_WAIT = { firstSeconds: 60, longestSeconds: 3600, rememberedSeconds: 24 * 3600 } as const;

const lineFailures = (db: Knex) =>
  limiterOf(db, { keyPrefix: 'login_line', points: LINE_FAILURES, duration: LINE_WINDOW_SECONDS });
const lineWaits = (db: Knex) =>
  limiterOf(db, { keyPrefix: 'login_line_waits', points: 1, duration: LINE_WAIT.rememberedSeconds });

/**
 * Slows an address down that failed at many accounts. A device that its owner logged in with before is not held up by
 * its neighbours.
 * @throws Failure `rate_limited`
 */
export async function refuseSlowedLine(deps: Deps, { known, origin }: Attempt): Promise<void> {
  if (known === 'device') return;
  const found = await lineFailures(deps.db).get(lineOf(origin.address));
  if (!found || found.consumedPoints <= LINE_FAILURES) return;
  deps.logger.warn({ requestId: origin.requestId }, 'a log-in is held up: its address failed at many accounts');
  throw new Failure('rate_limited', '', { retryAfterSeconds: secondsOf(found.msBeforeNext) });
}

/** Successes do not count: an office logs in from one address in the morning. */
async function noteLineFailure(deps: Deps, { origin }: Attempt): Promise<void> {
  const line = lineOf(origin.address);
  const { consumedPoints } = await lineFailures(deps.db).penalty(line);
  if (consumedPoints !== LINE_FAILURES) return;
  const { consumedPoints: times } = await lineWaits(deps.db).penalty(line);
  await lineFailures(deps.db).block(
    line,
    Math.min(LINE_WAIT.firstSeconds * 2 ** (times - 1), LINE_WAIT.longestSeconds),
  );
}
