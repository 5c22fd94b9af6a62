/** Getting in: from a password to tokens, and what happens whatever the proof was. */
import { randomUUID } from 'node:crypto';
import { writeLetter } from '../db/account-letters.ts';
import type { Knex } from '../db/connection.ts';
import { trustDevice } from '../db/devices.ts';
import { recordEvent } from '../db/events.ts';
import type { LoginMethod } from '../db/sessions.ts';
import { type Credentials, findCredentials, replaceHash, takeSecondFactorGrace, type User } from '../db/users.ts';
import { Failure } from '../domain/failures.ts';
import { isStaff } from '../domain/roles.ts';
import { dispatchLetter } from './account-letters.ts';
import type { ApiDeps } from './deps.ts';
import { type MetDevice, meetDevice, placeOf, type Whereabouts } from './devices.ts';
import { type Attempt, noteFailure, noteSuccess, refuseLocked, refuseSlowedLine } from './lockout.ts';
import { hashPassword, inTurn, isOutdated, passwordMatches } from './passwords.ts';
import type { Locale } from './request.ts';
import { type Challenge, confirmedMethods, startChallenge } from './second-factors.ts';
import { startSession } from './sessions.ts';

export type LoginDeps = Pick<
  ApiDeps,
  'db' | 'tokens' | 'access' | 'temporal' | 'taskQueue' | 'logger' | 'personalData' | 'secretKey'
>;

export interface Login extends Whereabouts {
  readonly method: LoginMethod;
  readonly secondFactorAt: Date | null;
  /** Ask for no second factor on this device for 30 days. Only where one was just given. */
  readonly trustDevice?: boolean | undefined;
  readonly locale: Locale;
  /** When the proof was begun; absent = now. A password that was changed since then opens nothing. */
  readonly provenSince?: Date;
}

export interface TokensAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  readonly expiresInSeconds: number;
  /** The device keeps it and sends it with its next log-in. */
  readonly deviceToken: string;
  /** The office wants a second factor: the tokens of the first log-in do all, later ones nothing but setting one up. */
  readonly mfaSetupRequired?: true;
}

/**
 * Lets somebody in after every proof is there: meets the device, opens the session, tells of a strange place.
 * @throws Failure `invalid_credentials` when the account was disabled, or got another password, in between
 */
export async function admit(deps: LoginDeps, user: User, login: Login): Promise<TokensAnswer> {
  const lacksFactor = await lacksSecondFactor(deps, user, login);
  const letter = randomUUID();
  const { answer, isStrange } = await deps.db.transaction(async (trx) => {
    const at = new Date();
    const setupOnly = lacksFactor && !(await takeSecondFactorGrace(trx, user.id, at));
    const device = await meetDevice(trx, user.id, login, at);
    const tokens = await startSession({ ...deps, db: trx }, user, { ...login, device: device.name, setupOnly });
    if (login.trustDevice && login.secondFactorAt) await noteTrust(trx, user, device, login, at);
    if (device.isStrange) await writeNewDeviceLetter(trx, letter, user, device, login, at);
    const answer = {
      ...tokens,
      deviceToken: device.token,
      ...(lacksFactor ? { mfaSetupRequired: true as const } : {}),
    };
    return { answer, isStrange: device.isStrange };
  });
  if (isStrange) void dispatchLetter(deps, letter);
  return answer;
}

async function lacksSecondFactor({ db, access }: LoginDeps, user: User, login: Login): Promise<boolean> {
  if (access.staffSecondFactor !== 'required' || !isStaff(user.roles) || login.secondFactorAt) return false;
  return (await confirmedMethods(db, user.id)).length === 0;
}

async function noteTrust(db: Knex, user: User, device: MetDevice, { origin }: Login, at: Date): Promise<void> {
  await trustDevice(db, device.id, at);
  await recordEvent(db, {
    key: `device/${device.id}/trusted/${randomUUID()}`,
    type: 'device.trusted',
    by: user.id,
    subject: `device/${device.id}`,
    origin,
    data: { device: device.name },
    at: at.toISOString(),
  });
}

const writeNewDeviceLetter = (db: Knex, id: string, user: User, device: MetDevice, { origin }: Login, at: Date) =>
  writeLetter(db, {
    id,
    template: 'new_device',
    userId: user.id,
    data: { at: at.toISOString(), device: device.name, address: origin.address ?? 'unknown' },
    at,
  });

export interface PasswordLogin extends Whereabouts {
  readonly email: string;
  readonly password: string;
  readonly locale: Locale;
}

/**
 * Tokens, or the challenge for a second factor. Nothing in answer, work or time tells whether somebody has the address.
 * @throws Failure `rate_limited`, `account_locked`, `invalid_credentials`, `temporarily_unavailable`
 */
export const signInWithPassword = (deps: LoginDeps, login: PasswordLogin): Promise<TokensAnswer | Challenge> =>
  inTurn(() => signIn(deps, login));

async function signIn(deps: LoginDeps, login: PasswordLogin): Promise<TokensAnswer | Challenge> {
  const provenSince = new Date();
  const user = await findCredentials(deps.db, login.email);
  const { known, device } = await placeOf(deps.db, user?.id, login);
  const attempt = { email: login.email, user, known, origin: login.origin };
  await refuseSlowedLine(deps, attempt);
  await refuseLocked(deps, attempt);
  const matches = await passwordMatches(user?.passwordHash, login.password);
  if (!user || !matches || user.status !== 'active') return refused(deps, attempt);
  await noteSuccess(deps, attempt);
  await renewHash(deps, user, login.password);
  const trusted = device?.trustedUntil && device.trustedUntil > new Date();
  if (!trusted && (await confirmedMethods(deps.db, user.id)).length > 0) {
    return startChallenge(deps, user, { method: 'password', provenSince });
  }
  return admit(deps, user, { ...login, method: 'password', secondFactorAt: null, provenSince });
}

async function refused(deps: LoginDeps, attempt: Attempt): Promise<never> {
  await noteFailure(deps, attempt);
  throw new Failure('invalid_credentials', '');
}

/** The one moment when the password is at hand: an old hash is made anew with today's parameters. */
async function renewHash({ db }: LoginDeps, user: Credentials, password: string): Promise<void> {
  if (user.passwordHash === null || !isOutdated(user.passwordHash)) return;
  await replaceHash(db, user.id, user.passwordHash, await hashPassword(password));
}
