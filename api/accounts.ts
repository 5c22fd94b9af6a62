/** A person's own account: opening it, proving its address, changing and resetting its password. */
import { randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { untrustDevices } from '../db/devices.ts';
import { recordEvent } from '../db/events.ts';
import { peekLinkToken, useLinkToken } from '../db/link-tokens.ts';
import { liftLocks } from '../db/login-locks.ts';
import { addUser, findCredentials, findUser, type NewUser, setPassword, type User, verifyEmail } from '../db/users.ts';
import type { EventType, Origin } from '../domain/events.ts';
import { Failure } from '../domain/failures.ts';
import { asId, type UserId } from '../domain/ids.ts';
import { dispatchLetter } from './account-letters.ts';
import { placeOf } from './devices.ts';
import { limiterOf, secondsOf } from './limiters.ts';
import { accountsOf, noteFailure, noteSuccess, refuseLocked, refuseSlowedLine } from './lockout.ts';
import type { LoginDeps } from './login.ts';
import { hashPassword, passwordMatches, refuseWeak } from './passwords.ts';
import type { Caller, Locale } from './request.ts';
import { idFromKey } from './request-key.ts';
import { endAllSessions } from './sessions.ts';

type Registration = Pick<NewUser, 'email' | 'name' | 'locale'> & { readonly password: string };

/**
 * An owner's account, with the letter that asks to verify its address.
 * @throws Failure `weak_password`, `email_taken`
 */
export async function register(deps: LoginDeps, given: Registration, requestKey: string, origin: Origin) {
  await refuseWeak(given.password, given.email, given.locale, deps.access.passwords);
  const id = asId<UserId>(idFromKey(requestKey, 'user'));
  const letter = idFromKey(requestKey, 'letter');
  const passwordHash = await hashPassword(given.password);
  const { email, name, locale } = given;
  const user = await deps.db.transaction(async (trx) => {
    const added = await addUser(trx, { id, email, passwordHash, name, locale, roles: ['owner'] });
    if (!added) throw new Failure('email_taken', '');
    const at = new Date();
    await tell(trx, 'user.registered', id, origin, at);
    await writeLetter(trx, { id: letter, template: 'verify_email', userId: id, data: {}, at });
    return added;
  });
  void dispatchLetter(deps, letter);
  return user;
}

/** @throws Failure `link_not_valid` for a link that is wrong, used or too old */
export async function confirmEmail(deps: LoginDeps, token: string, origin: Origin): Promise<void> {
  const letter = randomUUID();
  const isNew = await deps.db.transaction(async (trx) => {
    const at = new Date();
    const { userId } = (await useLinkToken(trx, 'verify_email', token, at)) ?? { userId: null };
    if (!userId) throw notValid();
    if (!(await verifyEmail(trx, userId, at))) return false;
    await tell(trx, 'user.email_verified', userId, origin, at);
    await writeLetter(trx, { id: letter, template: 'welcome', userId, data: {}, at });
    return true;
  });
  if (isNew) void dispatchLetter(deps, letter);
}

/** Letters of one kind that one person or address is sent within an hour, whoever asks for them and from where. */
const LETTERS_AN_HOUR = 5;

async function mayWrite(deps: LoginDeps, about: string): Promise<{ ok: boolean; seconds: number }> {
  const limiter = limiterOf(deps.db, { keyPrefix: 'letters', points: LETTERS_AN_HOUR, duration: 3600 });
  const { consumedPoints, msBeforeNext } = await limiter.penalty(about);
  return { ok: consumedPoints <= LETTERS_AN_HOUR, seconds: secondsOf(msBeforeNext) };
}

/**
 * Another letter with a link to verify the address, unless that is done.
 * @returns whether the address is verified already
 * @throws Failure `rate_limited`
 */
export async function resendVerification(deps: LoginDeps, userId: UserId): Promise<boolean> {
  const user = await findUser(deps.db, userId);
  if (!user || user.emailVerifiedAt) return true;
  const { ok, seconds } = await mayWrite(deps, `verify_email/${userId}`);
  if (!ok) throw new Failure('rate_limited', '', { retryAfterSeconds: seconds });
  const id = randomUUID();
  await writeLetter(deps.db, { id, template: 'verify_email', userId, data: {}, at: new Date() });
  void dispatchLetter(deps, id);
  return false;
}

/**
 * Writes a letter to the address, whether somebody has it or not: it is looked up where the letter is sent, so that
 * neither answer nor time tells. Whoever asks too often gets the same answer, and no letter.
 */
export async function requestReset(deps: LoginDeps, email: string): Promise<void> {
  const { ok } = await mayWrite(deps, deps.personalData.fingerprint(email, 'rate_limits.key'));
  if (!ok) return;
  const id = randomUUID();
  const addressEncrypted = deps.personalData.seal(email, 'account_letters.address');
  await writeLetter(deps.db, { id, template: 'password_reset', addressEncrypted, data: {}, at: new Date() });
  void dispatchLetter(deps, id);
}

/**
 * A new password by the link in a letter. That proves the address too; it lets in nobody past a second factor.
 * @throws Failure `link_not_valid`, `weak_password`
 */
export async function resetPassword(
  deps: LoginDeps,
  given: { readonly token: string; readonly password: string },
  { locale, origin }: { readonly locale: Locale; readonly origin: Origin },
): Promise<void> {
  const link = await peekLinkToken(deps.db, 'reset_password', given.token, new Date());
  const user = link?.userId ? await findUser(deps.db, link.userId) : null;
  if (user?.status !== 'active') throw notValid();
  await refuseWeak(given.password, user.email, locale, deps.access.passwords);
  const passwordHash = await hashPassword(given.password);
  await replacePassword(deps, user, { passwordHash, type: 'user.password_reset', origin }, async (trx, at) => {
    if (!(await useLinkToken(trx, 'reset_password', given.token, at))) throw notValid();
    await untrustDevices(trx, user.id);
    await liftLocks(trx, accountsOf(deps, user.email));
    if (await verifyEmail(trx, user.id, at)) await tell(trx, 'user.email_verified', user.id, origin, at);
  });
}

/**
 * A new password for who knows the present one; the session that asks goes on, all others end.
 * @throws Failure `wrong_password`, which counts like a failed log-in, `account_locked`, `rate_limited`, `weak_password`
 */
export async function changePassword(
  deps: LoginDeps,
  caller: Caller,
  given: { readonly currentPassword: string; readonly newPassword: string },
  { locale, origin }: { readonly locale: Locale; readonly origin: Origin },
): Promise<void> {
  const found = await findUser(deps.db, caller.userId);
  const user = found && (await findCredentials(deps.db, found.email));
  if (!user) throw new Failure('unauthenticated', '');
  await refuseWeak(given.newPassword, user.email, locale, deps.access.passwords);
  const { known } = await placeOf(deps.db, user.id, { origin });
  const attempt = { email: user.email, user, known, origin };
  await refuseSlowedLine(deps, attempt);
  await refuseLocked(deps, attempt);
  if (!(await passwordMatches(user.passwordHash, given.currentPassword))) {
    await noteFailure(deps, attempt);
    throw new Failure('wrong_password', '');
  }
  await noteSuccess(deps, attempt);
  const passwordHash = await hashPassword(given.newPassword);
  const change = { passwordHash, type: 'user.password_changed', origin, except: caller.sessionId } as const;
  await replacePassword(deps, user, change);
}

interface PasswordChange {
  readonly passwordHash: string;
  readonly type: 'user.password_changed' | 'user.password_reset';
  readonly origin: Origin;
  /** The session that goes on. */
  readonly except?: string | undefined;
}

/** The password, the end of sessions, event and letter; in one transaction, which `before` begins. */
async function replacePassword(
  deps: LoginDeps,
  { id: userId }: User,
  { passwordHash, type, origin, except }: PasswordChange,
  before: (trx: Knex, at: Date) => Promise<void> = async () => undefined,
): Promise<void> {
  const letter = randomUUID();
  await deps.db.transaction(async (trx) => {
    const at = new Date();
    await before(trx, at);
    await setPassword(trx, userId, passwordHash, at);
    await endAllSessions(trx, userId, { reason: 'password_changed', origin, at, except });
    await tell(trx, type, userId, origin, at);
    const data = { at: at.toISOString(), address: origin.address ?? 'unknown' };
    await writeLetter(trx, { id: letter, template: 'password_changed', userId, data, at });
  });
  void dispatchLetter(deps, letter);
}

async function tell(db: Knex, type: EventType, userId: UserId, origin: Origin, at: Date): Promise<void> {
  const key = type === 'user.registered' ? `user/${userId}/registered` : `user/${userId}/${randomUUID()}`;
  await recordEvent(db, { key, type, by: userId, subject: `user/${userId}`, origin, at: at.toISOString() });
}

const notValid = (): Failure => new Failure('link_not_valid', '');
